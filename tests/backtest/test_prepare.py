"""The plan: what a user says as arrays and numbers, and every way to say it wrong."""

from __future__ import annotations

import math
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

import workbench as wb
from workbench.backtest.prepare import prepare
from workbench.errors import ConfigError, DataError, StrategyError

HOUR = 3_600_000
START = 1_704_067_200_000  # 2024-01-01
PERPETUAL = wb.Instrument.default("BTC/USDT:USDT", "binance")
SPOT = wb.Instrument.default("BTC/USDT", "binance")
TIERS = ((0, 0.01, 0, 20), (10_000, 0.025, 150, 10))


def made(
    n: int = 12, *, instrument: wb.Instrument = PERPETUAL, timeframe: str = "1h", volume: float = 5.0, seed: int = 0
) -> wb.Bars:
    length = wb.Timeframe.parse(timeframe)
    close = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, n)))
    opened = np.concatenate((close[:1], close[:-1]))
    return wb.Bars(
        instrument=instrument, timeframe=length, ts=START + np.arange(n) * length.ms, open=opened,
        high=np.maximum(opened, close), low=np.minimum(opened, close), close=close, volume=np.full(n, volume),
    )  # fmt: skip


class Always(wb.SignalStrategy):
    """Long from the first bar on."""

    def signals(self, bars: wb.Bars) -> wb.Signals:
        return wb.Signals(entry=np.ones(len(bars), dtype=bool))


class Orders(wb.OrderStrategy):
    """Does nothing."""


def said(n: int = 12, **options: Any) -> wb.Signals:
    return wb.Signals(entry=np.arange(n) == 0, **options)


def line_of(strategy: Any, bars: Any, **options: Any) -> Any:
    (line,) = prepare(strategy, bars, **options).lines
    return line


def test_a_plain_plan() -> None:
    bars = made(instrument=SPOT)
    plan = prepare(Always(), bars)
    (line,) = plan.lines
    assert (plan.cash, plan.at_close, plan.path_inside, plan.max_positions) == (10_000.0, False, False, 0)
    assert plan.account == ("margin", False, False, 1.0)
    assert (plan.extra, plan.ticks, plan.latency_ms, plan.limit_fill) == ((), (), 0, "touch")
    assert (len(plan.exits.roi_ms), plan.exits.max_bars, plan.guards.any) == (0, 0, False)
    assert line.ts is bars.ts and line.word is None and line.signals.entry.all()
    assert (line.margined, line.inverse, line.leverage, line.tiers.shape) == (False, False, 1.0, (0, 4))
    assert line.costs.taker == 0.001 and line.costs.volume_share == 0.1
    assert len(line.funding_ts) == 0
    assert np.isnan(line.stop_price).all() and np.isnan(line.sigma).all()


def test_rules_and_fill_become_numbers() -> None:
    rules = wb.Rules(
        intrabar="path", margin="isolated", max_positions=3, limit_fill="through", latency_ms=50, account="margin"
    )
    plan = prepare(Always(), made(), fill="close", cash=500, rules=rules, leverage=7)
    assert plan.account == ("margin", True, False, 7.0)
    assert (plan.at_close, plan.path_inside, plan.max_positions) == (True, True, 3)
    assert (plan.limit_fill, plan.latency_ms, plan.cash) == ("through", 50, 500.0)


def test_signals_by_symbol_or_a_strategy_for_each() -> None:
    series = [made(instrument=SPOT), made(8, instrument=SPOT.replace(symbol="ETH/USDT"))]
    plan = prepare({"ETH/USDT": said(8), "BTC/USDT": said(12)}, series)
    assert [len(line.signals) for line in plan.lines] == [12, 8]
    assert [len(line.signals) for line in prepare(Always(), iter(series)).lines] == [12, 8]


def test_what_holds_on_every_bar() -> None:
    signals = said(roi={30: 0.01, 0: 0.05}, max_bars=4, stop_price=90.0)
    plan = prepare(signals, made())
    assert (plan.exits.roi_ms.tolist(), plan.exits.roi_level.tolist()) == ([0, 1_800_000], [0.05, 0.01])
    assert plan.exits.max_bars == 4
    assert plan.lines[0].stop_price.tolist() == [90.0]


PROTECTIONS = (
    wb.Cooldown(2), wb.Cooldown(5), wb.StopGuard(2, 24, 12, only_this=True), wb.DrawdownPause(0.1, 48, 24, 3),
    wb.LowProfit(0.02, 10, 5), wb.LosingPairs(), wb.LosingPairs(review=100),
)  # fmt: skip


