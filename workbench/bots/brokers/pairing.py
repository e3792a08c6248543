"""Two orders to sell the same coins: at a venue that locks what is to be sold they rest as one list, or not at all.

A stop and a target for one position cannot both rest on Binance's spot market unless they are sent as a list of which
one cancels the other. To put one beside the other, to change one, or to take one away, the list is cancelled and what
is wanted is sent anew; between the two requests nothing protects the position, which is as short as the venue allows.
What is to be sold at once goes before what rests, at any such venue: that is cancelled, and stands again for the rest.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import Any, Final, NamedTuple

from workbench.bots.brokers.amending import cancel_named, submit_worded
from workbench.bots.brokers.finding import find_order
from workbench.bots.brokers.reading import read_order
from workbench.bots.brokers.register import Line, Register
from workbench.bots.brokers.talk import ENDED, VenueOrder
from workbench.bots.brokers.wire import Wire
from workbench.bots.brokers.wording import word_order
from workbench.errors import BrokerError, BrokerRejected, BrokerTransient, BrokerUnknown
from workbench.trading.orders import Order

__all__ = ["Pairs", "at_once"]

_STOPS: Final = ("stop", "stop_limit", "trailing_stop")
_NEAR: Final = 1e-9  # what floats may lose, as a fraction


class _Side(NamedTuple):
    """An order to be sent: its line, its terms with what is left, its number, and what those before executed."""

    line: Line
    order: Order
    number: int
    carried: float


_Group = list[_Side]
"""One order, or two that are a list."""


class Pairs:
    """The pairs of a broker.

    Parameters
    ----------
    wire : Wire
    register : Register

    Attributes
    ----------
    lost : list of mapping
        Orders, as ccxt's rows, that were cancelled for a sale and could not be put back, though it was made: news.
    """

    def __init__(self, wire: Wire, register: Register) -> None:
        self._wire, self._register = wire, register
        self.lost: list[Mapping[str, Any]] = []

    def beside(self, order: Order) -> Line | None:
        """Give the order that locks the coins which another one is to sell; None where that is not the reason."""
        if self._wire.offers(order.symbol).amends != "exchange" or not _reduces(order) or at_once(order):
            return None
        fits = (
            line for line in reversed(self.locking(order))
            if self._register.partner(line) is None and _pairs(order.type, _terms(line).type)
        )  # fmt: skip
        return next(fits, None)

    def locking(self, order: Order) -> list[Line]:
        """Give our orders that lock the coins which a sale needs, those that protect last; none for contracts."""
        if order.side != "sell" or self._wire.offers(order.symbol).reduce_only:
            return []
        found = [line for line in self._register.lines.values() if _locks(line, order)]
        return sorted(found, key=lambda line: _terms(line).type in _STOPS)

    async def join(self, line: Line, order: Order, other: Line) -> VenueOrder:
        """Put an order beside the one that locks its coins.

        Raises
        ------
        BrokerRejected, BrokerTransient, BrokerFatal, BrokerUnknown
            The other one stands as it was, unless the error's `fields` say that it is "gone".
        """
        async with _both(line, other):
            stands = await find_order(self._wire, self._register, other)
            left = stands.quantity - stands.filled if stands is not None else order.quantity
            quantity = min(order.quantity, left)  # the venue took that much of it: the rest went as fees in coins
            wanted = [
                (one, replace(terms, quantity=quantity)) for one, terms in ((line, order), (other, _terms(other)))
            ]
            return await self._anew(wanted, [other])

    async def change(self, line: Line, order: Order, other: Line) -> VenueOrder:
        """Give an order of a pair new terms, its quantity included; as `join`."""
        async with _both(line, other):
            wanted = [(line, order), (other, replace(_terms(other), quantity=order.quantity))]
            return await self._anew(wanted, [line, other])

    async def leave(self, line: Line, other: Line) -> None:
        """Put back the one of a pair that is to stay, once the cancel of the other has ended both."""
        if other.leaving or other.changing:
            return  # it goes too, or is being changed: whoever asks for it next finds that it is gone
        async with other.lock:
            other.changing = True
            try:
                ended = await find_order(self._wire, self._register, other)
                if ended is None or ended.status not in ENDED or ended.status == "closed":
                    return
                line.partner = other.partner = ""
                await self._put([_again(other, ended)])
            except BrokerError as error:
                error.fields["gone"] = True
                raise
            finally:
                other.changing = False

    async def instead(self, line: Line, order: Order, place: Callable[[], Awaitable[VenueOrder]]) -> VenueOrder:
        """Sell at once what orders of ours lock: they are cancelled for it, and stand again for what is left.

        Raises
        ------
        BrokerRejected, BrokerTransient, BrokerFatal, BrokerUnknown
            They stand as they were, unless the error's `fields` say that they are "gone".
        """
        async with _all(self.locking(order)) as others:
            stood = await self._free(others, order.quantity)
            try:
                sent = await place()
            except BrokerUnknown as error:
                error.fields["gone"] = bool(stood)  # it may have sold them, or still do: nothing else may sell them too
                raise
            except BrokerError as error:
                await self._back(stood, error)
                raise
            if sent.status not in ENDED:
                with suppress(BrokerError):
                    sent = await find_order(self._wire, self._register, line) or sent
            await self._stand_again(stood, sent.filled if sent.status in ENDED else order.quantity)
            return sent

    async def _free(self, others: Sequence[Line], quantity: float) -> list[_Group]:
        """Cancel orders until a quantity of coins is free; give what stood."""
        stood: list[_Group] = []
        for one in others:
            if one.over:
                continue
            partner = self._register.partner(one)
            try:
                stood.append(await self._end([one] if partner is None else [one, partner]))
            except BrokerError as error:
                await self._back(stood, error)
                raise
            if sum(_size(group) for group in stood) >= quantity * (1.0 - _NEAR):
                break
        return stood

    async def _stand_again(self, stood: Sequence[_Group], sold: float) -> None:
        """Put back what was cancelled for a sale, for what is left of the coins."""
        left = sum(_size(group) for group in stood) - sold
        for group in reversed(stood):
            quantity = min(left, _size(group))
            if quantity > _NEAR * sold:
                left -= quantity
                try:
                    await self._put([side._replace(order=replace(side.order, quantity=quantity)) for side in group])
                except BrokerError:
                    self.lost += [_ended_row(side, self._register.spell(side.line)) for side in group]

    async def _anew(self, wanted: Sequence[tuple[Line, Order]], standing: Sequence[Line]) -> VenueOrder:
        """Cancel what stands, and send both as a list; what stood is put back where that is refused."""
        for one, _ in wanted:
            one.changing = True
        try:
            stood = await self._end(standing)
            after = {side.line.id: side for side in stood}
            sides = [
                after[one.id]._replace(order=order) if one.id in after else _Side(one, order, one.number, one.carried)
                for one, order in wanted
            ]
            try:
                return await self._send(sides)
            except BrokerUnknown as error:
                error.fields["gone"] = True
                raise
            except BrokerError as error:
                await self._back([stood], error)
                raise
        finally:
            for one, _ in wanted:
                one.changing = False

    async def _end(self, lines: Sequence[Line]) -> _Group:
        """Cancel an order, or both of a list, and give what stood; an answer that is lost is looked for."""
        for one in lines:
            _terms(one)  # what is not known could not be put back
            if not one.sure or not (one.venue_id or self._wire.offers(one.symbol).by_client_id):
                await find_order(self._wire, self._register, one)
        with suppress(BrokerUnknown):
            await cancel_named(self._wire, self._register, lines[0], self._register.spell(lines[0]))
        try:
            return [await self._ended(one) for one in lines]
        except BrokerError as error:
            error.fields["gone"] = True
            raise

    async def _ended(self, line: Line) -> _Side:
        """See what had become of an order when it was cancelled."""
        ended = await find_order(self._wire, self._register, line)
        if ended is not None and ended.status == "closed":
            raise BrokerRejected(f"{line.id} was filled meanwhile: nothing is left to sell", code="order_is_final")
        if ended is not None and ended.status not in ENDED:
            raise BrokerTransient(f"{line.id} is not known to be cancelled yet", retry_ms=200)
        line.partner = ""
        return _again(line, ended)

    async def _put(self, group: _Group) -> None:
        """Send what stood once more: one alone, two as a list."""
        if len(group) == 2:
            await self._send(group)
            return
        ((line, order, number, _),) = group
        wire = self._wire
        sole = replace(order, close_position=False)
        worded = word_order(sole, self._register.names.spell(line.id, number), wire.offers(line.symbol), wire.rest)
        with _stepped(group):
            await submit_worded(wire, self._register, line, worded)

    async def _send(self, sides: _Group) -> VenueOrder:
        """Send both as a list; give the first."""
        request: dict[str, Any] = {}
        for side in sides:
            request |= self._worded(side)
        with _stepped(sides):
            return await self._sent(sides, request)

    async def _sent(self, sides: _Group, request: Mapping[str, Any]) -> VenueOrder:
        wire, register = self._wire, self._register
        answer = await wire.call("submit", "privatePostOrderListOco", request, asked=f"pair of {sides[0].line.id}")
        reports = {row.get("clientOrderId"): row for row in answer.get("orderReports") or ()}
        told = []
        for side, other in ((sides[0], sides[1]), (sides[1], sides[0])):
            line = side.line
            row = reports.get(register.spell(line))
            if row is None:
                raise BrokerUnknown(f"{wire.name}: the answer to a pair of orders does not name {line.id}")
            line.partner = other.line.id
            line.order = replace(_terms(line), price=side.order.price, stop_price=side.order.stop_price)
            told.append(read_order(wire.rest.parse_order(row, wire.rest.market(line.symbol)), register, line.symbol))
        return told[0]

    def _worded(self, side: _Side) -> Mapping[str, Any]:
        """Say one of the two: the limit is the one above the price."""
        line, order, number, _ = side
        wire = self._wire
        sole = replace(order, reduce_only=False, close_position=False)
        worded = word_order(sole, self._register.names.spell(line.id, number), wire.offers(line.symbol), wire.rest)
        plain = wire.rest.create_order_request(
            worded.symbol, worded.type, worded.side, worded.amount, worded.price, worded.params
        )
        limit = order.type == "limit"
        words = {
            "Type": "LIMIT_MAKER" if limit else plain["type"], "ClientOrderId": plain["newClientOrderId"],
            "Price": plain.get("price"), "StopPrice": plain.get("stopPrice"),
            "TrailingDelta": plain.get("trailingDelta"), "TimeInForce": None if limit else plain.get("timeInForce"),
        }  # fmt: skip
        own = {("above" if limit else "below") + word: value for word, value in words.items() if value is not None}
        return {**{name: plain[name] for name in ("symbol", "side", "quantity")}, **own}

    async def _back(self, stood: Sequence[_Group], error: BrokerError) -> None:
        """Put back what stood, and say so."""
        for group in reversed(stood):
            if not _size(group):
                continue
            try:
                await self._put(group)
            except BrokerError as worse:
                error.add_note(f"what stood before is gone, and could not be put back: {worse}")
                error.fields["gone"] = True
            else:
                error.add_note("what stood before was cancelled for it and has been put back")


@asynccontextmanager
async def _all(lines: Sequence[Line]) -> AsyncIterator[Sequence[Line]]:
    """Hold orders that are to give way to another one."""
    if any(one.leaving or one.changing for one in lines):
        raise BrokerTransient("an order that sells the same coins is being changed", retry_ms=200)
    async with AsyncExitStack() as stack:
        try:
            for one in lines:
                one.leaving = True  # who holds one of them and wants another gives way
            for one in lines:
                await stack.enter_async_context(one.lock)
                one.leaving = one.changing = True
            yield lines
        finally:
            for one in lines:
                one.leaving = one.changing = False


@asynccontextmanager
async def _both(line: Line, other: Line) -> AsyncIterator[None]:
    """Hold the other of a pair too: of two that want each other, the one with the greater id gives way."""
    if other.lock.locked() and (other.leaving or line.id > other.id):
        raise BrokerTransient(f"{other.id}, which sells the same coins, is being changed", retry_ms=200)
    async with other.lock:
        if other.over:
            raise BrokerTransient(f"{other.id}, which sold the same coins, has just ended", retry_ms=200)
        yield


def _terms(line: Line) -> Order:
    if line.order is None:
        raise BrokerRejected(f"{line.id}: its terms are not known", code="unknown_order")
    return line.order


def _again(line: Line, ended: VenueOrder | None) -> _Side:
    """Give an order that has ended as it may stand again: on its terms, for what it had not executed."""
    order, left = _terms(line), 0.0 if ended is None else ended.quantity - ended.filled
    filled = line.carried if ended is None else ended.filled
    if order.type == "trailing_stop" and -order.sign * (order.price - order.activation) >= 0.0:
        order = replace(order, activation=math.nan)  # it trailed already
    return _Side(line, replace(order, quantity=left), line.number + 1, filled)


def _ended_row(side: _Side, name: str) -> Mapping[str, Any]:
    """Say in ccxt's words that an order is no more."""
    line = side.line
    words = {"id": line.venue_id, "symbol": line.symbol, "status": "canceled", "filled": side.carried - line.carried}
    return {**words, "clientOrderId": name}


