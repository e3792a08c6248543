"""The compiled path over a million bars, beside vectorbt's `from_signals` on the same signals; warm, alternating.

`kernel` is the path alone, from a ready plan to its records; `backtest` is the whole call.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import vectorbt as vbt

import workbench as wb
from workbench.backtest import compiled
from workbench.backtest.prepare import prepare

BARS = 1_000_000
RUNS = 7


def history() -> tuple[wb.Bars, dict[str, np.ndarray]]:
    """Make a million one-minute bars of a random walk, and entries and exits on one bar in a hundred each."""
    rng = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.001, BARS)))
    opened = np.concatenate((close[:1], close[:-1]))
    index = pd.date_range("2020-01-01", periods=BARS, freq="1min", tz="UTC")
    frame = pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close) * 1.0005,
            "low": np.minimum(opened, close) * 0.9995,
            "close": close,
            "volume": 1.0,
        },
        index=index,
    )
    words = {name: rng.random(BARS) < 0.01 for name in ("entry", "exit")}
    return wb.Bars.from_pandas(frame, symbol="BTC/USDT", timeframe="1m"), words


def timed(work: Callable[[], object]) -> float:
    """Time one call in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Print medians, bars a second and the ratio."""
    bars, words = history()
    costs = wb.Costs(fee=0.001, slippage_bps=2, volume_share=math.inf)
    plain = wb.Signals(**words)
    stopped = wb.Signals(**words, stop_loss=0.02, take_profit=0.03, trailing_stop=0.025)
    leveraged = stopped.replace(size=0.3, stop_price=bars.close * 0.97, roi={0: 0.03, 600: 0.01}, max_bars=2_000)
    rules = wb.Rules(funding=0.0001)
    ready = prepare(stopped, bars, costs=costs)
    close = bars.to_pandas()["close"]

    def peer() -> float:
        portfolio = vbt.Portfolio.from_signals(
            close, words["entry"], words["exit"], init_cash=10_000, fees=0.001, slippage=0.0002, freq="1min"
        )
        return float(portfolio.value().iloc[-1])

    ours = {
        "signals only, backtest": lambda: wb.backtest(plain, bars, costs=costs, fill="close").equity_values[-1],
        "stop, target, trail, kernel": lambda: compiled.run(ready).equity[-1],
        "stop, target, trail, backtest": lambda: wb.backtest(stopped, bars, costs=costs).equity_values[-1],
        "leverage, funding, all exits": lambda: wb.backtest(
            leveraged, bars, costs=costs, leverage=3.0, rules=rules
        ).equity_values[-1],
    }
    finals = {name: work() for name, work in ours.items()}
    same = np.isclose(finals["signals only, backtest"], peer(), rtol=1e-9)
    times: dict[str, list[float]] = {name: [] for name in (*ours, "vectorbt")}
    for _ in range(RUNS):
        for name, work in (*ours.items(), ("vectorbt", peer)):
            times[name].append(timed(work))
    theirs = statistics.median(times["vectorbt"])
    print(f"one backtest, {BARS:,} bars, median of {RUNS}; final equity equal to vectorbt's: {same}")
    for name, values in times.items():
        median = statistics.median(values)
        print(f"  {name:<30} {median * 1_000:8.1f} ms  {BARS / median / 1e6:7.1f} M bars/s  {theirs / median:6.1f}x")


if __name__ == "__main__":
    main()
