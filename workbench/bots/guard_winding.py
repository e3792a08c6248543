"""Winding a dead bot down at its venue: its orders are cancelled, what it holds is closed, and the venue shows that.

Only what is the bot's own is touched, by the client order ids that it gave and the quantities of its books, so that an
account may be shared; and never more is closed than the venue has.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from workbench.bots.brokers.talk import ENDED, Find, Look, Send, Snapshot, VenueOrder
from workbench.bots.guard_record import Record, guard_mark
from workbench.bots.guard_terms import GuardTerms
from workbench.bots.killing import too_small
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
_SMALL: Final = ("below_min_notional", "below_min_quantity")
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
    """What is known of a bot: its orders that have not ended, by id, and what it holds, by symbol and leg.

    `flight`: requests of it may still be on their way. `booked` are the executions of earlier guards that `held` has,
    each as "symbol trade"; `terms` the orders that stay where orders are only cancelled: a venue may end two at once.
    """

    orders: dict[str, Own]
    held: dict[tuple[str, str], float]
    flight: bool = False
    booked: frozenset[str] = frozenset()
    terms: tuple[Order, ...] = ()

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Known:
        """Read what a bot tells its guard."""
        orders = {name: Own(*one) for name, one in plain["orders"].items()}
        held = {(symbol, leg): float(quantity) for symbol, leg, quantity in plain["held"]}
        terms = tuple(Order(**one) for one in plain.get("terms", ()))
        return cls(orders, held, bool(plain.get("flight", True)), frozenset(plain.get("booked", ())), terms)


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
        self._quiet = self._began + (terms.land_s if known.flight else 0.0)  # from when on nothing can land any more
        self._sure = not known.flight  # every order was asked about since then
        self._lost: dict[str, float] = {}  # when the answer to a closing order was
        self._seen: dict[str, VenueOrder] = {}
        self._shown: Snapshot | None = None
        self._short_since: float | None = None
        self._most: dict[tuple[str, str], float] = {}  # that was held
        self._refused: dict[tuple[str, str], int] = {}
        self._why: dict[tuple[str, str], str] = {}
        self._small: dict[tuple[str, str], str] = {}  # what is left and too small to be closed
        self._again: dict[tuple[str, str], float] = {}  # when the next is tried
        self._cancelled: set[str] = set()
        self._timed = False
        self._count = 0
        self._earlier = frozenset(one[0] for one in record.closings)  # of guards before
        self._booked: dict[str, float] = {}
        for one in record.executions():
            if f"{one.symbol} {one.trade_id}" in known.booked:
                self._booked[one.id] = self._booked.get(one.id, 0.0) + one.quantity

    async def done(self) -> bool:
        """Do what is to be done next, and tell whether the venue shows that nothing is left to do.

        Raises
        ------
        BrokerTransient, BrokerFatal, BrokerUnknown
        """
        if not self._timed:
            now = await self._venue_time()
            self.record.venue_ts = self.record.venue_ts or now
            if self.record.how == "cancel":
                await self._learn()
            self._timed = True
        asked = time.monotonic()
        self._doubt(asked)
        open_orders = [name for name in self.known.orders if await self._ends(name)]
        left: list[tuple[str, str]] = []
        short = False
        if not open_orders:
            seen = self._shown = await self._look()
            open_orders = [one.id for one in seen.orders if self._is_to_end(one.id)]
            for name in open_orders:
                self._seen.pop(name, None)  # it is asked about again
            if self.record.how == "flatten":
                left = [key for key in self._keys() if await self._closes(key, seen, asked)]
                short = not left and self._is_short(seen, asked)
        landed = asked - self._began > self.terms.land_s
        missing = [name for name in self.known.orders if name not in self._seen]
        return self._sure and not (open_orders or left or short or (missing and not landed))

    def _doubt(self, asked: float) -> None:
        """Look for replacements of orders as long as any may land, and ask about all once more when none can."""
        if self._sure:
            return
        for name, own in self.known.orders.items():
            self.broker.register.line(name, own.symbol).sure = False
        if asked >= self._quiet:
            self._sure = True
            for name in self.known.orders:
                self._seen.pop(name, None)

    def _is_to_end(self, name: str) -> bool:
        own = self.known.orders.get(name)
        return own is not None and not (own.stays and self.record.how == "cancel")

    async def _learn(self) -> None:
        """Tell the broker what stays, and let it see which orders end together, so that it puts back what stays."""
        self.broker.remember(self.known.terms)
        for name, own in self.known.orders.items():
            self.broker.register.line(name, own.symbol)
        if self.known.terms:
            self._shown = await self._look()

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
        if found is None or found.status in ENDED or not self._is_to_end(name):
            return False
        try:
            await self.broker.send(Send(CancelOrder(name), name, own.symbol))
        except BrokerRejected:
            pass  # it ended meanwhile, which the next look at it shows
        except BrokerUnknown:  # what it stood beside may be placed anew
            self._quiet, self._sure = time.monotonic() + self.terms.land_s, False
            raise
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
                more = max(0.0, self._seen[name].filled - own.filled)
                held += more * (1.0 if own.side == "buy" else -1.0) - self._coin_fee(name, more)
        for name, symbol, leg, side, _ in self.record.closings:
            if (symbol, leg) == key and name in self._seen:
                filled = self._seen[name].filled - self._booked.get(name, 0.0)
                held += filled * (1.0 if side == "buy" else -1.0)
        self._most[key] = max(self._most.get(key, 0.0), abs(held))
        return held

    def _coin_fee(self, name: str, quantity: float) -> float:
        """Give what the venue took of the coin itself of the last of what an order has executed."""
        fills = [one for one in self._shown.fills if one.id == name] if self._shown is not None else []
        total = sum(one.quantity for one in fills)
        return sum(one.fee_base for one in fills) * min(1.0, quantity / total) if total > 0.0 else 0.0

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

    def _missing(self, key: tuple[str, str], seen: Snapshot) -> float:
        """Give what the books hold and the venue does not have, signed; of coins, fees in the coin itself aside."""
        held, there = self._held(key), self._at_venue(key, seen)
        missing = abs(held) - max(0.0, math.copysign(there, there * held))
        market = self.broker.markets[key[0]]
        fees = (1.0 - _NEARLY) * self._most[key] if market.instrument.kind == "spot" else 0.0
        return math.copysign(missing, held) if missing > max(market.lots.lot / 2, fees, 1e-9) else 0.0

    def _is_short(self, seen: Snapshot, asked: float) -> bool:
        """Tell whether the venue has less than the books and has not had the time to show all."""
        if not any(self._missing(key, seen) for key in self._keys()):
            self._short_since = None
            return False
        self._short_since = asked if self._short_since is None else self._short_since
        return asked - self._short_since < self.terms.land_s

    async def _closes(self, key: tuple[str, str], seen: Snapshot, asked: float) -> bool:
        """Close what is held; true while it is still to be closed."""
        if any((one[1], one[2]) == key and self._is_under_way(one[0], asked) for one in self.record.closings):
            return True
        left = self._left(key, seen)
        if not left or self._refused.get(key, 0) >= _REFUSALS:
            return False
        if time.monotonic() >= self._again.get(key, 0.0):
            await self._close(key, left)
        return True

    def _is_under_way(self, name: str, asked: float) -> bool:
        """Tell whether a closing order may still execute; one that the venue does not have in time never will."""
        if name in self._seen:
            return self._seen[name].status not in ENDED
        return asked < self._lost.get(name, self._began) + self.terms.land_s

    async def _close(self, key: tuple[str, str], left: float) -> None:
        symbol, leg = key
        side: Any = "sell" if left > 0.0 else "buy"
        name = f"{self._mark}{time.time_ns() // 1_000_000 << 7 | self._count & 127:012x}"
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
        except BrokerTransient:
            self.record.closings.pop()  # it is surely not there
            raise
        except BrokerRejected as error:
            if error.fields.get("code") != "duplicate_id":  # else it is there
                self.record.closings.pop()
                count = self._refused[key] = self._refused.get(key, 0) + 1
                self._why[key], self._again[key] = str(error), time.monotonic() + _NAP_S * 2.0**count
                if error.fields.get("code") in _SMALL:  # it stays so
                    self._refused[key] = _REFUSALS
                    self._small[key] = too_small(symbol, left, await self._price(symbol))
        except BrokerUnknown:
            pass  # the next looks say whether it arrived
        finally:
            self._lost[name] = time.monotonic()

    async def _price(self, symbol: str) -> float:
        """Ask for the last price; NaN where the venue does not say."""
        with suppress(BrokerError, AttributeError, TypeError, ValueError):
            return float((await self.broker.wire.call("read", "fetch_ticker", symbol)).get("last"))
        return math.nan

    def tell(self) -> None:
        """Note in the record what was done, with the executions of the guard's orders, by what the last look showed."""
        seen = self._shown
        if seen is None:
            return
        names = {one[0] for one in self.record.closings} | set(self.known.orders)  # of those the journal may lack some
        self.record.add(one for one in seen.fills if one.id in names)
        flatten = self.record.how == "flatten"
        stays = [name for name, one in self._seen.items() if one.status not in ENDED and name in self.known.orders]
        parts = [f"{len(self._cancelled)} of its orders cancelled"] if self._cancelled else []
        earlier: list[str] = []
        for name, symbol, _, side, _ in self.record.closings:
            if name in self._seen and self._seen[name].filled:
                done = f"{side} {self._seen[name].filled:.10g} {symbol} at the market"
                (earlier if name in self._earlier else parts).append(done)
        for key in self._keys():
            held = self._held(key)
            if not flatten and abs(held) > 0.0:
                stops = sum(self.known.orders[name].symbol == key[0] for name in stays)
                parts.append(f"{held:+.10g} {key[0]} stays, with {stops} orders that protect it")
            if flatten and (missing := self._missing(key, seen)):
                parts.append(f"{missing:+.10g} {key[0]} of its books is not at the venue")
        still = [
            self._small.get(key) or f"{left:+.10g} {key[0]} is still held: {self._why.get(key, 'it was not closed')}"
            for key in self._keys() if flatten and (left := self._left(key, seen))
        ]  # fmt: skip
        before = [f"done before: {', '.join(earlier)}"] if earlier else []
        self.record.text = "; ".join([*(parts or ["nothing of it stood at the venue"]), *still, *before])
        self.record.verified = not still and self.counted()

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
    while True:
        try:
            clean = clean + 1 if await winding.done() else 0
        except BrokerError as error:
            clean = 0
            tell(f"{error}; it is tried again in {wait:g} s")
            await asyncio.sleep(wait)
            wait = min(2.0 * wait, _LONGEST_S)
            continue
        wait = 1.0
        if clean > 1:
            winding.tell()
            if clean >= _LOOKS or winding.counted():
                break
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
    from workbench.bots.clerk_lines import DOUBT
    from workbench.bots.journal import JournalReader
    from workbench.bots.journal.keys import seal_key
    from workbench.trading.events import Filled

    clerk, held, booked = Clerk({}), dict[tuple[str, str], float](), set[str]()
    with JournalReader.open(ward.place, ward.bot, seal_key(Path(ward.folder), make=False)) as journal:
        for entry in journal.entries():
            one = entry.record
            clerk.recall(one)
            if isinstance(one, Filled):
                key = one.symbol, one.leg
                held[key] = held.get(key, 0.0) + one.change
                booked.add(f"{one.symbol} {one.trade}")
    lines = {name: line for name, line in clerk.lines.items() if line.state != "done"}
    orders = {
        name: Own(line.order.symbol, line.order.side, line.order.leg, line.filled, bool(line.order.parent))
        for name, line in lines.items()
    }
    flight = any(line.state in DOUBT or line.change is not None or line.cancel for line in lines.values())
    terms = tuple(line.order for line in lines.values() if line.order.parent)
    left = {key: one for key, one in held.items() if abs(one) > 1e-12}
    return Known(orders, left, flight, frozenset(booked), terms)
