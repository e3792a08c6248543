"""Sizings that a strategy brings, that are swept, kept in archives, or a user's own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.backtest.handmade import FREE
from tests.backtest.sized import ALL, enters, hourly, sized, trips
from workbench.errors import ConfigError, StrategyError
from workbench.risk import sizing as sz
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.parameters import param


class Sized(wb.SignalStrategy):
    """Buys every tenth bar; what it risks is a parameter."""

    risk: float = param(0.01, low=0.001, high=0.05)

    @property
    def sizing(self) -> sz.Sizing:  # type: ignore[override]
        return sz.PercentVolatility(self.risk, length=3, caps=ALL)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        return enters(bars, *range(5, len(bars), 10), leave=tuple(range(9, len(bars), 10)))


def test_a_strategy_brings_its_sizing_and_a_run_goes_before_it() -> None:
    bars = hourly(100.0 + np.sin(np.arange(60.0)))
    own = wb.backtest(Sized(risk=0.02), bars, costs=FREE)
    same = sized(Sized(risk=0.04), bars, sz.PercentVolatility(0.02, length=3, caps=ALL))
    assert own.fills["quantity"].tolist() == same.fills["quantity"].tolist()
    assert own.equity.iloc[-1] != wb.backtest(Sized(risk=0.04), bars, costs=FREE).equity.iloc[-1]


def test_what_a_sizing_rests_on_can_be_swept() -> None:
    from workbench.research.sweeping.running import sweep

    bars = hourly(100.0 + np.sin(np.arange(80.0)))
    grid = {"risk": [0.01, 0.02, 0.04]}
    swept = sweep(Sized, bars, grid=grid, costs=FREE, metrics=["total_return"])
    alone = [wb.backtest(Sized(risk=risk), bars, costs=FREE).metrics["total_return"] for risk in grid["risk"]]
    assert swept.table["total_return"].tolist() == pytest.approx(alone, rel=1e-12)
    assert len(set(alone)) == 3
    with pytest.raises(ConfigError, match="size cannot be varied where PercentVolatility"):
        sweep(Sized, bars, grid={"size": [0.1, 0.2]}, costs=FREE)


def test_sizes_that_are_said_twice_are_refused() -> None:
    bars = hourly([100.0] * 30)

    class Twice(Sized):
        def signals(self, bars: wb.Bars) -> wb.Signals:
            return enters(bars, 3, size=0.5)

    with pytest.raises(StrategyError, match="says how large entries are twice"):
        wb.backtest(Twice(), bars)
    assert sized(Twice(), bars, sz.FixedCash(500.0)).fills["quantity"].tolist() == [5.0]
    with pytest.raises(ConfigError, match="sizing is said twice"):
        wb.backtest(Sized(), bars, sizing=sz.FixedRisk(), rules=wb.Rules(sizing=sz.FixedCash(1.0)))
    with pytest.raises(ConfigError, match=r"give one of wb\.sizing"):
        wb.backtest(Sized(), bars, sizing=0.2)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="path='compiled': Pyramid sizes event by event: it adds to what is held"):
        wb.backtest(Sized(), bars, sizing=sz.Pyramid(), path="compiled")


class Buys(OrderStrategy):
    """Leaves its quantity open; adds once."""

    sizing = sz.PercentVolatility(0.01, length=3, caps=sz.Caps(position=0.5))

    def on_bar(self, view: Any, bar: Any) -> Any:
        count = view.count()
        if count == 6:
            return view.market("buy")
        return view.limit("buy", price=99.0, tag="dip") if count == 8 else None


def test_an_order_strategy_leaves_its_quantity_open() -> None:
    """True ranges of 2: 1 % of 10,000 over 2 is 50, worth 5,000, which is all that half of the equity allows."""
    bars = hourly([100.0] * 12)
    result = wb.backtest(Buys(), bars, costs=FREE)
    assert result.fills["quantity"].tolist() == [50.0]
    assert result.sizes["status"].tolist() == ["traded", "cap_reached"]
    assert result.sizes["price"].tolist() == [100.0, 99.0]


def test_why_survives_an_archive(tmp_path: Path) -> None:
    bars = hourly(100.0 + np.sin(np.arange(60.0)))
    for path in ("compiled", "event"):
        result = wb.backtest(Sized(), bars, path=path)
        file = result.save(tmp_path / f"{path}.zip")
        again = wb.load_result(file)
        assert again.plan.sizing == Sized().sizing
        assert again.sizes.equals(result.sizes) and len(again.sizes) == 6


def test_a_sizing_of_ones_own() -> None:
    @dataclass(frozen=True, repr=False)
    class Halves(sz.Sizing):
        """Half after every closed trade."""

        memory = 100

        def ask(self, state: sz.SizingState) -> sz.Ask:
            return sz.Ask("exposure", 0.1 / 2 ** len(state.returns), why="half each time")

    bars, signals = trips("+-")
    sizes = sized(signals, bars, Halves()).sizes
    assert (sizes["quantity"] * sizes["price"] / sizes["equity"]).tolist() == pytest.approx([0.1, 0.05, 0.025])


def test_measures_are_known_before_what_they_size() -> None:
    """What comes later changes no size: the first half of a run is that of the first half of the bars."""
    rng = np.random.default_rng(7)
    closes = 100.0 * np.cumprod(1.0 + 0.01 * rng.standard_normal(200))
    whole = [hourly(closes, "A/USDT"), hourly(closes[::-1].copy(), "B/USDT")]
    for sizing in (sz.PercentVolatility(), sz.VolatilityTarget(), sz.RiskParity(lookback=20, every=7)):
        full = sizing.measures(whole)
        half = sizing.measures([one[:120] for one in whole])
        for symbol, values in half.items():
            np.testing.assert_array_equal(full[symbol][:120], values)
            assert math.isfinite(values[-1])


class Numbered(sz.PerBar):
    """Of a user: gives what it was told to, or raises it."""

    gives: Any = None

    def amount(self, measure: Any) -> Any:
        if isinstance(self.gives, Exception):
            raise self.gives
        return self.gives


class Asked(Numbered):
    """As above, event by event."""

    follows = "the test says so"

    def ask(self, state: sz.SizingState) -> Any:
        return self.amount(state.measure)

    def per_bar(self, measure: Any, cash: float) -> None:  # type: ignore[override]
        return None


@pytest.mark.parametrize(
    ("kind", "gives", "message"),
    [
        (Numbered, np.ones(3), r"its sizes of A/USDT have shape \(3,\) for 10 bars"),
        (
            Numbered,
            ValueError("no size today"),
            r"Numbered\(\)\.per_bar raised ValueError: no size today \(line \d+ of te",
        ),
        (Asked, ValueError("no size today"), r"Asked\(\)\.ask raised ValueError: no size today \(line \d+ of test_siz"),
        (Asked, 0.1, r"Asked\(\)\.ask gave 0\.1; give sizing\.Ask\(unit, size\)"),
        (Asked, sz.Ask("lots", 1.0), r"one of 'quantity', 'value', 'exposure', 'risk', 'units'"),  # type: ignore[arg-type]
    ],
)
def test_what_a_sizing_of_ones_own_does_wrong_is_named(kind: Any, gives: Any, message: str) -> None:
    bars = hourly([100.0] * 10)
    made = type(kind.__name__, (kind,), {"gives": gives})()
    with pytest.raises((StrategyError, ConfigError), match=message):
        sized(enters(bars, 3), bars, made)


def test_measures_of_ones_own_have_one_value_a_bar() -> None:
    class Short(sz.PercentEquity):
        """Measures too little."""

        def measures(self, series: Any) -> dict[str, Any]:
            return {one.symbol: [1.0] for one in series}

    bars = hourly([100.0] * 10)
    with pytest.raises(StrategyError, match=r"its measures of A/USDT have shape \(1,\) for 10 bars"):
        sized(enters(bars, 3), bars, Short(0.1))
    with pytest.raises(ConfigError, match="Sizing does not say how much: write `def ask"):
        sized(enters(bars, 3), bars, sz.Sizing())
