"""Reading a symbol-year of one-minute bars from the lake, beside DuckDB reading the same columns of the same files."""

from __future__ import annotations

import statistics
import tempfile
import time

import duckdb
import numpy as np

import workbench as wb
from workbench.market.lake import Lake

ROWS = 525_600
RUNS = 15


def year() -> wb.Bars:
    """Make a year of one-minute bars."""
    rng = np.random.default_rng(3)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.001, ROWS)))
    opened = np.concatenate((close[:1], close[:-1]))
    return wb.Bars(
        instrument=wb.Instrument.default("BTC/USDT", "binance"),
        timeframe=wb.Timeframe.parse("1m"),
        ts=1_672_531_200_000 + 60_000 * np.arange(ROWS),
        open=opened,
        high=np.maximum(opened, close),
        low=np.minimum(opened, close),
        close=close,
        volume=rng.uniform(0, 10, ROWS),
    )


def main() -> None:
    """Print the medians and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        lake.write(year(), source="benchmark")
        files = sorted(str(path) for path in lake.root.rglob("*.parquet"))
        connection = duckdb.connect()
        query = "select ts, open, high, low, close, volume from read_parquet($files)"
        work = {
            "lake.read": lambda: lake.read("BTC/USDT", "1m"),
            "duckdb alone": lambda: connection.execute(query, {"files": files}).fetchnumpy(),
        }
        times: dict[str, list[float]] = {name: [] for name in work}
        for turn in range(RUNS + 2):
            for name, call in work.items():
                start = time.perf_counter()
                call()
                if turn >= 2:
                    times[name].append(time.perf_counter() - start)
    ours, theirs = (statistics.median(times[name]) for name in work)
    print(f"one symbol-year of 1m bars ({ROWS:,} rows, {len(files)} parts), median of {RUNS}")
    print(f"  lake.read     {ours * 1_000:6.1f} ms")
    print(f"  duckdb alone  {theirs * 1_000:6.1f} ms  ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
