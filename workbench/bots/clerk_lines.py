"""What a clerk knows of one order, how long it waits, and what it says."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

from workbench.bots.brokers.talk import Request, VenueOrder
from workbench.trading.events import Alert, Event
from workbench.trading.orders import Order

__all__ = ["DOUBT", "INF", "NAN", "Line", "Patience", "Said", "merged", "protects", "shows", "without"]

NAN: Final = math.nan
INF: Final = math.inf
DOUBT: Final = frozenset(("sent", "waiting", "unknown"))
"""States in which nobody knows for certain that the venue has the order."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long the clerk waits, in ms.

    Parameters
    ----------
    retry_ms : int
        Before a request that surely did not take effect is sent again; doubles each time.
    give_up_ms : int
        How old an intent may be when it is sent (again); an entry that is older is refused.
    ask_ms : int
        Before an order whose state is not known is asked about again.
    land_ms : int
        How long a request may still be under way once nobody waits for its answer any more: longer than the time for
        which the venue takes a signed request. Only then does "there is no such order" prove anything.
    settle_ms : int
        How long news of an order that an answer speaks of may be under way.
    overlap_ms : int
        How far before the last look fills are asked for again.
    keep_ms : int
        How long orders that have ended, and ids of trades, are remembered.
    """

    retry_ms: int = 500
    give_up_ms: int = 60_000
    ask_ms: int = 1_000
    land_ms: int = 10_000
    settle_ms: int = 2_000
    overlap_ms: int = 600_000
    keep_ms: int = 86_400_000


@dataclass(slots=True)
class Said:
    """What came of something: events for the core, requests for the venue, alerts for a human."""

    events: list[Event] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)


@dataclass(slots=True)
class Line:
    """What is known of one order.

    Attributes
    ----------
    state : str
        "sent" (the request is under way), "waiting" (surely not at the venue, to be sent again), "unknown", "resting"
        (the venue has it) or "done".
    ending : str
        What the venue says it ended as, while executions of it are missing; `expected` is how much there must be.
    flight : str
        "cancel" or "amend" while such a request is under way, or unsettled.
    cancel : bool
        It is to be cancelled.
    change : list or None
        How it is to be changed: price, quantity, stop price, reason; `asked` is the change in flight, sent at `moved`,
        and `lost` whether its answer was.
    pending : int
        How many requests that change it have neither an answer nor an error yet: any may still reach the venue.
    finding : bool
        Whether a question after it is under way.
    repeats : int
        How often a change was made again that the venue had not made.
    """

    order: Order
    state: str = "sent"
    venue_id: str = ""
    filled: float = 0.0
    quantity: float = NAN
    made: int = 0
    sent: int = 0
    due: float = INF
    tries: int = 0
    asks: int = 0
    ending: str = ""
    expected: float = 0.0
    flight: str = ""
    cancel: bool = False
    change: list[Any] | None = None
    asked: list[Any] | None = None
    moved: int = 0
    lost: bool = False
    triggered: bool = False
    ended: int = 0
    pending: int = 0
    repeats: int = 0
    finding: bool = False

    @property
    def resizes(self) -> bool:
        """Whether a change of its quantity is under way, so that nobody knows how much it has."""
        return self.flight == "amend" and self.asked is not None and self.asked[1] == self.asked[1]


def protects(order: Order) -> bool:
    """Tell whether an order makes a position smaller, so that it is never too late for it."""
    return order.reduce_only or order.close_position


def merged(first: list[Any] | None, then: list[Any] | None) -> list[Any]:
    """Put one change of price, quantity, stop price and reason upon another."""
    if first is None or then is None:
        return list(first or then or [NAN, NAN, NAN, ""])
    return [b if b == b and b != "" else a for a, b in zip(first, then, strict=True)]


def without(change: list[Any] | None, done: list[float]) -> list[Any] | None:
    """Take from a change of price, quantity and stop price what has been done of it; None where nothing is left."""
    if change is None:
        return None
    left = [NAN if want == have else want for want, have in zip(change[:3], done, strict=True)]
    return [*left, change[3]] if any(one == one for one in left) else None


def shows(order: VenueOrder, change: list[Any]) -> bool:
    """Tell whether an order is at the venue what it was to become."""
    found = (order.price, order.quantity, order.stop_price)
    return all(
        want != want or (have == have and math.isclose(have, want, rel_tol=1e-9))
        for want, have in zip(change[:3], found, strict=True)
    )
