"""Reading a symbol-year of one-minute bars from a lake of 50 million rows, beside DuckDB and Arrow on the same columns.

DuckDB and Arrow are told the files and give bare arrays; the lake finds the files itself, compares every byte with its
checksum, and gives checked `Bars`. The lake is made once and kept in the system's folder for temporary files.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.dataset as ds

import workbench as wb
from workbench.market.lake import Lake

YEAR = 525_600
SYMBOLS = 96
RUNS = 25
FOLDER = Path(tempfile.gettempdir()) / "workbench-benchmark-lake-50m"
COLUMNS = ["ts", "open", "high", "low", "close", "volume"]


def year(number: int) -> wb.Bars:
    """Make a year of one-minute bars with prices of a few decimals, as exchanges have them."""
    rng = np.random.default_rng(number)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.0005, YEAR))), 4) + 0.0001
    opened = np.concatenate((close[:1], close[:-1]))
    return wb.Bars(
        instrument=wb.Instrument.default(f"S{number:02}/USDT", "binance"),
        timeframe=wb.Timeframe.parse("1m"),
        ts=1_672_531_200_000 + 60_000 * np.arange(YEAR),
        open=opened,
        high=np.maximum(opened, close),
        low=np.minimum(opened, close),
        close=close,
        volume=np.round(rng.uniform(0, 10, YEAR), 3),
    )


def made() -> Lake:
    """Give the lake; what is missing in it is written."""
    lake = Lake(FOLDER)
    there = {info.symbol for info in lake.series()}
    for number in range(SYMBOLS):
        if f"S{number:02}/USDT" not in there:
            lake.write(year(number), source="benchmark")
    return lake


def main() -> None:
    """Print the medians and their ratios."""
    lake = made()
    rows = sum(info.rows for info in lake.series())
    folder = next(path for path in lake.root.rglob("timeframe=1m") if "S42" in str(path))
    files = sorted(str(path) for path in folder.glob("*.parquet"))
    connection = duckdb.connect()
    query = f"select {', '.join(COLUMNS)} from read_parquet($files)"
    work = {
        "lake.read": lambda: lake.read("S42/USDT", "1m"),
        "duckdb alone": lambda: connection.execute(query, {"files": files}).fetchnumpy(),
        "arrow alone": lambda: {
            name: column.to_numpy()
            for name, column in zip(COLUMNS, ds.dataset(files).to_table(columns=COLUMNS).columns, strict=True)
        },
    }
    times: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(RUNS + 2):
        for name, call in work.items():
            start = time.perf_counter()
            call()
            if turn >= 2:
                times[name].append(time.perf_counter() - start)
    median = {name: statistics.median(values) for name, values in times.items()}
    print(f"one symbol-year of 1m bars ({YEAR:,} rows, {len(files)} parts) of {rows:,} rows, median of {RUNS}")
    for name, value in median.items():
        print(f"  {name:<13} {value * 1_000:6.1f} ms  lake.read / this {median['lake.read'] / value:.2f}")


if __name__ == "__main__":
    main()
