"""`workbench bots run|kill|calm|list|parity`: a paper bot in the foreground, ended in every way, and run again."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.commands import Command, Done, arguments, call, environment
from tests.cli.made import workspace_in
from workbench.bots.journal import read_journal
from workbench.bots.killing import kill_order
from workbench.errors import ConfigError, DataError
from workbench.settings import load_settings

BOT = ("library:grid", "--paper", "--replay", "BTC/USDT:1h", "--start", "2021-01-01", "--end", "2021-01-20")


@pytest.fixture
def bots(own_desk: Path) -> Command:
    return lambda *words: call("--workspace", own_desk, "bots", *words)


def told(done: Done) -> dict[str, object]:
    assert done.code == 0, done.err
    return json.loads(done.out)  # type: ignore[no-any-return]


def test_a_bot_runs_to_the_end_of_its_tape(bots: Command, own_desk: Path) -> None:
    done = bots("run", *BOT, "--name", "demo", "--end", "2021-01-06")
    assert done.code == 0, done.err
    assert "demo is STOPPED: the tape has ended" in done.out
    assert bots("verify", "demo").out.startswith("journal 'demo' is whole")
    (row,) = told(bots("list", "--json"))
    assert (row["name"], row["strategy"], row["series"], row["sessions"]) == (  # type: ignore[index]
        "demo", "library:grid", ["BTC/USDT 1h"], 1,
    )  # fmt: skip
    assert told(bots("parity", "demo", "--json"))["score"] == 1.0
    said = bots("parity", "demo", "--trades").out
    assert "demo: parity 100.0%" in said and "long BTC/USDT" in said
    held = told(call("--workspace", own_desk, "portfolio", "--bot", "demo", "--rate", "USDT/USD=1", "--json"))
    lived = told(bots("parity", "demo", "--json"))["lived"]
    assert held["equity"] == pytest.approx(10_000.0 + lived, rel=1e-9)  # type: ignore[operator]
    again = bots("run", *BOT, "--name", "demo", "--end", "2021-01-06")
    assert "all as they were" in again.out


def test_what_cannot_be_run_is_named(bots: Command) -> None:
    for words, said in (
        (("sma_cross",), "say where the bot trades: --paper --replay SYMBOL:TIMEFRAME"),
        ((*BOT, "--name", "a b"), "'a b' cannot name a bot"),
        ((*BOT, "--name", ""), "'' cannot name a bot"),
        ((*BOT, "--speed", "fast"), "--speed 'fast': give max"),
        (("sma_cross", "--paper", "--replay", "BTC/USDT"), "'BTC/USDT' names no series"),
        (("sma_cross", "--paper", "--replay", "NO/SUCH:1h"), "has no NO/SUCH"),
        (("sma_cross", "--paper", "--replay", "BTC/USDT:1h", "-p", "fast=-3"), "fast"),
    ):
        done = bots("run", *words)
        assert done.code == 2 and said in done.err, done
    assert bots("list").out.endswith("shows how to make one\n")
    assert "there is no bot 'demo'" in bots("kill", "demo").err
    assert "name one bot, or give --all" in bots("kill").err
    assert "there is no bot 'demo'" in bots("parity", "demo").err


TALKS = """
import workbench as wb

print("as it is read")

class Talks(wb.OrderStrategy):
    fails: bool = wb.param(False)

    def on_bar(self, view, bar):
        print("a word of the strategy")
        if self.fails:
            raise ValueError("it broke")
"""


def test_what_a_strategy_prints_is_no_part_of_the_answer_and_a_failure_is_one(tmp_path: Path) -> None:
    workspace_in(tmp_path, 30)
    (tmp_path / "strategies" / "talks.py").write_text(TALKS)
    words = ("--workspace", tmp_path, "bots", "run", "talks", "--paper", "--replay", "MADE/UP:1h", "--json")
    done = call(*words, "--name", "well")
    assert told(done)["state"] == "STOPPED" and "a word of the strategy" in done.err and "as it is read" in done.err
    failed = call(*words, "--name", "badly", "-p", "fails=true")
    answer = json.loads(failed.out)
    assert failed.code == 1 and answer["state"] == "FAILED" and "it broke" in answer["reason"], failed
    again = json.loads(call(*words, "--name", "badly", "-p", "fails=true").out)
    assert again["state"] == "FAILED" and "it broke" in again["reason"]


def test_a_kill_file_forbids_to_start(bots: Command, own_desk: Path) -> None:
    assert bots("kill", "--all").code == 0
    assert (own_desk / "data" / "KILL").is_file()
    done = bots("run", *BOT, "--name", "demo")
    assert done.code == 2 and "a kill file forbids 'demo' to run; `workbench bots calm --all` takes" in done.err
    assert bots("calm", "--all").out == "taken away: KILL\n"
    assert bots("calm", "--all").out == "there was no kill file\n"
    assert kill_order(load_settings(own_desk), "demo") == ""


def test_all_kill_files_are_taken_away_and_bots_that_do_not_run_are_told_of_together(
    bots: Command, own_desk: Path
) -> None:
    names = ("demo", "h1", "k4")
    for name in names:
        assert bots("run", *BOT, "--end", "2021-01-02", "--name", name).code == 0
        done = bots("kill", name)
        assert (done.code, "ends now" in done.out, f"calm {name}` takes it back" in done.out) == (0, False, True)
        assert f"{name} does not run, and trades on paper" in done.err
    done = bots("run", *BOT, "--name", "h1")
    assert done.code == 2 and "`workbench bots calm h1` takes" in done.err
    done = bots("kill", "--all")
    assert done.code == 0 and done.err == "" and done.out.count("\n") <= 3
    assert "3 bots do not run, and have nothing at a venue: demo, h1, k4" in done.out
    done = bots("calm", "demo")
    assert done.out == "taken away: demo.kill\n" and "`workbench bots calm --all`" in done.err
    assert bots("calm", "--all").out == "taken away: KILL, h1.kill, k4.kill\n"
    assert not any(kill_order(load_settings(own_desk), name) for name in names)


FAILS = """
import workbench as wb

