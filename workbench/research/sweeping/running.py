"""`sweep`: compute every combination, on all cores or a cluster, and make a `Study` of what comes out."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError, DataError, StrategyError
from workbench.market.bars import Bars
from workbench.research.noting import note_trials, study_here
from workbench.research.spreading import spread
from workbench.research.study import Study
from workbench.research.sweeping.combinations import Combinations, Where, grid_of
from workbench.research.sweeping.evaluator import USUAL, Evaluator
from workbench.research.sweeping.sampling import Sampler
from workbench.research.sweeping.shelf import Piece, Shelf, slug_of, studies_root
from workbench.strategy.strategy import SignalStrategy

if TYPE_CHECKING:
    from workbench.research.spreading.work import Place

__all__ = ["sweep"]

_UNITS: Final = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_LEAST_MEMORY: Final = 64 * 10**6
_CACHES_SHARE: Final = 0.5  # of the budget, for what combinations share; the table has the rest
_PIECE: Final = 4_096
_FIRST_BARS: Final = 130_000_000  # that the first piece goes over, before it is known how long one takes
_PIECE_S: Final = 2.0  # that a piece may take here, after which it is kept and Ctrl-C heard
_WRITE_EVERY_S: Final = 2.0
_HELD_BYTES: Final = 64  # of a row besides its numbers: the frame, and the parts on their way to the disk


Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Job:
    """What every worker needs: one evaluator a series, and the combinations."""

    evaluators: tuple[Evaluator, ...]
    combinations: Combinations

    def __len__(self) -> int:
        return len(self.evaluators) * len(self.combinations)


@dataclass
class _Gathered:
    """What has come in."""

    table: NDArray[np.float64]
    refused: NDArray[np.bool_]
    done: NDArray[np.bool_]
    ranges: list[tuple[int, int]] = field(default_factory=list)

    def put(self, piece: Piece) -> None:
        start, stop, values, refused = piece
        self.table[start:stop], self.refused[start:stop], self.done[start:stop] = values, refused, True
        self.ranges.append((start, stop))


def sweep(
    strategy: SignalStrategy | type[SignalStrategy],
    bars: Bars | Iterable[Bars] | Mapping[str, Bars | Iterable[Bars]],
    *,
    grid: Mapping[str, Any] | None = None,
    sampler: Sampler | None = None,
    where: Where | None = None,
    metrics: Sequence[str] = USUAL,
    memory: str | int = "2GB",
    executor: Place = None,
    study: str | None = None,
    resume: bool = True,
    progress: bool | Literal["always"] = True,
    **options: Any,
) -> Study:
    """Compute many combinations of parameters, and keep what comes of each.

    Parameters
    ----------
    strategy : SignalStrategy, or a class of them
        In code or rules. An object's parameters hold where a combination says nothing else.
    bars : Bars, list of Bars, or mapping of str to these
        A list shares one account, as in `wb.backtest`. A mapping gives one row a combination and series, which may be
        of several instruments or timeframes.
    grid : mapping of str to iterable
        Values by parameter, exit (`stop_loss take_profit trailing_stop trailing_activation max_bars size`), cost
        (`fee maker_fee slippage_bps`) or `leverage`.
    sampler : Sampler
        In place of a grid: combinations drawn from ranges.
    where : callable, optional
        Which combinations to keep: `lambda p: p["fast"] < p["slow"]`. Called with columns where it can be.
    metrics : sequence of str
        Names of `Result.metrics` that are numbers.
    memory : str or int, default "2GB"
        Budget; text with a unit, or bytes.
    executor : optional
        As `research.spreading.spread` takes it: threads when left out, an `Executor`, `"tcp://..."` of a dask cluster.
    study : str, optional
        Keeps the sweep on the disk of the workspace under this name, and counts its trials.
    resume : bool, default True
        Go on with a sweep of this study and the same inputs that was stopped, or give it at once if it is complete.
    progress : bool or "always", default True
        Show how far it is on a terminal that is not a CI's; "always" wherever it runs.
    **options
        As `wb.backtest` takes them: `costs fill cash leverage rules ...`.

    Returns
    -------
    Study
        A partial one after Ctrl-C. Combinations that the strategy itself does not take are left out and counted.

    Raises
    ------
    ConfigError
        Neither or both of grid and sampler, an unknown name, nothing to compute, or a budget too small for the table.
    StrategyError
        A value is out of its parameter's range, or the strategy broke.

    Examples
    --------
    >>> from workbench.research.sweeping.running import memory_bytes
    >>> memory_bytes("2GB")
    2000000000
    """
    budget, study = memory_bytes(memory), study_here(study)
    if isinstance(strategy, str):
        raise StrategyError(f"strategy is the text {strategy!r}: give wb.load_strategy({strategy!r})")
    chosen = strategy() if isinstance(strategy, type) else strategy
    series = _series_of(bars)
    evaluators = tuple(Evaluator(chosen, one, metrics=metrics, **options) for one in series.values())
    job = Job(evaluators, _combinations(evaluators[0].strategy, grid, sampler, where))
    _fit(job, budget)
    shelf, name = _shelf(job, series, study)
    gathered = _Gathered(np.full((len(job), len(metrics)), np.nan), *np.zeros((2, len(job)), dtype=np.bool_))
    began = time.monotonic()
    if shelf is not None:
        _recall(shelf, gathered, resume)
    before = gathered.done.copy()
    _compute(job, gathered, shelf, executor, progress)
    if study is not None:
        _note(study, job, gathered, before)
    found = Study.of_sweep(
        name or _usual_name(evaluators[0].strategy, series), job.combinations, tuple(series), evaluators,
        (gathered.table, gathered.refused, gathered.done),
        seconds=time.monotonic() - began, recalled=int(before.sum()), kept=study is not None,
    )  # fmt: skip
    if shelf is not None and not found.partial:
        found.to_parquet(shelf.file)
    return found


def _note(study: str, job: Job, gathered: _Gathered, before: NDArray[np.bool_]) -> None:
    """Note what was computed now as trials; what came from the disk was noted then."""
    count = len(job.combinations)
    for number, evaluator in enumerate(job.evaluators):
        own = slice(number * count, (number + 1) * count)
        fresh = np.flatnonzero(gathered.done[own] & ~gathered.refused[own] & ~before[own])
        numbers = dict(zip(evaluator.metrics, gathered.table[own][fresh].T, strict=True))
        note_trials(study, "sweep", evaluator, job.combinations.columns_of(fresh), numbers)


def memory_bytes(said: str | int) -> int:
    """Read a budget of memory: bytes, or a number and a unit such as 500MB, 2GB, 1.5GiB.

    Raises
    ------
    ConfigError
        It cannot be read, or is too little to work with.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", str(said).lower()) if said is not True else None
    if found is None or found[2] not in _UNITS:
        raise ConfigError(f"memory = {said!r}: give a number and a unit, such as '2GB' or '500MB', or bytes")
    size = int(float(found[1]) * _UNITS[found[2]])
    if size < _LEAST_MEMORY:
        raise ConfigError(f"memory = {said!r} is too little to work with; give at least {_LEAST_MEMORY // 10**6}MB")
    return size


