"""The engine against the backtest: every number of every row, and crosses against the general loop."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.backtest.kernel import pack_nb
from workbench.research.sweeping.crossing import CHEAP, line_of
from workbench.research.sweeping.engine import Compact, Engine
from workbench.research.sweeping.evaluator import number_of
from workbench.research.sweeping.kernel_cross import CHUNK, TILE
from workbench.research.sweeping.kernel_score import SCORES

FREE = wb.Costs(fee=0.001, slippage_bps=2, volume_share=float("inf"))


def walk(count: int, seed: int = 0, *, step: float = 0.01, ties: bool = False, **facts: Any) -> wb.Bars:
    """A random walk of prices; with `ties` in whole units, so that lines touch."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, step, count)))
    if ties:
        close = np.maximum(np.round(close), 1.0)
    opened = np.concatenate(([close[0]], close[:-1])) * (1.0 if ties else np.exp(rng.normal(0, step / 4, count)))
    high, low = np.maximum(opened, close) * 1.002, np.minimum(opened, close) * 0.998
    return wb.Bars(
        instrument=wb.Instrument(symbol="BTC/USDT", **facts), timeframe="1h", ts=np.arange(count) * 3_600_000,
        open=opened, high=high, low=low, close=close, volume=rng.uniform(10, 100, count),
    )  # fmt: skip


def packed(signals: wb.Signals) -> Any:
    said = np.empty(len(signals), dtype=np.uint8)
    pack_nb(signals.entry, signals.exit, signals.short_entry, signals.short_exit, said)
    return said


def numbers_of(signals: wb.Signals) -> dict[str, float]:
    names = ("size", "stop_loss", "take_profit", "trailing_stop", "trailing_activation")
    return {name: float(getattr(signals, name)[0]) for name in names}


def assert_row(row: Any, result: wb.Result) -> None:
    for name, found in zip(SCORES, row, strict=True):
        assert found == pytest.approx(number_of(result, name), rel=1e-9, abs=1e-11, nan_ok=True), name


@st.composite
def cases(draw: st.DrawFn) -> tuple[wb.Bars, wb.Signals, dict[str, Any]]:
    count = draw(st.integers(3, 90))
    facts = draw(st.sampled_from([{}, {"lot_size": 0.01, "tick_size": 0.1}, {"min_notional": 2_000.0}]))
    bars = walk(count, draw(st.integers(0, 2**31)), step=draw(st.sampled_from([0.001, 0.02, 0.08])), **facts)
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    often = draw(st.sampled_from([0.05, 0.3]))
    sides = [rng.random(count) < often for _ in range(4)]
    if draw(st.booleans()):
        sides[2:] = [np.zeros(count, dtype=bool)] * 2
    numbers = {
        name: draw(st.none() | st.sampled_from([0.01, 0.03, 0.1]))
        for name in ("stop_loss", "take_profit", "trailing_stop", "trailing_activation")
    }
    signals = wb.Signals(
        entry=sides[0], exit=sides[1], short_entry=sides[2], short_exit=sides[3],
        size=draw(st.sampled_from([1.0, 0.3])), max_bars=draw(st.none() | st.integers(1, 9)), **numbers,
    )  # fmt: skip
    options = {
        "fill": draw(st.sampled_from(["next_open", "close"])),
        "costs": draw(
            st.sampled_from([FREE, wb.Costs(), wb.Costs(fee=0, slippage_bps=0), wb.Costs(volume_share=0.02)])
        ),
        "rules": wb.Rules(intrabar=draw(st.sampled_from(["pessimistic", "path"]))),
    }
    return bars, signals, options


@given(case=cases())
def test_a_row_is_the_metrics_of_the_backtest(case: tuple[wb.Bars, wb.Signals, dict[str, Any]]) -> None:
    bars, signals, options = case
    one = Compact(said=packed(signals), max_bars=signals.max_bars or 0, **numbers_of(signals))
    engine = Engine(bars, **options)
    assert engine.reason == ""
    [row] = engine.run([one])
    assert_row(row, wb.backtest(signals, bars, max_missing=1.0, **options))


def crosses(bars: wb.Bars, fast: int, slow: int) -> wb.Signals:
    one, other = wb.indicators.sma(bars.close, fast), wb.indicators.sma(bars.close, slow)
    entry, leave = wb.indicators.crosses_above(one, other), wb.indicators.crosses_below(one, other)
    return wb.Signals(entry=entry, exit=leave)


