"""Grid, DCA and market making on price paths short enough that every order and fill can be written down."""

from __future__ import annotations

import math

import numpy as np
import pytest

import workbench as wb
from tests.strategy.library.cases import FREE, SPOT, bars_of, fills, path
from workbench.errors import StrategyError
from workbench.strategy.library import AvellanedaStoikov, Dca, Grid, MarketMaking
from workbench.strategy.library.avellaneda_stoikov import optimal_spread, reservation_price

STILL = (100.0, 100.0, 100.0, 100.0)


def run(strategy, bars, **more):
    return wb.backtest(strategy, bars, costs=more.pop("costs", FREE), path="event", **more)


def test_a_grid_buys_at_its_lines_and_sells_one_line_higher():
    # lines 90 95 100 105 110; all four cells cost 90 + 95 + 100 + 100 (the last buys at the market): ten units each
    grid = Grid(lower=90, upper=110, cells=4, spacing="arithmetic", capital=1.0, stop_loss=None)
    bars = bars_of(
        [STILL, (100, 100, 94, 96), (96, 106, 96, 106), (106, 106, 99, 99), (99, 111, 99, 111), (111, 111, 111, 111)]
    )
    result = run(grid, bars, cash=3_850)
    assert fills(result) == [
        (1, "buy", 10.0, 100.0), (1, "buy", 10.0, 100.0),  # cells above the price, at the open
        (1, "buy", 10.0, 95.0),
        (2, "sell", 10.0, 100.0), (2, "sell", 10.0, 105.0),
        (3, "buy", 10.0, 100.0),
        (4, "sell", 10.0, 105.0), (4, "sell", 10.0, 110.0),
    ]  # fmt: skip
    # five cells' heights of ten units, and the top cell bought at 100 what it sold at 110
    assert result.equity_values[-1] == pytest.approx(3_850 + 10 * (5 + 5 + 5 + 10))
    assert set(result.orders["tag"]) == {f"grid:{side}{cell}" for side in "bs" for cell in range(4)} - {"grid:s0"}


def test_a_geometric_grid_has_equal_ratios():
    grid = Grid(lower=50, upper=200, cells=2, spacing="geometric", stop_loss=None)
    result = run(grid, bars_of([STILL, (100, 100, 49, 50), (50, 101, 50, 101), (101, 201, 101, 201)]))
    assert [one[3] for one in fills(result)] == [100.0, 50.0, 100.0, 200.0]


def test_a_neutral_grid_sells_short_above_the_price():
    grid = Grid(lower=90, upper=110, cells=4, spacing="arithmetic", start="neutral", capital=0.5, stop_loss=None)
    result = run(grid, bars_of([STILL, STILL, (100, 106, 100, 106), (106, 106, 99, 99)]))
    size = 0.5 * 10_000 / (90 + 95 + 100 + 105)
    assert fills(result) == [(2, "sell", round(size, 8), 105.0), (3, "buy", round(size, 8), 100.0)]


def test_a_trailing_grid_moves_its_lowest_cell_to_the_top():
    grid = Grid(lower=90, upper=110, cells=4, spacing="arithmetic", capital=1.0, trailing=True, stop_loss=None)
    bars = path(100, 100, 112, 112, 118, 118)
    result = run(grid, bars, cash=3_850)
    last = {order.tag: order.price for order in _resting(grid, bars, cash=3_850)}
    assert last == {"grid:b2": 100.0, "grid:b3": 105.0, "grid:b4": 110.0, "grid:b5": 115.0}
    assert "grid:b5" in result.orders["tag"].tolist()


def _resting(strategy, bars, **more):
    from workbench.backtest.event_path import Replay
    from workbench.backtest.prepare import prepare

    replay = Replay(prepare(strategy, bars, costs=FREE, **more))
    replay.go()
    return list(replay.core.orders.values())


def test_a_grid_that_falls_through_its_stop_leaves_and_stays_out():
    grid = Grid(lower=90, upper=110, cells=4, spacing="arithmetic", capital=1.0, stop_loss=0.1, restart=None)
    bars = bars_of([STILL, STILL, (100, 100, 80, 82), (82, 120, 82, 100), (100, 100, 80, 80)])
    result = run(grid, bars, cash=3_850)
    assert fills(result)[-1] == (2, "sell", 40.0, 81.0)  # ten per cent below the lowest line
    assert result.trades["exit_reason"].tolist() == ["stop_loss"]
    assert not _resting(grid, bars, cash=3_850)
    again = run(grid.replace(restart=2), bars, cash=3_850)  # two bars later, around the price there
    assert [one[:2] for one in fills(again)][5:7] == [(4, "buy")] * 2


def test_a_grid_waits_until_the_price_is_inside_its_bounds():
    grid = Grid(lower=90, upper=110, cells=4, spacing="arithmetic", stop_loss=None)
    result = run(grid, path(120, 120, 105, 105))
    assert [one[0] for one in fills(result)] == [3]  # the cell above, at the open after the first close inside


