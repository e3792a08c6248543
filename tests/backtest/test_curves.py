"""What belongs to each bar, worked out by hand: positions, exposure, margin, costs, and holding instead."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import workbench as wb
from tests.backtest.handmade import HOUR, fill, plan_of, result_of, series
from workbench.trading.terms import AccountTerms, CostTerms

PERPETUAL = {"kind": "linear", "maintenance_margin": 0.1, "funding_rate": 0.0}


def test_positions_are_one_row_a_bar_and_instrument() -> None:
    plan = plan_of(series("A/USDT", [100, 100, 102, 104, 106, 108]), series("B/USDT", [50.0] * 6))
    made = result_of(
        plan, fill(1, 1, 2.0, 100.0), fill(2, -1, 4.0, 50.0, instrument=1), fill(3, 1, 2.0, 102.0),
        fill(4, -1, 3.0, 104.0, reason="signal"), fill(5, -1, 1.0, 106.0, reason="signal"),
    )  # fmt: skip
    table = made.positions
    assert (table.index.tz is not None, table.index.name) == (True, "ts")
    a, b = (table[table["symbol"] == symbol] for symbol in ("A/USDT", "B/USDT"))
    assert [ts.value // (HOUR * 10**6) for ts in a.index] == [1, 2, 3, 4]
    assert a["quantity"].tolist() == [2.0, 2.0, 4.0, 1.0]
    assert a["price"].tolist() == [100.0, 100.0, 101.0, 101.0]  # leaving a part does not move the average
    assert a["value"].tolist() == [200.0, 204.0, 416.0, 106.0]
    assert a["unrealised"].tolist() == [0.0, 4.0, 12.0, 5.0]
    assert a["margin"].tolist() == a["value"].tolist()  # leverage 1: all of it
    assert b["quantity"].tolist() == [-4.0] * 4 and b["value"].tolist() == [-200.0] * 4
    assert table.index.is_monotonic_increasing and set(table["leg"]) == {"net"}


def test_exposure_is_a_share_of_the_equity() -> None:
    plan = plan_of(series("A/USDT", [100.0] * 4), series("B/USDT", [50.0] * 4), cash=1_000.0)
    made = result_of(plan, fill(1, 1, 5.0, 100.0), fill(2, -1, 4.0, 50.0, instrument=1))
    table = made.exposure
    assert table["long"].tolist() == [0.0, 0.5, 0.5, 0.5] and table["short"].tolist() == [0.0, 0.0, -0.2, -0.2]
    assert table["gross"].tolist() == pytest.approx([0.0, 0.5, 0.7, 0.7])
    assert table["net"].tolist() == pytest.approx([0.0, 0.5, 0.3, 0.3])
    broke = result_of(plan, fill(1, 1, 5.0, 100.0), equity=[1_000.0, 0.0, -5.0, 1.0]).exposure
    assert math.isnan(broke["gross"].iloc[1]) and math.isnan(broke["net"].iloc[2])


def test_cross_margin() -> None:
    plan = plan_of(series("A/USDT:USDT", [100, 100, 90, 80], **PERPETUAL), cash=1_000.0, leverage=5.0)
    table = result_of(plan, fill(1, 1, 20.0, 100.0)).margin
    assert table["used"].tolist() == [0.0, 400.0, 360.0, 320.0]
    assert table["maintenance"].tolist() == [0.0, 200.0, 180.0, 160.0]
    assert table["level"].tolist() == pytest.approx([math.inf, 1_000 / 200, 800 / 180, 600 / 160])


def test_isolated_margin_counts_its_funding_and_the_level_is_that_of_the_closest() -> None:
    bars = [series(f"{name}/USDT:USDT", [100, 100, 95, 95], **PERPETUAL) for name in "AB"]
    plan = plan_of(*bars, leverage=4.0, rules=wb.Rules(margin="isolated"))
    made = result_of(
        plan, fill(1, 1, 20.0, 100.0), fill(1, -1, 4.0, 100.0, instrument=1),
        funding=[(2 * HOUR, 0, 20.0, 100.0, 0.01, -20.0)],
    )  # fmt: skip
    table = made.margin
    assert table["used"].tolist() == [0.0, 600.0, 580.0, 580.0]  # a quarter of 2,400, less what funding took
    assert table["maintenance"].tolist() == pytest.approx([0.0, 240.0, 228.0, 228.0])
    assert table["level"].iloc[2] == pytest.approx((480 - 20 * 5) / 190)
    assert table["level"].iloc[1] == pytest.approx(500 / 200)


def test_maintenance_follows_the_tiers() -> None:
    tiers = ((0.0, 0.01, 0.0, 50.0), (5_000.0, 0.05, 200.0, 10.0))
    plan = plan_of(series("A/USDT:USDT", [100.0, 100, 40], kind="linear", leverage_tiers=tiers), leverage=10.0)
    table = result_of(plan, fill(1, 1, 60.0, 100.0)).margin
    assert table["maintenance"].tolist() == pytest.approx([0.0, 6_000 * 0.05 - 200, 2_400 * 0.01])


def test_costs_by_kind_and_what_equity_would_be_without_them() -> None:
    plan = plan_of(series("A/USDT", [100.0] * 6), series("B/USDT", [100.0] * 6))
    made = result_of(
        plan,
        fill(1, 1, 2.0, 101.0, quoted=100.0, fee=1.0), fill(3, -1, 2.0, 99.5, quoted=100.0, fee=0.5, reason="signal"),
        fill(4, 1, 1.0, 100.0, instrument=1, fee=-0.25, maker=1),
        funding=[(2 * HOUR, 0, 2.0, 100.0, 0.01, -2.0), (5 * HOUR, 1, 1.0, 100.0, -0.01, 1.0)],
    )  # fmt: skip
    table = made.costs_by_kind
    assert table.loc["A/USDT"].to_dict() == {
        "fees": 1.5, "slippage": 3.0, "funding": 2.0, "liquidation": 0.0, "total": 6.5,
    }  # fmt: skip
    assert table.loc["B/USDT", ["fees", "funding", "total"]].tolist() == [-0.25, -1.0, -1.25]
    assert (made.gross_equity - made.equity).tolist() == [0.0, 3.0, 5.0, 6.5, 6.25, 5.25]
    assert made.gross_equity.tolist() == [10_000.0] * 6  # the price never moved: all that happened was costs


def test_the_fee_of_a_liquidation_is_a_kind_of_its_own() -> None:
    plan = plan_of(series("A/USDT:USDT", [100.0] * 4, **PERPETUAL), leverage=5.0)
    line = replace(plan.lines[0], costs=CostTerms(taker=0.001, liquidation_fee=0.01))
    made = result_of(
        replace(plan, lines=(line,)),
        fill(1, 1, 1.0, 100.0, fee=0.1),
        fill(2, -1, 1.0, 80.0, fee=0.88, reason="liquidation"),
    )
    told = made.costs_by_kind.iloc[0]
    assert (told["fees"], told["liquidation"]) == (pytest.approx(0.18), pytest.approx(0.8))


def test_contracts_stand_for_units() -> None:
    plan = plan_of(series("A/USDT:USDT", [100, 100, 110], contract_size=0.1, **PERPETUAL))
    made = result_of(plan, fill(1, 1, 5.0, 100.0, quoted=99.0))
    assert made.positions["value"].tolist() == [pytest.approx(50.0), pytest.approx(55.0)]
    assert made.trades.loc[0, "pnl"] == pytest.approx(5.0)
    assert made.costs_by_kind["slippage"].iloc[0] == pytest.approx(0.5)
    assert made.metrics["turnover"] == pytest.approx(50.0 / made.equity.mean() / made.years)


def test_an_instrument_that_comes_later_is_cash_until_then() -> None:
    plan = plan_of(series("A/USDT", [100, 110, 120, 130]), series("B/USDT", [50, 100], first=2), cash=1_000.0)
    made = result_of(plan, fill(1, 1, 1.0, 100.0, instrument=1))
    assert made.buy_and_hold.tolist() == pytest.approx([1_000, 550 + 500, 600 + 500, 650 + 1_000])
    assert made.equity.index.equals(made.series[0].to_pandas().index)
    assert made.positions["value"].tolist() == [100.0]
    costly = result_of(plan, costs=wb.Costs(fee=0.01, slippage_bps=100)).buy_and_hold
    assert costly[0] == pytest.approx(500 / 1.01 / 1.01 + 500)


def test_exposure_as_a_metric_is_time_with_any_position() -> None:
    plan = plan_of(series("A/USDT", [100.0] * 10), series("B/USDT", [100.0] * 10))
    made = result_of(
        plan, fill(1, 1, 1.0, 100.0), fill(3, -1, 1.0, 100.0, reason="signal"),
        fill(5, 1, 1.0, 100.0, instrument=1), fill(6, -1, 1.0, 99.0, reason="stop_loss", instrument=1, decided=6),
    )  # fmt: skip
    assert made.metrics["exposure"] == pytest.approx(0.4)  # 1 and 2, left at the open of 3; 5 and 6, stopped inside 6


def test_orders_put_the_fills_of_one_order_together_and_keep_what_was_skipped() -> None:
    plan = plan_of(series("A/USDT", [100.0] * 8))
    made = result_of(
        plan, fill(1, 1, 2.0, 100.0, fee=1.0, order=0), fill(2, 1, 2.0, 104.0, fee=0.5, order=0, decided=0),
        fill(5, -1, 4.0, 110.0, reason="take_profit", maker=1, order=1, decided=5),
        skipped=[(2 * HOUR, 0, 1.0, math.nan, 6)], tags=["first", ""],
    )  # fmt: skip
    table = made.orders
    assert table["status"].tolist() == ["filled", "cooldown", "filled"]
    assert table["type"].tolist() == ["market", "market", "limit"]
    entry = table.iloc[0]
    assert (entry["quantity"], entry["price"], entry["fee"], entry["tag"]) == (4.0, 102.0, 1.5, "first")
    assert entry["time"].value == HOUR * 10**6 and table["filled"].tolist() == [4.0, 0.0, 4.0]
    assert made.fills["liquidity"].tolist() == ["taker", "taker", "maker"]
    assert made.fills["order"].tolist() == [0, 0, 1]


def test_an_order_strategy_tells_the_story_of_each_order() -> None:
    story = {
        "id": "wb1", "number": 0, "symbol": "A/USDT", "side": "buy", "type": "limit", "quantity": 3.0, "filled": 2.0,
        "average_price": 99.0, "price": 99.0, "stop_price": math.nan, "fee": 0.1, "reason": "order",
        "status": "canceled", "rejected": "", "tag": "dip", "decided": 0, "leg": "net",
    }  # fmt: skip
    refused = {**story, "id": "wb2", "number": -1, "filled": 0.0, "status": "rejected", "rejected": "price_off_tick"}
    made = result_of(
        plan_of(series("A/USDT", [100.0] * 4), signals=False), fill(2, 1, 2.0, 99.0, reason="order", order=0),
        orders=[story, refused],
    )  # fmt: skip
    table = made.orders
    assert table["status"].tolist() == ["canceled", "price_off_tick"]
    assert (table.loc[0, "quantity"], table.loc[0, "filled"], table.loc[0, "limit_price"]) == (3.0, 2.0, 99.0)
    assert table.loc[0, "time"].value == 2 * HOUR * 10**6 and table["time"].isna().tolist() == [False, True]
    assert table["tag"].tolist() == ["dip", "dip"]


def test_daily_returns_are_what_quantstats_takes() -> None:
    n = 50
    equity = 10_000.0 + np.arange(n)
    daily = result_of(plan_of(series("A/USDT", [100.0] * n)), equity=equity).to_quantstats()
    assert daily.index.tz is None and len(daily) == 3
    assert daily.tolist() == pytest.approx([10_023 / 10_000 - 1, 10_047 / 10_023 - 1, 10_049 / 10_047 - 1])


def test_a_hedged_account_shows_both_legs() -> None:
    plan = replace(
        plan_of(series("A/USDT:USDT", [100.0] * 5, **PERPETUAL), signals=False), account=AccountTerms(hedge=True)
    )
    legs = [{"number": number, "leg": leg} for number, leg in enumerate(("long", "short"))]
    made = result_of(plan, fill(1, 1, 2.0, 100.0, reason="order"), fill(2, -1, 1.0, 100.0, reason="order"), orders=legs)
    assert made.exposure["gross"].iloc[-1] == pytest.approx(0.03)
    assert made.exposure["net"].iloc[-1] == pytest.approx(0.01)
