"""`Run`: one recorded computation, as a value, and the forms that it is stored in.

A run says what was computed (strategy and code hash, parameters, data fingerprint, costs, seed, versions), what came
out (metrics, a thinned equity curve) and how it ended. It is plain data: text out of a notebook or a strategy file is
kept as text and never evaluated. JSON here has no NaN and no infinity; a number that is not finite becomes null.
"""

from __future__ import annotations

import datetime as dt
import functools
import importlib.metadata
import json
import math
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from workbench import __version__
from workbench.errors import DataError

__all__ = ["FINISHED_WELL", "JSON_FIELDS", "TIME_FIELDS", "Run", "new_run_id", "plain", "to_json", "versions"]

Metric: TypeAlias = bool | int | float | str | None

FINISHED_WELL: Final = "succeeded"
"""The status of a run that did all that it should; every other status is a failure or a run that was stopped."""

TIME_FIELDS: Final = ("start", "end", "started", "finished")
JSON_FIELDS: Final = (
    "parameters", "inputs", "data_quality", "costs", "versions", "metrics", "curves", "series", "rules", "tags"
)  # fmt: skip

_RECORDED_PACKAGES: Final = (
    "numpy", "pandas", "numba", "duckdb", "pyarrow", "exchange-calendars", "papermill", "nbclient", "ipykernel",
    "matplotlib", "vectorbt", "ta",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Run:
    """One computation that was recorded. What does not apply to it is None, or empty.

    Parameters
    ----------
    run_id : str
        Unique; sorts by time (`new_run_id`).
    report, batch, name : str
        Which report, which execution of it, and the run's name in it.
    notebook : str
    strategy : str, optional
        As it was named, such as `"sma_cross"`.
    code_hash : str, optional
        Of the strategy's source.
    parameters : mapping
        Of the strategy, the defaults included.
    inputs : mapping
        Every parameter of the notebook, the defaults included.
    venue, symbol, timeframe : str, optional
    start, end : datetime, optional
        UTC; open of the first bar, close of the last one.
    data_fingerprint : str, optional
        Of the bars that were read.
    data_quality : mapping
        What was odd about the bars, counted by kind, by symbol; as `Quality.summary`.
    costs : mapping
        What was charged: `fee`, `maker_fee` (fractions), `slippage_bps`.
    fill : str, optional
    cash : float, optional
        In the quote currency.
    seed : int, optional
    versions : mapping of str to str
    metrics : mapping of str to number, text, bool or None
        Everything else that the notebook recorded by name.
    curves : mapping of str to tuple of float
        `equity` and `benchmark`: at most some hundred points each, as multiples of the initial cash.
    status : str
        `succeeded`, `failed`, `timed_out`, `kernel_died`, `worker_died` or `cancelled`; said by the process that
        started the run, never by the notebook.
    exit_cause : str
        `completed`, or the class of the error.
    error : str
        Its message; empty when there was none.
    started, finished : datetime
        UTC.
    duration_s : float
    peak_memory_bytes : int, optional
    html : str, optional
        Its page, relative to the folder of reports.
    study, session : str, optional
        The study that it belongs to, and the process that ran it.
    identity : str, optional
        Hash of all that determines its result (`research.identity`); what has the same one need not be computed again.
    trial : str, optional
        What it is known by as a trial (`research.sameness`), however it was computed and by whichever version.
    series : sequence of mappings
        What was read, one series each, finer and coarser ones included: `role, venue, symbol, timeframe, start, end`
        (ms UTC), `rows, fingerprint, instrument`; and of each that is traded `costs` and `leverage`.
    rules : mapping
        How account and venue behaved, where it was not as usual.
    tags : sequence of str
    note : str
    """

    run_id: str
    report: str
    batch: str
    name: str
    notebook: str
    strategy: str | None = None
    code_hash: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    venue: str | None = None
    symbol: str | None = None
    timeframe: str | None = None
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    data_fingerprint: str | None = None
    data_quality: Mapping[str, Any] = field(default_factory=dict)
    costs: Mapping[str, float | None] = field(default_factory=dict)
    fill: str | None = None
    cash: float | None = None
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    status: str = FINISHED_WELL
    exit_cause: str = "completed"
    error: str = ""
    started: dt.datetime
    finished: dt.datetime
    duration_s: float = 0.0
    peak_memory_bytes: int | None = None
    html: str | None = None
    study: str | None = None
    session: str | None = None
    identity: str | None = None
    trial: str | None = None
    series: tuple[Mapping[str, Any], ...] = ()
    rules: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        for name in TIME_FIELDS:
            when = getattr(self, name)
            if when is not None and when.tzinfo is None:
                raise DataError(
                    f"run {self.name!r}: {name} is {when.isoformat()}, without a timezone; give a time in UTC",
                    field=name,
                )

    @property
    def succeeded(self) -> bool:
        """Whether it did all that it should."""
        return self.status == FINISHED_WELL

    def to_row(self) -> dict[str, Any]:
        """Give the values of one row of the ledger: text, numbers and times; mappings as JSON text."""
        row = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        row = {name: _storable(value) if isinstance(value, str) else value for name, value in row.items()}
        return row | {name: to_json(row[name]) for name in JSON_FIELDS}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Run:
        """Read what `to_row` gave; what an older workbench did not record is left at its default.

        Raises
        ------
        DataError
            A mapping is not valid JSON, or the row lacks what every run has.
        """
        known = {entry.name for entry in fields(cls)}
        values = {name: value for name, value in row.items() if name in known and value is not None}
        try:
            values |= {name: json.loads(values[name]) for name in JSON_FIELDS if name in values}
            values["curves"] = {name: tuple(points) for name, points in values.get("curves", {}).items()}
            values |= {name: tuple(values.get(name, ())) for name in ("series", "tags")}
            return cls(**values)
        except (ValueError, TypeError, AttributeError) as error:
            raise DataError(
                f"the record of run {row.get('run_id')!r} cannot be read ({error}); restore the ledger from a backup",
                run_id=row.get("run_id"),
            ) from error


def new_run_id(at: dt.datetime | None = None) -> str:
    """Make the id of a run: its moment in UTC to the microsecond and eight random hex digits, so that ids sort by time.

    Examples
    --------
    >>> new_run_id(dt.datetime(2026, 7, 24, 2, 15, tzinfo=dt.UTC))[:22]
    '20260724T021500000000Z'
    """
    when = dt.datetime.now(dt.UTC) if at is None else at.astimezone(dt.UTC)
    return f"{when:%Y%m%dT%H%M%S%f}Z-{os.urandom(4).hex()}"


@functools.cache
def versions() -> Mapping[str, str]:
    """Give the versions that a result depends on, read from the installation without importing anything.

    Returns
    -------
    mapping of str to str
        `python`, `workbench`, and each package that is installed.
    """
    found = {"python": platform.python_version(), "workbench": __version__}
    for package in _RECORDED_PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return MappingProxyType(found)


def plain(value: Any) -> Any:
    """Turn a value into plain JSON data: tuples become lists, times ISO text, numbers that are not finite None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return _storable(value)
    if value is None or isinstance(value, bool | int):
        return value
    raise DataError(
        f"a value of type {type(value).__name__} cannot be recorded with a run; record numbers, texts, lists or tables"
    )


def _storable(text: str) -> str:
    """Replace what no file can hold as UTF-8: lone surrogates, as in the name of a file that is not text."""
    return text.encode("utf-8", "replace").decode()


def to_json(value: Any) -> str:
    """Write plain data as compact JSON with sorted keys, so that equal data is equal text."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
