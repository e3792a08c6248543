"""How each fault surfaces in ccxt's own clients: which error comes, and whether the order landed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import ccxt
import pytest

from tests.practice.rooms import advance, room, soon, until
from tests.practice.stage import MINUTE
from workbench.practice.clients import connect
from workbench.practice.exchange import Exchange
from workbench.practice.wire.signing import PRACTICE

SYMBOL = "BTC/USDT"
Work = Callable[[Any], Awaitable[None]]
ONCE = {"nth": 1}


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with room(SYMBOL) as opened:
        yield opened


def drive(exchange: Exchange, work: Work, *, stream: bool = False, **settings: Any) -> None:
    async def run() -> None:
        usual: dict[str, Any] = {"enableRateLimit": False, "options": {"fetchMarkets": {"types": ["spot"]}}}
        async with connect("binance", route=exchange.route, stream=stream, **usual | settings) as client:
            await client.load_markets()
            await work(client)

    asyncio.run(run())


def landed(exchange: Exchange) -> bool:
    return bool(exchange.call(lambda: exchange.engine.orders(PRACTICE.account, SYMBOL)))


def code(number: int, status: int = 503, **more: Any) -> dict[str, Any]:
    return {"fault": "server_error", "status": status, "code": number, **more}


# What is done to an order, which error comes, its parent class, and whether the order is live.
ON_ORDERS: dict[str, tuple[dict[str, Any], type[Exception], bool]] = {
    "429": ({"fault": "rate_limit"}, ccxt.DDoSProtection, False),
    "418": ({"fault": "rate_limit", "banned": True}, ccxt.DDoSProtection, False),
    "-1003": ({"fault": "reject", "code": -1003}, ccxt.RateLimitExceeded, False),
    "-1015": ({"fault": "reject", "code": -1015}, ccxt.RateLimitExceeded, False),
    "500 html": ({"fault": "server_error", "status": 500}, ccxt.ExchangeNotAvailable, False),
    "502 html": ({"fault": "server_error", "status": 502}, ccxt.ExchangeNotAvailable, False),
    "503 html, landed": ({"fault": "server_error", "status": 503, "landed": True}, ccxt.ExchangeNotAvailable, True),
    "403 html": ({"fault": "server_error", "status": 403}, ccxt.ExchangeNotAvailable, False),
    "-1001": (code(-1001), ccxt.OperationFailed, False),
    "-1004": (code(-1004, 400), ccxt.OperationFailed, False),
    "-1007": (code(-1007), ccxt.RequestTimeout, False),
    "-1007, landed": (code(-1007, landed=True), ccxt.RequestTimeout, True),
    "timeout": ({"fault": "timeout"}, ccxt.RequestTimeout, False),
    "timeout, landed": ({"fault": "timeout", "landed": True}, ccxt.RequestTimeout, True),
    "reset": ({"fault": "reset"}, ccxt.ExchangeNotAvailable, False),
    "reset, landed": ({"fault": "reset", "landed": True}, ccxt.ExchangeNotAvailable, True),
    "-1021": ({"fault": "reject", "code": -1021}, ccxt.InvalidNonce, False),
    "-1022": ({"fault": "reject", "code": -1022}, ccxt.AuthenticationError, False),
    "-2014": ({"fault": "reject", "code": -2014}, ccxt.AuthenticationError, False),
    "-2010": (
        {"fault": "reject", "code": -2010, "text": "Account has insufficient balance for requested action."},
        ccxt.InsufficientFunds, False,
    ),
    "insufficient_balance": ({"fault": "reject", "code": "insufficient_balance"}, ccxt.InsufficientFunds, False),
    "duplicate": ({"fault": "reject", "code": "duplicate_id"}, ccxt.InvalidOrder, False),
    "post only": ({"fault": "reject", "code": "post_only_would_take"}, ccxt.OrderImmediatelyFillable, False),
    "market closed": ({"fault": "reject", "code": "market_closed"}, ccxt.MarketClosed, False),
    "min notional": ({"fault": "reject", "code": "min_notional"}, ccxt.BadRequest, False),
    "lot size": ({"fault": "reject", "code": "lot_size"}, ccxt.InvalidOrder, False),
    "-1111": ({"fault": "reject", "code": -1111, "text": "Too much precision."}, ccxt.BadRequest, False),
    "-1121": ({"fault": "reject", "code": -1121, "text": "Invalid symbol."}, ccxt.BadSymbol, False),
    "empty, landed": ({"fault": "garbage", "kind": "empty", "landed": True}, ccxt.ExchangeNotAvailable, True),
}  # fmt: skip


@pytest.mark.parametrize("name", ON_ORDERS)
def test_a_fault_at_an_order(exchange: Exchange, name: str) -> None:
    fault, error, live = ON_ORDERS[name]

    async def work(client: Any) -> None:
        exchange.faults.add({"target": "submit", "when": ONCE, **fault})
        if name == "empty, landed":  # no error at all: an order without an id
            order = await client.create_order(SYMBOL, "limit", "buy", 0.01, 50_000, {"clientOrderId": "mine-1"})
            assert order["id"] is None
        else:
            with pytest.raises(error) as raised:
                await client.create_order(SYMBOL, "limit", "buy", 0.01, 50_000, {"clientOrderId": "mine-1"})
            assert type(raised.value) is error or name == "403 html"
        assert landed(exchange) == live
        exchange.faults.clear()
        if live:
            found = await client.fetch_order(None, SYMBOL, {"clientOrderId": "mine-1"})
            assert (found["status"], found["amount"]) == ("open", 0.01)
        elif name not in ("429", "418"):
            with pytest.raises(ccxt.OrderNotFound):
                await client.fetch_order(None, SYMBOL, {"clientOrderId": "mine-1"})
        assert exchange.faults.log[0].fault == fault["fault"]
        assert ("took effect" in exchange.faults.log[0].detail) == live

    drive(exchange, work, timeout=400 if "timeout" in name else 10_000)


def test_the_parents_of_what_comes() -> None:
    transient = (ccxt.DDoSProtection, ccxt.RateLimitExceeded, ccxt.ExchangeNotAvailable, ccxt.RequestTimeout)
    assert all(issubclass(one, ccxt.NetworkError) for one in (*transient, ccxt.InvalidNonce))
    assert not issubclass(ccxt.OperationFailed, ccxt.NetworkError)


def test_retry_after_is_told_and_a_ban_follows_impatience(exchange: Exchange) -> None:
    async def work(client: Any) -> None:
        exchange.faults.add("rate_limit", target="candles", retry_after="30s", patience=1, ban="60s", when=ONCE)
        statuses = []
        for _ in range(4):
            with pytest.raises(ccxt.DDoSProtection):
                await client.fetch_ohlcv(SYMBOL, "1m")
            statuses.append(client.last_response_headers["Retry-After"])
        assert statuses == ["30", "30", "60", "60"]
        with pytest.raises(ccxt.DDoSProtection):
            await client.fetch_ticker(SYMBOL)  # the ban is of everything
        assert [done.detail.split(",")[0] for done in exchange.faults.log] == ["429", "429", "418", "418", "418"]
        exchange.faults.clear()
        await client.fetch_ticker(SYMBOL)

    drive(exchange, work)


def test_a_get_that_is_reset_once_is_asked_again_by_aiohttp(exchange: Exchange) -> None:
    async def work(client: Any) -> None:
        await client.fetch_ticker(SYMBOL)  # so that there is a connection to use again
        before = exchange.requests
        exchange.faults.add("reset", target="tickers", when=ONCE)
        await client.fetch_ticker(SYMBOL)
        assert exchange.requests == before + 2
        exchange.faults.add("reset", target="tickers")
        with pytest.raises(ccxt.ExchangeNotAvailable):
            await client.fetch_ticker(SYMBOL)

    drive(exchange, work)


@pytest.mark.parametrize("kind", ["html", "truncated", "wrong"])
def test_garbage_with_status_200_is_no_error_and_no_candle(exchange: Exchange, kind: str) -> None:
    async def work(client: Any) -> None:
        exchange.faults.add("garbage", target="candles", kind=kind, when=ONCE)
        try:
            rows = await client.fetch_ohlcv(SYMBOL, "1m", limit=5)
        except Exception as error:
            assert kind == "wrong", error
        else:
            assert not rows or all(value is None for row in rows for value in row[1:])
        assert len(await client.fetch_ohlcv(SYMBOL, "1m", limit=5)) == 5

    drive(exchange, work)


def test_latency_delays_and_keeps_the_answer(exchange: Exchange) -> None:
    async def work(client: Any) -> None:
        exchange.faults.add("latency", latency="150ms", target="tickers")
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert (await client.fetch_ticker(SYMBOL))["last"] > 0
        assert loop.time() - began >= 0.15

    drive(exchange, work)


def test_a_skewed_clock_is_refused_until_the_time_is_asked_again(exchange: Exchange) -> None:
    async def work(client: Any) -> None:
        await client.fetch_balance()
        exchange.faults.add("clock_skew", skew="40s")
        with pytest.raises(ccxt.InvalidNonce, match="-1021"):
            await client.fetch_balance()
        await client.load_time_difference()
        await client.fetch_balance()

    drive(exchange, work)


def test_maintenance_closes_everything_and_ends(exchange: Exchange) -> None:
    async def work(client: Any) -> None:
        watching = asyncio.ensure_future(client.watch_trades(SYMBOL))
        await until(lambda: bool(exchange.engine._watched.get(SYMBOL)))
        await advance(exchange, MINUTE)
        await soon(watching)
        now = exchange.now
        exchange.faults.add("maintenance", when={"start": now + MINUTE, "end": now + 3 * MINUTE})
        watching = asyncio.ensure_future(_fails(client))
        await advance(exchange, MINUTE)
        assert issubclass(await soon(watching), ccxt.NetworkError)
        with pytest.raises(ccxt.ExchangeNotAvailable):
            await client.fetch_ticker(SYMBOL)
        await advance(exchange, 3 * MINUTE)
        await client.fetch_ticker(SYMBOL)
        watching = asyncio.ensure_future(client.watch_trades(SYMBOL))  # dials again, after a while
        await until(lambda: bool(exchange.engine._watched.get(SYMBOL)))
        await advance(exchange, MINUTE)
        assert await soon(watching)

    drive(exchange, work, stream=True)


async def _fails(client: Any) -> type[Exception]:
    while True:
        try:
            await client.watch_trades(SYMBOL)
        except ccxt.NetworkError as error:
            return type(error)


def test_a_socket_that_is_cut_in_the_middle_of_a_fill_tells_nothing_of_it(exchange: Exchange) -> None:
    async def work(client: Any) -> None:
        fills = asyncio.ensure_future(client.watch_my_trades())
        await until(
            lambda: any("userDataStream" in str(one.subscriptions) or one.futures for one in client.clients.values())
        )
        exchange.faults.add("disconnect", target="fills", when=ONCE)
        while not exchange.faults.log:
            await client.create_order(SYMBOL, "market", "buy", 0.01)
            await asyncio.sleep(0.02)
        with pytest.raises(ccxt.NetworkError, match="1006"):
            await soon(fills)
        found = await client.fetch_my_trades(SYMBOL)
        assert sum(one["amount"] for one in found) >= 0.01
        fills = asyncio.ensure_future(client.watch_my_trades())  # dials again
        known = len(found)
        while not fills.done():
            await client.create_order(SYMBOL, "market", "buy", 0.01)
            await asyncio.sleep(0.02)
        assert len(await client.fetch_my_trades(SYMBOL)) > known
        assert exchange.faults.log[0].detail == "connection cut"

    drive(exchange, work, stream=True)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"fault": "drop"}, [1, 2, 4, 5]),
        ({"fault": "duplicate"}, [1, 2, 3, 3, 4, 5]),
        ({"fault": "reorder"}, [1, 2, 4, 3, 5]),
    ],
)
def test_messages_of_a_stream(exchange: Exchange, fault: dict[str, Any], expected: list[int]) -> None:
    """Trades as they arrive, before ccxt's caches, which hide what comes twice."""

    async def work(client: Any) -> None:
        seen: list[int] = []
        usual = client.handle_message

        def heard(socket: Any, message: Any) -> None:
            if isinstance(message, dict) and message.get("e") == "trade":
                seen.append(int(message["t"]))
            if isinstance(message, (dict, list)):
                usual(socket, message)

        client.handle_message = heard
        watching = asyncio.ensure_future(client.watch_trades(SYMBOL))
        while not seen:
            await advance(exchange, 20_000)
        await soon(watching)
        exchange.faults.add({"target": "trades", "when": {"nth": 3}, **fault})
        first = exchange.engine.trades(SYMBOL, limit=1)[0].id
        await until(lambda: seen[-1] == first)
        seen.clear()
        while exchange.engine.trades(SYMBOL, limit=1)[0].id < first + 5:
            await advance(exchange, 5_000)
        await until(lambda: len(seen) >= len(expected))
        assert [one - first for one in seen[: len(expected)]] == expected

    drive(exchange, work, stream=True)


