"""The index page in a real browser: it asks nobody for anything, never scrolls sideways, and its table sorts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.reporting.editions import HOSTILE, edition
from workbench.reporting.index import write_index

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND",
]  # fmt: skip
LONG = "A" * 60 + "/" + "B" * 60


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium, headless=True, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything at once: failures, runs never started, hostile and endless names."""
    one, settings = edition(tmp_path_factory.mktemp("desk"), ["AAA/USDT", "BBB/USDT", HOSTILE, LONG], title="Tonight")
    failed = {"status": "failed", "exit_cause": "ValueError", "error": f"{HOSTILE} {LONG * 3}"}
    runs = [replace(one.runs[0], **failed), replace(one.runs[-2], **failed), *one.runs[1:-2], one.runs[-1]]
    return write_index(replace(one, runs=runs, not_run=one.plan.runs[:2], interrupted=True), settings)


class _Opened:
    """A page, and everything that it asked for or complained about."""

    def __init__(self, browser: Any, index: Path, scheme: str, width: int, *, scripts: bool = True) -> None:
        self.context = browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 900}, java_script_enabled=scripts
        )
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.goto(index.as_uri())

    def __enter__(self) -> _Opened:
        return self

    def __exit__(self, *exception: object) -> None:
        self.context.close()


@pytest.mark.parametrize("width", [1280, 900, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_is_complete_in_itself(browser: Any, index: Path, scheme: str, width: int) -> None:
    with _Opened(browser, index, scheme, width) as opened:
        page = opened.page
        assert opened.asked == [index.as_uri()] and opened.said == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
        # nothing hides what does not fit either: no box of the page scrolls sideways by itself
        hidden = "[...document.querySelectorAll('main *')].filter(e => e.scrollWidth > e.clientWidth + 1 && " \
            "getComputedStyle(e).overflowX !== 'visible').map(e => e.className || e.tagName)"  # fmt: skip
        assert page.evaluate(hidden) == []
        light = page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor")
        assert light == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 26, 33)"}[scheme]
        heads = page.locator("#league-table thead th:visible").count()
        assert heads == {1280: 14, 900: 11, 390: 5}[width]


def test_the_worst_finding_of_each_run_is_seen_on_any_screen(browser: Any, index: Path) -> None:
    for width in (1280, 900, 390):
        with _Opened(browser, index, "light", width) as opened:
            pills = opened.page.locator("#league-table tbody .wb-pill:visible").all_inner_texts()
            assert len(pills) == 6 and set(pills) <= {"critical", "warning", "note", "fine"}


def test_what_failed_is_on_the_first_screen(browser: Any, index: Path) -> None:
    for width in (1280, 390):
        with _Opened(browser, index, "light", width) as opened:
            box = opened.page.locator("#failures").bounding_box()
            assert box is not None and box["y"] < 700


def test_the_table_sorts_by_any_column_and_back(browser: Any, index: Path) -> None:
    with _Opened(browser, index, "light", 1280) as opened:
        page = opened.page

        def column(number: int) -> list[str]:
            cells = page.locator(f"#league-table tbody td:nth-child({number})")
            return [cell.get_attribute("data-value") or "" for cell in cells.all()]

        def numbers(number: int) -> list[float]:
            return [float(text) for text in column(number) if text]

        heads = page.locator("#league-table thead th")
        assert heads.nth(4).get_attribute("aria-sort") == "descending", "the table comes ranked by Sharpe ratio"
        page.get_by_role("button", name="Trades").click()
        assert numbers(11) == sorted(numbers(11), reverse=True) and column(1) != ["1", "2", "3", "4", "5", "6"]
        page.get_by_role("button", name="Trades").click()
        assert numbers(11) == sorted(numbers(11)) and heads.nth(10).get_attribute("aria-sort") == "ascending"
        assert heads.nth(4).get_attribute("aria-sort") is None
        for _ in range(2):  # what is not known comes last, either way
            page.get_by_role("button", name="Sortino").click()
            assert column(10)[-1] == "" and "" not in column(10)[:-1]
        page.get_by_role("button", name="Market").click()
        assert column(3) == sorted(column(3), key=str.casefold)
        page.get_by_role("button", name="Doctor").click()
        assert column(14) == sorted(column(14), reverse=True)
        page.get_by_role("button", name="#").click()
        assert column(1) == [str(number) for number in range(1, len(column(1)) + 1)]
        assert opened.said == []


def test_without_scripts_the_page_is_complete(browser: Any, index: Path) -> None:
    with _Opened(browser, index, "light", 1280, scripts=False) as opened:
        assert opened.page.locator("#league-table tbody tr").count() == 6
        assert opened.page.locator("#league-table thead button").count() == 0
        assert opened.said == [] and opened.asked == [index.as_uri()]
