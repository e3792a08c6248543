"""The ledger of trials: the lab notebook that cannot forget how often a question was asked.

Whoever tries something in a study adds what was tried as a `TrialBatch`, a million at once or one; the rows are on disk
when `add` returns, and nothing takes them away again. A trial is known by its identity, a hash of all that determines
its result, so that what is tried twice counts once among the distinct ones. Who asks the same question (a strategy of
the same family over data that overlap) under another name is found by `linked`; recorded runs of notebooks count too.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.research.questions import asks_the_same, family_of, question_of
from workbench.research.run import new_run_id
from workbench.store import Manifest, PartStore

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from workbench.market.bars import Bars
    from workbench.settings import Settings

__all__ = ["Count", "Source", "TrialBatch", "TrialBook"]

Source = Literal[
    "backtest", "sweep", "optimise", "walk_forward", "cross_validate", "report", "learning", "allocation", "other"
]

_WORDS: Final = ("study", "question", "source", "session", "symbol", "timeframe", "strategy", "family", "code_hash",
                 "data_fingerprint", "run_id")  # fmt: skip
_NUMBERS: Final = ("sharpe", "skew", "kurtosis", "periods_per_year")
_TIMES: Final = ("when", "start", "end")
COLUMNS: Final = ("study", "question", "identity", "source", "session", "when", "sharpe", "observations", "skew",
                  "kurtosis", "periods_per_year", "symbol", "timeframe", "start", "end", "strategy", "family",
                  "code_hash", "data_fingerprint", "run_id")  # fmt: skip
_MANY_PARTS: Final = 32


class Count(NamedTuple):
    """How often something was tried: every time (`raw`), and what differed (`distinct`)."""

    raw: int
    distinct: int


@dataclass(frozen=True, kw_only=True, eq=False)
class TrialBatch:
    """Trials of one question, as columns.

    Parameters
    ----------
    study : str
        The name under which they were made.
    source : {"backtest", "sweep", "optimise", "walk_forward", "cross_validate", "report", "learning", ...}
    strategy : str
        As it is named: a class, or a file.
    identity : uint64 array_like, shape (k,)
        Hash of all that determines the result of each; see `identity.identities`.
    sharpe : float array_like, shape (k,)
        Sharpe ratio per observation (not annualised); NaN where there is none.
    observations : int or int array_like, shape (k,)
        Returns that it was reckoned from.
    skew, kurtosis : float array_like, shape (k,), optional
        Of these returns; the kurtosis is 3 for a normal distribution.
    symbol, timeframe : str
        Of the data; several symbols with ", " between.
    start, end : datetime, optional
        UTC; of the data. All time, where left out.
    code_hash, data_fingerprint, run_id : str, optional
    periods_per_year : float, optional
    session : str, optional
        Of the process that made them; this one when left out.
    when : datetime, optional
        Now when left out.

    Raises
    ------
    DataError
        The columns are not of one length, or the study has no name.
    """

    study: str
    source: Source
    strategy: str
    identity: Any
    sharpe: Any
    observations: Any
    skew: Any = None
    kurtosis: Any = None
    symbol: str = ""
    timeframe: str = ""
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    code_hash: str = ""
    data_fingerprint: str = ""
    run_id: str = ""
    periods_per_year: float = float("nan")
    session: str = ""
    when: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def __post_init__(self) -> None:
        if not isinstance(self.study, str) or not self.study.strip():
            raise DataError(f"study = {self.study!r}: give the study a name, such as 'sma on btc'", study=self.study)
        if self.source not in get_args(Source):
            raise DataError(f"source = {self.source!r} is not one of {', '.join(map(repr, get_args(Source)))}")
        count = len(np.atleast_1d(np.asarray(self.identity)))
        for name, kind in (("identity", np.uint64), ("sharpe", np.float64), ("observations", np.int64),
                           ("skew", np.float64), ("kurtosis", np.float64)):  # fmt: skip
            object.__setattr__(self, name, _of_length(name, getattr(self, name), kind, count))
        object.__setattr__(self, "session", self.session or session_id())

    def __len__(self) -> int:
        return len(self.identity)

    @classmethod
    def on(cls, strategy: Any, bars: Bars | Sequence[Bars], **facts: Any) -> TrialBatch:
        """Make a batch of trials of a strategy (an object or a class) on some bars; `facts` as the parameters say."""
        from workbench.research.questions import facts_of

        return cls(**{**facts_of(strategy, bars), **facts})

    def shared(self) -> dict[str, Any]:
        """Give what all of its trials have in common, by column."""
        family = family_of(self.strategy)
        words = {name: getattr(self, name) for name in _WORDS if name not in ("family", "question")}
        words |= {"family": family, "question": question_of(family, self.symbol, self.timeframe)}
        said = {name: str(word).encode("utf-8", "replace").decode() for name, word in words.items()}
        return {**said, **{name: getattr(self, name) for name in _TIMES}}

    def to_arrow(self) -> pa.Table:
        """Give the rows as they are stored; what is the same for all of them costs next to nothing."""
        import pyarrow as pa

        shared = self.shared()
        count = len(self)
        columns: dict[str, Any] = {}
        for name in COLUMNS:
            kind = _type_of(name)
            if name in _WORDS:
                words = pa.array([shared[name]], pa.string())
                columns[name] = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), words)
            elif name in shared:
                columns[name] = pa.repeat(pa.scalar(shared[name], kind), count)
            else:
                values = np.broadcast_to(np.asarray(getattr(self, name)), (count,))
                columns[name] = pa.array(values, kind)
        return pa.table(columns)


def stacked(batches: Sequence[TrialBatch]) -> pa.Table:
    """Put batches into one table, as they are stored; a thousand of one row each are as cheap as one of a thousand."""
    import pyarrow as pa

    if len(batches) == 1:
        return batches[0].to_arrow()
    columns: dict[str, Any] = {}
    shared = [one.shared() for one in batches]
    lengths = [len(one) for one in batches]
    for name in COLUMNS:
        if name in shared[0]:
            words = pa.array([one[name] for one in shared], pa.string() if name in _WORDS else _type_of(name))
            values = words.take(pa.array(np.repeat(np.arange(len(batches)), lengths)))
            columns[name] = values.dictionary_encode() if name in _WORDS else values
        else:
            parts = [np.broadcast_to(np.asarray(getattr(one, name)), (len(one),)) for one in batches]
            columns[name] = pa.array(np.concatenate(parts), _type_of(name))
    return pa.table(columns)


def _of_length(name: str, values: Any, kind: Any, count: int) -> NDArray[Any]:
    try:
        known = values.astype(kind) if isinstance(values, np.ndarray) else None
        array = np.array(np.nan if values is None else values, dtype=kind) if known is None else known
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{name} of a trial must be numbers: {error}", column=name) from error
    if (name == "observations" and not array.ndim) or values is None:
        array = np.broadcast_to(array, (count,))
    array = np.atleast_1d(array)
    if array.shape != (count,):
        raise DataError(f"{name} has shape {array.shape}, but there are {count:,} trials: give one a trial")
    return array


@functools.cache
def _session_of(process: int) -> str:
    return f"{new_run_id()}-{process}"


def session_id() -> str:
    """Give the name of this process's session: when it first asked, and its number."""
    return _session_of(os.getpid())


