"""The ledger of trials: it counts what was tried, by whomever, and finds who asked the same under another name."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.errors import DataError
from workbench.research import Ledger, Run, new_run_id
from workbench.research.identity import digest, identities
from workbench.research.questions import family_of
from workbench.research.trials import Count, TrialBatch, TrialBook

ROOT = Path(wb.__file__).parents[1]
DAY = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def batch(study: str = "one", identity: Any = (1, 2, 3), **facts: Any) -> TrialBatch:
    given: dict[str, Any] = {"source": "sweep", "strategy": "SmaCross", "sharpe": np.zeros(len(identity)),
                             "observations": 100, "symbol": "BTC/USDT", "timeframe": "1h",
                             "data_fingerprint": "f" * 32}  # fmt: skip
    return TrialBatch(study=study, identity=identity, **{**given, **facts})


def test_trials_come_back_and_are_counted(tmp_path: Path) -> None:
    book = TrialBook(tmp_path / "trials")
    assert book.count("one") == Count(0, 0) and book.trials().empty and not (tmp_path / "trials").exists()
    book.add(batch(sharpe=[0.1, np.nan, -0.2], skew=[1.0, 2.0, 3.0], start=DAY))
    book.add([batch(identity=[3, 2**64 - 1]), batch("two", [9])])
    assert book.count("one") == Count(raw=5, distinct=4) and book.count("two") == Count(1, 1)
    frame = book.trials("one")
    assert frame["identity"].tolist() == [1, 2, 3, 3, 2**64 - 1]
    assert frame["sharpe"].tolist()[:1] == [0.1] and frame["sharpe"].isna().tolist()[1] and frame["skew"][2] == 3.0
    assert (frame["observations"] == 100).all() and frame["start"][0] == DAY and frame["start"].isna()[4]
    assert set(frame["study"]) == {"one"} and set(book.trials()["study"]) == {"one", "two"}


def test_many_small_batches_are_merged(tmp_path: Path) -> None:
    book = TrialBook(tmp_path)
    for number in range(40):
        book.add(batch(f"study {number}", [number]))
    assert len(list(tmp_path.glob("*.parquet"))) >= 1 and len(book.trials()) == 40
    assert set(book.studies()["trials"]) == {1} and book.count("study 7") == Count(1, 1)


def test_the_same_question_under_another_name_is_shown(tmp_path: Path) -> None:
    book = TrialBook(tmp_path)
    book.add(batch("one", start=DAY, end=DAY + dt.timedelta(days=10)))
    book.add(batch("same data", [4], strategy="crosses.py:SmaCross", symbol="X"))
    later = {"data_fingerprint": "e" * 32, "end": DAY + dt.timedelta(days=99)}
    book.add(batch("overlaps", [5, 6], start=DAY + dt.timedelta(days=9), strategy="sma_cross", **later))
    book.add(batch("after", [7], start=DAY + dt.timedelta(days=10), **later))
    book.add(batch("other length", [7], timeframe="1d", data_fingerprint="e" * 32))
    book.add(batch("other strategy", [7], strategy="Donchian"))
    found = book.linked("one").set_index("study")
    assert dict(found["link"]) == {"same data": "same data", "overlaps": "overlapping data"}
    assert dict(found["trials"]) == {"same data": 1, "overlaps": 2}
    assert book.count("one", linked=True) == Count(6, 6)
    assert book.linked("nothing").empty


def test_recorded_runs_of_notebooks_are_trials_of_the_question(tmp_path: Path) -> None:
    ledger, book = Ledger(tmp_path), TrialBook(tmp_path / "trials", runs=tmp_path)
    facts: dict[str, Any] = {
        "report": "nightly", "batch": "b", "notebook": "n", "strategy": "sma_cross", "code_hash": "c",
        "symbol": "BTC/USDT", "timeframe": "1h", "data_fingerprint": "f" * 32, "start": DAY,
        "end": DAY + dt.timedelta(days=365), "started": DAY, "finished": DAY,
    }  # fmt: skip
    for fast in (5, 10, 10):
        metrics = {"sharpe_ratio": 0.5, "bars": 8760}
        ledger.append(Run(run_id=new_run_id(), name="x", parameters={"fast": fast}, metrics=metrics, **facts))
    ledger.append(Run(run_id=new_run_id(), name="x", status="failed", metrics={"bars": 1}, **facts))
    book.add(batch("mine"))
    [row] = book.linked("mine").to_dict("records")
    assert (row["study"], row["trials"], row["distinct"], row["sources"]) == ("report nightly", 3, 2, "report")
    assert row["best_sharpe"] == pytest.approx(0.5 / np.sqrt(8760))


def test_a_batch_that_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match=r"sharpe has shape \(2,\), but there are 3 trials: give one a trial"):
        batch(sharpe=[1.0, 2.0])
    with pytest.raises(DataError, match="study = '  ': give the study a name"):
        batch("  ")
    with pytest.raises(DataError, match="source = 'guess' is not one of 'backtest'"):
        batch(source="guess")


def test_identities_tell_combinations_apart() -> None:
    found = identities("context", {"fast": range(100), "slow": np.arange(100) % 7})
    assert found.dtype == np.uint64 and len(np.unique(found)) == 100
    assert (identities("context", {"slow": np.arange(100) % 7, "fast": np.arange(100.0)}) == found).all()
    assert not set(identities("other", {"fast": range(100), "slow": np.arange(100) % 7})) & set(found)
    swapped = identities("c", {"a": [1, 2], "b": [2, 1]})
    assert swapped[0] != swapped[1] and identities("c", {"a": [1]})[0] != identities("c", {"b": [1]})[0]
    mixed = identities("c", {"a": [None, "x", True, 1, 0.0, -0.0]})
    assert mixed[2] == mixed[3] and mixed[4] == mixed[5] and len(set(mixed)) == 4
    shared = identities("c", {"a": [1, 2]}, {"b": None, "z": "x"})
    assert (shared == identities("c", {"a": [1, 2], "b": [None, None], "z": ["x", "x"]})).all()
    with pytest.raises(DataError, match=r"the columns of parameters are \[1, 2\] long"):
        identities("c", {"a": [1], "b": [1, 2]})


def test_a_digest_is_of_values_and_refuses_what_has_none() -> None:
    assert digest({"a": 1, "b": [1.5, None]}) == digest({"b": (1.5, None), "a": 1})
    assert len({digest(1), digest(1.0), digest("1"), digest(True), digest([1]), digest(np.array([1]))}) == 6
    assert digest(["a", "b"]) != digest(["ab"])
    with pytest.raises(DataError, match="a object has no identity"):
        digest(object())


def test_families_are_names_without_version_and_parameters() -> None:
    assert family_of("strategies/sma_cross.py@3f2a9c:SmaCross") == "smacross"
    assert family_of("rsi_reversion.yaml") == family_of("RsiReversion()") == "rsireversion"


@pytest.mark.long
def test_a_million_trials_are_cheap(tmp_path: Path) -> None:
    book, count = TrialBook(tmp_path), 1_000_000
    draw = np.random.default_rng(1)
    book.add(batch(identity=draw.integers(0, 2**63, count), sharpe=draw.normal(size=count)))
    size = sum(path.stat().st_size for path in tmp_path.glob("*.parquet"))
    assert size < 20e6 and book.count("one").raw == count


WRITER = """
import datetime as dt, sys, time
from workbench.research import Ledger, Run, new_run_id
from workbench.research.trials import TrialBatch, TrialBook
root, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
now = dt.datetime.now(dt.UTC)
print("ready", flush=True)
sys.stdin.readline()
for n in range(count):
    Ledger(root).append(Run(run_id=new_run_id(), report="", batch="", name=f"{name}-{n}", notebook="", started=now,
                            finished=now, metrics={"n": n}))
    TrialBook(root + "/trials").add(TrialBatch(study="s", source="sweep", strategy="X", identity=[hash((name, n))
                                    % 2**64] * 3, sharpe=[n, n, n], observations=n))
    print(n, flush=True)