@pytest.mark.parametrize("fill", ["next_open", "close"])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("count", [5, 97, TILE, 2 * TILE + 77])
def test_crosses_are_those_of_the_backtest(count: int, ties: bool, fill: Any) -> None:
    bars = walk(count, seed=count, ties=ties, step=0.004)
    windows = (1, 2, 3, 7, 20, 200)
    lines = np.array([wb.indicators.sma(bars.close, window) for window in windows])
    pairs = np.array([(a, b) for a in range(6) for b in range(6) if a != b])
    warm_up = np.where(np.arange(len(pairs)) % 3 == 0, count // 3, 0)
    engine = Engine(bars, costs=FREE, fill=fill)
    assert engine.simple
    for threads in (1, 3):
        rows = engine.run_crosses([line_of(line) for line in lines], pairs, warm_up, threads)
        for row, (a, b), wait in zip(rows, pairs, warm_up, strict=True):
            signals = crosses(bars, windows[a], windows[b]).after(int(wait))
            assert_row(row, wb.backtest(signals, bars, costs=FREE, fill=fill))


def random_crosses(bars: wb.Bars, count: int, seed: int) -> tuple[Any, Any]:
    """Means of many windows, and pairs of them in no order."""
    lines = np.array([wb.indicators.sma(bars.close, window) for window in range(1, 71)])
    pairs = np.random.default_rng(seed).permutation([(a, b) for a in range(70) for b in range(70) if a != b])
    return lines, pairs[:count]


@pytest.mark.parametrize("fill", ["next_open", "close"])
def test_many_lines_and_pairs_in_any_order_are_the_general_loop(fill: Any) -> None:
    bars = walk(TILE + 70, seed=5, step=0.004)
    lines, pairs = random_crosses(bars, CHUNK + 200, 1)
    engine = Engine(bars, costs=FREE, fill=fill)
    rows = engine.run_crosses([line_of(line) for line in lines], pairs, np.zeros(len(pairs), dtype=int), threads=2)
    assert rows is not None
    for k in range(0, len(pairs), 7):
        one, other = lines[pairs[k]]
        entry, leave = wb.indicators.crosses_above(one, other), wb.indicators.crosses_below(one, other)
        [row] = engine.run([Compact(said=packed(wb.Signals(entry=entry, exit=leave)))])
        np.testing.assert_allclose(rows[k], row, rtol=1e-9, atol=1e-11)


def test_a_price_that_jumps_three_hundredfold_costs_the_other_bars_no_digits() -> None:
    bars = walk(900, seed=3, step=0.001)
    jumps = np.ones(900)
    jumps[300:320], jumps[600:] = 300.0, 1 / 300
    prices = {name: getattr(bars, name) * jumps for name in ("open", "high", "low", "close")}
    bars = dataclasses.replace(bars, **prices)
    quiet = 100 * np.exp(np.cumsum(np.random.default_rng(8).normal(0, 0.01, 900)))
    quiet[295:325], quiet[595:605] = 1.0, 1.0  # nothing is held while the price jumps
    lines = [quiet, wb.indicators.sma(quiet, 9), wb.indicators.sma(bars.close, 3), wb.indicators.sma(bars.close, 9)]
    engine = Engine(bars, costs=FREE)
    pairs = np.array([(0, 1), (2, 3)])
    rows = engine.run_crosses([line_of(line) for line in lines], pairs, np.array([20, 20]))
    assert rows is not None
    for row, (one, other) in zip(rows, pairs, strict=True):
        above = wb.indicators.crosses_above(lines[one], lines[other])
        below = wb.indicators.crosses_below(lines[one], lines[other])
        signals = wb.Signals(entry=above, exit=below).after(20)
        assert_row(row, wb.backtest(signals, bars, costs=FREE, max_missing=1.0))


def test_scores_are_the_same_whichever_are_asked_for() -> None:
    bars = walk(800, seed=2)
    lines, pairs = random_crosses(bars, 40, 2)
    made, first, engine = [line_of(line) for line in lines], np.zeros(40, dtype=int), Engine(bars, costs=FREE)
    everything = engine.run_crosses(made, pairs, first)
    assert everything is not None
    for names in (CHEAP, ("max_drawdown",), ("kurtosis", "trades")):
        places = [SCORES.index(name) for name in names]
        some = engine.run_crosses(made, pairs, first, names=names)
        np.testing.assert_allclose(some, everything[:, places], rtol=1e-12)


@pytest.mark.parametrize("after", [99.0, 101.0])
def test_lines_that_touch_from_one_tile_into_the_next(after: float) -> None:
    bars = walk(TILE + 90, seed=6)
    one, other = np.full(len(bars), after), np.full(len(bars), 100.0)
    one[:20], one[20 : TILE - 2], one[TILE - 2 : TILE + 4], one[-20:] = 99.0, 101.0, 100.0, 99.0
    engine = Engine(bars, costs=FREE)
    found = engine.run_crosses([line_of(one), line_of(other)], np.array([[0, 1]]), np.array([0]))
    signals = wb.Signals(
        entry=wb.indicators.crosses_above(one, other), exit=wb.indicators.crosses_below(one, other)
    )  # fmt: skip
    assert found is not None
    np.testing.assert_allclose(found, engine.run([Compact(said=packed(signals))]), rtol=1e-9, atol=1e-11)


def test_a_line_with_a_gap_or_of_another_length_is_left_to_the_general_loop() -> None:
    bars = walk(100)
    gap = bars.close.copy()
    gap[50] = np.nan
    engine, pairs = Engine(bars, costs=FREE), np.array([[0, 1]])
    for odd in (gap, bars.close[:-1]):
        assert engine.run_crosses([line_of(bars.open), line_of(odd)], pairs, np.array([0])) is None


def test_a_ruined_account_buys_nothing_more() -> None:
    close = np.tile([100.0, 90.0, 110.0], 400)
    bars = walk(1_200)
    bars = dataclasses.replace(bars, open=close, high=close, low=close, close=close)
    costs = wb.Costs(fee=0.2, slippage_bps=0, volume_share=float("inf"))
    engine = Engine(bars, costs=costs, fill="close")
    lines = np.array([bars.close, np.full(1_200, 100.5)])
    [row] = engine.run_crosses([line_of(line) for line in lines], np.array([[0, 1]]), np.array([0]))
    entry, leave = wb.indicators.crosses_above(lines[0], lines[1]), wb.indicators.crosses_below(lines[0], lines[1])
    result = wb.backtest(wb.Signals(entry=entry, exit=leave), bars, costs=costs, fill="close")
    assert_row(row, result)
    assert result.metrics["trades"] < 100, "it has nothing left"


def test_rows_are_the_same_however_many_threads() -> None:
    bars, rng = walk(700, seed=4), np.random.default_rng(0)
    batch = [
        Compact(said=packed(wb.Signals(entry=rng.random(700) < 0.1, exit=rng.random(700) < 0.1)), stop_loss=stop)
        for stop in rng.uniform(0.005, 0.1, 40)
    ]
    engine = Engine(bars)
    one = engine.run(batch)
    np.testing.assert_array_equal(one, engine.run(batch, threads=3))
    np.testing.assert_array_equal(one[7:8], engine.run(batch[7:8]))


def test_costs_may_differ_from_one_combination_to_the_next() -> None:
    bars = walk(400, seed=9)
    signals = crosses(bars, 3, 9)
    batch = [Compact(said=packed(signals), fee=fee, maker_fee=fee / 2, slippage_bps=slip, take_profit=0.01)
             for fee, slip in ((0.0, 0.0), (0.002, 5.0))]  # fmt: skip
    for row, one in zip(Engine(bars).run(batch), batch, strict=True):
        costs = wb.Costs(fee=one.fee, maker_fee=one.maker_fee, slippage_bps=one.slippage_bps)
        assert_row(row, wb.backtest(signals.replace(take_profit=0.01), bars, costs=costs))


@pytest.mark.parametrize(
    ("facts", "options", "reason"),
    [
        ({"symbol": "BTC/USDT:USDT", "kind": "linear", "quote": "USDT"}, {"rules": wb.Rules(funding=0.001)}, "funding"),
        ({}, {"rules": wb.Rules(account="cash")}, "cash account"),
        ({}, {"rules": wb.Rules(protections=[wb.Cooldown(bars=3)])}, "protections"),
    ],
)
def test_what_it_cannot_do_is_said(facts: dict[str, Any], options: dict[str, Any], reason: str) -> None:
    bars = walk(40)
    if facts:
        bars = dataclasses.replace(bars, instrument=wb.Instrument(**facts))
    assert reason in Engine(bars, **options).reason
