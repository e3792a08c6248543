"""vectorbt as witness of stops, targets, sizes and directions; and one small case for every difference of meaning.

Both fill at the close (`fill="close"`), and vectorbt is told to mean what we mean: stops are measured from the fill
price (`stop_entry_price="fillprice"`) and slip (`stop_exit_price="stopmarket"`), targets do not (`"stoplimit"`).
What cannot be told:

=====================================  =================================  ==========================================
situation                              vectorbt                           workbench
=====================================  =================================  ==========================================
an entry on the bar that a stop ended  is not heard                       is heard: the stop came before the close
a gap up through the target, then a    the stop, at its price             the target, at the open: that came first
fall to the stop
a fixed and a trailing stop together   one or the other                   the nearer one
slippage of stops and targets          one rule for both                  stops slip, targets rest
a size in money                        without fee and slippage           with both: never more than asked
reversal with a size in percent        refused                            sized from what is left after leaving
a short beside other positions         its proceeds buy more              margin is held back at today's price
a short whose loss eats the account    held on, the account goes below 0  bought back where the cash is gone
a fraction for several entries on one  of the cash that is left           of the equity, as far as cash goes
bar
entries on one bar, cash for some      the cheapest order first           in the order of the instruments
=====================================  =================================  ==========================================

`test_against_vectorbt_sharing.py` has the rows about several instruments.
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

pytestmark = pytest.mark.deep

vbt = pytest.importorskip("vectorbt")

SIDES = ("entry", "exit", "short_entry", "short_exit")
STOPPED = ("stop_loss", "take_profit", "trailing_stop")
NO_CAP = float("inf")
CALM = [HealthCheck.too_slow, HealthCheck.filter_too_much]
Words = dict[str, np.ndarray]


@st.composite
def histories(draw: st.DrawFn) -> tuple[wb.Bars, Words]:
    """Bars on a grid or off it, with gaps between close and open, and any words about them."""
    n = draw(st.integers(2, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    step, gap = draw(st.sampled_from([0.01, 0.03])), draw(st.sampled_from([0.0, 0.01, 0.04]))
    close = 100 * np.exp(np.cumsum(rng.uniform(-step, step, n)))
    opened = np.concatenate((close[:1], close[:-1])) * (1 + rng.uniform(-gap, gap, n))
    high = np.maximum(opened, close) * (1 + rng.uniform(0, step, n))
    low = np.minimum(opened, close) * (1 - rng.uniform(0, step, n))
    if draw(st.booleans()):  # whole prices make opens, extremes and levels meet
        opened, high, low, close = (np.round(one) for one in (opened, high, low, close))
    density = draw(st.sampled_from([0.1, 0.3, 0.6]))
    words = {name: rng.random(n) < density for name in SIDES}
    sides = draw(st.sampled_from(["both", "long", "short"]))
    if sides != "both":
        for name in ("short_entry", "short_exit") if sides == "long" else ("entry", "exit"):
            words[name] = np.zeros(n, dtype=bool)
    return bars_of(list(zip(opened, high, low, close, strict=True))), words


def ours(bars: wb.Bars, words: Words, costs: wb.Costs, **said: Any) -> wb.Result:
    return wb.backtest(wb.Signals(**words, **said), bars, costs=costs, fill="close")


def silent_where_stopped(bars: wb.Bars, words: Words, costs: wb.Costs, **said: Any) -> tuple[Words, wb.Result]:
    """Take back the words of the bars on which a stop or target ended a trade: vectorbt does not hear them."""
    for _ in range(len(bars) + 1):
        result = ours(bars, words, costs, **said)
        ended = result.trades[result.trades["exit_reason"].isin(STOPPED)]
        at = result.equity.index.get_indexer(ended["exit_time"])
        loud = [name for name in SIDES if words[name][at].any()]
        if not loud:
            return words, result
        words = {name: values & ~np.isin(np.arange(len(bars)), at) for name, values in words.items()}
    raise AssertionError("words are only taken back, so this ends")


def theirs(bars: wb.Bars, words: Words, **options: Any) -> Any:
    frame = bars.to_pandas()
    series = {name: pd.Series(values, index=frame.index) for name, values in words.items()}
    return vbt.Portfolio.from_signals(
        frame["close"], series["entry"], series["exit"], short_entries=series["short_entry"],
        short_exits=series["short_exit"], open=frame["open"], high=frame["high"], low=frame["low"],
        init_cash=10_000, freq="1h", stop_entry_price="fillprice", **options,
    )  # fmt: skip


def assert_same(result: wb.Result, portfolio: Any) -> None:
    records, trades, index = portfolio.trades.records, result.trades, result.equity.index
    assert len(trades) == len(records)
    np.testing.assert_array_equal(index.get_indexer(trades["entry_time"]), records["entry_idx"])
    np.testing.assert_array_equal(index.get_indexer(trades["exit_time"]), records["exit_idx"])
    np.testing.assert_array_equal(trades["side"] == "short", records["direction"] == 1)
    for mine, other in (("quantity", "size"), ("entry_price", "entry_price"), ("exit_price", "exit_price")):
        np.testing.assert_allclose(trades[mine], records[other], rtol=1e-9, err_msg=mine)
    np.testing.assert_allclose(trades["fees"], records["entry_fees"] + records["exit_fees"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(trades["pnl"], records["pnl"], rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(result.equity, portfolio.value(), rtol=1e-9)


def no_ruin(result: wb.Result) -> bool:
    return not result.trades["exit_reason"].isin(["bankruptcy", "liquidation"]).any()


DISTANCES = st.sampled_from([0.01, 0.02, 0.03, 0.07])


@settings(max_examples=examples(120), suppress_health_check=CALM)
@given(history=histories(), distance=DISTANCES, kind=st.sampled_from(["stop_loss", "trailing_stop"]),
       fee=st.sampled_from([0.0, 0.001]), bps=st.sampled_from([0.0, 10.0]))  # fmt: skip
def test_stops_agree(history: Any, distance: float, kind: str, fee: float, bps: float) -> None:
    bars, words = history
    words, result = silent_where_stopped(
        bars, words, wb.Costs(fee=fee, slippage_bps=bps, volume_share=NO_CAP), **{kind: distance}
    )
    assume(no_ruin(result))
    options = {"sl_stop": distance, "sl_trail": kind == "trailing_stop", "stop_exit_price": "stopmarket"}
    assert_same(result, theirs(bars, words, fees=fee, slippage=bps / 10_000, **options))


@settings(max_examples=examples(120), suppress_health_check=CALM)
@given(history=histories(), distance=DISTANCES, fee=st.sampled_from([0.0, 0.001]), bps=st.sampled_from([0.0, 10.0]))
def test_targets_agree(history: Any, distance: float, fee: float, bps: float) -> None:
    bars, words = history
    words, result = silent_where_stopped(
        bars, words, wb.Costs(fee=fee, slippage_bps=bps, volume_share=NO_CAP), take_profit=distance
    )
    assume(no_ruin(result))
    portfolio = theirs(bars, words, fees=fee, slippage=bps / 10_000, tp_stop=distance, stop_exit_price="stoplimit")
    assert_same(result, portfolio)


@settings(max_examples=examples(120), suppress_health_check=CALM)
@given(history=histories(), stop=DISTANCES, target=DISTANCES, trails=st.booleans(), fee=st.sampled_from([0.0, 0.001]))
def test_stops_and_targets_together_agree(
    history: Any, stop: float, target: float, trails: bool, fee: float
) -> None:  # fmt: skip
    bars, words = history
    said = {"trailing_stop" if trails else "stop_loss": stop, "take_profit": target}
    words, result = silent_where_stopped(bars, words, wb.Costs(fee=fee, slippage_bps=0, volume_share=NO_CAP), **said)
    assume(no_ruin(result) and not gapped_through_the_target(bars, result))
    assert_same(result, theirs(bars, words, fees=fee, sl_stop=stop, sl_trail=trails, tp_stop=target))


def gapped_through_the_target(bars: wb.Bars, result: wb.Result) -> bool:
    """Tell whether a target was had at the open: vectorbt may see the stop of that bar first."""
    trades = result.trades[result.trades["exit_reason"] == "take_profit"]
    at = result.equity.index.get_indexer(trades["exit_time"])
    return bool((bars.open[at] == trades["exit_price"]).any())


@pytest.mark.long
@settings(max_examples=examples(80), suppress_health_check=CALM)
@given(history=histories(), data=st.data(), fee=st.sampled_from([0.0, 0.001]))
def test_stops_per_bar_are_those_of_the_deciding_bar(history: Any, data: st.DataObject, fee: float) -> None:
    bars, words = history
    seed = data.draw(st.integers(0, 2**32 - 1))
    distances = np.random.default_rng(seed).choice([0.01, 0.02, 0.05, np.nan], len(bars))
    words, result = silent_where_stopped(
        bars, words, wb.Costs(fee=fee, slippage_bps=0, volume_share=NO_CAP), stop_loss=distances
    )
    assume(no_ruin(result))
    per_bar = pd.Series(distances, index=result.equity.index)
    assert_same(result, theirs(bars, words, fees=fee, sl_stop=per_bar))


@settings(max_examples=examples(80), suppress_health_check=CALM)
@given(history=histories(), unit=st.sampled_from(["quantity", "cash"]), lot=st.sampled_from([0.0, 0.5, 8.0]),
       stop=DISTANCES)  # fmt: skip
def test_sizes_and_lots_agree(history: Any, unit: str, lot: float, stop: float) -> None:
    bars, words = history
    bars = wb.Bars(**{**vars(bars), "instrument": bars.instrument.replace(lot_size=lot)})
    size = 20.0 if unit == "quantity" else 2_000.0
    said = {"size": size, "size_unit": unit, "stop_loss": stop}
    words, result = silent_where_stopped(bars, words, wb.Costs(fee=0.0, slippage_bps=0, volume_share=NO_CAP), **said)
    assume(no_ruin(result) and not (result.trades["entry_price"] * result.trades["quantity"] > 9_000).any())
    assume(unit == "quantity" or not reversed_at_all(result))
    options = {"size": size, "size_type": "amount" if unit == "quantity" else "value", "sl_stop": stop}
    assert_same(result, theirs(bars, words, **options, size_granularity=lot or np.nan))


def reversed_at_all(result: wb.Result) -> bool:
    return bool((result.trades["exit_reason"] == "reversal").any())


@settings(max_examples=examples(80), suppress_health_check=CALM)
@given(history=histories(), share=st.sampled_from([0.25, 0.5, 1.0]), fee=st.sampled_from([0.0, 0.001]))
def test_a_fraction_of_the_equity_is_vectorbts_percent(history: Any, share: float, fee: float) -> None:
    bars, words = history
    words = {**words, "short_entry": flags(len(bars)), "short_exit": flags(len(bars))}
    words, result = silent_where_stopped(
        bars, words, wb.Costs(fee=fee, slippage_bps=0, volume_share=NO_CAP), size=share, stop_loss=0.02
    )
    assert_same(result, theirs(bars, words, fees=fee, size=share, size_type="percent", sl_stop=0.02))


# Differences of meaning, one small case each.

CALM_BAR = (100.0, 101.0, 99.0, 100.0)
FREE = wb.Costs(fee=0.0, slippage_bps=0.0, volume_share=NO_CAP)


def both(rows: Any, words: dict[str, tuple[int, ...]], options: dict[str, Any], **said: Any) -> tuple[Any, Any]:
    bars = bars_of(rows)
    spoken = {name: flags(len(rows), *words.get(name, ())) for name in SIDES}
    return ours(bars, spoken, FREE, **said).trades, theirs(bars, spoken, **options).trades.records


def test_an_entry_on_the_bar_of_a_stop_is_heard_by_us_alone() -> None:
    rows = [CALM_BAR, (100, 101, 90, 95), CALM_BAR]
    mine, other = both(rows, {"entry": (0, 1)}, {"sl_stop": 0.05}, stop_loss=0.05)
    assert mine["exit_reason"].tolist() == ["stop_loss", "open"]
    assert len(other) == 1


def test_a_gap_to_the_target_comes_before_the_stop_of_the_same_bar() -> None:
    rows = [CALM_BAR, (115, 116, 90, 95), CALM_BAR]
    mine, other = both(rows, {"entry": (0,)}, {"sl_stop": 0.05, "tp_stop": 0.1}, stop_loss=0.05, take_profit=0.1)
    assert (mine["exit_reason"][0], mine["exit_price"][0]) == ("take_profit", 115)
    assert other["exit_price"].tolist() == [95]


def test_a_fixed_and_a_trailing_stop_hold_together() -> None:
    rows = [CALM_BAR, (100, 110, 100, 108), (108, 108, 95, 96)]
    mine, other = both(rows, {"entry": (0,)}, {"sl_stop": 0.1, "sl_trail": True}, stop_loss=0.02, trailing_stop=0.1)
    assert (mine["exit_reason"][0], mine["exit_price"][0]) == ("trailing_stop", pytest.approx(99))
    assert other["exit_price"].tolist() == [pytest.approx(99)]
    mine, other = both(rows, {"entry": (0,)}, {"sl_stop": 0.2, "sl_trail": True}, stop_loss=0.03, trailing_stop=0.2)
    assert (mine["exit_reason"][0], mine["exit_price"][0]) == ("stop_loss", pytest.approx(97))
    assert other["status"].tolist() == [0]


@pytest.mark.long
def test_money_pays_the_fee_too() -> None:
    bars = bars_of([CALM_BAR, CALM_BAR])
    words = {name: flags(2, *((0,) if name == "entry" else ())) for name in SIDES}
    mine = ours(
        bars, words, wb.Costs(fee=0.01, slippage_bps=0, volume_share=NO_CAP), size=1_000, size_unit="cash"
    ).trades
    other = theirs(bars, words, fees=0.01, size=1_000, size_type="value").trades.records
    assert mine["quantity"][0] == pytest.approx(1_000 / 101) and other["size"].tolist() == [10]


def test_a_reversal_by_a_fraction_is_refused_by_vectorbt() -> None:
    rows = [CALM_BAR] * 3
    bars = bars_of(rows)
    words = {name: flags(3, *{"entry": (0,), "short_entry": (1,)}.get(name, ())) for name in SIDES}
    assert ours(bars, words, FREE, size=0.5).trades["side"].tolist() == ["long", "short"]
    with pytest.raises(ValueError, match="does not support position reversal"):
        theirs(bars, words, size=0.5, size_type="percent")


@pytest.mark.long
def test_an_account_never_goes_below_zero() -> None:
    rows = [CALM_BAR, CALM_BAR, (150, 260, 150, 250), CALM_BAR]
    mine, other = both(rows, {"short_entry": (0,)}, {})
    assert mine["exit_reason"][0] in ("bankruptcy", "liquidation")
    assert other["status"].tolist() == [0]


def test_stops_slip_and_targets_rest() -> None:
    rows = [CALM_BAR, (100, 112, 100, 110), CALM_BAR]
    bars = bars_of(rows)
    words = {name: flags(3, *((0,) if name == "entry" else ())) for name in SIDES}
    slips = {"slippage": 0.01, "tp_stop": 0.05, "stop_exit_price": "stopmarket"}
    mine = ours(bars, words, wb.Costs(fee=0.0, slippage_bps=100, volume_share=NO_CAP), take_profit=0.05).trades
    other = theirs(bars, words, **slips).trades.records
    assert mine["exit_price"][0] == pytest.approx(101 * 1.05)
    assert other["exit_price"].tolist() == [pytest.approx(101 * 1.05 * 0.99)]
