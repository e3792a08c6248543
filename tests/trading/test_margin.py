"""Margin by its one definition: at the liquidation level, equity is the maintenance margin."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from workbench._kernels import frozen, kernel
from workbench.errors import ConfigError
from workbench.trading import margin

TABLES = json.loads((Path(__file__).parent / "data" / "margin.json").read_text())["tiers"]
# The published table of AAVE has a floor ten times too high in its last row: it jumps there.
SMOOTH = {symbol: rows for symbol, rows in TABLES.items() if symbol != "AAVE/USDT:USDT"}
JUMP = ((0.0, 0.01, 0.0, 50.0), (1_000.0, 0.05, 0.0, 10.0))
NONE = np.empty((0, 4))

tables = st.sampled_from(sorted(SMOOTH)).map(SMOOTH.__getitem__)
sides = st.sampled_from((1.0, -1.0))
sizes = st.floats(1e-3, 1e4)
prices = st.floats(0.5, 1e5)
shares = st.floats(0.01, 1.5)


def left(wallet: float, quantity: float, entry: float, price: float, tiers: list) -> float:
    """What equity is above the maintenance margin at a price."""
    return wallet + quantity * (price - entry) - margin.maintenance_margin(quantity * price, tiers)


def inverse_left(wallet: float, quantity: float, entry: float, price: float, tiers: list) -> float:
    return wallet + margin.inverse_profit(quantity, entry, price) - margin.maintenance_margin(quantity / price, tiers)


@pytest.mark.parametrize("symbol", sorted(SMOOTH))
def test_real_tables_are_continuous_and_rise(symbol: str) -> None:
    rows = SMOOTH[symbol]
    for lower, upper in pairwise(rows):
        at = upper[0]
        assert at * lower[1] - lower[2] == pytest.approx(at * upper[1] - upper[2], abs=1e-6)
        assert lower[1] < upper[1] and lower[3] > upper[3]


@given(tables, sides, sizes, prices, shares)
def test_at_the_level_the_equity_is_the_maintenance_margin(
    tiers: list, side: float, size: float, entry: float, share: float
) -> None:
    quantity, wallet = side * size, share * size * entry
    level = margin.liquidation_level(wallet, quantity, entry, tiers)
    if math.isnan(level):
        assert side > 0.0
        assert left(wallet, quantity, entry, 1e-9, tiers) >= -1e-9 * wallet
        return
    scale = wallet + size * (level + entry)
    assert left(wallet, quantity, entry, level, tiers) == pytest.approx(0.0, abs=1e-9 * scale)
    assert left(wallet, quantity, entry, level + side * 1e-6 * entry, tiers) > 0.0
    assert left(wallet, quantity, entry, level - side * 1e-6 * entry, tiers) < 0.0
    row = tiers[margin.tier_index(quantity * level, tiers)]
    assert margin.liquidation_price(wallet, quantity, entry, row[1], row[2]) == pytest.approx(level, rel=1e-9)


@given(tables, sides, sizes, prices, shares)
def test_at_the_inverse_level_too(tiers: list, side: float, size: float, entry: float, share: float) -> None:
    quantity = side * size * entry
    wallet = share * size
    level = margin.inverse_liquidation_level(wallet, quantity, entry, tiers)
    if math.isnan(level):
        assert side < 0.0
        assert inverse_left(wallet, quantity, entry, 1e15, tiers) >= -1e-9 * wallet
        return
    assert inverse_left(wallet, quantity, entry, level, tiers) == pytest.approx(0.0, abs=1e-9 * (wallet + 9 * size))
    assert inverse_left(wallet, quantity, entry, 1.0 / (1.0 / level - side * 1e-6 / entry), tiers) > 0.0
    row = tiers[margin.tier_index(quantity / level, tiers)]
    assert margin.inverse_liquidation_price(wallet, quantity, entry, row[1], row[2]) == pytest.approx(level, rel=1e-9)


@given(sides, sizes, prices, st.floats(0.0, 3.0))
def test_without_tiers_liquidation_is_bankruptcy(side: float, size: float, entry: float, share: float) -> None:
    quantity, wallet = side * size, share * size * entry
    level = margin.liquidation_level(wallet, quantity, entry, ())
    np.testing.assert_equal(level, margin.bankruptcy_level(wallet, quantity, entry))
    np.testing.assert_equal(level, margin.liquidation_price(wallet, quantity, entry, 0.0, 0.0))
    if level > 0.0:
        assert wallet + quantity * (level - entry) == pytest.approx(0.0, abs=1e-9 * (wallet + size * entry))
    coins = margin.inverse_liquidation_level(share * size, quantity, entry, ())
    np.testing.assert_equal(coins, margin.inverse_bankruptcy_level(share * size, quantity, entry))


def test_what_no_price_can_liquidate_and_what_every_price_does() -> None:
    assert math.isnan(margin.liquidation_level(1_000.0, 10.0, 100.0, JUMP))  # paid in full
    assert math.isnan(margin.bankruptcy_level(1_000.0, 10.0, 100.0))
    assert math.isnan(margin.inverse_liquidation_level(10.0, -1_000.0, 100.0, JUMP))  # short, and holds the coins
    assert math.isnan(margin.inverse_bankruptcy_level(10.0, -1_000.0, 100.0))
    assert margin.liquidation_level(-2_000.0, -10.0, 100.0, JUMP) == 0.0
    assert margin.liquidation_price(-2_000.0, -10.0, 100.0, 0.01, 0.0) == 0.0
    assert margin.bankruptcy_level(-2_000.0, -10.0, 100.0) == 0.0
    assert margin.inverse_liquidation_level(-11.0, 1_000.0, 100.0, JUMP) == math.inf
    assert margin.inverse_bankruptcy_level(-11.0, 1_000.0, 100.0) == math.inf
    for level in (
        margin.liquidation_level(10.0, 0.0, math.nan, JUMP), margin.liquidation_price(10.0, 0.0, 1.0, 0.1, 0.0),
        margin.bankruptcy_level(10.0, 0.0, 1.0), margin.inverse_liquidation_level(10.0, 0.0, 1.0, JUMP),
        margin.inverse_liquidation_price(1.0, 0.0, 1.0, 0.1, 0.0), margin.inverse_bankruptcy_level(1.0, 0.0, 1.0),
    ):  # fmt: skip
        assert math.isnan(level)


def test_a_short_can_be_liquidated_where_a_table_jumps() -> None:
    # 10 short at 90 with a wallet of 130: at 100 the rate jumps from 1 % to 5 %, and 30 are left where 50 are needed
    assert margin.liquidation_level(130.0, -10.0, 90.0, JUMP) == 100.0
    assert margin.liquidation_level(160.0, -10.0, 90.0, JUMP) == pytest.approx(1060 / 10.5)


def test_a_tier_is_had_up_to_its_cap() -> None:
    rows = SMOOTH["BTC/USDT:USDT"]
    assert margin.tier_leverage(50_000.0, rows) == 125.0
    assert margin.tier_leverage(50_000.01, rows) == 100.0
    assert margin.tier_leverage(-1e12, rows) == 1.0
    assert margin.tier_leverage(1.0, NONE) == math.inf
    assert margin.largest_notional(125.0, rows) == 50_000.0
    assert margin.largest_notional(126.0, rows) == 0.0
    assert margin.largest_notional(1.0, rows) == math.inf
    assert margin.largest_notional(20.0, NONE) == math.inf
    assert margin.tier_leverage(margin.largest_notional(20.0, rows), rows) == 20.0


def test_the_margin_level_is_one_at_liquidation() -> None:
    assert margin.margin_level(50.0, 50.0) == 1.0
    assert margin.margin_level(50.0, 0.0) == math.inf
    assert margin.maintenance_margin(-200.0, JUMP) == 2.0
    assert margin.maintenance_margin(200.0, NONE) == 0.0
    assert margin.tier_index(200.0, NONE) == -1


@given(tables, sizes, sizes, prices, prices, st.floats(-0.5, 1.5), st.floats(0.5, 2.0))
def test_two_legs_are_liquidated_together(
    tiers: list, longs: float, shorts: float, long_entry: float, short_entry: float, share: float, move: float
) -> None:
    wallet = share * (longs * long_entry + shorts * short_entry)
    mark = move * long_entry

    def both(price: float) -> float:
        own = margin.maintenance_margin(longs * price, tiers) + margin.maintenance_margin(shorts * price, tiers)
        return wallet + longs * (price - long_entry) - shorts * (price - short_entry) - own

    free = wallet - longs * long_entry + shorts * short_entry
    down, up = (margin.hedged_level(free, longs, shorts, mark, tiers, upward) for upward in (False, True))
    scale = 1e-9 * (abs(wallet) + longs * (mark + long_entry) + shorts * (mark + short_entry))
    if both(mark) < -scale:  # liquidated at the mark: the level is there, or beyond it where nothing is left either
        assert (math.isnan(down) or down <= mark) and (math.isnan(up) or up >= mark)
        assert down == mark or up == mark
        return
    assume(both(mark) > scale)
    for level, far in ((down, 1e-9), (up, 1e12)):
        if math.isnan(level):
            assert both(far) >= -1e-9 * abs(both(far)) - scale
        else:
            assert both(level) == pytest.approx(0.0, abs=scale + 1e-9 * (longs + shorts) * level)
            assert both(level + (level - mark) * 1e-3) < scale


@given(tables, sides, sizes, prices, shares)
def test_one_leg_alone_is_an_ordinary_position(
    tiers: list, side: float, size: float, entry: float, share: float
) -> None:
    wallet = share * size * entry
    assume(left(wallet, side * size, entry, entry, tiers) > 0.0)
    longs, shorts = (size, 0.0) if side > 0.0 else (0.0, size)
    level = margin.hedged_level(wallet - side * size * entry, longs, shorts, entry, tiers, side < 0.0)
    alone = margin.liquidation_level(wallet, side * size, entry, tiers)
    assert level == pytest.approx(alone, rel=1e-9, nan_ok=True) or alone < 1e-9 * entry


def test_interest_counts_steps_that_have_begun() -> None:
    hour, day = 3_600_000.0, 86_400_000.0
    assert margin.interest(100.0, 0.24, hour, day, 0.0, 0.0) == pytest.approx(1.0)
    assert margin.interest(100.0, 0.24, hour / 2, day, hour, 0.0) == pytest.approx(1.0)
    assert margin.interest(100.0, 0.24, hour + 1, day, hour, 1.0) == pytest.approx(26.0)
    assert margin.interest(0.0, 0.24, hour, day, hour, 1.0) == 0.0
    assert margin.interest(-5.0, 0.24, hour, day, hour, 1.0) == 0.0


@pytest.mark.parametrize("rows", [((0, 0.1, 0),), ((0, 1.0, 0, 1),), ((5, 0.1, 0, 9), (5, 0.2, 0, 5)), ((),)])
def test_a_broken_table_is_refused(rows: tuple) -> None:
    with pytest.raises(ConfigError, match=r"BTC: .* is no table of \(floor, rate, amount, max_leverage\)"):
        margin.read_tiers("BTC", rows)


def test_compiled_they_say_the_same() -> None:
    tiers = frozen(np.array(SMOOTH["BNB/USDT:USDT"], dtype=np.float64))
    rows = tuple(map(tuple, tiers.tolist()))
    for quantity in (3_000.0, -3_000.0):
        cases = {
            margin.tier_index: (1e6 * quantity, None), margin.maintenance_margin: (200.0 * quantity, None),
            margin.tier_leverage: (50.0 * quantity, None), margin.largest_notional: (5.0, None),
            margin.margin_level: (2.0, 3.0), margin.liquidation_price: (1e5, quantity, 210.0, 0.1, 5.0),
            margin.liquidation_level: (1e5, quantity, 210.0, None),
            margin.bankruptcy_level: (1e5, quantity, 210.0), margin.inverse_profit: (quantity, 200.0, 210.0),
            margin.inverse_liquidation_price: (1.0, quantity, 210.0, 0.1, 0.01),
            margin.inverse_liquidation_level: (1.0, quantity, 210.0, None),
            margin.inverse_bankruptcy_level: (1.0, quantity, 210.0), margin.interest: (5.0, 0.1, 7.0, 3.0, 2.0, 1.0),
            margin.hedged_level: (1e5, 3_000.0, 3_000.0 + quantity, 210.0, None, quantity > 0.0),
        }  # fmt: skip
        for function, arguments in cases.items():
            plain = function(*[rows if value is None else value for value in arguments])
            compiled = kernel(function)(*[tiers if value is None else value for value in arguments])
            np.testing.assert_equal(compiled, plain, err_msg=function.__name__)
