"""Files of any size into the lake: in pieces the same as at once, and nothing when anything is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.errors import DataError
from workbench.market import lake_import
from workbench.market.importing import import_file
from workbench.market.lake import Lake
from workbench.market.lake_import import Imported, import_into_lake

CODE = Path(__file__).parents[2]
START = 1_672_531_200_000
SPOT = {"symbol": "BTC/USDT", "venue": "binance"}


def frame(rows: int = 100_000, start: int = START) -> pd.DataFrame:
    draw = np.random.default_rng(7)
    close = np.round(100 * np.exp(np.cumsum(draw.normal(0, 0.001, rows))), 2)
    opened = np.concatenate((close[:1], close[:-1]))
    return pd.DataFrame(
        {
            "timestamp": start + 60_000 * np.arange(rows),
            "open": opened, "high": np.maximum(opened, close), "low": np.minimum(opened, close), "close": close,
            "volume": np.round(draw.uniform(0, 5, rows), 3),
        }
    )  # fmt: skip


def write(path: Path, table: pd.DataFrame) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pandas(table, preserve_index=False), path, row_group_size=17_000)
    elif path.suffix == ".jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        table.to_csv(path, index=False)
    return path


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a piece be 10,000 rows."""
    monkeypatch.setattr(lake_import, "_BYTES_A_ROW", 1_700)


def into(path: Path, lake: Lake, **options: Any) -> Imported:
    return import_into_lake(path, into=lake, memory="17MB", **{**SPOT, **options})


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_in_pieces_is_the_same_as_at_once(tmp_path: Path, few: None, suffix: str) -> None:
    table = frame(60_000 if suffix == ".parquet" else 25_000)
    table = table.drop(index=range(12_000, 12_040))
    table = pd.concat([table[:9_998], table[9_990:]])  # twice, across the cut between two pieces
    path = write(tmp_path / f"bars{suffix}", table)
    whole = import_file(path, **SPOT)
    found = into(path, Lake(tmp_path / "lake"))
    bars = Lake(tmp_path / "lake").read("BTC/USDT", "1m")
    assert bars == whole.bars and found.written is not None and found.written.fingerprint == bars.fingerprint
    for name in ("rows_in", "rows_out", "duplicates_dropped", "gaps", "missing", "timezone", "written", "was_sorted"):
        assert getattr(found.report, name) == getattr(whole.report, name), name
    assert found.report.duplicates_dropped == 8 and found.report.missing == 40
    assert bars.provenance["note"] == "8 identical rows dropped" and bars.provenance["source"] == path.name
    again = into(path, Lake(tmp_path / "lake")).written
    assert again is not None and (again.added, again.identical) == (0, len(bars))


def test_a_dry_run_writes_nothing(tmp_path: Path, few: None) -> None:
    path = write(tmp_path / "bars.parquet", frame(30_000))
    report, series, written = into(path, Lake(tmp_path / "lake"), dry_run=True)
    assert (report.rows_out, series, written) == (30_000, "BTC/USDT 1m at binance", None)
    assert not (tmp_path / "lake").exists()


def spoilt(table: pd.DataFrame, row: int, **values: Any) -> pd.DataFrame:
    changed = table.astype(dict.fromkeys(values, object))
    for name, value in values.items():
        changed.loc[row, name] = value
    return changed.infer_objects()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: spoilt(table, 95_000, low=-1.0), "low is not positive"),
        (lambda table: spoilt(table, 95_000, close=float("nan")), "close is not a finite number"),
        (lambda table: spoilt(table, 95_000, timestamp=1), "at 1 of 10,000 times no 1m bar opens"),
        (lambda table: pd.concat([table[50_000:], table[:50_000]]), "not in order of time .* sort it, or give more"),
        (lambda table: pd.concat([table, table[99_990:].assign(volume=7.0)]), "contradict each other"),
        (lambda table: table.assign(timestamp=table["timestamp"] * 1_000_000_000 // 7), "outside 1980|fractions"),
    ],
)
def test_what_is_wrong_late_in_a_file_leaves_the_lake_as_it_was(
    tmp_path: Path, few: None, change: Any, message: str
) -> None:
    lake = Lake(tmp_path / "lake")
    into(write(tmp_path / "before.parquet", frame(5_000)), lake)
    before, there = lake.series(), sorted(lake.root.rglob("*"))
    path = write(tmp_path / "bars.parquet", change(frame()))
    with pytest.raises(DataError, match=message) as caught:
        into(path, lake)
    assert f"while importing {path}" in caught.value.__notes__
    assert lake.series() == before and sorted(lake.root.rglob("*")) == there and lake.check() == []


def test_conflicts_with_the_lake_are_counted_over_the_whole_file(tmp_path: Path, few: None) -> None:
    lake, table = Lake(tmp_path / "lake"), frame(90_000)
    into(write(tmp_path / "bars.parquet", table), lake)
    before = lake.series()
    other = write(tmp_path / "other.parquet", table.assign(volume=table["volume"] + 1))
    with pytest.raises(DataError, match=r"90,000 bars differ from what the lake has"):
        into(other, lake)
    assert lake.series() == before
    written = into(other, lake, on_conflict="replace").written
    assert written is not None and written.replaced == 90_000
    assert lake.read("BTC/USDT", "1m").volume[5] == table["volume"][5] + 1


def test_what_later_rows_tell_of_the_market_holds_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_import, "_BYTES_A_ROW", 4_000)
    path = write(
        tmp_path / "bars.parquet", frame(20_000, start=1_704_067_200_000)
    )  # a Monday: no weekend comes at first
    into(path, Lake(tmp_path / "lake"), symbol="EUR/USD", venue="unknown")
    whole = import_file(path, symbol="EUR/USD").bars
    assert whole.instrument.calendar == "24/7"
    assert Lake(tmp_path / "lake").read("EUR/USD", "1m").instrument == whole.instrument


@pytest.mark.parametrize("memory", ["little", "1MB", 0, True, "-5GB"])
def test_memory_that_is_none(tmp_path: Path, memory: Any) -> None:
    with pytest.raises(DataError, match=r"memory=.*: write it like '512MB'"):
        import_into_lake(tmp_path / "no.csv", **SPOT, memory=memory, into=Lake(tmp_path))


HUNGRY = """
import resource, sys
import numpy, pandas, pyarrow.parquet, pyarrow.compute, filelock
from workbench.market.lake_import import import_into_lake
from workbench.market.lake import Lake
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
small, large, folder = sys.argv[1:]
options = dict(venue="x", memory="32MB", into=Lake(folder))
import_into_lake(small, symbol="A/B", **options)
before = peak()
import_into_lake(large, symbol="C/D", **options)
print(peak() - before)
"""


def test_a_file_five_times_as_large_needs_no_more_memory(tmp_path: Path) -> None:
    small, large = (write(tmp_path / f"{rows}.parquet", frame(rows)) for rows in (300_000, 1_500_000))
    done = subprocess.run(
        [sys.executable, "-c", HUNGRY, str(small), str(large), str(tmp_path / "lake")],
        env={**os.environ, "PYTHONPATH": str(CODE)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 32, "1.2 million rows more are 58 MB as plain columns"
