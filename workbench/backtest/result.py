"""`Result`: what a backtest found, as tables, series, numbers and pictures.

The records of the simulation are kept as arrays; everything else is made from them when asked for, so that pandas and
matplotlib load only for those who look at tables and charts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.costs import Costs, Fill
from workbench.backtest.kernel import EXIT_REASONS, SKIP_REASONS, TRADE_FIELDS, Market, excursions_nb
from workbench.market.bars import Bars, moment
from workbench.risk import metrics
from workbench.risk.metrics import Drawdown
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Result"]

Value = float | int | str | None
_BY_DECISION: Final = tuple(EXIT_REASONS.index(reason) for reason in ("signal", "reversal"))


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """One backtest: its inputs, its trades and its equity.

    Attributes
    ----------
    bars : Bars
    strategy : SignalStrategy or Signals
    cash : float
        Equity before the first bar, in the quote currency.
    costs : Costs
        What was charged, nothing left out.
    fill : {"next_open", "close"}
    path : str
        Which path computed it.
    equity_values : float64 array, shape (n,)
        Value of the account at each close.
    trade_records, skipped_records : float64 arrays
        See `backtest.kernel.TRADE_FIELDS` and `SKIP_FIELDS`.
    """

    bars: Bars
    strategy: SignalStrategy | Signals
    cash: float
    costs: Costs
    fill: Fill
    equity_values: NDArray[np.float64]
    trade_records: NDArray[np.float64]
    skipped_records: NDArray[np.float64]
    path: str = "compiled"

    @property
    def name(self) -> str:
        """The strategy with its parameters."""
        return repr(self.strategy)

    @property
    def equity(self) -> pd.Series:
        """Value of the account at each close, in the quote currency; UTC index of bar open times, shape (n,)."""
        import pandas as pd

        return pd.Series(self.equity_values.copy(), index=self._index, name="equity")

    @property
    def returns(self) -> pd.Series:
        """Simple returns per bar, as fractions; index as `equity`."""
        import pandas as pd

        return pd.Series(metrics.returns_of(self.equity_values, self.cash), index=self._index, name="returns")

    @cached_property
    def _index(self) -> pd.DatetimeIndex:
        import pandas as pd

        return pd.DatetimeIndex(self.bars.ts.astype("datetime64[ms]"), tz="UTC", name="ts")

    def _column(self, name: str) -> NDArray[np.float64]:
        column: NDArray[np.float64] = self.trade_records[:, TRADE_FIELDS.index(name)]
        return column

    @cached_property
    def profits(self) -> NDArray[np.float64]:
        """Profit of each trade after fees, in the quote currency, shape (m,); the open one marked at the last close."""
        moved = self._column("exit_price") - self._column("entry_price")
        earned = self._column("side") * self._column("quantity") * moved
        result: NDArray[np.float64] = earned - self._column("entry_fee") - self._column("exit_fee")
        return result

    @property
    def closed(self) -> NDArray[np.bool_]:
        """Which trades are over, shape (m,); only the last can still be open."""
        result: NDArray[np.bool_] = self._column("reason") != EXIT_REASONS.index("open")
        return result

    @property
    def trades(self) -> pd.DataFrame:
        """The round trips, oldest first; one row each.

        Columns: `entry_time exit_time` (open time of the bar in which the fill happened, UTC), `side` (long, short),
        `entry_price exit_price`, `quantity`, `pnl` (after fees, quote currency), `return_` (pnl over the value at
        entry), `fees`, `exit_reason` (signal, reversal, stop_loss, take_profit, trailing_stop, bankruptcy, or open: not
        over, marked at the last close), `bars_held`, `mae mfe` (furthest against and for the holder before the exit,
        fractions of the entry price). A new frame each time: changing it changes no result.
        """
        return self._trades.copy(deep=False)  # pandas copies what the caller changes

    @cached_property
    def _trades(self) -> pd.DataFrame:
        import pandas as pd

        entry_bar, exit_bar = self._column("entry_bar").astype(np.int64), self._column("exit_bar").astype(np.int64)
        bars = self.bars
        prices = Market(bars.open, bars.high, bars.low, bars.close)
        excursions = excursions_nb(self.trade_records, prices, self.fill == "close")
        value = self._column("quantity") * self._column("entry_price")
        return pd.DataFrame(
            {
                "entry_time": self._index[entry_bar],
                "exit_time": self._index[exit_bar],
                "side": np.where(self._column("side") > 0, "long", "short"),
                "entry_price": self._column("entry_price"),
                "exit_price": self._column("exit_price"),
                "quantity": self._column("quantity"),
                "pnl": self.profits,
                "return_": self.profits / value,
                "fees": self._column("entry_fee") + self._column("exit_fee"),
                "exit_reason": [EXIT_REASONS[int(code)] for code in self._column("reason")],
                "bars_held": exit_bar - entry_bar,
                "mae": excursions[:, 0],
                "mfe": excursions[:, 1],
            }
        )

    @property
    def orders(self) -> pd.DataFrame:
        """Every order, in the order of time: one row a fill, and one for each entry that could not be traded.

        Columns: `decided_time` (the bar on whose close, or in which, it was decided), `time` (the bar in which it
        filled), `side` (buy, sell), `type` (market, stop, limit), `quantity`, `price`, `fee`, `reason` (entry, or the
        exit's reason), `status` (filled, or why not). A new frame each time.
        """
        return self._orders.copy(deep=False)

    @cached_property
    def _orders(self) -> pd.DataFrame:
        import pandas as pd

        frames = [self._order_rows(entry=True), self._order_rows(entry=False)]
        both = pd.concat(frames, ignore_index=True).assign(status="filled")
        if len(self.skipped_records):
            both = pd.concat([both, self._skipped_rows()], ignore_index=True)
        # an exit comes before the entry of the same bar, except the exit of a trade that began in that bar
        both = both.sort_values(["bar", "trade", "leg"], kind="stable", ignore_index=True)
        return both.drop(columns=["bar", "trade", "leg"])

    def _order_rows(self, *, entry: bool) -> pd.DataFrame:
        import pandas as pd

        kept = np.ones(len(self.trade_records), dtype=bool) if entry else self.closed
        leg = "entry" if entry else "exit"
        bar, decided = (self._column(f"{leg}_{what}")[kept].astype(np.int64) for what in ("bar", "decided"))
        bought = (self._column("side")[kept] > 0) == entry
        reasons = [EXIT_REASONS[int(code)] for code in self._column("reason")[kept]]
        kinds = {"stop_loss": "stop", "trailing_stop": "stop", "take_profit": "limit"}
        return pd.DataFrame(
            {
                "decided_time": self._index[decided],
                "time": self._index[bar],
                "side": np.where(bought, "buy", "sell"),
                "type": ["market" if entry else kinds.get(reason, "market") for reason in reasons],
                "quantity": self._column("quantity")[kept],
                "price": self._column(f"{leg}_price")[kept],
                "fee": self._column(f"{leg}_fee")[kept],
                "reason": ["entry" if entry else reason for reason in reasons],
                "bar": bar,
                "trade": np.flatnonzero(kept),
                "leg": 0 if entry else 1,
            }
        )

    def _skipped_rows(self) -> pd.DataFrame:
        import pandas as pd

        side, decided, quantity, reason = self.skipped_records.T
        bar = decided.astype(np.int64)
        at = self._index[bar]
        return pd.DataFrame(
            {
                "decided_time": at,
                "time": pd.Series(pd.NaT, index=range(len(bar)), dtype=at.dtype),
                "side": np.where(side > 0, "buy", "sell"),
                "type": "market",
                "quantity": quantity,
                "price": math.nan,
                "fee": 0.0,
                "reason": "entry",
                "status": [SKIP_REASONS[int(code)] for code in reason],
                "bar": bar + (self.fill == "next_open"),  # when it would have been tried: after what filled in that bar
                "trade": len(self.trade_records),
                "leg": 0,
            }
        )

    @cached_property
    def drawdown(self) -> Drawdown:
        """The deepest fall of the equity."""
        return metrics.max_drawdown(self.equity_values, self.cash)

    @property
    def years(self) -> float:
        """Elapsed time from the first open to the last close, in years of 365 days."""
        return (self.bars.end - self.bars.start) / metrics.YEAR_MS

    @cached_property
    def metrics(self) -> Mapping[str, Value]:
        """The numbers, by name: see `wb.metrics.METRICS` for label, unit, formula and source of each.

        Fractions, ratios and amounts are floats (NaN where there is no answer), `trades` is an int, and times are ISO
        text in UTC, or None.
        """
        returns = metrics.returns_of(self.equity_values, self.cash)
        periods, fall, total = self.bars.periods_per_year, self.drawdown, self._total_return
        growth = metrics.annualised_return(total, self.years)
        profits = self.profits[self.closed]
        return MappingProxyType(
            {
                "total_return": total,
                "annualised_return": growth,
                "annualised_volatility": metrics.annualised_volatility(returns, periods),
                "sharpe_ratio": metrics.sharpe_ratio(returns, periods),
                "sortino_ratio": metrics.sortino_ratio(returns, periods),
                "calmar_ratio": metrics.calmar_ratio(growth, fall.depth),
                "max_drawdown": fall.depth,
                "max_drawdown_start": self._time_of(fall.start, fall),
                "max_drawdown_trough": self._time_of(fall.trough, fall),
                "max_drawdown_recovery": None if fall.recovery < 0 else self._time_of(fall.recovery, fall),
                "win_rate": metrics.win_rate(profits),
                "profit_factor": metrics.profit_factor(profits),
                "expectancy": metrics.expectancy(profits),
                "exposure": self._exposure,
                "turnover": metrics.turnover(self._traded_value, self.equity_values, self.years),
                "trades": int(self.closed.sum()),
            }
        )

    @property
    def _total_return(self) -> float:
        return metrics.total_return(self.equity_values, self.cash)

    def _time_of(self, bar: int, fall: Drawdown) -> str | None:
        """Write the time of a bar; bar -1 is the moment before the first bar, when only the cash was there."""
        return None if fall.depth == 0 else moment(int(self.bars.ts[max(bar, 0)]))

    @property
    def sides(self) -> NDArray[np.float64]:
        """+1 for each long trade, -1 for each short one, shape (m,)."""
        return self._column("side")

    @cached_property
    def held_bars(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First bar during which each trade was held and the bar after its last, shape (m,) each.

        A position opened at a close is held from the next bar on; one left at an open was not held in that bar.
        """
        first = self._column("entry_bar").astype(np.int64) + (self.fill == "close")
        left_at_open = (self.fill == "next_open") & np.isin(self._column("reason"), _BY_DECISION)
        last = self._column("exit_bar").astype(np.int64) + 1 - left_at_open
        return first, np.maximum(last, first)

    @property
    def _exposure(self) -> float:
        """Share of the bars that had a position at some moment."""
        first, last = self.held_bars
        change = np.zeros(len(self.bars) + 1, dtype=np.int64)
        np.add.at(change, first, 1)
        np.add.at(change, last, -1)
        return float(np.mean(np.cumsum(change)[:-1] > 0))

    @property
    def _traded_value(self) -> float:
        quantity = self._column("quantity")
        bought = float((quantity * self._column("entry_price")).sum())
        return bought + float((quantity * self._column("exit_price"))[self.closed].sum())

    @cached_property
    def buy_and_hold(self) -> NDArray[np.float64]:
        """What the cash would be worth bought at the first open, at the same costs, and held; shape (n,)."""
        from workbench.trading import arithmetic

        fee, slippage = self.costs.fee or 0.0, (self.costs.slippage_bps or 0.0) / 10_000
        price = arithmetic.market_price(float(self.bars.open[0]), 1.0, slippage)
        held: NDArray[np.float64] = arithmetic.affordable_quantity(self.cash, price, fee) * self.bars.close
        return held

    def plot(self) -> Figure:
        """Draw price with fills, equity beside buy and hold, and drawdown; a matplotlib Figure."""
        from workbench.backtest.charts import tear_sheet

        return tear_sheet(self)

    def cost_sensitivity(self, factors: Sequence[float] = (0.0, 1.0, 2.0, 3.0)) -> pd.DataFrame:
        """Run this again with fees and slippage multiplied by each factor; see `backtest.compare`."""
        from workbench.backtest.compare import cost_sensitivity

        return cost_sensitivity(self, factors)

    def to_vectorbt(self) -> Any:
        """Give a vectorbt Portfolio that holds exactly these orders, for everything that vectorbt can do with one."""
        from workbench.backtest.interop import portfolio_of

        return portfolio_of(self)

    def __repr__(self) -> str:
        told = self.metrics
        return (
            f"<Result {self.name} on {self.bars.symbol} {self.bars.timeframe}: {told['total_return']:+.2%}, "
            f"Sharpe {told['sharpe_ratio']:.2f}, max drawdown {told['max_drawdown']:.2%}, {told['trades']} trades, "
            f"fill={self.fill}, path={self.path}>"
        )

    def _repr_html_(self) -> str:
        from workbench.backtest.html import card

        return card(self)
