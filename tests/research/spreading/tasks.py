"""Tasks that tests spread. Apart from the tests, as workers import this module."""

from __future__ import annotations

import _thread
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import StrategyError


def squares(offset: int, start: int, stop: int) -> np.ndarray:
    return offset + np.arange(start, stop) ** 2


def raise_at_seven(kind: str, start: int, stop: int) -> int:
    if start <= 7 < stop:
        if kind == "ours":
            raise StrategyError("seven is wrong", number=7)
        if kind == "odd":
            raise Odd(1, 2)
        raise ZeroDivisionError("seven")
    return stop - start


class Odd(Exception):
    """An error that cannot be made again from its arguments."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def metrics(shared: tuple[Any, Mapping[str, np.ndarray]], start: int, stop: int) -> np.ndarray:
    evaluator, columns = shared
    rows = evaluator.rows({name: column[start:stop] for name, column in columns.items()})
    return np.column_stack(list(rows.values()))


def interrupt_at_seven(got: list[tuple[int, int]], start: int, stop: int) -> int:
    """Press Ctrl-C in item 7, when all before it have come in."""
    if start == 7:
        while len(got) < 7:
            time.sleep(0.001)
        _thread.interrupt_main()
    return stop - start


@dataclass
class Tracked:
    """Something that notes in a folder where it was unpacked, and by whom each piece was run."""

    folder: Path

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpacked, (self.folder,)

    def note(self, what: str) -> None:
        with (self.folder / what).open("a") as file:
            file.write(f"{os.getpid()}\n")

    def notes(self, what: str) -> list[str]:
        path = self.folder / what
        return path.read_text().split() if path.exists() else []


def _unpacked(folder: Path) -> Tracked:
    tracked = Tracked(folder)
    tracked.note("unpacked")
    return tracked


def tracked_squares(tracked: Tracked, start: int, stop: int) -> np.ndarray:
    """Note each run; items 10 and 11 wait for `go`, so that a worker can be killed in the middle of them."""
    tracked.note(f"run-{start}-{stop}")
    if start == 10:
        (tracked.folder / "victim.part").write_text(str(os.getpid()))
        if not (tracked.folder / "victim").exists():
            (tracked.folder / "victim.part").rename(tracked.folder / "victim")
            wait_for(tracked.folder / "go")
    return np.arange(start, stop) ** 2


def wait_for(path: Path) -> None:
    end = time.monotonic() + 60
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.01)
