"""Order strategies: columns and wishes are compared on shorter histories, for one instrument and for several."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

import workbench as wb
from tests.research.check.made import walk

BARS = walk(1_500)


class Reverting(wb.OrderStrategy):
    """Honest: buys below its mean, sells above it."""

    warm_up = 20

    def indicators(self, bars: wb.Bars) -> dict[str, Any]:
        return {"mean": wb.indicators.sma(bars.close, 20)}

    def on_bar(self, view: Any, bar: Any) -> Any:
        if view.quantity() == 0 and bar.close < view.value("mean") * 0.99:
            return view.limit("buy", price=bar.close * 0.999, quantity=1)
        if view.quantity() > 0 and bar.close > view.value("mean"):
            return view.market("sell", quantity=view.quantity())
        return None


class Foreseeing(Reverting):
    """Its column is that of three bars later."""

    def indicators(self, bars: wb.Bars) -> dict[str, Any]:
        ahead = np.roll(wb.indicators.sma(bars.close, 20), -3)
        return {"mean": np.where(np.isnan(ahead), bars.close, ahead)}


BEHIND: dict[str, Any] = {}


class Smuggling(Reverting):
    """Its columns are in order; the future goes through a variable of the module."""

    def indicators(self, bars: wb.Bars) -> dict[str, Any]:
        BEHIND["close"], BEHIND["ts"] = bars.close, bars.ts
        return {"mean": wb.indicators.sma(bars.close, 20)}

    def on_bar(self, view: Any, bar: Any) -> Any:
        row = int(np.searchsorted(BEHIND["ts"], bar.ts))
        coming = BEHIND["close"][min(row + 1, len(BEHIND["close"]) - 1)]
        if view.quantity() == 0 and coming > bar.close * 1.003:
            return view.market("buy", quantity=1)
        if view.quantity() > 0 and coming < bar.close:
            return view.market("sell", quantity=view.quantity())
        return None


class Gambling(Reverting):
    def on_bar(self, view: Any, bar: Any) -> Any:
        if view.quantity() == 0 and random.random() > 0.9:
            return view.market("buy", quantity=1)
        return None


class Waiting(Reverting):
    """Remembers where it may, and wakes by a timer."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        view.memory["bars"] = view.memory.get("bars", 0) + 1
        if view.memory["bars"] % 7 == 0:
            return view.timer(bar.closes + 2 * 3_600_000, "again")
        return None

    def on_timer(self, view: Any, timer: Any) -> Any:
        return view.market("buy" if view.quantity() == 0 else "sell", quantity=1)


def kinds(report: Any) -> set[tuple[str, str]]:
    return {(one.kind, one.column) for one in report if one.severity in ("critical", "warning")}


def test_honest_order_strategies_pass() -> None:
    for strategy in (Reverting(), Waiting()):
        report = wb.check(strategy, BARS)
        assert report.passed, str(report)
    assert wb.check(Reverting(), BARS).warm_up == 19
    assert wb.check(Reverting(), BARS).declared_warm_up == 20


def test_a_column_of_the_future_is_named_and_so_are_the_orders() -> None:
    found = kinds(wb.check(Foreseeing(), BARS))
    assert {("look_ahead", "mean"), ("look_ahead", "on_bar")} <= found


def test_what_goes_around_the_columns_shows_in_the_orders() -> None:
    report = wb.check(Smuggling(), BARS)
    assert ("look_ahead", "on_bar") in kinds(report)
    (found,) = report.look_ahead
    assert found.history is not None and found.row is not None
    assert "it wished nothing, and with later bars appended Intent(" in found.said
    assert BEHIND == {}


def test_orders_by_chance_are_named() -> None:
    found = kinds(wb.check(Gambling(), BARS))
    assert ("randomness", "") in found
    # what it does otherwise on fewer bars looks like one or the other, as chance will have it
    assert {("hidden_state", "on_bar"), ("look_ahead", "on_bar")} & set(found)


def test_several_instruments_are_cut_at_the_same_time() -> None:
    both = [walk(800), walk(800, symbol="ETH/USDT", seed=4)]

    class Both(Reverting):
        def on_bar(self, view: Any, bar: Any) -> Any:
            other = "BTC/USDT" if bar.symbol == "ETH/USDT" else "ETH/USDT"
            if len(view.bars(symbol=other)) and view.quantity() == 0:
                behind = bar.close / view.bars()[0] < view.bars(symbol=other)[-1] / view.bars(symbol=other)[0]
                return view.market("buy", quantity=1) if behind else None
            return None

    report = wb.check(Both(), both)
    assert report.passed, str(report)
    assert [one.name for one in report.columns] == ["BTC/USDT mean", "ETH/USDT mean"]
    assert "BTC/USDT" in report.market and "ETH/USDT" in report.market
