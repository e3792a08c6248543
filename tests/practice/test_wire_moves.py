"""Deposits, withdrawals and transfers as Binance tells them, and fills and liquidations that add up to the cent."""

from __future__ import annotations

from decimal import Decimal

from tests.practice.stage import PERP, T0, flat, market
from tests.practice.test_wire_binance import Desk, desk
from workbench.practice.clock import HeldClock
from workbench.practice.engine_records import AccountSetup
from workbench.practice.exchange import Exchange
from workbench.practice.wire.signing import PRACTICE

__all__ = ["desk"]  # the fixture

DEPOSITS, WITHDRAWALS = "/sapi/v1/capital/deposit/hisrec", "/sapi/v1/capital/withdraw/history"
TRANSFER = "/sapi/v1/asset/transfer"


def test_what_an_account_began_with_was_deposited(desk: Desk) -> None:
    _, rows = desk.sign("GET", DEPOSITS)
    held = {row["asset"]: float(row["free"]) for row in desk.sign("GET", "/api/v3/account")[1]["balances"]}
    _, moved = desk.sign("GET", TRANSFER, type="MAIN_UMFUTURE")
    went = {row["asset"]: float(row["amount"]) for row in moved["rows"]}
    came: dict[str, float] = {}
    for row in rows:
        came[row["coin"]] = came.get(row["coin"], 0.0) + float(row["amount"])
    assert {asset: amount - went.get(asset, 0.0) for asset, amount in came.items()} == held
    assert all(row["status"] == 1 and row["txId"] for row in rows)
    assert desk.sign("GET", WITHDRAWALS) == (200, [])


def test_moves_are_told_the_newest_first(desk: Desk) -> None:
    engine, name = desk.exchange.engine, PRACTICE.account
    for amount in (10.0, 20.0):
        assert desk.sign("POST", TRANSFER, type="MAIN_UMFUTURE", asset="USDT", amount=amount)[0] == 200
    engine.adjust(name, "USDT", 5.0)
    engine.adjust(name, "USDT", -7.0, "withdraw")
    engine.adjust(name, "USDT", -1.0, "error")  # what nobody can explain is told by nobody
    _, told = desk.sign("GET", TRANSFER, type="MAIN_UMFUTURE", size=2)
    assert [row["amount"] for row in told["rows"]] == ["20.00000000", "10.00000000"] and told["total"] == 3
    _, rest = desk.sign("GET", TRANSFER, type="MAIN_UMFUTURE", size=2, current=2)
    assert len(rest["rows"]) == 1 and desk.sign("GET", TRANSFER, type="UMFUTURE_MAIN")[1]["rows"] == []
    assert desk.sign("GET", TRANSFER, type="MAIN_FUNDING")[1] == {"total": 0, "rows": []}
    assert desk.sign("GET", DEPOSITS, coin="USDT")[1][0]["amount"] == "5.00000000"
    (gone,) = desk.sign("GET", WITHDRAWALS)[1]
    assert (gone["amount"], gone["status"]) == ("7.00000000", 6)
    assert desk.refused("GET", TRANSFER, type="MAIN_MOON") == desk.refused("GET", TRANSFER) == -1102
    assert desk.refused("POST", TRANSFER, type="MAIN_UMFUTURE", asset="USDT", amount=0) == -1102
    later = desk.exchange.now + 1
    assert desk.sign("GET", DEPOSITS, startTime=later)[1] == []


def test_prices_of_fills_are_whole_ticks(desk: Desk) -> None:
    for turn in range(12):
        words = {"symbol": "BTCUSDT", "side": ("BUY", "SELL")[turn % 2], "type": "MARKET", "quantity": "0.374"}
        assert desk.sign("POST", "/fapi/v1/order", **words)[0] == 200
        desk.exchange.advance(7 * 60_000)
    _, rows = desk.sign("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
    prices = [Decimal(row["price"]) for row in rows]
    assert len(prices) == 12 and all(one % Decimal("0.01") == 0 for one in prices)
    assert all(Decimal(row["price"]) * Decimal(row["qty"]) == Decimal(row["quoteQty"]) for row in rows)


def test_the_fee_of_a_liquidation_is_told_once(desk: Desk) -> None:
    crash = market(PERP, [*flat(100.0, 5), *flat(95.6, 10), *flat(95.4, 15)])
    desk.exchange = Exchange(
        [crash], clock=HeldClock(T0 + 30_000), accounts={PRACTICE.account: AccountSetup(linear={"USDT": 1_000.0})}
    )
    desk.spot, desk.usdm = desk.exchange._protocols
    desk.sign("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=50)
    words = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "200"}
    assert desk.sign("POST", "/fapi/v1/order", **words)[0] == 200
    desk.exchange.advance(25 * 60_000)
    _, trades = desk.sign("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
    _, lines = desk.sign("GET", "/fapi/v1/income")
    forced = [row for row in trades if row["side"] == "SELL"]
    assert forced and {row["commission"] for row in forced} == {"0.00000000"}
    fees = sum(Decimal(row["commission"]) for row in trades)
    told = sum(Decimal(row["income"]) for row in lines if row["incomeType"] == "INSURANCE_CLEAR")
    made = sum(Decimal(row["realizedPnl"]) for row in trades)
    (asset,) = desk.sign("GET", "/fapi/v2/balance")[1]
    assert fees > 0 > told and abs(1_000 + made - fees + told - Decimal(asset["balance"])) < Decimal("1e-6")
