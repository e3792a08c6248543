"""`Windowed`: a strategy that trades in a window only, with indicators that know all bars before it.

It enters on no bar before the window and none after which it could not leave again, and leaves what it holds at the
window's end, at the usual costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self

import numpy as np

from workbench.errors import StrategyError
from workbench.market.bars import Bars
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy, warm_up_of

__all__ = ["Windowed"]

_SIDES: Final = ("entry", "exit", "short_entry", "short_exit")
_NUMBERS: Final = ("size", "stop_loss", "take_profit", "trailing_stop", "trailing_activation", "stop_price")
_TAKEN: Final = ("stop_loss", "take_profit", "trailing_stop", "trailing_activation", "roi", "max_bars", "protections",
          "sizing", "leverage", "needs_next_open", "start_dependent")  # fmt: skip


class Windowed(SignalStrategy):
    """A strategy on the last bars of a longer history.

    Parameters
    ----------
    inner : SignalStrategy
    history : mapping of str to Bars
        By symbol: all bars that the strategy may see, the last of which are those that it trades.
    at_close : bool
        Whether decisions fill at the close that they are made on.
    """

    inner: SignalStrategy
    history: Mapping[str, Bars]
    at_close: bool

    def __init__(self, inner: SignalStrategy, history: Mapping[str, Bars], *, at_close: bool) -> None:
        for name, value in (("inner", inner), ("history", history), ("at_close", at_close)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "declared", inner.declared)
        for name in (*_TAKEN, *inner.declared):
            object.__setattr__(self, name, getattr(inner, name))

    def replace(self, **changes: Any) -> Self:
        """Give the same with other parameters of the strategy inside."""
        return type(self)(self.inner.replace(**changes), self.history, at_close=self.at_close)

    @property
    def code_hash(self) -> str:
        """That of the strategy inside."""
        return self.inner.code_hash

    def with_past(self, bars: Bars) -> Bars:
        """Give all the history that ends with these bars."""
        return self.history[bars.symbol]

    def signals(self, bars: Bars) -> Signals:
        """Say what the strategy says with all its history, of these bars only."""
        history = self.history[bars.symbol]
        first = len(history) - len(bars)
        said = self.inner.signals(history)
        if not isinstance(said, Signals) or len(said) != len(history):
            raise StrategyError(f"{self.inner!r}.signals did not return wb.Signals as long as its {len(history)} bars")
        said = said.after(warm_up_of(self.inner, bars.timeframe))
        cut = {name: getattr(said, name)[first:] for name in _SIDES}
        cut |= {name: _cut(getattr(said, name), first) for name in _NUMBERS}
        late = np.arange(len(bars)) >= len(bars) - (1 if self.at_close else 2)
        for name in ("entry", "short_entry"):
            cut[name] = cut[name] & ~late
        for name in ("exit", "short_exit"):
            cut[name] = cut[name] | late
        return Signals(**cut, size_unit=said.size_unit, roi=said.roi, max_bars=said.max_bars)

    def __repr__(self) -> str:
        return repr(self.inner)


def _cut(values: Any, first: int) -> Any:
    return values.item() if len(values) == 1 else values[first:]  # one for all bars
