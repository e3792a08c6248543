"""Time the causality check of three strategies over a long history, beside one backtest of the same.

    python tests/benchmarks/bench_check.py [bars]

A typical strategy on compiled indicators, one in pandas (a frame with columns, a resampled trend), and one that loops
over bars in Python. What counts is seconds for a person who waits; the number of histories asked stands beside it.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import numpy as np
from made_history import history

import workbench as wb

RUNS = 3
FOLDER = Path(__file__).resolve().parents[2] / "strategies"


class Frame(wb.SignalStrategy):
    warm_up = 300

    def signals(self, bars: wb.Bars) -> wb.Signals:
        frame = bars.to_pandas()
        frame["fast"] = frame.close.ewm(span=20, adjust=False).mean()
        frame["slow"] = frame.close.rolling(100).mean()
        frame["wide"] = frame.close.rolling(50).std()
        hour = frame.close.resample("1h").last().shift(1).rolling(20).mean()
        frame["trend"] = hour.reindex(frame.index, method="ffill")
        up = (frame.fast > frame.slow) & (frame.close > frame.trend)
        return wb.Signals(entry=up & (frame.wide > 0.05), exit=~up)


class Loop(wb.SignalStrategy):
    warm_up = 300

    def signals(self, bars: wb.Bars) -> wb.Signals:
        level, levels = float(bars.close[0]), []
        for price in bars.close.tolist():
            level += 0.05 * (price - level)
            levels.append(level)
        mean = np.array(levels)
        return wb.Signals(entry=bars.close > mean, exit=bars.close < mean)


def main() -> None:
    """Print the table."""
    bars = history(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
    bundled = wb.load_strategy(FOLDER / "donchian_breakout.py")()
    print(f"{'strategy':<20}{'check, s':>10}{'asked':>8}{'signals, ms':>14}{'backtest, ms':>14}")
    for strategy in (bundled, Frame(), Loop()):
        asked = wb.check(strategy, bars).runs
        took, said, traded = [], [], []
        for _ in range(RUNS):
            took.append(_timed(lambda: wb.check(strategy, bars)))  # noqa: B023
            said.append(_timed(lambda: strategy.signals(bars)))  # noqa: B023
            traded.append(_timed(lambda: wb.backtest(strategy, bars)))  # noqa: B023
        middle = [statistics.median(one) for one in (took, said, traded)]
        name = type(strategy).__name__
        print(f"{name:<20}{middle[0]:>10.2f}{asked:>8}{1e3 * middle[1]:>14.1f}{1e3 * middle[2]:>14.1f}")


def _timed(call: object) -> float:
    start = time.perf_counter()
    call()  # type: ignore[operator]
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
