"""Kraken's websockets (version 2): channels of the market, of one's own orders and balances, and orders over them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from workbench.practice.engine_messages import BalanceChanged, OrderChanged, Printed
from workbench.practice.engine_records import OrderRecord, Refused
from workbench.practice.wire import kraken_orders
from workbench.practice.wire.kraken_candles import Forming
from workbench.practice.wire.kraken_words import (
    INTERVALS,
    KrakenError,
    iso,
    order_id,
    trade_id,
    type_of,
    worded,
)
from workbench.practice.wire.protocol import Answer, Socket, Talk

if TYPE_CHECKING:
    from workbench.practice.wire.kraken import Kraken

__all__ = ["KrakenTalk"]

_DEPTHS: Final = (10, 25, 100, 500, 1000)
_STATUS: Final = {"accepted": "new", "rejected": "canceled"}
_MARKET: Final = frozenset(("ohlc", "ticker", "book", "trade"))
_OWN: Final = frozenset(("executions", "balances"))
_ORDERS: Final = frozenset(("add_order", "amend_order", "cancel_order", "cancel_all"))
_SUBSCRIBED: Final[tuple[str, ...]] = (
    "channel",
    "symbol",
    "interval",
    "depth",
    "snapshot",
    "event_trigger",
    "snap_orders",
    "snap_trades",
)


class KrakenTalk(Talk):
    """What is said on one websocket.

    Parameters
    ----------
    venue : Kraken
    socket : Socket
    forget : callable
        Called with this when the websocket is gone.
    """

    def __init__(self, venue: Kraken, socket: Socket, forget: Callable[[KrakenTalk], None]) -> None:
        self._venue = venue
        self._socket = socket
        self._forget = forget
        self._channels: dict[tuple[str, str], Any] = {}  # (channel, symbol or account): what it remembers
        self._printed: set[str] = set()
        self._sequence = 0
        system = {"system": "online", "api_version": "v2", "connection_id": id(self), "version": "2.0.10"}
        self._tell("status", "update", [system], "status")

    def said(self, text: str) -> None:
        """Take a message of the client; see `Talk.said`."""
        try:
            told = json.loads(text)
            method, params = told.get("method"), told.get("params") or {}
        except (ValueError, AttributeError):
            self._reply({"error": "Malformed request", "success": False})
            return
        head = {"method": method} | ({"req_id": told["req_id"]} if "req_id" in told else {})
        if method == "ping":
            self._reply({**head, "method": "pong"})
        elif method in _ORDERS:
            self._order(method, params, head)
        elif method not in ("subscribe", "unsubscribe") or not isinstance(params, dict):
            self._reply({**head, "error": "Malformed request", "success": False})
        else:
            self._subscription(method, params, head)

    def closed(self) -> None:
        """Forget the websocket; see `Talk.closed`."""
        for channel, symbol in list(self._channels):
            self._leave(channel, symbol)
        self._forget(self)

    def heard(self, message: Any) -> None:
        """Take what the engine tells."""
        match message:
            case Printed():
                self._print(message)
            case OrderChanged() if ("executions", message.account) in self._channels:
                self._execution(message)
            case BalanceChanged(wallet="spot") if ("balances", message.account) in self._channels:
                self._balance(message)

    def moved(self) -> None:
        """Tell what has changed of candles, tickers and books since the last time."""
        for channel, symbol in list(self._channels):
            if channel == "book":
                self._book(symbol)
            elif symbol in self._printed and channel == "ticker":
                self._ticker(symbol, "update")
            elif symbol in self._printed and channel.startswith("ohlc"):
                self._candle(channel, symbol, self._channels[channel, symbol].row(), "update")
        self._printed.clear()

    # Subscriptions

    def _subscription(self, method: str, params: dict[str, Any], head: dict[str, Any]) -> None:
        channel = params.get("channel")
        result: dict[str, Any] = {name: params[name] for name in _SUBSCRIBED if name in params}
        try:
            if channel in _OWN:
                account = self._venue.owner(str(params.get("token", "")))
                self._acknowledge(head, result)
                self._own(method, channel, account, params)
                return
            if channel not in _MARKET:
                raise KrakenError("Subscription name invalid")
            symbols = params.get("symbol") or []
            for symbol in self._venue.pairs if symbols == ["*"] else symbols:
                self._public(method, channel, symbol, params, {**result, "symbol": symbol}, head)
        except KrakenError as error:
            self._reply({**head, "error": str(error), "success": False})

    def _public(
        self, method: str, channel: str, symbol: str, params: dict[str, Any], result: dict[str, Any],
        head: dict[str, Any],
    ) -> None:  # fmt: skip
        minutes = params.get("interval", 1) if channel == "ohlc" else None
        depth = params.get("depth", 10) if channel == "book" else None
        problem = (
            f"Currency pair not supported {symbol}" if symbol not in self._venue.pairs
            else "Subscription ohlc interval not supported" if minutes is not None and minutes not in INTERVALS
            else "Subscription depth not supported" if depth is not None and depth not in _DEPTHS
            else ""
        )  # fmt: skip
        if problem:
            self._reply({**head, "error": problem, "symbol": symbol, "success": False})
            return
        name = channel if minutes is None else f"ohlc-{minutes}"
        if method == "unsubscribe":
            self._leave(name, symbol)
            self._acknowledge(head, result)
            return
        again = (name, symbol) in self._channels
        self._acknowledge(head, result)
        if not again:
            self._venue.engine.watch(symbol)
            self._channels[name, symbol] = None
        self._begin(channel, name, symbol, minutes or depth or 0)

    def _begin(self, channel: str, name: str, symbol: str, size: int) -> None:
        """Send the snapshot that a subscription starts with."""
        if channel == "ticker":
            self._ticker(symbol, "snapshot")
        elif channel == "book":
            self._channels[name, symbol] = (size, {}, {})
            self._book(symbol, "snapshot")
        elif channel == "trade":
            recent = [one for one in self._venue.engine.trades(symbol, limit=50) if one.quantity > 0]
            self._trades(symbol, recent, "snapshot")
        else:
            forming = Forming(self._venue.engine, symbol, size)
            self._channels[name, symbol] = forming
            self._candle(name, symbol, forming.row(), "snapshot")

    def _own(self, method: str, channel: str, account: str, params: dict[str, Any]) -> None:
        if method == "unsubscribe":
            self._channels.pop((channel, account), None)
            return
        self._channels[channel, account] = True
        engine = self._venue.engine
        if channel == "balances":
            rows = [
                {
                    "asset": one.asset, "asset_class": "currency", "balance": one.wallet,
                    "wallets": [{"type": "spot", "id": "main", "balance": one.wallet}],
                }
                for one in engine.balances(account, "spot")
            ]  # fmt: skip
        elif params.get("snap_orders", True):
            rows = [self._execution_row(order, "new") for order in engine.open_orders(account, wallet="spot")]
        else:
            rows = []
        self._tell(channel, "snapshot", rows, f"user.{channel}")

    def _leave(self, channel: str, symbol: str) -> None:
        if (channel, symbol) in self._channels:
            del self._channels[channel, symbol]
            if channel not in _OWN:
                self._venue.engine.unwatch(symbol)

    # Market

    def _print(self, message: Printed) -> None:
        symbol = message.symbol
        for channel, watched in self._channels:
            if watched != symbol:
                continue
            self._printed.add(symbol)
            if channel == "trade" and message.print.quantity > 0:
                self._trades(symbol, [message.print], "update")
            elif channel.startswith("ohlc"):
                done = self._channels[channel, symbol].take(message.print)
                if done is not None:
                    self._candle(channel, symbol, done, "update")

    def _trades(self, symbol: str, prints: list[Any], kind: str) -> None:
        rows = [
            {
                "symbol": symbol, "side": one.side, "price": one.price, "qty": round(one.quantity, 8),
                "ord_type": "market", "trade_id": one.id, "timestamp": iso(one.ts),
            }
            for one in prints
        ]  # fmt: skip
        self._tell("trade", kind, rows, f"trade:{symbol}")

    def _candle(self, channel: str, symbol: str, row: dict[str, Any] | None, kind: str) -> None:
        self._tell("ohlc", kind, [row] if row else [], f"{channel}:{symbol}")

    def _ticker(self, symbol: str, kind: str) -> None:
        one = self._venue.engine.ticker(symbol)
        row = {
            "symbol": symbol, "bid": one.bid, "bid_qty": one.bid_quantity, "ask": one.ask,
            "ask_qty": one.ask_quantity, "last": one.last, "volume": one.volume, "vwap": one.average, "low": one.low,
            "high": one.high, "change": round(one.change, 10), "change_pct": round(one.change_fraction * 100, 2),
            "timestamp": iso(one.ts),
        }  # fmt: skip
        row = {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
        self._tell("ticker", kind, [row], f"ticker:{symbol}")

    def _book(self, symbol: str, kind: str = "update") -> None:
        """Send the levels that changed; one that is gone has no quantity."""
        depth, *known = self._channels["book", symbol]
        bids, asks, _ = self._venue.engine.book(symbol, depth)
        now = [dict(bids), dict(asks)]
        changed = [
            [(price, quantity) for price, quantity in new.items() if old.get(price) != quantity]
            + [(price, 0.0) for price in old if price not in new]
            for new, old in zip(now, known, strict=True)
        ]
        self._channels["book", symbol] = (depth, *now)
        if kind == "update" and not any(changed):
            return
        sides = [[{"price": price, "qty": quantity} for price, quantity in side] for side in changed]
        row = {
            "symbol": symbol, "bids": sides[0], "asks": sides[1],
            "checksum": self._venue.pairs[symbol].checksum(bids, asks), "timestamp": iso(self._venue.backing.now()),
        }  # fmt: skip
        self._tell("book", kind, [row], f"book:{symbol}")

    # Own orders and money

    def _execution(self, message: OrderChanged) -> None:
        order = message.order
        if order.symbol not in self._venue.pairs:
            return
        kind = {"triggered": "restated", "rejected": "canceled"}.get(message.kind, message.kind)
        row = self._execution_row(order, kind)
        one = message.execution
        if one is not None:
            row |= {
                "exec_id": trade_id(one.id), "trade_id": one.id, "last_qty": one.quantity, "last_price": one.price,
                "liquidity_ind": "m" if one.maker else "t", "cost": one.quote_quantity,
                "fees": [{"asset": one.fee_asset, "qty": one.fee}], "timestamp": iso(one.ts),
            }  # fmt: skip
        self._tell("executions", "update", [row], "user.executions")
        if kind == "trade" and order.status == "filled":
            self._tell("executions", "update", [self._execution_row(order, "filled")], "user.executions")

    def _execution_row(self, order: OrderRecord, kind: str) -> dict[str, Any]:
        pair = self._venue.pairs[order.symbol]
        fees = sum(kraken_orders.fee_in_quote(one, pair) for one in order.executions)
        row: dict[str, Any] = {
            "order_id": order_id(order.id), "cl_ord_id": order.client_id, "symbol": order.symbol, "side": order.side,
            "order_type": type_of(order), "order_qty": order.quantity, "time_in_force": order.time_in_force,
            "exec_type": kind, "order_status": _STATUS.get(order.status, order.status), "cum_qty": order.filled,
            "cum_cost": order.quote_filled, "avg_price": order.average_price, "limit_price": order.price,
            "stop_price": order.stop_price, "fee_usd_equiv": round(fees, 8), "reason": order.reason or None,
            "timestamp": iso(order.updated),
        }  # fmt: skip
        return {key: value for key, value in row.items() if not (isinstance(value, float) and math.isnan(value))}

    def _balance(self, message: BalanceChanged) -> None:
        rows = [
            {
                "asset": one.asset, "asset_class": "currency", "amount": message.changes[one.asset],
                "balance": one.wallet, "fee": 0.0, "type": message.reason, "subtype": "", "category": message.reason,
                "wallet_type": "spot", "wallet_id": "main", "timestamp": iso(message.ts),
            }
            for one in message.balances
            if message.changes.get(one.asset)
        ]  # fmt: skip
        if rows:
            self._tell("balances", "update", rows, "user.balances")

    # Orders

    def _order(self, method: str, params: dict[str, Any], head: dict[str, Any]) -> None:
        from workbench.practice.faults import Asked

        def work() -> Answer:
            self._venue.backing.catch_up()
            try:
                found = self._carry_out(method, params)
            except KrakenError as error:
                return Answer(200, json.dumps({"error": [str(error)]}))
            except Refused as error:
                return Answer(200, json.dumps({"error": [worded(error.code)]}))
            return Answer(200, json.dumps({"error": [], "result": found}))

        def reply(answer: Answer) -> str:
            try:
                told = json.loads(answer.body)
            except ValueError:
                return answer.body
            now = iso(self._venue.backing.now())
            errors = told.get("error") or ([] if "result" in told else ["EGeneral:Internal error"])
            outcome = {"error": errors[0], "success": False} if errors else {"result": told["result"], "success": True}
            return json.dumps({**head, **outcome, "time_in": now, "time_out": now})

        shown = {name: str(value) for name, value in params.items() if name != "token"}
        self._socket.serve(Asked("WS", method, self._venue.name, shown), work, reply)

    def _carry_out(self, method: str, params: dict[str, Any]) -> Any:
        account = self._venue.owner(str(params.get("token", "")))
        if method == "cancel_all":
            return kraken_orders.cancel_all(self._venue, {}, account)
        ids = params.get("order_id") or params.get("cl_ord_id") or ""
        if method == "cancel_order":
            for one in ids if isinstance(ids, list) else [ids]:
                kraken_orders.cancel(self._venue, {"txid": str(one)}, account)
            return {"order_id": ids[0] if isinstance(ids, list) else ids}
        if method == "amend_order":
            told = {name: str(value) for name, value in params.items()} | {"txid": str(ids)}
            return {**kraken_orders.amend(self._venue, told, account), "order_id": str(ids)}
        trigger = params.get("triggers") or {}
        price = str(params.get("limit_price", ""))
        told = {
            "pair": params.get("symbol", ""), "type": params.get("side", ""), "ordertype": params.get("order_type", ""),
            "volume": str(params.get("order_qty", "")), "cl_ord_id": params.get("cl_ord_id", ""),
            "timeinforce": params.get("time_in_force", ""), "oflags": "post" if params.get("post_only") else "",
            "price": price, "price2": "",
        }  # fmt: skip
        if trigger:
            percent = "%" if trigger.get("price_type") == "pct" else ""
            told |= {"price": f"{trigger.get('price', '')}{percent}", "price2": price}
        return {"order_id": kraken_orders.add(self._venue, told, account)["txid"][0], "cl_ord_id": told["cl_ord_id"]}

    # Sending

    def _tell(self, channel: str, kind: str, rows: list[Any], stream: str) -> None:
        message: dict[str, Any] = {"channel": channel, "type": kind, "data": rows}
        if channel in _OWN:
            self._sequence += 1
            message["sequence"] = self._sequence
        elif channel == "ohlc":
            message["timestamp"] = iso(self._venue.backing.now())
        self._socket.send(json.dumps(message, separators=(",", ":")), stream)

    def _acknowledge(self, head: dict[str, Any], result: dict[str, Any]) -> None:
        self._reply({**head, "result": {"snapshot": True, **result}, "success": True})

    def _reply(self, content: dict[str, Any]) -> None:
        now = iso(self._venue.backing.now())
        self._socket.send(json.dumps({**content, "time_in": now, "time_out": now}), "reply")
