"""The bridge to vectorbt, loaded only when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.records import FILL_FIELDS, FUNDING_FIELDS, Records, column
from workbench.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from workbench.backtest.result import Result

__all__ = ["portfolio_of"]


def portfolio_of(result: Result) -> Any:
    """Make a `vectorbt.Portfolio` from the fills of a result: one column an instrument, all sharing the cash.

    Parameters
    ----------
    result : Result

    Returns
    -------
    vectorbt.Portfolio
        Fills are placed on the strategy bar in which they happened; the price of a bar is its close, of an instrument
        without a bar its last close.

    Raises
    ------
    ConfigError
        An instrument is inverse: vectorbt reckons profits in the quote currency only.

    Notes
    -----
    vectorbt knows no funding: each settlement is booked with the fees of the instrument's next fill, or of its last one
    where none comes after. Trades and the end are right then; the equity between lacks it.
    """
    import pandas as pd
    import vectorbt as vbt
    from vectorbt.portfolio.enums import log_dt

    plan = result.plan
    for line in plan.lines:
        if line.inverse:
            raise ConfigError(f"{line.bars.symbol} is inverse: vectorbt reckons profits in the quote currency only")
    close = _closes(result)
    several = len(plan.lines) > 1
    shown = close if several else close.iloc[:, 0]
    length = min(line.bars.timeframe.ms for line in plan.lines)
    sizes = np.array([line.contract_size for line in plan.lines])
    return vbt.Portfolio(
        vbt.ArrayWrapper.from_obj(shown, freq=pd.Timedelta(length, "ms"), **({"group_by": True} if several else {})),
        shown,
        _orders(result.records, sizes),
        np.zeros(0, dtype=log_dt),
        init_cash=np.array([plan.cash]),
        cash_sharing=several,
    )


def _closes(result: Result) -> pd.DataFrame:
    """Give the close of each instrument at the times of all, carried on where one has none; shape (n, instruments)."""
    import pandas as pd

    ts = result.records.ts
    table = np.empty((len(ts), len(result.plan.lines)))
    for number, line in enumerate(result.plan.lines):
        row = np.searchsorted(line.bars.ts, ts, side="right") - 1
        table[:, number] = line.bars.close[np.maximum(row, 0)]
    index = pd.DatetimeIndex(ts.astype("datetime64[ms]"), tz="UTC", name="ts")
    return pd.DataFrame(table, index=index, columns=[line.bars.symbol for line in result.plan.lines])


def _orders(records: Records, sizes: NDArray[np.float64]) -> NDArray[Any]:
    """Write the fills as vectorbt's order records, by instrument and time."""
    from vectorbt.portfolio.enums import order_dt

    of = {name: column(records.fills, FILL_FIELDS, name) for name in FILL_FIELDS}
    col = of["instrument"].astype(np.int64)
    made = np.zeros(len(col), dtype=order_dt)
    made["id"], made["col"] = np.arange(len(col)), col
    made["idx"] = np.searchsorted(records.ts, of["ts"], side="right") - 1
    made["size"], made["price"] = of["quantity"] * sizes[col], of["price"]
    made["fees"], made["side"] = of["fee"] - _settled(records, of["ts"], col), of["side"] < 0
    return made[np.lexsort((made["id"], made["col"]))]


def _settled(records: Records, ts: NDArray[np.float64], col: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the funding received before each fill since the one before it, of the same instrument."""
    received = np.zeros(len(ts))
    when, which, amount = (column(records.funding, FUNDING_FIELDS, name) for name in ("ts", "instrument", "amount"))
    for number in np.unique(which):
        fills, paid = np.flatnonzero(col == number), which == number
        after = np.minimum(np.searchsorted(ts[fills], when[paid], side="right"), len(fills) - 1)
        np.add.at(received, fills[after], amount[paid])
    return received
