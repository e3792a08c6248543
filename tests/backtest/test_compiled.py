"""The compiled path, one rule a test, with numbers worked out by hand on plans made by hand."""

from __future__ import annotations

import math

import pytest

from tests.backtest.plans import CALM, HOUR, fills_of, guards, line, plan, skips_of
from workbench.backtest.compiled import run
from workbench.backtest.records import FILL_FIELDS, column
from workbench.trading.terms import CostTerms, Lots

ALL_VOLUME = CostTerms(volume_share=1.0)


def told(rows, words, *, costs=None, lots=None, detail=(), said=None, **options):
    return fills_of(run(plan(line(rows, words, costs=costs, lots=lots, detail=detail, **(said or {})), **options)))


def test_what_is_decided_on_a_close_trades_at_the_next_open() -> None:
    assert told([CALM, CALM, (103, 104, 102, 103), (105, 106, 104, 105)], "0120") == [
        (2, pytest.approx(10_000 / 103), 103, "entry"), (3, pytest.approx(-10_000 / 103), 105, "signal"),
    ]  # fmt: skip


def test_with_at_close_it_trades_at_that_close() -> None:
    assert told([CALM, (100, 103, 99, 102), (105, 106, 104, 105)], "012", at_close=True) == [
        (1, pytest.approx(10_000 / 102), 102, "entry"), (2, pytest.approx(-10_000 / 102), 105, "signal"),
    ]  # fmt: skip


def test_a_trailing_stop_waits_for_its_activation() -> None:
    rows = [CALM, CALM, (100, 104, 97, 103), (103, 111, 103, 110), (110, 110, 100, 101)]
    said = {"trailing_stop": 0.02, "trailing_activation": 0.1}
    assert told(rows, "10000", said=said)[1:] == [(4, -100, pytest.approx(111 * 0.98), "trailing_stop")]
    assert told(rows, "10000", said={"trailing_stop": 0.02})[1:] == [(2, -100, pytest.approx(98.98), "trailing_stop")]


def test_a_custom_stop_only_moves_in_favour() -> None:
    rows = [CALM, CALM, CALM, (100, 102, 96.5, 100), (100, 101, 96, 100)]
    stops = [95.0, 97.0, 94.0, math.nan, math.nan]  # 97 from the close of bar 1 on
    assert told(rows, "10000", said={"stop_price": stops})[1:] == [(3, -100, 97, "custom_stop")]
    assert told(rows, "10000", said={"stop_price": [95.0, math.nan, math.nan, 96.2, 90.0]})[1:] == [
        (4, -100, 96.2, "custom_stop")
    ]


def test_of_level_stops_the_fixed_one_is_named() -> None:
    rows = [CALM, CALM, (100, 101, 94, 95)]
    assert told(rows, "100", said={"stop_loss": 0.05, "stop_price": 95.0})[1:] == [(2, -100, 95, "stop_loss")]
    assert told(rows, "100", said={"stop_loss": 0.06, "stop_price": 95.0})[1:] == [(2, -100, 95, "custom_stop")]


def test_a_ladder_comes_down_with_time() -> None:
    rows = [CALM, CALM, (100, 103.5, 99, 101), (101, 101.5, 99, 101)]
    roi = [(0, 0.04), (120, 0.01)]
    # the rung of two hours holds from bar 3 on: its open is beyond it at once, so a taker sells there
    records = run(plan(line(rows, "1000"), roi=roi))
    assert fills_of(records)[1:] == [(3, -100, 101, "roi")]
    assert column(records.fills, FILL_FIELDS, "maker").tolist() == [0, 0]
    rested = run(plan(line([CALM, CALM, (100, 105, 99, 101)], "100"), roi=roi))
    assert fills_of(rested)[1:] == [(2, -100, 104, "roi")]
    assert column(rested.fills, FILL_FIELDS, "maker").tolist() == [0, 1]


@pytest.mark.parametrize(("at_close", "out"), [(False, 3), (True, 2)])
def test_a_time_limit_holds_for_so_many_bars(at_close: bool, out: int) -> None:
    found = told([CALM] * 6, "100000", max_bars=2, at_close=at_close)
    assert [(hour, reason) for hour, _, _, reason in found] == [(0 if at_close else 1, "entry"), (out, "time_limit")]


def test_the_path_inside_a_bar_goes_to_the_nearer_extreme_first() -> None:
    said = {"stop_loss": 0.05, "take_profit": 0.05}
    rows = [CALM, CALM, (100, 106, 90, 100)]  # the high is nearer: target first
    assert told(rows, "100", said=said, path_inside=True)[1:] == [(2, -100, 105, "take_profit")]
    assert told(rows, "100", said=said)[1:] == [(2, -100, 95, "stop_loss")]
    near_low = [CALM, CALM, (100, 110, 94, 100)]
    assert told(near_low, "100", said=said, path_inside=True)[1:] == [(2, -100, 95, "stop_loss")]


