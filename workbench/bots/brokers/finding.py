"""What became of an order: asked by our id, also where it waits for a trigger, and along its replacements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from workbench.bots.brokers.reading import client_id_of, order_id_behind, read_order
from workbench.bots.brokers.register import Line, Register
from workbench.bots.brokers.talk import ENDED, VenueOrder
from workbench.bots.brokers.wire import Wire
from workbench.errors import BrokerRejected
from workbench.trading.orders import Order

__all__ = ["find_order", "terms_of", "ways_to", "whole_order"]

_ROWS: Final = 500


def ways_to(wire: Wire, line: Line) -> Sequence[Mapping[str, Any]]:
    """Give the parameters under which an order may be found or cancelled, the likelier first."""
    if not wire.offers(line.symbol).apart:
        return ({},)
    plain: Mapping[str, Any] = {}
    waits: Mapping[str, Any] = {"trigger": True}
    conditional = line.order is not None and line.order.type not in ("market", "limit")
    return (waits, plain) if conditional else (plain, waits)


async def find_order(wire: Wire, register: Register, line: Line) -> VenueOrder | None:
    """Give the order that stands for ours now; None where the venue has none.

    Where it is not sure that no replacement is about, those are looked for too; if two stand, the older one is
    cancelled. What is known of its terms is then as the venue has them.
    """
    found = await _fetch(wire, register, line, line.number)
    while not line.sure:
        later = await _fetch(wire, register, line, line.number + 1)
        if later is None:
            break
        if found is not None and found.status not in ENDED:
            await _drop(wire, register, line)
            found = await _fetch(wire, register, line, line.number) or found
        line.number += 1
        line.carried = found.filled if found is not None else line.carried
        found = await _fetch(wire, register, line, line.number) or later
    if found is not None:
        if not line.sure and line.order is not None:
            line.order = terms_of(found, line.order)
        line.sure = True
    return found


def terms_of(found: VenueOrder, known: Order) -> Order:
    """Give the terms of an order: as a venue has them, and as they are known where it does not say."""
    quantity = known.quantity if known.close_position else _or(found.quantity, known.quantity)
    if known.type == "trailing_stop":  # its prices are others there
        return replace(known, quantity=quantity, extra=dict(known.extra))
    return replace(
        known, quantity=quantity, price=_or(found.price, known.price),
        stop_price=_or(found.stop_price, known.stop_price), extra=dict(known.extra),
    )  # fmt: skip


def _or(value: float, otherwise: float) -> float:
    return value if value == value else otherwise


async def _drop(wire: Wire, register: Register, line: Line) -> None:
    """Cancel an order whose replacement stands already."""
    name = register.spell(line)
    for params in ways_to(wire, line):
        try:
            await wire.call(
                "cancel", "cancel_order", None, line.symbol, {**params, "clientOrderId": name}, asked=f"cancel {name}"
            )
        except BrokerRejected:
            continue
        return


async def _fetch(wire: Wire, register: Register, line: Line, number: int) -> VenueOrder | None:
    """Ask for one of the orders that stood for ours."""
    name = register.names.spell(line.id, number)
    row = await _row(wire, line, name, line.venue_id if number == line.number else "")
    return None if row is None else await whole_order(wire, register, {**row, "clientOrderId": name}, line.symbol)


async def _row(wire: Wire, line: Line, name: str, venue_id: str) -> Mapping[str, Any] | None:
    by_name = wire.offers(line.symbol).by_client_id
    if not by_name and not venue_id:
        return await _listed(wire, line.symbol, name)
    for params in ways_to(wire, line):
        given = {**params, "clientOrderId": name} if by_name else dict(params)
        try:
            row: Mapping[str, Any] = await wire.call(
                "read", "fetch_order", None if by_name else venue_id, line.symbol, given, asked=f"order {name}"
            )
        except BrokerRejected as error:
            if error.fields.get("code") != "unknown_order":
                raise
            continue
        return row
    return None


async def _listed(wire: Wire, symbol: str, name: str) -> Mapping[str, Any] | None:
    """Look an order up in the venue's lists, where it cannot be asked for by our id."""
    lists = [("fetch_open_orders", "fetchOpenOrders")]
    lists += (
        [("fetch_orders", "fetchOrders")] if wire.can("fetchOrders") else [("fetch_closed_orders", "fetchClosedOrders")]
    )
    lists += [("fetch_canceled_orders", "fetchCanceledOrders")]
    only = {"cl_ord_id": name} if wire.venue == "kraken" else {}
    for method, feature in lists:
        if wire.can(feature):
            rows = await wire.call("read", method, symbol, None, _ROWS, only, asked=f"order {name}")
            for row in rows:
                if client_id_of(row) == name:
                    return row  # type: ignore[no-any-return]
    return None


async def whole_order(wire: Wire, register: Register, row: Mapping[str, Any], symbol: str) -> VenueOrder:
    """Read an order; of one whose trigger was reached, and that is another order since, that other one."""
    behind = order_id_behind(row)
    if behind:
        id, number = register.own(str(row.get("id") or ""), client_id_of(row))
        register.call(behind, id, number)
        plain = await wire.call("read", "fetch_order", behind, symbol, {}, asked=f"order {behind}")
        row = {**plain, "clientOrderId": client_id_of(row)}
        return read_order(_without_names(row), register, symbol)._replace(triggered=True)
    told = read_order(row, register, symbol)
    if behind == "":
        return told._replace(status="open", triggered=True)
    return told


def _without_names(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give a row whose own name is not to be believed: it has the one that it was given."""
    return {
        **row,
        "info": {name: one for name, one in dict(row.get("info") or {}).items() if name not in ("C", "caid")},
    }
