"""The first row that a longer history changes: found where it is, and not where there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.indicators.catalog import CASES, Case, market
from workbench.errors import DataError
from workbench.indicators.causality import Change, first_change

CLOSE = {"close": np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0])}
CUTS = (3, 5, 7)


@pytest.mark.parametrize(
    ("cheat", "row"),
    [
        (lambda c: np.append(c[1:], np.nan), 2),
        (lambda c: c - c.mean(), 0),
        (lambda c: np.convolve(c, np.ones(3), "same"), 2),
        (lambda c: np.append(c[:-1], 0.0), 2),
        (lambda c: np.full(len(c), c[-1]), 0),
        (lambda c: np.where(np.arange(len(c)) == 4, c.max(), c), 4),
    ],
    ids=["shift", "mean of all", "centred", "last row", "last value", "one row"],
)  # fmt: skip
def test_a_look_ahead_is_found_at_its_first_row(cheat: Any, row: int) -> None:
    found = first_change(lambda columns: {"line": cheat(columns["close"])}, CLOSE, CUTS)["line"]
    assert found is not None
    assert found.row == row


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_no_indicator_of_ours_looks_ahead(case: Case) -> None:
    found = first_change(case, market(300), [1, 7, 63, 64, 150, 299])
    assert set(found.values()) == {None}


def test_a_change_knows_its_size_and_how_early_it_spoke() -> None:
    found = first_change(lambda columns: [np.full(len(columns["close"]), columns["close"][-1])], CLOSE, [3])
    assert found == {"0": Change(row=0, rows=3, before=4.0, after=6.0)}
    assert found["0"] is not None
    assert (found["0"].size, found["0"].bars_early) == (2.0, 3)
    gone = first_change(lambda columns: [np.append(columns["close"][1:], np.nan)], CLOSE, [3])["0"]
    assert gone is not None
    assert gone.size == float("inf")


def test_a_tolerance_forgives_what_is_smaller() -> None:
    def nearly(columns: Any) -> Any:
        return {"line": columns["close"] * (1.0 + 1e-12 * len(columns["close"]))}

    assert first_change(nearly, CLOSE, CUTS)["line"] is not None
    assert first_change(nearly, CLOSE, CUTS, tolerance=1e-9)["line"] is None


def test_what_cannot_be_compared_is_said() -> None:
    with pytest.raises(DataError, match=r"^the output 'line' has shape \(3,\) for 8 rows"):
        first_change(lambda columns: {"line": columns["close"][:3]}, CLOSE, CUTS)
    with pytest.raises(DataError, match=r"^a cut after 9 rows of 8; give cuts from 1 to 8$"):
        first_change(lambda columns: columns, CLOSE, [9])