def test_a_trailing_stop_follows_along_the_path() -> None:
    still = (100.0, 100.0, 100.0, 100.0)
    for low, level in ((98, 98), (98.5, 107.8)):  # low first; else up to 110 and down through 110 less 2 %
        rows = [still, still, (100, 110, low, 99)]
        assert told(rows, "100", said={"trailing_stop": 0.02}, path_inside=True)[1:] == [
            (2, -100, pytest.approx(level), "trailing_stop")
        ]


def test_finer_bars_resolve_what_comes_first() -> None:
    rows = [CALM, CALM, (100, 106, 90, 100)]
    fine = [CALM] * 8 + [(100, 106, 100, 104), (104, 104, 90, 91), CALM, CALM]
    said = {"stop_loss": 0.05, "take_profit": 0.05}
    assert told(rows, "100", said=said)[1:] == [(2, -100, 95, "stop_loss")]
    assert told(rows, "100", said=said, detail=fine)[1:] == [(2, -100, 105, "take_profit")]


def test_the_volume_of_a_bar_splits_an_entry_and_what_is_left_is_tried_again() -> None:
    rows = [CALM, (*CALM, 30.0), (102, 103, 101, 102, 50.0), (*CALM, 500.0)]
    assert told(rows, "1000", costs=ALL_VOLUME) == [
        (1, 30, 100, "entry"), (2, 50, 102, "entry"), (3, pytest.approx(19, abs=0.01), 100, "entry"),
    ]  # fmt: skip


def test_a_stop_that_volume_lets_out_in_part_sells_the_rest_at_the_next_open() -> None:
    rows = [CALM, (*CALM, 1e3), (100, 101, 94, 94, 40.0), (93, 98, 92, 97, 25.0), (92, 98, 91, 97, 1e3)]
    for at_close in (False, True):
        found = told(rows, "10000", costs=ALL_VOLUME, said={"stop_loss": 0.05}, at_close=at_close)
        assert found[1:] == [(2, -40, 95, "stop_loss"), (3, -25, 93, "stop_loss"), (4, -35, 92, "stop_loss")]


def test_a_reached_stop_hears_no_more_words_before_it_is_out() -> None:
    rows = [CALM, (*CALM, 1e3), (100, 101, 94, 94, 40.0), (93, 94, 92, 93, 25.0), (92, 93, 91, 92, 1e3), CALM]
    assert told(rows, "101410", costs=ALL_VOLUME, said={"stop_loss": 0.05})[4:] == [
        (5, pytest.approx(93.45), 100, "entry")
    ]


def test_a_target_fills_in_parts_and_rests_for_the_remainder() -> None:
    costs = CostTerms(volume_share=1.0, per_order=3.0)
    rows = [CALM, (*CALM, 1e3), (100, 111, 99, 100, 40.0), (100, 111, 99, 100, 1e3)]
    records = run(plan(line(rows, "1000", costs=costs, take_profit=0.1, size=50.0, size_unit="quantity")))
    assert fills_of(records) == [
        (1, 50, 100, "entry"), (2, -40, pytest.approx(110), "take_profit"), (3, -10, pytest.approx(110), "take_profit"),
    ]  # fmt: skip
    assert column(records.fills, FILL_FIELDS, "fee").tolist() == [3, 3, 0]  # one order, one fee
    assert column(records.fills, FILL_FIELDS, "order").tolist() == [0, 1, 1]


def test_a_reversal_enters_only_when_it_is_out() -> None:
    rows = [CALM, (*CALM, 1e3), (*CALM, 40.0), (*CALM, 80.0), (*CALM, 1e3)]
    assert told(rows, "14000", costs=ALL_VOLUME) == [
        (1, 100, 100, "entry"), (2, -40, 100, "reversal"), (3, -60, 100, "reversal"), (3, -20, 100, "entry"),
        (4, -80, 100, "entry"),
    ]  # fmt: skip
    # the word for the side that is still held calls the reversal off
    assert told(rows, "14100", costs=ALL_VOLUME) == [(1, 100, 100, "entry"), (2, -40, 100, "reversal")]


def test_sizes_in_every_unit() -> None:
    rows = [CALM] * 3
    for unit, size, quantity in (
        ("fraction", 0.25, 25), ("quantity", 7.0, 7), ("cash", 700.0, 7), ("cash", 1e9, 100), ("quantity", 1e9, 100),
        ("risk", 0.01, 20), ("risk", 0.5, 100),
    ):  # fmt: skip
        said = {"size": size, "size_unit": unit, "stop_loss": 0.05}
        assert told(rows, "100", said=said)[0][1] == pytest.approx(quantity)
    nothing = run(plan(line(rows, "100", size=0.01, size_unit="risk")))
    assert skips_of(nothing) == [(0, "no stop to size by")]


def test_risk_is_measured_to_the_nearer_stop() -> None:
    said = {"size": 0.01, "size_unit": "risk", "stop_loss": 0.05, "stop_price": 98.0}
    assert told([CALM] * 3, "100", said=said)[0][1] == pytest.approx(50)


