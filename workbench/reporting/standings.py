"""The backtests of a batch, compared: who stands where, how much of that is luck, who fell furthest.

Pure functions of the recorded runs, for the index page. A run takes part when it succeeded and recorded a total return;
everything else is listed elsewhere, never dropped in silence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import NormalDist, median, stdev
from typing import Any, Final

from workbench.errors import DataError
from workbench.market.bars import to_ms
from workbench.research.run import Run

__all__ = ["Fall", "Standing", "Standings", "backtests", "best_by_luck", "number", "standings", "worst_falls"]

_EULER: Final = 0.5772156649015329
_FEWEST_FOR_LUCK: Final = 5


@dataclass(frozen=True)
class Standing:
    """One backtest in the league table.

    Parameters
    ----------
    rank : int
        From 1, by Sharpe ratio; runs without one come last, by return.
    run : Run
    against_holding : float, optional
        Final wealth over that of buying and holding, less one (fraction); None where holding was not recorded.
    """

    rank: int
    run: Run
    against_holding: float | None

    def value(self, name: str) -> float | None:
        """Give a metric of the run as a number; None when there is no answer."""
        return number(self.run, name)


@dataclass(frozen=True)
class Standings:
    """The league table and what it says as a whole.

    Parameters
    ----------
    rows : tuple of Standing
        Best first.
    made_money, beat_holding : int
        How many ended with a profit; with more than buying and holding.
    compared : int
        How many could be compared with holding.
    median_sharpe : float, optional
    luck : float, optional
        See `best_by_luck`.
    """

    rows: tuple[Standing, ...]
    made_money: int
    beat_holding: int
    compared: int
    median_sharpe: float | None
    luck: float | None


@dataclass(frozen=True)
class Fall:
    """The deepest drawdown of one run: depth as a negative fraction, times in UTC, days from its start to recovery.

    Where it has not recovered, `recovered` is None and the days reach to the end of the data.
    """

    run: Run
    depth: float
    start: datetime | None
    trough: datetime | None
    recovered: datetime | None
    days: float | None


def number(run: Run, name: str) -> float | None:
    """Give a recorded metric as a finite number; None where it is none."""
    value: Any = run.metrics.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def backtests(runs: Sequence[Run]) -> list[Run]:
    """Choose the runs that can be compared: they succeeded and recorded a total return."""
    return [run for run in runs if run.succeeded and number(run, "total_return") is not None]


def standings(runs: Sequence[Run]) -> Standings:
    """Rank runs by Sharpe ratio and count what they did.

    Parameters
    ----------
    runs : sequence of Run
        Those that are no backtest, or did not succeed, are passed over.
    """
    chosen = sorted(backtests(runs), key=_merit, reverse=True)
    rows = tuple(Standing(rank, run, _against_holding(run)) for rank, run in enumerate(chosen, 1))
    sharpes = [value for row in rows if (value := row.value("sharpe_ratio")) is not None]
    compared = [row.against_holding for row in rows if row.against_holding is not None]
    return Standings(
        rows=rows,
        made_money=sum((row.value("total_return") or 0.0) > 0 for row in rows),
        beat_holding=sum(value > 0 for value in compared),
        compared=len(compared),
        median_sharpe=median(sharpes) if sharpes else None,
        luck=best_by_luck(sharpes),
    )


def _merit(run: Run) -> tuple[float, float]:
    sharpe = number(run, "sharpe_ratio")
    return -math.inf if sharpe is None else sharpe, number(run, "total_return") or 0.0


def _against_holding(run: Run) -> float | None:
    mine, theirs = number(run, "total_return"), number(run, "benchmark_return")
    if mine is None or theirs is None or theirs <= -1.0:
        return None
    return (1.0 + mine) / (1.0 + theirs) - 1.0


def best_by_luck(sharpes: Sequence[float]) -> float | None:
    """Estimate the highest Sharpe ratio that so many runs would show if none had any skill.

    Parameters
    ----------
    sharpes : sequence of float
        Of all runs that were tried.

    Returns
    -------
    float or None
        The expected maximum of as many independent draws from a normal law around zero with the spread of these; None
        for fewer than five.

    Notes
    -----
    Bailey and López de Prado (2014), The Deflated Sharpe Ratio, Journal of Portfolio Management 40(5), equation 1.
    Runs on the same market are not independent, so the true figure is somewhat lower.

    Examples
    --------
    >>> round(best_by_luck([-1.0, -0.5, 0.0, 0.5, 1.0]), 2)
    0.94
    """
    n = len(sharpes)
    if n < _FEWEST_FOR_LUCK:
        return None
    normal = NormalDist()
    return stdev(sharpes) * ((1 - _EULER) * normal.inv_cdf(1 - 1 / n) + _EULER * normal.inv_cdf(1 - 1 / (n * math.e)))


def worst_falls(runs: Sequence[Run], count: int = 10) -> list[Fall]:
    """List the deepest drawdowns among the backtests, deepest first, one a run."""
    falls = [_fall(run) for run in backtests(runs)]
    return sorted((fall for fall in falls if fall.depth < 0), key=lambda fall: fall.depth)[:count]


def _fall(run: Run) -> Fall:
    start, trough, recovered = (_moment(run, f"max_drawdown_{what}") for what in ("start", "trough", "recovery"))
    until = recovered or run.end
    days = None if start is None or until is None else (until - start).total_seconds() / 86_400
    return Fall(run, number(run, "max_drawdown") or 0.0, start, trough, recovered, days)


def _moment(run: Run, name: str) -> datetime | None:
    text = run.metrics.get(name)
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromtimestamp(to_ms(text) / 1_000, UTC)
    except (DataError, OverflowError, OSError):
        return None
