"""Haircuts: each correction against its definition, what the papers say about them, and the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from workbench.errors import DataError
from workbench.research.overfitting import haircut_sharpe, variance_inflation


@pytest.mark.parametrize("chosen", [None, 0, 7, 30])
def test_the_corrections_equal_those_of_statsmodels(chosen: int | None) -> None:
    sharpe = np.random.default_rng(0).normal(0.03, 0.05, 40)
    place = int(sharpe.argmax()) if chosen is None else chosen
    singles = 2 * stats.t.sf(np.abs(sharpe) * math.sqrt(500), 499)
    found = haircut_sharpe(sharpe, 500, chosen=chosen)
    for name, method in (("bonferroni", "bonferroni"), ("holm", "holm"), ("bhy", "fdr_by")):
        assert found[name].p_value == pytest.approx(multipletests(singles, method=method)[1][place])
        assert found[name].single == pytest.approx(singles[place])


def test_what_is_left_would_have_the_corrected_p_value_alone() -> None:
    cut = haircut_sharpe(np.linspace(-0.05, 0.2, 60), 400)["holm"]
    assert 2 * stats.t.sf(cut.sharpe * 20.0, 399) == pytest.approx(cut.p_value)
    assert cut.haircut == pytest.approx(1.0 - cut.sharpe / 0.2) and 0.0 < cut.haircut < 1.0


def test_a_haircut_is_larger_for_small_ratios_and_many_tests() -> None:  # Harvey and Liu (2015): it is not linear
    cuts = [haircut_sharpe(ratio, 240, trials=200)["bonferroni"].haircut for ratio in (0.15, 0.25, 0.35)]
    assert cuts[0] == 1.0 and cuts[0] > cuts[1] > cuts[2]
    assert haircut_sharpe(0.25, 240, trials=10)["bonferroni"].haircut < cuts[1]
    assert haircut_sharpe(0.25, 240)["bonferroni"].haircut == pytest.approx(0.0, abs=1e-9)


def test_trials_beyond_those_given_found_nothing() -> None:
    sharpe = np.array([0.4, 0.01, math.nan])
    one, many = haircut_sharpe(sharpe, 300), haircut_sharpe(sharpe, 300, trials=20_000)
    for name in ("bonferroni", "holm"):
        assert many[name].p_value == pytest.approx(one[name].p_value / 3 * 20_000)
    assert many["bhy"].p_value == pytest.approx(
        one["bhy"].p_value / (3 * (1 + 1 / 2 + 1 / 3)) * 20_000 * 10.4808, rel=1e-4
    )


def test_autocorrelation_widens_the_error() -> None:
    random = np.random.default_rng(1)
    plain = random.standard_normal(4_000)
    memory = np.convolve(random.standard_normal(4_002), np.ones(3), "valid")
    factors = variance_inflation(np.column_stack([plain, memory]))
    assert factors[0] < 1.2 and factors[1] == pytest.approx(2.7, abs=0.4)  # 3 in truth, which short lags do not reach
    assert variance_inflation(plain) == factors[0]
    assert variance_inflation(-np.diff(plain)) == 1.0  # never below one
    assert math.isnan(variance_inflation([0.1, 0.2])) and math.isnan(variance_inflation(np.ones(50)))
    sure, unsure = (haircut_sharpe(0.1, 1_000, inflation=one)["holm"] for one in (1.0, 2.0))
    assert unsure.single > sure.single
    assert haircut_sharpe(0.1, 1_000, inflation=[2.0])["holm"].sharpe == pytest.approx(0.1)


def test_the_edges() -> None:
    for cut in (haircut_sharpe(0.1, 1)["holm"], haircut_sharpe(math.nan, 100)["bhy"]):
        assert math.isnan(cut.p_value) and math.isnan(cut.haircut)
    loser = haircut_sharpe(-0.3, 100)["holm"]
    assert math.isnan(loser.haircut) and loser.sharpe == pytest.approx(-0.3)
    sure = haircut_sharpe(5.0, 10_000, trials=100)["bonferroni"]
    assert sure.p_value == 0.0 and 0.0 <= sure.haircut < 1.0 and math.isfinite(sure.sharpe)
    with pytest.raises(DataError, match="position of a trial"):
        haircut_sharpe([0.1], 100, chosen=3)
    with pytest.raises(DataError, match="whole number"):
        haircut_sharpe([0.1], 100, trials=0)
    with pytest.raises(DataError, match="ratio of each trial"):
        haircut_sharpe([], 100)
