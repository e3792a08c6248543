"""A report on the workers of a cluster: real processes, started as a user starts them."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import workbench as wb
from tests.reporting.made_notebooks import code, write
from tests.reporting.small import make_workspace
from workbench.errors import RunError
from workbench.reporting import elsewhere
from workbench.reporting.batch import batches
from workbench.reporting.elsewhere import run_notebooks_on
from workbench.reporting.execute import NotebookJob, Outcome
from workbench.reporting.pipeline import run_report
from workbench.reporting.progress import PlainProgress
from workbench.research.ledger import Ledger

ROOT = Path(wb.__file__).parents[1]

TWO = (
    '[[runs]]\nnotebook = "good"\nstrategies = ["hold"]\nseries = ["AAA/USDT 1h"]\n'
    '[[runs]]\nnotebook = "raises"\nlabel = "raises"\nstrategies = ["hold"]\nseries = ["AAA/USDT 1h"]\n'
)
RAISES = "import workbench as wb\nwb.record(total_return=9.0)\nraise ValueError('no luck today')"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster as `workbench cluster start` makes it; Ctrl-C ends it and everything that it has started."""
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "cluster", "start", "--workers", "2", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
        everybody = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert len(everybody) >= 2 and psutil.wait_procs(everybody, 10)[1] == []
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_report_runs_on_two_workers(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = make_workspace(tmp_path, TWO, {"raises": RAISES})
    report = run_report("night", settings=settings, executor=address, progress=PlainProgress(sys.stderr))
    good, bad = report.runs
    assert (good.status, bad.status, report.repeated) == ("succeeded", "failed", 2)
    assert good.metrics["total_return"] == 0.25 and bad.metrics["total_return"] == 9.0
    assert (bad.exit_cause, bad.error) == ("ValueError", "no luck today")
    assert good.peak_memory_bytes is not None and good.peak_memory_bytes > 10**7 and good.duration_s > 0
    assert "hold AAA/USDT 1h  succeeded" in capsys.readouterr().err
    pages = [page.read_text() for page in sorted((report.folder / "pages").glob("*.html"))]
    assert len(pages) == 2 and sum("no luck today" in page for page in pages) == 1
    assert len(Ledger(settings.ledger_root).runs("night", report.batch)) == 2
    assert not list(report.folder.glob(".running-*"))


def test_a_cluster_that_cannot_be_reached_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.research.spreading.cluster._CONNECT_S", 0.3)
    settings = make_workspace(tmp_path, TWO, {"raises": RAISES})
    with pytest.raises(RunError, match=r"no dask scheduler answers at tcp://127.0.0.1:9 "):
        run_report("night", settings=settings, executor="tcp://127.0.0.1:9")
    assert batches("night", settings) == []


def test_a_worker_that_does_not_see_the_workspace_is_told(tmp_path: Path) -> None:
    shared = elsewhere._Shared(jobs=(), workspace=tmp_path, lease=tmp_path / "not here", folder=tmp_path)
    with pytest.raises(RunError, match=rf"does not see {tmp_path}; the workers of a report need its workspace"):
        elsewhere._run_one(shared, 0, 1)


@pytest.mark.long
def test_a_pool_serves_one_notebook_after_the_other_until_its_lease_is_gone(tmp_path: Path) -> None:
    lease, begun = tmp_path / "lease", tmp_path / "begun"
    lease.touch()
    shared = elsewhere._Shared(
        jobs=tuple(
            NotebookJob(
                name=name, notebook=write(tmp_path / f"{name}.ipynb", code(text)), output=tmp_path / f"{name}.o"
            )
            for name, text in (
                ("one", "import os, workbench as wb\nwb.record(host=os.getppid())"),
                ("two", "import os, workbench as wb\nwb.record(host=os.getppid())"),
                ("slow", f"open({str(begun)!r}, 'w').close()\nimport time\ntime.sleep(600)"),
            )
        ),
        workspace=tmp_path,
        lease=lease,
        folder=tmp_path,
    )
    before = set(psutil.Process().children())
    assert [elsewhere._run_one(shared, index, index + 1).status for index in (0, 1)] == ["succeeded"] * 2
    (host,) = set(psutil.Process().children()) - before

    def end() -> None:
        while not begun.exists():
            time.sleep(0.01)
        lease.unlink()

    threading.Thread(target=end).start()
    assert elsewhere._run_one(shared, 2, 3).status == "cancelled"
    assert psutil.wait_procs([host], 10)[1] == [], "nothing is left over"


@pytest.mark.long
def test_a_notebook_that_kills_every_worker_fails_alone(tmp_path: Path) -> None:
    kill = (
        "import psutil\n"
        "[one for one in psutil.Process().parents() if 'spawn_main' in ' '.join(one.cmdline())][0].kill()"
    )
    jobs = [
        NotebookJob(name=name, notebook=write(tmp_path / f"{name}.ipynb", code(text)), output=tmp_path / f"{name}.out")
        for name, text in (("kills", kill), ("good", "1 + 1"))
    ]
    told: list[Outcome] = []
    outcomes = run_notebooks_on("processes:1", jobs, workspace=tmp_path, folder=tmp_path, on_done=told.append)
    assert [one.status for one in outcomes] == ["worker_died", "succeeded"] and len(told) == 2
    assert outcomes[0].error_message.startswith("item 0 of 2 lost its worker again and again: it died")
