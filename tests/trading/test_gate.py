"""The gate: every wrong order is refused with its own code, and hooks approve, reject and reduce."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from tests.trading.venue_cases import CALM, PERP, Desk, code
from workbench.errors import ConfigError
from workbench.market.instrument import Instrument
from workbench.risk.limits import CODES
from workbench.trading.account import Account
from workbench.trading.core import traded
from workbench.trading.gate import APPROVED, REJECTIONS, Gate, Listing, check_order, closing, reduce, reject
from workbench.trading.orders import Order
from workbench.trading.terms import AccountTerms, CostTerms, Lots

LOTS = Lots(tick=0.5, lot=0.01, min_notional=10.0)
WRONG: dict[str, dict[str, Any]] = {
    "zero_quantity": {"quantity": 0.0},
    "negative_quantity": {"quantity": -1.0},
    "not_a_number": {"quantity": math.nan},
    "below_min_notional": {"quantity": 0.05},
    "below_min_quantity": {"quantity": 0.001},
    "off_lot": {"quantity": 1.005},
    "off_tick": {"type": "limit", "price": 99.3},
    "price_missing": {"type": "limit"},
    "price_not_positive": {"type": "limit", "price": -1.0},
    "trigger_missing": {"type": "stop"},
    "trail_missing": {"type": "trailing_stop"},
    "already_expired": {"type": "limit", "price": 99.0, "time_in_force": "GTD", "expires": 0},
    "expiry_missing": {"type": "limit", "price": 99.0, "time_in_force": "GTD"},
    "reduce_only_would_increase": {"reduce_only": True},
    "post_only_would_take": {"type": "limit", "price": 100.0, "post_only": True},
    "not_supported": {"post_only": True},
    "display_beyond_quantity": {"type": "limit", "price": 99.0, "display": 2.0},
    "wrong_leg": {"leg": "long"},
    "insufficient_margin": {"quantity": 1000.0},
    "unknown_instrument": {"symbol": "B/USDT"},
}


@pytest.mark.parametrize("expected", WRONG)
def test_a_wrong_order_is_refused_with_its_code(expected: str) -> None:
    desk = Desk(lots=LOTS)
    desk.bar(*CALM)
    facts = {"quantity": 1.0, **WRONG[expected]}
    if "symbol" in facts:
        desk.symbol = facts.pop("symbol")
    assert code(desk.send("buy", **facts)) == expected
    assert desk.venue.orders() == []


def test_the_same_order_made_right_is_taken() -> None:
    desk = Desk(lots=LOTS)
    desk.bar(*CALM)
    assert desk.send("buy", 1.0, "limit", price=99.5)[0].id == "o0"
    assert desk.send("buy", 1.0, "limit", price=99.0, time_in_force="GTD", expires=10**9)[0].id == "o1"
    assert desk.send("buy", 1.0, "limit", price=99.0, display=0.5, post_only=True)[0].id == "o2"


def test_requests_for_orders_that_are_not_there_are_refused() -> None:
    desk = Desk()
    assert code(desk.send("buy", 1.0)) == "not_trading"
    desk.bar(*CALM)
    assert code(desk.cancel("nothing")) == "unknown_order"
    desk.send("buy", 1.0, id="done")
    assert code(desk.cancel("done")) == code(desk.amend("done", price=1.0)) == "order_is_final"
    assert code(desk.send("buy", 1.0, id="done")) == "duplicate_id"


def test_a_cash_account_sells_only_what_it_has() -> None:
    desk = Desk(terms=AccountTerms("cash"))
    desk.bar(*CALM)
    assert code(desk.send("sell", 1.0)) == "short_not_allowed"
    assert code(desk.send("buy", 101.0)) == "insufficient_margin"
    desk.send("buy", 100.0)
    assert desk.send("sell", 100.0)
    assert desk.held == 0.0


def test_leverage_beyond_the_tier_is_refused() -> None:
    tiers = ((0.0, 0.01, 0.0, 20.0), (10_000.0, 0.02, 100.0, 5.0))
    desk = Desk(symbol=PERP, terms=AccountTerms(leverage=10.0), tiers=tiers)
    desk.bar(*CALM)
    assert code(desk.send("buy", 101.0)) == "leverage_beyond_tier"
    assert desk.send("buy", 100.0)
    assert code(desk.send("buy", 1.0)) == "leverage_beyond_tier"


def test_what_can_be_closed_depends_on_the_side() -> None:
    assert (closing(3.0, "sell"), closing(3.0, "buy"), closing(-2.0, "buy"), closing(0.0, "sell")) == (
        3.0,
        0.0,
        2.0,
        0.0,
    )


def test_orders_that_leave_need_no_smallest_value() -> None:
    instrument = Instrument.default("A/USDT")
    account = Account(1000.0, AccountTerms(), [instrument])
    listing = Listing(Lots(min_notional=10.0))
    order = Order(id="x", symbol="A/USDT", side="sell", quantity=0.01)
    assert check_order(order, listing, account, 100.0, 0) == "below_min_notional"
    desk = Desk(lots=Lots(min_notional=10.0))
    desk.bar(*CALM)
    desk.send("buy", 1.0)
    assert desk.send("sell", 0.01, reduce_only=True)[0].quantity == 0.01


def context(price: float = 100.0) -> Any:
    instrument = Instrument.default("A/USDT")
    return SimpleNamespace(
        account=Account(1000.0, AccountTerms(), [instrument]), prices={"A/USDT": price}, orders={}, now=0,
        markets={"A/USDT": traded(instrument, Lots(lot=0.1), CostTerms())},
        estimate=lambda symbol, sign, quantity: price,
    )  # fmt: skip


def order(quantity: float = 1.0) -> Order:
    return Order(id="x", symbol="A/USDT", side="buy", quantity=quantity)


def test_hooks_approve_reduce_and_reject_in_order() -> None:
    seen = []

    def half(one: Order, given: Any) -> Any:
        seen.append(one.quantity)
        return reduce(one.quantity * 0.55)

    def never(one: Order, given: Any) -> Any:
        seen.append(one.quantity)
        return reject("risk_limit", "too much of it already")

    wish = order()
    assert Gate((lambda *given: APPROVED, half)).verdict(wish, context()).quantity == wish.quantity == 0.5
    wish = order()
    assert Gate((half, never)).verdict(wish, context()).text == "too much of it already"
    assert seen == [1.0, 1.0, 0.5]
    assert wish.quantity == 1.0
    assert Gate((lambda *given: reduce(0.01),)).check(order(), context()) == "risk_limit"


def test_the_form_comes_before_the_hooks() -> None:
    asked: list[Order] = []
    gate = Gate((lambda one, given: asked.append(one) or APPROVED,))
    assert gate.check(order(0.0), context()) == "zero_quantity"
    assert asked == []
    assert gate.check(order(), context()) == ""


def test_a_reason_that_nobody_knows_cannot_be_given() -> None:
    with pytest.raises(ConfigError, match="'dislike' is no reason"):
        reject("dislike")
    assert set(WRONG) | {
        "below_filled", "duplicate_id", "first_orders_small", "leverage_beyond_tier", "no_equity", "no_stop",
        "not_armed", "not_received", "not_running", "not_trading", "order_is_final", "refused_by_venue", "risk_limit",
        "short_not_allowed", "too_many_positions",
        "unknown_order", "venue_unreachable", "would_trigger", *CODES,
    } == set(REJECTIONS)  # fmt: skip
