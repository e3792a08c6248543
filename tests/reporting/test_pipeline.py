"""A report from its definition to its index page: what is recorded, what failure leaves, what resumes."""

from __future__ import annotations

import io
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import workbench as wb
from tests.reporting.small import make_workspace, plan_of
from workbench.errors import ConfigError, RunError
from workbench.reporting.batch import Batch, batches, latest_index, list_reports
from workbench.reporting.pipeline import Report, run_report
from workbench.reporting.plan import make_plan
from workbench.reporting.progress import BarProgress, PlainProgress, progress_on
from workbench.research.ledger import Ledger
from workbench.research.lineage import history
from workbench.settings import Settings
from workbench.strategy.loader import load_strategy
from workbench.strategy.versions import Archive

ROOT = Path(wb.__file__).parents[1]

TWO_GOOD = '[[runs]]\nnotebook = "good"\nstrategies = ["hold"]\nseries = ["AAA/USDT 1h", "BBB/USDT 1h"]\n'
SUMMARY = '[[summary]]\nnotebook = "summary"\n'
BAD = '[[runs]]\nnotebook = "{0}"\nlabel = "{0}"\nstrategies = ["hold"]\nseries = ["AAA/USDT 1h"]\n'
# it waits for a file in its folder, which a test makes when it wants it to go on
WAITING = "import time, pathlib\nwhile not pathlib.Path('go').exists():\n    time.sleep(0.02)\n"


def wait_until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def statuses(report: Report) -> dict[str, str]:
    return {run.name: run.status for run in report.runs}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Report, str]:
    """A report of good notebooks, and of one that raises, one that hangs and one whose kernel dies."""
    settings = make_workspace(
        tmp_path_factory.mktemp("mixed"),
        "[report]\ntimeout_s = 15\n" + TWO_GOOD + "".join(map(BAD.format, ("raises", "hangs", "dies"))) + SUMMARY,
        {
            "raises": "import workbench as wb\nwb.record(total_return=9.0)\nraise ValueError('no luck today')",
            "hangs": "import time\ntime.sleep(600)",
            "dies": "import os\nos._exit(7)",
        },
    )
    told = io.StringIO()
    return settings, run_report("night", settings=settings, progress=PlainProgress(told)), told.getvalue()


def test_a_failure_is_a_failure_of_that_run_alone(mixed: tuple[Settings, Report, str]) -> None:
    _, report, _ = mixed
    assert statuses(report) == {
        "hold-AAA-USDT-1h": "succeeded",
        "hold-BBB-USDT-1h": "succeeded",
        "raises-hold-AAA-USDT-1h": "failed",
        "hangs-hold-AAA-USDT-1h": "timed_out",
        "dies-hold-AAA-USDT-1h": "kernel_died",
        "summary": "succeeded",
    }
    assert report.failed and not report.interrupted and report.not_run == () and report.repeated == 6
    assert [run.name for run in report.failures] == [
        name for name, status in statuses(report).items() if status != "succeeded"
    ]
    assert "3 of 6 runs succeeded" in str(report) and str(report).endswith(str(report.index))


def test_every_run_has_its_page_and_notebook(mixed: tuple[Settings, Report, str]) -> None:
    settings, report, _ = mixed
    for run in report.runs:
        assert run.html is not None and not Path(run.html).is_absolute()
        page = (settings.reports / run.html).read_text()
        assert (report.folder / "notebooks" / f"{run.name}.ipynb").is_file()
        assert 'href="../index.html"' in page
        if run.name.startswith("raises"):
            assert "no luck today" in page


def test_the_index_says_what_failed_and_why(mixed: tuple[Settings, Report, str]) -> None:
    _, report, _ = mixed
    page = report.index.read_text()
    assert "3 runs did not succeed" in page
    for word in ("ValueError", "no luck today", "timed out", "kernel died", "pages/raises-hold-AAA-USDT-1h.html"):
        assert word in page, word


