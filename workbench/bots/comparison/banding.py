"""`Band`: where the equity of a backtest might have gone, by Monte Carlo, and whether the bot's has left it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError

if TYPE_CHECKING:
    from workbench.bots.comparison.report import ParityReport

__all__ = ["Band", "band_of", "simultaneous"]

Floats = NDArray[np.float64]
LEVEL: Final = 0.95
RUNS: Final = 1_000
_NEARLY: Final = 1e-6  # of the cash: an equity that is so near to the band has not left it


@dataclass(frozen=True, eq=False, kw_only=True)
class Band:
    """The equities of a bot and of its backtest among what might have come of the backtest.

    Attributes
    ----------
    times : datetime64[ms] array, shape (n,)
        Closes of bars, UTC.
    low, high : float64 array, shape (n,)
        Between which the whole path of a run stays with a chance of `level`.
    promised, lived : float64 array, shape (n,)
        Equity of the backtest and of the bot.
    level : float
    runs : int
    note : str
        How the runs were drawn.

    Notes
    -----
    Runs are those of `monte_carlo(method="bootstrap_returns")`: blocks of the backtest's returns, put together anew.
    The band is simultaneous: mean and standard deviation of log equity at each time, and as many of these as the
    largest distance of a path is in a share `level` of the runs (a sup-t band, as in Montiel Olea and
    Plagborg-Moller, 2019).
    """

    times: NDArray[np.datetime64]
    low: Floats
    high: Floats
    promised: Floats
    lived: Floats
    level: float
    runs: int
    note: str

    @property
    def left(self) -> int | None:
        """The place of the first time at which the bot is outside and its backtest is not; None where there is none.

        Where the backtest has left the band on the same side, it was the market and not the bot.
        """
        near = _NEARLY * abs(float(self.promised[0]))
        under = (self.lived < self.low - near) & (self.promised >= self.low - near)
        over = (self.lived > self.high + near) & (self.promised <= self.high + near)
        outside = np.flatnonzero(under | over)
        return int(outside[0]) if len(outside) else None

    def alarm(self, currency: str) -> str:
        """Say when the bot left the band, and at what level; "" where it has not."""
        row = self.left
        if row is None:
            return ""
        below = self.lived[row] < self.low[row]
        edge, where = (self.low, "below") if below else (self.high, "above")
        date = np.datetime_as_string(self.times[row], unit="m").replace("T", " ")
        return (
            f"on {date} UTC the bot's equity of {self.lived[row]:,.2f} {currency} went {where} the "
            f"{self.level:.0%} band of the backtest's Monte Carlo runs ({edge[row]:,.2f}), while the backtest was at "
            f"{self.promised[row]:,.2f}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data for JSON."""
        columns = {name: getattr(self, name).tolist() for name in ("low", "high", "promised", "lived")}
        times = [f"{one}Z" for one in np.datetime_as_string(self.times, unit="s").tolist()]
        left = None if self.left is None else times[self.left]
        return {"level": self.level, "runs": self.runs, "note": self.note, "left": left, "times": times, **columns}


def band_of(report: ParityReport, level: float = LEVEL, runs: int = RUNS, seed: int = 0) -> Band | None:
    """Draw the backtest of a report again; None where there are too few bars, or it lost its account.

    Parameters
    ----------
    report : ParityReport
    level : float
        Chance of a whole path of the backtest to stay inside.
    runs, seed : int
    """
    from workbench.backtest.costs import Costs
    from workbench.bots.comparison.promising import equity_of
    from workbench.research.chance import monte_carlo

    plan = report.promise.plan
    result = report.promise.result({line.bars.symbol: Costs().of(line.bars.instrument) for line in plan.lines})
    if result is None:
        return None
    try:
        drawn = monte_carlo(result, "bootstrap_returns", runs=runs, seed=seed)
    except DataError:
        return None
    step = min(line.bars.timeframe.ms for line in plan.lines)
    ends = drawn.times.astype(np.int64) + step
    low, high = simultaneous(drawn.paths, level)
    return Band(
        times=ends.astype("datetime64[ms]"), low=low, high=high, promised=drawn.real_path,
        lived=equity_of(list(report.executed), plan, ends), level=level, runs=runs, note="; ".join(drawn.notes),
    )  # fmt: skip


def simultaneous(paths: Floats, level: float) -> tuple[Floats, Floats]:
    """Give the lower and upper edge between which whole paths stay with a chance, each of shape (n,).

    Parameters
    ----------
    paths : float64 array, shape (runs, n)
        Above zero.
    level : float
    """
    logs = np.log(np.maximum(paths, 1e-300))
    middle, spread = logs.mean(axis=0), logs.std(axis=0)
    wide = spread > 1e-15
    if not wide.any():
        return np.exp(middle), np.exp(middle)
    apart = np.abs(logs[:, wide] - middle[wide]) / spread[wide]
    times = float(np.quantile(apart.max(axis=1), level))
    return np.exp(middle - times * spread), np.exp(middle + times * spread)
