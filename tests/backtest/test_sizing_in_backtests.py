"""Sizings in whole backtests: both paths say the same, refusals have their reasons, and caps hold for all together."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import workbench as wb
from tests.backtest.cases import arguments, cases, simplest
from tests.backtest.handmade import FREE, series
from tests.backtest.parity import differences, explain, told_by_package
from tests.backtest.test_two_paths import CALM, PHASES, compilable
from tests.effort import examples
from workbench.errors import ConfigError, StrategyError
from workbench.risk import sizing as sz
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.parameters import param

FLAT = [(100, 101, 99, 100)]
ALL = sz.Caps(position=None)


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


@settings(max_examples=examples(300), phases=PHASES, suppress_health_check=CALM, deadline=None)
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


def hourly(closes: Any, symbol: str = "A/USDT", **facts: Any) -> wb.Bars:
    return series(symbol, list(closes), **facts)


def enters(bars: wb.Bars, *at: int, leave: tuple[int, ...] = (), **said: Any) -> wb.Signals:
    rows = np.arange(len(bars))
    return wb.Signals(entry=np.isin(rows, at), exit=np.isin(rows, leave), **said)


def sized(signals: Any, bars: Any, sizing: Any, **more: Any) -> wb.Result:
    return wb.backtest(signals, bars, sizing=sizing, costs=more.pop("costs", FREE), **more)


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


def trips(wins: str) -> tuple[wb.Bars, wb.Signals]:
    """Make a trade of two bars each that gains a tenth ("+") or loses a tenth ("-"), and a last entry."""
    closes, entries, exits = [100.0, 100.0], [], []
    for one in wins:
        entries.append(len(closes) - 1)
        closes += [closes[-1], closes[-1] * (1.1 if one == "+" else 0.9)]
        exits.append(len(closes) - 1)
        closes += [closes[-1]]
    bars = hourly([*closes, closes[-1], closes[-1]], reach=0.0)
    return bars, enters(bars, *entries, len(closes), leave=tuple(exits))


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


class Sized(wb.SignalStrategy):
    """Buys every tenth bar; what it risks is a parameter."""

    risk: float = param(0.01, low=0.001, high=0.05)

    @property
    def sizing(self) -> sz.Sizing:  # type: ignore[override]
        return sz.PercentVolatility(self.risk, length=3, caps=ALL)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        return enters(bars, *range(5, len(bars), 10), leave=tuple(range(9, len(bars), 10)))


def test_a_strategy_brings_its_sizing_and_a_run_goes_before_it() -> None:
    bars = hourly(100.0 + np.sin(np.arange(60.0)))
    own = wb.backtest(Sized(risk=0.02), bars, costs=FREE)
    same = sized(Sized(risk=0.04), bars, sz.PercentVolatility(0.02, length=3, caps=ALL))
    assert own.fills["quantity"].tolist() == same.fills["quantity"].tolist()
    assert own.equity.iloc[-1] != wb.backtest(Sized(risk=0.04), bars, costs=FREE).equity.iloc[-1]


def test_what_a_sizing_rests_on_can_be_swept() -> None:
    from workbench.research.sweeping.running import sweep

    bars = hourly(100.0 + np.sin(np.arange(80.0)))
    grid = {"risk": [0.01, 0.02, 0.04]}
    swept = sweep(Sized, bars, grid=grid, costs=FREE, metrics=["total_return"])
    alone = [wb.backtest(Sized(risk=risk), bars, costs=FREE).metrics["total_return"] for risk in grid["risk"]]
    assert swept.table["total_return"].tolist() == pytest.approx(alone, rel=1e-12)
    assert len(set(alone)) == 3
    with pytest.raises(ConfigError, match="size cannot be varied where PercentVolatility"):
        sweep(Sized, bars, grid={"size": [0.1, 0.2]}, costs=FREE)


def test_sizes_that_are_said_twice_are_refused() -> None:
    bars = hourly([100.0] * 30)

    class Twice(Sized):
        def signals(self, bars: wb.Bars) -> wb.Signals:
            return enters(bars, 3, size=0.5)

    with pytest.raises(StrategyError, match="says how large entries are twice"):
        wb.backtest(Twice(), bars)
    assert sized(Twice(), bars, sz.FixedCash(500.0)).fills["quantity"].tolist() == [5.0]
    with pytest.raises(ConfigError, match="sizing is said twice"):
        wb.backtest(Sized(), bars, sizing=sz.FixedRisk(), rules=wb.Rules(sizing=sz.FixedCash(1.0)))
    with pytest.raises(ConfigError, match=r"give one of wb\.sizing"):
        wb.backtest(Sized(), bars, sizing=0.2)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="path='compiled': Pyramid sizes event by event: it adds to what is held"):
        wb.backtest(Sized(), bars, sizing=sz.Pyramid(), path="compiled")


class Buys(OrderStrategy):
    """Leaves its quantity open; adds once."""

    sizing = sz.PercentVolatility(0.01, length=3, caps=sz.Caps(position=0.5))

    def on_bar(self, view: Any, bar: Any) -> Any:
        count = view.count()
        if count == 6:
            return view.market("buy")
        return view.limit("buy", price=99.0, tag="dip") if count == 8 else None


def test_an_order_strategy_leaves_its_quantity_open() -> None:
    """True ranges of 2: 1 % of 10,000 over 2 is 50, worth 5,000, which is all that half of the equity allows."""
    bars = hourly([100.0] * 12)
    result = wb.backtest(Buys(), bars, costs=FREE)
    assert result.fills["quantity"].tolist() == [50.0]
    assert result.sizes["status"].tolist() == ["traded", "cap_reached"]
    assert result.sizes["price"].tolist() == [100.0, 99.0]


def test_why_survives_an_archive(tmp_path: Path) -> None:
    bars = hourly(100.0 + np.sin(np.arange(60.0)))
    for path in ("compiled", "event"):
        result = wb.backtest(Sized(), bars, path=path)
        file = result.save(tmp_path / f"{path}.zip")
        again = wb.load_result(file)
        assert again.plan.sizing == Sized().sizing
        assert again.sizes.equals(result.sizes) and len(again.sizes) == 6


def test_a_sizing_of_ones_own() -> None:
    @dataclass(frozen=True, repr=False)
    class Halves(sz.Sizing):
        """Half after every closed trade."""

        memory = 100

        def ask(self, state: sz.SizingState) -> sz.Ask:
            return sz.Ask("exposure", 0.1 / 2 ** len(state.returns), why="half each time")

    bars, signals = trips("+-")
    sizes = sized(signals, bars, Halves()).sizes
    assert (sizes["quantity"] * sizes["price"] / sizes["equity"]).tolist() == pytest.approx([0.1, 0.05, 0.025])


def test_measures_are_known_before_what_they_size() -> None:
    """What comes later changes no size: the first half of a run is that of the first half of the bars."""
    rng = np.random.default_rng(7)
    closes = 100.0 * np.cumprod(1.0 + 0.01 * rng.standard_normal(200))
    whole = [hourly(closes, "A/USDT"), hourly(closes[::-1].copy(), "B/USDT")]
    for sizing in (sz.PercentVolatility(), sz.VolatilityTarget(), sz.RiskParity(lookback=20, every=7)):
        full = sizing.measures(whole)
        half = sizing.measures([one[:120] for one in whole])
        for symbol, values in half.items():
            np.testing.assert_array_equal(full[symbol][:120], values)
            assert math.isfinite(values[-1])
