"""What expressions and conditions are made of: plain values, equal where they say the same, wherever they stand.

A `Value` is a number or a column of numbers, a `Condition` is true or false on each bar. Places are not compared, so
that the same thing written twice is computed once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

from workbench.strategy.rules.mistakes import NOWHERE, Place

__all__ = [
    "Agreement",
    "Arithmetic",
    "Call",
    "Clock",
    "Column",
    "Compare",
    "Condition",
    "Cross",
    "Either",
    "Every",
    "Flag",
    "Function",
    "Holding",
    "Lasting",
    "Literal",
    "Moving",
    "Not",
    "On",
    "Part",
    "Price",
    "Recent",
    "Setting",
    "Shift",
    "Value",
    "Weekday",
    "parts",
    "speaks_of_position",
    "walk",
]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Anything in an expression or a condition."""

    place: Place = field(default=NOWHERE, compare=False, repr=False)


class Value(Part):
    """A number, text, or a column of numbers."""


class Condition(Part):
    """True or false on each bar."""


@dataclass(frozen=True)
class Literal(Value):
    """A number or text that is written out."""

    value: float | int | str


@dataclass(frozen=True)
class Setting(Value):
    """The value of a parameter."""

    name: str


@dataclass(frozen=True)
class Price(Value):
    """A column of the bars, or a mean of such columns (`hl2`)."""

    name: str


@dataclass(frozen=True)
class Column(Value):
    """A column of the file, and which of its lines where it has several."""

    name: str
    output: str | None = None


@dataclass(frozen=True)
class Call(Value):
    """An indicator on columns; an output is chosen where it has several."""

    indicator: str
    inputs: tuple[tuple[str, Value], ...] = ()
    settings: tuple[tuple[str, Value], ...] = ()
    output: str | None = None


@dataclass(frozen=True)
class Shift(Value):
    """What a column was some bars ago."""

    of: Value
    bars: Value


@dataclass(frozen=True)
class Arithmetic(Value):
    """`+ - * /` of two values."""

    sign: str
    left: Value
    right: Value


@dataclass(frozen=True)
class Function(Value):
    """`abs`, `min` or `max`."""

    name: str
    of: tuple[Value, ...]


@dataclass(frozen=True)
class On(Value):
    """A value made of longer bars, as known when a bar closes."""

    of: Value
    timeframe: Value


@dataclass(frozen=True)
class Agreement(Value):
    """The score of `strategy.confluence` over some timeframes, and what each of these weighs; all alike without."""

    timeframes: tuple[Value, ...]
    weights: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Holding(Value):
    """`bars_held` or `profit` of the position that is held."""

    name: str


@dataclass(frozen=True)
class Compare(Condition):
    """`> < >= <= == !=` of two values."""

    sign: str
    left: Value
    right: Value


@dataclass(frozen=True)
class Cross(Condition):
    """`left` crosses above (or below) `right`."""

    above: bool
    left: Value
    right: Value


@dataclass(frozen=True)
class Moving(Condition):
    """A value has risen (or fallen) on each of so many bars."""

    up: bool
    of: Value
    bars: Value


@dataclass(frozen=True)
class Every(Condition):
    """All of some conditions."""

    of: tuple[Condition, ...]


@dataclass(frozen=True)
class Either(Condition):
    """Any of some conditions."""

    of: tuple[Condition, ...]


@dataclass(frozen=True)
class Not(Condition):
    """The contrary."""

    of: Condition


@dataclass(frozen=True)
class Lasting(Condition):
    """A condition that has held for so many bars, this one included."""

    of: Condition
    bars: Value


@dataclass(frozen=True)
class Recent(Condition):
    """A condition that held on at least one of so many bars, this one included."""

    of: Condition
    bars: Value


@dataclass(frozen=True)
class Flag(Condition):
    """A parameter that is True or False."""

    name: str


@dataclass(frozen=True)
class Clock(Condition):
    """The bar opens within a time of day, in minutes: from `start` on and before `end`, or over midnight."""

    start: int
    end: int
    zone: str = "UTC"


@dataclass(frozen=True)
class Weekday(Condition):
    """The bar opens on one of some days, Monday = 0."""

    days: tuple[int, ...]
    zone: str = "UTC"


def _remembering_its_hash(kind: type[Part]) -> None:
    """Let a part work out its hash once: it is looked up many times, and made of everything below it."""
    made = kind.__hash__

    def remembered(self: Part) -> int:
        known = self.__dict__.get("_hash")
        if known is None:
            known = made(self)
            object.__setattr__(self, "_hash", known)
        return int(known)

    kind.__hash__ = remembered  # type: ignore[assignment, method-assign]


for _kind in (*Value.__subclasses__(), *Condition.__subclasses__()):
    _remembering_its_hash(_kind)


def parts(whole: Part) -> tuple[Part, ...]:
    """Give what something is directly made of; found out once."""
    known: tuple[Part, ...] | None = whole.__dict__.get("_parts")
    if known is None:
        known = tuple(part for one in fields(whole) for part in _within(getattr(whole, one.name)))
        object.__setattr__(whole, "_parts", known)
    return known


def _within(value: object) -> Iterator[Part]:
    if isinstance(value, Part):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from _within(one)


def walk(whole: Part) -> Iterator[Part]:
    """Give something and all that it is made of."""
    yield whole
    for one in parts(whole):
        yield from walk(one)


def speaks_of_position(whole: Part) -> bool:
    """Tell whether something can only be known of a position that is held; found out once."""
    known = whole.__dict__.get("_speaks")
    if known is None:
        known = any(isinstance(one, Holding) for one in walk(whole))
        object.__setattr__(whole, "_speaks", known)
    return bool(known)
