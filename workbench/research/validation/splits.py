"""Splits of bars into training and test rows that do not share information.

A splitter gives pairs of row numbers. A row may know the future: the label of row i looks at bars up to `label_end[i]`
(row i itself where nothing is said). A row is trained on only if what it looks at lies outside the rows that are tested
and those that their labels look at, with `purge` bars of distance on both sides and `embargo` more after a test.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.market.timeframe import Timeframe

__all__ = ["AnchoredSplit", "CombinatorialPurged", "PurgedKFold", "RollingSplit", "Splitter"]

Rows = NDArray[np.int64]
Length = int | str | Timeframe

_MOST_SPLITS: Final = 100_000


class Splitter:
    """Base of all splitters: rows in, pairs of training and test rows out."""

    def split(self, n: int, label_end: Any = None, *, ts: Any = None) -> Iterator[tuple[Rows, Rows]]:
        """Give the pairs of training and test rows.

        Parameters
        ----------
        n : int
            Rows in all, oldest first.
        label_end : int array, shape (n,), optional
            The last row that each row's label looks at; itself where left out.
        ts : int64 array, shape (n,), optional
            Open times, ms UTC, increasing; needed where a length is a duration such as "30d".

        Yields
        ------
        train, test : int64 arrays
            Row numbers, increasing.

        Raises
        ------
        ConfigError
            A length is out of range, too long for the rows, or a duration without `ts`.
        """
        ends, times = _checked(n, label_end, ts)
        return self._pairs(ends, times)

    def _pairs(self, ends: Rows, ts: Rows | None) -> Iterator[tuple[Rows, Rows]]:
        raise ConfigError(f"{type(self).__name__} does not split: use RollingSplit, PurgedKFold or another of its kind")


@dataclass(frozen=True, kw_only=True)
class RollingSplit(Splitter):
    """Train on a stretch, test on what follows, move on by the test: the splits of a rolling walk-forward.

    Parameters
    ----------
    train, test : int (bars) or str
        Both in bars, or both durations such as "365d" and "90d", which count elapsed time, holes included.
    gap : int (bars) or str, default 0
        Left out between training and test.
    partial : bool, default True
        Whether a last test that is shorter is kept.

    Notes
    -----
    Rows are dropped from a training if their labels look into the gap or the test. Stretches of time without any bar
    give no split.

    Examples
    --------
    >>> [(train.tolist(), test.tolist()) for train, test in RollingSplit(train=3, test=2).split(7)]
    [([0, 1, 2], [3, 4]), ([2, 3, 4], [5, 6])]
    """

    train: Length
    test: Length
    gap: Length = 0
    partial: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.train, int) is not isinstance(self.test, int):
            raise ConfigError(
                f"train = {self.train!r} and test = {self.test!r}: give both in bars (500) or both as times ('365d')"
            )
        for name in ("train", "test"):
            _check_length(name, getattr(self, name), least=1)
        _check_length("gap", self.gap, least=0)

    def _pairs(self, ends: Rows, ts: Rows | None) -> Iterator[tuple[Rows, Rows]]:
        axis = np.arange(len(ends), dtype=np.int64) if isinstance(self.train, int) else _times(ts, "train", self.train)
        train, test = _amount(self.train), _amount(self.test)
        origin, last = int(axis[0]), _next(axis)
        if origin + train >= last:
            raise ConfigError(
                f"train = {self.train!r} takes all of the {len(ends):,} bars and leaves none to test: shorten it, or "
                "read a longer range",
                train=self.train,
            )
        for start in range(origin + train, last, test):
            if start + test > last and not self.partial:
                return
            first, a, b = np.searchsorted(axis, (self._train_start(origin, start - train), start, start + test))
            border = self._border(int(a), ts)
            rows = np.arange(first, border, dtype=np.int64)
            rows = rows[ends[rows] < border]
            if len(rows) and b > a:
                yield rows, np.arange(a, b, dtype=np.int64)

    def _train_start(self, origin: int, rolling: int) -> int:
        return rolling

    def _border(self, first: int, ts: Rows | None) -> int:
        """Give the row after the last that may be trained on."""
        if isinstance(self.gap, int):
            return max(first - self.gap, 0)
        times = _times(ts, "gap", self.gap)
        return int(np.searchsorted(times, times[first] - _amount(self.gap)))


@dataclass(frozen=True, kw_only=True)
class AnchoredSplit(RollingSplit):
    """As `RollingSplit`, but every training begins at the first bar, so that it grows.

    Examples
    --------
    >>> [(train.tolist(), test.tolist()) for train, test in AnchoredSplit(train=3, test=2).split(7)]
    [([0, 1, 2], [3, 4]), ([0, 1, 2, 3, 4], [5, 6])]
    """

    def _train_start(self, origin: int, rolling: int) -> int:
        return origin


@dataclass(frozen=True, kw_only=True)
class PurgedKFold(Splitter):
    """Cut the rows into folds in order of time; test each, train on the others without what overlaps.

    Parameters
    ----------
    folds : int, default 5
    purge : int (bars) or str, default 0
        Distance that is kept on both sides of a test.
    embargo : int (bars), float (fraction of all rows, below 1) or str, default 0
        Kept in addition after a test, since what is tested still echoes there.

    Notes
    -----
    Lopez de Prado, Advances in Financial Machine Learning (2018), chapter 7.
    """

    folds: int = 5
    purge: Length = 0
    embargo: Length | float = 0

    def __post_init__(self) -> None:
        _check_count("folds", self.folds, 2)
        _check_length("purge", self.purge, least=0)
        _check_embargo(self.embargo)

    def _pairs(self, ends: Rows, ts: Rows | None) -> Iterator[tuple[Rows, Rows]]:
        groups = _groups(len(ends), self.folds, "folds")
        for group in groups:
            yield _outside(ends, ts, [group], self), group


@dataclass(frozen=True, kw_only=True)
class CombinatorialPurged(Splitter):
    """Cut the rows into groups and test every choice of some of them: combinatorial purged cross-validation.

    Parameters
    ----------
    groups : int, default 6
        N of the literature.
    tested : int, default 2
        k: groups that each split tests.
    purge, embargo
        As in `PurgedKFold`; around each group that is tested.

    Notes
    -----
    Each group is tested C(N-1, k-1) times. The tests join to as many paths over all rows (`paths`), which is
    C(N, k) k / N. Lopez de Prado (2018), chapter 12.

    Examples
    --------
    >>> splitter = CombinatorialPurged(groups=6, tested=2)
    >>> splitter.count, len(splitter.paths)
    (15, 5)
    """

    groups: int = 6
    tested: int = 2
    purge: Length = 0
    embargo: Length | float = 0

    def __post_init__(self) -> None:
        _check_count("groups", self.groups, 2)
        _check_count("tested", self.tested, 1)
        if self.tested >= self.groups:
            raise ConfigError(
                f"tested = {self.tested} of {self.groups} groups leaves none to train on: test fewer, or cut into more"
            )
        if self.count > _MOST_SPLITS:
            raise ConfigError(f"groups = {self.groups}, tested = {self.tested} makes {self.count:,} splits: lower one")
        _check_length("purge", self.purge, least=0)
        _check_embargo(self.embargo)

    @property
    def count(self) -> int:
        """How many splits there are: C(groups, tested)."""
        return math.comb(self.groups, self.tested)

    @property
    def choices(self) -> list[tuple[int, ...]]:
        """The groups that each split tests, in the order of `split`."""
        return list(itertools.combinations(range(self.groups), self.tested))

    @property
    def paths(self) -> Rows:
        """The split from which each path takes each group, shape (paths, groups)."""
        choices = self.choices
        held = [[split for split, chosen in enumerate(choices) if group in chosen] for group in range(self.groups)]
        return np.array(held, dtype=np.int64).T

    def blocks(self, n: int) -> list[Rows]:
        """Give the rows of each group."""
        return _groups(n, self.groups, "groups")

    def _pairs(self, ends: Rows, ts: Rows | None) -> Iterator[tuple[Rows, Rows]]:
        blocks = self.blocks(len(ends))
        for chosen in self.choices:
            tests = [blocks[group] for group in chosen]
            yield _outside(ends, ts, tests, self), np.concatenate(tests)


def _outside(ends: Rows, ts: Rows | None, tests: list[Rows], splitter: PurgedKFold | CombinatorialPurged) -> Rows:
    """Give the rows that share nothing with any of some runs of test rows."""
    rows = np.arange(len(ends), dtype=np.int64)
    keep = np.ones(len(ends), dtype=np.bool_)
    for test in tests:
        first, last = int(test[0]), int(ends[test].max())
        embargo = splitter.embargo
        embargo = math.ceil(embargo * len(ends)) if isinstance(embargo, float) else embargo
        before = _shifted(first, splitter.purge, -1, ts)
        after = _shifted(_shifted(last, splitter.purge, 1, ts), embargo, 1, ts)
        keep &= (ends < before) | (rows > after)
        keep[test] = False
    return rows[keep]


def _shifted(row: int, by: Length, sign: int, ts: Rows | None) -> int:
    """Give the row that lies a distance before (-1) or after (+1) another; durations count the bars inside them."""
    if isinstance(by, int):
        return row + sign * by
    times = _times(ts, "purge or embargo", by)
    row = min(max(row, 0), len(times) - 1)
    moved = np.searchsorted(times, times[row] + sign * _amount(by), side="left" if sign < 0 else "right")
    return int(moved) if sign < 0 else int(moved) - 1


def _groups(n: int, count: int, name: str) -> list[Rows]:
    if n < count:
        raise ConfigError(f"{name} = {count}, but there are only {n} rows: cut into fewer", rows=n)
    return [np.asarray(part, dtype=np.int64) for part in np.array_split(np.arange(n), count)]


def _checked(n: Any, label_end: Any, ts: Any) -> tuple[Rows, Rows | None]:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ConfigError(f"n = {n!r}: give how many rows there are, at least 1", n=n)
    rows = np.arange(n, dtype=np.int64)
    ends = rows if label_end is None else np.asarray(label_end)
    if ends.shape != (n,) or ends.dtype.kind not in "iu" or (ends < rows).any():
        raise ConfigError(
            f"label_end must hold, for each of the {n} rows, the number of the last row that its label looks at: the "
            "row itself or a later one"
        )
    times = None if ts is None else np.asarray(ts, dtype=np.int64)
    if times is not None and (times.shape != (n,) or (np.diff(times) <= 0).any()):
        raise ConfigError(f"ts must hold {n} increasing times (ms UTC); it has shape {times.shape}")
    return ends.astype(np.int64), times


def _times(ts: Rows | None, name: str, length: Length) -> Rows:
    if ts is None:
        raise ConfigError(
            f"{name} = {str(length)!r} is a time, which needs the times of the rows: split(n, ts=bars.ts)"
        )
    return ts


def _next(axis: Rows) -> int:
    """Give where the row after the last would be."""
    return int(axis[-1]) + (int(np.median(np.diff(axis))) if len(axis) > 1 else 1)


def _amount(length: Length) -> int:
    """Read a length in bars, or in ms; unlike a bar it may last more than a year."""
    if isinstance(length, int):
        return length
    if isinstance(length, Timeframe):
        return length.ms
    units = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
    number, unit = str(length)[:-1], str(length)[-1:]
    if not number.isascii() or not number.isdigit() or unit not in units:
        raise ConfigError(
            f"{length!r} is no length: give a number of bars, or a time as a whole number and a unit of s, m, h, d or "
            "w, such as '365d'",
            length=length,
        )
    return int(number) * units[unit]


def _check_length(name: str, length: Any, *, least: int) -> None:
    if isinstance(length, bool) or not isinstance(length, (int, str, Timeframe)):
        raise ConfigError(f"{name} = {length!r}: give a number of bars, or a time such as '30d'", **{name: length})
    if _amount(length) < least:
        raise ConfigError(f"{name} = {length!r} must be at least {least}", **{name: length})


def _check_embargo(embargo: Any) -> None:
    if not isinstance(embargo, float):
        _check_length("embargo", embargo, least=0)
    elif not 0.0 <= embargo < 1.0:
        raise ConfigError(f"embargo = {embargo!r}: a fraction of all rows, from 0 to below 1, or a number of bars")


def _check_count(name: str, count: Any, least: int) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or count < least:
        raise ConfigError(f"{name} = {count!r}: give a whole number of at least {least}", **{name: count})
