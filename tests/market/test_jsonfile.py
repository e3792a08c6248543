"""JSON files of bars, in every shape that is read, and what is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.market.made_tables import HOURS, SPOT, hours, opened, table
from workbench.errors import DataError
from workbench.market.importing import clean, import_file

FRAME = table((hours().astype("int64") // 10 ** (6 if hours().dtype.str.endswith("[ns]") else 3)).tolist())
ROWS = FRAME.to_numpy().tolist()
RECORDS = FRAME.to_dict(orient="records")
BY_TIME = {str(record["date"]): {name: record[name] for name in record if name != "date"} for record in RECORDS}


def lines(values: list[Any]) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


SHAPES = {
    "records": json.dumps(RECORDS),
    "records, numbers as text": json.dumps([{name: str(value) for name, value in one.items()} for one in RECORDS]),
    "rows as ccxt and freqtrade have them": json.dumps(ROWS),
    "rows with their names first": json.dumps([list(FRAME), *ROWS]),
    "binance's twelve fields": json.dumps([[*row, 0, "1", 2, "3", "4", "0"] for row in ROWS]),
    "split": FRAME.to_json(orient="split"),
    "split with the time as index": FRAME.set_index("date").to_json(orient="split"),
    "columns": FRAME.to_json(orient="columns"),
    "columns with the time as index": FRAME.set_index("date").to_json(orient="columns"),
    "lists by column": json.dumps({**FRAME.to_dict(orient="list"), "status": "ok"}),
    "index": FRAME.to_json(orient="index"),
    "index of times": json.dumps(BY_TIME),
    "table": FRAME.to_json(orient="table"),
    "an answer": json.dumps({"code": 0, "result": {"symbol": "BTCUSDT", "list": ROWS}}),
    "record a line": lines(RECORDS),
    "row a line": lines(ROWS),
    "record a line, with empty lines": lines(RECORDS).replace("\n", "\n\n \n", 3),
    "with a byte order mark": "\ufeff \n" + json.dumps(RECORDS, indent=1),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_that_people_keep_bars_in(tmp_path: Path, shape: str) -> None:
    path = tmp_path / "bars.data"
    for content in (SHAPES[shape].encode(), gzip.compress(SHAPES[shape].encode()), SHAPES[shape].encode("utf-16")):
        path.write_bytes(content)
        got = import_file(path, **SPOT)
        assert opened(got) == HOURS and got.bars == clean(FRAME, **SPOT).bars


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "it is no JSON"),
        ("[]", "it holds no rows"),
        ('{"a": 1}', "it holds no rows"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a": ' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
        ("[" + "9" * 5_000 + "]", "it is no JSON: Exceeds the limit"),
        ("[1, 2, 3]", "row 0 is 1, not a record or a list"),
        ("[[1, 2], {}]", "row 1 is {}, the rows before are something else"),
        ("[[1, 2, 3], [1, 2]]", "row 1 has 2 values, the first one 3"),
        ('[{"date": 1, "date": 2}]', "a record has 'date' twice"),
        ('{"a": [[1]], "b": [[1]]}', "rows could be under 'a', 'b'; keep one"),
        ('{"open": [1], "close": [1, 2]}', "its columns differ in length: 'open' 1, 'close' 2"),
        ('{"open": {"1": 1}, "close": {"2": 1}}', "its columns do not have the same index"),
        ('{"columns": ["a"], "data": [[1, 2]]}', r"row 0 is \[1, 2\]; 1 values are expected"),
    ],
)  # fmt: skip
def test_what_holds_no_bars_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bars.json"
    path.write_text(text)
    with pytest.raises(DataError, match=rf"bars\.json: cannot be read as JSON: .*{message}"):
        import_file(path, **SPOT)


@pytest.mark.parametrize("value", ["[1]", "{}", "true", "1" + "0" * 400])
def test_a_cell_that_is_no_number_is_refused_with_its_row(tmp_path: Path, value: str) -> None:
    path = tmp_path / "bars.json"
    path.write_text(json.dumps(RECORDS).replace("101.25", value, 1))
    with pytest.raises(DataError, match="row 1"):
        import_file(path, **SPOT)


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bars.json"
    path.write_text(lines(RECORDS) + "{\n")
    with pytest.raises(DataError, match="it is no JSON in line 7"):
        import_file(path, **SPOT)
