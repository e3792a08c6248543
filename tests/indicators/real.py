"""Real bars for the oracles: the bundled series, whole rows only."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

SAMPLE = Path(__file__).resolve().parent.parent.parent / "data" / "sample"

Columns = MappingProxyType[str, np.ndarray]


@cache
def bars(series: str, longest: int = 20_000) -> Columns:
    """Give open, high, low, close and volume of a bundled series, read-only."""
    frame = pd.read_parquet(SAMPLE / f"{series}.parquet").head(longest)
    columns = {name: frame[name].to_numpy(np.float64) for name in ("open", "high", "low", "close", "volume")}
    whole = np.logical_and.reduce([np.isfinite(column) for column in columns.values()])
    kept = {name: np.ascontiguousarray(column[whole]) for name, column in columns.items()}
    for column in kept.values():
        column.flags.writeable = False
    return MappingProxyType(kept)


def assert_close(mine: np.ndarray, other: np.ndarray, *, skip: int = 0, rtol: float = 1e-9) -> None:
    """Compare where both have values, from row `skip` on; both must begin at the same row if nothing is skipped."""
    there = np.isfinite(mine) & np.isfinite(other)
    if not skip:
        assert np.argmax(np.isfinite(mine)) == np.argmax(np.isfinite(other))
    there[:skip] = False
    assert there.any()
    scale = np.median(np.abs(other[there]))
    np.testing.assert_allclose(mine[there], other[there], rtol=rtol, atol=rtol * scale)
