"""The past of an account through ccxt as it is, from a practice exchange in another process, against its balances."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.practice.stage import PERP, SPOT, T0
from tests.practice.wire_stage import DAY, Served, client, run
from workbench.accounting import Money, StoredBooks, own, positions
from workbench.accounting.importing import ImportReport, import_history
from workbench.accounting.reconciling import fetch_reported, reconcile
from workbench.errors import ConfigError
from workbench.market.sources.session import Connection

HOME, FUTURES = own("practice-binance"), own("practice-binanceusdm")
SINCE = T0 - DAY


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    process = Served(tmp_path_factory.mktemp("practice"))
    run(_live(process))
    yield process
    process.close()


async def _live(served: Served) -> None:
    """Buy and sell for a while in both wallets, move money between them, and end with a position."""
    rng = np.random.default_rng(11)
    async with client(served, "binance", "trader") as spot, client(served, "binanceusdm", "trader") as usdm:
        for turn in range(6):
            side = "buy" if rng.random() < 0.5 else "sell"
            await spot.create_order(SPOT, "market", side, round(float(rng.uniform(0.01, 0.5)), 3))
            await usdm.create_order(PERP, "market", side, round(float(rng.uniform(0.01, 0.9)), 3))
            if turn == 2:
                await spot.transfer("USDT", 1_500.25, "spot", "linear")
            if turn == 3:
                await spot.transfer("USDT", 99.75, "linear", "spot")
            await asyncio.to_thread(served.advance, 2 * 3_600_000)
    served.tell(adjust=["trader", "USDT", -250.5, "withdraw"])
    served.tell(adjust=["trader", "BTC", 0.125, "deposit"])


@pytest.fixture(scope="module")
def past(served: Served, tmp_path_factory: pytest.TempPathFactory) -> StoredBooks:
    """Books of all that was, imported through both clients."""
    books = StoredBooks(tmp_path_factory.mktemp("books"))
    first = imported(books, served, "binance", symbols=[SPOT])
    assert first.added == 6 + 5 + 1 + 3 + 1  # trades, deposits at the start and later, a withdrawal, transfers, funding
    second = imported(books, served, "binanceusdm")
    assert second.added == 6 and {row[0] for row in second.rows()} >= {"trades", "funding", "ledger"}
    return books


@pytest.fixture
def books(past: StoredBooks, tmp_path: Path) -> StoredBooks:
    shutil.copytree(past.root, tmp_path / "books")
    return StoredBooks(tmp_path / "books")


def way(served: Served, account: str = "trader") -> Connection:
    return Connection(route=served.route, key=account, secret=account)


def imported(books: StoredBooks, served: Served, venue: str, **said: Any) -> ImportReport:
    report = import_history(books, venue, connection=way(served), since=SINCE, **said)
    assert report.failures == (), report.rows()
    return report


def balance(served: Served, venue: str) -> dict[str, Any]:
    async def ask() -> Any:
        async with client(served, venue, "trader") as one:
            return await one.fetch_balance()

    return dict(run(ask()))


def test_books_of_both_clients_are_the_venues_balances(served: Served, books: StoredBooks) -> None:
    told = balance(served, "binance")["info"]["balances"]
    for row in told:
        held = books.balance(HOME, row["asset"]).amount
        assert held == Decimal(row["free"]) + Decimal(row["locked"])
    (asset,) = [one for one in balance(served, "binanceusdm")["info"]["assets"] if one["asset"] == "USDT"]
    assert abs(books.balance(FUTURES, "USDT").amount - Decimal(asset["walletBalance"])) < Decimal("1e-7")
    trades = books.entries(kind="trade", account="own:practice-binanceusdm")
    assert len(trades) == 6 and len(books.entries(kind="funding")) >= 1
    assert all(p.amount.amount.as_tuple().exponent >= -11 for one in trades for p in one.postings)  # no float's tail
    assert books.balance(positions(FUTURES), PERP).amount != 0


def test_reconciling_agrees_and_finds_what_is_missing(served: Served, books: StoredBooks) -> None:
    for venue, wallet in (("binance", HOME), ("binanceusdm", FUTURES)):
        assert reconcile(books, wallet, fetch_reported(venue, way(served))).agrees
    (lost,) = books.entries(kind="withdrawal")
    books.reverse(lost.id)
    found = reconcile(books, HOME, fetch_reported("binance", way(served)))
    (off,) = found.differences
    assert off.amount == Money("-250.5", "USDT") and lost.id in off.causes[0]
    assert "-250.5" in repr(found) and lost.id in found._repr_html_()
    books.post(found.adjustments(lost.ts))
    assert reconcile(books, HOME, fetch_reported("binance", way(served))).agrees


def test_again_and_through_the_other_client_nothing_comes_twice(served: Served, books: StoredBooks) -> None:
    before = books.entries()
    imported(books, served, "binance", symbols=[PERP], what=["trades", "funding"])
    again = import_history(books, "binance", connection=way(served), symbols=[SPOT])  # from where it was
    assert again.added == 0 and again.failures == ()
    assert books.entries() == before and set(books.wallets) == {HOME, FUTURES}


def test_one_account_is_not_the_other(served: Served, tmp_path: Path) -> None:
    books = StoredBooks(tmp_path)
    for name in ("trader", "pairs"):
        import_history(
            books, "binance", connection=way(served, name), since=SINCE, symbols=[SPOT], account=name,
            what=["deposits", "withdrawals"],
        )  # fmt: skip
    ours, theirs = own("practice-binance", "trader"), own("practice-binance", "pairs")
    assert books.balance(theirs, "BTC") == Money("10", "BTC") and books.balance(ours, "BTC") == Money("10.125", "BTC")


def test_what_the_venue_refuses_is_told_and_the_rest_is_booked(served: Served, tmp_path: Path) -> None:
    books = StoredBooks(tmp_path)
    report = import_history(
        books, "binance", connection=way(served), since=SINCE, symbols=[SPOT], what=["ledger", "deposits"]
    )
    (failed,) = report.failures
    assert failed.what == "ledger" and "contract wallets only" in failed.error and report.added == 5
    wrong = Connection(route=served.route, key="nobody", secret="hunter2-hunter2")
    report = import_history(books, "binance", connection=wrong, symbols=[SPOT])
    assert report.added == 0 and all("hunter2" not in str(row) for row in report.rows())
    assert all(one.error for one in report.failures) and len(report.failures) == len(report.histories)


def test_asking_needs_a_key_and_known_histories(served: Served, tmp_path: Path) -> None:
    books = StoredBooks(tmp_path)
    with pytest.raises(ConfigError, match="needs its key"):
        import_history(books, "binance", connection=Connection(route=served.route))
    with pytest.raises(ConfigError, match="must be of trades, deposits"):
        import_history(books, "binance", connection=way(served), what=["orders"])
    assert not list(tmp_path.iterdir())
