"""`workbench optimise` and `workbench walk-forward` say what the functions say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import workbench as wb
from tests.cli.commands import Command, call
from workbench.market.lake import Lake
from workbench.research.optimising import optimise
from workbench.research.validation import walk_forward

SERIES = ("sma_cross", "GOOGL", "1d")
SPACE = {"fast": (5, 25, 10), "slow": [50, 100]}
RANGES = ("--range", "fast=5:25:10", "--range", "slow=50,100")


@pytest.fixture
def googl(desk: Path, monkeypatch: pytest.MonkeyPatch) -> wb.Bars:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(desk))
    return Lake(desk / "data" / "lake").read("GOOGL", "1d")


def test_a_search_prints_its_best_trials(run: Command, googl: wb.Bars) -> None:
    found = optimise(wb.load_strategy("sma_cross"), googl, objective="calmar", trials=6, sampler="grid", space=SPACE)
    words = ("optimise", *SERIES, "--objective", "calmar", "--sampler", "grid", "--trials", "6", *RANGES)
    told = json.loads(run(*words, "--json").out)
    assert told["best"] == found.best() and told["values"]["calmar_ratio"] == pytest.approx(found.best_value)
    assert len(told["table"]) == told["trials"] == 6
    lines = run(*words, "--keep", "trades>=1").lines
    assert lines[0].startswith("SmaCross on GOOGL 1d") and "Calmar ratio" in lines[1]
    assert lines[2].split()[1:3] == [str(found.best()["fast"]), str(found.best()["slow"])]


def test_a_walk_forward_prints_windows_and_stability(run: Command, googl: wb.Bars) -> None:
    options = {"train": 500, "test": 500, "sampler": "grid", "space": SPACE}
    found = walk_forward(wb.load_strategy("sma_cross"), googl, **options)
    words = ("walk-forward", *SERIES, "--train", "500", "--test", "500", "--grid", *RANGES)
    told = json.loads(run(*words, "--json").out)
    assert told["metrics"]["total_return"] == pytest.approx(found.metrics["total_return"])
    assert [one["parameters"] for one in told["windows"]] == [dict(one.parameters) for one in found.windows]
    assert len(told["equity"]["value"]) == len(found.equity)
    text = run(*words).out
    assert "out of sample" in text and "buy and hold" in text and "drift" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("optimise", *SERIES, "--range", "fast"), "--range 'fast': write NAME=LOW:HIGH"),
        (("optimise", *SERIES, "--keep", "trades"), "--keep 'trades': write a metric"),
        (("optimise", *SERIES, "--objective", "sharp"), "did you mean 'sharpe'"),
        (("walk-forward", *SERIES, "--train", "90000d"), "leaves none to test"),
    ],
)
def test_wrong_words_are_refused(desk: Path, words: tuple[str, ...], message: str) -> None:
    done = call("--workspace", desk, *words)
    assert done.code == 2 and message in done.err
