"""`workbench runs`: what was computed, as a user of the command line meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench as wb
from tests.cli.commands import Command, call
from tests.cli.made import workspace_in
from workbench.research.labbook import study


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with three runs of two studies. All tests share it; what one adds does no harm to the others."""
    folder = workspace_in(tmp_path_factory.mktemp("runs"), 300)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_WORKSPACE", str(folder))
        above, bars = wb.load_strategy("above"), wb.read("MADE/UP", "1h")
        with study("first"):
            wb.backtest(above(level=101.0), bars)
            wb.backtest(above(level=99.0), bars)
        with study("second"):
            wb.backtest(above(), bars, costs=wb.Costs(fee=0.0))
    return folder


@pytest.fixture
def runs(place: Path) -> Command:
    return lambda *words: call("--workspace", place, "runs", *words)


@pytest.fixture
def ids(runs: Command) -> list[str]:
    return [row["run_id"] for row in runs("list", "--json").json()]


def test_list_and_show(runs: Command, ids: list[str]) -> None:
    said = runs("list")
    assert said.code == 0 and len(said.lines) == 4 and said.lines[0].startswith("Run")
    assert ids[0][-8:] in said.lines[1] and "second" in said.lines[1] and "MADE/UP 1h" in said.lines[1]
    first = runs("list", "--study", "first", "--most", "1")
    assert len(first.lines) == 3 and first.lines[2] == "1 more; --most 2 shows all"
    shown = runs("show", ids[0][-8:])
    assert "above.py:Above" in shown.out and "Sharpe ratio" in shown.out
    told = runs("show", ids[0], "--json").json()
    assert told["parameters"] == {"level": 100.0} and told["study"] == "second" and "sharpe_ratio" in told["metrics"]


def test_wrong_names_are_answered_with_near_ones(runs: Command, ids: list[str]) -> None:
    wrong = runs("show", ids[0][-8:-1] + ("0" if ids[0][-1] != "0" else "1"))
    assert wrong.code == 2 and ids[0] in wrong.err
    assert "there are first" in runs("list", "--study", "frist").err
    assert runs("tag", ids[0]).code == 2 and "--add TAG" in runs("tag", ids[0]).err


def test_compare_shows_what_differs(runs: Command, ids: list[str]) -> None:
    said = runs("compare", ids[1], ids[2])
    assert said.code == 0 and "level" in said.out and "timeframe" not in said.out
    assert "timeframe" in runs("compare", ids[1], ids[2], "--all").out
    row = next(one for one in runs("compare", ids[1], ids[2], "--json").json() if one["name"] == "level")
    assert row["values"] == {ids[1]: 99.0, ids[2]: 101.0}
    assert runs("compare", ids[1]).code == 2


def test_rerun_reproduces_and_says_so(runs: Command, ids: list[str]) -> None:
    said = runs("rerun", ids[1][-8:])
    assert said.code == 0 and "Reproduced: all" in said.out
    assert runs("rerun", ids[2], "--json").json()["reproduced"] is True


def test_tags_and_notes(runs: Command, ids: list[str]) -> None:
    assert runs("tag", ids[0], "--add", "good", "--add", "odd").lines == [f"{ids[0]}  good, odd"]
    assert runs("tag", ids[0], "--remove", "odd").lines == [f"{ids[0]}  good"]
    assert len(runs("list", "--tag", "good", "--json").json()) == 1 and runs("list", "--tag", "none").code == 0
    assert runs("note", ids[0], "the fee is nought").lines == ["the fee is nought"]


def test_leaderboard_sql_and_export(runs: Command, tmp_path: Path) -> None:
    said = runs("leaderboard")
    assert said.code == 0 and "Trials" in said.lines[0] and {"first", "second"} <= set(said.out.split())
    rows = runs("leaderboard", "--metric", "total_return", "--json").json()
    assert {row["study"]: (row["trials"], row["linked"]) for row in rows} == {"first": (2, 1), "second": (1, 2)}
    assert "no run records" in runs("leaderboard", "--metric", "nonsense").err
    query = "SELECT study, count(*) AS n FROM runs GROUP BY study ORDER BY study"
    assert runs("sql", query, "--json").json() == [{"study": "first", "n": 2}, {"study": "second", "n": 1}]
    assert runs("sql", query).lines[1].split() == ["first", "2"]
    assert runs("sql", "DROP TABLE runs").code == 2
    file = tmp_path / "out.csv"
    assert runs("export", file, "--study", "first").lines == [str(file)] and len(file.read_text().splitlines()) == 3
    assert runs("export", tmp_path / "out.xls").code == 2


def test_prune_only_says_until_told(runs: Command) -> None:
    assert runs("prune", "--older-than", "0h", "--keep", "1").lines == ["1 run would go; --yes does it."]
    assert runs("prune", "--older-than", "90d", "--yes").lines == ["0 runs taken out; as trials they still count."]
    assert runs("prune", "--older-than", "old").code == 2
