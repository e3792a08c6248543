"""Nothing that overlaps a test is learnt from, and what samples, weights and models do on small data."""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

import workbench as wb
from tests.research.learning.test_learning import Always, made
from workbench.errors import ConfigError, DataError, StrategyError
from workbench.research.learning import (
    External,
    Features,
    FeatureTable,
    Labels,
    ScoreFilter,
    Slower,
    average_uniqueness,
    fixed_horizon,
    forecast_returns,
    forecast_volatility,
    sample_weights,
    sequential_bootstrap,
    train,
    triple_barrier,
)
from workbench.research.learning.baselines import _last_known, base_rate, previous_label
from workbench.research.learning.measures import auc
from workbench.research.validation import CombinatorialPurged, PurgedKFold, RollingSplit
from workbench.research.validation.splits import Rows, Splitter

BARS, AHEAD = 500, 50
SPLITTERS = (
    RollingSplit(train=300, test=150, partial=False),
    PurgedKFold(folds=4),
    CombinatorialPurged(groups=5, tested=2),
)


@dataclass(frozen=True)
class One(Splitter):
    """One split of another splitter."""

    of: Splitter
    number: int

    def _pairs(self, ends: Rows, ts: Rows | None) -> Iterator[tuple[Rows, Rows]]:
        pairs = list(self.of._pairs(ends, ts))
        yield pairs[self.number % len(pairs)]


def labelled(ends: list[int], y: list[int] | None = None, known: list[bool] | None = None) -> Labels:
    count = len(ends)
    return Labels(
        bars=made(count), name="made", y=np.array(y or [0] * count), gain=np.zeros(count), end=np.array(ends),
        known=np.array(known or [True] * count),
    )  # fmt: skip


def judged(splitter: Splitter, seed: int, *, purged: bool) -> tuple[float, float]:
    """Give AUC and accuracy where the feature is the label, scrambled in all rows that tell nothing of the test."""
    bars = made(BARS, seed=seed)
    labels = fixed_horizon(bars, AHEAD)
    _, test = next(One(splitter, seed).split(BARS, labels.end))
    seen = np.zeros(BARS, dtype=bool)
    for row in test:
        seen[row : labels.end[row] + 1] = True
    apart = np.array([not seen[row : labels.end[row] + 1].any() for row in range(BARS)]) & labels.known
    feature = labels.y.astype(float)
    feature[apart] = np.random.default_rng(seed).permutation(feature[apart])
    end = labels.end.copy() if purged else np.arange(BARS)
    told = Labels(bars=bars, name="told", y=labels.y, gain=labels.gain, end=end, known=labels.known)
    table = FeatureTable(bars=bars, names=("future",), values=feature[:, None])
    run = train(table, told, LogisticRegression(C=1e6), splits=One(splitter, seed), weights="equal")
    fold = run.folds[0]
    assert np.isin(fold.train, np.flatnonzero(apart)).all() == purged
    known = labels.known[fold.test]
    score, came = fold.probability[known, -1], labels.y[fold.test[known]] == 1
    return auc(score, came), float(np.mean((score > 0.5) == came))


@pytest.mark.parametrize("splitter", SPLITTERS, ids=lambda one: type(one).__name__)
def test_a_feature_that_is_the_future_label_scrambled_out_of_the_training_gives_chance(splitter: Splitter) -> None:
    """A single scramble ranks the test all right or all wrong by its luck: chance is the mean of many."""
    honest, leaky = (
        np.array([judged(splitter, seed, purged=purged) for seed in range(40)]) for purged in (True, False)
    )
    for column in range(2):
        fair, told = (found[np.isfinite(found[:, column]), column] for found in (honest, leaky))
        error = fair.std(ddof=1) / math.sqrt(len(fair))
        assert abs(fair.mean() - 0.5) < 3.0 * error < 0.25
        assert told.mean() > 0.5 + 4.0 * error
    assert np.nanmean(leaky[:, 0]) > 0.85


