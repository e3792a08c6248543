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
    "arbitrage": ("2023-10-01", 0.097162687, -0.0074618826, 298),
    "avellaneda_stoikov": ("2023-10-01", -0.063749334, -0.063799109, 1234),
    "breakout": ("2022-01-01", -0.33149062, -0.45856288, 399),
    "cash_and_carry": ("2023-10-01", 0.0097915918, -0.015589846, 2),
    "dca": ("2023-10-01", 0.10355384, -0.021448347, 138),
    "grid": ("2023-10-01", 0.05026665, -0.024405744, 46),
    "market_making": ("2023-10-01", -0.082061163, -0.082236079, 1593),
    "mean_reversion": ("2022-01-01", -0.209358, -0.29365601, 222),
    "momentum": ("2015-01-01", 1.1401121, -0.25357269, 227),
    "pairs": ("2015-01-01", -0.026430512, -0.057116683, 14),
    "rebalancer": ("2015-01-01", 1.9664708, -0.26559003, 63),
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
