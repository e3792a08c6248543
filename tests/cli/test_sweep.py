"""`workbench sweep` says what `wb.sweep` says, keeps a named study, and names mistakes with their remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench as wb
from tests.cli.commands import Command, call
from workbench.market.lake import Lake
from workbench.research.trials import TrialBook
from workbench.settings import load_settings

SERIES = ("sma_cross", "GOOGL", "1d")
GRID = ("--grid", "fast=5:25:5", "--grid", "slow=10,50,100", "--where", "fast < slow")


@pytest.fixture
def googl(desk: Path, monkeypatch: pytest.MonkeyPatch) -> wb.Bars:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(desk))
    return Lake(desk / "data" / "lake").read("GOOGL", "1d")


def test_it_prints_the_best_rows(run: Command, googl: wb.Bars) -> None:
    grid = {"fast": [5, 10, 15, 20], "slow": [10, 50, 100]}
    found = wb.sweep(wb.load_strategy("sma_cross"), googl, grid=grid, where=lambda p: p["fast"] < p["slow"])
    told = run("sweep", *SERIES, *GRID, "--metric", "calmar_ratio", "--json").json()
    best = found.best("calmar_ratio")
    assert told["planned"] == len(found) == len(told["rows"]) == 9
    assert [told["rows"][0][name] for name in ("fast", "slow", "trades")] == [
        best["fast"],
        best["slow"],
        best["trades"],
    ]
    assert told["rows"][0]["calmar_ratio"] == pytest.approx(best["calmar_ratio"])
    lines = run("sweep", *SERIES, *GRID, "--top", "2").lines
    assert lines[0] == "SmaCross on GOOGL" and lines[-1].startswith("The best of many is partly luck")
    first = found.best()
    assert lines[1].split()[:3] == ["Row", "fast", "slow"] and len(lines) == 6
    assert lines[2].split()[:3] == [str(word) for word in (first.name, int(first["fast"]), int(first["slow"]))]


def test_a_named_study_is_kept_and_counted_once(own_desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(own_desk))
    words = ("--workspace", own_desk, "sweep", *SERIES, *GRID, "--study", "googl crosses", "--json")
    first, again = call(*words).json(), call(*words).json()
    assert (first["recalled"], again["recalled"]) == (0, 9)
    assert first["rows"] == again["rows"]
    assert TrialBook.of(load_settings(own_desk)).count("googl crosses") == (9, 9)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--grid", "fats=5:9"), "has no parameter 'fats': did you mean 'fast'?"),
        (("--grid", "fast=9:5"), "a range goes up"),
        (("--grid", "fast"), "write a name, = and values"),
        ((), "grid is empty: give values by parameter"),
        (("--grid", "fast=5,6", "--where", "__import__('os')"), "--where"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(run: Command, googl: wb.Bars, words: tuple[str, ...], message: str) -> None:
    done = run("sweep", *SERIES, *words)
    assert done.code == 2 and message in done.err