class TrialBook:
    """A folder of trials that any number of processes write at once.

    Parameters
    ----------
    root : path
        Made by the first `add`.
    runs : path, optional
        The run ledger whose runs count as trials as well; none when left out.
    """

    def __init__(self, root: str | Path, *, runs: str | Path | None = None) -> None:
        self.root = Path(root).absolute()
        self.runs = None if runs is None else Path(runs).absolute()
        self._store = PartStore(self.root, lock_timeout_s=120.0)

    def __repr__(self) -> str:
        return f"TrialBook({str(self.root)!r})"

    @classmethod
    def of(cls, settings: Settings) -> TrialBook:
        """Give the trial book of a workspace."""
        return cls(settings.ledger_root / "trials", runs=settings.ledger_root)

    def add(self, batch: TrialBatch | Iterable[TrialBatch]) -> None:
        """Note trials; they are on disk when this returns, and count for good.

        Raises
        ------
        DataError
            The disk is full, or the folder cannot be written. Nothing was noted.
        """
        batches = [one for one in ([batch] if isinstance(batch, TrialBatch) else batch) if len(one)]
        if batches:
            self._store.append(stacked(batches))
            self._store.compact(more_than=_MANY_PARTS)

    def trials(self, study: str | None = None) -> pd.DataFrame:
        """Give one row a trial, in the order in which they were noted.

        Parameters
        ----------
        study : str, optional
            Only its trials.

        Returns
        -------
        pandas.DataFrame
            Columns `COLUMNS`; `sharpe` is per observation, `when`, `start` and `end` are UTC.
        """
        table = self._table(COLUMNS)
        if study is not None:
            table = _only(table, "study", [study])
        frame: pd.DataFrame = table.to_pandas()
        return frame.astype(dict.fromkeys(_WORDS, "str")) if len(frame) < 10_000 else frame

    def count(self, study: str, *, linked: bool = False) -> Count:
        """Count the trials of a study.

        Parameters
        ----------
        study : str
        linked : bool, default False
            Count those on the same questions under other names as well.
        """
        table = self._table(("study", "identity"))
        names = [study, *(self.linked(study)["study"].unique() if linked else ())]
        found = _only(table, "study", names)["identity"].to_numpy()
        return Count(len(found), len(np.unique(found)))

    def studies(self) -> pd.DataFrame:
        """Give one row a study and question: how often it was tried, and when; newest first."""
        return _summary(self._table(COLUMNS))

    def linked(self, study: str) -> pd.DataFrame:
        """Find trials on the questions of a study that were made under other names.

        Parameters
        ----------
        study : str

        Returns
        -------
        pandas.DataFrame
            One row for each other study and set of data: `study, strategy, symbol, timeframe, trials, distinct,
            sources, first, last, best_sharpe` (per observation), `start, end` of the data, and `link`: "same data" or
            "overlapping data".

        Notes
        -----
        The question is the same where the strategy is of one family (the name of class or file, whatever its code and
        parameters) and the data have one fingerprint, or share an instrument and timeframe over some time.
        """
        return links_in(self.studies(), study)

    def known_runs(self) -> set[str]:
        """Give the ids of recorded runs that are noted here as trials of their own."""
        return {one for one in self._stored(("run_id",))["run_id"].unique().to_pylist() if one}

    def _table(self, columns: Sequence[str]) -> pa.Table:
        """Read columns of what is noted here and of the recorded runs that count."""
        import pyarrow as pa

        noted = self._stored(columns)
        if self.runs is None or not (self.runs / "manifest.json").is_file():
            return noted
        from workbench.research.counting import batches_of

        more = list(batches_of(self.runs, self.known_runs()))
        return pa.concat_tables([noted, stacked(more).select(list(columns))]) if more else noted

    def table(self) -> pa.Table:
        """Give all rows as an Arrow table with columns `COLUMNS`."""
        return self._table(COLUMNS)

    def _stored(self, columns: Sequence[str]) -> pa.Table:
        return self._store.read(lambda manifest: _read(self._store, manifest, columns))


