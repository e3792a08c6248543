"""The sizing of a run, what it measures on closed bars, and its sizes bar by bar where these rest on nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import frozen
from workbench.backtest.plan import Line
from workbench.errors import StrategyError
from workbench.market.bars import Bars
from workbench.risk.sizing import Sizing, Unit
from workbench.risk.sizing.blame import naming
from workbench.strategy.signals import Signals

__all__ = ["laid_out", "measured", "sizing_of_run"]


def sizing_of_run(strategy: Any, given: Sizing | None, said: Mapping[str, Signals]) -> Sizing | None:
    """Give how large entries are: the run's sizing, or else the strategy's own, which its signals must leave open."""
    if given is not None:
        return given
    own = getattr(strategy, "sizing", None)
    if own is None:
        return None
    if not isinstance(own, Sizing):
        raise StrategyError(
            f"{strategy!r}: its sizing is {own!r}; give one of wb.sizing, such as wb.sizing.FixedRisk(0.01), or None"
        )
    for symbol, signals in said.items():
        if signals.size_unit != "fraction" or len(signals.size) > 1 or signals.size[0] != 1.0:
            raise StrategyError(
                f"{strategy!r} says how large entries are twice: its signals of {symbol} have a size, and it has "
                f"sizing = {own!r}; leave one of them out"
            )
    return own


def measured(
    lines: tuple[Line, ...], sizing: Sizing | None, with_past: Callable[[Bars], Bars] | None
) -> tuple[Line, ...]:
    """Give the lines with what a sizing measures on their strategy bars, with all the past that the strategy knows."""
    if sizing is None:
        return lines
    seen = [line.bars if with_past is None else with_past(line.bars) for line in lines]
    with naming(sizing, "measures"):
        found = {symbol: np.asarray(values, dtype=np.float64) for symbol, values in sizing.measures(seen).items()}
    for bars in seen:
        values = found.get(bars.symbol)
        if values is not None and values.shape != (len(bars),):
            raise StrategyError(
                f"{sizing!r}: its measures of {bars.symbol} have shape {values.shape} for {len(bars)} bars; give one "
                "value a bar"
            )
    return tuple(
        replace(line, measure=frozen(found[line.bars.symbol][-len(line.bars) :].copy()))
        if line.bars.symbol in found
        else line
        for line in lines
    )


def laid_out(sizing: Sizing, line: Line, cash: float) -> tuple[Unit, NDArray[np.float64], float] | None:
    """Give unit, size as of each bar (or of all) and floor of a sizing; None where they do not rest on bars alone.

    Raises
    ------
    StrategyError
        It raised, or gave another number of sizes than there are bars.
    """
    with naming(sizing, "per_bar"):
        found = sizing.per_bar(line.measure, cash)
        if found is None:
            return None
        sizes = np.array(found[1], dtype=np.float64, ndmin=1)
    if sizes.shape not in ((1,), (len(line.bars),)):
        raise StrategyError(
            f"{sizing!r}: its sizes of {line.bars.symbol} have shape {sizes.shape} for {len(line.bars)} bars; give one "
            "value a bar, or one for all"
        )
    return found[0], frozen(sizes), found[2]
