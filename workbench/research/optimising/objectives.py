"""`Objective`: what is made as good as possible, which way is good, and what it is computed from.

Any metric of `wb.metrics.METRICS` that says which way is better can be one, by its name or by the short names people
use; so can a function of a `Result`, and the deflated Sharpe ratio, which counts the trials of its own study.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.risk.metrics import HEADLINE, METRICS

if TYPE_CHECKING:
    from workbench.backtest.result import Result

__all__ = ["SHORT_NAMES", "Objective", "objective_of", "objectives_of", "of_returns"]

Floats = NDArray[np.float64]
Source = Literal["row", "returns", "profits", "deflated", "result"]

DEFLATED: Final = "deflated_sharpe_ratio"
SHORT_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sharpe": "sharpe_ratio",
        "sortino": "sortino_ratio",
        "calmar": "calmar_ratio",
        "deflated_sharpe": DEFLATED,
        "sqn": "system_quality_number",
        "ulcer": "ulcer_index",
        "martin": "martin_ratio",
        "omega": "omega_ratio",
        "cvar": "expected_shortfall",
        "drawdown_duration": "longest_drawdown",
        "return": "total_return",
    }
)
"""Names that people use, and the metric each means."""
_TEXTS: Final = ("max_drawdown_start", "max_drawdown_trough", "max_drawdown_recovery")


@dataclass(frozen=True, kw_only=True)
class Objective:
    """One thing to make as good as possible.

    Parameters
    ----------
    name : str
        A metric, or what the function's value is to be called.
    maximise : bool
        Whether more is better.
    function : callable, optional
        `(Result) -> float`, for what is no metric; NaN says that there is no answer.
    source : {"row", "returns", "profits", "deflated", "result"}
        What it is computed from, cheapest first; found from the name where made by `objective_of`.

    Examples
    --------
    >>> objective_of("max_drawdown").maximise, objective_of("drawdown_duration").maximise
    (True, False)
    """

    name: str
    maximise: bool = True
    function: Callable[[Result], float] | None = None
    source: Source = "result"

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        """The word that optuna has for it."""
        return "maximize" if self.maximise else "minimize"

    @property
    def label(self) -> str:
        """For people."""
        return METRICS[self.name].label if self.name in METRICS else self.name.replace("_", " ").capitalize()

    def text(self, value: float) -> str:
        """Write a value for people."""
        if not np.isfinite(value):
            return "\N{EN DASH}"
        return METRICS[self.name].text(float(value)) if self.name in METRICS else f"{value:,.4g}"

    def better(self, values: Floats) -> Floats:
        """Give values of which more is better, with no answer as the worst of all."""
        turned = values if self.maximise else -values
        return np.where(np.isfinite(turned), turned, -np.inf)


def objective_of(given: Any) -> Objective:
    """Make an objective of a metric's name, a function of a `Result`, or an `Objective`.

    Raises
    ------
    ConfigError
        There is no such metric, or neither way of it is better.
    """
    if isinstance(given, Objective):
        return given
    if callable(given):
        return Objective(name=getattr(given, "__name__", "objective").strip("<>"), function=given)
    name = SHORT_NAMES.get(given, given) if isinstance(given, str) else ""
    if name == DEFLATED:
        return Objective(name=name, source="deflated")
    if name not in METRICS or name in _TEXTS:
        near = difflib.get_close_matches(str(given), [*METRICS, *SHORT_NAMES, DEFLATED], n=1)
        hint = f"did you mean {near[0]!r}?" if near else "give a name of wb.metrics.METRICS, or a function of a Result"
        raise ConfigError(f"objective = {given!r} is no metric: {hint}", objective=given)
    if not METRICS[name].better:
        raise ConfigError(
            f"objective = {name!r}: neither more nor less of it is better; say which with "
            f"Objective(name={name!r}, maximise=..., function=lambda result: result.metrics[{name!r}])",
            objective=name,
        )
    return Objective(name=name, maximise=METRICS[name].better == "higher", source=source_of(name))


def objectives_of(given: Any) -> tuple[Objective, ...]:
    """Make one objective, or several of a list.

    Raises
    ------
    ConfigError
        There is none, one stands twice, or one is wrong.
    """
    several = list(given) if isinstance(given, (list, tuple)) else [given]
    found = tuple(objective_of(one) for one in several)
    names = [one.name for one in found]
    if not found or len(set(names)) < len(names):
        raise ConfigError(f"objective = {given!r}: give one, or a list in which none stands twice", objective=given)
    return found


def source_of(name: str) -> Source:
    """Say what a metric is computed from.

    Raises
    ------
    ConfigError
        There is no such number in a backtest.
    """
    if name in HEADLINE and name not in _TEXTS:
        return "row"
    needs = METRICS[name].needs if name in METRICS else "run"
    if needs not in ("returns", "profits"):
        raise ConfigError(
            f"{name!r} is not among what a combination is judged by; the numbers of Result.metrics, of returns and of "
            "trades are, or a function of the Result",
            name=name,
        )
    return "returns" if needs == "returns" else "profits"


def of_returns(name: str, returns: Floats, periods_per_year: float, years: float | None = None) -> Floats:
    """Compute a metric of returns of many series.

    Parameters
    ----------
    name : str
        A metric that needs returns only.
    returns : float64 array, shape (k, n)
        Simple returns per bar, one row a series.
    periods_per_year : float
    years : float, optional
        Elapsed time; what the number of bars says where left out.

    Returns
    -------
    float64 array, shape (k,)
    """
    function: Any = METRICS[name].function
    known = inspect.signature(function).parameters
    told: dict[str, Any] = {"periods_per_year": periods_per_year} if "periods_per_year" in known else {}
    if "years" in known:
        told["years"] = returns.shape[1] / periods_per_year if years is None else years
    return np.asarray(function(np.ascontiguousarray(returns.T), **told), dtype=np.float64)
