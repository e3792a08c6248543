"""What a clerk does about requests whose end nobody knows, and about dates that its venue does not keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.bots.brokers.stage import MINUTE, NAN, PERP, SPOT, run, swinging
from tests.bots.runner_stage import bot
from tests.bots.street import SUNDAY, minutes
from workbench.bots.brokers.talk import Find, Request, Send, VenueFill, VenueOrder
from workbench.bots.clerk import Clerk, Patience, Said
from workbench.errors import BrokerRejected, BrokerTransient, BrokerUnknown
from workbench.practice.exchange import Exchange
from workbench.trading.core import traded
from workbench.trading.events import Accepted, Action, AmendOrder, CancelOrder, Expired, Rejected, Submit
from workbench.trading.orders import Order
from workbench.trading.terms import CostTerms, Lots

A = "A/USDT:USDT"
LOST = BrokerUnknown("the connection was cut")
SOON = Patience(retry_ms=500, ask_ms=1_000, land_ms=10_000, settle_ms=2_000, give_up_ms=600_000)


def clerk_with(*names: str, **terms: Any) -> tuple[Clerk, list[Send]]:
    clerk = Clerk({A: traded(minutes(A, [100.0]).instrument, Lots(0.01, 0.5), CostTerms())}, SOON)
    orders = [Order(name, A, "buy", "limit", 30.0, price=100.0, **terms) for name in names]
    return clerk, sends(clerk.intend(Submit(order), SUNDAY) for order in orders)


def sends(said: Iterable[Any]) -> list[Send]:
    return [one for each in said for one in each.requests if isinstance(one, Send)]


def there(name: str, status: str = "open", filled: float = 0.0) -> VenueOrder:
    return VenueOrder(name, f"v {name}", A, "buy", "limit", status, 30.0, filled, 100.0)


def asked_for(clerk: Clerk, upto: int, answer: Any, said: Said | None = None) -> list[Action]:
    """Let time pass, with one answer to all questions, also to those of `said`; give what is sent meanwhile."""
    found, now = list[Action](), clerk.now
    waiting: list[Request] = [] if said is None else list(said.requests)
    while now < upto:
        now = int(min(upto, clerk.due()))
        waiting += clerk.wake(now).requests
        while waiting:
            request = waiting.pop(0)
            if isinstance(request, Find):
                waiting += clerk.answered(request, answer, now + 5).requests
            elif isinstance(request, Send):
                found.append(request.action)
        now += 10
    return found


def test_an_order_is_not_sent_again_while_its_first_request_may_still_arrive() -> None:
    clerk, (sent,) = clerk_with("a")
    assert asked_for(clerk, SUNDAY + 300_000, None) == [] and clerk.doubt == ("a",)  # it waits in some queue
    assert clerk.answered(sent, LOST, SUNDAY + 300_000).events == []  # it is known to be in doubt
    assert asked_for(clerk, SUNDAY + 309_000, None) == []
    (again,) = asked_for(clerk, SUNDAY + 320_000, None)
    assert type(again) is Submit and again.order.id == "a"


def test_an_answer_lost_late_counts_from_when_it_was_lost() -> None:
    clerk, (sent,) = clerk_with("a")
    said = clerk.answered(sent, LOST, SUNDAY + 9_000)  # it waited for its turn, and was signed just before
    assert asked_for(clerk, SUNDAY + 18_900, None, said) == []
    assert len(asked_for(clerk, SUNDAY + 23_000, None)) == 1


@pytest.mark.parametrize(
    ("answer", "state", "event"),
    [
        (BrokerTransient("not now"), "waiting", ""),
        (BrokerRejected("no", code="insufficient_margin"), "done", "Rejected"),
        (there("a"), "resting", "Accepted"),
    ],
)
def test_an_answer_after_it_was_given_up_is_still_the_answer(answer: Any, state: str, event: str) -> None:
    clerk, (sent,) = clerk_with("a")
    asked_for(clerk, SUNDAY + 60_000, None)
    said = clerk.answered(sent, answer, SUNDAY + 60_000)
    assert clerk.lines["a"].state == state
    assert [type(one).__name__ for one in said.events] == [event] * bool(event)


def test_a_change_is_not_repeated_while_it_may_still_arrive() -> None:
    clerk, (sent,) = clerk_with("a")
    clerk.answered(sent, there("a"), SUNDAY + 5)
    (change,) = sends([clerk.intend(AmendOrder("a", 99.0, NAN, NAN), SUNDAY + 10)])
    assert asked_for(clerk, SUNDAY + 120_000, there("a")) == []  # the venue has it as it was, and that proves nothing
    clerk.answered(change, BrokerTransient("not now"), SUNDAY + 120_000)
    assert [type(one) for one in asked_for(clerk, SUNDAY + 130_000, there("a"))] == [AmendOrder]


def test_an_answer_that_was_asked_for_too_early_proves_nothing_however_late_it_is_read() -> None:
    clerk, (sent,) = clerk_with("a")
    (find,) = clerk.answered(sent, LOST, SUNDAY + 50).requests
    assert clerk.answered(find, None, SUNDAY + 20_000).requests == []  # whoever reads it was busy meanwhile
    (again,) = clerk.wake(int(clerk.due())).requests
    assert isinstance(again, Find) and again.asked > SUNDAY + 20_000
    assert [type(one.action) for one in sends([clerk.answered(again, None, again.asked + 5)])] == [Submit]


def test_a_change_that_was_lost_late_is_waited_for_as_long_as_it_may_arrive() -> None:
    clerk, (sent,) = clerk_with("a")
    clerk.answered(sent, there("a"), SUNDAY + 5)
    (change,) = sends([clerk.intend(AmendOrder("a", 99.0, NAN, NAN), SUNDAY + 10)])
    clerk.intend(AmendOrder("a", 98.0, NAN, NAN), SUNDAY + 20)
    said = clerk.answered(change, LOST, SUNDAY + 9_900)
    assert asked_for(clerk, SUNDAY + 19_800, there("a"), said) == []
    assert asked_for(clerk, SUNDAY + 25_000, there("a")) == [AmendOrder("a", 98.0, NAN, NAN, "")]


@pytest.mark.parametrize("action", [CancelOrder("a"), AmendOrder("a", 99.0, NAN, NAN)])
def test_what_was_wished_while_nobody_knew_is_sent_once_it_is_found(action: Action) -> None:
    clerk, (sent,) = clerk_with("a")
    (find,) = clerk.answered(sent, LOST, SUNDAY + 50).requests
    assert clerk.intend(action, SUNDAY + 60).requests == []
    (change,) = sends([clerk.answered(find, there("a"), SUNDAY + 100)])
    assert type(change.action) is type(action)


def test_a_change_that_the_venue_takes_and_never_shows_is_given_up() -> None:
    clerk, (sent,) = clerk_with("a")
    clerk.answered(sent, there("a"), SUNDAY + 5)
    (change,) = sends([clerk.intend(AmendOrder("a", 99.0, NAN, NAN), SUNDAY + 10)])
    times, said = 0, clerk.answered(change, there("a"), SUNDAY + 20)
    while clerk.due() < float("inf") and times < 100:
        times += 1
        (change,) = sends([clerk.wake(int(clerk.due()))])
        said = clerk.answered(change, there("a"), clerk.now + 5)
        if any(isinstance(one, Rejected) for one in said.events):
            break
    assert 5 < times < 12 and said.alerts[0].level == "error" and clerk.now - SUNDAY > 30_000
    assert clerk.lines["a"].state == "resting" and clerk.lines["a"].change is None


def test_a_change_that_was_refused_is_not_made_again_after_a_restart() -> None:
    clerk, _ = clerk_with()
    order = Order("a", A, "buy", "limit", 30.0, price=100.0)
    first, second = AmendOrder("a", 99.0, NAN, NAN), AmendOrder("a", 98.0, NAN, NAN)
    for entry in (Submit(order), Accepted(SUNDAY, "a", "v a"), first, second, Rejected(SUNDAY, "a", "no", "")):
        clerk.recall(entry)
    assert clerk.lines["a"].asked is not None and clerk.lines["a"].asked[0] == 98.0
    clerk.recall(Rejected(SUNDAY, "a", "no", ""))
    assert asked_for(clerk, SUNDAY + 120_000, there("a"), clerk.woke_up(SUNDAY + 10)) == []
    clerk.recall(first)
    said = clerk.woke_up(SUNDAY + 120_010)
    assert asked_for(clerk, SUNDAY + 240_000, there("a"), said) == [AmendOrder("a", 99.0, NAN, NAN, "")]


# dates


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with swinging(PERP, SPOT) as served:
        yield served


def test_an_order_with_a_date_is_cancelled_then_and_has_expired_once() -> None:
    clerk, (sent,) = clerk_with("a", time_in_force="GTD", expires=SUNDAY + MINUTE)
    clerk.dates = lambda order: False
    clerk.answered(sent, there("a"), SUNDAY + 5)
    assert clerk.due() == SUNDAY + MINUTE and clerk.wake(SUNDAY + MINUTE - 1).requests == []
    (cancel,) = sends([clerk.wake(SUNDAY + MINUTE)])
    assert type(cancel.action) is CancelOrder and clerk.due() > SUNDAY + MINUTE
    assert clerk.wake(SUNDAY + MINUTE + 1).requests == []
    said = clerk.answered(cancel, there("a", "canceled"), SUNDAY + MINUTE + 20)
    assert said.events == [Expired(SUNDAY + MINUTE + 20, "a")] and clerk.due() == float("inf")


def test_a_cancellation_at_its_date_that_does_not_arrive_is_tried_again_after_a_pause() -> None:
    clerk, (sent,) = clerk_with("a", time_in_force="GTD", expires=SUNDAY + MINUTE)
    clerk.dates = lambda order: False
    clerk.answered(sent, there("a"), SUNDAY + 5)
    (cancel,) = sends([clerk.wake(SUNDAY + MINUTE)])
    clerk.answered(cancel, BrokerTransient("not now"), SUNDAY + MINUTE + 20)
    assert clerk.due() == SUNDAY + MINUTE + 520
    assert [type(one) for one in asked_for(clerk, SUNDAY + MINUTE + 600, there("a"))] == [CancelOrder]


def test_what_trades_as_its_date_comes_is_booked_before_its_end() -> None:
    clerk, (sent,) = clerk_with("a", time_in_force="GTD", expires=SUNDAY + MINUTE)
    clerk.dates = lambda order: False
    clerk.answered(sent, there("a"), SUNDAY + 5)
    (cancel,) = sends([clerk.wake(SUNDAY + MINUTE)])
    assert clerk.answered(cancel, there("a", "canceled", 10.0), SUNDAY + MINUTE + 20).events == []
    fill = VenueFill("1", "v a", A, "buy", 10.0, 100.0, 0.0, True, SUNDAY + MINUTE + 3, "a")
    said = clerk.heard(fill, SUNDAY + MINUTE + 50)
    assert [type(one).__name__ for one in said.events] == ["Filled", "Expired"]


def test_an_order_whose_date_came_before_it_could_be_sent_never_is() -> None:
    clerk, (sent,) = clerk_with("a", time_in_force="GTD", expires=SUNDAY + MINUTE)
    clerk.dates = lambda order: False
    clerk.answered(sent, BrokerTransient("not now", retry_ms=2 * MINUTE), SUNDAY + 5)
    said = clerk.wake(SUNDAY + 5 + 2 * MINUTE)
    assert said.requests == [] and said.events == [Expired(SUNDAY + 5 + 2 * MINUTE, "a")]


def test_an_order_that_its_user_cancels_is_cancelled_whenever_that_is_known() -> None:
    clerk, (sent,) = clerk_with("a", time_in_force="GTD", expires=SUNDAY + MINUTE)
    clerk.dates = lambda order: False
    clerk.answered(sent, there("a"), SUNDAY + 5)
    (cancel,) = sends([clerk.intend(CancelOrder("a"), SUNDAY + MINUTE - 10)])
    said = clerk.answered(cancel, there("a", "canceled"), SUNDAY + MINUTE + 20)
    assert [type(one).__name__ for one in said.events] == ["Canceled"]


def test_a_venue_that_keeps_dates_is_left_to_it() -> None:
    clerk, (sent,) = clerk_with("a", time_in_force="GTD", expires=SUNDAY + MINUTE)
    clerk.answered(sent, there("a"), SUNDAY + 5)
    assert clerk.due() == float("inf")
    assert [type(one).__name__ for one in clerk.heard(there("a", "expired"), SUNDAY + MINUTE).events] == ["Expired"]


class Patient(wb.OrderStrategy):
    """Bids far below the market until two and a half minutes later."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        if view.orders():
            return None
        return view.limit(
            "buy", 0.2, price=round(bar.close * 0.92, 2), time_in_force="GTD", expires=bar.closes + 150_000,
            post_only=bar.ts // MINUTE % 2 == 0,
        )  # fmt: skip


@pytest.mark.parametrize("symbol", [SPOT, PERP])
def test_dates_are_kept_where_the_venue_does_not_also_over_a_restart(
    exchange: Exchange, tmp_path: Path, symbol: str
) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, symbol, strategy=Patient()) as mine:
            async with mine.session():
                await mine.reaches("RUNNING")
                await mine.minutes(6)
                mine.check_books()
                ended = [one.record for one in mine.journal.entries(kinds=["Expired", "Canceled"])]
                assert ended and {type(one) for one in ended} == {Expired} and len(mine.one.standing()) == 1
                (rests,) = mine.one.standing()
            await mine.one.minutes(4)  # its date comes while nobody is there
            assert [one.client_id for one in mine.one.standing()] == [rests.client_id]
            async with mine.session():
                await mine.reaches("RUNNING")
                await mine.waits(lambda: rests.client_id not in mine.runner.shell.mind.core.orders)
                mine.check_books()
                ended = [one.record.id for one in mine.journal.entries(kinds=["Expired", "Canceled"])]
                assert rests.client_id in ended and len(set(ended)) == len(ended)

    run(story())
