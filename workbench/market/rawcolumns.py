"""The columns of a raw table, judged and read: one instrument, one level of names, and numbers that are numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.columns import ColumnMap
from workbench.market.timetext import refuse_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["plain_frame", "read_numbers", "require_one_instrument"]


def require_one_instrument(frame: pd.DataFrame, found: ColumnMap, symbol: str) -> None:
    """Refuse a table that holds several instruments: their rows would pass for one another's."""
    for label in found.labels:
        named = [str(value) for value in frame[label].dropna().unique()[:4]]
        if len(named) > 1:
            raise DataError(
                f"{symbol}: column {label!r} names several instruments ({', '.join(named)}, …); give one at a time, "
                f"for example frame[frame[{label!r}] == {named[0]!r}]",
                column=label,
            )


def plain_frame(frame: pd.DataFrame, *, keep_index: bool, symbol: str) -> pd.DataFrame:
    """Give a frame with one level of columns; its index becomes a column unless it is the time or a mere count."""
    import pandas as pd

    if isinstance(frame.columns, pd.MultiIndex):
        levels = [level for level in range(frame.columns.nlevels) if len(frame.columns.unique(level)) > 1]
        if len(levels) != 1:
            raise DataError(
                f"{symbol}: the frame has columns in {frame.columns.nlevels} levels, such as {frame.columns[0]!r}; "
                "give one instrument's, for example frame.xs('AAPL', axis=1, level=1)"
            )
        frame = frame.set_axis(frame.columns.get_level_values(levels[0]), axis=1)
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise DataError(f"{symbol}: the frame has several columns named {twice!r}; rename or drop all but one")
    counts = frame.index.names == [None] and pd.api.types.is_integer_dtype(frame.index.dtype)
    if keep_index or counts:
        return frame
    named = [f"index_{level}" if frame.index.nlevels > 1 else "index" for level in range(frame.index.nlevels)]
    pairs = zip(named, frame.index.names, strict=True)
    names = [ours if name is None or name in frame.columns else name for ours, name in pairs]
    return frame.reset_index(names=names)


def read_numbers(values: pd.Series[Any], name: str) -> NDArray[np.float64]:
    """Read a column as doubles, text in it strictly; what is missing becomes NaN."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    listed = values.tolist()
    read = [_number(value) for value in listed]
    bad = np.flatnonzero([number is None for number in read])
    if len(bad):
        commas = all(re.fullmatch(r"\D*\d[\d.,' ]*\D*", str(listed[row])) for row in bad[:5])
        fix = (
            "decimal commas, thousands separators and currency signs are not guessed: read the file with "
            "pd.read_csv(path, decimal=',', thousands='.'), or as it is written, and give the frame to wb.data.clean"
            if commas
            else "mend or drop those rows, then import again"
        )
        refuse_rows(f"{name} holds what is no number", bad, listed, fix)
    return np.array(read, dtype=np.float64)


def _number(value: Any) -> float | None:
    import pandas as pd

    if pd.isna(value):
        return float("nan")
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
