"""Ticks: single trades, checked when made, and the bars they make."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.errors import DataError
from workbench.market.ticks import Ticks

BITCOIN = wb.Instrument(symbol="BTC/USDT")


def ticks_of(rows: list[tuple[int, float, float]], **more: object) -> Ticks:
    ts, price, quantity = zip(*rows, strict=True) if rows else ((), (), ())
    return Ticks(instrument=BITCOIN, ts=np.array(ts, dtype=np.int64), price=price, quantity=quantity, **more)


def test_bars_of_ticks_have_their_prices_in_order_and_leave_out_empty_minutes():
    ticks = ticks_of([(60_000, 10.0, 1.0), (60_500, 12.0, 2.0), (119_999, 9.0, 1.0), (180_000, 11.0, 4.0)])
    bars = ticks.to_bars("1m")
    assert bars.ts.tolist() == [60_000, 180_000]
    rows = [getattr(bars, name).tolist() for name in ("open", "high", "low", "close", "volume")]
    assert rows == [[10.0, 11.0], [12.0, 11.0], [9.0, 11.0], [9.0, 11.0], [4.0, 4.0]]


@given(st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(1, 50), st.integers(1, 9)), min_size=1, max_size=60))
def test_no_quantity_is_lost_and_every_price_is_inside_its_bar(rows):
    ticks = ticks_of(sorted((ts, float(price), float(quantity)) for ts, price, quantity in rows))
    bars = ticks.to_bars("5m")
    assert bars.volume.sum() == ticks.quantity.sum()
    inside = np.searchsorted(bars.ts, ticks.ts, side="right") - 1
    assert (ticks.price <= bars.high[inside]).all() and (ticks.price >= bars.low[inside]).all()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(2, 1.0, 1.0), (1, 1.0, 1.0)], "ts of tick 1 .* goes back in time"),
        ([(1, -1.0, 1.0)], "price of tick 0 .* is not a finite number above zero"),
        ([(1, 1.0, float("nan"))], "quantity of tick 0"),
    ],
)
def test_what_is_no_tick_is_refused_by_name(rows, words):
    with pytest.raises(DataError, match=words):
        ticks_of(rows)


def test_sides_are_minus_one_zero_or_one():
    assert ticks_of([(1, 1.0, 1.0)]).side.tolist() == [0]
    with pytest.raises(DataError, match=r"side of tick 0 .* is not -1, 0 or"):
        ticks_of([(1, 1.0, 1.0)], side=[2])


def test_there_are_no_bars_of_no_ticks():
    with pytest.raises(DataError, match="there are no ticks to make bars of"):
        ticks_of([]).to_bars("1m")
