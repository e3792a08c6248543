"""A whole portfolio: amounts by hand, both currencies, what is invariant, and input that cannot be."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import examples
from tests.risk.portfolio.books import HELD, PRICES, RATES, prices_of
from workbench.errors import ConfigError, DataError
from workbench.risk.portfolio import DIMENSIONS, Balance, Holding, PortfolioRisk, Terms, measure

DAYS = pd.date_range("2024-01-01", periods=4, tz="UTC")


def whole(**options: object) -> PortfolioRisk:
    return measure(HELD, PRICES, rates=RATES, terms=Terms(**options))  # type: ignore[arg-type]


def test_amounts_by_hand() -> None:
    risk = whole()
    # 40,000 of coins, 5 * 200 won on the short, 16,000 EUR of shares, 10,000 EUR and 4,000 USDT of money.
    assert risk.equity == 40_000 + 1_000 + 16_000 * 1.25 + 12_500 + 4_000
    assert (risk.gross, risk.net) == (70_000.0, 50_000.0)
    assert risk.leverage == pytest.approx(70 / 77.5)
    table = risk.exposures("asset")
    assert table.loc["BTC", ["long", "short", "net"]].tolist() == [40_000.0, 0.0, 40_000.0]
    assert table.loc["ETH", ["long", "short", "net", "positions"]].tolist() == [0.0, -10_000.0, -10_000.0, 1]
    assert risk.exposures("bot").loc["hedge", "equity"] == 5_000.0
    assert risk.exposures("account").loc["perp at binance", "gross"] == 10_000.0
    assert risk.exposures("group").loc["coins", ["gross", "net"]].tolist() == [50_000.0, 30_000.0]
    money = risk.currencies
    assert money.loc["EUR", ["amount", "value", "rate"]].tolist() == [26_000.0, 32_500.0, 1.25]
    assert money["value"].sum() == risk.equity


@pytest.mark.parametrize("by", DIMENSIONS)
def test_every_split_sums_to_the_whole(by: str) -> None:
    for method in ("historical", "parametric", "filtered"):
        risk = whole(method=method, level=0.95)
        exposures = risk.exposures(by)
        for column in ("equity", "long", "short", "gross", "net", "positions"):
            assert exposures[column].drop("all").sum() == pytest.approx(exposures[column]["all"])
        tails = risk.tails(by)
        for column, total in (("component_var", risk.value_at_risk), ("component_es", risk.expected_shortfall)):
            assert tails[column].drop("all").sum() == pytest.approx(total)
            assert tails[column]["all"] == pytest.approx(total)
        assert tails["share"].drop("all").sum() == pytest.approx(1.0)
        parts = risk.contributions(by)
        assert parts["component"].drop("all").sum() == pytest.approx(risk.volatility)


def test_factors_are_the_series_and_sum_too() -> None:
    tails = whole().tails("factor")
    assert set(tails.index) == {"BTC/USDT", "ETH/USDT", "DAX", "EUR/USD", "all"}
    assert tails["component_es"].drop("all").sum() == pytest.approx(tails["component_es"]["all"])
    assert tails.loc["EUR/USD", "exposure"] == 32_500.0


def test_price_and_currency_together_are_exact() -> None:
    """2 shares of 100 EUR at 1.25: the price rises by a tenth, the euro falls by a tenth: 250 become 247.5."""
    prices = pd.DataFrame({"DAX": [100.0, 110.0, 99.0, 99.0], "EUR/USD": [1.0, 0.9, 0.9, 1.0]}, index=DAYS)
    risk = measure([Holding(symbol="DAX", quantity=2.0, price=100.0, currency="EUR")], prices, rates={"EUR/USD": 1.25})
    assert risk.profits().tolist() == pytest.approx([-2.5, -25.0, 250 / 9])
    money = measure([Balance(amount=100.0, currency="USD")], prices, rates={"EUR/USD": 1.25}, currency="EUR")
    assert money.profits().tolist() == pytest.approx([80 / 9, 0.0, -8.0])  # a dollar, in euros: one over the rate
    margined = Holding(symbol="DAX", quantity=2.0, price=100.0, currency="EUR", margined=True, entry_price=90.0)
    # 20 EUR won so far and 20 more: 40 at 0.9 of the rate against 20 at all of it.
    assert measure([margined], prices, rates={"EUR/USD": 1.25}).profits().iloc[0] == pytest.approx(
        1.25 * (40 * 0.9 - 20)
    )


def test_a_currency_moves_alike_whichever_way_round_rate_and_prices_name_it() -> None:
    euro = pd.DataFrame({"EUR/USD": [1.0, 0.9, 0.9, 1.0]}, index=DAYS)
    dollar = (1.0 / euro).set_axis(["USD/EUR"], axis=1)
    held = [Balance(amount=100.0, currency="EUR")]
    found = [
        measure(held, prices, rates=rates).profits().tolist()
        for prices in (euro, dollar)
        for rates in ({"EUR/USD": 1.25}, {"USD/EUR": 0.8})
    ]
    assert found == [pytest.approx([-12.5, 0.0, 125 / 9])] * 4


def test_an_inverse_contract_wins_in_the_coin() -> None:
    """100 dollars long at 50, now 80: 100 (1/50 - 1/80) coins are 60 dollars, and at 40: minus 20."""
    held = Holding(symbol="BTC/USD:BTC", quantity=100.0, price=80.0, currency="USD", margined=True, entry_price=50.0, inverse=True)  # fmt: skip  # noqa: E501
    assert (held.counted, held.exposure) == pytest.approx((60.0, 160.0))
    prices = pd.DataFrame({"BTC/USD": [80.0, 40.0, 40.0, 40.0]}, index=DAYS)
    assert held.counted + measure([held], prices).profits().iloc[0] == pytest.approx(100 * (1 / 50 - 1 / 40) * 40)


def test_a_weekend_of_one_market_is_in_the_return_of_the_next_common_day() -> None:
    prices = pd.DataFrame({"BTC/USDT": [100.0, 110.0, 121.0, 121.0], "SPX": [100.0, None, None, 101.0]}, index=DAYS)
    held = [Holding(symbol=name, quantity=1.0, price=100.0, currency="USD") for name in ("BTC/USDT", "SPX")]
    with pytest.raises(DataError, match="2 rows have a price of all of BTC/USDT, SPX: too few"):
        measure(held, prices)
    longer = pd.concat((prices, pd.DataFrame({"BTC/USDT": [121.0], "SPX": [101.0]}, index=DAYS[-1:] + DAYS.freq)))
    assert measure(held, longer).moves().to_numpy() == pytest.approx(np.array([[0.21, 0.01], [0.0, 0.0]]))
    # Returns in place of prices: the same, whatever the level.
    steps = pd.DataFrame({"BTC/USDT": [0.0, 0.1, 0.1, 0.0, 0.0], "SPX": [0.0, None, None, 0.01, 0.0]}, index=longer.index)  # fmt: skip  # noqa: E501
    again = measure(held, returns=steps)
    assert again.moves().to_numpy() == pytest.approx(measure(held, longer).moves().to_numpy())


def test_horizons_compound() -> None:
    prices = pd.DataFrame({"A": [100.0, 110.0, 99.0, 108.9]}, index=DAYS)
    held = [Holding(symbol="A", quantity=10.0, price=1.0, currency="USD")]
    risk = measure(held, prices, terms=Terms(horizon=2, level=0.9))
    assert risk.profits().tolist() == pytest.approx([-0.1, -0.1])
    normal = [measure(held, PRICES.rename(columns={"DAX": "A"}), terms=Terms(method="parametric", horizon=h)).value_at_risk for h in (1, 4)]  # fmt: skip  # noqa: E501
    assert normal[1] == pytest.approx(2.0 * normal[0])


@given(st.integers(0, 10_000), st.sampled_from(["historical", "parametric", "filtered"]))
@settings(max_examples=max(6, examples(60) // 3))
def test_risk_does_not_depend_on_order_or_unit(seed: int, method: str) -> None:
    terms = Terms(method=method, level=0.95)  # type: ignore[arg-type]
    prices = prices_of(seed, 80)
    risk = measure(HELD, prices, rates=RATES, terms=terms)
    rng = np.random.default_rng(seed)
    shuffled = measure(
        [HELD[k] for k in rng.permutation(len(HELD))], prices[rng.permutation(prices.columns)], rates=RATES, terms=terms
    )
    assert shuffled.value_at_risk == pytest.approx(risk.value_at_risk)
    pd.testing.assert_frame_equal(shuffled.tails("asset").sort_index(), risk.tails("asset").sort_index())
    # Cents in place of dollars: all amounts a hundredfold, all shares the same.
    cents = measure(HELD, prices, currency="CENT", rates={**RATES, "USD/CENT": 100.0}, terms=terms)
    assert cents.expected_shortfall == pytest.approx(100.0 * risk.expected_shortfall)
    assert cents.tails("bot")["share"].to_dict() == pytest.approx(risk.tails("bot")["share"].to_dict())
    doubled = [
        replace(one, quantity=one.quantity * 2) if isinstance(one, Holding) else replace(one, amount=one.amount * 2)
        for one in HELD
    ]
    assert measure(doubled, prices, rates=RATES, terms=terms).value_at_risk == pytest.approx(2 * risk.value_at_risk)
    split = [one for whole in HELD for one in _halves(whole)]
    assert measure(split, prices, rates=RATES, terms=terms).expected_shortfall == pytest.approx(risk.expected_shortfall)


def _halves(one: Holding | Balance) -> list[Holding | Balance]:
    if isinstance(one, Balance):
        return [replace(one, amount=one.amount * share) for share in (0.25, 0.75)]
    return [replace(one, quantity=one.quantity * share) for share in (0.25, 0.75)]


def test_a_perfect_hedge_has_no_risk() -> None:
    held = [
        Holding(symbol="BTC/USDT", quantity=1.0, price=100.0, currency="USD", venue="a"),
        Holding(symbol="BTC/USDT:USDT", quantity=-1.0, price=100.0, currency="USD", venue="b", margined=True),
    ]
    for method in ("historical", "parametric", "filtered"):
        risk = measure(held, PRICES, terms=Terms(method=method))  # type: ignore[arg-type]
        assert (risk.gross, risk.net) == (200.0, 0.0)
        assert risk.expected_shortfall == pytest.approx(0.0, abs=1e-9)
        assert math.isnan(risk.tails("asset").loc["BTC", "marginal_var"])


def test_named_factors_explain() -> None:
    risk = measure(HELD[:1], PRICES, rates={"USDT/USD": 1.0})
    table = risk.factors(["BTC/USDT"])
    assert table.loc["BTC/USDT", "beta"] == pytest.approx(40_000.0)
    assert table.loc["specific", "component_es"] == pytest.approx(0.0, abs=1e-6)
    several = whole().factors(PRICES[["DAX", "EUR/USD"]] * 7.0)
    assert several["component_es"].iloc[:-1].sum() == pytest.approx(several["component_es"]["all"])
    assert several["component_es"]["all"] == pytest.approx(whole().expected_shortfall)
    with pytest.raises(DataError, match=r"no factor \['GOLD'\]"):
        risk.factors("GOLD")
    with pytest.raises(ConfigError, match="method='historical'"):
        whole(method="filtered").factors(["DAX"])


def test_everything_is_shown_and_is_json() -> None:
    risk = measure(HELD, PRICES, rates=RATES, equity=(PRICES["DAX"] * 10).rename("equity"))
    text = json.dumps(risk.to_dict(), allow_nan=False)
    assert json.loads(text)["value_at_risk"] == risk.value_at_risk
    assert risk.sentence.startswith("1-day 99 % VaR is ") and "of it is BTC" in risk.sentence
    assert repr(risk).startswith("<PortfolioRisk 3 positions, equity 77,500 USD, gross 70,000, net 50,000")
    page = risk._repr_html_()
    assert "part of ES" in page and "hedge" in page and "<script" not in page
    strange = measure([replace(HELD[0], bot="<b>x</b>"), HELD[4]], PRICES, rates=RATES)._repr_html_()
    assert "<b>x" not in strange and "&lt;b&gt;x" in strange
    assert [len(figure.axes) for figure in (risk.plot("bot"), risk.plot_correlations(), risk.plot_stress())] == [
        4,
        1,
        1,
    ]
    assert risk.correlations().loc["BTC/USDT", "ETH/USDT"] > 0.2 > risk.correlations("bot").loc["trend", "hedge"]


def test_without_prices_there_are_exposures_only() -> None:
    risk = measure(HELD, rates=RATES)
    assert "VaR" not in risk.sentence and risk.notes == ["no prices: exposures only"]
    assert json.dumps(risk.to_dict(), allow_nan=False) and "part of ES" not in risk._repr_html_()
    assert set(risk.stress()["kind"]) == {"shock"}
    with pytest.raises(DataError, match="give prices= or returns="):
        _ = risk.value_at_risk
    nothing = measure([Balance(amount=5.0, currency="USD")], PRICES)
    assert nothing.value_at_risk == 0.0 and "nothing is lost" in nothing.sentence


def test_notes_say_what_is_doubtful() -> None:
    told = " ".join(measure(HELD, PRICES.head(60), rates=RATES).notes)
    assert "USDT/USD" in told and "0.6 of 59 cases lie beyond 99 %" in told
    bare = [replace(HELD[1], entry_price=None)]
    assert any("no equity above zero" in note for note in measure(bare, PRICES, rates=RATES).notes)
    assert math.isnan(measure(bare, PRICES, rates=RATES).leverage)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("price", 0.0, r"BTC/USDT: price = 0.0; give a number above 0"),
        ("quantity", math.nan, "give a finite number"),
        ("quantity", "1", "give a finite number"),
        ("spread", 1.5, "give a number of 0 to below 1"),
        ("maintenance", -0.1, "give a number of 0 to below 1"),
        ("daily_value", 0.0, "give a number above 0"),
        ("liquidation_price", math.inf, "give a number of 0 or more"),
        ("currency", "", "give the name of one currency"),
        ("symbol", " ", "give a name"),
        ("inverse", True, "say margined=True as well"),
    ],
)
def test_wrong_holdings_are_refused(field: str, value: object, says: str) -> None:
    with pytest.raises(DataError, match=says):
        replace(HELD[0], **{field: value})


def test_wrong_portfolios_are_refused() -> None:
    with pytest.raises(DataError, match=r"no rate leads from EUR to USD") as caught:
        measure(HELD, PRICES, rates={"USDT/USD": 1.0})
    assert "needed for Holding(symbol='DAX'" in caught.value.__notes__[0]
    with pytest.raises(DataError, match=r"DAX: the prices have no column 'DAX'"):
        measure(HELD, PRICES[["BTC/USDT", "ETH/USDT"]], rates=RATES)
    with pytest.raises(DataError, match="a portfolio of nothing"):
        measure([], PRICES)
    with pytest.raises(DataError, match="neither a Holding nor a Balance"):
        measure(["BTC"], PRICES)
    with pytest.raises(DataError, match="prices are finite and above zero; found -1"):
        measure(HELD, PRICES * -1.0 / PRICES, rates=RATES)
    with pytest.raises(DataError, match="must rise, each once"):
        measure(HELD, PRICES[::-1], rates=RATES)
    with pytest.raises(DataError, match="one of them"):
        measure(HELD, PRICES, returns=PRICES, rates=RATES)
    with pytest.raises(ConfigError, match="by = 'moon' is not one of"):
        whole().tails("moon")
    for wrong in ({"level": 1.0}, {"level": "99"}, {"horizon": 0}, {"horizon": 1.5}, {"method": "magic"}, {"decay": 1}):
        with pytest.raises(ConfigError):
            Terms(**wrong)  # type: ignore[arg-type]


def test_input_is_not_changed() -> None:
    before = PRICES.copy()
    risk = whole()
    _ = risk.to_dict()
    pd.testing.assert_frame_equal(PRICES, before)
    table = risk.exposures("bot")
    table["gross"] = 0.0
    assert risk.exposures("bot")["gross"]["all"] == 70_000.0


def test_a_holding_is_code() -> None:
    assert eval(repr(HELD[1])) == HELD[1] and eval(repr(HELD[4])) == HELD[4]
