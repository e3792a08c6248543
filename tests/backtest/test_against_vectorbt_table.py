"""vectorbt's own table of signals and the orders that they become, as far as our signals can say them.

`data/vectorbt_orders.json` counts the columns of its tests: those that are here as cases (`columns` times each), and
the rest by the reason why they are not. Where both mean something else by the same words, `differs` says what; those
orders must not be equal, or the reason is out of date. A reversal is one order there and two fills here, so fills of a
side on one bar are summed up.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

import workbench as wb
from tests.backtest.cases import HOUR, START, arguments, simplest

TABLE: Final = json.loads((Path(__file__).parent / "data" / "vectorbt_orders.json").read_text(encoding="utf-8"))
COLUMNS: Final = 615
RUIN: Final = "a short whose loss eats the account is held on"


def name_of(case: dict[str, Any]) -> str:
    lines = ",".join(line["words"] for line in case["lines"])
    return f"{case['test']}-{lines}-{TABLE['cases'].index(case)}"


def case_of(case: dict[str, Any]) -> dict[str, Any]:
    """Say a case of theirs in our words."""
    fee = case.get("fee", 0.0)
    said = {
        "kind": "spot", "fill": "close", "cash": case["cash"], "fee": fee, "maker_fee": fee,
        "slippage_bps": case.get("slippage", 0.0) * 10_000, "per_order": case.get("per_order", 0.0),
        "size_unit": case.get("size_unit", "fraction"), "size": case.get("size", 1.0),
    }  # fmt: skip
    found = []
    for line, symbol in zip(case["lines"], ("A/USDT", "B/USDT", "C/USDT"), strict=False):
        rows = line.get("rows") or [[price] * 4 for price in line["close"]]
        stops = {name: line.get(name) for name in ("stop_loss", "trailing_stop", "take_profit")}
        found.append(simplest(rows, line["words"], symbol=symbol, **said, **stops))
    return {**found[0], "instruments": [one["instruments"][0] for one in found]}


def orders_of(result: wb.Result) -> list[list[float]]:
    """Give our fills as orders: those of a side, on one bar, of one instrument together."""
    found: dict[tuple[int, int, int], list[float]] = {}
    for fill in result.fills.itertuples():
        bar = int(fill.time.timestamp() * 1000 - START) // HOUR
        key = (bar, "ABC".index(fill.symbol[0]), 0 if fill.side == "buy" else 1)
        order = found.setdefault(key, [*key, 0.0, fill.price, 0.0])
        order[3] += fill.quantity
        order[5] += fill.fee
    return [found[key] for key in sorted(found)]


def test_every_column_of_the_table_is_accounted_for() -> None:
    assert sum(case["columns"] for case in TABLE["cases"]) + sum(TABLE["rest"].values()) == COLUMNS
    assert sum(case["columns"] for case in TABLE["cases"] if "differs" not in case) == 198


@pytest.mark.parametrize("case", [case for case in TABLE["cases"] if "differs" not in case], ids=name_of)
def test_orders_are_those_of_vectorbt(case: dict[str, Any]) -> None:
    found = orders_of(wb.backtest(**arguments(case_of(case))))
    assert len(found) == len(case["orders"])
    if found:
        np.testing.assert_allclose(found, sorted(case["orders"]), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", [case for case in TABLE["cases"] if "differs" in case], ids=name_of)
def test_orders_differ_where_the_meaning_does(case: dict[str, Any]) -> None:
    result = wb.backtest(**arguments(case_of(case)))
    found, theirs = orders_of(result), sorted(case["orders"])
    assert len(found) != len(theirs) or not np.allclose(found, theirs, rtol=1e-9)
    assert ("bankruptcy" in result.trades["exit_reason"].tolist()) == (case["differs"] == RUIN)