def _series_of(bars: Any) -> dict[str, Any]:
    if isinstance(bars, Mapping):
        if not bars:
            raise ConfigError("bars is an empty mapping: give bars by name, such as {'btc 1h': bars}")
        return {str(name): one if isinstance(one, Bars) else list(one) for name, one in bars.items()}
    found = bars if isinstance(bars, Bars) else list(bars) if isinstance(bars, Iterable) else [bars]
    wrong = next((one for one in ([] if isinstance(found, Bars) else found) if not isinstance(one, Bars)), None)
    if wrong is not None:
        raise DataError(
            f"bars is a {type(bars).__name__}: give wb.Bars, for example wb.Bars.from_pandas(df, symbol='BTC/USDT', "
            "timeframe='1h')"
        )
    return {"": found}


def _combinations(strategy: SignalStrategy, grid: Any, sampler: Any, where: Where | None) -> Combinations:
    if (grid is None) == (sampler is None):
        raise ConfigError(
            "give grid= or sampler=, one of them: grid={'fast': range(5, 55)} or sampler=Sampler(count=1_000)"
        )
    if grid is not None:
        return grid_of(strategy, grid, where)
    if not isinstance(sampler, Sampler):
        raise ConfigError(f"sampler is a {type(sampler).__name__}: give Sampler(count=1_000, kind='sobol')")
    return sampler.draw(strategy, where)


