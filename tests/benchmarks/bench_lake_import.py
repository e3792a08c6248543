"""Importing ten million one-minute bars from one Parquet file into the lake, beside DuckDB copying it to Parquet.

DuckDB sorts nothing, checks nothing and writes one file; the lake cleans, checks and hashes every bar, and writes a
file a month, each of which is on the disk at the end.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.market.lake import Lake
from workbench.market.lake_import import import_into_lake

ROWS = 10_000_000
MEMORY = "512MB"
RUNS = 3


def make(path: Path) -> None:
    """Write the source: 19 years of minutes in row groups of a million rows."""
    rng = np.random.default_rng(1)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.0003, ROWS))), 4) + 0.0001
    opened = np.concatenate((close[:1], close[:-1]))
    columns = {
        "timestamp": 1_000_000_020_000 + 60_000 * np.arange(ROWS),
        "open": opened,
        "high": np.maximum(opened, close),
        "low": np.minimum(opened, close),
        "close": close,
        "volume": np.round(rng.uniform(0, 10, ROWS), 3),
    }
    pq.write_table(pa.table(columns), path)


def main() -> None:
    """Print the best of some runs: what else the machine does only ever adds."""
    times: dict[str, list[float]] = {"lake": [], "duckdb": []}
    with tempfile.TemporaryDirectory() as name:
        folder, source = Path(name), Path(name) / "source.parquet"
        # in a process of its own, whose memory is not counted as the import's
        subprocess.run([sys.executable, __file__, str(source)], check=True)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for run in range(RUNS):
            start = time.perf_counter()
            import_into_lake(source, symbol="BTC/USDT", memory=MEMORY, into=Lake(folder / f"lake{run}"))
            times["lake"].append(time.perf_counter() - start)
            if run == 0:
                grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3
            start = time.perf_counter()
            copy = folder / f"copy{run}.parquet"
            duckdb.execute(f"COPY (SELECT * FROM '{source}') TO '{copy}' (FORMAT parquet, COMPRESSION lz4)")
            times["duckdb"].append(time.perf_counter() - start)
    ours, theirs = min(times["lake"]), min(times["duckdb"])
    print(f"{ROWS:,} bars from one Parquet file, memory={MEMORY}, best of {RUNS}")
    print(f"  lake         {ours:6.2f} s  {ROWS / ours / 1e6:5.2f} M rows/s  (memory grew by {grown:.0f} MB)")
    print(f"  duckdb copy  {theirs:6.2f} s  {ROWS / theirs / 1e6:5.2f} M rows/s  ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    make(Path(sys.argv[1])) if len(sys.argv) > 1 else main()
