"""Every trade once and in order over breaks, late answers and short pages; what is lost is named."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.market.feeds.trade_tracker import Lost, Traded, TradeTracker


def trade(number: int, name: str = "") -> Traded:
    return Traded(name or str(number), 1_000 + 10 * (number // 2), 100.0 + number, 1.0, 1)


ACTIONS = st.sampled_from(["happen"] * 8 + ["unseen", "break", "ask", "short", "late", "again", "unsure"])


@given(st.lists(ACTIONS, max_size=60), st.booleans())
def test_every_trade_is_told_once_and_in_order(actions: list[str], consecutive: bool) -> None:
    tracker = TradeTracker(consecutive=consecutive)
    there, told, connected = [trade(5)], list(tracker.moved([trade(5)])), True

    def ask(limit: int = 1_000, behind: int = 0) -> None:
        last = tracker.wanted()
        if last is not None:
            known = there[: len(there) - behind] if behind else there
            rows = [one for one in known if one.ts >= last.ts][: max(limit, 3)]
            told.extend(tracker.answered(reversed(rows)))

    for action in actions:
        if action in ("happen", "unseen"):
            there.append(trade(5 + len(there)))
            if action == "unseen" and connected:
                tracker.broke()
                connected = False
            elif action == "happen":
                if not connected:
                    tracker.unsure()  # as whoever dials again says
                connected = True
                told.extend(tracker.moved([there[-1]]))
        elif action == "break":
            tracker.broke()
            connected = False
        elif action == "again":
            told.extend(tracker.moved(there[-3:]))
        elif action == "unsure":
            tracker.unsure()
        elif (
            consecutive or action != "late"
        ):  # without numbers, an answer that is behind cannot be told from a whole one
            ask(limit=4 if action == "short" else 1_000, behind=2 * (action == "late"))
    tracker.broke()
    while tracker.wanted() is not None:
        ask()
    assert told == there
    assert tracker.lost() == []


def test_a_missing_number_is_noticed_without_a_break() -> None:
    tracker = TradeTracker(consecutive=True)
    assert tracker.moved([trade(5)]) == [trade(5)]
    assert tracker.moved([trade(8)]) == []
    assert tracker.wanted() == trade(5)
    assert tracker.answered([trade(5), trade(6), trade(7), trade(8)]) == [trade(6), trade(7), trade(8)]
    assert tracker.wanted() is None


def test_what_the_venue_does_not_have_any_more_is_lost_and_named() -> None:
    tracker = TradeTracker()
    tracker.moved([trade(5, "a")])
    tracker.broke()
    tracker.moved([trade(20, "d")])
    assert tracker.answered([trade(18, "c"), trade(20, "d")]) == [trade(18, "c"), trade(20, "d")]
    assert tracker.lost() == [Lost(trade(5).ts, trade(18).ts, None)]


def test_numbers_that_nobody_has_are_lost_after_some_answers() -> None:
    tracker = TradeTracker(consecutive=True)
    tracker.moved([trade(5)])
    tracker.moved([trade(8)])
    answers = [tracker.answered([trade(5)]) for _ in range(4)]
    assert answers == [[], [], [], [trade(8)]]
    assert tracker.lost() == [Lost(trade(5).ts, trade(8).ts, 2)]


def test_without_answers_the_rest_is_told_and_the_loss_named() -> None:
    tracker = TradeTracker()
    tracker.moved([trade(5, "a")])
    tracker.broke()
    tracker.moved([trade(9, "b")])
    assert tracker.gave_up() == [trade(9, "b")]
    assert tracker.lost() == [Lost(trade(5).ts, trade(9).ts, None)]


def test_trades_from_before_the_feed_are_known_and_not_told() -> None:
    tracker = TradeTracker()
    tracker.begin([trade(2), trade(1)])
    assert tracker.moved([trade(1), trade(2), trade(3)]) == [trade(3)]


def test_what_waited_before_a_break_does_not_close_the_gap_of_that_break() -> None:
    tracker = TradeTracker()
    tracker.moved([trade(5)])
    tracker.broke()
    tracker.moved([trade(7)])
    tracker.broke()  # and 8 happens unseen
    tracker.moved([trade(9)])
    assert tracker.answered([trade(5), trade(6), trade(7)]) == [trade(6), trade(7)]
    assert tracker.answered([trade(7), trade(8), trade(9)]) == [trade(8), trade(9)]
    assert tracker.wanted() is None and tracker.lost() == []


def test_a_batch_that_has_a_trade_twice_tells_it_once() -> None:
    tracker = TradeTracker()
    assert tracker.moved([trade(1), trade(2), trade(1), trade(2)]) == [trade(1), trade(2)]
