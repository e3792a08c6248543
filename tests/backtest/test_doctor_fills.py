"""The doctor on fills: each check where it fires, where it does not, and at its limits."""

from __future__ import annotations

import numpy as np
import pytest

from tests.backtest.doctor_cases import HOUR, fill, flat_bars, look, make_case, round_trips

NEEDS_FILLS = (
    "costs_near_zero", "fills_after_gaps", "fills_without_volume", "outside_prices", "outside_volume", "stale_fills",
)  # fmt: skip


@pytest.mark.parametrize("name", NEEDS_FILLS)
def test_without_fills_there_is_nothing_to_say(name: str) -> None:
    assert look(make_case(flat_bars(9)), name).severity == "not applicable"


def test_fill_at_close() -> None:
    fills = round_trips([0.5])
    assert look(make_case(flat_bars(9), fills=fills, at_close=True), "fill_at_close").severity == "warning"
    assert look(make_case(flat_bars(9), fills=fills), "fill_at_close").severity == "fine"


@pytest.mark.parametrize(
    ("quantity", "severity"), [(199.0, "fine"), (200.0, "warning"), (999.0, "warning"), (1_000.0, "critical")]
)
def test_outside_volume(quantity: float, severity: str) -> None:
    found = look(make_case(flat_bars(9), fills=[fill(2, 1, 100.0, quantity)]), "outside_volume")
    assert found.severity == severity and found.value == pytest.approx(quantity / 1_000)
    assert found.times == (2 * HOUR,) if severity != "fine" else True


def test_fills_of_one_bar_share_its_volume() -> None:
    fills = [fill(2, 1, 100.0, 120.0), fill(2, -1, 100.0, 120.0, reason="signal"), fill(3, 1, 100.0, 150.0)]
    assert look(make_case(flat_bars(9), fills=fills), "outside_volume").value == pytest.approx(0.24)


def test_a_bar_without_volume_has_no_share() -> None:
    volume = np.full(9, 10.0)
    volume[3] = 0.0
    fills = [fill(2, 1, 100.0, 1.0), fill(3, -1, 100.0, 1.0, reason="signal")]
    assert look(make_case(flat_bars(9, volume=volume), fills=fills), "outside_volume").value == pytest.approx(0.1)


def test_how_far_outside_is_told() -> None:
    found = look(make_case(flat_bars(9), fills=[fill(2, 1, 102.01), fill(3, 1, 99.0)]), "outside_prices")
    assert found.evidence["furthest"] == pytest.approx(0.01, rel=1e-6) and "by up to 1.00 %" in found.said


def test_data_without_volume_has_no_limit() -> None:
    case = make_case(flat_bars(9, volume=np.zeros(9)), fills=[fill(2, 1, 100.0, 1e9)])
    for name in ("outside_volume", "fills_without_volume", "position_size"):
        assert look(case, name).severity == "not applicable"


@pytest.mark.parametrize(("empty", "severity"), [(0, "fine"), (1, "warning"), (9, "warning"), (10, "critical")])
def test_fills_without_volume(empty: int, severity: str) -> None:
    volume = np.full(40, 10.0)
    volume[1 : 1 + empty] = 0
    found = look(make_case(flat_bars(40, volume=volume), fills=round_trips([0.5] * 8)), "fills_without_volume")
    assert (found.severity, found.value) == (severity, empty)


def test_a_liquidation_needs_no_volume() -> None:
    volume = np.full(9, 10.0)
    volume[3] = 0
    fills = [fill(1, 1, 100.0), fill(3, -1, 80.0, reason="liquidation")]
    case = make_case(flat_bars(9, volume=volume), fills=fills)
    assert look(case, "fills_without_volume").severity == "fine"
    assert look(case, "outside_prices").severity == "fine"
    assert look(case, "margin_calls").severity == "critical"


@pytest.mark.parametrize(
    ("side", "quoted", "price", "fires"),
    [
        (1, 101.0, 101.0, False),
        (1, 99.0, 99.0, False),
        (1, 101.0, 101.5, False),  # slipped out of the bar: worse, so possible
        (-1, 99.0, 98.5, False),
        (1, 101.01, 101.01, True),
        (1, 98.99, 98.99, True),
        (1, 99.0, 98.9, True),  # better than the bar ever was
        (-1, 101.0, 101.1, True),
    ],
)
def test_outside_prices(side: int, quoted: float, price: float, fires: bool) -> None:
    found = look(make_case(flat_bars(9), fills=[fill(2, side, price, quoted=quoted)]), "outside_prices")
    assert found.severity == ("critical" if fires else "fine")
    assert found.times == ((2 * HOUR,) if fires else ())


@pytest.mark.parametrize(("stale", "severity"), [(0, "fine"), (1, "warning"), (2, "critical")])
def test_stale_fills(stale: int, severity: str) -> None:
    high, low = np.full(60, 101.0), np.full(60, 99.0)
    high[1 : 1 + stale] = low[1 : 1 + stale] = 100.0
    bars = flat_bars(60, high=high, low=low)
    found = look(make_case(bars, fills=round_trips([0.5] * 14)), "stale_fills")
    assert found.severity == severity and found.value == pytest.approx(stale / 28)


