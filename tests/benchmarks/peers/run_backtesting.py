"""The SMA cross in backtesting.py: one unit a trade, market orders that fill at the next open."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from answering import answer

CASH, FEE = 100_000.0, 0.001


def load(path: str) -> tuple[str, Callable[[int, int], dict[str, Any]]]:
    """Read the bars and make the strategy."""
    import backtesting
    import numpy as np
    import pandas as pd
    from backtesting.lib import crossover

    columns = np.load(path)
    names = {"Open": "open", "High": "high", "Low": "low", "Close": "close", "Volume": "volume"}
    frame = pd.DataFrame(
        {name: columns[ours] for name, ours in names.items()}, index=pd.to_datetime(columns["ts"], unit="ms")
    )

    def mean(values: Any, window: int) -> Any:
        return pd.Series(values).rolling(window).mean()

    class Cross(backtesting.Strategy):  # type: ignore[misc]
        fast, slow = 10, 30

        def init(self) -> None:
            self.quick = self.I(mean, self.data.Close, self.fast)
            self.steady = self.I(mean, self.data.Close, self.slow)

        def next(self) -> None:
            if crossover(self.quick, self.steady):
                self.buy(size=1)
            elif crossover(self.steady, self.quick):
                self.position.close()

    def run(fast: int, slow: int) -> dict[str, Any]:
        test = backtesting.Backtest(frame, Cross, cash=CASH, commission=FEE, finalize_trades=False)
        start = time.perf_counter()
        stats = test.run(fast=fast, slow=slow)
        seconds = time.perf_counter() - start
        trades = len(stats["_trades"]) + len(stats["_strategy"].trades)
        return {"seconds": seconds, "trades": trades, "equity": float(stats["Equity Final [$]"])}

    return f"backtesting.py {backtesting.__version__}", run


if __name__ == "__main__":
    answer(load)