def test_the_ledger_holds_what_the_parent_saw(mixed: tuple[Settings, Report, str]) -> None:
    settings, report, _ = mixed
    frame = Ledger(settings.ledger_root).runs("night", report.batch).set_index("name")
    assert len(frame) == 6
    good = frame.loc["hold-AAA-USDT-1h"]
    assert (good["strategy"], good["symbol"], good["timeframe"], good["venue"]) == ("hold", "AAA/USDT", "1h", "paper")
    assert (good["total_return"], good["trades"], good["cash"], good["seed"]) == (0.25, 3, 1_000.0, 7)
    assert (good["status"], good["exit_cause"], good["error"], good["fill"]) == (
        "succeeded",
        "completed",
        "",
        "next_open",
    )
    assert (good["code_hash"], good["data_fingerprint"], good["parameters"]) == ("c0de", "abc123", '{"days":3}')
    assert good["costs"] == '{"fee":0.001,"maker_fee":0.0005,"slippage_bps":1.0}'
    assert str(good["start"]) == "1970-01-01 00:00:00+00:00" and good["peak_memory_bytes"] > 10_000_000
    assert good["finished"] >= good["started"] and good["duration_s"] > 0 and '"python"' in good["versions"]
    assert not {"equity_points", "strategy_code_hash", "fee"} & set(frame.columns)
    failed = frame.loc["raises-hold-AAA-USDT-1h"]
    assert (failed["status"], failed["exit_cause"], failed["error"]) == ("failed", "ValueError", "no luck today")
    assert failed["total_return"] == 9.0, "what it recorded before it failed is kept, and counts for nothing"
    assert frame.loc["hangs-hold-AAA-USDT-1h", "error"].startswith("stopped at its limit of 15 s")
    assert frame.loc["summary", "seen"] == 5, "the summary sees the batch in the ledger"
    [record] = [run for run in Ledger(settings.ledger_root).records("night") if run.name == "hold-AAA-USDT-1h"]
    assert record.curves == {"equity": (1.0, 1.1, 1.25), "benchmark": (1.0, 1.2, 1.5)}


def test_the_version_that_ran_can_be_had_again(mixed: tuple[Settings, Report, str]) -> None:
    settings, report, _ = mixed
    [version] = Archive.of(settings).versions()
    failed = next(run for run in report.runs if run.name == "raises-hold-AAA-USDT-1h")
    assert (version.name, version.code_hash) == ("hold.py", failed.code_hash)
    assert load_strategy(f"hold@{failed.code_hash}", settings=settings)().code_hash == failed.code_hash
    uses = {use.code_hash: use.runs for use in history("hold", settings)}
    assert uses == {version.code_hash: 3, "c0de": 2}


def test_a_log_gets_a_line_a_run(mixed: tuple[Settings, Report, str]) -> None:
    _, _, told = mixed
    lines = told.splitlines()
    assert len(lines) == 6
    assert [line[:5] for line in lines] == [f"[{number}/6]" for number in range(1, 7)]
    assert re.search(r"^\[\d/6\] hold AAA/USDT 1h  succeeded  \d+\.\d s$", told, re.MULTILINE)
    failure = r"^\[\d/6\] raises hold AAA/USDT 1h  failed  \d+\.\d s  ValueError: no luck today$"
    assert re.search(failure, told, re.MULTILINE)
    assert re.search(r"^\[6/6\] summary  succeeded", told, re.MULTILINE)


def test_latest_leads_to_the_index(mixed: tuple[Settings, Report, str]) -> None:
    settings, report, _ = mixed
    folder = settings.reports / "output" / "night"
    assert latest_index("night", settings) == report.index
    assert (folder / "latest").read_text() == f"{report.batch}\n"
    assert f'url={report.batch}/index.html"' in (folder / "latest.html").read_text()
    assert [(info.name, info.batches, info.latest) for info in list_reports(settings)] == [("night", 1, report.index)]


FLAKY = "import pathlib\nif not pathlib.Path('go').exists():\n    raise ValueError('not yet')\n"


