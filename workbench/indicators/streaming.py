"""An indicator that is told one row after another, as a live market tells them: the same bits as a whole series."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench._kernels import frozen
from workbench.errors import DataError
from workbench.indicators._array import Floats
from workbench.indicators.indicator import Indicator, Rows

__all__ = ["Stream"]

_ROOM = 256


class Stream:
    """One indicator over rows that keep coming.

    Parameters
    ----------
    indicator : Indicator
    **parameters
        Those left out are at their default.

    Notes
    -----
    Each update works out the new rows alone (a window's last block again), from what the one before has kept. The
    values are those of the indicator on all rows so far, to the last bit.

    Examples
    --------
    >>> from workbench.indicators.moving import EMA
    >>> stream = Stream(EMA, length=3)
    >>> [stream.update(value) for value in (1.0, 2.0, 3.0, 7.0)]
    [nan, nan, 2.0, 4.5]
    """

    def __init__(self, indicator: Indicator, **parameters: Any) -> None:
        self.indicator, self.parameters = indicator, indicator.parameters(**parameters)
        self._count = 0
        self._columns = [np.empty(_ROOM) for _ in indicator.inputs]
        self._out = [np.empty(_ROOM) for _ in indicator.outputs]
        self._kept: Rows | None = None

    def __len__(self) -> int:
        return self._count

    def update(self, *row: float) -> Any:
        """Take one row, a number an input in the indicator's order, and give its value (a NamedTuple of several).

        Raises
        ------
        DataError
            There are more or fewer numbers than inputs.
        """
        if len(row) != len(self._columns):
            raise DataError(
                f"{self.indicator.name}: a row of {len(row)} numbers; it takes {', '.join(self.indicator.inputs)}",
                function=self.indicator.name,
            )
        if self._count == len(self._out[0]):
            self._columns, self._out = ([_grown(line) for line in lines] for lines in (self._columns, self._out))
        for column, value in zip(self._columns, row, strict=True):
            column[self._count] = value
        start, self._count = self._count, self._count + 1
        named = zip(self.indicator.inputs, self._columns, strict=True)
        out = tuple(line[: self._count] for line in self._out)
        self._kept = Rows({name: frozen(line[: self._count]) for name, line in named}, out, start, self._kept)
        self.indicator.rows(self._kept, *self.parameters)
        last = [float(line[start]) for line in out]
        return last[0] if self.indicator.lines is None else self.indicator.lines(*last)


def _grown(line: Floats) -> Floats:
    return np.concatenate((line, np.empty(len(line))))
