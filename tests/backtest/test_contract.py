"""What a backtest means, one rule a test, with numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

import workbench as wb
from tests.backtest.conftest import Rows, bars_of, flags
from workbench.errors import ConfigError, DataError, StrategyError

FREE = wb.Costs(fee=0.0, slippage_bps=0.0)
CALM = (100.0, 101.0, 99.0, 100.0)


def run(
    rows: Rows, *, costs: wb.Costs = FREE, fill: str = "next_open", facts: dict | None = None, **words: object
) -> wb.Result:
    bars = bars_of(rows, **(facts or {}))
    entries = {name: flags(len(rows), *at) for name, at in words.items() if isinstance(at, tuple)}
    rest = {name: value for name, value in words.items() if not isinstance(value, tuple)}
    entries.setdefault("entry", flags(len(rows)))
    return wb.backtest(wb.Signals(**entries, **rest), bars, costs=costs, fill=fill)


def only(result: wb.Result) -> dict:
    assert len(result.trades) == 1
    return result.trades.iloc[0].to_dict()


def test_a_decision_trades_at_the_next_open() -> None:
    trade = only(run([CALM, CALM, (103, 104, 102, 103), (105, 106, 104, 105), CALM], entry=(1,), exit=(2,)))
    assert (trade["entry_price"], trade["exit_price"]) == (103, 105)
    assert trade["pnl"] == pytest.approx(10_000 / 103 * 2)
    assert trade["bars_held"] == 1


def test_fill_at_the_close_must_be_asked_for_and_is_said() -> None:
    result = run([CALM, (100, 103, 99, 102), (105, 106, 104, 105), CALM], fill="close", entry=(1,), exit=(2,))
    assert (only(result)["entry_price"], only(result)["exit_price"]) == (102, 105)
    assert "fill=close" in repr(result)
    assert "no one can trade so" in result._repr_html_()


def test_a_decision_on_the_last_bar_is_an_order_that_never_fills() -> None:
    result = run([CALM, CALM], entry=(1,))
    assert len(result.trades) == 0
    assert result.orders["status"].tolist() == ["the data ends before it could fill"]
    assert result.equity.tolist() == [10_000, 10_000]


def test_a_position_still_open_is_marked_at_the_last_close_and_not_counted_as_a_trade() -> None:
    result = run([CALM, CALM, (100, 111, 99, 110)], entry=(0,))
    assert only(result)["exit_reason"] == "open"
    assert only(result)["pnl"] == pytest.approx(1_000)
    assert result.metrics["trades"] == 0
    assert math.isnan(result.metrics["win_rate"])
    assert result.metrics["total_return"] == pytest.approx(0.1)


def test_a_stop_inside_the_bar_fills_at_the_stop() -> None:
    trade = only(run([CALM, CALM, (100, 101, 90, 95), CALM], entry=(0,), stop_loss=0.05))
    assert (trade["exit_price"], trade["exit_reason"]) == (pytest.approx(95), "stop_loss")


def test_a_gap_through_a_stop_fills_at_the_open() -> None:
    trade = only(run([CALM, CALM, (90, 91, 85, 86), CALM], entry=(0,), stop_loss=0.05))
    assert (trade["exit_price"], trade["exit_reason"]) == (90, "stop_loss")


def test_a_gap_through_a_target_fills_at_the_open() -> None:
    trade = only(run([CALM, CALM, (120, 121, 80, 100), CALM], entry=(0,), stop_loss=0.05, take_profit=0.1))
    assert (trade["exit_price"], trade["exit_reason"]) == (120, "take_profit")


def test_between_stop_and_target_in_one_bar_the_stop_is_hit() -> None:
    trade = only(run([CALM, CALM, (100, 120, 80, 100), CALM], entry=(0,), stop_loss=0.05, take_profit=0.1))
    assert trade["exit_reason"] == "stop_loss"


def test_the_bar_of_the_entry_can_stop_it_out() -> None:
    trade = only(run([CALM, (100, 101, 90, 100), CALM], entry=(0,), stop_loss=0.05))
    assert (trade["exit_reason"], trade["bars_held"]) == ("stop_loss", 0)


def test_a_position_opened_at_a_close_is_not_stopped_by_that_bar() -> None:
    trade = only(run([CALM, (100, 101, 50, 100), CALM], fill="close", entry=(1,), stop_loss=0.05))
    assert trade["exit_reason"] == "open"


def test_a_trailing_stop_moves_on_what_is_known_before_the_bar() -> None:
    rise = (100.0, 120.0, 100.0, 101.0)  # reaches 120, whose 10 % trail would be 108: not in this bar, but in the next
    trade = only(run([CALM, rise, (110, 111, 107, 108), CALM], entry=(0,), trailing_stop=0.1))
    assert (trade["exit_reason"], trade["exit_price"]) == ("trailing_stop", pytest.approx(108))
    assert trade["bars_held"] == 1


def test_stops_of_a_short_are_mirrored() -> None:
    trade = only(run([CALM, CALM, (100, 106, 99, 100), CALM], short_entry=(0,), stop_loss=0.05, take_profit=0.1))
    assert (trade["side"], trade["exit_price"], trade["exit_reason"]) == ("short", pytest.approx(105), "stop_loss")
    trade = only(run([CALM, CALM, (100, 101, 89, 95), CALM], short_entry=(0,), stop_loss=0.05, take_profit=0.1))
    assert (trade["exit_price"], trade["exit_reason"]) == (pytest.approx(90), "take_profit")


def test_market_orders_slip_and_pay_the_taker_fee_and_targets_rest() -> None:
    costs = wb.Costs(fee=0.01, maker_fee=0.002, slippage_bps=100)
    trade = only(run([CALM, CALM, (100, 120, 100, 110), CALM], costs=costs, entry=(0,), take_profit=0.1))
    assert trade["entry_price"] == pytest.approx(101)
    quantity = 10_000 / (101 * 1.01)
    assert trade["quantity"] == pytest.approx(quantity)
    assert trade["exit_price"] == pytest.approx(101 * 1.1)
    assert trade["fees"] == pytest.approx(quantity * 101 * 0.01 + quantity * 101 * 1.1 * 0.002)
    stopped = only(run([CALM, CALM, (100, 101, 80, 90), CALM], costs=costs, entry=(0,), stop_loss=0.1))
    assert stopped["exit_price"] == pytest.approx(101 * 0.9 * 0.99)


def test_costs_are_never_zero_by_default() -> None:
    frame = bars_of([CALM, CALM, CALM]).to_pandas()
    bars = wb.Bars.from_pandas(frame, symbol="BTC/USDT", timeframe="1h")
    result = wb.backtest(wb.Signals(entry=[True, False, False], exit=[False, True, False]), bars)
    assert result.costs == wb.Costs(fee=0.001, maker_fee=0.001, slippage_bps=1.0)
    assert result.metrics["total_return"] == pytest.approx((0.9999 * 0.999) / (1.0001 * 1.001) - 1)


def test_an_opposite_entry_reverses_and_contradictions_cancel_out() -> None:
    result = run([CALM] * 6, entry=(0,), short_entry=(2,))
    assert result.trades["side"].tolist() == ["long", "short"]
    assert result.trades["exit_reason"].tolist() == ["reversal", "open"]
    assert len(run([CALM] * 4, entry=(0,), exit=(0,)).trades) == 0
    assert len(run([CALM] * 4, entry=(0,), short_entry=(0,)).trades) == 0


def test_an_entry_along_with_the_position_does_nothing() -> None:
    assert len(run([CALM] * 6, entry=(0, 1, 2, 3), exit=(4,)).trades) == 1


def test_size_as_fraction_quantity_and_cash() -> None:
    rows = [CALM] * 4
    assert only(run(rows, entry=(0,), size=0.25))["quantity"] == pytest.approx(25)
    assert only(run(rows, entry=(0,), size=7, size_unit="quantity"))["quantity"] == pytest.approx(7)
    assert only(run(rows, entry=(0,), size=700, size_unit="cash"))["quantity"] == pytest.approx(7)
    assert only(run(rows, entry=(0,), size=1e9, size_unit="cash"))["quantity"] == pytest.approx(100)


def test_the_size_of_the_deciding_bar_counts() -> None:
    assert only(run([CALM] * 4, entry=(1,), size=np.array([0.1, 0.5, 0.9, 1.0])))["quantity"] == pytest.approx(50)


def test_quantities_are_whole_lots_rounded_down() -> None:
    trade = only(run([CALM] * 3, entry=(0,), facts={"lot_size": 0.3}))
    assert trade["quantity"] == pytest.approx(99.9)


def test_an_order_below_the_minimum_is_skipped_and_recorded() -> None:
    result = run([CALM] * 3, entry=(0,), size=0.0004, facts={"min_notional": 5.0})
    assert len(result.trades) == 0
    assert result.orders.loc[0, "status"] == "below the smallest order"


def test_stop_levels_lie_on_ticks_on_the_side_that_costs_more() -> None:
    trade = only(run([CALM, CALM, (100, 101, 90, 95), CALM], entry=(0,), stop_loss=0.013, facts={"tick_size": 0.5}))
    assert trade["exit_price"] == 98.5
    trade = only(run([CALM, CALM, (100, 110, 99, 100), CALM], entry=(0,), take_profit=0.013, facts={"tick_size": 0.5}))
    assert trade["exit_price"] == 101.5


def test_a_short_that_eats_the_equity_ends_at_bankruptcy_and_trades_no_more() -> None:
    rows = [CALM, CALM, (100, 250, 100, 240), CALM, CALM, CALM]
    result = run(rows, short_entry=(0, 3))
    assert only(result)["exit_reason"] == "bankruptcy"
    assert only(result)["exit_price"] == pytest.approx(200)
    assert result.equity.iloc[-1] == pytest.approx(0, abs=1e-9)
    assert result.orders["status"].iloc[-1] == "no equity left"
    assert result.metrics["total_return"] == pytest.approx(-1)
    assert result.metrics["annualised_return"] == -1


def test_no_signal_counts_before_the_warm_up_is_over() -> None:
    class Early(wb.SignalStrategy):
        warm_up = 3

        def signals(self, bars: wb.Bars) -> wb.Signals:
            return wb.Signals(entry=np.ones(len(bars), dtype=bool))

    result = wb.backtest(Early(), bars_of([CALM] * 8), costs=FREE)
    assert result.trades.loc[0, "entry_time"] == result.equity.index[4]


def test_excursions_count_what_surely_came_before_the_exit(flat_then_up: wb.Bars) -> None:
    words = wb.Signals(entry=flags(10, 2), exit=flags(10, 6))
    trade = only(wb.backtest(words, flat_then_up, costs=FREE))
    assert (trade["entry_price"], trade["exit_price"]) == (100, 103)
    assert trade["mae"] == pytest.approx(-0.01)  # the low of the entry bar
    assert trade["mfe"] == pytest.approx(0.04)  # the high of the last bar held in full; only the open of the exit bar
    stopped = only(run([CALM, CALM, (100, 130, 90, 95), CALM], entry=(0,), stop_loss=0.05))
    assert stopped["mae"] == pytest.approx(-0.05)
    assert stopped["mfe"] == pytest.approx(0.01)  # 130 may have come after the stop


def test_exposure_and_turnover() -> None:
    result = run([CALM] * 10, entry=(1,), exit=(4,))
    assert result.metrics["exposure"] == pytest.approx(0.3)  # bars 2, 3 and 4; out at the open of bar 5
    assert result.metrics["turnover"] == pytest.approx(2 * 8_760 / 10)
    assert run([CALM] * 10, fill="close", entry=(1,), exit=(4,)).metrics["exposure"] == pytest.approx(0.3)


@pytest.mark.parametrize("cash", [0, -5, math.nan, math.inf, "10000", True])
def test_cash_must_be_a_positive_amount(cash: object) -> None:
    with pytest.raises(ConfigError, match=r"cash = .*: start with a finite amount above zero"):
        wb.backtest(wb.Signals(entry=[True]), bars_of([CALM]), cash=cash)


def test_a_wrong_call_says_what_to_give() -> None:
    bars = bars_of([CALM])
    with pytest.raises(ConfigError, match="fill = 'open' is not one of 'next_open', 'close'"):
        wb.backtest(wb.Signals(entry=[True]), bars, fill="open")
    with pytest.raises(StrategyError, match="SignalStrategy is a class; make a strategy of it first"):
        wb.backtest(wb.SignalStrategy, bars)
    with pytest.raises(StrategyError, match="a list is no strategy"):
        wb.backtest([True], bars)
    with pytest.raises(DataError, match=r"bars is a DataFrame: give wb\.Bars"):
        wb.backtest(wb.Signals(entry=[True]), bars.to_pandas())
    with pytest.raises(DataError, match="there are no bars to trade"):
        wb.backtest(wb.Signals(entry=np.zeros(0, dtype=bool)), bars[:0])
    with pytest.raises(StrategyError, match="signals say 2 bars, but there are 1"):
        wb.backtest(wb.Signals(entry=[True, False]), bars)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fee": 10}, "fee = 10 is outside -0.01 to 0.5; it is a fraction"),
        ({"fee": math.nan}, "fee = nan is not a finite number"),
        ({"maker_fee": "low"}, "maker_fee = 'low' is not a finite number"),
        ({"slippage_bps": -1}, "slippage_bps = -1 is outside 0 to 5000; it is in basis points"),
    ],
)
def test_costs_out_of_range(options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        wb.Costs(**options)


def test_the_front_door_name_and_the_package_are_the_same() -> None:
    import workbench.backtest

    assert workbench.backtest.Costs is wb.Costs
    assert wb.backtest(wb.Signals(entry=[True, False]), bars_of([CALM] * 2)).path == "compiled"


def test_nothing_is_mutated_and_runs_repeat_bit_by_bit(flat_then_up: wb.Bars) -> None:
    before = flat_then_up.to_pandas()
    words = wb.Signals(entry=flags(10, 1, 5), exit=flags(10, 3), trailing_stop=0.02)
    first, second = (wb.backtest(words, flat_then_up) for _ in range(2))
    assert first.equity.equals(second.equity) and first.trades.equals(second.trades)
    assert flat_then_up.to_pandas().equals(before)


def test_a_stop_on_a_tick_is_the_price_that_a_bar_at_that_tick_has() -> None:
    level = (0.2, 0.3, 0.2, 0.2)  # 0.2 * 1.5 and 3 * 0.1 are both 0.30000000000000004
    trade = only(run([(0.2,) * 4] * 2 + [level], short_entry=(0,), stop_loss=0.5, facts={"tick_size": 0.1}))
    assert (trade["exit_reason"], trade["exit_price"]) == ("stop_loss", 0.3)


@pytest.mark.parametrize("step", [1e-8, 1e-18])
def test_the_finest_ticks_and_lots_change_nothing(step: float) -> None:
    rows = [CALM, CALM, (100, 101, 94, 95), CALM]
    trade = only(run(rows, entry=(0,), stop_loss=0.05, take_profit=0.5, facts={"tick_size": step, "lot_size": step}))
    assert trade["quantity"] == pytest.approx(100)
    assert (trade["exit_reason"], trade["exit_price"]) == ("stop_loss", pytest.approx(95))


def test_nothing_is_left_to_trade_with_after_a_bankruptcy() -> None:
    for price in np.linspace(50, 150, 101):  # some of these leave a rounding error of cash
        spike = [(price, price * 3, price, price)]
        rows = [(price,) * 4] * 2 + spike + [(price,) * 4] * 4
        assert only(run(rows, short_entry=(0,), entry=(3,), size=0.97))["exit_reason"] == "bankruptcy"


@pytest.mark.parametrize(("fill", "tried"), [("next_open", 2), ("close", 1)])
def test_an_order_that_could_not_be_had_keeps_the_bar_that_decided_it(fill: str, tried: int) -> None:
    result = run([CALM] * 4, fill=fill, entry=(1,), size=0.0004, facts={"min_notional": 5.0})
    assert result.orders.loc[0, "decided_time"] == result.equity.index[1]


def test_signals_of_other_times_than_the_bars_are_refused() -> None:
    bars = bars_of([CALM] * 5)
    close = bars.to_pandas()["close"]
    assert len(wb.backtest(wb.Signals(entry=close > 5), bars).trades) == 1
    assert len(wb.backtest(wb.Signals(entry=(close > 5).tz_convert("Asia/Tokyo")), bars).trades) == 1
    assert len(wb.backtest(wb.Signals(entry=(close > 5).tz_localize(None)), bars).trades) == 1
    late = wb.Signals(entry=(close > 5).shift(1, freq="1h"))
    with pytest.raises(StrategyError, match="signals are of other times than the bars: row 0 is 1970-01-01 01:00"):
        wb.backtest(late, bars)
    with pytest.raises(StrategyError, match="signals are of other times than the bars"):
        wb.backtest(late.replace(stop_loss=0.1), bars)
    with pytest.raises(StrategyError, match="the Series entry and exit have different indexes"):
        wb.Signals(entry=close > 5, exit=(close > 5).shift(1, freq="1h"))


def test_numbers_of_numpy_are_numbers_and_other_things_are_named() -> None:
    bars, words = bars_of([CALM] * 2), wb.Signals(entry=[True, False])
    costs = wb.Costs(fee=np.float32(0.5), slippage_bps=np.int64(2))
    assert wb.backtest(words, bars, cash=np.int64(500), costs=costs).cash == 500.0
    with pytest.raises(ConfigError, match=r"costs is a float: give wb\.Costs"):
        wb.backtest(words, bars, costs=0.001)
    with pytest.raises(ConfigError, match="start with a finite amount above zero"):
        wb.backtest(words, bars, cash=10**400)


@pytest.mark.parametrize(
    ("name", "bar", "price"),
    [
        ("stop_loss", (100, 101, 80, 85), 90),
        ("take_profit", (100, 120, 100, 100), 110),
        ("trailing_stop", (100, 100, 80, 85), 90.9),  # 10 % below the high of the entry bar
    ],
)
def test_the_stop_of_the_deciding_bar_counts(name: str, bar: tuple, price: float) -> None:
    distances = np.array([0.5, 0.1, 0.5, 0.5])
    assert only(run([CALM, CALM, CALM, bar], entry=(1,), **{name: distances}))["exit_price"] == pytest.approx(price)


def test_a_trailing_stop_lies_on_ticks_on_the_side_that_costs_more() -> None:
    trade = only(run([CALM, CALM, (100, 101, 90, 95)], entry=(0,), trailing_stop=0.013, facts={"tick_size": 0.5}))
    assert trade["exit_price"] == 99.5  # 101 * 0.987 = 99.69


def test_no_size_buys_more_than_the_equity_and_the_price_paid_decides_what_is_too_small() -> None:
    assert only(run([CALM] * 3, entry=(0,), size=1e6, size_unit="quantity"))["quantity"] == pytest.approx(100)
    slips = wb.Costs(fee=0.0, slippage_bps=100)
    facts = {"min_notional": 100.5}  # one unit at 100 is too small, at the 101 that are paid it is not
    assert len(run([CALM] * 3, entry=(0,), size=1, size_unit="quantity", costs=slips, facts=facts).trades) == 1


def test_what_is_still_held_was_not_sold() -> None:
    assert run([CALM] * 10, entry=(1,)).metrics["turnover"] == pytest.approx(8_760 / 10)
