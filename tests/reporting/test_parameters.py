"""What a notebook declares, and what it refuses."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reporting.made_notebooks import code, notebook, text, write
from workbench.errors import ConfigError
from workbench.reporting.parameters import REQUIRED, Declared, check_parameters, declared_parameters

CELL = '''\
%load_ext autoreload
from __future__ import annotations
symbol: str = ...  # what is traded
fast: int = 10  # bars in the fast mean
cash = 10_000.0
"""not a parameter"""
# Fees and the spread,
# as the venue has them
costs = {"fee": 0.001}
venue: str | None = None  # where
fill: Literal["next_open", "close"] = "next_open"
weights: list[float] = [1, 2]
short = False
limit = 2 * cash  # computed
note: str
anything = None
'''


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "trend.ipynb", text("# A"), code(CELL, "parameters"), code("x = 1"))


def test_the_cell_is_read_without_running_it(path: Path) -> None:
    found = declared_parameters(path)
    assert list(found) == [
        "symbol", "fast", "cash", "costs", "venue", "fill", "weights", "short", "limit", "note", "anything",
    ]  # fmt: skip
    assert found["fast"] == Declared(name="fast", default=10, annotation="int", comment="bars in the fast mean")
    assert found["cash"] == Declared(name="cash", default=10_000.0, annotation="float")
    assert found["costs"].comment == "Fees and the spread, as the venue has them"
    assert found["limit"] == Declared(name="limit", default="2 * cash", annotation="", comment="computed")
    assert [name for name, parameter in found.items() if parameter.required] == ["symbol", "note"]
    assert found["note"].default == REQUIRED


def test_the_content_of_a_notebook_is_read_as_well() -> None:
    content = notebook(code("a = 1", "parameters"), code("b = 2", "parameters"))
    assert list(declared_parameters(content)) == ["a"]
    assert declared_parameters(notebook(code("a = 1"))) == {}


GOOD: dict[str, Any] = {"symbol": "BTC/USDT", "note": "n"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fast", 12),
        ("cash", 5),
        ("cash", 5.5),
        ("venue", None),
        ("venue", "binance"),
        ("fill", "close"),
        ("weights", [1, 2.5]),
        ("weights", (1, 2.5)),
        ("costs", {"fee": 0.1, "nested": [1, None]}),
        ("short", True),
        ("limit", "whatever it computes"),
        ("anything", [1]),
    ],
)
def test_what_fits_passes(path: Path, name: str, value: Any) -> None:
    given_ = GOOD | {name: value}
    assert check_parameters(path, given_) == {
        key: list(item) if isinstance(item, tuple) else item for key, item in given_.items()
    }


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("fats", 12, "notebook trend.ipynb has no parameter 'fats'; did you mean 'fast'?"),
        ("zzz", 12, "has no parameter 'zzz'; it has 'symbol', 'fast'"),
        ("fast", "12", r"parameter 'fast' is '12' \(str\); it takes int, such as 10"),
        ("fast", 12.0, r"'fast' is 12.0 \(float\); it takes int"),
        ("fast", True, r"'fast' is True \(bool\); it takes int"),
        ("cash", "10k", "'cash' is '10k' .*takes float, such as 10000.0"),
        ("cash", None, "'cash' is None .*takes float"),
        ("short", 1, "'short' is 1 .*takes bool"),
        ("venue", 3, r"'venue' is 3 .*takes str \| None"),
        ("fill", "open", "'fill' is 'open' .*takes Literal"),
        ("weights", [1, "2"], r"'weights' is \[1, '2'\] .*takes list\[float\]"),
        ("weights", 1, r"'weights' is 1 .*takes list\[float\]"),
        ("costs", [1], r"'costs' is \[1\] .*takes dict"),
        ("symbol", 1, "'symbol' is 1 .*takes str$"),
        ("anything", {1, 2}, "parameter 'anything' is a set; a notebook takes numbers"),
        ("anything", {1: 2}, "parameter 'anything' is a dict"),
        ("costs", {"a": b"x"}, "parameter 'costs' is a bytes"),
    ],
)
def test_what_does_not_fit_is_named(path: Path, name: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        check_parameters(path, GOOD | {name: value})
    assert caught.value.fields.get("parameter", name) == name


def test_a_missing_parameter_is_named(path: Path) -> None:
    with pytest.raises(
        ConfigError, match="parameter 'note' is missing and has no default; give it a value of type str"
    ):
        check_parameters(path, {"symbol": "SPX"})


def test_dates_become_text(tmp_path: Path) -> None:
    path = write(tmp_path / "n.ipynb", code("start: str | None = None\nend: Timestamp = None", "parameters"))
    given_ = {"start": dt.date(2024, 1, 2), "end": dt.datetime(2024, 1, 3, 4)}
    assert check_parameters(path, given_) == {"start": "2024-01-02", "end": "2024-01-03T04:00:00"}


def test_a_notebook_without_such_a_cell_takes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "n.ipynb", code("a = 1"))
    assert check_parameters(path, {}) == {}
    with pytest.raises(ConfigError, match=r"it declares none \(no cell is tagged 'parameters'\)"):
        check_parameters(path, {"a": 2})


def test_files_that_are_no_notebooks(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.ipynb does not exist"):
        declared_parameters(tmp_path / "gone.ipynb")
    (tmp_path / "a.ipynb").write_text("hello")
    with pytest.raises(ConfigError, match="cannot be read as a notebook"):
        declared_parameters(tmp_path / "a.ipynb")
    (tmp_path / "b.ipynb").write_text('{"nbformat": 3, "worksheets": []}')
    with pytest.raises(ConfigError, match="is not in notebook format 4"):
        declared_parameters(tmp_path / "b.ipynb")
    with pytest.raises(ConfigError, match=r"line 2 of the cell tagged 'parameters' is not Python"):
        declared_parameters(write(tmp_path / "c.ipynb", code("a = 1\nb = = 2", "parameters")))


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(plain)
def test_every_default_fits_its_own_parameter(value: Any) -> None:
    declared = declared_parameters(notebook(code(f"p = {value!r}", "parameters")))["p"]
    assert declared.default == value
    assert declared.accepts(value)
