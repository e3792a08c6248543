"""Histories of accounts for property tests: entries of every kind, as hypothesis draws them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from hypothesis import strategies as st

from workbench.accounting import (
    About,
    Entry,
    Money,
    adjustment,
    contract_trade,
    deposit,
    fee,
    funding,
    income,
    interest,
    own,
    trade,
    transfer,
    withdrawal,
)

WALLETS = (own("binance"), own("binanceusdm"), own("kraken", "savings"))
COINS = ("USDT", "BTC", "ETH", "BNB")
CONTRACTS = (("BTC/USDT:USDT", "USDT"), ("ETH/USDT:USDT", "USDT"), ("BTC/USD:BTC", "BTC"))

above_zero = st.decimals(min_value="0.00000001", max_value=10**9, places=8)
signed = st.decimals(min_value=-(10**6), max_value=10**6, places=8).filter(bool)
times = st.integers(0, 1_000_000)


@st.composite
def happening(draw: st.DrawFn, place: int) -> tuple[Entry, ...]:
    """One happening, under an id made of its place."""
    wallet, ts, about = draw(st.sampled_from(WALLETS)), draw(times), About(id=f"e{place}")
    coin = draw(st.sampled_from(COINS))
    fees = [Money(one, "BNB") for one in draw(st.lists(signed, max_size=2))]
    kind = draw(st.sampled_from(("in", "out", "trade", "contract", "paid", "transfer")))
    if kind == "in":
        return (deposit(wallet, Money(draw(above_zero), coin), ts, about),)
    if kind == "out":
        return (withdrawal(wallet, Money(draw(above_zero), coin), ts, fees, about),)
    if kind == "trade":
        other = draw(st.sampled_from([one for one in COINS if one != coin]))
        return (trade(wallet, Money(draw(above_zero), coin), Money(draw(above_zero), other), ts, fees, about),)
    if kind == "contract":
        symbol, settle = draw(st.sampled_from(CONTRACTS))
        leg = {"leg": draw(st.sampled_from(("net", "long", "short")))}
        quantity, cost = Decimal(draw(st.integers(-5, 5).filter(bool))), Money(draw(signed), settle)
        told = About(id=about.id, refs=leg)
        return (contract_trade(wallet, Money(quantity, symbol), cost, ts, fees, told),)
    if kind == "paid":
        book = draw(st.sampled_from((fee, funding, interest, income, adjustment)))
        return (book(wallet, Money(draw(signed), coin), ts, about),)
    target = draw(st.sampled_from([one for one in WALLETS if one != wallet]))
    arrived = draw(st.sampled_from((None, ts, ts + 60_000)))
    return transfer(wallet, target, Money(draw(above_zero), coin), ts, arrived=arrived, fees=fees, about=about)


@st.composite
def histories(draw: st.DrawFn, most: int = 12) -> list[Entry]:
    """Entries of an account's life, in no order."""
    count = draw(st.integers(0, most))
    return [entry for place in range(count) for entry in draw(happening(place))]


def sums(entries: list[Entry]) -> Iterator[tuple[str, Decimal]]:
    """Each currency of each entry, and what its postings sum to."""
    for entry in entries:
        for currency in entry.currencies:
            found = [one.amount.amount for one in entry.postings if one.amount.currency == currency]
            yield currency, sum(found, Decimal(0))
