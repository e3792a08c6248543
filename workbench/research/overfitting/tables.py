"""The table of all statistics: name, value, what it means."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.research.overfitting.judging import Overfitting

__all__ = ["rows_of"]

Row = tuple[str, float, str]


def rows_of(found: Overfitting) -> list[Row]:
    """Give every number with its meaning; ratios annualised, probabilities as fractions."""
    return [*_counts(found), *_sharpe(found), *_lengths(found), *_haircuts(found), *_split(found), *_tests(found)]


def _counts(found: Overfitting) -> list[Row]:
    trials = found.trials
    clusters = math.nan if found.clusters is None else float(found.clusters.count)
    correlation = math.nan if found.clusters is None else found.clusters.mean_correlation
    return [
        ("trials_run", float(trials.raw_count or 0), "how often something was tried in this study, repeats included"),
        ("trials_distinct", float(trials.distinct_count or 0), "different trials of this study"),
        ("trials_linked", float(sum(trials.linked.values())), "trials on the same question under other study names"),
        ("trials_counted", float(trials.count), "distinct and linked: the raw count below"),
        ("trials_clusters", clusters, "groups of trials (of those with returns) that move together"),
        ("trials_effective", found.effective, "independent trials that all amount to"),
        ("mean_correlation", correlation, "of the returns of two trials, on average"),
        ("observations", float(trials.observations), "returns that each ratio was computed from"),
        ("years", trials.years, "length of the history"),
    ]


def _sharpe(found: Overfitting) -> list[Row]:
    annual, (low, high) = found.annual, found.interval
    return [
        ("sharpe_ratio", found.sharpe * annual, "of the chosen trial, a year"),
        ("sharpe_low", low * annual, "lower end of its 95 % interval, as if it were the only trial"),
        ("sharpe_high", high * annual, "upper end"),
        ("skewness", found.skew, "of its returns: below zero, the large moves are losses"),
        ("kurtosis", found.kurtosis, "of its returns, raw: above 3, large moves come more often than a normal law says"),
        ("variance_inflation", found.inflation, "by how much autocorrelation widens the variance of its mean, 1 for none"),
        ("probabilistic_sharpe", found.probabilistic, "probability that the true ratio is above 0, were it the only trial"),
        ("expected_maximum_sharpe", found.expected_maximum * annual, "ratio a year that the best of the effective trials "
         "shows without any edge (false strategy theorem)"),
        ("expected_maximum_sharpe_raw", found.expected_maximum_raw * annual, "same, all trials taken as independent"),
        ("deflated_sharpe", found.deflated, "probability that the true ratio is above that of the effective trials"),
        ("deflated_sharpe_raw", found.deflated_raw, "same, all trials taken as independent"),
        ("chance", found.chance, "probability that the best of all would look this good without any edge: at most 0.05 is "
         "asked"),
    ]  # fmt: skip


def _lengths(found: Overfitting) -> list[Row]:
    year = found.trials.periods_per_year
    return [
        ("minimum_track_record", found.minimum_track_record / year, "years until the ratio is above 0 with 95 %, were it "
         "the only trial"),
        ("minimum_track_record_among_trials", found.needed / year, "years until it is evidence although it was chosen"),
        ("minimum_backtest_length", found.minimum_backtest, "years below which the best of the effective trials shows this "
         "ratio without any edge"),
    ]  # fmt: skip


def _haircuts(found: Overfitting) -> list[Row]:
    words = {"bonferroni": "Bonferroni", "holm": "Holm", "bhy": "Benjamini, Hochberg and Yekutieli"}
    rows: list[Row] = []
    for name, cut in found.haircuts.items():
        rows += [
            (f"haircut_sharpe_{name}", cut.sharpe * found.annual, f"ratio a year that is left, {words[name]}"),
            (f"haircut_{name}", cut.haircut, "fraction of the ratio that is lost"),
            (f"p_value_{name}", cut.p_value, "two-sided p-value, corrected for all trials"),
        ]
    return rows


def _split(found: Overfitting) -> list[Row]:
    cross = found.cross_validation
    if cross is None:
        return []
    return [
        ("probability_of_overfitting", cross.probability, "share of splits in which the winner of one half of the history "
         "was below the middle in the other (CSCV)"),
        ("probability_of_loss", cross.probability_of_loss, "share of splits in which it lost money there"),
        ("degradation_slope", cross.slope, "change of the ratio out of sample for one more in sample: 1 would be ideal, "
         "below 0 the better it looked the worse it did"),
        ("degradation_r_squared", cross.r_squared, "share of the variation that this line explains"),
        ("first_order_dominance", float(cross.first_order), "1 if choosing the winner was at no level worse than any "
         "trial at random, out of sample"),
        ("second_order_dominance", float(cross.second_order), "1 if so for whoever shuns risk"),
    ]  # fmt: skip


def _tests(found: Overfitting) -> list[Row]:
    rows: list[Row] = []
    for test, against, suffix in (
        (found.snooping, "zero", ""),
        (found.against_benchmark, "the benchmark", "_benchmark"),
    ):
        if test is not None:
            rows += [
                (f"spa_p_value{suffix}", test.consistent, f"Hansen: no trial is better than {against}, at equal risk"),
                (f"reality_check_p_value{suffix}", test.reality_check, f"White: no trial is better than {against}"),
            ]
    return rows
