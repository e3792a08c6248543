"""What Binance's futures exchange tells an account over its user stream."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from workbench.practice.engine_messages import (
    BalanceChanged,
    LeverageChanged,
    MarginCalled,
    OrderChanged,
    PositionChanged,
)
from workbench.practice.engine_records import Balance, PositionRecord
from workbench.practice.wire.binance_orders import status_of
from workbench.practice.wire.binance_usdm_algo import algo_status
from workbench.practice.wire.binance_usdm_orders import conditional, leg_of, type_of
from workbench.practice.wire.binance_words import Pair, exact, money

if TYPE_CHECKING:
    from workbench.practice.wire.binance import Binance

__all__ = ["UsdmTeller"]

_EXECUTION: Final = {
    "new": "NEW", "trade": "TRADE", "canceled": "CANCELED", "expired": "EXPIRED", "amended": "AMENDMENT",
    "triggered": "NEW", "rejected": "REJECTED",
}  # fmt: skip
_REASONS: Final = {
    "trade": "ORDER", "liquidation": "ORDER", "funding": "FUNDING_FEE", "deposit": "DEPOSIT", "withdraw": "WITHDRAW",
    "transfer": "ASSET_TRANSFER",
}  # fmt: skip
Event = dict[str, Any]


class UsdmTeller:
    """Makes the events of the user stream of messages of the engine.

    What a trade did to money and to a position is one event at Binance and several messages here: they are collected
    until something else happens.

    Parameters
    ----------
    venue : Binance
    """

    def __init__(self, venue: Binance) -> None:
        self._venue = venue
        self._account = ""
        self._ts = 0
        self._reason = ""
        self._balances: dict[str, Event] = {}
        self._positions: dict[tuple[str, str], Event] = {}

    def events(self, message: Any) -> Iterator[tuple[str, Event]]:
        """Give what is to be told of a message, and to which account."""
        match message:
            case BalanceChanged() if message.wallet == "linear":
                if message.reason != "order":  # what is locked is not told
                    yield from self._begin(message)
                    for one in message.balances:
                        self._balances[one.asset] = _balance(one, message.changes.get(one.asset, 0.0), message.reason)
            case PositionChanged() if message.position.symbol in self._venue.by_symbol:
                yield from self._begin(message)
                held = message.position
                self._positions[held.symbol, held.leg] = self._position(self._venue.by_symbol[held.symbol], held)
            case OrderChanged() if message.order.symbol in self._venue.by_symbol:
                yield from self.settle()
                for event in self._order(message):
                    yield message.account, event
            case MarginCalled():
                yield from self.settle()
                yield message.account, self._margin_call(message)
            case LeverageChanged() if message.symbol in self._venue.by_symbol:
                yield from self.settle()
                change = {"s": self._venue.by_symbol[message.symbol].id, "l": int(message.leverage)}
                yield message.account, {"e": "ACCOUNT_CONFIG_UPDATE", "E": message.ts, "T": message.ts, "ac": change}

    def settle(self) -> Iterator[tuple[str, Event]]:
        """Give what was collected."""
        if self._balances or self._positions:
            content = {
                "m": self._reason, "B": list(self._balances.values()), "P": list(self._positions.values())
            }  # fmt: skip
            self._balances, self._positions = {}, {}
            yield self._account, {"e": "ACCOUNT_UPDATE", "E": self._ts, "T": self._ts, "a": content}

    def _begin(self, message: BalanceChanged | PositionChanged) -> Iterator[tuple[str, Event]]:
        """Tell first what was collected, if this is about something else."""
        reason = _REASONS.get(message.reason, "ADJUSTMENT")
        if (message.account, message.ts, reason) != (self._account, self._ts, self._reason):
            yield from self.settle()
        self._account, self._ts, self._reason = message.account, message.ts, reason

    def _position(self, pair: Pair, one: PositionRecord) -> Event:
        return {
            "s": pair.id, "pa": pair.quantity(one.quantity), "ep": _price(one.entry_price),
            "bep": _price(one.break_even_price), "cr": "0", "up": money(one.unrealised),
            "mt": "isolated" if one.isolated else "cross", "iw": money(one.margin) if one.isolated else "0",
            "ps": leg_of(one.leg), "ma": pair.instrument.settle,
        }  # fmt: skip

    def _order(self, message: OrderChanged) -> Iterator[Event]:
        order, kind = message.order, message.kind
        waits = conditional(order)
        if waits and (kind == "triggered" or not order.triggered):
            yield self._algo(message)
        if not waits or order.triggered:
            yield self._trade(message)
            if waits and not order.open:
                yield self._algo(message)

    def _trade(self, message: OrderChanged) -> Event:
        order, one, now = message.order, message.execution, message.ts
        pair = self._venue.by_symbol[order.symbol]
        triggered = order.triggered and conditional(order)
        word = ("LIMIT" if order.type.endswith("limit") else "MARKET") if triggered else type_of(order)
        told: Event = {
            "s": pair.id, "c": order.client_id, "S": order.side.upper(), "o": word,
            "f": "GTX" if order.post_only else order.time_in_force, "q": pair.quantity(order.quantity),
            "p": pair.price(order.price), "ap": _price(order.average_price), "sp": pair.price(order.stop_price),
            "x": "CALCULATED" if order.reason == "liquidation" and one else _EXECUTION[message.kind],
            "X": status_of(order), "i": order.id, "l": pair.quantity(one.quantity if one else 0.0),
            "z": pair.quantity(order.filled), "L": pair.price(one.price if one else 0.0), "T": now,
            "t": one.id if one else 0, "b": "0", "a": "0", "m": one.maker if one else False, "R": order.reduce_only,
            "wt": "CONTRACT_PRICE", "ot": type_of(order), "ps": leg_of(order.leg), "cp": order.close_position,
            "rp": money(one.realised if one else 0.0), "pP": False, "si": 0, "ss": 0, "V": "NONE", "pm": "NONE",
            "gtd": order.expires or 0,
        }  # fmt: skip
        if one:
            told |= {"N": one.fee_asset, "n": money(one.fee)}
        if order.type == "trailing_stop":
            told |= {"AP": pair.price(order.activation), "cr": f"{order.trail * 100:.1f}"}
        return {"e": "ORDER_TRADE_UPDATE", "E": now, "T": now, "o": told}

    def _algo(self, message: OrderChanged) -> Event:
        order, now = message.order, message.ts
        pair = self._venue.by_symbol[order.symbol]
        told: Event = {
            "caid": order.client_id, "aid": order.id, "at": "CONDITIONAL", "o": type_of(order), "s": pair.id,
            "S": order.side.upper(), "ps": leg_of(order.leg), "f": "GTX" if order.post_only else order.time_in_force,
            "q": pair.quantity(order.quantity), "X": algo_status(order), "ai": str(order.id) if order.triggered else "",
            "tp": pair.price(order.stop_price), "p": pair.price(order.price), "V": "NONE", "wt": "CONTRACT_PRICE",
            "pm": "NONE", "cp": order.close_position, "pP": False, "R": order.reduce_only,
            "tt": order.updated if order.triggered else 0, "gtd": order.expires or 0,
        }  # fmt: skip
        if order.triggered:
            told |= {"ap": _price(order.average_price), "aq": pair.quantity(order.filled), "act": "0"}
        return {"e": "ALGO_UPDATE", "T": now, "E": now, "o": told}

    def _margin_call(self, message: MarginCalled) -> Event:
        held: list[Balance] = self._venue.engine.balances(message.account, "linear")
        rows = [
            {"s": self._venue.by_symbol[one.symbol].id, "ps": leg_of(one.leg),
             "pa": self._venue.by_symbol[one.symbol].quantity(one.quantity),
             "mt": "ISOLATED" if one.isolated else "CROSSED", "iw": money(one.margin) if one.isolated else "0",
             "mp": money(one.mark_price), "up": money(one.unrealised), "mm": money(one.maintenance)}
            for one in message.positions
            if one.symbol in self._venue.by_symbol
        ]  # fmt: skip
        return {"e": "MARGIN_CALL", "E": message.ts, "cw": money(sum(one.wallet for one in held)), "p": rows}


def _balance(one: Balance, change: float, reason: str) -> Event:
    moved = change if reason not in ("trade", "liquidation") else 0.0  # profits and fees are told by the trade
    return {"a": one.asset, "wb": money(one.wallet), "cw": money(one.wallet), "bc": money(moved)}


def _price(value: float) -> str:
    return exact(round(value, 8), 1) if math.isfinite(value) else "0"