def test_a_garbled_message_stops_a_ccxt_socket_without_a_word(exchange: Exchange) -> None:
    """Its receive loop ends with the message, so the watch hangs: whoever watches needs a time limit of their own."""

    async def work(client: Any) -> None:
        errors: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context["exception"]))
        exchange.faults.add("garble", target="trades", when=ONCE)
        watching = asyncio.ensure_future(client.watch_trades(SYMBOL))
        await until(lambda: bool(exchange.engine._watched.get(SYMBOL)))
        await advance(exchange, MINUTE)
        await until(lambda: bool(errors))
        assert isinstance(errors[0], ValueError)
        await advance(exchange, 5 * MINUTE)
        await client.fetch_ticker(SYMBOL)  # by when what was sent has arrived
        assert not watching.done()
        watching.cancel()

    drive(exchange, work, stream=True)


def test_partial_fills_a_gap_and_a_balance_from_outside(exchange: Exchange) -> None:
    async def work(client: Any) -> None:
        exchange.faults.add("partial_fills", symbol=SYMBOL, fraction=0.001, target="submit", when=ONCE)
        ask = exchange.engine.ticker(SYMBOL).ask
        order = await client.create_order(SYMBOL, "limit", "buy", 1.0, ask)
        assert order["status"] == "open"
        assert 0 < order["filled"] < 1.0

        stop = await client.create_order(SYMBOL, "market", "sell", 0.5, None, {"triggerPrice": round(ask * 0.97, 1)})
        now = exchange.now
        exchange.faults.add("price_gap", symbol=SYMBOL, fraction=-0.1, when={"start": now + MINUTE})
        exchange.faults.add("balance", asset="USDT", amount=-500, when={"start": now + MINUTE})
        before = (await client.fetch_ticker(SYMBOL))["last"]
        await advance(exchange, 3 * MINUTE)
        after = (await client.fetch_ticker(SYMBOL))["last"]
        assert after / before == pytest.approx(0.9, rel=0.01)
        candles = await client.fetch_ohlcv(SYMBOL, "1m", limit=5)
        assert all(low <= min(first, last) <= max(first, last) <= high for _, first, high, low, last, _ in candles)
        sold = await client.fetch_order(stop["id"], SYMBOL)
        assert sold["average"] < ask * 0.92  # through the hole, far below its stop
        spent = sum(one["cost"] * (1 if one["side"] == "buy" else -1) for one in await client.fetch_my_trades(SYMBOL))
        fees = sum(one["fee"]["cost"] for one in await client.fetch_my_trades(SYMBOL) if one["side"] == "sell")
        assert (await client.fetch_balance())["USDT"]["total"] == pytest.approx(100_000 - 500 - spent - fees, abs=0.01)
        assert [done.fault for done in exchange.faults.log] == ["partial_fills", "price_gap", "balance"]

    drive(exchange, work)