"""


def writers(root: Path, processes: int, each: int, killed: int) -> None:
    """Let processes write at once, kill some in the middle, and hold all that was confirmed to be there, whole."""
    crowd = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(root), str(name), str(each if name >= killed else 10_000)],
                         cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in range(processes)
    ]  # fmt: skip
    try:
        for one in crowd:
            assert one.stdout is not None and one.stdin is not None
            assert one.stdout.readline() == "ready\n"
        for one in crowd:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        confirmed: set[str] = set()
        for name, one in enumerate(crowd[:killed]):
            assert one.stdout is not None
            confirmed.add(f"{name}-{int(one.stdout.readline())}")
            os.kill(one.pid, signal.SIGKILL)
            confirmed |= {f"{name}-{int(line)}" for line in one.stdout if line.strip().isdigit()}
        for name, one in enumerate(crowd[killed:], killed):
            assert one.stdout is not None
            assert [int(line) for line in one.stdout] == list(range(each))
            assert one.wait(120) == 0
            confirmed |= {f"{name}-{n}" for n in range(each)}
    finally:
        for one in crowd:
            one.kill()
            one.communicate()
    found = Ledger(root).records()
    names = [run.name for run in found]
    assert len(names) == len(set(names)) and confirmed <= set(names)
    assert all(run.metrics == {"n": int(run.name.split("-")[1])} for run in found)
    trials = TrialBook(root / "trials").trials()
    assert (trials.groupby("identity").size() == 3).all() and len(trials) >= 3 * len(confirmed)
    assert (trials["sharpe"] == trials["observations"]).all()


def test_processes_that_write_at_once_lose_nothing_even_when_killed(tmp_path: Path) -> None:
    writers(tmp_path, processes=4, each=3, killed=1)


@pytest.mark.long
def test_fifty_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    writers(tmp_path, processes=50, each=5, killed=8)
