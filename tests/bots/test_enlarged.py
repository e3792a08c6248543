"""An order that is being enlarged while it fills: a fill of its old size does not end it, the venue says what does."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tests.bots.street import FREE, SUNDAY, minutes
from tests.bots.test_limits import scripted
from workbench.backtest.prepare import prepare
from workbench.bots.brokers.talk import Find, Send, VenueFill, VenueOrder
from workbench.bots.clerk import Clerk
from workbench.bots.mind import Mind
from workbench.trading import events as ev
from workbench.trading.core import traded
from workbench.trading.minding import Minder
from workbench.trading.orders import Order
from workbench.trading.terms import CostTerms, Lots

A = "A/USDT:USDT"
NAN = math.nan
ORDER = Order("one", A, "buy", "limit", 30.0, price=100.0)


def clerk() -> Clerk:
    facts = minutes(A, [100.0]).instrument
    return Clerk({A: traded(facts, Lots(0.01, 0.5), CostTerms())})


def venue(quantity: float, filled: float, status: str = "open") -> VenueOrder:
    return VenueOrder("one", "7", A, "buy", "limit", status, quantity, filled, 100.0)


def fill(number: int, quantity: float) -> VenueFill:
    return VenueFill(str(number), "7", A, "buy", quantity, 100.0, 0.0, True, SUNDAY, "one")


def enlarging() -> tuple[Clerk, Send]:
    """A clerk whose order of 30 is to become one of 40, and the request that is under way."""
    one = clerk()
    (sent,) = one.intend(ev.Submit(replace(ORDER)), SUNDAY).requests
    one.answered(sent, venue(30.0, 0.0), SUNDAY + 5)
    (change,) = one.intend(ev.AmendOrder("one", NAN, 40.0, NAN, ""), SUNDAY + 10).requests
    return one, change


def kinds(events: Any) -> list[str]:
    return [type(one).__name__ for one in events]


def test_a_fill_of_the_old_size_is_not_the_end_of_an_order_that_has_become_larger() -> None:
    one, change = enlarging()
    (told,) = one.heard(fill(1, 30.0), SUNDAY + 12).events
    assert not told.final and one.due() <= SUNDAY + 12
    (asked,) = one.wake(SUNDAY + 12).requests
    assert asked[:2] == ("one", A)
    assert kinds(one.answered(asked, venue(40.0, 30.0), SUNDAY + 18).events) == ["Amended"]
    assert kinds(one.answered(change, venue(40.0, 30.0), SUNDAY + 20).events) == []
    (last,) = one.heard(fill(2, 10.0), SUNDAY + 30).events
    assert last.final and not one.busy


def test_an_order_that_was_filled_before_it_could_become_larger_ends_as_the_venue_says() -> None:
    one, change = enlarging()
    assert not one.heard(fill(1, 30.0), SUNDAY + 12).events[0].final
    (asked,) = one.wake(SUNDAY + 12).requests
    assert kinds(one.answered(asked, venue(30.0, 30.0, "closed"), SUNDAY + 18).events) == ["Canceled"]
    assert not one.busy and not one.answered(change, None, SUNDAY + 20).events


def test_after_a_restart_the_venue_says_which_of_several_changes_got_there() -> None:
    again = clerk()
    for entry in (
        ev.Submit(replace(ORDER, created=SUNDAY)), ev.Accepted(SUNDAY + 5, "one", "7"),
        ev.AmendOrder("one", NAN, 40.0, NAN, ""), ev.AmendOrder("one", NAN, 35.0, NAN, ""),
    ):  # fmt: skip
        again.recall(entry)
    again.woke_up(SUNDAY + 100)
    later = SUNDAY + 100 + again.patience.land_ms  # only the first got there, and the second never will
    said = again.answered(Find("one", A, later), venue(40.0, 0.0), later)
    assert said.events == [ev.Amended(later, "one", pytest.approx(NAN, nan_ok=True), 40.0, said.events[0].stop_price)]
    again.wake(later + 1_000)
    assert not again.heard(fill(1, 36.0), later + 1_000).events[0].final


def test_a_stop_that_traded_whole_before_it_was_made_larger_is_followed_by_a_market_order() -> None:
    plays = {(A, k): lambda view: view.market("buy", 10.0, symbol=A, stop_loss=0.1) for k in range(2)}
    bars = minutes(A, [100.0] * 5)
    mind = Mind(prepare(scripted(plays), bars, costs=FREE, leverage=5.0), name="bot")
    core = mind.core
    core.minder = Minder(core)
    mind.handle(ev.Started(SUNDAY))

    def bought(ts: int) -> list[Any]:
        mind.handle(ev.Bar(A, ts - 60_000, ts, 100.0, 100.0, 100.0, 100.0, 1.0, "1m"))
        (entry,) = mind.handle(ev.Opened(ts, {A: 100.0}))
        id = entry.order.id
        return list(mind.handle(ev.Filled(ts, id, A, "buy", 10.0, 100.0, 0.0, False, 100.0, "order", ts, final=True)))

    (stop,) = bought(SUNDAY + 60_000)
    assert 20.0 in [one.quantity for one in bought(SUNDAY + 120_000) if type(one) is ev.AmendOrder]
    ts, id = SUNDAY + 121_000, stop.order.id
    mind.handle(ev.Filled(ts, id, A, "sell", 10.0, 90.0, 0.0, False, 90.0, "stop_loss", ts, final=False))
    (closing,) = mind.handle(ev.Canceled(ts + 5, id, "by the venue"))
    assert (closing.order.type, closing.order.side, closing.order.quantity) == ("market", "sell", 10.0)
    assert closing.order.reduce_only
