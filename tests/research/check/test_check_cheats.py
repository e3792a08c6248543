"""Every planted cheat is caught, called by its name, and the evidence can be seen again."""

from __future__ import annotations

import random
from functools import cache

import numpy as np
import pytest

import workbench as wb
from tests.research.check import planted
from tests.research.check.made import walk
from tests.research.check.planted import CHEATS, Cheat
from workbench.research.check import CheckReport

BARS = walk()
AHEAD = [cheat for cheat in CHEATS if cheat.kind in ("look_ahead", "unfinished_bar")]


@cache
def report_on(strategy: type[wb.SignalStrategy]) -> CheckReport:
    return wb.check(strategy(), BARS)


def test_there_are_more_than_twenty() -> None:
    assert len(CHEATS) > 40
    assert len({cheat.name for cheat in CHEATS}) == len(CHEATS)


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.name)
def test_a_cheat_is_caught_and_named(cheat: Cheat) -> None:
    report = report_on(cheat.strategy)
    assert not report.passed
    serious = {(one.kind, one.column) for one in report if one.severity in ("critical", "warning")}
    assert {(cheat.kind, column) for column in cheat.columns} <= serious
    for one in report.of(cheat.kind):  # type: ignore[arg-type]
        assert one.said and one.remedy


@pytest.mark.parametrize("cheat", AHEAD, ids=lambda cheat: cheat.name)
def test_the_evidence_of_a_look_ahead_can_be_seen_again(cheat: Cheat) -> None:
    flags = [one for one in report_on(cheat.strategy).look_ahead if one.column in ("entry", "exit")]
    for one in flags:
        assert one.row is not None and one.bars_ahead is not None and one.history is not None
        first, cut = int(one.evidence["history_from"]), int(one.evidence["history_to"])
        shorter = getattr(cheat.strategy().signals(BARS[first:cut]), one.column)
        longer = getattr(cheat.strategy().signals(BARS[first : cut + one.bars_ahead]), one.column)
        assert len(shorter) == one.history
        assert bool(shorter[one.row - first]) == bool(one.before) != bool(longer[one.row - first])
        assert one.ts == BARS.ts[one.row]


@pytest.mark.parametrize(
    ("strategy", "column", "ahead"),
    [
        (planted.ShiftedBack, "tomorrow", 1),
        (planted.Rolled, "rolled", 1),  # np.roll brings the first prices to the end, so one more bar changes them
        (planted.CentredWindow, "middle", 10),
        (planted.CentredConvolution, "smooth", 1),
        (planted.StopOfTheFuture, "worst", 1),
    ],
)
def test_how_many_bars_ahead_a_column_looks(strategy: type[wb.SignalStrategy], column: str, ahead: int) -> None:
    found = next(one for one in report_on(strategy).look_ahead if one.column == column)
    assert found.bars_ahead == ahead


def test_the_longer_bar_is_named() -> None:
    assert all("of 4h" in one.said for one in report_on(planted.UnfinishedFourHours).look_ahead)
    assert all("of 1d" in one.said for one in report_on(planted.DailyHighAtTheOpen).look_ahead)


def test_a_week_is_named_on_days() -> None:
    class WeeklyClose(wb.SignalStrategy):
        def signals(self, bars: wb.Bars) -> wb.Signals:
            week = (bars.ts - 4 * 86_400_000) // (7 * 86_400_000)
            last = np.searchsorted(week, week, side="right") - 1
            close = bars.close[last]
            return wb.Signals(entry=close > bars.close)

    report = wb.check(WeeklyClose(), walk(900, "1d"))
    assert {"close", "entry"} <= {one.column for one in report.look_ahead}
    assert {one.kind for one in report.look_ahead} == {"unfinished_bar"}
    assert all("of 1w" in one.said for one in report.look_ahead)


def test_what_rests_on_all_is_said_so() -> None:
    for strategy in (planted.WholeScore, planted.WholeScaling, planted.FittedOnAll, planted.RankedAmongAll):
        assert any("rests on the whole series" in one.said for one in report_on(strategy).look_ahead)


def test_lines_of_the_source_are_named() -> None:
    (found,) = report_on(planted.LunchBreak).of("clock")
    assert "time.localtime in line " in found.said and found.evidence["lines"]
    (found,) = report_on(planted.ReadsAFile).of("file")
    assert "read_text in line " in found.said


def test_nothing_is_left_behind() -> None:
    before = random.getstate(), np.random.get_state()[1].tolist(), planted.COUNT, dict(planted.MEANS)  # type: ignore[index]
    prices = BARS.close.copy()
    for strategy in (
        planted.Counter, planted.WrongKey, planted.OnTheClass, planted.DefaultArgument, planted.SharedDice,
        planted.HiddenDice, planted.WritesIntoItsInput,
    ):  # fmt: skip
        wb.check(strategy(), BARS)
    after = random.getstate(), np.random.get_state()[1].tolist(), planted.COUNT, dict(planted.MEANS)  # type: ignore[index]
    assert after == before
    assert planted.OnTheClass.seen == []
    assert planted.DefaultArgument.signals.__defaults__ == ([0.0],)
    assert np.array_equal(BARS.close, prices)


def test_an_alias_of_the_clock_is_heard_while_it_runs() -> None:
    import time

    ask = {"now": time.time}

    class Aliased(wb.SignalStrategy):
        def signals(self, bars: wb.Bars) -> wb.Signals:
            return wb.Signals(entry=bars.close > ask["now"]() % 1.0)

    (found,) = wb.check(Aliased(), BARS[:300]).of("clock")
    assert "time.time in line" in found.said


def test_a_label_may_look_ahead_where_it_is_named_as_one() -> None:
    class Taught(wb.SignalStrategy):
        def signals(self, bars: wb.Bars) -> wb.Signals:
            label = np.roll(bars.close, -1) > bars.close
            return wb.Signals(entry=bars.close > bars.open * (1.0 + 0.0 * label[:1]))

    assert [one.severity for one in wb.check(Taught(), BARS).look_ahead] == ["warning"]
    report = wb.check(Taught(), BARS, labels=["label"])
    assert [one.severity for one in report.look_ahead] == ["note"] and report.passed


def test_a_leak_that_only_few_bars_show_is_found_where_signals_are() -> None:
    class Rare(wb.SignalStrategy):
        def signals(self, bars: wb.Bars) -> wb.Signals:
            return wb.Signals(entry=np.append(bars.close[1:] > bars.close[:-1] * 1.0205, False))

    bars = walk(20_000)
    assert 0 < int(Rare().signals(bars).entry.sum()) < 12
    assert [one.column for one in wb.check(Rare(), bars).look_ahead] == ["entry"]


@pytest.mark.long
def test_thorough_cuts_every_bar_of_the_last_two_thousand() -> None:
    report = wb.check(planted.WithoutAName(), BARS, thorough=True)
    quick = report_on(planted.WithoutAName)
    assert report.runs > quick.runs + 2_000
    shown = {one.column: int(one.evidence["cuts_that_show_it"]) for one in report.look_ahead}
    rising = np.roll(BARS.close, -1) > BARS.close
    assert shown["entry"] > int(rising[-2_000:-1].sum()) * 0.9
