"""A page in a real browser, offline: nothing is loaded or sticks out, both schemes, not a word on the console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reporting.made_notebooks import code, notebook, printed, shown, text
from tests.reporting.test_render import PIXEL, matplotlib_svg
from workbench._ink import INK
from workbench.reporting.render import Notice, Page, render_notebook
from workbench.reporting.tables import dress_tables

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
FIGURE = {
    "data": [{"type": "scatter", "y": [1, 3, 2], "name": "a very long name of a line indeed"}],
    "layout": {"width": 1800, "title": {"text": "Interactive"}},
}


def wide_table() -> str:
    import pandas as pd

    return pd.DataFrame({f"column_{number}": [number * 1.5, -number] for number in range(40)}).to_html()


@pytest.fixture(scope="module")
def page_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything that might stick out, load something or run."""
    hostile = (
        "<script>document.title = 'taken over'</script><img src='http://localhost:9/a.png' onerror='document.title=1'>"
        "<link rel='stylesheet' href='http://localhost:9/a.css'><div style='background: url(http://localhost:9/b)'>x</div>"
    )
    cells = [
        text("# The notebook\n\nText $a^2$ " + "unbreakable" * 30),
        text("## A\n\n![far](http://localhost:9/c.png)\n\n$$" + "+".join(f"x_{{{n}}}" for n in range(90)) + "$$"),
        code("fast: int = 3  # bars", "parameters"),
        code("long = '" + "y" * 400 + "'", outputs=[printed("z" * 4000), printed("q " * 400, "stderr")]),
        code("", outputs=[shown({"text/html": wide_table()}), shown({"text/html": hostile})]),
        code("", outputs=[shown({"image/svg+xml": matplotlib_svg()})]),
        code("", outputs=[shown({"image/png": PIXEL}, **{"image/png": {"width": 3000}})]),
        code("", outputs=[shown({"application/vnd.plotly.v1+json": FIGURE})]),
        code("raise", outputs=[{"output_type": "error", "ename": "E", "evalue": "v" * 900, "traceback": ["t" * 900]}]),
    ]
    folder = tmp_path_factory.mktemp("browser")
    return render_notebook(
        notebook(*cells),
        folder / "page.html",
        page=Page(title="S" * 90, facts=tuple((f"Fact {n}", "9" * 40) for n in range(9)), home="index.html"),
        notice=Notice(status="failed", message="m" * 500, traceback="u" * 900, cell=8),
    )


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, headless=True, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Any, page_path: Path) -> Iterator[Any]:
    opened = []

    def open_(*, width: int = 1280, scheme: str = "light") -> Any:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.heard, page.asked = [], []
        page.on("console", lambda message: page.heard.append(message.text))
        page.on("pageerror", lambda error: page.heard.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(page_path.as_uri())
        page.wait_for_selector(".js-plotly-plot .main-svg")
        opened.append(page)
        return page

    yield open_
    for page in opened:
        page.close()


def colour(page: Any, selector: str, property_: str) -> str:
    script = "([selector, name]) => getComputedStyle(document.querySelector(selector)).getPropertyValue(name)"
    return str(page.evaluate(script, [selector, property_]))


def rgb(value: str) -> str:
    return f"rgb({int(value[1:3], 16)}, {int(value[3:5], 16)}, {int(value[5:7], 16)})"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_loaded_and_nothing_sticks_out(open_page: Any, page_path: Path, width: int, scheme: str) -> None:
    page = open_page(width=width, scheme=scheme)
    assert [url for url in page.asked if not url.startswith(("data:", "blob:"))] == [page_path.as_uri()]
    assert page.heard == []
    assert page.title() == "S" * 90, "a script from an output has not run"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("label[for=wb-show-code]")
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "nor with the code shown"


def test_a_table_of_sentences_fits_a_telephone(open_page: Any) -> None:
    table = dress_tables(
        "<table><tr><th></th><th>value</th><th>how it is computed</th></tr>"
        "<tr><th>Annualised volatility</th><td>3,241.48 %</td><td>closed trades with a profit / closed trades</td></tr>"
        f"<tr><th>Drawdown recovered</th><td>2022-11-09</td><td>{'mean of what there is, ' * 5}</td></tr></table>"
    )
    page = open_page(width=390)
    fits = (
        "html => { const box = document.querySelector('article'); box.insertAdjacentHTML('beforeend', html); "
        "const added = box.lastElementChild; return [added.scrollWidth, added.clientWidth]; }"
    )
    needed, there = page.evaluate(fits, table)
    assert needed <= there


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_and_charts_follow_the_scheme(open_page: Any, scheme: str) -> None:
    page = open_page(scheme=scheme)
    expected = {name: rgb(getattr(ink, scheme)) for name, ink in INK.items()}
    assert colour(page, "body", "background-color") == expected["page"]
    assert colour(page, "body", "color") == expected["ink"]
    strokes = page.evaluate(
        "[...document.querySelectorAll('.wb-figure > svg path')].map(p => getComputedStyle(p).stroke)"
    )
    assert expected["accent"] in strokes
    assert colour(page, ".js-plotly-plot .scatterlayer .js-line", "stroke") == expected["accent"]


def test_interactive_charts_follow_when_the_scheme_changes(open_page: Any) -> None:
    page = open_page(scheme="light")
    page.emulate_media(color_scheme="dark")
    wanted = rgb(INK["accent"].dark)
    page.wait_for_function(
        "wanted => getComputedStyle(document.querySelector('.scatterlayer .js-line')).stroke === wanted", arg=wanted
    )


def test_code_opens_with_one_click_or_key(open_page: Any) -> None:
    page = open_page()
    source = page.locator(".wb-source", has_text="yyy")
    assert not source.is_visible()
    assert page.locator(".wb-cell--failed .wb-source").is_visible(), "what failed is always shown"
    page.get_by_text("Show code").click()
    assert source.is_visible()
    page.keyboard.press("Space")
    assert not source.is_visible() and page.get_by_text("Show code").is_visible()


def test_the_notice_leads_to_the_cell(open_page: Any) -> None:
    page = open_page()
    page.get_by_role("link", name="Go to the cell").click()
    assert page.url.endswith("#cell-9")
    assert page.locator("#cell-9").evaluate("cell => cell.getBoundingClientRect().top < innerHeight")


def test_it_prints(open_page: Any) -> None:
    page = open_page(scheme="dark")
    page.emulate_media(media="print")
    assert colour(page, "body", "color") == rgb(INK["ink"].light), "on paper it is always light"
    assert page.pdf(format="A4")[:5] == b"%PDF-"
