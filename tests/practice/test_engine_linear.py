from __future__ import annotations

import math

import pytest

from tests.practice.stage import MINUTE, PERP, SPOT, T0, Held, flat, market
from workbench.practice.engine_messages import (
    FundingPaid,
    LeverageChanged,
    Liquidated,
    MarginCalled,
    OrderChanged,
    PositionChanged,
)
from workbench.practice.engine_records import Refused
from workbench.practice.markets import Listing
from workbench.trading.margin import liquidation_price

ETHP = "ETH/USDT:USDT"
HOURS = 60 * MINUTE


def drop(*prices: float, minutes: int = 5) -> list[tuple[float, ...]]:
    """A few quiet minutes at each price in turn, with a minute that goes from one to the next."""
    rows = flat(prices[0], minutes, 4000.0)
    for before, after in zip(prices, prices[1:], strict=False):
        rows += [(before, max(before, after), min(before, after), after, 4000.0), *flat(after, minutes, 4000.0)]
    return rows


def one(*prices: float, minutes: int = 5, **setup: object) -> Held:
    quiet = flat(10.0, 2000, 4000.0)
    return Held(market(PERP, drop(*prices, minutes=minutes)), market(ETHP, quiet), **setup)  # type: ignore[arg-type]


def position(held: Held, symbol: str = PERP, leg: str = "net") -> object:
    return next(row for row in held.engine.positions("me", symbol, flat=True) if row.leg == leg)


def test_a_position_is_opened_reduced_turned_and_closed() -> None:
    held = one(100.0, 102.0)
    opened = held.submit(PERP, "buy", quantity=30.0)
    row = held.engine.positions("me")[0]
    assert row.quantity == 30.0 and row.entry_price == opened.average_price and row.leverage == 20.0
    assert held.linear().locked == pytest.approx(30.0 * 100.0 / 20.0)
    assert held.linear().wallet == pytest.approx(10_000.0 - opened.fees["USDT"])
    held.minutes(8)
    part = held.submit(PERP, "sell", quantity=10.0)
    assert part.executions[0].realised == pytest.approx(10.0 * (part.average_price - opened.average_price))
    turned = held.submit(PERP, "sell", quantity=25.0)
    assert held.engine.positions("me")[0].quantity == -5.0
    assert math.fsum(x.realised for x in turned.executions) == pytest.approx(
        20.0 * (turned.average_price - opened.average_price)
    )
    held.submit(PERP, "buy", quantity=50.0, reduce_only=True)
    assert held.engine.positions("me") == []
    lines = {
        kind: math.fsum(x.amount for x in held.engine.income("me", kind=kind)) for kind in ("realised", "commission")
    }
    assert held.linear().wallet == pytest.approx(10_000.0 + lines["realised"] + lines["commission"], abs=1e-6)
    assert [x.position.quantity for x in held.told if isinstance(x, PositionChanged)] == [30.0, 20.0, -5.0, 0.0]


def test_open_orders_hold_margin_back_the_larger_side_of_them() -> None:
    held = one(100.0, leverage=10.0)
    held.submit(PERP, "buy", "limit", 10.0, price=99.0)
    assert held.linear().locked == pytest.approx(99.0)
    held.submit(PERP, "sell", "limit", 5.0, price=101.0)
    assert held.linear().locked == pytest.approx(99.0)
    held.submit(PERP, "sell", "limit", 10.0, price=101.0)
    assert held.linear().locked == pytest.approx(151.5)
    held.submit(PERP, "buy", quantity=15.0)
    assert held.linear().locked == pytest.approx(15 * 100.0 / 10.0 + 99.0)  # the sells would only close
    assert held.refused(PERP, "buy", "limit", 1100.0, price=95.0) == "insufficient_margin"
    held.engine.cancel_all("me", PERP)
    assert held.linear().locked == pytest.approx(150.0)


def test_reduce_only_and_close_position() -> None:
    held = one(100.0, 90.0)
    assert held.refused(PERP, "sell", quantity=1.0, reduce_only=True) == "reduce_only_would_increase"
    held.submit(PERP, "buy", quantity=5.0)
    stop = held.submit(PERP, "sell", "stop", stop_price=95.0, close_position=True)
    rest = held.submit(PERP, "sell", "limit", 3.0, price=105.0, reduce_only=True)
    assert held.refused(PERP, "sell", "limit", 1.0, price=101.0, close_position=True) == "not_supported"
    held.submit(PERP, "buy", quantity=2.0)
    held.minutes(7)
    done = held.engine.order("me", PERP, id=stop.id)
    assert done.status == "filled" and done.filled == 7.0
    gone = held.engine.order("me", PERP, id=rest.id)
    assert gone.status == "expired" and gone.reason == "nothing_held"
    assert held.engine.positions("me") == []


