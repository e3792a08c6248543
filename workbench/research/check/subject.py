"""Who is checked: a signal strategy, the columns of an order strategy, or an indicator, all asked in the same way.

`say(bars)` gives every column that there is on those bars, by name, one value a bar. That is all that the checks know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Final, Protocol

import numpy as np

from workbench.errors import StrategyError
from workbench.market.bars import Bars
from workbench.market.timeframe import Timeframe
from workbench.research.check.agreement import Column, disagreements
from workbench.research.check.authored import Authored, authored_by
from workbench.research.check.columns import columns_in, plain_column
from workbench.research.check.outside import Use
from workbench.research.check.watching import Codes, Depth, Watch
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy, warm_up_of

__all__ = ["FLAGS", "Broke", "FunctionSubject", "OrderSubject", "Said", "SignalSubject", "Subject"]

FLAGS: Final = ("entry", "exit", "short_entry", "short_exit")
_NUMBERS: Final = ("size", "stop_loss", "take_profit", "trailing_stop", "trailing_activation", "stop_price")


class Broke(StrategyError):
    """The subject raised, or gave something of the wrong kind, on some history."""


@dataclass(frozen=True)
class Said:
    """What a subject said about some bars.

    Attributes
    ----------
    values : dict of bool or float64 arrays, shape (n,)
        Signals first, then columns that were worked out on the way.
    signals : frozenset of str
        Which of the names are signals.
    uses : tuple of Use
        What it asked of the outside while it ran.
    lines : dict of str to int
        Of columns: in which line the function that holds them was left.
    """

    values: Mapping[str, Column]
    signals: frozenset[str] = frozenset()
    uses: tuple[Use, ...] = field(default=(), compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)


class Subject(Protocol):
    """What can be checked."""

    name: str
    declared: int
    authored: Authored
    target: Any

    def say(self, bars: Bars, depth: Depth = "deep") -> Said:
        """Give every column on some bars that is seen at that depth (`watching`).

        Raises
        ------
        Broke
            It cannot.
        """


class SignalSubject:
    """A signal strategy: its signals, and the columns in the variables of its code."""

    def __init__(self, strategy: SignalStrategy, timeframe: Timeframe) -> None:
        self.target, self.name = strategy, repr(strategy)
        self.declared = warm_up_of(strategy, timeframe)
        self.authored = authored_by(strategy)
        self._codes = _codes(type(strategy).signals.__code__, self.authored)

    def say(self, bars: Bars, depth: Depth = "deep") -> Said:
        """Give its signals, as it says them: the warm-up is not taken off."""
        watch = Watch(self._codes, bars, depth)
        try:
            with watch:
                found = self.target.signals(bars)
        except Exception as error:
            raise _broke(self.name, error) from error
        if not isinstance(found, Signals) or len(found) != len(bars):
            length = f"{len(found)} values" if isinstance(found, Signals) else f"a {type(found).__name__}"
            raise Broke(f"it gave {length} for {len(bars)} bars")
        signals = {name: getattr(found, name) for name in FLAGS}
        signals |= {name: _one_a_bar(getattr(found, name), len(bars)) for name in _NUMBERS}
        hidden = {name: column for name, column in watch.columns().items() if name not in signals}
        return Said({**signals, **hidden}, frozenset(signals), tuple(watch.uses), watch.lines)


class OrderSubject:
    """The columns that an order strategy works out ahead, and those in the variables of that code."""

    def __init__(self, strategy: OrderStrategy) -> None:
        self.target, self.name = strategy, repr(strategy)
        self.declared = int(strategy.warm_up)
        self.authored = authored_by(strategy)
        self._codes = _codes(type(strategy).indicators.__code__, self.authored)

    def say(self, bars: Bars, depth: Depth = "deep") -> Said:
        """Give its indicators."""
        watch = Watch(self._codes, bars, depth)
        try:
            with watch:
                found = dict(self.target.indicators(bars))
        except Exception as error:
            raise _broke(self.name, error) from error
        named = {name: plain_column(column) for name, column in found.items()}
        wrong = [name for name, column in named.items() if column is None or column.shape != (len(bars),)]
        if wrong:
            raise Broke(f"its indicator {wrong[0]!r} is no column of {len(bars)} numbers")
        own = {name: column for name, column in named.items() if column is not None}
        hidden = {name: column for name, column in watch.columns().items() if not _is_among(name, column, own)}
        return Said({**own, **hidden}, frozenset(own), tuple(watch.uses), watch.lines)


class FunctionSubject:
    """Any function of bars that gives columns; an indicator above all.

    Parameters
    ----------
    name : str
    function : callable
        `bars -> column, or NamedTuple, dict or frame of columns`.
    authored : Authored, optional
        Whose code counts as the author's; none of it for an indicator of the package.
    declared : int
        Bars that it says to need.
    """

    def __init__(
        self, name: str, function: Callable[[Bars], Any], authored: Authored | None = None, declared: int = 0
    ) -> None:
        self.target, self.name, self.declared = function, name, declared
        self.authored = Authored((), ()) if authored is None else authored
        self._codes = _codes(None, self.authored)

    def say(self, bars: Bars, depth: Depth = "deep") -> Said:
        """Give what the function gives."""
        watch = Watch(self._codes, bars, depth)
        try:
            with watch:
                found = self.target(bars)
        except Exception as error:
            raise _broke(self.name, error) from error
        own = dict(columns_in(self.name, found, bars))
        if not own:
            raise Broke(f"it gave no column of {len(bars)} numbers")
        return Said(own, frozenset(own), tuple(watch.uses), watch.lines)


def _one_a_bar(values: Column, length: int) -> Column:
    return np.full(length, values[0]) if len(values) == 1 != length else values


def _codes(main: CodeType | None, authored: Authored) -> Codes:
    return Codes(id(main), authored.codes(), authored.all_codes())


def _broke(name: str, error: Exception) -> Broke:
    return Broke(f"{name} raised {type(error).__name__}: {error}")


def _is_among(name: str, column: Column, own: Mapping[str, Column]) -> bool:
    """Tell whether a column that was seen on the way is one of those that are given anyway."""
    return name in own or any(len(disagreements(column, other, 0.0)) == 0 for other in own.values())
