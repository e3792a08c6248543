"""The doctor on what bars hide and data lacks, and the two checks that run a backtest again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.backtest.doctor_cases import CASH, HOUR, fill, flat_bars, look, make_case, round_trips
from tests.backtest.test_doctor_fills import holed
from workbench.backtest.doctor_case import Case
from workbench.backtest.doctor_findings import Finding
from workbench.backtest.plan import ExitTerms
from workbench.errors import ConfigError
from workbench.trading.terms import CostTerms


def wide(n: int = 20, **columns: Any) -> wb.Bars:
    return flat_bars(n, **{"high": np.full(n, 106.0), "low": np.full(n, 94.0), **columns})


def ended(reason: str, price: float, *, last: int = 4, bars: wb.Bars | None = None, **facts: Any) -> Finding:
    """Look at a long trade from bar 2 that ended in this way, beside one that made ten."""
    bars = bars or wide()
    said = wb.Signals(entry=np.zeros(len(bars), dtype=bool), stop_loss=0.05, take_profit=facts.pop("target", 0.05))
    fills = [
        fill(2, 1, 100.0), fill(last, -1, price, reason=reason, decided=last, order=1),
        fill(10, 1, 100.0, order=2), fill(12, -1, 110.0, reason="signal", order=3),
    ]  # fmt: skip
    return look(make_case(bars, fills=fills, signals=said, **facts), "same_bar_exits")


def test_a_stop_with_the_target_in_its_bar_hangs_on_the_path() -> None:
    found = ended("stop_loss", 95.0)
    assert found.evidence["stop_and_target"] == 1 and found.evidence["hanging"] == pytest.approx(10)
    assert found.value == pytest.approx(10 / 15) and found.severity == "critical"
    assert (found.trades, found.times) == ((0,), (4 * HOUR,))


@pytest.mark.parametrize("reason", ["stop_loss", "custom_stop", "trailing_stop"])
def test_every_stop_counts(reason: str) -> None:
    assert ended(reason, 95.0).evidence["stop_and_target"] == 1


def test_a_target_with_the_stop_in_its_bar_hangs_on_the_path() -> None:
    assert ended("take_profit", 105.0, path_inside=True).evidence["stop_and_target"] == 1


def test_a_bar_with_only_one_of_them_decides_nothing() -> None:
    narrow = wide(high=np.full(20, 104.99))
    found = ended("stop_loss", 95.0, bars=narrow)
    assert found.severity == "fine" and found.value == 0
    assert ended("stop_loss", 95.0, bars=wide(high=np.full(20, 105.0))).evidence["stop_and_target"] == 1


def test_a_gap_through_the_stop_is_decided_at_the_open() -> None:
    opened = np.full(20, 100.0)
    opened[4] = 94.5
    assert ended("stop_loss", 94.5, bars=wide(open=opened)).severity == "fine"


def test_a_short_is_the_mirror_of_a_long() -> None:
    said = wb.Signals(entry=np.zeros(20, dtype=bool), stop_loss=0.05, take_profit=0.05)
    fills = [fill(2, -1, 100.0), fill(4, 1, 105.0, reason="stop_loss", decided=4)]
    assert look(make_case(wide(), fills=fills, signals=said), "same_bar_exits").evidence["stop_and_target"] == 1
    narrow = wide(low=np.full(20, 95.01))
    assert look(make_case(narrow, fills=fills, signals=said), "same_bar_exits").severity == "fine"


def test_a_rung_of_the_ladder_is_a_target_once_its_time_has_come() -> None:
    exits = ExitTerms(roi_ms=np.array([0, 10 * HOUR]), roi_level=np.array([0.2, 0.03]))
    assert ended("stop_loss", 95.0, target=None, exits=exits).severity == "fine"
    at_once = ExitTerms(roi_ms=np.array([0]), roi_level=np.array([0.03]))
    assert ended("stop_loss", 95.0, last=2, target=None, exits=at_once).evidence["stop_and_target"] == 1
    not_yet = ExitTerms(roi_ms=np.array([3 * HOUR]), roi_level=np.array([0.03]))
    assert ended("stop_loss", 95.0, target=None, exits=not_yet).severity == "fine"
    soon = ExitTerms(roi_ms=np.array([0, 2 * HOUR]), roi_level=np.array([0.2, 0.03]))
    found = ended("stop_loss", 95.0, target=None, exits=soon)
    assert found.evidence["hanging"] == pytest.approx(8)  # between the rung at 103 and the stop at 95


def test_an_exit_in_the_bar_of_the_entry_hangs_on_the_path() -> None:
    found = ended("stop_loss", 95.0, last=2, target=None)
    assert found.evidence["in_the_entry_bar"] == 1 and found.value == pytest.approx(5 / 15)


@pytest.mark.parametrize(
    ("profit", "severity"), [(27.0, "critical"), (27.5, "warning"), (155.0, "warning"), (156.0, "note")]
)
def test_how_much_hangs_on_the_path(profit: float, severity: str) -> None:
    said = wb.Signals(entry=np.zeros(20, dtype=bool), stop_loss=0.05, take_profit=0.03)
    fills = [
        fill(2, 1, 100.0), fill(4, -1, 95.0, reason="stop_loss", decided=4, order=1),
        fill(10, 1, 100.0, order=2), fill(12, -1, 100.0 + profit, reason="signal", order=3),
    ]  # fmt: skip
    bars = wide(high=np.full(20, 300.0))
    found = look(make_case(bars, fills=fills, signals=said), "same_bar_exits")
    assert found.value == pytest.approx(8 / (5 + profit))
    assert found.severity == severity


def test_signals_alone_leave_nothing_to_the_path() -> None:
    assert look(make_case(flat_bars(9), fills=round_trips([1.0])), "same_bar_exits").severity == "not applicable"


@pytest.mark.parametrize(("others", "severity"), [(0, "warning"), (9, "warning"), (10, "note")])
def test_held_over_gaps(others: int, severity: str) -> None:
    bars = flat_bars(60, ts=holed(60, range(4, 9)))
    fills = [fill(2, 1, 100.0), fill(5, -1, 100.0, reason="signal")]
    fills += [said | {"bar": said["bar"] + 9} for said in round_trips([1.0] * others)]
    found = look(make_case(bars, fills=fills), "held_over_gaps")
    assert found.severity == severity and found.value == pytest.approx(1 / (1 + others))
    assert found.trades == (0,) and found.evidence["most_missing"] == 5


def test_a_trade_that_ends_before_the_hole_was_not_held_over_it() -> None:
    bars = flat_bars(60, ts=holed(60, range(4, 9)))
    fills = [fill(1, 1, 100.0), fill(3, -1, 100.0, reason="signal"), fill(4, 1, 100.0), fill(6, -1, 99.0)]
    assert look(make_case(bars, fills=fills), "held_over_gaps").severity == "fine"
    assert look(make_case(bars), "held_over_gaps").severity == "not applicable"


@pytest.mark.parametrize(
    ("there", "missing", "severity"),
    [(1_000, 0, "fine"), (1_000, 1, "fine"), (999, 1, "note"), (990, 10, "warning"), (900, 100, "critical")],
)
def test_missing_bars(there: int, missing: int, severity: str) -> None:
    found = look(make_case(flat_bars(there, ts=holed(there, range(5, 5 + missing)))), "missing_bars")
    assert found.severity == severity and found.value == pytest.approx(missing / (there + missing))


def test_bars_that_were_made_up_are_missing_too() -> None:
    filled = np.arange(100) < 1
    assert look(make_case(flat_bars(100, filled=filled)), "missing_bars").severity == "warning"


class Lagging(wb.SignalStrategy):
    """Looks back over `length` bars."""

    length: int = wb.param(30, low=2, high=500)
    fast: bool = wb.param(True)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        return wb.Signals(entry=np.ones(len(bars), dtype=bool))


@pytest.mark.parametrize(("decided", "severity"), [(28, "note"), (29, "fine"), (40, "fine")])
def test_warm_up(decided: int, severity: str) -> None:
    case = make_case(flat_bars(60), fills=[fill(decided + 1, 1, 100.0)], strategy=Lagging())
    found = look(case, "warm_up")
    assert found.severity == severity and found.evidence == {"bars_before": decided + 1, "longest": 30}


def test_ready_made_signals_have_no_warm_up() -> None:
    assert look(make_case(flat_bars(60), fills=[fill(3, 1, 100.0)]), "warm_up").severity == "not applicable"
    assert look(make_case(flat_bars(60), strategy=Lagging()), "warm_up").severity == "not applicable"


def test_in_sample_only() -> None:
    case = make_case(flat_bars(9))
    assert look(case, "in_sample_only").severity == "note"
    found = look(replace(case, held_out="2024"), "in_sample_only")
    assert found.severity == "fine" and "2024" in found.said


def profitable(totals: dict[float, float], **facts: Any) -> Case:
    """Make a case that gained a tenth; `totals` are the returns of other runs by costs, and by 0 of the later one."""
    again = {
        "dearer": lambda factor: np.array([CASH * (1 + totals[factor])]),
        "later": lambda: np.array([CASH * (1 + totals[0])]),
    }
    fills = [fill(2, 1, 100.0), fill(4, -1, 110.0, reason="signal")]
    return make_case(flat_bars(9), fills=fills, equity=np.full(9, CASH * 1.1), again=again, **facts)


@pytest.mark.parametrize(
    ("twice", "thrice", "survived", "severity"),
    [
        (0.08, 0.06, 3.0, "fine"),
        (0.05, 0.0, 3.0, "fine"),
        (0.05, -0.01, 2 + 5 / 6, "warning"),
        (0.0, -0.1, 2.0, "warning"),
        (-0.01, -0.1, 1 + 10 / 11, "critical"),
        (-0.3, -0.4, 1.25, "critical"),
    ],
)
def test_costs_times(twice: float, thrice: float, survived: float, severity: str) -> None:
    found = look(profitable({2.0: twice, 3.0: thrice}), "costs_times")
    assert found.value == pytest.approx(survived) and found.severity == severity
    assert (found.evidence["twice"], found.evidence["three_times"]) == (pytest.approx(twice), pytest.approx(thrice))


def test_costs_times_needs_a_profit_and_costs() -> None:
    assert look(make_case(flat_bars(9)), "costs_times").severity == "not applicable"
    free = profitable({}, costs=CostTerms())
    assert look(free, "costs_times").severity == "not applicable"


@pytest.mark.parametrize(
    ("delayed", "severity"),
    [(0.12, "fine"), (0.0501, "fine"), (0.0499, "warning"), (0.001, "warning"), (-0.01, "critical")],
)
def test_one_bar_delay(delayed: float, severity: str) -> None:
    found = look(profitable({0: delayed}), "one_bar_delay")
    assert found.value == pytest.approx((0.1 - delayed) / 0.1) and found.severity == severity


def test_one_bar_delay_needs_a_profit() -> None:
    assert look(make_case(flat_bars(9)), "one_bar_delay").severity == "not applicable"
    assert look(make_case(flat_bars(9), equity=np.full(9, 2 * CASH)), "one_bar_delay").severity == "not applicable"


def test_what_cannot_be_run_again_says_why() -> None:
    def refuse(*_: object) -> np.ndarray:
        raise ConfigError("it was loaded from a file")

    case = replace(profitable({}), dearer=refuse, later=refuse)
    for name in ("costs_times", "one_bar_delay"):
        found = look(case, name)
        assert found.severity == "not applicable"
        assert found.said == "It cannot be run again: it was loaded from a file"
