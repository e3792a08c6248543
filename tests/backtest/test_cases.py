"""The generator of cases reaches every feature, often enough that a difference between two paths would show."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings

from tests.backtest.cases import HOUR, START, arguments, cases, simplest
from tests.backtest.parity import differences, explain, told_by_reference
from tests.backtest.reference_account import Outcome
from tests.backtest.reference_contract import Replay

CASES: Final = 600
# How many of a hundred cases have it, at least. Bankruptcy is rare; `test_two_paths` has cases of it by hand.
OFTEN: Final = {
    "several instruments": 30, "bars missing": 15, "detail": 20, "word against word": 25, "fill at close": 15,
    "intrabar path": 25, "isolated": 25, "leverage": 30, "tiers": 25, "ticks": 20, "lots": 30, "no volume": 10,
    "funding": 15, "funding on an entry": 3, "partial entry": 6, "partial exit": 4, "maker": 15, "impact": 20,
    "fee a unit": 10, "fee an order": 10, "equal levels": 5, "reversal while waiting": 0.5,
    "exit signal": 6, "exit reversal": 10, "exit stop_loss": 15, "exit custom_stop": 8, "exit trailing_stop": 8,
    "exit take_profit": 10, "exit roi": 6, "exit time_limit": 7, "exit liquidation": 4,
    "skip no equity left": 4, "skip below the smallest order": 6, "skip the data ends before it could fill": 12,
    "skip no stop to size by": 1, "skip too many positions": 4, "skip cooldown": 3, "skip stop guard": 1.5,
    "skip drawdown pause": 2, "skip low profit": 1.5, "skip losing pair": 2,
}  # fmt: skip


def features(case: dict[str, Any], outcome: Outcome) -> set[str]:
    """Name what a case has, and what happened in it."""
    lines, costs, fills = case["instruments"], case["costs"], outcome.fills
    slots = [{row[0] for row in line["bars"]} for line in lines]
    has = {
        "several instruments": len(lines) > 1,
        "bars missing": any(len(own) < len(set.union(*slots)) for own in slots) or any(_holes(own) for own in slots),
        "detail": any(line["detail"] for line in lines),
        "word against word": any(digit in "3c5f" for line in lines for digit in line["words"]),
        "fill at close": case["fill"] == "close",
        "intrabar path": case["rules"]["intrabar"] == "path",
        "isolated": case["rules"]["margin"] == "isolated",
        "leverage": any(line["leverage"] > 1 for line in lines),
        "tiers": any(line["leverage_tiers"] for line in lines),
        "ticks": any(line["tick_size"] for line in lines),
        "lots": any(line["lot_size"] for line in lines),
        "no volume": any(not any(row[5] for row in line["bars"]) for line in lines),
        "funding": bool(outcome.funding),
        "funding on an entry": any(_paid_at_entry(row, fills) for row in outcome.funding),
        "partial entry": _in_parts(fills, entry=True),
        "partial exit": _in_parts(fills, entry=False),
        "maker": any(fill["maker"] for fill in fills),
        "impact": costs["impact"] != "none" and bool(fills),
        "fee a unit": costs["per_unit"] > 0 and bool(fills),
        "fee an order": costs["per_order"] > 0 and bool(fills),
        "equal levels": any(fill["price"] in _prices(case, fill) for fill in fills if fill["reason"] != "entry"),
        "reversal while waiting": any(
            one["reason"] == "reversal" and one["ts"] - one["decided"] > HOUR and case["fill"] == "next_open"
            for one in fills
        ),
    }
    reasons = {f"exit {fill['reason']}" for fill in fills} | {f"skip {one['reason']}" for one in outcome.skipped}
    return {name for name, there in has.items() if there} | reasons


def _holes(slots: set[int]) -> bool:
    return len(slots) < max(slots) - min(slots) + 1


def _paid_at_entry(row: dict[str, Any], fills: list[dict[str, Any]]) -> bool:
    same = ("ts", "instrument")
    return any(fill["reason"] == "entry" and all(fill[key] == row[key] for key in same) for fill in fills)


def _in_parts(fills: list[dict[str, Any]], *, entry: bool) -> bool:
    orders = Counter(
        (fill["instrument"], fill["reason"], fill["decided"], fill["side"])
        for fill in fills
        if (fill["reason"] == "entry") == entry
    )
    return max(orders.values(), default=0) > 1


def _prices(case: dict[str, Any], fill: dict[str, Any]) -> set[float]:
    """Give the high and low of the bar of a fill: a level at one of them is a tie."""
    slot = (fill["ts"] - START) // HOUR
    return {price for row in case["instruments"][fill["instrument"]]["bars"] if row[0] == slot for price in row[2:4]}


@pytest.mark.long
def test_every_feature_fires_often_enough() -> None:
    found: Counter[str] = Counter()

    @seed(1)
    @settings(max_examples=CASES, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases())
    def count(case: dict[str, Any]) -> None:
        found.update(features(case, Replay(case).run()))

    count()
    rare = {name: found[name] for name, share in OFTEN.items() if found[name] < share / 100 * CASES}
    assert not rare


def test_the_package_takes_every_case() -> None:
    from workbench.backtest.prepare import prepare

    @settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
    @given(case=cases())
    def take(case: dict[str, Any]) -> None:
        plan = prepare(**arguments(case))
        assert [len(line.bars) for line in plan.lines] == [len(line["bars"]) for line in case["instruments"]]

    take()


@pytest.mark.long
def test_a_case_shrinks_to_a_few_bars() -> None:
    def stopped(case: dict[str, Any]) -> bool:
        return any(fill["reason"] == "stop_loss" for fill in Replay(case).run().fills)

    case = find(cases(), stopped, settings=settings(max_examples=2_000, database=None, derandomize=True))
    assert len(case["instruments"]) == 1 and len(case["instruments"][0]["bars"]) <= 4
    assert case["costs"]["fee"] == 0.0 and not case["protections"]


def test_a_difference_is_told_with_the_bars_around_it() -> None:
    rows = [(100, 101, 99, 100), (100, 101, 99, 100), (100, 101, 94, 96)]
    case = simplest(rows, "100", stop_loss=0.05)
    one = told_by_reference(Replay(case).run())
    other = told_by_reference(Replay({**case, "cash": 9_000.0}).run())
    assert differences(one, one, cash=10_000) == []
    found = differences(one, other, cash=10_000)
    assert [text.split()[0] for text in found] == ["fills[0]", "equity"]
    text = explain(case, one, other, found)
    assert "quantity=100 " in text and "quantity=90 " in text
    assert "[100, 101, 94, 96, 1000.0] 0" in text


@pytest.mark.parametrize("text", ["{'cash': 10000.0"])
def test_a_case_is_plain_data(text: str) -> None:
    case = simplest([(100, 101, 99, 100)], "1")
    assert repr(case).startswith(text) and eval(repr(case), {"inf": float("inf")}) == case
