"""Results side by side."""

from __future__ import annotations

import math

import pytest

import workbench as wb
from tests.backtest.conftest import bars_of, flags
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
