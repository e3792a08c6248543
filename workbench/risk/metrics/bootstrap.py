"""How sure a number is: intervals by resampling the returns in blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.risk.metrics.curves import Curves, Floats, read
from workbench.risk.metrics.define import by_period
from workbench.risk.metrics.metric import Metric
from workbench.risk.metrics.registry import asked

__all__ = [
    "Interval",
    "Resampling",
    "bootstrap_interval",
    "drawn_of",
    "interval_of",
    "series_of",
    "stationary_bootstrap",
]

_CELLS: Final = 4_000_000  # returns that are resampled at once


class Interval(NamedTuple):
    """A number with its interval: `value` of what happened, `low` and `high` of the resampled, at `level`."""

    value: float
    low: float
    high: float
    level: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Resampling:
    """How intervals are drawn.

    Parameters
    ----------
    level : float, default 0.95
        Share of the resampled numbers that lie inside.
    draws : int, default 500
        How many histories are made.
    block : float, optional
        Mean length of the runs that stay together; the cube root of n for returns when left out, 1 for trades.
    seed : int, default 0
        The same seed gives the same interval.

    Raises
    ------
    DataError
        An argument is out of range.
    """

    level: float = 0.95
    draws: int = 500
    block: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no interval."""
        if not 0.0 < self.level < 1.0:
            raise DataError(f"level is {self.level!r}; give a fraction between 0 and 1, such as 0.95")
        if not (isinstance(self.draws, int) and self.draws >= 1):
            raise DataError(f"draws is {self.draws!r}; give a whole number, such as 500")
        if self.block is not None and not self.block >= 1.0:
            raise DataError(f"block is {self.block!r}; give the mean length of a run, 1 or more")

    def run_length(self, bars: int, trades: bool) -> float:
        """Give the mean length of a run for so many bars."""
        if self.block is not None:
            return self.block
        return 1.0 if trades else max(1.0, float(np.cbrt(bars)))

    def ends(self, numbers: Floats) -> tuple[float, float]:
        """Give the percentiles of resampled numbers; NaN where fewer than half have an answer."""
        found = numbers[np.isfinite(numbers)]
        if len(found) < self.draws / 2:
            return math.nan, math.nan
        low, high = np.quantile(found, [(1.0 - self.level) / 2.0, (1.0 + self.level) / 2.0])
        return float(low), float(high)


def stationary_bootstrap(bars: int, draws: int, block: float, seed: int) -> NDArray[np.intp]:
    """Give positions of resampled series: runs of neighbours whose lengths are geometric, wrapped at the end.

    Parameters
    ----------
    bars, draws : int
        Length of the series, and how many to make.
    block : float
        Mean length of a run, 1 or more.
    seed : int

    Returns
    -------
    int array, shape (draws, bars)

    Notes
    -----
    Politis and Romano (1994), The Stationary Bootstrap.
    """
    if not (bars >= 1 and draws >= 1 and block >= 1.0):
        raise DataError(f"bars={bars!r}, draws={draws!r}, block={block!r}: each must be at least 1")
    return _positions(bars, draws, block, np.random.default_rng(seed))


def _positions(bars: int, draws: int, block: float, random: np.random.Generator) -> NDArray[np.intp]:
    """Draw where each run begins and how long it is: the gaps between beginnings, not a coin for every bar."""
    cells = draws * bars
    expected = cells / block
    gaps = [random.geometric(1.0 / block, int(expected + 6.0 * math.sqrt(expected)) + 16)]
    while sum(int(part.sum()) for part in gaps) < cells:
        gaps.append(random.geometric(1.0 / block, 1_000))
    chance = np.cumsum(np.concatenate(gaps)) - 1
    begins = np.unique(np.concatenate((chance[chance < cells], np.arange(0, cells, bars))))
    lengths = np.diff(np.append(begins, cells))
    starts = random.integers(0, bars, len(begins))
    places = np.arange(cells) + np.repeat(starts - begins, lengths)
    return np.asarray((places % bars).reshape(draws, bars))


