"""Profit, fees, interest and average prices against published numbers (data/accounting.json).

Every case maps. A trade's open and close value are what its fills, fees, funding and interest move in cash. Interest on
a borrowed coin is owed in that coin and bought back with the exit, at its price and fee; here it is booked in money.
The published numbers are rounded to eight places, some to a few digits less: hence the tolerance. What a case calls
`funding_fees` is money received. In the sequences the amount after the last exit is still that before it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.market.instrument import Instrument
from workbench.trading.account import Account
from workbench.trading.arithmetic import fee
from workbench.trading.events import Adjusted, Filled, Funded
from workbench.trading.margin import interest
from workbench.trading.terms import AccountTerms

CASES = json.loads((Path(__file__).parent / "data" / "accounting.json").read_text())
AMOUNT, OPEN, OPENING_FEE = 30.0, 2.0, 0.0025
MINUTE = 60_000.0
HOUR = 60 * MINUTE


def account_for(case: dict, cash: float = 1_000.0) -> Account:
    symbol = "ADA/USDT:USDT" if case["trading_mode"] == "futures" else "ADA/USDT"
    kind = "cash" if case["trading_mode"] == "spot" else "margin"
    return Account(cash, AccountTerms(kind, leverage=float(case["lev"])), [Instrument.default(symbol)])


def trade(account: Account, quantity: float, price: float, rate: float) -> float:
    """Fill, and give the cash that it moved."""
    symbol = account.snapshot()["lines"][0][0]
    before = account.cash
    side = "buy" if quantity > 0.0 else "sell"
    paid = fee(price, quantity, rate)
    account.apply(Filled(0, "id", symbol, side, abs(quantity), price, paid, False, price, "entry", 0))
    return account.cash - before


def owed(case: dict, borrowed: float, rate: float, minutes: float) -> float:
    steps = (24 * HOUR, HOUR, 0.0) if case["exchange"] == "binance" else (4 * HOUR, 4 * HOUR, 1.0)
    return interest(borrowed, rate, minutes * MINUTE, *steps)


def borrowed_by(case: dict) -> float:
    """Coins that a short borrows, or money that a long does: what its account has less than nothing of."""
    if case["trading_mode"] == "futures":
        return 0.0
    account = account_for(case, cash=AMOUNT * OPEN / case["lev"])
    trade(account, -AMOUNT if case["is_short"] else AMOUNT, OPEN, 0.0)
    return max(-account.quantity("ADA/USDT") if case["is_short"] else -account.cash, 0.0)


def settle(account: Account, case: dict, close: float, rate: float) -> float:
    """Book interest and funding of ten minutes, and give what they moved."""
    due = 0.0
    if case["trading_mode"] == "margin":
        due = owed(case, borrowed_by(case), 0.0005, 10.0) * (close * (1.0 + rate) if case["is_short"] else 1.0)
        account.adjust(Adjusted(0, "USDT", -due, "interest"))
    elif case["trading_mode"] == "futures":
        quantity = account.quantity("ADA/USDT:USDT")
        account.apply_funding(Funded(0, "ADA/USDT:USDT", quantity, OPEN, 0.0, float(case["funding_fees"])))
    return case["funding_fees"] - due


@pytest.mark.parametrize("case", CASES["profit"])
def test_profit_of_a_trade(case: dict) -> None:
    account = account_for(case)
    side = -1.0 if case["is_short"] else 1.0
    opened = abs(trade(account, side * AMOUNT, OPEN, OPENING_FEE))
    settle(account, case, case["close_rate"], case["fee_close"])
    trade(account, -side * AMOUNT, case["close_rate"], case["fee_close"])
    profit = account.equity - 1_000.0
    assert profit == pytest.approx(case["profit"], rel=1e-6)
    assert profit / opened * case["lev"] == pytest.approx(case["profit_ratio"], rel=1e-6)
    net = account.realised + account.unrealised - account.fees + account.funding
    assert net + account.statement(step=0.0)["interest"] == pytest.approx(profit, abs=1e-10)


@pytest.mark.parametrize("case", CASES["close_value"])
def test_close_value_of_a_trade(case: dict) -> None:
    account = account_for(case)
    side = -1.0 if case["is_short"] else 1.0
    trade(account, side * AMOUNT, case["open_rate"], case["fee_rate"])
    moved = settle(account, case, case["close_rate"], case["fee_rate"])
    moved += trade(account, -side * AMOUNT, case["close_rate"], case["fee_rate"])
    assert side * moved == pytest.approx(case["result"], rel=1e-8)


@pytest.mark.parametrize("case", CASES["open_value"])
def test_open_value_of_a_trade(case: dict) -> None:
    account = account_for({**case, "trading_mode": "margin", "lev": 1})
    side = -1.0 if case["is_short"] else 1.0
    assert -side * trade(account, side * AMOUNT, OPEN, case["fee_rate"]) == pytest.approx(case["result"])


@pytest.mark.parametrize("case", CASES["open_close"])
def test_open_and_close_value(case: dict) -> None:
    account = account_for(case)
    side, opening, closing = (-1.0, 2.2, 2.0) if case["is_short"] else (1.0, 2.0, 2.2)
    opened = -side * trade(account, side * AMOUNT, opening, OPENING_FEE)
    moved = settle(account, case, closing, OPENING_FEE)
    closed = side * (moved + trade(account, -side * AMOUNT, closing, OPENING_FEE))
    assert opened == pytest.approx(case["open_value"])
    assert closed == pytest.approx(case["close_value"], rel=1e-9)
    assert account.equity - 1_000.0 == pytest.approx(case["profit"], rel=1e-8)
    ratio = (account.equity - 1_000.0) / opened * case["lev"]
    assert ratio == pytest.approx(case["profit_ratio"], rel=1e-6)


@pytest.mark.parametrize("case", CASES["interest"])
def test_interest_of_a_trade(case: dict) -> None:
    assert owed(case, borrowed_by(case), case["rate"], case["minutes"]) == pytest.approx(case["interest"], rel=1e-5)


@pytest.mark.parametrize("case", CASES["borrowed"])
def test_what_is_borrowed(case: dict) -> None:
    assert borrowed_by(case) == pytest.approx(case["borrowed"])


@pytest.mark.parametrize("case", CASES["sequences"], ids=range(len(CASES["sequences"])))
def test_averaging_in_and_leaving_in_parts(case: dict) -> None:
    account = account_for({"trading_mode": "spot", "lev": 1}, cash=100_000.0)
    held, rate = account.position("ADA/USDT"), case["fee"]
    bought = earned = before = 0.0
    for (side, amount, price), (left, average, stake, profit, last, ratio) in case["orders"]:
        trade(account, amount if side == "buy" else -amount, price, rate)
        bought += amount * price * (1.0 + rate) if side == "buy" else 0.0
        # of the fees paid, those for what is still held belong to its cost
        earned = held.realised - (held.fees - rate * held.cost)
        assert earned == pytest.approx(profit)
        if held.quantity:
            assert (held.quantity, held.price, held.cost) == pytest.approx((left, average, stake))
        if side == "sell":
            assert earned - before == pytest.approx(last)
            assert earned / bought == pytest.approx(ratio, rel=1e-5)
        before = earned
    assert account.open_positions == 0
    assert earned == pytest.approx(case["end_profit"])
    assert earned / bought == pytest.approx(case["end_profit_ratio"], rel=1e-5)
    assert held.realised_fifo == pytest.approx(held.realised)
    assert account.equity - 100_000.0 == pytest.approx(case["end_profit"])
