"""ccxt as it is, asynchronous and with websockets, trades perpetuals at a practice exchange in another process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.practice.stage import PERP, T0
from tests.practice.wire_stage import DAY, Served, client, missing, run, stepped

# What Binance's futures exchange has no value for, so that ccxt says None with the real one too.
TICKER = ("bid", "bidVolume", "ask", "askVolume", "previousClose", "markPrice", "indexPrice")
TRADE = ("order", "type", "takerOrMaker", "fee")
ORDER = ("triggerPrice", "takeProfitPrice", "stopLossPrice", "stopPrice", "fee")
RESTING = (*ORDER, "lastTradeTimestamp", "average")
FUNDING = (
    "nextFundingRate", "nextFundingTimestamp", "nextFundingDatetime", "previousFundingRate",
    "previousFundingTimestamp", "previousFundingDatetime", "interval",
)  # fmt: skip
POSITION = ("id", "lastPrice", "stopLossPrice", "takeProfitPrice", "lastUpdateTimestamp", "liquidationPrice",
            "realizedPnl", "marginRatio")  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    process = Served(tmp_path_factory.mktemp("practice"))
    yield process
    process.close()


def test_prices_and_funding_are_those_of_the_market(served: Served) -> None:
    async def ask() -> Any:
        async with client(served, "binanceusdm") as usdm:
            return {
                "market": usdm.market(PERP),
                "candles": await usdm.fetch_ohlcv(PERP, "1m", since=T0 - DAY, limit=1_000),
                "marks": await usdm.fetch_mark_ohlcv(PERP, "1m", limit=3),
                "ticker": await usdm.fetch_ticker(PERP),
                "book": await usdm.fetch_order_book(PERP, 20),
                "trades": await usdm.fetch_trades(PERP, limit=20),
                "bids": await usdm.fetch_bids_asks([PERP]),
                "rate": await usdm.fetch_funding_rate(PERP),
                "rates": await usdm.fetch_funding_rate_history(PERP, limit=10),
                "interval": await usdm.fetch_funding_interval(PERP),
                "interest": await usdm.fetch_open_interest(PERP),
                "tiers": await usdm.fetch_leverage_tiers([PERP]),
                "fee": await usdm.fetch_trading_fee(PERP),
            }

    got = run(ask())
    assert got["market"]["swap"] and got["market"]["linear"] and got["market"]["contractSize"] == 1.0
    assert [row[0] for row in got["candles"]] == list(range(T0 - DAY, T0 - DAY + 60_000_000, 60_000))
    assert len(got["marks"]) == 3 and missing(got["ticker"], *TICKER) == []
    assert len(got["book"]["bids"]) == 20 and missing(got["book"]) == [] and missing(got["trades"], *TRADE) == []
    assert got["bids"][PERP]["bid"] < got["bids"][PERP]["ask"]
    assert missing(got["rate"], *FUNDING) == [] and got["rate"]["fundingRate"] == 0.0001
    assert missing(got["rates"]) == [] and T0 in [row["timestamp"] for row in got["rates"]]
    assert got["interval"]["interval"] == "8h" and got["interest"]["openInterestAmount"] > 0
    assert [tier["maxLeverage"] for tier in got["tiers"][PERP]] == [50, 20, 5]
    assert got["fee"]["taker"] == 0.0005


def test_a_position_is_opened_protected_and_seen(served: Served) -> None:
    async def trade() -> Any:
        async with client(served, "binanceusdm", "trader") as usdm:
            last = (await usdm.fetch_ticker(PERP))["last"]
            low, high = last * 0.97, last * 1.03
            got: dict[str, Any] = {
                "leverage": await usdm.set_leverage(10, PERP),
                "margin": await usdm.set_margin_mode("isolated", PERP),
                "market": await usdm.create_order(PERP, "market", "buy", 0.1),
                "limit": await usdm.create_order(PERP, "limit", "buy", 0.1, low, {"clientOrderId": "mine-1"}),
                "post_only": await usdm.create_order(PERP, "limit", "sell", 0.1, high, {"postOnly": True}),
                "ws": await usdm.create_order_ws(PERP, "limit", "buy", 0.1, low),
            }
            waiting = {
                "stop": ("market", None, {"stopLossPrice": low, "reduceOnly": True}),
                "stop_limit": ("limit", low * 0.99, {"stopLossPrice": low}),
                "profit": ("market", None, {"takeProfitPrice": high}),
                "profit_limit": ("limit", high, {"takeProfitPrice": high}),
                "trail": ("market", None, {"trailingPercent": 1.5}),
            }
            for name, (kind, price, params) in waiting.items():
                got[name] = await usdm.create_order(PERP, kind, "sell", 0.1, price, params)
            got["by_name"] = await usdm.fetch_order(None, PERP, {"clientOrderId": "mine-1"})
            got["edited"] = await usdm.edit_order(got["limit"]["id"], PERP, "limit", "buy", 0.2, low * 0.99)
            got["open"] = await usdm.fetch_open_orders(PERP)
            got["waiting"] = await usdm.fetch_open_orders(PERP, params={"trigger": True})
            got["algo"] = await usdm.fetch_order(got["trail"]["id"], PERP, {"trigger": True})
            got["position"] = (await usdm.fetch_positions([PERP]))[0]
            got["balance"] = await usdm.fetch_balance()
            got["modes"] = await usdm.fetch_margin_modes([PERP])
            got["leverages"] = await usdm.fetch_leverages([PERP])
            got["hedged"] = await usdm.fetch_position_mode()
            got["canceled"] = await usdm.cancel_order(None, PERP, {"clientOrderId": "mine-1"})
            await usdm.cancel_order(got["trail"]["id"], PERP, {"trigger": True})
            await usdm.cancel_all_orders(PERP)
            await usdm.cancel_all_orders(PERP, {"trigger": True})
            got["left"] = await usdm.fetch_open_orders(PERP)
            got["left_waiting"] = await usdm.fetch_open_orders(PERP, params={"trigger": True})
            got["trades"] = await usdm.fetch_my_trades(PERP)
            got["closed"] = await usdm.fetch_closed_orders(PERP)
            return got

    got = run(trade())
    assert got["leverage"]["leverage"] == 10 and got["margin"]["code"] == 200
    assert got["market"]["status"] == "closed" and missing(got["market"], *ORDER) == []
    for name in ("limit", "post_only", "ws", "by_name", "edited"):
        assert got[name]["status"] == "open" and missing(got[name], *RESTING) == [], name
    for name in ("stop", "stop_limit", "profit", "profit_limit", "trail", "algo"):
        assert got[name]["status"] == "open" and missing(got[name], *RESTING, "price", "cost") == [], name
    assert got["stop"]["reduceOnly"] and got["stop"]["triggerPrice"] and got["edited"]["amount"] == 0.2
    assert len(got["open"]) == 3 and len(got["waiting"]) == 5 and got["left"] == got["left_waiting"] == []
    position = got["position"]
    assert missing(position, *POSITION) == [] and position["contracts"] == 0.1 and position["leverage"] == 10
    assert position["marginMode"] == "isolated" and position["liquidationPrice"] > 0
    assert got["balance"]["USDT"]["total"] > got["balance"]["USDT"]["free"] > 0
    assert got["modes"][PERP]["marginMode"] == "isolated" and got["leverages"][PERP]["longLeverage"] == 10
    assert got["hedged"]["hedged"] is False and got["canceled"]["status"] == "canceled"
    assert missing(got["trades"], "type") == [] and got["closed"][-1]["status"] == "closed"


def test_everything_is_told_over_websockets(served: Served) -> None:
    async def watch() -> Any:
        async with client(served, "binanceusdm") as usdm:
            asked = {
                "candles": usdm.watch_ohlcv(PERP, "1m"),
                "ticker": usdm.watch_ticker(PERP, {"name": "ticker"}),
                "bids": usdm.watch_bids_asks([PERP]),
                "trades": usdm.watch_trades(PERP),
                "book": usdm.watch_order_book(PERP),
                "mark": usdm.watch_mark_price(PERP),
            }
            return dict(zip(asked, await stepped(asyncio.gather(*asked.values()), served.advance), strict=True))

    got = run(watch())
    assert None not in got["candles"][-1] and missing(got["ticker"], *TICKER) == []
    assert missing(got["trades"], *TRADE) == [] and got["mark"]["markPrice"] > 0 and got["mark"]["indexPrice"] > 0
    assert got["bids"][PERP]["bid"] < got["bids"][PERP]["ask"]
    assert missing(got["book"]) == [] and got["book"]["bids"][0][0] < got["book"]["asks"][0][0]


def test_an_account_is_told_of_fills_positions_and_funding(served: Served) -> None:
    async def trade() -> Any:
        async with client(served, "binanceusdm", "watcher") as usdm:
            got: dict[str, list[Any]] = {"orders": [], "myTrades": [], "balance": [], "positions": []}

            async def collect(into: list[Any], watch: Any) -> None:
                while True:
                    into.append(await watch())

            watches = (usdm.watch_orders, usdm.watch_my_trades, usdm.watch_balance, usdm.watch_positions)
            tasks = [asyncio.create_task(collect(got[name], one)) for name, one in zip(got, watches, strict=True)]
            wanted = {"orders", "myTrades", "linear:balance", "linear:positions"}
            while not any(len(wanted & set(one.futures)) == 4 for one in usdm.clients.values()):
                await asyncio.sleep(0.01)
            held = sum(one["contracts"] for one in await usdm.fetch_positions([PERP]))
            sent = await usdm.create_order(PERP, "market", "buy", 0.1)
            await asyncio.to_thread(served.advance, 8 * 3_600_000)
            while not (got["myTrades"] and len(got["orders"]) >= 2 and len(got["balance"]) >= 2 and got["positions"]):
                await asyncio.sleep(0.01)
            paid = await usdm.fetch_funding_history(PERP)
            ledger = await usdm.fetch_ledger()
            for task in tasks:
                task.cancel()
            return sent, held, got, paid, ledger

    sent, held, got, paid, ledger = run(trade())
    order = got["orders"][-1][-1]
    assert order["id"] == sent["id"] and order["status"] == "closed" and missing(order, *ORDER, "price") == []
    assert missing(got["myTrades"][-1], "type") == []
    assert got["positions"][-1][-1]["contracts"] == pytest.approx(held + 0.1)
    assert missing(paid) == [] and paid[-1]["amount"] < 0 and paid[-1]["symbol"] == PERP
    assert {"commission", "fee"} & {row["type"] for row in ledger}
