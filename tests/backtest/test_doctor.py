"""The doctor as a whole: the table of checks, how findings are graded and told, and that nothing breaks it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backtest.doctor_cases import CASH, fill, flat_bars, make_case, round_trips
from workbench.backtest.doctor import Diagnosis, Finding, examine
from workbench.backtest.doctor_case import Case
from workbench.backtest.doctor_findings import SEVERITIES, Check, Measured, grade, judge
from workbench.backtest.doctor_table import CHECKS
from workbench.backtest.doctor_text import amount, percent, ratio, span
from workbench.errors import ConfigError

HOSTILE = """<script>alert('x')</script>"><img src=http://example.com/x onerror=alert(1)>"""


@pytest.fixture(scope="module")
def case() -> Case:
    rng = np.random.default_rng(4)
    equity = CASH * np.cumprod(1 + rng.normal(0.0005, 0.01, 2_000))
    fills = round_trips(list(rng.normal(0.2, 0.5, 40)), every=5, fee=0.02)
    return make_case(flat_bars(2_000, timeframe="1d"), fills=fills, equity=equity)


@pytest.fixture(scope="module")
def diagnosis(case: Case) -> Diagnosis:
    return examine(case, name="a case")


def check_of(**facts: object) -> Check:
    given = {"name": "x", "title": "X", "looks_for": "x", "measure": lambda case: Measured(value=1.0, said="one"),
             "why": "because", "remedy": "do"}  # fmt: skip
    return Check(**{**given, **facts})


def test_the_table_is_sorted_and_says_everything() -> None:
    names = [check.name for check in CHECKS]
    assert names == sorted(set(names)) and len(names) == 37
    for check in CHECKS:
        limits = [limit for limit in (check.note, check.warning, check.critical) if limit is not None]
        assert limits == sorted(limits, reverse=not check.rising) and limits, check.name
        assert check.remedy.endswith(".") and check.remedy[0].isupper(), check.name
        assert check.why and check.looks_for and not check.why.endswith("."), check.name
        assert check.measure.__doc__, check.name


def test_every_check_has_its_tests() -> None:
    from pathlib import Path

    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_doctor_*.py"))
    untested = [check.name for check in CHECKS if not re.search(rf'"{check.name}"', tests)]
    assert untested == []


@pytest.mark.parametrize(
    ("value", "rising", "severity"),
    [
        (0.9, True, "fine"), (1.0, True, "note"), (2.0, True, "warning"), (3.0, True, "critical"),
        (3.0, False, "fine"), (2.9, False, "note"), (1.9, False, "warning"), (0.9, False, "critical"),
        (np.nan, True, "not applicable"), (np.inf, True, "critical"), (-np.inf, False, "critical"),
    ],
)  # fmt: skip
def test_limits_hold_from_themselves_on(value: float, rising: bool, severity: str) -> None:
    limits = (1.0, 2.0, 3.0) if rising else (3.0, 2.0, 1.0)
    check = check_of(rising=rising, note=limits[0], warning=limits[1], critical=limits[2])
    assert grade(value, check) == severity


def test_a_limit_that_is_not_there_is_passed_over() -> None:
    assert grade(5.0, check_of(warning=2.0)) == "warning"
    assert grade(1.0, check_of(critical=2.0)) == "fine"


def test_it_is_ordered_by_severity_then_by_name(diagnosis: Diagnosis) -> None:
    keys = [(SEVERITIES.index(finding.severity), finding.name) for finding in diagnosis]
    assert keys == sorted(keys) and len(diagnosis) == len(CHECKS)
    assert diagnosis.worst == diagnosis.findings[0].severity
    assert [finding.name for finding in diagnosis.suspicious] == [
        finding.name for finding in diagnosis if finding.severity in ("critical", "warning", "note")
    ]


def test_a_finding_is_found_by_name(diagnosis: Diagnosis) -> None:
    assert diagnosis["few_trades"].value == 40
    with pytest.raises(ConfigError, match="the doctor has no check 'few'; the checks are behind_holding, "):
        diagnosis["few"]


def test_the_table_and_the_dict_say_the_same(diagnosis: Diagnosis) -> None:
    table, told = diagnosis.table, diagnosis.to_dict()
    assert list(table.columns) == ["severity", "value", "finding", "remedy", "looks_for", "why"]
    assert table.index.name == "check" and list(table.index) == [found["name"] for found in told["findings"]]
    text = json.dumps(told, allow_nan=False)
    assert json.loads(text) == told
    assert sum(told["counts"].values()) == len(CHECKS) and told["worst"] == diagnosis.worst
    assert told["counts"]["fine"] == (table["severity"] == "fine").sum()


def test_times_are_text_in_a_dict(case: Case) -> None:
    told = examine(case)["one_trade"].to_dict()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", told["times"][0]) and told["trades"]
    assert told["limits"] == {"warning": 0.5, "critical": 1.0} and told["rising"] is True


def test_nothing_suspicious_is_fine() -> None:
    fine = judge(check_of(warning=2.0), make_case(flat_bars(2)))
    told = Diagnosis(findings=(fine,))
    assert (told.worst, told.summary, told.suspicious) == ("fine", "nothing suspicious in 1 checks", ())
    assert "Nothing is critical" in told._repr_html_()
    assert told.named_results() == {
        "doctor_worst": "fine", "doctor_critical": 0, "doctor_warnings": 0, "doctor_notes": 0, "doctor_says": "",
    }  # fmt: skip