def test_bars_that_were_made_up_are_stale() -> None:
    filled = np.zeros(60, dtype=bool)
    filled[1] = True
    found = look(make_case(flat_bars(60, filled=filled), fills=round_trips([0.5] * 14)), "stale_fills")
    assert found.value == pytest.approx(1 / 28) and found.times == (HOUR,)


def test_the_first_bar_of_a_series_repeats_nothing() -> None:
    flat = np.full(9, 100.0)
    found = look(make_case(flat_bars(9, high=flat, low=flat), fills=[fill(0, 1, 100.0)]), "stale_fills")
    assert found.severity == "fine"


def holed(n: int, missing: range) -> np.ndarray:
    return np.array([i for i in range(n + len(missing)) if i not in missing]) * HOUR


@pytest.mark.parametrize(("trips", "severity"), [(11, "note"), (10, "warning"), (0, "fine")])
def test_fills_after_gaps(trips: int, severity: str) -> None:
    fills = round_trips([0.5] * trips or [0.5] * 3, every=3)
    at = fills[0]["bar"] if trips else 3
    bars = flat_bars(60, ts=holed(60, range(at, at + 5)))
    found = look(make_case(bars, fills=fills), "fills_after_gaps")
    assert found.severity == severity
    if trips:
        assert found.value == pytest.approx(1 / (2 * trips)) and found.times == ((at + 5) * HOUR,)


@pytest.mark.parametrize(
    ("fee_bps", "severity"), [(11.0, "fine"), (5.5, "fine"), (5.4, "warning"), (1.1, "warning"), (1.0, "critical")]
)
def test_costs_near_zero(fee_bps: float, severity: str) -> None:
    fee = 100.0 * fee_bps / 10_000
    found = look(make_case(flat_bars(9), fills=[fill(2, 1, 100.0, fee=fee)]), "costs_near_zero")
    assert found.severity == severity and found.evidence["charged_bps"] == pytest.approx(fee_bps)


def test_slippage_is_a_cost_and_so_is_a_better_price_an_income() -> None:
    slipped = make_case(flat_bars(9), fills=[fill(2, -1, 99.89, quoted=100.0)])
    assert look(slipped, "costs_near_zero").value == pytest.approx(1.0)
    better = make_case(flat_bars(9), fills=[fill(2, 1, 99.89, quoted=100.0)])
    assert look(better, "costs_near_zero").severity == "critical"


def test_resting_orders_are_held_against_the_resting_fee() -> None:
    bars = flat_bars(9, maker_fee=0.0002)
    case = make_case(bars, fills=[fill(2, 1, 100.0, fee=0.02, maker=1)])
    assert look(case, "costs_near_zero").value == pytest.approx(1.0)
    free = make_case(flat_bars(9, maker_fee=-0.0001), fills=[fill(2, 1, 100.0, fee=-0.01, maker=1)])
    assert look(free, "costs_near_zero").severity == "not applicable"


def test_margin_calls() -> None:
    fills = [fill(1, 1, 100.0), fill(3, -1, 99.0, reason="bankruptcy"), *round_trips([1.0])[:0]]
    found = look(make_case(flat_bars(9), fills=fills), "margin_calls")
    assert (found.severity, found.value, found.trades, found.times) == ("critical", 1, (0,), (3 * HOUR,))
    stopped = [fill(1, 1, 100.0), fill(3, -1, 99.0, reason="stop_loss")]
    assert look(make_case(flat_bars(9), fills=stopped), "margin_calls").severity == "fine"
    assert look(make_case(flat_bars(9)), "margin_calls").severity == "fine"


@pytest.mark.parametrize(
    ("quantity", "severity"), [(999.0, "fine"), (1_000.0, "warning"), (9_999.0, "warning"), (10_000.0, "critical")]
)
def test_position_size(quantity: float, severity: str) -> None:
    found = look(make_case(flat_bars(9), fills=[fill(2, -1, 100.0, quantity)]), "position_size")
    assert found.severity == severity and found.value == pytest.approx(quantity / 1_000)


@pytest.mark.parametrize(
    ("touched", "of", "severity"), [(0, 5, "fine"), (1, 51, "fine"), (1, 50, "note"), (1, 10, "warning")]
)
def test_touch_fills(touched: int, of: int, severity: str) -> None:
    fills = [fill(1 + i, 1, 99.0 if i < touched else 99.5, maker=1) for i in range(of)]
    found = look(make_case(flat_bars(60), fills=fills), "touch_fills")
    assert found.severity == severity and found.value == pytest.approx(touched / of)
    strict = make_case(flat_bars(60), fills=fills, limit_fill="through")
    assert look(strict, "touch_fills").severity == "fine"


def test_market_orders_touch_nothing() -> None:
    assert look(make_case(flat_bars(9), fills=[fill(2, 1, 99.0)]), "touch_fills").severity == "not applicable"


def test_a_sell_is_touched_at_the_high() -> None:
    assert look(make_case(flat_bars(9), fills=[fill(2, -1, 101.0, maker=1)]), "touch_fills").value == 1.0
    assert look(make_case(flat_bars(9), fills=[fill(2, -1, 99.0, maker=1)]), "touch_fills").value == 0.0
