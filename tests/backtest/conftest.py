"""Bars written by hand: each row is (open, high, low, close)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import workbench as wb

Rows = Sequence[tuple[float, float, float, float]]


def bars_of(rows: Rows, **facts: object) -> wb.Bars:
    opened, high, low, close = np.asarray(rows, dtype=float).T
    known = {"maker_fee": 0.0, "taker_fee": 0.0, "spread_bps": 0.0, "quote": "USDT", **facts}
    return wb.Bars(
        instrument=wb.Instrument(symbol="TEST/USDT", venue="paper", **known),
        timeframe=wb.Timeframe.parse("1h"),
        ts=np.arange(len(rows)) * 3_600_000,
        open=opened, high=high, low=low, close=close, volume=np.full(len(rows), 1e9),  # all one wants
    )  # fmt: skip


def flags(n: int, *at: int) -> np.ndarray:
    found = np.zeros(n, dtype=bool)
    found[list(at)] = True
    return found


@pytest.fixture
def flat_then_up() -> wb.Bars:
    """Ten bars: flat at 100 for four, then up by one each bar; every bar reaches one above and one below."""
    closes = [100.0, 100, 100, 100, 101, 102, 103, 104, 105, 106]
    opens = [100.0, *closes[:-1]]
    return bars_of([(o, max(o, c) + 1, min(o, c) - 1, c) for o, c in zip(opens, closes, strict=True)])
