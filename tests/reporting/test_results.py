"""Named results: what is stored, what is shown, what is refused."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from tests.reporting.made_notebooks import code, notebook, shown
from workbench.errors import RunError
from workbench.reporting.results import MIMETYPE, collect, record


@pytest.fixture
def shell() -> Any:
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def outputs_of(**results: Any) -> list[dict[str, Any]]:
    with capture_output() as captured:
        record(**results)
    return [shown(output.data) for output in captured.outputs]


def test_what_is_recorded_is_collected(shell: Any) -> None:
    first = outputs_of(
        trades=np.int64(3),
        sharpe=np.float64(1 / 3),
        open=True,
        venue=None,
        name="SPX <i>",
        worst=float("nan"),
        up=math.inf,
    )
    second = outputs_of(trades=4)
    read = collect(json.loads(json.dumps(notebook(code("", outputs=[*first, *second])), allow_nan=False)))
    assert math.isnan(read.pop("worst"))  # type: ignore[arg-type]
    assert read == {"trades": 4, "sharpe": 0.3333333333, "open": True, "venue": None, "name": "SPX <i>", "up": math.inf}
    assert type(read["open"]) is bool


def test_it_reads_well_and_the_same_every_time(shell: Any) -> None:
    one = outputs_of(total_return=0.1 + 0.2, name="<b>", long="x" * 500)[0]["data"]
    other = outputs_of(long="x" * 500, name="<b>", total_return=0.3)[0]["data"]
    assert one == other
    assert one["text/plain"].splitlines()[2] == "total_return  0.3"
    assert "<th>total return</th>" in one["text/html"] and "&lt;b&gt;" in one["text/html"]
    assert len(one["text/html"]) < 600
    assert one[MIMETYPE]["long"] == "x" * 500


@pytest.mark.parametrize("value", [[1], np.zeros(2), {"a": 1}, 1j])
def test_what_is_not_one_value_is_refused(value: Any) -> None:
    with pytest.raises(RunError, match=f"result 'equity' is a {type(value).__name__}; record a number"):
        record(equity=value)


def test_outside_a_notebook_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    record(b=1.5, a="x")
    assert capsys.readouterr().out == "a  x\nb  1.5\n"


@given(
    st.dictionaries(st.text("abc_", min_size=1), st.none() | st.booleans() | st.integers() | st.floats() | st.text())
)
def test_nothing_is_lost_but_digits(values: dict[str, Any]) -> None:
    from workbench.reporting import results

    stored = json.dumps(results._encoded({name: results._value(name, value) for name, value in values.items()}))
    read = collect(notebook(code("", outputs=[shown({MIMETYPE: json.loads(stored)})])))
    assert read.keys() == values.keys()
    for name, value in values.items():
        if isinstance(value, float):
            assert read[name] == pytest.approx(value, rel=1e-9, nan_ok=True)
        else:
            assert read[name] == value and type(read[name]) is type(value)
