"""The bridge to vectorbt, loaded only when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from workbench.backtest.result import Result

__all__ = ["portfolio_of"]


def portfolio_of(result: Result) -> Any:
    """Make a `vectorbt.Portfolio` from the filled orders of a result.

    Fills are placed on the bar in which they happened; vectorbt sees the close of each bar as its price.
    """
    import pandas as pd
    import vectorbt as vbt
    from vectorbt.portfolio.enums import log_dt, order_dt

    close = pd.Series(result.bars.close.copy(), index=result.equity.index, name=result.bars.symbol)
    filled = result.orders[result.orders["status"] == "filled"]
    records = np.zeros(len(filled), dtype=order_dt)
    records["id"] = np.arange(len(filled))
    records["idx"] = close.index.get_indexer(pd.DatetimeIndex(filled["time"]))
    records["size"], records["price"], records["fees"] = filled["quantity"], filled["price"], filled["fee"]
    records["side"] = (filled["side"] == "sell").to_numpy()
    wrapper = vbt.ArrayWrapper.from_obj(close, freq=pd.Timedelta(result.bars.timeframe.ms, "ms"))
    return vbt.Portfolio(
        wrapper, close, records, np.zeros(0, dtype=log_dt), init_cash=np.array([result.cash]), cash_sharing=False
    )
