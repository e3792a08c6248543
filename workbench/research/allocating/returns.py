"""Returns of strategies on common times, from results or from series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.backtest.result import Result
from workbench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["returns_frame"]


def returns_frame(strategies: Any) -> pd.DataFrame:
    """Put the returns of strategies side by side.

    Parameters
    ----------
    strategies : DataFrame, or mapping or sequence of Result or Series
        A column, or one object, a strategy: simple returns per bar by time. Names come from the mapping, the columns,
        the results or the series.

    Returns
    -------
    DataFrame
        UTC index, rising; NaN before a strategy begins and after it ends. Where all have the same times these are kept;
        otherwise every strategy is put together to UTC days, and a day without a bar in between counts as zero.

    Raises
    ------
    DataError
        There are fewer than two strategies, or something that has no times or no numbers.
    """
    import pandas as pd

    named = _named(strategies)
    if len(named) < 2:
        raise DataError(f"an allocation is between two strategies or more, there are {len(named)}")
    columns = {name: _checked(name, series) for name, series in named}
    first = next(iter(columns.values()))
    if any(not series.index.equals(first.index) for series in columns.values()):
        columns = {name: _by_day(series) for name, series in columns.items()}
    frame = pd.concat(columns, axis=1).sort_index()
    if len(frame) < 3:
        raise DataError(f"the strategies have {len(frame)} rows in all, too few to allocate by")
    return frame


def _named(strategies: Any) -> list[tuple[str, Any]]:
    if hasattr(strategies, "columns"):
        return [(str(name), strategies[name]) for name in strategies.columns]
    if isinstance(strategies, Mapping):
        return [(str(name), one) for name, one in strategies.items()]
    if isinstance(strategies, Result) or not isinstance(strategies, Iterable) or hasattr(strategies, "to_frame"):
        raise DataError("give several strategies: a list or dict of results, or a DataFrame of returns")
    objects = list(strategies)
    names = _names_of(objects)
    if len(set(names)) < len(names):  # the same class twice: its parameters tell them apart
        names = [
            f"{one.name} on {one.market}" if isinstance(one, Result) else names[k] for k, one in enumerate(objects)
        ]
    found: list[tuple[str, Any]] = []
    for name, one in zip(names, objects, strict=True):
        again = sum(taken == name or taken.startswith(f"{name} (") for taken, _ in found)
        found.append((f"{name} ({again + 1})" if again else name, one))
    return found


def _names_of(objects: list[Any]) -> list[str]:
    """Give short names: of results the strategy's class, and the market where there are several."""
    markets = {one.market for one in objects if isinstance(one, Result)}
    names = []
    for number, one in enumerate(objects, 1):
        if isinstance(one, Result):
            name = one.name.split("(")[0]
            names.append(f"{name} on {one.market}" if len(markets) > 1 else name)
        else:
            given = getattr(one, "name", None)
            names.append(str(given) if given is not None else f"strategy {number}")
    return names


def _checked(name: str, one: Any) -> pd.Series:
    import pandas as pd

    series = one.returns if isinstance(one, Result) else one
    if not isinstance(series, pd.Series) or not isinstance(series.index, pd.DatetimeIndex):
        raise DataError(f"{name}: give a Result, or simple returns as a Series with a DatetimeIndex")
    index = series.index.tz_localize("UTC") if series.index.tz is None else series.index.tz_convert("UTC")
    if not index.is_monotonic_increasing or index.has_duplicates or index.hasnans:
        raise DataError(f"{name}: the times of its returns must rise, each once")
    try:
        values = series.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: its returns are no numbers: {error}") from error
    known = values[~np.isnan(values)]
    if not len(known) or not np.isfinite(known).all() or known.min() < -1.0:
        raise DataError(f"{name}: its returns must be finite simple returns of -1 or more, with one at least")
    return pd.Series(values, index=index, name=name)


def _by_day(series: pd.Series) -> pd.Series:
    """Compound to UTC days, from its first known return to its last."""
    import pandas as pd

    known = series.loc[series.first_valid_index() : series.last_valid_index()].fillna(0.0)
    growth = (1.0 + known).groupby(pd.DatetimeIndex(known.index).floor("D")).prod()
    return growth.asfreq("D", fill_value=1.0) - 1.0