class Fails(wb.OrderStrategy):
    def on_bar(self, view, bar):
        if view.count() == 30:
            HOW
"""


@pytest.mark.parametrize(
    ("how", "said"), [('raise KeyError("no such")', "KeyError: 'no such'"), ("raise SystemExit(0)", "SystemExit: 0")]
)
def test_a_strategy_that_raises_on_a_tape_has_failed(bots: Command, own_desk: Path, how: str, said: str) -> None:
    (own_desk / "strategies" / "fails.py").write_text(FAILS.replace("HOW", how))
    words = ("run", "fails", *BOT[1:], "--name", "demo")
    for again in (False, True):
        done = bots(*words)
        assert done.code == 1 and "demo is FAILED: failed" in done.out and said in done.out, done
        assert ("failed again at the same place" in done.out) is again
        assert "2021-01-02 06:00" in done.out and "line 7 of fails.py" in done.out
        (row,) = told(bots("list", "--json"))
        assert (row["state"], row["running"], row["sessions"]) == ("FAILED", False, 1)  # type: ignore[index]
        assert "FAILED" in bots("list").out and "broken off" not in bots("list").out
    assert bots("verify", "demo").code == 0
    done = bots("parity", "demo")
    assert done.code == 2 and said in done.err and "line 7 of fails.py" in done.err and done.err.count("\n") < 8, done


def written(desk: Path) -> tuple[int, int]:
    """How many sessions and entries the journal of the bot has."""
    try:
        with read_journal("demo", load_settings(desk)) as reader:
            return len(reader.sessions()), reader.head.position
    except (ConfigError, DataError):  # not there yet, or being made
        return 0, 0


def started(desk: Path, *words: str) -> subprocess.Popen[str]:
    """Run a bot in a process of its own, and wait until it trades."""
    process = subprocess.Popen(
        arguments("bots", "run", *BOT, "--name", "demo", *words), cwd=desk, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    before, until = written(desk), time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        now = written(desk)
        if now[0] > before[0] and now[1] > before[1] + 30:
            return process
        time.sleep(0.02)
    process.kill()
    raise AssertionError(process.communicate(timeout=5))


def test_broken_off_and_stopped_it_goes_on_and_ends_as_if_nothing_had_been(bots: Command, own_desk: Path) -> None:
    slow = ("--speed", "60000")
    killed = started(own_desk, *slow)
    killed.kill()
    assert killed.wait(10) == -signal.SIGKILL
    killed.communicate()
    stopped = started(own_desk, *slow)
    stopped.send_signal(signal.SIGINT)
    out, err = stopped.communicate(timeout=30)
    assert (stopped.returncode, "demo is STOPPED: stopped by its user" in out) == (0, True), err
    assert "all as they were" in out
    assert bots("run", *BOT, "--name", "demo").code == 0
    assert bots("run", *BOT, "--name", "whole").code == 0
    assert bots("verify").code == 0
    settings = load_settings(own_desk)
    with read_journal("demo", settings) as reader, read_journal("whole", settings) as other:
        assert [one.reason for one in reader.sessions()] == ["", "stopped by its user", "the tape has ended"]
        one, two = ([entry.body for entry in each.entries(kinds={"Filled", "Bar"})] for each in (reader, other))
    assert [body.split(",", 2)[2] for body in one] == [body.split(",", 2)[2] for body in two]  # but for order ids


def test_it_is_killed_from_another_terminal(bots: Command, own_desk: Path) -> None:
    process = started(own_desk, "--speed", "3600")
    assert bots("kill", "demo", "--flatten").code == 0
    out, err = process.communicate(timeout=30)
    assert "demo is KILLED: a kill file" in out, err
    assert "0 open orders, 0 open positions" in out
    assert bots("calm", "demo").code == 0
    done = bots("run", *BOT, "--name", "demo")
    assert done.code == 2 and "was killed" in done.err and "--revive" in done.err
    assert bots("run", *BOT, "--name", "demo", "--revive").code == 0


def test_a_parameter_file_says_all_of_a_bot(bots: Command, own_desk: Path) -> None:
    file = own_desk / "strategies" / "mine.yaml"
    assert bots("template", "grid", "--output", str(file)).code == 0
    span = ("--start", "2021-01-01", "--end", "2021-01-03")
    done = bots("run", str(file), "--paper", *span, "--json")
    assert told(done)["name"] == "mine"
    (row,) = told(bots("list", "--json"))
    assert (row["strategy"], row["series"], row["state"], row["running"]) == (  # type: ignore[index]
        "library:grid", ["BTC/USDT 1h"], "STOPPED", False,
    )  # fmt: skip
    file.write_text(file.read_text().replace("maker_fee: null", "maker_fee: 0.001"))
    refused = bots("run", str(file), "--paper", *span, "--name", "other")
    assert refused.code == 2 and "of costs a bot takes fee and slippage_bps" in refused.err
    rules = bots("run", "sma_cross.yaml", "--paper", "--replay", "BTC/USDT:1h", *span, "--name", "rules")
    assert rules.code == 0 and "rules is STOPPED: the tape has ended" in rules.out
