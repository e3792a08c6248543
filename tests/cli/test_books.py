"""`workbench books`: an account's past brought in, looked at, mended and checked, as a person would."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.commands import Command, Done, call
from tests.practice.stage import SPOT
from tests.practice.wire_stage import Served, client, run
from workbench.accounting import StoredBooks
from workbench.practice.clients import PRACTICE_FOLDER
from workbench.practice.exchange import ROUTE_FILE

HOME = "own:practice-binance:main"


@pytest.fixture
def books(tmp_path: Path, desk: Path) -> Callable[..., Done]:
    """Run `workbench books …` in a workspace of its own."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "workbench.toml").write_bytes((desk / "workbench.toml").read_bytes())
    return lambda *words: call("--workspace", folder, "books", *words)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    process = Served(tmp_path_factory.mktemp("practice"))
    yield process
    process.close()


def done(answer: Done) -> Done:
    assert answer.code == 0, answer.err
    return answer


def test_an_account_is_imported_and_reconciled(
    books: Callable[..., Done], served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def trade() -> None:
        async with client(served, "binance", "trader") as spot:
            await spot.create_order(SPOT, "market", "buy", 0.25)

    run(trade())
    served.route.write(tmp_path / "mine" / "data" / PRACTICE_FOLDER / ROUTE_FILE)
    monkeypatch.setenv("VENUE_KEY", "trader")
    monkeypatch.setenv("VENUE_SECRET", "trader")
    words = ("import", "binance", SPOT, "--practice", "--since", "2023-11-01")
    first = done(books(*words))
    assert f"6 new entries in {HOME}" in first.out
    again = done(books(*words, "--json")).json()
    assert again["added"] == 0 and again["account"] == "main"
    assert f"{HOME} agrees with the venue" in done(books("reconcile", "binance", "--practice")).out

    (spent,) = StoredBooks(tmp_path / "mine" / "data" / "books").entries(kind="trade")
    done(books("reverse", spent.id, "--note", "to see"))
    off = books("reconcile", "binance", "--practice")
    assert off.code == 1 and "2 assets differ" in off.out and spent.id in off.out
    told = done(books("reconcile", "binance", "--practice", "--adjust", "--json")).json()
    assert told["adjusted"] == 2 and not told["agrees"]

    monkeypatch.delenv("VENUE_SECRET")
    wrong = books(*words)
    assert wrong.code == 2 and "VENUE_KEY and VENUE_SECRET only one is set" in wrong.err


def test_what_no_venue_tells_is_booked_by_hand(books: Callable[..., Done]) -> None:
    empty = books("balances")
    assert empty.code == 2 and "are empty; `workbench books import VENUE` brings" in empty.err
    done(books("add", "deposit", "own:kraken:main", "2 BTC", "--at", "2024-01-05"))
    done(books("add", "withdrawal", "own:kraken:main", "0.5 BTC", "--at", "2024-03-01", "--note", "where to?"))
    done(books("add", "deposit", "own:cold:safe", "0.5 BTC", "--at", "2024-03-01T02:00"))
    done(books("add", "transfer", "own:kraken:main", "0.25 BTC", "--to", "own:cold:safe", "--at", "2024-04-01"))
    found = done(books("match"))
    assert "1 transfer between own wallets found; --apply books them" in found.out
    assert done(books("verify", "--json")).json()[4]["state"] == "warn"
    assert "1 transfer between own wallets booked" in done(books("match", "--apply")).out
    assert {one["state"] for one in done(books("verify", "--json")).json()} == {"ok"}
    assert "entries, each sums to zero" in done(books("verify")).out

    rows = list(csv.reader(io.StringIO(done(books("balances", "--csv")).out)))
    assert rows == [
        ["account", "currency", "amount"],
        ["own:cold:safe", "BTC", "0.75"],
        ["own:kraken:main", "BTC", "1.25"],
    ]
    at = done(books("balances", "--at", "2024-03-01", "--wallet", "own:cold", "--json")).json()
    assert at == [{"account": "own:cold:safe", "amount": "0.5", "currency": "BTC"}]
    assert done(books("balances")).lines[-1] == "In all: 2 BTC"
    assert "equity:external" in done(books("balances", "--all")).out


def test_entries_are_listed_and_shown(books: Callable[..., Done]) -> None:
    for day in ("05", "06", "07"):
        done(books("add", "deposit", "own:kraken:main", f"12{day}.50 EUR", "--at", f"2024-01-{day}"))
    listed = done(books("entries", "--most", "2"))
    assert "1,207.5 EUR" in listed.out and "1,205.5" not in listed.out and "1 before these" in listed.out
    (row,) = done(books("entries", "--since", "2024-01-06", "--until", "2024-01-07", "--json")).json()
    assert ["own:kraken:main", "1206.50", "EUR"] in row["postings"]
    assert len(done(books("entries", "--csv")).lines) == 1 + 2 * 3
    shown = done(books("show", row["id"]))
    assert "deposit of 2024-01-06 00:00:00 UTC" in shown.out and "-1,206.5" in shown.out
    assert done(books("show", row["id"][-6:], "--json")).json() == row


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "gift", "own:kraken:main", "1 EUR", "--at", "2024-01-05"), "a kind of deposit, withdrawal"),
        (("add", "transfer", "own:kraken:main", "1 EUR", "--at", "2024-01-05"), "it needs --to WALLET"),
        (("add", "deposit", "kraken", "1 EUR", "--at", "2024-01-05"), "is no account"),
        (("add", "deposit", "own:kraken:main", "1EUR", "--at", "2024-01-05"), "is no money"),
        (("add", "deposit", "own:kraken:main", "1 EUR", "--at", "yesterday"), "is no time"),
        (("import", "binance"), "set VENUE_KEY and VENUE_SECRET"),
        (("reconcile", "kraken", "--practice"), "no practice exchange runs here"),
        (("entries", "--kind", "gift"), "must be one of adjustment"),
    ],
)
def test_wrong_words_are_refused(words: tuple[str, ...], told: str, books: Callable[..., Done]) -> None:
    answer = books(*words)
    assert answer.code == 2 and told in answer.err and answer.out == ""


def test_without_a_workspace_nothing_is_scattered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WORKBENCH_WORKSPACE", raising=False)
    assert call("books", "balances").code == 2 and not list(tmp_path.iterdir())
