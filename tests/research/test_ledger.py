"""The run ledger: what was recorded comes back, whoever wrote it, and never as something that was not meant."""

from __future__ import annotations

import datetime as dt
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.errors import DataError
from workbench.research import Ledger, Run, new_run_id, versions
from workbench.research.run import to_json

NOW = dt.datetime(2026, 7, 24, 2, 15, 0, 123456, tzinfo=dt.UTC)


def run(name: str = "one", batch: str = "b1", **facts: Any) -> Run:
    given = {"report": "night", "notebook": "good", "started": NOW, "finished": NOW, "run_id": new_run_id()}
    return Run(name=name, batch=batch, **{**given, **facts})


FULL = run(
    strategy="sma_cross",
    code_hash="c0de",
    parameters={"fast": 10, "stop": None, "on": True},
    inputs={"cash": 10_000.0, "parameters": {"fast": 10}},
    venue="binance",
    symbol="BTC/USDT",
    timeframe="1h",
    start=NOW - dt.timedelta(days=9),
    end=NOW,
    data_fingerprint="f" * 32,
    costs={"fee": 0.001, "slippage_bps": 1.5},
    fill="next_open",
    cash=10_000.0,
    seed=7,
    versions={"python": "3.11"},
    metrics={"sharpe_ratio": 1.25, "trades": 12, "max_drawdown_start": "2026-07-01 04:00", "comment": "naïve; x=1"},
    curves={"equity": (1.0, 1.5), "benchmark": (1.0, 0.5)},
    status="failed",
    exit_cause="ValueError",
    error="no luck",
    duration_s=1.5,
    peak_memory_bytes=10**9,
    html="output/night/b1/pages/one.html",
)


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.append([FULL, run("two")])
    two, full = ledger.records()
    assert full == FULL and two.name == "two" and two.strategy is None


def test_the_table_has_the_metrics_as_columns(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(FULL)
    frame = ledger.runs()
    row = frame.iloc[0]
    assert row["sharpe_ratio"] == 1.25 and row["trades"] == 12 and math.isnan(row["total_return"])
    assert row["comment"] == "naïve; x=1"
    assert row["max_drawdown_start"] == pd.Timestamp("2026-07-01 04:00", tz="UTC")
    assert json.loads(row["parameters"]) == {"fast": 10, "stop": None, "on": True}
    assert row["peak_memory_bytes"] == 10**9 and row["seed"] == 7
    for name in ("start", "end", "started", "finished", "max_drawdown_recovery"):
        assert str(frame[name].dtype) == "datetime64[us, UTC]", name
    assert "curves" not in frame


def test_a_metric_cannot_pass_for_a_field(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(run(status="failed", metrics={"status": "succeeded"}))
    row = ledger.runs().iloc[0]
    assert (row["status"], row["recorded_status"]) == ("failed", "succeeded")


def test_an_empty_ledger_has_the_columns(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "none")
    assert ledger.runs().empty and {"run_id", "strategy", "sharpe_ratio"} <= set(ledger.runs().columns)
    assert ledger.records() == [] and ledger.latest("night") is None and ledger.batches().empty
    assert not (tmp_path / "none").exists()


def test_newest_first_and_the_last_attempt(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(run("a", status="failed"))
    ledger.append([run("b"), run("a", batch="b2"), run("a", report="other")])
    ledger.append(run("a"))
    assert list(ledger.runs("night", "b1")["name"]) == ["a", "b", "a"]
    assert [(one.name, one.status) for one in ledger.records("night", "b1", attempts="last")] == [
        ("a", "succeeded"),
        ("b", "succeeded"),
    ]
    assert ledger.latest("night") == "b1" and ledger.latest("other") == "b1" and ledger.latest("none") is None
    table = ledger.batches("night")
    found = {row["batch"]: (row["runs"], row["succeeded"], row["failed"]) for _, row in table.iterrows()}
    assert found == {"b1": (2, 2, 0), "b2": (1, 1, 0)}
    with pytest.raises(DataError, match="attempts is 'first'; it must be 'all' or 'last'"):
        ledger.runs(attempts="first")  # type: ignore[arg-type]


def test_the_ledger_of_the_current_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    Ledger(tmp_path / "data" / "ledger").append([run("a"), run("b", batch="b2")])
    assert sorted(wb.runs()["name"]) == ["a", "b"] and list(wb.runs(batch="b2")["name"]) == ["b"]


def test_small_parts_are_merged_and_nothing_is_lost(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for number in range(40):
        ledger.append(run(f"{number:02}"))
    assert [one.name for one in ledger.records()] == [f"{number:02}" for number in reversed(range(40))]
    counted = json.loads((tmp_path / "manifest.json").read_text())["parts"]
    assert len(counted) < 33


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    code = (
        "import sys, datetime as dt\nfrom workbench.research import Ledger, Run, new_run_id\n"
        "now = dt.datetime.now(dt.UTC)\n"
        "for n in range(15):\n    Ledger(sys.argv[1]).append(Run(run_id=new_run_id(), report='r', batch='b', "
        "name=f'{sys.argv[2]}-{n}', notebook='x', started=now, finished=now))\n"
    )
    root = Path(wb.__file__).parents[1]
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name], cwd=root) for name in "xyz"]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0]
    assert {one.name for one in Ledger(tmp_path).records()} == {f"{name}-{n}" for name in "xyz" for n in range(15)}


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(run())
    [part] = tmp_path.glob("*.parquet")
    part.write_bytes(part.read_bytes()[:-10])
    with pytest.raises(
        DataError, match=rf"the run ledger at .* has a damaged part: {part.name}: the file has .* bytes"
    ):
        ledger.runs()
    ledger.append(run("two"))  # recording goes on


