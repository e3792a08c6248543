"""Events: what happened, as it goes into the core, and Actions: what the core wants done.

Plain immutable data: a journal is a list of them, and replaying it gives the same core. `to_plain` and `from_plain`
write and read them as JSON-ready lists; the name of the kind comes first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from workbench.errors import DataError
from workbench.trading.orders import Order

__all__ = [
    "Accepted",
    "Adjusted",
    "Alert",
    "AmendOrder",
    "Amended",
    "Armed",
    "Bar",
    "Book",
    "CancelOrder",
    "Canceled",
    "Disarmed",
    "Event",
    "Expired",
    "Filled",
    "Funded",
    "Learnt",
    "Limited",
    "Marked",
    "Moved",
    "Opened",
    "Peer",
    "Rated",
    "Rejected",
    "Resumed",
    "SetTimer",
    "Started",
    "Stopped",
    "Submit",
    "Tick",
    "Timer",
    "Triggered",
    "Unknown",
    "from_plain",
    "to_plain",
]  # fmt: skip


class Started(NamedTuple):
    """The core begins."""

    ts: int


class Stopped(NamedTuple):
    """The core ends; open orders and positions stay as they are."""

    ts: int
    reason: str = ""


class Bar(NamedTuple):
    """A bar has closed: `ts` is when it opened, `closes` when it closed (ms UTC)."""

    symbol: str
    ts: int
    closes: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    timeframe: str = ""


class Learnt(NamedTuple):
    """A bar is history from now on, and is told later or not at all: bars before the start, or others that close then.

    `ts` is when it opened, `closes` when it closed (ms UTC).
    """

    symbol: str
    ts: int
    closes: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    timeframe: str = ""


class Marked(NamedTuple):
    """A price is known, by which positions are valued; nothing is decided or sent."""

    ts: int
    symbol: str
    price: float


class Rated(NamedTuple):
    """A perpetual's funding was settled at a rate, whether or not anything was held."""

    ts: int
    symbol: str
    rate: float


class Opened(NamedTuple):
    """The first prices after a time are known: decisions made before are sized and sent now.

    Over many instruments at once a shell tells it twice, so that what is left frees money for what is entered: first
    all prices with `leaves` alone, then each instrument with `entries`.
    """

    ts: int
    prices: dict[str, float]
    leaves: bool = True
    entries: bool = True


class Tick(NamedTuple):
    """One trade of the market. `side` is the aggressor's: "buy", "sell" or ""."""

    symbol: str
    ts: int
    price: float
    quantity: float
    side: str = ""


class Book(NamedTuple):
    """The order book: (price, quantity) levels, best first."""

    symbol: str
    ts: int
    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]


class Moved(NamedTuple):
    """The bot goes into another state of `lifecycle`.

    `then` is what is done about its orders and positions: "" (they stay), "cancel" (open orders, but those that
    protect positions), or "flatten" (all open orders, and positions are closed at the market).
    """

    ts: int
    state: str
    reason: str = ""
    then: str = ""


class Timer(NamedTuple):
    """A time that was asked for has come."""

    ts: int
    name: str


class Accepted(NamedTuple):
    """The venue has taken an order."""

    ts: int
    id: str
    venue_id: str = ""


class Rejected(NamedTuple):
    """The venue, or the gate before it, has refused an order; `code` is one of `gate.REJECTIONS`."""

    ts: int
    id: str
    code: str
    text: str = ""


class Triggered(NamedTuple):
    """The trigger of a stop or take-profit has been reached."""

    ts: int
    id: str


class Filled(NamedTuple):
    """An execution, in part or in full.

    `quantity` is positive; `fee` in the quote currency, negative for a rebate; `quoted` the price before slippage;
    `final` whether the order is done with it; `trade` the venue's own number of it, "" where it has none; `fee_base`
    what of the base asset the venue took as its fee, whose worth is in `fee`: so much less is held.
    """

    ts: int
    id: str
    symbol: str
    side: str
    quantity: float
    price: float
    fee: float
    maker: bool
    quoted: float
    reason: str
    decided: int
    leg: str = "net"
    final: bool = True
    trade: str = ""
    fee_base: float = 0.0

    @property
    def change(self) -> float:
        """By how much it changes what is held, signed."""
        return (self.quantity if self.side == "buy" else -self.quantity) - self.fee_base


class Canceled(NamedTuple):
    """An order was cancelled, with what was not executed of it."""

    ts: int
    id: str
    reason: str = ""


class Expired(NamedTuple):
    """An order's time ran out (GTD), or it could not be filled at once (IOC, FOK)."""

    ts: int
    id: str
    reason: str = ""


class Amended(NamedTuple):
    """A resting order was changed; NaN where a field is as before."""

    ts: int
    id: str
    price: float
    quantity: float
    stop_price: float
    reason: str = ""


class Unknown(NamedTuple):
    """The answer to a request was lost: nobody knows the state of this order until the venue says it."""

    ts: int
    id: str
    text: str = ""


