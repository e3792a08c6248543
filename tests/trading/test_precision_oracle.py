"""Rounding to steps against ccxt's precision modes, where these are steps: tick sizes and decimal places.

Significant digits are no step, and rounding to the nearest tick is nothing that the core does.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.trading.arithmetic import round_down, round_to_tick

ORACLE: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "precision.json").read_text())
DECIMAL_PLACES, TICK_SIZE = 2, 4
TRUNCATE, ROUND_UP, ROUND_DOWN = 0, 2, 3


def step(case: dict[str, Any]) -> float:
    return case["precision"] if case["precision_mode"] == TICK_SIZE else float(f"1e{-case['precision']}")


def mapped(name: str) -> list[dict[str, Any]]:
    return [
        case for case in ORACLE[name]
        if case["precision_mode"] in (DECIMAL_PLACES, TICK_SIZE)
        and case.get("rounding_mode", TRUNCATE) in (TRUNCATE, ROUND_UP, ROUND_DOWN)
    ]  # fmt: skip


def test_as_many_cases_map_as_before() -> None:
    assert (len(mapped("amount")), len(mapped("price"))) == (16, 34)


@pytest.mark.parametrize("case", mapped("amount"), ids=str)
def test_quantities_are_rounded_down(case: dict[str, Any]) -> None:
    assert round_down(case["amount"], step(case)) == case["expected"]


@pytest.mark.parametrize("case", mapped("price"), ids=str)
def test_prices_are_rounded_to_the_side_asked_for(case: dict[str, Any]) -> None:
    assert round_to_tick(case["price"], step(case), case["rounding_mode"] == ROUND_UP) == case["expected"]
