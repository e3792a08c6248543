"""`workbench export`: a saved result, a recorded run, and everything that may be wrong with what is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import workbench as wb
from tests.cli.commands import Command, call
from tests.cli.made import workspace_in
from workbench.backtest.export_schema import SCHEMA
from workbench.research.labbook import study


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a series, a strategy and one recorded run."""
    folder = workspace_in(tmp_path_factory.mktemp("export"), 200)
    return folder


@pytest.fixture
def run(place: Path) -> Command:
    return lambda *words: call("--workspace", place, *words)


def test_a_backtest_is_kept_and_exported(run: Command, tmp_path: Path) -> None:
    kept = tmp_path / "a.zip"
    said = run("backtest", "above", "MADE/UP", "1h", "--save", kept)
    assert said.code == 0 and said.lines[-1] == f"result: {kept}"
    again = run("backtest", "above", "MADE/UP", "1h", "--save", kept)
    assert again.code == 2 and "is there already" in again.err
    done = run("export", kept, "--to", tmp_path / "all", "--format", "parquet")
    assert done.lines == [str(tmp_path / "all" / f"{name}.parquet") for name in SCHEMA] + [
        str(tmp_path / "all" / "schema.json")
    ]
    result = wb.Result.load(kept)
    assert pq.read_table(tmp_path / "all" / "trades.parquet")["pnl"].to_pylist() == result.trades["pnl"].tolist()
    few = run("export", kept, "-o", tmp_path / "few", "--table", "trades", "--table", "equity")
    assert [Path(line).name for line in few.lines] == ["trades.csv", "equity.csv"]


def test_a_recorded_run_is_made_again_and_exported(
    run: Command, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(place))
    with study("mine"):
        result = wb.backtest(wb.load_strategy("above")(level=101.0), wb.read("MADE/UP", "1h"))
    (row,) = run("runs", "list", "--json").json()
    done = run("export", row["run_id"][:8], "-f", "json", "-o", tmp_path, "--table", "trades")
    assert done.code == 0 and not done.err
    told = json.loads((tmp_path / "trades.json").read_text())
    assert [one["pnl"] for one in told] == result.trades["pnl"].tolist() and told


def test_the_schema_is_told(run: Command) -> None:
    done = run("export", "--schema")
    assert done.code == 0
    for name, fields in SCHEMA.items():
        assert f"\n{name} " in done.out
        assert all(column in done.out for column in fields)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say which result"),
        (("nothing.zip",), "nothing.zip: there is no such file; save one with result.save('nothing.zip')"),
        (("0000", "-f", "csv"), "has such an id; "),
        (("workbench.toml",), "workbench.toml"),
    ],
)
def test_a_mistake_is_named(
    run: Command, place: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(place)
    done = run("export", *words)
    assert done.code == 2 and not done.out
    assert said in done.err
    assert not (place / "export").exists()
