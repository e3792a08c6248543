"""`SignalMaker`: the signals of one strategy on one series under many parameters, what they share worked out once.

The strategy's own `signals` is called for each combination. It is given columns and indicators that write down what it
asks for (`indicators.recording`), so that equal work is done once; a strategy that cannot be written down is given real
columns, and one that writes into arrays is simply called. What comes out is the same to the bit: the first few
combinations are made both ways and compared.
"""

from __future__ import annotations

import copy
from typing import Any, Final

import numpy as np

from workbench.errors import StrategyError
from workbench.indicators.recording import Lazy, Recorder, recording
from workbench.market.bars import Bars
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy, signals_of

__all__ = ["SignalMaker", "same_signals", "without_lazy"]

_COLUMNS: Final = ("open", "high", "low", "close", "volume")
_SIDES: Final = ("entry", "exit", "short_entry", "short_exit")
_NUMBERS: Final = ("size", "stop_loss", "take_profit", "trailing_stop", "trailing_activation", "stop_price")
_ALL_LAZY, _INDICATORS_LAZY, _PLAIN = 2, 1, 0
_COMPARED: Final = 3


class SignalMaker:
    """Makes signals on one series.

    Parameters
    ----------
    bars : Bars
    most_bytes : int
        Memory for what combinations share.
    """

    def __init__(self, bars: Bars, most_bytes: int = 256 << 20) -> None:
        self.bars = bars
        self._most = most_bytes
        self._recorder = Recorder(len(bars), most_bytes)
        self._level = _ALL_LAZY
        self._compared = 0
        columns = {name: self._recorder.column(getattr(bars, name)) for name in _COLUMNS}
        self._lazy = copy.copy(bars)
        for name, column in columns.items():
            object.__setattr__(self._lazy, name, column)

    def keep(self, most_bytes: int) -> None:
        """Keep so many bytes at most of what combinations share."""
        self._most = self._recorder.most_bytes = most_bytes

    def __reduce__(self) -> Any:
        return SignalMaker, (self.bars, self._most)

    def signals(self, strategy: SignalStrategy) -> Signals:
        """Give what `signals_of` gives; flags may be `Lazy`, which behave as the arrays.

        Raises
        ------
        StrategyError
            As `signals_of`.
        """
        while self._level:
            try:
                with recording(self._recorder):
                    found = signals_of(strategy, self._lazy if self._level == _ALL_LAZY else self.bars)
                if self._compared < _COMPARED:
                    self._compare(strategy, found)
                return found
            except Exception:
                signals_of(strategy, self.bars)  # if this fails as well the strategy is to blame, and it says how
                self._level -= 1
                self._compared = 0
        return signals_of(strategy, self.bars)

    def _compare(self, strategy: SignalStrategy, found: Signals) -> None:
        if not same_signals(found, signals_of(strategy, self.bars)):
            raise StrategyError(f"{strategy!r} says something else when it is recorded")
        self._compared += 1


def same_signals(one: Signals, other: Signals) -> bool:
    """Tell whether two say the same, to the bit."""
    return (
        all(np.array_equal(_array(getattr(one, name)), _array(getattr(other, name))) for name in _SIDES)
        and all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in _NUMBERS)
        and (one.size_unit, one.roi, one.max_bars) == (other.size_unit, other.roi, other.max_bars)
    )


def _array(values: Any) -> Any:
    return values.values() if type(values) is Lazy else values


def without_lazy(signals: Signals) -> Signals:
    """Give the same signals with arrays in place of what is lazy."""
    for name in _SIDES:
        object.__setattr__(signals, name, _array(getattr(signals, name)))
    return signals
