"""The run ledger: every recorded computation, as Parquet, written and read by any number of processes.

`append` adds runs and they are on disk when it returns; nothing is ever changed or taken away. `runs` gives a
DataFrame to ask questions of, `records` the same as `Run` objects. How parts are kept safe is the business of
`store`; what a run is, of `research.run`.
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from workbench.errors import DataError
from workbench.research.amendments import Amendments
from workbench.research.run import FINISHED_WELL, TIME_FIELDS, Run, to_json
from workbench.risk.metrics import HEADLINE, METRICS
from workbench.store import Manifest, PartStore

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Ledger", "runs"]

Attempts = Literal["all", "last"]

_FLOATS: Final = ("cash", "duration_s")
_INTEGERS: Final = ("seed", "peak_memory_bytes")
_NAMES: Final = tuple(entry.name for entry in fields(Run))
# What a table of runs shows of a run, the metrics apart; curves are read by `records` only, they are most of the bytes.
_COLUMNS: Final = tuple(name for name in _NAMES if name not in ("metrics", "curves"))
_IDENTITY: Final = ("report", "batch", "name")  # a later run with the same three is another attempt
_MANY_PARTS: Final = 32


class Ledger:
    """A folder of recorded runs.

    Parameters
    ----------
    root : path
        Made by the first `append`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     len(Ledger(folder).runs())
    0
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).absolute()
        self.store = PartStore(self.root, lock_timeout_s=120.0)

    def __repr__(self) -> str:
        return f"Ledger({str(self.root)!r})"

    def append(self, runs: Run | Iterable[Run]) -> None:
        """Record runs; they are on disk when this returns.

        Raises
        ------
        DataError
            The disk is full, the folder cannot be written, or a run holds what is not plain data. Nothing was recorded.
        """
        rows = [run.to_row() for run in ([runs] if isinstance(runs, Run) else runs)]
        if not rows:
            return
        import pyarrow as pa

        try:
            table = pa.Table.from_pylist(rows, schema=_schema())
        except (pa.ArrowException, OverflowError) as error:
            names = ", ".join(repr(row["name"]) for row in rows)
            raise DataError(f"run {names} cannot be recorded: {error}; give each field a value of its type") from error
        self.store.append(table)
        with suppress(DataError):  # the runs are recorded; what hinders tidying up is told to whoever reads
            self.store.compact(more_than=_MANY_PARTS)

    def runs(self, report: str | None = None, batch: str | None = None, *, attempts: Attempts = "all") -> pd.DataFrame:
        """Give one row per run, newest first.

        Parameters
        ----------
        report, batch : str, optional
            Only runs of these.
        attempts : {"all", "last"}
            `"last"` gives of runs that a resumed batch has repeated only the last.

        Returns
        -------
        pandas.DataFrame
            Columns as the fields of `Run` (times are UTC timestamps, mappings JSON text), then one for each metric;
            metrics that are times are UTC timestamps too. A metric whose name is a field's is `recorded_<name>`.

        Raises
        ------
        DataError
            A part of the ledger is damaged; the message names it.
        """
        import pandas as pd

        table = self._table((*_COLUMNS, "metrics"), report, batch, attempts)
        table = self._amended(table)
        metrics = [json.loads(text) for text in table.column("metrics").to_pylist()]
        names = dict.fromkeys((*HEADLINE, *(name for found in metrics for name in found)))
        frame = table.drop_columns(["metrics"]).to_pandas().astype(dict.fromkeys(_INTEGERS, "Int64"))
        measured = {
            f"recorded_{name}" if name in _COLUMNS else name: _column(name, [found.get(name) for found in metrics])
            for name in names
        }
        whole: pd.DataFrame = pd.concat([frame, pd.DataFrame(measured, index=frame.index)], axis="columns")
        return whole

    def records(
        self, report: str | None = None, batch: str | None = None, *, attempts: Attempts = "all", curves: bool = True
    ) -> list[Run]:
        """Give the runs as objects, newest first, their curves included if asked for; parameters as in `runs`."""
        names = _NAMES if curves else (*_COLUMNS, "metrics")
        return [Run.from_row(row) for row in self._amended(self._table(names, report, batch, attempts)).to_pylist()]

    def find_identity(self, identity: str) -> Run | None:
        """Give the newest run that succeeded with an identity; None where nothing identical was computed."""
        rows = self._table(("identity", "run_id", "status"), None, None, "all").to_pylist()
        found = next((one for one in rows if one["identity"] == identity and one["status"] == FINISHED_WELL), None)
        return None if found is None else self.run(found["run_id"])

    def run(self, run_id: str) -> Run:
        """Give one run by its id, of which a beginning or an end that no other id has is enough.

        Raises
        ------
        DataError
            No run or several runs have such an id; the message names the nearest.
        """
        known = self._table(("run_id",), None, None, "all").column("run_id").to_pylist()
        whole = find_id(run_id, known, str(self.root))
        return Run.from_row(self._amended(self._table(_NAMES, None, None, "all", whole)).to_pylist()[0])

    def compare(self, ids: Sequence[str]) -> pd.DataFrame:
        """Set runs side by side; see `ledger_tables.compared`.

        Raises
        ------
        DataError
            There are fewer than two, or one is not there.
        """
        from workbench.research.ledger_tables import compared

        runs = [self.run(one) for one in dict.fromkeys(ids)]
        if len(runs) < 2:
            raise DataError(f"{len(runs)} run to compare: give at least two ids")
        return compared(runs)

    def export(self, file: str | Path, *, report: str | None = None, study: str | None = None) -> Path:
        """Write the table of runs as CSV, JSON or Parquet, as the ending says; see `ledger_tables.export`."""
        from workbench.research.ledger_tables import export

        frame = self.runs(report)
        return export(frame if study is None else frame[frame["study"] == study].reset_index(drop=True), file)

    def sql(self, query: str) -> pd.DataFrame:
        """Ask the ledger in SQL (DuckDB's); reading only, no file can be reached.

        Parameters
        ----------
        query : str
            One statement that reads. It sees `runs` (columns as `runs()`) and `trials` (as `TrialBook.trials`).

        Raises
        ------
        DataError
            The statement does more than read, or DuckDB refuses it.
        """
        from workbench.research.ledger_tables import ask

        return ask(self, query)

    def tag(self, ids: Iterable[str], *tags: str, remove: bool = False) -> None:
        """Give runs tags, or take tags away; what was recorded stays as it is, and so does what was said before."""
        whole = [self.run(one).run_id for one in ids]
        for tag in tags:
            self._amendments.add("untag" if remove else "tag", tag, runs=whole)

    def note(self, run_id: str, text: str) -> None:
        """Add a note to a run."""
        self._amendments.add("note", text, runs=[self.run(run_id).run_id])

    def prune(self, *, older_than: str | dt.timedelta, keep: int = 10, dry_run: bool = True) -> pd.DataFrame:
        """Take old runs out of the ledger. What was tried still counts: the trial book never forgets.

        Parameters
        ----------
        older_than : str or timedelta
            Such as "90d", "12w", "36h".
        keep : int, default 10
            How many of the newest runs of each study and report stay whatever their age.
        dry_run : bool, default True
            Only say what would go.

        Returns
        -------
        pandas.DataFrame
            The runs that go, or would; those with tags or notes never do.

        Raises
        ------
        ConfigError
            The age or number is none.
        """
        from workbench.research.ledger_tables import prunable, prune

        going = prunable(self.runs(), older_than, keep)
        if not dry_run and len(going):
            prune(self, going["run_id"].tolist())
        return going

    @property
    def _amendments(self) -> Amendments:
        return Amendments(self.root / "notes")

    def _amended(self, table: pa.Table) -> pa.Table:
        """Put what was said of runs afterwards into their tags and notes."""
        import pyarrow as pa

        said = self._amendments.by_run()
        ids = table.column("run_id").to_pylist()
        tags, notes = ([text or "" for text in table.column(name).to_pylist()] for name in ("tags", "note"))
        for row, run_id in enumerate(ids):
            own = dict.fromkeys(json.loads(tags[row] or "[]"), True)
            changed, more = said.get(run_id, ({}, []))
            tags[row] = to_json([tag for tag, on in {**own, **changed}.items() if on])
            notes[row] = "\n".join([*([notes[row]] if notes[row] else []), *more])
        for name, values in (("tags", tags), ("note", notes)):
            table = table.set_column(table.column_names.index(name), name, pa.array(values, pa.string()))
        return table

    def batches(self, report: str | None = None) -> pd.DataFrame:
        """Give one row per execution of a report, newest first.

        Returns
        -------
        pandas.DataFrame
            Columns report, batch, runs, succeeded, failed (counts of the last attempts), started, finished (UTC).
        """
        frame = self.runs(report, attempts="last")
        frame = frame.assign(succeeded=frame["status"] == FINISHED_WELL)
        groups = frame.groupby(["report", "batch"], sort=False)
        table = groups.agg(
            runs=("name", "size"),
            succeeded=("succeeded", "sum"),
            started=("started", "min"),
            finished=("finished", "max"),
        )
        table.insert(2, "failed", table["runs"] - table["succeeded"])
        newest_first: pd.DataFrame = table.reset_index().sort_values("started", ascending=False, ignore_index=True)
        return newest_first

    def latest(self, report: str) -> str | None:
        """Give the batch of a report that was recorded last; None when there is none."""
        found: list[str] = self._table(("run_id", "name", "batch"), report, None, "all").column("batch").to_pylist()
        return found[0] if found else None

    def _table(
        self, names: Sequence[str], report: str | None, batch: str | None, attempts: Attempts, run: str | None = None
    ) -> pa.Table:
        """Read some columns of the runs of a report and batch, newest first."""
        if attempts not in get_args(Attempts):
            raise DataError(f"attempts is {attempts!r}; it must be 'all' or 'last'", attempts=attempts)
        columns = list(dict.fromkeys((*names, *_IDENTITY, "run_id")))
        chosen = {"report": report, "batch": batch, "run_id": run}
        table = self.store.read(lambda manifest: _read(self.store, manifest, columns, chosen))
        table = table.sort_by([("run_id", "descending")])
        if attempts == "last":
            table = table.take(_first_of_each(*(table.column(name).to_pylist() for name in _IDENTITY)))
        return table.select(list(names))


