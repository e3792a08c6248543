"""Other histories that might have been: candles in another order or noised, and a strategy asked again on them.

A candle is kept as four logarithms of its prices over the close before it. Whatever order they are put in, the candles
are whole: lows below, highs above, every price positive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.plan import Plan
from workbench.backtest.result import Result
from workbench.backtest.run import backtest, unobserved
from workbench.errors import ConfigError, WorkbenchError
from workbench.market.bars import Bars
from workbench.research.chance.resampling import draw, places_nb, states_of
from workbench.risk import metrics

__all__ = ["Again", "Change", "again_of", "changed_candles", "rerun"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Change = Literal["resampled", "permuted", "noised"]

NUMBERS: Final = tuple(name for name in metrics.HEADLINE if metrics.METRICS[name].unit != "time")
_ATR: Final = 14


@dataclass(frozen=True, eq=False, kw_only=True)
class Again:
    """A backtest that can be run again on candles of its own: what was asked, and how the candles are made.

    Attributes
    ----------
    strategy : strategy
    bars : tuple of Bars
        What happened, one series an instrument.
    options : mapping
        Of `backtest`.
    change : {"resampled", "permuted", "noised"}
    states : uint64 array, shape (runs,)
    block : float
        Mean length of resampled blocks, bars.
    noise : float
        Fraction of the average true range.
    shown : int64 array, shape (p,)
        Rows of the equity to keep.
    year : int
        Bars of a year, for the drawdown within one; 0 for none.
    """

    strategy: Any
    bars: tuple[Bars, ...]
    options: Mapping[str, Any]
    change: Change
    states: NDArray[np.uint64]
    block: float = 1.0
    noise: float = 0.0
    shown: Whole
    year: int = 0


def again_of(result: Result, **how: Any) -> Again:
    """Give the backtest of a result as one that can be run on other candles.

    Raises
    ------
    ConfigError
        It was run on ready-made signals, on ticks or several timeframes, was loaded without its strategy, or its
        instruments do not have the same bars.
    """
    plan, first = result.plan, result.bars
    reason = _fixed(plan)
    if not reason and any(not np.array_equal(first.ts, bars.ts) for bars in result.series):
        reason = "the bars of its instruments are not of the same times, so that what moved together cannot be kept"
    if reason:
        raise ConfigError(f"{result.name} cannot be run again on other candles: {reason}", reason=reason)
    options = {
        "cash": result.cash,
        "costs": {bars.symbol: costs for bars, costs in zip(result.series, result.charged, strict=True)},
        "fill": result.fill,
        "leverage": {line.bars.symbol: line.leverage for line in plan.lines},
        "rules": result.rules,
        "max_missing": 1.0,
    }
    return Again(strategy=result.strategy, bars=result.series, options=options, **how)


def _fixed(plan: Plan) -> str:
    """Say why a plan is bound to the prices it was made for; nothing where it is not."""
    from workbench.backtest.packing import LoadedStrategy
    from workbench.strategy.signals import Signals

    if isinstance(plan.strategy, (Signals, Mapping)):
        return "its signals are ready-made; give wb.backtest a strategy, which can be asked about other prices"
    if isinstance(plan.strategy, LoadedStrategy):
        return "it was loaded from a file, which holds no strategy: wb.Result.load(path, strategy=...)"
    if plan.ticks or plan.extra:
        return "it hears ticks or several timeframes, of which candles cannot be made anew"
    return ""


def changed_candles(bars: tuple[Bars, ...], again: Again, run: int) -> list[Bars]:
    """Make the candles of one run.

    Parameters
    ----------
    bars : tuple of Bars
        Of the same times.
    again : Again
        How they are changed.
    run : int
        Its number.

    Returns
    -------
    list of Bars
        On the same times and instruments. Resampled or permuted, the first candle stays, and all instruments take the
        same bars, so that they go on moving together; the volume of a bar goes with it.
    """
    if again.change == "noised":
        random = np.random.default_rng(int(again.states[run]))
        return [_noised(one, again.noise, random) for one in bars]
    rest = len(bars[0]) - 1
    order = 1 + places_nb(again.states[run], rest, rest, again.block, again.change == "permuted")
    return [_reordered(one, np.concatenate(([0], order))) for one in bars]


def _reordered(bars: Bars, order: Whole) -> Bars:
    last = np.concatenate((bars.open[:1], bars.close[:-1]))
    level = np.log(bars.open[0]) + np.concatenate(([0.0], np.cumsum(np.log(bars.close / last)[order])[:-1]))
    prices = {name: np.exp(level + np.log(getattr(bars, name) / last)[order]) for name in ("open", "high", "low")}
    close = np.exp(level + np.log(bars.close / last)[order])
    return _whole(bars, {**prices, "close": close}, bars.volume[order])


def _noised(bars: Bars, noise: float, random: np.random.Generator) -> Bars:
    """Move every price by a normal draw of a fraction of the average true range (Wilder's mean in logarithms)."""
    logs = {name: np.log(getattr(bars, name)) for name in ("open", "high", "low", "close")}
    last = np.concatenate((logs["open"][:1], logs["close"][:-1]))
    true_range = np.maximum(logs["high"], last) - np.minimum(logs["low"], last)
    count = np.minimum(np.arange(1, len(bars) + 1), _ATR)
    summed = np.cumsum(true_range)
    summed[_ATR:] -= summed[:-_ATR].copy()
    scale = noise * summed / count
    moved = {name: np.exp(values + scale * random.standard_normal(len(bars))) for name, values in logs.items()}
    return _whole(bars, moved, bars.volume)


def _whole(bars: Bars, prices: Mapping[str, Floats], volume: Floats) -> Bars:
    """Make bars of prices, with highs and lows that hold open and close (noise and rounding may have crossed them)."""
    high = np.maximum.reduce([prices[name] for name in ("open", "high", "low", "close")])
    low = np.minimum.reduce([prices[name] for name in ("open", "high", "low", "close")])
    return Bars(
        instrument=bars.instrument, timeframe=bars.timeframe, ts=bars.ts, open=prices["open"], high=high, low=low,
        close=prices["close"], volume=volume, provenance={"source": "made by chance", "of": bars.fingerprint},
    )  # fmt: skip


def rerun(again: Again, start: int, stop: int) -> dict[str, NDArray[Any]]:
    """Run the strategy on the candles of some runs.

    Returns
    -------
    dict of str to array, one row a run
        The headline metrics by name; `path` (equity over cash at `shown`), `lowest` equity over cash, and
        `year_deepest year_wealth` of a year drawn from the returns.
    """
    rows: dict[str, list[Any]] = {name: [] for name in (*NUMBERS, "path", "lowest", "year_deepest", "year_wealth")}
    for run in range(start, stop):
        try:
            made = changed_candles(again.bars, again, run)
            with unobserved():
                found = backtest(again.strategy, made if len(made) > 1 else made[0], **again.options)
        except WorkbenchError as error:
            error.add_note(f"on the {again.change} candles of run {run}")
            raise
        told = found.metrics
        for name in NUMBERS:
            rows[name].append(float(told[name]))  # type: ignore[arg-type]
        wealth = found.equity_values / found.cash
        rows["path"].append(wealth[again.shown])
        rows["lowest"].append(min(float(wealth.min()), 1.0))
        year = _year_of(found, again, run)
        rows["year_deepest"].append(year[0])
        rows["year_wealth"].append(year[1])
    return {name: np.array(values, dtype=np.float64) for name, values in rows.items()}


def _year_of(found: Result, again: Again, run: int) -> tuple[float, float]:
    """Draw a year from the returns of a run."""
    if not again.year:
        return np.nan, np.nan
    returns = metrics.returns_of(found.equity_values, found.cash)
    state, nothing = states_of(int(again.states[run]), 1, 1), np.empty(0, dtype=np.int64)
    facts, _ = draw(returns, state, again.year, block=min(again.block, len(returns)), shown=nothing)
    return float(facts["deepest"][0]), float(facts["wealth"][0])
