"""`Allocation`: what a rule for sharing money among strategies would have made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.research.allocating.walking import Walk
from workbench.risk import metrics
from workbench.risk.metrics import METRICS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Allocation"]

Floats = NDArray[np.float64]

_SHOWN: Final = (
    "total_return", "annualised_return", "annualised_volatility", "sharpe_ratio", "sortino_ratio", "calmar_ratio",
    "max_drawdown", "turnover",
)  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Allocation:
    """A walk through history with weights from the past only, beside equal weights and each strategy alone.

    Attributes
    ----------
    method : str
    names : tuple of str
        Of the strategies, in the order of every table.
    terms : tuple of str
        How it was done, in words.
    inputs : DataFrame
        Returns of the strategies on the rows that were lived through.
    decided : DatetimeIndex
        Of the row after which each set of weights was decided.
    walked, equal : Walk
        This rule, and equal weights decided on the same days at the same costs.
    """

    method: str
    names: tuple[str, ...]
    terms: tuple[str, ...]
    inputs: pd.DataFrame
    decided: pd.DatetimeIndex
    walked: Walk
    equal: Walk

    @property
    def equity(self) -> pd.Series:
        """What one unit of money became, after costs; UTC index of the rows after the first decision."""
        return self._series(self.walked.growth, "equity")

    @property
    def returns(self) -> pd.Series:
        """Simple returns per row, after costs."""
        return self._series(metrics.returns_of(self.walked.growth, 1.0), "returns")

    def _series(self, values: Floats, name: str) -> pd.Series:
        import pandas as pd

        return pd.Series(values, index=self.inputs.index, name=name)

    @property
    def weights(self) -> pd.DataFrame:
        """Weights as decided: one row a decision, held from the row after it on; what is missing to one is cash."""
        import pandas as pd

        return pd.DataFrame(self.walked.targets, index=self.decided, columns=list(self.names))

    @property
    def held(self) -> pd.DataFrame:
        """Weights at the start of every row, as prices have moved them."""
        import pandas as pd

        return pd.DataFrame(self.walked.held, index=self.inputs.index, columns=list(self.names))

    @property
    def turnover(self) -> pd.Series:
        """Value traded at each decision, a fraction of the whole, both sides counted."""
        import pandas as pd

        return pd.Series(self.walked.traded, index=self.decided, name="turnover")

    @property
    def costs(self) -> float:
        """What trading cost in all, a fraction of the first unit of money."""
        return self.walked.paid

    @property
    def contributions(self) -> pd.DataFrame:
        """What each strategy did for the whole: one row a strategy, then `costs`.

        Columns: `mean_weight`; `to_return`, fractions of the first unit of money, which sum to the total return;
        `to_risk`, shares of the variance of the whole before costs, which sum to one.
        """
        import pandas as pd

        own = self.walked.held * np.nan_to_num(self.inputs.to_numpy())
        away = self.walked.gross - self.walked.gross.mean()
        varied = float(away @ away)
        risk = (own - own.mean(axis=0)).T @ away / varied if varied > 0.0 else np.full(len(self.names), np.nan)
        frame = pd.DataFrame(
            {"mean_weight": self.walked.held.mean(axis=0), "to_return": self.walked.earned, "to_risk": risk},
            index=list(self.names),
        )
        frame.loc["costs"] = [np.nan, -self.walked.paid, np.nan]
        return frame

    @property
    def table(self) -> pd.DataFrame:
        """The numbers of this rule, of equal weights and of each strategy alone (at no cost), on the same rows."""
        import pandas as pd

        rows = {self.method: self._numbers(self.walked.growth, self.walked.traded)}
        rows["equal weights" if self.method != "equal_weight" else "equal weights again"] = self._numbers(
            self.equal.growth, self.equal.traded
        )
        for name in self.names:
            grown = np.cumprod(1.0 + np.nan_to_num(self.inputs[name].to_numpy()))
            rows[f"{name} alone"] = self._numbers(grown, np.empty(0))
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(_SHOWN))

    @property
    def years(self) -> float:
        """Time lived through, in years of 365 days."""
        index = self.inputs.index
        step = (index[-1] - index[0]) / max(len(index) - 1, 1)
        return float((index[-1] - index[0] + step).total_seconds() * 1_000 / metrics.YEAR_MS)

    def _numbers(self, growth: Floats, traded: Floats) -> list[float]:
        years = self.years
        periods, total = len(growth) / years, metrics.total_growth(growth, 1.0)
        returns, deepest = metrics.returns_of(growth, 1.0), metrics.deepest_drawdown(growth, 1.0).depth
        rate = metrics.growth_rate(total, years)
        return [
            total, rate, metrics.annualised_volatility(returns, periods), metrics.sharpe_ratio(returns, periods),
            metrics.sortino_ratio(returns, periods), rate / -deepest if deepest < 0.0 else np.nan, deepest,
            float(traded.sum()) / years,
        ]  # fmt: skip

    @property
    def sentence(self) -> str:
        """How it did beside equal weights, in words."""
        table = self.table
        mine, other = table.iloc[0], table.iloc[1]
        text, ratio = METRICS["total_return"].text, METRICS["sharpe_ratio"].text
        better = "more" if mine["sharpe_ratio"] > other["sharpe_ratio"] else "no more"
        return (
            f"{text(mine['total_return'])} after costs at a Sharpe ratio of {ratio(mine['sharpe_ratio'])} and a "
            f"deepest fall of {text(-mine['max_drawdown'])}: {better} for its risk than equal weights "
            f"({text(other['total_return'])}, {ratio(other['sharpe_ratio'])}, {text(-other['max_drawdown'])}). "
            f"Trading between strategies took {text(self.costs)} of the first money."
        )

    def plot(self) -> Figure:
        """Draw equity beside equal weights and each strategy alone, the weights over time, and drawdown."""
        from workbench.research.allocating.charts import allocation_chart

        return allocation_chart(self)

    def plot_weights(self) -> Figure:
        """Draw the weights held over time; what is missing to one is cash."""
        from workbench.research.allocating.charts import weights_chart

        return weights_chart(self)

    def __repr__(self) -> str:
        told: Any = self.table.iloc[0]
        return (
            f"<Allocation {self.method} of {len(self.names)} strategies: {told['total_return']:+.2%}, "
            f"Sharpe {told['sharpe_ratio']:.2f}, max drawdown {told['max_drawdown']:.2%}, "
            f"{len(self.decided)} decisions, costs {self.costs:.2%}>"
        )

    def _repr_html_(self) -> str:
        from workbench.research.allocating.pages import allocation_card

        return allocation_card(self)
