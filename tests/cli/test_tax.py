"""`workbench tax`: a year from files and books, as somebody who does their taxes meets it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from tests.cli.commands import Command, call
from workbench.accounting import About, Money, deposit, own, trade, transfer, withdrawal
from workbench.accounting.books import StoredBooks
from workbench.accounting.tax import KINDS, METHODS, TaxOptions, tax_report, template
from workbench.accounting.tax.sheet import COLUMNS
from workbench.market.lake import Lake

JANUARY, DAY = 1_704_067_200_000, 86_400_000
HOME, COLD = own("binance"), own("ledger")
ENTRIES = [
    deposit(HOME, Money("1000", "USD"), JANUARY, About(id="in")),
    trade(HOME, Money("2", "BTC"), Money("200", "USD"), JANUARY + DAY, [Money("1", "USD")], About(id="bought")),
    trade(HOME, Money("300", "USD"), Money("1", "BTC"), JANUARY + 9 * DAY, (), About(id="sold")),
    *transfer(HOME, COLD, Money("0.5", "BTC"), JANUARY + 10 * DAY, about=About(id="moved")),
    withdrawal(HOME, Money("0.25", "BTC"), JANUARY + 11 * DAY, (), About(id="out")),
    deposit(COLD, Money("0.25", "BTC"), JANUARY + 11 * DAY + 60_000, About(id="back")),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with books, a file of transactions and closes of a day."""
    folder = tmp_path_factory.mktemp("tax")
    (folder / "workbench.toml").touch()
    (folder / "t.csv").write_text(template())
    StoredBooks(folder / "data" / "books").post(ENTRIES)
    columns = dict.fromkeys(("open", "high", "low", "close"), np.array([40_000.0, 42_000.0]))
    bars = wb.Bars(
        instrument=wb.Instrument(symbol="BTC/USD", venue="binance"), timeframe="1d", ts=JANUARY + np.arange(2) * DAY,
        volume=np.full(2, 1e6), **columns,
    )  # fmt: skip
    Lake(folder / "data" / "lake").write(bars)
    return folder


