"""The compiled path with leverage: margin, liquidation, funding, tiers; numbers worked out by hand."""

from __future__ import annotations

import math

import pytest

from tests.backtest.plans import CALM, fills_of, line, plan, skips_of
from workbench.backtest.compiled import run
from workbench.backtest.records import FILL_FIELDS, FUNDING_FIELDS, column
from workbench.trading.terms import CostTerms

HALF_A_PERCENT = ((0.0, 0.005, 0.0, 125.0),)


def long_of(entry: float, leverage: float, rate: float = 0.005) -> float:
    """Where a long that took all the money is liquidated: wallet + q * (p - entry) = rate * q * p."""
    return entry * (1 - 1 / leverage) / (1 - rate)


def test_leverage_buys_more_and_margin_is_what_is_left() -> None:
    records = run(plan(line([CALM] * 3, "100", leverage=5.0)))
    assert fills_of(records) == [(1, 500, 100, "entry")]
    assert records.equity.tolist() == [10_000] * 3
    half = [line([CALM] * 4, "1000", symbol=f"{name}/USDT", leverage=5.0, size=0.6) for name in "AB"]
    assert [row[3] for row in run(plan(*half)).fills.tolist()] == [pytest.approx(300), pytest.approx(200)]


@pytest.mark.parametrize("isolated", [False, True])
def test_a_long_is_liquidated_where_its_margin_is_the_maintenance_margin(isolated: bool) -> None:
    rows = [CALM, CALM, (100, 101, 79, 85), CALM]
    fill = fills_of(run(plan(line(rows, "1000", leverage=5.0), isolated=isolated)))[1]
    assert fill == (2, -500, pytest.approx(long_of(100, 5)), "liquidation")


def test_a_short_is_liquidated_above_and_gaps_fill_no_further_than_ruin() -> None:
    level = 100 * 1.2 / 1.005
    rows = [CALM, CALM, (100, 120, 99, 100), CALM]
    assert fills_of(run(plan(line(rows, "4000", leverage=5.0))))[1] == (2, 500, pytest.approx(level), "liquidation")
    gap = run(plan(line([CALM, CALM, (150, 151, 149, 150), CALM], "4040", leverage=5.0)))
    assert fills_of(gap)[1:] == [(2, 500, pytest.approx(120), "liquidation")]  # the insurance fund pays the rest
    assert gap.fills[1, FILL_FIELDS.index("quoted")] == 150
    assert gap.equity[-1] == pytest.approx(0, abs=1e-6)
    assert skips_of(gap) == [(2, "no equity left")]


def test_the_liquidation_fee_takes_no_more_than_the_margin_that_is_left() -> None:
    rows = [CALM, CALM, (100, 101, 79, 85)]
    cheap = run(plan(line(rows, "100", leverage=5.0, costs=CostTerms(liquidation_fee=0.001))))
    level = long_of(100, 5)
    assert cheap.fills[1, FILL_FIELDS.index("fee")] == pytest.approx(0.001 * 500 * level)
    dear = run(plan(line(rows, "100", leverage=5.0, costs=CostTerms(liquidation_fee=0.1))))
    assert dear.fills[1, FILL_FIELDS.index("fee")] == pytest.approx(0.005 * 500 * level)
    assert dear.equity[-1] == pytest.approx(0, abs=1e-6)


def test_a_stop_before_the_liquidation_saves_the_margin() -> None:
    rows = [CALM, CALM, (100, 101, 79, 85), CALM]
    assert fills_of(run(plan(line(rows, "1000", leverage=5.0, stop_loss=0.05))))[1] == (2, -500, 95, "stop_loss")


def test_what_a_stop_cannot_let_out_is_liquidated_in_the_same_bar() -> None:
    rows = [CALM, (*CALM, 1e3), (100, 101, 79, 85, 200.0), CALM]
    said = {"leverage": 5.0, "stop_loss": 0.05, "costs": CostTerms(volume_share=1.0)}
    found = fills_of(run(plan(line(rows, "1000", **said), isolated=True)))
    assert [fill[3] for fill in found] == ["entry", "stop_loss", "liquidation"]
    assert [fill[1] for fill in found] == [500, -200, -300]
    assert found[2][2] == pytest.approx(long_of(100, 5))


def test_tiers_decide_level_and_size() -> None:
    tiers = ((0.0, 0.01, 0.0, 20.0), (30_000.0, 0.05, 1_200.0, 10.0), (60_000.0, 0.1, 4_200.0, 2.0))
    rows = [CALM, CALM, (100, 101, 79, 85), CALM]
    fill = fills_of(run(plan(line(rows, "1000", leverage=5.0, tiers=tiers))))[1]
    # 10,000 + 500 * (p - 100) = 0.05 * 500 * p - 1,200
    assert fill[2] == pytest.approx((40_000 - 1_200) / 475)
    assert fills_of(run(plan(line(rows, "1000", leverage=8.0, tiers=tiers))))[0][1] == pytest.approx(600)
    beyond = run(plan(line(rows, "1000", leverage=25.0, tiers=tiers)))
    assert skips_of(beyond) == [(0, "leverage beyond the tier")]


