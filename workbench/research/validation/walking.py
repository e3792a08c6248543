"""`walk_forward`: choose parameters on the past, trade them on what follows, move on, and join what was traded.

Nothing of a window knows what comes after it: changing later bars changes no earlier number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError, DataError
from workbench.market.bars import Bars
from workbench.research.noting import note_returns, study_here
from workbench.research.optimising.objectives import objectives_of
from workbench.research.optimising.options import split_options, with_options
from workbench.research.optimising.searching import Search
from workbench.research.sweeping.evaluator import Evaluator
from workbench.research.validation.choosing import Choice, Chooser, Choosing
from workbench.research.validation.splits import AnchoredSplit, RollingSplit
from workbench.research.validation.walk import WalkForward, Window
from workbench.research.validation.windowed import Windowed
from workbench.strategy.strategy import SignalStrategy

__all__ = ["Walk", "walk_forward"]

Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Walk:
    """How the windows lie.

    Parameters
    ----------
    anchored : bool, default False
        Whether every training begins at the first bar.
    gap : int (bars) or str, default 0
        Left out between training and test.
    partial : bool, default True
        Whether a last window that is shorter is traded.
    """

    anchored: bool = False
    gap: int | str = 0
    partial: bool = True


def walk_forward(
    strategy: SignalStrategy | type[SignalStrategy],
    bars: Bars | Iterable[Bars],
    *,
    train: int | str = "365d",
    test: int | str = "90d",
    objective: Any = "sharpe_ratio",
    **options: Any,
) -> WalkForward:
    """Re-optimise a strategy as time goes on, and trade each choice on the bars that follow.

    Parameters
    ----------
    strategy : SignalStrategy, or a class of them
    bars : Bars or list of Bars
    train, test : int (bars) or str
        Lengths of a training and of a test, such as "365d" and "90d"; both of one kind.
    objective : str, callable or Objective
        What the training chooses by; as for `optimise`.
    **options
        Of the windows: `anchored`, `gap`, `partial` (`Walk`). Of the choice: `grid`, `where`, `trials` (`Choosing`), or
        `space`, `sampler`, `constraints`, `seed`, `patience` (`Search`). The rest as `wb.backtest` takes them.

    Returns
    -------
    WalkForward

    Raises
    ------
    ConfigError
        A length or option is wrong, or nothing is left to test.

    Notes
    -----
    Indicators know all bars before a test, but nothing is traded there: the first decision is made at the close of the
    test's first bar, and what is held is sold at the open of its last bar (at its close with `fill="close"`), both at
    the usual costs. Inside `with wb.study(...)` the whole counts as one trial. The next window begins with the money
    that the one before left. A training without any answer trades nothing in its test. Efficiency: R. Pardo, The
    Evaluation and Optimization of Trading Strategies (2008).
    """
    walking, choosing, searching, backtesting = split_options(options, Walk, Choosing, Search)
    walk, search = with_options(None, Walk, walking), with_options(None, Search, searching)
    evaluator = Evaluator(strategy, bars, **backtesting)
    objectives = objectives_of(objective)
    if len(objectives) > 1:
        raise ConfigError("a walk-forward chooses by one objective; put several into one function of a Result")
    chooser = Chooser(evaluator, objectives[0], with_options(None, Choosing, choosing), search)
    kind = AnchoredSplit if walk.anchored else RollingSplit
    splitter = kind(train=train, test=test, gap=walk.gap, partial=walk.partial)
    series = evaluator.bars if isinstance(evaluator.bars, list) else [evaluator.bars]
    ts = times_of(series)
    windows: list[Window] = []
    cash = float(evaluator.options.get("cash", 10_000.0))
    for rows, tests in splitter.split(len(ts), ts=ts):
        choice = chooser.choose(_between(series, ts, rows))
        window = _traded(evaluator, series, (ts, rows, tests), choice, cash)
        windows.append(window)
        cash = window.end_cash
        if cash <= 0.0:
            break
    if not windows:
        raise ConfigError(f"train = {train!r}, test = {test!r} leaves no window on {len(ts):,} bars: shorten them")
    found = WalkForward(
        evaluator=evaluator, objective=objectives[0], windows=tuple(windows), splitter=splitter, ranges=chooser.ranges
    )
    if (study := study_here(None)) is not None:
        how = (objectives[0], kind.__name__, train, test, walk, chooser.points, chooser.choosing.trials, search)
        note_returns(study, "walk_forward", evaluator, how, found.returns)
    return found


def times_of(series: Sequence[Bars]) -> Rows:
    """Give the open times of several series, each once, in order."""
    if not series or not all(len(one) for one in series):
        raise DataError("there are no bars: ask for a range that has some")
    return series[0].ts if len(series) == 1 else np.unique(np.concatenate([one.ts for one in series]))


def _between(series: Sequence[Bars], ts: Rows, rows: Rows) -> Any:
    """Give the bars of a run of rows, without series that have none there."""
    found = [one.between(int(ts[rows[0]]), int(ts[rows[-1]]) + 1) for one in series]
    kept = [one for one in found if len(one)]
    return kept[0] if len(kept) == 1 else kept


def _traded(
    evaluator: Evaluator, series: Sequence[Bars], where: tuple[Rows, Rows, Rows], choice: Choice | None, cash: float
) -> Window:
    """Trade a choice on the rows of a test."""
    ts, rows, tests = where
    start, end = int(ts[tests[0]]), int(ts[tests[-1]]) + 1
    traded = _between(series, ts, tests)
    several = traded if isinstance(traded, list) else [traded]
    span = {"train": (int(ts[rows[0]]), int(ts[rows[-1]])), "test": (start, end - 1)}
    if choice is None:
        return Window(**span, ts=ts[tests], equity=np.full(len(tests), cash), cash=cash, choice=None, result=None)
    history = {one.symbol: one.between(None, end) for one in series}
    at_close = evaluator.options.get("fill") == "close"
    inner = Windowed(evaluator.strategy, history, at_close=at_close)
    options = {**evaluator.options, "cash": cash}
    on_test = Evaluator(inner, several[0] if len(several) == 1 else several, **options)
    result = on_test.result(choice.parameters)
    equity = np.where(np.isfinite(result.equity_values), result.equity_values, math.nan)
    return Window(**span, ts=result.records.ts, equity=equity, cash=cash, choice=choice, result=result)
