"""Liquidation, bankruptcy and funding at the simulated venue, by hand."""

from __future__ import annotations

import math

import pytest

from tests.trading.venue_cases import CALM, PERP, SPOT, Desk, fills, kinds
from workbench.market.instrument import Instrument
from workbench.trading.account import Account
from workbench.trading.events import Filled, Funded, Submit
from workbench.trading.orders import Order
from workbench.trading.terms import AccountTerms, CostTerms, Lots
from workbench.trading.venue import Venue

TIERS = ((0.0, 0.01, 0.0, 50.0),)
COSTS = CostTerms(taker=0.001, slippage=0.001, volume_share=0.1, liquidation_fee=0.01)


def perp(leverage: float = 10.0, *, isolated: bool = True, costs: CostTerms = COSTS, **rules: object) -> Desk:
    return Desk(
        symbol=PERP, cash=1000.0, terms=AccountTerms(isolated=isolated, leverage=leverage), tiers=TIERS, costs=costs,
        **rules,
    )  # fmt: skip


def test_an_isolated_position_is_liquidated_whole_at_its_level_whatever_the_volume() -> None:
    desk = perp()
    desk.open(100.0, 1000.0)
    desk.send("buy", 10.0, id="entry")
    desk.send("sell", type="limit", price=110.0, reduce_only=True, close_position=True, id="target")
    entry = 100 * 1.001
    level = desk.account.liquidation_price(PERP)
    assert level == pytest.approx(entry * 0.9 / 0.99)  # margin + 10 (p - entry) = 0.01 * 10 p
    assert desk.venue.bounds(PERP) == (level, 110.0)
    said = desk.inside((100, 101, 90, 95), 0.0)
    assert kinds(said) == ["Filled", "Canceled"]
    fill = said[0]
    assert fill.id.startswith("liquidation:")
    assert (fill.quantity, fill.quoted, fill.reason) == (10.0, level, "liquidation")
    assert fill.price == pytest.approx(level * 0.999)
    left = entry + 10 * (fill.price - entry)
    assert fill.fee == pytest.approx(min(10 * fill.price * 0.011, left))
    assert said[1].reason == "liquidation"
    assert desk.held == 0.0


def test_a_gap_beyond_the_margin_takes_the_margin_and_no_more() -> None:
    for isolated in (True, False):
        desk = perp(isolated=isolated)
        desk.open(100.0)
        desk.send("buy", 90.0 if isolated else 95.0)
        paid = desk.events[0].fee
        desk.inside(CALM)
        fill = desk.bar(50, 51, 49, 50)[0]
        assert fill.fee == pytest.approx(0.0, abs=1e-9)
        assert fill.quoted == 50.0
        lost = 90 * 100.1 / 10 + paid if isolated else 1000.0
        assert desk.account.cash == pytest.approx(1000 - lost)


def test_a_stop_before_the_liquidation_goes_first() -> None:
    desk = perp()
    desk.open(100.0)
    desk.send("buy", 10.0)
    desk.send("sell", type="stop", stop_price=95.0, reduce_only=True, close_position=True, reason="stop_loss")
    said = desk.inside((100, 101, 80, 95))
    assert [one.reason for one in said if isinstance(one, Filled)] == ["stop_loss"]


def test_at_one_level_the_stop_comes_before_the_liquidation() -> None:
    desk = perp(costs=CostTerms())
    desk.open(100.0)
    desk.send("buy", 10.0)
    level = desk.account.liquidation_price(PERP)
    desk.send("sell", type="stop", stop_price=level, reduce_only=True, close_position=True, reason="stop_loss")
    said = desk.inside((100, 101, 80, 95))
    assert [one.reason for one in said if isinstance(one, Filled)] == ["stop_loss"]


def test_a_short_that_is_paid_in_full_ends_where_closing_it_takes_all_the_cash() -> None:
    desk = Desk(symbol=SPOT, cash=1000.0, costs=CostTerms(taker=0.001, slippage=0.001))
    desk.open(100.0)
    desk.send("sell", 9.0)
    assert list(desk.inside((100, 150, 99, 140))) == []
    (fill,) = desk.bar(140, 300, 139, 250)
    assert (fill.reason, fill.quantity) == ("bankruptcy", 9.0)
    assert desk.account.cash == pytest.approx(0.0, abs=1e-9)


