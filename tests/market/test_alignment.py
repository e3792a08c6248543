"""Slower bars beside faster ones: a slow bar shows once it has closed, and a cut of the future changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.errors import DataError
from workbench.market.alignment import align, last_closed
from workbench.market.resampling import resample


def minutes(count: int, missing: frozenset[int] = frozenset()) -> wb.Bars:
    rows = np.array([row for row in range(count) if row not in missing], dtype=np.int64)
    price = 100.0 + rows % 7
    return wb.Bars(
        instrument=wb.Instrument(symbol="BTC/USDT"), timeframe="5m", ts=rows * 300_000,
        open=price, high=price + 1, low=price - 1, close=price, volume=np.ones(len(rows)),
    )  # fmt: skip


@given(
    count=st.integers(1, 120),
    missing=st.frozensets(st.integers(0, 119), max_size=6),
    slow=st.sampled_from(["15m", "1h"]),
)
def test_no_bar_shows_before_it_has_closed(count: int, missing: frozenset[int], slow: str) -> None:
    fast = minutes(count, missing - {0})
    longer = resample(fast, slow)
    rows = last_closed(longer, at=fast)
    now = fast.ts + fast.timeframe.ms
    closes = longer.ts + longer.timeframe.ms
    for moment, row in zip(now, rows, strict=True):
        assert row == -1 or closes[row] <= moment
        assert row + 1 == len(closes) or closes[row + 1] > moment


@given(count=st.integers(2, 120), cut=st.integers(1, 119), missing=st.frozensets(st.integers(1, 119), max_size=6))
def test_what_was_shown_is_the_same_without_the_future(count: int, cut: int, missing: frozenset[int]) -> None:
    whole = minutes(count, missing)
    part = whole[: min(cut, len(whole))]
    for name, seen in align(resample(part, "1h"), to=part).items():
        np.testing.assert_array_equal(seen, align(resample(whole, "1h"), to=whole)[name][: len(part)])


def test_a_faster_series_cannot_be_shown_as_a_slow_one() -> None:
    with pytest.raises(DataError, match="bars of 5m are not slower than bars of 1h"):
        align(minutes(24), to=resample(minutes(24), "1h"))
