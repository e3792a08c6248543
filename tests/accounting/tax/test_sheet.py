"""Transactions and prices in files: written back the same, read strictly, and what is wrong is named with its line."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.accounting.tax.histories import at, buy, history, tx
from workbench.accounting.money import Money
from workbench.accounting.tax import (
    LotChoice,
    PriceTable,
    Transaction,
    read_transactions,
    tax_report,
    template,
    write_transactions,
)
from workbench.accounting.tax.sheet import COLUMNS, moment_of, said_moment
from workbench.errors import DataError

HEADING = "time,kind,wallet,sent,sent_asset,received,received_asset,id\n"
LINE = "2024-01-01,trade,a,100,USD,1,BTC,{}\n"


def written(folder: Path, text: str, name: str = "t.csv") -> Path:
    (folder / name).write_bytes(text.encode())
    return folder / name


def as_objects(transactions: list[Transaction]) -> list[dict[str, str]]:
    """The same as JSON, by way of the CSV."""
    import csv
    import io

    return [
        {name: text for name, text in row.items() if text}
        for row in csv.DictReader(io.StringIO(write_transactions(transactions)))
    ]


def test_the_template_reads_and_is_worth_a_report(tmp_path: Path) -> None:
    found = read_transactions(written(tmp_path, template()))
    assert [one.id for one in found] == ["buy-1", "stake-1", "move-1", "swap-1", "sell-1"]
    report = tax_report(found)
    assert report.complete and not report.findings
    assert [(one.year, one.gain) for one in report.totals] == [
        (2023, {"short": Decimal("2.03")}), (2024, {"long": Decimal("26693.36")}),
    ]  # fmt: skip


def test_what_is_written_is_read_back_the_same(tmp_path: Path) -> None:
    given = [one for seed in range(40) for one in history(seed)]
    chosen = replace(given[0], lots=(LotChoice("a"), LotChoice("b=c", Decimal("0.5"))), note='with, "quotes"\nand =1')
    given = [chosen, *given[1:]]
    assert read_transactions(written(tmp_path, write_transactions(given))) == given
    plain = [replace(one, note="") for one in given if not one.lots]
    assert read_transactions(written(tmp_path, json.dumps(as_objects(plain)), "t.json")) == plain


def test_text_that_a_spreadsheet_would_run_is_written_guarded_and_read_without(tmp_path: Path) -> None:
    given = [tx("=cmd|'/c calc'!A0", "2024-01-01", "staking", "@home", received=Money(1, "+X"), note="-1+2")]
    text = write_transactions(given)
    assert "'=cmd|'/c calc'!A0" in text and "'@home" in text and "'+X" in text and "'-1+2" in text
    assert read_transactions(written(tmp_path, text)) == given


def test_json_takes_numbers_digit_by_digit(tmp_path: Path) -> None:
    text = """[{"time": 1704067200000, "kind": "Trade", "wallet": "a", "sent": 100.10, "sent_asset": "USD",
        "received": 0.123456789012345678, "received_asset": "BTC", "note": null},
        {"time": "2024-01-02", "kind": "staking", "wallet": "a", "received": "1e-8", "received_asset": "BTC"}]"""
    first, second = read_transactions(written(tmp_path, text, "t.JSON"))
    assert (first.ts, first.kind, str(first.sent), first.note) == (at("2024-01-01"), "trade", "100.10 USD", "")
    assert first.received == Money("0.123456789012345678", "BTC")
    assert second.received == Money("0.00000001", "BTC")
    assert (first.id, second.id) == ("t.JSON#1", "t.JSON#2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ('{"time": 1}', "must be a list of objects"),
        ("[1]", "must be a list of objects"),
        ('[{"time": 1}]', r"\(transaction 1\) has no 'kind'"),
        ('[{"time": "2024-01-01", "kind": "fee", "wallet": "a", "sents": 1}]', "has 'sents', .* did you mean 'sent'"),
        ('[{"time": "2024-01-01", "kind": ["fee"], "wallet": "a"}]', "transaction 1: kind must be text or a number"),
        ('[{"time": "2024-01-01", "kind": true, "wallet": "a"}]', "transaction 1: kind must be text or a number"),
        (
            '[{"time": "2024-01-01", "kind": "fee", "wallet": "a", "sent": NaN, "sent_asset": "X"}]',
            "transaction 1: sent is 'NaN', which is no number",
        ),
    ],
)
def test_wrong_json_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_transactions(written(tmp_path, text, "t.json"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no 'time'; it needs time, kind, wallet"),
        ("time;kind;wallet\n", "has ; between its columns"),
        ("time,kind\n", "has no 'wallet'"),
        ("time,kind,wallet,recieved\n", "has 'recieved', which is not known; did you mean 'received'"),
        ("time,kind,wallet,kind\n", "has a column twice"),
        (HEADING + LINE.format("a") + "2024-01-01,trade,a\n", "line 3: .*a trade needs sent"),
        (HEADING + LINE.format("a").strip() + ",more\n", "line 2 has more fields than the heading"),
        (HEADING + LINE.format("a").replace("trade", "buy"), "line 2: .*kind 'buy' is not known"),
        (HEADING + LINE.format("a").replace("100", "1.000,5"), "line 2"),
        (HEADING + LINE.format("a").replace("100,USD", "100,"), "line 2: sent 100 and sent_asset .* need each other"),
        (HEADING + LINE.format("a").replace("100", "hundred"), "line 2: sent is 'hundred', which is no number"),
        (HEADING + LINE.format("a").replace("2024-01-01", "1/2/2024"), "line 2: time '1/2/2024' is no time"),
        (HEADING + LINE.format("a") * 2, "t.csv line 3: the id 'a' stands already in t.csv line 2"),
        (HEADING + '"2024', "is no CSV"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_transactions(written(tmp_path, text))


def test_up_to_ten_wrong_lines_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_transactions(written(tmp_path, HEADING + LINE.format("").replace("100", "x") * 30))
    assert str(caught.value).count("; line ") == 9 and "line 11" in str(caught.value)


def test_files_that_are_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*nothing\.csv: No such file"):
        read_transactions(tmp_path / "nothing.csv")
    with pytest.raises(DataError, match=r"cannot read .*: Is a directory"):
        read_transactions(tmp_path)
    (tmp_path / "x.csv").write_bytes(b"time,kind,wallet\n\xff\xfe\x00")
    with pytest.raises(DataError, match="is not UTF-8 text"):
        read_transactions(tmp_path / "x.csv")
    (tmp_path / "x.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="is not UTF-8 text"):
        read_transactions(tmp_path / "x.json")


def test_ids_are_made_of_file_and_line_and_columns_may_stand_anywhere(tmp_path: Path) -> None:
    """With a byte order mark, Windows line ends, spaces and empty lines, as spreadsheets write them."""
    lines = (
        "\ufeffwallet , time,kind,received,received_asset,value",
        "",
        "mine, 2024-01-01T01:00+01:00 ,Staking,1,ETH,5",
    )
    text = "\r\n".join((*lines, ",,,,,", ""))
    (one,) = read_transactions(written(tmp_path, text))
    assert (one.id, one.wallet, one.ts, one.value) == ("t.csv#3", "mine", at("2024-01-01"), Decimal(5))


@pytest.mark.parametrize(
    ("text", "ts"),
    [
        ("2024-03-01T12:30:00Z", at("2024-03-01T12:30")),
        ("2024-03-01 12:30", at("2024-03-01T12:30")),
        ("2024-03-01T14:30:00.250+02:00", at("2024-03-01T12:30") + 250),
        ("1709296200000", at("2024-03-01T12:30")),
        ("2024-03-01", at("2024-03-01")),
    ],
)
def test_times_are_read_as_utc_unless_they_say_more(text: str, ts: int) -> None:
    assert moment_of(text) == ts
    assert moment_of(said_moment(ts)) == ts


def test_every_column_is_documented() -> None:
    assert set(template().splitlines()[0].split(",")) == set(COLUMNS)
    assert all(len(text) > 5 for text in COLUMNS.values())


# ----- prices


def test_prices_of_a_file_hold_until_the_next_and_not_for_long(tmp_path: Path) -> None:
    lines = "time,asset,currency,price\n2024-01-03,BTC,USD,200\n2024-01-01,BTC,USD,100.5\n2024-01-01,ETH,BTC,0.05\n"
    table = PriceTable.read_csv(written(tmp_path, lines, "prices.csv"))

    def price(asset: str, currency: str, when: str) -> tuple[Decimal, str] | None:
        found = table.price(asset, currency, at(when))
        return None if found is None else (found.price, found.source)

    assert price("BTC", "USD", "2023-12-31") is None
    assert price("BTC", "USD", "2024-01-02T23:59") == (Decimal("100.5"), "prices.csv")
    assert price("BTC", "USD", "2024-01-03") == (Decimal(200), "prices.csv")
    assert price("BTC", "USD", "2024-01-05T00:01") is None  # two days and a minute
    assert price("USD", "BTC", "2024-01-03") == (Decimal("0.005"), "1 / prices.csv")
    assert price("ETH", "USD", "2024-01-01") == (Decimal("5.025"), "prices.csv x prices.csv")
    assert price("ETH", "EUR", "2024-01-01") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time,asset,price\n", "needs the columns time, asset, currency, price"),
        ("time,asset,currency,price\nsoon,BTC,USD,1\n", "line 2: time 'soon' is no time"),
        ("time,asset,currency,price\n2024-01-01,BTC,USD,cheap\n", "line 2: the price is 'cheap'"),
        ("time,asset,currency,price\n2024-01-01,BTC\n", "line 2"),
        ("time,asset,currency,price\n2024-01-01,BTC,USD,0\n", "price of BTC in USD at .* is 0; it must be above 0"),
        ("time,asset,currency,price\n2024-01-01,BTC,USD,1,2\n", "line 2"),
    ],
)
def test_wrong_prices_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        PriceTable.read_csv(written(tmp_path, text, "prices.csv"))


def test_closes_count_from_the_moment_that_they_are_known() -> None:
    from tests.backtest.handmade import HOUR, series

    bars = series("BTC/USD", [100.0, 110.1])
    table = PriceTable.of_bars([bars])
    first = int(bars.ts[0])
    assert table.price("BTC", "USD", first + HOUR - 1) is None
    found = table.price("BTC", "USD", first + 2 * HOUR)
    assert found is not None and found.price == Decimal("110.1")
    with pytest.raises(DataError, match="names no quote currency"):
        PriceTable.of_bars([series("BTC", [100.0])])
    with pytest.raises(DataError, match="max_age_days is 0"):
        PriceTable(0)


def test_a_price_file_values_what_says_nothing(tmp_path: Path) -> None:
    prices = written(tmp_path, "time,asset,currency,price\n2024-01-31,ETH,USD,20\n", "prices.csv")
    swap = tx("w", "2024-02-01", "trade", sent="0.5 BTC", received="10 ETH")
    report = tax_report([buy("b", "2024-01-01", "1", "100"), swap], prices=PriceTable.read_csv(prices))
    assert [(row.gain, row.source) for row in report.disposals] == [(150, "prices.csv")]