def test_what_does_not_apply_is_not_counted_as_looked_at() -> None:
    nothing = judge(check_of(warning=2.0, measure=lambda case: Measured.nothing("No.")), make_case(flat_bars(2)))
    assert nothing.severity == "not applicable" and Diagnosis(findings=(nothing,)).worst == "fine"
    assert Diagnosis(findings=(nothing,)).summary == "nothing suspicious in 0 checks"
    assert nothing.to_dict()["value"] is None


def test_many_places_are_cut_and_still_counted() -> None:
    many = Measured(value=1.0, said="many", trades=tuple(range(500)), times=tuple(range(500)))
    found = judge(check_of(note=1.0, measure=lambda case: many), make_case(flat_bars(2)))
    assert len(found.trades) == len(found.times) == 20


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.0, "0 %"), (-0.0, "0 %"), (0.5, "50 %"), (0.0512, "5.1 %"), (-0.0051, "−0.51 %"), (0.00005, "under 0.01 %"),
        (9.99, "999 %"), (10.0, "10 times"), (-1_234.5, "−1,234 times"), (np.inf, "all"),
    ],
)  # fmt: skip
def test_percent(fraction: float, text: str) -> None:
    assert percent(fraction) == text


def test_amounts_and_spans() -> None:
    assert (amount(12_345.6), amount(-0.5), ratio(-1.5)) == ("12,346", "−0.5", "−1.50")
    assert (span(1.0), span(0.5), span(1 / 365)) == ("1.0 years", "182 days", "1 day")


def test_what_is_recorded(diagnosis: Diagnosis) -> None:
    told = diagnosis.named_results()
    assert told["doctor_worst"] == diagnosis.worst
    assert told["doctor_critical"] == diagnosis.count("critical")
    worst = [finding.title for finding in diagnosis if finding.severity == diagnosis.worst]
    assert told["doctor_says"] == "; ".join(worst) and worst


def test_notes_are_recorded_as_a_number_only() -> None:
    note = judge(check_of(note=0.5), make_case(flat_bars(2)))
    assert Diagnosis(findings=(note,)).named_results()["doctor_says"] == ""


def test_text_and_repr(diagnosis: Diagnosis) -> None:
    text = diagnosis.text()
    assert text.splitlines()[0] == diagnosis.summary
    for finding in diagnosis:
        assert f"{finding.title}: {finding.said}" in text
        assert (finding.remedy in text) == finding.is_suspicious
    assert repr(diagnosis) == f"<Diagnosis a case: {diagnosis.summary}>"
    assert repr(replace(diagnosis, name="")).startswith("<Diagnosis: ")


class _Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data.replace("\N{NO-BREAK SPACE}", " ")


def test_the_html_shows_what_is_suspicious_first(diagnosis: Diagnosis) -> None:
    reader = _Balanced()
    reader.feed(diagnosis._repr_html_())
    assert reader.open == []
    places = [reader.text.index(f"{finding.title}. {finding.said}") for finding in diagnosis]
    assert places == sorted(places)
    assert all(finding.remedy in reader.text for finding in diagnosis.suspicious)
    fine = reader.text.index("Looked at and found fine")
    assert places[len(diagnosis.suspicious) - 1] < fine < places[len(diagnosis.suspicious)]


def test_hostile_names_are_text() -> None:
    seen = Measured(value=1.0, said=HOSTILE, evidence={HOSTILE: HOSTILE})
    found = judge(check_of(warning=1.0, title=HOSTILE, remedy=HOSTILE, why=HOSTILE, measure=lambda case: seen),
                  make_case(flat_bars(2)))  # fmt: skip
    html = Diagnosis(findings=(found,), name=HOSTILE)._repr_html_()
    assert "<script" not in html and "<img" not in html and "&lt;script&gt;" in html


def test_a_report_page_takes_the_html_as_it_is(diagnosis: Diagnosis) -> None:
    from workbench.reporting.cleaning import clean_html

    html = diagnosis._repr_html_()
    reader, cleaned = _Balanced(), _Balanced()
    reader.feed(html)
    cleaned.feed(clean_html(html))
    assert cleaned.text == reader.text and cleaned.open == []


PRICES = st.floats(50, 150)


@given(
    st.lists(st.tuples(st.integers(0, 29), st.sampled_from([-1, 1]), PRICES, st.floats(0.01, 1e4)), max_size=12),
    st.lists(st.integers(-100, 1_000_000), min_size=30, max_size=30),
    st.booleans(),
)
def test_nothing_breaks_it(fills: list[tuple], equity: list[int], at_close: bool) -> None:
    said = [fill(bar, side, price, size, order=i) for i, (bar, side, price, size) in enumerate(sorted(fills))]
    told = examine(make_case(flat_bars(30), fills=said, equity=equity, at_close=at_close))
    assert [finding.name for finding in sorted(told, key=lambda finding: finding.name)] == [c.name for c in CHECKS]
    json.dumps(told.to_dict(), allow_nan=False)
    assert "nan" not in told.text() and told._repr_html_()


@pytest.mark.parametrize("n", [1, 2])
def test_one_bar_is_enough(n: int) -> None:
    told = examine(make_case(flat_bars(n)))
    assert isinstance(told["few_trades"], Finding) and told.worst == "critical"
