"""Named results: what a notebook found out, in a form that tests, the run ledger and the index page can read.

The last cell of a notebook calls `record(...)`. It shows a table, and carries the same values as data in the output
itself, so they are where the notebook is, whoever ran it (papermill, JupyterLab, nbval). `collect` reads them back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any, Final, TypeAlias

from workbench.errors import RunError

__all__ = ["MIMETYPE", "Value", "collect", "record"]

Value: TypeAlias = bool | int | float | str | None

MIMETYPE: Final = "application/vnd.workbench.results+json"
_LONG: Final = 100  # characters of a text that are shown
_DIGITS: Final = 10  # fewer than float64 has, so that the last bits, which differ between processors, do not show


def record(**results: Any) -> None:
    """Show named results and store them in the notebook.

    Parameters
    ----------
    **results : bool, int, float, str or None
        numpy's scalars count as the numbers they are. Floats are kept to ten significant digits.

    Raises
    ------
    RunError
        A value is something else, such as an array or a table: record a number that says what is in it.

    Examples
    --------
    >>> record(trades=12, sharpe_ratio=1 / 3)
    sharpe_ratio  0.3333333333
    trades        12
    """
    values = {name: _value(name, results[name]) for name in sorted(results)}
    text = _text(values)
    from IPython.core.getipython import get_ipython

    if get_ipython() is None:
        print(text)
        return
    from IPython.display import publish_display_data

    publish_display_data(  # type: ignore[no-untyped-call]
        {MIMETYPE: _encoded(values), "text/plain": text, "text/html": _html(values)}
    )


def collect(notebook: Mapping[str, Any]) -> dict[str, Value]:
    """Read the named results from an executed notebook.

    Parameters
    ----------
    notebook : mapping
        Its content, as `nbformat` or `json` reads it.

    Returns
    -------
    dict of str to bool, int, float, str or None
        Of all `record` calls; where a name was recorded twice, the later value.
    """
    found: dict[str, Value] = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            for name, value in output.get("data", {}).get(MIMETYPE, {}).items():
                found[name] = float(value["float"]) if isinstance(value, Mapping) else value
    return found


def _value(name: str, value: Any) -> Value:
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        rounded = float(f"{value:.{_DIGITS}g}")
        return rounded if math.isfinite(rounded) else float(value)  # the largest numbers round up to infinity
    if value is None or isinstance(value, bool | int | str):
        return value
    raise RunError(
        f"result {name!r} is a {type(value).__name__}; record a number, a text, True, False or None", result=name
    )


def _encoded(values: Mapping[str, Value]) -> dict[str, Any]:
    # JSON has no NaN and no infinity, and JupyterLab refuses a notebook that holds them
    return {
        name: {"float": repr(value)} if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }


def _shown(value: Value) -> str:
    return f"{value:.{_DIGITS}g}" if isinstance(value, float) else _shortened(str(value))


def _text(values: Mapping[str, Value]) -> str:
    width = max(map(len, values), default=0)
    return "\n".join(f"{name:<{width}}  {_shown(value)}" for name, value in values.items())


def _html(values: Mapping[str, Value]) -> str:
    rows = "".join(
        f"<tr><th>{escape(name.replace('_', ' '))}</th><td{_class(value)}>{escape(_brief(value))}</td></tr>"
        for name, value in values.items()
    )
    table = f'<table class="wb-table wb-results"><tbody>{rows}</tbody></table>'
    return f"<details><summary>Recorded results, {len(values)}</summary>{table}</details>"


def _class(value: Value) -> str:
    return ' class="wb-num"' if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _brief(value: Value) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.6g}"
    return _shortened(value)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG // 2]} … ({len(text):,} characters)"