class Funded(NamedTuple):
    """Funding was settled: `amount` in the settlement currency, positive when received.

    `price` and `rate` are NaN where a venue tells the amount alone.
    """

    ts: int
    symbol: str
    quantity: float
    price: float
    rate: float
    amount: float
    leg: str = "net"


class Adjusted(NamedTuple):
    """Money came in or went out: deposits, withdrawals, interest, corrections."""

    ts: int
    asset: str
    amount: float
    reason: str = "deposit"


class Limited(NamedTuple):
    """The limits on risk of a scope ("bot", "account", "workspace") were changed: as `Limits.to_dict`, by whom, why."""

    ts: int
    scope: str
    limits: dict[str, Any]
    who: str = ""
    why: str = ""


class Resumed(NamedTuple):
    """Somebody has looked at what limits on risk have stopped, and goes on: losses are reckoned from now."""

    ts: int
    who: str = ""
    why: str = ""


class Armed(NamedTuple):
    """Somebody lets a bot that trades for money open positions.

    The first `orders` that do so are worth at most `value` each, in the currency of the account (0: twice the least
    that the venue takes); when more than `loss` has been lost since, positions are closed (`then` is "flatten") or
    nothing new is opened ("pause").
    """

    ts: int
    who: str
    orders: int = 0
    value: float = 0.0
    loss: float = math.inf
    then: str = "pause"


class Disarmed(NamedTuple):
    """A bot that trades for money is to open nothing (more), and why."""

    ts: int
    why: str = ""


class Peer(NamedTuple):
    """Where another bot stands, in this bot's currency: what account and workspace limits also count.

    `rows` of (symbol, asset, signed value, value of buying orders, value of selling orders); `paid_in` all the money
    that was put in; an equity of 0 and no rows: it has gone.
    """

    ts: int
    bot: str
    account: str
    equity: float
    paid_in: float
    rows: tuple[tuple[str, str, float, float, float], ...] = ()


Event = (
    Started | Stopped | Moved | Bar | Learnt | Marked | Rated
    | Opened | Tick | Book | Timer | Accepted | Rejected | Triggered | Filled | Canceled
    | Expired | Amended | Unknown | Funded | Adjusted | Limited | Resumed | Peer
    | Armed | Disarmed
)  # fmt: skip


class Submit(NamedTuple):
    """Send an order to the venue."""

    order: Order


class CancelOrder(NamedTuple):
    """Cancel an order at the venue."""

    id: str


class AmendOrder(NamedTuple):
    """Change a resting order at the venue; NaN leaves a field as it is."""

    id: str
    price: float
    quantity: float
    stop_price: float
    reason: str = ""


class SetTimer(NamedTuple):
    """Send a `Timer` at a time; of a symbol, once the first price of that instrument from then on is dealt with."""

    ts: int
    name: str
    symbol: str = ""


class Alert(NamedTuple):
    """Tell a human."""

    ts: int
    level: str
    text: str


Action = Submit | CancelOrder | AmendOrder | SetTimer | Alert

_KINDS: Final[dict[str, type]] = {
    kind.__name__: kind
    for kind in (
        Started, Stopped, Moved, Bar, Learnt, Marked, Rated,
        Opened, Tick, Book, Timer, Accepted, Rejected, Triggered, Filled, Canceled,
        Expired, Amended, Unknown, Funded, Adjusted, Limited, Resumed, Peer, Armed, Disarmed,
        Submit, CancelOrder, AmendOrder, SetTimer, Alert,
    )
}  # fmt: skip


def to_plain(event: Event | Action) -> list[Any]:
    """Write an event or action as a list of plain values, its kind first; `from_plain` reads it back."""
    values = [value.to_dict() if isinstance(value, Order) else value for value in event]
    return [type(event).__name__, *values]


def from_plain(values: Sequence[Any]) -> Any:
    """Read what `to_plain` wrote, also after a trip through JSON.

    Raises
    ------
    DataError
        The kind is unknown, or the values are not those of that kind.
    """
    kind = _KINDS.get(str(values[0])) if len(values) else None
    if kind is None:
        raise DataError(f"{list(values[:1])!r} is no event; the kinds are {', '.join(sorted(_KINDS))}")
    try:
        if kind is Submit:
            return Submit(Order(**values[1]))
        if kind is Book:
            symbol, ts, bids, asks = values[1:]
            return Book(symbol, ts, tuple(map(tuple, bids)), tuple(map(tuple, asks)))
        if kind is Peer:
            ts, bot, account, equity, paid_in, rows = values[1:]
            return Peer(ts, bot, account, equity, paid_in, tuple(map(tuple, rows)))
        return kind(*values[1:])
    except (IndexError, TypeError, ValueError) as error:
        raise DataError(f"{kind.__name__} cannot be made of {list(values[1:])!r}: {error}") from error
