"""Round trips out of fills: by hand, and against the books that the trading core keeps."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import workbench as wb
from tests.backtest.handmade import HOUR, fill, plan_of, result_of, series
from workbench.backtest import curves, trips
from workbench.backtest.plan import Plan
from workbench.backtest.records import FILL_FIELDS, FUNDING_FIELDS, REASON_CODES
from workbench.trading.positions import Position

FLAT = [100.0] * 10


def test_the_kernels_know_the_columns_by_their_names() -> None:
    names = ("ts", "side", "quantity", "price", "fee", "reason", "decided")
    numbers = (trips._TS, trips._SIDE, trips._QUANTITY, trips._PRICE, trips._FEE, trips._REASON, trips._DECIDED)
    assert tuple(FILL_FIELDS.index(name) for name in names) == numbers
    assert FUNDING_FIELDS.index("ts") == trips._TS and FUNDING_FIELDS.index("amount") == trips._AMOUNT
    assert FUNDING_FIELDS.index("quantity") == trips._FUNDED_QUANTITY
    assert REASON_CODES["open"] == trips.OPEN
    assert numbers[:4] == (curves._TS, curves._SIDE, curves._QUANTITY, curves._PRICE)
    assert (curves._FUNDED_QUANTITY, curves._AMOUNT) == (trips._FUNDED_QUANTITY, trips._AMOUNT)
    fields = ("instrument", "side", "entry_ts", "exit_ts", "entry_decided", "exit_decided", "quantity", "entry_price")
    assert trips.TRIP_FIELDS[:8] == fields
    assert trips.TRIP_FIELDS[8:] == (
        "exit_price", "entry_fee", "exit_fee", "funding", "reason", "entry_place", "exit_place", "left",
    )  # fmt: skip


def test_a_trip_is_flat_to_flat_at_average_prices() -> None:
    made = result_of(
        plan_of(series("A/USDT", FLAT)),
        fill(1, 1, 2.0, 100.0, fee=1.0), fill(2, 1, 1.0, 103.0, fee=0.5),  # 3 at 101
        fill(4, -1, 1.0, 104.0, fee=0.25, reason="take_profit", maker=1), fill(5, -1, 2.0, 98.0, reason="stop_loss"),
    )  # fmt: skip
    (trade,) = made.trades.to_dict("records")
    assert (trade["quantity"], trade["entry_price"], trade["exit_price"]) == (3.0, 101.0, 100.0)
    assert (trade["fees"], trade["pnl"]) == (1.75, -4.75)
    assert trade["return_"] == pytest.approx(-4.75 / 303)
    assert (trade["exit_reason"], trade["bars_held"]) == ("stop_loss", 4)
    assert (trade["entry_time"].value, trade["exit_time"].value) == (HOUR * 10**6, 5 * HOUR * 10**6)


def test_a_fill_that_turns_round_ends_one_trip_and_begins_the_next() -> None:
    made = result_of(
        plan_of(series("A/USDT", FLAT), signals=False),
        fill(1, 1, 1.0, 100.0, reason="order"), fill(3, -1, 4.0, 102.0, fee=2.0, reason="order"),
    )  # fmt: skip
    long, short = made.trades.to_dict("records")
    assert (long["quantity"], long["exit_price"], long["fees"], long["pnl"]) == (1.0, 102.0, 0.5, 1.5)
    assert (short["side"], short["quantity"], short["entry_price"], short["fees"]) == ("short", 3.0, 102.0, 1.5)
    assert (short["exit_reason"], short["exit_price"], short["pnl"]) == ("open", 100.0, 4.5)
    assert made.metrics["trades"] == 1


def test_what_is_left_is_marked_at_the_last_close() -> None:
    made = result_of(
        plan_of(series("A/USDT", [*FLAT, 110.0])), fill(1, 1, 4.0, 100.0), fill(3, -1, 1.0, 106.0, reason="signal")
    )
    (trade,) = made.trades.to_dict("records")
    assert (trade["exit_reason"], trade["quantity"]) == ("open", 4.0)
    assert trade["exit_price"] == pytest.approx((106 + 3 * 110) / 4)
    assert trade["pnl"] == pytest.approx(6 + 30)
    assert trade["exit_time"].value == 10 * HOUR * 10**6


def test_instruments_are_apart_and_stand_in_the_order_of_their_first_fills() -> None:
    plan = plan_of(series("A/USDT", FLAT), series("B/USDT", FLAT))
    made = result_of(
        plan, fill(1, 1, 1.0, 100.0, instrument=1), fill(2, -1, 1.0, 100.0),
        fill(3, -1, 1.0, 101.0, instrument=1, reason="signal"), fill(4, 1, 1.0, 99.0, reason="signal"),
    )  # fmt: skip
    assert made.trades["symbol"].tolist() == ["B/USDT", "A/USDT"]
    assert made.trades["side"].tolist() == ["long", "short"]
    assert made.trades["pnl"].tolist() == [1.0, 1.0]


def test_funding_goes_to_the_trip_that_paid_it() -> None:
    plan = plan_of(series("A/USDT", FLAT))
    made = result_of(
        plan,
        fill(1, 1, 1.0, 100.0), fill(4, -1, 1.0, 100.0, reason="reversal"), fill(4, -1, 2.0, 100.0),
        fill(6, 1, 2.0, 100.0, reason="signal"),
        # into bar 1 nothing was held: what is opened there pays; at bar 4 the old one and the new one pay; inside bar 5
        funding=[(HOUR, 0, 1.0, 100, 0.01, -1.0), (4 * HOUR, 0, 1.0, 100, 0.02, -2.0),
                 (4 * HOUR, 0, -2.0, 100, 0.02, 4.0), (5.5 * HOUR, 0, -2.0, 100, 0.01, 2.0)],
    )  # fmt: skip
    assert made.trades["funding"].tolist() == [-3.0, 6.0]
    assert made.trades["pnl"].tolist() == [-3.0, 6.0]
    assert made.cash + made.profits.sum() == made.equity_values[-1]


def test_with_fills_at_the_close_funding_inside_a_bar_is_of_what_came_into_it() -> None:
    plan = plan_of(series("A/USDT", FLAT), fill="close")
    made = result_of(
        plan, fill(1, 1, 1.0, 100.0), fill(3, -1, 1.0, 100.0, reason="reversal"), fill(3, -1, 1.0, 100.0),
        funding=[(3.5 * HOUR, 0, 1.0, 100, 0.01, -1.0)],
    )  # fmt: skip
    assert made.trades["funding"].tolist() == [-1.0, 0.0]


def test_legs_of_a_hedged_account_are_apart() -> None:
    plan = plan_of(series("A/USDT", FLAT), signals=False, hedge=True)
    legs = [{"number": number, "leg": leg} for number, leg in enumerate(("long", "short", "long", "short"))]
    made = result_of(
        plan,
        fill(1, 1, 1.0, 100.0, reason="order"), fill(2, -1, 1.0, 104.0, reason="order"),
        fill(3, -1, 1.0, 103.0, reason="order"), fill(4, 1, 1.0, 102.0, reason="order"),
        orders=legs,
    )  # fmt: skip
    assert made.trades["side"].tolist() == ["long", "short"]
    assert made.trades["pnl"].tolist() == [3.0, 2.0]
    assert made.positions["leg"].tolist() == ["long", "long", "short", "short"]


def test_inverse_contracts_are_reckoned_in_coins() -> None:
    bars = series("BTC/USD:BTC", FLAT, kind="inverse", quote="USD", contract_size=100.0)
    made = result_of(
        plan_of(bars, signals=False, cash=10.0),
        fill(1, 1, 1.0, 50.0, reason="order"), fill(2, 1, 1.0, 100.0, reason="order"),
        fill(5, -1, 2.0, 200.0, reason="order"), equity=[10.0] * 10,
    )  # fmt: skip
    (trade,) = made.trades.to_dict("records")
    assert trade["entry_price"] == pytest.approx(2 / (1 / 50 + 1 / 100))  # harmonic: what the coins have cost
    assert trade["pnl"] == pytest.approx(100 / 50 + 100 / 100 - 200 / 200)
    assert trade["return_"] == pytest.approx(2.0 / 3.0)
    assert made.currency == "BTC"


def test_excursions_count_what_surely_came_before_the_exit() -> None:
    bars = series("A/USDT", [100, 100, 104, 108, 90, 100], reach=1.0)
    opened = result_of(plan_of(bars), fill(1, 1, 1.0, 100.0), fill(4, -1, 1.0, 108.0, reason="signal")).trades
    assert (opened.loc[0, "mae"], opened.loc[0, "mfe"]) == (pytest.approx(-0.01), pytest.approx(0.09))
    stopped = result_of(
        plan_of(bars), fill(1, 1, 1.0, 100.0), fill(4, -1, 1.0, 95.0, reason="stop_loss", decided=4)
    ).trades
    assert (stopped.loc[0, "mae"], stopped.loc[0, "mfe"]) == (pytest.approx(-0.05), pytest.approx(0.09))
    inside = result_of(
        plan_of(bars, signals=False), fill(3, 1, 1.0, 100.0, quoted=103.0, reason="order"),
        fill(4, -1, 1.0, 95.0, quoted=95.0, reason="order"),
    ).trades  # fmt: skip
    assert (inside.loc[0, "mae"], inside.loc[0, "mfe"]) == (pytest.approx(-0.05), pytest.approx(0.08))
    later = result_of(
        plan_of(bars, fill="close"), fill(2, 1, 1.0, 104.0), fill(4, -1, 1.0, 90.0, reason="signal")
    ).trades
    assert (later.loc[0, "mae"], later.loc[0, "mfe"]) == (pytest.approx(-15 / 104), pytest.approx(5 / 104))


def test_what_is_left_over_from_a_stop_trades_at_an_open() -> None:
    plan = plan_of(series("A/USDT", FLAT))
    left = fill(5, -1, 1.0, 99.9, quoted=100.0, reason="stop_loss", decided=4)
    places = trips.places_of(plan, result_of(plan, fill(1, 1, 1.0, 100.0), left).records.fills)
    assert places.tolist() == [trips.AT_OPEN, trips.AT_OPEN]


@st.composite
def stories(draw: st.DrawFn) -> list[dict[str, Any]]:
    size = st.sampled_from([0.1, 0.3, 0.7, 1.0, 2.5])
    price = st.floats(50, 200, allow_nan=False)
    made = []
    for bar in sorted(draw(st.lists(st.integers(0, 9), max_size=25))):
        side, fee, which = (
            draw(st.sampled_from([1, -1])),
            draw(st.sampled_from([0.0, 0.5, -0.1])),
            draw(st.integers(0, 1)),
        )
        made.append(fill(bar, side, draw(size), draw(price), fee=fee, instrument=which, reason="order"))
    return made


def _plan() -> Plan:
    closes = [100, 120, 80, 90, 140, 100, 60, 70, 110, 130]
    return plan_of(series("A/USDT", closes), series("B/USDT", closes[::-1]), signals=False)


PLAN = _plan()


@settings(max_examples=200, deadline=None)
@given(story=stories())
def test_trips_and_holdings_agree_with_the_books_of_the_core(story: list[dict[str, Any]]) -> None:
    made = result_of(PLAN, *story)
    books = [Position("A"), Position("B")]
    for one in story:
        books[one["instrument"]].apply(one["side"] * one["quantity"], one["price"], one["fee"], one["bar"])
    for number, book in enumerate(books):
        mine = made.trip("instrument") == number
        last = float(PLAN.lines[number].bars.close[-1])
        total = book.realised + book.unrealised(last) - book.fees
        assert made.profits[mine].sum() == pytest.approx(total, abs=1e-6)
        assert made.trip("left")[mine].sum() == pytest.approx(abs(book.quantity), abs=1e-9)
    held = {one.instrument: one for one in curves.holdings(PLAN, made.records)}
    for number, one in held.items():
        assert one.quantity[-1] == pytest.approx(books[number].quantity, abs=1e-9)
        assert one.price[-1] == pytest.approx(books[number].price, nan_ok=True)
    np.testing.assert_allclose(made.cash + made.profits.sum(), made.equity_values[-1], atol=1e-6)


def test_no_fills_no_trades() -> None:
    nothing = result_of(plan_of(series("A/USDT", FLAT)))
    assert len(nothing.trades) == len(nothing.fills) == len(nothing.orders) == len(nothing.positions) == 0
    assert isinstance(nothing.metrics["win_rate"], float) and nothing.metrics["exposure"] == 0.0
    assert isinstance(nothing, wb.Result) and nothing.costs_by_kind["total"].sum() == 0.0
