"""Rule files written in a test, and bars to try them on."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np

import workbench as wb
from workbench.strategy.rules import load_rules
from workbench.strategy.strategy import SignalStrategy


def rules(text: str, name: str = "made.yaml") -> type[SignalStrategy]:
    return load_rules(Path(name), textwrap.dedent(text))


def bars_from(closes: list[float] | np.ndarray, timeframe: str = "1h", start: int = 0, opens: object = None) -> wb.Bars:
    """Bars of some closes; each opens at the close before it and reaches no further than both, unless told."""
    close = np.asarray(closes, dtype=float)
    opened = np.concatenate((close[:1], close[:-1])) if opens is None else np.asarray(opens, dtype=float)
    frame = wb.Timeframe.parse(timeframe)
    return wb.Bars(
        instrument=wb.Instrument(symbol="TEST/USDT", venue="paper", maker_fee=0.0, taker_fee=0.0, spread_bps=0.0),
        timeframe=frame, ts=start + np.arange(len(close)) * frame.ms, open=opened, close=close,
        high=np.maximum(opened, close), low=np.minimum(opened, close), volume=np.full(len(close), 1e9),
    )  # fmt: skip


def wandering(seed: int, count: int, timeframe: str = "1h", start: int = 0) -> wb.Bars:
    """A random walk on a coarse grid, so that equal values and touches happen."""
    rng = np.random.default_rng(seed)
    close = 100.0 + np.cumsum(rng.integers(-2, 3, count)) * 0.5
    close = np.maximum(np.abs(close), 1.0)
    opened = np.maximum(np.concatenate((close[:1], close[:-1])) + rng.integers(-1, 2, count) * 0.5, 0.5)
    frame = wb.Timeframe.parse(timeframe)
    return wb.Bars(
        instrument=wb.Instrument(symbol="TEST/USDT", venue="paper", maker_fee=0.0, taker_fee=0.0, spread_bps=0.0),
        timeframe=frame, ts=start + np.arange(count) * frame.ms, open=opened, close=close,
        high=np.maximum(opened, close) + rng.integers(0, 3, count) * 0.5,
        low=np.maximum(np.minimum(opened, close) - rng.integers(0, 3, count) * 0.5, 0.25),
        volume=rng.integers(1, 9, count) * 1e6,
    )  # fmt: skip


def entries(condition: str, bars: wb.Bars, **more: str) -> list[int]:
    """The bars on which a condition holds, as the entry of a file with the given other sections."""
    sections = "".join(f"{name}: {text}\n" for name, text in more.items())
    return np.flatnonzero(rules(f"{sections}entry: {condition}\n")().signals(bars).entry).tolist()
