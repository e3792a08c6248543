"""Results side by side."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.backtest.conftest import bars_of, flags
from tests.backtest.handmade import series
from workbench.backtest.compare import delayed, scaled
from workbench.errors import ConfigError

ROWS = [(100, 101, 99, 100), (100, 111, 99, 110), (110, 122, 109, 121), (121, 122, 108, 109), (109, 110, 99, 100)]


@pytest.fixture
def result() -> wb.Result:
    words = wb.Signals(entry=flags(5, 0), exit=flags(5, 2))
    return wb.backtest(words, bars_of(ROWS), costs=wb.Costs(fee=0.001, slippage_bps=10))


def test_costs_are_multiplied_and_bear_on_the_outcome(result: wb.Result) -> None:
    table = result.cost_sensitivity()
    assert list(table.index) == [0, 1, 2, 3]
    assert table["fee"].tolist() == pytest.approx([0, 0.001, 0.002, 0.003])
    assert table["slippage_bps"].tolist() == pytest.approx([0, 10, 20, 30])
    assert table.loc[0, "total_return"] == pytest.approx(0.21)
    assert table.loc[1, "total_return"] == result.metrics["total_return"]
    assert table["total_return"].is_monotonic_decreasing
    assert (table["trades"] == 1).all()


def test_results_stand_beside_holding(result: wb.Result) -> None:
    free = wb.backtest(result.strategy, result.bars, costs=wb.Costs(fee=0, slippage_bps=0))
    table = wb.compare([result, free])
    assert list(table.index) == [
        f"{result.name} on TEST/USDT 1h", f"{result.name} on TEST/USDT 1h (2)", "buy and hold TEST/USDT 1h",
    ]  # fmt: skip
    assert table.iloc[1]["total_return"] == pytest.approx(0.21)
    held = table.iloc[2]
    assert held["total_return"] == pytest.approx(1 / (1.001 * 1.001) - 1)
    assert held["max_drawdown"] == pytest.approx(100 / 121 - 1)
    assert math.isnan(held["win_rate"])


def test_holding_is_what_a_backtest_of_holding_gives() -> None:
    bars = bars_of(ROWS)
    always = wb.backtest(wb.Signals(entry=flags(5, 0)), bars, costs=wb.Costs(fee=0, slippage_bps=0))
    held = wb.compare([always]).iloc[1]
    for name in ("total_return", "annualised_volatility", "sharpe_ratio", "max_drawdown"):
        assert held[name] == pytest.approx(always.metrics[name], rel=1e-9), name


def test_what_cannot_be_compared(result: wb.Result) -> None:
    for wrong in ([], [result, None]):
        with pytest.raises(ConfigError, match="compare takes a list of results"):
            wb.compare(wrong)
    with pytest.raises(ConfigError, match=r"factors = \(-1,\): multiply costs by zero or more"):
        result.cost_sensitivity([-1])


def bars_of_two() -> list[wb.Bars]:
    rng = np.random.default_rng(8)
    closes = [100 * np.exp(np.cumsum(rng.normal(0, 0.01, 300))) for _ in range(2)]
    return [series(f"{name}/USDT", close, reach=0.4) for name, close in zip("AB", closes, strict=True)]


class Ladder(wb.OrderStrategy):
    """Buys below, sells at a target: needs nothing but its view."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        if view.quantity() == 0 and not view.orders():
            return view.limit("buy", price=bar.close * 0.995, size=0.3, size_unit="fraction", take_profit=0.01)
        return None


def portfolio(**options: Any) -> wb.Result:
    words = {
        one.symbol: wb.Signals(entry=flags(300, 5, 120), exit=flags(300, 60, 200), stop_loss=0.05)
        for one in bars_of_two()
    }
    return wb.backtest(words, bars_of_two(), costs=wb.Costs(fee=0.002, slippage_bps=5), **options)


@pytest.mark.parametrize("options", [{}, {"path": "event"}, {"fill": "close"}, {"leverage": 3.0}])
def test_everything_else_stays_the_same_at_other_costs(options: dict[str, Any]) -> None:
    made = portfolio(rules=wb.Rules(margin="isolated", max_positions=1, protections=[wb.Cooldown(5)]), **options)
    double = scaled(made, 2.0)
    assert (double.path, double.fill, double.plan.account) == (made.path, made.fill, made.plan.account)
    assert [line.leverage for line in double.plan.lines] == [line.leverage for line in made.plan.lines]
    assert double.plan.guards is made.plan.guards and double.plan.max_positions == 1
    fresh = wb.backtest(
        made.strategy, list(made.series), costs=wb.Costs(fee=0.004, slippage_bps=10),
        rules=wb.Rules(margin="isolated", max_positions=1, protections=[wb.Cooldown(5)]), **options,
    )  # fmt: skip
    assert fresh.equity.equals(double.equity) and fresh.trades.equals(double.trades)
    assert scaled(made, 1.0).equity.equals(made.equity)


def test_orders_are_run_again_at_other_costs() -> None:
    made = wb.backtest(Ladder(), bars_of_two(), costs=wb.Costs(fee=0.001))
    table = made.cost_sensitivity()
    assert table.loc[1, "total_return"] == made.metrics["total_return"]
    assert table["total_return"].is_monotonic_decreasing and table.loc[0, "trades"] > 3
    assert made.cost_sensitivity().equals(table)  # nothing is left over from one run in the next


def test_a_delay_moves_what_is_said_by_a_bar() -> None:
    made = portfolio()
    late = delayed(made)
    words = {
        symbol: wb.Signals(entry=flags(300, 6, 121), exit=flags(300, 61, 201), stop_loss=0.05)
        for symbol in made.strategy
    }
    fresh = wb.backtest(words, list(made.series), costs=wb.Costs(fee=0.002, slippage_bps=5))
    assert late.equity.equals(fresh.equity) and not late.equity.equals(made.equity)
    assert delayed(made, 2).trades["entry_time"].iloc[0] == made.trades["entry_time"].iloc[0] + pd.Timedelta("2h")
    assert delayed(made, 1_000).metrics["trades"] == 0


def test_a_delay_takes_what_belongs_to_the_bar_with_it() -> None:
    bars = bars_of_two()[0]
    size, stop = np.linspace(0.1, 0.9, 300), np.linspace(50, 60, 300)
    made = wb.backtest(wb.Signals(entry=flags(300, 100), size=size, stop_price=stop), bars)
    late = delayed(made)
    assert late.positions["value"].iloc[0] / late.equity.iloc[102] == pytest.approx(size[100], rel=0.02)
    said = late.plan.lines[0].signals
    assert (said.size[101], said.stop_price[101]) == (size[100], stop[100])
    assert np.isnan(late.plan.lines[0].stop_price[0])


def test_a_delay_of_orders_is_time_under_way() -> None:
    made = wb.backtest(Ladder(), bars_of_two())
    assert delayed(made, 2).plan.latency_ms == 2 * 3_600_000
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(ConfigError, match="give a whole number of at least 1"):
            delayed(made, wrong)


def test_portfolios_stand_beside_holding_equal_shares() -> None:
    made = portfolio()
    table = wb.compare([made])
    assert list(table.index) == [f"{made.name} on A/USDT, B/USDT 1h", "buy and hold A/USDT, B/USDT 1h"]
    held = [5_000 / 1.002 / 1.0005 / bars.open[0] * bars.close[-1] for bars in made.series]
    assert table.iloc[1]["total_return"] == pytest.approx(sum(held) / 10_000 - 1)
