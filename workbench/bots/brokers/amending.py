"""Changing an order at a venue: in place where it can, else by another that takes its place.

What never happens is that a position has less protection than the venue makes unavoidable: an order that only reduces
is replaced before it is cancelled, and where a venue locks what is to be sold, both go in one request. An order that
could open something is cancelled first, so that it never fills twice.

A trailing stop is replaced only for another quantity or activation. No venue takes over the level that another order
has trailed to, so that what replaces it trails anew from the price of then; one changed in place keeps its level. Of
one that trails already, as far as the price tells, the replacement does not wait for an activation again.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from workbench.bots.brokers.finding import find_order, terms_of, ways_to
from workbench.bots.brokers.reading import read_order
from workbench.bots.brokers.register import Line, Register
from workbench.bots.brokers.talk import ENDED, VenueOrder
from workbench.bots.brokers.verdicts import code_of
from workbench.bots.brokers.wire import Wire
from workbench.bots.brokers.wording import Worded, refused, word_order
from workbench.errors import BrokerError, BrokerRejected, BrokerUnknown
from workbench.trading.events import AmendOrder
from workbench.trading.exits import further
from workbench.trading.orders import Order

__all__ = ["Ways", "amend_order", "cancel_named", "submit_worded"]

_CLOSE_ENOUGH: Final = 0.98  # the rest of what is held went as fees in the coin itself
_DATA: Final = re.compile(r"\{.*\}", re.DOTALL)


class Ways(NamedTuple):
    """What a change may need of the broker: the quantity for all that is held, a pair sent anew, what time it is."""

    size: Callable[[Order], Awaitable[Order]]
    pair: Callable[[Line, Order, Line], Awaitable[VenueOrder]]
    now: Callable[[], int]


class _Change(NamedTuple):
    """An order as it is at the venue, and as it is to be; `new` has what is left to execute as its quantity."""

    line: Line
    old: VenueOrder
    before: Order
    new: Order


async def submit_worded(wire: Wire, register: Register, line: Line, worded: Worded) -> VenueOrder:
    """Send an order; the venue's answer must name it."""
    name = str(worded.params["clientOrderId"])
    row = await wire.call(
        "submit", "create_order", worded.symbol, worded.type, worded.side, worded.amount, worded.price, worded.params,
        asked=f"order {name}",
    )  # fmt: skip
    if not row or row.get("id") is None:
        raise BrokerUnknown(
            f"{wire.name}: order {name}: the answer names no order, it may have taken effect", verdict="ambiguous"
        )
    return read_order({**row, "clientOrderId": name}, register, worded.symbol)


async def amend_order(wire: Wire, register: Register, line: Line, action: AmendOrder, ways: Ways) -> VenueOrder | None:
    """Change a resting order.

    Parameters
    ----------
    wire : Wire
    register : Register
    line : Line
        The order's; its lock is held.
    action : AmendOrder
    ways : Ways

    Raises
    ------
    BrokerRejected
        It is over, or the venue refuses the change; the order is as it was unless the message says otherwise.
    BrokerTransient, BrokerFatal, BrokerUnknown
    """
    change = await _change(wire, register, line, action)
    if change.new.type == "trailing_stop":
        return await _amend_trailing(wire, register, change, action, ways)
    return await _carry_out(wire, register, change, ways)


async def _amend_trailing(
    wire: Wire, register: Register, change: _Change, action: AmendOrder, ways: Ways
) -> VenueOrder | None:
    """Change a trailing stop: what is known of its best price is nothing to the venue, which alone knows that."""
    line, before, new = change.line, change.before, change.new
    waited = math.isfinite(before.activation)
    runs = waited and await _trails(wire, replace(before, price=new.price, extra={}))
    resized = action.quantity == action.quantity and not math.isclose(action.quantity, change.old.quantity)
    moved = math.isfinite(new.activation) and new.activation != before.activation and not runs
    answer: VenueOrder | None = change.old
    runs = runs or (moved and await _trails(wire, new))
    if resized or (moved and (waited or not runs)):
        activation = math.nan if runs else new.activation
        sent = replace(new, price=math.nan, stop_price=math.nan, activation=activation, extra=dict(new.extra))
        before = replace(before, activation=math.nan if runs else before.activation, extra=dict(before.extra))
        answer = await _carry_out(wire, register, change._replace(before=before, new=sent), ways)
    else:
        _taken(change, None)
    if line.order is not None:
        best = further(new.price, new.activation, -new.sign) if runs else new.price
        line.order = replace(line.order, price=best, activation=new.activation, extra=dict(line.order.extra))
    if answer is None:
        return None
    return answer._replace(price=_or(action.price, new.price), stop_price=_or(action.stop_price, new.activation))


