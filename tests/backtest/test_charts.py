"""Pictures: that each shows what it says, for one instrument and many, with few trades, none, and very many."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.backtest.conftest import flags
from tests.backtest.handmade import fill, plan_of, result_of, series
from workbench.backtest import charts, plots
from workbench.backtest.charts_equity import deepest_falls
from workbench.backtest.charts_monthly import percent_text, shade_scale
from workbench.errors import ConfigError

PLOTS = ("plot", "plot_price", "plot_equity", "plot_underwater", "plot_monthly_heatmap", "plot_trades", "plot_exposure")


def walk(symbol: str, seed: int, n: int) -> wb.Bars:
    rng = np.random.default_rng(seed)
    return series(symbol, 100 * np.exp(np.cumsum(rng.normal(0, 0.005, n))), reach=0.3)


def words(seed: int, n: int) -> wb.Signals:
    rng = np.random.default_rng(seed)
    said = {name: rng.random(n) < 0.01 for name in ("entry", "exit", "short_entry", "short_exit")}
    return wb.Signals(**said, stop_loss=0.03, size=0.1)


@cache
def result(kind: str) -> wb.Result:
    n = 3_000
    match kind:
        case "one":
            return wb.backtest(words(1, n), walk("A/USDT", 1, n))
        case "many":
            bars = [walk(f"{name}/USDT", seed, n) for seed, name in enumerate("ABCDEFGHIJKL")]
            return wb.backtest({one.symbol: words(seed, n) for seed, one in enumerate(bars)}, bars)
        case "short":
            return wb.backtest(wb.Signals(entry=flags(50, 3), exit=flags(50, 20)), walk("A/USDT", 2, 50))
        case "nothing":
            return wb.backtest(wb.Signals(entry=flags(30)), walk("A/USDT", 3, 30))
        case "one bar":
            return wb.backtest(wb.Signals(entry=[True]), walk("A/USDT", 4, 1), fill="close")
    bars = walk("A/USDT", 5, 40)  # "ruined": a short that loses everything
    equity = np.linspace(10_000, -50, 40)
    return result_of(plan_of(bars), fill(1, -1, 1.0, 100.0), equity=equity)


KINDS = ("one", "many", "short", "nothing", "one bar", "ruined")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PLOTS)
def test_every_chart_is_drawn_of_every_result(kind: str, name: str) -> None:
    figure = getattr(result(kind), name)()
    figure.canvas.draw()
    assert all(axes.get_title(loc="left") for axes in figure.axes)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", plots.KINDS)
def test_every_interactive_figure_is_plain_data(kind: str, name: str) -> None:
    told = json.loads(result(kind).plotly(name).to_json())
    assert told["data"] or kind == "nothing"
    assert told["layout"]["title"]["text"]


def points(figure: Any) -> list[int]:
    return [len(trace.x) for trace in figure.data if trace.x is not None]


def test_a_million_bars_are_a_small_figure_that_keeps_its_extremes() -> None:
    n = 1_000_000
    close = np.full(n, 100.0)
    close[777_777] = 130.0
    bars = wb.Bars(
        instrument=wb.Instrument(symbol="A/USDT"), timeframe="1m", ts=np.arange(n) * 60_000, open=close, high=close,
        low=close, close=close, volume=np.full(n, 1e9),
    )  # fmt: skip
    big = wb.backtest(wb.Signals(entry=flags(n, 10)), bars)
    for kind in ("overview", "price", "equity", "underwater", "exposure"):
        figure = big.plotly(kind)
        assert max(points(figure)) <= 4_002, kind
        assert len(figure.to_json()) < 1_000_000
    assert max(max(trace.y) for trace in big.plotly("price").data if len(trace.y)) == 130.0
    assert len(big.plot().axes[0].lines[0].get_xdata()) <= 1_802


def test_interactive_figures_show_what_they_say() -> None:
    one, many = result("one"), result("many")
    overview = one.plotly()
    assert [trace.name for trace in overview.data] == [
        "A/USDT", "bought", "sold", "buy and hold", "before costs", "equity", "below its highest value",
    ]  # fmt: skip
    assert len(overview.data[1].x) + len(overview.data[2].x) == len(one.fills)
    assert {trace.name for trace in many.plotly().data} >= {"held long", "held short", "equity"}
    assert many.plotly("price", symbol="C/USDT").layout.title.text.startswith("C/USDT 1h")
    trades = one.plotly("trades")
    assert sum(points(trades)) == one.metrics["trades"]
    assert result("short").plotly("price").data[0].type == "candlestick"
    heat = one.plotly("monthly")
    assert np.asarray(heat.data[0].z).shape == (1, 13)
    assert len(heat.layout.annotations) == 6  # five months and the year


def test_hostile_names_stay_text() -> None:
    bars = walk("A/USDT", 1, 60)
    hostile = wb.Bars.from_pandas(bars.to_pandas(), symbol="<img src=x>", timeframe="1h")
    made = wb.backtest(wb.Signals(entry=flags(60, 3), exit=flags(60, 9)), hostile, costs=wb.Costs(volume_share=1.0))
    texts = [text for trace in made.plotly("trades").data for text in trace.text]
    assert texts and all("<img" not in text for text in texts)


def test_what_there_is_not_is_named() -> None:
    with pytest.raises(ConfigError, match="plotly kind 'candles' is not one of 'overview', 'price', 'equity'"):
        result("one").plotly("candles")
    for draw in (result("many").plot_price, lambda symbol: result("many").plotly("price", symbol=symbol)):
        with pytest.raises(ConfigError, match="symbol = 'X/USDT' is not among what was traded: A/USDT, B/USDT"):
            draw("X/USDT")


def test_matplotlib_charts_show_what_they_say() -> None:
    one = result("one")
    price = one.plot_price().axes[0]
    assert sum(len(some.get_offsets()) for some in price.collections) == len(one.fills)
    assert [line.get_label() for line in one.plot_equity().axes[0].lines] == ["buy and hold", "before costs", "equity"]
    heat = one.plot_monthly_heatmap().axes[0]
    assert {text.get_text() for text in heat.texts} >= {percent_text(float(one.equity.iloc[-1] / 10_000 - 1))}
    dots = one.plot_trades().axes[0].collections
    assert sum(len(some.get_offsets()) for some in dots) == one.metrics["trades"]
    named = [text.get_text() for text in result("many").plot().axes[0].get_legend().get_texts()]
    assert len(named) == 8 and set(named) <= {bars.symbol for bars in result("many").series}


def test_the_deepest_falls_do_not_overlap() -> None:
    equity = np.array([100.0, 90, 95, 101, 80, 70, 101, 102, 99, 98, 97])
    falls = deepest_falls(equity, 100.0)
    assert [(first, trough, last) for first, trough, last, _ in falls] == [(4, 5, 6), (1, 1, 3), (8, 10, 10)]
    assert [depth for *_, depth in falls] == pytest.approx([70 / 101 - 1, -0.1, 97 / 102 - 1])
    assert deepest_falls(np.array([100.0, 101.0]), 100.0) == []


def test_means_of_columns_keep_the_whole() -> None:
    values = np.arange(1_000.0)
    rows, kept = charts.column_means(values, 10)
    assert rows.tolist() == list(range(0, 1_000, 100))
    assert kept.mean() == values.mean()
    assert charts.column_means(np.array([5.0]), 10)[1].tolist() == [5.0]


def test_colours_of_months_are_full_at_their_usual_size() -> None:
    assert shade_scale([0.1, -0.2, np.nan]) == pytest.approx(0.19)
    assert shade_scale([np.nan]) == shade_scale([1e-9]) == 0.01
    assert (percent_text(-0.051), percent_text(1.234), percent_text(np.nan)) == ("\N{MINUS SIGN}5.1", "123", "")
