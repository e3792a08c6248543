"""`Sizing`: the base of all sizings: what it asks for, cut to caps, money and whole lots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, ClassVar, Final, Literal, NamedTuple, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.risk.sizing.blame import naming
from workbench.risk.sizing.caps import Caps
from workbench.risk.sizing.state import Sized, SizingState

__all__ = ["Ask", "PerBar", "Series", "Sizing", "Unit", "positive", "text", "whole"]

Floats = NDArray[np.float64]
Unit = Literal["quantity", "value", "exposure", "risk", "units"]


class Series(Protocol):
    """What a sizing sees of an instrument's closed bars; `market.Bars` is one."""

    @property
    def symbol(self) -> str:
        """Of the instrument."""

    @property
    def ts(self) -> NDArray[np.int64]:
        """Open times, ms UTC, shape (n,)."""

    @property
    def high(self) -> Floats:
        """Shape (n,)."""

    @property
    def low(self) -> Floats:
        """Shape (n,)."""

    @property
    def close(self) -> Floats:
        """Shape (n,)."""

    @property
    def timeframe(self) -> Any:
        """Its `ms` is the length of a bar."""

    @property
    def instrument(self) -> Any:
        """Its facts; the `calendar` says how many bars a year has."""


class Ask(NamedTuple):
    """What a sizing asks for, before caps.

    `size` is contracts ("quantity"), money ("value"), a fraction of the equity above `floor` that the position is worth
    ("exposure") or that is lost at the stop ("risk"), or units of base a unit of equity ("units"). A `size` of NaN is
    one that is not known yet. `code` says why nothing is asked for at all, `why` where the size comes from.
    """

    unit: Unit
    size: float
    floor: float = 0.0
    code: str = ""
    why: str = ""


_UNITS: Final = get_args(Unit)
_NO_MONEY: Final = "the account has no money to trade with"


@dataclass(frozen=True, repr=False)
class Sizing:
    """Base of all sizings; to make one of your own, write `ask`.

    Parameters
    ----------
    caps : Caps
        20 % of equity a position when left out.

    Attributes
    ----------
    memory : int
        How many of the last closed trades it looks at (`SizingState.returns`).
    needs_stop : bool
        Whether it sizes by the distance to the stop.
    follows : str
        Why it cannot be worked out bar by bar beforehand, as the compiled path needs it; "" where it can.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class HalfAfterLoss(Sizing):
    ...     memory = 1
    ...
    ...     def ask(self, state):
    ...         lost = bool(state.returns) and state.returns[-1] < 0.0
    ...         return Ask("exposure", 0.05 if lost else 0.1, why="half after a loss" if lost else "a tenth")
    >>> sizing = HalfAfterLoss()
    >>> sizing.quantity(SizingState(equity=1_000.0, price=10.0, returns=[-0.02]))
    5.0
    """

    caps: Caps = field(default=Caps(), kw_only=True)

    memory: ClassVar[Any] = 0
    needs_stop: ClassVar[Any] = False
    follows: ClassVar[str] = "it looks at what has been traded before"

    def __post_init__(self) -> None:
        if not isinstance(self.caps, Caps):
            raise ConfigError(f"{type(self).__name__}: caps = {self.caps!r}; give Caps(position=0.2)", name="caps")

    def __repr__(self) -> str:
        own = sorted(fields(self), key=lambda one: one.name == "caps")
        said = [f"{one.name}={value!r}" for one in own if (value := getattr(self, one.name)) != one.default]
        return f"{type(self).__name__}({', '.join(said)})"

    def ask(self, state: SizingState) -> Ask:
        """Say how much is wanted, before caps."""
        raise ConfigError(f"{type(self).__name__} does not say how much: write `def ask(self, state)`")

    def measures(self, series: Sequence[Series]) -> dict[str, Floats]:
        """Work out what the sizing measures, each value from its own bar and earlier ones only.

        Parameters
        ----------
        series : sequence of Bars
            All instruments that are traded; one may have no bars yet.

        Returns
        -------
        dict of symbol to float64 array, shape (n,)
            Empty where nothing is measured; NaN while it is not known.
        """
        return {}

    def latest(self, series: Sequence[Series]) -> dict[str, float]:
        """Give the last of what is measured of each instrument; to be overridden where less work does for it."""
        return {symbol: float(values[-1]) for symbol, values in self.measures(series).items() if len(values)}

    def per_bar(self, measure: Floats, cash: float) -> tuple[Unit, Floats, float] | None:
        """Give unit, size as of each bar and floor where these rest on closed bars alone; None where they do not."""
        return None

    def quantity(self, state: SizingState) -> float:
        """Give the contracts to trade, in whole lots: 0.0 for none."""
        found = self.decide(state)
        return 0.0 if found.code else found.quantity

    def decide(self, state: SizingState) -> Sized:
        """Give the contracts to trade in whole lots, with why; or why there are none.

        Parameters
        ----------
        state : SizingState

        Returns
        -------
        Sized
        """
        if not (state.equity > 0.0 and state.free > 0.0):
            return Sized(math.nan, "no_equity", _NO_MONEY)
        ask = self._asked(state)
        if ask.code or not ask.size > 0.0:
            code = ask.code or ("no_volatility" if math.isnan(ask.size) else "no_edge")
            return Sized(math.nan, code, ask.why or _WHY[code])
        base = max(state.equity - ask.floor, 0.0)
        if ask.unit == "risk" and math.isnan(state.stop):
            return Sized(math.nan, "no_stop", "it sizes by the distance to the stop, and the position has none")
        if base <= 0.0 and ask.unit not in ("quantity", "value"):
            return Sized(
                math.nan, "floor_reached", f"the equity {text(state.equity)} is at its floor {text(ask.floor)}"
            )
        return _cut(_wanted(ask, base, state), ask, self.caps, state)

    def _asked(self, state: SizingState) -> Ask:
        """Ask, and hold the answer to what it may be: a sizing may be of a user's own class."""
        with naming(self, "ask"):
            ask = self.ask(state)
        number = isinstance(ask, Ask) and isinstance(ask.size, Real) and ask.unit in _UNITS
        if not number:
            units = ", ".join(map(repr, _UNITS))
            raise ConfigError(
                f"{self!r}.ask gave {ask!r}; give sizing.Ask(unit, size), with a number for size and one of {units}"
            )
        return ask