def test_resume_repeats_only_what_did_not_succeed(tmp_path: Path) -> None:
    settings = make_workspace(tmp_path, TWO_GOOD + BAD.format("flaky") + SUMMARY, {"flaky": FLAKY})
    first = run_report("night", settings=settings)
    assert list(statuses(first).values()) == ["succeeded", "succeeded", "failed", "succeeded"] and first.repeated == 4

    (settings.notebooks / "go").touch()
    lost = settings.reports / str(first.runs[1].html)
    lost.unlink()
    told = io.StringIO()
    report = run_report("night", settings=settings, resume=True, progress=PlainProgress(told))
    assert report.batch == first.batch and report.folder == first.folder
    assert set(statuses(report).values()) == {"succeeded"} and not report.failed
    assert told.getvalue().splitlines()[0] == "1 of 4 runs succeeded before; running the other 3"
    assert report.repeated == 3, "what failed, what lost its page, and the summary, which has now more to say"
    assert report.runs[0].run_id == first.runs[0].run_id and lost.is_file()
    ledger = Ledger(settings.ledger_root)
    assert len(ledger.records("night")) == 7 and len(ledger.records("night", attempts="last")) == 4
    assert "did not succeed" not in report.index.read_text()

    again = run_report("night", settings=settings, resume=True)
    assert again.repeated == 0 and not again.failed and len(again.runs) == 4


def test_a_changed_plan_is_not_resumed(tmp_path: Path) -> None:
    settings = make_workspace(tmp_path, TWO_GOOD)
    batch = Batch.create(make_plan("night", settings), settings)
    (settings.reports / "night.toml").write_text(
        TWO_GOOD.replace('"BBB/USDT 1h"', "").replace("[[runs]]", "[[runs]]\nparameters = { cash = 5.0 }")
        + BAD.format("good")
    )
    with pytest.raises(ConfigError) as caught:
        run_report("night", settings=settings, resume=True)
    assert re.search(
        rf"night.toml has changed since batch {batch.id} was started: 1 added \(good-hold-AAA-USDT-1h\); "
        r"1 removed \(hold-BBB-USDT-1h\); 1 changed \(hold-AAA-USDT-1h\)\. Start a new batch without --resume",
        str(caught.value),
    )


def test_resuming_what_never_ran(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"report 'night' has no batch to resume in .*; run it without --resume"):
        run_report("night", settings=make_workspace(tmp_path, TWO_GOOD), resume=True)


def test_wrong_parameters_stop_before_anything_starts(tmp_path: Path) -> None:
    settings = make_workspace(tmp_path, TWO_GOOD + "parameters = { cash = 'much' }\n")
    with pytest.raises(ConfigError, match=r"parameter 'cash' is 'much' \(str\); it takes float"):
        run_report("night", settings=settings)
    with pytest.raises(ConfigError, match="workers is 0; at least one"):
        run_report("night", settings=settings, workers=0)
    assert not (settings.reports / "output").exists() and not settings.ledger_root.exists()


CHILD = """\
import sys
from workbench.reporting.pipeline import run_report
from workbench.settings import load_settings
report = run_report("night", settings=load_settings(sys.argv[1]))
print(report.interrupted, report.failed, len(report.runs), len(report.not_run), report.index)
"""


def start(settings: Settings) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(settings.root)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def slow_workspace(folder: Path) -> Settings:
    waiting = BAD.format("waits").replace('["AAA/USDT 1h"]', '["AAA/USDT 1h", "BBB/USDT 1h"]')
    never = TWO_GOOD.replace("[[runs]]", '[[runs]]\nlabel = "late"')
    return make_workspace(folder, TWO_GOOD + waiting + never + SUMMARY, {"waits": WAITING})


@pytest.mark.long
def test_a_batch_whose_parent_was_killed_is_resumed(tmp_path: Path) -> None:
    settings = slow_workspace(tmp_path)
    ledger = Ledger(settings.ledger_root)
    child = start(settings)
    wait_until(lambda: len(ledger.records()) == 2 or child.poll() is not None)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    [batch] = batches("night", settings)
    assert len(plan_of(batch.folder)["runs"]) == 7
    assert not batch.index.exists() and latest_index("night", settings) is None
    before = {run.name: run.run_id for run in ledger.records()}

    (settings.notebooks / "go").touch()
    report = run_report("night", settings=settings, resume=True)
    assert report.batch == batch.id and not report.failed and len(report.runs) == 7 and report.repeated == 5
    assert {run.name: run.run_id for run in report.runs if run.name in before} == before
    assert latest_index("night", settings) == report.index