def test_fees_of_every_kind() -> None:
    costs = CostTerms(taker=0.001, per_unit=0.01, per_order=2.0, slippage=0.01)
    records = run(plan(line([CALM] * 4, "1200", costs=costs, size=10.0, size_unit="quantity")))
    assert column(records.fills, FILL_FIELDS, "price").tolist() == [101, 99]
    assert column(records.fills, FILL_FIELDS, "fee").tolist() == pytest.approx([3.11, 3.09])
    all_in = run(plan(line([CALM] * 4, "1000", costs=costs)))
    bought = float(all_in.fills[0, 3])
    assert bought * 101 + float(all_in.fills[0, 6]) == pytest.approx(10_000)  # to the last cent and no more


def test_an_order_moves_the_price_against_itself() -> None:
    costs = CostTerms(impact_kind=1, impact=0.1)
    rows = [CALM, (*CALM, 100.0), CALM]
    records = run(plan(line(rows, "100", costs=costs, size=50.0, size_unit="quantity")))
    assert fills_of(records)[0] == (1, 50, pytest.approx(100 * (1 + 0.1 * 0.25)), "entry")


def test_lots_ticks_and_the_smallest_order() -> None:
    rows = [CALM, CALM, (100, 101, 90, 95)]
    found = told(rows, "100", lots=Lots(tick=0.5, lot=0.3), said={"stop_loss": 0.013})
    assert found == [(1, pytest.approx(99.9), 100, "entry"), (2, pytest.approx(-99.9), 98.5, "stop_loss")]
    small = run(plan(line(rows, "100", lots=Lots(min_notional=50.0), size=0.004)))
    assert (fills_of(small), skips_of(small)) == ([], [(0, "below the smallest order")])
    assert small.skipped[0, 3] == pytest.approx(0.4)


def test_instruments_share_the_cash_in_their_order() -> None:
    lines = [line([CALM] * 4, "1000", symbol=f"{name}/USDT", size=0.6) for name in "AB"]
    records = run(plan(*lines))
    assert [(row[1], row[3]) for row in records.fills.tolist()] == [(0, pytest.approx(60)), (1, pytest.approx(40))]
    assert records.equity.tolist() == [10_000] * 4
    one = run(plan(*lines, max_positions=1))
    assert (len(one.fills), skips_of(one)) == (1, [(0, "too many positions")])


def test_what_leaves_makes_room_for_what_enters_at_the_same_open() -> None:
    first = line([CALM] * 5, "00100", symbol="A/USDT")
    second = line([CALM] * 5, "10200", symbol="B/USDT")
    assert [(row[0] / HOUR, row[1], row[2]) for row in run(plan(first, second)).fills.tolist()] == [
        (1, 1, 1), (3, 1, -1), (3, 0, 1),
    ]  # fmt: skip


def test_instruments_that_miss_bars_keep_their_last_price() -> None:
    first = line([CALM, CALM, (110, 111, 109, 110), CALM], "1000", symbol="A/USDT", size=0.5, hours=[0, 1, 2, 5])
    second = line([CALM] * 4, "0100", symbol="B/USDT", hours=[0, 3, 4, 5])
    records = run(plan(first, second))
    assert (records.ts // HOUR).tolist() == [0, 1, 2, 3, 4, 5]
    assert records.equity.tolist() == pytest.approx([10_000, 10_000, 10_500, 10_500, 10_500, 10_000])
    assert records.fills[1, 3] == pytest.approx(50)  # what is free beside 50 of A at 110


def test_a_decision_without_a_next_bar_is_told() -> None:
    assert skips_of(run(plan(line([CALM] * 2, "01")))) == [(1, "the data ends before it could fill")]
    assert skips_of(run(plan(line([CALM] * 2, "01"), at_close=True))) == []


def test_a_cooldown_forbids_entries_and_turns_a_reversal_into_leaving() -> None:
    rows = [CALM] * 8
    found = run(plan(line(rows, "12101010"), guards=guards(cooldown=3)))
    # out at 2: entries decided on bars that open before 5 are forbidden
    assert [(hour, reason) for hour, _, _, reason in fills_of(found)] == [(1, "entry"), (2, "signal"), (7, "entry")]
    assert skips_of(found) == [(2, "cooldown"), (4, "cooldown")]
    stopped = [CALM, CALM, (100, 101, 94, 95), *[CALM] * 4]
    lines = [line(stopped, "1000000", stop_loss=0.05, size=0.5), line([CALM] * 7, "1004000", symbol="B/USDT", size=0.5)]
    paused = run(plan(*lines, guards=guards(stops=[(1, 10, 10, 0)])))
    assert fills_of(paused)[-1] == (4, -50, 100, "signal")
    assert skips_of(paused) == [(3, "stop guard")]


def test_the_word_of_the_bar_that_stopped_it_out_can_enter_again() -> None:
    rows = [CALM, CALM, (100, 101, 94, 100), CALM, CALM]
    assert [reason for *_, reason in told(rows, "10100", said={"stop_loss": 0.05})] == ["entry", "stop_loss", "entry"]
