"""Rates: found, followed through other currencies, refused when missing, old or of a later time."""

from __future__ import annotations

import itertools

import pytest

from workbench.errors import DataError
from workbench.risk.portfolio import Rate, Rates, read_rates

DAY = 86_400_000


def test_a_rate_holds_both_ways_and_through_a_third_currency() -> None:
    rates = read_rates({"BTC/USDT": 40_000.0, "EUR/USD": 1.25, "USDT/USD": 0.5})
    assert rates.convert(2.0, "BTC", "USDT") == 80_000.0
    assert rates.convert(80_000.0, "USDT", "BTC") == 2.0
    assert rates.convert(1.0, "BTC", "EUR") == 40_000.0 * 0.5 / 1.25
    assert rates.between("BTC", "EUR").path == "BTC > USDT > USD > EUR"
    assert rates.convert(3.0, "GBP", "GBP") == 3.0


def test_the_fewest_steps_are_taken_whatever_the_order() -> None:
    four = [
        Rate(base="A", quote="B", value=2.0), Rate(base="B", quote="D", value=3.0),
        Rate(base="A", quote="C", value=5.0), Rate(base="C", quote="D", value=7.0),
    ]  # fmt: skip
    found = {Rates(tuple(order)).between("A", "D").path for order in itertools.permutations(four)}
    assert found == {"A > B > D"}
    direct = Rates((*four, Rate(base="D", quote="A", value=0.1)))
    assert direct.convert(1.0, "A", "D") == 10.0


def test_a_missing_rate_says_which_and_what_there_is() -> None:
    with pytest.raises(DataError, match=r"from JPY to EUR \(known: EUR/USD\); give one: rates=\{'JPY/EUR': …\}"):
        read_rates({"EUR/USD": 1.1}).between("JPY", "EUR")
    with pytest.raises(DataError, match=r"\{'USDT/USD': 1.0\} takes them as equal"):
        read_rates(None).between("USDT", "USD")


def test_old_and_later_rates_are_not_used() -> None:
    old = Rate(base="EUR", quote="USD", value=1.1, ts=0)
    assert Rates((old,), now=DAY, max_age_ms=DAY).convert(1.0, "EUR", "USD") == 1.1
    with pytest.raises(DataError, match=r"EUR/USD is 3 days old, 1 are allowed"):
        Rates((old,), now=3 * DAY, max_age_ms=DAY).between("EUR", "USD")
    later = Rate(base="EUR", quote="USD", value=1.1, ts=5 * DAY)
    with pytest.raises(DataError, match=r"is of 2 days later than now"):
        Rates((later,), now=3 * DAY).between("EUR", "USD")
    # The long way round is taken where the short one is too old.
    around = (old, Rate(base="EUR", quote="GBP", value=0.5), Rate(base="GBP", quote="USD", value=4.0))
    assert Rates(around, now=3 * DAY, max_age_ms=DAY).convert(1.0, "EUR", "USD") == 2.0
    table = Rates(around, now=3 * DAY, max_age_ms=DAY).table
    assert table["usable"].tolist() == [False, True, True]
    assert table["age_days"].iloc[0] == 3.0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"EUR/USD": 0.0}, "give a positive number"),
        ({"EUR/USD": float("nan")}, "give a positive number"),
        ({"EUR/USD": True}, "give a positive number"),
        ({"EURUSD": 1.1}, "name a pair"),
        ({"USD/USD": 1.0}, "one and the same currency"),
        ({"EUR/USD": 1.1, "USD/EUR": 0.9}, "two rates between"),
        ("EUR/USD", "give a mapping"),
    ],
)
def test_wrong_rates_are_refused(wrong: object, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_rates(wrong)


def test_an_age_needs_a_now() -> None:
    with pytest.raises(DataError, match="say when, with now="):
        Rates((), max_age_ms=DAY)
