"""Sizings in the ledger: a sized run is run again as it was, and runs of two sizings are two answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

import workbench as wb
from tests.research.test_labbook import SOURCE, made_bars
from workbench.market.lake import Lake
from workbench.research.labbook import study
from workbench.research.recorder import record_run
from workbench.research.rerunning import rerun
from workbench.risk import sizing as sz
from workbench.strategy.loader import load_strategy

CAPS = sz.Caps(position=0.3, group={"made": 0.4}, groups={"MADE/UP": "made"})


@pytest.fixture
def bars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> wb.Bars:
    (tmp_path / "workbench.toml").touch()
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "up.py").write_text(SOURCE)
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    Lake(tmp_path / "data" / "lake").write(made_bars())
    return Lake(tmp_path / "data" / "lake").read("MADE/UP", "1h")


@pytest.mark.parametrize("sizing", [sz.VolatilityTarget(0.2), sz.Pyramid(sz.Kelly(min_trades=5), scale=1.0, caps=CAPS)])
def test_a_sized_run_is_run_again_and_agrees(sizing: sz.Sizing, bars: wb.Bars) -> None:
    run = record_run(wb.backtest(load_strategy("up")(), bars, sizing=sizing))
    assert run.rules["sizing"] == sz.told(sizing)
    found = rerun(run.run_id)
    assert found.reproduced and found.causes == ()
    assert found.result is not None and found.result.plan.sizing == sizing


def test_two_sizings_are_two_answers(bars: wb.Bars) -> None:
    book, up = study("sized"), load_strategy("up")()
    kinds = [None, sz.PercentEquity(0.1), sz.PercentEquity(0.2)]
    runs = [book.backtest(up, bars, rules=wb.Rules(sizing=one)).run for one in (*kinds, kinds[1])]
    assert len({one.metrics["total_return"] for one in runs[:3]}) == 3
    assert runs[3].metrics == runs[1].metrics


def test_a_sizing_of_ones_own_is_not_made_up_again(bars: wb.Bars) -> None:
    @dataclass(frozen=True, repr=False)
    class Tenth(sz.Sizing):
        """A tenth."""

        def ask(self, state: sz.SizingState) -> sz.Ask:
            return sz.Ask("exposure", 0.1)

    run = record_run(wb.backtest(load_strategy("up")(), bars, sizing=Tenth()))
    assert "terms: rules.sizing was Tenth(), which the ledger does not keep" in rerun(run.run_id).causes