def _fit(job: Job, budget: int) -> None:
    """Hold the table to the budget, and give the rest to what combinations share."""
    row = 16 * (len(job.combinations.names) + len(job.evaluators[0].metrics)) + _HELD_BYTES
    caches = int(budget * _CACHES_SHARE)
    if row * len(job) > budget - caches:
        raise ConfigError(
            f"memory: a table of {len(job):,} rows needs about {row * len(job) / 10**9 / (1 - _CACHES_SHARE):.1f} GB; "
            "give memory= that much, fewer metrics, or a sampler"
        )
    for one in job.evaluators:
        one.share_memory(caches // len(job.evaluators))


def _usual_name(strategy: SignalStrategy, series: Mapping[str, Any]) -> str:
    names = {bars.symbol for one in series.values() for bars in ([one] if isinstance(one, Bars) else one)}
    shown = ", ".join(sorted(names)) if len(names) <= 3 else f"{len(names)} instruments"
    return f"{type(strategy).__name__} on {shown}"


def _shelf(job: Job, series: Mapping[str, Any], study: str | None) -> tuple[Shelf | None, str]:
    if study is None:
        return None, ""
    slug, root = slug_of(study), studies_root()
    metrics = job.evaluators[0].metrics
    return (None if root is None else Shelf(root / slug / identity_of(job, series), metrics)), study


def identity_of(job: Job, series: Mapping[str, Any]) -> str:
    """Give a hash (16 hex digits) of all that the rows of a sweep depend on."""
    from workbench import __version__

    one = job.evaluators[0]
    facts = {
        "version": __version__,
        "strategy": [type(one.strategy).__name__, one.strategy.code_hash, repr(one.strategy.parameters)],
        "series": [[name, [[bars.symbol, bars.venue, str(bars.timeframe), bars.fingerprint, repr(bars.instrument)]
                           for bars in ([found] if isinstance(found, Bars) else found)]]
                   for name, found in series.items()],
        "options": {name: repr(value) for name, value in sorted(one.options.items())},
        "metrics": list(one.metrics),
        "combinations": job.combinations.fingerprint,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _recall(shelf: Shelf, gathered: _Gathered, resume: bool) -> None:
    if not resume:
        shelf.clear()
    for piece in shelf.pieces():
        gathered.put(piece)


def _compute(job: Job, gathered: _Gathered, shelf: Shelf | None, executor: Place, progress: Any) -> None:
    """Compute what is not there yet; Ctrl-C ends it, with what has come in kept."""
    waiting: list[Piece] = []
    written = time.monotonic()
    try:
        with _shown(progress, len(job)) as tell:
            done = tuple(gathered.ranges)
            for start, stop, out in _pieces(job, executor, done, tell):
                piece = (start, stop, *out)
                gathered.put(piece)
                waiting.append(piece)
                if shelf is not None and time.monotonic() - written > _WRITE_EVERY_S:
                    shelf.add(waiting)
                    waiting, written = [], time.monotonic()
    except KeyboardInterrupt:
        pass  # the study says that it is partial
    finally:
        if shelf is not None:
            shelf.add(waiting)


def _pieces(job: Job, executor: Place, done: Ranges, tell: Any) -> Iterator[tuple[int, int, Any]]:
    """Compute all rows piece by piece: here, each on all cores, or wherever `spread` takes them."""
    if executor is not None:
        most = max(1, min(_PIECE, math.ceil(len(job) / 4)))
        yield from spread(_piece, job, len(job), executor=executor, most=most, done=done, progress=tell)
        return
    threads, finished = os.cpu_count() or 1, sum(stop - start for start, stop in done)
    first_bars = job.evaluators[0].bars
    rows = len(first_bars) if isinstance(first_bars, Bars) else sum(map(len, first_bars))
    size = max(1, min(_PIECE, _FIRST_BARS // max(rows, 1)))
    for first, last in _gaps(done, len(job)):
        start = first
        while start < last:
            stop, began = min(start + size, last), time.monotonic()
            out = _piece(job, start, stop, threads)
            took = time.monotonic() - began
            if took < _PIECE_S / 2 and stop - start == size:
                size *= 2
            elif took > 2 * _PIECE_S:
                size = max(size // 2, 1)
            yield start, stop, out
            finished, start = finished + stop - start, stop
            if tell is not None:
                tell(finished, len(job))


def _gaps(done: Ranges, count: int) -> Iterator[tuple[int, int]]:
    """Give the ranges that are not among those done."""
    at = 0
    for start, stop in sorted(done):
        if start > at:
            yield at, start
        at = max(at, stop)
    if at < count:
        yield at, count


def _piece(job: Job, start: int, stop: int, threads: int = 1) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Compute some rows: those of the first series come first."""
    count = len(job.combinations)
    found = []
    while start < stop:
        number, first = divmod(start, count)
        last = min(count, first + stop - start)
        found.append(job.evaluators[number].table(job.combinations.columns(first, last), threads))
        start += last - first
    return np.concatenate([one[0] for one in found]), np.concatenate([one[1] for one in found])


@contextmanager
def _shown(progress: Any, count: int) -> Iterator[Any]:
    wanted = progress == "always" or (progress and sys.stderr.isatty() and not os.environ.get("CI"))
    if not wanted:
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("sweep"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as bar:
        line = bar.add_task("sweep", total=count)
        yield lambda done, total: bar.update(line, completed=done, total=total)
