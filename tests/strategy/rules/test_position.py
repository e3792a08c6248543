"""Exits that look at the position agree with the positions that a backtest really holds."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from tests.strategy.rules.made import bars_from, rules, wandering
from workbench.errors import ConfigError, StrategyError
from workbench.strategy import signals_of

FREE = wb.Costs(fee=0, slippage_bps=0)
BOTH_WAYS = """
parameters:
  gain: {default: 0.01, low: 0.001, high: 0.2}
indicators:
  fast: sma(close, 3)
  slow: sma(close, 8)
entry: fast crosses_above slow
short_entry: fast crosses_below slow
exit:
  any:
    - profit >= gain
    - all: [bars_held > 6, profit < 0]
    - close < 0.99 * slow
short_exit:
  any:
    - profit >= gain for 2 bars
    - bars_held == 9
"""


def first_way_out(bars: wb.Bars, opened: int, side: int, gain: float) -> int | None:
    """The bar on whose close the rules of BOTH_WAYS leave a position opened in a bar; reversals apart."""
    slow = wb.indicators.sma(bars.close, 8)
    streak = 0
    for row in range(opened, len(bars)):
        profit, held = side * (bars.close[row] / bars.open[opened] - 1.0), row - opened + 1
        streak = streak + 1 if profit >= gain else 0
        if side > 0 and (profit >= gain or (held > 6 and profit < 0) or bars.close[row] < 0.99 * slow[row]):
            return row
        if side < 0 and (streak >= 2 or held == 9):
            return row
    return None


@pytest.mark.parametrize("path", ["event", "compiled"])
@pytest.mark.parametrize("seed", range(6))
def test_every_trade_is_left_when_its_own_profit_and_age_say_so(path: str, seed: int) -> None:
    bars, strategy = wandering(seed, 600), rules(BOTH_WAYS)()
    result = wb.backtest(strategy, bars, costs=FREE, path=path)
    trades = result.trades[result.trades["exit_reason"].isin(["signal", "reversal"])]
    assert len(trades) > 15
    rows = {int(ts): row for row, ts in enumerate(bars.ts)}
    for one in trades.itertuples():
        opened = rows[int(one.entry_time.timestamp() * 1000)]
        left = rows[int(one.exit_time.timestamp() * 1000)]
        expected = first_way_out(bars, opened, 1 if one.side == "long" else -1, strategy.gain)
        if one.exit_reason == "signal":
            assert left - 1 == expected
        else:
            assert expected is None or left - 1 <= expected


def test_profit_is_counted_from_the_open_that_was_paid_and_bars_from_the_bar_of_the_entry() -> None:
    bars = bars_from([10, 11, 12, 12, 12, 12], opens=[10, 10, 11, 20, 12, 12])
    file = "entry: close > open\nexit: profit <= -0.4 and bars_held == 1"
    signals = rules(file)().signals(bars)
    assert (np.flatnonzero(signals.entry).tolist(), np.flatnonzero(signals.exit).tolist()) == ([1], [])
    signals = rules("entry: close > open and open > 10.5\nexit: profit <= -0.4 and bars_held == 1")().signals(bars)
    assert (np.flatnonzero(signals.entry).tolist(), np.flatnonzero(signals.exit).tolist()) == ([2], [3])


def test_an_entry_that_is_said_again_while_it_is_held_does_not_keep_the_exit_from_being_heard() -> None:
    signals = rules("entry: close > 0\nexit: bars_held >= 2 and profit < 1")().signals(bars_from([10.0] * 7))
    assert np.flatnonzero(signals.entry).tolist() == [0, 3, 6]
    assert np.flatnonzero(signals.exit).tolist() == [2, 5]


def test_a_short_profits_from_a_fall() -> None:
    bars = bars_from([10, 10, 9, 8, 8], opens=[10, 10, 10, 9, 8])
    signals = rules("short_entry: close == 10\nshort_exit: profit > 0.15")().signals(bars)
    assert (np.flatnonzero(signals.short_entry).tolist(), np.flatnonzero(signals.short_exit).tolist()) == ([0], [3])


def test_a_time_limit_alone_is_left_to_the_trader_and_goes_with_stops() -> None:
    file = "entry: close > 0\nexit:\n  any:\n    - close < 5\n    - bars_held >= 4\nstops: {stop_loss: 0.05}"
    strategy = rules(file)()
    bars = bars_from([10.0] * 30)
    assert not strategy.needs_next_open
    assert strategy.signals(bars).max_bars == 4
    trades = wb.backtest(strategy, bars, costs=FREE).trades
    assert set(trades["bars_held"][:-1]) == {4}


def test_a_time_limit_of_one_side_only_is_followed() -> None:
    file = "entry: close > open\nexit: bars_held >= 3\nshort_entry: close < open\nshort_exit: close > 1000"
    strategy, bars = rules(file)(), wandering(5, 400)
    assert strategy.needs_next_open
    trades = wb.backtest(strategy, bars, costs=FREE).trades
    long = trades[(trades["side"] == "long") & (trades["exit_reason"] == "signal")]
    assert len(long) and set(long["bars_held"]) == {3}


def test_max_bars_ends_a_followed_trade_as_the_trader_does() -> None:
    file = "entry: close > open\nexit: profit > 0.05\nstops: {max_bars: 5}"
    strategy, bars = rules(file)(), wandering(8, 500)
    trades = wb.backtest(strategy, bars, costs=FREE).trades
    said = signals_of(strategy, bars)
    late = trades[trades["exit_reason"] == "time_limit"]
    assert len(late) > 20 and set(late["bars_held"]) == {5}
    assert int(said.entry.sum()) - len(trades) in (0, 1)  # each entry that is said is traded, but on the last bar


STOPPED = """
parameters:
  gain: {{default: 0.02, low: 0.001, high: 0.2}}
