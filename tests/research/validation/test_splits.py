"""Splits: nothing that is trained on knows of what is tested, whatever the lengths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ConfigError
from workbench.research.validation import AnchoredSplit, CombinatorialPurged, PurgedKFold, RollingSplit

DAY = 86_400_000


def labels(n: int, longest: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.minimum(np.arange(n) + rng.integers(0, longest + 1, n), n - 1)


def runs(rows: np.ndarray) -> list[np.ndarray]:
    return np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)


def assert_apart(ends: np.ndarray, train: np.ndarray, test: np.ndarray, purge: int, embargo: int) -> None:
    """What a training row looks at, [i, ends[i]], keeps its distance to what a run of tests looks at."""
    for run in runs(test):
        first, last = run[0], ends[run].max()
        assert np.all((ends[train] + purge < first) | (train > last + purge + embargo))


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(20, 120), groups=st.integers(2, 6), data=st.data(), purge=st.integers(0, 5),
    embargo=st.integers(0, 5), longest=st.integers(0, 8), seed=st.integers(0, 99),
)  # fmt: skip
def test_combinatorial_splits_share_nothing_and_test_every_row_equally_often(
    n: int, groups: int, data: st.DataObject, purge: int, embargo: int, longest: int, seed: int
) -> None:
    tested = data.draw(st.integers(1, groups - 1))
    splitter = CombinatorialPurged(groups=groups, tested=tested, purge=purge, embargo=embargo)
    ends = labels(n, longest, seed)
    times = np.zeros(n, dtype=int)
    pairs = list(splitter.split(n, ends))
    for train, test in pairs:
        times[test] += 1
        assert_apart(ends, train, test, purge, embargo)
    assert len(pairs) == splitter.count == math.comb(groups, tested)
    assert set(times) == {math.comb(groups - 1, tested - 1)}
    paths = splitter.paths
    assert paths.shape == (math.comb(groups, tested) * tested // groups, groups)
    for group in range(groups):  # every test of a group is on exactly one path
        assert sorted(paths[:, group]) == [k for k, chosen in enumerate(splitter.choices) if group in chosen]


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(10, 150), folds=st.integers(2, 8), purge=st.integers(0, 6), embargo=st.integers(0, 6),
    longest=st.integers(0, 9), seed=st.integers(0, 99),
)  # fmt: skip
def test_folds_share_nothing_and_test_every_row_once(
    n: int, folds: int, purge: int, embargo: int, longest: int, seed: int
) -> None:
    ends = labels(n, longest, seed)
    tested = []
    for train, test in PurgedKFold(folds=folds, purge=purge, embargo=embargo).split(n, ends):
        assert_apart(ends, train, test, purge, embargo)
        tested.append(test)
        far = (ends + purge < test[0]) | (np.arange(n) > ends[test].max() + purge + embargo)
        assert set(np.flatnonzero(far)) == set(train), "no row is dropped without need"
    assert np.concatenate(tested).tolist() == list(range(n))


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(10, 150), train=st.integers(1, 9), test=st.integers(1, 9), gap=st.integers(0, 4),
    longest=st.integers(0, 5), anchored=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_walking_forward_trains_on_the_past_and_tests_all_that_follows_once(
    n: int, train: int, test: int, gap: int, longest: int, anchored: bool, seed: int
) -> None:
    ends = labels(n, longest, seed)
    kind = AnchoredSplit if anchored else RollingSplit
    tested: list[int] = []
    for rows, tests in kind(train=train, test=test, gap=gap).split(n, ends):
        assert ends[rows].max() < tests[0] - gap
        assert len(tests) <= test and rows[0] >= (0 if anchored else tests[0] - train)
        tested += tests.tolist()
    assert tested == sorted(set(tested))
    if longest == gap == 0:
        assert tested == list(range(train, n))


def test_durations_count_elapsed_time_over_holes() -> None:
    days = np.array([*range(10), *range(20, 40)])  # ten days are missing
    pairs = list(RollingSplit(train="15d", test="5d").split(30, ts=days * DAY))
    for train, test in pairs:
        assert days[test[-1]] - days[test[0]] < 5
        assert days[train[-1]] < days[test[0]]
        assert days[test[0]] - days[train[0]] <= 20  # the test begins up to one test's length into the hole
    assert [days[test[0]] for _, test in pairs] == [20, 25, 30, 35]
    assert days[pairs[0][0]].tolist() == [5, 6, 7, 8, 9]


def test_a_purge_in_time_and_an_embargo_as_a_fraction() -> None:
    ts = np.arange(100) * DAY
    (train, test), *_ = list(PurgedKFold(folds=4, purge="3d", embargo=0.05).split(100, ts=ts))
    assert test[-1] == 24 and train[0] == 24 + 3 + 5 + 1
    *_, (train, test) = PurgedKFold(folds=4, purge="3d").split(100, ts=ts)
    assert test[0] == 75 and train[-1] == 75 - 3 - 1


def test_a_gap_in_time_and_a_last_test_that_is_short() -> None:
    ts = np.arange(23) * DAY
    pairs = list(RollingSplit(train="10d", test="5d", gap="2d").split(23, ts=ts))
    assert [(train[0], train[-1], test[0], test[-1]) for train, test in pairs] == [
        (0, 7, 10, 14), (5, 12, 15, 19), (10, 17, 20, 22),
    ]  # fmt: skip
    assert len(list(RollingSplit(train="10d", test="5d", partial=False).split(23, ts=ts))) == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RollingSplit(train="365d", test=90), "both in bars"),
        (lambda: RollingSplit(train="a year", test="90d"), "'a year' is no length"),
        (lambda: RollingSplit(train=0, test=5), "train = 0 must be at least 1"),
        (lambda: list(RollingSplit(train=50, test=5).split(20)), "leaves none to test"),
        (lambda: list(RollingSplit(train="5d", test="5d").split(20)), "needs the times"),
        (lambda: list(RollingSplit(train=5, test=5).split(20, ts=[1, 2])), "20 increasing times"),
        (lambda: PurgedKFold(folds=1), "folds = 1"),
        (lambda: list(PurgedKFold(folds=5).split(3)), "only 3 rows"),
        (lambda: PurgedKFold(embargo=1.5), "embargo = 1.5"),
        (lambda: CombinatorialPurged(groups=4, tested=4), "leaves none to train on"),
        (lambda: CombinatorialPurged(groups=60, tested=30), "makes .* splits"),
        (lambda: list(PurgedKFold().split(5, [0, 0, 2, 3, 4])), "label_end must hold"),
    ],
)
def test_what_cannot_be_split_is_refused_by_name(make: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()  # type: ignore[operator]
