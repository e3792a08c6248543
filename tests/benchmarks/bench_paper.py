"""A simulated venue: order changes a second with every one of them on disk, and quotes and books a second.

SQLite alone, with rows of the same size, says what the disk allows in the same minute. Orders rest while quotes come,
as with a bot that works. Without a file it is what the matcher and the words of venues cost.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.bots.brokers.paper_stage import Paper

CHANGES = 600
EVENTS = 20_000
RESTING = 20
LEVELS = 20


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, memory in (("on disk", Path(folder) / "one.paper.db"), ("in memory", None)):
            paper = Paper(memory=memory)
            paper.quote(99.99, 100.01)
            told(f"order changes, {name}", CHANGES, lambda paper=paper: changes(paper))
            told(f"market orders, {name}", CHANGES, lambda paper=paper: trades(paper))
        told("SQLite alone, rows of that size", CHANGES, lambda: alone(Path(folder) / "alone.sqlite"))
        paper = Paper(memory=Path(folder) / "two.paper.db")
        paper.quote(99.99, 100.01)
        for n in range(RESTING):
            paper.place("buy", "limit", 0.1, price=round(90.0 + 0.01 * n, 2))
        told(f"quotes, {RESTING} orders resting", EVENTS, lambda: quotes(paper))
        told(f"books of {LEVELS} levels", EVENTS, lambda: books(paper))


def told(what: str, count: int, work: Callable[[], None]) -> None:
    began = time.perf_counter()
    work()
    print(f"{what:<34}{count / (time.perf_counter() - began):>10,.0f} /s")


def alone(path: Path) -> None:
    """What is written for a change, without what it means; the disk as others leave it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}").close()
        connection.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, body TEXT)")
        for n in range(CHANGES):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT OR REPLACE INTO rows VALUES (?, ?)", (n + 2, "x" * 250))
            connection.execute("INSERT OR REPLACE INTO rows VALUES (1, ?)", ("x" * 1_500,))
            connection.execute("COMMIT")


def changes(paper: Paper) -> None:
    for n in range(CHANGES // 3):
        order = paper.place("buy", "limit", 0.1, price=round(95.0 + 0.01 * (n % 50), 2))
        paper.amend(order.id, price=94.0)
        paper.cancel(order.id)


def trades(paper: Paper) -> None:
    for n in range(CHANGES):
        paper.place("sell" if n % 2 else "buy", quantity=0.1)


def quotes(paper: Paper) -> None:
    for n in range(EVENTS):
        paper.quote(99.99 + 0.01 * (n % 7), 100.1, last=100.0 + 0.01 * (n % 5))


def books(paper: Paper) -> None:
    bids = tuple((round(99.99 - 0.01 * n, 2), 1.0) for n in range(LEVELS))
    asks = tuple((round(100.01 + 0.01 * n, 2), 1.0) for n in range(LEVELS))
    for _ in range(EVENTS):
        paper.book(bids, asks)


if __name__ == "__main__":
    main()
