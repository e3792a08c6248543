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


@pytest.mark.parametrize("name", ["stop_loss: 0.05", "take_profit: 0.1", "stop_price: 0.9 * close", "roi: {0: 0.05}"])
def test_profit_beside_a_stop_inside_the_bar_is_refused_with_a_way_to_write_it(name: str) -> None:
    with pytest.raises(StrategyError, match=r"line 2, column 7: profit cannot be followed beside .*`profit <= -0\.05`"):
        rules(f"entry: close > open\nexit: profit > 0.02\nstops: {{{name}}}")


def test_fills_at_the_close_are_refused() -> None:
    strategy = rules("entry: close > open\nexit: profit > 0.02")()
    with pytest.raises(ConfigError, match="fill='close': .* follows its positions from the next open on"):
        wb.backtest(strategy, wandering(1, 50), fill="close")
