"""What is wrong with rows before they are bars: `Bars` can hold none of it, so it is found, and told, here.

A row off the grid by itself is a row off the grid. Rows that are off together are a clock: by the same amount, many on
end (a venue that resumed at 09:28:14 and stamped by that), or by a few milliseconds each (stamps taken on arrival).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError
from workbench.market.bars import COLUMNS
from workbench.market.quality.activity import runs_of
from workbench.market.quality.findings import QualityFinding, in_order
from workbench.market.timeframe import Timeframe

__all__ = ["duplicate_rows", "inspect_rows", "invalid_rows", "off_grid_rows"]

Times = NDArray[np.int64]
Floats = NDArray[np.float64]

_JITTER_MS: Final = 1_000  # stamps off by less than this are late, not wrong
_JITTER_SHARE: Final = 0.02  # of a bar
_OFFSET_RUN: Final = 3  # rows on end with one offset that make a clock of it


def inspect_rows(
    ts: ArrayLike, columns: Mapping[str, ArrayLike], timeframe: str | Timeframe
) -> tuple[QualityFinding, ...]:
    """Find what keeps rows from being bars, in any order of time.

    Parameters
    ----------
    ts : int64 array, shape (n,)
        ms UTC.
    columns : mapping of str to float64 array, shape (n,)
        `open high low close volume`, as they came; a missing value is NaN.
    timeframe : str or Timeframe

    Returns
    -------
    tuple of QualityFinding
        Kinds `invalid`, `duplicate`, `off_grid` and `clock_skew`, oldest first.

    Raises
    ------
    DataError
        A column is missing or of another length.
    """
    bar, times = Timeframe.parse(timeframe), np.asarray(ts, dtype=np.int64)
    lacking = [name for name in COLUMNS if name not in columns]
    if lacking:
        raise DataError(f"rows have no column {', '.join(map(repr, lacking))}; give {', '.join(COLUMNS)}")
    values = np.array([np.asarray(columns[name], dtype=np.float64) for name in COLUMNS])
    if times.ndim != 1 or values.shape != (len(COLUMNS), len(times)):
        raise DataError(f"rows have {times.shape} times and {values.shape} values; every column must be as long as ts")
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[:, order]
    found = [
        *invalid_rows(times, values, bar),
        *off_grid_rows(times, bar),
        *duplicate_rows(times, values, bar),
    ]
    return tuple(in_order(found))


def invalid_rows(ts: Times, values: Floats, bar: Timeframe) -> list[QualityFinding]:
    """Find rows that are no bar: values missing, infinite or not positive, and a high or low that the others pass."""
    open_, high, low, close, volume = values
    prices = values[:4]
    with np.errstate(invalid="ignore"):
        absent = ~np.isfinite(values).all(axis=0)
        negative = ~absent & ((prices <= 0).any(axis=0) | (volume < 0))
        crossed = ~absent & ((high < np.maximum(open_, close)) | (low > np.minimum(open_, close)))
    told: tuple[tuple[Any, str], ...] = (
        (absent, "a value is missing or infinite"),
        (negative, "a price is not above zero, or volume is below"),
        (crossed & ~negative, "the high is not the highest, or the low not the lowest"),
    )
    return [
        QualityFinding(
            kind="invalid", start=int(ts[first]), end=int(ts[stop - 1]) + bar.ms, bars=stop - first,
            size=float(stop - first), detail=why,
        )
        for flags, why in told
        for first, stop in runs_of(np.asarray(flags))
    ]  # fmt: skip


def duplicate_rows(ts: Times, values: Floats, bar: Timeframe) -> list[QualityFinding]:
    """Find sorted rows with the time of the one before, equal to it or not."""
    again = np.concatenate([[False], np.diff(ts) == 0])
    found = []
    for first, stop in runs_of(again):  # the first row of the time is the one before the run
        rows = values[:, first - 1 : stop]
        same = bool(((rows == rows[:, :1]) | (np.isnan(rows) & np.isnan(rows[:, :1]))).all())
        found.append(
            QualityFinding(
                kind="duplicate", cause="identical" if same else "contradicting", start=int(ts[first]),
                end=int(ts[first]) + bar.ms, bars=1, size=float(stop - first),
                detail="" if same else "; ".join(" ".join(map(repr, row)) for row in rows.T[:3].tolist()),
            )
        )  # fmt: skip
    return found


def off_grid_rows(ts: Times, bar: Timeframe) -> list[QualityFinding]:
    """Find sorted rows at which no bar opens; those that are off together make one finding."""
    offset = (ts - bar.anchor_ms) % bar.ms
    offset = np.where(offset > bar.ms // 2, offset - bar.ms, offset)  # a stamp a little early is not late by a bar
    rows = np.flatnonzero(offset)
    if not len(rows):
        return []
    near = np.abs(offset) <= min(_JITTER_MS, _JITTER_SHARE * bar.ms)
    found = _jittered(ts, offset, np.flatnonzero((offset != 0) & near), bar)
    far = np.flatnonzero((offset != 0) & ~near)
    cuts = np.flatnonzero((np.diff(offset[far]) != 0) | (np.diff(far) != 1)) + 1
    for run in np.split(far, cuts):
        if len(run) >= _OFFSET_RUN:
            found.append(_skew("offset", ts, run, float(offset[run[0]]), bar, "the same offset on every row"))
        else:
            found += [_off(ts, offset, int(row), bar) for row in run]
    return found


def _jittered(ts: Times, offset: Times, rows: NDArray[np.intp], bar: Timeframe) -> list[QualityFinding]:
    if not len(rows):
        return []
    if len(rows) < _OFFSET_RUN:
        return [_off(ts, offset, int(row), bar) for row in rows]
    off = offset[rows]
    middle = float(np.median(off))
    told = f"{len(rows):,} of {len(ts):,} rows, {off.min():+d} to {off.max():+d} ms"
    return [_skew("jitter", ts, rows, middle, bar, told)]


def _skew(cause: str, ts: Times, rows: Any, size: float, bar: Timeframe, detail: str) -> QualityFinding:
    return QualityFinding(
        kind="clock_skew", cause=cause, start=int(ts[rows[0]]), end=int(ts[rows[-1]]) + bar.ms, bars=len(rows),
        size=size, detail=detail,
    )  # fmt: skip


def _off(ts: Times, offset: Times, row: int, bar: Timeframe) -> QualityFinding:
    at = int(ts[row])
    return QualityFinding(kind="off_grid", start=at, end=at + bar.ms, bars=1, size=float(offset[row]))
