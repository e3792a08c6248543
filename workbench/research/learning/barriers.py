"""The kernel of triple-barrier labels: which of a target, a stop and a time limit a position meets first.

It trades as the backtest does: in at the next open, the stop before the target where one bar meets both, at the open
where a bar opens beyond, out at the open after the last bar of the limit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import kernel

__all__ = ["barriers_nb", "barriers_py"]

Floats = NDArray[np.float64]


def barriers_py(prices: tuple[Floats, Floats, Floats], target: Floats, stop: Floats, limit: int, side: int) -> Any:
    """Find what a position that is decided at each bar meets first.

    Parameters
    ----------
    prices : tuple of float64 array, shape (n,)
        open, high, low.
    target, stop : float64 array, shape (n,)
        Distances as fractions of the entry price; NaN for none.
    limit : int
        Bars that a position is held at most.
    side : int
        1 long, -1 short.

    Returns
    -------
    touched : int8 array, shape (n,)
        1 target, -1 stop, 0 the limit; -2 where the bars end before.
    end : int64 array, shape (n,)
        The bar in which it is met.
    gain : float64 array, shape (n,)
        Return of the position before costs, a fraction; NaN where the bars end before.
    """
    opens, highs, lows = prices
    n = len(opens)
    touched, end, gain = np.full(n, -2, np.int8), np.full(n, n - 1, np.int64), np.full(n, np.nan)
    for bar in range(n - 1):
        entry = opens[bar + 1]
        above, below = entry * (1.0 + side * target[bar]), entry * (1.0 - side * stop[bar])
        for now in range(bar + 1, min(bar + 2 + limit, n)):
            price, what = np.nan, 0
            best, worst = (highs[now], lows[now]) if side > 0 else (lows[now], highs[now])
            if now > bar + 1 and side * opens[now] <= side * below:
                price, what = opens[now], -1
            elif now > bar + 1 and side * opens[now] >= side * above:
                price, what = opens[now], 1
            elif now == bar + 1 + limit:
                price = opens[now]
            elif side * worst <= side * below:
                price, what = below, -1
            elif side * best >= side * above:
                price, what = above, 1
            if not np.isnan(price):
                touched[bar], end[bar], gain[bar] = what, now, side * (price / entry - 1.0)
                break
    return touched, end, gain


barriers_nb = kernel(barriers_py)
