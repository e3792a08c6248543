"""Fast against slow averages of volume, plain and with the force of the trend."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import kernel
from workbench.indicators._arithmetic import distance, ratio, smooth
from workbench.indicators._array import Floats, Line, fast_below_slow
from workbench.indicators.indicator import Indicator, Rows

__all__ = [
    "KLINGER",
    "PVO",
    "Klinger",
    "Pvo",
    "klinger",
    "pvo",
]


class Pvo(NamedTuple):
    """What `pvo` gives: three lines of shape (n,), in percent."""

    pvo: Line
    signal: Line
    histogram: Line


class Klinger(NamedTuple):
    """What `klinger` gives: two lines of shape (n,), in the unit of volume."""

    oscillator: Line
    signal: Line


@kernel
def _force_nb(columns: tuple[Floats, Floats, Floats, Floats], start: int, state: Floats, out: Floats) -> None:
    """Write Klinger's volume force. `state`: bars without a gap, then sum, range, trend and measure of the last bar."""
    high, low, close, volume = columns
    seen, last, reach, trend, measure = state[0], state[1], state[2], state[3], state[4]
    for i in range(start, len(close)):
        total = high[i] + low[i] + close[i]
        out[i] = np.nan
        if (total - total) + (volume[i] - volume[i]) != 0.0:
            seen = 0.0
            continue
        now = high[i] - low[i]
        if seen > 0.0:
            turn = 1.0 if total > last else -1.0
            if seen > 1.0:
                measure = measure + now if turn == trend else reach + now
                out[i] = 100.0 * volume[i] * turn * abs(2.0 * (now / measure - 1.0)) if measure != 0.0 else 0.0
            else:
                measure = 0.0
            trend = turn
        seen, last, reach = seen + 1.0, total, now
    state[0], state[1], state[2], state[3], state[4] = seen, last, reach, trend, measure


def klinger(
    high: ArrayLike,
    low: ArrayLike,
    close: ArrayLike,
    volume: ArrayLike,
    fast: int = 34,
    slow: int = 55,
    signal: int = 13,
) -> Klinger:
    """Klinger volume oscillator: distance of a fast and a slow `ema` of the volume force, and its own average.

    Parameters
    ----------
    high, low, close, volume : array_like or pandas.Series, shape (n,)
    fast, slow : int, default 34 and 55
        Bars of the two averages; `fast` is the smaller.
    signal : int, default 13
        Bars of the average of the difference.

    Returns
    -------
    Klinger
        `oscillator` and `signal`: float64 arrays or Series (`klinger_signal_34_55_13`), shape (n,), in the unit of
        `volume` times 100.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or `fast` is not below `slow`.

    Notes
    -----
    The trend is 1 if `high + low + close` rises and -1 if not. The measure is the range of the bar, summed as long as
    the trend lasts, and with the range of the bar before it from where the trend turns. The force is `100 * volume *
    trend * abs(2 * (range / measure - 1))`, 0 where the measure is 0. First force at index 2, first `oscillator`
    at index `slow + 1`, first `signal` at `slow + signal`. A bar with a missing value ends them: the next ones come
    after a new warm-up. The source is Stephen Klinger, Identifying Trends with Volume Analysis, Stocks & Commodities
    15:12 (1997); published formulas differ in the place of a bracket, and this is the one of Stock.Indicators.

    Examples
    --------
    >>> high, low = [2.0, 3.0, 5.0, 6.0], [1.0, 2.0, 3.0, 5.0]
    >>> klinger(high, low, close=high, volume=[1.0, 1.0, 1.0, 1.0], fast=1, slow=2, signal=1).oscillator
    array([        nan,         nan,         nan, 66.66666667])
    """
    result: Klinger = KLINGER(high, low, close, volume, fast, slow, signal)
    return result


def pvo(volume: ArrayLike, fast: int = 12, slow: int = 26, signal: int = 9) -> Pvo:
    """Percentage volume oscillator: `macd` of volume, as a percentage of the slow average.

    Parameters
    ----------
    volume : array_like or pandas.Series, shape (n,)
    fast, slow : int, default 12 and 26
        Bars of the two averages; `fast` is the smaller.
    signal : int, default 9
        Bars of the average of the difference.

    Returns
    -------
    Pvo
        `pvo`, `signal` (`ema` of `pvo`) and `histogram` (`pvo - signal`): float64 arrays or Series
        (`pvo_signal_12_26_9`), shape (n,), in percent.

    Raises
    ------
    DataError
        `volume` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1, or `fast` is not below `slow`.

    Notes
    -----
    `100 * (fast ema - slow ema) / slow ema`; 0 where the slow one is 0. First `pvo` at index `slow - 1`, first `signal`
    and `histogram` at `slow + signal - 2`. A missing value ends them: the next ones come after a new warm-up. Each
    average is seeded with the mean of its first values; `ta` seeds with the first value alone, and agrees to 1e-9 after
    about `12 * slow` bars. The source is Gerald Appel's MACD (1985), here of volume.

    Examples
    --------
    >>> pvo([1.0, 2.0, 3.0, 7.0, 11.0], fast=1, slow=3, signal=2).pvo
    array([        nan,         nan, 50.        , 55.55555556, 41.93548387])
    """
    result: Pvo = PVO(volume, fast, slow, signal)
    return result


def _pvo_rows(rows: Rows, fast: int, slow: int, signal: int) -> None:
    pvo, signal_line, histogram = rows.out
    line, below = rows.line(), smooth(rows, rows["volume"], slow)
    distance(rows, smooth(rows, rows["volume"], fast), below, line)
    ratio(rows, line, below, pvo, factor=100.0)
    distance(rows, pvo, smooth(rows, pvo, signal, signal_line), histogram)


def _klinger_rows(rows: Rows, fast: int, slow: int, signal: int) -> None:
    oscillator, signal_line = rows.out
    line = rows.line()
    _force_nb((rows["high"], rows["low"], rows["close"], rows["volume"]), rows.start, rows.state(5), line)
    distance(rows, smooth(rows, line, fast), smooth(rows, line, slow), oscillator)
    smooth(rows, oscillator, signal, signal_line)


_OSCILLATOR: Final = {"fast": (2, 50), "slow": (3, 200), "signal": (2, 50)}

PVO = Indicator(
    function=pvo, rows=_pvo_rows, group="volume", lines=Pvo, bounds=_OSCILLATOR, check=fast_below_slow,
    first=lambda fast, slow, signal: (slow - 1, slow + signal - 2, slow + signal - 2), unit="percent",
    source="Gerald Appel, The Moving Average Convergence-Divergence Trading Method (1985), here of volume",
)  # fmt: skip
KLINGER = Indicator(
    function=klinger, rows=_klinger_rows, group="volume", lines=Klinger, bounds=_OSCILLATOR, check=fast_below_slow,
    first=lambda fast, slow, signal: (slow + 1, slow + signal), unit="volume",
    source="Stephen Klinger, Identifying Trends with Volume Analysis, Stocks & Commodities 15:12 (1997)",
)  # fmt: skip
