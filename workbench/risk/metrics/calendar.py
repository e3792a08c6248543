"""Returns by month and by year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workbench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["monthly_returns", "returns_by", "yearly_returns"]

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def returns_by(returns: pd.Series, period: Literal["M", "Q", "Y", "W"]) -> pd.Series:
    """Compound the returns of each calendar period.

    Parameters
    ----------
    returns : Series with a DatetimeIndex
        Simple returns per bar; the index says when each was earned. A timezone is kept to: months are those of it.
    period : {"W", "M", "Q", "Y"}

    Returns
    -------
    pandas.Series
        One return a period that has bars, by its first moment. A period with an unknown return is NaN.

    Raises
    ------
    DataError
        It is no Series of numbers with times.
    """
    import pandas as pd

    if not isinstance(returns, pd.Series) or not isinstance(returns.index, pd.DatetimeIndex):
        raise DataError("returns by period need a pandas.Series with a DatetimeIndex, as result.returns is")
    wall = returns.index.tz_localize(None) if returns.index.tz is not None else returns.index
    factors: Any = 1.0 + returns.astype(np.float64)
    grown = factors.groupby(wall.to_period(period), sort=True).agg(lambda part: part.prod(skipna=False)) - 1.0
    return pd.Series(grown.to_numpy(), index=grown.index.to_timestamp(), name=returns.name)


def monthly_returns(returns: pd.Series) -> pd.DataFrame:
    """Give a table of returns: a row a year, a column a month, and the year as a whole.

    Returns
    -------
    pandas.DataFrame
        Index: years. Columns: Jan to Dec and "Year". NaN for a month without bars.
    """
    import pandas as pd

    months = returns_by(returns, "M")
    times: Any = months.index
    table = pd.DataFrame({"year": times.year, "month": times.month, "value": months.to_numpy()})
    wide = table.pivot(index="year", columns="month", values="value").reindex(columns=range(1, 13))
    wide.columns = pd.Index(_NAMES, name=None)
    years = returns_by(returns, "Y")
    year_times: Any = years.index
    wide["Year"] = pd.Series(years.to_numpy(), index=year_times.year)
    return wide


def yearly_returns(returns: pd.Series) -> pd.Series:
    """Give the return of each calendar year, by the year."""
    years = returns_by(returns, "Y")
    times: Any = years.index
    years.index = times.year
    return years
