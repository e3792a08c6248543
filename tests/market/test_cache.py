"""The cache: time to live, two layers, invalidation, what it refuses, and a disk that does not answer."""

from __future__ import annotations

import asyncio
import os
import pickle
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.errors import ConfigError, DataError
from workbench.market.cache import Cache, Kind

KINDS = {"facts": Kind(ttl_s=60.0), "quick": Kind(ttl_s=5.0, disk=False)}
CODE = Path(__file__).parents[2]


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def made(folder: Path | None, clock: Clock | None = None) -> Cache:
    return Cache(folder, kinds=KINDS, clock=clock or Clock())


VALUES: list[Any] = [None, 0, 1.5, "text", "ä" * 2_000, [1, [2]], {"a": {"b": None}}, b"\x00bytes", b"x" * 10_000]


@pytest.mark.parametrize("value", VALUES)
def test_what_is_put_comes_back_and_is_nobody_elses(tmp_path: Path, value: Any) -> None:
    made(tmp_path).put("facts", "key", value)
    assert made(tmp_path).get("facts", "key", "nothing") == value


def test_tables_come_back() -> None:
    frame = pd.DataFrame({"a": np.arange(500), "b": pd.date_range("2024-01-01", periods=500, tz="UTC")})
    store = made(None)
    store.put("facts", "frame", frame)
    pd.testing.assert_frame_equal(store.get("facts", "frame"), frame)


def test_changing_what_was_got_does_not_change_the_cache() -> None:
    store = made(None)
    store.put("facts", "list", [1])
    store.get("facts", "list").append(2)
    assert store.get("facts", "list") == [1]


@pytest.mark.parametrize("value", [object(), {1, 2}, {"a": object()}, pd.Series([1])])
def test_what_cannot_be_kept_is_refused(tmp_path: Path, value: object) -> None:
    store = made(tmp_path)
    with pytest.raises(DataError, match="cannot be cached"):
        store.put("facts", "key", value)
    assert store.get("facts", "key") is None and store.stats().disk_items == 0


def test_things_grow_old_by_their_kind_or_as_told(tmp_path: Path) -> None:
    clock = Clock()
    store = made(tmp_path, clock)
    store.put("facts", "usual", 1)
    store.put("facts", "short", 2, ttl_s=3.0)
    store.put("quick", "memory", 3)
    clock.now += 4
    assert [store.get("facts", "usual"), store.get("facts", "short"), store.get("quick", "memory")] == [1, None, 3]
    clock.now += 2
    assert store.get("quick", "memory") is None
    clock.now += 60
    assert store.get("facts", "usual") is None and made(tmp_path, clock).get("facts", "usual") is None


def test_a_kind_decides_whether_the_disk_has_it(tmp_path: Path) -> None:
    clock = Clock()
    store = made(tmp_path, clock)
    store.put("quick", "key", 1)
    store.put("facts", "key", 2)
    other = made(tmp_path, clock)
    assert (other.get("quick", "key"), other.get("facts", "key"), other.get("facts", "key")) == (None, 2, 2)
    stats = other.stats()
    assert (stats.disk_hits, stats.memory_hits, stats.misses, stats.disk_items) == (1, 1, 1, 1)
    assert stats.disk == "on" and stats.hit_share == pytest.approx(2 / 3)
    with pytest.raises(ConfigError, match="the cache knows no kind 'fact'"):
        store.get("fact", "key")


def test_forgetting_by_pattern_kind_and_tag(tmp_path: Path) -> None:
    store = made(tmp_path)
    for kind in ("facts", "quick"):
        for symbol in ("binance:BTC", "binance:ETH", "kraken:BTC"):
            store.put(kind, symbol, 1, tags=[symbol.partition(":")[0]])
    assert store.invalidate("binance:B*") == 2
    assert store.invalidate(kind="facts", tag="binance") == 1
    assert store.get("facts", "binance:ETH") is None and store.get("quick", "binance:ETH") == 1
    store.delete("quick", "binance:ETH")
    assert store.clear() == 2 and made(tmp_path).get("facts", "kraken:BTC") is None


def test_what_is_forgotten_is_forgotten_by_a_later_process_too(tmp_path: Path) -> None:
    made(tmp_path).put("facts", "key", 1)
    assert made(tmp_path).invalidate("k*") == 1
    assert made(tmp_path).get("facts", "key") is None


