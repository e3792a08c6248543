"""Placing and cancelling one order of a broker: how large it is, whose coins it sells, and what stands in its way."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from workbench.bots.brokers.amending import submit_worded
from workbench.bots.brokers.finding import find_order, ways_to, whole_order
from workbench.bots.brokers.pairing import Pairs, at_once
from workbench.bots.brokers.register import Line, Register
from workbench.bots.brokers.talk import ENDED, VenueOrder, VenuePosition
from workbench.bots.brokers.wire import Wire
from workbench.bots.brokers.wording import refused, word_order
from workbench.errors import BrokerError, BrokerRejected, BrokerUnknown
from workbench.trading.core import Traded
from workbench.trading.orders import Order

__all__ = ["Held", "Ordering", "terms_kept"]

_CLOSE_ENOUGH: Final = 0.98  # of what is to be sold: the rest went as fees in the coin itself

Held = Callable[[str, str], float]


class Ordering(ABC):
    """The part of a broker that places and cancels; `CcxtBroker` says what for.

    Whoever calls holds the lock of the order's line.
    """

    wire: Wire
    markets: dict[str, Traded]
    register: Register
    pairs: Pairs
    held: Held | None

    @abstractmethod
    async def positions(self) -> tuple[VenuePosition, ...]:
        """Give what is held of the contracts that are traded."""

    async def submit(self, order: Order) -> VenueOrder:
        """Send an order; what locks the coins that it sells makes room where that can be.

        Raises
        ------
        BrokerRejected, BrokerTransient, BrokerFatal, BrokerUnknown
        """
        if order.symbol not in self.markets:
            raise refused("unknown_instrument", order)
        offers = self.wire.offers(order.symbol)
        line = self.register.line(order.id, order.symbol)
        order = terms_kept(order)
        line.order, line.sure, line.over = order, True, False
        try:
            sized = await self.sized(order, closes=offers.closes)
            self._check_owned(sized)
            return await self._placed(line, sized)
        except BrokerUnknown:
            raise
        except BrokerError as error:
            line.over = error.fields.get("code") != "duplicate_id"  # it surely does not stand
            raise

    async def _placed(self, line: Line, order: Order) -> VenueOrder:
        """Send an order; what orders of ours lock of the coins that it is to sell is set free for it."""
        place = partial(self._place, line, order)
        try:
            return await place()
        except BrokerRejected as error:
            locking = self.pairs.locking(order) if _lacks_money(error) else []
            if not locking:
                raise
            if at_once(order):
                return await self.pairs.instead(line, order, place)
            beside = self.pairs.beside(order)
            if beside is not None:
                return await self.pairs.join(line, order, beside)
            names = " and ".join(one.id for one in locking)
            raise BrokerRejected(
                f"{error}; {names} lock what it is to sell, and it cannot rest beside that there", **error.fields
            ) from error

    async def _place(self, line: Line, order: Order) -> VenueOrder:
        """Send an order, for a little less where the rest went as fees."""
        offers, name = self.wire.offers(order.symbol), self.register.spell(line)
        try:
            return await submit_worded(self.wire, self.register, line, word_order(order, name, offers, self.wire.rest))
        except BrokerRejected as error:
            less = await self._after_fees(order, error)
            if less is None:
                raise
        return await submit_worded(self.wire, self.register, line, word_order(less, name, offers, self.wire.rest))

    def _check_owned(self, order: Order) -> None:
        """Refuse to sell coins on spot that the bot has not bought: they are its owner's."""
        one = self.markets[order.symbol]
        if one.instrument.kind != "spot" or order.side != "sell" or self.held is None:
            return
        held = max(self.held(order.symbol, order.leg), 0.0)
        if order.quantity > held + max(one.lots.lot / 2.0, 1e-9 * held):
            raise refused("short_not_allowed", order, f"{order.quantity:.12g} of {held:.12g} that it has bought")

    async def sized(self, order: Order, *, closes: bool = False) -> Order:
        """Give an order for all that is held a quantity, unless the venue has such orders."""
        if not order.close_position or (closes and order.type in ("stop", "take_profit")):
            return order
        if self.held is not None:
            held = self.held(order.symbol, order.leg)
        elif self.markets[order.symbol].instrument.kind == "spot":
            raise refused("not_a_number", order, "nobody says how much of the coin the bot holds (CcxtBroker.held)")
        else:
            held = sum(
                one.quantity for one in await self.positions() if (one.symbol, one.leg) == (order.symbol, order.leg)
            )
        quantity = max(0.0, -held * order.sign)
        if not quantity:
            raise refused("reduce_only_would_increase", order)
        return replace(order, quantity=quantity, close_position=False, reduce_only=True, extra=dict(order.extra))

    async def _after_fees(self, order: Order, error: BrokerRejected) -> Order | None:
        """Give a sale of what is there of coins whose fee was taken in coins; None where it is another case."""
        instrument = self.markets[order.symbol].instrument
        if not _lacks_money(error) or instrument.kind != "spot" or order.side != "sell":
            return None
        balance = await self.wire.call("read", "fetch_balance", asked="balance")
        free = float((balance.get(self.wire.rest.market(order.symbol)["base"]) or {}).get("free") or 0.0)
        if not _CLOSE_ENOUGH * order.quantity <= free < order.quantity:
            return None
        whole = float(self.wire.rest.amount_to_precision(order.symbol, free))
        return replace(order, quantity=whole, extra=dict(order.extra))

    async def cancel(self, line: Line) -> VenueOrder | None:
        """Cancel what stands for an order; where its partner would end with it, that is put back.

        Raises
        ------
        BrokerRejected, BrokerTransient, BrokerFatal, BrokerUnknown
        """
        if not line.sure:
            found = await find_order(self.wire, self.register, line)
            if found is not None and found.status in ENDED:
                return found
        name, by_name = self.register.spell(line), self.wire.offers(line.symbol).by_client_id
        if not by_name and not line.venue_id:
            await find_order(self.wire, self.register, line)
        last: BrokerRejected | None = None
        for params in ways_to(self.wire, line):
            given = {**params, "clientOrderId": name} if by_name else dict(params)
            try:
                row = await self.wire.call(
                    "cancel", "cancel_order", None if by_name else line.venue_id or name, line.symbol, given,
                    asked=f"cancel {name}",
                )  # fmt: skip
            except BrokerRejected as error:
                if error.fields.get("code") != "unknown_order":
                    raise
                last = error
                continue
            partner = self.register.partner(line)
            if partner is not None:
                await self.pairs.leave(line, partner)
            if not row or row.get("status") not in ENDED or params:
                return None
            return await whole_order(self.wire, self.register, {**row, "clientOrderId": name}, line.symbol)
        raise last or BrokerRejected(f"{line.id}: the venue has no such order", code="unknown_order")


def _lacks_money(error: BrokerRejected) -> bool:
    return error.fields.get("code") == "insufficient_margin"


def terms_kept(order: Order) -> Order:
    """Give an order of the books as one of the broker's own."""
    own = replace(order, extra=dict(order.extra))
    if own.type == "trailing_stop" and own.stop_price == own.stop_price:
        own.activation, own.stop_price = own.stop_price, math.nan  # books have a changed activation there
    return own
