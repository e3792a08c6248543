"""`workbench report`: run, list, open. What the pipeline does is tested where it lives."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.commands import arguments, call, environment, process

TINY = """[[runs]]
strategies = ["sma_cross", "moody"]
series = ["SPX 1d"]
start = 2016-01-01
"""
MOODY = """import workbench as wb


class Moody(wb.SignalStrategy):
    def signals(self, bars):
        {what}
"""


def test_run_list_open_and_resume(own_desk: Path) -> None:
    (own_desk / "reports" / "tiny.toml").write_text(TINY)
    moody = own_desk / "strategies" / "moody.py"
    moody.write_text(MOODY.format(what="raise RuntimeError('not today')"))

    failed = process("report", "run", "tiny", cwd=own_desk)
    assert failed.code == 1, failed.err
    index = Path(failed.lines[-1])
    assert index.is_absolute() and index.is_file()
    assert (len(failed.lines), "\x1b" in failed.err) == (1, False)
    assert "sma_cross SPX 1d  succeeded" in failed.err
    assert "moody SPX 1d  failed" in failed.err
    assert "1 of 2 runs succeeded, " in failed.err
    (told,) = call("--workspace", own_desk, "report", "list", "tiny", "--json").json()["batches"]
    assert (told["runs"], told["succeeded"], told["failed"], told["index"]) == (2, 1, 1, str(index))

    moody.write_text(MOODY.format(what="return wb.Signals(entry=bars.close > 0, exit=bars.close < 0)"))
    mended = process("report", "run", "tiny", "--resume", "--workers", "1", cwd=own_desk)
    assert (mended.code, mended.lines) == (0, [str(index)]), mended.err
    assert "sma_cross SPX 1d  succeeded" not in mended.err

    listed = call("--workspace", own_desk, "report", "list")
    row = next(line.split() for line in listed.lines if line.startswith("tiny"))
    assert row[-4:] == ["2", "2", "0", str(index)]
    assert "nightly has not been run yet: workbench report run nightly" in listed.lines
    assert call("--workspace", own_desk, "report", "open", "--print").lines == [str(index)]
    assert process("report", "open", "tiny", cwd=own_desk, DISPLAY="", WAYLAND_DISPLAY="", BROWSER="").lines == [
        str(index)
    ]


@pytest.mark.long
def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(own_desk: Path) -> None:
    started = subprocess.Popen(
        arguments("report", "run", "nightly"),
        cwd=own_desk, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert started.stderr is not None
    assert "succeeded" in started.stderr.readline()
    os.killpg(started.pid, signal.SIGINT)  # as a terminal does: to the command and all that it has started
    out, err = started.communicate(timeout=120)
    assert started.returncode == 130
    assert Path(out.strip()).is_file()
    assert err.endswith("Error: stopped by Ctrl-C; `workbench report run nightly --resume` does the rest\n")


def test_open_calls_the_browser_that_the_user_has_chosen(own_desk: Path, tmp_path: Path) -> None:
    batch = own_desk / "reports" / "output" / "nightly" / "2024-01-02T03-04-05Z"
    batch.mkdir(parents=True)
    (batch / "index.html").touch()
    (batch / "plan.json").touch()
    (batch.parent / "latest").write_text(batch.name)
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path / "opened"}\n')
    browser.chmod(0o755)
    done = process("report", "open", cwd=own_desk, BROWSER=f"{browser} %s")
    assert (done.code, done.lines) == (0, [str(batch / "index.html")])
    assert (tmp_path / "opened").read_text().strip() == (batch / "index.html").as_uri()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "nigthly"], "there is no report 'nigthly'"),
        (["open", "nigthly"], "there is no report 'nigthly'"),
        (["open", "nightly"], "report 'nightly' has not been run yet: `workbench report run nightly`"),
        (["open"], "has been run yet: `workbench report run nightly`"),
        (["run", "nightly", "--workers", "0"], "greater than or equal to 1"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(desk: Path, words: list[str], message: str) -> None:
    done = call("--workspace", desk, "report", *words)
    assert (done.code, done.out) == (2, "")
    assert message in " ".join(done.err.replace("│", " ").split())


def test_list_before_anything_was_run(desk: Path) -> None:
    assert call("--workspace", desk, "report", "list").lines == [
        "nightly has not been run yet: workbench report run nightly",
        "parity has not been run yet: workbench report run parity",
    ]
    assert call("--workspace", desk, "report", "list", "--json").json() == {
        "reports": ["nightly", "parity"],
        "batches": [],
    }
    assert "There is no report other in" in call("--workspace", desk, "report", "list", "other").out
