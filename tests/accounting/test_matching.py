"""Transfers between own accounts, found among withdrawals and deposits, and what verifying books finds."""

from __future__ import annotations

import pytest

from workbench.accounting import About, Books, Entry, Money, StoredBooks, deposit, own, trade, transfer, withdrawal
from workbench.accounting.checking import verify
from workbench.accounting.matching import match_transfers

HERE, THERE, THIRD = own("binance"), own("kraken"), own("cold", "safe")
HOUR = 3_600_000


def btc(amount: str) -> Money:
    return Money(amount, "BTC")


def out(id: str, amount: str, hour: float, wallet: str = HERE, txid: str = "", fee: str = "") -> Entry:
    fees = [btc(fee)] if fee else []
    return withdrawal(wallet, btc(amount), round(hour * HOUR), fees, About(id=id, refs={"txid": txid} if txid else {}))


def came(id: str, amount: str, hour: float, wallet: str = THERE, txid: str = "") -> Entry:
    return deposit(wallet, btc(amount), round(hour * HOUR), About(id=id, refs={"txid": txid} if txid else {}))


def states(books: Books, **said: int) -> dict[str, str]:
    return {one.check: one.state for one in verify(books, **said)}


def test_one_movement_told_by_two_venues_becomes_a_transfer() -> None:
    start = deposit(HERE, btc("2"), 0, About(id="start"))
    books = Books([start, out("w", "1", 1, txid="abc", fee="0.0005"), came("d", "0.9999", 3, txid="abc")])
    (match,) = match_transfers(books)
    assert (match.source, match.target, match.why) == (HERE, THERE, "txid")
    assert match.amount == btc("0.9999") and match.lost == btc("0.0001")
    assert "0.9999 BTC from own:binance:main" in str(match)
    before = books.balances()
    books.post(match.entries())
    after = books.balances()
    assert after.of(HERE, "BTC") == before.of(HERE, "BTC") == btc("0.9995")
    assert after.of(THERE, "BTC") == before.of(THERE, "BTC")
    assert after.of("fees:binance", "BTC") == btc("0.0006") and after.of("equity:external", "BTC") == btc("-2")
    assert books.in_transit(2 * HOUR)["transit:kraken-main"] == {"BTC": btc("0.9999")}
    assert match_transfers(books) == []
    books.post([out("w", "1", 1, txid="abc", fee="0.0005"), came("d", "0.9999", 3, txid="abc")])  # imported again
    assert books.balances().of(THERE, "BTC") == btc("0.9999") and len(books) == 7


def test_without_an_id_amount_and_time_must_leave_no_doubt() -> None:
    assert [one.why for one in match_transfers(Books([out("w", "1", 1), came("d", "1.0", 2)]))] == ["amount and time"]
    doubtful = (
        [out("w", "1", 1), came("d", "1", 2), came("e", "1", 3, wallet=THIRD)],  # which of the two?
        [out("w", "1", 1), out("v", "1", 1, wallet=THIRD), came("d", "1", 2)],
        [out("w", "1", 1), came("d", "0.99", 2)],  # another amount
        [out("w", "1", 1), came("d", "1", 60)],  # too late
        [out("w", "1", 10), came("d", "1", 2)],  # before it was sent
        [out("w", "1", 1), came("d", "1", 2, wallet=HERE)],  # the same wallet
        [out("w", "1", 1, txid="a"), came("d", "1", 2, txid="b")],  # two transactions
        [out("w", "1", 1), deposit(THERE, Money("1", "ETH"), 2 * HOUR)],
    )
    for entries in doubtful:
        assert match_transfers(Books(entries)) == []
    assert len(match_transfers(Books([out("w", "1", 1), came("d", "1", 60)]), hours=72)) == 1


def test_several_of_one_transaction_are_told_apart_by_their_amounts() -> None:
    books = Books([out("w", "1", 1, txid="x"), out("v", "2", 1, txid="x"), came("d", "2", 2, txid="x"),
                   came("e", "0.9999", 2, wallet=THIRD, txid="x")])  # fmt: skip
    assert {(one.sent.id, one.arrived.id) for one in match_transfers(books)} == {("w", "e"), ("v", "d")}


def test_a_withdrawal_told_when_it_was_over_is_sent_when_it_came() -> None:
    books = Books([out("w", "1", 2.5), came("d", "1", 2)])
    (match,) = match_transfers(books)
    books.post(match.entries())
    assert not books.in_transit(2 * HOUR) and books.balance(THERE, "BTC", 2 * HOUR) == btc("1")


def test_sound_books_are_found_sound() -> None:
    books = Books([came("d", "2", 0, wallet=HERE), *transfer(HERE, THERE, btc("1"), HOUR, arrived=2 * HOUR)])
    assert set(states(books).values()) == {"ok"} and set(states(Books()).values()) == {"ok"}


def test_gaps_are_found() -> None:
    late = transfer(HERE, THERE, btc("1"), 2)
    bought = trade(HERE, btc("1"), Money("30000", "USDT"), 1, about=About(id="t", refs={"fee": "unknown"}))
    found = {
        one.check: one for one in verify(Books([bought, *late, out("w", "1", 1), came("d", "1", 2)]), now=99 * HOUR)
    }
    assert found["wallets below zero"].told.startswith("-1 BTC in own:binance:main on 1970-01-01 01:00:00; -30000 USDT")
    assert found["in transit"].told == "for more than two days: 1 BTC for kraken-main"
    assert found["own transfers"].told.startswith("1 withdrawals are deposits")
    assert found["fees"].told == "1 trades came without their fee"
    assert found["sums"].state == "ok"


@pytest.mark.parametrize("count", [1, 3])
def test_stored_books_are_matched_too(count: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    books = StoredBooks(tmp_path_factory.mktemp("books"))
    for n in range(count):
        books.post([out(f"w{n}", f"{n + 1}", n), came(f"d{n}", f"{n + 1}", n + 1)])
    found = match_transfers(books)
    assert books.post([entry for one in found for entry in one.entries()]).added == 4 * count
    assert match_transfers(books) == []
