"""A market whose price jumps: prints and candles agree, nothing before the jump has changed, and books are thin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.practice.rooms import walk
from tests.practice.stage import MINUTE, T0
from workbench.errors import ConfigError
from workbench.market.timeframe import Timeframe
from workbench.practice.markets.disturbed import Disturbed

BASE = walk("BTC/USDT")
SPAN = 90 * MINUTE


@given(
    st.lists(st.tuples(st.integers(0, SPAN), st.sampled_from([-0.3, -0.05, 0.02, 0.5])), max_size=3),
    st.sampled_from(["1m", "5m", "1h"]),
    st.integers(1, SPAN),
)
def test_candles_are_those_of_the_prints(gaps: list[tuple[int, float]], frame: str, upto: int) -> None:
    market, timeframe = Disturbed(BASE), Timeframe.parse(frame)
    for at, fraction in sorted(gaps):
        market.gap(T0 + at, fraction)
    prints = list(market.prints(T0 - 1, T0 + upto))
    found = market.candles(timeframe, T0, T0 + upto + 1, T0 + upto)
    assert found.ts.tolist() == sorted({timeframe.floor(one.ts) for one in prints})
    for place, ts in enumerate(found.ts.tolist()):
        prices = [one.price for one in prints if timeframe.floor(one.ts) == ts]
        mine = [float(column[place]) for column in (found.open, found.high, found.low, found.close)]
        assert mine == [prices[0], max(prices), min(prices), prices[-1]]
    assert all(one.price == pytest.approx(round(one.price, 1), abs=1e-9) for one in prints)


def test_before_the_jump_nothing_has_changed_and_after_it_everything_has() -> None:
    market = Disturbed(BASE)
    market.gap(T0 + 30 * MINUTE, -0.2)
    before, after = BASE.last(T0 + 30 * MINUTE), BASE.last(T0 + 31 * MINUTE)
    assert before is not None and after is not None
    assert market.last(T0 + 30 * MINUTE) == before
    moved = market.last(T0 + 31 * MINUTE)
    assert moved is not None
    assert moved.price == pytest.approx(after.price * 0.8, abs=0.1)
    assert market.mark(T0 + 31 * MINUTE) == moved.price
    assert np.array_equal(market._trades(T0, T0 + 30 * MINUTE).price, BASE._trades(T0, T0 + 30 * MINUTE).price)
    (best, _), (ask, _) = (side[0] for side in market.book(T0 + 31 * MINUTE, 3))
    assert best <= moved.price <= ask


def test_a_thin_book_has_one_level() -> None:
    market = Disturbed(BASE)
    whole = market.book(T0 + MINUTE, 5)
    market.thin = 0.1
    thin = market.book(T0 + MINUTE, 5)
    assert [len(side) for side in (*whole, *thin)] == [5, 5, 1, 1]
    assert thin[0][0][1] == pytest.approx(whole[0][0][1] * 0.1, abs=1e-5)


def test_what_cannot_be() -> None:
    market = Disturbed(BASE)
    with pytest.raises(ConfigError, match=r"a price cannot move by -1\.0"):
        market.gap(T0, -1.0)
    market.gap(T0 + 5, 0.1)
    with pytest.raises(ConfigError, match="has jumped after"):
        market.gap(T0, 0.1)
