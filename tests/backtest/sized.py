"""Bars, signals and backtests for tests of sizings."""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench as wb
from tests.backtest.handmade import FREE, series
from workbench.risk import sizing as sz

__all__ = ["ALL", "enters", "hourly", "sized", "trips"]

ALL = sz.Caps(position=None)


def hourly(closes: Any, symbol: str = "A/USDT", **facts: Any) -> wb.Bars:
    return series(symbol, list(closes), **facts)


def enters(bars: wb.Bars, *at: int, leave: tuple[int, ...] = (), **said: Any) -> wb.Signals:
    rows = np.arange(len(bars))
    return wb.Signals(entry=np.isin(rows, at), exit=np.isin(rows, leave), **said)


def sized(signals: Any, bars: Any, sizing: Any, **more: Any) -> wb.Result:
    return wb.backtest(signals, bars, sizing=sizing, costs=more.pop("costs", FREE), **more)


def trips(wins: str) -> tuple[wb.Bars, wb.Signals]:
    """Make a trade of two bars each that gains a tenth ("+") or loses a tenth ("-"), and a last entry."""
    closes, entries, exits = [100.0, 100.0], [], []
    for one in wins:
        entries.append(len(closes) - 1)
        closes += [closes[-1], closes[-1] * (1.1 if one == "+" else 0.9)]
        exits.append(len(closes) - 1)
        closes += [closes[-1]]
    bars = hourly([*closes, closes[-1], closes[-1]], reach=0.0)
    return bars, enters(bars, *entries, len(closes), leave=tuple(exits))
