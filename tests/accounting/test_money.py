"""Money: exact, of one currency, never rounded unless told how."""

from __future__ import annotations

import json
import pickle
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.accounting import ROUNDINGS, Money, decimal, places_of, total
from workbench.errors import DataError

AMOUNTS = st.decimals(min_value=-(10**15), max_value=10**15, places=8)
WIDE = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40, places=18)
WEIGHTS = st.lists(st.decimals(min_value=0, max_value=1_000, places=3), min_size=1, max_size=8).filter(any)


def test_tenths_are_tenths() -> None:
    assert Money("0.1", "USDT") + Money("0.2", "USDT") == Money("0.3", "USDT")
    assert str(Money("1e-7", "BTC")) == "0.0000001 BTC"
    assert repr(Money("2E3", "EUR")) == "Money('2000', 'EUR')"
    assert str(Money("-0", "EUR")) == "0 EUR"


@pytest.mark.parametrize(
    "value", [0.1, 1.0, True, None, "abc", "1,2", "1,23,456", "", "nan", "inf", "1e999", "１", [1]]
)
def test_what_is_no_exact_number_is_refused(value: Any) -> None:
    with pytest.raises(DataError, match="the amount of USD"):
        Money(value, "USD")


@pytest.mark.parametrize("huge", [10**200, "9" * 61, "1e-61", Decimal("1e70"), "1" * 300, "1e9999"])
def test_no_number_fills_the_memory(huge: Any) -> None:
    with pytest.raises(DataError):
        decimal(huge)


@pytest.mark.parametrize("currency", ["", "US D", "a" * 41, "'", "12", None, 5])
def test_a_currency_is_a_code(currency: Any) -> None:
    with pytest.raises(DataError, match="currency"):
        Money(1, currency)


def test_currencies_never_meet() -> None:
    euros, dollars = Money(1, "EUR"), Money(1, "USD")
    assert euros != dollars
    for meet in (
        lambda: euros + dollars,
        lambda: euros - dollars,
        lambda: euros < dollars,
        lambda: euros.ratio(dollars),
    ):
        with pytest.raises(DataError, match="another currency"):
            meet()
    with pytest.raises(DataError, match=r"total\(amounts, currency\)"):
        sum([euros])
    with pytest.raises(DataError, match="rounding"):
        euros / 3
    with pytest.raises(DataError, match="no money"):
        euros * dollars  # type: ignore[operator]
    with pytest.raises(DataError, match="float"):
        euros * 0.5  # type: ignore[operator]
    assert euros.converted("1.0842", "USD") == Money("1.0842", "USD")


@given(AMOUNTS, AMOUNTS, st.integers(-1_000, 1_000))
def test_sums_and_products_are_exact(a: Decimal, b: Decimal, n: int) -> None:
    one, other = Money(a, "X"), Money(b, "X")
    with localcontext() as context:
        context.prec = 3  # whoever set a context of decimals does not reach in here
        added, taken, many = one + other, one - other, one * n
    assert Fraction(added.amount) == Fraction(a) + Fraction(b)
    assert Fraction(taken.amount) == Fraction(a) - Fraction(b)
    assert Fraction(many.amount) == Fraction(a) * n
    assert added - other == one == -one * -1 and hash(added - other) == hash(one)


@given(WIDE)
def test_text_reads_back(amount: Decimal) -> None:
    money = Money(amount, "ETH")
    assert Money.parse(str(money)) == money == Money.parse(f"ETH {money.text}")
    assert eval(repr(money)) == money
    assert Money.from_plain(json.loads(json.dumps(money.to_plain()))) == money
    assert pickle.loads(pickle.dumps(money)) == money


@given(WIDE, st.integers(0, 12), st.sampled_from(sorted(ROUNDINGS)))
def test_rounding_goes_to_a_neighbour(amount: Decimal, places: int, rule: str) -> None:
    near = Money(amount, "X").rounded(places, rule)
    assert abs(Fraction(near.amount) - Fraction(amount)) < Fraction(1, 10**places)
    assert near.rounded(places, rule) == near


@given(AMOUNTS, st.decimals(min_value=-1_000, max_value=1_000, places=4).filter(bool), st.integers(0, 10))
def test_a_division_is_rounded_once(amount: Decimal, by: Decimal, places: int) -> None:
    with localcontext() as context:
        context.prec = 200
        expected = (amount / by).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    assert Money(amount, "X").divided(by, places).amount == expected


@given(AMOUNTS, WEIGHTS)
def test_shares_add_up(amount: Decimal, weights: list[Decimal]) -> None:
    money = Money(amount, "X")
    shares = money.split(weights)
    assert total(shares, "X") == money
    unit = Fraction(1, 10**8)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(Fraction(share.amount) - Fraction(amount) * Fraction(weight) / Fraction(sum(weights))) < unit


def test_halves_go_where_the_rule_says() -> None:
    assert [Money(text, "EUR").rounded().text for text in ("0.125", "0.135", "-0.125")] == ["0.12", "0.14", "-0.12"]
    assert [Money("0.125", "EUR").rounded(rounding=rule).text for rule in ("half_up", "half_down", "up", "floor")] == [
        "0.13",
        "0.12",
        "0.13",
        "0.12",
    ]
    assert Money("1234.5", "JPY").rounded() == Money("1234", "JPY") and places_of("KWD") == 3
    assert Money("1250", "X").rounded(-2) == Money("1200", "X")
    assert Money(100, "EUR").split([1, 1, 1]) == tuple(Money(x, "EUR") for x in ("33.34", "33.33", "33.33"))
    with pytest.raises(DataError, match="half_even"):
        Money(1, "EUR").rounded(rounding="nearest")


def test_it_is_written_as_people_want_it() -> None:
    money = Money("1234567.891", "EUR")
    assert (f"{money}", f"{money:,.2f}", f"{money.rounded():,}") == (
        "1234567.891 EUR",
        "1,234,567.89 EUR",
        "1,234,567.89 EUR",
    )
    with pytest.raises(DataError, match="does not format"):
        f"{money:Q}"
