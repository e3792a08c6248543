"""Winding a dead bot down at its venue: its orders are cancelled, what it holds is closed, and the venue shows that.

Only what is the bot's own is touched, by the client order ids that it gave and the quantities of its books, so that an
account may be shared; and never more is closed than the venue has.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from workbench.bots.brokers.talk import ENDED, Find, Look, Send, Snapshot, VenueOrder
from workbench.bots.guard_record import Record, guard_mark
from workbench.bots.guard_terms import GuardTerms
from workbench.errors import BrokerError, BrokerRejected, BrokerTransient, BrokerUnknown
from workbench.trading.events import CancelOrder, Submit
from workbench.trading.orders import Order

if TYPE_CHECKING:
    from workbench.bots.brokers.ccxt_broker import CcxtBroker
    from workbench.bots.brokers.credentials import Credentials
    from workbench.bots.guard_ward import Ward

__all__ = ["Known", "Own", "Winding", "known_in_journal", "wind_down", "wind_down_as"]

_LONGEST_S: Final = 30.0  # between two tries of a venue that cannot be reached
_NEARLY: Final = 0.98  # of coins that are held: the rest went as fees in the coin itself
_REFUSALS: Final = 5  # of closing orders of one position, before it is left to a human
_OVERLAP_MS: Final = 600_000
_NAP_S: Final = 0.05  # between two rounds, at first
_LOOKS: Final = 6  # at most, for executions that the venue counts and does not tell of yet


class Own(NamedTuple):
    """An order of the bot: what its books have of it, and whether it stays when orders are cancelled only."""

    symbol: str
    side: str
    leg: str
    filled: float
    stays: bool


class Known(NamedTuple):
    """What is known of a bot: its orders that have not ended, by id, and what it holds, by symbol and leg."""

    orders: dict[str, Own]
    held: dict[tuple[str, str], float]

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Known:
        """Read what a bot tells its guard."""
        orders = {name: Own(*one) for name, one in plain["orders"].items()}
        return cls(orders, {(symbol, leg): float(quantity) for symbol, leg, quantity in plain["held"]})


class Winding:
    """One winding-down.

    Parameters
    ----------
    broker : CcxtBroker
    known : Known
    record : Record
        Says how; what is done is noted in it.
    mark : str
        What client order ids of the guard begin with.
    terms : GuardTerms
    keep : callable
        Writes the record down; called before anything is sent that the bot's books must learn of.
    """

    def __init__(
        self, broker: CcxtBroker, known: Known, record: Record, *, mark: str, terms: GuardTerms,
        keep: Callable[[], None],
    ) -> None:  # fmt: skip
        self.broker, self.known, self.record = broker, known, record
        self.terms, self.keep, self._mark = terms, keep, mark
        self._began = time.monotonic()
        self._seen: dict[str, VenueOrder] = {}
        self._refused: dict[tuple[str, str], int] = {}
        self._cancelled: set[str] = set()
        self._given_up: list[str] = []
        self._timed = False
        self._count = 0

    async def done(self) -> bool:
        """Do what is to be done next, and tell whether the venue shows that nothing is left to do.

        Raises
        ------
        BrokerTransient, BrokerFatal, BrokerUnknown
        """
        if not self._timed:
            now = await self._venue_time()
            self.record.venue_ts, self._timed = self.record.venue_ts or now, True
        open_orders = [name for name in self.known.orders if await self._ends(name)]
        left: list[tuple[str, str]] = []
        if not open_orders:
            seen = await self._look()
            for one in seen.orders:
                if one.id in self.known.orders and self._seen.get(one.id, one).status in ENDED:
                    open_orders.append(one.id)
                    del self._seen[one.id]  # it is asked about again
            if self.record.how == "flatten":
                left = [key for key in self._keys() if await self._closes(key, seen)]
        landed = time.monotonic() - self._began > self.terms.land_s
        missing = [name for name in self.known.orders if name not in self._seen]
        return not (open_orders or left or (missing and not landed))

    async def _venue_time(self) -> int:
        """Ask the venue for its time; this machine's may be another one."""
        await self.broker.open()
        wire = self.broker.wire
        if wire.can("fetchTime"):
            wire.heard(int(await wire.call("read", "fetch_time")))
        return self.broker.now()

    async def _ends(self, name: str) -> bool:
        """See to an order of the bot; true while it is still to end."""
        own, seen = self.known.orders[name], self._seen.get(name)
        if seen is not None and seen.status in ENDED:
            return False
        found = await self.broker.find(Find(name, own.symbol))
        if found is not None:
            self._seen[name] = found
        if found is None or found.status in ENDED or (own.stays and self.record.how == "cancel"):
            return False
        try:
            await self.broker.send(Send(CancelOrder(name), name, own.symbol))
        except BrokerRejected:
            pass  # it ended meanwhile, which the next look at it shows
        self._cancelled.add(name)
        return True

    def _keys(self) -> list[tuple[str, str]]:
        legs = {(one.symbol, one.leg) for one in self.known.orders.values()}
        return sorted(legs | set(self.known.held))

    async def _look(self) -> Snapshot:
        for line in self.record.closings:
            found = await self.broker.find(Find(line[0], line[1]))
            if found is not None:
                self._seen[line[0]] = found
        return await self.broker.look(Look(self.record.venue_ts - _OVERLAP_MS))

    def _held(self, key: tuple[str, str]) -> float:
        """Give what the bot holds: by its books, with what was executed since, of its own orders and the guard's."""
        held = self.known.held.get(key, 0.0)
        for name, own in self.known.orders.items():
            if (own.symbol, own.leg) == key and name in self._seen:
                held += (self._seen[name].filled - own.filled) * (1.0 if own.side == "buy" else -1.0)
        for name, symbol, leg, side, _ in self.record.closings:
            if (symbol, leg) == key and name in self._seen:
                held += self._seen[name].filled * (1.0 if side == "buy" else -1.0)
        return held

    def _at_venue(self, key: tuple[str, str], seen: Snapshot) -> float:
        symbol = key[0]
        if self.broker.markets[symbol].instrument.kind == "spot":
            return seen.balances.get(symbol.partition("/")[0], 0.0)
        return sum(one.quantity for one in seen.positions if (one.symbol, one.leg) == key)

    def _left(self, key: tuple[str, str], seen: Snapshot) -> float:
        """Give what is to be closed, signed, in whole lots: what the bot holds, and never more than the venue has."""
        held, there = self._held(key), self._at_venue(key, seen)
        if held * there <= 0.0:
            return 0.0
        size, lot = min(abs(held), abs(there)), self.broker.markets[key[0]].lots.lot
        if self.broker.markets[key[0]].instrument.kind == "spot" and there < held:
            size = there if there >= _NEARLY * held else size
        steps = math.floor(size / lot + 1e-6) if lot > 0.0 else 0.0
        return math.copysign(float(f"{steps * lot:.12g}") if lot > 0.0 else size, held)

    async def _closes(self, key: tuple[str, str], seen: Snapshot) -> bool:
        """Close what is held; true while it is still to be closed."""
        under_way = [
            name for name, symbol, leg, *_ in self.record.closings
            if (symbol, leg) == key and (name not in self._seen or self._seen[name].status not in ENDED)
        ]  # fmt: skip
        left = self._left(key, seen)
        if under_way:
            return time.monotonic() - self._began < self.terms.land_s or any(name in self._seen for name in under_way)
        if not left or self._refused.get(key, 0) >= _REFUSALS:
            return False
        await self._close(key, left)
        return True

    async def _close(self, key: tuple[str, str], left: float) -> None:
        symbol, leg = key
        side: Any = "sell" if left > 0.0 else "buy"
        name = f"{self._mark}{self.record.at << 7 | self._count & 127:012x}"
        self._count += 1
        self.record.closings.append([name, symbol, leg, side, abs(left)])
        self.keep()
        order = Order(
            name, symbol, side, quantity=abs(left), reduce_only=True, leg=leg, decided=self.broker.now(),  # type: ignore[arg-type]
        )  # fmt: skip
        try:
            found = await self.broker.send(Send(Submit(order), name, symbol))
            if found is not None:
                self._seen[name] = found
        except BrokerUnknown:
            pass  # the next look says whether it arrived
        except (BrokerRejected, BrokerTransient) as error:
            self.record.closings.pop()  # it is surely not there
            self._refused[key] = self._refused.get(key, 0) + 1
            if isinstance(error, BrokerTransient):
                self._refused[key] -= 1
                raise
            if self._refused[key] >= _REFUSALS:
                self._given_up.append(f"{left:+.10g} {symbol} is still held: {error}")

    async def tell(self) -> None:
        """Note in the record what was done, with the executions of the guard's orders."""
        seen = await self._look()
        names = {one[0] for one in self.record.closings} | set(self.known.orders)  # of those the journal may lack some
        self.record.add(one for one in seen.fills if one.id in names)
        stays = [name for name, one in self._seen.items() if one.status not in ENDED and name in self.known.orders]
        parts = [f"{len(self._cancelled)} of its orders cancelled"] if self._cancelled else []
        for _, symbol, _, side, quantity in self.record.closings:
            parts.append(f"{side} {quantity:.10g} {symbol} at the market")
        for key in self._keys():
            held = self._held(key)
            if self.record.how == "cancel" and abs(held) > 0.0:
                stops = sum(self.known.orders[name].symbol == key[0] for name in stays)
                parts.append(f"{held:+.10g} {key[0]} stays, with {stops} orders that protect it")
        self.record.text = "; ".join([*(parts or ["nothing of it stood at the venue"]), *self._given_up])
        self.record.verified = not self._given_up and self.counted()

    def counted(self) -> bool:
        """Tell whether every execution that the venue counts is among those that were told."""
        told: dict[str, float] = {}
        for fill in self.record.executions():
            told[fill.id] = told.get(fill.id, 0.0) + fill.quantity
        return all(
            abs(self._seen[one[0]].filled - told.get(one[0], 0.0)) <= 1e-9 * max(one[4], 1.0)
            for one in self.record.closings
            if one[0] in self._seen
        )


