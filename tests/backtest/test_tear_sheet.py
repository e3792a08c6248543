"""The tables of all metrics of a result: what only its records can tell, and how sure each number is."""

from __future__ import annotations

import math

import numpy as np
import pytest

import workbench as wb
from tests.backtest.conftest import bars_of, flags
from tests.backtest.handmade import series
from workbench.backtest.tables import metrics_table
from workbench.risk import metrics as m

CLOSES = [100.0, 100, 110, 110, 120, 120, 110, 110]
OPENS = [100.0, *CLOSES[:-1]]


@pytest.fixture(scope="module")
def two_trades() -> wb.Result:
    """Long 5 units from the open of bar 1 to that of bar 4 (+50), and of bar 5 to that of bar 7 (-50)."""
    rows = [(o, max(o, c), min(o, c), c) for o, c in zip(OPENS, CLOSES, strict=True)]
    signals = wb.Signals(entry=flags(8, 0, 4), exit=flags(8, 3, 6), size=5.0, size_unit="quantity")
    return wb.backtest(signals, bars_of(rows, taker_fee=0.001), cash=1_000.0)


def test_what_only_the_records_tell(two_trades: wb.Result) -> None:
    sheet = two_trades.tear_sheet()["value"]
    fees = 0.001 * 5.0 * (100 + 110 + 120 + 110)
    equity = two_trades.equity.to_numpy()
    assert two_trades.profits.tolist() == pytest.approx([50 - 0.5 - 0.55, -50 - 0.6 - 0.55])
    assert sheet["cost_drag"] == pytest.approx(fees / equity.mean() / two_trades.years)
    assert sheet["turnover"] == pytest.approx(5.0 * 440 / equity.mean() / two_trades.years)
    assert (sheet["longest_holding_time"], sheet["average_holding_time"]) == (3.0, 2.5)
    assert (sheet["winner_holding_time"], sheet["loser_holding_time"]) == (3.0, 2.0)
    held = 5.0 * np.array([0, 100, 110, 110, 0, 120, 110, 0]) / equity
    assert sheet["average_exposure"] == pytest.approx(held.mean())
    # the market trades 1e9 units at each close; of what is traded at 100, 110, 120 and 110 the scarcest tells
    traded = 5.0 * np.array([100.0, 110.0, 120.0, 110.0])
    market, owned = 1e9 * np.array(CLOSES)[[1, 4, 5, 7]], equity[[1, 4, 5, 7]]
    assert sheet["capacity"] == pytest.approx(np.quantile(0.01 * market * owned / traded, 0.05))
    assert sheet["trades"] == 2 and sheet["best_trade"] == pytest.approx(48.95)
    assert set(sheet.index) == set(m.METRICS)


def test_all_that_returns_tell_is_as_computed_from_them(two_trades: wb.Result) -> None:
    sheet = two_trades.tear_sheet()["value"]
    held = m.returns_of(two_trades.buy_and_hold, two_trades.cash)
    for name in ("stability", "sharpe_ratio", "best_day", "kelly_fraction"):
        function = m.METRICS[name].function
        assert function is not None
        given = two_trades.profits if m.METRICS[name].needs == "profits" else two_trades.returns
        options = {"periods_per_year": two_trades.periods_per_year} if name == "sharpe_ratio" else {}
        assert sheet[name] == pytest.approx(function(given, **options), nan_ok=True), name
    assert sheet["beta"] == pytest.approx(m.beta(two_trades.returns.to_numpy(), held))
    flat = two_trades.tear_sheet(benchmark=np.zeros(8))["value"]
    assert math.isnan(flat["beta"]) and flat["active_return"] == pytest.approx(flat["annualised_mean"])


def test_the_table_of_a_notebook_says_how_sure_each_number_is() -> None:
    random = np.random.default_rng(4)
    bars = series("TEST/USDT", 100 * np.exp(np.cumsum(random.normal(0.0005, 0.01, 600))))
    result = wb.backtest(wb.Signals(entry=random.random(600) < 0.1, exit=random.random(600) < 0.1), bars)
    table = metrics_table(result)
    assert list(table.columns) == ["value", "95 % interval", "how it is computed"]
    assert list(table.index) == [m.METRICS[name].label for name in m.HEADLINE]
    sharpe = table.loc["Sharpe ratio"]
    assert sharpe["how it is computed"] == (
        "mean return / sample standard deviation x sqrt(periods per year); risk-free rate 0 unless given; bars without "
        "a position count (Sharpe (1994), The Sharpe Ratio)"
    )
    low, high = (float(end.replace("\N{MINUS SIGN}", "-")) for end in sharpe["95 % interval"].split(" to "))
    assert low < result.metrics["sharpe_ratio"] < high
    assert table.loc[["Drawdown from", "Exposure", "Trades"], "95 % interval"].tolist() == ["", "", ""]
    other = metrics_table(result, resampling=m.Resampling(level=0.5, draws=60))
    assert other.columns[1] == "50 % interval"
    sheet = result.tear_sheet(resampling=m.Resampling(draws=60))
    assert sheet.loc["sharpe_ratio", "low"] < sheet.loc["sharpe_ratio", "high"]
