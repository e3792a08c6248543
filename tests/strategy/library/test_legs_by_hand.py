"""Strategies of several instruments, on prices short enough to work out: both legs, one leg, three legs, weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.strategy.library.cases import FREE, HOUR, SPOT, bars_of, fills, path
from workbench.errors import StrategyError
from workbench.strategy.library import Arbitrage, CashAndCarry, Momentum, Pairs, Rebalancer
from workbench.strategy.library.pairs import relation

ETHER, OTHER = wb.Instrument(symbol="ETH/USDT", quote="USDT"), wb.Instrument(symbol="BTC/USDT@other", quote="USDT")
PERPETUAL = wb.Instrument.default("BTC/USDT:USDT").replace(funding_rate=0.0, liquidation_fee=0.0)


def run(strategy: Any, bars: Any, **more: Any) -> wb.Result:
    return wb.backtest(strategy, bars, costs=more.pop("costs", FREE), path="event", **more)


def still(*closes: float, instrument: wb.Instrument = SPOT) -> wb.Bars:
    """Bars that open where they close: the gap is at the open what it was seen to be."""
    return bars_of([(close,) * 4 for close in closes], instrument)


def symbols(result: wb.Result) -> list[tuple[int, str, str, float]]:
    return [
        (bar, symbol, side, price)
        for (bar, side, _, price), symbol in zip(fills(result), result.fills["symbol"], strict=True)
    ]


def test_arbitrage_buys_the_cheap_one_sells_the_dear_one_and_leaves_when_they_meet():
    one, other = still(100, 100, 102, 102), still(103, 103, 102, 102, instrument=OTHER)
    result = run(Arbitrage(capital=1.0, min_profit=0.01, exit_gap=0.0), [one, other])
    assert symbols(result) == [
        (1, "BTC/USDT", "buy", 100.0), (1, "BTC/USDT@other", "sell", 103.0),
        (3, "BTC/USDT", "sell", 102.0), (3, "BTC/USDT@other", "buy", 102.0),
    ]  # fmt: skip
    size = 10_000 / 2 / 103
    assert result.equity_values[-1] == pytest.approx(10_000 + size * (2 + 1))


def test_arbitrage_counts_its_costs_before_it_enters():
    one, other = still(100, 100, 100), still(103, 103, 103, instrument=OTHER)
    dear = wb.Costs(fee=0.006, slippage_bps=10)  # four fees and four slips are 2.8 %: 0.2 % are left of the gap
    assert fills(run(Arbitrage(min_profit=0.003, exit_gap=0.0), [one, other], costs=dear)) == []
    assert len(fills(run(Arbitrage(min_profit=0.001, exit_gap=0.0, guard=0.01), [one, other], costs=dear))) == 2


def test_a_leg_that_ran_away_is_not_chased_and_the_other_is_thrown_back():
    one = still(100, 100, 100, 100, 100)
    other = bars_of([(103, 103, 103, 103), (101, 101, 101, 101), *[(101,) * 4] * 3], OTHER)
    result = run(Arbitrage(min_profit=0.02, exit_gap=0.0, guard=0.005), [one, other])
    assert symbols(result) == [(1, "BTC/USDT", "buy", 100.0), (2, "BTC/USDT", "sell", 100.0)]
    assert result.equity_values[-1] == pytest.approx(10_000)


def test_arbitrage_gives_up_where_the_gap_only_widens():
    one = still(100, 100, 100, 100, 100)
    other = still(103, 103, 111, 111, 111, instrument=OTHER)
    result = run(Arbitrage(capital=1.0, min_profit=0.01, stop=0.1), [one, other])
    assert [row[0] for row in symbols(result)] == [1, 1, 3, 3]
    assert result.equity_values[-1] == pytest.approx(10_000 - 10_000 / 2 / 103 * 8)


def test_arbitrage_measures_from_the_usual_gap_if_asked_to():
    usual = [103.0] * 6
    one, other = still(*[100.0] * 9), still(*usual, 106.0, 106.0, 103.0, instrument=OTHER)
    result = run(Arbitrage(min_profit=0.01, exit_gap=0.0, fair_length=4), [one, other])
    assert [row[0] for row in symbols(result)] == [7, 7]
    with pytest.raises(StrategyError, match="two instruments against each other"):
        run(Arbitrage(), one)


def carry(rate: float, hours: int = 40) -> tuple[list[wb.Bars], wb.Rules]:
    spot = still(*[100.0] * hours)
    perpetual = still(*[101.0] * hours, instrument=PERPETUAL)
    index = pd.to_datetime(np.arange(0, hours, 8) * HOUR, unit="ms", utc=True)
    return [spot, perpetual], wb.Rules(funding={PERPETUAL.symbol: pd.Series(rate, index=index)})


def test_carry_holds_the_coin_and_sells_as_much_of_the_perpetual():
    bars, rules = carry(0.0003)  # three times a day: 32.85 % a year
    result = run(CashAndCarry(settlements=2, enter_rate=0.3, capital=1.0), bars, rules=rules)
    size = round(10_000 / (100 + 101), 8)
    # the second rate is settled at hour 8 and known at the close of that bar
    assert fills(result) == [(9, "buy", size, 100.0), (9, "sell", size, 101.0)]
    assert result.trades["funding"].sum() == pytest.approx(3 * size * 101 * 0.0003)  # at hours 16, 24 and 32
    assert fills(run(CashAndCarry(settlements=2, enter_rate=0.4), bars, rules=rules)) == []


def test_carry_leaves_when_funding_turns():
    bars, rules = carry(0.0003)
    series = rules.funding[PERPETUAL.symbol].copy()  # type: ignore[index]
    series.iloc[3:] = -0.0005
    result = run(CashAndCarry(settlements=2, enter_rate=0.3), bars, rules=wb.Rules(funding={PERPETUAL.symbol: series}))
    assert [one[0] for one in fills(result)] == [9, 9, 25, 25]
    with pytest.raises(StrategyError, match="needs a spot instrument and a perpetual"):
        run(CashAndCarry(), [bars[0], still(*[100.0] * 40, instrument=OTHER)])


def test_the_rebalancer_brings_back_what_has_drifted():
    one, other = still(100, 100, 150, 150, 150), still(100, 100, 100, 100, 100, instrument=ETHER)
    result = run(Rebalancer(band=0.05), [one, other])
    # 49 units each; at 150 the first is 59 % of 12,450, and both are to be 49 %: 6,100.5
    assert fills(result) == [
        (1, "buy", 49.0, 100.0), (1, "buy", 49.0, 100.0),
        (3, "sell", round(49 - 6_100.5 / 150, 8), 150.0), (3, "buy", round(61.005 - 49, 8), 100.0),
    ]  # fmt: skip
    assert len(fills(run(Rebalancer(band=0.11), [one, other]))) == 2


def test_the_rebalancer_knows_the_calendar_and_given_weights():
    one, other = path(100, 100, 101, 102, 103, 104), path(*[100.0] * 6, instrument=ETHER)
    result = run(Rebalancer(mode="calendar", every=2, weights="BTC/USDT=0.5"), [one, other])
    assert {row[1] for row in symbols(result)} == {"BTC/USDT"}
    assert sorted({row[0] for row in symbols(result)}) == [1, 3, 5]
    with pytest.raises(StrategyError, match="a weight of 'XRP/USDT', which is not among"):
        run(Rebalancer(weights="XRP/USDT=1"), [one, other])
    with pytest.raises(StrategyError, match=r"the weights add up to 1\.2"):
        Rebalancer(weights="A=0.6, B=0.6")


def test_what_is_no_longer_listed_is_left_and_the_others_share_the_rest():
    one, other = still(*[100.0] * 12), still(*[100.0] * 12, instrument=ETHER)
    third = still(*[100.0] * 3, instrument=OTHER)
    result = run(Rebalancer(band=0.05), [one, other, third])
    assert [row[0] for row in symbols(result)] == [1, 1, 1]  # nothing drifts after that, and nothing is traded
    late = run(Rebalancer(band=0.05), [one, other, still(*[100.0] * 12, instrument=OTHER)[6:]])
    assert [row[0] for row in symbols(late)] == [1, 1, 7, 7, 7]


def test_momentum_holds_the_best_and_changes_with_the_ranking():
    solana = wb.Instrument(symbol="SOL/USDT", quote="USDT")
    bars = [
        still(100, 101, 102, 102, 102, 102, 102),
        still(100, 102, 104, 104, 104, 104, 104, instrument=ETHER),
        still(100, 100, 100, 104, 110, 110, 110, instrument=solana),
    ]
    first = Momentum(lookback=2, skip=0, hold=1, every=2, scaled=False, invested=0.9)
    result = run(first, bars)
    # ranked on bar 2: ETH +4 %; on bar 4: SOL +10 %; on bar 6 nothing has risen over two bars
    assert symbols(result) == [(3, "ETH/USDT", "buy", 104.0), (5, "ETH/USDT", "sell", 104.0),
                               (5, "SOL/USDT", "buy", 110.0)]  # fmt: skip
    with pytest.raises(StrategyError, match="hold = 3 and short = 1 are more than the 3 instruments"):
        run(Momentum(hold=3, short=1), bars)


def test_a_relation_is_that_of_least_squares_and_of_dickey_and_fuller():
    rng = np.random.default_rng(5)
    x = np.exp(np.cumsum(rng.normal(0, 0.02, 300)))
    y = np.exp(1.0 + 1.5 * np.log(x) + rng.normal(0, 0.01, 300))
    found = relation(y, x)
    ratio, intercept = np.polyfit(np.log(x), np.log(y), 1)
    assert (found.ratio, found.intercept) == pytest.approx((ratio, intercept), rel=1e-9)
    spread = np.log(y) - intercept - ratio * np.log(x)
    (slope,), (left,), *_ = np.linalg.lstsq(spread[:-1, None], np.diff(spread), rcond=None)
    error = np.sqrt(left / 298 / (spread[:-1] @ spread[:-1]))
    assert found.statistic == pytest.approx(slope / error, rel=1e-9) and found.statistic < -10
    assert found.half_life == pytest.approx(np.log(2) / -np.log1p(slope) if slope > -1 else 0.0)
    walk = np.exp(np.cumsum(rng.normal(0, 0.02, 300)))
    assert relation(walk, x).statistic > -3.34


def test_pairs_sells_what_is_dear_buys_what_is_cheap_and_leaves_when_they_meet():
    rng = np.random.default_rng(11)
    x = np.exp(np.cumsum(rng.normal(0, 0.01, 61))) * 100
    noise = rng.normal(0, 0.002, 61)
    noise[55:57] = (0.02, 0.02)  # ten deviations: y is dear
    y = np.exp(0.3 + 1.2 * np.log(x) + noise)
    first, second = still(*y), still(*x, instrument=ETHER)
    result = run(Pairs(window=50, entry=3.0, stop=20.0, leave=0.5, capital=0.9, guard=0.2), [first, second])
    found = relation(y[5:55], x[5:55])
    money = 0.9 * 10_000 / (1 + found.ratio)
    assert fills(result)[:2] == [
        (56, "sell", pytest.approx(money / y[55], rel=1e-6), round(y[56], 8)),
        (56, "buy", pytest.approx(money * found.ratio / x[55], rel=1e-6), round(x[56], 8)),
    ]
    assert len(fills(result)) == 4 and fills(result)[2][0] == 58
    assert result.equity_values[-1] > 10_000 * 1.005


def test_orders_under_way_are_waited_for():
    one, other = still(100, 100, 100, 100, 102, 102, 102), still(*[103.0] * 4, 102, 102, 102, instrument=OTHER)
    strategy = Arbitrage(capital=1.0, min_profit=0.01, exit_gap=0.0)
    late = run(strategy, [one, other], rules=wb.Rules(latency_ms=HOUR))
    # asked for at the open of bar 1, there at that of bar 2; the prices meet on bar 4, out at the open of bar 6
    assert [row[0] for row in symbols(late)] == [2, 2, 6, 6]
    assert late.equity_values[-1] == pytest.approx(10_000 + 10_000 / 2 / 103 * 3)


def test_pairs_does_not_trade_what_is_not_cointegrated():
    rng = np.random.default_rng(2)
    x, apart = np.exp(np.cumsum(rng.normal(0, 0.01, (2, 120)), axis=1))
    first, second = still(*(100 * x * apart**0.5)), still(*(100 * x), instrument=ETHER)
    assert fills(run(Pairs(window=50, entry=0.5, stop=20.0, leave=0.1, critical=-6), [first, second])) == []
    loose = Pairs(window=50, entry=0.5, stop=20.0, leave=0.1, critical=None, guard=0.2)
    assert len(fills(run(loose, [first, second]))) > 2
    with pytest.raises(StrategyError, match="must rise in this order"):
        Pairs(leave=3.0)
