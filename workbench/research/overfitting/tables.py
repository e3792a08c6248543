"""The table of all statistics: name, value, what it means."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from workbench.research.overfitting.judging import Overfitting

__all__ = ["MEANINGS", "rows_of"]

MEANINGS: Final = {
    "trials_run": "how often something was tried in this study, repeats included",
    "trials_distinct": "different trials of this study",
    "trials_linked": "trials on the same question under other study names",
    "trials_counted": "distinct and linked together: the raw count below",
    "trials_clusters": "groups of trials (of those with returns) that move together",
    "trials_effective": "independent trials that all amount to, by the correlations within those groups",
    "trials_independent": "same, by how high the best of them comes when the history is resampled",
    "mean_correlation": "of the returns of two trials, on average",
    "observations": "returns that each ratio was computed from",
    "observations_effective": "independent returns that they are worth: fewer where gains follow gains; used below",
    "years": "length of the history",
    "sharpe_ratio": "of the chosen trial, a year",
    "sharpe_low": "lower end of its 95 % interval, as if it were the only trial",
    "sharpe_high": "upper end of it",
    "skewness": "of its returns: below zero, the large moves are losses",
    "kurtosis": "of its returns, raw: above 3, large moves are more frequent than in a normal law",
    "variance_inflation": "by how much autocorrelation widens the variance of its mean; 1 for not at all",
    "probabilistic_sharpe": "probability that the true ratio is above 0, were it the only trial",
    "expected_maximum_sharpe": "ratio a year of the best of the effective trials without any edge (false strategy "
    "theorem)",
    "expected_maximum_sharpe_raw": "same, all trials taken as independent",
    "deflated_sharpe": "probability that the true ratio is above that: at least 0.95 is asked",
    "deflated_sharpe_raw": "same, all trials taken as independent",
    "luck": "probability that the best of all would look this good without any edge: at most 0.05 is asked",
    "benchmark_beta": "its share of the benchmark's moves",
    "benchmark_alpha": "what it earned beyond that share, a year, not compounded",
    "sharpe_beyond_benchmark": "Sharpe ratio a year of what it earned beyond that share",
    "luck_beyond_benchmark": "probability that the best of all would earn this much beyond the benchmark without any "
    "edge: at most 0.05 is asked",
    "minimum_track_record": "years until the ratio is above 0 with 95 %, were it the only trial",
    "minimum_track_record_among_trials": "years until it is evidence although it was chosen",
    "minimum_backtest_length": "years below which the best of the effective trials shows this ratio without any edge",
    "haircut_sharpe_bonferroni": "ratio a year that is left after correcting for all trials, Bonferroni",
    "haircut_bonferroni": "fraction of the ratio that is lost",
    "p_value_bonferroni": "two-sided p-value, corrected",
    "haircut_sharpe_holm": "same as above, Holm",
    "haircut_holm": "fraction of the ratio that is lost",
    "p_value_holm": "two-sided p-value, corrected",
    "haircut_sharpe_bhy": "same as above, Benjamini, Hochberg and Yekutieli",
    "haircut_bhy": "fraction of the ratio that is lost",
    "p_value_bhy": "two-sided p-value, corrected",
    "probability_of_overfitting": "share of splits in which the winner of one half of the history was below the middle "
    "in the other (CSCV)",
    "probability_of_loss": "share of splits in which it lost money there",
    "degradation_slope": "change of its ratio there for one more where it was chosen; -1 by arithmetic where one trial "
    "always wins",
    "degradation_r_squared": "share of the variation that this line explains",
    "first_order_dominance": "1 if choosing the winner was at no level worse than any trial at random, out of sample",
    "second_order_dominance": "1 if so for whoever shuns risk",
    "spa_p_value": "Hansen: no trial is better than nothing, all at one volatility",
    "reality_check_p_value": "White: the same, without leaving out what is hopeless",
    "spa_p_value_benchmark": "Hansen: no trial is better than the benchmark",
    "reality_check_p_value_benchmark": "White: no trial is better than the benchmark",
}
"""Every statistic of the table, in its order. Ratios are annualised, probabilities fractions, lengths years."""


def rows_of(found: Overfitting) -> list[tuple[str, float, str]]:
    """Give name, value and meaning of every statistic; what was not worked out is NaN."""
    values = {**_counts(found), **_sharpe(found), **_haircuts(found), **_split(found), **_tests(found)}
    return [(name, float(values.get(name, math.nan)), meaning) for name, meaning in MEANINGS.items()]


def _counts(found: Overfitting) -> dict[str, float]:
    trials, clusters, independence = found.trials, found.clusters, found.independence
    return {
        "trials_run": float(trials.raw_count or 0),
        "trials_distinct": float(trials.distinct_count or 0),
        "trials_linked": float(sum(trials.linked.values())),
        "trials_counted": float(trials.count),
        "trials_clusters": math.nan if clusters is None else float(clusters.count),
        "trials_effective": found.effective,
        "trials_independent": math.nan if independence is None else independence.of(trials.count),
        "mean_correlation": math.nan if clusters is None else clusters.mean_correlation,
        "observations": float(trials.observations),
        "observations_effective": found.observations,
        "years": trials.years,
    }


def _sharpe(found: Overfitting) -> dict[str, float]:
    annual, year = found.annual, found.trials.periods_per_year
    low, high = found.interval
    return {
        "sharpe_ratio": found.sharpe * annual,
        "sharpe_low": low * annual,
        "sharpe_high": high * annual,
        "skewness": found.skew,
        "kurtosis": found.kurtosis,
        "variance_inflation": found.inflation,
        "probabilistic_sharpe": found.probabilistic,
        "expected_maximum_sharpe": found.expected_maximum * annual,
        "expected_maximum_sharpe_raw": found.expected_maximum_raw * annual,
        "deflated_sharpe": found.deflated,
        "deflated_sharpe_raw": found.deflated_raw,
        "luck": found.luck,
        "minimum_track_record": found.minimum_track_record / year,
        "minimum_track_record_among_trials": found.needed / year,
        "minimum_backtest_length": found.minimum_backtest,
    }


def _haircuts(found: Overfitting) -> dict[str, float]:
    values = {}
    for name, cut in found.haircuts.items():
        values[f"haircut_sharpe_{name}"] = cut.sharpe * found.annual
        values[f"haircut_{name}"] = cut.haircut
        values[f"p_value_{name}"] = cut.p_value
    return values


def _split(found: Overfitting) -> dict[str, float]:
    cross = found.cross_validation
    if cross is None or not len(cross.logits):
        return {}
    return {
        "probability_of_overfitting": cross.probability,
        "probability_of_loss": cross.probability_of_loss,
        "degradation_slope": cross.slope,
        "degradation_r_squared": cross.r_squared,
        "first_order_dominance": float(cross.first_order),
        "second_order_dominance": float(cross.second_order),
    }


def _tests(found: Overfitting) -> dict[str, float]:
    values = {}
    beyond = found.beyond
    if beyond is not None:
        values["benchmark_beta"] = beyond.beta
        values["benchmark_alpha"] = beyond.alpha * found.trials.periods_per_year
        values["sharpe_beyond_benchmark"] = beyond.sharpe * found.annual
        values["luck_beyond_benchmark"] = beyond.chance
    for test, suffix in ((found.snooping, ""), (None if beyond is None else beyond.ahead, "_benchmark")):
        if test is not None:
            values[f"spa_p_value{suffix}"] = test.consistent
            values[f"reality_check_p_value{suffix}"] = test.reality_check
    return values
