"""Tables of results as CSV, JSON and Parquet: one schema, the numbers of the result, whole or not at all."""

from __future__ import annotations

import csv
import json
import math
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import workbench as wb
from tests.backtest.conftest import flags
from tests.backtest.handmade import fill, plan_of, result_of, series
from workbench._spreadsheet import unguarded
from workbench.backtest.export_schema import SCHEMA, SCHEMA_VERSION
from workbench.backtest.export_tables import FORMATS, export_tables
from workbench.errors import ConfigError, DataError

CLOSES = [100.0, 104.0, 99.0, 103.5, 107.25, 101.0, 98.5, 105.0, 111.0, 108.0]
KINDS = {"text": pa.string(), "number": pa.float64(), "whole": pa.int64(), "time": pa.timestamp("ms", tz="UTC")}


class Named(wb.OrderStrategy):
    """Orders whose tags are what a spreadsheet would run."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        if view.quantity() == 0 and not view.orders():
            return view.market("buy", size=0.5, size_unit="fraction", tag="=1+1")
        return None


def traded(symbol: str = "BTC/USDT") -> wb.Result:
    signals = wb.Signals(entry=flags(10, 0, 6), exit=flags(10, 3))
    return wb.backtest(signals, series(symbol, CLOSES), costs=wb.Costs(fee=0.001))


def nothing() -> wb.Result:
    return wb.backtest(wb.Signals(entry=flags(10)), series("BTC/USDT", CLOSES))


@pytest.fixture(scope="module")
def result() -> wb.Result:
    return traded()


@pytest.mark.parametrize("made", [traded, nothing])
def test_every_parquet_has_the_columns_kinds_and_words_of_the_schema(made: Any, tmp_path: Path) -> None:
    """Also where there is no trade, so that files of many runs go together."""
    written = made().to_parquet(tmp_path)
    assert [path.name for path in written] == [*(f"{name}.parquet" for name in SCHEMA), "schema.json"]
    for name, fields in SCHEMA.items():
        schema = pq.read_schema(tmp_path / f"{name}.parquet")
        assert schema.names == list(fields)
        for column, said in fields.items():
            field = schema.field(column)
            assert field.type == KINDS[said.kind], (name, column)
            assert field.metadata[b"unit"].decode() == said.unit
            assert field.metadata[b"meaning"].decode() == said.meaning
        assert schema.metadata[b"table"].decode() == name
    told = json.loads((tmp_path / "schema.json").read_text())
    assert told["schema_version"] == SCHEMA_VERSION
    assert {name: list(fields) for name, fields in told["tables"].items()} == {n: list(f) for n, f in SCHEMA.items()}


def test_the_numbers_are_those_of_the_result_to_the_last_bit(result: wb.Result, tmp_path: Path) -> None:
    result.to_parquet(tmp_path / "p")
    export_tables(result, tmp_path / "j", "json")
    trades = pq.read_table(tmp_path / "p" / "trades.parquet")
    assert trades["pnl"].to_pylist() == result.trades["pnl"].tolist() and len(trades) == 2
    assert trades["entry_time"].to_pylist() == result.trades["entry_time"].tolist()
    curve = pq.read_table(tmp_path / "p" / "equity.parquet")
    assert curve["equity"].to_pylist() == result.equity.tolist()
    assert curve["ts"].to_pylist()[0] == datetime(1970, 1, 1, tzinfo=UTC)
    for name in SCHEMA:
        rows = json.loads((tmp_path / "j" / f"{name}.json").read_text())
        table = pq.read_table(tmp_path / "p" / f"{name}.parquet").to_pylist()
        assert len(rows) == len(table)
        for ours, theirs in zip(rows, table, strict=True):
            assert list(ours) == list(theirs) == list(SCHEMA[name])
            for column, value in theirs.items():
                assert ours[column] == plain(value), (name, column)


def plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return None if isinstance(value, float) and not math.isfinite(value) else value


def test_metrics_that_are_times_or_words_have_a_column_of_their_own(result: wb.Result, tmp_path: Path) -> None:
    result.to_parquet(tmp_path)
    rows = {row["metric"]: row for row in pq.read_table(tmp_path / "metrics.parquet").to_pylist()}
    assert set(rows) == set(result.metrics)
    for name, value in result.metrics.items():
        if isinstance(value, str):
            assert (rows[name]["value"], rows[name]["text"]) == (None, value)
        elif value is not None:
            assert rows[name]["value"] == pytest.approx(float(value), nan_ok=True) or math.isnan(value)


def test_csv_has_the_same_columns_but_for_the_text_of_metrics(result: wb.Result, tmp_path: Path) -> None:
    result.to_csv(tmp_path)
    for name, fields in SCHEMA.items():
        with (tmp_path / f"{name}.csv").open(newline="") as stream:
            heading = next(csv.reader(stream))
        assert heading == [column for column in fields if (name, column) != ("metrics", "text")]


def test_what_a_spreadsheet_would_run_is_guarded_in_csv_and_plain_elsewhere(tmp_path: Path) -> None:
    """A symbol is what a venue says, and a tag what a strategy says: neither is trusted."""
    made = wb.backtest(Named(), series("+CMD/USDT", CLOSES))
    for format in FORMATS:
        export_tables(made, tmp_path / format, format)
    seen = set()
    for path in (tmp_path / "csv").iterdir():
        with path.open(newline="") as stream:
            cells = {cell for row in csv.reader(stream) for cell in row}
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))], path.name
        seen |= cells
    assert {"'=1+1", "'+CMD/USDT"} <= seen
    assert unguarded("'=1+1") == "=1+1"
    assert pq.read_table(tmp_path / "parquet" / "fills.parquet")["tag"].to_pylist() == ["=1+1"]
    assert json.loads((tmp_path / "json" / "fills.json").read_text())[0]["symbol"] == "+CMD/USDT"


def test_only_what_is_asked_for_and_old_files_are_replaced(result: wb.Result, tmp_path: Path) -> None:
    (tmp_path / "trades.json").write_text("old")
    (tmp_path / "mine.txt").write_text("mine")
    written = export_tables(result, tmp_path, "json", tables=["trades", "fills", "trades"])
    assert [path.name for path in written] == ["trades.json", "fills.json", "schema.json"]
    assert len(json.loads((tmp_path / "trades.json").read_text())) == 2
    assert export_tables(result, tmp_path, "csv", tables="costs") == [tmp_path / "costs.csv"]
    assert sorted(os.listdir(tmp_path)) == ["costs.csv", "fills.json", "mine.txt", "schema.json", "trades.json"]


def test_wrong_words_and_places_are_named_and_nothing_is_written(result: wb.Result, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="format 'xls' is not known; choose csv, json, parquet"):
        export_tables(result, tmp_path / "a", "xls")
    with pytest.raises(ConfigError, match="there is no table 'trade'; there are trades, fills"):
        export_tables(result, tmp_path / "a", tables=["fills", "trade"])
    (tmp_path / "b" / "orders.parquet").mkdir(parents=True)
    with pytest.raises(DataError, match=r"orders\.parquet: a folder is there.*Nothing was changed"):
        result.to_parquet(tmp_path / "b")
    assert os.listdir(tmp_path) == ["b"] and os.listdir(tmp_path / "b") == ["orders.parquet"]


def test_the_legs_of_hedge_mode_are_told_apart(tmp_path: Path) -> None:
    plan = plan_of(series("A/USDT:USDT", CLOSES, kind="linear"), signals=False, hedge=True)
    orders = [{"number": 0, "leg": "long"}, {"number": 1, "leg": "short"}]
    fills = [fill(1, 1, 2.0, 100.0, order=0), fill(2, -1, 1.0, 104.0, order=1)]
    export_tables(result_of(plan, *fills, orders=orders), tmp_path, tables="positions")
    legs = pq.read_table(tmp_path / "positions.parquet").to_pylist()
    assert {(row["symbol"], row["leg"], row["quantity"]) for row in legs} == {
        ("A/USDT:USDT", "long", 2.0), ("A/USDT:USDT", "short", -1.0),
    }  # fmt: skip
