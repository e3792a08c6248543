from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.market.sources.asking import Garbled
from workbench.market.sources.checks import said_nothing, sound_candles, sound_funding, sound_trades
from workbench.market.timeframe import Timeframe

MINUTE = Timeframe.parse("1m")
GOOD = [60_000, 10.0, 12.0, 9.0, 11.0, 5.0]


@pytest.mark.parametrize(
    "row",
    [
        [None] * 6, [60_000, None, 12.0, 9.0, 11.0, 5.0], [60_000, 10.0, 12.0, 9.0, 11.0], "<html>", None, 7,
        [60_001, 10.0, 12.0, 9.0, 11.0, 5.0], [60_000, 10.0, 9.5, 9.0, 11.0, 5.0], [60_000, 10.0, 12.0, 0.0, 11.0, 5.0],
        [60_000, 10.0, 12.0, 9.0, 11.0, -1.0], [60_000, float("nan"), 12.0, 9.0, 11.0, 5.0], [True, 1, 1, 1, 1, 1],
        [60_000, "10", 12.0, 9.0, 11.0, 5.0],
    ],
)  # fmt: skip
def test_a_candle_that_is_none_makes_the_answer_garbled(row: Any) -> None:
    with pytest.raises(Garbled, match="1 of 1 rows are no candles"):
        sound_candles([row], MINUTE)
    others = [[60_000 * number, *GOOD[1:]] for number in range(100, 120)]
    with pytest.raises(Garbled) as caught:
        sound_candles([*others, row], MINUTE)
    assert len(caught.value.usable) == 20


@pytest.mark.parametrize("answer", [None, "<html>", {"code": -1}, 7])
def test_an_answer_that_is_no_list_is_garbled(answer: Any) -> None:
    for check in (lambda: sound_candles(answer, MINUTE), lambda: sound_trades(answer), lambda: sound_funding(answer)):
        with pytest.raises(Garbled, match="the answer is no list"):
            check()


def test_candles_are_sorted_and_repeated_ones_dropped() -> None:
    later = [120_000, *GOOD[1:]]
    assert [row[0] for row in sound_candles([later, GOOD, later], MINUTE)] == [60_000, 120_000]
    with pytest.raises(Garbled, match="two candles at 60000 differ"):
        sound_candles([GOOD, [60_000, 10.5, *GOOD[2:]]], MINUTE)


def trade(ts: Any, name: str | None = None, **more: Any) -> dict[str, Any]:
    return {"timestamp": ts, "id": name, "price": 10.0, "amount": 2.0, "side": "buy"} | more


def test_trades_keep_the_order_of_one_millisecond_and_get_names_where_they_have_none() -> None:
    rows = sound_trades([trade(5, "b"), trade(5, "a", side="sell"), trade(4, "z"), trade(5, "b")])
    assert [(row[1], row[4]) for row in rows] == [("z", 1), ("b", 1), ("a", -1)]
    nameless = [trade(5), trade(5), trade(6, side=None)]
    assert [row[1] for row in sound_trades(nameless)] == ["5-0", "5-1", "6-0"]
    assert sound_trades(nameless) == sound_trades(nameless)


@pytest.mark.parametrize("bad", [trade(None), trade(5, price=0), trade(5, amount=None), trade(5, price="1"), "x"])
def test_a_trade_that_is_none_makes_the_answer_garbled(bad: Any) -> None:
    with pytest.raises(Garbled):
        sound_trades([bad])


def test_funding_rates_are_fractions() -> None:
    assert sound_funding([{"timestamp": 9, "fundingRate": 0.0001}]) == [(9, 0.0001)]
    for rate in (None, 1.5, float("inf")):
        with pytest.raises(Garbled):
            sound_funding([{"timestamp": 9, "fundingRate": rate}])


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@given(st.lists(JUNK, max_size=4))
def test_junk_is_never_more_than_garbled(answer: list[Any]) -> None:
    for check in (lambda: sound_candles(answer, MINUTE), lambda: sound_trades(answer), lambda: sound_funding(answer)):
        try:
            check()
        except Garbled:
            pass


def test_an_empty_answer_counts_where_the_venue_said_so_itself() -> None:
    for body in ("[]", ' {"result": {"BTC": [ ]}}', '{"data": null}', "{}", None):
        assert said_nothing([], body) == []
    for body in ("", "<html>", '[[1,"2'):
        with pytest.raises(Garbled, match="no JSON") as caught:
            said_nothing([], body)
        assert caught.value.usable is None
    with pytest.raises(Garbled, match="no rows") as caught:
        said_nothing([], '{"status":"ok"}')
    assert caught.value.usable == [], "taken when the venue insists"