def test_an_amended_order_keeps_its_id_and_may_trade() -> None:
    held = one(100.0)
    order = held.submit(PERP, "buy", "limit", 5.0, price=98.0, client_id="a")
    changed = held.engine.amend("me", PERP, client_id="a", price=99.0, quantity=6.0)
    assert (changed.id, changed.price, changed.quantity) == (order.id, 99.0, 6.0)
    with pytest.raises(Refused, match="not in ticks"):
        held.engine.amend("me", PERP, client_id="a", price=99.001)
    with pytest.raises(Refused, match="of margin"):
        held.engine.amend("me", PERP, client_id="a", quantity=9_000.0)
    assert held.engine.order("me", PERP, id=order.id).quantity == 6.0
    assert held.engine.amend("me", PERP, client_id="a", price=101.0).status == "filled"
    assert [x.kind for x in held.told if isinstance(x, OrderChanged)] == ["new", "amended", "amended", "trade"]


def test_funding_is_paid_at_its_times_by_who_holds_then() -> None:
    held = Held(market(PERP, flat(100.0, 17 * 60), funding_rate=0.0003))
    held.engine.advance(T0 + 8 * HOURS - 1)
    held.submit(PERP, "sell", quantity=10.0)
    held.engine.advance(T0 + 20 * HOURS)
    paid = [x for x in held.told if isinstance(x, FundingPaid)]
    assert [(x.ts, x.amount) for x in paid] == [
        (T0 + 8 * HOURS, pytest.approx(0.3)), (T0 + 16 * HOURS, pytest.approx(0.3)),
    ]  # fmt: skip
    assert [x.amount for x in held.engine.income("me", kind="funding")] == [pytest.approx(0.3)] * 2
    assert held.engine.funding_rates(PERP, limit=1) == [(T0 + 16 * HOURS, 0.0003, 100.0)]


def test_liquidation_comes_at_its_price_after_a_call_for_margin() -> None:
    held = one(100.0, 95.6, 95.4, linear={"USDT": 1_000.0}, leverage=50.0)
    order = held.submit(PERP, "buy", quantity=200.0)
    row = held.engine.positions("me")[0]
    wallet = held.linear().wallet
    assert row.liquidation_price == pytest.approx(liquidation_price(wallet, 200.0, order.average_price, 0.005, 0.0))
    held.submit(PERP, "sell", "limit", 10.0, price=105.0)
    held.minutes(30)
    told = held.kinds()
    assert told.index("MarginCalled") < told.index("Liquidated")
    called = next(x for x in held.told if isinstance(x, MarginCalled))
    assert 0.8 <= called.level < 1.0
    forced = next(x for x in held.told if isinstance(x, Liquidated))
    assert forced.quantity == 200.0 and forced.order.client_id.startswith("autoclose-") and forced.price <= 95.6
    assert held.engine.positions("me") == [] and held.engine.open_orders("me") == []
    assert 0.0 <= held.linear().wallet < 1_000.0 - 200.0 * 4.0
    assert [x.kind for x in held.engine.income("me", symbol=PERP)][-2:] == ["realised", "liquidation_fee"]


def test_what_is_isolated_loses_its_own_margin_only() -> None:
    held = one(100.0, 95.0, isolated=True, leverage=25.0)
    held.submit(PERP, "buy", quantity=10.0)
    row = held.engine.positions("me")[0]
    assert row.isolated and row.margin == pytest.approx(row.entry_price * 10.0 / 25.0)
    assert 96.0 < row.liquidation_price < 97.0
    held.minutes(12)
    assert "Liquidated" in held.kinds() and held.linear().wallet >= 10_000.0 - row.margin - 1.0


def test_a_cross_position_beside_an_isolated_one() -> None:
    held = one(100.0, 95.0, leverage=25.0)
    held.engine.set_margin_mode("me", PERP, isolated=True)
    assert held.engine.is_isolated("me", PERP) and not held.engine.is_isolated("me", ETHP)
    held.submit(PERP, "buy", quantity=100.0)
    held.submit(ETHP, "buy", quantity=100.0)
    apart = held.engine.positions("me", PERP)[0]
    assert held.linear().locked == pytest.approx(apart.margin + 40.0)
    held.minutes(12)
    left = held.engine.positions("me")
    assert [row.symbol for row in left] == [ETHP]
    assert held.linear().wallet >= 10_000.0 - apart.margin - 10.0


def test_margin_modes_change_only_while_nothing_is_open() -> None:
    held = one(100.0)
    with pytest.raises(Refused) as no:
        held.engine.set_margin_mode("me", PERP, isolated=False)
    assert no.value.code == "no_change"
    order = held.submit(PERP, "buy", "limit", 1.0, price=95.0)
    for change in (lambda: held.engine.set_margin_mode("me", PERP, isolated=True),
                   lambda: held.engine.set_position_mode("me", hedge=True)):  # fmt: skip
        with pytest.raises(Refused) as no:
            change()
        assert no.value.code == "orders_open"
    held.engine.cancel("me", PERP, id=order.id)
    held.submit(PERP, "buy", quantity=1.0)
    with pytest.raises(Refused) as no:
        held.engine.set_position_mode("me", hedge=True)
    assert no.value.code == "position_open"
    with pytest.raises(Refused, match="is no perpetual"):
        Held(market(SPOT, flat(100.0, 5))).engine.set_leverage("me", SPOT, 3.0)


