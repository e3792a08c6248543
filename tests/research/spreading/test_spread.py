from __future__ import annotations

import os
import pickle
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.research.spreading.tasks import (
    Tracked,
    interrupt_at_seven,
    raise_at_seven,
    squares,
    tracked_squares,
    wait_for,
)
from workbench.errors import ConfigError, RunError, StrategyError
from workbench.research.spreading import spread


def joined(pieces: Any) -> list[int]:
    return [int(value) for _, _, out in sorted(pieces, key=lambda piece: piece[0]) for value in out]


class ByTheBook(Executor):
    """An executor that pickles what it is given, as one on another machine does; it can forbid the spool file."""

    def __init__(self, forget: Callable[[bytes], bytes] = bytes) -> None:
        self.sizes: list[int] = []
        self.forget = forget

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        sent = pickle.dumps((fn, args))
        self.sizes.append(len(sent))
        future: Future[Any] = Future()
        function, arguments = pickle.loads(self.forget(sent))
        future.set_result(pickle.loads(pickle.dumps(function(*arguments))))
        return future


@pytest.mark.parametrize("executor", [None, "threads", "threads:3"])
@pytest.mark.parametrize("count", [0, 1, 2, 1_000])
def test_every_item_is_computed_once(executor: str | None, count: int) -> None:
    before = threading.active_count()
    assert joined(spread(squares, 3, count, executor=executor)) == [3 + item**2 for item in range(count)]
    assert threading.active_count() == before


def test_what_was_done_is_left_out_and_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    pieces = list(
        spread(squares, 0, 10, done=[(0, 3), (5, 6)], most=2, progress=lambda done, count: told.append((done, count)))
    )
    covered = sorted(item for start, stop, _ in pieces for item in range(start, stop))
    assert covered == [3, 4, 6, 7, 8, 9]
    assert told[0] == (4, 10) and told[-1] == (10, 10) and told == sorted(told)


def test_an_executor_that_is_passed_stays_open() -> None:
    with ThreadPoolExecutor(2) as pool:
        assert joined(spread(squares, 0, 50, executor=pool)) == joined(spread(squares, 0, 50))
        assert pool.submit(int, "3").result() == 3
    with pytest.raises(RunError, match="takes no more work"):
        list(spread(squares, 0, 50, executor=pool))


def test_what_is_shared_does_not_travel_with_every_piece() -> None:
    shared = np.arange(100_000)
    pool = ByTheBook()
    assert sum(out for _, _, out in spread(_total, shared, 40, most=2, executor=pool)) == 40 * shared.sum()
    assert len(pool.sizes) >= 20 and max(pool.sizes) < 1_000


def test_a_worker_that_cannot_reach_the_spool_file_gets_the_content_once() -> None:
    pool = ByTheBook(forget=lambda sent: sent.replace(b"workbench-spread-", b"workbench-absent-"))
    assert sum(out for _, _, out in spread(_total, np.arange(100_000), 40, most=2, executor=pool)) > 0
    assert sum(size > 100_000 for size in pool.sizes) in (1, 2, 3, 4)  # those that were on their way at first


def _total(shared: np.ndarray, start: int, stop: int) -> int:
    return (stop - start) * int(shared.sum())


def test_an_error_of_a_task_names_its_range() -> None:
    with pytest.raises(RunError, match=r"^item 7 of 20 failed: ZeroDivisionError: seven$") as caught:
        list(spread(raise_at_seven, "", 20, most=1))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(StrategyError, match="seven is wrong") as ours:
        list(spread(raise_at_seven, "ours", 20, least=5, most=5))
    assert ours.value.__notes__ == ["in items 5 to 9 of 20"]


def test_ctrl_c_keeps_what_is_done() -> None:
    got: list[tuple[int, int]] = []
    with pytest.raises(KeyboardInterrupt):
        for start, stop, _ in spread(interrupt_at_seven, got, 100_000, executor="threads:1", most=1):
            got.append((start, stop))
    assert got[:8] == [(item, item + 1) for item in range(8)] and len(got) < 100
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("workbench-spread")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": -1}, "count=-1"),
        ({"least": 0}, "least=0"),
        ({"least": 5, "most": 4}, "least=5, most=4"),
        ({"executor": "four"}, "executor is 'four'"),
        ({"executor": "processes:none"}, "executor is 'processes:none'"),
        ({"executor": 4}, "executor is 4"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        list(spread(squares, 0, **({"count": 3} | options)))


def test_a_lost_process_costs_its_pieces_only(tmp_path: Path) -> None:
    tracked = Tracked(tmp_path)
    killer = threading.Thread(target=_kill_the_victim, args=(tmp_path,))
    killer.start()
    pieces = spread(tracked_squares, tracked, 40, least=2, most=2, executor="processes:2")
    assert joined(pieces) == [item**2 for item in range(40)]
    killer.join()
    runs = [len(tracked.notes(path.name)) for path in tmp_path.glob("run-*")]
    assert len(runs) == 20 and sorted(runs)[-1] == 2
    assert sum(runs) <= 22  # what ran beside it is lost as well: the pool is broken for both
    assert len(tracked.notes("unpacked")) == len(set(tracked.notes("unpacked"))) <= 4
    assert active_children() == []


def _kill_the_victim(folder: Path) -> None:
    wait_for(folder / "victim")
    os.kill(int((folder / "victim").read_text()), signal.SIGKILL)
    (folder / "go").touch()


def test_a_pool_of_the_user_that_breaks_is_told(tmp_path: Path) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        with pytest.raises(RunError, match=r"item 7 of 20 failed: Odd: 1 and 2"):
            list(spread(raise_at_seven, "odd", 20, most=1, executor=pool))
        killer = threading.Thread(target=_kill_the_victim, args=(tmp_path,))
        killer.start()
        with pytest.raises(RunError, match=r"a process of the pool has died.*executor=\"processes\""):
            list(spread(tracked_squares, Tracked(tmp_path), 40, least=2, most=2, executor=pool))
        killer.join()


def test_what_cannot_be_sent_is_told() -> None:
    with pytest.raises(RunError, match=r"cannot be sent to another process \(TypeError: .*lock"):
        list(spread(squares, threading.Lock(), 3, executor="processes:1"))