def test_a_book_that_stands_still_a_halt_and_a_delisting(exchange: Exchange) -> None:
    async def work(client: Any) -> None:
        now = exchange.now
        exchange.faults.add("stale_book", symbol=SYMBOL, lasting="5m", when={"start": now + MINUTE})
        exchange.faults.add("halt", symbol=SYMBOL, lasting="2m", when={"start": now + 20 * MINUTE})
        exchange.faults.add("delist", symbol=SYMBOL, when={"start": now + 30 * MINUTE})
        await advance(exchange, MINUTE)
        book, last = await client.fetch_order_book(SYMBOL), (await client.fetch_ticker(SYMBOL))["last"]
        await advance(exchange, 4 * MINUTE)
        assert (await client.fetch_order_book(SYMBOL))["bids"] == book["bids"]
        assert (await client.fetch_ticker(SYMBOL))["last"] != last
        await advance(exchange, 2 * MINUTE)
        assert (await client.fetch_order_book(SYMBOL))["bids"] != book["bids"]

        rests = await client.create_order(SYMBOL, "limit", "buy", 0.01, 50_000)
        await advance(exchange, 14 * MINUTE)
        with pytest.raises(ccxt.MarketClosed):
            await client.create_order(SYMBOL, "limit", "buy", 0.01, 50_000)
        await advance(exchange, 3 * MINUTE)
        await client.create_order(SYMBOL, "limit", "buy", 0.01, 50_000)
        await advance(exchange, 10 * MINUTE)
        assert (await client.fetch_order(rests["id"], SYMBOL))["status"] in ("canceled", "expired")
        await client.load_markets(True)
        assert client.market(SYMBOL)["active"] is False

    drive(exchange, work)


def test_the_same_scenario_gives_the_same_faults_through_the_server() -> None:
    def once() -> list[tuple[str, str, str]]:
        with room(SYMBOL, faults=[
            {"fault": "server_error", "target": "submit", "status": 503, "landed": True, "when": {"probability": 0.3}},
            {"fault": "reset", "target": "submit", "when": {"probability": 0.3}},
        ]) as exchange:  # fmt: skip

            async def work(client: Any) -> None:
                for number in range(20):
                    try:
                        await client.create_order(
                            SYMBOL, "limit", "buy", 0.001, 50_000, {"clientOrderId": f"c{number}"}
                        )
                    except ccxt.ExchangeNotAvailable:
                        pass

            drive(exchange, work)
            live = exchange.call(lambda: exchange.engine.orders(PRACTICE.account, SYMBOL))
            return [(one.fault, one.target, one.detail) for one in exchange.faults.log] + [
                ("live", "", json.dumps([one.client_id for one in live]))
            ]

    first = once()
    assert first == once()
    assert {one[0] for one in first} == {"server_error", "reset", "live"}
