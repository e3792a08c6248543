"""Warm-up and start dependence: measured, held against what is declared, and told from what never settles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.research.check.made import walk
from workbench.indicators import atr, ema, previous, rsi, sma, wilder
from workbench.research.check import CheckReport, check_columns

BARS = walk(4_000)


def measured(function: Any, **more: Any) -> CheckReport:
    return check_columns("column", function, BARS, **more)


@pytest.mark.parametrize(
    ("function", "bars"),
    [
        (lambda bars: sma(bars.close, 50), 49),
        (lambda bars: previous(sma(bars.close, 50)), 50),
        (lambda bars: pd.Series(bars.close).rolling(50, min_periods=1).mean(), 49),
        (lambda bars: sma(sma(bars.close, 20), 30), 48),
        (lambda bars: bars.close / bars.open, 0),
    ],
)  # fmt: skip
def test_windows_are_measured_to_the_bar(function: Any, bars: int) -> None:
    report = measured(function)
    assert (report.warm_up, [one.settles for one in report.columns]) == (bars, ["yes"])


@pytest.mark.parametrize(
    ("function", "length"),
    [
        (lambda bars: ema(bars.close, 40), 40),
        (lambda bars: wilder(bars.close, 20), 40),
        (lambda bars: rsi(bars.close, 20), 40),
        (lambda bars: atr(bars.high, bars.low, bars.close, 20), 40),
        (lambda bars: pd.Series(bars.close).ewm(span=40, adjust=False).mean(), 40),
    ],
)
def test_recursions_take_as_long_as_their_seed_needs_to_fade(function: Any, length: int) -> None:
    report = measured(function)
    assert 4 * length < report.warm_up < 9 * length
    loose = measured(function, tolerance=1e-2)
    assert loose.warm_up < report.warm_up * 0.7
    assert loose.tolerance == 1e-2


@pytest.mark.parametrize(
    "function",
    [
        lambda bars: np.cumsum(np.sign(bars.close - bars.open) * bars.volume),
        lambda bars: np.maximum.accumulate(bars.high),
        lambda bars: pd.Series(bars.close).expanding().mean(),
        lambda bars: pd.Series(bars.close).expanding().std(),
        lambda bars: np.arange(len(bars), dtype=float),
        lambda bars: pd.Series(bars.close).expanding().rank(pct=True),
    ],
)
def test_what_never_forgets_its_start_is_named(function: Any) -> None:
    report = measured(function)
    assert [one.settles for one in report.columns] == ["never"]
    assert [(one.kind, one.column) for one in report if one.kind != "unfinished_signal"] == [
        ("start_dependence", "column")
    ]


def test_the_row_of_a_longer_bar_is_no_memory_but_a_count_of_what_has_happened_is() -> None:
    def in_day(bars: wb.Bars) -> Any:
        return bars.ts // 86_400_000 - bars.ts[0] // 86_400_000

    assert [one.settles for one in measured(in_day).columns] == ["unknown"]
    rises = measured(lambda bars: np.cumsum(bars.close > bars.open) * 1.5)  # half steps: a total, not a place
    assert [one.settles for one in rises.columns] == ["never"]


def test_a_memory_longer_than_history_is_not_called_endless() -> None:
    report = measured(lambda bars: ema(bars.close, 900))
    assert [one.settles for one in report.columns] == ["slowly"]
    assert ["had not settled" in one.said for one in report.of("warm_up")] == [True]


class Crossing(wb.SignalStrategy):
    length: int = wb.param(40)
    bars: int = wb.param(0)

    @property
    def warm_up(self) -> int:
        return self.bars

    def signals(self, bars: wb.Bars) -> wb.Signals:
        mean = sma(bars.close, self.length)
        return wb.Signals(entry=bars.close > mean, exit=bars.close < mean)


def test_a_declared_warm_up_that_is_too_short_is_a_warning_with_a_number() -> None:
    report = wb.check(Crossing(bars=10), BARS)
    (found,) = report.of("warm_up")
    assert found.severity == "warning" and found.column in ("entry", "exit") and not report.passed
    assert "after the 10 bars declared" in found.said and found.remedy.startswith("declare warm_up = 39 ")
    assert (report.warm_up, report.declared_warm_up) == (39, 10)


def test_silence_before_an_undeclared_warm_up_is_a_note() -> None:
    report = wb.check(Crossing(), BARS)
    (found,) = report.of("warm_up")
    assert found.severity == "note" and report.passed
    assert found.said.startswith("no warm-up is declared") and "declare warm_up = 39 " in found.remedy


def test_enough_is_enough() -> None:
    assert wb.check(Crossing(bars=39), BARS).of("warm_up") == []


def test_signals_of_an_unripe_mean_are_a_warning_also_where_nothing_is_declared() -> None:
    class Unripe(wb.SignalStrategy):
        def signals(self, bars: wb.Bars) -> wb.Signals:
            mean = pd.Series(bars.close).ewm(span=300, adjust=False).mean().to_numpy()
            return wb.Signals(entry=bars.close > mean)

    report = wb.check(Unripe(), BARS)
    assert [(one.severity, one.column) for one in report.of("warm_up")] == [("warning", "entry")]
    assert "gives" in report.of("warm_up")[0].said


def test_signals_that_depend_on_the_start_are_a_warning_unless_they_are_meant_so() -> None:
    class Highest(wb.SignalStrategy):
        def signals(self, bars: wb.Bars) -> wb.Signals:
            peak = np.maximum.accumulate(bars.close)
            return wb.Signals(entry=bars.close >= peak)

    class Meant(Highest):
        start_dependent = True

    found = {one.column: one.severity for one in wb.check(Highest(), BARS).of("start_dependence")}
    assert found == {"entry": "warning", "peak": "note"}
    found = {one.column: one.severity for one in wb.check(Meant(), BARS).of("start_dependence")}
    assert found == {"entry": "note", "peak": "note"} and wb.check(Meant(), BARS).passed


def test_a_history_that_is_too_short_for_a_column_says_so() -> None:
    report = check_columns("column", lambda bars: sma(bars.close, 300), BARS[:200])
    assert [(one.settles, one.warm_up) for one in report.columns] == [("unknown", None)]
    assert "not measured" in str(report)
