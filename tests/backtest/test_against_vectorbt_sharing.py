"""vectorbt as witness of several instruments that share one account: what one leaves, another takes.

Both fill at the close; `call_seq="auto"` sells before it buys, as the contract does. Everything is bought with all the
cash there is, or in fixed quantities that the cash always reaches: between the two, vectorbt serves the cheapest order
first and takes fractions of what is left (see the table in `test_against_vectorbt_stops`).
"""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings

import workbench as wb
from tests.backtest.conftest import bars_of, flags
from tests.effort import examples

# vectorbt compiles for a quarter of a minute in each process, so this is of the long run alone
pytestmark = [pytest.mark.deep, pytest.mark.long]

vbt = pytest.importorskip("vectorbt")

NO_CAP = float("inf")
CALM = [HealthCheck.too_slow, HealthCheck.filter_too_much]
SIDES = ("entry", "exit", "short_entry", "short_exit")
Market = tuple[list[wb.Bars], dict[str, dict[str, np.ndarray]]]


@st.composite
def markets(draw: st.DrawFn, *, shorts: bool) -> Market:
    count, n = draw(st.integers(2, 4)), draw(st.integers(2, 50))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    density = draw(st.sampled_from([0.1, 0.3, 0.7]))
    bars, words = [], {}
    for k in range(count):
        close = rng.uniform(5, 500) * np.exp(np.cumsum(rng.uniform(-0.03, 0.03, n)))
        opened = np.concatenate((close[:1], close[:-1])) * (1 + rng.uniform(-0.01, 0.01, n))
        high, low = np.maximum(opened, close) * 1.002, np.minimum(opened, close) * 0.998
        made = bars_of(list(zip(opened, high, low, close, strict=True)))
        symbol = f"{'ABCD'[k]}/USDT"
        bars.append(wb.Bars(**{**vars(made), "instrument": made.instrument.replace(symbol=symbol)}))
        said = {name: rng.random(n) < density for name in SIDES}
        if not shorts:
            said["short_entry"] = said["short_exit"] = flags(n)
        words[symbol] = said
    return bars, words


def theirs(bars: list[wb.Bars], words: dict[str, dict[str, np.ndarray]], **options: Any) -> Any:
    def table(column: Any) -> pd.DataFrame:
        return pd.DataFrame({one.symbol: column(one) for one in bars}, index=bars[0].to_pandas().index)

    said = {name: table(lambda one, name=name: words[one.symbol][name]) for name in SIDES}
    return vbt.Portfolio.from_signals(
        table(lambda one: one.close), said["entry"], said["exit"], short_entries=said["short_entry"],
        short_exits=said["short_exit"], open=table(lambda one: one.open), high=table(lambda one: one.high),
        low=table(lambda one: one.low), init_cash=10_000, freq="1h", cash_sharing=True, call_seq="auto",
        stop_entry_price="fillprice", **options,
    )  # fmt: skip


def ours(market: Market, fee: float, **said: Any) -> wb.Result:
    bars, words = market
    signals = {symbol: wb.Signals(**flagged, **said) for symbol, flagged in words.items()}
    return wb.backtest(signals, bars, costs=wb.Costs(fee=fee, slippage_bps=0, volume_share=NO_CAP), fill="close")


