"""Isolated margin of one instrument in a cross account, books changed from outside, and pairs of a cash account."""

from __future__ import annotations

import pytest

from workbench.market.instrument import Instrument
from workbench.trading.account import Account
from workbench.trading.events import Adjusted, Filled, Tick
from workbench.trading.terms import AccountTerms, CostTerms, Lots
from workbench.trading.venue import Venue

A, B = "A/USDT:USDT", "B/USDT:USDT"


def perpetual(symbol: str) -> Instrument:
    return Instrument(symbol=symbol, kind="linear", quote="USDT", maintenance_margin=0.01)


def bought(symbol: str, quantity: float, price: float) -> Filled:
    side = "buy" if quantity > 0 else "sell"
    return Filled(1, "x", symbol, side, abs(quantity), price, 0.0, False, price, "order", 1)


def mixed(cash: float = 1_000.0) -> Account:
    account = Account(cash, AccountTerms(leverage=10.0), [perpetual(A), perpetual(B)])
    account.set_isolated(A, True)
    account.apply(bought(A, 10.0, 100.0))
    account.apply(bought(B, 10.0, 100.0))
    return account


def test_an_isolated_position_keeps_its_margin_and_its_profit_to_itself() -> None:
    account = mixed()
    account.mark(A, 95.0)
    account.mark(B, 105.0)
    assert account.margin_of(A) == 100.0 and account.margin_of(B) == pytest.approx(105.0)
    # 1000 of wallet, 50 of B's profit, less both margins: what A loses is its margin's affair
    assert account.available == pytest.approx(1_000.0 + 50.0 - 100.0 - 105.0)
    assert account.liquidation_price(A) == pytest.approx((10.0 * 100.0 - 100.0) / (10.0 * 0.99))
    assert account.liquidation_price(B) == pytest.approx((10.0 * 100.0 - 900.0) / (10.0 * 0.99))


def test_the_margin_mode_outlives_a_snapshot() -> None:
    again = Account(1_000.0, AccountTerms(leverage=10.0), [perpetual(A), perpetual(B)])
    again.restore(mixed().snapshot())
    assert again.lines[A].isolated and not again.lines[B].isolated
    assert again.available == mixed().available


def test_a_venue_sees_money_that_came_from_outside_when_told_to_look() -> None:
    account = Account(100.0, AccountTerms(leverage=20.0), [perpetual(A)])
    venue = Venue({A: perpetual(A)}, account, {A: CostTerms()}, {A: Lots()}, {})
    venue.tick(Tick(A, 1, 100.0, 1.0))
    account.apply(bought(A, 10.0, 100.0))
    venue.reappraise()
    before = venue.bounds(A)[0]
    account.adjust(Adjusted(2, "USDT", 500.0))
    venue.reappraise()
    assert venue.bounds(A)[0] == pytest.approx(before - 500.0 / 9.9)


def test_a_cash_account_that_has_by_one_pair_what_it_lacks_by_another_is_not_liquidated() -> None:
    coins = [Instrument(symbol="BTC/USDT", quote="USDT"), Instrument(symbol="ETH/BTC", quote="BTC")]
    account = Account({"USDT": 0.0, "BTC": 1.0}, AccountTerms("cash"), coins, currency="USDT")
    names = [one.symbol for one in coins]
    venue = Venue(
        {one.symbol: one for one in coins}, account, dict.fromkeys(names, CostTerms()), dict.fromkeys(names, Lots()), {}
    )
    venue.tick(Tick("BTC/USDT", 1, 100.0, 1.0))
    account.apply(bought("BTC/USDT", -1.0, 100.0))
    venue.reappraise()
    assert venue.tick(Tick("BTC/USDT", 2, 1_000.0, 1.0)) == []
    assert account.balances() == {"USDT": 100.0, "BTC": 0.0, "ETH": 0.0}
