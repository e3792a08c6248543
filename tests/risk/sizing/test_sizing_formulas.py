"""Every sizing by hand: the formula's own numbers, what is refused, and what holds for any state."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, replace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import workbench as wb
from workbench.errors import ConfigError
from workbench.risk import sizing as sz
from workbench.risk.sizing import Caps, SizingState

ALL = Caps(position=None)


def state(**said: Any) -> SizingState:
    return SizingState(**{"equity": 10_000.0, "price": 100.0, "cash": 10_000.0, "peak": 10_000.0, **said})


# What each comes to, worked out by hand on 10,000 at a price of 100.
GOLDEN: dict[str, tuple[sz.Sizing, SizingState, float]] = {
    "quantity": (sz.FixedQuantity(7.5), state(), 7.5),
    "cash: 1,500 / 100": (sz.FixedCash(1_500.0), state(), 15.0),
    "a tenth: 1,000 / 100": (sz.PercentEquity(0.1), state(), 10.0),
    "1 % to a stop 5 away: 100 / 5": (sz.FixedRisk(0.01), state(stop=95.0), 20.0),
    "1 % of a short to a stop 5 away": (sz.FixedRisk(0.01), state(stop=105.0, side=-1.0), 20.0),
    "1 % over two ATR of 4: 100 / 8": (sz.PercentVolatility(0.01, multiple=2.0), state(measure=4.0), 12.5),
    # Faith, Way of the Turtle: heating oil, N 0.0141, 1 % of a million, 42,000 gallons a contract: 16.88 units
    "the Turtles' heating oil": (
        sz.PercentVolatility(0.01, length=20),
        state(equity=1e6, price=0.6, measure=0.0141, contract_size=42_000.0),
        10_000.0 / (0.0141 * 42_000.0),
    ),
    "15 % of 60 % a year: a quarter": (sz.VolatilityTarget(0.15), state(measure=0.6), 25.0),
    "half Kelly of 0.25 at a stop 20 away": (sz.Kelly(win_rate=0.5, payoff=2.0), state(stop=80.0), 62.5),
    "half Kelly of 0.25 where a loss is a quarter": (sz.Kelly(win_rate=0.5, payoff=2.0, loss=0.25), state(), 50.0),
    # p = 2/3, W = 0.06, L = 0.03: b = 2, f = 2/3 - 1/6 = 0.5, 0.5 / 0.03 of the equity
    "full Kelly of trades": (
        sz.Kelly(1.0, shrink=False, min_trades=3, lookback=3), state(returns=[0.04, 0.08, -0.03], leverage=20.0),
        0.5 / 0.03 * 100.0,
    ),
    # f of +2 and -1 is 0.25: a quarter of the equity at a worst trade of a tenth
    "optimal f of trades": (
        sz.OptimalF(1.0, min_trades=2), state(returns=[0.2, -0.1], leverage=5.0), 250.0,
    ),
    "a weight of 0.3": (sz.RiskParity(), state(measure=0.3), 30.0),
    # Black and Perold: m (W - F) = 3 (10,000 - 8,000)
    "a cushion of 2,000, three times": (sz.CPPI(), state(), 60.0),
    "a cushion of 1,000 three times": (sz.CPPI(), state(equity=9_000.0), 30.0),
    "a floor that has risen to 9,600": (sz.CPPI(ratchet=True), state(equity=11_000.0, peak=12_000.0), 42.0),
    "two wins in a row": (sz.AntiMartingale(sz.PercentEquity(0.02)), state(returns=[0.1, -0.1, 0.1, 0.2]), 4.5),
    "wins beyond the steps": (sz.AntiMartingale(sz.PercentEquity(0.02), factor=2.0), state(returns=[0.1] * 9), 16.0),
    "the second addition": (sz.Pyramid(sz.PercentEquity(0.1)), state(adds=2), 2.5),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_the_formula(name: str) -> None:
    sizing, given_, expected = GOLDEN[name]
    found = replace(sizing, caps=ALL).decide(given_)
    assert found.quantity == pytest.approx(expected, rel=1e-12)
    assert (found.code, found.limit) == ("", "sizing") and found.why
    assert found.quantity == replace(sizing, caps=ALL).quantity(given_)


@pytest.mark.parametrize(
    ("sizing", "said", "code", "word"),
    [
        (sz.FixedRisk(), {}, "no_stop", "stop"),
        (sz.Kelly(win_rate=0.5, payoff=2.0), {}, "no_stop", "stop"),
        (sz.PercentVolatility(), {}, "no_volatility", "not known"),
        (sz.PercentVolatility(), {"measure": 0.0}, "no_volatility", "zero"),
        (sz.VolatilityTarget(), {"measure": 0.0}, "no_volatility", "zero"),
        (sz.RiskParity(), {"measure": 0.0}, "no_volatility", "zero"),
        (sz.Pyramid(sz.PercentVolatility()), {}, "no_volatility", "not known"),
        (sz.Kelly(win_rate=0.5, payoff=1.0), {"stop": 90.0}, "no_edge", "loses"),
        (sz.Kelly(min_trades=2), {"returns": [0.1, -0.1]}, "no_edge", "no edge"),
        (sz.Kelly(min_trades=2), {"returns": [-0.1, -0.1]}, "no_edge", "none of the last 2 trades won"),
        (sz.OptimalF(min_trades=2), {"returns": [0.1, -0.2]}, "no_edge", "lost on average"),
        (sz.CPPI(), {"equity": 8_000.0}, "floor_reached", "at its floor"),
        (sz.CPPI(), {"equity": 7_000.0}, "floor_reached", "at its floor"),
        (sz.PercentEquity(0.1), {"equity": 0.0}, "no_equity", "no money"),
        (sz.PercentEquity(0.1), {"equity": -5.0}, "no_equity", "no money"),
        (sz.PercentEquity(0.1), {"equity": math.nan}, "no_equity", "no money"),
        (sz.PercentEquity(0.1), {"available": 0.0}, "no_equity", "no money"),
        (sz.FixedQuantity(1.0), {"lot": 5.0}, "below_min_notional", "0 in whole lots of 5"),
        (sz.FixedQuantity(1.0), {"min_notional": 100.1}, "below_min_notional", "less than the smallest order"),
        (sz.FixedQuantity(1.0), {"symbol": "A", "exposures": {"A": 2_000.0}}, "cap_reached", "position cap"),
    ],
)
def test_what_is_refused(sizing: sz.Sizing, said: dict[str, Any], code: str, word: str) -> None:
    found = sizing.decide(state(**said))
    assert (found.code, word in found.why) == (code, True), found
    assert sizing.quantity(state(**said)) == 0.0


@pytest.mark.parametrize("kind", [sz.Kelly, sz.OptimalF])
def test_a_position_is_worth_the_least_that_keeps_it_learning(kind: Any) -> None:
    for returns in ([0.1, -0.1], [-0.1, -0.1], [0.1001, -0.1]):
        assert kind(min_trades=2, least=0.01).quantity(state(returns=returns)) == pytest.approx(1.0)


def test_kelly_of_trades_that_are_over() -> None:
    """p = 2/3, W = 0.06, L = 0.03: 0.5 of the equity at risk; a quarter of it, over a loss of 0.03."""
    made = sz.Kelly.from_trades([0.04, 0.08, -0.03], fraction=0.25, shrink=False, caps=ALL)
    assert made == sz.Kelly(0.25, win_rate=2 / 3, payoff=2.0, loss=0.03, trades=3, shrink=False, caps=ALL)
    assert made.quantity(state(leverage=10.0)) == pytest.approx(0.125 / 0.03 * 100.0)
    assert made.per_bar(np.array([1.0]), 1.0) is not None
    for returns, message in (([0.1], "1 of 1 trades won, 0 lost"), ([0.1, math.nan], "not a finite number")):
        with pytest.raises(ConfigError, match=message):
            sz.Kelly.from_trades(returns)


def test_a_position_is_worth_a_fifth_of_the_equity_at_most() -> None:
    for sizing in (sz.FixedQuantity(1e9), sz.FixedRisk(1.0), sz.Kelly(min_trades=1), sz.PercentEquity(1.0)):
        asked = state(stop=99.9, returns=[0.1], leverage=100.0)
        assert sizing.decide(asked)[:2] == (20.0, "") and sizing.decide(asked).limit == "position"


def test_the_account_pays_what_it_can() -> None:
    assert sz.FixedQuantity(1e9, caps=ALL).decide(state(leverage=3.0)).limit == "money"
    assert sz.FixedQuantity(1e9, caps=ALL).quantity(state(leverage=3.0)) == pytest.approx(300.0)
    assert sz.FixedQuantity(1e9, caps=ALL).quantity(state(available=500.0)) == 5.0
    assert sz.FixedQuantity(1e9, caps=ALL).quantity(state(affordable=4.2, lot=0.1)) == 4.2


def test_caps_of_a_group_and_of_all() -> None:
    caps = Caps(position=0.5, group={"a": 0.3, "b": 0.9}, total=0.8, groups={"X": "a", "Y": "a", "Z": "b"})
    held = {"X": 1_000.0, "Z": 4_000.0}
    rooms = {name: caps.room(state(symbol=name, exposures=held)) for name in "XYZW"}
    assert {name: room.cap for name, room in rooms.items()} == {
        "X": "group", "Y": "group", "Z": "position", "W": "total",
    }  # fmt: skip
    assert [room.value for room in rooms.values()] == pytest.approx([2_000.0, 2_000.0, 1_000.0, 3_000.0])


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"position": 0.0}, "position = 0.0; give a fraction of equity above 0"),
        ({"position": "20%"}, "position = '20%'; give a fraction"),
        ({"total": math.inf}, "total = inf; give a fraction"),
        ({"total": True}, "total = True; give a fraction"),
        ({"group": 0.5}, "a cap of groups, but no groups"),
        ({"group": {"a": -1}, "groups": {"X": "a"}}, "group 'a' = -1; give a fraction"),
        ({"groups": {"X": 1}}, "give the group of each symbol"),
    ],
)
def test_caps_that_are_wrong(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Caps(**said)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sz.FixedQuantity(0.0), "FixedQuantity: units = 0.0; give a number above 0"),
        (lambda: sz.FixedCash(math.nan), "FixedCash: money = nan"),
        (lambda: sz.FixedRisk(2.0), "FixedRisk: fraction = 2.0; give a fraction of equity above 0 and at most 1"),
        (lambda: sz.FixedRisk(True), "FixedRisk: fraction = True"),
        (lambda: sz.PercentVolatility(length=0), "length = 0; give a whole number of bars, at least 1"),
        (lambda: sz.PercentVolatility(length=2.5), "length = 2.5; give a whole number"),  # type: ignore[arg-type]
        (lambda: sz.VolatilityTarget(-0.1), "target = -0.1; give a volatility a year above 0"),
        (lambda: sz.Kelly(win_rate=0.5), "win_rate and payoff go together"),
        (lambda: sz.Kelly(win_rate=1.5, payoff=1.0), "win_rate = 1.5 and payoff = 1.0: give a probability"),
        (lambda: sz.Kelly(loss=0.1), "loss and trades are of a known edge"),
        (lambda: sz.Kelly(min_trades=200), "min_trades = 200 is more than lookback = 100"),
        (lambda: sz.Kelly(least=-0.1), "least = -0.1; give a fraction of equity, or 0, above 0"),
        (lambda: sz.OptimalF(1.5), "fraction = 1.5; give a fraction of optimal f above 0 and at most 1"),
        (lambda: sz.RiskParity(covariance="none"), "covariance = 'none' is not one of"),  # type: ignore[arg-type]
        (lambda: sz.CPPI(floor_at=1.0), "floor_at = 1.0 leaves no cushion"),
        (lambda: sz.CPPI().decide(SizingState(equity=1.0, price=1.0)), "SizingState has no cash to take the floor"),
        (lambda: sz.AntiMartingale(factor=0.5), "factor = 0.5 adds nothing"),
        (lambda: sz.AntiMartingale(base=0.01), "base = 0.01; give a sizing"),  # type: ignore[arg-type]
        (lambda: sz.Pyramid(adds=0), "adds = 0; give a whole number of additions"),
        (lambda: sz.FixedCash(1.0, caps=0.2), "caps = 0.2; give Caps"),  # type: ignore[arg-type]
        (lambda: state(price=0.0), "price = 0.0; give the price of the trade"),
        (lambda: state(leverage=0.5), "leverage = 0.5; give at least 1"),
        (lambda: state(contract_size=0.0), "contract_size = 0.0"),
    ],
)
def test_numbers_that_are_wrong(make: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


def test_kelly_s_fraction() -> None:
    assert sz.kelly_fraction(0.6, 1.0) == pytest.approx(0.2)  # 2p - 1 at even odds
    assert sz.kelly_fraction(0.5, 2.0) == 0.25
    assert sz.kelly_fraction(0.4, 1.0) == sz.kelly_fraction(0.0, 5.0) == 0.0
    assert sz.kelly_fraction(1.0, 0.1) == 1.0


@given(st.floats(0.05, 0.95), st.floats(0.1, 10.0))
def test_kelly_grows_fastest(rate: float, payoff: float) -> None:
    best = sz.kelly_fraction(rate, payoff)

    def growth(fraction: float) -> float:
        return rate * math.log1p(payoff * fraction) + (1.0 - rate) * math.log1p(-fraction)

    assert growth(best) >= max(growth(max(best - 0.01, 0.0)), growth(min(best + 0.01, 0.999))) - 1e-12


def test_what_is_known_of_few_trades_is_bet_on_less() -> None:
    """b = 2, p = 0.5: f = 0.25; its variance is 1.5^2 x 0.25 / 100 = 0.005625, and 0.0625 / 0.068125 = 0.917431."""
    assert sz.shrunk(0.5, 2.0, 100) == pytest.approx(0.0625 / 0.068125)
    assert sz.shrunk(0.5, 2.0, 10) < sz.shrunk(0.5, 2.0, 100) < sz.shrunk(0.5, 2.0, 10**9)
    assert sz.shrunk(0.5, 2.0, 10**12) == pytest.approx(1.0)
    assert sz.shrunk(0.3, 1.0, 100) == sz.shrunk(0.6, 1.0, 0) == 0.0


def test_the_factor_loses_the_least_to_second_order() -> None:
    """Estimates scatter around the true fraction: k times them is nearest to it, in the mean square, at the factor."""
    rate, payoff, trades = 0.55, 1.5, 60
    wins = np.random.default_rng(1).binomial(trades, rate, 200_000) / trades
    estimates = wins - (1.0 - wins) / payoff
    factors = np.linspace(0.3, 1.0, 141)
    far = [float(((k * estimates - sz.kelly_fraction(rate, payoff)) ** 2).mean()) for k in factors]
    assert factors[int(np.argmin(far))] == pytest.approx(sz.shrunk(rate, payoff, trades), abs=0.02)


def test_vince_s_own_example() -> None:
    """Portfolio Management Formulas: of these nine trades the best f is 0.24, to the hundredth."""
    trades = [9.0, 18.0, 7.0, 1.0, 10.0, -5.0, -3.0, -17.0, -7.0]
    assert round(sz.optimal_fraction(trades), 2) == 0.24

    def wealth(f: float) -> float:
        return math.prod(1.0 + f * one / 17.0 for one in trades)

    best = sz.optimal_fraction(trades)
    assert wealth(best) >= max(wealth(best - 1e-4), wealth(best + 1e-4))
    assert sz.optimal_fraction([value * 1e-3 for value in trades]) == pytest.approx(best)


def test_optimal_f_at_its_ends() -> None:
    assert math.isnan(sz.optimal_fraction([1.0, 2.0])) and math.isnan(sz.optimal_fraction([]))
    assert sz.optimal_fraction([-1.0, 1.0]) == sz.optimal_fraction([-1.0]) == 0.0
    assert 0.99 < sz.optimal_fraction([1e9, -1e-9] * 2 + [1e9] * 200) < 1.0


def test_inverse_contracts_lose_in_coins() -> None:
    """100 USD a contract at 50,000: 0.002 coins. To 40,000 it loses 100 / 40,000 - 100 / 50,000 = 0.0005 coins."""
    coins = SizingState(equity=1.0, price=50_000.0, stop=40_000.0, contract_size=100.0, inverse=True, measure=500.0)
    assert coins.unit_value == pytest.approx(0.002) and coins.loss_to(40_000.0) == pytest.approx(0.0005)
    assert sz.FixedRisk(0.01, caps=ALL).quantity(coins) == pytest.approx(20.0)
    assert sz.PercentEquity(0.1).quantity(coins) == pytest.approx(50.0)
    # a move of 500 at 50,000 is 100 x 500 / 50,000^2 = 2e-5 coins a contract; 0.001 coins are 50 of these
    assert sz.PercentVolatility(0.001, caps=ALL).quantity(coins) == pytest.approx(50.0)
    assert coins.loss_to(0.0) == math.inf
    small = replace(coins, min_notional=10_000.0, lot=1.0)
    assert sz.PercentEquity(0.1).decide(small).code == "below_min_notional"  # 50 contracts are 5,000 USD


STATES = st.builds(
    SizingState,
    equity=st.floats(1e-6, 1e12), price=st.floats(1e-8, 1e8), stop=st.floats(1e-8, 1e8), measure=st.floats(1e-12, 1e6),
    leverage=st.sampled_from([1.0, 3.0, 125.0]), lot=st.sampled_from([0.0, 1e-8, 0.001, 0.3, 1.0, 1e6]),
    min_notional=st.sampled_from([0.0, 5.0]), cash=st.just(1_000.0), peak=st.just(2_000.0),
    returns=st.lists(st.floats(-0.9, 2.0), max_size=8), adds=st.integers(0, 3), symbol=st.just("X"),
    exposures=st.dictionaries(st.sampled_from("XYZ"), st.floats(0.0, 1e6), max_size=3),
)  # fmt: skip
ANY = [
    replace(one, caps=Caps(position=0.2, total=0.5))
    for one in (
        sz.FixedQuantity(3.0), sz.FixedCash(100.0), sz.PercentEquity(0.7), sz.FixedRisk(), sz.PercentVolatility(),
        sz.VolatilityTarget(), sz.Kelly(min_trades=2, lookback=5), sz.OptimalF(min_trades=2, lookback=5),
        sz.RiskParity(), sz.CPPI(), sz.CPPI(ratchet=True), sz.AntiMartingale(), sz.Pyramid(sz.PercentEquity(0.3)),
        sz.Kelly(win_rate=0.6, payoff=1.2, loss=0.1),
    )
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(asked=STATES, sizing=st.sampled_from(ANY))
def test_whatever_is_asked(asked: SizingState, sizing: sz.Sizing) -> None:
    found = sizing.decide(asked)
    assert found.why and found == sizing.decide(asked)
    if found.code:
        assert sizing.quantity(asked) == 0.0
        return
    assert 0.0 < found.quantity <= asked.most * (1.0 + 1e-9)
    assert found.quantity * asked.unit_value <= sizing.caps.room(asked).value * (1.0 + 1e-9)
    assert found.quantity * asked.price >= asked.min_notional
    if asked.lot > 0.0 and found.quantity / asked.lot < 1e12:
        lots = found.quantity / asked.lot
        assert abs(lots - round(lots)) < 1e-3


@settings(max_examples=100, deadline=None)
@given(asked=STATES, times=st.sampled_from([2.0, 1_024.0, 0.125]))
def test_all_the_money_in_another_unit_is_the_same_quantity(asked: SizingState, times: float) -> None:
    """Cents instead of dollars: equity, price, stop and measure times a power of two."""
    money = ("equity", "price", "stop", "measure", "cash", "peak")
    scaled = replace(
        asked, min_notional=asked.min_notional * times, **{name: getattr(asked, name) * times for name in money},
        exposures={name: value * times for name, value in asked.exposures.items()},
    )  # fmt: skip
    for sizing in (sz.PercentEquity(0.1), sz.FixedRisk(), sz.PercentVolatility(), sz.CPPI()):
        assert sizing.decide(asked)[:2] == pytest.approx(sizing.decide(scaled)[:2], nan_ok=True)


@pytest.mark.parametrize("kind", sz.KINDS)
def test_every_kind_is_a_value_that_can_be_written_down(kind: str) -> None:
    needed = {"fixed_quantity": {"units": 2.0}, "fixed_cash": {"money": 2.0}, "percent_equity": {"fraction": 0.5}}
    around = {"base": {"fixed_cash": {"money": 3.0}}} if kind in ("anti_martingale", "pyramid") else {}
    said = {kind: needed.get(kind, around), "caps": {"position": None, "total": 0.5}}
    sizing = sz.sizing_of(said)
    assert sz.told(sizing) == said and sz.sizing_of(sz.told(sizing) or {}) == sizing
    assert hash(sizing) == hash(sz.sizing_of(said))
    assert eval(repr(sizing), {**vars(sz)}) == sizing
    with pytest.raises(FrozenInstanceError):
        sizing.caps = ALL  # type: ignore[misc]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({}, "is not one kind of sizing and caps; the kinds are anti_martingale, cppi"),
        ({"martingale": {}}, r"\['martingale'\] is not one kind"),
        ({"cppi": {}, "kelly": {}}, "is not one kind"),
        ({"kelly": {"half": True}}, "kelly has no 'half'; it has fraction, win_rate"),
        ({"fixed_cash": {}}, "fixed_cash wants money too"),
        ({"cppi": {}, "caps": {"all": 1}}, "caps have no 'all'; they have position, group, total, groups"),
        ({"cppi": {}, "caps": 0.2}, "caps = 0.2; give position"),
    ],
)
def test_plain_data_that_are_wrong(said: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        sz.sizing_of(said)


def test_a_sizing_of_ones_own_is_not_written_down() -> None:
    class Mine(sz.Sizing):
        """Of a user."""

        def ask(self, state: SizingState) -> sz.Ask:
            return sz.Ask("quantity", 1.0)

    assert sz.told(Mine()) is None and sz.told(sz.Pyramid(Mine())) is None
    assert Mine().quantity(state()) == 1.0 and Mine().per_bar(np.array([1.0]), 1.0) is None


def test_a_pyramid_waits_for_its_gain() -> None:
    pyramid = sz.Pyramid(adds=2, gain=0.02)
    assert pyramid.wants_more(1, 1.0, 100.0, 102.0) and not pyramid.wants_more(1, 1.0, 100.0, 101.9)
    assert pyramid.wants_more(1, -1.0, 100.0, 98.0) and not pyramid.wants_more(1, -1.0, 100.0, 98.1)
    assert not pyramid.wants_more(2, 1.0, 100.0, 200.0)


def test_the_last_of_what_is_measured_is_the_same_with_less_work() -> None:
    """Bar by bar, two instruments of which one begins later and misses bars: what a bot measures, a backtest does."""
    rng, hour = np.random.default_rng(5), 3_600_000
    closes = 100.0 * np.cumprod(1.0 + 0.01 * rng.standard_normal((90, 2)), axis=0)
    kept = [np.arange(90), np.r_[np.arange(17, 50), np.arange(53, 90)]]

    def seen(end: int) -> list[Any]:
        rows = [one[one < end] for one in kept]
        return [
            wb.Bars(
                instrument=wb.Instrument(symbol=f"{name}/USDT"), timeframe="1h", ts=at * hour, volume=np.ones(len(at)),
                **dict.fromkeys(("open", "high", "low", "close"), closes[at, number]),
            )
            for number, (name, at) in enumerate(zip("AB", rows, strict=True))
        ]  # fmt: skip

    kinds = (sz.RiskParity(lookback=12, every=5, covariance="sample"), sz.PercentVolatility(), sz.VolatilityTarget())
    for sizing in kinds:
        whole = sizing.measures(seen(90))
        for end in range(18, 90, 5):
            for symbol, value in sizing.latest(seen(end)).items():
                row = int(np.searchsorted(kept["AB".index(symbol[0])], end)) - 1
                np.testing.assert_equal(value, whole[symbol][row])
    assert sz.RiskParity().latest(seen(0)) == sz.PercentVolatility().latest(seen(0)) == {}
