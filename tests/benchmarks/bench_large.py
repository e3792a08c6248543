"""What is large: memory of a backtest over a million bars, and 200 instruments that share their cash for five years.

Memory is measured in a fresh process each: the highest resident size during `wb.backtest`, beyond what there was before
it, against the size of the bars.
"""

from __future__ import annotations

import gc
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from made_history import history

import workbench as wb
from workbench.indicators import crosses_above, crosses_below, sma

MILLION, HOURS, INSTRUMENTS, RUNS = 1_000_000, 5 * 365 * 24, 200, 3


class Cross(wb.SignalStrategy):
    """A hundredth of the equity in what has its fast mean above the slow one."""

    fast: int = wb.param(20, low=2, high=100)
    slow: int = wb.param(100, low=5, high=400)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        fast, slow = sma(bars.close, self.fast), sma(bars.close, self.slow)
        return wb.Signals(entry=crosses_above(fast, slow), exit=crosses_below(fast, slow), size=0.01)


def resident() -> int:
    """Give the bytes that this process holds now."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize()
    return highest()


def highest() -> int:
    """Give the most bytes that this process has held, since `forget` where the system can."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def forget() -> None:
    """Let the system measure the highest anew."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass  # not Linux: what was highest before the run counts too


def measure(path: str) -> None:
    """Print what a backtest over a million bars needs; in a process of its own."""
    wb.backtest(Cross(), history(2_000), path=path)  # type: ignore[arg-type]  # what is loaded once is not of the run
    bars = history(MILLION)
    gc.collect()
    forget()
    before = resident()
    result = wb.backtest(Cross(), bars, path=path)  # type: ignore[arg-type]
    more = highest() - before
    print(
        f"  {path + ' path':<26} {more / 2**20:8.1f} MiB beyond {bars.nbytes / 2**20:.1f} MiB of bars: "
        f"{more / bars.nbytes:.2f} times, {len(result.trades):,} trades"
    )


def portfolio() -> None:
    """Print what 200 instruments with one purse take."""
    many = [history(HOURS, "1h", seed, f"C{seed:03d}/USDT") for seed in range(INSTRUMENTS)]
    wb.backtest(Cross(), [bars[:500] for bars in many])
    times, trades = [], 0
    for _ in range(RUNS):
        start = time.perf_counter()
        result = wb.backtest(Cross(), many)
        times.append(time.perf_counter() - start)
        trades = len(result.trades)
    median, total = statistics.median(times), sum(map(len, many))
    print(f"{INSTRUMENTS} instruments, five years of hours, shared cash, median of {RUNS}")
    print(f"  {'wb.backtest':<26} {median:8.2f} s {total / median / 1e6:8.2f} M bars/s, {trades:,} trades")


def main() -> None:
    """Print both."""
    if len(sys.argv) > 1:
        measure(sys.argv[1])
        return
    print(f"memory of a backtest over {MILLION:,} bars", flush=True)
    for path in ("compiled", "event"):
        # glibc gives the memory of large arrays back at once, so that what was free before hides nothing
        honest = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
        subprocess.run([sys.executable, __file__, path], check=True, env=honest)
    portfolio()


if __name__ == "__main__":
    main()
