"""Two orders to sell the same coins: at a venue that locks what is to be sold they rest as one list, or not at all.

A stop and a target for one position cannot both rest on Binance's spot market unless they are sent as a list of which
one cancels the other. To put one beside the other, to change one, or to take one away, the list is cancelled and what
is wanted is sent anew; between the two requests nothing protects the position, which is as short as the venue allows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final, NamedTuple

from workbench.bots.brokers.amending import cancel_named, submit_worded
from workbench.bots.brokers.finding import find_order
from workbench.bots.brokers.reading import read_order
from workbench.bots.brokers.register import Line, Register
from workbench.bots.brokers.talk import VenueOrder
from workbench.bots.brokers.wire import Wire
from workbench.bots.brokers.wording import word_order
from workbench.errors import BrokerError, BrokerRejected, BrokerTransient, BrokerUnknown
from workbench.trading.orders import Order

__all__ = ["Pairs"]

_STOPS: Final = ("stop", "stop_limit", "trailing_stop")


class _Side(NamedTuple):
    """One of the two: its line, and the terms that it is to have, quantity included."""

    line: Line
    order: Order


class Pairs:
    """The pairs of a broker.

    Parameters
    ----------
    wire : Wire
    register : Register
    """

    def __init__(self, wire: Wire, register: Register) -> None:
        self._wire, self._register = wire, register

    def beside(self, order: Order) -> Line | None:
        """Give the order that locks the coins which another one is to sell; None where that is not the reason."""
        if self._wire.offers(order.symbol).amends != "exchange" or order.side != "sell" or not _reduces(order):
            return None
        for line in reversed(self._register.lines.values()):
            other = line.order
            if other is None or line.over or line.partner or line.symbol != order.symbol or line.id == order.id:
                continue
            if other.side == "sell" and _reduces(other) and _pairs(order.type, other.type):
                return line
        return None

    async def join(self, line: Line, order: Order, other: Line) -> VenueOrder:
        """Put an order beside the one that locks its coins.

        Raises
        ------
        BrokerRejected, BrokerTransient, BrokerFatal, BrokerUnknown
            The other one stands as it was, unless nobody knows.
        """
        async with _both(line, other):
            stands = await find_order(self._wire, self._register, other)
            left = stands.quantity - stands.filled if stands is not None else order.quantity
            quantity = min(order.quantity, left)  # the venue took that much of it: the rest went as fees in coins
            sides = [
                _Side(one, replace(terms, quantity=quantity)) for one, terms in ((line, order), (other, _terms(other)))
            ]
            return await self._anew(sides, [other])

    async def change(self, line: Line, order: Order, other: Line) -> VenueOrder:
        """Give an order of a pair new terms, its quantity included; as `join`."""
        async with _both(line, other):
            sides = [_Side(line, order), _Side(other, replace(_terms(other), quantity=order.quantity))]
            return await self._anew(sides, [line, other])

    async def leave(self, line: Line, other: Line) -> None:
        """Put back the one of a pair that is to stay, once the cancel of the other has ended both."""
        if other.leaving or other.lock.locked():
            return  # it goes too, or is being changed: whoever asks for it next finds that it is gone
        async with other.lock:
            other.changing = True
            try:
                ended = await find_order(self._wire, self._register, other)
                if ended is None or ended.status == "closed":
                    return
                line.partner = other.partner = ""
                left = ended.quantity - ended.filled
                _step(other, ended.filled)
                await self._alone(_Side(other, replace(_terms(other), quantity=left)))
            finally:
                other.changing = False

    async def _anew(self, sides: Sequence[_Side], standing: Sequence[Line]) -> VenueOrder:
        """Cancel what stands, and send both as a list; what stood is put back where that is refused."""
        lines, before = [side.line for side in sides], {one.id: _terms(one) for one in standing}
        for one in lines:
            one.changing = True
        try:
            await cancel_named(self._wire, self._register, standing[0], self._register.spell(standing[0]))
            for one in standing:
                await self._gone(one)
            try:
                return await self._send(sides)
            except BrokerUnknown:
                for one in lines:
                    one.sure = False
                raise
            except BrokerError as error:
                old = [_Side(one, replace(before[one.id], quantity=side.order.quantity))
                       for one, side in zip(lines, sides, strict=True) if one.id in before]  # fmt: skip
                await self._back(old, error)
                raise
        finally:
            for one in lines:
                one.changing = False

    async def _gone(self, line: Line) -> None:
        """See what had become of an order when it was cancelled."""
        ended = await find_order(self._wire, self._register, line)
        if ended is not None and ended.status == "closed":
            raise BrokerRejected(f"{line.id} was filled meanwhile: nothing is left to sell", code="order_is_final")
        _step(line, ended.filled if ended is not None else 0.0)
        line.partner = ""

    async def _send(self, sides: Sequence[_Side]) -> VenueOrder:
        """Send both as a list; give the first."""
        wire, register = self._wire, self._register
        request: dict[str, Any] = {}
        for side in sides:
            request |= self._worded(side)
        answer = await wire.call("submit", "privatePostOrderListOco", request, asked=f"pair of {sides[0].line.id}")
        reports = {row.get("clientOrderId"): row for row in answer.get("orderReports") or ()}
        told = []
        for side, other in ((sides[0], sides[1]), (sides[1], sides[0])):
            line = side.line
            row = reports.get(register.spell(line))
            if row is None:
                raise BrokerUnknown(f"{wire.name}: the answer to a pair of orders does not name {line.id}")
            line.partner, line.sure = other.line.id, True
            line.order = replace(_terms(line), price=side.order.price, stop_price=side.order.stop_price)
            told.append(read_order(wire.rest.parse_order(row, wire.rest.market(line.symbol)), register, line.symbol))
        return told[0]

    def _worded(self, side: _Side) -> Mapping[str, Any]:
        """Say one of the two: the limit is the one above the price."""
        line, order = side
        wire = self._wire
        sole = replace(order, reduce_only=False, close_position=False)
        worded = word_order(sole, self._register.spell(line), wire.offers(line.symbol), wire.rest)
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

    async def _back(self, old: Sequence[_Side], error: BrokerError) -> None:
        """Put back what stood, on its old terms, and say so."""
        try:
            if len(old) == 1:
                await self._alone(old[0])
            else:
                await self._send(old)
        except BrokerError as worse:
            error.add_note(f"what stood before is gone, and could not be put back: {worse}")
            error.fields["gone"] = True
        else:
            error.add_note("what stood before was cancelled for it and has been put back")

    async def _alone(self, side: _Side) -> None:
        line, wire = side.line, self._wire
        line.sure = False
        sole = replace(side.order, close_position=False)
        worded = word_order(sole, self._register.spell(line), wire.offers(line.symbol), wire.rest)
        await submit_worded(wire, self._register, line, worded)
        line.sure = True


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


def _step(line: Line, filled: float) -> None:
    """Note that another order is to stand for ours, and what those before have executed."""
    line.carried, line.number, line.venue_id, line.over = filled, line.number + 1, "", False


def _reduces(order: Order) -> bool:
    return order.reduce_only or order.close_position


def _pairs(one: str, other: str) -> bool:
    return (one == "limit" and other in _STOPS) or (other == "limit" and one in _STOPS)
