"""Real worker processes of dask on this machine; one cluster for all tests of this file."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

from tests.research.spreading.tasks import (
    Tracked,
    interrupt_at_seven,
    metrics,
    raise_at_seven,
    squares,
    tracked_squares,
    wait_for,
)
from workbench.errors import ConfigError, RunError, StrategyError
from workbench.market.lake import Lake
from workbench.research.spreading import cluster as on_cluster
from workbench.research.spreading import spread
from workbench.research.spreading.parcel import Parcel
from workbench.research.sweeping.evaluator import Evaluator
from workbench.strategy.loader import load_strategy

SMA_CROSS = Path(__file__).resolve().parents[3] / "strategies" / "sma_cross.py"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from distributed import LocalCluster

    before = threading.active_count()
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
    ) as made:
        yield made
    assert threading.active_count() <= before + 3  # dask keeps a loop and its helpers for the next client


def joined(pieces: Any) -> np.ndarray:
    return np.concatenate([out for _, _, out in sorted(pieces, key=lambda piece: piece[0])])


def combinations(count: int) -> dict[str, np.ndarray]:
    fast, slow = np.divmod(np.arange(count), 20)
    return {"fast": fast + 3, "slow": slow + 30, "stop_loss": 0.02 + 0.001 * fast, "fee": np.full(count, 0.001)}


def test_two_workers_give_the_same_table_as_local_bit_for_bit(cluster: Any, lake: Lake) -> None:
    bars = lake.read("BTC/USDT", "1h")[:600]
    shared = Evaluator(load_strategy(SMA_CROSS), bars), combinations(240)
    local = joined(spread(metrics, shared, 240))
    assert local.shape[0] == 240 and len(np.unique(local[:, 0])) > 100
    there = joined(spread(metrics, shared, 240, executor=cluster.scheduler_address, most=40))
    assert there.tobytes() == local.tobytes()
    with cluster.get_client() as client:
        assert joined(spread(metrics, shared, 240, executor=client.get_executor())).tobytes() == local.tobytes()


def test_a_killed_worker_costs_its_piece_only(cluster: Any, tmp_path: Path) -> None:
    tracked = Tracked(tmp_path)
    got: list[Any] = []
    killer = threading.Thread(target=_kill_the_victim, args=(tmp_path, got))
    killer.start()
    for piece in spread(tracked_squares, tracked, 40, least=2, most=2, executor=cluster.scheduler_address):
        got.append(piece)
    assert joined(got).tolist() == [item**2 for item in range(40)]
    killer.join()
    runs = {path.name: len(tracked.notes(path.name)) for path in tmp_path.glob("run-*")}
    assert len(runs) == 20 and runs.pop("run-10-12") == 2 and set(runs.values()) == {1}
    workers = tracked.notes("unpacked")
    assert len(workers) == len(set(workers)) <= 3, "each worker unpacks what is shared once"


def _kill_the_victim(folder: Path, got: list[Any]) -> None:
    """Kill the worker that is at item 10, as soon as what it did before has come in."""
    wait_for(folder / "victim")
    _wait_until(lambda: {piece[0] for piece in got} >= {0, 2, 4, 6, 8})
    os.kill(int((folder / "victim").read_text()), signal.SIGKILL)
    (folder / "go").touch()


def _wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true() and time.monotonic() < end:
        time.sleep(0.001)


def test_an_error_of_a_task_is_told_once(cluster: Any) -> None:
    with pytest.raises(RunError, match=r"^item 7 of 20 failed: ZeroDivisionError: seven$") as caught:
        list(spread(raise_at_seven, "", 20, most=1, executor=cluster.scheduler_address))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(StrategyError, match="seven is wrong") as ours:
        list(spread(raise_at_seven, "ours", 20, most=1, executor=cluster.scheduler_address))
    assert ours.value.fields == {"number": 7} and ours.value.__notes__ == ["in item 7 of 20"]
    with pytest.raises(RunError, match="failed: Odd: 1 and 2"):
        list(spread(raise_at_seven, "odd", 20, most=1, executor=cluster.scheduler_address))


def test_a_strategy_from_a_file_and_one_from_main_run_on_workers(cluster: Any, lake: Lake, tmp_path: Path) -> None:
    source = dedent("""
        import numpy as np
        import workbench as wb

        LAG = 3

        def lagged(values):
            return np.concatenate((np.full(LAG, np.nan), values[:-LAG]))

        class Above(wb.SignalStrategy):
            gap: float = wb.param(0.01, low=0.0)

            def signals(self, bars):
                before = lagged(bars.close)
                return wb.Signals(entry=bars.close > before * (1 + self.gap), exit=bars.close < before)
        """)
    path = tmp_path / "above.py"
    path.write_text(source)
    bars = lake.read("BTC/USDT", "1h")[:300]
    columns = {"gap": np.linspace(0.001, 0.02, 12)}
    shared = Evaluator(load_strategy(path), bars), columns
    local = joined(spread(metrics, shared, 12))
    path.write_text("raise SystemExit('the file has changed meanwhile')")
    assert joined(spread(metrics, shared, 12, executor=cluster.scheduler_address)).tobytes() == local.tobytes()

    main: dict[str, Any] = {"__name__": "__main__"}
    exec(source, main)
    shared = Evaluator(main["Above"], bars), columns
    assert joined(spread(metrics, shared, 12, executor=cluster.scheduler_address)).tobytes() == local.tobytes()


def test_ctrl_c_keeps_what_is_done_and_the_cluster_stays_usable(cluster: Any) -> None:
    got: list[int] = []
    threading.Timer(0, _interrupt_after, args=(got, 7)).start()
    with pytest.raises(KeyboardInterrupt):
        for start, _, _ in spread(squares, 0, 10**6, most=1, executor=cluster.scheduler_address):
            got.append(start)
    assert 7 <= len(got) < 10_000 and len(got) == len(set(got))
    assert len(joined(spread(squares, 0, 10, executor=cluster.scheduler_address))) == 10


def _interrupt_after(got: list[int], count: int) -> None:
    _wait_until(lambda: len(got) >= count)
    interrupt_at_seven(got, 7, 8)


def test_a_worker_with_other_versions_is_refused(cluster: Any) -> None:
    parcel = Parcel(squares, 0)
    parcel.versions = parcel.versions | {"numpy": "1.26.4"}
    with pytest.raises(RunError, match=rf"^the worker tcp://127\S+ has numpy {np.__version__} in place of 1\.26\.4; "):
        on_cluster.DaskCrew(on_cluster.connect(cluster.scheduler_address), parcel, own=True)


def test_an_address_where_no_scheduler_is_is_told_in_seconds(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_cluster, "_CONNECT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        nobody = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(RunError, match=rf"^no dask scheduler answers at {nobody} within 0.3 s; start one"):
            list(spread(squares, 0, 3, executor=nobody))
    with pytest.raises(RunError, match=f"no dask scheduler answers at {nobody}"):
        list(spread(squares, 0, 3, executor=nobody))
    worker = next(iter(cluster.workers.values())).worker_address
    with pytest.raises(ConfigError, match="is a dask worker; give the address of the scheduler"):
        list(spread(squares, 0, 3, executor=worker))
    with pytest.raises(ConfigError, match=r"no address of a dask scheduler: .*looks like 'tcp://127.0.0.1:8786'"):
        list(spread(squares, 0, 3, executor="tcp://127.0.0.1"))
