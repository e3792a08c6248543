"""Each venue amends as it does: Binance's spot orders only get smaller, Kraken's change price and quantity."""

from __future__ import annotations

import asyncio
from typing import Any

import ccxt
import pytest

from tests.practice.rooms import room
from workbench.practice.clients import connect

SYMBOL = "BTC/USDT"


def test_a_spot_order_of_binance_only_gets_smaller() -> None:
    async def work(client: Any) -> None:
        order = await client.create_order(SYMBOL, "limit", "buy", 0.02, 50_000)

        async def amend(quantity: str) -> Any:
            asked = {"symbol": "BTCUSDT", "orderId": order["id"], "newQty": quantity}
            return await client.request("order/amend/keepPriority", ["private"], "PUT", asked)

        await amend("0.01")
        for quantity in ("0.01", "0.03"):
            with pytest.raises(ccxt.BaseError, match="-20"):
                await amend(quantity)
        assert (await client.fetch_order(order["id"], SYMBOL))["amount"] == 0.01

    _drive("binance", work)


def test_an_order_of_kraken_keeps_its_id_with_another_price_and_more_of_it() -> None:
    async def work(client: Any) -> None:
        order = await client.create_order(SYMBOL, "limit", "buy", 0.02, 50_000)
        await client.edit_order(order["id"], SYMBOL, "limit", "buy", 0.03, 50_100)
        found = await client.fetch_order(order["id"], SYMBOL)
        assert (found["price"], found["amount"], found["status"]) == (50_100, 0.03, "open")
        with pytest.raises(ccxt.InsufficientFunds):
            await client.edit_order(order["id"], SYMBOL, "limit", "buy", 30, 50_100)

    _drive("kraken", work)


def _drive(venue: str, work: Any) -> None:
    async def run() -> None:
        with room(SYMBOL, protocols=(venue,)) as exchange:
            async with connect(
                venue, route=exchange.route, enableRateLimit=False, options={"fetchMarkets": {"types": ["spot"]}}
            ) as client:
                await client.load_markets()
                await work(client)

    asyncio.run(run())