def test_the_label_before_is_the_newest_that_had_ended() -> None:
    labels = labelled([3, 2, 2, 9, 5, 9, 9, 9, 9, 9], known=[True] * 4 + [False] + [True] * 5)
    assert _last_known(labels).tolist() == [-1, -1, 2, 2, 2, 2, 2, 2, 2, 9]


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=20))
@settings(max_examples=40)
def test_the_label_before_is_never_one_that_had_not_ended(rows: list[tuple[int, bool]]) -> None:
    count = len(rows)
    ends = [min(row + ahead, count - 1) for row, (ahead, _) in enumerate(rows)]
    found = _last_known(labelled(ends, known=[known for _, known in rows]))
    for row in range(count):
        past = [one for one in range(count) if rows[one][1] and ends[one] <= row]
        assert found[row] == max(past, default=-1)


def test_baselines_count_what_the_training_saw() -> None:
    y = [0, 1] * 10
    labels, classes = labelled([*range(1, 20), 19], y), np.array([0, 1])
    rows, tests = np.arange(12), np.array([14, 15])
    np.testing.assert_allclose(base_rate(labels, rows, tests, classes), [[0.5, 0.5]] * 2)
    said = previous_label(labels, rows, tests, classes)
    # The label of a row ends one bar later, so that the one before is known: after 1 comes 0, after 0 comes 1.
    assert said[0].argmax() == 0 and said[1].argmax() == 1 and said.max() > 0.8
    np.testing.assert_allclose(said.sum(axis=1), 1.0)


def test_age_takes_weight_in_proportion_to_uniqueness_gone_by() -> None:
    labels = labelled([1, 2, 3, 4, 5, 5])
    apart = np.arange(5)
    np.testing.assert_allclose(sample_weights(labels, apart), np.ones(5))
    np.testing.assert_allclose(sample_weights(labels, apart, oldest=0.0), np.arange(1, 6) / 3.0)
    halved = sample_weights(labels, apart, oldest=0.5)
    np.testing.assert_allclose(halved / halved[-1], [0.6, 0.7, 0.8, 0.9, 1.0])
    for wrong in (-0.1, 1.1, math.nan, "half"):
        with pytest.raises(ConfigError, match="oldest = "):
            sample_weights(labels, oldest=wrong)  # type: ignore[arg-type]


@given(st.integers(0, 2**32), st.integers(2, 12), st.integers(0, 15))
@settings(max_examples=25)
def test_the_sequential_bootstrap_draws_rows_that_overlap_less(seed: int, ahead: int, draws: int) -> None:
    labels = labelled([min(row + ahead, 39) for row in range(40)])
    rows = np.arange(3, 36, 2)
    drawn = sequential_bootstrap(labels, rows, draws=draws, seed=seed)
    assert len(drawn) == draws and np.isin(drawn, rows).all()
    np.testing.assert_array_equal(drawn, sequential_bootstrap(labels, rows, draws=draws, seed=seed))


def test_the_sequential_bootstrap_is_more_unique_than_drawing_alike() -> None:
    labels = labelled([min(row + 8, 79) for row in range(80)])
    rows, chance = np.arange(70), np.random.default_rng(0)

    def unique(drawn: Any) -> float:
        drawn = np.sort(drawn)
        return float(average_uniqueness(drawn + 1, labels.end[drawn]).mean())

    ours = np.mean([unique(sequential_bootstrap(labels, rows, draws=12, seed=seed)) for seed in range(40)])
    alike = np.mean([unique(chance.choice(rows, 12)) for _ in range(40)])
    assert ours > alike + 0.03


def test_a_filter_survives_pickling() -> None:
    bars = made(400)
    run = train(Features({"rsi": ("rsi", 14)}).on(bars, prove=False), fixed_horizon(bars, 2), LogisticRegression())
    kept = ScoreFilter(Always(), run.scores, above=0.5, below=0.4)
    again = pickle.loads(pickle.dumps(kept))
    assert again == kept and hash(again) == hash(kept) and again.code_hash == kept.code_hash
    one, other = kept.signals(bars), again.signals(bars)
    assert one.entry.any() and not one.entry.all()
    np.testing.assert_array_equal(one.entry, other.entry)
    np.testing.assert_array_equal(one.exit, other.exit)
    assert again.replace(above=1.0) != again


