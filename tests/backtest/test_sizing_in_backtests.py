"""Sizings in whole backtests: both paths say the same, refusals have their reasons, and caps hold for all together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import workbench as wb
from tests.backtest.cases import arguments, cases, simplest
from tests.backtest.handmade import FREE
from tests.backtest.parity import differences, explain, told_by_package
from tests.backtest.sized import ALL, enters, hourly, sized, trips
from tests.backtest.test_two_paths import CALM, PHASES, compilable
from tests.effort import examples
from workbench.risk import sizing as sz

FLAT = [(100, 101, 99, 100)]


@st.composite
def sizings(draw: st.DrawFn) -> sz.Sizing:
    """Give any sizing that rests on closed bars alone."""
    position = draw(st.sampled_from([None, 0.2, 0.05, 1.0, 3.0]))
    caps = sz.Caps(position=position)
    made = {
        "quantity": sz.FixedQuantity(draw(st.sampled_from([1.0, 10.0, 1e9])), caps=caps),
        "cash": sz.FixedCash(draw(st.sampled_from([500.0, 3_000.0, 1e6])), caps=caps),
        "equity": sz.PercentEquity(draw(st.sampled_from([0.1, 1.0, 2.5])), caps=caps),
        "risk": sz.FixedRisk(draw(st.sampled_from([0.005, 0.02, 0.5])), caps=caps),
        "atr": sz.PercentVolatility(draw(st.sampled_from([0.001, 0.02])), length=draw(st.integers(1, 5)), caps=caps),
        "target": sz.VolatilityTarget(draw(st.sampled_from([0.15, 5.0])), length=draw(st.integers(2, 5)), caps=caps),
        "kelly": sz.Kelly(win_rate=draw(st.sampled_from([0.3, 0.6])), payoff=1.5, trades=50, caps=caps),
        "kelly of a loss": sz.Kelly(win_rate=0.6, payoff=1.5, loss=0.1, caps=caps),
        "cppi": sz.CPPI(draw(st.sampled_from([0.5, 3.0])), floor_at=draw(st.sampled_from([0.5, 0.98])), caps=caps),
        "parity": sz.RiskParity(lookback=3, every=2, covariance="sample", caps=caps),
    }
    return made[draw(st.sampled_from(sorted(made)))]


def both(case: dict[str, Any], sizing: sz.Sizing) -> list[wb.Result]:
    how = arguments(case)
    how["rules"] = replace(how["rules"], sizing=sizing)
    return [wb.backtest(**how, path=path, max_missing=1.0) for path in ("compiled", "event")]


@settings(max_examples=examples(200), phases=PHASES, suppress_health_check=CALM, deadline=None)
@given(case=cases(most=3, length=25).filter(compilable), sizing=sizings())
def test_both_paths_size_alike(case: dict[str, Any], sizing: sz.Sizing) -> None:
    compiled, event = both(case, sizing)
    one, other = told_by_package(compiled.records), told_by_package(event.records)
    found = differences(one, other, cash=case["cash"])
    assert not found, f"{sizing!r}\n{explain(case, one, other, found)}"
    assert len(event.sizes) == len(compiled.sizes)


@settings(max_examples=examples(200), phases=PHASES, suppress_health_check=CALM, deadline=None)
@given(case=cases(most=3, length=25), position=st.sampled_from([0.05, 0.2, 0.7]), total=st.sampled_from([0.1, 0.3]))
def test_caps_hold_whatever_happens(case: dict[str, Any], position: float, total: float) -> None:
    how = arguments(case)
    sizing = sz.PercentEquity(2.0, caps=sz.Caps(position=position, total=total))
    how["rules"] = replace(how["rules"], sizing=sizing)
    sizes = wb.backtest(**how, path="event", max_missing=1.0).sizes
    made = sizes[sizes["status"] == "traded"]
    worth = made["quantity"] * made["price"] / made["equity"]
    assert (worth <= min(position, total) * (1.0 + 1e-9)).all()


def test_the_atr_of_the_deciding_bar_sizes() -> None:
    """True ranges of 3 on every bar: high and low are 1 beyond a step of 1. 1 % of 10,000 over 2 ATR of 3 is 16.67."""
    bars = hourly(100.0 + np.arange(20.0))
    result = sized(enters(bars, 15), bars, sz.PercentVolatility(0.01, multiple=2.0, length=3, caps=ALL))
    assert result.path == "compiled"
    assert result.fills["quantity"].tolist() == [pytest.approx(100.0 / 6.0)]
    (told,) = result.sizes.to_dict("records")
    assert (told["measure"], told["limit"], told["status"]) == (3.0, "sizing", "traded")
    assert told["why"] == "0.01 of the equity 10,000 = 100 over 2 x ATR(3) 3; 16.66667 at 115"


def test_twenty_percent_of_equity_is_the_most_if_nothing_is_said() -> None:
    bars = hourly([100.0] * 10)
    result = sized(enters(bars, 3), bars, sz.FixedCash(9_000.0))
    assert result.fills["quantity"].tolist() == [20.0]
    assert result.sizes["limit"].tolist() == ["position"]


@pytest.mark.parametrize(
    ("sizing", "status", "word"),
    [
        (sz.FixedRisk(0.01), "no stop to size by", "distance to the stop"),
        (sz.PercentVolatility(length=50), "volatility not known or zero", "not known yet"),
        (sz.Kelly(win_rate=0.3, payoff=1.0), "no edge to bet on", "loses"),
        (sz.FixedCash(4.0), "below the smallest order", "less than the smallest order"),
    ],
)
def test_a_refused_entry_says_why(sizing: sz.Sizing, status: str, word: str) -> None:
    bars = hourly([100.0] * 10, min_notional=5.0)
    signals = enters(bars, 3)
    for path in ("compiled", "event"):
        result = sized(signals, bars, sizing, path=path)
        assert not len(result.fills)
        assert result.orders["status"].tolist() == [status]
        assert word in result.sizes["why"].iloc[0]


def test_a_price_that_does_not_move_is_not_sized_by() -> None:
    still = hourly([100.0] * 40, reach=0.0)
    for sizing in (sz.PercentVolatility(length=3), sz.VolatilityTarget(length=3), sz.RiskParity(lookback=5)):
        for path in ("compiled", "event"):
            result = sized(enters(still, 30), still, sizing, path=path)
            assert result.orders["status"].tolist() == ["volatility not known or zero"], sizing
            assert result.sizes["why"].tolist() == ["what it sizes by is not known yet, or zero"]


def test_nothing_is_traded_at_the_floor() -> None:
    """Half of 10,000 in at 100, out at 59: 7,950 are left, below a floor of 8,000."""
    bars = hourly([100.0] * 5 + [59.0] * 5)
    signals = enters(bars, 2, 7, leave=(5,))
    result = sized(signals, bars, sz.CPPI(2.5, caps=sz.Caps(position=0.5)))
    assert result.path == "compiled"
    assert result.orders["status"].tolist() == ["filled", "filled", "floor reached"]
    assert result.sizes["why"].iloc[1] == "the equity 7,950 is at its floor 8,000"


def test_lots_round_down_and_never_up() -> None:
    bars = hourly([100.0] * 10, lot_size=0.7)
    result = sized(enters(bars, 3), bars, sz.FixedQuantity(2.0, caps=ALL))
    assert result.fills["quantity"].tolist() == [pytest.approx(1.4)]
    large = hourly([100.0] * 10, lot_size=500.0)
    assert sized(enters(large, 3), large, sz.FixedQuantity(2.0)).orders["status"].tolist() == [
        "below the smallest order"
    ]


def test_a_ruined_account_sizes_nothing() -> None:
    case = simplest(FLAT * 2 + [(1, 2, 1, 1)] * 4, "101010", leverage=10.0, margin="isolated")
    for result in both(case, sz.PercentEquity(50.0, caps=ALL)):
        assert result.orders["status"].iloc[-1] == "no equity left"


def test_caps_count_what_enters_at_the_same_time() -> None:
    lines = [hourly([100.0] * 10, f"{name}/USDT") for name in "ABCD"]
    signals = {one.symbol: enters(one, 3) for one in lines}
    caps = sz.Caps(position=0.2, total=0.5)
    result = sized(signals, lines, sz.PercentEquity(0.3, caps=caps))
    assert result.path == "event"
    assert result.fills["quantity"].tolist() == [20.0, 20.0, pytest.approx(10.0)]
    assert result.sizes["limit"].tolist()[:3] == ["position", "position", "total"]
    assert result.orders["status"].iloc[-1] == "cap reached"


def test_caps_of_groups() -> None:
    lines = [hourly([100.0] * 10, f"{name}/USDT") for name in "ABC"]
    signals = {one.symbol: enters(one, 3) for one in lines}
    caps = sz.Caps(position=None, group={"majors": 0.3}, groups={"A/USDT": "majors", "B/USDT": "majors"})
    result = sized(signals, lines, sz.PercentEquity(0.25, caps=caps))
    assert result.fills["quantity"].tolist() == [25.0, pytest.approx(5.0), 25.0]
    assert result.sizes["limit"].tolist() == ["sizing", "group", "sizing"]


def test_what_waits_for_volume_counts_to_the_caps() -> None:
    """A can fill only 10 of its 20 at once; the 10 that are left are on order while B is sized."""
    thin = replace(FREE, volume_share=1.0)
    one, two = hourly([100.0] * 10, "A/USDT"), hourly([100.0] * 10, "B/USDT")
    one = wb.Bars(instrument=one.instrument, timeframe="1h", ts=one.ts, open=one.open, high=one.high, low=one.low,
                  close=one.close, volume=np.full(10, 10.0))  # fmt: skip
    signals = {"A/USDT": enters(one, 3), "B/USDT": enters(two, 3)}
    result = sized(signals, [one, two], sz.PercentEquity(0.2, caps=sz.Caps(total=0.25)), costs=thin)
    fills = result.fills
    assert fills[fills["symbol"] == "B/USDT"]["quantity"].tolist() == [pytest.approx(5.0)]
    assert fills[fills["symbol"] == "A/USDT"]["quantity"].tolist() == [10.0, 10.0]


def test_a_cap_of_one_instrument_alone_stays_compiled() -> None:
    bars = hourly([100.0] * 10)
    result = sized(enters(bars, 3), bars, sz.FixedCash(9_000.0, caps=sz.Caps(position=0.3, total=0.1)))
    assert (result.path, result.fills["quantity"].tolist()) == ("compiled", [10.0])


def test_leverage_lets_a_position_be_worth_more_than_the_equity_where_caps_do() -> None:
    bars = hourly([100.0] * 10)
    caps = sz.Caps(position=3.0)
    assert sized(enters(bars, 3), bars, sz.PercentEquity(5.0, caps=caps)).fills["quantity"].tolist() == [100.0]
    levered = sized(enters(bars, 3), bars, sz.PercentEquity(5.0, caps=caps), leverage=10)
    assert levered.fills["quantity"].tolist() == [300.0]


def test_an_inverse_contract_is_reckoned_in_coins() -> None:
    """100 USD a contract, 10 coins at 50: a tenth of the equity is one coin, half a contract a coin at 50."""
    bars = hourly([50.0] * 10, "BTC/USD:BTC", kind="inverse", quote="USD", contract_size=100.0, lot_size=0.01)
    result = sized(enters(bars, 3), bars, sz.PercentEquity(0.1), cash=10.0)
    assert (result.path, result.fills["quantity"].tolist()) == ("event", [0.5])
    risked = sized(enters(bars, 3, stop_loss=0.2), bars, sz.FixedRisk(0.01, caps=ALL), cash=10.0)
    # to 40 a contract loses 100 / 40 - 100 / 50 = 0.5 coins: 0.1 coins at risk are 0.2 contracts
    assert risked.fills["quantity"].iloc[0] == pytest.approx(0.2)


def test_contracts_of_more_than_one_unit() -> None:
    bars = hourly([50.0] * 10, contract_size=10.0)
    assert sized(enters(bars, 3), bars, sz.PercentEquity(0.1)).fills["quantity"].tolist() == [2.0]
    risked = sized(enters(bars, 3, stop_loss=0.2), bars, sz.FixedRisk(0.01, caps=ALL))
    assert risked.fills["quantity"].iloc[0] == pytest.approx(1.0)  # 100 at risk, 10 x 10 a contract


def test_kelly_learns_from_trades() -> None:
    """Three wins of a tenth to one loss of a tenth: p = 0.75, b = 1, f = 0.5, and 0.5 / 0.1 of the equity in full."""
    bars, signals = trips("+++-")
    sizing = sz.Kelly(1.0, shrink=False, min_trades=4, lookback=4, start=0.01, caps=ALL)
    result = sized(signals, bars, sizing, leverage=10)
    assert result.path == "event"
    last = result.sizes.iloc[-1]
    assert last["quantity"] * last["price"] / last["equity"] == pytest.approx(5.0)
    assert result.sizes["why"].iloc[0].startswith("0.01 of the equity until 4 trades are closed, 0 so far")


def test_kelly_stays_out_without_an_edge() -> None:
    bars, signals = trips("+---")
    sizing = sz.Kelly(1.0, min_trades=4, lookback=4)
    result = sized(signals, bars, sizing)
    assert result.orders["status"].iloc[-1] == "no edge to bet on"
    assert result.sizes["why"].iloc[-1].startswith("no edge: 0.25 of the last 4 trades won")
    learning = sized(signals, bars, replace(sizing, least=0.005))
    assert learning.sizes["status"].iloc[-1] == "traded"


def test_optimal_f_learns_from_trades() -> None:
    """Of +0.1 and -0.1 three to one: f = 0.5 (even odds, p = 0.75), so 0.5 / 0.1 of the equity."""
    bars, signals = trips("+++-")
    sizing = sz.OptimalF(1.0, min_trades=4, lookback=4, caps=ALL)
    last = sized(signals, bars, sizing, leverage=10).sizes.iloc[-1]
    assert last["quantity"] * last["price"] / last["equity"] == pytest.approx(5.0)


def test_more_after_each_win_in_a_row() -> None:
    bars, signals = trips("++-+")
    sizes = sized(signals, bars, sz.AntiMartingale(sz.PercentEquity(0.01), factor=2.0, steps=2)).sizes
    worth = sizes["quantity"] * sizes["price"] / sizes["equity"]
    assert worth.tolist() == pytest.approx([0.01, 0.02, 0.04, 0.01, 0.02])


def test_a_pyramid_adds_to_what_wins_and_no_more() -> None:
    bars = hourly([100.0, 100.0, 100.0, 101.0, 102.5, 104.0, 106.0, 108.0, 90.0, 90.0, 90.0], reach=0.0)
    signals = enters(bars, 1, leave=(9,))
    sizing = sz.Pyramid(sz.PercentEquity(0.1), adds=2, gain=0.02)
    result = sized(signals, bars, sizing)
    assert result.path == "event"
    buys = result.fills[result.fills["side"] == "buy"]
    assert buys["price"].tolist() == [100.0, 102.5, 106.0]  # decided at 102.5 (+2.5 %) and at 106 (+3.4 %)
    worth = result.sizes["quantity"] * result.sizes["price"] / result.sizes["equity"]
    assert worth.tolist() == pytest.approx([0.1, 0.05, 0.025])
    assert len(result.trades) == 1
    capped = sized(signals, bars, replace(sizing, caps=sz.Caps(position=0.1)))
    assert capped.sizes["status"].tolist() == ["traded", "cap_reached", "cap_reached"]  # at 104, and 2 % beyond, at 108
    assert capped.sizes["price"].tolist() == [100.0, 102.5, 106.0]


def test_adding_to_a_position_takes_no_place_of_another() -> None:
    bars = hourly(100.0 * 1.02 ** np.arange(8.0), reach=0.0)
    for most, count in ((None, 3), (1, 3)):
        sizing = sz.Pyramid(sz.PercentEquity(0.05), adds=2)
        result = sized(enters(bars, 1), bars, sizing, rules=wb.Rules(max_positions=most))
        assert len(result.fills) == count


def test_pyramids_of_several_instruments_and_at_closes() -> None:
    rising = 100.0 * 1.02 ** np.arange(12.0)
    lines = [hourly(rising, "A/USDT", reach=0.0), hourly(1.0 / rising, "B/USDT", reach=0.0)]
    signals = {
        "A/USDT": enters(lines[0], 1),
        "B/USDT": wb.Signals(entry=np.zeros(12, bool), short_entry=np.arange(12) == 1),
    }
    for fill in ("next_open", "close"):
        made = sized(signals, lines, sz.Pyramid(sz.PercentEquity(0.02), adds=3, scale=1.0), fill=fill)
        counts = made.fills.groupby(["symbol", "side"]).size().to_dict()
        assert counts == {("A/USDT", "buy"): 4, ("B/USDT", "sell"): 4}, fill


def test_a_floor_that_rises() -> None:
    bars, signals = trips("++")
    sizes = sized(signals, bars, sz.CPPI(1.0, floor_at=0.9, ratchet=True, caps=ALL)).sizes
    best = sizes["equity"].cummax()
    worth = sizes["quantity"] * sizes["price"]
    assert worth.tolist() == pytest.approx((sizes["equity"] - 0.9 * best).tolist())
    assert best.iloc[-1] > 10_000


def test_risk_parity_gives_the_wilder_one_less() -> None:
    steps = np.resize([1.0, -1.0, 1.0, 1.0, -1.0, -1.0], 60)
    other = np.resize([1.0, 1.0, -1.0, 1.0, -1.0, -1.0, -1.0, 1.0], 60)
    calm, wild = 100.0 * np.cumprod(1 + 0.005 * steps), 100.0 * np.cumprod(1 + 0.01 * other)
    lines = [hourly(calm, "A/USDT"), hourly(wild, "B/USDT")]
    signals = {one.symbol: enters(one, 50) for one in lines}
    result = sized(signals, lines, sz.RiskParity(lookback=40, every=1, covariance="sample", caps=ALL))
    assert result.path == "compiled"
    measures = result.sizes["measure"].to_numpy()
    assert measures.sum() == pytest.approx(1.0)
    returns = [np.diff(one[10:51]) / one[10:50] for one in (calm, wild)]
    spreads = np.array([one.std(ddof=1) for one in returns])
    assert measures == pytest.approx((1 / spreads) / (1 / spreads).sum(), rel=1e-6)  # two: inverse volatilities
