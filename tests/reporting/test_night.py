"""What the summary notebook says of a batch."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from workbench.errors import RunError
from workbench.reporting.night import load_night
from workbench.research.ledger import Ledger
from workbench.research.run import Run

NOON = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)


def run(number: int, *, sharpe: float | None = None, status: str = "succeeded", **metrics: float) -> Run:
    told = {"sharpe_ratio": sharpe, "total_return": 0.1, "max_drawdown": -0.2, "benchmark_return": 0.2, **metrics}
    return Run(
        run_id=f"20260701T12{number:02}", report="nightly", batch="b1", name=f"run-{number}", notebook="backtest",
        strategy="sma_cross" if number % 2 else "<b>other</b>", symbol="BTC/USDT", timeframe="1h", status=status,
        error="it <broke>" if status != "succeeded" else "", metrics=told if status == "succeeded" else {},
        started=NOON, finished=NOON,
    )  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "ledger")
    summary = Run(
        run_id="20260701T1259",
        report="nightly",
        batch="b1",
        name="nightly",
        notebook="nightly",
        started=NOON,
        finished=NOON,
    )
    ledger.append(
        [
            run(1, sharpe=0.5), run(2, sharpe=1.5, total_return=0.4), run(3), run(4, status="timed_out"),
            run(5, sharpe=-1.0, total_return=-0.3, max_drawdown=-0.6), summary,
        ]
    )  # fmt: skip
    return ledger


def test_best_first_and_those_without_a_ratio_last(ledger: Ledger) -> None:
    night = load_night(ledger=ledger)
    assert [one.name for one in night.succeeded] == ["run-2", "run-1", "run-5", "run-3"]
    assert night.frame["sharpe_ratio"].tolist()[:3] == [1.5, 0.5, -1.0]
    assert night.worst_drawdowns()["depth"].iloc[0] == "−60.00 %"


def test_named_results_count_what_failed_too(ledger: Ledger) -> None:
    assert load_night(ledger=ledger).named_results() == {
        "batch": "b1", "runs": 5, "succeeded": 4, "failed": 1, "made_money": 3, "beat_buy_and_hold": 1,
        "median_sharpe_ratio": 0.5, "doctor_critical": 0, "doctor_warnings": 0,
    }  # fmt: skip


def test_the_doctor_is_asked_first(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    said = ["critical", "critical", "warning", "fine", "<i>"]
    ledger.append([run(n, sharpe=1.0 / n, doctor_worst=word) for n, word in enumerate(said, 1)])  # type: ignore[arg-type]
    night = load_night(ledger=ledger)
    assert "critical in <strong>2</strong> of 4 and warns of 1 more" in night._repr_html_()
    assert night.frame["doctor"].tolist() == ["critical", "critical", "warning", "fine", ""]
    found = night.named_results()
    assert (found["doctor_critical"], found["doctor_warnings"]) == (2, 1)
    assert "<i>" not in night.table().to_html()


def test_without_diagnoses_nothing_is_said_of_them(ledger: Ledger) -> None:
    assert "doctor" not in load_night(ledger=ledger)._repr_html_()


def test_failures_are_named_and_text_is_escaped(ledger: Ledger) -> None:
    night = load_night(ledger=ledger)
    page = night._repr_html_()
    assert "run-4: timed_out, it &lt;broke&gt;" in page
    assert night.by_strategy().data.loc["sma_cross", "markets"] == 3
    assert "<b>" not in night.table().to_html() + night.by_strategy().to_html()


def test_everything_can_be_shown_even_of_an_empty_ledger(ledger: Ledger, tmp_path: Path) -> None:
    for night in (load_night(ledger=ledger), load_night(ledger=Ledger(tmp_path / "none"))):
        assert night.table().to_html() and night.by_strategy().to_html() and night.plot().axes
    assert "has not run yet" in night._repr_html_()
    assert night.named_results()["median_sharpe_ratio"] is None


def test_an_unknown_batch_names_the_newest(ledger: Ledger) -> None:
    with pytest.raises(RunError, match="report 'nightly' has no batch 'b7'; the newest are b1"):
        load_night("nightly", "b7", ledger=ledger)
