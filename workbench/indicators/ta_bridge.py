"""Every column of `ta` (0.11) as an indicator: `ta:trend.kst`, with its own parameters and defaults.

`ta` and pandas are imported when a column is asked for. A column that looks ahead is refused unless it is forced, and
the message has the reason (`ta_verdicts`). `ta` computes on whole series of pandas: a stream computes all rows again.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import numpy as np

from workbench.errors import StrategyError
from workbench.indicators.indicator import INPUTS, Indicator, Rows
from workbench.indicators.plain import column_of, like, measured_first
from workbench.indicators.ta_verdicts import COLUMNS, VERDICTS, Verdict

__all__ = ["get", "names", "verdicts"]

_PREFIX: Final = "ta:"


@cache
def _classes() -> Mapping[str, tuple[str, str]]:
    """The class of each column, as module and name, by the column."""
    return {
        f"{module}.{method}": (module, name)
        for module, classes in COLUMNS.items()
        for name, methods in classes.items()
        for method in methods
    }


def names() -> tuple[str, ...]:
    """List the columns of `ta`, those that look ahead too; `ta` is not imported.

    Examples
    --------
    >>> "ta:momentum.rsi" in names()
    True
    """
    return tuple(f"{_PREFIX}{column}" for column in _classes())


def verdicts(name: str) -> tuple[Verdict, ...]:
    """Say when a column of `ta` looks ahead; nothing if it never does.

    Parameters
    ----------
    name : str
        As `ta:trend.kst`.

    Examples
    --------
    >>> [verdict.row for verdict in verdicts("ta:trend.kst")]
    [14]
    """
    return tuple(verdict for verdict in VERDICTS if name.removeprefix(_PREFIX) in verdict.columns)


def get(name: str, *, force: bool = False) -> Indicator:
    """Find a column of `ta`.

    Parameters
    ----------
    name : str
        As `ta:trend.kst`: the module of `ta`, and the method of its class.
    force : bool, default False
        Give it though it looks ahead.

    Returns
    -------
    Indicator

    Raises
    ------
    StrategyError
        There is no such column, or it looks ahead. Where that depends on the parameters, they are refused.

    Examples
    --------
    >>> get("ta:trend.sma_indicator")
    <Indicator ta:trend.sma_indicator(close, window=12, fillna=False)>
    """
    column = name.removeprefix(_PREFIX)
    if column not in _classes():
        near = difflib.get_close_matches(column, _classes(), n=3)
        hint = f"did you mean {', '.join(_PREFIX + one for one in near)}?" if near else "names('ta') lists them"
        raise StrategyError(f"ta has no column {name!r}; {hint}", value=name)
    always = next((verdict for verdict in verdicts(name) if not verdict.when), None)
    if always and not force:
        raise StrategyError(f"{name}: {always.reason}; use another, or say force=True", function=name, value=name)
    return _indicator(column, force)


@cache
def _indicator(column: str, force: bool) -> Indicator:
    module, kind = _classes()[column]
    library = importlib.import_module(f"ta.{module}")
    make, method = getattr(library, kind), column.split(".")[1]
    taken = [one for one in inspect.signature(make.__init__).parameters.values() if one.name != "self"]
    inputs = [one.name for one in taken if one.name in INPUTS]
    defaults = {one.name: _default(library, method, one) for one in taken if one.name not in INPUTS}
    name = f"{_PREFIX}{column}"

    def rows(rows: Rows, *parameters: Any) -> None:
        given = _column(name, make, {one: rows[one] for one in inputs}, dict(zip(defaults, parameters, strict=True)))
        rows.out[0][:] = column_of(name, given, len(rows)) if given is not None else np.nan

    def check(*parameters: Any) -> str | None:
        given = dict(zip(defaults, parameters, strict=True))
        found = next((verdict for verdict in verdicts(name) if verdict.holds(given)), None)
        return f"{found.reason}; change that, or say force=True" if found and not force else None

    def first(*parameters: Any) -> tuple[int, ...]:
        return measured_first(name, rows, inputs, 1, parameters)

    return Indicator(
        function=_function(name, inputs, defaults, getattr(make, method)), rows=rows, group="ta", first=first,
        valid={parameter: like(value) for parameter, value in defaults.items()}, check=check, unit="other",
        source=f"the Python package ta, {module}.{kind}.{method}",
    )  # fmt: skip


def _default(library: Any, method: str, parameter: inspect.Parameter) -> Any:
    """Give the default of a class, or where it has none that of the function beside it."""
    if parameter.default is not parameter.empty:
        return parameter.default
    return inspect.signature(getattr(library, method)).parameters[parameter.name].default


def _column(name: str, make: Any, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Any:
    import pandas as pd

    series = {name: pd.Series(values.copy()) for name, values in inputs.items()}
    longest = max((value for value in parameters.values() if type(value) is int), default=0)
    try:
        # a series without any range is divided by zero in there, which ta leaves as NaN
        with np.errstate(divide="ignore", invalid="ignore"):
            return getattr(make(**series, **parameters), name.split(".")[1])()
    except (IndexError, ValueError, TypeError, ZeroDivisionError) as error:
        rows = int(np.isfinite(next(iter(inputs.values()))).sum())
        if rows <= longest and not isinstance(error, TypeError):
            return None  # ta fails on fewer rows than its window
        shown = ", ".join(f"{name}={value!r}" for name, value in parameters.items())
        raise StrategyError(f"{name}: ta fails with {shown} on {rows} rows: {error}", value=shown) from error


def _function(name: str, inputs: list[str], defaults: Mapping[str, Any], method: Any) -> Callable[..., Any]:
    """Make the plain function of a column: its name, its signature and its documentation are all that is read of it."""

    def function(*given: Any) -> Any:
        return get(name)(*given)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(one, kind) for one in inputs]
    parameters += [inspect.Parameter(one, kind, default=value) for one, value in defaults.items()]
    function.__name__ = name
    function.__doc__ = inspect.cleandoc(method.__doc__ or name)
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return function
