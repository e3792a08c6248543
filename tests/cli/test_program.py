"""The command as a whole: help, shared options, errors, signals, pipes, terminals and character sets."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import workbench
from tests.cli.commands import Command, arguments, call, environment, on_terminal, process

COMMANDS = [
    "init",
    "data list", "data show", "data import", "data check", "data sql",
    "indicators list", "indicators show", "metrics list", "metrics show", "metrics differences",
    "strategies list", "strategies show",
    "backtest",
    "books import", "books balances", "books entries", "books show", "books add", "books reverse", "books reconcile",
    "books match", "books verify",
    "bots templates", "bots template",
    "bots verify", "bots logs", "bots sessions", "bots export", "bots prune",
    "vault add", "vault list", "vault rotate", "vault remove", "vault check",
    "practice serve", "practice scenario", "practice scenarios",
    "report run", "report list", "report open",
    "cluster start",
    "export",
    "tax report", "tax explain", "tax template", "tax options",
    "lab",
    "doctor",
]  # fmt: skip


def test_help_lists_the_commands_in_the_order_of_use() -> None:
    done = call("--help")
    assert done.code == 0
    names = re.findall(r"^│ ([\w-]+)  ", done.out.partition("Commands")[2], flags=re.M)
    assert names == [
        "init", "data", "indicators", "metrics", "strategies", "backtest", "sweep", "optimise", "walk-forward",
        "portfolio", "books", "bots", "limits", "vault", "practice", "report", "cluster", "runs", "export", "tax",
        "lab", "doctor",
    ]  # fmt: skip
    assert call("-h").out == done.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_examples_of_itself(command: str) -> None:
    done = call(*command.split(), "--help")
    assert done.code == 0
    assert f"workbench {command}" in done.out.partition("Examples")[2]


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from workbench.cli import app\n"
        "try: app(['backtest', '--help'], prog_name='workbench')\n"
        "except SystemExit: pass\n"
        "heavy = {'duckdb', 'numba', 'numpy', 'pandas', 'pyarrow', 'jupyter_core', 'workbench.settings'}\n"
        "print('loaded:', *sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].strip() == "loaded:"


def test_version() -> None:
    done = call("--version")
    assert (done.code, done.out.split()[:2]) == (0, ["workbench", workbench.__version__])


def test_without_a_command_it_shows_help() -> None:
    assert "Usage: workbench" in call().out
    assert "Usage: workbench data" in call("data").out


def test_a_mistyped_command_is_met_with_a_suggestion() -> None:
    done = call("data", "lst")
    assert (done.code, done.out) == (2, "")
    assert "Did you mean 'list'?" in done.err


def test_an_error_is_one_block_on_stderr_and_exit_code_2(run: Command) -> None:
    done = run("data", "show", "BTC/USD", "1h")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: the lake at ")
    assert "did you mean 'BTC/USDT'" in done.err
    assert "Traceback" not in done.err


def test_the_notes_of_an_error_follow_it(run: Command, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("time,open,high,low,close,volume\n2021-01-01,1,1,1,one,1\n2021-01-02,1,1,1,1,1\n")
    done = run("data", "import", tmp_path / "bad.csv", "--symbol", "X/Y")
    assert done.code == 2
    assert done.err.splitlines()[-1] == f"  while importing {tmp_path / 'bad.csv'}"


def test_debug_shows_where_an_error_came_from(desk: Path) -> None:
    done = process("data", "show", "NO/SUCH", "1h", "--debug", cwd=desk)
    assert done.code == 1
    assert "Traceback" in done.err
    assert "DataError: the lake at " in done.err


def test_shared_options_may_stand_anywhere(desk: Path) -> None:
    first = call("--workspace", desk, "data", "list")
    assert first.code == 0
    assert "BTC/USDT" in first.out
    for words in (["data", "--workspace", desk, "list"], ["data", "list", f"--workspace={desk}"]):
        assert call(*words) == first


def test_the_workspace_option_ends_with_the_command(desk: Path) -> None:
    before = os.environ["WORKBENCH_WORKSPACE"]
    assert call("data", "list", "--workspace", desk).code == 0
    assert os.environ["WORKBENCH_WORKSPACE"] == before


def test_a_workspace_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    done = call("--workspace", tmp_path / "no", "data", "list")
    assert done.code == 2
    assert f"there is no such folder; make it a workspace with `workbench init {tmp_path / 'no'}`" in done.err


@pytest.mark.parametrize("command", ["data list", "strategies list", "backtest a b 1d", "report run nightly", "lab"])
def test_outside_of_a_workspace_nothing_is_scattered_about(command: str, tmp_path: Path) -> None:
    done = call("--workspace", tmp_path, *command.split())
    assert done.code == 2
    assert "is not in a workspace (there is no workbench.toml in it or above it)" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_command_works_in_a_folder_inside_the_workspace(desk: Path) -> None:
    assert process("strategies", "list", cwd=desk / "notebooks").lines[0].startswith("Name")


def test_a_wrong_setting_is_named(own_desk: Path) -> None:
    (own_desk / "workbench.toml").write_text("[backtest]\ncash = -5\n")
    done = call("--workspace", own_desk, "data", "list")
    assert done.code == 2
    assert "[backtest] cash is -5; it must be a positive amount of money" in done.err


def test_a_warning_is_one_line_without_a_place_in_the_code(own_desk: Path) -> None:
    manifest = next((own_desk / "data" / "lake").rglob("symbol=WTI/**/manifest.json"))
    manifest.write_text("{")
    done = process("data", "list", cwd=own_desk)
    assert done.code == 0
    assert done.err.startswith("Warning: WTI 1d at fred is left out: ")
    assert done.err.count("\n") == 1
    assert "WTI" not in done.out


def test_ctrl_c_ends_it_with_130_and_one_line(own_desk: Path) -> None:
    sign = own_desk / "started"
    (own_desk / "strategies" / "endless.py").write_text(
        "import pathlib, time\nimport workbench as wb\n\n\nclass Endless(wb.SignalStrategy):\n"
        f"    def signals(self, bars):\n        pathlib.Path({str(sign)!r}).touch()\n        time.sleep(600)\n"
    )
    started = subprocess.Popen(
        arguments("backtest", "endless", "BTC/USDT", "1d"),
        cwd=own_desk, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not sign.exists() and time.monotonic() < deadline and started.poll() is None:
        select.select([], [], [], 0.02)
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert (started.returncode, out, err) == (130, "", "Error: stopped by Ctrl-C\n")


def test_a_closed_pipe_is_no_error(desk: Path) -> None:
    started = subprocess.Popen(
        arguments("data", "show", "BTC/USDT", "1h", "--csv"),
        cwd=desk, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert started.stdout is not None and started.stderr is not None
    assert started.stdout.readline() == b"ts,open,high,low,close,volume\n"
    started.stdout.close()
    assert started.stderr.read() == b""
    started.stderr.close()
    assert started.wait(timeout=60) == 141


def test_another_broken_pipe_is_not_taken_for_that_one(own_desk: Path) -> None:
    (own_desk / "strategies" / "leaky.py").write_text(
        "import workbench as wb\n\n\nclass Leaky(wb.SignalStrategy):\n"
        "    def signals(self, bars):\n        return wb.Signals(entry=bars.close > 0, exit=bars.close < 0)\n\n"
        "    def validate(self):\n        raise BrokenPipeError\n"
    )
    done = process("backtest", "leaky", "SPX", "1d", cwd=own_desk)
    assert (done.code, "BrokenPipeError" in done.err) == (1, True)


def test_a_pipe_gets_whole_values_and_no_escape_codes(desk: Path) -> None:
    done = process("data", "list", cwd=desk, COLUMNS="40", FORCE_COLOR="1")
    assert done.code == 0
    assert not re.search(r"[\x1b…│─]", done.out)
    assert "gapless-crypto-data 2.5.0 (Binance public data, spot klines)" in done.out
    header, first, *_ = done.lines
    assert header.index("Venue") == first.index("binance")
    assert not any(line != line.rstrip() for line in done.lines)


def test_minus_signs_in_a_pipe_are_hyphens(run: Command) -> None:
    done = run("backtest", "sma_cross", "BTC/USDT", "1d")
    assert re.search(r"^Max drawdown +-\d+\.\d+ %$", done.out, flags=re.M)


def test_a_terminal_gets_colours_and_no_line_is_wider(desk: Path) -> None:
    code, said = on_terminal("data", "list", cwd=desk, columns=90)
    assert code == 0
    assert "\x1b[1m" in said
    bare = re.sub(r"\x1b\[[\d;]*m", "", said)
    assert "BTC/USDT" in bare
    assert max(map(len, bare.splitlines())) <= 90
    _, plain = on_terminal("data", "list", cwd=desk, columns=90, more={"NO_COLOR": "1"})
    assert "\x1b[3" not in plain


def test_an_error_on_a_terminal_is_a_red_block(desk: Path) -> None:
    code, said = on_terminal("strategies", "show", "sma_crss", cwd=desk, columns=60)
    assert code == 2
    assert "\x1b[31m┃ Error: there is no strategy 'sma_crss'" in said
    bare = re.sub(r"\x1b\[[\d;]*m", "", said).splitlines()
    assert len(bare) > 1
    assert all(line.startswith("┃ ") for line in bare)


def test_source_on_a_terminal_is_coloured_and_unbroken(desk: Path) -> None:
    code, said = on_terminal("strategies", "show", "sma_cross", cwd=desk, columns=60)
    assert code == 0
    bare = re.sub(r"\x1b\[[\d;]*m", "", said)
    assert bare != said
    source = (desk / "strategies" / "sma_cross.py").read_text().rstrip()
    assert source in bare


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        ("--help", "ascii"),
        ("backtest sma_cross BTC/USDT 1d", "ascii"),
        ("data show BTC/USDT 1d", "latin-1"),
    ],
)
def test_text_that_the_stream_cannot_hold_comes_as_the_nearest_that_it_can(
    desk: Path, words: str, encoding: str
) -> None:
    done = process(*words.split(), cwd=desk, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert (done.code, done.err, "?" in done.out) == (0, "", False)
    assert done.out.isascii()


def test_on_a_terminal_without_utf8_tables_are_plain_characters(desk: Path) -> None:
    more = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    code, said = on_terminal("backtest", "sma_cross", "BTC/USDT", "1d", cwd=desk, more=more)
    assert code == 0
    assert said.isascii()
    assert re.search(r"^Max drawdown +-\d", said, flags=re.M)


def complete(desk: Path, *words: str) -> list[str]:
    """What the shell would offer for the last of the words."""
    done = subprocess.run(
        [sys.executable, "-m", "workbench"],
        cwd=desk, capture_output=True, text=True, check=True,
        env=environment(
            _WORKBENCH_COMPLETE="complete_bash", COMP_WORDS=" ".join(["workbench", *words]), COMP_CWORD=str(len(words))
        ),
    )  # fmt: skip
    return done.stdout.split()


def test_tab_offers_strategies_symbols_and_reports(desk: Path) -> None:
    assert complete(desk, "backtest", "sma") == ["sma_cross", "sma_cross.yaml"]
    assert complete(desk, "backtest", "sma_cross", "BT") == ["BTC/USDT"]
    assert complete(desk, "report", "run", "night") == ["nightly"]


def test_tab_outside_of_a_workspace_offers_nothing(tmp_path: Path) -> None:
    (tmp_path / "workbench.toml").write_text("not toml")
    assert complete(tmp_path, "backtest", "sma") == []
    assert complete(tmp_path, "data", "show", "B") == []
