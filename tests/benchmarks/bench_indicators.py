"""Time each indicator on a long series against its peers: TA-Lib (C) and, where it has them, the columns of `ta`.

    python tests/benchmarks/bench_indicators.py [bars] [name ...]

The pairs are those that the tests compare (tests/indicators/talib_pairs and ta_pairs). Runs alternate, so that a busy
machine is busy for all. `ta` is timed over fewer runs, on a hundredth of the bars where it loops in Python (marked ~,
and multiplied). Against `ta` a whole indicator is as long as all of its columns that `ta` has.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.indicators.ta_pairs import PAIRS as TA_PAIRS
from tests.indicators.talib_pairs import PAIRS, Pair, Prices
from workbench.indicators import registry

RUNS, SLOW_RUNS = 11, 2
SMALL = 100

Call = Callable[[], object]


def prices_of(bars: int) -> Prices:
    """Make a walk with a column for every input."""
    rng = np.random.default_rng(7)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, bars)))
    high, low = close * (1.0 + rng.random(bars) * 1e-3), close * (1.0 - rng.random(bars) * 1e-3)
    return {
        "open": low + rng.random(bars) * (high - low), "high": high, "low": low, "close": close,
        "volume": np.round(1e3 * rng.lognormal(0.0, 1.0, bars)), "ts": 1.7e12 + 6e4 * np.arange(bars),
        "other": close * np.exp(np.cumsum(rng.normal(0.0, 1e-4, bars))),
        "benchmark": 50.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, bars))),
    }  # fmt: skip


def alternating(calls: list[Call], runs: int) -> list[float]:
    """Give the median time of each call in ms."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(runs + 1):
        for call, taken in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken[1:]) * 1e3 for taken in times]


def seconds_of_ta(name: str, prices: Prices, small: Prices) -> float | None:
    """Give the time in ms of all columns that `ta` has of one indicator of ours; below zero where it was multiplied."""
    columns = [column for column, beside in TA_PAIRS.items() if beside.ours.split(".")[0] == name]
    if not columns:
        return None
    few = alternating([lambda: [_ta(column, small) for column in columns]], 1)[0]
    if few * SMALL > 2_000.0:
        return -few * SMALL
    return alternating([lambda: [_ta(column, prices) for column in columns]], SLOW_RUNS)[0]


def _ta(column: str, prices: Prices) -> object:
    return registry.compute(column, prices, force=True, **TA_PAIRS[column].theirs)


def row(name: str, pair: Pair, prices: Prices, small: Prices) -> tuple[float, float | None]:
    """Time one pair, print its line, and give how many times as long as TA-Lib, and as short as `ta`, it takes."""
    indicator = registry.get(pair.ours)
    named = {"values": "close", **pair.columns}
    given = [prices[named.get(one, one)] for one in indicator.inputs]
    parameters = indicator.parameters(**pair.parameters)
    ours, theirs = alternating([lambda: indicator(*given, *parameters), lambda: pair.call_theirs(prices)], RUNS)
    slow = seconds_of_ta(pair.ours, prices, small) if name == pair.ours else None
    shown = "–" if slow is None else f"{'~' if slow < 0.0 else ''}{abs(slow):.1f}"
    faster = None if slow is None else abs(slow) / ours
    print(
        f"{name:32}{ours:9.2f}{theirs:9.2f}{shown:>11}{ours / theirs:13.2f}"
        f"{'–' if faster is None else f'{faster:.0f}x':>10}", flush=True,
    )  # fmt: skip
    return ours / theirs, faster


def main() -> None:
    """Print the table."""
    bars = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    chosen = {name: pair for name, pair in PAIRS.items() if not sys.argv[2:] or name in sys.argv[2:]}
    warnings.simplefilter("ignore")
    prices = prices_of(bars)
    small = {name: column[: bars // SMALL] for name, column in prices.items()}
    print(f"{bars:,} bars; median ms of {RUNS} alternating runs (ta: {SLOW_RUNS})")
    print(f"{'':32}{'ours':>9}{'TA-Lib':>9}{'ta':>11}{'ours/TA-Lib':>13}{'ta/ours':>10}")
    ratios = [row(name, pair, prices, small) for name, pair in chosen.items()]
    faster = [one for _, one in ratios if one is not None]
    print(f"{'median of the ratios':32}{statistics.median(one for one, _ in ratios):42.2f}", end="")
    print(f"{statistics.median(faster):9.0f}x" if faster else "")


if __name__ == "__main__":
    main()
