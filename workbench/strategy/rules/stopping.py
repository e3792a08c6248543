"""On which bars the stops of a followed position are reached, as far as rules can know.

Levels are those of `trading.arithmetic`, from the open that was paid. Costs, ticks and what happens first inside a bar
are left out: they decide at what price a position is left, and only at the margin whether.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.market.bars import Bars
from workbench.trading.arithmetic import stop_level, target_level

__all__ = ["Stopping"]

Floats = NDArray[np.float64]
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """The stops of a strategy on some bars.

    Parameters
    ----------
    bars : Bars, n rows
    stops : mapping of str to float64 array, shape (n,), or float
        By the names in `plan.STOPS`; those that are switched off are left out.
    roi : mapping of minutes to fraction
        By rising minutes.
    """

    bars: Bars
    stops: Mapping[str, Any]
    roi: Mapping[float, float]

    @property
    def any(self) -> bool:
        """Whether there are stops at all."""
        return bool(self.stops or self.roi)

    def hits(self, side: int, opened: int, stop: int) -> NDArray[np.bool_]:
        """Tell on which bars a position is ended by a stop or a target.

        Parameters
        ----------
        side : int
            1 long, -1 short.
        opened, stop : int
            The row in which it was opened, and the row after the last to look at.

        Returns
        -------
        bool array, shape (stop - opened,)
        """
        low, high = self.bars.low[opened:stop], self.bars.high[opened:stop]
        against, ahead = (low, high) if side > 0 else (high, low)
        paid = float(self.bars.open[opened])
        nearest = stop_level(paid, side, self._asked("stop_loss", opened))
        found = side * (against - nearest) <= 0.0
        found |= side * (ahead - target_level(paid, side, self._asked("take_profit", opened))) >= 0.0
        found |= self._trailing(side, opened, paid, (against, ahead))
        found |= side * (against - self._custom(side, opened, stop)) <= 0.0
        return found | (side * (ahead - self._ladder(side, paid, opened, stop)) >= 0.0)

    def _asked(self, name: str, opened: int) -> float:
        """Give a distance as of the bar that decided the entry; NaN for none, which nothing reaches."""
        value = self.stops.get(name, math.nan)
        return float(value[opened - 1] if isinstance(value, np.ndarray) else value)

    def _trailing(self, side: int, opened: int, paid: float, prices: tuple[Floats, Floats]) -> NDArray[np.bool_]:
        against, ahead = prices
        distance, start = self._asked("trailing_stop", opened), self._asked("trailing_activation", opened)
        # the stop trails the best price of bars that are over
        best = side * np.maximum.accumulate(side * np.concatenate(([paid], ahead[:-1])))
        reached = side * (against - best * (1.0 - side * distance)) <= 0.0
        return reached if math.isnan(start) else reached & (side * (best - target_level(paid, side, start)) >= 0.0)

    def _custom(self, side: int, opened: int, stop: int) -> Any:
        value = self.stops.get("stop_price", math.nan)
        if not isinstance(value, np.ndarray):
            return value
        further = np.fmax if side > 0 else np.fmin
        return further.accumulate(value[opened - 1 : stop - 1])

    def _ladder(self, side: int, paid: float, opened: int, stop: int) -> Floats:
        """Give the target of the ladder on each bar, NaN before its first rung."""
        levels = np.full(stop - opened, np.nan)
        if self.roi:
            passed = self.bars.ts[opened:stop] - self.bars.ts[opened]
            begins = [round(minutes * _MINUTE_MS) for minutes in self.roi]
            gains = np.array([math.nan, *self.roi.values()])
            levels = paid * (1.0 + side * gains[np.searchsorted(begins, passed, side="right")])
        return levels
