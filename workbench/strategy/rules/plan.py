"""`RuleFile`: a whole rule file as values, read and checked; what a strategy class is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from workbench.market.timeframe import Timeframe
from workbench.strategy.parameters import Parameter
from workbench.strategy.rules.mistakes import Place
from workbench.strategy.rules.nodes import Agreement, Call, Column, Condition, On, Part, Value, speaks_of_position, walk
from workbench.strategy.signals import SizeUnit

__all__ = ["SIDES", "STOPS", "Guard", "Required", "RuleFile", "Size"]

SIDES: Final = ("entry", "exit", "short_entry", "short_exit")
STOPS: Final = ("stop_loss", "take_profit", "trailing_stop", "trailing_activation", "stop_price")


@dataclass(frozen=True)
class Guard:
    """One protection: its kind (`cooldown`) and its numbers."""

    kind: str
    settings: tuple[tuple[str, Value | bool], ...]
    place: Place


@dataclass(frozen=True)
class Size:
    """How large entries are: the kind of sizing (`percent_volatility`), its numbers, and its caps.

    A number is a `Value`, a word, None, another `Size` (of what it is built around), or pairs of a name and one of
    these.
    """

    kind: str
    numbers: tuple[tuple[str, Any], ...]
    caps: tuple[tuple[str, Any], ...]
    place: Place

    def values(self) -> Iterator[Value]:
        """Give every number that is written in it."""
        yield from _values((*self.numbers, *self.caps))


def _values(pairs: tuple[tuple[str, Any], ...]) -> Iterator[Value]:
    for _, value in pairs:
        if isinstance(value, Size):
            yield from value.values()
        elif isinstance(value, tuple):
            yield from _values(value)
        elif isinstance(value, Value):
            yield value


@dataclass(frozen=True)
class Required:
    """What parameters must keep to, and how it is written."""

    condition: Condition
    text: str


@dataclass(frozen=True, kw_only=True, eq=False)
class RuleFile:
    """What a rule file says.

    Parameters
    ----------
    path : Path
    name : str
        Of the strategy class.
    summary : str
    timeframe : Timeframe or None
        Of the bars that the file is meant for, where it says so.
    settings : mapping of str to Parameter
    places : mapping of str to Place
        Where each parameter is declared.
    required : tuple of Required
    columns : mapping of str to Value
        Those under `indicators:`.
    sides : mapping of str to Condition
        Some of `SIDES`.
    stops : mapping of str to Value
        Some of `STOPS`.
    roi : tuple of (minutes, Value)
    max_bars, size, leverage, warm_up : Value or None
    size_unit : {"fraction", "quantity", "cash", "risk"}
    guards : tuple of Guard
    sizing : Size or None
    """

    path: Path
    name: str
    summary: str
    timeframe: Timeframe | None
    settings: Mapping[str, Parameter]
    places: Mapping[str, Place]
    required: tuple[Required, ...]
    columns: Mapping[str, Value]
    sides: Mapping[str, Condition]
    stops: Mapping[str, Value]
    roi: tuple[tuple[float, Value], ...]
    max_bars: Value | None
    size: Value | None
    size_unit: SizeUnit
    guards: tuple[Guard, ...]
    leverage: Value | None
    warm_up: Value | None
    sizing: Size | None = None

    def roots(self) -> Iterator[Part]:
        """Give every expression and condition of the file, not what these are made of."""
        yield from (one.condition for one in self.required)
        yield from self.columns.values()
        yield from self.sides.values()
        yield from self.stops.values()
        yield from (value for _, value in self.roi)
        yield from (one for one in (self.max_bars, self.size, self.leverage, self.warm_up) if one is not None)
        for guard in self.guards:
            yield from (value for _, value in guard.settings if isinstance(value, Value))
        if self.sizing is not None:
            yield from self.sizing.values()

    def everything(self) -> Iterator[Part]:
        """Give every part of every expression and condition."""
        for root in self.roots():
            yield from walk(root)

    @cached_property
    def shared(self) -> frozenset[Part]:
        """What is worth keeping once it is worked out: what the file uses in several places."""
        counts = Counter(part for part in self.everything() if isinstance(part, (Agreement, Call, Column, On)))
        return frozenset(part for part, count in counts.items() if count > 1)

    @property
    def follows_position(self) -> bool:
        """Whether an exit depends on the position that is held (`profit`, `bars_held`)."""
        return any(speaks_of_position(one) for one in self.sides.values())
