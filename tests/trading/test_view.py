"""What a strategy sees of its own books: wishes under way, the order of a fill, steps, costs, funding, warm-up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.strategy.library.cases import FREE, HOUR, SPOT, bars_of, path
from workbench.errors import StrategyError
from workbench.strategy.orders import OrderStrategy

STEPS = SPOT.replace(tick_size=0.5, lot_size=0.1, min_notional=10.0)


def run(steps: dict[str, Any], bars: Any, **more: Any) -> Any:
    strategy = type("Made", (OrderStrategy,), steps)()
    return wb.backtest(strategy, bars, costs=more.pop("costs", FREE), path="event", **more)


def test_wishes_that_wait_for_a_price_are_seen_and_can_be_cancelled():
    seen: list[Any] = []

    def on_fill(self: Any, view: Any, fill: Any) -> Any:
        if fill.side == "buy":
            return [view.limit("sell", 1, price=120, tag="a"), view.limit("sell", 1, price=130, tag="b")]
        return None

    def on_bar(self: Any, view: Any, bar: Any) -> Any:
        seen.append([(wish.tag, wish.price) for wish in view.wishes()])
        assert [one.tag for one in view.wishes(tag="a")] == [one[0] for one in seen[-1] if one[0] == "a"]
        assert view.wishes("ETH/USDT") == ()
        if bar.ts == 0:
            return view.market("buy", 1)
        return [view.cancel(wish.id) for wish in view.wishes(tag="b")]

    result = run({"on_fill": on_fill, "on_bar": on_bar}, path(100, 100, 100, 140))
    assert seen == [[], [("a", 120.0), ("b", 130.0)], [], []]
    assert result.fills["tag"].tolist() == ["", "a"]


def test_a_fill_comes_with_its_order():
    seen: list[Any] = []

    def on_fill(self: Any, view: Any, fill: Any) -> None:
        seen.append((view.order.tag, view.order.id == fill.id, view.order.filled))

    def on_bar(self: Any, view: Any, bar: Any) -> Any:
        assert view.order is None
        return view.limit("buy", 2, price=90, tag="dip") if bar.ts == 0 else None

    run({"on_fill": on_fill, "on_bar": on_bar}, path(100, 100, 80))
    assert seen == [("dip", True, 2.0)]


def test_facts_of_what_is_traded():
    ether = wb.Instrument(symbol="ETH/USDT", quote="USDT")

    def on_bar(self: Any, view: Any, bar: Any) -> None:
        assert view.symbols == ("BTC/USDT", "ETH/USDT")
        assert view.instrument("BTC/USDT") == STEPS and view.instrument().symbol == bar.symbol
        assert view.costs("ETH/USDT").taker == 0.002 and view.leverage("ETH/USDT") == 3.0
        assert view.rounded("buy", 99.7, 1.27, "BTC/USDT") == (99.5, 1.2)
        assert view.rounded("sell", 99.7, 1.27, "BTC/USDT") == (100.0, 1.2)
        assert view.rounded("buy", 99.7, 0.1, "BTC/USDT") == (99.5, 0.0)  # 9.95 is below the smallest order
        with pytest.raises(StrategyError, match="'XRP/USDT' is not traded here; this run has BTC/USDT, ETH/USDT"):
            view.instrument("XRP/USDT")

    bars = [bars_of([(100.0,) * 4] * 2, STEPS), bars_of([(10.0,) * 4] * 2, ether)]
    costs = {"BTC/USDT": FREE, "ETH/USDT": wb.Costs(fee=0.002)}
    run({"on_bar": on_bar}, bars, costs=costs, leverage={"ETH/USDT": 3.0})


def test_what_is_rounded_is_what_is_sent():
    said: list[Any] = []

    def on_bar(self: Any, view: Any, bar: Any) -> Any:
        assert list(view.peek()) == list(view.orders()) and list(view.peek("ETH/USDT")) == []
        if bar.ts:
            said.extend((order.price, order.quantity) for order in view.orders())
            return None
        wanted = [("buy", 90.26, 0.77), ("sell", 110.26, 3.1999999999999997)]
        assert [view.rounded(*one) for one in wanted] == [(90.0, 0.7), (110.5, 3.2)]
        return [view.limit(side, quantity, price=price) for side, price, quantity in wanted]

    run({"on_bar": on_bar}, bars_of([(100.0,) * 4] * 2, STEPS))
    assert said == [(90.0, 0.7), (110.5, 3.2)]


def test_the_rate_settled_last_is_a_column_and_the_one_due_at_the_close_is_not_known_yet():
    perpetual = wb.Instrument.default("BTC/USDT:USDT")
    seen: list[float] = []
    rates = pd.Series([0.001, 0.002], index=pd.to_datetime([2 * HOUR, 4 * HOUR], unit="ms", utc=True))
    run(
        {"on_bar": lambda self, view, bar: seen.append(view.value("funding"))},
        path(*[100.0] * 6, instrument=perpetual), rules=wb.Rules(funding={perpetual.symbol: rates}),
    )  # fmt: skip
    np.testing.assert_array_equal(seen, [np.nan, np.nan, 0.001, 0.001, 0.002, 0.002])
    spot: list[float] = []
    run({"on_bar": lambda self, view, bar: spot.append(view.value("funding"))}, path(100, 100))
    assert np.isnan(spot).all()


def test_bars_of_the_warm_up_are_seen_but_not_told():
    told: list[tuple[int, int]] = []
    run({"warm_up": 3, "on_bar": lambda self, view, bar: told.append((bar.ts // HOUR, view.count()))}, path(*[1.0] * 5))
    assert told == [(3, 4), (4, 5)]
