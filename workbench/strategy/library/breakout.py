"""Breakout: follow the price out of a quiet range, with a stop that trails."""

from __future__ import annotations

import numpy as np

from workbench.indicators import atr, highest, lowest, previous, sma, standard_deviation
from workbench.market.bars import Bars
from workbench.strategy.parameters import param
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy

__all__ = ["Breakout"]


class Breakout(SignalStrategy):
    """Go with a close beyond the range of the bars before, when that range was narrow or the move is violent.

    **How it earns.** Volatility comes in clusters: quiet ranges end in fast moves, and the first close outside one is
    often the beginning. `mode` says what counts as outside: beyond the highest high and lowest low ("donchian"), or
    further from the last close than `multiple` average true ranges ("volatility").

    **When it loses.** False breaks: the price looks out of the range and falls back. With `squeeze` only ranges that
    were quiet beforehand are traded: fewer trades, fewer false ones.

    **What it assumes.** That the next open is near the close that broke out; on thin markets it is not, and the cost
    of entering is the strategy's largest.

    Notes
    -----
    Squeeze: the standard deviation of `length` closes before the bar is below its own mean over `squeeze_length` bars.
    """

    mode: str = param("donchian", choices=("donchian", "volatility"), doc="what counts as a breakout")
    length: int = param(48, low=3, high=500, doc="bars of the range")
    multiple: float = param(2.0, low=0.5, high=10.0, doc="volatility mode: move in average true ranges")
    squeeze: bool = param(True, doc="only out of ranges that were quiet")
    squeeze_length: int = param(200, low=20, high=1000, doc="bars that say what is quiet")
    trail: float = param(5.0, low=0.5, high=20.0, doc="distance of the trailing stop in average true ranges")
    max_bars: int | None = param(None, low=1, high=5000, doc="bars that a trade is held at most")
    short: bool = param(True, doc="trade breakdowns too")

    @property
    def warm_up(self) -> int:  # type: ignore[override]
        """Bars before the first value of the longest indicator."""
        return self.length + (self.squeeze_length if self.squeeze else 0) + 1

    def signals(self, bars: Bars) -> Signals:
        """Say the breakouts of each bar; the range is that of the bars before it."""
        span = np.asarray(atr(bars.high, bars.low, bars.close, self.length))
        if self.mode == "donchian":
            ceiling = previous(highest(bars.high, self.length))
            floor = previous(lowest(bars.low, self.length))
        else:
            before, width = previous(bars.close), self.multiple * np.asarray(previous(span))
            ceiling, floor = before + width, before - width
        calm = self._calm(bars)
        up, down = (bars.close > ceiling) & calm, (bars.close < floor) & calm & self.short
        return Signals(
            entry=up,
            exit=bars.close < floor,
            short_entry=down,
            short_exit=bars.close > ceiling,
            trailing_stop=np.clip(self.trail * span / bars.close, 0.001, 0.9),
        )

    def _calm(self, bars: Bars) -> np.ndarray:
        if not self.squeeze:
            return np.ones(len(bars), dtype=bool)
        width = np.asarray(standard_deviation(bars.close, self.length)) / bars.close
        usual = sma(width, self.squeeze_length)
        return np.asarray(previous(width)) < np.asarray(previous(usual))