def test_protections_become_rows_of_numbers() -> None:
    guards = prepare(Always(), made(), rules=wb.Rules(protections=PROTECTIONS)).guards
    assert guards.cooldown == 5  # the longest
    assert guards.stops.tolist() == [[2, 24, 12, 1]]
    assert guards.drawdowns.tolist() == [[0.1, 48, 24, 3]]
    assert guards.profits.tolist() == [[0.02, 10, 5, 1]]
    assert guards.losing.tolist() == [[5, -0.10, 3, math.inf], [5, -0.10, 3, 100]]


def test_the_run_goes_before_the_strategy() -> None:
    strategy = type("Careful", (Always,), {"protections": [wb.Cooldown(3)], "leverage": 4.0})()
    plan = prepare(strategy, made())
    assert (plan.guards.cooldown, plan.lines[0].leverage) == (3, 4.0)
    plan = prepare(strategy, made(), leverage=2, rules=wb.Rules(protections=[]))
    assert (plan.guards.any, plan.lines[0].leverage) == (False, 2.0)


def test_margin_is_for_perpetuals_and_for_whoever_borrows() -> None:
    flat = line_of(Always(), made())
    assert flat.margined and flat.tiers.tolist() == [[0.0, 0.005, 0.0, 125.0]]
    tiered = line_of(Always(), made(instrument=SPOT.replace(leverage_tiers=TIERS, max_leverage=20)), leverage=2)
    assert tiered.margined and tiered.tiers.tolist() == [list(map(float, tier)) for tier in TIERS]
    inverse = line_of(Always(), made(instrument=wb.Instrument.default("BTC/USD:BTC").replace(contract_size=100)))
    assert inverse.inverse and inverse.contract_size == 100


def test_leverage_by_symbol() -> None:
    series = [made(), made(instrument=PERPETUAL.replace(symbol="ETH/USDT:USDT"))]
    plan = prepare(Always(), series, leverage={"ETH/USDT:USDT": 5})
    assert [line.leverage for line in plan.lines] == [1.0, 5.0]
    assert plan.account.leverage == 5.0


def test_costs_by_symbol() -> None:
    series = [made(), made(instrument=PERPETUAL.replace(symbol="ETH/USDT:USDT"))]
    plan = prepare(Always(), series, costs={"BTC/USDT:USDT": wb.Costs(fee=0.01)})
    assert [line.costs.taker for line in plan.lines] == [0.01, 0.0005]


def test_a_series_without_volume_has_no_cap() -> None:
    assert line_of(Always(), made(volume=0.0)).costs.volume_share == math.inf
    assert line_of(Always(), made(volume=1e-9)).costs.volume_share == 0.1


def test_detail_is_the_market() -> None:
    fine = made(48, timeframe="15m")
    bars = wb.data.resample(fine, "1h")
    (line,) = prepare(Always(), bars, detail=fine).lines
    assert line.bars is bars and len(line.ts) == 48 and line.word[3] == 0
    assert len(line.signals) == 12


