"""vectorbt is the outside witness: on `fill="close"` every trade and the equity agree with it."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings

import workbench as wb
from tests.effort import examples

pytestmark = pytest.mark.deep

vbt = pytest.importorskip("vectorbt")

RELATIVE = 1e-9
NO_CAP = float("inf")  # vectorbt knows no volume


@st.composite
def histories(draw: st.DrawFn) -> tuple[wb.Bars, dict[str, np.ndarray]]:
    """Bars that move by up to 3 % a bar, and any words about them, contradictions included."""
    n = draw(st.integers(2, 60))
    seed = draw(st.integers(0, 2**32 - 1))
    density = draw(st.sampled_from([0.05, 0.2, 0.5, 0.9]))
    rng = np.random.default_rng(seed)
    close = draw(st.floats(1e-3, 1e5)) * np.exp(np.cumsum(rng.uniform(-0.03, 0.03, n)))
    opened = np.concatenate((close[:1], close[:-1])) * rng.uniform(0.99, 1.01, n)
    high = np.maximum(opened, close) * rng.uniform(1.0, 1.01, n)
    low = np.minimum(opened, close) * rng.uniform(0.99, 1.0, n)
    index = pd.date_range("2024-01-01", periods=n, freq="1min", tz="UTC")
    frame = pd.DataFrame({"open": opened, "high": high, "low": low, "close": close, "volume": 1.0}, index=index)
    words = {name: rng.random(n) < density for name in ("entry", "exit", "short_entry", "short_exit")}
    if draw(st.booleans()):
        words["short_entry"] = words["short_exit"] = np.zeros(n, dtype=bool)
    return wb.Bars.from_pandas(frame, symbol="BTC/USDT", timeframe="1m"), words


def witness(bars: wb.Bars, words: dict[str, np.ndarray], **options: Any) -> Any:
    index = bars.to_pandas().index
    series = {name: pd.Series(flags, index=index) for name, flags in words.items()}
    return vbt.Portfolio.from_signals(
        bars.to_pandas()["close"], series["entry"], series["exit"],
        short_entries=series["short_entry"], short_exits=series["short_exit"], init_cash=10_000, freq="1min", **options,
    )  # fmt: skip


def assert_same(result: wb.Result, portfolio: Any) -> None:
    theirs = portfolio.trades.records
    ours = result.trades
    assert len(ours) == len(theirs)
    index = result.equity.index
    np.testing.assert_array_equal(index.get_indexer(ours["entry_time"]), theirs["entry_idx"])
    np.testing.assert_array_equal(index.get_indexer(ours["exit_time"]), theirs["exit_idx"])
    np.testing.assert_array_equal(ours["side"] == "short", theirs["direction"] == 1)
    np.testing.assert_array_equal(ours["exit_reason"] == "open", theirs["status"] == 0)
    for mine, other in (("quantity", "size"), ("entry_price", "entry_price"), ("exit_price", "exit_price")):
        np.testing.assert_allclose(ours[mine], theirs[other], rtol=RELATIVE)
    np.testing.assert_allclose(ours["fees"], theirs["entry_fees"] + theirs["exit_fees"], rtol=RELATIVE, atol=1e-9)
    np.testing.assert_allclose(ours["pnl"], theirs["pnl"], rtol=RELATIVE, atol=1e-9 * 10_000)
    np.testing.assert_allclose(result.equity, portfolio.value(), rtol=RELATIVE)


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(history=histories(), fee=st.sampled_from([0.0, 0.0005, 0.01]), bps=st.sampled_from([0.0, 2.0, 40.0]))
def test_all_in_trades_and_equity_agree(history: Any, fee: float, bps: float) -> None:
    bars, words = history
    result = wb.backtest(
        wb.Signals(**words), bars, costs=wb.Costs(fee=fee, slippage_bps=bps, volume_share=NO_CAP), fill="close"
    )
    assume((result.trades["exit_reason"] != "bankruptcy").all())
    assert_same(result, witness(bars, words, fees=fee, slippage=bps / 10_000))


@settings(max_examples=examples(120), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(history=histories(), share=st.floats(0.01, 0.3), fee=st.sampled_from([0.0, 0.002]))
def test_fixed_quantities_agree(history: Any, share: float, fee: float) -> None:
    bars, words = history
    quantity = share * 10_000 / bars.close.max()
    signals = wb.Signals(**words, size=quantity, size_unit="quantity")
    result = wb.backtest(signals, bars, costs=wb.Costs(fee=fee, slippage_bps=3, volume_share=NO_CAP), fill="close")
    assume(result.equity.min() > 4_000)  # vectorbt lets a short grow past the equity; this stays far from there
    assert_same(result, witness(bars, words, fees=fee, slippage=3 / 10_000, size=quantity))


@settings(max_examples=examples(30), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(history=histories(), fill=st.sampled_from(["close", "next_open"]))
def test_the_portfolio_handed_to_vectorbt_has_our_equity(history: Any, fill: Any) -> None:
    bars, words = history
    result = wb.backtest(wb.Signals(**words), bars, costs=wb.Costs(volume_share=NO_CAP), fill=fill)
    assume((result.trades["exit_reason"] != "bankruptcy").all())
    portfolio = result.to_vectorbt()
    np.testing.assert_allclose(portfolio.value(), result.equity, rtol=RELATIVE)
    np.testing.assert_allclose(portfolio.trades.records["pnl"], result.trades["pnl"], rtol=RELATIVE, atol=1e-5)


def test_ratios_agree_with_vectorbt_on_a_24_7_market() -> None:
    rng = np.random.default_rng(11)
    n = 3_000
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.004, n)))
    index = pd.date_range("2024-01-01", periods=n, freq="1h", tz="UTC")
    frame = pd.DataFrame({"open": close, "high": close, "low": close, "close": close, "volume": 1.0}, index=index)
    bars = wb.Bars.from_pandas(frame, symbol="BTC/USDT", timeframe="1h")
    words = {name: rng.random(n) < 0.05 for name in ("entry", "exit", "short_entry", "short_exit")}
    costs = wb.Costs(fee=0.0002, slippage_bps=0, volume_share=NO_CAP)
    found = wb.backtest(wb.Signals(**words), bars, costs=costs, fill="close").metrics
    portfolio = witness(bars, words, fees=0.0002)
    portfolio = portfolio.replace(wrapper=portfolio.wrapper.replace(freq="1h"))
    for ours, theirs in (
        ("total_return", portfolio.total_return()),
        ("annualised_return", portfolio.annualized_return()),
        ("annualised_volatility", portfolio.annualized_volatility()),
        ("sharpe_ratio", portfolio.sharpe_ratio()),
        ("sortino_ratio", portfolio.sortino_ratio()),
        ("calmar_ratio", portfolio.calmar_ratio()),
        ("max_drawdown", portfolio.max_drawdown()),
    ):
        assert found[ours] == pytest.approx(theirs, rel=1e-9), ours