async def _trails(wire: Wire, order: Order) -> bool:
    """Tell whether the price has reached what a trailing stop waits for, as far as is known."""
    side = -order.sign
    if side * (order.price - order.activation) >= 0.0:
        return True
    last = (await wire.call("read", "fetch_ticker", order.symbol, asked=f"price of {order.symbol}")).get("last")
    return last is not None and side * (float(last) - order.activation) >= 0.0


async def _carry_out(wire: Wire, register: Register, change: _Change, ways: Ways) -> VenueOrder | None:
    """Change an order in the way of its venue."""
    line = change.line
    if change.before.close_position:
        change = change._replace(new=_as_before(await ways.size(change.new), change.old))
    offers = wire.offers(line.symbol)
    if offers.amends == "edit" and _edits(change, apart=offers.apart):
        return await _edit(wire, register, change)
    left_ms = math.inf if change.new.expires is None else change.new.expires - ways.now()
    if left_ms < offers.ahead_ms and offers.dates(change.new):  # as another order the venue would not take it any more
        raise refused("refused_by_venue", change.new, f"its date is {left_ms / 1_000:g} s away; it stays as it was")
    partner = register.partner(line)
    if offers.amends == "exchange" and partner is not None:
        return _taken(change, await ways.pair(line, change.new, partner))
    if offers.amends == "exchange":
        return await _exchange(wire, register, change)
    if change.new.reduce_only and offers.reduce_only:
        return await _place_first(wire, register, change)
    return await _cancel_first(wire, register, change)


def _edits(change: _Change, *, apart: bool) -> bool:
    """Tell whether a venue that changes orders in place changes this one so; where it trails from it does not."""
    new, before = change.new, change.before
    if new.type == "trailing_stop" and math.isfinite(new.activation) and new.activation != before.activation:
        return False
    return not apart or new.type == "limit"


def _as_before(new: Order, old: VenueOrder) -> Order:
    """Give an order for all that is held the quantity that the venue took of it before, where that is nearly all."""
    left = old.quantity - old.filled
    return (
        replace(new, quantity=left, extra=dict(new.extra))
        if _CLOSE_ENOUGH * new.quantity <= left <= new.quantity
        else new
    )


async def _change(wire: Wire, register: Register, line: Line, action: AmendOrder) -> _Change:
    """Look at the order, and give what it is to be."""
    old = await find_order(wire, register, line)
    if old is None:
        raise BrokerRejected(f"{line.id}: the venue has no such order", code="unknown_order")
    if old.status in ENDED:
        raise BrokerRejected(f"{line.id} is {old.status} at the venue: nothing to change", code="order_is_final")
    before = _order_of(old, line.order)
    quantity = _or(action.quantity, before.quantity)
    left = quantity if before.close_position else quantity - old.filled
    if not before.close_position and left <= 0.0:
        raise refused("below_filled", before, f"{quantity:g} of which {old.filled:g} are executed")
    changed = replace(
        before, quantity=quantity, price=_or(action.price, before.price),
        stop_price=_or(action.stop_price, before.stop_price), extra=dict(before.extra),
    )  # fmt: skip
    if before.type == "trailing_stop":
        changed.price = further(before.price, action.price, -before.sign)
        changed.activation = _or(action.stop_price, before.activation)
    line.order = before
    return _Change(line, old, before, replace(changed, quantity=left))


def _or(value: float, otherwise: float) -> float:
    return value if value == value else otherwise


