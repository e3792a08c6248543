"""`WalkForward`: the windows of a walk-forward, and the one equity that trading them in turn would have made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.result import Result
from workbench.market.bars import Bars, moment
from workbench.research.optimising.objectives import Objective, of_returns
from workbench.research.sweeping.evaluator import Evaluator
from workbench.research.validation.choosing import Choice, are_numbers
from workbench.risk import metrics

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["WalkForward", "Window"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
_CURVE = ("total_return", "annualised_return", "annualised_volatility", "sharpe_ratio", "sortino_ratio",
          "calmar_ratio", "max_drawdown")  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class Window:
    """One training and the test that follows.

    Attributes
    ----------
    train, test : (int, int)
        Open times of the first and the last bar, ms UTC.
    ts : int64 array, shape (n,)
        Open times of the test's bars.
    equity : float64 array, shape (n,)
        At their closes.
    cash : float
        What it began with.
    choice : Choice or None
        What was chosen; None where no parameters had an answer, and nothing was traded.
    result : Result or None
        The test as a backtest.
    """

    train: tuple[int, int]
    test: tuple[int, int]
    ts: Rows
    equity: Floats
    cash: float
    choice: Choice | None
    result: Result | None

    @property
    def end_cash(self) -> float:
        """What it left."""
        return float(self.equity[-1])

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What was chosen; empty for nothing."""
        return {} if self.choice is None else self.choice.parameters

    @property
    def returns(self) -> Floats:
        """Simple returns per bar of the test, fractions."""
        return metrics.returns_of(self.equity, self.cash)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class WalkForward:
    """What a walk-forward found.

    Attributes
    ----------
    evaluator : Evaluator
        Of the strategy on all bars.
    objective : Objective
    windows : tuple of Window
    splitter : RollingSplit
    ranges : mapping of str to (low, high)
        What each number could be chosen from.
    """

    evaluator: Evaluator
    objective: Objective
    windows: tuple[Window, ...]
    splitter: Any
    ranges: Mapping[str, tuple[float, float]]

    # Out of sample, in one piece

    @property
    def cash(self) -> float:
        """What the first window began with."""
        return self.windows[0].cash

    @cached_property
    def ts(self) -> Rows:
        """Open times of all bars that were tested, ms UTC, shape (n,)."""
        return np.concatenate([one.ts for one in self.windows])

    @cached_property
    def equity_values(self) -> Floats:
        """Equity at the close of each bar that was tested, compounded from window to window, shape (n,)."""
        return np.concatenate([one.equity for one in self.windows])

    @property
    def equity(self) -> pd.Series:
        """The same with a UTC index of open times."""
        return self._series(self.equity_values, "equity")

    @property
    def returns(self) -> pd.Series:
        """Simple returns per bar that was tested, fractions."""
        return self._series(metrics.returns_of(self.equity_values, self.cash), "returns")

    def _series(self, values: Floats, name: str) -> pd.Series:
        import pandas as pd

        from workbench.backtest.frames import times

        return pd.Series(values, index=times(self.ts), name=name)

    @property
    def results(self) -> tuple[Result, ...]:
        """The tests as backtests, without windows that traded nothing for want of a choice."""
        return tuple(one.result for one in self.windows if one.result is not None)

    @property
    def periods_per_year(self) -> float:
        """Bars a year of what was tested."""
        return max(one.periods_per_year for one in _listed(self.evaluator.bars))

    @property
    def years(self) -> float:
        """Elapsed time of what was tested."""
        step = min(one.timeframe.ms for one in _listed(self.evaluator.bars))
        return float(int(self.ts[-1]) + step - int(self.ts[0])) / metrics.YEAR_MS

    @cached_property
    def metrics(self) -> Mapping[str, float]:
        """The numbers of the joined equity, and of all trades together."""
        profits = np.concatenate([np.zeros(0), *(one.profits[one.closed] for one in self.results)])
        return MappingProxyType(
            {
                **self._curve(self.equity_values, self.cash),
                "win_rate": metrics.win_rate(profits), "profit_factor": metrics.profit_factor(profits),
                "expectancy": metrics.expectancy(profits), "trades": float(len(profits)),
            }
        )  # fmt: skip

    def _curve(self, equity: Floats, cash: float) -> dict[str, float]:
        returns = metrics.returns_of(equity, cash)[None]
        return {name: float(of_returns(name, returns, self.periods_per_year, self.years)[0]) for name in _CURVE}

    # Beside what

    @cached_property
    def buy_and_hold(self) -> Floats:
        """What the cash would be worth had it been held instead over the bars that were tested, shape (n,)."""
        first, last = int(self.ts[0]), int(self.ts[-1]) + 1
        series = [one.between(first, last) for one in _listed(self.evaluator.bars)]
        kept = [one for one in series if len(one)]
        options = {**self.evaluator.options, "cash": self.cash}
        held = Evaluator(self.evaluator.strategy, kept if len(kept) > 1 else kept[0], **options).result({})
        rows = np.searchsorted(held.records.ts, self.ts)
        return np.asarray(held.buy_and_hold[rows])

    def compare(self) -> pd.DataFrame:
        """Put what was traded beside what the trainings promised and beside buying and holding; a column each."""
        import pandas as pd

        known = [one.choice.score.numbers for one in self.windows if one.choice is not None]
        names = ("annualised_return", "sharpe_ratio", "max_drawdown")
        promised = {name: _mean([one.get(name, math.nan) for one in known]) for name in names}
        table = {
            "out of sample": {name: self.metrics[name] for name in _CURVE},
            "in sample, mean of windows": promised,
            "buy and hold": self._curve(self.buy_and_hold, self.cash),
        }
        return pd.DataFrame(table).reindex(_CURVE)

    @property
    def efficiency(self) -> float:
        """Annualised return out of sample over the mean of those in sample; NaN where the latter is not positive."""
        promised = _mean([_annual(one) for one in self.windows if one.choice is not None])
        return float(self.metrics["annualised_return"] / promised) if promised > 0.0 else math.nan

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a window: times, what was chosen, and how it did in sample and out of it."""
        import pandas as pd

        return pd.DataFrame([self._row(one) for one in self.windows], index=pd.RangeIndex(1, len(self.windows) + 1))

    def _row(self, one: Window) -> dict[str, Any]:
        import pandas as pd

        periods, returns = self.periods_per_year, one.returns[None]
        numbers = {} if one.choice is None else one.choice.score.numbers
        return {
            "train_start": pd.Timestamp(one.train[0], unit="ms", tz="UTC"),
            "test_start": pd.Timestamp(one.test[0], unit="ms", tz="UTC"),
            "test_end": pd.Timestamp(one.test[1], unit="ms", tz="UTC"),
            **one.parameters,
            f"in_sample_{self.objective.name}": math.nan if one.choice is None else one.choice.score.values[0],
            "in_sample_annualised_return": numbers.get("annualised_return", math.nan),
            "annualised_return": float(of_returns("annualised_return", returns, periods)[0]),
            "total_return": float(one.equity[-1] / one.cash - 1.0),
            "sharpe_ratio": float(of_returns("sharpe_ratio", returns, periods)[0]),
            "max_drawdown": float(of_returns("max_drawdown", returns, periods)[0]),
            "trades": 0 if one.result is None else int(one.result.closed.sum()),
        }

    def stability(self) -> pd.DataFrame:
        """Say of each parameter how steady the choice was.

        Returns
        -------
        pandas.DataFrame
            One row a parameter: `lowest`, `highest`, `mean` and `deviation` (numbers only), `values` (different ones),
            `changes` (share of windows that chose another than the one before), and `drift` (mean step from window to
            window over the range that was chosen from, 0 for steady; 1/3 is what choosing blindly gives).
        """
        import pandas as pd

        chosen = [one.parameters for one in self.windows if one.choice is not None]
        names = list(dict.fromkeys(name for one in chosen for name in one))
        rows = {
            name: _steadiness([one[name] for one in chosen if name in one], self.ranges.get(name)) for name in names
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("parameter")

    # To look at

    def plot(self) -> Figure:
        """Draw the joined equity beside buying and holding, with the windows, and how each did."""
        from workbench.research.validation.charts import walk_chart

        return walk_chart(self)

    def plot_parameters(self) -> Figure:
        """Draw what was chosen over time."""
        from workbench.research.validation.charts import choices_chart

        return choices_chart(self)

    def __len__(self) -> int:
        return len(self.windows)

    def __repr__(self) -> str:
        found = self.metrics
        told = "\N{EN DASH}" if math.isnan(self.efficiency) else f"{self.efficiency:.2f}"
        return (
            f"<WalkForward {type(self.evaluator.strategy).__name__}, {len(self)} windows from "
            f"{moment(int(self.ts[0]))}: {found['total_return']:+.2%} out of sample, "
            f"Sharpe {found['sharpe_ratio']:.2f}, max drawdown {found['max_drawdown']:.2%}, efficiency {told}>"
        )

    def _repr_html_(self) -> str:
        shown = self.compare().to_html(float_format="{:.4g}".format, na_rep="\N{EN DASH}")
        windows = self.table.to_html(float_format="{:.4g}".format, na_rep="\N{EN DASH}")
        return f"<p><b>{escape(repr(self)[1:-1])}</b></p>{shown}{windows}"


def _listed(bars: Bars | list[Bars]) -> list[Bars]:
    return bars if isinstance(bars, list) else [bars]


def _annual(window: Window) -> float:
    return math.nan if window.choice is None else window.choice.score.numbers.get("annualised_return", math.nan)


def _mean(values: list[float]) -> float:
    known = [one for one in values if math.isfinite(one)]
    return float(np.mean(known)) if known else math.nan


def _steadiness(values: list[Any], ends: tuple[float, float] | None) -> dict[str, Any]:
    steps = [float(a != b) for a, b in pairwise(values)]
    found: dict[str, Any] = {"values": len({repr(one) for one in values}), "changes": _mean(steps)}
    if are_numbers(values):
        array = np.asarray(values, dtype=np.float64)
        found = {"lowest": array.min(), "highest": array.max(), "mean": array.mean(), "deviation": array.std()} | found
        width = ends[1] - ends[0] if ends else float(np.ptp(array))
        moved = float(np.abs(np.diff(array)).mean()) if len(array) > 1 else math.nan
        found["drift"] = moved / width if width > 0.0 else 0.0
    return found