async def wind_down(winding: Winding, tell: Callable[[str], None]) -> None:
    """Wind down until the venue has shown twice that all is done; as long as it cannot be reached, it is tried again.

    Parameters
    ----------
    winding : Winding
    tell : callable
        Told whatever goes wrong.
    """
    clean, wait, nap = 0, 1.0, _NAP_S
    while clean < 2 or (clean < _LOOKS and not winding.counted()):
        try:
            clean = clean + 1 if await winding.done() else 0
            if clean > 1:
                await winding.tell()
            wait = 1.0
        except BrokerError as error:
            clean = 0
            tell(f"{error}; it is tried again in {wait:g} s")
            await asyncio.sleep(wait)
            wait = min(2.0 * wait, _LONGEST_S)
            continue
        if clean < 2:
            await asyncio.sleep(winding.terms.settle_s if clean else nap)
            nap = min(1.5 * nap, 1.0)
    winding.keep()


async def wind_down_as(
    ward: Ward, credentials: Credentials, terms: GuardTerms, told: dict[str, Any] | None, record: Record, *,
    keep: Callable[[], None], tell: Callable[[str], None],
) -> None:  # fmt: skip
    """Wind a ward down with a broker of one's own.

    Parameters
    ----------
    ward : Ward
    credentials : Credentials
    terms : GuardTerms
    told : dict or None
        What the bot said last of its orders and of what it holds; what its journal says where it said nothing.
    record : Record
    keep, tell : callable
        As of `Winding` and `wind_down`.

    Raises
    ------
    ConfigError, DataError
        Nothing is known of the bot, or of its venue.
    """
    known = Known.of(told) if told is not None else known_in_journal(ward)
    broker = ward.broker(credentials, terms)
    winding = Winding(broker, known, record, mark=guard_mark(ward.core_name), terms=terms, keep=keep)
    try:
        await wind_down(winding, tell)
    finally:
        await broker.close()


def known_in_journal(ward: Ward) -> Known:
    """Give what a journal knows of a bot, without its strategy or anything else that it was made with.

    Raises
    ------
    DataError
        The journal cannot be read, or its beginning was pruned.
    """
    from workbench.bots.clerk import Clerk
    from workbench.bots.journal import JournalReader
    from workbench.bots.journal.keys import seal_key
    from workbench.trading.events import Filled

    clerk, held = Clerk({}), dict[tuple[str, str], float]()
    with JournalReader.open(ward.place, ward.bot, seal_key(Path(ward.folder), make=False)) as journal:
        for entry in journal.entries():
            one = entry.record
            clerk.recall(one)
            if isinstance(one, Filled):
                key = one.symbol, one.leg
                held[key] = held.get(key, 0.0) + one.change
    orders = {
        name: Own(line.order.symbol, line.order.side, line.order.leg, line.filled, bool(line.order.parent))
        for name, line in clerk.lines.items()
        if line.state != "done"
    }
    return Known(orders, {key: quantity for key, quantity in held.items() if abs(quantity) > 1e-12})