def test_ctrl_c_leaves_an_index_of_what_there_is(tmp_path: Path) -> None:
    settings = slow_workspace(tmp_path)
    ledger = Ledger(settings.ledger_root)
    child = start(settings)
    wait_until(lambda: len(ledger.records()) == 2 or child.poll() is not None)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=120)
    assert child.returncode == 0, err
    interrupted, failed, ran, not_run, index = out.split()
    assert (interrupted, failed) == ("True", "True")
    assert int(ran) + int(not_run) == 7 and int(not_run) >= 3
    page = Path(index).read_text()
    assert "Stopped before the end." in page and "workbench report run night --resume" in page
    assert {run.status for run in ledger.records()} <= {"succeeded", "cancelled"}


def test_a_batch_cannot_be_run_twice_at_once(tmp_path: Path) -> None:
    settings = make_workspace(tmp_path, TWO_GOOD)
    batch = Batch.create(make_plan("night", settings), settings)
    code = f"import sys; from workbench.reporting.batch import *; from pathlib import Path\nwith Batch('night', {batch.id!r}, Path({str(batch.folder)!r})).in_use():\n    print('held', flush=True); sys.stdin.read()"  # noqa: E501
    holder = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    with pytest.raises(RunError, match=rf"batch {batch.id} of report 'night' is being run by another process"):
        run_report("night", settings=settings, resume=True)
    holder.communicate()


def test_a_ledger_that_cannot_be_written_is_told_with_what_is_kept(tmp_path: Path) -> None:
    settings = make_workspace(tmp_path, TWO_GOOD)
    # a file stands where the ledger's folder is to be: recording fails as it does on a full disk
    settings.ledger_root.write_text("in the way")
    with pytest.raises(RunError) as caught:
        run_report("night", settings=settings)
    text = str(caught.value)
    assert re.search(
        r"report 'night' could not be finished: .*ledger.*0 of 2 runs succeeded and are kept in ", text, re.DOTALL
    )
    assert "`workbench report run night --resume` runs the others" in text
    assert batches("night", settings)[0].index.is_file(), "what can still be said is said"


def test_old_batches_are_deleted_but_none_in_use_and_nothing_else(tmp_path: Path) -> None:
    settings = make_workspace(tmp_path, "[report]\nkeep = 2\n" + TWO_GOOD)
    plan = make_plan("night", settings)
    made = [Batch.create(plan, settings) for _ in range(5)]
    assert [batch.id for batch in batches("night", settings)] == [batch.id for batch in reversed(made)]
    stranger = made[0].folder.parent / "2020-01-01T00-00-00Z"
    stranger.mkdir()
    (stranger / "mine.txt").write_text("keep me")
    with made[1].in_use():
        gone = made[4].prune_others(2, settings)
    assert gone == [made[2].id, made[0].id]
    assert [batch.id for batch in batches("night", settings)] == [made[index].id for index in (4, 3, 1)]
    assert (stranger / "mine.txt").is_file()
    assert made[1].prune_others(1, settings) == [made[3].id], "never the one that is asked"


def test_the_bar_names_what_runs_and_tells_failures(tmp_path: Path) -> None:
    from rich.console import Console

    stream = io.StringIO()
    bar = BarProgress(Console(file=stream, force_terminal=True, width=120))
    bar.begin(3, 1)
    bar.started("hold AAA/USDT 1h")
    bar.finished("hold AAA/USDT 1h", "kernel_died", 1.25, "the kernel [bold]died\nsecond line")
    bar.end()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert "hold AAA/USDT 1h  kernel died  1.2 s  the kernel [bold]died" in text and "second line" not in text
    assert "2/3" in text
    assert isinstance(progress_on(io.StringIO()), PlainProgress)
