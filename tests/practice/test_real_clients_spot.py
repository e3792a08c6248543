"""ccxt as it is, asynchronous and with websockets, trades spot at a practice exchange that runs in another process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.practice.stage import SPOT, T0
from tests.practice.wire_stage import DAY, ETH, Served, client, missing, run, stepped

# What Binance's spot exchange has no value for, so that ccxt says None with the real one too.
TICKER = ("markPrice", "indexPrice")
MINI = (*TICKER, "bid", "bidVolume", "ask", "askVolume", "previousClose")
TRADE = ("order", "type", "takerOrMaker", "fee")
ORDER = ("reduceOnly", "triggerPrice", "takeProfitPrice", "stopLossPrice", "stopPrice")
RESTING = (*ORDER, "lastTradeTimestamp", "average", "fee")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    process = Served(tmp_path_factory.mktemp("practice"))
    yield process
    process.close()


def test_markets_come_with_their_rules(served: Served) -> None:
    async def ask() -> Any:
        async with client(served, "binance") as binance:
            return binance.markets, binance.currencies, await binance.fetch_time()

    markets, currencies, now = run(ask())
    spot = markets[SPOT]
    assert (spot["id"], spot["active"], spot["spot"], spot["base"], spot["quote"]) == (
        "BTCUSDT",
        True,
        True,
        "BTC",
        "USDT",
    )
    assert spot["precision"]["price"] == 0.01 and spot["precision"]["amount"] == 0.001
    assert spot["limits"]["amount"]["min"] == 0.001 and spot["limits"]["cost"]["min"] == 5.0
    assert {"BTC", "ETH", "USDT"} <= set(currencies) and now >= T0


def test_prices_are_those_of_the_market(served: Served) -> None:
    async def ask() -> Any:
        async with client(served, "binance") as binance:
            return {
                "candles": await binance.fetch_ohlcv(SPOT, "1m", since=T0 - DAY, limit=1_000),
                "hours": await binance.fetch_ohlcv(SPOT, "1h", limit=5),
                "ticker": await binance.fetch_ticker(SPOT),
                "tickers": await binance.fetch_tickers([SPOT, ETH]),
                "all": await binance.fetch_tickers(),
                "book": await binance.fetch_order_book(SPOT, 20),
                "trades": await binance.fetch_trades(SPOT, limit=50),
                "bids": await binance.fetch_bids_asks([SPOT]),
                "last": await binance.fetch_last_prices([SPOT]),
                "paged": await binance.fetch_ohlcv(
                    SPOT, "1m", since=T0 - DAY, params={"paginate": True, "until": T0 - 60_000}
                ),
            }

    got = run(ask())
    times = [row[0] for row in got["candles"]]
    assert len(times) == 1_000 and times == list(range(T0 - DAY, T0 - DAY + 60_000_000, 60_000))
    assert all(None not in row and row[3] <= min(row[1], row[4]) <= row[2] for row in got["candles"])
    assert [row[0] for row in got["paged"]] == list(range(T0 - DAY, T0, 60_000))
    assert len(got["hours"]) == 5
    assert missing(got["ticker"], *TICKER) == [] and missing(list(got["tickers"].values()), *TICKER) == []
    assert set(got["tickers"]) == {SPOT, ETH} <= set(got["all"])
    book = got["book"]
    assert len(book["bids"]) == len(book["asks"]) == 20 and book["bids"][0][0] < book["asks"][0][0] and book["nonce"]
    assert len(got["trades"]) == 50 and missing(got["trades"], *TRADE) == []
    assert missing(got["bids"][SPOT]["info"]) == [] and got["last"][SPOT]["price"] == got["ticker"]["last"]


def test_orders_of_every_type_come_back_whole(served: Served) -> None:
    async def trade() -> Any:
        async with client(served, "binance", "trader") as binance:
            last = (await binance.fetch_ticker(SPOT))["last"]
            low, high = last * 0.97, last * 1.03
            at = lambda price: float(binance.price_to_precision(SPOT, price))  # noqa: E731
            got = {
                "market": await binance.create_order(SPOT, "market", "buy", 0.1),
                "cost": await binance.create_order(SPOT, "market", "buy", None, None, {"cost": 1_000}),
                "limit": await binance.create_order(SPOT, "limit", "buy", 0.1, low, {"clientOrderId": "mine-1"}),
                "post_only": await binance.create_order(SPOT, "limit", "sell", 0.1, high, {"postOnly": True}),
                "ioc": await binance.create_order(SPOT, "limit", "buy", 0.1, low, {"timeInForce": "IOC"}),
                "stop": await binance.create_order(SPOT, "market", "sell", 0.1, None, {"stopLossPrice": low}),
                "stop_limit": await binance.create_order(
                    SPOT, "limit", "sell", 0.1, at(low * 0.99), {"stopLossPrice": low}
                ),
                "profit": await binance.create_order(SPOT, "market", "sell", 0.1, None, {"takeProfitPrice": high}),
                "profit_limit": await binance.create_order(SPOT, "limit", "sell", 0.1, high, {"takeProfitPrice": high}),
                "ws": await binance.create_order_ws(SPOT, "limit", "buy", 0.1, low),
            }
            got["by_name"] = await binance.fetch_order(None, SPOT, {"clientOrderId": "mine-1"})
            got["by_id"] = await binance.fetch_order(got["market"]["id"], SPOT)
            got["open"] = await binance.fetch_open_orders(SPOT)
            got["edited"] = await binance.edit_order(got["limit"]["id"], SPOT, "limit", "buy", 0.2, at(low * 0.99))
            got["ws_canceled"] = await binance.cancel_order_ws(got["ws"]["id"], SPOT)
            got["canceled"] = await binance.cancel_order(None, SPOT, {"clientOrderId": got["edited"]["clientOrderId"]})
            got["all"] = await binance.cancel_all_orders(SPOT)
            got["orders"] = await binance.fetch_orders(SPOT)
            got["closed"] = await binance.fetch_closed_orders(SPOT)
            got["trades"] = await binance.fetch_my_trades(SPOT)
            got["balance"] = await binance.fetch_balance()
            got["fees"] = await binance.fetch_trading_fees()
            return got

    got = run(trade())
    done, resting = (*ORDER,), (*RESTING,)
    for name in ("market", "cost", "by_id"):
        assert got[name]["status"] == "closed" and missing(got[name], *done, "fee") == [], name
    assert got["market"]["trades"][0]["fee"] == {"currency": "BTC", "cost": 0.0001}
    assert 900 < got["cost"]["cost"] <= 1_000
    for name in ("limit", "post_only", "by_name", "edited", "ws"):
        assert got[name]["status"] == "open" and missing(got[name], *resting) == [], name
    for name in ("stop", "stop_limit", "profit", "profit_limit"):
        assert got[name]["status"] == "open" and got[name]["triggerPrice"] > 0, name
        assert missing(got[name], *resting, *(() if "limit" in name else ("price", "cost"))) == [], name
    assert got["post_only"]["postOnly"] and got["ioc"]["status"] == "expired"
    assert len(got["open"]) == 7 and len(got["all"]) == 5
    assert got["ws_canceled"]["status"] == got["canceled"]["status"] == "canceled"
    assert {one["id"] for one in got["closed"]} >= {got["market"]["id"], got["cost"]["id"]}
    assert len(got["orders"]) == 11 and len(got["trades"]) >= 2 and missing(got["trades"], "type") == []
    assert got["balance"]["BTC"]["used"] == 0.0 and got["balance"]["BTC"]["free"] > 10.1
    assert got["fees"][SPOT]["taker"] == 0.001


def test_an_order_list_cancels_what_is_left_of_it(served: Served) -> None:
    async def trade() -> Any:
        async with client(served, "binance", "pairs") as binance:
            last = (await binance.fetch_ticker(SPOT))["last"]
            at = lambda price: binance.price_to_precision(SPOT, price)  # noqa: E731
            sent = await binance.privatePostOrderListOco(
                {
                    "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.1", "aboveType": "LIMIT_MAKER",
                    "abovePrice": at(last * 1.03), "belowType": "STOP_LOSS", "belowStopPrice": at(last * 0.97),
                    "listClientOrderId": "pair-1",
                }
            )  # fmt: skip
            opened = await binance.fetch_open_orders(SPOT)
            await binance.cancel_order(opened[0]["id"], SPOT)
            listed = await binance.privateGetOrderList({"origClientOrderId": "pair-1"})
            return sent, opened, listed, await binance.fetch_open_orders(SPOT)

    sent, opened, listed, left = run(trade())
    assert sent["listOrderStatus"] == "EXECUTING" and len(sent["orderReports"]) == 2
    assert len(opened) == 2 and left == [] and listed["listOrderStatus"] == "ALL_DONE"


def test_everything_is_told_over_websockets(served: Served) -> None:
    async def watch() -> Any:
        async with client(served, "binance") as binance:
            asked = {
                "candles": binance.watch_ohlcv(SPOT, "1m"),
                "mini": binance.watch_ticker(SPOT),
                "ticker": binance.watch_ticker(ETH, {"name": "ticker"}),
                "tickers": binance.watch_tickers([SPOT, ETH]),
                "bids": binance.watch_bids_asks([SPOT]),
                "trades": binance.watch_trades(SPOT),
                "book": binance.watch_order_book(SPOT),
            }
            got = dict(zip(asked, await stepped(asyncio.gather(*asked.values()), served.advance), strict=True))
            await binance.un_watch_ohlcv(SPOT, "1m")
            return got

    got = run(watch())
    assert None not in got["candles"][-1] and len(got["candles"][-1]) == 6
    assert missing(got["mini"], *MINI) == [] and missing(got["ticker"], *TICKER) == []
    assert missing(got["trades"], *TRADE) == []
    assert got["bids"][SPOT]["bid"] < got["bids"][SPOT]["ask"] and got["bids"][SPOT]["askVolume"] > 0
    assert got["book"]["bids"][0][0] < got["book"]["asks"][0][0]


def test_an_account_is_told_of_its_own_orders_fills_and_money(served: Served) -> None:
    async def trade() -> Any:
        async with client(served, "binance", "watcher") as binance:
            orders, fills, money = [], [], []

            async def collect(into: list[Any], watch: Any) -> None:
                while True:
                    into.append(await watch())

            asked = ((orders, binance.watch_orders), (fills, binance.watch_my_trades), (money, binance.watch_balance))
            tasks = [asyncio.create_task(collect(into, watch)) for into, watch in asked]
            url = binance.urls["api"]["ws"]["ws-api"]["spot"]
            while (
                len({"orders", "myTrades", "spot:balance"} & set(getattr(binance.clients.get(url), "futures", ()))) < 3
            ):
                await asyncio.sleep(0.01)
            before, last = await binance.fetch_balance(), (await binance.fetch_ticker(SPOT))["last"]
            sent = await binance.create_order(SPOT, "limit", "buy", 0.1, last * 1.01)
            served.tell(adjust=["watcher", "USDT", 25.0, "deposit"])
            while not (fills and len(orders) >= 2 and len(money) >= 2):
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
            return sent, orders, fills, money[-1], before

    sent, orders, fills, money, before = run(trade())
    last = orders[-1][-1]
    assert last["id"] == sent["id"] and last["status"] == "closed" and last["filled"] == 0.1
    assert missing(last, *ORDER) == [] and last["fee"]["currency"] == "BTC"
    assert missing(fills[-1], "type") == [] and fills[-1][-1]["order"] == sent["id"]
    assert money["USDT"]["total"] - before["USDT"]["total"] == pytest.approx(25.0 - sent["cost"])
    assert money["BTC"]["total"] - before["BTC"]["total"] == pytest.approx(0.0999)