def _order_of(one: VenueOrder, known: Order | None) -> Order:
    """Give the terms of an order: as the venue has them, and as we know them where it does not say."""
    if known is None:
        return Order(
            id=one.id, symbol=one.symbol, side=one.side, type=one.type, quantity=one.quantity, price=one.price,  # type: ignore[arg-type]
            stop_price=one.stop_price, reduce_only=one.reduce_only,
        )  # fmt: skip
    return terms_of(one, known)


def _taken(change: _Change, answer: VenueOrder | None) -> VenueOrder | None:
    """Remember the new terms."""
    before, new = change.before, change.new
    total = before.quantity if before.close_position else new.quantity + change.old.filled
    change.line.order = replace(
        before, quantity=total, price=new.price, stop_price=new.stop_price, activation=new.activation,
        extra=dict(before.extra),
    )  # fmt: skip
    return answer


async def _edit(wire: Wire, register: Register, change: _Change) -> VenueOrder | None:
    """Change an order in place; it keeps its id."""
    line, name = change.line, register.spell(change.line)
    whole = replace(change.new, quantity=change.new.quantity + change.old.filled - line.carried)
    worded = word_order(whole, name, wire.offers(line.symbol), wire.rest)
    params = {key: value for key, value in worded.params.items() if key != "clientOrderId"}
    if whole.type == "trailing_stop":
        params = {}  # only its quantity: a trigger given anew would be where it trails from
    try:
        row = await wire.call(
            "amend", "edit_order", change.old.venue_id, worded.symbol, worded.type, worded.side, worded.amount,
            worded.price, params, asked=f"change of {name}",
        )  # fmt: skip
    except BrokerUnknown:
        line.sure = False
        raise
    except BrokerRejected:
        there = await find_order(wire, register, line)
        if there is None or not _as_wanted(there, change):
            raise
        return _taken(
            change, there
        )  # HTTP repeats a PUT whose connection broke, and the venue had done it the first time
    if not row or row.get("status") is None:
        return _taken(change, None)
    return _taken(change, read_order({**row, "clientOrderId": name}, register, line.symbol))


def _as_wanted(there: VenueOrder, change: _Change) -> bool:
    new, total = change.new, change.new.quantity + change.old.filled
    pairs = ((there.price, new.price), (there.quantity, total), (there.stop_price, new.stop_price))
    return there.status not in ENDED and all(
        want != want or math.isclose(have, want, rel_tol=1e-9) for have, want in pairs
    )


async def _exchange(wire: Wire, register: Register, change: _Change) -> VenueOrder | None:
    """Have the venue cancel the order and take another in one request."""
    line, name = change.line, register.names.spell(change.line.id, change.line.number + 1)
    worded = word_order(change.new, name, wire.offers(line.symbol), wire.rest)
    request = {
        **wire.rest.create_order_request(
            worded.symbol, worded.type, worded.side, worded.amount, worded.price, worded.params
        ),
        "cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrigClientOrderId": register.spell(line),
    }  # fmt: skip
    if change.old.filled == line.carried:
        request["cancelRestrictions"] = "ONLY_NEW"  # if it fills meanwhile, nothing is replaced and nothing sold twice
    line.sure = False
    try:
        answer = await wire.call(
            "amend", "privatePostOrderCancelReplace", request, asked=f"change of {register.spell(line)}"
        )
    except BrokerRejected as error:
        await _half_done(wire, register, change, error)
        raise
    ended = (answer.get("cancelResponse") or {}).get("executedQty")
    _step(change, float(ended) if ended else change.old.filled - line.carried)
    row = wire.rest.parse_order(answer["newOrderResponse"], wire.rest.market(line.symbol))
    line.sure = True
    return _taken(change, read_order({**row, "clientOrderId": name}, register, line.symbol))


