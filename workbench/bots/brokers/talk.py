"""The words between a bot and a venue: what is asked, and what a venue says of orders, fills, positions and money.

A broker (`Broker`) turns requests into calls and answers into these words; what an answer means for the books is the
clerk's business. What cannot be answered is raised: `BrokerRejected`, `BrokerTransient`, `BrokerFatal`, and
`BrokerUnknown` where nobody can say whether it took effect.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol

from workbench.trading.events import AmendOrder, CancelOrder, Submit

__all__ = [
    "ENDED",
    "Broker",
    "Find",
    "Look",
    "Request",
    "Send",
    "Snapshot",
    "VenueFill",
    "VenueFunding",
    "VenueOrder",
    "VenuePosition",
]

NAN: Final = math.nan
ENDED: Final = frozenset(("closed", "canceled", "expired", "rejected"))


class VenueOrder(NamedTuple):
    """An order as a venue has it.

    `id` is our client order id, "" where it has none. `status` is "open", "closed" (filled), "canceled", "expired" or
    "rejected". `quantity` and `filled` are in the base asset or contracts; `ts` when the venue last changed it, ms UTC.
    """

    id: str
    venue_id: str
    symbol: str
    side: str
    type: str
    status: str
    quantity: float
    filled: float
    price: float = NAN
    stop_price: float = NAN
    average_price: float = NAN
    reduce_only: bool = False
    triggered: bool = False
    ts: int = 0


class VenueFill(NamedTuple):
    """An execution as a venue tells it: `fee` in the quote currency, `id` our client order id where it says it.

    `fee_base` is what the venue took of the base asset of a spot market as its fee, whose worth is in `fee`.
    """

    trade_id: str
    venue_id: str
    symbol: str
    side: str
    quantity: float
    price: float
    fee: float
    maker: bool
    ts: int
    id: str = ""
    leg: str = "net"
    fee_base: float = 0.0


class VenuePosition(NamedTuple):
    """A position as a venue has it; `quantity` is signed, in the base asset or contracts."""

    symbol: str
    quantity: float
    price: float = NAN
    leg: str = "net"


class VenueFunding(NamedTuple):
    """A settlement of funding as a venue tells it: `amount` is positive when received."""

    ts: int
    symbol: str
    amount: float
    rate: float = NAN


class Snapshot(NamedTuple):
    """What a venue had at one time.

    `asked` is when the first of the questions was sent, `since` from when on fills are in it (ms UTC), `balances` the
    whole amount of each asset, reserved or not; `funding` None where the venue was not asked for it.
    """

    asked: int
    since: int
    orders: tuple[VenueOrder, ...]
    fills: tuple[VenueFill, ...]
    positions: tuple[VenuePosition, ...] = ()
    balances: Mapping[str, float] = {}
    funding: tuple[VenueFunding, ...] | None = None


class Send(NamedTuple):
    """Carry out an action of the core; `id` is the client order id to use, which an order that replaces has anew."""

    action: Submit | CancelOrder | AmendOrder
    id: str
    symbol: str


class Find(NamedTuple):
    """Ask what became of an order, by its client order id; `asked` is when, ms UTC, for whoever takes the answer."""

    id: str
    symbol: str
    asked: int = 0


class Look(NamedTuple):
    """Ask for everything: open orders, fills since a time, positions, balances.

    `funding_since` is from when on settlements of funding are wanted; 0 for none.
    """

    since: int
    funding_since: int = 0


Request = Send | Find | Look


class Broker(Protocol):
    """The way to a venue."""

    name: str

    async def send(self, request: Send) -> VenueOrder | None:
        """Carry out a request; the order as the venue has it then, None where it does not say.

        Raises
        ------
        BrokerRejected, BrokerTransient, BrokerFatal, BrokerUnknown
        """

    async def find(self, request: Find) -> VenueOrder | None:
        """Give an order by its client order id; None where the venue has none."""

    async def look(self, request: Look) -> Snapshot:
        """Give all that the venue has."""

    async def close(self) -> None:
        """Let go of connections."""
