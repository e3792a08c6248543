"""What a metric is, in words."""

from __future__ import annotations

import textwrap
from typing import Final

from workbench.risk.metrics.edges import edges_of
from workbench.risk.metrics.peers import Difference, differences_of
from workbench.risk.metrics.registry import known

__all__ = ["Explanation", "explain"]

_JOINED: Final = "\N{NO-BREAK SPACE}"  # a case and its value stay on one line


class Explanation(str):
    """A text of several lines that a notebook shows as it is to be read."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Give the text itself."""
        return str(self)


def explain(name: str) -> Explanation:
    """Say in words what a metric is, what it gives where others would fail, and where other packages differ.

    Parameters
    ----------
    name : str
        As in `METRICS`.

    Returns
    -------
    Explanation
        A str; a notebook shows it line by line.

    Raises
    ------
    DataError
        There is no such metric.

    Examples
    --------
    >>> explain("max_drawdown")
    Max drawdown (max_drawdown)
      formula     lowest equity / highest before - 1
      unit        fraction
      annualised  no
      better      higher
      source      definition
      edges       no bars \N{EN DASH}; one bar 0.00 %; no change 0.00 %; constant gain 0.00 %;
                  bankrupt \N{MINUS SIGN}100.00 %; unknown bar \N{EN DASH}
      equal in    empyrical, quantstats, ffn, vectorbt
      differs     vectorbt 1.2.0 (-10 %, +5 %, +2 %): the high before the first bar is not seen, so
                  that a loss at the beginning is no drawdown (ours right)
    """
    metric = known(name)
    alike, differ = differences_of(name)
    texts = [f"{case} {metric.text(value)}".replace(" ", _JOINED) for case, value in edges_of(name).items()]
    lines = {
        "formula": metric.formula,
        "convention": metric.convention,
        "unit": metric.unit,
        "annualised": metric.annualised or "no",
        "better": metric.better,
        "source": metric.source,
        "edges": "; ".join(texts),
        "equal in": ", ".join(alike),
    }
    told = [_line(label, text) for label, text in lines.items() if text]
    told += [_line("differs" if not place else "", _differs(one)) for place, one in enumerate(differ)]
    return Explanation("\n".join([f"{metric.label} ({name})", *told]))


def _differs(one: Difference) -> str:
    given = f" ({one.case})" if 0 < len(one.case) < 40 else ""  # the long ones stand in `differences`
    return f"{one.peer} {one.version}{given}: {one.why} ({one.right} right)"


def _line(label: str, text: str) -> str:
    return textwrap.fill(text, 96, initial_indent=f"  {label:<12}", subsequent_indent=" " * 14).replace(_JOINED, " ")