@contextmanager
def _stepped(sides: _Group) -> Iterator[None]:
    """Let orders stand for ours that are being sent, unless they surely do not, or nobody knows."""
    before = [(one.line, one.line.number, one.line.carried, one.line.venue_id, one.line.over) for one in sides]
    for line, _, number, carried in sides:
        line.number, line.carried, line.venue_id, line.over, line.sure = number, carried, "", False, False
    try:
        yield
    except BaseException as error:
        for line, number, carried, venue_id, over in before:
            line.number, line.carried, line.venue_id, line.over = number, carried, venue_id, over
            line.sure = isinstance(error, BrokerError) and not isinstance(error, BrokerUnknown)
        raise
    for side in sides:
        side.line.sure = True


def _size(group: _Group) -> float:
    """Give how much of the coins an order, or a list of two, locks."""
    return group[0].order.quantity


def at_once(order: Order) -> bool:
    """Tell whether an order trades now or never."""
    return order.type == "market" or order.time_in_force in ("IOC", "FOK")


def _locks(line: Line, order: Order) -> bool:
    """Tell whether an order of ours locks coins that another one would sell."""
    one = line.order
    if one is None or line.over or line.symbol != order.symbol or line.id == order.id:
        return False
    return one.side == "sell" and _reduces(one) and not at_once(one)


def _reduces(order: Order) -> bool:
    return order.reduce_only or order.close_position


def _pairs(one: str, other: str) -> bool:
    return (one == "limit" and other in _STOPS) or (other == "limit" and one in _STOPS)
