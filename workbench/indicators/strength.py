"""How one-sided the changes of the close are: sums of them against sums of their sizes, and mixes of `rsi`."""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._arithmetic import mean, ratio, smooth
from workbench.indicators._array import Floats, Line
from workbench.indicators.extremes import _extreme_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.momentum import Stochastic, _position_nb, _rate_nb, _rsi_nb
from workbench.indicators.order_statistics import _rank_nb
from workbench.indicators.oscillators import _change_nb

__all__ = ["CMO", "CONNORS_RSI", "STOCHASTIC_RSI", "TSI", "Tsi", "cmo", "connors_rsi", "stochastic_rsi", "tsi"]


class Tsi(NamedTuple):
    """What `tsi` gives: two lines of shape (n,), from -100 to 100."""

    tsi: Line
    signal: Line


@kernel
def _size_nb(values: Floats, start: int, out: Floats) -> None:
    """Write each value without its sign."""
    for i in range(start, len(values)):
        out[i] = abs(values[i])


@kernel
def _streak_nb(values: Floats, start: int, state: Floats, out: Floats) -> None:
    """Write how many changes in a row have gone one way, below 0 for falls; 0 for the first value of a stretch."""
    streak, last, begun = state[0], state[1], state[2]
    for i in range(start, len(values)):
        value = values[i]
        if value - value != 0.0:
            begun = 0.0
            out[i] = value - value
            continue
        if begun == 0.0 or value == last:
            streak = 0.0
        elif value > last:
            streak = max(streak, 0.0) + 1.0
        else:
            streak = min(streak, 0.0) - 1.0
        last, begun = value, 1.0
        out[i] = streak
    state[0], state[1], state[2] = streak, last, begun


@kernel
def _third_nb(one: Floats, two: Floats, rank: Floats, start: int, out: Floats) -> None:
    """Write the mean of three lines, all from 0 to 100."""
    for i in range(start, len(one)):
        out[i] = (one[i] + two[i] + rank[i]) / 3.0


def cmo(close: ArrayLike, length: int = 14) -> Line:
    """Chande momentum oscillator: rises less falls over both together, from -100 to 100.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars over which the changes are added up.

    Returns
    -------
    float64 array or Series (`cmo_14`), shape (n,)
        100 when the close only rose, -100 when it only fell.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    `100 * (rises - falls) / (rises + falls)`, plain sums over `length` changes, as Chande defines it. TA-Lib has
    that as CMOU; its CMO smooths as Wilder does and is `2 * rsi - 100`, another indicator. First value at index
    `length`. NaN wherever one of the last `length + 1` values is missing. A flat window gives 0. The source is
    Tushar Chande and Stanley Kroll, The New Technical Trader (1994).

    Examples
    --------
    >>> cmo([1.0, 2.0, 5.0, 4.0], 2)
    array([ nan,  nan, 100.,  50.])
    """
    return CMO(close, length)


def connors_rsi(close: ArrayLike, length: int = 3, streak_length: int = 2, rank_length: int = 100) -> Line:
    """Connors RSI: the mean of a short RSI, the RSI of the streak, and the rank of the newest change.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    length : int, default 3
        Bars of the `rsi` of the close.
    streak_length : int, default 2
        Bars of the `rsi` of the streak.
    rank_length : int, default 100
        Earlier changes that the newest one is compared with.

    Returns
    -------
    float64 array or Series (`connors_rsi_3_2_100`), shape (n,)
        From 0 to 100.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    The streak is how many closes in a row have risen, or fallen, below 0; an unchanged close makes it 0. The rank
    is `percent_rank` of the relative change. First value at index `rank_length + 1`, or at the longest of the
    lengths if that is later. A missing value ends it: the next one comes after a new warm-up. Where a close before
    is 0 there is no change to rank. On a flat series it is a third of 100, two halves and no rank. TA-Lib has none.
    The source is Larry Connors and Cesar Alvarez, An Introduction to ConnorsRSI (2012).

    Examples
    --------
    >>> connors_rsi([1.0, 2.0, 3.0, 5.0], 2, 2, 2)[3:].round(4)
    array([83.3333])
    """
    return CONNORS_RSI(close, length, streak_length, rank_length)


def stochastic_rsi(
    close: ArrayLike, length: int = 14, stochastic_length: int = 14, smooth_k: int = 3, smooth_d: int = 3
) -> Stochastic:
    """Stochastic RSI: where the RSI lies in its own range of late, from 0 to 100.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars of the `rsi`.
    stochastic_length : int, default 14
        Bars of its range.
    smooth_k : int, default 3
        Bars of the simple average that makes `k`; 1 gives the fast one, of TA-Lib.
    smooth_d : int, default 3
        Bars of the simple average of `k` that makes `d`.

    Returns
    -------
    Stochastic
        `k`, `d`: float64 arrays or Series (`stochastic_rsi_k_14_14_3_3`), shape (n,). 100 is an RSI at its highest.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    `100 * (rsi - lowest) / (highest - lowest)` over `stochastic_length` bars, then averaged. First `k` at index
    `length + stochastic_length + smooth_k - 2`, first `d` `smooth_d - 1` later. A missing value ends it: the next
    one comes after a new warm-up. Where the RSI has no range it is 50, the middle (TA-Lib says 0). The source is
    Tushar Chande and Stanley Kroll, The New Technical Trader (1994), who write it from 0 to 1.

    Examples
    --------
    >>> stochastic_rsi([1.0, 2.0, 1.5, 3.0, 2.5], 1, 2, 1, 1).k
    array([ nan,  nan,   0., 100.,   0.])
    """
    result: Stochastic = STOCHASTIC_RSI(close, length, stochastic_length, smooth_k, smooth_d)
    return result


