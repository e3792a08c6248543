"""`judge`: every statistic of overfitting for the trials of a study, worked out once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import DataError
from workbench.research.overfitting.chances import Beyond, beyond_benchmark, chance_of_best
from workbench.research.overfitting.clustering import Clusters, cluster_trials
from workbench.research.overfitting.cscv import CrossValidation, backtest_overfitting
from workbench.research.overfitting.haircut import Haircut, haircut_sharpe
from workbench.research.overfitting.independence import Independence, measure_independence
from workbench.research.overfitting.sharpe import (
    deflated_sharpe,
    expected_maximum_sharpe,
    minimum_backtest_years,
    minimum_track_record,
    probabilistic_sharpe,
    track_record_among_trials,
)
from workbench.research.overfitting.snooping import Snooping, condense, superior_ability
from workbench.research.overfitting.trials import Trials, variance_inflation
from workbench.risk.metrics.ratios import sharpe_variance

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from workbench.research.overfitting.verdicts import Level, Verdict

__all__ = ["Overfitting", "judge"]

_BLOCKS: Final = 16
_PER_BLOCK: Final = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Overfitting:
    """What can be said about the chosen trial, given all that were made. Made by `judge`.

    Ratios are per observation where nothing else is said; the table shows them annualised. Probabilities and lengths
    take autocorrelation into account: a history is worth `observations` independent returns.

    Parameters
    ----------
    trials : Trials
    sharpe, skew, kurtosis : float
        Of the chosen trial, per observation, kurtosis raw.
    variance : float
        Of the Sharpe ratios across trials; zero for a single one.
    inflation : float
        By how much autocorrelation widens the variance of the chosen trial's mean, 1 where it does not.
    clusters : Clusters or None
        None without returns, as are the next three.
    independence : Independence or None
    snooping : Snooping or None
        Hansen's and White's tests against zero, all trials scaled to one volatility.
    beyond : Beyond or None
        What was earned beyond the benchmark; None without one.
    haircuts : dict of str to Haircut
    effective : float
        Number of independent trials that all which count amount to, by clustering.
    luck : float
        Probability that the best of all these trials would look at least this good if none had an edge.
    """

    trials: Trials
    sharpe: float
    skew: float
    kurtosis: float
    variance: float
    inflation: float
    clusters: Clusters | None
    independence: Independence | None
    snooping: Snooping | None
    beyond: Beyond | None
    haircuts: dict[str, Haircut]
    effective: float
    luck: float

    @property
    def annual(self) -> float:
        """Factor that makes a ratio per observation an annual one."""
        return math.sqrt(self.trials.periods_per_year)

    @property
    def chance(self) -> float:
        """What the verdict rests on: `luck`, or that of what was earned beyond the benchmark if it is larger."""
        if self.beyond is None or math.isnan(self.beyond.chance):
            return self.luck
        return max(self.luck, self.beyond.chance)

    @cached_property
    def level(self) -> Level:
        """What the rule of `verdicts` calls it, without the page."""
        from workbench.research.overfitting.verdicts import level_of

        return level_of(self.chance, self.deflated)

    @cached_property
    def cross_validation(self) -> CrossValidation | None:
        """Probability of backtest overfitting by CSCV, 16 blocks or what the history has; None without returns."""
        returns = self.trials.returns
        blocks = 0 if returns is None else min(_BLOCKS, len(returns) // _PER_BLOCK // 2 * 2)
        return None if returns is None or blocks < 2 else backtest_overfitting(returns, blocks=blocks)

    @property
    def observations(self) -> float:
        """Number of independent observations that the history is worth: fewer where gains follow gains."""
        return self.trials.observations / self.inflation

    @cached_property
    def probabilistic(self) -> float:
        """Probability that the true Sharpe ratio is above zero, were it the only trial."""
        return float(probabilistic_sharpe(self.sharpe, self.observations, skew=self.skew, kurtosis=self.kurtosis))

    @cached_property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the ratio per observation, were it the only trial; with skew, fat tails, autocorrelation."""
        variance = float(sharpe_variance(*(np.asarray(one) for one in (self.sharpe, self.skew, self.kurtosis))))
        freedom = self.trials.observations - 1.0
        wide = 1.959964 * math.sqrt(variance * self.inflation / freedom) if freedom > 0.0 else math.nan
        return self.sharpe - wide, self.sharpe + wide

    @cached_property
    def expected_maximum(self) -> float:
        """Sharpe ratio per observation that the best of the effective trials shows without any edge."""
        return float(expected_maximum_sharpe(self.effective, self.variance))

    @cached_property
    def expected_maximum_raw(self) -> float:
        """Same, every trial taken as independent."""
        return float(expected_maximum_sharpe(self.trials.count, self.variance))

    def _deflated(self, count: float) -> float:
        return float(
            deflated_sharpe(
                self.sharpe, self.observations, trials=count, variance=self.variance, skew=self.skew,
                kurtosis=self.kurtosis,
            )
        )  # fmt: skip

    @cached_property
    def deflated(self) -> float:
        """Deflated Sharpe ratio with the effective number of independent trials."""
        return self._deflated(self.effective)

    @cached_property
    def deflated_raw(self) -> float:
        """Deflated Sharpe ratio with every trial taken as independent."""
        return self._deflated(self.trials.count)

    @cached_property
    def minimum_track_record(self) -> float:
        """Observations until the ratio is above zero with 95 %, were it the only trial."""
        return float(minimum_track_record(self.sharpe, skew=self.skew, kurtosis=self.kurtosis) * self.inflation)

    @cached_property
    def needed(self) -> float:
        """Observations until a ratio this high is evidence at 95 % although it is the best of the effective trials."""
        length = track_record_among_trials(self.sharpe, trials=self.effective, skew=self.skew, kurtosis=self.kurtosis)
        return float(length * self.inflation)

    @cached_property
    def needed_beyond(self) -> float:
        """Same of what was earned beyond the benchmark; NaN without one."""
        if self.beyond is None:
            return math.nan
        return float(track_record_among_trials(self.beyond.sharpe, trials=self.effective))

    @cached_property
    def minimum_backtest(self) -> float:
        """Years below which the best of the effective trials shows the found annual ratio without any edge."""
        return float(minimum_backtest_years(self.effective, sharpe=self.sharpe * self.annual))

    @cached_property
    def table(self) -> pd.DataFrame:
        """Every number with what it means: columns `name`, `value` (float) and `meaning`."""
        import pandas as pd

        from workbench.research.overfitting.tables import rows_of

        return pd.DataFrame(rows_of(self), columns=["name", "value", "meaning"])

    def verdict(self) -> Verdict:
        """Say what can be believed."""
        from workbench.research.overfitting.verdicts import reach

        return reach(self)

    def plot(self) -> Figure:
        """Draw ranks out of sample, degradation, and what was found against what chance makes."""
        from workbench.research.overfitting.charts import overfitting_chart

        return overfitting_chart(self)

    def __repr__(self) -> str:
        return f"<Overfitting of {self.trials.name!r}: {self.level}, {self.trials.count:,} trials>"

    def _repr_html_(self) -> str:
        from workbench.research.overfitting.pages import overfitting_html

        return overfitting_html(self)