def _read(store: PartStore, manifest: Manifest, columns: list[str], chosen: Mapping[str, str | None]) -> pa.Table:
    """Read columns of exactly the parts that a manifest lists; what a part lacks, being older, is null."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    schema = _schema()
    if not manifest.parts:
        return pa.schema([schema.field(name) for name in columns]).empty_table()
    for part in manifest.parts:
        if (reason := store.damage(part)) is not None:
            raise DataError(
                f"the run ledger at {store.folder} has a damaged part: {store.path(part).name}: {reason}; restore that "
                "file from a backup",
                path=str(store.path(part)),
            )
    wanted = None
    for name, value in chosen.items():
        if value is not None:
            wanted = ds.field(name) == value if wanted is None else wanted & (ds.field(name) == value)
    files = ds.dataset([str(store.path(part)) for part in manifest.parts], schema=schema, format="parquet")
    return files.to_table(columns=columns, filter=wanted)


def find_id(wanted: str, known: Sequence[str], where: str = "the ledger") -> str:
    """Give the one id that begins or ends with a text, or is it.

    Raises
    ------
    DataError
        There is none, or there are several.
    """
    found = [one for one in known if one == wanted] or [
        one for one in known if wanted and (one.startswith(wanted) or one.endswith(wanted))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        some = ", ".join(found[:4]) + (" …" if len(found) > 4 else "")
        raise DataError(f"{wanted!r}: {len(found)} runs have such an id: {some}; give more of it", run_id=wanted)
    ends = {one.rsplit("-", 1)[-1]: one for one in reversed(known)}
    close = difflib.get_close_matches(wanted, [*ends, *known], n=3, cutoff=0.5) or list(known[:3])
    near = dict.fromkeys(ends.get(one, one) for one in close)
    hint = f"the nearest are {', '.join(near)}" if near else "no run is recorded yet"
    raise DataError(f"{wanted!r}: no run of {where} has such an id; {hint}", run_id=wanted)


def _first_of_each(*columns: list[Any]) -> pa.Array:
    """Give the rows in which a combination of values stands for the first time."""
    import pyarrow as pa

    first: dict[tuple[Any, ...], int] = {}
    for row, key in enumerate(zip(*columns, strict=True)):
        first.setdefault(key, row)
    return pa.array(list(first.values()), pa.int64())


def _schema() -> pa.Schema:
    import pyarrow as pa

    types = (
        dict.fromkeys(_NAMES, pa.string())
        | dict.fromkeys(_FLOATS, pa.float64())
        | dict.fromkeys(_INTEGERS, pa.int64())
        | dict.fromkeys(TIME_FIELDS, pa.timestamp("us", tz="UTC"))
    )
    return pa.schema(list(types.items()))


def _column(name: str, values: list[Any]) -> pd.Series[Any]:
    """Make the column of one metric: numbers where all of it is numbers, times where the metric is a time."""
    import pandas as pd

    if name in METRICS and METRICS[name].unit == "time":
        times = pd.to_datetime(pd.Series(values, dtype="str"), utc=True, format="ISO8601", errors="coerce")
        return times.dt.as_unit("us")
    present = [value for value in values if value is not None]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in present):
        with suppress(OverflowError):  # a whole number that no float can hold stays what it is
            return pd.Series([math.nan if value is None else float(value) for value in values], dtype="float64")
    return pd.Series(values, dtype="str" if all(isinstance(value, str) for value in present) else "object")


def runs(report: str | None = None, batch: str | None = None) -> pd.DataFrame:
    """Give the recorded runs of the current workspace, newest first; see `Ledger.runs`."""
    from workbench.settings import load_settings

    return Ledger(load_settings().ledger_root).runs(report, batch)
