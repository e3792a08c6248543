"""Books as transactions: balances to the last digit, fees, funding and profits as the books have them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import workbench as wb
from tests.accounting.generated import histories
from tests.accounting.tax.histories import at, buy
from tests.backtest.conftest import flags
from tests.backtest.handmade import series
from tests.effort import examples
from workbench.accounting import (
    About,
    Books,
    Entry,
    Money,
    Posting,
    adjustment,
    contract_trade,
    deposit,
    fee,
    funding,
    income,
    interest,
    own,
    realised,
    total,
    trade,
    transfer,
    withdrawal,
)
from workbench.accounting.backtests import books_of
from workbench.accounting.tax import TaxOptions, TaxReport, Transaction, require_reconciled, tax_report, transactions_of
from workbench.errors import DataError

HOME, PERPS, VAULT = own("binance"), own("binanceusdm"), own("kraken", "vault")
PERP = "BTC/USDT:USDT"
DOLLARS = TaxOptions(pegs={"USDT": "USD"})
CLOSES = (100.0, 104.0, 99.0, 103.5, 107.25, 101.0, 98.5, 105.0, 111.0, 108.0)
D = Decimal


def money(text: str) -> Money:
    return Money.parse(text)


def named(name: str, **more: Any) -> About:
    return About(id=name, **more)


def told(entries: list[Entry]) -> list[tuple[str, str, str, str | None, str | None, str | None]]:
    """Id, kind, wallet, sent, received, fee."""
    return [
        (one.id, one.kind, one.wallet, *(None if side is None else str(side) for side in sides(one)))
        for one in transactions_of(entries)
    ]  # type: ignore[misc]


def sides(one: Transaction) -> tuple[Money | None, Money | None, Money | None]:
    return one.sent, one.received, one.fee


def reconciled(entries: list[Entry] | Books, options: TaxOptions = DOLLARS, year: int | None = None) -> TaxReport:
    made = tax_report(transactions_of(entries), options, year=year)
    made.check()
    require_reconciled(made, entries)
    return made


@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_every_balance_of_any_books_is_that_of_the_report(entries: list[Entry]) -> None:
    made = reconciled(entries)
    held = {
        asset: sum((one.quantity for one in made.holdings if one.asset == asset), D(0))
        for asset in {asset for _, asset in made.balances} - made.options.cash
    }
    for asset, quantity in held.items():  # lots are what is there, but for what was given without being there
        given_without = sum(
            (row.quantity for row in (*made.disposals, *made.departures) if row.asset == asset and not row.lot), D(0)
        )
        came_without = sum(
            (row.quantity for row in made.acquisitions if row.asset == asset and row.kind == "transfer"), D(0)
        )
        there = sum((amount for (_, one), amount in made.balances.items() if one == asset), D(0))
        assert quantity == there + given_without + came_without


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_fees_funding_and_profits_are_those_of_the_books(entries: list[Entry]) -> None:
    """In each asset: what the report lists as such is what the accounts of the books have."""
    found = transactions_of(entries)
    balances = Books(entries).balances()
    for asset in ("USDT", "BTC", "ETH", "BNB"):

        def sums(kind: str, asset: str = asset) -> Decimal:
            came = [
                one.received for one in found if one.kind == kind and one.received and one.received.currency == asset
            ]
            went = [one.sent for one in found if one.kind == kind and one.sent and one.sent.currency == asset]
            return (total(came, asset) - total(went, asset)).amount

        def outside(root: str, asset: str = asset) -> Decimal:
            return total(
                (held[asset] for name, held in balances.items() if name.startswith(root) and asset in held), asset
            ).amount

        beside = total((one.fee for one in found if one.fee and one.fee.currency == asset), asset).amount
        assert sums("funding") == -outside("funding")
        # rebates and what a venue gives are both rewards, and interest paid is a fee
        paid = outside("fees") + outside("income") + outside("interest")
        assert beside - sums("fee") - sums("reward") - sums("interest") == paid
        assert sums("realised") == total((one for _, one in realised(entries) if one.currency == asset), asset).amount


def test_each_happening_by_hand() -> None:
    entries = [
        deposit(HOME, money("1000 USDT"), 0, named("in")),
        trade(HOME, money("2 ETH"), money("400 USDT"), 1, [money("0.01 BNB")], named("buy")),
        withdrawal(HOME, money("1 ETH"), 2, [money("0.005 ETH")], named("out")),
        fee(HOME, money("3 USDT"), 3, named("fee")),
        fee(HOME, money("-1 USDT"), 4, named("rebate")),
        funding(HOME, money("-2 USDT"), 5, named("funding")),
        interest(HOME, money("0.5 USDT"), 6, named("earned")),
        interest(HOME, money("-0.25 USDT"), 7, named("owed")),
        income(HOME, money("7 XYZ"), 8, named("drop", note="Airdrop of XYZ")),
        income(HOME, money("0.1 USDT"), 9, named("referral", note="commission_rebate")),
        income(HOME, money("-0.2 USDT"), 10, named("taken")),
        adjustment(HOME, money("0.001 BTC"), 11, named("found")),
        adjustment(HOME, money("-0.001 BTC"), 12, named("gone")),
    ]
    home = "binance:main"
    assert told(entries) == [
        ("in", "deposit", home, None, "1000 USDT", None),
        ("buy", "trade", home, "400 USDT", "2 ETH", "0.01 BNB"),
        ("out", "withdrawal", home, "1 ETH", None, "0.005 ETH"),
        ("fee", "fee", home, "3 USDT", None, None),
        ("rebate", "reward", home, None, "1 USDT", None),
        ("funding", "funding", home, "2 USDT", None, None),
        ("earned", "interest", home, None, "0.5 USDT", None),
        ("owed", "fee", home, "0.25 USDT", None, None),
        ("drop", "airdrop", home, None, "7 XYZ", None),
        ("referral", "reward", home, None, "0.1 USDT", None),
        ("taken", "fee", home, "0.2 USDT", None, None),
        ("found", "deposit", home, None, "0.001 BTC", None),
        ("gone", "withdrawal", home, "0.001 BTC", None, None),
    ]


def test_a_trade_with_two_fees_and_a_rebate_makes_three_transactions() -> None:
    fees = [money("0.001 BTC"), money("0.5 USDT"), money("-0.02 BNB")]
    entry = trade(HOME, money("1 BTC"), money("100 USDT"), 5, fees, named("t;1"))
    assert told([entry]) == [
        ("t,1", "trade", "binance:main", "100 USDT", "1 BTC", "0.001 BTC"),
        ("t,1#2", "fee", "binance:main", "0.5 USDT", None, None),
        ("t,1#3", "reward", "binance:main", None, "0.02 BNB", None),
    ]


def test_lots_travel_through_transit_with_their_dates_and_wait_there() -> None:
    bought = trade(HOME, money("2 BTC"), money("200 USDT"), at("2020-01-01"), (), named("buy"))
    sent, arrived = transfer(
        HOME, VAULT, money("1.5 BTC"), at("2020-12-31"), arrived=at("2021-01-02"), fees=[money("0.5 BTC")],
        about=named("move"),
    )  # fmt: skip
    sold = trade(VAULT, money("600 USDT"), money("1.5 BTC"), at("2021-02-01"), (), named("sell"))
    made = reconciled([bought, sent, arrived, sold], TaxOptions(pegs={"USDT": "USD"}, network_fee="cost"))
    assert [(row.lot, row.cost, row.gain, row.days) for row in made.disposals] == [("buy", D(200), D(400), 397)]
    waiting = reconciled([bought, sent, arrived, sold], TaxOptions(pegs={"USDT": "USD"}, network_fee="cost"), 2020)
    assert [(one.wallet, one.quantity) for one in waiting.holdings] == [("transit:kraken-vault", D("1.5"))]


def test_contracts_are_profits_when_they_close_and_nothing_before() -> None:
    entries = [
        deposit(PERPS, money("1000 USDT"), at("2020-01-01"), named("in")),
        contract_trade(
            PERPS, Money("3", PERP), money("300 USDT"), at("2020-02-01"), [money("0.3 USDT")], named("open")
        ),
        contract_trade(PERPS, Money("-1", PERP), money("-130 USDT"), at("2020-03-01"), [money("0.1 USDT")], named("a")),
        contract_trade(PERPS, Money("-2", PERP), money("-180 USDT"), at("2021-03-01"), (), named("b")),
        funding(PERPS, money("-4 USDT"), at("2021-03-02"), named("paid")),
    ]
    made = reconciled(entries)
    assert [(one.year, one.derivatives, one.expenses) for one in made.totals] == [
        (2020, D(30), D("0.40")), (2021, D(-24), D(0)),
    ]  # fmt: skip
    assert told(entries)[2:4] == [
        ("a", "realised", "binanceusdm:main", None, "30 USDT", None),
        ("a#2", "fee", "binanceusdm:main", "0.1 USDT", None, None),
    ]
    assert made.balances["binanceusdm:main", "USDT"] == D("1005.6")
    assert reconciled(entries, year=2020).balances["binanceusdm:main", "USDT"] == D("1029.6")


def test_what_was_taken_back_never_was() -> None:
    books = Books([deposit(HOME, money("5 USDT"), at("2020-01-01"), named("in"))])
    wrong = trade(HOME, money("9 BTC"), money("1 USDT"), at("2020-02-01"), (), named("wrong"))
    right = trade(HOME, money("9 BNB"), money("1 USDT"), at("2020-02-01"), (), named("right"))
    books.post(wrong)
    books.correct("wrong", right, note="another coin")
    assert [one.id for one in transactions_of(books)] == ["in", "right"]
    reconciled(books)
    late = Books([*books.entries(), right.reversal(ts=at("2021-06-01"))])
    assert [one.id for one in transactions_of(late)] == ["in"]
    reconciled(late, year=2020)


def test_many_assets_for_one_are_told_as_unknown_and_the_balances_still_hold() -> None:
    """Dust that a venue turns into one coin, as one entry: which part bought what is not said."""
    moved = {"ADA": "-3", "XRP": "-2", "BNB": "0.01"}
    swept = Entry(
        id="dust", ts=5, kind="conversion",
        postings=tuple(
            Posting(account, Money(text, asset) * sign)
            for asset, text in moved.items() for account, sign in ((HOME, 1), ("market:binance", -1))
        ),
    )  # fmt: skip
    assert [(kind, sent, got) for _, kind, _, sent, got, _ in told([swept])] == [
        ("withdrawal", "3 ADA", None), ("withdrawal", "2 XRP", None), ("deposit", None, "0.01 BNB"),
    ]  # fmt: skip
    assert {one.code for one in reconciled([swept]).findings} == {
        "unknown withdrawal", "unknown deposit", "more than was held",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("symbol", "facts", "said"),
    [
        ("BTC/USDT", {}, {}),
        ("BTC/USDT", {}, {"leverage": 3.0}),
        ("BTC/USDT:USDT", {"kind": "linear"}, {"leverage": 5.0, "rules": wb.Rules(funding=0.0003)}),
    ],
)
def test_a_backtest_gains_what_its_equity_gained(symbol: str, facts: dict[str, Any], said: dict[str, Any]) -> None:
    shorts = {} if ":" not in symbol and not said else {"short_entry": flags(10, 4), "short_exit": flags(10, 7)}
    words = {"entry": flags(10, 0, 8), "exit": flags(10, 3, 9), **shorts}
    costs = wb.Costs(fee=0.001, maker_fee=0.0002, slippage_bps=3.0)
    result = wb.backtest(wb.Signals(**words), series(symbol, CLOSES, **facts), costs=costs, fill="close", **said)
    books = books_of(result)
    made = reconciled(books, TaxOptions(pegs={"USDT": "USD"}, places=8))
    assert made.complete and not made.findings and not made.holdings
    (year,) = made.totals
    gained = float(result.equity.iloc[-1] - result.cash)
    assert gained and float(year.gains - year.expenses) == pytest.approx(gained, abs=1e-7)
    listed = reconciled(books, TaxOptions(pegs={"USDT": "USD"}, places=8, fees="expense"))
    fees = books.balance("fees:backtest", "USDT").amount
    assert fees and listed.totals[0].expenses == listed.options.rounded(fees)
    apart = listed.totals[0].gains - listed.totals[0].expenses - (year.gains - year.expenses)
    assert abs(apart) <= D("2e-8")  # three sums, each rounded to eight places


def test_a_report_that_does_not_end_at_the_books_is_refused() -> None:
    entries = [deposit(HOME, money("1000 USDT"), at("2020-01-01"), named("in"))]
    twice = [*transactions_of(entries), *(buy("again", "2020-02-01", "1", "100", wallet="binance:main"),)]
    made = tax_report(twice, DOLLARS)
    with pytest.raises(
        DataError, match=r"does not end at the books in 2 of 3 balances: binance:main has 1 BTC in the report and 0 in"
    ):
        require_reconciled(made, entries)
    other = tax_report([*transactions_of(entries), buy("cold", "2020-02-01", "1", "100", wallet="cold")], DOLLARS)
    assert require_reconciled(other, entries) == 1  # other wallets are no matter of the books
    assert require_reconciled(tax_report([], DOLLARS), []) == 0
