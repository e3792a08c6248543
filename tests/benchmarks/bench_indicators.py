"""Time each indicator on a long series against its peers: TA-Lib (C) and, where it has one, `ta` (pandas).

    python tests/benchmarks/bench_indicators.py [bars]

The runs of the three alternate, so that a busy machine is busy for all of them; the table shows medians and how many
times as long as TA-Lib ours takes. `ta` is timed over fewer runs, and not at all where it is thousands of times slower.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import ta
import talib

from workbench import indicators as ind

RUNS, SLOW_RUNS = 21, 3

Call = Callable[[], object]


def peers(bars: int) -> dict[str, tuple[Call, Call, Call | None]]:
    """Give for each indicator our call, TA-Lib's, and that of `ta`."""
    rng = np.random.default_rng(7)
    c = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, bars)))
    h, low = c * (1.0 + rng.random(bars) * 1e-3), c * (1.0 - rng.random(bars) * 1e-3)
    ps, ph, pl = pd.Series(c), pd.Series(h), pd.Series(low)
    momentum, trend, volatility = ta.momentum, ta.trend, ta.volatility

    def ta_lines(make: Callable[[], object], *names: str) -> Call:
        def call() -> object:
            whole = make()
            return [getattr(whole, name)() for name in names]

        return call

    return {
        "sma 20": (lambda: ind.sma(c, 20), lambda: talib.SMA(c, 20), lambda: trend.sma_indicator(ps, 20)),
        "sma 200": (lambda: ind.sma(c, 200), lambda: talib.SMA(c, 200), lambda: trend.sma_indicator(ps, 200)),
        "ema 20": (lambda: ind.ema(c, 20), lambda: talib.EMA(c, 20), lambda: trend.ema_indicator(ps, 20)),
        "standard_deviation 20": (lambda: ind.standard_deviation(c, 20), lambda: talib.STDDEV(c, 20), None),
        "highest 20": (lambda: ind.highest(c, 20), lambda: talib.MAX(c, 20), None),
        "lowest 200": (lambda: ind.lowest(c, 200), lambda: talib.MIN(c, 200), None),
        "rate_of_change": (lambda: ind.rate_of_change(c, 10), lambda: talib.ROCP(c, 10), lambda: momentum.roc(ps, 10)),
        "rsi": (lambda: ind.rsi(c), lambda: talib.RSI(c), lambda: momentum.rsi(ps)),
        "macd": (
            lambda: ind.macd(c),
            lambda: talib.MACD(c),
            ta_lines(lambda: trend.MACD(ps), "macd", "macd_signal", "macd_diff"),
        ),
        "bollinger": (
            lambda: ind.bollinger(c),
            lambda: talib.BBANDS(c, 20),
            ta_lines(lambda: volatility.BollingerBands(ps), "bollinger_hband", "bollinger_mavg", "bollinger_lband"),
        ),
        "stochastic": (
            lambda: ind.stochastic(h, low, c),
            lambda: talib.STOCH(h, low, c, 14, 3, 0, 3, 0),
            ta_lines(lambda: momentum.StochasticOscillator(ph, pl, ps), "stoch", "stoch_signal"),
        ),
        "true_range": (lambda: ind.true_range(h, low, c), lambda: talib.TRANGE(h, low, c), None),
        "atr": (lambda: ind.atr(h, low, c), lambda: talib.ATR(h, low, c), None),  # theirs loops in Python
        "adx, +di, -di": (
            lambda: ind.adx(h, low, c),
            lambda: [f(h, low, c) for f in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI)],
            None,
        ),
    }


def medians(calls: list[Call | None]) -> list[float | None]:
    """Give the median time of each call in ms, from alternating runs."""
    times: list[list[float]] = [[] for _ in calls]
    for run in range(RUNS + 1):
        for call, taken in zip(calls, times, strict=True):
            if call is None or (call is calls[-1] and run > SLOW_RUNS):
                continue
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken[1:]) * 1e3 if taken else None for taken in times]


def main() -> None:
    """Print the table."""
    bars = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    warnings.simplefilter("ignore")
    print(f"{bars:,} bars; median ms of {RUNS} alternating runs (ta: {SLOW_RUNS})")
    print(f"{'':24}{'ours':>9}{'TA-Lib':>9}{'ta':>9}{'ours/TA-Lib':>13}")
    ratios = []
    for name, calls in peers(bars).items():
        ours, theirs, slow = medians(list(calls))
        assert ours is not None and theirs is not None
        ratios.append(ours / theirs)
        shown = f"{slow:9.2f}" if slow is not None else f"{'–':>9}"
        print(f"{name:24}{ours:9.2f}{theirs:9.2f}{shown}{ratios[-1]:13.2f}")
    print(f"{'median of the ratios':24}{statistics.median(ratios):40.2f}")


if __name__ == "__main__":
    main()