async def _half_done(wire: Wire, register: Register, change: _Change, error: BrokerRejected) -> None:
    """Put an order back whose replacement was refused after it was gone, and say so."""
    line = change.line
    data = _told_of_both(str(error.fields.pop("body", "")))
    error.fields["code"] = code_of(json.dumps(data))
    if data.get("cancelResult") != "SUCCESS":
        line.sure = True
        return
    _step(change, change.old.filled - line.carried)
    whole = change.before.close_position
    quantity = change.new.quantity if whole else change.before.quantity - change.old.filled
    left = replace(change.before, quantity=quantity, close_position=False, extra=dict(change.before.extra))
    try:
        worded = word_order(left, register.spell(line), wire.offers(line.symbol), wire.rest)
        await submit_worded(wire, register, line, worded)
    except BrokerError as worse:
        error.add_note(f"the order it was to replace is gone, and could not be put back: {worse}")
        error.fields["gone"] = not isinstance(worse, BrokerUnknown)
    else:
        error.add_note("the order it was to replace was cancelled and has been put back as it was")
        line.sure = True


def _told_of_both(body: str) -> Mapping[str, Any]:
    """Read what Binance says of a cancel and a new order of which one failed."""
    found = _DATA.search(body)
    try:
        data: Mapping[str, Any] = json.loads(found[0]).get("data") or {} if found else {}
    except ValueError:
        return {}
    return data


def _step(change: _Change, executed: float) -> None:
    """Note that another order stands for ours now, and what the one before had executed."""
    line = change.line
    line.carried, line.number, line.venue_id = line.carried + executed, line.number + 1, ""


async def _place_first(wire: Wire, register: Register, change: _Change) -> VenueOrder | None:
    """Send the replacement, then cancel what it replaces: both only reduce, so together they do no harm."""
    line, old_name = change.line, register.spell(change.line)
    worded = word_order(change.new, register.names.spell(line.id, line.number + 1), wire.offers(line.symbol), wire.rest)
    number, carried = line.number, line.carried
    line.sure = False
    try:
        answer = await submit_worded(wire, register, line, worded)
    except BrokerUnknown:
        raise
    except BrokerError:
        line.sure = True  # nothing came of it: the order stands as it was
        raise
    executed = await cancel_named(wire, register, line, old_name)
    line.number, line.carried = number + 1, carried + max(executed, change.old.filled - carried)
    line.sure = True
    return _taken(change, answer)


async def _cancel_first(wire: Wire, register: Register, change: _Change) -> VenueOrder | None:
    """Cancel the order, then send what is left of it on its new terms."""
    line = change.line
    before = await cancel_named(wire, register, line, register.spell(line))
    ended = await find_order(wire, register, line)
    filled = (ended.filled if ended is not None else before + line.carried) - line.carried
    total = change.new.quantity + (0.0 if change.before.close_position else change.old.filled)
    left = total - line.carried - filled
    if (ended is not None and ended.status == "closed") or left <= 0.0:
        raise BrokerRejected(f"{line.id} was filled before it could be changed", code="order_is_final")
    _step(change, filled)
    new = replace(change.new, quantity=left, extra=dict(change.new.extra))
    line.sure = False
    try:
        worded = word_order(new, register.spell(line), wire.offers(line.symbol), wire.rest)
        answer = await submit_worded(wire, register, line, worded)
    except BrokerRejected as error:
        error.add_note("the order it was to replace had been cancelled before")
        error.fields["gone"] = True
        raise
    line.sure = True
    return _taken(change, answer)


async def cancel_named(wire: Wire, register: Register, line: Line, name: str) -> float:
    """Cancel an order by its id at the venue, and give what it had executed as far as the answer says."""
    for params in ways_to(wire, line):
        try:
            row = await wire.call("cancel", "cancel_order", *_target(wire, line, name, params), asked=f"cancel {name}")
        except BrokerRejected as error:
            if error.fields.get("code") != "unknown_order":
                raise
            continue
        return float((row or {}).get("filled") or 0.0)
    return 0.0


def _target(wire: Wire, line: Line, name: str, params: Mapping[str, Any]) -> tuple[Any, ...]:
    by_name = wire.offers(line.symbol).by_client_id
    given = {**params, "clientOrderId": name} if by_name else dict(params)
    return (None if by_name else line.venue_id, line.symbol, given)
