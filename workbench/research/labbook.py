"""`wb.study(name)`: the lab book of one question, in which every attempt counts.

    with wb.study("sma on btc") as book:
        wb.backtest(SmaCross(fast=10), bars)

Whatever is backtested inside is recorded and counts as a trial, in this process and any other, now and next year.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar, Token
from functools import cached_property
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Final

from workbench.backtest.result import Result
from workbench.backtest.run import OBSERVER, backtest
from workbench.backtest.run import unobserved as uncounted
from workbench.errors import ConfigError
from workbench.research.amendments import Amendments
from workbench.research.ledger import Ledger
from workbench.research.recorder import asked_identity, keep_source, run_of
from workbench.research.run import Run
from workbench.research.trials import Count, TrialBatch, TrialBook
from workbench.risk.metrics import METRICS

if TYPE_CHECKING:
    import pandas as pd

    from workbench.settings import Settings

__all__ = ["Answer", "LabBook", "current_study", "study", "uncounted"]

_CURRENT: Final[ContextVar[LabBook | None]] = ContextVar("study", default=None)


class Answer:
    """What a backtest of a study gave: its metrics, from the ledger where the very same was computed before.

    Attributes
    ----------
    from_ledger : bool
        Whether nothing was computed.
    run : Run
        The record.
    metrics : mapping
        As `Result.metrics`.
    """

    def __init__(self, run: Run, ask: Any, result: Result | None = None) -> None:
        self.run = run
        self.from_ledger = result is None
        self._ask, self._result = ask, result

    @cached_property
    def metrics(self) -> Mapping[str, Any]:
        """The numbers, by name, as `Result.metrics` has them."""
        return self._result.metrics if self._result is not None else metrics_of(self.run)

    @property
    def result(self) -> Result:
        """The whole result; it is computed again where the metrics came from the ledger."""
        if self._result is None:
            with uncounted():
                self._result = self._ask()
        return self._result

    def __repr__(self) -> str:
        told = ", ".join(f"{METRICS[name].label} {METRICS[name].text(self.metrics[name])}"
                         for name in ("total_return", "sharpe_ratio", "max_drawdown", "trades"))  # fmt: skip
        where = f"from the ledger, run {self.run.run_id}" if self.from_ledger else f"run {self.run.run_id}"
        return f"<Answer {self.run.name} on {self.run.symbol} {self.run.timeframe}: {told}; {where}>"


def metrics_of(run: Run) -> Mapping[str, Any]:
    """Give the metrics of a recorded run as `Result.metrics` had them."""
    infinite = str(run.metrics.get("infinite", "")).split()
    found = {}
    for name in METRICS:
        if name not in run.metrics:
            continue
        value = run.metrics[name]
        if value is None and METRICS[name].unit != "time":
            value = math.inf if name in infinite else math.nan
        found[name] = value
    return MappingProxyType(found)


class LabBook:
    """The trials of one study, and the way to make more of them; made by `wb.study`.

    Parameters
    ----------
    name : str
    settings : Settings
        Of the workspace that keeps them.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        if not isinstance(name, str) or not name.strip():
            raise ConfigError(f"study = {name!r}: give it a name, such as wb.study('sma on btc')", name=name)
        self.name = name.strip()
        self.settings = settings
        self.ledger = Ledger(settings.ledger_root)
        self.book = TrialBook.of(settings)
        self._tokens: list[tuple[Token[Any], Token[Any]]] = []

    def __enter__(self) -> LabBook:
        self._tokens.append((OBSERVER.set(self._hear), _CURRENT.set(self)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        heard, current = self._tokens.pop()
        OBSERVER.reset(heard)
        _CURRENT.reset(current)

    def _hear(self, result: Result) -> None:
        self.record(result)

    def record(self, result: Result, *, tags: Sequence[str] = (), note: str = "") -> Run:
        """Record a result, which counts as a trial; it is on disk when this returns."""
        keep_source(result.strategy, self.settings)
        run = run_of(result, study=self.name, tags=tags, note=note)
        self.ledger.append(run)
        return run

    def add(self, batch: TrialBatch) -> None:
        """Note trials that were made elsewhere, such as those of a sweep."""
        self.book.add(batch)

    def backtest(self, strategy: Any, bars: Any, *, again: bool = False, **options: Any) -> Answer:
        """Backtest and record, or give what was computed before with identical inputs.

        Parameters
        ----------
        strategy, bars, **options
            As `wb.backtest` takes them.
        again : bool, default False
            Compute and record it whatever the ledger has.

        Returns
        -------
        Answer
            `from_ledger` says whether anything was computed, `metrics` are the numbers, `result` all of it.

        Notes
        -----
        Identical are the code of the strategy with all that it reaches, its parameters, data, instruments, costs,
        rules, fill, cash, leverage, and the code of workbench and of numpy, numba and Python.
        """
        bars = list(bars) if isinstance(bars, Iterator) else bars

        def ask() -> Result:
            return backtest(strategy, bars, **options)

        identity = None if again else asked_identity(strategy, bars, options)
        known = None if identity is None else self.ledger.find_identity(identity)
        if known is not None:
            if known.study != self.name:  # asked here for the first time: it counts here too
                from workbench.research.counting import batch_of

                if (batch := batch_of(known, study=self.name)) is not None:
                    self.book.add(batch)
            return Answer(known, ask)
        with uncounted():
            result = ask()
        return Answer(self.record(result), ask, result)

    @property
    def count(self) -> Count:
        """How many trials the study has: all, and those that differ."""
        return self.book.count(self.name)

    @property
    def trials(self) -> pd.DataFrame:
        """One row a trial; see `TrialBook.trials`."""
        return self.book.trials(self.name)

    @property
    def linked(self) -> pd.DataFrame:
        """Trials on the same questions under other names; see `TrialBook.linked`."""
        return self.book.linked(self.name)

    @property
    def runs(self) -> pd.DataFrame:
        """The recorded runs of the study, newest first; see `Ledger.runs`."""
        frame = self.ledger.runs()
        found: pd.DataFrame = frame[frame["study"] == self.name].reset_index(drop=True)
        return found

    def note(self, text: str) -> None:
        """Write a note into the lab book; it stays as it is."""
        Amendments.of(self.settings).add("note", text, study=self.name)

    def tag(self, *tags: str) -> None:
        """Give the study tags."""
        for tag in tags:
            Amendments.of(self.settings).add("tag", tag, study=self.name)

    @property
    def notes(self) -> pd.DataFrame:
        """The notes and tags of the study, oldest first: `when, by, kind, text`."""
        return Amendments.of(self.settings).table(study=self.name)

    def __repr__(self) -> str:
        count = self.count
        return f"<LabBook {self.name!r}: {count.raw:,} trials, {count.distinct:,} distinct>"

    def _repr_html_(self) -> str:
        count, linked, notes = self.count, self.linked, self.notes
        others = int(linked["trials"].sum()) if len(linked) else 0
        more = f"; {others:,} more on the same question under other names" if others else ""
        parts = [
            f"<h4>Study {html.escape(self.name)}</h4><p>{count.raw:,} trials, {count.distinct:,} distinct{more}.</p>"
        ]
        for title, table in (("Linked studies", linked), ("Notes", notes)):
            if len(table):
                parts.append(f"<h5>{title}</h5>{table.to_html(index=False, border=0, classes='wb-table')}")
        return f"<div class='wb-study'>{''.join(parts)}</div>"


def study(name: str) -> LabBook:
    """Open the lab book of a study of the current workspace: a context manager in which every backtest counts.

    Parameters
    ----------
    name : str
        Any text; the same name is the same study, in any process.

    Raises
    ------
    ConfigError
        There is no workspace, or the name is empty.
    """
    from workbench.settings import load_settings

    settings = load_settings()
    if not settings.found:
        raise ConfigError(
            f"{settings.root} is not in a workspace, so nothing would remember the trials; make one with "
            "wb.init_workspace('desk') and work there, or set WORKBENCH_WORKSPACE",
            folder=str(settings.root),
        )
    return LabBook(name, settings)


def current_study() -> LabBook | None:
    """Give the study inside whose `with` block this runs; None outside."""
    return _CURRENT.get()