def judge(trials: Trials, *, draws: int = 1_000, seed: int = 0) -> Overfitting:
    """Work out the statistics of overfitting for the chosen trial.

    Parameters
    ----------
    trials : Trials
    draws : int, default 1000
        Resamples for White's and Hansen's tests; fewer are quicker and coarser.
    seed : int, default 0

    Returns
    -------
    Overfitting
        What cannot be said is NaN; without returns there is no correlation, cross-validation or resampling, and every
        trial is taken as independent.

    Raises
    ------
    DataError
        What is given are no trials, or draws is too small to tell 5 %.

    Notes
    -----
    Takes a second or two for 500 trials. Long histories are resampled in runs of neighbours, 2,000 of them.
    """
    if not isinstance(trials, Trials):
        raise DataError(
            f"judge needs Trials, found {type(trials).__name__}; Trials.of_returns(...) makes them of returns"
        )
    if not (isinstance(draws, (int, np.integer)) and draws >= 100):
        raise DataError(f"draws is {draws!r}; give 100 or more, else 5 % cannot be told", draws=draws)
    chosen = int(trials.chosen or 0)
    finite = trials.sharpe[np.isfinite(trials.sharpe)]
    clusters = None if trials.returns is None else cluster_trials(trials.returns)
    independence = None if trials.returns is None else measure_independence(trials.returns, seed=seed)
    snooping = None
    if trials.returns is not None:
        snooping = superior_ability(condense(trials.returns), draws=draws, seed=seed, equal_risk=True)
    inflations = _inflations(trials)
    own = float(inflations[chosen])
    facts: dict[str, Any] = {
        "trials": trials,
        "sharpe": float(trials.sharpe[chosen]),
        "skew": float(trials.skew[chosen]),
        "kurtosis": float(trials.kurtosis[chosen]),
        "variance": float(finite.var(ddof=1)) if len(finite) > 1 else 0.0,
        "inflation": own,
        "clusters": clusters,
        "independence": independence,
        "effective": _effective(trials, clusters, independence),
        "haircuts": haircut_sharpe(
            trials.sharpe, trials.observations, chosen=chosen, trials=trials.count, inflation=inflations
        ),
        "snooping": snooping,
        "beyond": beyond_benchmark(trials, draws=draws, seed=seed),
    }
    shape = (facts["sharpe"], facts["skew"], facts["kurtosis"], own)
    return Overfitting(luck=chance_of_best(trials, shape, snooping, independence), **facts)


def _inflations(trials: Trials) -> Any:
    """Of each trial; those without returns get the median of the others."""
    whole = np.ones(len(trials.sharpe))
    if trials.returns is None or trials.columns is None:
        return whole
    known = np.nan_to_num(variance_inflation(trials.returns), nan=1.0)
    whole[:] = np.median(known)
    whole[trials.columns] = known
    return whole


def _effective(trials: Trials, clusters: Clusters | None, independence: Independence | None) -> float:
    """Give the number of independent trials among all that count.

    Of a sample, that of the sample, which grows with the number of trials as the best of them was measured to.
    """
    used = 0 if clusters is None else int((clusters.labels >= 0).sum())
    if clusters is None or independence is None or not used:
        return float(trials.count)
    growth = independence.growth if math.isfinite(independence.growth) else 1.0
    more = max(1.0, trials.count / len(clusters.labels)) ** growth
    return float(min(max(1.0, clusters.effective * more), max(trials.count, 1)))