def tsi(close: ArrayLike, slow: int = 25, fast: int = 13, signal: int = 7) -> Tsi:
    """True strength index: changes smoothed twice, over their sizes smoothed twice, and its own average.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    slow : int, default 25
        Bars of the first `ema` of the changes.
    fast : int, default 13
        Bars of the second.
    signal : int, default 7
        Bars of the `ema` of the line.

    Returns
    -------
    Tsi
        `tsi`, `signal`: float64 arrays or Series (`tsi_25_13_7`), shape (n,), from -100 to 100.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    `100 * ema(ema(change, slow), fast) / ema(ema(abs(change), slow), fast)`. First `tsi` at index `slow + fast -
    1`, first `signal` `signal - 1` later. A missing value ends it: the next one comes after a new warm-up. A flat
    series gives 0. The source is William Blau, True Strength Index, Stocks & Commodities (1991).

    Examples
    --------
    >>> tsi([1.0, 2.0, 4.0, 3.0], 1, 1, 2).signal
    array([         nan,          nan, 100.        , -33.33333333])
    """
    result: Tsi = TSI(close, slow, fast, signal)
    return result


def _stochastic_rsi_rows(rows: Rows, length: int, stochastic_length: int, smooth_k: int, smooth_d: int) -> None:
    k, d = rows.out
    strength, tops, bottoms, place = rows.line(), rows.line(), rows.line(), rows.line()
    _rsi_nb(rows["close"], length, rows.start, rows.state(4), strength)
    _extreme_nb(frozen(strength), stochastic_length, 1.0, rows.state(2), tops)
    _extreme_nb(frozen(strength), stochastic_length, -1.0, rows.state(2), bottoms)
    _position_nb(frozen(strength), tops, bottoms, rows.start, place)
    mean(rows, place, smooth_k, k)
    mean(rows, k, smooth_d, d)


def _connors_rsi_rows(rows: Rows, length: int, streak_length: int, rank_length: int) -> None:
    strength, streaks, of_streaks = rows.line(), rows.line(), rows.line()
    _rsi_nb(rows["close"], length, rows.start, rows.state(4), strength)
    _streak_nb(rows["close"], rows.start, rows.state(3), streaks)
    _rsi_nb(frozen(streaks), streak_length, rows.start, rows.state(4), of_streaks)
    changes, ranks = rows.line(), rows.line()
    _rate_nb(rows["close"], 1, rows.start, rows.state(1), changes)
    _rank_nb(frozen(changes), rank_length, rows.start, rows.state(1), ranks)
    _third_nb(frozen(strength), frozen(of_streaks), frozen(ranks), rows.start, rows.out[0])


def _changes_and_sizes(rows: Rows) -> tuple[Floats, Floats]:
    changes, sizes = rows.line(), rows.line()
    _change_nb(rows["close"], 1, rows.start, rows.state(1), changes)
    _size_nb(frozen(changes), rows.start, sizes)
    return changes, sizes


def _cmo_rows(rows: Rows, length: int) -> None:
    changes, sizes = _changes_and_sizes(rows)
    ratio(rows, mean(rows, changes, length), mean(rows, sizes, length), rows.out[0], factor=100.0)


def _tsi_rows(rows: Rows, slow: int, fast: int, signal: int) -> None:
    line, signal_line = rows.out
    changes, sizes = (smooth(rows, smooth(rows, one, slow), fast) for one in _changes_and_sizes(rows))
    ratio(rows, changes, sizes, line, factor=100.0)
    smooth(rows, line, signal, signal_line)


def _stochastic_rsi_first(length: int, stochastic_length: int, smooth_k: int, smooth_d: int) -> tuple[int, int]:
    k = length + stochastic_length + smooth_k - 2
    return k, k + smooth_d - 1


def _connors_first(length: int, streak_length: int, rank_length: int) -> tuple[int]:
    return (max(length, streak_length, rank_length + 1),)


CMO = Indicator(
    function=cmo, rows=_cmo_rows, group="momentum", unit="percent", first=lambda length: (length,),
    bounds={"length": (2, 100)}, source="Tushar Chande and Stanley Kroll, The New Technical Trader (1994)",
)  # fmt: skip

CONNORS_RSI = Indicator(
    function=connors_rsi, rows=_connors_rsi_rows, group="momentum", unit="percent", first=_connors_first,
    bounds={"length": (2, 50), "streak_length": (2, 50), "rank_length": (10, 400)},
    source="Larry Connors and Cesar Alvarez, An Introduction to ConnorsRSI (2012)",
)  # fmt: skip

STOCHASTIC_RSI = Indicator(
    function=stochastic_rsi, rows=_stochastic_rsi_rows, group="momentum", unit="percent", first=_stochastic_rsi_first,
    lines=Stochastic,
    bounds={"length": (2, 100), "stochastic_length": (2, 100), "smooth_k": (1, 50), "smooth_d": (1, 50)},
    source="Tushar Chande and Stanley Kroll, The New Technical Trader (1994)",
)  # fmt: skip

TSI = Indicator(
    function=tsi, rows=_tsi_rows, group="momentum", unit="percent",
    first=lambda slow, fast, signal: (slow + fast - 1, slow + fast + signal - 2), lines=Tsi,
    bounds={"slow": (2, 200), "fast": (2, 100), "signal": (2, 100)},
    source="William Blau, True Strength Index, Stocks & Commodities (1991)",
)  # fmt: skip
