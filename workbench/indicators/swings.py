"""Swings of the price, marked when they are known and never moved afterwards, and averaged candles."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import kernel
from workbench.indicators._array import Floats, Line
from workbench.indicators.indicator import Indicator, Rows

__all__ = [
    "FRACTALS",
    "HEIKIN_ASHI",
    "ZIGZAG",
    "Fractals",
    "HeikinAshi",
    "Zigzag",
    "fractals",
    "heikin_ashi",
    "zigzag",
]


class HeikinAshi(NamedTuple):
    """What `heikin_ashi` gives: four lines of shape (n,), in the unit of the price."""

    open: Line
    high: Line
    low: Line
    close: Line


class Fractals(NamedTuple):
    """What `fractals` gives: two lines of flags of shape (n,)."""

    top: Line
    bottom: Line


class Zigzag(NamedTuple):
    """What `zigzag` gives: two lines of shape (n,), a direction and a price."""

    direction: Line
    pivot: Line


@kernel
def _heikin_ashi_nb(
    prices: tuple[Floats, Floats, Floats, Floats], start: int, out: tuple[Floats, Floats, Floats, Floats]
) -> None:
    """Write the averaged candles; a row after a missing one, and the first, has no candle before it."""
    opens, high, low, close = prices
    for i in range(start, len(close)):
        poison = (opens[i] - opens[i]) + (high[i] - high[i]) + (low[i] - low[i]) + (close[i] - close[i])
        if poison != 0.0:
            out[0][i] = out[1][i] = out[2][i] = out[3][i] = np.nan
            continue
        first = i == 0 or out[0][i - 1] != out[0][i - 1]
        begin = 0.5 * (opens[i] + close[i]) if first else 0.5 * (out[0][i - 1] + out[3][i - 1])
        end = 0.25 * (opens[i] + high[i] + low[i] + close[i])
        out[0][i], out[3][i] = begin, end
        out[1][i], out[2][i] = max(high[i], begin, end), min(low[i], begin, end)


@kernel
def _peak_step_nb(values: Floats, sign: float, wing: int, last: int) -> float:
    """Give 1.0 if the value `wing` rows before `last` is above those around it (below with `sign` -1.0), else 0.0."""
    peak = sign * values[last - wing]
    for k in range(1, wing + 1):
        if not (peak > sign * values[last - wing - k] and peak > sign * values[last - wing + k]):
            return 0.0
    return 1.0


@kernel
def _fractals_nb(high: Floats, low: Floats, wing: int, start: int, state: Floats, out: tuple[Floats, Floats]) -> None:
    """Write where a top and where a bottom is confirmed. `state` counts rows without a gap."""
    seen = int(state[0])
    for i in range(start, len(high)):
        seen = seen + 1 if (high[i] - high[i]) + (low[i] - low[i]) == 0.0 else 0
        whole = seen > 2 * wing
        out[0][i] = _peak_step_nb(high, 1.0, wing, i) if whole else np.nan
        out[1][i] = _peak_step_nb(low, -1.0, wing, i) if whole else np.nan
    state[0] = seen


@kernel
def _zigzag_nb(high: Floats, low: Floats, change: float, start: int, state: Floats, out: tuple[Floats, Floats]) -> None:
    """Write direction and last pivot. `state`: bars so far (0 or 1), direction, pivot, highest and lowest since."""
    seen, direction, pivot, top, bottom = state[0], state[1], state[2], state[3], state[4]
    for i in range(start, len(high)):
        if (high[i] - high[i]) + (low[i] - low[i]) != 0.0:
            seen = 0.0
            out[0][i] = out[1][i] = np.nan
            continue
        if seen == 0.0:
            seen, direction, pivot, top, bottom = 1.0, 0.0, 0.5 * (high[i] + low[i]), high[i], low[i]
        turns_down = direction >= 0.0 and low[i] <= top - change * abs(top) and low[i] < top
        turns_up = direction <= 0.0 and high[i] >= bottom + change * abs(bottom) and high[i] > bottom
        if direction == 0.0 and turns_down and turns_up:
            turns_up = False
        if turns_down:
            direction, pivot, top, bottom = -1.0, top, high[i], low[i]
        elif turns_up:
            direction, pivot, top, bottom = 1.0, bottom, high[i], low[i]
        else:
            top, bottom = max(top, high[i]), min(bottom, low[i])
        out[0][i], out[1][i] = direction, pivot
    state[0], state[1], state[2], state[3], state[4] = seen, direction, pivot, top, bottom


def fractals(high: ArrayLike, low: ArrayLike, wing: int = 2) -> Fractals:
    """Swing highs and lows, the fractals of Bill Williams, on the bar that confirms them.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)
    wing : int, default 2
        Bars on either side that must be lower, or higher.

    Returns
    -------
    Fractals
        `top` and `bottom`: float64 arrays or Series (`fractals_top_2`), shape (n,). 1.0 where the bar `wing` bars ago
        turns out to be one, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `wing` is not a whole number of at least 1.

    Notes
    -----
    A top is a high above the highs of `wing` bars before it and of `wing` bars after it; a bottom likewise. It is known
    only with the last of these, so the flag stands there: the price of a top is `previous(high, wing)`. Others draw it
    on the bar itself, which no trader could have seen. First flags at index `2 * wing`; NaN wherever the window holds a
    bar with a missing value. An equal high is not lower. The source is Bill Williams, Trading Chaos (1995).

    Examples
    --------
    >>> swings = fractals(high=[2.0, 4.0, 3.0], low=[1.0, 2.0, 2.0], wing=1)
    >>> swings.top, swings.bottom
    (array([nan, nan,  1.]), array([nan, nan,  0.]))
    """
    result: Fractals = FRACTALS(high, low, wing)
    return result


def heikin_ashi(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> HeikinAshi:
    """Averaged candles, Heikin-Ashi: each opens in the middle of the one before.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    HeikinAshi
        `open`, `high`, `low`, `close`: float64 arrays or Series (`heikin_ashi_open`), shape (n,), in the unit of the
        price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    `close` is the mean of the four prices, `open` the middle of the body before; `high` and `low` reach at least to
    both. The first opens in the middle of its own body. First values at index 0. A bar with a missing value has none,
    and the next one is a first one again. An order cannot be filled at these prices. The source is Dan Valcu, Using the
    Heikin-Ashi Technique, Stocks & Commodities 22:2 (2004).

    Examples
    --------
    >>> candles = heikin_ashi([1.0, 2.0], high=[3.0, 4.0], low=[1.0, 2.0], close=[3.0, 4.0])
    >>> candles.open, candles.close
    (array([2., 2.]), array([2., 3.]))
    """
    result: HeikinAshi = HEIKIN_ASHI(open, high, low, close)
    return result


def zigzag(high: ArrayLike, low: ArrayLike, change: float = 0.05) -> Zigzag:
    """Direction of the swing and its last turning point, as they were known at each bar.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)
    change : float, default 0.05
        How far the price must turn back from its extreme, as a fraction of it.

    Returns
    -------
    Zigzag
        `direction` (1.0 up, -1.0 down, 0.0 before the first swing) and `pivot` (the price of the last turning point):
        float64 arrays or Series (`zigzag_pivot_0.05`), shape (n,).

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `change` is not a finite number above 0.

    Notes
    -----
    A rise turns with the bar whose low is at or below the highest high since the last pivot, less `change`: that high
    is then the pivot, and the direction is down; a fall likewise. The bar that turns begins the next swing. Before the
    first swing the pivot is the middle of the first bar. First values at index 0. A bar with a missing value has none,
    and the next one begins anew. Charts draw the line back to the pivot and move its last end, which no trader could
    have seen; here nothing is drawn back. The source is Arthur Merrill, Filtered Waves (1977).

    Examples
    --------
    >>> swings = zigzag(high=[10.0, 12.0, 11.0], low=[10.0, 12.0, 10.0], change=0.1)
    >>> swings.direction, swings.pivot
    (array([ 0.,  1., -1.]), array([10., 10., 12.]))
    """
    result: Zigzag = ZIGZAG(high, low, change)
    return result


def _heikin_ashi_rows(rows: Rows) -> None:
    open_, high, low, close = rows.out
    _heikin_ashi_nb((rows["open"], rows["high"], rows["low"], rows["close"]), rows.start, (open_, high, low, close))


def _fractals_rows(rows: Rows, wing: int) -> None:
    top, bottom = rows.out
    _fractals_nb(rows["high"], rows["low"], wing, rows.start, rows.state(1), (top, bottom))


def _zigzag_rows(rows: Rows, change: float) -> None:
    direction, pivot = rows.out
    _zigzag_nb(rows["high"], rows["low"], change, rows.start, rows.state(5), (direction, pivot))


HEIKIN_ASHI = Indicator(
    function=heikin_ashi, rows=_heikin_ashi_rows, group="pattern", lines=HeikinAshi, first=lambda: (0,) * 4,
    source="Dan Valcu, Using the Heikin-Ashi Technique, Stocks & Commodities 22:2 (2004)",
)  # fmt: skip
FRACTALS = Indicator(
    function=fractals, rows=_fractals_rows, group="pattern", lines=Fractals, first=lambda wing: (2 * wing,) * 2,
    bounds={"wing": (1, 20)}, unit="flag", source="Bill Williams, Trading Chaos (1995)",
)  # fmt: skip
ZIGZAG = Indicator(
    function=zigzag, rows=_zigzag_rows, group="pattern", lines=Zigzag, first=lambda change: (0, 0),
    bounds={"change": (0.005, 0.3)}, unit="other", source="Arthur Merrill, Filtered Waves (1977)",
)  # fmt: skip
