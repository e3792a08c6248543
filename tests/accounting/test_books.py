"""Books: what they say follows from their entries alone, whoever wrote them, in any order, and however it ended."""

from __future__ import annotations

import os
import pickle
import random
import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench
from tests.accounting.generated import COINS, CONTRACTS, histories
from tests.effort import examples
from workbench.accounting import (
    About,
    Books,
    Entry,
    Money,
    StoredBooks,
    balances_of,
    contract_trade,
    deposit,
    fee,
    own,
    positions,
    realised,
    total,
    trade,
    transfer,
)
from workbench.errors import DataError

HOME = own("binance")
PERP = "BTC/USDT:USDT"


def usdt(amount: str) -> Money:
    return Money(amount, "USDT")


def paid_in(place: int, amount: str = "1") -> Entry:
    return deposit(HOME, usdt(amount), place, About(id=f"d{place}"))


def bought(place: int, quantity: str, cost: str, leg: str = "net") -> Entry:
    about = About(id=f"c{place}", refs={"leg": leg})
    return contract_trade(HOME, Money(quantity, PERP), usdt(cost), place, about=about)


# ----- balances


@settings(max_examples=examples(80))
@given(histories(), st.randoms(use_true_random=False), st.integers(0, 1_100_000))
def test_balances_are_reproducible_from_entries(entries: list[Entry], shuffle: random.Random, at: int) -> None:
    mixed = list(entries)
    shuffle.shuffle(mixed)
    books = Books(mixed)
    told = balances_of(books.entries())
    assert dict(books.balances()) == dict(told)
    assert dict(books.balances(at)) == dict(balances_of([one for one in entries if one.ts <= at]))
    for currency in (*COINS, *(symbol for symbol, _ in CONTRACTS)):
        everywhere = [books.balance(account, currency) for account in told]
        assert not total(everywhere, currency)  # what one account has another one gave
        moved = [p.amount for one in entries for p in one.postings if p.mine and p.amount.currency == currency]
        assert told.totals().get(currency, Money.zero(currency)) == total(moved, currency)


@settings(max_examples=examples(80))
@given(histories())
def test_wallets_without_contracts_are_the_sum_of_their_postings(entries: list[Entry]) -> None:
    plain = [one for one in entries if not any(name.startswith("positions") for name in one.accounts)]
    for account, held in balances_of(plain).items():
        for currency, amount in held.items():
            exact = sum(Fraction(one.change(account, currency).amount) for one in plain)
            assert Fraction(amount.amount) == exact != 0


