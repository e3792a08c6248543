"""What a change of the close from bar to bar says, alone or with the volume that it took."""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench._kernels import kernel
from workbench.indicators._array import Floats
from workbench.indicators.indicator import Rows

__all__ = ["CHANGE", "ILLIQUIDITY", "SIGNED", "UNCHANGED", "changes"]

CHANGE: Final = 0
ILLIQUIDITY: Final = 1
SIGNED: Final = 2
UNCHANGED: Final = 3


@kernel
def _change_nb(close: Floats, volume: Floats, kind: int, start: int, out: Floats) -> None:
    """Write what the change to a bar means; NaN for the first of a stretch.

    `kind` 0: the change, 1: its size over the money traded, 2: the volume with its sign, 3: 1.0 if there is none.
    """
    for i in range(start, len(close)):
        out[i] = np.nan
        if i == 0 or (volume[i] - volume[i]) + (volume[i - 1] - volume[i - 1]) != 0.0:
            continue
        change = close[i] - close[i - 1]
        if change - change != 0.0:
            continue
        if kind == 0:
            out[i] = change
        elif kind == 1:
            money, base = close[i] * volume[i], close[i - 1]
            out[i] = abs(change / base) / money if money != 0.0 and base != 0.0 else 0.0
        elif kind == 2:
            out[i] = volume[i] if change > 0.0 else (-volume[i] if change < 0.0 else 0.0)
        else:
            out[i] = 1.0 if change == 0.0 else 0.0


def changes(rows: Rows, kind: int) -> Floats:
    """Give what the change to each bar says, as a new line; NaN for the first bar of a stretch.

    A bar is missing if its close is, or its volume where the indicator takes one.
    """
    line = rows.line()
    _change_nb(rows["close"], rows.columns.get("volume", rows["close"]), kind, rows.start, line)
    return line
