"""The journal of a bot: events a second with group commit, how long a durable intent takes, and reading it again.

Beside it SQLite alone: the same rows in the same mode (WAL, synchronous FULL), without numbering, chain, seal or
SQLAlchemy. Every event is written as the shell of a bot does it, one by one; every 20th is an intent in the mixed run.
"""

from __future__ import annotations

import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bots.journal import postgres
from workbench.bots.journal import Journal
from workbench.trading.events import Bar, Marked, Submit, to_plain
from workbench.trading.orders import Order

EVENTS = 20_000
INTENTS = 500
RUNS = 3
TOGETHER = 500  # events between two flushes, about what 100 ms bring at 5,000 a second
KEY = b"k" * 32


def event(number: int) -> Any:
    if number % 2:
        return Marked(number * 1_000, "BTC/USDT", 27_000.5 + number)
    return Bar("BTC/USDT", number * 1_000, number * 1_000 + 60_000, 27_000.1, 27_010.2, 26_990.3, 27_005.4, 12.5, "1m")


def intent(number: int) -> Submit:
    order = Order(
        id=f"demo-{number}", symbol="BTC/USDT", side="buy", type="limit", quantity=0.25, price=27_000.0, created=number
    )
    return Submit(order)


def grouped(journal: Journal) -> float:
    """Events a second, flushed in groups."""
    start = time.perf_counter()
    for number in range(EVENTS):
        journal.write(event(number))
        if number % TOGETHER == 0:
            journal.flush()
    journal.flush()
    return EVENTS / (time.perf_counter() - start)


def mixed(journal: Journal) -> float:
    """Events a second where every 20th is an intent that must be on disk."""
    count = EVENTS // 4
    start = time.perf_counter()
    for number in range(count):
        durable = number % 20 == 0
        journal.write(intent(number) if durable else event(number), durable)
    return count / (time.perf_counter() - start)


def intents(journal: Journal) -> list[float]:
    """Milliseconds that each durable intent took."""
    taken = []
    for number in range(INTENTS):
        one = intent(number)
        start = time.perf_counter()
        journal.write(one, True)
        taken.append((time.perf_counter() - start) * 1e3)
    return sorted(taken)


def again(journal: Journal, count: int = 10_000) -> float:
    """Seconds to read, check and understand 10,000 events."""
    start = time.perf_counter()
    entries = journal.entries()
    for _ in range(count):
        assert next(entries).record
    return time.perf_counter() - start


def alone(path: Path) -> tuple[float, list[float]]:
    """The same with SQLite alone: events a second in groups, and milliseconds of each commit."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE entries (position INTEGER PRIMARY KEY, body TEXT)")
    start, rows = time.perf_counter(), []
    for number in range(EVENTS):
        rows.append((json.dumps(to_plain(event(number))),))
        if number % TOGETHER == 0 or number == EVENTS - 1:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO entries (body) VALUES (?)", rows)
            database.execute("COMMIT")
            rows.clear()
    speed, taken = EVENTS / (time.perf_counter() - start), []
    for number in range(INTENTS):
        begun = time.perf_counter()
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO entries (body) VALUES (?)", (json.dumps(to_plain(intent(number))),))
        database.execute("COMMIT")
        taken.append((time.perf_counter() - begun) * 1e3)
    database.close()
    return speed, sorted(taken)


def measure(make: Callable[[int], Journal]) -> None:
    """Print the medians of some runs."""
    found: dict[str, list[float]] = {name: [] for name in ("grouped", "mixed", "median", "p99", "again")}
    for run in range(RUNS):
        with make(run) as journal:
            found["grouped"].append(grouped(journal))
            found["again"].append(again(journal))
            found["mixed"].append(mixed(journal))
            taken = intents(journal)
            found["median"].append(taken[len(taken) // 2])
            found["p99"].append(taken[len(taken) * 99 // 100])
            assert journal.verify().ok
    middle = {name: statistics.median(values) for name, values in found.items()}
    print(f"    {middle['grouped']:>9,.0f} events/s in groups of {TOGETHER}")
    print(f"    {middle['mixed']:>9,.0f} events/s where every 20th is a durable intent")
    print(f"    {middle['median']:>9.2f} ms median, {middle['p99']:.2f} ms p99 for a durable intent")
    print(f"    {middle['again']:>9.2f} s to read, check and understand 10,000 events")


def main() -> None:
    """Print how SQLite and, where there is one, PostgreSQL do on this disk."""
    with tempfile.TemporaryDirectory(dir=".", prefix="bench-journal-") as name:
        folder = Path(name)
        print("journal in SQLite")
        measure(lambda run: Journal.open(folder / f"{run}.sqlite", "bench"))
        speeds, times = zip(*(alone(folder / f"alone{run}.sqlite") for run in range(RUNS)), strict=True)
        print("SQLite alone, without chain and seal")
        print(f"    {statistics.median(speeds):>9,.0f} events/s in groups of {TOGETHER}")
        print(f"    {statistics.median(one[INTENTS // 2] for one in times):>9.2f} ms median for a durable intent")
    try:
        with postgres.server(durable=True) as url:
            print("journal in PostgreSQL, on a socket")
            measure(lambda run: Journal.open(url, f"bench-{run}", KEY))
    except pytest.skip.Exception as missing:
        print(missing)


if __name__ == "__main__":
    main()
