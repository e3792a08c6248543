"""Golden results of every strategy of the library on bundled prices: defaults, all costs, resting orders last in line.

Where the bundled data have no second venue or perpetual the series is a stand-in (`strategy_page`), and the number says
only that nothing has changed.
"""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.market.lake import Lake
from workbench.reporting.strategy_page import sample_bars
from workbench.strategy import library

# first bar, total return, deepest drawdown, fills
GOLDEN = {
    "arbitrage": ("2023-07-01", 0.21580856, -0.0072823768, 620),
    "avellaneda_stoikov": ("2023-07-01", -0.11548574, -0.11554933, 2087),
    "breakout": ("2022-01-01", -0.33149062, -0.45856288, 399),
    "cash_and_carry": ("2023-07-01", 0.024369919, -0.011181403, 2),
    "dca": ("2023-07-01", 0.11904858, -0.11921146, 148),
    "grid": ("2023-07-01", 0.091314592, -0.12913959, 176),
    "market_making": ("2023-07-01", -0.12045175, -0.12301324, 2480),
    "mean_reversion": ("2022-01-01", -0.209358, -0.29365601, 222),
    "momentum": ("2012-01-01", 1.4994424, -0.25272332, 351),
    "pairs": ("2012-01-01", -0.032183359, -0.063080063, 26),
    "rebalancer": ("2012-01-01", 3.3559508, -0.26371992, 979),
    "scalping": ("2022-01-01", -0.12682938, -0.23141379, 168),
    "trend_following": ("2022-01-01", 0.25673406, -0.074318043, 90),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_results(name: str, lake: Lake) -> None:
    start, *expected = GOLDEN[name]
    bars = sample_bars(name, start=start, source=lake)
    result = wb.backtest(library.get(name)(), bars, rules=wb.Rules(limit_fill="through"))
    told = result.metrics
    assert [told["total_return"], told["max_drawdown"], len(result.fills)] == pytest.approx(expected, rel=1e-5)


def test_all_that_a_backtest_can_run_is_here() -> None:
    assert set(GOLDEN) == set(library.names()) - {"triangular"}