def test_a_grid_that_cannot_earn_or_is_too_small_says_so():
    with pytest.raises(
        StrategyError, match=r"cells of 0\.1\d+% do not pay two fees of 0\.1000%.* fewer cells than 200"
    ):
        run(Grid(cells=200), bars_of([STILL] * 2), costs=wb.Costs(fee=0.001))
    small = bars_of([STILL] * 2, SPOT.replace(min_notional=100.0, lot_size=0.001))
    with pytest.raises(StrategyError, match=r"20 cells .* are below the smallest order of BTC/USDT \(100 USDT"):
        run(Grid(), small, cash=1_000)
    with pytest.raises(StrategyError, match="lower and upper both"):
        Grid(lower=90)
    with pytest.raises(StrategyError, match="must be above 0 and below upper"):
        Grid(lower=110, upper=90)


def dca(**more):
    facts = {"capital": 1.0, "safety_orders": 2, "step": 0.1, "step_scale": 1.0, "volume_scale": 2.0,
             "take_profit": 0.05, "stop_loss": None}  # fmt: skip
    return Dca(**{**facts, **more})


FALL = [STILL, STILL, (100, 100, 85, 88), (88, 88, 79, 82), (82, 92, 82, 92)]


def test_dca_averages_down_and_takes_its_profit_on_the_average():
    # orders of 1000, 1000 and 2000 at 100, 90 and 80: 10 + 11.1111 + 25 units at 86.747 on average, target 91.0843
    result = run(dca(), bars_of(FALL), cash=4_000)
    units = 10 + 1_000 / 90 + 25
    assert fills(result) == [
        (1, "buy", 10.0, 100.0), (2, "buy", round(1_000 / 90, 8), 90.0), (3, "buy", 25.0, 80.0),
        (4, "sell", round(units, 8), round(4_000 / units * 1.05, 8)),
    ]  # fmt: skip
    assert result.equity_values[-1] == pytest.approx(4_200)
    assert result.trades["exit_reason"].tolist() == ["take_profit"]


def test_dca_rests_after_a_round_and_begins_again():
    still = (92.0, 92.0, 92.0, 92.0)
    for cooldown, begins in ((0, 5), (1, 6), (3, 8)):
        result = run(dca(cooldown=cooldown), bars_of([*FALL, *[still] * 5]), cash=4_000)
        assert fills(result)[4][:2] == (begins, "buy")
        assert fills(result)[4][2] == pytest.approx(4_200 / 4 / 92)


def test_dca_gives_up_at_its_stop_and_takes_the_ladder_away():
    bars = bars_of([STILL, STILL, (100, 100, 85, 88), (88, 88, 65, 70), (70, 70, 40, 40)])
    result = run(dca(stop_loss=0.3, cooldown=50), bars, cash=4_000)
    assert fills(result)[-1] == (3, "sell", round(10 + 1_000 / 90 + 25, 8), 70.0)
    assert not _resting(dca(stop_loss=0.3, cooldown=50), bars, cash=4_000)


def test_dca_can_be_short_and_wait_for_its_rsi():
    up = [STILL, STILL, (100, 112, 100, 112), (112, 112, 99, 99)]
    result = run(dca(side="short", safety_orders=1, volume_scale=1.0), bars_of(up), cash=4_000)
    units = 20 + 2_000 / 110
    assert fills(result)[:2] == [(1, "sell", 20.0, 100.0), (2, "sell", round(2_000 / 110, 8), 110.0)]
    assert fills(result)[2] == (3, "buy", round(units, 8), round(4_000 / units * 0.95, 8))
    calm = run(dca(rsi_below=30, rsi_length=2), path(100, 101, 102, 103))
    assert fills(calm) == []
    fallen = run(dca(rsi_below=30, rsi_length=2), path(100, 99, 98, 98, 98))
    assert fills(fallen)[0][:2] == (3, "buy")


def test_dca_trails_from_its_target():
    result = run(dca(trailing=0.02, safety_orders=0), path(100, 100, 104, 110, 105), cash=1_000)
    assert fills(result) == [(1, "buy", 10.0, 100.0), (4, "sell", 10.0, 107.8)]  # two per cent below 110


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"stop_loss": 0.15}, r"stop_loss = 0.15 comes before the last safety order, 0.2 away"),
        ({"safety_orders": 20}, r"the last of 20 safety orders is 200% below the base order"),
    ],
)
def test_dca_ladders_that_cannot_be_are_refused(given, message):
    with pytest.raises(StrategyError, match=message):
        dca(**given)


