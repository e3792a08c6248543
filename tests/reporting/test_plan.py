"""From `reports/NAME.toml` to runs: what is multiplied out, and every mistake told before anything starts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reporting.small import make_workspace, notebook
from workbench.errors import ConfigError
from workbench.reporting.plan import _file_name, make_plan
from workbench.settings import Settings

RUNS = '[[runs]]\nnotebook = "good"\nstrategies = ["hold"]\nseries = ["AAA/USDT 1h"]\n'


def problems(settings: Settings) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        make_plan("night", settings)
    assert not (settings.reports / "output").exists(), "nothing may be started"
    return list(caught.value.fields.get("problems", [str(caught.value)]))


def test_runs_are_the_product_of_strategies_and_series(tmp_path: Path) -> None:
    settings = make_workspace(
        tmp_path,
        """
        [report]
        title = "A title"
        timeout_s = 5
        [[runs]]
        notebook = "good"
        strategies = ["hold", { name = "hold", parameters = { days = 5 } }]
        series = ["AAA/USDT 60m", { symbol = "BBB/USDT", timeframe = "1h", venue = "paper" }]
        start = 1970-01-02
        parameters = { cash = 500 }
        [[summary]]
        notebook = "summary"
        """,
    )
    plan = make_plan("night", settings)
    assert [run.name for run in plan.all] == [
        "hold-AAA-USDT-1h",
        "hold-BBB-USDT-1h-paper",
        "hold-days=5-AAA-USDT-1h",
        "hold-days=5-BBB-USDT-1h-paper",
        "summary",
    ]
    assert [run.label for run in plan.runs][-1] == "hold(days=5) BBB/USDT 1h paper"
    last = plan.runs[-1]
    assert last.given == {
        "strategy": "hold", "parameters": {"days": 5}, "symbol": "BBB/USDT", "timeframe": "1h", "venue": "paper",
        "start": "1970-01-02", "cash": 500,
    }  # fmt: skip
    assert last.inputs["seed"] == 7 and last.inputs["cash"] == 500
    assert plan.runs[0].strategy_parameters == {"days": 3}
    assert plan.runs[0].series is not None and plan.runs[0].series.venue == "paper"
    assert (plan.title, plan.timeout_s, plan.workers, plan.keep) == ("A title", 5.0, 2, 30)
    assert plan.summary[0].given == {"report": "night"}


def test_a_table_without_strategies_and_series_is_one_run(tmp_path: Path) -> None:
    plan = make_plan("night", make_workspace(tmp_path, '[[runs]]\nnotebook = "good"\nlabel = "once"\n'))
    assert [(run.name, run.label, dict(run.given)) for run in plan.runs] == [("once-good", "once good", {})]
    assert plan.title == "Night"


def test_every_mistake_of_the_file_is_told_at_once(tmp_path: Path) -> None:
    settings = make_workspace(
        tmp_path,
        """
        other = 1
        [report]
        titel = "x"
        timeout_s = "5"
        workers = 0
        [[runs]]
        notebook = 3
        strategies = ["hold", 5, { parameters = {} }]
        series = ["AAA/USDT", "AAA/USDT 1x", { symbol = "x" }]
        start = "yesterday"
        [[summary]]
        """,
    )
    found = "\n".join(problems(settings))
    for expected in (
        r"^other is no key that is known \(there are report, runs, summary\); remove it or rename it$",
        r"^\[report\], titel is no key that is known \(did you mean title\?\)",
        r"^\[report\], timeout_s is '5'; it must be a positive number of seconds, such as 120$",
        r"^\[report\], workers is 0; it must be a whole number from 1 to 64$",
        r'^\[\[runs\]\] number 1, notebook is 3; it must be the name of a notebook, such as "backtest"$',
        r"^\[\[runs\]\] number 1, strategies number 2 is 5; it must be a name",
        r"^\[\[runs\]\] number 1, strategies number 3, name is missing; it must be the name of a strategy",
        r"^\[\[runs\]\] number 1, series number 1 is 'AAA/USDT': write a symbol and the length of a bar",
        r"^\[\[runs\]\] number 1, series number 2, timeframe is '1x': .* is not understood",
        r"^\[\[runs\]\] number 1, series number 3, timeframe is missing",
        r"^\[\[runs\]\] number 1, start is 'yesterday': 'yesterday' is no time",
        r"^\[\[summary\]\] number 1, notebook is missing",
    ):
        assert re.search(expected, found, re.MULTILINE), f"{expected}\nnot in\n{found}"


def test_everything_that_does_not_exist_is_told_at_once(tmp_path: Path) -> None:
    settings = make_workspace(
        tmp_path,
        """
        [[runs]]
        notebook = "goood"
        [[runs]]
        notebook = "good"
        strategies = ["hodl", "broken", { name = "hold", parameters = { days = 99 } }]
        series = ["AAB/USDT 1h", "AAA/USDT 4h", { symbol = "AAA/USDT", timeframe = "1h", venue = "moon" }]
        parameters = { cassh = 1 }
        [[runs]]
        notebook = "good"
        strategies = ["hold"]
        series = ["AAA/USDT 1h"]
        start = 2030-01-01
        parameters = { cassh = 1, seed = "many" }
        [[runs]]
        notebook = "good"
        parameters = { seed = "many" }
        [[runs]]
        notebook = "strict"
        [[summary]]
        notebook = "unbuilt"
        """,
    )
    (settings.strategies / "broken.py").write_text("def (\n")
    (settings.notebooks / "unbuilt.py").write_text("# ---\n")
    notebook(settings.notebooks / "strict.ipynb", "1", "symbol: str\n")
    found = "\n".join(problems(settings))
    for expected in (
        r"^\[\[runs\]\] number 1: there is no notebook 'goood' in .*: did you mean 'good'\?",
        r"^\[\[runs\]\] number 2: there is no strategy 'hodl' in .*: did you mean 'hold'\?",
        r"^\[\[runs\]\] number 2: .*broken.py: line 1",
        r"^\[\[runs\]\] number 2: Hold: parameter days = 99 must be at most 9",
        r"^\[\[runs\]\] number 2: the lake at .* has no AAB/USDT 1h; did you mean 'AAA/USDT'",
        r"^\[\[runs\]\] number 2: the lake at .* has no AAA/USDT 4h; it has AAA/USDT as 1h at paper",
        r"^\[\[runs\]\] number 2: the lake at .* has no AAA/USDT 1h at moon",
        r"^\[\[runs\]\] number 3: AAA/USDT 1h at paper has no bars from 2030-01-01 to its end",
        r"^\[\[runs\]\] number 4: notebook good.ipynb: parameter 'seed' is 'many' \(str\); it takes int, such as 7",
        r"^\[\[runs\]\] number 5: notebook strict.ipynb: parameter 'symbol' is missing",
        r"^\[\[summary\]\] number 1: notebook 'unbuilt' is not built",
    ):
        assert re.search(expected, found, re.MULTILINE), f"{expected}\nnot in\n{found}"


def test_an_unknown_parameter_is_told_once_for_all_runs_of_a_table(tmp_path: Path) -> None:
    settings = make_workspace(
        tmp_path,
        '[[runs]]\nnotebook = "good"\nstrategies = ["hold"]\nseries = ["AAA/USDT 1h", "BBB/USDT 1h"]\n'
        "parameters = { cassh = 1 }\n",
    )
    assert problems(settings) == [
        "[[runs]] number 1: notebook good.ipynb has no parameter 'cassh'; did you mean 'cash'?"
    ]


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (RUNS + RUNS, r"'hold-AAA-USDT-1h' is the name of more than one run \(the same run stands there twice\)"),
        (RUNS + RUNS + "parameters = { cash = 5.0 }\n", r"two runs differ in their parameters\); remove one, or give"),
        (
            RUNS + 'parameters = { symbol = "X" }\n',
            r"parameters has 'symbol', which the table says already; say it once",
        ),
        ("", r'there is nothing to run; add a \[\[runs\]\] table with notebook = "backtest"'),
        ("[[runs]\n", r"night.toml is not valid TOML"),
    ],
)
def test_what_cannot_be_a_plan(tmp_path: Path, definition: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_plan("night", make_workspace(tmp_path, definition))


def test_a_label_tells_two_tables_apart(tmp_path: Path) -> None:
    plan = make_plan("night", make_workspace(tmp_path, RUNS + RUNS + 'label = "again"\n'))
    assert [run.name for run in plan.runs] == ["hold-AAA-USDT-1h", "again-hold-AAA-USDT-1h"]


def test_an_unknown_report_names_those_that_exist(tmp_path: Path) -> None:
    settings = make_workspace(tmp_path, RUNS)
    with pytest.raises(ConfigError, match=r"there is no report 'nigth' in .* \(did you mean 'night'\)"):
        make_plan("nigth", settings)
    with pytest.raises(ConfigError, match=r"there is no report '../night' in"):
        make_plan("../night", settings)


def test_the_bundled_report_is_a_plan(workspace: Path) -> None:
    from workbench.settings import load_settings

    plan = make_plan("nightly", load_settings(workspace))
    strategies = {run.strategy for run in plan.runs}
    series = {run.series for run in plan.runs}
    assert len(strategies) == 3 and len(series) >= 8
    assert len(plan.runs) == len(strategies) * len(series)
    assert [run.name for run in plan.summary] == ["nightly"]


@given(st.text(min_size=1, max_size=200))
def test_any_text_makes_the_name_of_a_file(text: str) -> None:
    name = _file_name(text)
    assert 0 < len(name.encode()) <= 120
    assert not name.startswith((".", "-")) and not set(name) & set('/\\:*?"<>| \0\n')
