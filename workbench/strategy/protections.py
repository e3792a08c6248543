"""Protections: what keeps a strategy out of the market for a while after trades that ended badly.

Plain values. A strategy carries them (`SignalStrategy.protections`) or a run does (`Rules.protections`); the core
counts (`trading.guards`). Lookbacks and pauses are in bars of the strategy; what is blocked is entries, never exits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from workbench.errors import ConfigError

__all__ = [
    "Cooldown",
    "DrawdownPause",
    "LosingPairs",
    "LowProfit",
    "Protection",
    "StopGuard",
    "checked_protections",
]


@dataclass(frozen=True)
class Protection:
    """Base of all protections; its kinds are `Cooldown`, `StopGuard`, `DrawdownPause`, `LowProfit`, `LosingPairs`."""

    def _whole(self, name: str, lowest: int = 1) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, Integral) or value < lowest:
            unit = "trades" if name in ("limit", "min_trips", "losses") else "bars"
            raise ConfigError(
                f"{type(self).__name__}: {name} = {value!r}; give a whole number of {unit}, at least {lowest}",
                name=name,
            )
        object.__setattr__(self, name, int(value))

    def _fraction(self, name: str, low: float, high: float) -> None:
        value: Any = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, Real) or not low < float(value) < high:
            raise ConfigError(
                f"{type(self).__name__}: {name} = {value!r}; give a fraction above {low:g} and below {high:g} "
                "(0.05 is five percent)",
                name=name,
            )
        object.__setattr__(self, name, float(value))


@dataclass(frozen=True)
class Cooldown(Protection):
    """After a trade, leave its instrument alone.

    Parameters
    ----------
    bars : int
        Bars from the bar of the exit on in which no entry is decided.

    Raises
    ------
    ConfigError
        It is no whole number of at least 1.
    """

    bars: int

    def __post_init__(self) -> None:
        self._whole("bars")


@dataclass(frozen=True)
class StopGuard(Protection):
    """After several stops in a short time, pause.

    Parameters
    ----------
    limit : int
        Stops (stop loss, trailing or custom stop, liquidation) that are too many.
    lookback : int
        Bars in which they are counted.
    pause : int
        Bars without entries.
    only_this : bool, default False
        Count and block each instrument by itself instead of all together.

    Raises
    ------
    ConfigError
        A number is not whole or below 1.
    """

    limit: int
    lookback: int
    pause: int
    only_this: bool = False

    def __post_init__(self) -> None:
        for name in ("limit", "lookback", "pause"):
            self._whole(name)
        if not isinstance(self.only_this, bool):
            raise ConfigError(f"StopGuard: only_this = {self.only_this!r}; give True or False", name="only_this")


@dataclass(frozen=True)
class DrawdownPause(Protection):
    """After the realised equity fell too far, pause everything.

    Parameters
    ----------
    limit : float
        Fall from the highest realised equity within the lookback, a fraction.
    lookback : int
        Bars.
    pause : int
        Bars without entries.
    min_trips : int, default 1
        Trades that must have ended within the lookback.

    Raises
    ------
    ConfigError
        A number is out of its range.
    """

    limit: float
    lookback: int
    pause: int
    min_trips: int = 1

    def __post_init__(self) -> None:
        self._fraction("limit", 0.0, 1.0)
        for name in ("lookback", "pause", "min_trips"):
            self._whole(name)


@dataclass(frozen=True)
class LowProfit(Protection):
    """After an instrument earned too little, leave it alone.

    Parameters
    ----------
    required : float
        Sum of the returns of its trades within the lookback below which it is blocked, a fraction.
    lookback : int
        Bars.
    pause : int
        Bars without entries.
    min_trips : int, default 1
        Trades of it that must have ended within the lookback.

    Raises
    ------
    ConfigError
        A number is out of its range.
    """

    required: float
    lookback: int
    pause: int
    min_trips: int = 1

    def __post_init__(self) -> None:
        self._fraction("required", -10.0, 10.0)
        for name in ("lookback", "pause", "min_trips"):
            self._whole(name)


@dataclass(frozen=True)
class LosingPairs(Protection):
    """Drop an instrument that keeps losing.

    Parameters
    ----------
    losses : int, default 5
        Losing trades in a row after which it is dropped.
    roi : float, default -0.10
        Sum of the returns of its trades below which it is dropped.
    min_trips : int, default 3
        Trades before `roi` is looked at.
    review : int, optional
        Bars after which it gets another chance, with its history forgotten; never when left out.

    Raises
    ------
    ConfigError
        A number is out of its range.
    """

    losses: int = 5
    roi: float = -0.10
    min_trips: int = 3
    review: int | None = None

    def __post_init__(self) -> None:
        self._fraction("roi", -math.inf, math.inf)
        for name in ("losses", "min_trips"):
            self._whole(name)
        if self.review is not None:
            self._whole("review")


def checked_protections(given: Any) -> tuple[Protection, ...]:
    """Take one protection or several as a tuple.

    Raises
    ------
    ConfigError
        Something is no protection.
    """
    alone = isinstance(given, (Protection, type, str)) or not isinstance(given, Iterable)
    several = (given,) if alone else tuple(given)
    for one in several:
        if not isinstance(one, Protection) or type(one) is Protection:
            said = one.__name__ if isinstance(one, type) else repr(one)
            raise ConfigError(
                f"protections: {said} is no protection; give a list such as [wb.Cooldown(3), wb.StopGuard(2, 24, 12)]",
                value=one,
            )
    return several
