"""The doctor on trades: each check where it fires, where it does not, and at its limits."""

from __future__ import annotations

import numpy as np
import pytest

from tests.backtest.doctor_cases import HOUR, fill, flat_bars, look, make_case, round_trips
from workbench.backtest.doctor_case import Case
from workbench.backtest.records import SKIP_REASONS


def traded(pnls: list[float], **facts: object) -> Case:
    return make_case(flat_bars(2 * len(pnls) + 4), fills=round_trips(pnls), **facts)


@pytest.mark.parametrize(
    ("trades", "severity"), [(0, "critical"), (9, "critical"), (10, "warning"), (29, "warning"), (30, "fine")]
)
def test_few_trades(trades: int, severity: str) -> None:
    found = look(traded([1.0] * trades), "few_trades")
    assert (found.severity, found.value) == (severity, trades)
    assert found.said.startswith(f"{trades} closed trades in")


def test_an_open_trade_is_not_counted() -> None:
    found = look(make_case(flat_bars(9), fills=[*round_trips([1.0]), fill(5, 1, 100.0)]), "few_trades")
    assert found.value == 1


@pytest.mark.parametrize(
    ("pnls", "share", "severity"),
    [
        ([1.0, 1, 1], 1 / 3, "fine"),
        ([1.0, 1, 2], 0.5, "warning"),
        ([1.0, 1, 1.99], 1.99 / 3.99, "fine"),
        ([-0.5, -0.5, 2], 2.0, "critical"),
        ([0.0, 2], 1.0, "critical"),
    ],
)
def test_one_trade(pnls: list[float], share: float, severity: str) -> None:
    found = look(traded(pnls), "one_trade")
    assert found.value == pytest.approx(share) and found.severity == severity
    assert found.trades == (int(np.argmax(pnls)),)


def test_one_trade_names_the_years_that_it_turned() -> None:
    bars = flat_bars(800, timeframe="1d")
    fills = [
        *round_trips([1.0, 1, 1]),
        fill(400, 1, 100.0), fill(401, -1, 110.0, reason="signal"),
        fill(402, 1, 100.0), fill(403, -1, 95.0, reason="signal"),
    ]  # fmt: skip
    found = look(make_case(bars, fills=fills), "one_trade")
    assert "without its best trade a loss in 1971." in found.said
    assert found.evidence["years_it_turned"] == 1 and found.evidence["profit_without_it"] == pytest.approx(-2)


@pytest.mark.parametrize("pnls", [[], [-1.0], [1.0, -1.0]])
def test_one_trade_needs_a_profit(pnls: list[float]) -> None:
    assert look(traded(pnls), "one_trade").severity == "not applicable"


@pytest.mark.parametrize(
    ("won", "lost", "severity"),
    [(4, 0, "not applicable"), (5, 0, "critical"), (18, 2, "fine"), (19, 1, "warning"), (93, 7, "fine")],
)
def test_win_rate(won: int, lost: int, severity: str) -> None:
    assert look(traded([1.0] * won + [-1.0] * lost), "win_rate").severity == severity


@pytest.mark.parametrize(
    ("first", "second", "severity"),
    [(4.0, 1.0, "warning"), (3.9, 1.1, "fine"), (5.0, 0.0, "critical"), (5.0, -1.0, "critical"), (-5.0, 1.0, None)],
)
def test_one_instrument(first: float, second: float, severity: str | None) -> None:
    bars = [flat_bars(20, symbol="AAA/USDT"), flat_bars(20, symbol="BBB/USDT")]
    fills = [
        fill(1, 1, 100.0), fill(2, -1, 100.0 + first, reason="signal"),
        fill(1, 1, 100.0, instrument=1), fill(2, -1, 100.0 + second, reason="signal", instrument=1),
    ]  # fmt: skip
    found = look(make_case(*bars, fills=fills), "one_instrument")
    assert found.severity == (severity or "not applicable")
    if severity:
        assert found.evidence["instrument"] == "AAA/USDT" and "AAA/USDT made" in found.said


def test_a_single_instrument_makes_all_of_it_by_definition() -> None:
    assert look(traded([1.0]), "one_instrument").severity == "not applicable"


@pytest.mark.parametrize(
    ("last", "severity"), [(100.0, "fine"), (101.0, "fine"), (99.99, "note"), (95.0, "warning"), (80.0, "critical")]
)
def test_open_loss(last: float, severity: str) -> None:
    close = np.full(9, 100.0)
    close[-1] = last
    bars = flat_bars(9, close=close, low=np.full(9, 70.0), high=np.full(9, 130.0))
    found = look(make_case(bars, fills=[fill(3, 1, 100.0, 100.0)], equity=np.full(9, 10_000.0)), "open_loss")
    assert found.severity == severity
    assert found.value == pytest.approx(max(100.0 - last, 0) / 100)
    assert found.trades == ((0,) if last < 100 else ())


def test_open_loss_of_an_account_without_equity() -> None:
    bars = flat_bars(9, close=np.full(9, 99.5))
    found = look(make_case(bars, fills=[fill(3, 1, 100.0)], equity=np.full(9, -1.0)), "open_loss")
    assert found.severity == "critical" and found.to_dict()["value"] is None


@pytest.mark.parametrize(("kind", "severity"), [("spot", "warning"), ("equity", "warning"), ("linear", "fine")])
def test_short_unborrowed(kind: str, severity: str) -> None:
    fills = [fill(2, -1, 100.0), fill(4, 1, 99.0, reason="signal")]
    found = look(make_case(flat_bars(9, kind=kind), fills=fills), "short_unborrowed")
    assert found.severity == severity
    assert found.times == ((2 * HOUR,) if severity == "warning" else ())


def test_short_with_a_rate_is_borrowed_and_long_needs_none() -> None:
    fills = [fill(2, -1, 100.0), fill(4, 1, 99.0, reason="signal")]
    paid = make_case(flat_bars(9), fills=fills, funding_rate=np.array([0.0001]), funding_ts=np.array([3 * HOUR]))
    assert look(paid, "short_unborrowed").severity == "fine"
    assert look(traded([1.0]), "short_unborrowed").severity == "fine"
    assert look(make_case(flat_bars(9)), "short_unborrowed").severity == "fine"


def skips(reason: str, n: int) -> list[tuple[float, ...]]:
    return [(float(i * HOUR), 0.0, 1.0, np.nan, float(SKIP_REASONS.index(reason))) for i in range(n)]


@pytest.mark.parametrize(
    ("missed", "made", "severity"), [(0, 20, "fine"), (1, 20, "fine"), (1, 19, "note"), (4, 12, "warning")]
)
def test_entries_not_traded(missed: int, made: int, severity: str) -> None:
    found = look(traded([1.0] * made, skipped=skips("below the smallest order", missed)), "entries_not_traded")
    assert found.severity == severity and found.value == pytest.approx(missed / (missed + made))
    if missed:
        assert found.evidence["below the smallest order"] == missed
        assert f"(below the smallest order: {missed})" in found.said


@pytest.mark.parametrize("reason", ["cooldown", "the data ends before it could fill", "too many positions"])
def test_entries_that_were_meant_not_to_trade_do_not_count(reason: str) -> None:
    assert look(traded([1.0], skipped=skips(reason, 5)), "entries_not_traded").severity == "fine"
    assert look(make_case(flat_bars(9), skipped=skips(reason, 5)), "entries_not_traded").severity == "not applicable"
