"""The compiled path equals the contract written down a second time, stops and all."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

import workbench as wb
from tests.backtest.reference import simulate
from tests.effort import examples

pytestmark = pytest.mark.deep

CALM = [HealthCheck.too_slow]


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    n = draw(st.integers(1, 80))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    step = draw(st.sampled_from([0.005, 0.03, 0.15]))
    close = 100 * np.exp(np.cumsum(rng.uniform(-step, step, n)))
    opened = np.concatenate((close[:1], close[:-1])) * np.exp(rng.uniform(-step, step, n))
    high = np.maximum(opened, close) * np.exp(rng.uniform(0, step, n))
    low = np.minimum(opened, close) * np.exp(-rng.uniform(0, step, n))
    grid = draw(st.sampled_from([None, 1.0]))  # whole prices make ties between levels likely
    if grid:
        opened, high, low, close = (np.maximum(np.round(one), 1.0) for one in (opened, high, low, close))
    index = pd.date_range("2024-01-01", periods=n, freq="1h", tz="UTC")
    frame = pd.DataFrame({"open": opened, "high": high, "low": low, "close": close, "volume": 1e9}, index=index)
    density = draw(st.sampled_from([0.05, 0.3, 0.8]))
    distance = st.one_of(st.none(), st.sampled_from([0.01, 0.02, 0.1, 0.3]))
    return {
        "bars": wb.Bars.from_pandas(frame, symbol="BTC/USDT", timeframe="1h"),
        "words": {name: rng.random(n) < density for name in ("entry", "exit", "short_entry", "short_exit")},
        "stops": {name: draw(distance) for name in ("stop_loss", "take_profit", "trailing_stop")},
        "costs": wb.Costs(
            fee=draw(st.sampled_from([0.0, 0.001])), maker_fee=0.0002, slippage_bps=draw(st.sampled_from([0.0, 5.0]))
        ),
        "fill": draw(st.sampled_from(["next_open", "close"])),
        "size": draw(st.sampled_from([1.0, 0.37])),
    }  # fmt: skip


def run(case: dict[str, Any], rows: slice = slice(None)) -> wb.Result:
    words = {name: values[rows] for name, values in case["words"].items()}
    signals = wb.Signals(**words, **case["stops"], size=case["size"])
    return wb.backtest(signals, case["bars"][rows], costs=case["costs"], fill=case["fill"])


@settings(max_examples=examples(400), suppress_health_check=CALM)
@given(case=cases())
def test_every_trade_and_the_equity_are_equal(case: dict[str, Any]) -> None:
    result = run(case)
    expected, equity = simulate(
        case["bars"], case["words"], case["stops"], costs=case["costs"], fill=case["fill"], size=case["size"]
    )
    ours = result.trades
    assert len(ours) == len(expected)
    index = result.equity.index
    ours = ours.assign(entry_bar=index.get_indexer(ours["entry_time"]), exit_bar=index.get_indexer(ours["exit_time"]))
    for name in ("side", "entry_bar", "exit_bar", "exit_reason"):
        assert ours[name].tolist() == [one[name] for one in expected], name
    for name in ("quantity", "entry_price", "exit_price"):
        np.testing.assert_allclose(ours[name], [one[name] for one in expected], rtol=1e-9)
    np.testing.assert_allclose(ours["pnl"], [one["pnl"] for one in expected], rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(result.equity, equity, rtol=1e-9, atol=1e-6)


@settings(max_examples=examples(200), suppress_health_check=CALM)
@given(case=cases(), share=st.floats(0, 1))
def test_a_longer_history_never_changes_what_was_done_earlier(case: dict[str, Any], share: float) -> None:
    whole = run(case)
    cut = max(1, int(share * len(case["bars"])))
    part = run(case, slice(0, cut))
    np.testing.assert_array_equal(part.equity_values, whole.equity_values[:cut])
    over = part.trade_records[part.closed]
    np.testing.assert_array_equal(over, whole.trade_records[: len(over)])


@settings(max_examples=examples(200), suppress_health_check=CALM)
@given(case=cases())
def test_money_is_conserved(case: dict[str, Any]) -> None:
    result = run(case)
    np.testing.assert_allclose(result.cash + result.profits.sum(), result.equity_values[-1], rtol=1e-9, atol=1e-6)
    assert (result.trades["mae"] <= 0).all() and (result.trades["mfe"] >= 0).all()
    exits = result.trades["exit_price"] / result.trades["entry_price"] - 1
    moved = exits.where(result.trades["side"] == "long", -exits)
    worst_cost = 0.002  # slippage of the exit is outside what the price itself did
    assert (moved <= result.trades["mfe"] + worst_cost).all() and (moved >= result.trades["mae"] - worst_cost).all()


@settings(max_examples=examples(100), suppress_health_check=CALM)
@given(case=cases())
def test_orders_and_trades_tell_the_same_story(case: dict[str, Any]) -> None:
    result = run(case)
    filled = result.orders[result.orders["status"] == "filled"]
    signed = filled["quantity"].where(filled["side"] == "buy", -filled["quantity"])
    flow = -(signed * filled["price"]).sum() - filled["fee"].sum()
    left = signed.sum() * case["bars"].close[-1]
    np.testing.assert_allclose(10_000 + flow + left, result.equity_values[-1], rtol=1e-9, atol=1e-6)
    assert filled["time"].is_monotonic_increasing
    assert np.abs(signed.cumsum()).max() <= result.trades["quantity"].max() * (1 + 1e-9) if len(filled) else True
