"""Prices of several series side by side, one row a UTC day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.backtest.result import Result
from workbench.errors import DataError
from workbench.market.bars import Bars
from workbench.market.lake import read

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["lake_prices", "prices_of"]

_DAY_MS: Final = 86_400_000
_TIMEFRAMES: Final = ("1d", "1h", "4h", "15m", "5m", "1m")


def prices_of(series: Iterable[Bars | Result] | Mapping[str, Bars | Result] | Bars | Result) -> pd.DataFrame:
    """Put closes, or equities of results, side by side by UTC days.

    Parameters
    ----------
    series : Bars or Result, or a mapping or sequence of them
        Named by the mapping; otherwise bars by their symbol, and results by strategy and market.

    Returns
    -------
    DataFrame
        The last close (equity) of each day, labelled by the day's beginning, UTC; NaN on days without a bar.

    Raises
    ------
    DataError
        Nothing is given, something that is neither, or two of one name.

    Notes
    -----
    A day's close is that of the last bar that opened in it: midnight for a coin, the closing bell for a share.
    """
    import pandas as pd

    named = _named(series)
    columns: dict[str, pd.Series] = {}
    for name, one in named:
        if name in columns:
            raise DataError(f"two series are called {name!r}: name them, as in {{'a': …, 'b': …}}", series=name)
        ts, values = (one.ts, one.close) if isinstance(one, Bars) else (one.records.ts, one.equity_values)
        day = ts // _DAY_MS
        last = np.append(day[1:] != day[:-1], True)
        columns[name] = pd.Series(
            values[last], index=pd.to_datetime(day[last] * _DAY_MS, unit="ms", utc=True), dtype=np.float64
        )
    if not columns:
        raise DataError("give one series at least")
    return pd.concat(columns, axis=1, sort=True)


def _named(series: Any) -> list[tuple[str, Bars | Result]]:
    if isinstance(series, (Bars, Result)):
        series = [series]
    pairs = list(series.items()) if isinstance(series, Mapping) else [(None, one) for one in series]
    found = []
    for name, one in pairs:
        if not isinstance(one, (Bars, Result)):
            raise DataError(f"{one!r} is neither Bars nor a Result")
        usual = one.symbol if isinstance(one, Bars) else f"{one.name.split('(')[0]} on {one.market}"
        found.append((str(name) if name is not None else usual, one))
    return found


def lake_prices(symbols: Iterable[str], timeframe: str | None = None) -> pd.DataFrame:
    """Read closes of symbols from the lake of the current workspace, by UTC days.

    Parameters
    ----------
    symbols : iterable of str
        Of a perpetual that is not there the spot market's are taken, under its name.
    timeframe : str, optional
        Of the series; where left out, a day's, else the first there is of 1h, 4h, 15m, 5m, 1m.

    Raises
    ------
    DataError
        A symbol is not in the lake.
    """
    found = [_read(symbol, timeframe) for symbol in dict.fromkeys(symbols)]
    return prices_of({bars.symbol: bars for bars in found})


def _read(symbol: str, timeframe: str | None) -> Bars:
    first: DataError | None = None
    for name in dict.fromkeys((symbol, symbol.split(":")[0])):  # of a perpetual the spot market moves alike
        for one in (timeframe,) if timeframe is not None else _TIMEFRAMES:
            try:
                return read(name, one)
            except DataError as error:
                first = first or error
    raise first or DataError(f"{symbol} is not in the lake", symbol=symbol)