def test_funding_is_paid_by_longs_and_changes_the_liquidation_of_an_isolated_position() -> None:
    desk = perp()
    desk.open(100.0)
    assert desk.venue.fund(PERP, 0, 0.01, 100.0) == []
    desk.send("buy", 10.0)
    before = desk.venue.bounds(PERP)[0]
    assert desk.venue.fund(PERP, 5, 0.01, 110.0) == [Funded(5, PERP, 10.0, 110.0, 0.01, -11.0, "net")]
    assert desk.venue.bounds(PERP)[0] == pytest.approx(before + 11 / 9.9)
    assert desk.venue.fund(PERP, 5, 0.01, 110.0, 4.0)[0].amount == -4.4
    assert desk.venue.fund(PERP, 5, -0.01, 110.0)[0].amount == 11.0


def two(leverage: float = 10.0, *, isolated: bool = False) -> tuple[Venue, Account]:
    names = ("A/USDT:USDT", "B/USDT:USDT")
    instruments = {name: Instrument.default(name) for name in names}
    account = Account(
        1000.0,
        AccountTerms(leverage=leverage, isolated=isolated),
        instruments.values(),
        tiers=dict.fromkeys(names, TIERS),
    )
    venue = Venue(
        instruments, account, dict.fromkeys(names, COSTS), dict.fromkeys(names, Lots()), dict.fromkeys(names, TIERS)
    )
    for name in names:
        venue.open(0, name, 100.0, math.inf)
    return venue, account


def order(symbol: str, side: str, quantity: float) -> Submit:
    return Submit(Order(id=f"{symbol}{side}", symbol=symbol, side=side, quantity=quantity))  # type: ignore[arg-type]


def test_cross_margin_is_settled_for_all_positions_at_the_closes() -> None:
    for isolated in (False, True):
        venue, account = two(isolated=isolated)
        venue.handle(order("A/USDT:USDT", "buy", 45.0))
        venue.handle(order("B/USDT:USDT", "buy", 45.0))
        venue.close("A/USDT:USDT", 90.0, 0)
        assert venue.settle(0) == []
        venue.close("B/USDT:USDT", 89.9, 0)
        said = venue.settle(0)
        assert [one.reason for one in said] == ([] if isolated else ["liquidation"] * 2)
        if not isolated:
            assert [one.quoted for one in said] == [90.0, 89.9]
            assert account.open_positions == 0
            assert account.cash == pytest.approx(0.0, abs=1e-9) or account.cash > 0.0


def test_what_stands_behind_a_cross_position_depends_on_the_others() -> None:
    venue, account = two()
    venue.handle(order("A/USDT:USDT", "buy", 40.0))
    venue.handle(order("B/USDT:USDT", "sell", 40.0))
    venue.open(1, "A/USDT:USDT", 100.0, math.inf)
    venue.open(1, "B/USDT:USDT", 100.0, math.inf)
    before = venue.bounds("A/USDT:USDT")[0]
    venue.close("B/USDT:USDT", 110.0, 1)
    after = venue.bounds("A/USDT:USDT")[0]
    # the short has lost 400 and its own maintenance has grown by 4
    assert after - before == pytest.approx(404 / (40 * 0.99))
    assert after == pytest.approx(account.liquidation_price("A/USDT:USDT"))


def test_an_inverse_contract_is_reckoned_in_coins() -> None:
    desk = Desk(
        symbol="A/USD:A", cash=1.0, terms=AccountTerms(isolated=True, leverage=10.0), tiers=TIERS,
        facts={"contract_size": 10.0}, costs=CostTerms(taker=0.001, liquidation_fee=0.01),
    )  # fmt: skip
    desk.open(100.0)
    (fill,) = desk.send("buy", 20.0)  # 200 USD, 2 coins
    assert fill.fee == pytest.approx(0.002)
    assert desk.account.margin_of("A/USD:A") == pytest.approx(0.2)
    assert desk.venue.fund("A/USD:A", 0, 0.01, 100.0)[0].amount == pytest.approx(-0.02)
    level = desk.account.liquidation_price("A/USD:A")
    said = desk.inside((100, 100, 80, 85))
    assert fills(said)[0][2] == pytest.approx(level)
    assert desk.account.cash >= 1 - 0.002 - 0.2 - 1e-12
    assert desk.held == 0.0


def test_a_short_that_no_price_can_save_is_liquidated_at_once() -> None:
    desk = perp(costs=CostTerms())
    desk.open(100.0)
    desk.send("sell", 10.0)
    desk.venue.fund(PERP, 0, -12.0, 100.0)  # the margin is long gone
    assert desk.account.liquidation_price(PERP) == 0.0
    (fill,) = desk.inside(CALM)
    assert (fill.reason, fill.price, fill.quantity) == ("liquidation", 100.0, 10.0)
