"""The report: worst first, as text, as data and as HTML; and what the check refuses to start with."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import numpy as np
import pytest

import workbench as wb
from tests.research.check import planted
from tests.research.check.made import walk
from workbench.errors import ConfigError, DataError, StrategyError
from workbench.research.check import KINDS, CheckReport, ColumnReport, Finding, check_columns

BARS = walk(800)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def report() -> CheckReport:
    return wb.check(planted.StopOfTheFuture(), BARS)


def test_findings_come_worst_first_and_signals_before_columns(report: CheckReport) -> None:
    order = ["critical", "warning", "note"]
    severities = [order.index(one.severity) for one in report]
    assert severities == sorted(severities) and len(report) == len(report.findings) > 1
    assert [one.column for one in report.look_ahead] == ["stop_loss", "worst", "stop"]
    flags = [one.is_signal for one in report.columns]
    assert flags == sorted(flags, reverse=True)
    assert {one.name for one in report.columns if one.look_ahead} == {"stop_loss", "worst", "stop"}


def test_it_is_plain_data(report: CheckReport) -> None:
    told = json.loads(report.to_json())
    assert told == report.to_dict()
    assert told["passed"] is False and told["declared_warm_up"] == 0
    first = told["findings"][0]
    assert (first["kind"], first["column"], first["bars_ahead"]) == ("look_ahead", "stop_loss", 1)
    assert first["time"].startswith("2021-01-04")
    assert all(one["kind"] in KINDS for one in told["findings"])


def test_a_missing_value_is_null_in_json() -> None:
    told = json.loads(wb.check(planted.ShiftedBack(), BARS).to_json())
    assert None in [one["before"] for one in told["findings"] if one["column"] == "tomorrow"]


def test_it_reads_as_text(report: CheckReport) -> None:
    text = str(report).splitlines()
    assert text[0] == f"StopOfTheFuture() on {report.market}: {report.summary}"
    assert report.summary.startswith("did not pass: 3 critical")
    assert any(line.startswith("CRITICAL  Look-ahead: stop_loss: at bar ") for line in text)
    assert repr(report) == f"<CheckReport StopOfTheFuture(): {report.summary}>"
    assert repr(wb.check(planted.StopOfTheFuture(), BARS)) == repr(report)


class _Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data.replace("\N{NO-BREAK SPACE}", " ")


def test_the_html_shows_what_is_wrong_first_and_the_columns_last(report: CheckReport) -> None:
    from workbench.reporting.cleaning import clean_html

    html = report._repr_html_()
    reader, cleaned = _Balanced(), _Balanced()
    reader.feed(html)
    assert reader.open == []
    serious = [one for one in report if one.severity != "note"]
    places = [reader.text.index(f"{one.title}. ") for one in serious]
    assert places == sorted(places) and reader.text.index("Columns looked at") > places[-1]
    assert all(one.remedy in reader.text for one in report)
    cleaned.feed(clean_html(html))
    assert cleaned.text == reader.text


def test_hostile_names_are_text() -> None:
    finding = Finding(kind="clock", severity="warning", said=HOSTILE, remedy=HOSTILE, column=HOSTILE,
                      evidence={HOSTILE: HOSTILE})  # fmt: skip
    column = ColumnReport(name=HOSTILE, is_signal=False, settles="yes", warm_up=3)
    html = CheckReport(
        name=HOSTILE, market=HOSTILE, findings=(finding,), columns=(column,), warm_up=3, declared_warm_up=0,
        tolerance=1e-6,
    )._repr_html_()  # fmt: skip
    assert "<script" not in html and "<img" not in html and "&lt;script&gt;" in html


def test_what_passes_says_so() -> None:
    class Calm(wb.SignalStrategy):
        def signals(self, bars: wb.Bars) -> wb.Signals:
            return wb.Signals(entry=bars.ts % 86_400_000 == 0)

    report = wb.check(Calm(), BARS)
    assert (report.summary, report.findings, report.warm_up) == ("passed", (), 0)
    assert "No bar changed when later ones were appended" in report._repr_html_()


def test_what_cannot_be_checked_is_refused() -> None:
    with pytest.raises(StrategyError, match=r"check: Dice is no strategy: make one, as in Dice\(\)"):
        wb.check(planted.Dice, BARS)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="49 bars are too few to compare histories; give at least 50"):
        wb.check(planted.Rolled(), BARS[:49])
    with pytest.raises(DataError, match="2 series for a signal strategy"):
        wb.check(planted.Rolled(), [BARS, walk(800, symbol="ETH/USDT")])
    with pytest.raises(DataError, match=r"a list is no series; give wb\.Bars"):
        wb.check(planted.Rolled(), [[1.0]])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match=r"tolerance = 0\.0; give a relative difference"):
        wb.check(planted.Rolled(), BARS, tolerance=0.0)


def test_a_strategy_that_fails_anyway_raises_as_a_backtest_does() -> None:
    class Failing(wb.SignalStrategy):
        def signals(self, bars: wb.Bars) -> wb.Signals:
            raise KeyError("colour")

    with pytest.raises(StrategyError, match=r"Failing\(\) raised KeyError: 'colour' \(line \d+ of test_check_report"):
        wb.check(Failing(), BARS)


def test_a_strategy_that_fails_on_a_shorter_history_is_told() -> None:
    class Greedy(wb.SignalStrategy):
        def signals(self, bars: wb.Bars) -> wb.Signals:
            mean = np.convolve(bars.close, np.ones(300) / 300.0, mode="valid")
            return wb.Signals(entry=np.append(np.zeros(299, dtype=bool), bars.close[299:] > mean))

    (found,) = wb.check(Greedy(), BARS).of("breaks")
    assert found.severity == "warning" and found.history is not None and found.history < 300
    assert "raised" in found.said or "values for" in found.said


def test_an_indicator_is_checked_as_a_function() -> None:
    report = check_columns("bands", lambda bars: wb.indicators.bollinger(bars.close, 20), BARS)
    assert {one.name for one in report.columns} == {"bands.lower", "bands.middle", "bands.upper"}
    assert report.passed and report.warm_up == 19
    leaking = check_columns("ahead", lambda bars: np.roll(bars.close, -1), BARS)
    assert [one.column for one in leaking.look_ahead] == ["ahead"] and leaking.look_ahead[0].severity == "critical"
    with pytest.raises(StrategyError, match="it gave no column of 800 numbers"):
        check_columns("nothing", lambda bars: None, BARS)


def test_a_profiler_and_a_debugger_are_put_back() -> None:
    import cProfile
    import sys

    profiler = cProfile.Profile()
    profiler.enable()
    try:
        wb.check(planted.NextOpen(), BARS[:200])
        assert sys.getprofile() is profiler
    finally:
        profiler.disable()

    def hook(*_: object) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(hook)
    try:
        wb.check(planted.NextOpen(), BARS[:200])
        assert sys.gettrace() is hook
    finally:
        sys.settrace(before)
