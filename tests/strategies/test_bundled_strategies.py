"""The strategies that are shipped: what they promise, on the bundled real series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from workbench.errors import StrategyError
from workbench.market.lake import Lake
from workbench.strategy import list_strategies, signals_of

NAMES = ["bollinger_squeeze", "donchian_breakout", "macd_trend", "rsi_reversion", "session_dip", "sma_cross"]
# total return, Sharpe ratio, deepest drawdown and closed trades with default parameters and costs
GOLDEN = {
    ("sma_cross", "BTC/USDT", "1h"): (4.8538676, 0.79306438, -0.68611203, 1120),
    ("sma_cross", "SPX", "1d"): (0.51103234, 0.24368543, -0.32026102, 88),
    ("rsi_reversion", "EUR/USD", "1h"): (-0.0010963698, -0.076317836, -0.018968073, 8),
    ("donchian_breakout", "KO", "1d"): (-0.57806185, -0.1318717, -0.64914252, 230),
}


def test_all_are_listed_with_a_summary_and_bounds(workspace: Path) -> None:
    found = list_strategies()
    of_files = [one.name for one in found if not one.name.startswith("library:")]
    assert of_files == [name + kind for name in NAMES for kind in ("", ".yaml")]
    assert all(one.error is None and one.summary.endswith(".") for one in found)
    for one in found:
        for declared in one.parameters:
            assert declared.doc, (one.name, declared.name)
            bounded = declared.low is not None and declared.high is not None
            assert declared.kind is bool or declared.choices or bounded, (one.name, declared.name)


@pytest.mark.parametrize("name", NAMES)
def test_signals_never_change_when_history_grows(name: str, lake: Lake) -> None:
    bars = lake.read("BTC/USDT", "1d")
    strategy = wb.load_strategy(name)()
    whole = signals_of(strategy, bars)
    for cut in (strategy.warm_up, strategy.warm_up + 1, 500, 1_234, len(bars) - 1):
        part = signals_of(strategy, bars[:cut])
        for field in ("entry", "exit", "short_entry", "short_exit"):
            np.testing.assert_array_equal(getattr(part, field), getattr(whole, field)[:cut], err_msg=f"{field} {cut}")
        if len(whole.trailing_stop) > 1:
            np.testing.assert_array_equal(part.trailing_stop, whole.trailing_stop[:cut])


@pytest.mark.parametrize("name", NAMES)
def test_the_declared_warm_up_is_enough(name: str, lake: Lake) -> None:
    """After the warm-up, signals do not depend on where the history began, but for what fades from recursive means."""
    bars = lake.read("SPX", "1d")
    strategy = wb.load_strategy(name)()
    late, settled = 1_000, 250
    whole, part = strategy.signals(bars), strategy.signals(bars[late:])
    for field in ("entry", "exit", "short_entry", "short_exit"):
        np.testing.assert_array_equal(getattr(part, field)[settled:], getattr(whole, field)[late + settled :])


@pytest.mark.parametrize("name", NAMES)
def test_it_trades_on_every_bundled_series_or_says_nothing(name: str, lake: Lake) -> None:
    for info in lake.series():
        result = wb.backtest(wb.load_strategy(name)(), lake.read(info.symbol, info.timeframe, venue=info.venue))
        assert np.isfinite(result.equity_values).all()
        assert result.trades["entry_time"].is_monotonic_increasing


@pytest.mark.parametrize(("name", "symbol", "timeframe"), list(GOLDEN))
def test_golden_results(name: str, symbol: str, timeframe: str, lake: Lake) -> None:
    told = wb.backtest(wb.load_strategy(name)(), lake.read(symbol, timeframe)).metrics
    found = (told["total_return"], told["sharpe_ratio"], told["max_drawdown"], told["trades"])
    assert found == pytest.approx(GOLDEN[name, symbol, timeframe], rel=1e-5)


def test_sma_cross_keeps_its_means_apart(workspace: Path) -> None:
    with pytest.raises(StrategyError, match="fast = 50 must be below slow = 30"):
        wb.load_strategy("sma_cross")(fast=50, slow=30)


def test_an_unknown_name_suggests_the_nearest(workspace: Path) -> None:
    with pytest.raises(StrategyError, match=r"there is no strategy 'sma_corss' .*did you mean 'sma_cross'\?"):
        wb.load_strategy("sma_corss")