def test_a_market_maker_quotes_both_sides_and_leans_against_what_it_holds():
    maker = MarketMaking(spread=0.02, size=0.1, most=0.3, lean=1.0)
    bars = bars_of([STILL, (100, 100, 98.9, 99), (99, 99.2, 98.5, 99)])
    result = run(maker, bars)
    assert fills(result) == [(1, "buy", 10.0, 99.0)]
    # at 99 with ten of at most 30.303 units: a third of the way full, so both quotes are a third of 1 % lower
    resting = {order.side: order.price for order in _resting(maker, bars)}
    assert resting["buy"] == pytest.approx(99 * (1 - 0.01 - 0.0033), rel=1e-9)
    assert resting["sell"] == pytest.approx(99 * (1 + 0.01 - 0.0033), rel=1e-9)


def test_a_market_maker_stops_buying_when_it_is_full():
    maker = MarketMaking(spread=0.02, size=0.3, most=0.3, lean=0.0)
    whole = SPOT.replace(lot_size=1.0)
    bars = bars_of([STILL, (100, 100, 98.9, 99.5), (99.5, 99.5, 95, 99.5), (99.5, 99.5, 95, 99.5)], whole)
    assert fills(run(maker, bars)) == [(1, "buy", 30.0, 99.0)]
    assert {order.side for order in _resting(maker, bars)} == {"sell"}


def test_a_spread_below_two_fees_is_refused():
    with pytest.raises(StrategyError, match=r"a spread of 0\.2000% does not pay two maker fees of 0\.1000%"):
        run(MarketMaking(spread=0.002), bars_of([STILL] * 2), costs=wb.Costs(fee=0.001))
    with pytest.raises(StrategyError, match=r"size = 0\.5 is more than most = 0\.3"):
        MarketMaking(size=0.5)


def test_reservation_price_and_spread_are_those_of_the_paper():
    # s = 100, sigma = 2, T = 1, k = 1.5, gamma = 0.1: the paper's simulation. 0.1 x 4 = 0.4 a unit of inventory;
    # 20 ln(1 + 1/15) = 1.290770
    assert reservation_price(100, 0, 0.1, 2, 1) == 100
    assert reservation_price(100, 3, 0.1, 2, 0.5) == pytest.approx(99.4)
    assert reservation_price(100, -1, 0.1, 2, 1) == pytest.approx(100.4)
    assert optimal_spread(0.1, 2, 1, 1.5) == pytest.approx(1.690770, abs=1e-6)
    assert optimal_spread(0.1, 2, 0, 1.5) == pytest.approx(1.290770, abs=1e-6)
    # its table 1 gives 1.49 as the average spread of a session
    whole = np.mean([optimal_spread(0.1, 2, 1 - t, 1.5) for t in (np.arange(200) + 0.5) / 200])
    assert whole == pytest.approx(1.49, abs=0.005)


def test_avellaneda_stoikov_quotes_what_the_formulas_say_of_past_volatility():
    # so wide (decay 20) that nothing fills
    maker = AvellanedaStoikov(volatility_length=5, risk_aversion=5.0, decay=20.0, horizon=24.0, size=0.1, most=0.3)
    closes = [100.0, 101.0, 100.0, 101.0, 100.0, 101.0, 100.0]
    sigma = np.std((np.diff(closes) / np.array(closes[:-1]))[-5:])  # of a population
    half = (5 * sigma**2 * 24 + 0.4 * math.log(1.25)) / 2
    # the quotes that rest are those of the bar before the last; the last one's wait for the next open
    resting = {order.side: order.price for order in _resting(maker, path(*closes, 100.0))}
    assert resting == pytest.approx({"buy": 100 * (1 - half), "sell": 100 * (1 + half)})


def test_avellaneda_stoikov_leans_with_inventory_and_narrows_towards_the_end():
    maker = AvellanedaStoikov(least_spread=0.0)
    (bid, ask), (low, high) = maker.quotes(0.0, 0.01, 24.0), maker.quotes(2.0, 0.01, 24.0)
    assert (bid + ask) / 2 == pytest.approx(1.0) and (low + high) / 2 == pytest.approx(1 - 2 * 5 * 0.0001 * 24)
    assert high - low == pytest.approx(ask - bid)
    late = maker.quotes(0.0, 0.01, 1.0)
    assert late[1] - late[0] < ask - bid
    assert AvellanedaStoikov(least_spread=0.05).quotes(0.0, 0.01, 1.0)[1] == pytest.approx(1.025)


def test_what_costs_do_to_a_strategy_that_refuses_them_is_said():
    result = run(MarketMaking(spread=0.01), path(*[100.0, 101.0] * 30), costs=wb.Costs(fee=0.002, maker_fee=0.002))
    table = result.cost_sensitivity()
    assert np.isfinite(table.loc[[0, 1, 2], "total_return"]).all() and math.isnan(table.loc[3, "total_return"])
    assert table.loc[3, "fee"] == pytest.approx(0.006)
    assert result.doctor() is not None
