"""Entries: balanced whatever made them, refused where they are not, the same after JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from tests.accounting.generated import histories, sums
from tests.effort import examples
from workbench.accounting import (
    About,
    Entry,
    Money,
    Posting,
    contract_trade,
    deposit,
    own,
    positions,
    trade,
    transfer,
    wallet_of,
    withdrawal,
)
from workbench.errors import DataError

HOME = own("binance")


def usdt(amount: str) -> Money:
    return Money(amount, "USDT")


def entry(*postings: Posting, **more: Any) -> Entry:
    return Entry(**{"id": "e", "ts": 0, "kind": "fee", "postings": postings} | more)


@settings(max_examples=examples(80))
@given(histories())
def test_every_entry_sums_to_zero_per_asset(entries: list[Entry]) -> None:
    assert all(left == 0 for _, left in sums(entries))


@settings(max_examples=examples(80))
@given(histories())
def test_an_entry_is_the_same_after_json(entries: list[Entry]) -> None:
    for one in entries:
        back = Entry.from_plain(json.loads(json.dumps(one.to_plain())))
        assert back == one and hash(back) == hash(one)


@settings(max_examples=examples(80))
@given(histories())
def test_a_reversal_undoes_all(entries: list[Entry]) -> None:
    for one in entries:
        back = one.reversal()
        for account in one.accounts:
            for currency in one.currencies:
                assert not one.change(account, currency) + back.change(account, currency)


def test_what_does_not_balance_is_refused() -> None:
    lost = Posting(HOME, usdt("-1")), Posting("fees:binance", usdt("0.9"))
    with pytest.raises(DataError, match=r"does not balance: its postings leave -0\.1 USDT"):
        entry(*lost)
    crossed = Posting(HOME, usdt("-1")), Posting("fees:binance", Money("1", "USDC"))
    with pytest.raises(DataError, match="-1 USDT, 1 USDC"):
        entry(*crossed)
    with pytest.raises(DataError, match="moves nothing"):
        entry(Posting(HOME, usdt("0")))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"id": ""}, "id of an entry"),
        ({"id": "a\nb"}, "id of an entry"),
        ({"ts": 1.5}, "milliseconds"),
        ({"ts": -1}, "milliseconds"),
        ({"ts": True}, "milliseconds"),
        ({"kind": "gift"}, "must be one of adjustment"),
        ({"note": None}, "note"),
        ({"refs": {"price": 3}}, "text to text"),
    ],
)
def test_wrong_fields_are_named(wrong: dict[str, Any], told: str) -> None:
    good = Posting(HOME, usdt("-1")), Posting("fees:binance", usdt("1"))
    with pytest.raises(DataError, match=told):
        entry(*good, **wrong)


@pytest.mark.parametrize("account", ["", "own", "own:binance", "own:binance:main:x", "wallet:a:b", "own:a b:c", None])
def test_accounts_have_known_shapes(account: Any) -> None:
    with pytest.raises(DataError, match="is no account"):
        Posting(account, usdt("1"))


def test_wallets_and_positions_know_each_other() -> None:
    assert positions(HOME, "long") == "positions:binance:main:long"
    assert wallet_of("positions:binance:main:long") == HOME == wallet_of(HOME)
    with pytest.raises(DataError, match="leg 'both'"):
        positions(HOME, "both")


def test_a_trade_may_pay_its_fee_in_a_third_asset() -> None:
    one = trade(HOME, Money("0.5", "BTC"), usdt("15000"), 7, [Money("0.02", "BNB"), usdt("-1")])
    assert [one.change(HOME, name).text for name in ("BTC", "USDT", "BNB")] == ["0.5", "-14999", "-0.02"]
    with pytest.raises(DataError, match="same asset"):
        trade(HOME, usdt("1"), usdt("1"), 0)
    with pytest.raises(DataError, match="above zero"):
        deposit(HOME, usdt("-1"), 0)


def test_a_contract_moves_no_cash_but_the_fee() -> None:
    one = contract_trade(HOME, Money("-2", "BTC/USDT:USDT"), usdt("-60000"), 0, [usdt("30")])
    assert one.change(HOME, "USDT") == usdt("-30")
    assert one.change(positions(HOME), "USDT") == usdt("60000")
    with pytest.raises(DataError, match="a quantity of a contract"):
        contract_trade(HOME, Money("1", "BTC"), usdt("1"), 0)


def test_a_transfer_is_in_transit_until_it_arrives() -> None:
    there = own("kraken", "savings")
    sent, came = transfer(HOME, there, usdt("100"), 5, arrived=9, fees=[usdt("1")], about=About(id="t"))
    assert (sent.id, sent.ts, came.id, came.ts) == ("t:sent", 5, "t:arrived", 9)
    assert sent.change(HOME, "USDT") == usdt("-101") and came.change(there, "USDT") == usdt("100")
    assert sent.change("transit:kraken-savings", "USDT") == usdt("100")
    assert len(transfer(HOME, there, usdt("1"), 5, arrived=5)) == len(transfer(HOME, there, usdt("1"), 5)) == 1
    with pytest.raises(DataError, match="to itself"):
        transfer(HOME, HOME, usdt("1"), 0)
    with pytest.raises(DataError, match="before it was sent"):
        transfer(HOME, there, usdt("1"), 5, arrived=4)
    assert withdrawal(HOME, usdt("10"), 0, [usdt("1")]).change(HOME, "USDT") == usdt("-11")


@pytest.mark.parametrize(
    "plain", [{}, {"id": "x"}, {"id": "x", "ts": 0, "kind": "fee", "note": "", "refs": {}, "postings": [1]}]
)
def test_what_is_no_entry_is_told(plain: Any) -> None:
    with pytest.raises(DataError, match="is no entry"):
        Entry.from_plain(plain)
