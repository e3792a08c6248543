"""A bot that runs for long, with faults: what it holds of memory and files does not grow, but for its bars."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bots.quick_stage import MINUTE, Story
from tests.bots.soak import Soak, grown, slopes
from tests.bots.street import SUNDAY, minutes
from tests.bots.world import SYMBOL
from workbench.bots.brokers.talk import Look, Snapshot, VenueFill, VenueOrder
from workbench.bots.clerk import Clerk, Patience
from workbench.bots.runner_reconciling import Reconciler
from workbench.bots.runner_states import Course
from workbench.bots.runner_terms import RunTerms
from workbench.trading.core import traded
from workbench.trading.events import Submit
from workbench.trading.orders import Order
from workbench.trading.terms import CostTerms, Lots

A = "A/USDT:USDT"
DAY = 24 * 60 * MINUTE


def test_six_hours_leave_nothing_behind(tmp_path: Path) -> None:
    soak = Soak(tmp_path, 360, every=30, lives=3, patience=Patience(keep_ms=60 * MINUTE, overlap_ms=2 * MINUTE))
    soak.run()
    assert len(soak.restarted) == 2 and all("taken up as of entry" in one for one in soak.said), soak.said
    assert len(soak.engine.executions("me", limit=10_000)) > 100 and len(soak.faults.log) > 500
    assert soak.problems() == []
    assert grown(soak.rows, 1.1, 3_000.0) == {}
    assert max(row["files"] for row in soak.rows) <= soak.rows[0]["files"]


@pytest.mark.long
@pytest.mark.timeout(7_200)
def test_a_month_leaves_nothing_behind(tmp_path: Path) -> None:
    soak = Soak(tmp_path, 43_200, every=500, lives=4, patience=Patience())
    soak.run()
    (tmp_path / "rows.json").write_text(json.dumps(soak.rows))
    assert len(soak.restarted) == 3 and soak.problems() == []
    found = slopes(soak.rows[10:])
    print({name: round(value) for name, value in sorted(found.items(), key=lambda one: -one[1])[:12]})
    assert grown(soak.rows, 1.2, 20_000.0) == {}
    assert found["total"] < 150_000.0  # bytes per 1,000 bars, of which 88,000 are the bars
    assert max(row["files"] for row in soak.rows) <= soak.rows[0]["files"]


def clerk_with_old_order() -> Clerk:
    """A clerk with an order that rests since the beginning, a third of it filled, and another that is over."""
    clerk = Clerk({A: traded(minutes(A, [100.0]).instrument, Lots(0.01, 0.5), CostTerms())})
    for name in ("old", "over"):
        (sent,) = clerk.intend(Submit(Order(name, A, "buy", "limit", 30.0, price=100.0)), SUNDAY).requests
        clerk.answered(sent, venue(name, 0.0), SUNDAY + 5)
    clerk.heard(fill("1", "old", 10.0), SUNDAY + 10)
    clerk.heard(fill("2", "over", 30.0), SUNDAY + 10)
    return clerk


def venue(name: str, filled: float, venue_id: str = "") -> VenueOrder:
    return VenueOrder(name, venue_id or f"v {name}", A, "buy", "limit", "open", 30.0, filled, 100.0)


def fill(number: str, name: str, quantity: float, ts: int = SUNDAY + 10) -> VenueFill:
    return VenueFill(number, f"v {name}", A, "buy", quantity, 100.0, 0.0, True, ts, name)


def seen(clerk: Clerk, asked: int, since: int, *fills: VenueFill) -> Any:
    return clerk.answered(Look(since), Snapshot(asked, since, (venue("old", 10.0),), fills), asked + 5)


def test_an_order_that_rests_for_weeks_does_not_make_looks_longer() -> None:
    clerk = clerk_with_old_order()
    assert clerk.look(SUNDAY + DAY).since < SUNDAY  # nobody has looked yet: nothing is known for certain
    for day in range(1, 20):
        look = clerk.look(SUNDAY + day * DAY)
        assert day == 1 or look.since > SUNDAY + (day - 2) * DAY
        seen(clerk, SUNDAY + day * DAY, look.since)
    (asked,) = clerk.heard(venue("old", 20.0), SUNDAY + 20 * DAY).requests or [None]
    assert asked is None
    (asked,) = clerk.wake(SUNDAY + 20 * DAY + clerk.patience.settle_ms).requests  # more is filled than was told
    assert asked.since < SUNDAY and clerk.look(SUNDAY + 20 * DAY).since < SUNDAY


def test_an_order_that_rests_for_weeks_keeps_nothing_of_others() -> None:
    clerk = clerk_with_old_order()
    seen(clerk, SUNDAY + DAY, SUNDAY - DAY)
    assert set(clerk.lines) == {"old", "over"}
    seen(clerk, SUNDAY + 3 * DAY, SUNDAY + DAY)
    seen(clerk, SUNDAY + 3 * DAY + 1, SUNDAY + 3 * DAY)
    assert set(clerk.lines) == {"old"} and clerk.trades == {}
    known = (fill("1", "old", 10.0), fill("2", "over", 30.0), fill("3", "old", 5.0, SUNDAY + 3 * DAY - 1))
    said = seen(clerk, SUNDAY + 4 * DAY, SUNDAY - DAY, *known)  # what is known already is told again
    assert [one.trade for one in said.events] == ["3"] and clerk.outside == () and clerk.lines["old"].filled == 15.0
    again = Clerk(clerk.markets)
    again.restore(clerk.snapshot())
    assert seen(again, SUNDAY + 4 * DAY, SUNDAY - DAY, *known).events == [] and again.outside == ()


def test_a_look_for_one_order_forgets_nothing_that_a_later_look_finds() -> None:
    clerk = clerk_with_old_order()
    seen(clerk, SUNDAY + 3 * DAY, SUNDAY - DAY)
    assert clerk.seen == SUNDAY + 3 * DAY
    seen(clerk, SUNDAY + 5 * DAY, SUNDAY + 4 * DAY)  # what lies between has not been asked for
    assert clerk.seen == SUNDAY + 3 * DAY
    said = seen(clerk, SUNDAY + 6 * DAY, SUNDAY - DAY, fill("1", "old", 10.0), fill("2", "over", 30.0))
    assert said.events == [] and clerk.outside == () and clerk.lines["old"].filled == 10.0


def test_the_ids_that_changes_gave_an_order_go_with_it() -> None:
    clerk = clerk_with_old_order()
    for number in range(50):
        clerk.heard(venue("old", 10.0, f"v {number}"), SUNDAY + number)
    assert len(clerk.ids) == 52
    clerk.heard(fill("3", "old", 20.0), SUNDAY + 60)
    clerk.answered(Look(SUNDAY + 2 * DAY), Snapshot(SUNDAY + 3 * DAY, SUNDAY + 2 * DAY, (), ()), SUNDAY + 3 * DAY)
    assert clerk.ids == {} == clerk.lines == clerk.trades


def test_what_is_recalled_is_let_go_of_where_no_state_may_be_kept(tmp_path: Path) -> None:
    story = Story(tmp_path)
    story.lives(0, 300)
    story.quick.allowed = False
    lines = story.shell.recalled.lines
    filled = sum(line.state == "done" and not line.ended for line in lines.values())
    assert filled > 40 and not story.quick.keep() and not story.quick.due
    assert all(line.ended or line.state != "done" for line in lines.values())
    story.journal.close()


def test_executions_of_others_are_told_each_once(tmp_path: Path) -> None:
    story = Story(tmp_path)
    told: list[str] = []
    shell = story.shell
    shell.alert = lambda alert: told.append(alert.text)
    course = Course(shell, RunTerms(), lambda: SUNDAY + len(told))
    course.reconciler = Reconciler(shell.mind.core)
    done: list[VenueFill] = []
    for number in range(1_100):
        done.append(VenueFill(str(number), "x", SYMBOL, "buy", 0.001 * (number + 1), 100.0, 0.0, True, SUNDAY))
        course.look_soon()
        course.beat()
        look: Any = shell.requests.popleft()
        answer = Snapshot(SUNDAY, SUNDAY, (), tuple(done[-3:]))
        shell.answered(look, answer, SUNDAY)
        course.looked(look, answer)
    assert len(told) == 1_100 and max(map(len, told)) < 120
    story.journal.close()