def assert_same(result: wb.Result, portfolio: Any, bars: list[wb.Bars]) -> None:
    records = portfolio.trades.records.sort_values(["col", "entry_idx"])
    trades = result.trades.assign(col=[[one.symbol for one in bars].index(name) for name in result.trades["symbol"]])
    trades = trades.sort_values(["col", "entry_time"])
    index = result.equity.index
    assert len(trades) == len(records)
    np.testing.assert_array_equal(trades["col"], records["col"])
    np.testing.assert_array_equal(index.get_indexer(trades["entry_time"]), records["entry_idx"])
    np.testing.assert_array_equal(index.get_indexer(trades["exit_time"]), records["exit_idx"])
    for mine, other in (("quantity", "size"), ("entry_price", "entry_price"), ("exit_price", "exit_price")):
        np.testing.assert_allclose(trades[mine], records[other], rtol=1e-9, err_msg=mine)
    np.testing.assert_allclose(trades["pnl"], records["pnl"], rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(result.equity, portfolio.value(), rtol=1e-9)


@settings(max_examples=examples(60), suppress_health_check=CALM)
@given(market=markets(shorts=False), fee=st.sampled_from([0.0, 0.001]))
def test_all_the_cash_goes_from_one_to_the_next(market: Market, fee: float) -> None:
    assert_same(ours(market, fee), theirs(*market, fees=fee), market[0])


@settings(max_examples=examples(60), suppress_health_check=CALM)
@given(market=markets(shorts=True), fee=st.sampled_from([0.0, 0.001]))
def test_fixed_quantities_on_both_sides_agree(market: Market, fee: float) -> None:
    bars, _ = market
    size = 300 / max(one.close.max() for one in bars)
    result = ours(market, fee, size=size, size_unit="quantity")
    assume(result.equity.min() > 8_000)
    assert_same(result, theirs(*market, fees=fee, size=size), bars)


@settings(max_examples=examples(60), suppress_health_check=CALM)
@given(market=markets(shorts=False), stop=st.sampled_from([0.01, 0.03]))
def test_what_a_stop_frees_is_there_for_another_on_the_same_bar(market: Market, stop: float) -> None:
    bars, words = market
    size = 300 / max(one.close.max() for one in bars)
    for _ in range(len(bars[0]) * len(bars)):
        result = ours((bars, words), 0.0, size=size, size_unit="quantity", stop_loss=stop)
        ended = result.trades[result.trades["exit_reason"] == "stop_loss"]
        loud = [
            (row.symbol, at)
            for row in ended.itertuples()
            if words[row.symbol]["entry"][at := result.equity.index.get_loc(row.exit_time)]
        ]
        for symbol, at in loud:  # vectorbt does not hear the word of a bar on which a stop was hit
            words[symbol]["entry"][at] = False
        if not loud:
            break
    assert_same(result, theirs(bars, words, size=size, sl_stop=stop), bars)


def test_entries_on_one_bar_come_in_the_order_of_the_instruments() -> None:
    made = bars_of([(100.0, 101.0, 99.0, 100.0)] * 2)
    bars = [wb.Bars(**{**vars(made), "instrument": made.instrument.replace(symbol=f"{name}/USDT")}) for name in "AB"]
    words = {one.symbol: {name: flags(2, *((0,) if name == "entry" else ())) for name in SIDES} for one in bars}
    signals = {
        "A/USDT": wb.Signals(**words["A/USDT"], size=80.0, size_unit="quantity"),
        "B/USDT": wb.Signals(**words["B/USDT"], size=40.0, size_unit="quantity"),
    }
    result = wb.backtest(signals, bars, costs=wb.Costs(fee=0.0, slippage_bps=0, volume_share=NO_CAP), fill="close")
    assert dict(zip(result.trades["symbol"], result.trades["quantity"], strict=True)) == {"A/USDT": 80, "B/USDT": 20}
    other = theirs(bars, words, size=np.array([[80.0, 40.0]])).trades.records
    assert dict(zip(other["col"], other["size"], strict=True)) == {0: 60, 1: 40}


def test_a_fraction_is_of_the_equity_and_not_of_the_cash_that_is_left() -> None:
    made = bars_of([(100.0, 101.0, 99.0, 100.0)] * 2)
    bars = [wb.Bars(**{**vars(made), "instrument": made.instrument.replace(symbol=f"{name}/USDT")}) for name in "AB"]
    words = {one.symbol: {name: flags(2, *((0,) if name == "entry" else ())) for name in SIDES} for one in bars}
    assert ours((bars, words), 0.0, size=0.5).trades["quantity"].tolist() == [50, 50]
    other = theirs(bars, words, size=0.5, size_type="percent").trades.records
    assert other["size"].tolist() == [50, 25]


def test_the_proceeds_of_a_short_buy_nothing_more() -> None:
    made = bars_of([(100.0, 101.0, 99.0, 100.0)] * 3)
    bars = [wb.Bars(**{**vars(made), "instrument": made.instrument.replace(symbol=f"{name}/USDT")}) for name in "AB"]
    words = {one.symbol: {name: flags(3) for name in SIDES} for one in bars}
    words["A/USDT"]["short_entry"] = flags(3, 0)
    words["B/USDT"]["entry"] = flags(3, 1)
    result = ours((bars, words), 0.0)
    assert result.trades["symbol"].tolist() == ["A/USDT"]
    assert "no equity left" in result.orders["status"].tolist()
    assert theirs(bars, words).trades.records["size"].tolist() == [100, 200]
