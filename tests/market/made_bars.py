"""Bars made up for tests of storage: every price is a function of its time."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.market.bars import COLUMNS, Bars, to_ms
from workbench.market.instrument import Instrument
from workbench.market.timeframe import Timeframe

START = to_ms("2021-01-01")


def make_bars(
    count: int = 10,
    *,
    symbol: str = "BTC/USDT",
    venue: str = "binance",
    timeframe: str = "1h",
    start: Any = START,
    step: int = 1,
    shift: float = 0.0,
    **changes: Any,
) -> Bars:
    """Bars whose prices are functions of their times."""
    length = Timeframe.parse(timeframe)
    ts = to_ms(start) + np.arange(count, dtype=np.int64) * length.ms * step
    close = 100.0 + ts // length.ms % 97 + shift
    columns = {"open": close - 0.5, "high": close + 1, "low": close - 1, "close": close, "volume": ts % 89 / 7.0}
    instrument = Instrument.default(symbol, venue)
    return Bars(**{"instrument": instrument, "timeframe": length, "ts": ts, **columns, **changes})


def assert_same(got: Bars, expected: Bars) -> None:
    for name in ("ts", *COLUMNS):
        assert getattr(got, name).tobytes() == getattr(expected, name).tobytes(), name
    marks = [np.zeros(len(bars), dtype=bool) if bars.filled is None else bars.filled for bars in (got, expected)]
    assert (marks[0] == marks[1]).all()
    assert (got.instrument, got.timeframe) == (expected.instrument, expected.timeframe)
