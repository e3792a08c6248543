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

A candle is white if its close is at or above its open. Each pattern is one kernel over `Candles`; `pattern` hands it
the candles with the means that it asks for and marks the warm-up. A mean that equals what it is compared with, which
happens on prices in coarse ticks, is a matter of the last bit; here the bit depends on those ten candles alone, in TA-
Lib on the whole history before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from workbench._kernels import frozen, kernel
from workbench.indicators._array import Floats
from workbench.indicators.indicator import Indicator, Rows

__all__ = ["BARE", "BODY", "DOJI", "EQUAL", "FAR", "NEAR", "NEARBY", "NISON", "RANGE", "Candles", "pattern"]

BODY: Final = "body"  # the mean body of the candles before
RANGE: Final = "range"  # their mean range
NEAR: Final = "near"  # the mean range of fewer candles before
_BARS: Final = {BODY: 10, RANGE: 10, NEAR: 5}

DOJI: Final = 0.1
BARE: Final = 0.1
NEARBY: Final = 0.2
FAR: Final = 0.6
EQUAL: Final = 0.05

NISON: Final = "Steve Nison, Japanese Candlestick Charting Techniques (1991), with the settings of TA-Lib"

_NONE: Final = frozen(np.empty(0))


class Candles(NamedTuple):
    """What the kernels of the patterns read, each of shape (n,).

    The means at a candle are those of the candles before it. A mean that a pattern did not ask for is empty.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    body: Floats
    range: Floats
    near: Floats


@kernel
def _measure_nb(c: Candles, body: bool, start: int, out: Floats) -> None:
    """Write body or range of each candle; NaN if anything of it is missing."""
    for i in range(start, len(out)):
        poison = (c.open[i] - c.open[i]) + (c.high[i] - c.high[i]) + (c.low[i] - c.low[i]) + (c.close[i] - c.close[i])
        out[i] = (abs(c.close[i] - c.open[i]) if body else c.high[i] - c.low[i]) + poison


@kernel
def _before_nb(values: Floats, ten: bool, start: int, out: Floats) -> None:
    """Write the mean of the ten, or five, values before each. Sums as short as these are quickest from scratch."""
    bars = 10 if ten else 5
    first = max(start, bars)
    out[start:first] = np.nan
    past, means = values[first - bars :], out[first:]
    for i in range(len(means)):
        five = (past[i] + past[i + 1]) + (past[i + 2] + past[i + 3]) + past[i + 4]
        if ten:
            five += (past[i + 5] + past[i + 6]) + (past[i + 7] + past[i + 8]) + past[i + 9]
        means[i] = five / bars


@kernel
def _warm_up_nb(c: Candles, first: int, start: int, state: Floats, out: Floats) -> None:
    """Write NaN over the flags of which one of the `first` candles before, or the own one, is missing.

    `state`, shape (1,), is how many whole candles come without a gap before `start`.
    """
    seen, n, poison = int(state[0]), len(out), 0.0
    for i in range(start, n):
        poison += (c.open[i] - c.open[i]) + (c.high[i] - c.high[i]) + (c.low[i] - c.low[i]) + (c.close[i] - c.close[i])
    if poison == 0.0:
        out[start : min(start + max(first - seen, 0), n)] = np.nan
        state[0] = seen + n - start
        return
    for i in range(start, n):
        poison = (c.open[i] - c.open[i]) + (c.high[i] - c.high[i]) + (c.low[i] - c.low[i]) + (c.close[i] - c.close[i])
        seen = seen + 1 if poison == 0.0 else 0
        out[i] = out[i] if seen > first else np.nan
    state[0] = seen


@kernel
def _body_step_nb(c: Candles, i: int) -> float:
    """Give the distance of open and close."""
    return float(abs(c.close[i] - c.open[i]))


@kernel
def _top_step_nb(c: Candles, i: int) -> float:
    """Give the upper end of the body."""
    return float(max(c.open[i], c.close[i]))


@kernel
def _bottom_step_nb(c: Candles, i: int) -> float:
    """Give the lower end of the body."""
    return float(min(c.open[i], c.close[i]))


@kernel
def _upper_step_nb(c: Candles, i: int) -> float:
    """Give the length of the upper shadow."""
    return float(c.high[i] - _top_step_nb(c, i))


@kernel
def _lower_step_nb(c: Candles, i: int) -> float:
    """Give the length of the lower shadow."""
    return float(_bottom_step_nb(c, i) - c.low[i])


@kernel
def _white_step_nb(c: Candles, i: int) -> bool:
    """Tell whether a candle closed at or above its open."""
    return bool(c.close[i] >= c.open[i])


@kernel
def _long_step_nb(c: Candles, i: int) -> bool:
    """Tell whether the body is longer than those before."""
    return bool(_body_step_nb(c, i) > c.body[i])


@kernel
def _doji_step_nb(c: Candles, i: int) -> bool:
    """Tell whether there is hardly a body."""
    return bool(_body_step_nb(c, i) <= DOJI * c.range[i])


@kernel
def _no_upper_step_nb(c: Candles, i: int) -> bool:
    """Tell whether there is hardly an upper shadow."""
    return bool(_upper_step_nb(c, i) < BARE * c.range[i])


@kernel
def _no_lower_step_nb(c: Candles, i: int) -> bool:
    """Tell whether there is hardly a lower shadow."""
    return bool(_lower_step_nb(c, i) < BARE * c.range[i])


def _rows_of(rule: Callable[..., None], first: int, means: tuple[str, ...]) -> Callable[..., None]:
    def fill(rows: Rows, *parameters: float) -> None:
        (out,) = rows.out
        plain = Candles(rows["open"], rows["high"], rows["low"], rows["close"], _NONE, _NONE, _NONE)
        measures = {}
        for body in sorted({name == BODY for name in means}):
            measures[body] = rows.line()
            _measure_nb(plain, body, rows.start, measures[body])
        lines = {name: rows.line() for name in means}
        for name, line in lines.items():
            _before_nb(frozen(measures[name == BODY]), _BARS[name] == 10, rows.start, line)
        candles = plain._replace(**{name: frozen(line) for name, line in lines.items()})
        rule(candles, max(rows.start, first), out, *parameters)
        _warm_up_nb(plain, first, rows.start, rows.state(1), out)

    return fill


def pattern(
    function: Callable[..., object],
    rule: Callable[..., None],
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
        `(candles, start, out, *parameters) -> None`, the kernel that writes the flags from row `start` on.
    candles : int, default 1
        How many the pattern consists of.
    means : tuple of str
        Which of `BODY`, `RANGE` and `NEAR` the rule compares with; the longest stands before the first candle.
    source : str
    bounds : dict, optional

    Returns
    -------
    Indicator
    """
    first = candles - 1 + max((_BARS[name] for name in means), default=0)
    return Indicator(
        function=function, rows=_rows_of(rule, first, means), group="pattern", first=lambda *_: (first,), unit="flag",
        source=source, bounds=bounds or {},
    )  # fmt: skip
