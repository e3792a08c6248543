"""Significance: uniform under the null, powerful under a planted edge, exact about what it compares."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

import workbench as wb
from tests.research.chance.histories import CHEAP, Follow, blind_signals, turning_bars, walk_bars
from workbench.errors import ConfigError, DataError
from workbench.research.chance import significance
from workbench.research.chance.entries import placings_of, real_steps
from workbench.research.chance.testing import p_value_of


class Half(Follow):
    """The same with 40 % of the equity, so that two instruments share an account."""

    def signals(self, bars: wb.Bars) -> wb.Signals:
        return super().signals(bars).replace(size=0.4)


def perpetual(bars: wb.Bars) -> wb.Bars:
    instrument = wb.Instrument(symbol="MADE/USDT:USDT", venue="paper", quote="USDT", kind="linear")
    columns = {name: getattr(bars, name) for name in ("ts", "open", "high", "low", "close", "volume")}
    return wb.Bars(instrument=instrument, timeframe=bars.timeframe, **columns)


def test_trades_at_their_real_places_make_what_they_made() -> None:
    bars = walk_bars(600, seed=2)
    found = [
        wb.backtest(Follow(), bars, costs=CHEAP),
        wb.backtest(Follow(), bars, costs=CHEAP, fill="close"),
        wb.backtest(Follow(), perpetual(bars), costs=CHEAP, leverage=2, rules=wb.Rules()),
        wb.backtest(Half(), [bars, walk_bars(600, seed=3, symbol="TOO/USDT")], costs=CHEAP),
    ]
    assert found[2].trip("funding").any() and len(found[3].series) == 2
    for result in found:
        total = sum(real_steps(placing) for placing in placings_of(result))
        assert np.expm1(total) == pytest.approx(result.metrics["total_return"], rel=1e-9)


def test_fills_inside_bars_are_measured_at_closes_and_it_says_so() -> None:
    class Stopped(Follow):
        stop_loss = 0.01
        take_profit = 0.02

    result = wb.backtest(Stopped(), walk_bars(600, seed=2), costs=CHEAP)
    test = significance(result, tests=["random_entries"], runs=50).tests["random_entries"]
    assert test.observed != pytest.approx(result.metrics["total_return"], rel=1e-3)
    assert "fills inside bars really made it" in test.sentence


def test_random_places_keep_exposure_and_never_overlap() -> None:
    result = wb.backtest(blind_signals(400, seed=1, rate=0.3), walk_bars(400), costs=CHEAP)
    (placing,) = placings_of(result)
    assert placing.rows.sum() <= len(result.bars)
    assert len(placing.begun) == len(result.trade_records)
    flat = wb.backtest(blind_signals(400, seed=1, rate=0.3), walk_bars(400), costs=wb.Costs(fee=0, slippage_bps=0))
    costly = significance(result, tests=["random_entries"], runs=200).tests["random_entries"]
    free = significance(flat, tests=["random_entries"], runs=200).tests["random_entries"]
    assert costly.typical < free.typical - 0.05  # the trades at random places pay what the real ones paid


@pytest.mark.parametrize("name", ["random_entries", "returns", "permuted_candles", "trade_order"])
def test_p_values_are_uniform_where_there_is_nothing(name: str) -> None:
    studies = 25 if name == "permuted_candles" else 150
    found = []
    for seed in range(studies):
        if name == "permuted_candles":
            subject = wb.backtest(Follow(), walk_bars(150, seed=1_000 + seed), costs=CHEAP)
        else:  # without costs the mean return of a blind strategy is zero
            free = wb.Costs(fee=0.0, slippage_bps=0.0, volume_share=float("inf"))
            bars = walk_bars(300, seed=1_000 + seed)
            subject = wb.backtest(blind_signals(300, seed=seed, rate=0.2), bars, costs=free)
        runs = 19 if name == "permuted_candles" else 199
        found.append(significance(subject, tests=[name], runs=runs, seed=seed).tests[name].p_value)
    p_values = np.array(found)
    assert kstest(p_values, "uniform").pvalue > 0.001
    assert np.mean(p_values <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / studies)


def test_a_planted_edge_is_found_the_surer_the_longer() -> None:
    def share(count: int) -> float:
        free = wb.Costs(fee=0.0, slippage_bps=0.0, volume_share=float("inf"))
        p_values = [
            significance(
                Follow(fast=2, slow=5), turning_bars(count, seed=seed, strength=0.3), tests=["random_entries"],
                runs=99, costs=free,
            ).tests["random_entries"].p_value
            for seed in range(30)
        ]  # fmt: skip
        return float(np.mean(np.array(p_values) <= 0.05))

    short, long = share(150), share(1_500)
    assert long > 0.8 and long > short + 0.2


def test_an_edge_of_order_is_found_on_permuted_candles_and_the_rise_of_a_market_is_not() -> None:
    strong = significance(Follow(), turning_bars(600, strength=0.4), tests=["permuted_candles"], runs=99, costs=CHEAP)
    assert strong.tests["permuted_candles"].p_value <= 0.02
    rising = walk_bars(600, drift=0.004, seed=9)
    held = wb.Signals(entry=np.arange(600) == 5, exit=np.arange(600) == 590)
    risen = significance(wb.backtest(held, rising, costs=CHEAP), tests=["returns"], runs=199)
    assert risen.tests["returns"].p_value <= 0.01  # compared with zero, so the rise counts: the sentence says it
    assert "rise of the market" in risen.tests["returns"].sentence
    often = wb.backtest(blind_signals(600, seed=4, rate=0.1), rising, costs=CHEAP)
    assert significance(often, tests=["random_entries"], runs=199).tests["random_entries"].p_value > 0.05


def test_the_seed_decides_and_p_counts_the_real_one_too() -> None:
    result = wb.backtest(Follow(), walk_bars(400, seed=5), costs=CHEAP)
    first, second = significance(result, runs=50, seed=3), significance(result, runs=50, seed=3)
    for name, test in first.tests.items():
        np.testing.assert_array_equal(test.null, second.tests[name].null)
    assert p_value_of(np.array([1.0, 2.0, 3.0]), 2.5) == 0.5
    assert p_value_of(np.array([1.0, 2.0, 3.0]), 9.0) == 0.25
    assert p_value_of(np.array([1.0, 2.0, 3.0]), 1.0, low=True) == 0.5


def test_it_says_what_it_could_not_do() -> None:
    result = wb.backtest(blind_signals(300, seed=1), walk_bars(300), costs=CHEAP)
    found = significance(result, runs=30)
    assert set(found.tests) == {"random_entries", "returns", "trade_order"}
    assert "ready-made" in found.skipped["permuted_candles"] and "not done" in found._repr_html_()
    assert "does not change the total return" in found.tests["trade_order"].sentence
    with pytest.raises(ConfigError, match="ready-made"):
        significance(result, tests=["permuted_candles"])
    with pytest.raises(ConfigError, match="choose among"):
        significance(result, tests=["luck"])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match="give a Result"):
        significance(Follow())
    with pytest.raises(ConfigError, match="leave out bars"):
        significance(result, result.bars)
    silent = wb.backtest(wb.Signals(entry=np.zeros(50, bool), exit=np.zeros(50, bool)), walk_bars(50), costs=CHEAP)
    with pytest.raises(DataError, match="0 trades, too few"):
        significance(silent, tests=["random_entries"])


def test_it_shows_itself() -> None:
    found = significance(Follow(), walk_bars(300, seed=8), runs=20, costs=CHEAP)
    assert list(found.table.columns) == ["statistic", "observed", "chance", "p_value", "runs"]
    assert len(found.plot().axes) == 4 and len(found.tests["returns"].plot().axes) == 1
    assert "chosen among many" in found.sentence and "Significance of Follow" in found._repr_html_()
    assert "random_entries p =" in repr(found)
