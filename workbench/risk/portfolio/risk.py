"""`PortfolioRisk`: what a portfolio can lose, by whom and by what, as numbers, tables, sentences and pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError, DataError
from workbench.risk.portfolio.book import DIMENSIONS, Book, Leg
from workbench.risk.portfolio.drawdowns import DrawdownMonitor, monitor_of
from workbench.risk.portfolio.factors import factor_rows
from workbench.risk.portfolio.levels import moves_of, spacing_in_words
from workbench.risk.portfolio.spread import correlation_of, scaled_to_now, shrunk_covariance
from workbench.risk.portfolio.tails import Law, Normal, Parts, Simulated, Tail
from workbench.risk.portfolio.terms import Terms
from workbench.risk.portfolio.views import Views

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PortfolioRisk"]

Floats = NDArray[np.float64]
_FEW = 5


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class PortfolioRisk(Views):
    """The risk of what is held now. Made by `measure`.

    Losses are positive: `value_at_risk` is an amount of money that is lost, unlike `wb.metrics.value_at_risk`, which is
    a return. All amounts are in the reporting currency.

    Attributes
    ----------
    book : Book
        What is held.
    levels : DataFrame or None
        Prices by series.
    terms : Terms
        How risk is measured.
    history : Series or None
        Equity of the past, for the drawdown.
    remarks : tuple of str
        What else should be known, as said by whoever put it together.
    """

    book: Book
    levels: pd.DataFrame | None
    terms: Terms
    history: pd.Series | None = None
    remarks: tuple[str, ...] = ()

    # What there is

    @property
    def currency(self) -> str:
        """The reporting currency."""
        return self.book.currency

    @property
    def equity(self) -> float:
        """What all of it is worth."""
        return self.book.equity

    @property
    def gross(self) -> float:
        """Sum of the sizes of all positions."""
        return float(np.abs(self.book.exposure).sum())

    @property
    def net(self) -> float:
        """Sum of all positions, short ones negative."""
        return float(self.book.exposure.sum())

    @property
    def leverage(self) -> float:
        """Gross exposure over equity; NaN without equity."""
        return self.of_equity(self.gross)

    def of_equity(self, amount: float) -> float:
        """Give an amount as a fraction of equity; NaN without equity."""
        return amount / self.equity if self.equity > 0.0 else math.nan

    # How it moves

    def prices(self) -> pd.DataFrame:
        """Give the prices; DataError where there are none."""
        if self.levels is None:
            raise DataError("risk is measured by what prices did: give prices= or returns= to the portfolio")
        return self.levels

    @cached_property
    def _found(self) -> tuple[tuple[Leg, ...], list[str]]:
        return self.book.legs(self.prices().columns)

    @property
    def legs(self) -> tuple[Leg, ...]:
        """How each line wins and loses."""
        return self._found[0]

    @property
    def fixed_rates(self) -> list[str]:
        """Rates between currencies that are taken as fixed, since no prices tell how they move."""
        return self._found[1]

    @cached_property
    def series(self) -> list[str]:
        """The series that it depends on, in the order of the prices."""
        needed = {leg.series for leg in self.legs}
        return [str(name) for name in self.prices().columns if name in needed]

    def moves(self, horizon: int | None = None) -> pd.DataFrame:
        """Give returns of the series over the rows that all of them have; spans of the horizon overlap."""
        import pandas as pd

        values, index = moves_of(self.prices(), self.series, int(horizon or self.terms.horizon))
        return pd.DataFrame(values, index=index, columns=self.series)

    def profits(self, horizon: int | None = None) -> pd.Series:
        """Give what the portfolio of now would have won or lost in each span of the past, in money."""
        import pandas as pd

        moves = self.moves(horizon)
        return pd.Series(self.book.profits(self.legs, moves).sum(axis=1), index=moves.index, name="profit")

    @property
    def step(self) -> str:
        """What a row of the prices is, in words: "day"."""
        return spacing_in_words(self._rows)

    @cached_property
    def _rows(self) -> pd.DatetimeIndex:
        return moves_of(self.prices(), self.series, 1)[1]

    # The law, and the numbers

    def law(self, terms: Terms | None = None) -> Law:
        """Give the law of profits and losses under some terms, those of the portfolio where left out."""
        how = terms or self.terms
        if how.method == "parametric":
            return Normal(self.book.stakes(self.legs), self._leg_matrix(how) * how.horizon, how.level)
        if how.method == "historical":
            return Simulated(self.book.profits(self.legs, self.moves(how.horizon)), how.level)
        import pandas as pd

        moves = self.moves(1)
        scaled = pd.DataFrame(
            scaled_to_now(moves.to_numpy(), how.updating, how.decay), index=moves.index, columns=moves.columns
        )
        if how.horizon > 1:
            windows = np.lib.stride_tricks.sliding_window_view(1.0 + scaled.to_numpy(), how.horizon, axis=0)
            scaled = pd.DataFrame(windows.prod(axis=2) - 1.0, columns=moves.columns)
        return Simulated(self.book.profits(self.legs, scaled), how.level)

    def matrix(self, terms: Terms | None = None) -> Floats:
        """Give the covariance of the returns of one row, in the order of `series`."""
        return shrunk_covariance(self.moves(1).to_numpy(), (terms or self.terms).covariance)

    def _leg_matrix(self, terms: Terms) -> Floats:
        places = [self.series.index(leg.series) for leg in self.legs]
        return np.asarray(self.matrix(terms)[np.ix_(places, places)])

    @cached_property
    def _law(self) -> Law:
        return self.law()

    @cached_property
    def _parts(self) -> Parts:
        return self._law.parts()

    @property
    def _all(self) -> NDArray[np.bool_]:
        return np.ones(len(self.legs), dtype=np.bool_)

    @cached_property
    def tail(self) -> Tail:
        """Value at risk and expected shortfall, in money."""
        return self._law.alone(self._all)

    @property
    def value_at_risk(self) -> float:
        """The loss that is exceeded with probability 1 - level, in money."""
        return self.tail.value_at_risk

    @property
    def expected_shortfall(self) -> float:
        """The mean loss in the worst 1 - level of the cases, in money."""
        return self.tail.expected_shortfall

    @cached_property
    def volatility(self) -> float:
        """Standard deviation of profits over the horizon, in money."""
        return self._law.volatility(self._all)

    def tails(self, by: str = "asset") -> pd.DataFrame:
        """Split value at risk and expected shortfall.

        Parameters
        ----------
        by : str
            One of `DIMENSIONS`, or "factor": the series that move it, rates of currencies among them.

        Returns
        -------
        DataFrame
            One row a part, the largest component first, then `all`. `exposure`; `volatility`, `value_at_risk` and
            `expected_shortfall` of the part by itself; `component_var`, `component_es`, which sum to those of the
            whole; `share`, of the expected shortfall; `marginal_var`, how much the value at risk of the whole grows for
            a unit of money more in this part (NaN where its net exposure is nothing); `incremental_var`, how much less
            it would be without it.
        """
        import pandas as pd

        columns = [
            "exposure", "volatility", "value_at_risk", "expected_shortfall", "component_var", "component_es", "share",
            "marginal_var", "incremental_var",
        ]  # fmt: skip
        names, exposures = self._split(by)
        rows = {name: self._tail_row(chosen, exposures[name]) for name, chosen in names.items()}
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
        frame = frame.sort_values("component_es", ascending=False, kind="stable")
        frame.loc["all"] = self._tail_row(self._all, self.net)
        return frame.rename_axis(by)

    def _split(self, by: str) -> tuple[dict[str, NDArray[np.bool_]], dict[str, float]]:
        """Say which legs belong to each part, and its net exposure."""
        if by == "factor":
            whose = [leg.series for leg in self.legs]
            held = self.book.stakes(self.legs)
            names = list(dict.fromkeys(whose))
            chosen = {name: np.array([one == name for one in whose], dtype=np.bool_) for name in names}
            return chosen, {name: float(held[chosen[name]].sum()) for name in names}
        if by not in DIMENSIONS:
            raise ConfigError(f"by = {by!r} is not one of {', '.join(map(repr, (*DIMENSIONS, 'factor')))}")
        labels = self.book.labels(by)
        whose = [labels[leg.line] for leg in self.legs]
        exposure = self.book.exposure
        names = [name for name in dict.fromkeys(labels) if name in whose or name != "money"]
        chosen = {name: np.array([one == name for one in whose], dtype=np.bool_) for name in names}
        return chosen, {
            name: float(sum(exposure[k] for k, label in enumerate(labels) if label == name)) for name in names
        }

    def _tail_row(self, chosen: NDArray[np.bool_], exposure: float) -> list[float]:
        alone, parts, whole = self._law.alone(chosen), self._parts, self.tail
        component, shortfall = float(parts.value_at_risk[chosen].sum()), float(parts.expected_shortfall[chosen].sum())
        everything = bool(chosen.all()) and len(chosen) == len(self.legs)
        without = Tail(0.0, 0.0) if everything else self._law.alone(~chosen)
        flat = abs(exposure) <= 1e-9 * max(self.gross, 1e-300)
        return [
            exposure,
            self._law.volatility(chosen),
            alone.value_at_risk,
            alone.expected_shortfall,
            component,
            shortfall,
            shortfall / whole.expected_shortfall if whole.expected_shortfall > 0.0 else math.nan,
            math.nan if flat else component / exposure,
            whole.value_at_risk - without.value_at_risk,
        ]

    def contributions(self, by: str = "asset") -> pd.DataFrame:
        """Split the volatility of the whole by Euler's rule.

        Returns
        -------
        DataFrame
            One row a part, then `all`: `exposure`, `volatility` by itself, `component` (they sum to the whole),
            `share`, `correlation` of the part with the whole.
        """
        import pandas as pd

        names, exposures = self._split(by)
        rows = {}
        whole = self.volatility
        for name, chosen in {**names, "all": self._all}.items():
            alone, part = self._law.volatility(chosen), float(self._parts.volatility[chosen].sum())
            rows[name] = [
                exposures.get(name, self.net) if name != "all" else self.net,
                alone,
                part,
                part / whole if whole > 0.0 else math.nan,
                part / alone if alone > 0.0 else math.nan,
            ]
        columns = ["exposure", "volatility", "component", "share", "correlation"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis(by)

    def methods(self, levels: Sequence[float] = (0.95, 0.99)) -> pd.DataFrame:
        """Measure by each method at several levels.

        Returns
        -------
        DataFrame
            Rows (method, level): `value_at_risk`, `expected_shortfall`, and both as fractions of equity.
        """
        import pandas as pd

        rows: dict[Any, list[float]] = {}
        for method in ("historical", "parametric", "filtered"):
            for level in levels:
                found = self.law(replace(self.terms, method=method, level=level)).alone(self._all)
                rows[method, level] = [*found, *map(self.of_equity, found)]
        index = pd.MultiIndex.from_tuples(list(rows), names=["method", "level"])
        columns = ["value_at_risk", "expected_shortfall", "var_share", "es_share"]
        return pd.DataFrame(list(rows.values()), index=index, columns=columns)

    def correlations(self, by: str = "factor") -> pd.DataFrame:
        """Give shrunk correlations of the returns of the series ("factor"), or of the profits by a dimension.

        Parts that do not move are left out; so are the signs of positions for "factor".
        """
        import pandas as pd

        if by == "factor":
            names, values = self.series, self.moves(1).to_numpy()
        else:
            chosen, _ = self._split(by)
            won = self.book.profits(self.legs, self.moves(1))
            names = [name for name, mine in chosen.items() if mine.any() and np.ptp(won[:, mine].sum(axis=1)) > 0.0]
            values = np.column_stack([won[:, chosen[name]].sum(axis=1) for name in names]) if names else won[:, :0]
            values = values / (np.abs(values).max(axis=0) if values.size else 1.0)
        found = correlation_of(shrunk_covariance(values, self.terms.covariance))
        return pd.DataFrame(found, index=names, columns=names)

    def factors(self, factors: Any) -> pd.DataFrame:
        """Split the tail by factors that you name: markets that it may depend on without holding them.

        Parameters
        ----------
        factors : list of str, or DataFrame
            Columns of the prices, or prices of their own.

        Returns
        -------
        DataFrame
            One row a factor, then `specific` (what they do not explain) and `all`: `beta`, money for each unit of its
            return with the others held fixed; `component_es`, `component_var`, `share`, as in `tails`.

        Raises
        ------
        ConfigError
            The terms are not historical.
        DataError
            A factor is unknown, or there are no more common rows than factors.
        """
        if self.terms.method != "historical":
            raise ConfigError("factors are found in what happened: measure with method='historical'")
        return factor_rows(self, factors)

    # Watching

    def drawdown(self, *, warn: float = 0.15, pause: float = 0.25) -> DrawdownMonitor:
        """Give a monitor that has heard the equity of the past; it can be told what comes next.

        Raises
        ------
        DataError
            The portfolio was made without `equity`.
        """
        if self.history is None:
            raise DataError("give equity= (a Series by time) to the portfolio, to know how far it is below its high")
        return monitor_of(self.history, warn=warn, pause=pause)

    @property
    def notes(self) -> list[str]:
        """What should be known of these numbers, in words."""
        told: list[str] = [*self.remarks]
        if self.levels is None:
            return [*told, "no prices: exposures only"]
        if self.fixed_rates:
            told.append(f"taken as fixed, since no prices tell how they move: {', '.join(self.fixed_rates)}")
        rows = len(self.moves())
        beyond = rows * (1.0 - self.terms.level)
        if self.terms.method != "parametric" and beyond < _FEW:
            told.append(f"{beyond:.1f} of {rows} cases lie beyond {self.terms.percent}: the tail is a guess")
        if self.equity <= 0.0:
            told.append("no equity above zero: shares of it are missing; give each account's money as a Balance")
        if any(held.margined and held.entry_price is None for held in self.book.holdings):
            told.append("positions on margin without an entry price count without what they have won or lost so far")
        return told

    def exposed(self, by: str) -> Mapping[str, tuple[float, float, int]]:
        """Give long and short exposure (the latter negative) and the number of positions of each part."""
        found: dict[str, tuple[float, float, int]] = {}
        for line, name in zip(self.book.lines, self.book.labels(by), strict=True):
            longs, shorts, count = found.get(name, (0.0, 0.0, 0))
            found[name] = (
                longs + max(line.exposure, 0.0), shorts + min(line.exposure, 0.0), count + (line.exposure != 0.0)
            )  # fmt: skip
        return found