class TestFunding:
    """When, and at which rate."""

    def test_the_instruments_own_rate_at_its_own_times(self) -> None:
        line = line_of(Always(), made(17))
        assert ((line.funding_ts - START) // HOUR).tolist() == [0, 8, 16]
        assert line.funding_rate.tolist() == [0.0001] * 3
        assert np.isnan(line.funding_mark).all()
        every = line_of(Always(), made(9, instrument=PERPETUAL.replace(funding_interval_h=4, funding_rate=-0.001)))
        assert ((every.funding_ts - START) // HOUR).tolist() == [0, 4, 8]
        assert every.funding_rate.tolist() == [-0.001] * 3

    def test_times_are_those_of_the_day_not_of_the_bars(self) -> None:
        bars = made(17)[3:]
        assert ((line_of(Always(), bars).funding_ts - START) // HOUR).tolist() == [8, 16]

    def test_one_rate_for_all_and_none_for_what_pays_none(self) -> None:
        series = [made(), made(instrument=SPOT)]
        plan = prepare(Always(), series, rules=wb.Rules(funding=0.0005))
        assert [line.funding_rate.tolist() for line in plan.lines] == [[0.0005, 0.0005], []]
        assert len(line_of(Always(), made(), rules=wb.Rules(funding=0.0)).funding_ts) == 0

    @pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
    @pytest.mark.parametrize("unit", ["ns", "ms"])
    def test_a_series_says_when(self, zone: str | None, unit: str) -> None:
        index = pd.to_datetime([START + 5 * HOUR, START - HOUR, START + 90_000, START + 12 * HOUR], unit="ms", utc=True)
        index = index.tz_localize(None) if zone is None else index.tz_convert(zone)
        rates = pd.Series([0.1, 0.2, 0.3, 0.4], index=index.as_unit(unit))
        line = line_of(Always(), made(12), rules=wb.Rules(funding={"BTC/USDT:USDT": rates}))
        assert (line.funding_ts - START).tolist() == [90_000, 5 * HOUR]  # in order, and within the bars
        assert line.funding_rate.tolist() == [0.3, 0.1]

    @pytest.mark.parametrize(
        ("funding", "message"),
        [
            ({"X": 0.1}, "rules: funding of 'X', which is not among what is traded: BTC/USDT:USDT, BTC/USDT"),
            ({"BTC/USDT": 0.1}, "rules: funding of 'BTC/USDT', which pays none; only perpetuals do"),
            (pd.Series([0.1]), "funding of BTC/USDT:USDT has a RangeIndex as its index; give a DatetimeIndex"),
            (pd.Series([0.1], index=pd.DatetimeIndex([pd.NaT])), "give a DatetimeIndex without NaT"),
            (pd.Series([0.1, 2.0], index=pd.to_datetime(["2024-01-02", "2024-01-01"])), r"at 2024-01-01.* is .*2\.0"),
            (pd.Series([math.nan], index=pd.to_datetime(["2024-01-02"])), r"is .*nan.*\.dropna\(\)"),
            (pd.Series(["a"], index=pd.to_datetime(["2024-01-02"])), "holds something that is no number"),
            (pd.Series([0.1, 0.1], index=pd.to_datetime(["2024-01-02"] * 2)), "two rates at 2024-01-02; keep one"),
        ],
    )
    def test_rates_that_cannot_be_are_named(self, funding: Any, message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            prepare(Always(), [made(), made(instrument=SPOT)], rules=wb.Rules(funding=funding))


class TestSigma:
    """The volatility that square-root impact reads."""

    costs = wb.Costs(impact="square_root")

    def test_it_is_the_deviation_of_the_hundred_returns_before(self) -> None:
        bars = made(300)
        sigma = line_of(Always(), bars, costs=self.costs).sigma
        moved = np.diff(np.log(bars.close))
        assert np.isnan(sigma[:3]).all()
        for i in (3, 50, 101, 102, 299):
            known = moved[max(0, i - 1 - 100) : i - 1]
            assert sigma[i] == pytest.approx(known.std(ddof=1), rel=1e-9)

    @settings(max_examples=50)
    @given(n=st.integers(2, 260), cut=st.integers(1, 260), seed=st.integers(0, 9))
    def test_it_knows_nothing_of_later_bars(self, n: int, cut: int, seed: int) -> None:
        bars = made(n, seed=seed)
        whole = line_of(Always(), bars, costs=self.costs).sigma
        part = line_of(Always(), bars[:cut], costs=self.costs).sigma
        np.testing.assert_array_equal(part, whole[:cut])

    def test_a_longer_bar_among_finer_ones_counts_by_the_root_of_its_time(self) -> None:
        fine = made(400, timeframe="15m", seed=3)
        bars = wb.data.resample(fine, "1h")
        held = np.arange(400) // 4 != 90  # one hour has no finer bars
        kept = wb.Bars(
            instrument=PERPETUAL, timeframe="15m",
            **{name: getattr(fine, name)[held] for name in ("ts", "open", "high", "low", "close", "volume")},
        )  # fmt: skip
        line = line_of(Always(), bars, costs=self.costs, detail=kept)
        whole = line_of(Always(), bars, costs=self.costs, detail=fine).sigma
        assert line.span[360] == HOUR
        assert line.sigma[360] == pytest.approx(2 * whole[360])  # the same bars before it, four times its length
        moved = np.diff(np.log(line.close))[269:369]
        moved[90] /= 2
        assert line.sigma[370] == pytest.approx(moved.std(ddof=1))


class TestOrderStrategies:
    """What an order strategy hears."""

    def test_the_finest_series_is_the_market_and_the_others_are_heard(self) -> None:
        hours, quarters = made(12), made(48, timeframe="15m")
        other = made(instrument=PERPETUAL.replace(symbol="ETH/USDT:USDT"))
        plan = prepare(Orders(), [hours, other, quarters])
        assert [line.bars for line in plan.lines] == [quarters, other]
        assert plan.extra == (hours,)
        assert plan.lines[0].signals is None and len(plan.lines[0].ts) == 48

    def test_both_sides_at_once(self) -> None:
        assert prepare(Orders(), made(), rules=wb.Rules(positions="hedge")).account.hedge

    def test_a_signal_strategy_hears_one_timeframe(self) -> None:
        with pytest.raises(
            DataError, match=r"BTC/USDT:USDT is given as 1h, 15m: a signal strategy hears one timeframe"
        ):
            prepare(Always(), [made(), made(timeframe="15m")])


@pytest.mark.parametrize(
    ("strategy", "bars", "options", "error", "message"),
    [
        (Always(), [], {}, DataError, "bars is empty: give wb.Bars, or a list with one for each instrument"),
        (Always(), made()[:0], {}, DataError, "BTC/USDT:USDT 1h: there are no bars to trade"),
        (Always(), [made(), made()], {}, DataError, "BTC/USDT:USDT 1h is given twice: give each series once"),
        (Always(), [made(), 5], {}, DataError, "bars is a int: give wb.Bars"),
        (Always(), [made(), made(instrument=PERPETUAL.replace(venue="okx"))], {}, DataError, "of several venues"),
        (Always(), [made(), made(instrument=wb.Instrument.default("AAPL"))], {}, DataError,
         r"paid for in different currencies \(BTC/USDT:USDT in USDT, AAPL in USD\)"),
        ({}, made(), {}, StrategyError, "signals by symbol do not fit the bars: none of BTC/USDT:USDT; the bars"),
        ({"BTC/USDT:USDT": said(), "X": said()}, made(), {}, StrategyError, "do not fit the bars: no bars of 'X'"),
        ({"BTC/USDT:USDT": [True]}, made(), {}, StrategyError, "said of BTC/USDT:USDT is a list: give wb.Signals"),
        (said(5), made(), {}, StrategyError, "signals say 5 bars, but there are 12"),
        (said(), [made(), made(instrument=PERPETUAL.replace(symbol="B/USDT:USDT"))], {}, StrategyError,
         "these wb.Signals are of one instrument, but there are 2: give a dict"),
        (Always(), made(), {"leverage": 0}, ConfigError, "leverage of BTC/USDT:USDT = 0; give a number of at least 1"),
        (Always(), made(), {"leverage": math.nan}, ConfigError, "leverage of BTC/USDT:USDT = nan; give"),
        (Always(), made(), {"leverage": "3"}, ConfigError, "leverage of BTC/USDT:USDT = '3'"),
        (Always(), made(), {"leverage": {"X": 2}}, ConfigError, "leverage of 'X', which is not among what is traded"),
        (Always(), made(), {"leverage": 200}, ConfigError, "leverage of BTC/USDT:USDT = 200 is more than its 125"),
        (Always(), made(instrument=PERPETUAL.replace(leverage_tiers=TIERS)), {"leverage": 21}, ConfigError,
         "= 21 is more than its 20; lower it, or"),
        (Always(), made(), {"costs": 0.001}, ConfigError, "costs is a float: give wb.Costs"),
        (Always(), made(), {"costs": {"X": wb.Costs()}}, ConfigError, "costs of 'X', which is not among"),
        (Always(), made(), {"cash": -1}, ConfigError, "cash = -1: start with a finite amount above zero"),
        (Always(), made(), {"fill": "open"}, ConfigError, "fill = 'open' is not one of 'next_open', 'close'"),
        (Always(), made(), {"rules": {"margin": "cross"}}, ConfigError, "rules is a dict: give wb.Rules"),
        (Always(), made(), {"rules": wb.Rules(positions="hedge")}, ConfigError, "'hedge' is for order strategies"),
        (Always(), made(), {"rules": wb.Rules(account="cash")}, ConfigError, "a perpetual, which a cash"),
        (said(short_entry=np.arange(12) == 1), made(instrument=SPOT), {"rules": wb.Rules(account="cash")}, ConfigError,
         "a cash account sells nothing short, but the signals of BTC/USDT have short entries"),
        (Always(), made(instrument=SPOT), {"rules": wb.Rules(account="cash"), "leverage": 2}, ConfigError,
         "a cash account borrows nothing"),
    ],
)  # fmt: skip
def test_what_is_said_wrong_is_named(
    strategy: Any, bars: Any, options: dict, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        prepare(strategy, bars, **options)


def test_ladders_that_differ_are_named() -> None:
    series = [made(instrument=SPOT), made(instrument=SPOT.replace(symbol="ETH/USDT"))]
    with pytest.raises(StrategyError, match=r"roi and max_bars are the same for all instruments, but BTC/USDT has"):
        prepare({"BTC/USDT": said(max_bars=2), "ETH/USDT": said(max_bars=3)}, series)
