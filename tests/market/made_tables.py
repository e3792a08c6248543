"""Tables as people have them, made up for tests of importing."""

import numpy as np
import pandas as pd

from workbench.market.bars import moment

HOUR = 3_600_000
SPOT = {"symbol": "BTC/USDT", "venue": "binance"}


def table(times, time="date", **changes):
    """A table of plausible prices at given times."""
    count = len(times)
    close = 100 + np.arange(count) * 0.25
    columns = {
        time: times,
        "open": close - 0.25, "high": close + 1, "low": close - 1, "close": close, "volume": np.arange(count) + 1.0,
    }  # fmt: skip
    return pd.DataFrame({**columns, **changes})


def hours(count=6, start="2021-01-01"):
    return pd.Series(pd.date_range(start, periods=count, freq="h"))


def texts(count=6, style="%Y-%m-%d %H:%M:%S", start="2021-01-01"):
    return hours(count, start).dt.strftime(style)


def opened(cleaned):
    return times(cleaned.bars)


def times(bars):
    return [moment(ts) for ts in bars.ts]


HOURS = ["2021-01-01", *(f"2021-01-01 0{hour}:00" for hour in range(1, 6))]