entry: close crosses_above sma(close, 4)
short_entry: close crosses_below sma(close, 4) and close rising 1 within 3
exit: {{any: [profit >= gain for 2 bars, bars_held > 12]}}
short_exit: {{any: [profit >= gain for 2 bars, bars_held > 12]}}
stops: {stops}
"""
STOPS = (
    "{stop_loss: 0.015}",
    "{take_profit: 0.03, stop_loss: 0.04}",
    "{trailing_stop: 0.02}",
    "{trailing_stop: 0.01, trailing_activation: 0.015}",
    "{roi: {0: 0.05, 180: 0.02, 360: 0.005}}",
    "{stop_loss: 'min(max(atr(5) / close, 0.005), 0.2)', max_bars: 7}",
)


def free_of_ticks(bars: wb.Bars) -> wb.Bars:
    free = bars.instrument.replace(tick_size=0.0, lot_size=0.0, min_notional=0.0)
    columns = {name: getattr(bars, name) for name in ("ts", "open", "high", "low", "close", "volume")}
    return wb.Bars(instrument=free, timeframe=bars.timeframe, **columns)


def left_by_itself(bars: wb.Bars, opened: int, side: int) -> int:
    """The first bar on whose close the exit of STOPPED holds for a position opened in a bar."""
    streak = 0
    for row in range(opened, len(bars)):
        streak = streak + 1 if side * (bars.close[row] / bars.open[opened] - 1.0) >= 0.02 else 0
        if streak >= 2 or row - opened + 1 > 12:
            return row
    return len(bars)


@pytest.mark.parametrize("path", ["event", "compiled"])
@pytest.mark.parametrize("stops", STOPS)
def test_beside_stops_every_signal_exit_is_that_of_the_position_really_held(stops: str, path: str) -> None:
    bars = free_of_ticks(wandering(11, 1_500))
    result = wb.backtest(
        rules(STOPPED.format(stops=stops))(), bars, costs=wb.Costs(fee=0.001, slippage_bps=8), path=path
    )
    trades, rows = result.trades, {int(ts): row for row, ts in enumerate(bars.ts)}
    marginal = 0
    for one in trades[trades["exit_reason"] == "signal"].itertuples():
        opened, left = (rows[int(at.timestamp() * 1000)] for at in (one.entry_time, one.exit_time))
        own = left_by_itself(bars, opened, 1 if one.side == "long" else -1)
        assert left - 1 <= own
        marginal += left - 1 < own
    assert len(trades) > 60
    assert len(set(trades["exit_reason"]) - {"signal", "reversal"}) >= 1
    assert marginal <= len(trades) // 20  # a stop that was reached but for its costs: left at the next open


@pytest.mark.parametrize("stops", STOPS)
def test_without_costs_the_trades_that_are_followed_are_the_trades_of_the_backtest(stops: str) -> None:
    bars = free_of_ticks(wandering(12, 1_500))
    strategy = rules(STOPPED.format(stops=stops))()
    said = signals_of(strategy, bars)
    trades = wb.backtest(strategy, bars, costs=FREE).trades
    rows = {int(ts): row for row, ts in enumerate(bars.ts)}
    entered = [rows[int(at.timestamp() * 1000)] - 1 for at in trades["entry_time"]]
    followed = np.flatnonzero(said.entry | said.short_entry).tolist()
    assert entered == [row for row in followed if row < len(bars) - 1]
    stopped = trades[~trades["exit_reason"].isin(["signal", "reversal", "time_limit", "end", "open"])]
    ended = np.flatnonzero(said.exit | said.short_exit).tolist()
    assert len(stopped) > 10
    for at in stopped["exit_time"]:
        assert rows[int(at.timestamp() * 1000)] in ended  # said on the very bar in which the stop was reached


def test_after_a_stop_the_next_entry_is_taken() -> None:
    bars = bars_from([10, 10, 8, 10, 10, 8, 10, 10.0])
    made = rules("entry: close == 10\nexit: profit > 0.5\nstops: {stop_loss: 0.1}")()
    said = made.signals(bars)
    assert np.flatnonzero(said.entry).tolist() == [0, 3, 6]
    assert np.flatnonzero(said.exit).tolist() == [2, 5]
    assert wb.backtest(made, bars, costs=FREE).trades["exit_reason"].tolist()[:2] == ["stop_loss", "stop_loss"]


def test_a_custom_stop_ratchets() -> None:
    bars = bars_from([10, 12, 14, 13, 12, 11, 10.0])
    made = rules("entry: close == 10\nexit: profit > 9\nstops: {stop_price: close - 1.5}")()
    assert np.flatnonzero(made.signals(bars).exit).tolist() == [4]
    trade = wb.backtest(made, bars, costs=FREE).trades.iloc[0]
    assert int(trade["exit_time"].timestamp()) // 3600 == 4


def test_a_parameter_that_is_a_stop_is_followed_too() -> None:
    bars = bars_from([10, 10, 8, 10, 10, 8, 10, 10.0])
    made = rules("parameters: {stop_loss: 0.1}\nentry: close == 10\nexit: profit > 0.5")
    assert np.flatnonzero(made().signals(bars).exit).tolist() == [2, 5]


def test_protections_beside_it_are_refused_with_what_to_do() -> None:
    with pytest.raises(StrategyError, match=r"line 2, column 7: profit cannot be followed beside protections"):
        rules("entry: close > open\nexit: profit > 0.02\nprotections: [{cooldown: 3}]")


def test_fills_at_the_close_are_refused() -> None:
    strategy = rules("entry: close > open\nexit: profit > 0.02")()
    with pytest.raises(ConfigError, match=r"fill='close': .* follows its positions from the next open on"):
        wb.backtest(strategy, wandering(1, 50), fill="close")
