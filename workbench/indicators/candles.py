"""What the candle patterns are made of: the measures of a candle, what is long or short, and the pass over the rows.

Long and short are said against the candles *before* the one judged, each candle of a pattern against its own past, with
the settings that TA-Lib ships (it has them from Steve Nison's words, and so do most charts):

====================  =================================================  ===============
Word                  Compared with                                      Constants
====================  =================================================  ===============
long, short body      mean body of the 10 candles before                 `BODY`
doji body             0.1 of the mean range (high - low) of those 10     `RANGE`, `DOJI`
no shadow             0.1 of the same mean                               `RANGE`, `BARE`
near, far, equal      0.2, 0.6, 0.05 of the mean range of the 5 before   `NEAR`
long shadow           the candle's own body                              none
====================  =================================================  ===============

A candle is white if its close is at or above its open. Each pattern is one rule, written over whole columns; `Candles`
gives it the columns, `rows_of` runs it in chunks that stay in the processor's cache and marks the warm-up. A mean that
equals what it is compared with, which happens on prices in coarse ticks, is a matter of the last bit; here the bit
depends on those ten candles alone, in TA-Lib on the whole history before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import frozen, kernel
from workbench.indicators._array import Floats
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.moving import _mean_nb

__all__ = ["BARE", "BODY", "DOJI", "EQUAL", "FAR", "NEAR", "NISON", "RANGE", "Candles", "Flags", "pattern"]

Flags: TypeAlias = NDArray[np.bool_]

BODY: Final = "body"  # the mean body of the candles before
RANGE: Final = "range"  # their mean range
NEAR: Final = "near"  # the mean range of fewer candles before
_BARS: Final = {BODY: 10, RANGE: 10, NEAR: 5}

DOJI: Final = 0.1
BARE: Final = 0.1
CLOSE_BY: Final = 0.2
FAR: Final = 0.6
EQUAL: Final = 0.05

NISON: Final = "Steve Nison, Japanese Candlestick Charting Techniques (1991), with the settings of TA-Lib"

_CHUNK: Final = 8_192


@kernel
def _measure_nb(
    prices: tuple[Floats, Floats, Floats, Floats], start: int, state: Floats, out: tuple[Floats, Floats, Floats]
) -> None:
    """Write body and range of each candle, and how many whole candles have come without a gap, this one included."""
    opens, high, low, close = prices
    body, reach, age = out
    seen = state[0]
    for i in range(start, len(close)):
        poison = (opens[i] - opens[i]) + (high[i] - high[i]) + (low[i] - low[i]) + (close[i] - close[i])
        seen = seen + 1.0 if poison == 0.0 else 0.0
        body[i] = abs(close[i] - opens[i]) + poison
        reach[i] = (high[i] - low[i]) + poison
        age[i] = seen
    state[0] = seen


class Candles:
    """A run of candles as a rule sees it; `back` says how many candles before the one that is marked.

    Parameters
    ----------
    columns : dict of float64 arrays, shape (n,)
        `open`, `high`, `low`, `close`, the measures `bodies` and `ranges`, and the means that the pattern asked for.
    first, stop : int
        The rows of the run.
    """

    __slots__ = ("_columns", "_first", "_stop")

    def __init__(self, columns: dict[str, Floats], first: int, stop: int) -> None:
        self._columns, self._first, self._stop = columns, first, stop

    def _of(self, name: str, back: int) -> Floats:
        return self._columns[name][self._first - back : self._stop - back]

    def open(self, back: int = 0) -> Floats:
        """First price."""
        return self._of("open", back)

    def high(self, back: int = 0) -> Floats:
        """Highest price."""
        return self._of("high", back)

    def low(self, back: int = 0) -> Floats:
        """Lowest price."""
        return self._of("low", back)

    def close(self, back: int = 0) -> Floats:
        """Last price."""
        return self._of("close", back)

    def body(self, back: int = 0) -> Floats:
        """Distance of open and close."""
        return self._of("bodies", back)

    def top(self, back: int = 0) -> Floats:
        """Upper end of the body."""
        return np.maximum(self.open(back), self.close(back))

    def bottom(self, back: int = 0) -> Floats:
        """Lower end of the body."""
        return np.minimum(self.open(back), self.close(back))

    def upper(self, back: int = 0) -> Floats:
        """Length of the upper shadow."""
        return self.high(back) - self.top(back)

    def lower(self, back: int = 0) -> Floats:
        """Length of the lower shadow."""
        return self.bottom(back) - self.low(back)

    def white(self, back: int = 0) -> Flags:
        """Tell whether it closed at or above its open."""
        return self.close(back) >= self.open(back)

    def black(self, back: int = 0) -> Flags:
        """Tell whether it closed below its open."""
        return self.close(back) < self.open(back)

    def long(self, back: int = 0) -> Flags:
        """Tell whether the body is longer than those before."""
        return self.body(back) > self._of(BODY, back + 1)

    def small(self, back: int = 0) -> Flags:
        """Tell whether the body is no longer than those before."""
        return self.body(back) <= self._of(BODY, back + 1)

    def short(self, back: int = 0) -> Flags:
        """Tell whether the body is shorter than those before."""
        return self.body(back) < self._of(BODY, back + 1)

    def doji(self, back: int = 0) -> Flags:
        """Tell whether there is hardly a body."""
        return self.body(back) <= DOJI * self._of(RANGE, back + 1)

    def hair(self, back: int = 0) -> Floats:
        """Length from which a shadow counts as one."""
        return BARE * self._of(RANGE, back + 1)

    def bare(self, back: int = 0) -> Flags:
        """Tell whether there is hardly a shadow on either end."""
        hair = self.hair(back)
        return (self.upper(back) < hair) & (self.lower(back) < hair)

    def near(self, back: int = 0, share: float = CLOSE_BY) -> Floats:
        """Distance that counts as near (or, by another share, as far or as none)."""
        return share * self._of(NEAR, back + 1)


def rows_of(
    rule: Callable[..., tuple[Flags | None, Flags | None]], first: int, means: tuple[str, ...]
) -> Callable[..., None]:
    """Make the pass over the rows from a rule.

    Parameters
    ----------
    rule : callable
        `(candles, *parameters) -> (up, down)`, where it marks 1.0 and where -1.0; None for nowhere.
    first : int
        The index of the first flag.
    means : tuple of str
        Which of `BODY`, `RANGE` and `NEAR` the rule compares with.

    Returns
    -------
    callable
        For `Indicator.rows`.
    """

    def fill(rows: Rows, *parameters: float) -> None:
        prices = (rows["open"], rows["high"], rows["low"], rows["close"])
        bodies, ranges, age = rows.line(), rows.line(), rows.line()
        _measure_nb(prices, rows.start, rows.state(1), (bodies, ranges, age))
        columns = {**rows.columns, "bodies": bodies, "ranges": ranges}
        for name in means:
            columns[name] = rows.line()
            _mean_nb(frozen(bodies if name == BODY else ranges), _BARS[name], rows.state(2), columns[name])
        (out,) = rows.out
        out[rows.start : first] = np.nan
        with np.errstate(all="ignore"):  # what overflows compares as it should
            for begin in range(max(rows.start, first), len(rows), _CHUNK):
                stop = min(begin + _CHUNK, len(rows))
                up, down = rule(Candles(columns, begin, stop), *parameters)
                flags = out[begin:stop]
                flags[:] = 0.0 if up is None else up
                if down is not None:
                    flags -= down
                flags[age[begin:stop] <= first] = np.nan

    return fill


def pattern(
    function: Callable[..., object],
    rule: Callable[..., tuple[Flags | None, Flags | None]],
    *,
    candles: int = 1,
    means: tuple[str, ...] = (),
    source: str = NISON,
    bounds: dict[str, tuple[float, float]] | None = None,
) -> Indicator:
    """Make the `Indicator` of a candle pattern.

    Parameters
    ----------
    function : callable
        The public function of open, high, low and close.
    rule : callable
        See `rows_of`.
    candles : int, default 1
        How many the pattern consists of.
    means : tuple of str
        See `rows_of`; the longest of them stands before the first candle.
    source : str
    bounds : dict, optional

    Returns
    -------
    Indicator
    """
    first = candles - 1 + max((_BARS[name] for name in means), default=0)
    return Indicator(
        function=function, rows=rows_of(rule, first, means), group="pattern", first=lambda *_: (first,), unit="flag",
        source=source, bounds=bounds or {},
    )  # fmt: skip
