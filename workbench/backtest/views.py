"""What is shown of a result: its tables, what they add up to, and its pictures.

The base class of `Result`. Every method only calls the function that does the work, so that pandas, matplotlib and
plotly load when the first table or picture is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from workbench.backtest.result import Result
    from workbench.risk.metrics import Resampling

__all__ = ["Views"]


class Views:
    """Tables and pictures of a result; every frame is new, changing it changes no result."""

    @property
    def _result(self) -> Result:
        return cast("Result", self)

    @property
    def trades(self) -> pd.DataFrame:
        """The round trips, oldest first; one row each, from flat to flat.

        Columns: `symbol`, `entry_time exit_time` (open time of the bar of the first and of the last fill, UTC), `side`
        (long, short), `entry_price exit_price` (averages), `quantity` (all that was bought, or sold short), `pnl`
        (after fees and funding), `return_` (pnl over the value at entry), `fees`, `funding` (positive when received),
        `exit_reason` (signal, reversal, stop_loss, …; open: not over, marked at the last close), `bars_held`, `mae mfe`
        (furthest against and for the holder before the exit, fractions of the entry price).
        """
        from workbench.backtest.frames import trades_table

        return trades_table(self._result)

    @property
    def fills(self) -> pd.DataFrame:
        """Every execution, in the order in which they happened.

        Columns: `time` (open time of the bar in which it happened, UTC), `decided_time`, `symbol`, `side` (buy, sell),
        `quantity`, `quoted` (the price before slippage), `price`, `fee`, `slippage` (what the way from `quoted` to
        `price` cost), `liquidity` (maker, taker), `reason`, `order` (its number), `tag`.
        """
        from workbench.backtest.frames import fills_table

        return fills_table(self._result)

    @property
    def sizes(self) -> pd.DataFrame:
        """Why each entry was as large as it was, or was not made; empty without a sizing.

        Columns: `decided_time`, `symbol`, `side` (buy, sell), `quantity`, `price equity` (that it was reckoned with),
        `measure` (what the sizing measures, such as the ATR, as of the deciding bar), `limit` (what bound it: sizing,
        position, group, total, money), `status` (traded, or the code of why not), `why` (a sentence). A result of the
        compiled path is run again event by event for it.
        """
        from workbench.backtest.sizes import sizes_table

        return sizes_table(self._result)

    @property
    def orders(self) -> pd.DataFrame:
        """Every order, in the order of time, and every entry that could not be traded.

        Columns: `decided_time` (the bar on whose close, or in which, it was decided), `time` (the bar of its first
        fill), `symbol`, `side` (buy, sell), `type` (market, stop, limit, …), `quantity`, `filled`, `price` (average of
        its fills), `limit_price stop_price`, `fee`, `reason` (entry, order, or the exit's reason), `status` (filled, or
        why not), `tag`.
        """
        from workbench.backtest.frames import orders_table

        return orders_table(self._result)

    @property
    def limits(self) -> pd.DataFrame:
        """What limits on risk did, in the order of time; empty without limits.

        Columns: `time` (UTC), `limit`, `scope`, `symbol`, `side`, `value`, `threshold` (in the unit of the limit, see
        `wb.risk.limits.RULES`), `action` (warn, reject, reduce, flatten; or the state that the bot goes into: REDUCING,
        HALTED, ACTIVE), `order` (its id).
        """
        from workbench.backtest.frames import limits_table

        return limits_table(self._result)

    @property
    def positions(self) -> pd.DataFrame:
        """What was held at each close: one row for each bar and instrument with a position.

        Columns: `symbol`, `leg` (net; long and short in hedge mode), `quantity` (signed), `price` (average entry
        price), `value` (at the close, with the sign of the quantity), `unrealised` (profit so far, before fees and
        funding), `margin` (what it ties up). The index is the open time of the bar, UTC.
        """
        from workbench.backtest.frames import positions_table

        return positions_table(self._result)

    @property
    def exposure(self) -> pd.DataFrame:
        """What was held at each close, as fractions of the equity: `gross net long short`; NaN without equity."""
        from workbench.backtest.frames import exposure_table

        return exposure_table(self._result)

    @property
    def margin(self) -> pd.DataFrame:
        """Margin at each close: `used maintenance` as money, and `level`.

        The level is how often the equity covers the maintenance margin (with isolated margin: that of the position that
        is closest to it); liquidation is at one, and it is infinite where nothing need be kept.
        """
        from workbench.backtest.frames import margin_table

        return margin_table(self._result)

    @property
    def costs_by_kind(self) -> pd.DataFrame:
        """What trading cost: one row an instrument, columns `fees slippage funding liquidation total`.

        Money; negative where it was received. Slippage is the way from the quoted price to that of the fill.
        """
        from workbench.backtest.frames import costs_table

        return costs_table(self._result)

    def tear_sheet(self, *, benchmark: Any = None, resampling: Resampling | None = None) -> pd.DataFrame:
        """List every metric that can be computed of this result, with formula, convention and source.

        Parameters
        ----------
        benchmark : array_like or Series, optional
            Simple returns on the same bars; those of holding the instruments when left out.
        resampling : wb.metrics.Resampling, optional
            Give an interval beside each number, drawn so.

        Returns
        -------
        pandas.DataFrame
            As `wb.metrics.tear_sheet`: a row a metric, columns `group label value text unit formula convention
            annualised source`, and `low high interval` after `text` with a resampling.
        """
        from workbench.backtest.tables import tear_sheet

        return tear_sheet(self._result, benchmark, resampling)

    def split(self) -> pd.DataFrame:
        """Put the closed trades of both sides beside all: one column each for `long short all`, one row a number."""
        from workbench.backtest.breakdown import split

        return split(self._result)

    def by(self, *keys: str) -> pd.DataFrame:
        """Group the closed trades: by year, month, weekday, hour, instrument, exit_reason, side, or several of them.

        See `backtest.breakdown.by`.
        """
        from workbench.backtest.breakdown import by

        return by(self._result, *keys)

    @property
    def streaks(self) -> pd.DataFrame:
        """Runs of closed trades that won, and of those that did not, in the order in which they ended.

        Rows `winning` and `losing`; columns `count`, `mean` and `longest` (trades), `pnl` of the longest, its `start`
        and `end`, and `current` (trades of the run that is not over yet).
        """
        from workbench.backtest.breakdown import streaks

        return streaks(self._result)

    def best(self, count: int = 5) -> pd.DataFrame:
        """List the closed trades that made the most, best first."""
        return self.trades[self._result.closed].sort_values("pnl", ascending=False, kind="stable").head(count)

    def worst(self, count: int = 5) -> pd.DataFrame:
        """List the closed trades that lost the most, worst first."""
        return self.trades[self._result.closed].sort_values("pnl", kind="stable").head(count)

    def to_quantstats(self) -> pd.Series:
        """Give daily returns (fractions) by UTC day, without a timezone: what quantstats and pyfolio take."""
        from workbench.backtest.frames import daily_returns

        return daily_returns(self._result)

    def plot(self) -> Figure:
        """Draw prices with fills, equity beside buy and hold, and drawdown; a matplotlib Figure."""
        from workbench.backtest.charts import tear_sheet

        return tear_sheet(self._result)

    def plot_price(self, symbol: str | None = None) -> Figure:
        """Draw the price of one instrument with its fills; the first one when `symbol` is left out."""
        from workbench.backtest.charts_trades import fills_chart

        return fills_chart(self._result, symbol)

    def plot_equity(self) -> Figure:
        """Draw equity, what it would be before costs, and buying and holding."""
        from workbench.backtest.charts_equity import equity_chart

        return equity_chart(self._result)

    def plot_underwater(self) -> Figure:
        """Draw how far the equity was below its highest value, with the deepest falls marked."""
        from workbench.backtest.charts_equity import underwater_chart

        return underwater_chart(self._result)

    def plot_monthly_heatmap(self) -> Figure:
        """Draw the return of every month, one row a year."""
        from workbench.backtest.charts_monthly import monthly_heatmap

        return monthly_heatmap(self._result)

    def plot_trades(self) -> Figure:
        """Draw each closed trade: its return by when it ended, and how far it went against and for its holder."""
        from workbench.backtest.charts_trades import trades_chart

        return trades_chart(self._result)

    def plot_exposure(self) -> Figure:
        """Draw what was held long and short, as fractions of the equity."""
        from workbench.backtest.charts_equity import exposure_chart

        return exposure_chart(self._result)

    def plotly(self, kind: str = "overview", *, symbol: str | None = None) -> Any:
        """Draw an interactive figure; see `backtest.plots`.

        Parameters
        ----------
        kind : {"overview", "price", "equity", "underwater", "monthly", "trades", "exposure"}
        symbol : str, optional
            Of which instrument, where one is drawn; the first when left out.

        Returns
        -------
        plotly.graph_objects.Figure

        Raises
        ------
        ConfigError
            The kind or the symbol is unknown.
        """
        from workbench.backtest.plots import figure

        return figure(self._result, kind, symbol=symbol)

    def _repr_html_(self) -> str:
        from workbench.backtest.html import card

        return card(self._result)