def test_leverage_keeps_to_the_tiers() -> None:
    held = one(100.0)
    assert held.engine.set_leverage("me", PERP, 50.0) == 50_000.0
    assert [x.leverage for x in held.told if isinstance(x, LeverageChanged)] == [50.0]
    with pytest.raises(Refused) as no:
        held.engine.set_leverage("me", PERP, 51.0)
    assert no.value.code == "leverage_beyond_tier"
    held.engine.adjust("me", "USDT", 1e6, wallet="linear")
    assert held.refused(PERP, "buy", quantity=600.0) == "leverage_beyond_tier"
    held.engine.set_leverage("me", PERP, 20.0)
    held.submit(PERP, "buy", quantity=600.0)
    with pytest.raises(Refused, match="may not have"):
        held.engine.set_leverage("me", PERP, 40.0)


def test_both_legs_of_hedge_mode_stand_side_by_side() -> None:
    held = one(100.0, 95.0)
    held.engine.set_position_mode("me", hedge=True)
    assert held.engine.is_hedged("me") and held.refused(PERP, "buy", quantity=1.0) == "wrong_leg"
    held.submit(PERP, "buy", quantity=5.0, leg="long")
    held.submit(PERP, "sell", quantity=3.0, leg="short")
    assert [(row.leg, row.quantity) for row in held.engine.positions("me")] == [("long", 5.0), ("short", -3.0)]
    assert held.refused(PERP, "sell", quantity=1.0, leg="long", reduce_only=True) == ""
    stop = held.submit(PERP, "sell", "stop", stop_price=97.0, close_position=True, leg="long")
    held.minutes(8)
    assert held.engine.order("me", PERP, id=stop.id).filled == 4.0
    assert [(row.leg, row.quantity) for row in held.engine.positions("me")] == [("short", -3.0)]
    held.submit(PERP, "buy", quantity=3.0, leg="short")
    before = held.linear().wallet
    held.engine.set_position_mode("me", hedge=False)
    assert held.linear().wallet == before and held.engine.income("me")
    totals = held.engine.statement("me", "linear", "USDT")
    assert totals["equity"] == pytest.approx(
        totals["deposits"] + totals["realised"] - totals["fees"] + totals["funding"]
    )


def test_a_trailing_stop_waits_for_its_activation() -> None:
    held = one(100.0, 104.0, 101.0)
    held.submit(PERP, "buy", quantity=5.0)
    order = held.submit(PERP, "sell", "trailing_stop", 5.0, trail=0.01, activation=103.0, reduce_only=True)
    held.minutes(20)
    done = held.engine.order("me", PERP, id=order.id)
    assert done.status == "filled" and 100.5 <= done.average_price <= 103.0


def test_what_is_delisted_is_closed_at_its_last_price() -> None:
    held = Held(market(PERP, flat(100.0, 60), Listing(delisted=T0 + 10 * MINUTE)))
    held.submit(PERP, "buy", quantity=5.0)
    order = held.submit(PERP, "buy", "limit", 5.0, price=95.0)
    held.minutes(20)
    assert held.engine.positions("me") == []
    assert held.engine.order("me", PERP, id=order.id).reason == "delisted"
    last = held.engine.orders("me", PERP)[-1]
    assert last.client_id.startswith("settlement-") and last.average_price == 100.0 and last.reason == "delisted"


def test_money_goes_from_one_wallet_to_the_other() -> None:
    held = Held(market(SPOT, flat(100.0, 20)), market(PERP, flat(100.0, 20)))
    held.engine.transfer("me", "USDT", 4_000.0, "spot", "linear")
    assert (held.spot("USDT").wallet, held.linear().wallet) == (6_000.0, 14_000.0)
    held.submit(PERP, "buy", quantity=1_000.0)
    with pytest.raises(Refused, match="is free"):
        held.engine.transfer("me", "USDT", 13_000.0, "linear", "spot")
    with pytest.raises(Refused, match="cannot go"):
        held.engine.transfer("me", "BTC", 1.0, "spot", "linear")
    assert [x.amount for x in held.engine.income("me", kind="transfer")] == [4_000.0]


def test_a_deposit_moves_the_liquidation_away() -> None:
    held = Held(market(PERP, drop(100.0, 95.0)), linear={"USDT": 500.0}, leverage=50.0)
    held.submit(PERP, "buy", quantity=100.0)
    near = held.engine.positions("me")[0].liquidation_price
    held.engine.adjust("me", "USDT", 5_000.0, wallet="linear")
    assert held.engine.positions("me")[0].liquidation_price < near - 40.0
    held.minutes(12)
    assert held.engine.positions("me")[0].quantity == 100.0
