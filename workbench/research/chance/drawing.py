"""`monte_carlo`: draw the history of a result again, in one of five ways."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.curves import rows_at
from workbench.backtest.result import Result
from workbench.errors import ConfigError, DataError
from workbench.research.chance.candles import NUMBERS, again_of, rerun
from workbench.research.chance.pieces import in_pieces
from workbench.research.chance.resampling import block_length, draw, states_of, walk
from workbench.research.chance.simulated import MonteCarlo
from workbench.research.spreading import Place
from workbench.risk import metrics

__all__ = ["Method", "monte_carlo", "require_enough", "trade_returns"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Method = Literal["shuffle_trades", "bootstrap_trades", "bootstrap_returns", "resampled_candles", "noised_candles"]

_POINTS: Final = 256
_MOST_KEPT: Final = 8_000_000  # points of all runs together: 64 MB
_MOST_RUNS: Final = 100_000
_BAR_STEPS: Final = 20_000_000  # returns walked through in one piece of work: a third of a second


class _Series(NamedTuple):
    """Returns to draw from: `shown` are those after which the equity is kept, at `times`; `periods` of them a year."""

    returns: Floats
    shown: Whole
    times: NDArray[np.datetime64]
    periods: float
    years: float
    trades: bool


class _Draws(NamedTuple):
    """How runs are drawn from a series."""

    series: _Series
    states: NDArray[np.uint64]
    year_states: NDArray[np.uint64]
    block: float
    without: bool


def monte_carlo(
    result: Result,
    method: Method = "bootstrap_returns",
    *,
    runs: int = 1_000,
    seed: int = 0,
    block: float | None = None,
    noise: float = 0.1,
    executor: Place = None,
) -> MonteCarlo:
    """Draw the history of a backtest again, many times, and say where the real one stands.

    Parameters
    ----------
    result : Result
        Of one instrument or of many.
    method : str
        - "bootstrap_returns": blocks of the returns per bar, put together anew (stationary bootstrap).
        - "shuffle_trades": the closed trades in another order; total return stays as it is, the way there does not.
        - "bootstrap_trades": as many trades, drawn with putting back.
        - "resampled_candles": the strategy run again on candles put together from blocks of the real ones.
        - "noised_candles": the strategy run again on the real candles, every price moved a little.
    runs : int, default 1000
        At most 100,000.
    seed : int, default 0
        The same seed gives the same runs, whatever the number of threads.
    block : float, optional
        Mean length of blocks, bars; what suits the returns when left out (`resampling.block_length`).
    noise : float, default 0.1
        Of noised candles: standard deviation of the noise, a fraction of the average true range.
    executor : optional
        Who runs strategies on candles, as in `research.spreading.spread`; threads when left out.

    Returns
    -------
    MonteCarlo

    Raises
    ------
    ConfigError
        An option is out of range, or the strategy cannot be run on other candles.
    DataError
        There are too few trades or bars to draw from, or the account was lost.

    Notes
    -----
    Trades are drawn as what each made of the equity that earlier exits had left, which holds for several instruments
    too; drawdowns are then those between trades. On candles the whole backtest is run again with its costs, leverage
    and rules, without finer bars inside the candle; several instruments must have bars of the same times and keep
    moving together.
    """
    _check(result, method, runs, noise)
    states, year_states = states_of(seed, runs), states_of(seed, runs, 1)
    if method.endswith("candles"):
        return _on_candles(result, method, (states, seed, block, noise), executor)
    series = trade_returns(result, runs) if method.endswith("trades") else _bar_returns(result, runs)
    length = 1.0 if series.trades else block_length(series.returns, block)
    draws = _Draws(series, states, year_states, length, method == "shuffle_trades")
    steps = max(len(series.returns), _year(series))
    found = in_pieces(_drawn, draws, runs, most=max(1, _BAR_STEPS // steps))
    real, path = walk(series.returns, series.shown)
    told = _numbers(real, series, result.cash)
    return _put_together(
        result,
        method=method,
        seed=seed,
        times=series.times,
        real_path=path * result.cash,
        real={name: float(values[0]) for name, values in told.items()},
        simulated=_numbers(found, series, result.cash),
        found=found,
        notes=_notes(method, series, length),
    )


def _check(result: Any, method: Any, runs: Any, noise: Any) -> None:
    if not isinstance(result, Result):
        raise ConfigError(f"monte_carlo takes a Result, not a {type(result).__name__}: give it what wb.backtest found")
    if method not in get_args(Method):
        raise ConfigError(f"method = {method!r} is not one of {', '.join(map(repr, get_args(Method)))}", method=method)
    if isinstance(runs, bool) or not isinstance(runs, (int, np.integer)) or not 1 <= runs <= _MOST_RUNS:
        raise ConfigError(f"runs = {runs!r}: give a whole number from 1 to {_MOST_RUNS:,}", runs=runs)
    if isinstance(noise, bool) or not isinstance(noise, (int, float, np.number)) or not 0.0 < noise <= 5.0:
        raise ConfigError(f"noise = {noise!r}: give a fraction of the average true range, above 0 and at most 5")


def require_enough(count: int, what: str, least: int, hint: str) -> None:
    """Refuse to draw from too few."""
    if count < least:
        raise DataError(f"there are {count} {what}, too few to draw from (at least {least}): {hint}", count=count)


def _shown(count: int, runs: int) -> Whole:
    """Choose the points of each equity that are kept: fewer where there are many runs, so that memory has an end."""
    points = min(count, _POINTS, max(_MOST_KEPT // runs, 2))
    return np.unique(np.linspace(0, count - 1, points).round().astype(np.int64))


def _bar_returns(result: Result, runs: int) -> _Series:
    equity = result.equity_values
    require_enough(len(equity), "bars", 10, "give a longer history")
    if not equity.min() > 0.0:
        raise DataError(f"the account of {result.name} was lost: there are no returns to draw from after that")
    shown = _shown(len(equity), runs)
    return _Series(
        returns=metrics.returns_of(equity, result.cash),
        shown=shown,
        times=result.records.ts[shown].astype("datetime64[ms]"),
        periods=result.periods_per_year,
        years=result.years,
        trades=False,
    )


def trade_returns(result: Result, runs: int = 1) -> _Series:
    """Give what each closed trade made of the equity that earlier exits had left, in the order of exits.

    Raises
    ------
    DataError
        There are fewer than two, or the account was lost.
    """
    closed = result.closed
    left = result.trip("exit_ts")[closed]
    require_enough(len(left), "closed trades", 2, "give a longer history, or method='bootstrap_returns'")
    order = np.argsort(left, kind="stable")
    profits = result.profits[closed][order]
    after = result.cash + np.cumsum(profits)
    if not after.min() > 0.0:
        raise DataError(f"the account of {result.name} was lost: there are no trades to draw from after that")
    shown = _shown(len(profits), runs)
    times = result.records.ts[rows_at(result.records.ts, left[order][shown])]
    return _Series(
        returns=profits / (after - profits),
        shown=shown,
        times=times.astype("datetime64[ms]"),
        periods=len(profits) / result.years,
        years=result.years,
        trades=True,
    )


def _year(series: _Series) -> int:
    return max(1, round(series.periods))


def _drawn(draws: _Draws, start: int, stop: int) -> dict[str, Floats]:
    series, mine, nothing = draws.series, slice(start, stop), np.empty(0, dtype=np.int64)
    facts, paths = draw(
        series.returns, draws.states[mine], len(series.returns), block=draws.block, without=draws.without,
        shown=series.shown,
    )  # fmt: skip
    year, _ = draw(series.returns, draws.year_states[mine], _year(series), block=draws.block, shown=nothing)
    return {**facts, "path": paths, "year_deepest": year["deepest"], "year_wealth": year["wealth"]}


def _numbers(facts: Mapping[str, Floats], series: _Series, cash: float) -> dict[str, Floats]:
    """Give the metrics that returns tell by themselves, by the formulas of `wb.metrics`; NaN for no answer."""
    count, root = len(series.returns), math.sqrt(series.periods)
    wealth, deepest = facts["wealth"], facts["deepest"]
    with np.errstate(all="ignore"):
        spread = np.sqrt(facts["squares"] / (count - 1))
        growth = np.where(wealth > 0.0, np.expm1(np.log(np.maximum(wealth, 1e-300)) / series.years), -1.0)
        told = {
            "total_return": wealth - 1.0,
            "annualised_return": growth,
            "annualised_volatility": spread * root,
            "sharpe_ratio": facts["mean"] / spread * root,
            "sortino_ratio": facts["mean"] / np.sqrt(facts["short"] / count) * root,
            "calmar_ratio": growth / -deepest,
            "max_drawdown": deepest,
        }
        if series.trades:
            told["win_rate"] = facts["wins"] / count
            told["profit_factor"] = facts["won"] / facts["lost"]
            told["expectancy"] = (wealth - 1.0) * cash / count
            told["longest_losing_streak"] = facts["streak"]
    return {name: np.where(np.isfinite(values), values, math.nan) for name, values in told.items()}


def _on_candles(
    result: Result, method: Method, how: tuple[NDArray[np.uint64], int, float | None, float], executor: Place
) -> MonteCarlo:
    states, seed, block, noise = how
    require_enough(len(result.bars), "bars", 10, "give a longer history")
    shown = _shown(len(result.equity_values), len(states))
    # The blocks are to keep what the candles remember, not what the strategy made of them.
    resampled = method == "resampled_candles"
    moves = np.diff(np.log(result.bars.close))
    length = block_length(moves, block)
    again = again_of(
        result, change="resampled" if resampled else "noised", states=states, block=length, noise=noise, shown=shown,
        year=max(1, round(result.periods_per_year)),
    )  # fmt: skip
    found = in_pieces(rerun, again, len(states), most=32, executor=executor)
    kept = f"blocks of {length:.1f} candles on average" if resampled else f"noise of {noise:g} average true ranges"
    notes: tuple[str, ...] = (
        f"the strategy was run again on each set of candles: {kept}; costs, leverage and rules as they were",
    )
    if not resampled:
        notes += ("what noise adds to a bar the next one takes back: who follows moves does worse for it",)
    if result.detail:
        notes += ("the real result used finer bars inside its candles, the runs do not",)
    return _put_together(
        result,
        method=method,
        seed=seed,
        times=result.records.ts[shown].astype("datetime64[ms]"),
        real_path=result.equity_values[shown],
        real={name: float(result.metrics[name]) for name in NUMBERS},  # type: ignore[arg-type]
        simulated={name: found[name] for name in NUMBERS},
        found=found,
        notes=notes,
    )


def _put_together(result: Result, *, found: Mapping[str, Floats], **told: Any) -> MonteCarlo:
    return MonteCarlo(
        name=result.name,
        market=result.market,
        currency=result.currency,
        cash=result.cash,
        paths=found["path"] * result.cash,
        lowest=found["lowest"] * result.cash,
        year_drawdown=found["year_deepest"],
        year_return=found["year_wealth"] - 1.0,
        **told,
    )


def _notes(method: Method, series: _Series, block: float) -> tuple[str, ...]:
    if not series.trades:
        return (f"blocks of {block:.1f} bars on average, of {len(series.returns):,}",)
    notes = [f"{len(series.returns):,} closed trades; drawdowns and ratios are those of the equity between trades"]
    if method == "shuffle_trades":
        notes.append("the order of trades does not change the total return, only the way there")
        notes.append("the next year is drawn with putting back")
    if len(series.returns) < 30:
        notes.append("fewer than 30 trades say little")
    return tuple(notes)
