"""Compiled kernels: their disk cache is used, and never outlives the code that it was made from."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from workbench._kernels import frozen, kernel

ROOT = Path(__file__).resolve().parent.parent
CALLED = "from workbench._kernels import kernel\n\n@kernel\ndef fee_nb(value):\n    return value * {rate}\n"
CALLER = (
    "from workbench._kernels import kernel\nfrom fees import fee_nb\n\n"
    "@kernel\ndef cost_nb(value):\n    return fee_nb(value) + {base}\n"
)
SHOW = "import costs; print(costs.cost_nb(100.0), sum(costs.cost_nb.stats.cache_hits.values()))"


Cost = Callable[[float, float], tuple[float, int]]


@kernel
def total_nb(values: Any) -> Any:
    """Add up; small enough to compile at once."""
    total = 0.0
    for value in values:
        total += value
    return total


@kernel
def divide_nb(a: Any, b: Any) -> Any:
    """Divide by the rules of IEEE."""
    return a / b


def compiled(function: Callable[..., Any]) -> Any:
    """The same function, seen as numba's dispatcher: the type of a kernel is the type of its plain twin."""
    return function


@pytest.fixture
def cost_of_100(tmp_path: Path) -> Cost:
    """Write the two modules, run them in a process of their own, give the cost and how often the cache was used."""

    def run(rate: float, base: float) -> tuple[float, int]:
        for name, text in (("fees", CALLED.format(rate=rate)), ("costs", CALLER.format(base=base))):
            path = tmp_path / f"{name}.py"
            if not path.exists() or path.read_text() != text:
                path.write_text(text)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
        done = subprocess.run(
            [sys.executable, "-B", "-c", SHOW], env=environment, capture_output=True, text=True, check=True
        )
        cost, hits = done.stdout.split()
        return float(cost), int(hits)

    return run


def test_the_cache_is_used_and_sees_a_change_in_a_called_kernel_of_another_file(cost_of_100: Cost) -> None:
    assert cost_of_100(0.5, 1.0) == (51.0, 0)
    assert cost_of_100(0.5, 1.0) == (51.0, 1)
    assert cost_of_100(0.25, 1.0) == (26.0, 0)
    assert cost_of_100(0.25, 2.0) == (27.0, 0)


def test_a_kernel_without_a_source_file_still_runs() -> None:
    space: dict[str, Any] = {"__name__": "typed_in"}
    exec("def twice(x):\n    return 2.0 * x\n", space)
    assert kernel(space["twice"])(21.0) == 42.0


def test_the_plain_function_stays_reachable() -> None:
    assert compiled(total_nb).py_func([1.0, 2.0]) == total_nb(np.array([1.0, 2.0])) == 3.0


def test_division_by_zero_follows_ieee() -> None:
    assert divide_nb(1.0, 0.0) == np.inf
    assert np.isnan(divide_nb(0.0, 0.0))


def test_frozen_arrays_compile_once_whatever_they_were() -> None:
    before = len(compiled(total_nb).signatures)
    writable = np.arange(6.0)
    readonly = np.arange(6.0)
    readonly.flags.writeable = False
    for values in (writable, readonly, writable[::2], [1, 2, 3], np.arange(3, dtype=np.int32), (1.5,)):
        assert total_nb(frozen(values)) == pytest.approx(np.sum(values))
    assert len(compiled(total_nb).signatures) - before <= 1


@given(
    npst.arrays(st.sampled_from([np.float64, np.float32, np.int64]), st.integers(0, 20), elements=st.integers(-9, 9))
)
def test_frozen_gives_the_values_and_leaves_the_callers_array_alone(values: NDArray[Any]) -> None:
    before = values.copy()
    view = frozen(values)
    assert values.flags.writeable
    assert not view.flags.writeable
    assert view.flags.c_contiguous
    assert view.dtype == np.float64
    np.testing.assert_array_equal(view, before)
    if values.dtype == np.float64:
        assert np.shares_memory(view, values) or not len(values)
    with pytest.raises(ValueError, match="read-only"):
        view[...] = 0.0
    values += 1  # the caller may go on writing
