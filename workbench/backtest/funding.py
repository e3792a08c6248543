"""When funding is settled, and at which rate: of each instrument, in the range of its bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.market.bars import moment
from workbench.market.instrument import Instrument

__all__ = ["Settlements", "rate_by_symbol", "settlements"]

_HOUR_MS: Final = 3_600_000


class Settlements(NamedTuple):
    """Times (ms UTC, rising), rates (fractions) and marks (NaN: the bar's own price), each of shape (f,)."""

    ts: NDArray[np.int64]
    rate: NDArray[np.float64]
    mark: NDArray[np.float64]


def rate_by_symbol(funding: Any, instruments: Sequence[Instrument]) -> dict[str, Any]:
    """Give what `Rules.funding` says of each instrument.

    Raises
    ------
    ConfigError
        It names an instrument that is not traded, or that pays no funding.
    """
    perpetual = [one.symbol for one in instruments if one.perpetual]
    if not isinstance(funding, Mapping):
        return dict.fromkeys(perpetual, funding)
    for symbol in funding:
        if symbol not in {one.symbol for one in instruments}:
            traded = ", ".join(one.symbol for one in instruments)
            raise ConfigError(
                f"rules: funding of {symbol!r}, which is not among what is traded: {traded}", symbol=symbol
            )
        if symbol not in perpetual:
            raise ConfigError(
                f"rules: funding of {symbol!r}, which pays none; only perpetuals do (kind 'linear' or 'inverse')",
                symbol=symbol,
            )
    return {symbol: funding.get(symbol) for symbol in perpetual}


def settlements(instrument: Instrument, funding: Any, start: int, end: int) -> Settlements:
    """Give the settlements of an instrument from `start` (ms UTC) on and before `end`.

    Parameters
    ----------
    instrument : Instrument
    funding : None, float or pandas.Series
        None stands for the instrument's own rate. A Series has a DatetimeIndex (UTC is meant without a timezone).
    start, end : int

    Raises
    ------
    ConfigError
        A Series has no times, a time twice, or a rate that is no fraction.
    """
    if hasattr(funding, "index"):
        ts, rate = _of_series(instrument.symbol, funding)
        inside = slice(*np.searchsorted(ts, (start, end)))
        ts, rate = ts[inside], rate[inside]
    else:
        each = instrument.funding_rate if funding is None else float(funding)
        step = round(instrument.funding_interval_h * _HOUR_MS)
        ts = np.arange(-(-start // step) * step, end if each else start, step, dtype=np.int64)
        rate = np.full(len(ts), each)
    mark = np.full(len(ts), np.nan)
    for array in (ts, rate, mark):
        array.flags.writeable = False
    return Settlements(ts, rate, mark)


def _of_series(symbol: str, funding: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    import pandas as pd

    index = funding.index
    if not isinstance(index, pd.DatetimeIndex) or index.hasnans:
        raise ConfigError(
            f"rules: funding of {symbol} has a {type(index).__name__} as its index; give a DatetimeIndex without NaT",
            symbol=symbol,
        )
    naive = index if index.tz is None else index.tz_convert("UTC").tz_localize(None)
    ts = naive.to_numpy().astype("datetime64[ms]").astype(np.int64)
    try:
        rate = np.asarray(funding.to_numpy(), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"rules: funding of {symbol} holds something that is no number: {error}") from error
    order = np.argsort(ts, kind="stable")
    ts, rate = ts[order], rate[order]
    if rate.ndim != 1 or not (np.abs(rate) < 1).all():
        wrong = int(np.flatnonzero(~(np.abs(rate) < 1))[0]) if rate.ndim == 1 else 0
        raise ConfigError(
            f"rules: funding of {symbol} at {moment(int(ts[wrong]))} is {rate[wrong]!r}; a rate is a fraction a "
            "settlement, 0.0001 is 0.01 % (.dropna() for gaps)",
            symbol=symbol,
        )
    again = np.flatnonzero(ts[1:] == ts[:-1])
    if len(again):
        raise ConfigError(
            f"rules: funding of {symbol} has two rates at {moment(int(ts[again[0]]))}; keep one", symbol=symbol
        )
    return ts, rate
