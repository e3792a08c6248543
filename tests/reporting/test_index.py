"""What the index page says, and that it says it of hostile names too."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reporting.editions import HOSTILE, edition, record
from workbench.reporting.curves import Dot, Scale, curve_svg, strip_svg
from workbench.reporting.index import Edition, render_index, write_index
from workbench.reporting.standings import best_by_luck, standings, worst_falls
from workbench.research.run import Run
from workbench.settings import Settings


class _Reader(HTMLParser):
    """Collects tags, attributes and text, and holds the page to closing what it opens."""

    VOID = frozenset({"meta", "link", "img", "br", "wbr", "path", "circle", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.text += "" if tag in ("a", "b", "code", "span", "wbr") else " "
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and "script" not in self.open:
            self.text += data


def read(page: str) -> tuple[str, list[tuple[str, dict[str, str | None]]]]:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return " ".join(reader.text.split()), reader.tags


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Edition, Settings]:
    return edition(tmp_path_factory.mktemp("desk"), ["AAA/USDT", "BBB/USDT", "CCC/USDT"])


def test_the_page_tells_the_night(made: tuple[Edition, Settings]) -> None:
    text, tags = read(render_index(*made))
    for sentence in (
        "A night",
        "6 backtests of 2 strategies on 3 series, after fees and slippage.",
        "1 hold AAA/USDT 1h",
        "hold(days=5)",
        "3 of them ended with a profit, 2 with more than buying and holding would have given.",
        "Runs 7 Succeeded 7 Failed 0 Median Sharpe ratio 0.20",
        "Time taken 42 s",
        "The first of 6 is also the luckiest of 6",
        "Fee Resting order Slippage AAA/USDT 1h, BBB/USDT 1h, CCC/USDT 1h 0.1 % 0.05 % 1 bps",
        "A decision is made on a closed bar and trades at the open of the next one.",
        "paper: made for a test. Licence: none needed. not a real market",
        "Range 1 Jan 1970 to 3 Jan 1970 Bars 60 Missing 0",
        "hold with days 5; code c0dec0dec0de",
        "python 3.11.7",
    ):
        assert sentence in text, sentence
    rows = [values["data-value"] for tag, values in tags if tag == "td" and "ix-rank" in (values.get("class") or "")]
    assert rows == ["1", "2", "3", "4", "5", "6"]
    assert sum(tag == "svg" and values.get("class") == "ix-curve" for tag, values in tags) == 6
    assert "not succeed" not in text and "Stopped" not in text


def test_the_worst_finding_of_each_run_stands_in_its_row(made: tuple[Edition, Settings]) -> None:
    one, settings = made
    text, tags = read(render_index(one, settings))
    assert "Critical findings in 2 of 6" in text and "its page begins with what to do about it" in text
    says = [values["title"] for tag, values in tags if tag == "span" and values.get("title")]
    assert says == ["Too few trades; Leverage"] * 4  # twice for each of two runs: in the column, and for small screens
    bare = [replace(run, metrics={**run.metrics, "doctor_worst": bad}) for run, bad in zip(one.runs, BAD, strict=True)]
    text, _ = read(render_index(replace(one, runs=bare), settings))
    assert "Doctor" not in text and "Critical findings" not in text


BAD = [None, "", "terrible", 3, True, math.nan, "CRITICAL"]


def test_links_lead_to_the_pages_from_where_the_index_is(made: tuple[Edition, Settings]) -> None:
    one, settings = made
    index = write_index(one, settings)
    assert index == one.batch.folder / "index.html"
    _, tags = read(index.read_text())
    leads = {values["href"] for tag, values in tags if tag == "a"} - {None}
    assert "pages/hold-AAA-USDT-1h.html" in leads and "pages/hold-days%3D5-AAA-USDT-1h.html" in leads
    assert "pages/summary.html" in leads
    ids = {values["id"] for _, values in tags if "id" in values}
    assert {lead for lead in leads if lead and lead.startswith("#")} <= {f"#{name}" for name in ids}


def test_nothing_is_loaded_from_anywhere(made: tuple[Edition, Settings]) -> None:
    page = render_index(*made)
    _, tags = read(page)
    for tag, values in tags:
        assert tag not in ("img", "iframe", "object", "embed", "audio", "video", "base", "form"), tag
        assert "src" not in values, (tag, values)
        if tag == "link":
            assert values["href"] == "data:,"
    assert "@import" not in page and "url(" not in page
    policy = next(values["content"] for tag, values in tags if values.get("http-equiv") == "Content-Security-Policy")
    assert (
        policy is not None
        and policy.startswith("default-src 'none'; ")
        and "'unsafe-inline'" not in policy.split("script-src")[1]
    )


def test_hostile_names_are_text(tmp_path: Path) -> None:
    one, settings = edition(tmp_path, ["AAA/USDT", HOSTILE], title=HOSTILE)
    bad = replace(one.runs[0], status="failed", exit_cause=HOSTILE, error=HOSTILE, versions={HOSTILE: HOSTILE})
    named = [replace(run, strategy=HOSTILE, venue=HOSTILE, code_hash=HOSTILE, fill=HOSTILE) for run in one.runs[1:]]
    page = render_index(replace(one, runs=[bad, *named], not_run=one.plan.runs[:1]), settings)
    text, tags = read(page)
    assert HOSTILE in text
    assert sum(tag == "script" for tag, _ in tags) == 1 and not any(tag == "img" for tag, _ in tags)
    assert not any(name.startswith("on") for _, values in tags for name in values)
    assert "<script>alert" not in page and "javascript:" not in page


def test_failures_come_first_and_say_why(made: tuple[Edition, Settings]) -> None:
    one, settings = made
    runs = [
        replace(one.runs[0], status="failed", exit_cause="ZeroDivisionError", error="division\nby zero"),
        replace(one.runs[1], status="timed_out", exit_cause="TimedOut", error="stopped at its limit", html=None),
        *one.runs[2:],
    ]
    text, _ = read(render_index(replace(one, runs=runs), settings))
    assert "2 runs did not succeed" in text
    assert "failed hold AAA/USDT 1h ZeroDivisionError division by zero after 2 s" in text
    assert "timed out hold BBB/USDT 1h stopped at its limit after 2 s" in text, "the status says the cause already"
    assert text.index("did not succeed") < text.index("League table Ranked")
    assert "4 backtests" in text and "Succeeded 5 Failed 2" in text


def test_what_never_started_is_told(made: tuple[Edition, Settings]) -> None:
    one, settings = made
    text, _ = read(render_index(replace(one, runs=one.runs[:2], not_run=one.plan.all[2:], interrupted=True), settings))
    assert "Stopped before the end. 5 runs have not been started. workbench report run night --resume" in text


@pytest.mark.parametrize("runs", [0, 1])
def test_a_page_of_nothing_is_a_page(made: tuple[Edition, Settings], runs: int) -> None:
    one, settings = made
    text, _ = read(render_index(replace(one, runs=one.runs[len(one.runs) - runs :], not_run=one.plan.runs), settings))
    assert "A night" in text and "League table Ranked" not in text


def test_a_batch_on_changed_code_and_data_says_so(made: tuple[Edition, Settings]) -> None:
    one, settings = made
    runs = [one.runs[0], replace(one.runs[1], fill="close"), *one.runs[2:]]
    runs[3] = replace(runs[3], parameters=runs[0].parameters, code_hash="another", data_fingerprint="0" * 32)
    text, _ = read(render_index(replace(one, runs=runs), settings))
    assert "changed between runs" in text and "not the same for all runs" in text
    assert "which no one can do; these results flatter" in text


def test_the_league_is_ranked_by_sharpe_and_counts_what_it_shows(made: tuple[Edition, Settings]) -> None:
    one, _ = made
    runs: list[Run] = list(one.runs)
    runs[0] = replace(runs[0], metrics={**runs[0].metrics, "sharpe_ratio": None})
    runs[1] = replace(runs[1], status="failed")
    runs[2] = replace(
        runs[2], metrics={**runs[2].metrics, "benchmark_return": -1.0, "trades": True, "win_rate": math.nan}
    )
    table = standings(runs)
    assert [row.run.name for row in table.rows] == [run.name for run in (*runs[2:6], runs[0])]
    assert [row.rank for row in table.rows] == [1, 2, 3, 4, 5]
    assert table.compared == 4 and table.rows[0].against_holding is None
    assert table.rows[0].value("trades") is None and table.rows[0].value("win_rate") is None
    against = (1 + runs[3].metrics["total_return"]) / 1.1 - 1  # type: ignore[operator]
    assert table.rows[1].against_holding == pytest.approx(against)
    assert table.luck is None, "four Sharpe ratios are too few to speak of luck"


def test_falls_are_the_deepest_first_with_their_length(made: tuple[Edition, Settings]) -> None:
    one, _ = made
    falls = worst_falls(one.runs, count=3)
    assert [round(fall.depth, 2) for fall in falls] == [-0.47, -0.38, -0.29]
    assert falls[0].recovered is not None and falls[1].recovered is None
    assert falls[0].days == pytest.approx(43 / 24)  # from 05:00 to the third day's 00:00
    assert falls[1].days == pytest.approx(55 / 24)  # to the end of the data, at 60 hours


def test_luck_grows_with_the_number_of_runs_and_their_spread() -> None:
    few, many = [0.1 * (-1) ** n for n in range(6)], [0.1 * (-1) ** n for n in range(60)]
    less, more = best_by_luck(few), best_by_luck(many)
    assert less is not None and more is not None and 0 < less < more
    assert best_by_luck([3 * value for value in few]) == pytest.approx(3 * less)
    assert best_by_luck([1.0] * 4) is None


def test_luck_is_what_a_simulation_says() -> None:
    import numpy as np

    random = np.random.default_rng(1)
    draws = random.normal(size=(20_000, 30))
    formula = np.mean([best_by_luck(row.tolist()) or 0.0 for row in draws[:500]])
    assert formula == pytest.approx(draws.max(axis=1).mean(), rel=0.03)


FINITE = st.floats(-5, 50, allow_nan=False)


@given(st.lists(FINITE, min_size=2, max_size=60), st.lists(FINITE, max_size=60))
def test_curves_stay_inside_their_box(equity: list[float], benchmark: list[float]) -> None:
    scale = Scale.around([equity, benchmark])
    drawing = ElementTree.fromstring(curve_svg(equity, benchmark, scale, "<a & b>"))
    assert drawing.attrib["aria-label"] == "<a & b>"
    for path in drawing:
        for x, y in re.findall(r"(-?[\d.]+(?:e[+-]?\d+)?) (-?[\d.]+)", path.attrib["d"]):
            assert -0.1 <= float(x) <= 240.1 and 2.9 <= float(y) <= 69.1


@given(st.lists(st.floats(-40, 40), min_size=1, max_size=60), st.none() | st.floats(-2, 4))
def test_dots_never_cover_each_other(values: list[float], mark: float | None) -> None:
    drawing = strip_svg([Dot(value, f"run <{value}>", "pages/a.html") for value in values], mark, "luck & co")
    circles = [element for element in ElementTree.fromstring(drawing).iter() if element.tag == "circle"]
    places = [(float(one.attrib["cx"]), float(one.attrib["cy"])) for one in circles]
    assert len(places) == len(values)
    height = float(str(ElementTree.fromstring(drawing).attrib["viewBox"]).split()[3])
    assert all(0 <= x <= 520 and 0 <= y <= height for x, y in places)
    for number, (x, y) in enumerate(places):
        for other_x, other_y in places[number + 1 :]:
            assert abs(x - other_x) >= 7.6 or abs(y - other_y) >= 7.6


def test_one_record_more_does_not_change_the_others(made: tuple[Edition, Settings]) -> None:
    one, _ = made
    extra: Any = record(one.plan.runs[0], one.plan, one.batch, 9)
    before = [row.run.name for row in standings(one.runs).rows]
    after = [row.run.name for row in standings([*one.runs, extra]).rows if row.run is not extra]
    assert before == after