def drawn_of(curves: Curves, how: Resampling, *, trades: bool = False) -> Iterator[tuple[Curves, ...]]:
    """Resample series together, the same bars of each, some draws at a time.

    Parameters
    ----------
    curves : Curves
        One series a row: returns, and perhaps the benchmark's.
    how : Resampling
    trades : bool
        They are profits of trades, not returns of bars.

    Yields
    ------
    tuple of Curves
        One block of draws for each series. A short history is drawn at once, with the positions of
        `stationary_bootstrap`.
    """
    bars = curves.bars
    if not bars or not curves.known.all():
        return
    random, length = np.random.default_rng(how.seed), how.run_length(bars, trades)
    at_once = max(1, _CELLS // bars)
    for start in range(0, how.draws, at_once):
        places = _positions(bars, min(at_once, how.draws - start), length, random)
        yield tuple(Curves(row[places]) for row in curves.returns)


def series_of(metric: Metric, values: Any, benchmark: Any = None) -> Curves:
    """Give what a metric is computed from as rows: the returns (or those of its periods), and the benchmark's.

    Raises
    ------
    DataError
        There is more than one series, or the benchmark is of other bars.
    """
    curves, _ = by_period(values, metric.function.period) if metric.needs == "dated" else read(values, "values")  # type: ignore[union-attr]
    if len(curves) != 1:
        raise DataError(f"an interval is of one series, these are {len(curves)}; give one column at a time")
    if metric.needs != "benchmark":
        return curves
    if benchmark is None:
        raise DataError(f"{metric.label} is measured against a benchmark; give its returns on the same bars")
    other, _ = read(benchmark, "benchmark")
    if other.returns.shape != curves.returns.shape:
        raise DataError(
            f"the benchmark has {len(other)} series of {other.bars} bars, the returns 1 of {curves.bars}; give the "
            "benchmark's return on the same bars"
        )
    rows = [np.where(one.known[:, None], one.returns, math.nan) for one in (curves, other)]
    return Curves(np.vstack(rows))


def interval_of(metric: Metric, series: Curves, how: Resampling, *args: Any, **options: Any) -> tuple[float, float]:
    """Give the ends of the interval of one metric of what `series_of` gave."""
    function: Any = metric.function
    blocks = drawn_of(series, how, trades=metric.needs == "profits")
    numbers = [np.asarray(function(*drawn, *args, **options), dtype=np.float64) for drawn in blocks]
    return how.ends(np.concatenate(numbers)) if numbers else (math.nan, math.nan)


def bootstrap_interval(
    metric: Callable[..., Any] | str,
    values: Any,
    *args: Any,
    level: float = 0.95,
    draws: int = 1_000,
    block: float | None = None,
    seed: int = 0,
    **options: Any,
) -> Interval:
    """Give an interval for any metric of one series.

    Parameters
    ----------
    metric : callable or str
        A metric of returns, against a benchmark, of returns with times, or of profits, such as `sharpe_ratio`; or its
        name.
    values : array_like, shape (n,)
    *args, **options
        For the metric, such as the benchmark and the periods per year.
    level, draws, block, seed
        As in `Resampling`.

    Returns
    -------
    Interval
        Percentiles of the resampled metric; NaN where fewer than half of the draws have an answer. A benchmark is
        resampled with the returns; what is of days, months or years by those.

    Raises
    ------
    DataError
        There is more than one series, or an argument is out of range.

    Notes
    -----
    Politis and Romano (1994), stationary bootstrap; percentile interval of Efron (1979).
    """
    how, told = Resampling(level=level, draws=draws, block=block, seed=seed), asked(metric)
    function: Any = told.function
    if told.needs == "benchmark" and "benchmark" not in options and args:
        options, args = {"benchmark": args[0], **options}, args[1:]
    series = series_of(told, values, options.get("benchmark"))
    value = function(values, *args, **options) if told.needs != "benchmark" else function(
        values, options.pop("benchmark", None), *args, **options
    )  # fmt: skip
    return Interval(float(np.ravel(value)[0]), *interval_of(told, series, how, *args, **options), level)
