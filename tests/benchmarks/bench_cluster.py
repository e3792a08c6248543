"""Time the same sweep on two local processes and on two workers of a dask cluster, and compare the tables bit for bit.

    python tests/benchmarks/bench_cluster.py [combinations] [runs]

Both are warm and run in turns, so that a busy machine is busy for both. `efficiency` is the median time of the
processes over that of the workers; connecting, sending the bars and fetching the table count on both sides. Then a
worker is killed in the middle of a piece, and the pieces that were run are counted.
"""

from __future__ import annotations

import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from made_history import history

from workbench.research.spreading import spread
from workbench.research.sweeping.evaluator import Evaluator
from workbench.strategy.loader import load_strategy

STRATEGY = Path(__file__).resolve().parents[2] / "strategies" / "sma_cross.py"
PIECES = 25  # of the sweep in which a worker is killed


def metrics(shared: tuple[Evaluator, Mapping[str, np.ndarray]], start: int, stop: int) -> np.ndarray:
    evaluator, columns = shared
    rows = evaluator.rows({name: column[start:stop] for name, column in columns.items()})
    return np.column_stack(list(rows.values()))


def noted(shared: tuple[Path, Any], start: int, stop: int) -> np.ndarray:
    folder, inner = shared
    with (folder / f"{start}").open("a") as file:
        file.write(f"{os.getpid()}\n")
    return metrics(inner, start, stop)


@contextmanager
def places() -> Iterator[dict[str, Any]]:
    from distributed import LocalCluster

    options: dict[str, Any] = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "silence_logs": 50}
    with (
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool,
        LocalCluster(n_workers=2, threads_per_worker=1, **options) as cluster,
    ):
        yield {"two processes": pool, "two workers": cluster.scheduler_address}


def table(shared: Any, count: int, place: Any, task: Any = metrics, **options: Any) -> np.ndarray:
    pieces = sorted(spread(task, shared, count, executor=place, **options), key=lambda piece: piece[0])
    return np.concatenate([out for _, _, out in pieces])


def kill_one(folder: Path) -> None:
    """Kill the worker that is at the tenth piece, which takes much longer than the wait."""
    while len(begun := list(folder.iterdir())) < 10:
        time.sleep(0.001)
    time.sleep(0.05)
    os.kill(int(max(begun, key=lambda path: path.stat().st_mtime_ns).read_text().split()[0]), signal.SIGKILL)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    fast, slow = np.divmod(np.arange(count), 60)
    columns = {"fast": fast % 40 + 3, "slow": slow + 50, "fee": np.where(fast < 40, 0.001, 0.0005)}
    shared = Evaluator(load_strategy(STRATEGY), history(20_000)), columns
    began = time.perf_counter()
    alone = table(shared, count, "threads:1")
    print(f"{count:,} backtests of 20,000 bars on one thread: {time.perf_counter() - began:.2f} s")
    with places() as there:
        times: dict[str, list[float]] = {name: [] for name in there}
        for run in range(runs + 1):
            for name, place in there.items():
                began = time.perf_counter()
                same = table(shared, count, place).tobytes() == alone.tobytes()
                if run:  # the first one warms up
                    times[name].append(time.perf_counter() - began)
                if not same:
                    raise SystemExit(f"{name}: the table differs from that of one thread")
        middle = {name: statistics.median(taken) for name, taken in times.items()}
        for name, taken in times.items():
            print(
                f"{name}: {middle[name]:.2f} s ({min(taken):.2f} to {max(taken):.2f}), the table bit for bit the same"
            )
        print(f"efficiency of the cluster: {middle['two processes'] / middle['two workers']:.2f}")
        with tempfile.TemporaryDirectory() as name:
            killer = threading.Thread(target=kill_one, args=(Path(name),))
            killer.start()
            size = count // PIECES
            found = table((Path(name), shared), count, there["two workers"], noted, least=size, most=size)
            killer.join()
            ran = [len(path.read_text().split()) for path in Path(name).iterdir()]
            same = "bit for bit the same" if found.tobytes() == alone.tobytes() else "NOT the same"
        print(f"one worker killed: {len(ran)} pieces in {sum(ran)} runs, the table {same}")


if __name__ == "__main__":
    main()