_WHY: Final = {
    "no_volatility": "what it sizes by is not known yet, or zero",
    "no_edge": "there is no edge to bet on",
}


def _wanted(ask: Ask, base: float, state: SizingState) -> float:
    """Give the contracts that are asked for."""
    if ask.unit == "quantity":
        return ask.size
    if ask.unit == "value":
        return ask.size / state.unit_value
    if ask.unit == "exposure":
        return ask.size * base / state.unit_value
    if ask.unit == "risk":
        lost = state.loss_to(state.stop)
        return ask.size * base / lost if lost > 0.0 else math.inf
    if not state.inverse:
        return ask.size * base / state.contract_size
    return ask.size * base * state.price * state.price / state.contract_size  # at the price one unit moves by cs / p^2


def _cut(wanted: float, ask: Ask, caps: Caps, state: SizingState) -> Sized:
    """Cut what is asked for to caps, money and whole lots."""
    unit, limit, said = state.unit_value, "sizing", [ask.why or f"{text(wanted)} asked for"]
    said.append(f"{text(wanted)} at {text(state.price)}" if wanted < math.inf else "without bound")
    room = caps.room(state)
    if room.value <= 0.0:
        return Sized(math.nan, "cap_reached", f"the {room.cap} cap is reached: nothing more may be added")
    found = min(wanted, state.most)
    if found < wanted:
        limit = "money"
        said.append(f"the account can pay {text(found)}")
    if room.value / unit < found:
        found, limit = room.value / unit, room.cap
        said.append(f"the {room.cap} cap leaves {text(found)}")
    whole = _whole(found, state.lot)
    if whole != found:
        said.append(f"{text(whole)} in whole lots of {text(state.lot)}")
    value = whole * state.contract_size * (1.0 if state.inverse else state.price)
    if whole <= 0.0 or value < state.min_notional:
        said.append(f"worth {text(value)}, less than the smallest order")
        return Sized(whole, "below_min_notional", "; ".join(said), limit)
    return Sized(whole, "", "; ".join(said), limit)


def _whole(quantity: float, lot: float) -> float:
    """Round down to whole lots; what is whole but for the last bits of a float keeps its last lot."""
    if lot <= 0.0 or not quantity / lot < 2.0**53:
        return quantity
    return float(Decimal(repr(lot)) * math.floor(quantity / lot * (1.0 + 1e-12)))


def text(value: float) -> str:
    """Write a number for people: seven digits, thousands apart."""
    return f"{value:,.7g}" if abs(value) < 1e15 else f"{value:.4g}"


@dataclass(frozen=True, repr=False)
class PerBar(Sizing):
    """Base of the sizings that rest on closed bars, the equity and the stop alone: write `amount`."""

    unit: ClassVar[Any] = "exposure"
    follows: ClassVar[str] = ""

    def amount(self, measure: Any) -> Any:
        """Give the size of a measure, or those of an array of them; NaN where the measure is not known or zero."""
        raise ConfigError(f"{type(self).__name__} does not say how much: write `def amount(self, measure)`")

    def source(self, state: SizingState) -> str:
        """Say in words where the size comes from."""
        return ""

    def floor(self, cash: float) -> float:
        """Give the equity that is not at stake, in money."""
        return 0.0

    def ask(self, state: SizingState) -> Ask:
        """Say how much is wanted, before caps."""
        size = float(self.amount(state.measure))
        return Ask(self.unit, size, self.floor(state.cash), "", self.source(state) if size > 0.0 else "")

    def per_bar(self, measure: Floats, cash: float) -> tuple[Unit, Floats, float]:
        """Give unit, size as of each bar and floor."""
        return self.unit, np.atleast_1d(np.asarray(self.amount(measure), dtype=np.float64)), self.floor(cash)


def positive(owner: Any, name: str, *, most: float = math.inf, what: str = "a number") -> None:
    """Hold a field to be a number above 0 (and at most `most`), kept as a float; ConfigError where it is not."""
    value = getattr(owner, name)
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not 0.0 < float(value) < math.inf or float(value) > most:
        bound = f" and at most {most:g}" if most < math.inf else ""
        raise ConfigError(f"{type(owner).__name__}: {name} = {value!r}; give {what} above 0{bound}", name=name)
    object.__setattr__(owner, name, float(value))


def whole(owner: Any, name: str, lowest: int, what: str) -> None:
    """Hold a field to be a whole number of at least `lowest`; ConfigError where it is not."""
    value = getattr(owner, name)
    if isinstance(value, bool) or not isinstance(value, Integral) or value < lowest:
        raise ConfigError(
            f"{type(owner).__name__}: {name} = {value!r}; give a whole number of {what}, at least {lowest}", name=name
        )
    object.__setattr__(owner, name, int(value))