@pytest.fixture
def run(place: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(place)
    return lambda *words: call("--workspace", place, "tax", *words)


def test_the_template_is_a_file_that_reports(run: Command, place: Path) -> None:
    assert run("template").out == template()
    done = run("report", "t.csv", "--year", "2024")
    assert done.code == 0
    assert done.lines[0].split() == ["Year", "Term", "Proceeds", "Cost", "USD"]
    assert done.lines[1].split() == ["2024", "capital", "gains", "long", "38,471.00", "11,777.64", "26,693.36"]
    assert "not tax advice" in " ".join(done.lines) and "fifo, each wallet by itself" in done.out
    told = run("report", "t.csv", "--year", "2024", "--json").json()
    assert told["totals"][0]["amount"] == "26693.36" and told["complete"]


def test_every_option_reaches_the_report(run: Command, place: Path) -> None:
    words = ("--method", "hifo", "--currency", "EUR", "--zone", "Europe/Berlin", "--set", "pools=universal")
    told = run("report", "t.csv", *words, "--set", "long-after=none", "--json").json()["options"]
    chosen = TaxOptions(method="hifo", currency="EUR", zone="Europe/Berlin", pools="universal", long_after=None)
    assert told == chosen.in_words()


def test_the_columns_kinds_and_choices_are_explained(run: Command) -> None:
    columns, choices = run("template", "--columns").out, run("options").out
    assert all(f"\n{name} " in columns for name in (*list(COLUMNS)[1:], *KINDS))
    assert all(f" {method} " in choices for method in METHODS)
    assert all(f"\n{name} " in choices for name in TaxOptions().in_words())


def test_pages_and_tables_are_written_and_said(run: Command, tmp_path: Path) -> None:
    done = run("report", "t.csv", "--html", tmp_path / "a" / "tax.html", "--csv", tmp_path / "csv")
    assert done.lines[-2:] == [f"page: {tmp_path / 'a' / 'tax.html'}", f"tables: {tmp_path / 'csv'}"]
    assert "Tax report" in (tmp_path / "a" / "tax.html").read_text()
    assert len(list((tmp_path / "csv").glob("*.csv"))) == 9


def test_a_transaction_is_explained(run: Command) -> None:
    done = run("explain", "sell-1", "t.csv")
    assert done.lines[0] == "sell-1"
    assert "proceeds 28971.00 (money) - cost 8412.60 = 20558.40 USD, held 481 days, long" in " ".join(done.lines)
    assert "bought" in run("explain", "sold", "--books").out
    missing = run("explain", "nix", "t.csv")
    assert missing.code == 2 and "nothing came of a transaction 'nix'" in missing.err


def test_books_are_taken_and_their_balances_come_out(run: Command) -> None:
    done = run("report", "--books")
    assert done.code == 0
    assert done.lines[1].split() == ["2024", "capital", "gains", "short", "300.00", "100.50", "199.50"]
    assert "All 4 balances of the books come out, to the last digit." in done.lines
    assert "unknown withdrawal" in done.out
    both = run("report", "--books", "t.csv", "--json").json()
    assert {row["wallet"] for row in both["balances"]} >= {"binance:main", "kraken", "transit:ledger-main"}


def test_transfers_are_matched_on_request(run: Command) -> None:
    done = run("report", "--books", "--match-transfers", "1")
    assert done.code == 0 and "unknown withdrawal" not in done.out
    assert "out+back" in run("transactions", "--books", "--match-transfers", "1").out
    assert "warnings" in run("report", "--books", "--match-transfers", "0.01").out  # a minute is longer


def test_transactions_of_books_are_printed_to_be_read_again(run: Command, tmp_path: Path) -> None:
    text = run("transactions", "--books", "t.csv").out
    assert [row["id"] for row in csv.DictReader(io.StringIO(text))][-3:] == ["moved:sent", "out", "back"]
    (tmp_path / "all.csv").write_text(text)
    again = run("report", tmp_path / "all.csv", "--json").json()
    assert again == run("report", "--books", "t.csv", "--json").json()


def test_prices_come_from_files_and_the_lake(run: Command, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(
        "time,kind,wallet,received,received_asset,id\n2024-01-03,staking,a,0.5,BTC,s\n2024-01-03,staking,a,2,ETH,e\n"
    )
    (tmp_path / "p.csv").write_text("time,asset,currency,price\n2024-01-02,ETH,USD,2000\n")
    sources = ("--lake-prices", "1d", "--prices", tmp_path / "p.csv")
    income = run("report", tmp_path / "s.csv", *sources, "--json").json()["income"]
    assert [(row["value"], row["price_from"]) for row in income] == [
        ("21000.00", "BTC/USD 1d close, binance"), ("4000.00", "p.csv"),
    ]  # fmt: skip
    bare = run("report", tmp_path / "s.csv")
    assert bare.code == 0 and "price missing" in bare.out and "2 warnings" in bare.out
    assert run("report", tmp_path / "s.csv", "--strict").code == 1
    assert run("report", tmp_path / "s.csv", *sources, "--strict").code == 0


def test_many_warnings_are_cut_and_counted(run: Command, tmp_path: Path) -> None:
    lines = [f"2024-01-{day:02d},withdrawal,a,1,BTC,w{day}" for day in range(1, 13)]
    (tmp_path / "w.csv").write_text("time,kind,wallet,sent,sent_asset,id\n" + "\n".join(lines))
    done = run("report", tmp_path / "w.csv")
    assert "24 warnings" in done.out and "16 more; --csv DIR writes all" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("report",), "there is nothing to work out: give files of transactions"),
        (("transactions",), "there is nothing to work out"),
        (("report", "nothing.csv"), "cannot read nothing.csv: No such file"),
        (("report", "t.csv", "t.csv"), "the id 'buy-1' stands already in t.csv line 2; is a file given twice?"),
        (("report", "t.csv", "--method", "best"), "method='best' is not known; choose one of fifo, lifo"),
        (("report", "t.csv", "--set", "pools"), "--set 'pools': write NAME=VALUE"),
        (("report", "t.csv", "--set", "pool=universal"), "there is no option 'pool'; did you mean 'pools'?"),
        (("report", "t.csv", "--zone", "Mars"), "zone='Mars' is no time zone"),
        (("report", "t.csv", "--year", "24"), "year 24 must be 1970 to 2199"),
        (("report", "t.csv", "--prices", "t.csv"), "needs the columns time, asset, currency, price"),
        (("report", "t.csv", "--lake-prices", "day"), "day"),
        (("report", "t.csv", "--match-transfers", "-1"), "hours=-1.0 must be above 0"),
        (("report", "t.csv", "--html", "t.csv/x"), "a file stands where a folder is needed"),
    ],
)
def test_a_mistake_is_named(run: Command, words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert done.code == 2 and said in done.err and not done.out


def test_empty_books_and_books_that_do_not_come_out_are_said(
    run: Command, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "workbench.toml").touch()
    empty = call("--workspace", tmp_path, "tax", "report", "--books")
    assert empty.code == 2 and "the books in " in empty.err and "are empty; `workbench books import" in empty.err
    (tmp_path / "more.csv").write_text(
        "time,kind,wallet,received,received_asset,id\n2024-01-03,staking,binance:main,1,BTC,s\n"
    )
    done = run("report", "--books", tmp_path / "more.csv")
    assert done.code == 2 and "the report does not end at the books in 1 of 4 balances: binance:main has" in done.err


def test_the_report_is_that_of_the_library(run: Command, place: Path) -> None:
    from workbench.accounting.tax import read_transactions

    assert json.loads(run("report", "t.csv", "--json").out) == json.loads(
        tax_report(read_transactions(place / "t.csv")).to_json()
    )
