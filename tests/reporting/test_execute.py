"""Notebooks that end in every way a notebook can end, run for real, side by side."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.reporting.made_notebooks import code, text, write
from workbench.errors import ConfigError, RunError
from workbench.reporting.execute import NotebookJob, Outcome, clean_environment, run_notebooks
from workbench.reporting.job import Page
from workbench.reporting.pool import WarmPool

PARAMETERS = code("x: int = 1  # a number\nword = 'a'", "parameters")
BEFORE = code("print('before')")
AFTER = code("print('after')")
HANGS_S = 10.0  # long enough for a kernel to be up and running on a busy machine

NOTEBOOKS: dict[str, list[str]] = {
    "hangs": ["print('begun')\nwhile True: pass"],
    "hangs in C": [
        "print('begun')\nimport ctypes, signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "ctypes.CDLL(None).sleep(1000)"
    ],
    "good": ["import workbench as wb\nwb.record(x=x, word=word, share=x / 3)", "wb.record(more='é↔𝔘')"],
    "raises": ["import workbench as wb\nwb.record(part=1)", "def f():\n    1 / 0\nf()", "wb.record(never=1)"],
    "exits": ["import os; os._exit(3)"],
    "is killed": ["import os; os.kill(os.getpid(), 9)"],
    "crashes": ["import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"],
    "leaves": ["import sys; sys.exit(4)"],
    "leaves content": ["import sys; sys.exit()"],
    "has no memory": ["a = [0] * 10**15"],
    "prints much": ["for i in range(200_000): print('x' * 50)"],
    "is unicode": ["print('é↔𝔘\\x00\\x1b[31mred')", "raise ValueError('ß → 𝔘')"],
    "loses its worker": ["import os, time; os.kill(os.getppid(), 9)\ntime.sleep(60)"],
    "is large": ["import numpy as np\na = np.ones(40_000_000); a.sum()"],
    "draws": [
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        "import matplotlib\nwith matplotlib.rc_context({'lines.linewidth': 2}):\n    figure, axes = plt.subplots()\n"
        "    axes.set_title('Title')\nplt.close()\nfigure",
    ],
    "is random": ["import numpy as np, random\nfrom workbench.reporting.results import record\n"
                  "record(a=float(np.random.rand()), b=random.random())"],
    "is random too": ["import numpy as np, random\nfrom workbench.reporting.results import record\n"
                      "record(a=float(np.random.rand()), b=random.random())"],
    "looks around": [
        "import os, sys\nfrom workbench.reporting.results import record\n"
        "record(secret=os.environ.get('EXCHANGE_API_KEY'), folder=os.getcwd(), argv=sys.argv[0])"
    ],
    "leaves a process": ["import subprocess\nsubprocess.Popen(['sleep', '1000'])"],
}  # fmt: skip


def job(folder: Path, name: str, *sources: str, **options: Any) -> NotebookJob:
    path = write(folder / f"{name} {{x}}.ipynb", text(f"# {name}"), PARAMETERS, BEFORE, *map(code, sources), AFTER)
    options.setdefault("html", folder / "pages" / f"{name}.html")
    return NotebookJob(name=name, notebook=path, output=folder / "out" / path.name, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def outcomes(folder: Path) -> Iterator[dict[str, Outcome]]:
    """All of the above in one go, three at a time."""
    before = set(psutil.Process().children(recursive=True))
    jobs = [
        job(folder, name, *sources, parameters={"x": 2}, timeout_s=HANGS_S if name.startswith("hangs") else 120.0)
        for name, sources in NOTEBOOKS.items()
    ]
    heard: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXCHANGE_API_KEY", "hush")
        done = run_notebooks(
            jobs,
            workers=3,
            on_start=lambda job: heard.append(f"start {job.name}"),
            on_done=lambda outcome: heard.append(f"done {outcome.job.name}"),
        )
    assert [outcome.job for outcome in done] == jobs
    assert sorted(heard) == sorted([f"{word} {name}" for name in NOTEBOOKS for word in ("start", "done")])
    assert heard.index("start good") < heard.index("done good")
    assert set(psutil.Process().children(recursive=True)) <= before, "processes are left over"
    yield {outcome.job.name: outcome for outcome in done}


def executed(outcome: Outcome) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(outcome.job.output.read_text(encoding="utf-8"))
    return content


def words(outcome: Outcome) -> str:
    cells = executed(outcome)["cells"]
    return "".join(
        part for cell in cells for output in cell.get("outputs", []) for part in ["".join(output.get("text", ""))]
    )


def page(outcome: Outcome) -> str:
    assert outcome.html == outcome.job.html and outcome.html is not None
    return outcome.html.read_text(encoding="utf-8")


def test_a_good_run(outcomes: dict[str, Outcome]) -> None:
    good = outcomes["good"]
    assert good.succeeded and good.status == "succeeded"
    assert good.results == {"x": 2, "word": "a", "share": 0.6666666667, "more": "é↔𝔘"}
    assert (good.error_name, good.error_message, good.traceback) == ("", "", "")
    assert good.started is not None and good.started < good.finished
    assert good.duration_s == pytest.approx((good.finished - good.started).total_seconds(), abs=0.5)
    assert words(good) == "before\nafter\n"
    assert "<h1>good</h1>" in page(good) and 'role="alert"' not in page(good)


def test_an_exception(outcomes: dict[str, Outcome]) -> None:
    raised = outcomes["raises"]
    assert (raised.status, raised.error_name, raised.error_message) == (
        "failed",
        "ZeroDivisionError",
        "division by zero",
    )
    assert "----> 2     1 / 0" in raised.traceback and "\x1b" not in raised.traceback
    assert raised.results == {"part": 1}
    assert words(raised) == "before\n"
    html = page(raised)
    assert html.index("ZeroDivisionError: division by zero") < html.index("<article")
    assert 'href="#cell-6">Go to the cell' in html and 'wb-cell--failed" id="cell-6"' in html


@pytest.mark.parametrize("name", ["hangs", "hangs in C"])
def test_a_run_past_its_limit(outcomes: dict[str, Outcome], name: str) -> None:
    hung = outcomes[name]
    assert (hung.status, hung.error_name) == ("timed_out", "TimedOut")
    assert hung.error_message.startswith("stopped at its limit of 10 s in cell 5 (print('begun'))")
    assert hung.duration_s >= HANGS_S
    assert words(hung) == "before\nbegun\n", "what the cell had printed is kept"
    assert ("KeyboardInterrupt" in hung.traceback) is (name == "hangs"), "where it can be, it is shown where it was"
    assert "The notebook was stopped at its time limit" in page(hung)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("exits", r"the kernel ended by itself with exit code 3 in cell 5 (import os; os._exit(3))"),
        ("is killed", "the kernel was ended by SIGKILL in cell 5 (import os; os.kill(os.getpid(), 9)): out of memory"),
        ("crashes", "the kernel was ended by SIGSEGV in cell 5"),
    ],
)
def test_a_kernel_that_dies(outcomes: dict[str, Outcome], name: str, message: str) -> None:
    dead = outcomes[name]
    assert (dead.status, dead.error_name) == ("kernel_died", "KernelDied")
    assert dead.error_message.startswith(message)
    assert words(dead) == "before\n"
    assert "The kernel died" in page(dead) and 'wb-cell--failed" id="cell-5"' in page(dead)


def test_leaving_early(outcomes: dict[str, Outcome]) -> None:
    left = outcomes["leaves"]
    assert (left.status, left.error_name, left.error_message) == ("failed", "SystemExit", "4")
    assert outcomes["leaves content"].succeeded, "sys.exit() says that all is well"


def test_no_memory(outcomes: dict[str, Outcome]) -> None:
    assert (outcomes["has no memory"].status, outcomes["has no memory"].error_name) == ("failed", "MemoryError")


def test_much_output(outcomes: dict[str, Outcome]) -> None:
    much = outcomes["prints much"]
    assert much.succeeded
    assert len(words(much)) == 200_000 * 51 + len("before\nafter\n")
    assert len(page(much)) < 100_000 and "199,700 lines left out" in page(much)


def test_text_of_all_kinds(outcomes: dict[str, Outcome]) -> None:
    unicode = outcomes["is unicode"]
    assert unicode.error_message == "ß → 𝔘"
    assert "é↔𝔘" in page(unicode) and "ValueError: ß → 𝔘" in page(unicode)


def test_a_dead_worker(outcomes: dict[str, Outcome]) -> None:
    lost = outcomes["loses its worker"]
    assert (lost.status, lost.error_name) == ("worker_died", "WorkerDied")
    assert lost.error_message == "the worker process was ended by SIGKILL"
    assert words(lost) == "before\n"
    assert "The run was lost" in page(lost) and 'wb-cell--failed" id="cell-5"' in page(lost)


def test_memory_is_measured(outcomes: dict[str, Outcome]) -> None:
    small, large = outcomes["good"].peak_memory_bytes, outcomes["is large"].peak_memory_bytes
    assert small is not None and large is not None
    assert 20e6 < small < 1.5e9
    assert 200e6 < large - small < 1e9, "40 million floats take 320 MB"


def test_figures_are_drawings(outcomes: dict[str, Outcome]) -> None:
    cells = executed(outcomes["draws"])["cells"]
    kinds = [sorted(output["data"]) for cell in cells for output in cell.get("outputs", []) if "data" in output]
    assert [kind for kind in kinds if "image/svg+xml" in kind] == [["image/svg+xml", "text/plain"]] * 2
    assert "Title</text>" in page(outcomes["draws"]), "words are words, in the page's own font"


def test_forks_do_not_share_their_luck(outcomes: dict[str, Outcome]) -> None:
    one, other = outcomes["is random"].results, outcomes["is random too"].results
    assert one["a"] != other["a"] and one["b"] != other["b"]


def test_what_a_notebook_sees(outcomes: dict[str, Outcome], folder: Path) -> None:
    results = outcomes["looks around"].results
    assert results["secret"] is None
    assert Path(str(results["folder"])) == folder
    assert results["argv"] == "ipykernel_launcher.py"


@pytest.mark.long
def test_without_a_warm_host(tmp_path: Path) -> None:
    jobs = [
        job(tmp_path, "good", *NOTEBOOKS["good"], parameters={"x": 2}, page=Page(title="<T>")),
        job(tmp_path, "raises", *NOTEBOOKS["raises"]),
        job(tmp_path, "hangs", *NOTEBOOKS["hangs"], timeout_s=HANGS_S, html=None),
    ]
    good, raised, hung = run_notebooks(jobs, workers=3, warm=False)
    assert good.results == {"x": 2, "word": "a", "share": 0.6666666667, "more": "é↔𝔘"}
    assert good.peak_memory_bytes is not None and good.peak_memory_bytes > 20e6
    assert "<h1>&lt;T&gt;</h1>" in page(good)
    assert (raised.status, raised.error_name) == ("failed", "ZeroDivisionError")
    assert (hung.status, hung.html) == ("timed_out", None)


def test_a_host_that_dies_is_replaced(tmp_path: Path) -> None:
    mine = psutil.Process()
    before = set(mine.children())

    def kill(started: NotebookJob) -> None:
        if started.name == "first":
            for process in set(mine.children()) - before:
                process.kill()

    jobs = [job(tmp_path, "first", "import time; time.sleep(60)"), job(tmp_path, "second", "1")]
    first, second = run_notebooks(jobs, workers=1, on_start=kill)
    assert first.status == "worker_died" and "the process that runs notebooks is gone" in first.error_message
    assert second.succeeded
    assert set(mine.children(recursive=True)) <= before


def test_a_host_that_does_not_come_up(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('numpy is broken')")
    with pytest.raises(RunError, match="the process that runs notebooks did not come up: numpy is broken"):
        WarmPool({**clean_environment(), "PYTHONPATH": str(tmp_path)}, tmp_path / "log")


@pytest.mark.long
def test_a_worker_that_does_not_react_is_killed(tmp_path: Path) -> None:
    stopped = job(
        tmp_path, "stopped", "import os, signal, time\nos.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(600)"
    )
    quiet = replace(stopped, name="quiet", output=tmp_path / "quiet.ipynb", html=None)
    before = set(psutil.Process().children(recursive=True))
    outcomes = run_notebooks([replace(stopped, timeout_s=HANGS_S), replace(quiet, timeout_s=HANGS_S)])
    assert [outcome.status for outcome in outcomes] == ["timed_out", "timed_out"]
    assert outcomes[0].error_message == "stopped at its limit of 10 s"
    assert "The notebook was stopped at its time limit" in page(outcomes[0]) and outcomes[1].html is None
    assert words(outcomes[0]) == "before\n"
    assert set(psutil.Process().children(recursive=True)) <= before


def test_nothing_to_do() -> None:
    assert run_notebooks([]) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": {"y": 1}}, "has no parameter 'y'"),
        ({"parameters": {"x": "1"}}, "parameter 'x' is '1'"),
        ({"notebook": Path("gone.ipynb")}, "notebook gone.ipynb does not exist"),
        ({"timeout_s": 0.0}, "timeout_s is 0; give a positive number"),
        ({"name": "first"}, "both use 'first'"),
        ({"output": Path("one.ipynb")}, "both use .*one.ipynb"),
        ({"html": Path("one.ipynb")}, "both use .*one.ipynb"),
    ],
)
def test_mistakes_stop_before_anything_runs(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = write(tmp_path / "n.ipynb", PARAMETERS)
    first = NotebookJob(name="first", notebook=path, output=Path("one.ipynb"))
    second = {"name": "second", "notebook": path, "output": Path("two.ipynb")} | change
    started: list[NotebookJob] = []
    with pytest.raises(ConfigError, match=message):
        run_notebooks([first, NotebookJob(**second)], on_start=started.append)
    assert started == []


def test_a_job_does_not_overwrite_its_source(tmp_path: Path) -> None:
    path = write(tmp_path / "n.ipynb", PARAMETERS)
    with pytest.raises(ConfigError, match="it would overwrite its own source"):
        run_notebooks([NotebookJob(name="a", notebook=path, output=path)])
    with pytest.raises(ConfigError, match="workers is 0"):
        run_notebooks([], workers=0)


def test_secrets_stay_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BINANCE_API_KEY", "DB_PASSWORD", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "SSH_PRIVATE_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:pw@host/db")
    monkeypatch.setenv("LAKE", "s3://bucket/a@b")
    kept = clean_environment(keep=["AWS_SECRET_ACCESS_KEY"])
    assert {"BINANCE_API_KEY", "DB_PASSWORD", "GITHUB_TOKEN", "SSH_PRIVATE_KEY", "DATABASE_URL"}.isdisjoint(kept)
    assert kept["AWS_SECRET_ACCESS_KEY"] == "x" and kept["LAKE"] == "s3://bucket/a@b" and kept["PATH"]


SCRIPT = """
import sys
from pathlib import Path
from workbench.reporting.execute import NotebookJob, run_notebooks

