"""The practice exchange speaks Kraken: ccxt's own clients see markets, trade and listen, and prove who they are."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import ccxt
import pytest

from tests.practice.rooms import advance, room, soon, until
from tests.practice.stage import MINUTE
from workbench.practice.clients import connect
from workbench.practice.exchange import Exchange
from workbench.practice.wire.kraken_words import Pair, number_of, order_id
from workbench.practice.wire.signing import PRACTICE

SYMBOL = "BTC/USD"
Work = Callable[[Any, Exchange], Awaitable[None]]


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with room(SYMBOL, "BTC/USDT", protocols=("kraken",)) as opened:
        yield opened


def drive(exchange: Exchange, work: Work, *, stream: bool = False, **settings: Any) -> None:
    async def run() -> None:
        async with connect("kraken", route=exchange.route, stream=stream, enableRateLimit=False, **settings) as client:
            await client.load_markets()
            await work(client, exchange)

    asyncio.run(run())


def test_markets_and_prices(exchange: Exchange) -> None:
    async def work(client: Any, exchange: Exchange) -> None:
        market = client.market(SYMBOL)
        assert (market["id"], market["altname"], market["active"]) == ("XXBTZUSD", "XBTUSD", True)
        assert client.market("BTC/USDT")["id"] == "XBTUSDT"
        assert market["precision"] == {"amount": 1e-5, "price": 0.1}
        assert market["limits"]["cost"]["min"] == 5.0
        assert (market["maker"], market["taker"]) == (0.001, 0.001)
        assert abs(await client.fetch_time() - exchange.now) < 1_000
        assert (await client.fetch_status())["status"] == "ok"

        candles = exchange.engine.candles(SYMBOL, "5m", limit=3)
        rows = await client.fetch_ohlcv(SYMBOL, "5m", limit=3, since=int(candles.ts[0]))
        assert [row[0] for row in rows] == candles.ts.tolist()
        assert [row[1:5] for row in rows] == [list(row) for row in zip(*candles[1:5], strict=True)]
        assert [row[5] for row in rows] == pytest.approx(candles.volume.tolist())

        ticker = await client.fetch_ticker(SYMBOL)
        known = exchange.engine.ticker(SYMBOL)
        assert (ticker["last"], ticker["bid"], ticker["ask"]) == (known.last, known.bid, known.ask)
        assert (ticker["high"], ticker["low"]) == (known.high, known.low)
        assert ticker["baseVolume"] == pytest.approx(known.volume)
        assert set(await client.fetch_tickers()) == {SYMBOL, "BTC/USDT"}
        book = await client.fetch_order_book(SYMBOL, 5)
        bids, asks, _ = exchange.engine.book(SYMBOL, 5)
        assert [row[:2] for row in book["bids"]] == [list(row) for row in bids]
        assert [row[:2] for row in book["asks"]] == [list(row) for row in asks]
        trades = await client.fetch_trades(SYMBOL, limit=4)
        assert [int(one["id"]) for one in trades] == [one.id for one in exchange.engine.trades(SYMBOL, limit=4)]
        assert all(one["side"] in ("buy", "sell") and one["timestamp"] <= exchange.now for one in trades)

    drive(exchange, work)


def test_at_most_720_candles_whatever_since_says(exchange: Exchange) -> None:
    async def work(client: Any, exchange: Exchange) -> None:
        await advance(exchange, 600 * MINUTE)
        rows = await client.fetch_ohlcv(SYMBOL, "1m", since=0)
        assert len(rows) == 720
        assert rows[-1][0] == exchange.now - exchange.now % MINUTE

    drive(exchange, work)


def test_orders_live_and_die(exchange: Exchange) -> None:
    async def work(client: Any, exchange: Exchange) -> None:
        done = await client.create_order(SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": "wb-1"})
        found = await client.fetch_order(done["id"])
        assert (found["status"], found["filled"], found["clientOrderId"]) == ("closed", 0.01, "wb-1")
        assert found["average"] == exchange.engine.ticker(SYMBOL).ask
        (mine,) = await client.fetch_my_trades(SYMBOL)
        assert (mine["order"], mine["amount"], mine["takerOrMaker"]) == (done["id"], 0.01, "taker")
        assert mine["fee"] == {"currency": "USD", "cost": pytest.approx(mine["cost"] * 0.001)}
        balance = await client.fetch_balance()
        assert balance["USD"]["total"] == pytest.approx(100_000 - mine["cost"])
        assert balance["BTC"]["total"] == pytest.approx(10.00999)

        rests = await client.create_order(SYMBOL, "limit", "buy", 0.02, 50_000, {"clientOrderId": "wb-2"})
        stop = await client.create_order(SYMBOL, "limit", "sell", 0.01, 49_000, {"stopLossPrice": 50_000})
        take = await client.create_order(SYMBOL, "market", "sell", 0.01, None, {"takeProfitPrice": 90_000})
        trail = await client.create_order(SYMBOL, "market", "sell", 0.01, None, {"trailingPercent": "5"})
        cost = await client.create_order(SYMBOL, "market", "buy", None, None, {"cost": 100})
        ids = [one["id"] for one in await client.fetch_open_orders(SYMBOL)]
        assert ids == [one["id"] for one in (rests, stop, take, trail)]
        assert (await client.fetch_balance())["USD"]["used"] == pytest.approx(1_000.0, rel=0.01)
        assert (await client.fetch_order(cost["id"]))["filled"] > 0
        facts = [await client.fetch_order(one["id"]) for one in (stop, take, trail)]
        assert [one["stopLossPrice"] for one in facts] == [50_000, None, None]
        assert [one["takeProfitPrice"] for one in facts] == [None, 90_000, None]
        assert [one["type"] for one in facts] == ["limit", "market", "trailing-stop"]

        await client.edit_order(rests["id"], SYMBOL, "limit", "buy", 0.03, 50_500)
        (edited,) = await client.fetch_open_orders(None, None, None, {"clientOrderId": "wb-2"})
        assert (edited["id"], edited["price"], edited["amount"]) == (rests["id"], 50_500, 0.03)
        await client.cancel_order(None, SYMBOL, {"clientOrderId": "wb-2"})
        with pytest.raises(ccxt.OrderNotFound):
            await client.cancel_order(rests["id"])
        await client.cancel_all_orders()
        assert await client.fetch_open_orders(SYMBOL) == []
        over = {one["id"]: one["status"] for one in await client.fetch_closed_orders(SYMBOL)}
        assert over[rests["id"]] == "canceled" and over[done["id"]] == "closed" and len(over) == 6

    drive(exchange, work)


REFUSED: list[tuple[tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
    (("limit", "buy", 100, 50_000), {}, ccxt.InsufficientFunds, "EOrder:Insufficient funds"),
    (("limit", "sell", 100, 50_000), {}, ccxt.InsufficientFunds, "EOrder:Insufficient funds"),
    (("limit", "buy", 0.00005, 50_000), {}, ccxt.ExchangeError, "EOrder:Cost minimum not met"),
    (("limit", "buy", 0.01, 90_000), {"postOnly": True}, ccxt.ExchangeError, "EOrder:Post only order"),
    (("limit", "buy", 0.01, 50_000), {"timeInForce": "FOK"}, ccxt.ExchangeError, "arguments:timeinforce"),
]


@pytest.mark.parametrize(("order", "params", "error", "words"), REFUSED)
def test_what_kraken_refuses(
    exchange: Exchange, order: tuple[Any, ...], params: dict[str, Any], error: type[Exception], words: str
) -> None:
    async def work(client: Any, exchange: Exchange) -> None:
        with pytest.raises(error, match=words):
            await client.create_order(SYMBOL, *order, params)
        assert exchange.engine.orders(PRACTICE.account, SYMBOL) == []

    drive(exchange, work)


def test_signatures_and_nonces_are_verified(exchange: Exchange) -> None:
    async def work(client: Any, exchange: Exchange) -> None:
        await client.fetch_balance()
        nonces = iter([10**15, 10**15])
        client.incrementing_nonce = lambda: next(nonces)
        await client.fetch_balance()
        with pytest.raises(ccxt.InvalidNonce, match="EAPI:Invalid nonce"):
            await client.fetch_balance()
        client.incrementing_nonce = lambda: 10**15 + 1
        client.secret = base64.b64encode(b"another").decode()
        with pytest.raises(ccxt.ExchangeError, match="EAPI:Invalid signature"):
            await client.fetch_balance()
        client.apiKey = "nobody"
        with pytest.raises(ccxt.AuthenticationError, match="EAPI:Invalid key"):
            await client.fetch_balance()
        client.apiKey, client.secret = PRACTICE.key, PRACTICE.secret
        await client.fetch_balance()  # what was refused did not use its nonce up

    drive(exchange, work)


def test_market_streams(exchange: Exchange) -> None:
    async def work(client: Any, exchange: Exchange) -> None:
        await soon(client.watch_trades(SYMBOL))
        await soon(client.watch_ticker(SYMBOL))
        await soon(client.watch_ohlcv(SYMBOL, "1m"))
        await soon(client.watch_order_book(SYMBOL))
        seen: dict[int, list[float]] = {}
        for _ in range(4):
            waiting = [
                asyncio.create_task(one)
                for one in (
                    client.watch_ohlcv(SYMBOL, "1m"), client.watch_ticker(SYMBOL), client.watch_trades(SYMBOL),
                    client.watch_order_book(SYMBOL),
                )
            ]  # fmt: skip
            await asyncio.sleep(0)
            await advance(exchange, MINUTE)
            candles, ticker, trades, _ = [await soon(one) for one in waiting]
            seen |= {row[0]: row for row in candles}
            await until(lambda: client.tickers[SYMBOL]["last"] == exchange.engine.ticker(SYMBOL).last)
            assert trades and ticker["symbol"] == SYMBOL
        await until(lambda: client.ohlcvs[SYMBOL]["1m"][-1][0] == exchange.now - exchange.now % MINUTE)
        mine = {row[0]: row for row in client.ohlcvs[SYMBOL]["1m"]}
        known = exchange.engine.candles(SYMBOL, "1m", limit=5)
        for place, ts in enumerate(known.ts.tolist()):
            assert mine[ts][1:5] == [float(column[place]) for column in known[1:5]]
            assert mine[ts][5] == pytest.approx(float(known.volume[place]))
        bids, asks, _ = exchange.engine.book(SYMBOL, 10)
        await until(lambda: [tuple(row) for row in client.orderbooks[SYMBOL]["bids"]] == list(bids))
        await until(lambda: [tuple(row) for row in client.orderbooks[SYMBOL]["asks"]] == list(asks))

    drive(exchange, work, stream=True)


def test_own_streams(exchange: Exchange) -> None:
    async def work(client: Any, exchange: Exchange) -> None:
        balances = await soon(client.watch_balance())
        assert balances["USD"]["total"] == 100_000
        orders = asyncio.create_task(client.watch_orders())
        fills = asyncio.create_task(client.watch_my_trades())
        moved = asyncio.create_task(client.watch_balance())
        await until(lambda: "executions" in _channels(exchange))
        placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 70_000, {"clientOrderId": "wb-1"})
        (fill,) = await soon(fills)
        assert (fill["order"], fill["amount"], fill["takerOrMaker"]) == (placed["id"], 0.01, "taker")
        await soon(orders)
        await until(lambda: client.orders[-1]["status"] == "closed")
        assert client.orders[-1]["info"]["cl_ord_id"] == "wb-1"
        await soon(moved)
        await until(lambda: client.balance["spot"]["USD"]["total"] == pytest.approx(100_000 - fill["cost"]))

        rests = await soon(client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 50_000))
        await until(lambda: client.orders[-1]["id"] == rests["id"] and client.orders[-1]["status"] == "open")
        await soon(client.cancel_order_ws(rests["id"]))
        await until(lambda: client.orders[-1]["status"] == "canceled")
        with pytest.raises(ccxt.ExchangeError, match="Insufficient funds"):
            await soon(client.create_order_ws(SYMBOL, "limit", "buy", 1_000, 50_000))
        exchange.call(lambda: exchange.engine.adjust(PRACTICE.account, "USD", -500.0, "withdraw"))
        await until(lambda: client.balance["spot"]["USD"]["total"] < 99_500)

    drive(exchange, work, stream=True)


def _channels(exchange: Exchange) -> set[str]:
    (kraken,) = exchange._protocols
    return {channel for talk in kraken._talks for channel, _ in talk._channels}  # type: ignore[attr-defined]


def test_a_subscription_that_is_refused_says_why(exchange: Exchange) -> None:
    async def work(client: Any, exchange: Exchange) -> None:
        said: list[Any] = []
        client.handle_message = lambda _, message: said.append(message)
        url = client.urls["api"]["ws"]["publicV2"]
        asked = [
            {"method": "subscribe", "params": {"channel": "ohlc", "symbol": ["BTC/XYZ"], "interval": 1}, "req_id": 1},
            {"method": "subscribe", "params": {"channel": "ohlc", "symbol": [SYMBOL], "interval": 7}, "req_id": 2},
            {"method": "subscribe", "params": {"channel": "weather"}, "req_id": 3},
            {"method": "subscribe", "params": {"channel": "executions", "token": "none"}, "req_id": 4},
            {"method": "ping", "req_id": 5},
        ]
        waiting = [asyncio.ensure_future(client.watch(url, f"w{n}", one, f"w{n}")) for n, one in enumerate(asked)]
        await until(lambda: sum("req_id" in one for one in said) == 5)
        errors = {one["req_id"]: one.get("error") for one in said if "req_id" in one}
        assert errors == {
            1: "Currency pair not supported BTC/XYZ", 2: "Subscription ohlc interval not supported",
            3: "Subscription name invalid", 4: "ESession:Invalid session", 5: None,
        }  # fmt: skip
        for one in waiting:
            one.cancel()

    drive(exchange, work, stream=True)


def test_a_reset_stop_and_a_halt_reach_kraken_clients(exchange: Exchange) -> None:
    async def work(client: Any, exchange: Exchange) -> None:
        exchange.faults.add("reset", target="submit", landed=True, when={"count": 1})
        with pytest.raises(ccxt.ExchangeNotAvailable):
            await client.create_order(SYMBOL, "limit", "buy", 0.01, 50_000, {"clientOrderId": "wb-7"})
        (found,) = await client.fetch_open_orders(SYMBOL, None, None, {"clientOrderId": "wb-7"})
        assert found["price"] == 50_000
        exchange.faults.add("reject", target="submit", code="insufficient_margin", when={"count": 1})
        with pytest.raises(ccxt.InsufficientFunds):
            await client.create_order(SYMBOL, "limit", "buy", 0.01, 50_000)
        exchange.faults.add("reject", target="account", code="EAPI:Rate limit exceeded", when={"count": 1})
        with pytest.raises(ccxt.DDoSProtection):
            await client.fetch_balance()
        exchange.faults.add("halt", symbol=SYMBOL, target="submit")
        with pytest.raises(ccxt.OnMaintenance):
            await client.create_order(SYMBOL, "limit", "buy", 0.01, 50_000)
        await client.load_markets(True)
        assert client.market(SYMBOL)["active"] is False

    drive(exchange, work)


def test_field_names_are_those_of_real_answers(exchange: Exchange) -> None:
    """Names and types of what Kraken sent once."""

    async def work(client: Any, exchange: Exchange) -> None:
        ticker = (await client.public_get_ticker({"pair": "XBTUSD"}))["result"]["XXBTZUSD"]
        assert {name: len(value) for name, value in ticker.items() if name != "o"} == {
            "a": 3, "b": 3, "c": 2, "v": 2, "p": 2, "t": 2, "l": 2, "h": 2,
        }  # fmt: skip
        rows = (await client.public_get_ohlc({"pair": "XBT/USD"}))["result"]["XXBTZUSD"]
        assert [type(value) for value in rows[0]] == [int, str, str, str, str, str, str, int]
        trades = (await client.public_get_trades({"pair": "XXBTZUSD", "count": 2}))["result"]
        assert [type(value) for value in trades["XXBTZUSD"][0]] == [str, str, float, str, str, str, int]
        assert trades["last"].endswith("000000")
        pair = (await client.public_get_assetpairs({"pair": "XBTUSD"}))["result"]["XXBTZUSD"]
        assert set(pair) == set(
            "aclass_base aclass_quote altname base cost_decimals costmin fee_volume_currency fees fees_maker "
            "leverage_buy leverage_sell lot lot_decimals lot_multiplier margin_call margin_stop ordermin pair_decimals "
            "quote status tick_size wsname".split()
        )
        await client.create_order(SYMBOL, "market", "buy", 0.01)
        (trade,) = (await client.private_post_tradeshistory())["result"]["trades"].values()
        assert set(trade) - {"leverage"} == set(
            "ordertxid postxid pair time type ordertype price cost fee vol margin misc trade_id maker".split()
        )

    drive(exchange, work)


def test_pairs_ids_and_checksums() -> None:
    from tests.practice.stage import instrument

    ids = {symbol: Pair(instrument(symbol)).id for symbol in ("BTC/USD", "BTC/USDT", "ETH/BTC", "SOL/USD", "DOGE/EUR")}
    assert ids == {
        "BTC/USD": "XXBTZUSD", "BTC/USDT": "XBTUSDT", "ETH/BTC": "XETHXXBT", "SOL/USD": "SOLUSD",
        "DOGE/EUR": "XXDGZEUR",
    }  # fmt: skip
    assert all(number_of(order_id(number)) == number for number in (0, 1, 35, 36, 10**12))
    assert number_of("wb-1") == -1
    # the example of Kraken's guide to the checksum of its book, version 2
    asks = [(45285.2, 0.001), (45286.4, 1.54571953), (45286.6, 1.54571109), (45289.6, 1.54560911), (45290.2, 0.1589066),
            (45291.8, 1.54553491), (45294.7, 0.04454749), (45296.1, 0.3538), (45297.5, 0.09945542),
            (45299.5, 0.18772827)]  # fmt: skip
    bids = [(45283.5, 0.1), (45283.4, 1.54582015), (45282.1, 0.1), (45281.0, 0.1), (45280.3, 1.54592586),
            (45279.0, 0.0799), (45277.6, 0.03310103), (45277.5, 0.3), (45277.3, 1.54602737),
            (45276.6, 0.15445238)]  # fmt: skip
    pair = Pair(instrument("BTC/USD", tick_size=0.1, lot_size=1e-8))
    assert pair.checksum(bids, asks) == 3310070434
