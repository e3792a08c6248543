"""Dips in a rising market, on some hours and days, with exits that look at the position."""

import numpy as np

import workbench as wb
from workbench.indicators import previous, rsi, sma


class SessionDip(wb.SignalStrategy):
    """Buy a dip in a rising market on working days, within hours of the day; sell its recovery, a loss or the weekend.

    Its exits look at the profit of the position at each close, so it follows its own trades: an entry is said while
    nothing is held, and the exit of that very position. Set the hours to those in which the market has volume.
    """

    mean_length: int = wb.param(50, low=10, high=400, doc="bars of the mean that must be rising")
    rise_bars: int = wb.param(3, low=1, high=20, doc="bars for which it must have risen")
    dip: float = wb.param(10.0, low=2.0, high=40.0, doc="RSI of two bars below which there is a dip")
    profit_wanted: float = wb.param(0.01, low=0.001, high=0.2, doc="gain (a fraction) at a close at which to leave")
    loss_taken: float = wb.param(0.02, low=0.002, high=0.3, doc="loss (a fraction) at a close at which to leave")
    patience: int = wb.param(24, low=2, high=200, doc="bars after which no loss is waited for")
    needs_next_open = True

    @property
    def warm_up(self) -> int:
        return self.mean_length + self.rise_bars - 1

    def signals(self, bars: wb.Bars) -> wb.Signals:
        mean = sma(bars.close, self.mean_length)
        rising = np.ones(len(bars), dtype=bool)
        for back in range(self.rise_bars):
            rising &= lagged(mean, back) > lagged(mean, back + 1)
        minutes = bars.ts // 60_000
        weekday, minute = (minutes // 1_440 + 3) % 7, minutes % 1_440
        fits = rising & (rsi(bars.close, 2) < self.dip) & (weekday <= 3) & (minute >= 420) & (minute < 1_200)
        entry, leave = np.zeros(len(bars), dtype=bool), np.zeros(len(bars), dtype=bool)
        row = self.warm_up
        while row < len(bars):
            if not fits[row]:
                row += 1
                continue
            entry[row] = True
            row = self._way_out(bars, weekday, row + 1)
            if row < len(bars):
                leave[row] = True
            row += 1
        return wb.Signals(entry=entry, exit=leave)

    def _way_out(self, bars: wb.Bars, weekday: np.ndarray, opened: int) -> int:
        """Give the bar on whose close a position opened in a bar is to be left."""
        for row in range(opened, len(bars)):
            profit, held = bars.close[row] / bars.open[opened] - 1.0, row - opened + 1
            if profit >= self.profit_wanted or profit <= -self.loss_taken or weekday[row] == 4:
                return row
            if held > self.patience and profit < 0.0:
                return row
        return len(bars)


def lagged(line: np.ndarray, bars: int) -> np.ndarray:
    return previous(line, bars) if bars else line
