"""Breakout: follow prices out of the range that they have kept to, both ways, with a stop that trails."""

import numpy as np

import workbench as wb
from workbench.indicators import atr, highest, lowest, previous


class DonchianBreakout(wb.SignalStrategy):
    """Go with a close beyond the highest high (lowest low) of the bars before it; leave through the shorter channel.

    The rule of the Turtle traders. The stop trails at a few average true ranges, set when the trade is decided, so that
    quiet and wild markets risk about the same. Breakouts lose often; a few long runs have to pay for the rest.
    """

    entry_length: int = wb.param(55, low=5, high=300, doc="bars of the channel to break out of")
    exit_length: int = wb.param(20, low=2, high=150, doc="bars of the channel to leave through")
    atr_length: int = wb.param(20, low=2, high=100, doc="bars of the average true range")
    atr_stop: float = wb.param(3.0, low=0.5, high=10.0, doc="distance of the trailing stop in average true ranges")
    short: bool = wb.param(True, doc="trade breakdowns too")

    @property
    def warm_up(self) -> int:
        return max(self.entry_length, self.exit_length, self.atr_length) + 1

    def signals(self, bars: wb.Bars) -> wb.Signals:
        # the channel of the bars before this one: a bar cannot break out of a range that contains it
        ceiling, floor = previous(highest(bars.high, self.entry_length)), previous(lowest(bars.low, self.entry_length))
        exit_floor = previous(lowest(bars.low, self.exit_length))
        exit_ceiling = previous(highest(bars.high, self.exit_length))
        range_ = atr(bars.high, bars.low, bars.close, self.atr_length)
        return wb.Signals(
            entry=bars.close > ceiling,
            exit=bars.close < exit_floor,
            short_entry=(bars.close < floor) & self.short,
            short_exit=bars.close > exit_ceiling,
            trailing_stop=np.clip(self.atr_stop * range_ / bars.close, 0.001, 0.9),
        )