def test_the_other_positions_stand_behind_a_cross_position_and_not_behind_an_isolated_one() -> None:
    fall = [CALM, CALM, (100, 101, 79, 80), CALM]
    lines = [
        line(fall, "1000", symbol="A/USDT", leverage=5.0, size=0.5),
        line([CALM] * 4, "1000", symbol="B/USDT", leverage=5.0, size=0.5),
    ]
    cross = fills_of(run(plan(*lines)))
    assert [fill[3] for fill in cross] == ["entry", "entry"]
    isolated = fills_of(run(plan(*lines, isolated=True)))
    assert isolated[2] == (2, -250, pytest.approx(long_of(100, 5)), "liquidation")


def test_a_cross_account_is_closed_when_its_margins_are_gone_at_the_closes() -> None:
    fall = [CALM, CALM, (100, 101, 81, 81), CALM]
    lines = [line(fall, "1000", symbol=f"{name}/USDT", leverage=5.0, size=0.5) for name in "AB"]
    found = run(plan(*lines))
    # both at 81 leave 10,000 - 9,500 = 500, and 0.005 * 40,500 must be kept
    assert [fill[3] for fill in fills_of(found)] == ["entry", "entry"]
    deeper = [CALM, CALM, (100, 101, 80.2, 80.2), CALM]
    lines = [line(deeper, "1000", symbol=f"{name}/USDT", leverage=5.0, size=0.5) for name in "AB"]
    assert [(fill[0], fill[2], fill[3]) for fill in fills_of(run(plan(*lines)))[2:]] == [
        (2, pytest.approx(80.2), "liquidation"), (2, pytest.approx(80.2), "liquidation"),
    ]  # fmt: skip


def test_funding_is_paid_on_what_is_held_and_on_what_is_opened_at_that_moment() -> None:
    funding = [(1.0, 0.001), (2.0, 0.002), (2.5, -0.001), (9.0, 0.5)]
    rows = [CALM, CALM, (102, 103, 101, 101), CALM]
    records = run(plan(line(rows, "1000", leverage=5.0, size=0.2, funding=funding)))
    names = {name: column(records.funding, FUNDING_FIELDS, name).tolist() for name in FUNDING_FIELDS}
    assert names["price"] == [100, 102, 101]  # the opens, and inside a bar its close
    assert names["amount"] == pytest.approx([-100 * 0.1, -100 * 102 * 0.002, 100 * 101 * 0.001])
    assert names["quantity"] == [100] * 3
    short = run(plan(line(rows, "4000", leverage=5.0, size=0.2, funding=funding)))
    assert column(short.funding, FUNDING_FIELDS, "amount").tolist() == pytest.approx([10, 20.4, -10.1])


def test_funding_due_in_a_hole_of_the_bars_is_paid_at_the_next_open() -> None:
    rows = [CALM, CALM, (90, 91, 89, 90)]
    records = run(plan(line(rows, "100", leverage=2.0, hours=[0, 1, 6], funding=[(3.0, 0.01)])))
    assert [tuple(row) for row in records.funding[:, [2, 3]].tolist()] == [(200, 90)]


def test_funding_wears_the_margin_of_an_isolated_position_down() -> None:
    rows = [CALM, CALM, (100, 101, 85, 86), CALM]
    calm = run(plan(line(rows, "1000", leverage=5.0, size=0.5), isolated=True))
    assert len(calm.fills) == 1
    worn = run(plan(line(rows, "1000", leverage=5.0, size=0.5, funding=[(2.0, 0.06)]), isolated=True))
    # margin 5,000 - 1,500; 3,500 + 250 * (p - 100) = 0.005 * 250 * p
    assert fills_of(worn)[1] == (2, -250, pytest.approx((25_000 - 3_500) / 250 / 0.995), "liquidation")


def test_leaving_in_part_lets_go_of_a_part_of_what_funding_did_to_the_margin() -> None:
    # 500 at 100 on a margin of 10,000 less 7,000: half of both is let go with half of the position
    rows = [CALM, (*CALM, 1e3), (100, 101, 99, 100, 250.0), (100, 101, 94, 96, 0.0)]
    said = {"leverage": 5.0, "funding": [(1.5, 0.14)], "costs": CostTerms(volume_share=1.0)}
    found = fills_of(run(plan(line(rows, "1200", **said), isolated=True)))
    assert found[1] == (2, -250, 100, "signal")
    # 1,500 + 250 * (p - 100) = 0.005 * 250 * p
    assert found[2] == (3, -250, pytest.approx((25_000 - 1_500) / 250 / 0.995), "liquidation")


def test_a_short_without_leverage_is_ruined_at_twice_its_price_and_trades_no_more() -> None:
    rows = [CALM, CALM, (100, 250, 100, 240), CALM, CALM]
    records = run(plan(line(rows, "40040")))
    assert fills_of(records)[1] == (2, 100, pytest.approx(200), "bankruptcy")
    assert records.equity[-1] == 0.0
    assert skips_of(records)[-1][1] in ("no equity left", "the data ends before it could fill")


def test_a_profit_elsewhere_moves_the_ruin_of_a_short() -> None:
    lines = [
        line([CALM, CALM, (100, 220, 100, 150), CALM], "4000", symbol="A/USDT", size=0.5),
        line([CALM, CALM, CALM, CALM], "1000", symbol="B/USDT", size=0.4),
    ]
    found = fills_of(run(plan(*lines)))
    assert [fill[3] for fill in found] == ["entry", "entry"]  # alone it would be ruined at 300
    assert math.isclose(found[0][1], -50)
