"""Grids and samples: what goes together, in which order, and what is refused."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.research.sweeping.made import Cross
from workbench.errors import ConfigError, StrategyError
from workbench.research.sweeping.combinations import Combinations, grid_of
from workbench.research.sweeping.sampling import Sampler


def rows(found: Combinations) -> list[tuple[Any, ...]]:
    return list(zip(*(one.tolist() for one in found.columns().values()), strict=True))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.data())
def test_a_grid_is_the_product_of_its_axes(sizes: list[int], data: st.DataObject) -> None:
    axes = {f"p{place}": list(range(size)) for place, size in enumerate(sizes)}
    found = Combinations(axes)
    assert rows(found) == list(itertools.product(*axes.values()))
    start = data.draw(st.integers(0, len(found)))
    stop = data.draw(st.integers(start, len(found)))
    assert [one[start:stop].tolist() for one in found.columns().values()] == [
        one.tolist() for one in found.columns(start, stop).values()
    ]


@pytest.mark.parametrize(
    "where",
    [
        lambda p: p["fast"] < p["slow"],
        lambda p: p["fast"] < p["slow"] and p["slow"] < 99,
        lambda p: max(p["fast"], 0) < p["slow"],
    ],
)
def test_where_is_asked_for_columns_or_row_by_row(where: Any) -> None:
    found = grid_of(Cross(), {"fast": range(2, 20), "slow": range(3, 20)}, where)
    assert rows(found) == [(a, b) for a in range(2, 20) for b in range(3, 20) if a < b]


def test_a_million_combinations_are_a_few_axes() -> None:
    found = grid_of(Cross(), {"fast": range(2, 50), "slow": range(3, 200), "stop_loss": np.linspace(0.01, 0.5, 120)})
    assert len(found) == 48 * 197 * 120
    assert {name: one.tolist() for name, one in found.columns(len(found) - 1).items()} == {
        "fast": [49], "slow": [199], "stop_loss": [0.5]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("grid", "where", "says"),
    [
        ({}, None, "grid is empty"),
        ({"fsat": [5]}, None, "no parameter 'fsat': did you mean 'fast'"),
        ({"fast": []}, None, r"grid\['fast'\] has no values"),
        ({"fast": [5, 5]}, None, "has 5 more than once"),
        ({"fast": [5]}, lambda p: p["fast"] > 9, "leaves none of 1"),
        ({"fast": [5]}, lambda p: p["slow"] > 9, "where= raised KeyError"),
        ({"fast": [5]}, lambda p: "yes", "must say True or False"),
    ],
)
def test_a_wrong_grid_is_refused_by_name(grid: Any, where: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        grid_of(Cross(), grid, where)


@pytest.mark.parametrize("grid", [{"fast": [1]}, {"fast": ["a"]}, {"stop_loss": [1.5]}, {"fee": [2.0]}])
def test_a_value_out_of_range_is_refused(grid: Any) -> None:
    with pytest.raises(StrategyError, match="must be"):
        grid_of(Cross(), grid)


@pytest.mark.parametrize("kind", ["sobol", "latin", "random"])
def test_a_sample_is_within_its_ranges_and_repeats(kind: Any) -> None:
    sampler = Sampler(count=300, kind=kind, seed=7, ranges={"stop_loss": (0.01, 0.1), "max_bars": [None, 5, 10]})
    found = sampler.draw(Cross(), lambda p: p["fast"] < p["slow"])
    assert 200 < len(found) <= 300
    columns = found.columns()
    assert list(columns) == ["fast", "slow", "stop_loss", "max_bars"]
    assert (columns["fast"] < columns["slow"]).all()
    assert columns["fast"].dtype.kind == "i"
    assert columns["fast"].min() >= 2
    assert columns["slow"].max() <= 200
    assert 0.01 <= columns["stop_loss"].min() < 0.02 < 0.09 < columns["stop_loss"].max() <= 0.1
    assert set(columns["max_bars"].tolist()) == {None, 5, 10}
    assert rows(sampler.draw(Cross(), lambda p: p["fast"] < p["slow"])) == rows(found)


@pytest.mark.parametrize(
    ("sampler", "says"),
    [
        (Sampler(count=0), "count = 0"),
        (Sampler(count=5, kind="grid"), "kind = 'grid'"),  # type: ignore[arg-type]
        (Sampler(count=5, ranges={"fsat": (1, 2)}), "no parameter 'fsat'"),
        (Sampler(count=5, names=("stop_loss",), ranges={"stop_loss": (0.3, 0.1)}), "lower one first"),
        (Sampler(count=5, ranges={"stop_loss": 0.3}), "give \\(low, high\\)"),
    ],
)
def test_a_wrong_sampler_is_refused(sampler: Sampler, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        sampler.draw(Cross())
