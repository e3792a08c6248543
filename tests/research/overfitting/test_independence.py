"""How many independent trials a family amounts to, against families of which every member is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.research.overfitting.studies import alike, independent, random_entries, sma_crosses
from workbench.research.overfitting import measure_independence


def test_independent_trials_grow_one_for_one() -> None:
    found = measure_independence(independent(600, np.random.default_rng(0), trials=100))
    assert found.count == pytest.approx(100, rel=0.25) and found.growth == pytest.approx(1.0, abs=0.12)
    assert found.of(1_000) == pytest.approx(1_000, rel=0.4) and found.of(50) == found.count


def test_what_has_much_in_common_grows_slowly() -> None:
    found = measure_independence(sma_crosses(600, np.random.default_rng(1)))
    assert found.count < 20 and found.growth < 0.7


@pytest.mark.parametrize("make", [alike, random_entries])
def test_a_part_tells_the_whole(make: object) -> None:
    returns = make(600, np.random.default_rng(2), 400)  # type: ignore[operator]
    whole = measure_independence(returns)
    part = measure_independence(returns[:, :80])
    assert part.of(400) == pytest.approx(whole.count, rel=0.5) and part.of(10**9) <= 10**9


def test_the_edges() -> None:
    few = measure_independence(independent(200, np.random.default_rng(3), trials=3))
    assert few.growth == 1.0 and 1.0 <= few.count <= 3.0
    one = measure_independence(independent(200, np.random.default_rng(3), trials=1))
    assert one.count == 1.0 and one.of(1) == 1.0
    nothing = measure_independence(np.zeros((100, 4)))
    assert math.isnan(nothing.count) and nothing.trials == 0
    assert measure_independence(np.repeat(independent(100, np.random.default_rng(4), 1), 20, axis=1)).growth < 0.05
