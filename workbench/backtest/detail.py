"""Finer bars inside the strategy's bars: where they come from, and how both become the bars that drive the market.

A strategy bar is resolved where finer bars cover all of it; elsewhere it drives the market itself. Finer bars that say
something else than the bar they are inside are refused: one of the two is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError, DataError
from workbench.market.bars import COLUMNS, Bars, moment
from workbench.market.timeframe import Timeframe

if TYPE_CHECKING:
    from workbench.market.lake import Lake

__all__ = ["BaseBars", "base_bars", "find_details"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

TOLERANCE: Final = 1e-4  # one basis point, or one tick: data of one venue, summed up by different programs


class BaseBars(NamedTuple):
    """What drives the market of one instrument; see `backtest.plan.Line` for shapes. `word` is None without detail."""

    ts: Whole
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    span: Whole
    word: Whole | None


def find_details(detail: Any, series: Sequence[Bars]) -> dict[str, Bars]:
    """Give the finer bars of each series, by symbol.

    Parameters
    ----------
    detail : None, Bars, sequence of Bars, str or Timeframe
        The bars themselves; a timeframe to read from the lake of the workspace for each series; or "auto": for each
        series the finest that the lake has of all its range.
    series : sequence of Bars
        The strategy's bars, one an instrument.

    Returns
    -------
    dict of str to Bars
        Series without finer bars are left out.

    Raises
    ------
    ConfigError
        It is none of these, or a timeframe is not finer and a divisor.
    DataError
        Bars are of an instrument that is not traded, or twice of one; the lake does not have them.
    """
    if detail is None:
        return {}
    if isinstance(detail, (str, Timeframe)):
        return _auto(series) if detail == "auto" else _read(detail, series)
    given = [detail] if isinstance(detail, Bars) else detail
    if not isinstance(given, Sequence) or not all(isinstance(one, Bars) for one in given):
        raise ConfigError(
            f"detail is {detail!r}; give a timeframe such as '1m' (read from the lake), 'auto', or finer wb.Bars",
            detail=detail,
        )
    known = {bars.symbol: bars for bars in series}
    found: dict[str, Bars] = {}
    for one in given:
        if one.symbol not in known:
            raise DataError(f"detail: {one.symbol} is not among what is traded: {', '.join(known)}", symbol=one.symbol)
        if one.symbol in found:
            raise DataError(f"detail: {one.symbol} is given twice; give one finer series of it", symbol=one.symbol)
        _require_finer(one.timeframe, known[one.symbol])
        found[one.symbol] = one
    return found


def _require_finer(timeframe: Timeframe, bars: Bars) -> None:
    if not _is_finer(timeframe, bars.timeframe):
        raise ConfigError(
            f"detail of {timeframe}: not finer than the {bars.timeframe} bars of {bars.symbol}, or no divisor of them; "
            "'1m' is inside '1h'",
            detail=str(timeframe),
        )


def _is_finer(timeframe: Timeframe, than: Timeframe) -> bool:
    return timeframe.ms < than.ms and than.ms % timeframe.ms == 0


def _read(detail: str | Timeframe, series: Sequence[Bars]) -> dict[str, Bars]:
    from workbench.market.lake import lake

    try:
        timeframe = Timeframe.parse(detail)
    except DataError as error:
        raise ConfigError(f"detail = {detail!r} is no timeframe such as '1m', nor 'auto'", detail=detail) from error
    for bars in series:
        _require_finer(timeframe, bars)
    here = lake()
    return {bars.symbol: _range_of(here, timeframe, bars) for bars in series}


def _auto(series: Sequence[Bars]) -> dict[str, Bars]:
    from workbench.market.lake import lake

    here = lake()
    known = here.series()
    found = {}
    for bars in series:
        lengths = [
            Timeframe.parse(info.timeframe)
            for info in known
            if (info.symbol, info.venue) == (bars.symbol, bars.venue)
            if info.start <= bars.start and bars.end <= info.end
        ]
        finer = [length for length in lengths if _is_finer(length, bars.timeframe)]
        if finer:
            found[bars.symbol] = _range_of(here, min(finer), bars)
    return found


def _range_of(here: Lake, timeframe: Timeframe, bars: Bars) -> Bars:
    try:
        return here.read(bars.symbol, timeframe, bars.start, bars.end, venue=bars.venue)
    except DataError as error:
        error.add_note(f"while looking for the detail of {bars!r}")
        raise


def base_bars(bars: Bars, detail: Bars | None) -> BaseBars:
    """Put finer bars in the place of the strategy bars that they cover in full.

    Parameters
    ----------
    bars : Bars
        The strategy's, shape (n,).
    detail : Bars, optional
        Finer ones of the same instrument.

    Returns
    -------
    BaseBars

    Raises
    ------
    DataError
        Open, high, low or close of the finer bars are not those of the bar that they cover.
    """
    plain = BaseBars(
        bars.ts, bars.open, bars.high, bars.low, bars.close, bars.volume, _frozen(np.array([bars.timeframe.ms])), None
    )
    if detail is None or not len(detail):
        return plain
    parts = bars.timeframe.ms // detail.timeframe.ms
    first = np.searchsorted(detail.ts, bars.ts)
    covered = _covered(bars, detail, first, parts)
    if not covered.any():
        return plain
    counts = np.where(covered, parts, 1)
    begins = np.cumsum(counts) - counts
    runs = _runs(covered, first, parts)
    columns = {name: _put_together(bars, detail, runs, parts, name) for name in ("ts", *COLUMNS)}
    _check_same(bars, columns, begins, counts)
    word = np.full(len(columns["ts"]), -1, dtype=np.int64)
    word[begins + counts - 1] = np.arange(len(bars))
    span = np.array([detail.timeframe.ms])
    if not covered.all():
        span = np.repeat(np.where(covered, detail.timeframe.ms, bars.timeframe.ms), counts)
    return BaseBars(**columns, span=_frozen(span), word=_frozen(word))


def _covered(bars: Bars, detail: Bars, first: Whole, parts: int) -> NDArray[np.bool_]:
    """Tell which strategy bars have all their finer bars: times rise, so the first and the last at their place do."""
    last = first + parts - 1
    room = last < len(detail)
    covered = np.zeros(len(bars), dtype=bool)
    inside = np.flatnonzero(room)
    begin, end = detail.ts[first[inside]], detail.ts[last[inside]]
    covered[inside] = (begin == bars.ts[inside]) & (end == begin + bars.timeframe.ms - detail.timeframe.ms)
    return covered


def _runs(covered: NDArray[np.bool_], first: Whole, parts: int) -> list[tuple[bool, int, int]]:
    """Give runs of strategy bars (covered, first row, number of rows) that are one piece of one of the two series."""
    source = np.where(covered, first, np.arange(len(covered)))
    step = np.where(covered[:-1], parts, 1)
    breaks = np.flatnonzero((covered[1:] != covered[:-1]) | (source[1:] != source[:-1] + step)) + 1
    edges = np.concatenate(([0], breaks, [len(covered)]))
    return [(bool(covered[a]), int(source[a]), int(b - a)) for a, b in pairwise(edges)]


def _put_together(bars: Bars, detail: Bars, runs: list[tuple[bool, int, int]], parts: int, name: str) -> NDArray[Any]:
    fine, coarse = getattr(detail, name), getattr(bars, name)
    pieces = [
        fine[start : start + rows * parts] if resolved else coarse[start : start + rows]
        for resolved, start, rows in runs
    ]
    return _frozen(pieces[0] if len(pieces) == 1 else np.concatenate(pieces))


def _check_same(bars: Bars, columns: Mapping[str, NDArray[Any]], begins: Whole, counts: Whole) -> None:
    told = {
        "open": columns["open"][begins],
        "high": np.maximum.reduceat(columns["high"], begins),
        "low": np.minimum.reduceat(columns["low"], begins),
        "close": columns["close"][begins + counts - 1],
    }
    wrong = {
        name: np.abs(values - getattr(bars, name)) > np.maximum(TOLERANCE * values, bars.instrument.tick_size)
        for name, values in told.items()
    }
    rows = np.flatnonzero(np.logical_or.reduce(list(wrong.values())))
    if len(rows):
        row = int(rows[0])
        name = next(name for name in told if wrong[name][row])
        raise DataError(
            f"detail: the {bars.timeframe} bar of {bars.symbol} at {moment(int(bars.ts[row]))} has {name} "
            f"{float(getattr(bars, name)[row])!r}, its finer bars say {float(told[name][row])!r}; {len(rows)} bars "
            "differ so. Take both from one source, or make one of the other with wb.data.resample",
            symbol=bars.symbol,
            row=row,
        )


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
