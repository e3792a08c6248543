"""What a feed tells: one named tuple for each kind of thing that happens at a venue.

Every event has a `symbol`, a time of the market (`ts`) and a time at which it reached us (`received`), both ms UTC. The
fields are plain numbers, texts and tuples, so that an event can be taped and come back equal to the bit. Numbers that a
venue did not give are None.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

__all__ = [
    "KINDS",
    "BarClosed",
    "BookMoved",
    "ConnectionMoved",
    "Event",
    "FillMade",
    "GapFound",
    "Levels",
    "OrderMoved",
    "TickerMoved",
    "TradePrinted",
]

Levels: TypeAlias = tuple[tuple[float, float], ...]


class BarClosed(NamedTuple):
    """A bar is over; its numbers are final.

    `ts` is the bar's open. `source` is "stream", "rest" (asked for, because the stream did not say it) or "replay".
    """

    symbol: str
    ts: int
    received: int
    timeframe: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    source: str


class TickerMoved(NamedTuple):
    """Best prices and the last one. `volume` is that of 24 hours, in the base asset."""

    symbol: str
    ts: int
    received: int
    bid: float | None
    ask: float | None
    last: float | None
    bid_quantity: float | None
    ask_quantity: float | None
    volume: float | None


class TradePrinted(NamedTuple):
    """Two strangers traded. `side` is +1 where a buyer took, -1 where a seller did, 0 where nobody knows."""

    symbol: str
    ts: int
    received: int
    id: str
    price: float
    quantity: float
    side: int


class BookMoved(NamedTuple):
    """The order book now: `bids` from the highest, `asks` from the lowest, each (price, quantity).

    `resynced` is true for the first book after the one before could not be trusted any more: a message of the venue was
    missing, its checksum was wrong, the book was crossed, or the connection broke.
    """

    symbol: str
    ts: int
    received: int
    bids: Levels
    asks: Levels
    resynced: bool


class OrderMoved(NamedTuple):
    """An order of ours changed. `status` is "open", "closed", "canceled", "expired" or "rejected".

    `quantity` and `filled` are in the base asset or contracts, `average` is the average price of what was filled,
    `source` "stream" or "rest" (found by asking after a reconnect).
    """

    symbol: str
    ts: int
    received: int
    id: str
    client_id: str | None
    side: str
    type: str
    status: str
    price: float | None
    quantity: float | None
    filled: float | None
    average: float | None
    source: str


class FillMade(NamedTuple):
    """An order of ours traded. `fee` is in `fee_currency`; `source` as in `OrderMoved`."""

    symbol: str
    ts: int
    received: int
    id: str
    order_id: str
    side: str
    price: float
    quantity: float
    fee: float | None
    fee_currency: str | None
    maker: bool | None
    source: str


class ConnectionMoved(NamedTuple):
    """A channel of the feed works in another way now.

    `state` is "connecting", "live" (the stream speaks), "polling" (asked over REST), "lost" (the stream broke), "stale"
    (it was silent while things happened), "down" (REST does not answer either) or "closed".
    """

    symbol: str
    ts: int
    received: int
    channel: str
    state: str
    reason: str


class GapFound(NamedTuple):
    """Something is missing for good: from `ts` to before `upto` (ms UTC) a channel has nothing to tell.

    Bars: the venue has none for that time. Trades: it does not give them any more, or the consumer was too slow.
    """

    symbol: str
    ts: int
    received: int
    channel: str
    upto: int
    missing: int | None
    reason: str


Event: TypeAlias = (
    BarClosed
    | TickerMoved
    | TradePrinted
    | BookMoved
    | OrderMoved
    | FillMade
    | ConnectionMoved
    | GapFound
)  # fmt: skip

KINDS: Final[dict[str, type[Event]]] = {
    "bar": BarClosed,
    "ticker": TickerMoved,
    "trade": TradePrinted,
    "book": BookMoved,
    "order": OrderMoved,
    "fill": FillMade,
    "connection": ConnectionMoved,
    "gap": GapFound,
}
