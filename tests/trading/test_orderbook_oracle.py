"""Fills against an order book, as freqtrade's paper trading has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.trading.venue_cases import Desk, kinds
from workbench.trading.events import Filled
from workbench.trading.terms import CostTerms

ORACLE: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "orderbook_fills.json").read_text())


def desk_at(price: float, **costs: float) -> Desk:
    desk = Desk(cash=1e9, costs=CostTerms(**costs))
    desk.tick(price)
    desk.book(ORACLE["bids"], ORACLE["asks"])
    return desk


@pytest.mark.parametrize("case", ORACLE["market"], ids=str)
def test_a_market_order_walks_the_book(case: dict[str, Any]) -> None:
    (fill,) = desk_at(case["rate"]).send(case["side"], case["amount"])
    assert round(fill.price, 4) == case["endprice"]
    assert fill.quantity == case["amount"]


@pytest.mark.parametrize("case", ORACLE["limit"], ids=str)
def test_a_limit_order_fills_if_it_crosses(case: dict[str, Any]) -> None:
    # theirs turns an order far beyond the spread into a market order; ours takes the same levels as a limit order
    said = desk_at(25.564).send(case["side"], 1.0, "limit", price=case["price"])
    assert kinds(said) == (["Filled"] if case["filled"] else ["Accepted"])
    if case["converted"]:
        assert 25.5 < said[0].price < 25.6
    elif case["filled"]:
        assert said[0].price == case["price"]


@pytest.mark.parametrize("case", ORACLE["fees"], ids=str)
def test_who_takes_pays_the_takers_fee(case: dict[str, Any]) -> None:
    # theirs charges 2.0 to takers and 1.0 to makers; as fractions these would take all the money
    desk = desk_at(25.564, taker=0.02, maker=0.01)
    same = case["price_side"] == "same"
    price = {} if case["order_type"] == "market" else {"price": 25.563 if same else 25.566}
    said = desk.send("buy", 1.0, case["order_type"], **price)
    if kinds(said) == ["Accepted"]:
        said = desk.tick(25.56, 10.0)
    assert isinstance(said[-1], Filled)
    assert said[-1].fee / said[-1].price == pytest.approx(case["fee"] / 100)