folder = Path(sys.argv[1])
path = lambda name: folder / f"{name}.ipynb"
jobs = [NotebookJob(name=name, notebook=path(name), output=path(name + ".out")) for name in "abc"]
tell = lambda *words: print(*words, flush=True)
done = run_notebooks(jobs, workers=2, on_done=lambda outcome: tell("done", outcome.job.name, outcome.status))
tell("end", *(outcome.status for outcome in done))
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[psutil.Process]]]:
    """A program that has run one notebook, is in the middle of the second and has not begun the third."""
    write(tmp_path / "a.ipynb", code("1"))
    write(tmp_path / "b.ipynb", code(f"open({str(tmp_path / 'begun')!r}, 'w').close()\nimport time; time.sleep(600)"))
    write(tmp_path / "c.ipynb", code("import time; time.sleep(600)"))
    program = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},  # a killed program leaves its scratch folder behind
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "done a succeeded\n"
    until((tmp_path / "begun").exists)
    yield program, psutil.Process(program.pid).children(recursive=True)
    program.kill()
    program.communicate()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.02)


def gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE  # ended, and its new parent has not noticed yet
    except psutil.NoSuchProcess:
        return True


def test_ctrl_c_keeps_what_is_done(running: tuple[subprocess.Popen[str], list[psutil.Process]]) -> None:
    program, others = running
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=60)
    assert out.splitlines() == ["done b cancelled", "done c cancelled", "end succeeded cancelled cancelled"]
    assert (program.returncode, err) == (0, "")
    assert len(others) >= 3 and all(map(gone, others))


def test_nothing_outlives_a_killed_parent(running: tuple[subprocess.Popen[str], list[psutil.Process]]) -> None:
    program, others = running
    os.kill(program.pid, signal.SIGKILL)
    assert len(others) >= 3, "the host, a worker and its kernel"
    until(lambda: all(map(gone, others)))
