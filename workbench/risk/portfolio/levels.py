"""Histories of prices, one column a series, from which returns of several series on common times are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["growth_over", "levels_of", "moves_of", "spacing_in_words"]

Floats = NDArray[np.float64]
_SPANS: Final = ((86_400, "day"), (3_600, "hour"), (604_800, "week"), (60, "minute"))


def levels_of(prices: Any, returns: Any) -> pd.DataFrame:
    """Read prices, or returns made into what one unit became; NaN where a series has no price.

    Parameters
    ----------
    prices : DataFrame, optional
        A column a series, a row a time. NaN where it was not traded then.
    returns : DataFrame, optional
        Simple returns per row in place of prices; NaN where a series was not traded: the return after it is then taken
        to be since the last row that has one.

    Returns
    -------
    DataFrame of float64
        UTC index.

    Raises
    ------
    DataError
        Both or neither are there; times do not rise; a price is not positive, or a return is -1 or less.
    """
    import pandas as pd

    if (prices is None) == (returns is None):
        raise DataError("give prices or returns, one of them: a DataFrame with a column a series and a row a time")
    frame = prices if prices is not None else returns
    if isinstance(frame, pd.Series):
        frame = frame.to_frame()
    if not isinstance(frame, pd.DataFrame) or not isinstance(frame.index, pd.DatetimeIndex):
        raise DataError(f"found {type(frame).__name__}; give a DataFrame of numbers with a DatetimeIndex")
    index = frame.index.tz_localize("UTC") if frame.index.tz is None else frame.index.tz_convert("UTC")
    if not index.is_monotonic_increasing or index.has_duplicates or index.hasnans:
        raise DataError("the times of prices must rise, each once")
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        raise DataError(f"two series have one name: {sorted(name for name in names if names.count(name) > 1)[0]!r}")
    try:
        values = frame.to_numpy(dtype=np.float64, copy=True)
    except (TypeError, ValueError) as error:
        raise DataError(f"prices must be numbers: {error}") from error
    for name, column in zip(names, values.T, strict=True):
        known = column[~np.isnan(column)]
        if not np.isfinite(known).all() or (len(known) and known.min() <= (0.0 if prices is not None else -1.0)):
            what = "prices are finite and above zero" if prices is not None else "returns are finite and above -1"
            raise DataError(f"{name}: {what}; found {float(known.min()):g}", series=name)
    if prices is None:
        grown = np.cumprod(1.0 + np.nan_to_num(values), axis=0)
        values = np.where(np.isnan(values), np.nan, grown)
    return pd.DataFrame(values, index=index, columns=names)


def moves_of(levels: pd.DataFrame, names: Sequence[str], horizon: int) -> tuple[Floats, pd.DatetimeIndex]:
    """Give returns of some series between the rows at which all of them are known.

    Parameters
    ----------
    levels : DataFrame
        As of `levels_of`.
    names : sequence of str
        Columns; all rows count where there are none.
    horizon : int
        Rows that a return spans; the spans overlap.

    Returns
    -------
    float64 array, shape (n, k), and the index of the last row of each

    Raises
    ------
    DataError
        Fewer than two returns are left.

    Notes
    -----
    What happened while one of them was closed is in the next common return: a coin's weekend in that of Monday.
    """
    import pandas as pd

    part = levels[list(names)]
    part = part[part.notna().all(axis=1)] if len(names) else levels
    if len(part) < horizon + 2:
        held = "; ".join(f"{name} {_range(levels[name])}" for name in names)
        raise DataError(
            f"{len(part)} rows have a price of all of {', '.join(names)}: too few for returns over {horizon} "
            f"({held}); give longer prices"
        )
    values = part.to_numpy(dtype=np.float64)[:, : len(names)]
    return values[horizon:] / values[:-horizon] - 1.0, pd.DatetimeIndex(part.index[horizon:])


def _range(series: pd.Series) -> str:
    known = series.dropna()
    return f"{known.index[0]:%Y-%m-%d} to {known.index[-1]:%Y-%m-%d}" if len(known) else "has none"


def growth_over(series: pd.Series, first: pd.Timestamp, last: pd.Timestamp) -> float:
    """Give the return of a series from the last price at or before one time to that at another.

    NaN where its prices do not reach from a week before the first to a week before the last.
    """
    import pandas as pd

    known = series.dropna()
    week = pd.Timedelta(days=7)
    before, until = known.loc[:first], known.loc[:last]
    if not len(before) or before.index[-1] < first - week or until.index[-1] < max(last - week, first):
        return float("nan")
    return float(until.iloc[-1] / before.iloc[-1] - 1.0)


def spacing_in_words(index: pd.DatetimeIndex) -> str:
    """Say how far rows are apart: "day", "hour", ..., or "row" where it is none of these."""
    if len(index) < 2:
        return "row"
    # Sessions are a day apart, weekends or not: the usual distance decides.
    usual = float(np.median(np.diff(index.as_unit("s").asi8)))
    return next((name for seconds, name in _SPANS if usual == seconds), "row")
