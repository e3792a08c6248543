"""How far a price is from its high, and levels that the range before it sets."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.errors import StrategyError
from workbench.indicators._array import Floats, Line
from workbench.indicators.extremes import _extreme_nb
from workbench.indicators.indicator import Indicator, Rows

__all__ = [
    "DRAWDOWN",
    "PIVOT_POINTS",
    "PivotPoints",
    "drawdown",
    "pivot_points",
]


_KINDS: Final = ("classic", "fibonacci", "camarilla")
Seven: TypeAlias = tuple[Floats, Floats, Floats, Floats, Floats, Floats, Floats]


class PivotPoints(NamedTuple):
    """What `pivot_points` gives: seven lines of shape (n,), in the unit of the price."""

    pivot: Line
    r1: Line
    r2: Line
    r3: Line
    s1: Line
    s2: Line
    s3: Line


@kernel
def _below_nb(values: Floats, tops: Floats, start: int, out: Floats) -> None:
    """Write the relative distance of each value to the highest."""
    for i in range(start, len(out)):
        out[i] = (values[i] - tops[i]) / abs(tops[i]) if tops[i] != 0.0 else 0.0


@kernel
def _whole_nb(high: Floats, low: Floats, close: Floats, start: int, out: tuple[Floats, Floats]) -> None:
    """Write high and low, NaN where any column is missing."""
    for i in range(start, len(close)):
        poison = (high[i] - high[i]) + (low[i] - low[i]) + (close[i] - close[i])
        out[0][i], out[1][i] = high[i] + poison, low[i] + poison


@kernel
def _levels_nb(columns: tuple[Floats, Floats, Floats, Floats], kind: int, start: int, out: Seven) -> None:
    """Write the levels from the row before: the tops and bottoms of its window, and its close."""
    tops, bottoms, close, whole = columns
    for i in range(start, len(close)):
        if i == 0 or whole[i] != whole[i] or tops[i - 1] != tops[i - 1]:
            for line in out:
                line[i] = np.nan
            continue
        top, bottom, last = tops[i - 1], bottoms[i - 1], close[i - 1]
        pivot, reach = last + ((top - last) + (bottom - last)) / 3.0, top - bottom
        base = last if kind == 2 else pivot
        a, b, c = (0.382, 0.618, 1.0) if kind == 1 else (1.1 / 12.0, 1.1 / 6.0, 1.1 / 4.0)
        up, down = (a * reach, b * reach, c * reach), (a * reach, b * reach, c * reach)
        if kind == 0:
            up = (pivot - bottom, reach, top - pivot + 2.0 * (pivot - bottom))
            down = (top - pivot, reach, pivot - bottom + 2.0 * (top - pivot))
        out[0][i] = pivot
        out[1][i], out[2][i], out[3][i] = base + up[0], base + up[1], base + up[2]
        out[4][i], out[5][i], out[6][i] = base - down[0], base - down[1], base - down[2]


def drawdown(values: ArrayLike, length: int = 250) -> Line:
    """How far a value is below the highest of the last `length` values, as a fraction.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 250
        Bars among which the highest value is looked for, the present one included.

    Returns
    -------
    float64 array or Series (`drawdown_250`), shape (n,)
        0.0 at the high, -0.1 ten percent below it.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    `values / highest(values, length) - 1`. First value at index `length - 1`; NaN wherever the window holds a missing
    value. Where the highest value is 0 it is 0. The field's drawdown, within a window.

    Examples
    --------
    >>> drawdown([4.0, 5.0, 4.0, 4.0], length=2)
    array([ nan,  0. , -0.2,  0. ])
    """
    return DRAWDOWN(values, length)


def pivot_points(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 24, kind: str = "classic"
) -> PivotPoints:
    """Pivot points: support and resistance from the range and the last close of the `length` bars before.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 24
        Bars before the present one that make the levels.
    kind : str, default "classic"
        One of `classic` (the floor traders' levels), `fibonacci` and `camarilla`.

    Returns
    -------
    PivotPoints
        `pivot`, `r1`, `r2`, `r3` (resistance) and `s1`, `s2`, `s3` (support): float64 arrays or Series
        (`pivot_points_r1_24`), shape (n,), in the unit of the price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1, or `kind` is not one of those.

    Notes
    -----
    `pivot` is the mean of highest high, lowest low and last close of the bars before; with `range` the distance of the
    two, classic has `r1 = 2 * pivot - low`, `r2 = pivot + range`, `r3 = high + 2 * (pivot - low)`; fibonacci has `pivot
    + 0.382, 0.618 and 1.0 times range`; camarilla has `close + 1.1 / 12, 1.1 / 6 and 1.1 / 4 times range`; supports
    mirror them. The present bar is not among the bars used, so the levels are known when it begins. First values
    at index `length`; NaN wherever the bars used or the present one have a missing value. The window moves with each
    bar; charts that begin one each day at midnight agree with it there. The classic ones are the floor traders' of
    Chicago; camarilla is Nick Scott's (1989).

    Examples
    --------
    >>> levels = pivot_points(high=[3.0, 9.0], low=[1.0, 9.0], close=[2.0, 9.0], length=1)
    >>> levels.pivot, levels.r1, levels.s3
    (array([nan,  2.]), array([nan,  3.]), array([nan, -1.]))
    """
    result: PivotPoints = PIVOT_POINTS(high, low, close, length, kind)
    return result


def _drawdown_rows(rows: Rows, length: int) -> None:
    tops = rows.line()
    _extreme_nb(rows["values"], length, 1.0, rows.state(2), tops)
    _below_nb(rows["values"], frozen(tops), rows.start, rows.out[0])


def _pivot_points_rows(rows: Rows, length: int, kind: str) -> None:
    high, low, tops, bottoms = rows.line(), rows.line(), rows.line(), rows.line()
    _whole_nb(rows["high"], rows["low"], rows["close"], rows.start, (high, low))
    _extreme_nb(frozen(high), length, 1.0, rows.state(2), tops)
    _extreme_nb(frozen(low), length, -1.0, rows.state(2), bottoms)
    pivot, r1, r2, r3, s1, s2, s3 = rows.out
    columns = frozen(tops), frozen(bottoms), rows["close"], frozen(high)
    _levels_nb(columns, _KINDS.index(kind), rows.start, (pivot, r1, r2, r3, s1, s2, s3))


def _kind(function: str, parameter: str, value: Any) -> str:
    if value not in _KINDS:
        raise StrategyError(
            f"{function}: {parameter} is {value!r}; give one of {', '.join(_KINDS)}",
            function=function, parameter=parameter, value=value,
        )  # fmt: skip
    return str(value)


DRAWDOWN = Indicator(
    function=drawdown, rows=_drawdown_rows, group="statistics", first=lambda length: (length - 1,),
    bounds={"length": (5, 1000)}, unit="fraction", source="the field's drawdown, within a window",
)  # fmt: skip
PIVOT_POINTS = Indicator(
    function=pivot_points, rows=_pivot_points_rows, group="pattern", lines=PivotPoints, valid={"kind": _kind},
    first=lambda length, kind: (length,) * 7, bounds={"length": (1, 500)},
    source="the floor traders of Chicago; camarilla: Nick Scott (1989)",
)  # fmt: skip