class Trap:
    """Unpickling it leaves a trace."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("mode", [1, 2, 3, 4])
@pytest.mark.parametrize("named", [False, True])
def test_a_file_that_was_tampered_with_is_never_unpickled(tmp_path: Path, mode: int, named: bool) -> None:
    store, trace = made(tmp_path / "cache"), tmp_path / "trace"
    store.put("facts", "key", 1)
    (tmp_path / "cache" / "bomb").write_bytes(pickle.dumps(Trap(trace)))
    database = sqlite3.connect(tmp_path / "cache" / "cache.db")
    name, value = ("bomb", None) if named else (None, pickle.dumps(Trap(trace)))
    database.execute("UPDATE Cache SET mode = ?, filename = ?, value = ?", (mode, name, value))
    bomb_key = pickle.dumps(Trap(trace))
    columns = "store_time, expire_time, access_time, access_count, tag, size, mode, filename, value"
    database.execute(f"INSERT INTO Cache SELECT NULL, ?, 0, {columns} FROM Cache", (bomb_key,))
    database.commit()
    database.close()
    later = made(tmp_path / "cache")
    assert later.get("facts", "key") is None
    later.invalidate("*")
    later.stats()
    assert not trace.exists()
    later.put("facts", "key", 2)
    assert made(tmp_path / "cache").get("facts", "key") == 2


def test_the_memory_serves_when_the_disk_cannot(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = made(tmp_path / "file" / "cache")
    store.put("facts", "key", 1)
    assert store.get("facts", "key") == 1 and store.get("facts", "other") is None
    assert store.stats().disk.startswith("off: ") and store.invalidate("*") == 1


def test_a_database_that_is_garbage_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / "cache.db").write_bytes(b"no database at all" * 500)
    store = made(tmp_path)
    store.put("facts", "key", 1)
    assert store.get("facts", "key") == 1 and store.stats().disk.startswith("off: ")
    later = made(tmp_path)  # by then the garbage is gone
    later.put("facts", "key", 2)
    assert made(tmp_path).get("facts", "key") == 2


def test_a_plain_function_is_called_once_by_many_threads(tmp_path: Path) -> None:
    store, calls, gate = made(tmp_path), [], threading.Event()

    @store.cached("facts", tags=["fees"])
    def fee(venue: str, *, maker: bool = False) -> float:
        calls.append((venue, maker))
        gate.wait(10)
        return 0.1

    answers: list[float] = []
    threads = [threading.Thread(target=lambda: answers.append(fee("binance", maker=True))) for _ in range(8)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join()
    assert answers == [0.1] * 8 and calls == [("binance", True)]
    assert fee("kraken") == 0.1 and len(calls) == 2 and fee.__name__ == "fee"
    assert store.invalidate(tag="fees") == 2 and not store._flights
    with pytest.raises(DataError, match="cannot be cached"):
        fee(object())  # type: ignore[arg-type]


def test_an_async_function_is_called_once_by_many_tasks(tmp_path: Path) -> None:
    store, calls = made(tmp_path), []

    async def run() -> None:
        gate = asyncio.Event()

        @store.cached("facts")
        async def fee(venue: str) -> float:
            calls.append(venue)
            await gate.wait()
            if venue == "broken":
                raise DataError("no")
            return 0.1

        tasks = [asyncio.create_task(fee("binance")) for _ in range(5)]
        given_up = asyncio.create_task(fee("binance"))
        broken = asyncio.create_task(fee("broken"))
        while not calls or len(calls) < 2:
            await asyncio.sleep(0)
        given_up.cancel()
        gate.set()
        assert await asyncio.gather(*tasks) == [0.1] * 5
        with pytest.raises(DataError, match="no"):
            await broken
        assert await fee("binance") == 0.1

    asyncio.run(run())
    assert sorted(calls) == ["binance", "broken"] and not store._flights


PROCESS = """
import sys
from workbench.market.cache import Cache, Kind
store = Cache(sys.argv[1], kinds={"facts": Kind(ttl_s=600.0)})
for number in range(40):
    store.put("facts", f"{sys.argv[2]}:{number}", [number] * 50)
    assert store.get("facts", f"{sys.argv[2]}:{number}") == [number] * 50
"""


def test_several_processes_share_the_disk(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(tmp_path), str(number)], env={**os.environ, "PYTHONPATH": str(CODE)}
        )
        for number in range(3)
    ]
    assert [writer.wait(timeout=100) for writer in writers] == [0, 0, 0]
    store = Cache(tmp_path, kinds=KINDS)
    assert store.stats().disk_items == 120 and store.get("facts", "2:39") == [39] * 50
