"""Margin, interest and funding against numbers that others published or test against (data/margin.json, funding.json).

All cases are used but one: a funding event whose mark price is unknown counts as nothing there and is an error here.
How the other venues' formulas map: Gate and OKX take the taker fee of the exit into the maintenance rate; Bybit charges
maintenance on the value at entry, which is an amount and no rate. Kraken charges interest once for borrowing and once
for each four hours begun, Binance a day's rate by the hours begun.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path

import pytest

from workbench.errors import DataError
from workbench.market.instrument import Instrument
from workbench.trading import margin
from workbench.trading.account import Account
from workbench.trading.arithmetic import funding_amount
from workbench.trading.events import Filled, Funded
from workbench.trading.terms import AccountTerms

DATA = Path(__file__).parent / "data"
MARGIN = json.loads((DATA / "margin.json").read_text())
FUNDING = json.loads((DATA / "funding.json").read_text())
HOUR = 3_600_000.0
TAKER = 0.0006  # of Gate and OKX in the published cases
RATE = AMOUNT = 0.01  # maintenance of every case that names a venue
ON_OPENING = 5_000  # ms: a trade opened a moment after a settlement still takes part in it (1 to 14 s fit all cases)


def fill(symbol: str, quantity: float, price: float, fee: float = 0.0) -> Filled:
    side = "buy" if quantity > 0.0 else "sell"
    return Filled(0, "id", symbol, side, abs(quantity), price, fee, False, price, "entry", 0)


@pytest.mark.parametrize("case", MARGIN["binance"], ids=lambda case: f"{case['margin_mode']} {case['expected']}")
def test_binances_worked_example(case: dict) -> None:
    side = -1.0 if case["is_short"] else 1.0
    wallet, quantity = case["wallet_balance"], side * case["amount"]
    level = margin.liquidation_price(wallet, quantity, case["open_rate"], case["mm_ratio"], case["maintenance_amt"])
    if not case["open_trades"]:
        assert round(level, 2) == case["expected"]
        return
    trades = case["open_trades"]
    tiers = {one["pair"]: ((0.0, one["mm_ratio"], one["maintenance_amt"], 125.0),) for one in trades}
    account = Account(wallet, AccountTerms(leverage=5.0), map(Instrument.default, tiers), tiers=tiers)
    for one in trades:
        account.apply(fill(one["pair"], one["amount"], one["open_rate"]))
        account.mark(one["pair"], one["mark_price"])
    assert account.wallet == pytest.approx(wallet)
    assert round(account.liquidation_price(case["pair"]), 2) == case["expected"]


@pytest.mark.parametrize(
    "case", MARGIN["exchanges"],
    ids=lambda case: f"{case['exchange_name']} {case['trading_mode']} {case['leverage']:g} {case['expected_liq']}",
)  # fmt: skip
def test_isolated_liquidation_prices_of_four_venues(case: dict) -> None:
    venue, entry = case["exchange_name"], case["open_rate"]
    quantity = case["amount"] * (-1.0 if case["is_short"] else 1.0)
    if case["trading_mode"] == "spot":
        account = Account(1_000.0, AccountTerms(), [Instrument.default("ADA/USDT")])
        account.apply(fill("ADA/USDT", quantity, entry))
        assert math.isnan(account.liquidation_price("ADA/USDT"))
        assert case["expected_liq"] is None
        return
    terms = {"binance": (RATE, AMOUNT), "bybit": (0.0, -RATE * entry * case["amount"])}.get(venue, (RATE + TAKER, 0.0))
    account = Account(
        1_000.0, AccountTerms(isolated=True, leverage=case["leverage"]), [Instrument.default("ADA/USDT:USDT")],
        tiers={"ADA/USDT:USDT": ((0.0, *terms, 125.0),)},
    )  # fmt: skip
    account.apply(fill("ADA/USDT:USDT", quantity, entry))
    assert account.liquidation_price("ADA/USDT:USDT") == pytest.approx(case["expected_liq"], rel=1e-12)


@pytest.mark.parametrize("case", MARGIN["maintenance"], ids=lambda case: f"{case['pair']} {case['notional']:g}")
def test_the_tier_of_a_notional(case: dict) -> None:
    rows = MARGIN["tiers"][case["pair"]]
    _, rate, amount, _ = rows[margin.tier_index(case["notional"], rows)]
    assert (rate, amount) == (case["rate"], case["amount"])
    expected = case["notional"] * rate - amount
    assert margin.maintenance_margin(case["notional"], rows) == pytest.approx(expected)


@pytest.mark.parametrize("case", MARGIN["interest"], ids=lambda case: f"{case['exchange']} {case['hours']:g}")
def test_margin_interest(case: dict) -> None:
    rate_ms, step, upfront = (24 * HOUR, HOUR, 0.0) if case["exchange"] == "binance" else (4 * HOUR, 4 * HOUR, 1.0)
    paid = margin.interest(60.0, case["interest_rate"], case["hours"] * HOUR, rate_ms, step, upfront)
    assert paid == pytest.approx(case["expected"], rel=1e-9)


@pytest.mark.parametrize("case", FUNDING["sums"], ids=lambda case: f"{case['funding_rate']} at {case['mark_price']}")
def test_one_funding_fee(case: dict) -> None:
    short, mark = -case["size"], float(case["mark_price"])
    amount = funding_amount(short, mark, case["funding_rate"])
    if math.isnan(mark):
        account = Account(1_000.0, AccountTerms(), [Instrument.default("ADA/USDT:USDT")])
        with pytest.raises(DataError, match="ADA/USDT:USDT: funding of nan cannot be booked"):
            account.apply_funding(Funded(0, "ADA/USDT:USDT", short, mark, case["funding_rate"], amount))
        return
    assert amount == pytest.approx(case["funding_fee"])
    if case["kraken_fee"] is not None:  # its rate is one per hour, and counts for the part of the hour that is held
        rate = case["funding_rate"] * case["time_in_ratio"]
        assert funding_amount(short, mark, rate) == pytest.approx(case["kraken_fee"])


@pytest.mark.parametrize("case", FUNDING["windows"], ids=lambda case: f"{case['d1']} to {case['d2']}")
def test_the_funding_of_a_trade(case: dict) -> None:
    opened, closed = (datetime.fromisoformat(case[key]).replace(tzinfo=UTC).timestamp() * 1_000 for key in ("d1", "d2"))
    marks = dict(FUNDING["marks"])
    account = Account(1_000.0, AccountTerms(), [Instrument.default("ADA/USDT:USDT")])
    account.apply(fill("ADA/USDT:USDT", -case["amount"], 2.77))
    for ts, rate in FUNDING["rates"][case["rate_start"] : case["rate_end"]]:
        if opened - ON_OPENING <= ts <= closed:
            held = account.quantity("ADA/USDT:USDT")
            amount = funding_amount(held, marks[ts], rate)
            account.apply_funding(Funded(ts, "ADA/USDT:USDT", held, marks[ts], rate, amount))
    assert account.funding == pytest.approx(case["expected_fees"], abs=1e-10)
    assert account.equity - 1_000.0 == pytest.approx(case["expected_fees"], abs=1e-9)
