"""`workbench strategies check`: the verdict in words, as data, and as an exit code."""

from __future__ import annotations

from pathlib import Path

from tests.cli.commands import Command, call

CHEAT = '''"""Buys what rises tomorrow."""
import numpy as np
import workbench as wb


class Tomorrow(wb.SignalStrategy):
    days: int = wb.param(1, low=0, high=5)

    def signals(self, bars):
        tomorrow = np.roll(bars.close, -self.days)
        return wb.Signals(entry=tomorrow > bars.close)
'''


def test_a_bundled_strategy_passes(run: Command) -> None:
    done = run("strategies", "check", "sma_cross", "SPX", "1d", "--start", "2010-01-01")
    assert done.code == 0, done.out
    assert done.lines[0] == "SmaCross(fast=10, slow=30)"
    assert done.lines[1].startswith("SPX 1d, ")
    assert done.lines[2] == "warm-up 29 bars measured, 30 declared"
    rows = [line.split()[:4] for line in done.lines]
    assert ["Column", "Kind", "Looks", "ahead"] in rows and ["slow", "column", "no", "29"] in rows
    assert done.lines[-1].startswith("passed")


def test_a_cheat_is_named_and_the_exit_code_is_one(own_desk: Path) -> None:
    (own_desk / "strategies" / "tomorrow.py").write_text(CHEAT)
    done = call("--workspace", own_desk, "strategies", "check", "tomorrow", "SPX", "1d")
    assert done.code == 1
    assert any(line.startswith("critical: Look-ahead: tomorrow (bar ") for line in done.lines)
    assert done.lines[-1].startswith("did not pass: 2 critical")
    plain = call("--workspace", own_desk, "strategies", "check", "tomorrow", "SPX", "1d", "--json")
    assert plain.code == 1
    assert {one["column"] for one in plain.json()["findings"] if one["kind"] == "look_ahead"} == {"entry", "tomorrow"}


def test_parameters_can_be_given(own_desk: Path) -> None:
    (own_desk / "strategies" / "tomorrow.py").write_text(CHEAT)
    done = call("--workspace", own_desk, "strategies", "check", "tomorrow", "SPX", "1d", "-p", "days=0", "--json")
    assert done.json()["name"] == "Tomorrow(days=0)" and done.json()["passed"] and done.code == 0


def test_without_a_series_it_takes_the_longest_one(run: Command) -> None:
    longest = max(run("data", "list", "--json").json(), key=lambda one: one["rows"])
    done = run("strategies", "check", "sma_cross", "--json")
    assert done.code == 0
    assert done.json()["market"].startswith(f"{longest['symbol']} {longest['timeframe']}, {longest['rows']:,} bars")
    assert run("strategies", "check", "sma_cross", "SPX", "--json").json()["market"].startswith("SPX 1d, ")


def test_what_is_not_there_is_an_error(run: Command, tmp_path: Path) -> None:
    done = run("strategies", "check", "sma_cross", "NOTHING")
    assert (done.code, "the lake has no series of NOTHING to check on" in done.err) == (2, True)
    done = run("strategies", "check", "sma_crass")
    assert (done.code, "did you mean 'sma_cross'?" in done.err) == (2, True)
