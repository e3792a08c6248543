"""A report as CSV, JSON and a page: whole or not at all, exact, and with nothing that a spreadsheet or browser runs."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.accounting.tax.histories import buy, history, sell, tx
from workbench._spreadsheet import unguarded
from workbench.accounting.tax import NOT_ADVICE, TaxOptions, TaxReport, tax_report
from workbench.accounting.tax.page import card_of
from workbench.accounting.tax.tables import TABLES, columns_of, rows_of
from workbench.errors import DataError

HOSTILE = "=HYPERLINK(\"http://x\")<script>alert('x')</script>&"
GIVEN = [
    buy("buy-1", "2023-01-05", "1", "16800", fee="25.2 USD"),
    tx("stake-1", "2023-03-01", "staking", received="0.5 ETH", value="800"),
    tx("move-1", "2023-06-01", "transfer", sent="0.4 BTC", received="0.3998 BTC", to_wallet="cold", fee_value="5.4"),
    tx("swap-1", "2024-02-10", "trade", "cold", sent="0.2 BTC", received="3.5 ETH", value="9500"),
    sell("sell-1", "2024-05-01", "0.5", "29000", fee="29 USD"),
    tx("pnl", "2024-05-03", "realised", sent="120 USD"),
    tx("fee", "2024-05-03", "fee", sent="2 USD"),
    sell("gap", "2024-06-01", "0.7", "42000"),
    tx("gift", "2024-07-01", "gift_given", "cold", sent="0.05 BTC"),
]


def hostile() -> TaxReport:
    """Every text that a user or a venue may give is an attack."""
    given = [
        buy(HOSTILE + "1", "2024-01-05", "1", "100", wallet=HOSTILE),
        sell(HOSTILE + "2", "2024-02-05", "2", "500", wallet=HOSTILE, note=HOSTILE),
        tx(HOSTILE + "3", "2024-03-05", "deposit", HOSTILE, received=replace(GIVEN[0], id="x").received),
    ]
    return tax_report(given)


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [str(value) for name, value in attrs if name in ("src", "href", "onload", "onclick")]

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"


@pytest.fixture(scope="module")
def report() -> TaxReport:
    return tax_report(GIVEN, year=2024)


def test_every_table_is_a_file_with_all_its_rows(report: TaxReport, tmp_path: Path) -> None:
    written = report.to_csv(tmp_path / "a" / "tax")
    assert [path.stem for path in written] == list(TABLES)
    for path in written:
        with path.open(newline="") as stream:
            heading, *rows = csv.reader(stream)
        assert tuple(heading) == columns_of(path.stem)
        assert len(rows) == len(rows_of(report, path.stem)) > 0
    with (tmp_path / "a" / "tax" / "disposals.csv").open(newline="") as stream:
        sold = list(csv.DictReader(stream))
    assert [(row["transaction"], row["gain"], row["unknown"]) for row in sold] == [
        ("swap-1", "6134.96", ""), ("sell-1", "20558.40", ""), ("gap", "4317.48", ""), ("gap", "", "cost"),
    ]  # fmt: skip
    assert sold[0]["time"] == "2024-02-10T00:00:00Z" and sold[0]["quantity"] == "0.2"


def test_the_tables_of_a_frame_are_those_of_the_files(report: TaxReport) -> None:
    frame = report.table("disposals")
    assert list(frame.columns) == list(columns_of("disposals"))
    assert frame["gain"].tolist() == [Decimal("6134.96"), Decimal("20558.40"), Decimal("4317.48"), None]
    assert str(frame["time"].dtype).endswith("UTC]")
    assert len(report.table("disposals", 2023)) == 1
    assert report.table("lots")["quantity"].sum() == Decimal("4.1498")


def test_json_is_exact_and_null_where_nobody_knows(report: TaxReport, tmp_path: Path) -> None:
    text = report.to_json(tmp_path / "tax.json")
    assert (tmp_path / "tax.json").read_text() == text
    told = json.loads(text)
    assert (told["about"], told["year"], told["currency"], told["complete"]) == (NOT_ADVICE, 2024, "USD", False)
    assert told["options"]["method"].startswith("fifo: first in")
    assert told["disposals"][3]["gain"] is None and told["disposals"][0]["gain"] == "6134.96"
    assert told["disposals"][0]["days"] == 401 and told["disposals"][0]["acquired"] == "2023-01-05T00:00:00Z"
    assert told["warnings"][0]["warning"] == "more than was held"
    assert set(told) == {"about", "year", "currency", "complete", *TABLES}


def test_nothing_in_a_csv_is_a_formula_and_all_of_it_comes_back(tmp_path: Path) -> None:
    made = hostile()
    for path in made.to_csv(tmp_path):
        with path.open(newline="") as stream:
            cells = [cell for row in csv.reader(stream) for cell in row]
        for cell in cells:
            assert not cell.lstrip(" ").startswith(("=", "+", "@", "\t")), (path.name, cell)
            assert not cell.startswith("-") or re.fullmatch(r"-[\d.]+", cell)
    with (tmp_path / "disposals.csv").open(newline="") as stream:
        first = next(csv.DictReader(stream))
    assert (unguarded(first["transaction"]), unguarded(first["wallet"])) == (HOSTILE + "2", HOSTILE)


def test_a_folder_that_cannot_be_written_gets_nothing(report: TaxReport, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for write in (report.to_csv, report.to_html, report.to_json):
        with pytest.raises(DataError, match="a file stands where a folder is needed"):
            write(tmp_path / "file" / "tax")
    (tmp_path / "tax" / "balances.csv").mkdir(parents=True)
    with pytest.raises(DataError, match=r"balances\.csv: a folder is there.*Nothing was changed"):
        report.to_csv(tmp_path / "tax")
    assert os.listdir(tmp_path / "tax") == ["balances.csv"]


def test_the_page_says_sums_warnings_rows_and_choices(report: TaxReport, tmp_path: Path) -> None:
    text = report.to_html(tmp_path / "tax.html")
    assert (tmp_path / "tax.html").read_text() == text
    page = _Page(text)
    for said in (
        "Tax report 2024", "2024-01-01 to 2024-12-31", NOT_ADVICE, "31,010.84", "\N{MINUS SIGN}120.00", "1 row",
        "with proceeds of 36,000.00", "Warnings: 1", "What was given up, lot by lot", "What left at cost",
        "first in, first out: the lot acquired first is given first",
    ):  # fmt: skip
        assert said in page.text, said
    assert "side" not in page.text.split()  # nothing is short
    assert not page.links and "script" not in page.tags
    fine = _Page(tax_report(GIVEN[:2]).to_html())
    assert "Nothing is missing" in fine.text and "Warnings" not in fine.text
    empty = _Page(tax_report([], year=2024).to_html())
    assert "Nothing to declare came of it." in empty.text


def test_what_others_wrote_is_text_on_the_page() -> None:
    for text in (hostile().to_html(), card_of(hostile())):
        page = _Page(text)
        assert not page.links and "script" not in page.tags
        assert HOSTILE + "2" in page.text
    odd = tax_report([], TaxOptions(currency="<b>"))
    assert "<b>" not in odd.to_html().replace("<b>0.00", "")


def test_a_long_report_is_cut_on_the_page_and_says_so() -> None:
    given = [buy("b", "2020-01-01", "2000", "2000"), *(sell(f"s{n}", "2021-01-01", "1", "3") for n in range(1500))]
    made = tax_report(given)
    text = made.to_html()
    assert "500 more rows are in the CSV." in text
    assert text.count("<tr>") < 1_100
    assert len(rows_of(made, "disposals")) == 1500


def test_every_made_up_history_can_be_written(tmp_path: Path) -> None:
    for seed in range(8):
        made = tax_report(history(seed))
        made.to_csv(tmp_path)
        assert json.loads(made.to_json())["disposals"] is not None
        assert _Page(made.to_html()).text and made._repr_html_() and "disposals" in repr(made)


# ----- in a browser


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage", "--disable-sync",
             "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"]  # fmt: skip
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium, headless=True, args=quiet)
        yield started
        started.close()


COLOURS = """() => [...document.querySelectorAll('h1,p,td,th,b,.box')].map(one => {
    let behind = one
    while (behind && getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement
    const rgb = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number)
    const light = rgb => rgb.map(one => one / 255)
        .map(one => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
        .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0)
    const [a, b] = [getComputedStyle(one).color, behind ? getComputedStyle(behind).backgroundColor : 'rgb(33, 33, 33)']
        .map(rgb).map(light).sort((x, y) => x - y)
    return (b + 0.05) / (a + 0.05)
})"""


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_the_page_is_readable_on_any_screen(browser: Any, tmp_path: Path, scheme: str, width: int) -> None:
    hostile().to_html(tmp_path / "hostile.html")
    tax_report(GIVEN, year=2024).to_html(tmp_path / "tax.html")
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    for name in ("hostile.html", "tax.html"):
        page.goto((tmp_path / name).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert min(page.evaluate(COLOURS)) >= 4.5
    assert len(asked) == 2
    sums = page.locator(".sums").first
    assert sums.evaluate("one => one.scrollWidth <= one.clientWidth")  # the amounts are seen without scrolling
    context.close()


def test_the_card_is_readable_in_a_dark_notebook(browser: Any) -> None:
    theme = "--jp-content-font-color1:#fff;--jp-ui-font-color2:#bbb;--jp-layout-color0:#111;--jp-layout-color2:#424242"
    more = "--jp-border-color2:#616161;--jp-error-color0:#e57373;--jp-warn-color0:#ffb74d"
    page = browser.new_context(viewport={"width": 800, "height": 600}).new_page()
    page.set_content(
        f"<!doctype html><body style='background:#212121;{theme};{more}'>{tax_report(GIVEN)._repr_html_()}"
    )
    assert min(page.evaluate(COLOURS)) >= 4.5
    page.set_content(f"<!doctype html><body style='background:#fff'>{tax_report(GIVEN)._repr_html_()}")
    assert min(page.evaluate(COLOURS)) >= 4.5
    page.context.close()
