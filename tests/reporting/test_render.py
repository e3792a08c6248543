"""What becomes of cells and outputs on a page."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reporting.made_notebooks import code, notebook, printed, shown, text, write
from workbench._ink import INK
from workbench.errors import ConfigError
from workbench.reporting.cleaning import clean_html
from workbench.reporting.render import Notice, Page, render_notebook, stylesheet
from workbench.reporting.svg import inline_svg
from workbench.reporting.tables import dress_tables

PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000000000200015e2"
        "f1c0d0000000049454e44ae426082"
    )
).decode()


def rendered(folder: Path, *cells: dict[str, Any], page: Page | None = None, notice: Notice | None = None) -> str:
    path = render_notebook(notebook(*cells), folder / "page.html", page=page, notice=notice, folder=folder)
    return path.read_text(encoding="utf-8")


def article(html: str) -> str:
    return html[html.index("<article") : html.index("</article>")]


def test_a_page_of_a_file(tmp_path: Path) -> None:
    path = write(tmp_path / "n.ipynb", text("# Title of `it`"))
    html = render_notebook(path, tmp_path / "deep" / "er" / "page.html").read_text()
    assert "<title>Title of it</title>" in html and "<h1>Title of it</h1>" in html
    assert [item.name for item in (tmp_path / "deep" / "er").iterdir()] == ["page.html"]
    with pytest.raises(ConfigError, match=r"gone\.ipynb does not exist"):
        render_notebook(tmp_path / "gone.ipynb", tmp_path / "page.html")


def test_the_title_that_is_given_wins(tmp_path: Path) -> None:
    page = Page(title="A & B", facts=(("Symbol", "<BTC>"),), home="index.html?a=1&b")
    html = rendered(tmp_path, text("# Own\n\nText"), page=page)
    assert "<h1>A &amp; B</h1>" in html and '<p class="wb-kicker">Own</p>' in html
    assert "<dt>Symbol</dt><dd>&lt;BTC&gt;</dd>" in html
    assert html.count('href="index.html?a=1&amp;b"') == 2
    assert "Own" not in article(html) and "<p>Text</p>" in article(html)


def test_a_notebook_without_a_title(tmp_path: Path) -> None:
    assert "<h1>Report</h1>" in rendered(tmp_path, text("Text\n\n# Not at the start"))
    assert "<h1>Report</h1>" in rendered(tmp_path)


def test_formulas_are_mathml(tmp_path: Path) -> None:
    html = article(
        rendered(
            tmp_path,
            text("$a_1 < b$ and $$\\frac{1}{2}$$ and \\$5\n\n\\begin{equation}x^2\\end{equation}"),
            code("", outputs=[shown({"text/latex": "$\\displaystyle x$", "text/plain": "x"})]),
        )
    )
    assert html.count("<math") == 4 and html.count('display="block"') == 2
    assert "\\frac" not in html and "$5" in html


def test_a_formula_that_cannot_be_read_stays_as_it_is(tmp_path: Path) -> None:
    html = article(rendered(tmp_path, text("$$\\left( <b>$$")))
    assert "<b>" not in html and "&lt;b&gt;" in html


def test_code_is_there_but_folded(tmp_path: Path) -> None:
    html = article(rendered(tmp_path, code("a = '<b>'", outputs=[printed("x")]), code("quiet = 1")))
    assert '<div class="wb-source">' in html and "&lt;b&gt;" in html
    assert 'class="wb-cell wb-cell--silent" id="cell-2"' in html


def test_parameters_are_a_table(tmp_path: Path) -> None:
    content = notebook(
        code("fast: int = 10  # bars <b>\nshort = False\nnames = ['a', 'b']\nend = None", "parameters"),
        code("fast = 12", "injected-parameters"),
    )
    content["metadata"] = {"papermill": {"parameters": {"fast": 1200}, "start_time": "2024-03-01T05:06:00+00:00"}}
    html = render_notebook(content, tmp_path / "p.html").read_text()
    rows = re.findall(r"<tr><th>(.*?)</th><td>(.*?)</td><td[^>]*>(.*?)</td></tr>", html)
    assert rows == [("fast", "1,200", "bars &lt;b&gt;"), ("short", "no", ""), ("names", "a, b", ""), ("end", "–", "")]
    assert "wb-source" not in article(html)
    assert "1 March 2024 at 5:06 UTC" in html


def test_printed_text(tmp_path: Path) -> None:
    outputs = [
        printed("a <b>\n"),
        printed("\x1b[31mred\x1b[0m\n"),
        printed("10%\r20%\r100%\n"),
        printed("careful", "stderr"),
        printed("  \n"),
    ]
    html = article(rendered(tmp_path, code("", outputs=outputs)))
    assert re.findall(r"<pre[^>]*>", html) == ['<pre class="wb-stream">', '<pre class="wb-stream wb-stream--stderr">']
    assert "a &lt;b&gt;" in html and '<span class="ansi-red-fg">red</span>' in html
    assert "100%" in html and "20%" not in html


def test_far_too_much_text(tmp_path: Path) -> None:
    html = rendered(
        tmp_path, code("", outputs=[printed("\n".join(map(str, range(10_000)))), shown({"text/plain": "x" * 10**6})])
    )
    assert "9,700 lines left out" in html and ">0\n1\n" in html and "9999" in html
    assert "940,000 characters left out" in html and len(html) < 150_000


def test_an_error_in_its_cell_and_on_top(tmp_path: Path) -> None:
    error = {
        "output_type": "error",
        "ename": "E<x>",
        "evalue": "no \x1b[1mgood",
        "traceback": ["-" * 75, "\x1b[31mline <1>"],
    }
    cells = [text("# T"), code("a", outputs=[printed("1")]), code("b", outputs=[error]), text("Not reached")]
    alone = rendered(tmp_path, *cells)
    assert '<details class="wb-error" open>' in alone and "E&lt;x&gt;: no good" in alone
    assert '<span class="ansi-red-fg">line &lt;1&gt;</span>' in alone
    notice = Notice(status="failed", message="e<x>", traceback="-" * 75 + "\nline <1>", cell=2)
    told = rendered(tmp_path, *cells, notice=notice)
    assert (
        '<div class="wb-notice' not in told and '<section class="wb-notice wb-notice--negative" role="alert">' in told
    )
    assert '<pre class="wb-trace">line &lt;1&gt;</pre>' in told and "E&lt;x&gt;" in told
    assert '<a href="#cell-3">' in told and 'wb-cell--failed" id="cell-3"' in told
    assert 'wb-cell--silent" id="cell-4"' in told and "The run ended here" in told
    assert '<details class="wb-error">' in told


def test_papermills_own_marks_are_left_out(tmp_path: Path) -> None:
    mark = text("<span>An Exception was encountered</span>")
    mark["metadata"] = {"tags": ["papermill-error-cell-tag"]}
    html = rendered(
        tmp_path,
        mark,
        text("# T"),
        mark,
        code("b", outputs=[printed("x")]),
        notice=Notice(status="failed", message="m", cell=1),
    )
    assert "An Exception" not in html and "<h1>T</h1>" in html and 'wb-cell--failed" id="cell-2"' in html


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"image/png": PIXEL, "text/plain": "x"}, f'<img src="data:image/png;base64,{PIXEL}" alt="Figure">'),
        ({"image/svg+xml": "<svg><path/></svg>", "image/png": PIXEL}, '<svg id="cell-1-0" role="img"><path/></svg>'),
        ({"text/html": "<b>bold</b>", "text/plain": "x"}, '<div class="wb-html"><b>bold</b></div>'),
        ({"text/markdown": "*it*", "text/plain": "x"}, "<em>it</em>"),
        ({"text/plain": "<x>"}, '<pre class="wb-stream">&lt;x&gt;</pre>'),
        ({"application/vnd.jupyter.widget-view+json": {}, "text/plain": "Slider()"}, "works in the open notebook only"),
        ({"application/vnd.jupyter.widget-view+json": {}, "text/html": "<p>still</p>"}, "<p>still</p>"),
        ({"text/html": "<script>draw()</script>"}, "An output that needs scripts"),
        ({"application/x-thing": "x"}, "of a kind that a page cannot show (application/x-thing)"),
    ],
)
def test_the_richest_form_that_works_is_shown(tmp_path: Path, data: dict[str, Any], expected: str) -> None:
    assert expected in article(rendered(tmp_path, code("", outputs=[shown(data)])))


def test_plotly_is_there_once_and_only_when_needed(tmp_path: Path) -> None:
    figure = {"data": [{"x": [1, float("nan")], "name": "</script><b>"}], "layout": {}}
    plain = rendered(tmp_path, code("", outputs=[printed("x")]))
    assert "<script>" not in plain and "script-src &#39;none&#39;" in plain and len(plain) < 40_000
    output = shown({"application/vnd.plotly.v1+json": figure, "text/html": "<div></div>"})
    html = rendered(tmp_path, code("", outputs=[output, output]))
    assert html.count("<script>") == 2 and html.count('<script type="application/json">') == 2
    assert len(html) < 6_000_000
    assert "\\u003c/script>\\u003cb>" in html and "NaN" not in article(html)


def test_pictures_in_text_are_put_into_the_page(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(base64.b64decode(PIXEL))
    cell = text(
        '![here](a.png) ![gone](b.png) ![far](https://example.org/c.png) ![own](attachment:d.png) <img src="a.png">'
    )
    cell["attachments"] = {"d.png": {"image/png": PIXEL}}
    html = article(rendered(tmp_path, cell))
    assert html.count("data:image/png;base64,") == 3
    assert "[image not in this file: gone]" in html and "[image not in this file: far]" in html
    assert "example.org" not in html


# Tables


def test_numbers_are_found_in_tables() -> None:
    import pandas as pd

    frame = pd.DataFrame(
        {
            "day": ["2024-01-01", "2024-01-02"],
            "price": [1.5, None],
            "change": ["-1.2%", "+3%"],
            "note": ["1a", "x" * 80],
        }
    )
    html = dress_tables(frame.to_html())
    assert 'border="' not in html and "style=" not in html and "<style" not in dress_tables(frame._repr_html_())
    assert '<div class="wb-scroll" tabindex="0"><table class="wb-table">' in html
    heads = re.findall(r'<th( class="wb-num")?>(\w+)</th>', html.split("</thead>")[0])
    assert [bool(number) for number, _ in heads] == [False, True, True, False]
    assert re.findall(r'<td class="wb-num">(.*?)</td>', html) == ["1.5", "-1.2%", "NaN", "+3%"]
    assert f'<td class="wb-wrap">{"x" * 80}</td>' in html
    assert '<td class="wb-wrap">1a</td>' in html, "a column wraps as a whole"


def test_tables_of_other_makes_keep_their_shape() -> None:
    html = dress_tables(
        '<table class="x" border=1><tr><th colspan="2">A</th></tr><tr><td>a</td><td>1,000</td></tr></table>'
    )
    assert '<table class="wb-table x">' in html and '<th colspan="2">A</th>' in html
    assert '<td>a</td><td class="wb-num">1,000</td>' in html
    assert dress_tables("<p>no table</p>") == "<p>no table</p>"


class Words(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12), min_size=2, max_size=2),
        max_size=4,
    )
)
def test_a_table_keeps_every_word(rows: list[list[str]]) -> None:
    import pandas as pd

    html = pd.DataFrame(rows, columns=["a", "b"]).to_html()
    before, after = (
        [word for word in map(str.strip, Words(table).words) if word] for table in (html, dress_tables(html))
    )
    assert after == before


# What may not be in a page


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<SCRIPT src=//x.org/a.js></SCRIPT >",
        "<img src=x onerror=alert(1)>",
        "<img src='https://x.org/a.png' srcset='https://x.org/b.png 2x'>",
        "<link rel=stylesheet href='https://x.org/a.css'>",
        "<iframe src='https://x.org'></iframe>",
        "<iframe srcdoc='<script>1</script>'></iframe>",
        "<object data='https://x.org/a'></object><embed src='https://x.org/b'>",
        "<video src='https://x.org/a' poster='https://x.org/b'></video>",
        "<div style='background: url(https://x.org/a.png)'>a</div>",
        "<style>@import 'https://x.org/a.css'; a {background: url(//x.org/b)}</style>",
        "<a href='javascript:alert(1)'>a</a>",
        "<a href=' JaVaScRiPt:alert(1)'>a</a>",
        "<svg><use href='https://x.org/a#b'/><image href='https://x.org/c'/></svg>",
        "<form action='https://x.org'><button formaction='https://x.org/b'>a</button></form>",
        "<meta http-equiv=refresh content='0;url=https://x.org'><base href='https://x.org/'>",
        "<body background='https://x.org/a'>",
    ],
)
def test_nothing_that_runs_or_loads_stays(html: str) -> None:
    cleaned = clean_html(f"<p>before</p>{html}<p>after</p>")
    assert "<p>before</p>" in cleaned and cleaned.endswith("<p>after</p>")
    assert not re.search(r"x\.org|alert|script|onerror", cleaned, re.IGNORECASE)


def test_what_is_harmless_stays() -> None:
    html = (
        '<p class="a" style="color: red">a &amp; b &#233; <br> <a href="https://x.org/?a=1&amp;b">x</a></p>'
        '<a href="b.html#c:d">y</a>'
        f'<img alt="i" src="data:image/png;base64,{PIXEL}"><style>#T_1 td {{ color: red }}</style>'
    )
    assert clean_html(html) == html


@given(st.text(st.sampled_from("<>\"'/=! abcsriptonlad:&#;-"), max_size=60))
def test_whatever_is_written_no_script_and_no_handler_is_left(html: str) -> None:
    left = Words(clean_html(html))
    assert not {tag for tag, _ in left.tags} & {"script", "iframe", "link", "object", "embed", "meta", "base", "form"}
    assert not any(name.startswith("on") for _, attributes in left.tags for name in attributes)


@given(st.text(min_size=1))
def test_words_from_outside_are_escaped(tmp_path_factory: pytest.TempPathFactory, word: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    word = f"<i>{word}</i>".replace("\r", " ")
    page = Page(title=word, kicker=word, facts=((word, word),), home=word)
    html = rendered(folder, page=page, notice=Notice(status="failed", message=word, traceback=word))
    assert "<i>" not in html


# Drawings


def matplotlib_svg() -> str:
    from matplotlib.figure import Figure

    figure = Figure(facecolor=INK["surface"].light)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=INK["accent"].light)
    axes.fill_between([0, 1], [0, 1], color="#123456")
    axes.set_title("A & B", color=INK["ink"].light)
    target = io.StringIO()
    figure.savefig(target, format="svg")
    return target.getvalue()


def test_a_chart_takes_the_colours_of_the_page() -> None:
    svg = inline_svg(matplotlib_svg(), "c1")
    assert svg.startswith('<svg id="c1" role="img"') and svg.endswith("</svg>")
    assert "stroke: var(--wb-accent)" in svg and "fill: var(--wb-surface)" in svg
    assert INK["accent"].light not in svg and "#123456" in svg
    for noise in ("<?xml", "<!DOCTYPE", "<metadata", "<!--"):
        assert noise not in svg


def test_two_charts_on_a_page_do_not_meet() -> None:
    drawing = matplotlib_svg()
    ids = [set(re.findall(r'\sid="([^"]+)"', inline_svg(drawing, name))) for name in ("c1", "c2")]
    assert ids[0] and not ids[0] & ids[1]
    svg = inline_svg(drawing, "c1")
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', svg))
    assert used and used <= ids[0]
    assert "#c1 *{" in svg.replace(" {", "{"), "its rules are for itself"


def test_a_drawing_cannot_run_or_load() -> None:
    svg = inline_svg(
        "<svg width='10' height='20' onload='a()'><script>a()</script><image href='https://x.org/a.png'/>"
        "<style>@import 'https://x.org'</style>"
        "<a xlink:href=\"https://x.org\"><path fill='#000' stroke='white'/></a></svg>",
        "p",
    )
    assert not re.search(r"x\.org|a\(\)|script", svg)
    assert 'viewBox="0 0 10 20"' in svg and 'width="10"' in svg
    assert "fill='var(--wb-ink)' stroke='var(--wb-surface)'" in svg
    assert inline_svg("not a drawing", "p") == ""


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_read(scheme: str) -> None:
    value = {name: getattr(ink, scheme) for name, ink in INK.items()}
    assert len(set(value.values())) == len(value), "one value, one role: a chart's colours are told apart by them"
    for ground in ("surface", "page", "sunken"):
        for name in ("ink", "muted", "accent", "positive", "negative", "warning"):
            assert contrast(value[name], value[ground]) >= 4.5, (name, ground)
        for name in ("faint", "series_2", "series_3", "series_4"):
            assert contrast(value[name], value[ground]) >= 3.0, (name, ground)
    for name in ("accent", "positive", "negative", "warning"):
        assert contrast(value[name], value[f"{name}_soft"]) >= 4.5, name


def test_the_stylesheet_has_what_it_uses() -> None:
    css = stylesheet()
    set_, used = set(re.findall(r"(--wb-[\w-]+):", css)), set(re.findall(r"var\((--wb-[\w-]+)", css))
    assert used - set_ == set()
    assert {ink.variable for ink in INK.values()} <= set_
    assert not re.search(r"url\(|@import|/\*", css)
