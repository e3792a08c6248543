"""Filling holes, only ever because somebody asked: every bar that is made here is marked and can be counted.

The one rule is `"previous"`: the market stood still at its last close, without volume. It is what somebody who watched
would have seen. Anything smoother (a line, a spline) draws on the price after the hole, which nobody knew inside it,
and a backtest on it would trade on the future; so there is no such rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import COLUMNS, Bars
from workbench.market.calendar import expected_opens, known_span
from workbench.market.quality.findings import QualityFinding

__all__ = ["FillMethod", "apply_decisions", "fill_gaps"]

FillMethod = Literal["none", "previous"]

_PRICES: Final = ("open", "high", "low", "close")


def fill_gaps(bars: Bars, method: FillMethod = "none", *, longest: int | None = None) -> Bars:
    """Close the holes of a series.

    Parameters
    ----------
    bars : Bars
    method : {"none", "previous"}
        `"none"` changes nothing. `"previous"` puts flat bars without volume at the close before the hole.
    longest : int, optional
        Holes with more missing bars than this stay; all are closed when left out.

    Returns
    -------
    Bars
        With `filled` true where a bar was made. `provenance["note"]` says how many. The bars themselves where there
        was nothing to fill.

    Raises
    ------
    DataError
        The method is unknown, or `longest` is no whole number above zero.

    Notes
    -----
    A filled bar uses the last close before it and nothing later. Filled bars count like missing ones where a backtest
    asks how much of its data is real.

    Examples
    --------
    >>> import workbench as wb
    >>> price = dict.fromkeys(("open", "high", "low", "close"), np.array([5.0, 6.0]))
    >>> bitcoin, hours = wb.Instrument(symbol="BTC/USDT"), np.array([0, 3]) * 3_600_000
    >>> bars = wb.Bars(instrument=bitcoin, timeframe="1h", ts=hours, volume=np.ones(2), **price)
    >>> filled = fill_gaps(bars, "previous")
    >>> filled.close.tolist(), filled.filled.tolist()
    ([5.0, 5.0, 5.0, 6.0], [False, True, True, False])
    """
    if not isinstance(bars, Bars):
        raise DataError(f"a {type(bars).__name__} cannot be filled: give wb.Bars, as wb.data.read gives them")
    if method not in get_args(FillMethod):
        raise DataError(
            f"fill = {method!r} is not one of {', '.join(map(repr, get_args(FillMethod)))}; rules that look at the "
            "price after a hole are not offered, for nobody knew it then",
            method=method,
        )
    if longest is not None and (isinstance(longest, bool) or not isinstance(longest, int) or longest < 1):
        raise DataError(f"longest = {longest!r} must be a whole number of bars, at least 1", longest=longest)
    if method == "none" or not bars.gaps:
        return bars
    spans = [(gap.start, gap.end) for gap in bars.gaps if longest is None or gap.missing <= longest]
    return _filled(bars, spans)


def _filled(bars: Bars, spans: list[tuple[int, int]]) -> Bars:
    """Put flat bars wherever the calendar expects some inside the spans and there are none."""
    since, until = known_span(bars.instrument.calendar)
    expected = expected_opens(
        bars.instrument.calendar, bars.timeframe, max(since, bars.start), min(until, bars.end)
    )  # fmt: skip
    made = np.setdiff1d(expected[_within(expected, spans)], bars.ts, assume_unique=True)
    if not len(made):
        return bars
    before = np.searchsorted(bars.ts, made) - 1
    order = np.argsort(np.concatenate([bars.ts, made]), kind="stable")
    flat = dict.fromkeys(_PRICES, bars.close[before]) | {"volume": np.zeros(len(made))}
    marks = np.zeros(len(bars), dtype=np.bool_) if bars.filled is None else bars.filled
    columns = {name: np.concatenate([getattr(bars, name), flat[name]])[order] for name in COLUMNS}
    return Bars(
        instrument=bars.instrument,
        timeframe=bars.timeframe,
        ts=np.concatenate([bars.ts, made])[order],
        filled=np.concatenate([marks, np.ones(len(made), dtype=np.bool_)])[order],
        provenance=_noted(bars, f"{len(made):,} bar{'s' * (len(made) > 1)} filled with the close before"),
        **columns,
    )


def _within(ts: NDArray[np.int64], spans: list[tuple[int, int]]) -> NDArray[np.bool_]:
    """Tell which times lie in one of some spans, which are in order and do not overlap."""
    if not spans:
        return np.zeros(len(ts), dtype=np.bool_)
    starts, ends = (np.array(edge, dtype=np.int64) for edge in zip(*spans, strict=True))
    place = np.searchsorted(starts, ts, side="right") - 1
    inside: NDArray[np.bool_] = (place >= 0) & (ts < ends[np.maximum(place, 0)])
    return inside


def apply_decisions(bars: Bars, findings: Iterable[QualityFinding]) -> Bars:
    """Carry out what was decided about findings: close the holes of "fill", leave out the bars of "exclude".

    Parameters
    ----------
    bars : Bars
    findings : iterable of QualityFinding
        Such as `bars.quality`.

    Returns
    -------
    Bars
        The note of its provenance says what was done.
    """
    findings = list(findings)
    out = sorted((one.start, one.end) for one in findings if one.decision == "exclude" and one.bars)
    holes = sorted((one.start, one.end) for one in findings if one.decision == "fill" and one.kind == "gap")
    dropped = np.zeros(len(bars), dtype=np.bool_)
    for start, end in out:
        dropped |= (bars.ts >= start) & (bars.ts < end)
    if dropped.any():
        count = int(dropped.sum())
        columns: dict[str, Any] = {name: getattr(bars, name)[~dropped] for name in ("ts", *COLUMNS)}
        bars = Bars(
            instrument=bars.instrument,
            timeframe=bars.timeframe,
            filled=None if bars.filled is None else bars.filled[~dropped],
            provenance=_noted(bars, f"{count:,} bar{'s' * (count > 1)} excluded by decision"),
            **columns,
        )
    return _filled(bars, holes) if holes and len(bars) else bars


def _noted(bars: Bars, words: str) -> dict[str, Any]:
    said = str(bars.provenance.get("note") or "").rstrip(".")
    return {**bars.provenance, "note": f"{said}; {words}" if said else words}
