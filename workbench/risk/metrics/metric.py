"""What a metric is: a number with its name, unit, formula, convention and source beside it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

__all__ = ["ABOVE", "ELAPSED", "GROWTH", "ROOT", "TIMES", "Group", "Metric", "Needs", "Unit"]

Unit = Literal["fraction", "ratio", "currency", "count", "time", "bars"]
Group = Literal["return", "variation", "ratio", "drawdown", "tail", "benchmark", "trades", "activity"]
Needs = Literal["returns", "benchmark", "dated", "profits", "run"]

ROOT: Final = "x sqrt(periods per year)"
TIMES: Final = "x periods per year"
GROWTH: Final = "compounded to one year of elapsed time"
ABOVE: Final = "annualised return above, compounded to one year of elapsed time"
ELAPSED: Final = "/ elapsed years"


@dataclass(frozen=True, slots=True)
class Metric:
    """What a number means.

    Parameters
    ----------
    label : str
        For people.
    unit : {"fraction", "ratio", "currency", "count", "time", "bars"}
    formula : str
        In words and symbols, over what the arguments of the function are called.
    source : str
        Where the formula comes from.
    group : str
        What kind of number it is.
    convention : str
        What was chosen where writers differ.
    annualised : str
        How it was made a number of a year; empty where it is not one.
    better : {"higher", "lower", ""}
        Which way is good; "" where neither is.
    needs : {"returns", "benchmark", "dated", "profits", "run"}
        What it is computed from: returns per bar, those and a benchmark's, returns with times, profits of closed
        trades, or the records of a whole run.
    function : callable, optional
        The public function; None for what only a run can tell.
    """

    label: str
    unit: Unit
    formula: str
    source: str
    group: Group = "return"
    convention: str = ""
    annualised: str = ""
    better: Literal["higher", "lower", ""] = "higher"
    needs: Needs = "returns"
    function: Callable[..., Any] | None = None

    def text(self, value: float | int | str | None) -> str:
        """Write a value of this metric for people: percent, two decimals, thousands; a dash for no answer.

        Examples
        --------
        >>> from workbench.risk.metrics import METRICS
        >>> METRICS["total_return"].text(0.1234), METRICS["sharpe_ratio"].text(float("nan"))
        ('12.34 %', '\N{EN DASH}')
        """
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return "\N{EN DASH}"
        if isinstance(value, str):
            return value
        if self.unit in ("fraction", "ratio") and abs(value) >= 1e6:  # a few bars taken for a year: no digits to read
            return f"{value:.1e}".replace("-", "\N{MINUS SIGN}") + (" x" if self.unit == "fraction" else "")
        if self.unit == "fraction":
            small = 1e-9 < abs(value) < 5e-4  # the mean return of an hour is not nothing: two digits that count
            digits = -1 - math.floor(math.log10(abs(value))) if small else 2
            return f"{value:z,.{digits}%}".replace("%", " %").replace("-", "\N{MINUS SIGN}")
        whole = self.unit in ("count", "bars") and (float(value).is_integer() or abs(value) >= 100.0)
        digits = 0 if whole else 2
        return f"{value:z,.{digits}f}".replace("-", "\N{MINUS SIGN}")