def _type_of(name: str) -> pa.DataType:
    import pyarrow as pa

    if name in _WORDS:
        return pa.dictionary(pa.int32(), pa.string())
    if name in _TIMES:
        return pa.timestamp("us", tz="UTC")
    return pa.float64() if name in _NUMBERS else {"identity": pa.uint64(), "observations": pa.int64()}[name]


def _read(store: PartStore, manifest: Manifest, columns: Sequence[str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    empty = pa.schema([(name, _type_of(name)) for name in columns]).empty_table()
    tables = [empty]
    for part in manifest.parts:
        content, reason = store.content(part)
        if reason is not None:
            raise DataError(
                f"the ledger of trials at {store.folder} has a damaged part: {part.file}: {reason}; restore that file "
                "from a backup",
                path=str(store.path(part)),
            )
        file = pq.ParquetFile(pa.BufferReader(content), pre_buffer=False)
        tables.append(file.read(columns=list(columns), use_threads=False).select(list(columns)))
    return pa.concat_tables(tables)


def _only(table: pa.Table, name: str, values: Sequence[str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    return table.filter(pc.is_in(table[name].cast(pa.string()), pa.array(list(values), pa.string())))


def links_in(studies: pd.DataFrame, study: str) -> pd.DataFrame:
    """Find in a summary of all studies what is linked with one; see `TrialBook.linked`."""
    own: list[Any] = studies[studies["study"] == study].to_dict("records")
    others = studies[studies["study"] != study]
    rest: list[Any] = others.to_dict("records")
    links = [next((said for one in own if (said := asks_the_same(one, other))), "") for other in rest]
    marked = others.assign(link=links)
    found: pd.DataFrame = marked[marked["link"] != ""].reset_index(drop=True)
    return found.drop(columns=["family", "question"])


_GROUP: Final = ("study", "family", "question", "strategy", "symbol", "timeframe", "data_fingerprint")


def _summary(table: pa.Table) -> pd.DataFrame:
    """Give one row for each study, strategy and set of data, newest first."""
    import pyarrow as pa

    plain = [table[name].cast(pa.string()) if name in _WORDS else table[name] for name in COLUMNS]
    groups = pa.table(plain, names=list(COLUMNS)).group_by(list(_GROUP)).aggregate(
        [("identity", "count"), ("identity", "count_distinct"), ("source", "distinct"), ("when", "min"),
         ("when", "max"), ("sharpe", "max"), ("start", "min"), ("end", "max")]
    )  # fmt: skip
    frame = groups.to_pandas().rename(
        columns={"identity_count": "trials", "identity_count_distinct": "distinct", "source_distinct": "sources",
                 "when_min": "first", "when_max": "last", "sharpe_max": "best_sharpe", "start_min": "start",
                 "end_max": "end"}
    )  # fmt: skip
    frame["sources"] = [", ".join(sorted(one)) for one in frame["sources"]]
    ordered: pd.DataFrame = frame[[*_GROUP, "trials", "distinct", "sources", "first", "last", "best_sharpe", "start",
                                   "end"]].sort_values("last", ascending=False, ignore_index=True)  # fmt: skip
    return ordered
