"""The run ledger as other programs want it: files, SQL, two runs side by side, and less of it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench._durable import explained, make_folder, write_new
from workbench.errors import ConfigError
from workbench.research.run import FINISHED_WELL, Run

if TYPE_CHECKING:
    import pandas as pd

    from workbench.research.ledger import Ledger

__all__ = ["age", "ask", "compared", "export", "prunable", "prune"]

_AGE: Final = re.compile(r"(\d+)\s*(h|d|w)")
_HOURS: Final = {"h": 1, "d": 24, "w": 168}
_TOLD: Final = ("strategy", "code_hash", "study", "report", "symbol", "timeframe", "start", "end", "data_fingerprint",
                "fill", "cash", "seed", "identity")  # fmt: skip


def compared(runs: Sequence[Run]) -> pd.DataFrame:
    """Set runs side by side.

    Returns
    -------
    pandas.DataFrame
        One row a fact (index: `kind, name`, kind one of run, parameter, cost, version, rule, metric), one column a
        run, named by its id; the last column, `differs`, says whether they are not all the same.
    """
    import pandas as pd

    told: dict[tuple[str, str], dict[str, Any]] = {}
    for run in runs:
        groups = {"parameter": run.parameters, "cost": run.costs, "rule": run.rules, "version": run.versions,
                  "metric": run.metrics}  # fmt: skip
        facts = {("run", name): getattr(run, name) for name in _TOLD}
        facts |= {(kind, name): value for kind, mapping in groups.items() for name, value in mapping.items()}
        for key, value in facts.items():
            told.setdefault(key, {})[run.run_id] = value
    order = ("run", "parameter", "cost", "rule", "version", "metric")
    keys = sorted(told, key=lambda key: order.index(key[0]))
    index = pd.MultiIndex.from_tuples(keys, names=["kind", "name"])
    rows = [[told[key].get(run.run_id) for run in runs] for key in keys]
    frame = pd.DataFrame(rows, index=index, columns=[run.run_id for run in runs], dtype=object)
    frame["differs"] = [len({json.dumps(value, default=str) for value in row}) > 1 for row in rows]
    return frame


def export(frame: pd.DataFrame, file: str | Path) -> Path:
    """Write runs as CSV, JSON or Parquet, as the ending of the file says; whole or not at all, nothing overwritten.

    Raises
    ------
    ConfigError
        The ending is none of these, or the file is there.
    DataError
        The disk refuses.
    """
    where = Path(file).expanduser().absolute()
    kind = where.suffix.lower()
    if kind not in (".csv", ".json", ".parquet"):
        raise ConfigError(f"{file}: the ending says the format; use .csv, .json or .parquet", file=str(file))
    if where.exists():
        raise ConfigError(f"{where} is there already; name another file, or remove it first", file=str(where))
    if kind == ".csv":
        content = frame.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%SZ").encode()
    elif kind == ".json":
        content = frame.to_json(orient="records", date_format="iso", indent=1).encode()
    else:
        import io

        buffer = io.BytesIO()
        storable(frame).to_parquet(buffer, index=False)
        content = buffer.getvalue()
    temporary = where.with_name(f".{where.name}.tmp")
    with explained(where):
        make_folder(where.parent)
        temporary.unlink(missing_ok=True)
        try:
            write_new(temporary, content)
            temporary.rename(where)
        finally:
            temporary.unlink(missing_ok=True)
    return where


def storable(frame: pd.DataFrame) -> pd.DataFrame:
    """Give columns of mixed values as text, for engines that want one type a column."""
    mixed = [name for name in frame.columns if frame[name].dtype == object]
    texts: dict[str, Any] = {name: [None if value is None else str(value) for value in frame[name]] for name in mixed}
    return frame.assign(**texts).astype(dict.fromkeys(mixed, "str"))


def ask(ledger: Ledger, query: str) -> pd.DataFrame:
    """Run one reading statement over `runs` and `trials`; `Ledger.sql` says more."""
    import pyarrow as pa

    from workbench.market.lake_sql import read_only
    from workbench.research.trials import TrialBook

    runs = pa.Table.from_pandas(storable(ledger.runs()), preserve_index=False)
    trials = TrialBook(ledger.root / "trials", runs=ledger.root).table()
    return read_only(query, {"runs": runs, "trials": trials}, change="the ledger: ask with SELECT, WITH or FROM")


def age(text: str | dt.timedelta) -> dt.timedelta:
    """Read an age such as "90d", "12w" or "36h".

    Raises
    ------
    ConfigError
        It is none.
    """
    if isinstance(text, dt.timedelta):
        return text
    found = _AGE.fullmatch(str(text).strip())
    if found is None:
        raise ConfigError(f"older_than = {text!r}: write an age such as '90d', '12w' or '36h'", value=text)
    with suppress(OverflowError):
        return dt.timedelta(hours=int(found[1]) * _HOURS[found[2]])
    raise ConfigError(f"older_than = {text!r} is longer than any calendar", value=text)


def prunable(frame: pd.DataFrame, older_than: str | dt.timedelta, keep: int) -> pd.DataFrame:
    """Give the runs that may go: old, not among the newest of their study or report, and without tags or notes."""
    import pandas as pd

    if isinstance(keep, bool) or not isinstance(keep, int) or keep < 0:
        raise ConfigError(f"keep = {keep!r}: give a whole number of runs of each study or report to keep", keep=keep)
    limit = pd.Timestamp(dt.datetime.now(dt.UTC) - min(age(older_than), dt.timedelta(days=365 * 200)))
    groups = frame["study"].fillna("").astype(str) + "\n" + frame["report"].fillna("").astype(str)
    place = frame.groupby(groups, sort=False).cumcount()  # newest first
    plain = (frame["tags"] == "[]") & (frame["note"] == "")
    found: pd.DataFrame = frame[(frame["finished"] < limit) & (place >= keep) & plain].reset_index(drop=True)
    return found


def prune(ledger: Ledger, going: Sequence[str]) -> None:
    """Take runs out; those that are trials are noted in the trial book first, where they count for good."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from workbench.research.counting import batch_of
    from workbench.research.trials import TrialBook

    gone = set(going)
    book = TrialBook(ledger.root / "trials")
    known = book.known_runs()
    runs = [run for run in ledger.records(curves=False) if run.run_id in gone - known and run.status == FINISHED_WELL]
    book.add([batch for run in runs if (batch := batch_of(run)) is not None])
    with ledger.store.transaction() as change:
        for part in list(change.parts):
            table = ledger.store.table([part])
            kept = table.filter(pc.invert(pc.is_in(table["run_id"], pa.array(sorted(gone)))))
            if len(kept) < len(table):
                change.retire(part)
                if len(kept):
                    change.add(kept, part.meta)
