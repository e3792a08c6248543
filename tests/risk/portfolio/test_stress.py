"""Scenarios, liquidation and liquidity: by hand, and against the arithmetic of margin."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.risk.portfolio.books import HELD, PRICES, RATES
from workbench.errors import ConfigError, DataError
from workbench.risk.portfolio import CRASHES, Balance, Holding, Market, Scenario, Terms, measure
from workbench.risk.portfolio.liquidation import touch_probability
from workbench.trading.margin import liquidation_level

RISK = measure(HELD, PRICES, rates=RATES)


def test_shocks_by_hand() -> None:
    scenario = Scenario(name="x", shocks={"BTC": -0.5, "coins": 0.1, "*": -0.2}, currencies={"EUR": -0.1})
    found = RISK.stress(scenario).loc["x"]
    # BTC by its asset, ETH by its group (short 10,000), DAX by all: 20,000 EUR-dollars at 0.8 * 0.9, money at 0.9.
    assert found["profit"] == pytest.approx(-20_000 - 1_000 + 20_000 * (0.8 * 0.9 - 1) - 1_250)
    assert found["share"] == pytest.approx(found["profit"] / 77_500)
    assert found["worst"] == "BTC/USDT, main at binance, trend" and found["covered"] == 1.0
    assert RISK.stress(Scenario(name="x", shocks={"BTC/USDT": -0.1, "BTC": 0.9})).loc["x", "profit"] == -4_000.0
    up = RISK.stress(Scenario(name="up", shocks={"ETH": 0.31})).loc["up"]
    assert up["liquidated"] == "ETH/USDT:USDT, perp at binance, hedge"
    # 5,000 of equity stand behind 10,000 short at 1 %: a rise by 49 % leaves 100 and must leave 149.
    assert "account perp at binance" in RISK.stress(Scenario(name="up", shocks={"ETH": 0.49})).loc["up", "liquidated"]


def test_a_stretch_of_the_past_is_lived_again() -> None:
    scenario = Scenario(name="spring", window=("2020-03-01", "2020-03-20"))
    growth = PRICES.loc["2020-03-20"] / PRICES.loc["2020-03-01"]
    expected = 40_000 * (growth["BTC/USDT"] - 1) - 10_000 * (growth["ETH/USDT"] - 1)
    expected += 20_000 * (growth["DAX"] * growth["EUR/USD"] - 1) + 12_500 * (growth["EUR/USD"] - 1)
    found = RISK.stress(scenario).loc["spring"]
    assert found["profit"] == pytest.approx(expected) and found["covered"] == 1.0


def test_what_had_no_price_then_is_said_or_moves_with_a_proxy() -> None:
    prices = PRICES.copy()
    prices.loc[:"2020-04-01", "BTC/USDT"] = np.nan
    risk = measure(HELD, prices, rates=RATES)
    scenario = Scenario(name="spring", window=("2020-03-01", "2020-03-20"))
    bare = risk.stress(scenario).loc["spring"]
    assert bare["covered"] == pytest.approx(30 / 70) and bare["proxied"] == ""
    moved = risk.stress(scenario, proxies={"BTC/USDT": "ETH/USDT"}).loc["spring"]
    both = prices[["BTC/USDT", "ETH/USDT"]].dropna().pct_change().dropna()
    beta = both.cov().iloc[0, 1] / both["ETH/USDT"].var()
    growth = prices["ETH/USDT"]["2020-03-20"] / prices["ETH/USDT"]["2020-03-01"] - 1
    assert moved["profit"] - bare["profit"] == pytest.approx(40_000 * max(beta * growth, -1))
    assert (moved["covered"], moved["proxied"]) == (1.0, "BTC/USDT")
    with pytest.raises(DataError, match="the proxy of BTC/USDT is 'GOLD'"):
        risk.stress(scenario, proxies={"BTC/USDT": "GOLD"})


def test_the_usual_scenarios() -> None:
    table = RISK.stress()
    assert set(table["kind"]) == {"crash", "shock", "worst", "correlation", "liquidity"}
    assert "Bitcoin, 12 March 2020" in table.index and "Lehman, 2008" not in table.index
    assert table["profit"].is_monotonic_increasing
    assert table["profit"]["everything +10 %"] == pytest.approx(5_000.0)
    assert table["profit"]["BTC \N{MINUS SIGN}20 %"] == pytest.approx(-8_000.0)
    worst = RISK.profits(5)
    assert table["profit"][f"worst 5 days, to {worst.idxmin():%Y-%m-%d}"] == pytest.approx(worst.min())
    assert [scenario.name for scenario in CRASHES] == list(dict.fromkeys(scenario.name for scenario in CRASHES))


def test_correlation_one_by_hand() -> None:
    held = [
        Holding(symbol="BTC/USDT", quantity=1.0, price=100.0, currency="USD"),
        Holding(symbol="ETH/USDT", quantity=-1.0, price=50.0, currency="USD"),
    ]
    risk = measure(held, PRICES, terms=Terms(level=0.95, horizon=4))
    btc, eth = (
        PRICES[name].pct_change().dropna().std() * 2.0 * 1.6448536269514722 for name in ("BTC/USDT", "ETH/USDT")
    )
    table = risk.stress()
    assert table["profit"]["correlations go to one, 95 % loss of 4 days"] == pytest.approx(-abs(100 * btc - 50 * eth))
    assert table["profit"]["every hedge fails, 95 % loss of 4 days"] == pytest.approx(-(100 * btc + 50 * eth))


def test_distances_to_liquidation() -> None:
    row = RISK.liquidation.iloc[0]
    assert row["distance"] == pytest.approx(0.3) and row["loss"] == pytest.approx(-3_000.0)
    usual = PRICES["ETH/USDT"].pct_change().dropna().std()
    assert row["volatilities"] == pytest.approx(0.3 / usual)
    assert row["probability"] == pytest.approx(math.erfc(math.log(1.3) / usual / math.sqrt(2.0)))
    beyond = measure([replace(HELD[1], price=2_700.0)], PRICES, rates=RATES)
    assert beyond.liquidation["distance"].tolist() == [0.0] and beyond.liquidation["probability"].tolist() == [1.0]


def test_the_chance_to_touch_is_that_of_walks() -> None:
    """Reflection, against 20,000 random walks of 400 steps; steps miss some of what a path would touch."""
    rng = np.random.default_rng(0)
    lowest = np.cumsum(rng.normal(0.0, 0.01, size=(20_000, 400)), axis=1).min(axis=1)
    assert touch_probability(-0.2, 0.01, 400) == pytest.approx(float((lowest <= math.log(0.8)).mean()), rel=0.07)
    assert (touch_probability(-1.0, 0.1, 5), touch_probability(0.0, 0.1, 5)) == (0.0, 1.0)


def test_an_account_bears_what_the_arithmetic_of_margin_says() -> None:
    """Long 5 at 100 with 100 of money at 5 %: 100 + 500 s = 25 + 25 s, so s = -75 / 475."""
    held = [
        Holding(
            symbol="A", quantity=5.0, price=100.0, currency="USD", margined=True, entry_price=100.0, maintenance=0.05
        ),
        Balance(amount=100.0, currency="USD"),
    ]
    row = measure(held).accounts.iloc[0]
    assert row["fall"] == pytest.approx(-75 / 475) and row["against"] == pytest.approx(75 / 475)
    assert math.isnan(row["rise"]) and row["used"] == pytest.approx(0.25) and row["leverage"] == 5.0
    level = liquidation_level(100.0, 5.0, 100.0, ((0.0, 0.05, 0.0, 20.0),))
    assert 100.0 * (1.0 + row["fall"]) == pytest.approx(level)
    short = [replace(held[0], quantity=-5.0), held[1]]
    level = liquidation_level(100.0, -5.0, 100.0, ((0.0, 0.05, 0.0, 20.0),))
    assert 100.0 * (1.0 + measure(short).accounts.iloc[0]["rise"]) == pytest.approx(level)
    gone = [held[0], Balance(amount=20.0, currency="USD")]
    assert measure(gone).accounts[["fall", "rise", "against"]].to_numpy().tolist() == [[0.0, 0.0, 0.0]]
    unknown = [replace(held[0], maintenance=None), held[1]]
    assert measure(unknown).accounts[["maintenance", "fall", "against"]].isna().all(axis=None)


def test_selling_by_hand() -> None:
    table = RISK.liquidity(Market(participation=0.1))
    btc = table.loc["BTC/USDT, main at binance, trend"]
    # 40,000 at a tenth of 4,000,000 a day; half of a tenth of a percent; volatility times the root of one hundredth.
    assert btc["days"] == pytest.approx(0.1) and btc["spread_cost"] == pytest.approx(20.0)
    usual = PRICES["BTC/USDT"].pct_change().dropna().std()
    assert btc["impact_cost"] == pytest.approx(usual * 0.1 * 40_000)
    assert math.isnan(table["cost"]["all"])  # of the shares nothing is known
    known = measure(HELD[:2], PRICES, rates=RATES)
    assert known.liquidity()["cost"]["all"] == pytest.approx(known.liquidity()["cost"].drop("all").sum())
    slow = known.liquidity(Market(participation=0.001))
    assert slow["days"]["all"] == pytest.approx(10.0)
    assert slow["impact_cost"].iloc[0] == pytest.approx(40_000 * usual * math.sqrt(0.001))
    stressed = known.liquidity(Market(volume=0.25, spread=4.0, volatility=2.0))
    assert stressed["cost"]["all"] == pytest.approx(4.0 * known.liquidity()["cost"]["all"])
    assert "can be sold within a day" in known.sentences[-1]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"shocks": {"BTC": -1.5}}, "the shock of BTC is -1.5"),
        ({"shocks": {"BTC": "-10%"}}, "give a return"),
        ({}, "give shocks or a window"),
        ({"shocks": {"BTC": -0.1}, "window": ("2020-01-01", "2020-02-01")}, "one of them"),
        ({"window": ("2020-02-01", "2020-01-01")}, "it must go forward"),
        ({"window": ("spring", "2020-01-01")}, "give two days"),
        ({"window": ("2020-01-01",)}, "give two days"),
    ],
)
def test_wrong_scenarios_are_refused(wrong: dict, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Scenario(name="x", **wrong)


def test_wrong_questions_are_refused() -> None:
    with pytest.raises(ConfigError, match="is no Scenario"):
        RISK.stress(["crash"])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match="participation = 0"):
        Market(participation=0)
    with pytest.raises(DataError, match="give prices to the portfolio"):
        measure(HELD, rates=RATES).stress(CRASHES[0])
    assert pd.isna(RISK.stress(CRASHES[0])["profit"]).sum() == 0
