"""Orders only move forward, fills count once, in whatever order and however often they are told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.market.feeds.order_tracker import FillTracker, OrderState, OrderTracker, Spent


def order(ts: int, status: str, filled: float, name: str = "1") -> OrderState:
    return OrderState(name, "BTC/USDT", ts, "c", "buy", "limit", status, 10.0, 3.0, filled, None)


LIFE = [order(1, "open", 0.0), order(2, "open", 1.0), order(3, "open", 2.0), order(4, "closed", 3.0)]


@given(st.lists(st.lists(st.sampled_from(LIFE), max_size=4), max_size=12))
def test_an_order_only_moves_forward(answers: list[list[OrderState]]) -> None:
    tracker, told = OrderTracker(), []
    for answer in [*answers, [LIFE[-1]]]:
        told += tracker.moved(answer)
    places = [LIFE.index(state) for state in told]
    assert places == sorted(set(places))
    assert told[-1] == LIFE[-1]
    assert tracker.open_ids("BTC/USDT") == []


def test_a_cancel_and_a_change_of_price_are_news() -> None:
    tracker = OrderTracker()
    amended = order(2, "open", 0.0)._replace(price=11.0)
    assert tracker.moved([LIFE[0]]) == [LIFE[0]]
    assert tracker.moved([LIFE[0], amended]) == [amended]
    assert tracker.open_ids("BTC/USDT") == ["1"]
    canceled = order(3, "canceled", 0.0)
    assert tracker.moved([canceled, LIFE[0]]) == [canceled]
    assert tracker.last("BTC/USDT") == 3 and tracker.last("ETH/USDT") is None


def test_a_fill_counts_once() -> None:
    fills = [Spent(str(n), "BTC/USDT", 10 - n, "1", "buy", 1.0, 1.0, None, None, None) for n in range(3)]
    tracker = FillTracker()
    assert tracker.moved(fills) == fills[::-1]
    assert tracker.moved([*fills, *fills]) == []
    assert tracker.last("BTC/USDT") == 10