@given(st.lists(st.tuples(st.integers(-4, 4).filter(bool), st.integers(1, 10**6)), min_size=1, max_size=20))
def test_profits_of_a_closed_contract_are_what_came_less_what_went(trades: list[tuple[int, int]]) -> None:
    held = sum(quantity for quantity, _ in trades)
    if held:
        trades = [*trades, (-held, 777)]
    books = Books(bought(at, str(q), str(q * Decimal(price) / 7 // 1)) for at, (q, price) in enumerate(trades))
    spent = total((-one.change(positions(HOME), "USDT") for one in books.entries()), "USDT")
    assert books.balance(HOME, "USDT") == -spent
    assert positions(HOME) not in books.balances()


def test_profit_is_by_average_cost_and_a_turn_opens_anew() -> None:
    trades = [bought(1, "2", "200"), bought(2, "2", "240"), bought(3, "-1", "-130"), bought(4, "-5", "-500")]
    assert realised(trades[:3]) == [(positions(HOME), usdt("20"))]  # bought at 110 on average, sold at 130
    (found,) = realised(trades)
    assert found == (positions(HOME), usdt("-10"))  # 20, and three at 100 that cost 110
    held = balances_of(trades)
    assert held.of(positions(HOME), PERP) == Money("-2", PERP)
    assert held.of(positions(HOME), "USDT") == usdt("200")  # what the two that are sold short brought


def test_legs_of_hedge_mode_are_apart() -> None:
    held = balances_of(
        [bought(1, "1", "100", "long"), bought(2, "-1", "-110", "short"), bought(3, "-1", "-120", "long")]
    )
    assert held.of(HOME, "USDT") == usdt("20")
    assert held.of(positions(HOME, "short"), PERP) == Money("-1", PERP)
    assert held.of(positions(HOME, "long"), PERP) == Money("0", PERP)


def test_what_was_taken_back_does_not_count_in_profits() -> None:
    books = Books([bought(1, "1", "100"), bought(2, "-1", "-150"), bought(3, "1", "10")])
    books.reverse("c2", note="not mine")
    assert books.balance(positions(HOME), PERP) == Money("2", PERP)
    assert not books.balance(HOME, "USDT")
    assert books.balance(positions(HOME), "USDT") == usdt("-110")


# ----- entries


def test_entries_are_found_and_sorted() -> None:
    there = own("kraken")
    moved = transfer(HOME, there, usdt("5"), 30, arrived=50, about=About(id="t"))
    books = Books([paid_in(40), paid_in(9), *moved, fee(there, usdt("1"), 60, About(id="f"))])
    assert [one.id for one in books.entries()] == ["d9", "t:sent", "d40", "t:arrived", "f"]
    assert [one.id for one in books.entries(account=there)] == ["t:arrived", "f"]
    assert [one.id for one in books.entries(account="own:binance", start=30, end=40)] == ["t:sent"]
    assert [one.id for one in books.entries(kind="fee", currency="USDT")] == ["f"]
    assert books.entry("f").kind == "fee" and books.entry("arrived").ts == 50
    with pytest.raises(DataError, match=r"3 entries have the id 'd'"):
        books.entry("d")
    with pytest.raises(DataError, match="no entry has"):
        books.entry("zzz")
    assert books.wallets == (HOME, there)
    assert books.in_transit(40) == {"transit:kraken-main": {"USDT": usdt("5")}} and books.in_transit() == {}


def test_the_table_is_exact() -> None:
    frame = Books([trade(HOME, Money("0.1", "BTC"), usdt("2.30"), 0, [Money("0.1", "BNB")])]).frame()
    assert list(frame.columns) == ["ts", "entry", "kind", "account", "currency", "amount", "symbol", "note"]
    assert frame["amount"].sum() == 0 and all(type(one) is Decimal for one in frame["amount"])
    assert str(frame["ts"].dtype).endswith("UTC]") and len(Books().frame()) == 0


# ----- posting


def test_the_same_twice_is_once_and_another_is_refused() -> None:
    books = Books()
    assert books.post([paid_in(1), paid_in(1), paid_in(2)]).added == 2
    again = books.post([paid_in(1), paid_in(3)])
    assert (again.added, again.known) == (1, 1)
    with pytest.raises(DataError, match="other entries under d1"):
        books.post([paid_in(9), paid_in(1, "2")])
    assert len(books) == 3  # not one of the two
    kept = books.post([paid_in(9), paid_in(1, "2")], on_conflict="keep")
    assert kept.conflicts == ("d1",) and books.balance(HOME, "USDT") == usdt("4")


def test_mistakes_are_taken_back_and_stay_to_be_seen() -> None:
    books = Books([paid_in(1, "100")])
    right = deposit(HOME, usdt("10"), 1, About(id="right"))
    books.correct("d1", right, note="a nought too many")
    assert books.balance(HOME, "USDT") == usdt("10")
    assert [one.kind for one in books.entries()] == ["deposit", "deposit", "reversal"]
    with pytest.raises(DataError, match="was taken back before"):
        books.reverse("d1")
    with pytest.raises(DataError, match="post what it took back anew"):
        books.reverse("d1:reversal")
    with pytest.raises(DataError, match="which is not in the books"):
        Books().post(paid_in(5).reversal())


# ----- in a folder


@settings(max_examples=examples(20) // 3)
@given(entries=histories(6))
def test_books_in_a_folder_are_the_same(tmp_path_factory: pytest.TempPathFactory, entries: list[Entry]) -> None:
    stored = StoredBooks(tmp_path_factory.mktemp("books"))
    for one in entries[::2]:
        stored.post(one)
    stored.post(entries)
    for books in (stored, StoredBooks(stored.root), pickle.loads(pickle.dumps(stored))):
        assert books.entries() == Books(entries).entries()
        assert dict(books.balances()) == dict(balances_of(entries))


def test_many_small_posts_become_few_files(tmp_path: Path) -> None:
    books = StoredBooks(tmp_path)
    for place in range(40):
        books.post(paid_in(place), marks={"binance": {"until": place}})
    assert len(books) == 40 and len(books.store.manifest().parts) < 40
    assert StoredBooks(tmp_path).marks() == {"binance": {"until": 39}}


def test_nothing_is_booked_where_one_contradicts(tmp_path: Path) -> None:
    books = StoredBooks(tmp_path)
    books.post(paid_in(1))
    with pytest.raises(DataError, match="other entries under d1"):
        books.post([paid_in(2), paid_in(1, "7")], marks={"x": {"until": 1}})
    assert len(StoredBooks(tmp_path)) == 1 and books.marks() == {}


WRITER = """
import sys
from workbench.accounting import About, Money, StoredBooks, deposit, own
books = StoredBooks(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for place in range(int(sys.argv[2]), 10, 2):
    for one in (place, 100):
        books.post(deposit(own("binance"), Money(1, "USDT"), one, About(id=f"d{one}")))
"""


def _writer(*arguments: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(workbench.__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, *map(str, arguments)], env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    books = StoredBooks(tmp_path)
    books.post(paid_in(0))
    writers = [_writer(tmp_path, first) for first in (0, 1)]
    for one in writers:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    for one in writers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    seen = [len(books)]
    while any(one.poll() is None for one in writers):
        seen.append(len(books))  # a reader in between sees whole posts only, and never fewer
    assert seen == sorted(seen) and [one.communicate()[0] for one in writers] == ["", ""]
    assert [one.returncode for one in writers] == [0, 0]
    assert sorted(one.id for one in books.entries()) == sorted(f"d{place}" for place in (*range(10), 100))


def _part_files(books: StoredBooks) -> Sequence[Path]:
    return [books.store.path(part) for part in books.store.manifest().parts]


def test_a_torn_file_is_told_and_not_read(tmp_path: Path) -> None:
    books = StoredBooks(tmp_path)
    books.post([paid_in(place) for place in range(50)])
    (path,) = _part_files(books)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    fresh = StoredBooks(tmp_path)
    with pytest.raises(DataError, match=path.name):
        fresh.balances()
    with pytest.raises(DataError, match=path.name):
        fresh.post(paid_in(99))  # not added up with what cannot be read
    path.write_bytes(whole)
    assert fresh.balance(HOME, "USDT") == usdt("50")


def test_what_a_killed_writer_left_does_not_count(tmp_path: Path) -> None:
    books = StoredBooks(tmp_path)
    books.post(paid_in(1))
    (path,) = _part_files(books)
    path.with_name("half-written.parquet").write_bytes(path.read_bytes()[:100])
    assert len(StoredBooks(tmp_path)) == 1
    StoredBooks(tmp_path).post(paid_in(2))
    assert len(books) == 2


def test_a_file_of_something_else_is_told(tmp_path: Path) -> None:
    import pyarrow as pa

    books = StoredBooks(tmp_path)
    books.store.append(pa.table({"price": [1.0]}))
    with pytest.raises(DataError, match="no column 'id'; it holds no entries"):
        len(books)


def test_unbalanced_books_on_the_disk_are_told(tmp_path: Path) -> None:
    import pyarrow as pa

    books = StoredBooks(tmp_path)
    postings = '[["own:binance:main", "5", "USDT"]]'
    row = {"id": "x", "ts": 0, "kind": "deposit", "postings": postings, "note": "", "refs": "{}"}
    books.store.append(pa.Table.from_pylist([row]))
    with pytest.raises(DataError, match="does not balance"):
        books.balances()
    books = StoredBooks(tmp_path / "other")
    books.store.append(pa.Table.from_pylist([{**row, "postings": "["}]))
    with pytest.raises(DataError, match="no JSON"):
        books.balances()


def test_they_show_themselves() -> None:
    books = Books([paid_in(0, "12.50"), trade(HOME, Money("1", "<b>"), usdt("2"), 5)])
    assert repr(books) == "<Books of 2 entries in 1 wallet>"
    assert "&lt;b&gt;" in books._repr_html_() and "10.50" in books._repr_html_()
    assert repr(books.balances()).startswith("<Balances of ")
