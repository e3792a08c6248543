"""What a result shows: tables, charts, cards and records."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.backtest.conftest import bars_of, flags
from workbench.backtest import charts, tables
from workbench.backtest.html import sparkline


@pytest.fixture(scope="module")
def result() -> wb.Result:
    rng = np.random.default_rng(5)
    n = 9_000
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    opened = np.concatenate((close[:1], close[:-1]))
    index = pd.date_range("2022-06-01", periods=n, freq="1h", tz="UTC")
    frame = pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close) * 1.002,
            "low": np.minimum(opened, close) * 0.998,
            "close": close,
            "volume": 1e6,
        },
        index=index,
    )
    words = {name: rng.random(n) < 0.01 for name in ("entry", "exit", "short_entry", "short_exit")}
    bars = wb.Bars.from_pandas(frame, symbol="BTC/USDT", timeframe="1h", provenance={"source": "a <random> walk"})
    return wb.backtest(wb.Signals(**words, stop_loss=0.05, take_profit=0.08), bars)


def test_trades_have_the_promised_columns(result: wb.Result) -> None:
    assert list(result.trades.columns) == [
        "symbol", "entry_time", "exit_time", "side", "entry_price", "exit_price", "quantity", "pnl", "return_", "fees",
        "funding", "exit_reason", "bars_held", "mae", "mfe",
    ]  # fmt: skip
    assert str(result.trades["entry_time"].dt.tz) == "UTC"
    assert result.equity.index.equals(result.bars.to_pandas().index)
    assert set(result.trades["exit_reason"]) >= {"signal", "reversal", "stop_loss", "take_profit"}


def test_metrics_are_those_of_the_tables(result: wb.Result) -> None:
    closed = result.trades[result.trades["exit_reason"] != "open"]
    told = result.metrics
    assert told["trades"] == len(closed)
    assert told["win_rate"] == pytest.approx((closed["pnl"] > 0).mean())
    assert told["expectancy"] == pytest.approx(closed["pnl"].mean())
    assert told["profit_factor"] == pytest.approx(-closed[closed.pnl > 0].pnl.sum() / closed[closed.pnl < 0].pnl.sum())
    steps = result.equity / result.equity.shift(fill_value=10_000) - 1
    assert told["sharpe_ratio"] == pytest.approx(steps.mean() / steps.std() * math.sqrt(8_760))
    assert told["max_drawdown"] == pytest.approx((result.equity / result.equity.cummax().clip(lower=10_000) - 1).min())


def test_years_compound_to_the_total(result: wb.Result) -> None:
    years = tables.by_year(result)
    assert list(years.index) == [2022, 2023]
    assert (1 + years["return"]).prod() - 1 == pytest.approx(result.metrics["total_return"])
    assert (1 + years["buy_and_hold"]).prod() == pytest.approx(result.buy_and_hold[-1] / 10_000)
    assert years["trades"].sum() == result.metrics["trades"]


def test_exit_reasons_add_up(result: wb.Result) -> None:
    table = tables.by_exit_reason(result)
    assert table["trades"].sum() == len(result.trades)
    assert table["pnl"].sum() == pytest.approx(result.equity.iloc[-1] - 10_000)


def test_best_and_worst_are_sorted(result: wb.Result) -> None:
    table = tables.best_and_worst(result, 3)
    assert len(table) == 6 and table["pnl"].is_monotonic_decreasing
    assert table["pnl"].iloc[0] == result.trades["pnl"].max()


def test_named_results_are_plain_and_finite(result: wb.Result) -> None:
    named = tables.named_results(result)
    json.dumps(named, allow_nan=False)
    points = json.loads(named["equity_points"])
    assert len(points) == len(json.loads(named["benchmark_points"])) == 240
    assert points[-1] == pytest.approx(result.equity.iloc[-1] / 10_000, rel=1e-4)
    nothing = wb.backtest(wb.Signals(entry=flags(3)), bars_of([(100, 101, 99, 100)] * 3))
    assert tables.named_results(nothing)["sharpe_ratio"] is None


def test_provenance_is_told(result: wb.Result) -> None:
    table = tables.provenance_table(result.bars)
    assert table.loc["source", "value"] == "a <random> walk"
    assert table.loc["fingerprint", "value"] == result.bars.fingerprint


def test_the_card_escapes_what_it_is_given() -> None:
    bars = bars_of([(100, 101, 99, 100)] * 3)
    hostile = wb.Bars.from_pandas(bars.to_pandas(), symbol="<script>alert(1)</script>", timeframe="1h")
    card = wb.backtest(wb.Signals(entry=flags(3, 0)), hostile)._repr_html_()
    assert "<script>" not in card and "&lt;script&gt;" in card
    assert not re.search(r'(src|href)="?https?:', card)


def test_every_part_of_the_tear_sheet_is_drawn(result: wb.Result) -> None:
    figure = result.plot()
    price, position, equity, drawdown = figure.axes
    assert len(equity.lines) == 2 and len(price.lines) == len(drawdown.lines) == 1
    assert len(position.collections) == 2
    assert drawdown.get_ylim()[0] < result.metrics["max_drawdown"]


def test_few_trades_are_marked_one_by_one() -> None:
    few = wb.backtest(wb.Signals(entry=flags(9, 1, 5), exit=flags(9, 3)), bars_of([(100, 101, 99, 100)] * 9))
    assert len(few.plot().axes[0].collections) == 3  # entries long, entries short (none), exits


def test_thinning_keeps_ends_and_extremes() -> None:
    values = np.sin(np.arange(100_000) / 50.0)
    values[31_415] = 9.0
    rows, kept = charts.envelope(values, columns=100)
    assert len(rows) <= 202
    assert (rows[0], rows[-1], kept.max(), kept.min()) == (0, 99_999, 9.0, values.min())
    assert (np.diff(rows) > 0).all()


def test_series_charts(result: wb.Result) -> None:
    assert len(charts.price_chart(result.bars).axes) == 2
    assert charts.returns_chart(result.bars).axes[0].get_title(loc="left").startswith("Moves")


def test_a_flat_or_single_value_line_is_still_a_line() -> None:
    assert 'points="0.0,2.0"' in sparkline(np.array([5.0]))
    assert "nan" not in sparkline(np.full(1_000, 3.0))


def test_changing_a_table_changes_no_result(result: wb.Result) -> None:
    trades, orders, equity = result.trades, result.orders, result.equity
    trades["mine"], orders["mine"] = 1, 1
    trades.loc[0, "pnl"], equity.iloc[0] = 1e9, 1e9
    assert "mine" not in result.trades and "mine" not in result.orders
    assert result.trades.loc[0, "pnl"] < 1e9 and result.equity.iloc[0] < 1e9


def test_one_bar_is_enough_to_look_at() -> None:
    single = wb.backtest(wb.Signals(entry=[True]), bars_of([(100, 101, 99, 100)]), fill="close")
    assert len(single.plot().axes) == 4
    assert single._repr_html_().startswith("<div")
    assert len(charts.returns_chart(single.bars).axes) == 1


def test_thousands_of_holes_are_one_shape() -> None:
    kept = np.arange(6_000) % 3 > 0
    whole = bars_of([(100.0, 101.0, 99.0, 100.0)] * 6_000)
    rows = {name: getattr(whole, name)[kept] for name in ("ts", "open", "high", "low", "close", "volume")}
    bars = wb.Bars(instrument=whole.instrument, timeframe=whole.timeframe, **rows)
    assert len(bars.gaps) == 1_999
    price = charts.price_chart(bars).axes[0]
    assert len(price.patches) + len(price.collections) == 1


@pytest.mark.parametrize("fee", [0.0, 0.001])
def test_a_year_after_a_bankruptcy_has_no_return(fee: float) -> None:
    calm, spike = (100.0, 100.0, 100.0, 100.0), (100.0, 250.0, 100.0, 100.0)
    bars = bars_of([calm, calm, spike, *[calm] * 9_000])
    words = wb.Signals(entry=flags(len(bars)), short_entry=flags(len(bars), 0))
    years = tables.by_year(wb.backtest(words, bars, costs=wb.Costs(fee=fee, slippage_bps=0)))
    assert years["return"].iloc[0] <= -1
    assert math.isnan(years["return"].iloc[1])
