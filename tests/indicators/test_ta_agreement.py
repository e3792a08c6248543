"""Our numbers equal those of `ta` where it is right; where it is not, the table says who is and why."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.indicators.ta_pairs import PAIRS, Beside
from workbench.indicators import registry

every = pytest.mark.parametrize(("column", "beside"), PAIRS.items(), ids=PAIRS)


@pytest.fixture(scope="module")
def prices(lake: wb.Lake) -> Mapping[str, Any]:
    bars = lake.read("BTC/USDT", "1h")[:1_500]
    return {name: np.array(getattr(bars, name), dtype=float) for name in ("open", "high", "low", "close", "volume")}


def ours(beside: Beside, prices: Mapping[str, Any]) -> np.ndarray:
    name, _, line = beside.ours.partition(".")
    indicator = registry.get(name)
    named = {"values": "close", **beside.columns}
    given = [prices[named.get(one, one)] for one in indicator.inputs]
    result = indicator(*given, *indicator.parameters(**beside.parameters))
    chosen = getattr(result, line) if line else result
    return np.asarray(beside.factor * chosen + beside.offset)


@every
def test_equal_to_ta_where_it_is_right(column: str, beside: Beside, prices: Mapping[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = registry.compute(column, prices, force=True, **beside.theirs)
    mine = ours(beside, prices)
    both = np.isfinite(mine) & np.isfinite(theirs)
    rows = both & (np.arange(len(mine)) >= int(np.argmax(both)) + beside.fades)
    assert rows.sum() > 500
    close = np.isclose(mine[rows], theirs[rows], rtol=1e-8, atol=1e-8 * np.median(np.abs(theirs[rows])))
    assert close.all() == beside.agrees, f"{(~close).sum()} of {len(close)} differ"


def test_every_disagreement_has_its_reason() -> None:
    for column, beside in PAIRS.items():
        assert bool(beside.why) == (bool(beside.fades) or not beside.agrees), column
    assert {registry.get(column, force=True).group for column in PAIRS} == {"ta"}
