"""A simulated venue with one instrument, and short ways to talk to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from workbench.market.instrument import Instrument
from workbench.trading.account import Account
from workbench.trading.events import AmendOrder, Book, CancelOrder, Event, Filled, Submit, Tick
from workbench.trading.orders import Order
from workbench.trading.terms import AccountTerms, CostTerms, Lots
from workbench.trading.venue import Venue

MINUTE = 60_000
SPOT, PERP = "A/USDT", "A/USDT:USDT"


class Desk:
    """A venue, the time, and everything that it has said."""

    def __init__(
        self, *, symbol: str = SPOT, cash: float = 10_000.0, costs: CostTerms | None = None, lots: Lots | None = None,
        terms: AccountTerms | None = None, tiers: Any = (), facts: dict[str, Any] | None = None, **rules: Any,
    ) -> None:  # fmt: skip
        instrument = Instrument.default(symbol).replace(**(facts or {}))
        self.symbol, self.ts, self.number = symbol, 0, 0
        self.account = Account(cash, terms or AccountTerms(), [instrument], tiers={symbol: tiers} if tiers else None)
        self.venue = Venue(
            {symbol: instrument}, self.account, {symbol: costs or CostTerms()}, {symbol: lots or Lots()},
            {symbol: tiers}, **rules,
        )  # fmt: skip
        self.events: list[Event] = []

    def send(self, side: str, quantity: float = math.nan, type: str = "market", **facts: Any) -> list[Event]:
        name = facts.pop("id", f"o{self.number}")
        self.number += 1
        order = Order(id=name, symbol=self.symbol, side=side, type=type, quantity=quantity, **facts)
        return self.note(self.venue.handle(Submit(order)))

    def cancel(self, name: str) -> list[Event]:
        return self.note(self.venue.handle(CancelOrder(name)))

    def amend(
        self,
        name: str,
        *,
        price: float = math.nan,
        quantity: float = math.nan,
        stop: float = math.nan,
        reason: str = "",
    ) -> list[Event]:
        return self.note(self.venue.handle(AmendOrder(name, price, quantity, stop, reason)))

    def open(self, price: float, volume: float = math.inf, **rest: Any) -> list[Event]:
        return self.note(self.venue.open(self.ts, self.symbol, price, volume, **rest))

    def inside(
        self, bar: tuple[float, float, float, float], volume: float = math.inf,
        react: Callable[[Event], Any] = lambda event: None,
    ) -> list[Event]:  # fmt: skip
        """Match inside the bar, let `react` talk back after every event, and close it."""
        said = []
        for event in self.venue.bar(self.symbol, self.ts, *bar, volume, self.ts + MINUTE):
            said += self.note([event])
            react(event)
        self.venue.close(self.symbol, bar[3], self.ts)
        self.ts += MINUTE
        return said

    def bar(self, *bar: float, volume: float = math.inf, react: Callable[[Event], Any] = lambda event: None) -> Any:
        """Open, match inside, and close."""
        return self.open(bar[0], volume) + self.inside(bar, volume, react)  # type: ignore[arg-type]

    def tick(self, price: float, quantity: float = math.nan, side: str = "") -> list[Event]:
        self.ts += 1
        return self.note(self.venue.tick(Tick(self.symbol, self.ts, price, quantity, side)))

    def book(self, bids: Iterable[tuple[float, float]], asks: Iterable[tuple[float, float]]) -> list[Event]:
        self.ts += 1
        return self.note(self.venue.book(Book(self.symbol, self.ts, tuple(bids), tuple(asks))))

    def note(self, events: list[Event]) -> list[Event]:
        self.events += events
        return events

    @property
    def held(self) -> float:
        return self.account.quantity(self.symbol)


def kinds(events: Iterable[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def fills(events: Iterable[Event]) -> list[tuple[str, float, float]]:
    """Id, quantity and price of each execution."""
    return [(one.id, one.quantity, one.price) for one in events if isinstance(one, Filled)]


def code(events: list[Event]) -> str:
    """The code of the only event, a refusal."""
    assert kinds(events) == ["Rejected"], events
    return str(events[0].code)  # type: ignore[union-attr]


CALM = (100.0, 101.0, 99.0, 100.0)

CLOSING = {"reduce_only": True, "close_position": True}


def long(**rules: object) -> Desk:
    """A desk that has bought 10 at 100, on a bar that is over."""
    desk = Desk(**rules)
    desk.open(100.0)
    desk.send("buy", 10.0, id="entry")
    desk.inside(CALM)
    desk.events.clear()
    return desk
