"""`Result`: what a backtest found, as tables, series, numbers and pictures.

A result keeps what was run (`plan`) and what came of it (`records`), both as arrays; everything else is made from them
when asked for, so that pandas, matplotlib and plotly load only for those who look at tables and charts. Here are
inputs, series and numbers; the tables and pictures are its base class, `views.Views`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.backtest import curves
from workbench.backtest.costs import Costs, Fill
from workbench.backtest.plan import Plan
from workbench.backtest.records import FILL_FIELDS, Records, column
from workbench.backtest.trips import AT_CLOSE, AT_OPEN, OPEN, trip_column, trips_of
from workbench.backtest.views import Views
from workbench.market.bars import Bars, moment
from workbench.risk import metrics
from workbench.risk.metrics import Drawdown

if TYPE_CHECKING:
    import pandas as pd

    from workbench.backtest.doctor import Diagnosis

__all__ = ["Result", "ratios_of"]

Value = float | int | str | None
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Result(Views):
    """One backtest, of one instrument or many: what was run, what was traded, and the equity.

    Parameters
    ----------
    plan : Plan
        What was run.
    records : Records
        What came of it.
    costs : mapping of str to Costs, or sequence of Costs
        What was charged, nothing left out: by symbol, or one for each instrument.
    fill : {"next_open", "close"}
    detail : mapping of str to str, optional
        Timeframe of the finer bars that resolved those of an instrument, by symbol.
    rules : Rules, optional
        As the user said them.

    Attributes
    ----------
    charged : tuple of Costs
        One for each instrument.
    """

    plan: Plan
    records: Records
    charged: tuple[Costs, ...]
    fill: Fill
    detail: Mapping[str, str]
    rules: Any

    def __init__(
        self,
        *,
        plan: Plan,
        records: Records,
        costs: Mapping[str, Costs] | Sequence[Costs],
        fill: Fill,
        detail: Mapping[str, str] | None = None,
        rules: Any = None,
    ) -> None:
        charged = [costs[line.bars.symbol] for line in plan.lines] if isinstance(costs, Mapping) else costs
        object.__setattr__(self, "plan", plan)
        object.__setattr__(self, "records", records)
        object.__setattr__(self, "charged", tuple(charged))
        object.__setattr__(self, "fill", fill)
        object.__setattr__(self, "detail", MappingProxyType(dict(detail or {})))
        object.__setattr__(self, "rules", rules)

    # What was run

    @property
    def bars(self) -> Bars:
        """The bars of the first instrument."""
        return self.plan.lines[0].bars

    @property
    def series(self) -> tuple[Bars, ...]:
        """The bars of every instrument, in the order in which they were given."""
        return tuple(line.bars for line in self.plan.lines)

    @property
    def strategy(self) -> Any:
        """The strategy, or the signals."""
        return self.plan.strategy

    @property
    def cash(self) -> float:
        """Equity before the first bar, in the currency of the account."""
        return self.plan.cash

    @property
    def costs(self) -> Costs:
        """What was charged for the first instrument, nothing left out; `charged` has those of all."""
        return self.charged[0]

    @property
    def currency(self) -> str:
        """The currency that money is in."""
        return self.bars.instrument.settle

    @property
    def path(self) -> str:
        """Which path computed it: "compiled" or "event"."""
        return self.records.path

    @property
    def quality(self) -> dict[str, dict[str, int | float | str]]:
        """What is odd about the bars of each instrument, counted by kind, by symbol; `bars.quality` has it in full."""
        from workbench.backtest.sound import quality_of

        return quality_of(self)

    @property
    def name(self) -> str:
        """The strategy with its parameters."""
        if isinstance(self.strategy, Mapping):
            return f"<Signals of {len(self.strategy)} instruments>"
        return repr(self.strategy)

    @property
    def market(self) -> str:
        """The instruments and the length of a bar, in words."""
        names = [bars.symbol for bars in self.series]
        told = ", ".join(names) if len(names) <= 3 else f"{len(names)} instruments"
        return f"{told} {self.bars.timeframe}"

    @property
    def start(self) -> int:
        """Open time of the first bar of all, ms UTC."""
        return min(bars.start for bars in self.series)

    @property
    def end(self) -> int:
        """Close time of the last bar of all, ms UTC."""
        return max(bars.end for bars in self.series)

    @property
    def years(self) -> float:
        """Elapsed time from the first open to the last close, in years of 365 days."""
        return (self.end - self.start) / metrics.YEAR_MS

    @property
    def periods_per_year(self) -> float:
        """How many bars of the equity a year has: those of the instrument that trades most of the time."""
        calendars = {bars.instrument.calendar: bars for bars in self.series}
        return max(bars.periods_per_year for bars in calendars.values())

    # What came of it, per bar

    @property
    def equity_values(self) -> Floats:
        """Value of the account at each close, shape (n,)."""
        return self.records.equity

    @property
    def equity(self) -> pd.Series:
        """Value of the account at each close; UTC index of bar open times, shape (n,)."""
        return self._series_of(self.records.equity.copy(), "equity")

    @property
    def gross_equity(self) -> pd.Series:
        """What `equity` would be had the same fills cost nothing: fees, slippage, funding and liquidation put back."""
        return self._series_of(self.records.equity + curves.cost_curve(self.plan, self.records), "gross_equity")

    @property
    def returns(self) -> pd.Series:
        """Simple returns per bar, as fractions; index as `equity`."""
        return self._series_of(metrics.returns_of(self.records.equity, self.cash), "returns")

    def _series_of(self, values: Floats, name: str) -> pd.Series:
        import pandas as pd

        return pd.Series(values, index=self._index, name=name)

    @cached_property
    def _index(self) -> pd.DatetimeIndex:
        from workbench.backtest.frames import times

        return times(self.records.ts)

    @cached_property
    def buy_and_hold(self) -> Floats:
        """What the cash would be worth had it been held instead; shape (n,).

        Each instrument gets the same share of the cash, is bought at its first open at the fee and slippage of the run,
        without leverage, and held. An inverse contract is held as the coin itself, which is its own currency.
        """
        return curves.held_value(self)

    # Trades

    @cached_property
    def trade_records(self) -> Floats:
        """The round trips as an array, shape (m, fields); see `trips.TRIP_FIELDS`."""
        return trips_of(self.plan, self.records)

    @property
    def skipped_records(self) -> Floats:
        """Entries that could not be traded, shape (k, fields); see `records.SKIP_FIELDS`."""
        return self.records.skipped

    def trip(self, name: str) -> Floats:
        """Give one column of `trade_records` by name, shape (m,)."""
        return trip_column(self.trade_records, name)

    @cached_property
    def profits(self) -> Floats:
        """Profit of each trade after fees and funding, shape (m,); an open one is marked at the last close."""
        earned = np.zeros(len(self.trade_records))
        which, side, quantity = (self.trip(name) for name in ("instrument", "side", "quantity"))
        entry, left = self.trip("entry_price"), self.trip("exit_price")
        for k in np.unique(which).astype(np.int64):
            line, mine = self.plan.lines[k], which == k
            moved = 1.0 / entry[mine] - 1.0 / left[mine] if line.inverse else left[mine] - entry[mine]
            earned[mine] = side[mine] * quantity[mine] * moved * line.contract_size
        result: Floats = earned - self.trip("entry_fee") - self.trip("exit_fee") + self.trip("funding")
        return result

    @cached_property
    def entry_values(self) -> Floats:
        """What each trade was worth at its entry prices, shape (m,), positive."""
        what = (self.trip(name) for name in ("instrument", "quantity", "entry_price"))
        return curves.values_of(self.plan, *what)

    @property
    def closed(self) -> NDArray[np.bool_]:
        """Which trades are over, shape (m,)."""
        result: NDArray[np.bool_] = self.trip("reason") != OPEN
        return result

    @property
    def sides(self) -> Floats:
        """+1 for each long trade, -1 for each short one, shape (m,)."""
        return self.trip("side")

    @cached_property
    def bars_held(self) -> Whole:
        """Bars of its instrument from the first to the last fill of each trade, shape (m,)."""
        found = np.zeros(len(self.trade_records), dtype=np.int64)
        which = self.trip("instrument")
        for k in np.unique(which).astype(np.int64):
            mine, ts = which == k, self.plan.lines[k].bars.ts
            first, last = (curves.rows_at(ts, self.trip(f"{leg}_ts")[mine]) for leg in ("entry", "exit"))
            found[mine] = last - first
        return found

    @cached_property
    def held_bars(self) -> tuple[Whole, Whole]:
        """First row of the equity during which each trade was held and the row after its last, shape (m,) each.

        A position opened at a close is held from the next bar on; one left at an open was not held in that bar.
        """
        grid, left = self.records.ts, self.trip("exit_ts")
        first = curves.rows_at(grid, self.trip("entry_ts")) + (self.trip("entry_place") == AT_CLOSE)
        row = curves.rows_at(grid, left)
        last = row + 1 - ((self.trip("exit_place") == AT_OPEN) & (grid[row] == left))
        return first, np.maximum(last, first)

    # Numbers

    @cached_property
    def drawdown(self) -> Drawdown:
        """The deepest fall of the equity."""
        return metrics.deepest_drawdown(self.records.equity, self.cash)

    @cached_property
    def metrics(self) -> Mapping[str, Value]:
        """The numbers, by name: see `wb.metrics.METRICS` for label, unit, formula and source of each.

        Fractions, ratios and amounts are floats (NaN where there is no answer), `trades` is an int, and times are ISO
        text in UTC, or None.
        """
        fall, profits = self.drawdown, self.profits[self.closed]
        return MappingProxyType(
            {
                **ratios_of(self.records.equity, self),
                "max_drawdown_start": self._time_of(fall.start, fall),
                "max_drawdown_trough": self._time_of(fall.trough, fall),
                "max_drawdown_recovery": None if fall.recovery < 0 else self._time_of(fall.recovery, fall),
                "win_rate": metrics.win_rate(profits),
                "profit_factor": metrics.profit_factor(profits),
                "expectancy": metrics.expectancy(profits),
                "exposure": self._exposure,
                "turnover": metrics.turnover(self._traded_value, self.records.equity, self.years),
                "trades": int(self.closed.sum()),
            }
        )

    def _time_of(self, bar: int, fall: Drawdown) -> str | None:
        """Write the time of a bar; bar -1 is the moment before the first bar, when only the cash was there."""
        return None if fall.depth == 0 else moment(int(self.records.ts[max(bar, 0)]))

    @property
    def _exposure(self) -> float:
        """Share of the bars that had a position at some moment."""
        first, last = self.held_bars
        change = np.zeros(len(self.records.ts) + 1, dtype=np.int64)
        np.add.at(change, first, 1)
        np.add.at(change, last, -1)
        return float(np.mean(np.cumsum(change)[:-1] > 0))

    @property
    def _traded_value(self) -> float:
        fills = self.records.fills
        what = (column(fills, FILL_FIELDS, name) for name in ("instrument", "quantity", "price"))
        return float(curves.values_of(self.plan, *what).sum())

    # Again, and elsewhere

    def cost_sensitivity(self, factors: Sequence[float] = (0.0, 1.0, 2.0, 3.0)) -> pd.DataFrame:
        """Run this again with all that trading costs multiplied by each factor; see `backtest.compare`."""
        from workbench.backtest.compare import cost_sensitivity

        return cost_sensitivity(self, factors)

    def doctor(self, *, held_out: str | None = None) -> Diagnosis:
        """Look for what makes these numbers doubtful; `held_out` says what was kept from the search, if anything."""
        from workbench.backtest.doctor import diagnose

        return diagnose(self, held_out=held_out)

    def to_vectorbt(self) -> Any:
        """Give a vectorbt Portfolio that holds exactly these fills, for everything that vectorbt can do with one."""
        from workbench.backtest.interop import portfolio_of

        return portfolio_of(self)

    def to_json(self, file: str | Path | None = None) -> str:
        """Give everything in plain JSON: inputs, metrics, equity, trades and fills; also written to `file` if given."""
        from workbench.backtest.export import to_json

        return to_json(self, file)

    def to_csv(self, folder: str | Path) -> list[Path]:
        """Write the tables as CSV files into a folder; see `backtest.export`."""
        from workbench.backtest.export import to_csv

        return to_csv(self, folder)

    def to_parquet(self, folder: str | Path) -> list[Path]:
        """Write the tables as Parquet files into a folder, with their schema; see `backtest.export_schema`."""
        from workbench.backtest.export import to_parquet

        return to_parquet(self, folder)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write all of it, so that `Result.load` gives it back bit for bit; see `backtest.export`."""
        from workbench.backtest.export import save

        return save(self, path, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path, *, strategy: Any = None) -> Result:
        """Read what `save` wrote; see `backtest.export`."""
        from workbench.backtest.export import load_result

        return load_result(path, strategy=strategy)

    def __repr__(self) -> str:
        told = self.metrics
        return (
            f"<Result {self.name} on {self.market}: {told['total_return']:+.2%}, "
            f"Sharpe {told['sharpe_ratio']:.2f}, max drawdown {told['max_drawdown']:.2%}, {told['trades']} trades, "
            f"fill={self.fill}, path={self.path}>"
        )


def ratios_of(equity: Floats, result: Result) -> dict[str, float]:
    """Give the metrics that an equity curve on the times of a result has by itself.

    Parameters
    ----------
    equity : float64 array, shape (n,)
        That of the result, or of something to compare it with.
    result : Result
    """
    cash, periods = result.cash, result.periods_per_year
    returns, depth = metrics.returns_of(equity, cash), metrics.deepest_drawdown(equity, cash).depth
    total = metrics.total_growth(equity, cash)
    growth = metrics.growth_rate(total, result.years)
    return {
        "total_return": total,
        "annualised_return": growth,
        "annualised_volatility": metrics.annualised_volatility(returns, periods),
        "sharpe_ratio": metrics.sharpe_ratio(returns, periods),
        "sortino_ratio": metrics.sortino_ratio(returns, periods),
        "calmar_ratio": growth / -depth if depth < 0.0 else math.nan,
        "max_drawdown": depth,
    }