def test_a_time_without_a_timezone_is_refused() -> None:
    with pytest.raises(DataError, match="run 'one': started is 2026-07-24T00:00:00, without a timezone"):
        run(started=dt.datetime(2026, 7, 24))


def test_what_is_no_plain_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a value of type object cannot be recorded with a run"):
        Ledger(tmp_path).append(run(parameters={"x": object()}))
    with pytest.raises(DataError, match=r"run 'one' cannot be recorded: .*'much'"):
        Ledger(tmp_path).append(run(cash="much"))
    assert Ledger(tmp_path).records() == []


def test_odd_values_do_not_break_the_ledger(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(run(error="caf\udce9", metrics={"huge": 10**400, "word": "caf\udce9"}))
    row = ledger.runs().iloc[0]
    assert (row["error"], row["word"], row["huge"]) == ("caf?", "caf?", 10**400)


NUMBERS = st.floats() | st.integers(-(2**53), 2**53) | st.booleans() | st.none() | st.text()


@given(st.dictionaries(st.text(), NUMBERS | st.lists(NUMBERS) | st.dictionaries(st.text(), NUMBERS)))
def test_json_has_no_nan_and_comes_back(values: dict[str, Any]) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    read = json.loads(to_json(values), parse_constant=refuse)
    assert read == _finite(values)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@given(st.lists(st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2199, 1, 1)), min_size=2))
def test_ids_sort_by_time(moments: list[dt.datetime]) -> None:
    aware = sorted(moment.replace(tzinfo=dt.UTC) for moment in set(moments))
    ids = [new_run_id(moment) for moment in aware]
    assert sorted(ids) == ids and len(set(ids)) == len(ids)


def test_text_is_stored_as_text() -> None:
    hostile = "__import__('os').system('true')"
    with tempfile.TemporaryDirectory() as folder:
        Ledger(folder).append(run(strategy=hostile, error=hostile, metrics={"note": hostile}))
        [back] = Ledger(folder).records()
    assert (back.strategy, back.error, back.metrics["note"]) == (hostile, hostile, hostile)


def test_versions_are_read_without_importing() -> None:
    code = (
        "import sys; from workbench.research import versions; found = versions(); "
        "print('vectorbt' in sys.modules, 'pandas' in sys.modules, found['vectorbt'], found['workbench'])"
    )
    root = Path(wb.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.split() == ["False", "False", versions()["vectorbt"], wb.__version__]