def test_garch_sees_the_volatility_that_was_made_and_arima_the_returns() -> None:
    chance = np.random.default_rng(4)
    count = 700
    shocks, returns, variance = chance.normal(size=count), np.zeros(count), np.full(count, 1e-4)
    for bar in range(1, count):
        variance[bar] = 2e-6 + 0.18 * (returns[bar - 1] ** 2) + 0.80 * variance[bar - 1]
        returns[bar] = math.sqrt(variance[bar]) * shocks[bar]
    found = forecast_volatility(_priced(returns), ["garch"], train=500, refit=200)
    assert found.fits == 1 and found.warned == {"garch": 0}
    assert np.corrcoef(np.log(found.values["garch"]), np.log(variance[found.rows]))[0, 1] > 0.9
    assert found.table.index[0] == "garch"
    moving = np.zeros(count)
    for bar in range(1, count):
        moving[bar] = 0.6 * moving[bar - 1] + 0.01 * shocks[bar]
    said = forecast_returns(_priced(moving), ["arima", "ar"], train=500, refit=200)
    assert "beats the best baseline" in said.verdict and set(said.table.index[:2]) == {"arima", "ar"}
    np.testing.assert_allclose(said.values["ar"], 0.6 * moving[said.rows - 1], atol=0.004)
    assert np.corrcoef(said.values["arima"], 0.6 * moving[said.rows - 1])[0, 1] > 0.98


def _priced(returns: Any) -> wb.Bars:
    close = 100.0 * np.exp(np.cumsum(returns))
    return wb.Bars(instrument=wb.Instrument(symbol="MADE/UP"), timeframe="1h", ts=np.arange(len(close)) * 3_600_000,
                   open=close, high=close, low=close, close=close, volume=np.ones(len(close)))  # fmt: skip


def test_wrong_input_is_named() -> None:
    bars = made(300)
    still = np.concatenate([np.full(130, 0.0), np.full(20, 0.01)])
    still[:5] = 0.01
    hour = 3_600_000
    for kind, text, call in (
        (DataError, "published = 'tomorrow'", lambda: External([0], [1.0], published="tomorrow")),
        (DataError, "longer than a thousand years", lambda: External([0], [1.0], published="99999999999999w")),
        (DataError, "are fractions", lambda: External([0.5], [1.0], published="1d")),
        (DataError, "wrong way round", lambda: External([hour], [1.0], published=[0])),
        (DataError, "is infinite", lambda: External([0], [np.inf], published="1d")),
        (DataError, "stale_after = 5", lambda: External([0], [1.0], published="1d", stale_after=5)),  # type: ignore[arg-type]
        (DataError, "cannot be made into 15m", lambda: Features({"a": Slower("15m", "rsi")}).on(bars)),
        (DataError, "not understood", lambda: Features({"a": Slower("1x", "rsi")}).on(bars)),
        (DataError, "no bars", lambda: Features({"a": "rsi"}).on(None)),  # type: ignore[arg-type]
        (StrategyError, "short histories", lambda: Features({"a": lambda bars: bars.close[2:]}).on(bars)),
        (ConfigError, "threshold = 'x'", lambda: fixed_horizon(bars, 2, threshold="x")),  # type: ignore[arg-type]
        (ConfigError, "profit = 'x'", lambda: triple_barrier(bars, limit=2, profit="x")),  # type: ignore[arg-type]
        (DataError, "not numbers", lambda: triple_barrier(bars, limit=2, profit=1.0, volatility=["x"] * 300)),
        (ConfigError, "draws = -1", lambda: sequential_bootstrap(labelled([1, 2, 3, 3]), np.arange(3), draws=-1)),
        (DataError, "rows: give", lambda: sequential_bootstrap(labelled([1, 2, 3, 3]), np.array([9]))),
        (DataError, "does not move", lambda: forecast_returns(_priced(still), ["ar"], train=100, refit=10)),
        (DataError, "'dead' has a value on 0 of 300",
         lambda: train(Features({"dead": lambda bars: np.full(len(bars), np.nan)}).on(bars), fixed_horizon(bars, 2))),
        (ConfigError, "does not split",
         lambda: train(Features({"a": "rsi"}).on(bars), fixed_horizon(bars, 2), splits="x")),  # type: ignore[arg-type]
    ):  # fmt: skip
        with pytest.raises(kind, match=text):
            call()


def test_a_part_of_a_ms_is_published_late_not_early() -> None:
    bars = made(3)
    when = np.array([3_600_000_000_001], dtype="datetime64[ns]")  # just after the close of the first bar
    found = External([0], [1.0], published=when).on(bars)
    assert np.isnan(found[0]) and found[1:].tolist() == [1.0, 1.0]
