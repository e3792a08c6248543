"""From a report's definition to the list of its runs, everything checked before anything starts.

`make_plan` multiplies notebooks with strategies and series, and asks of each whether it can run: the notebook is there
and takes these parameters, the strategy loads and takes its own, the lake has the series. All problems come in one
error. A plan is plain data; two plans with the same `identity` would run the same things.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from workbench.errors import ConfigError, WorkbenchError
from workbench.market.bars import to_ms
from workbench.market.lake import Lake, SeriesInfo
from workbench.reporting.definition import (
    ReportFile,
    RunTable,
    SeriesEntry,
    StrategyEntry,
    SummaryTable,
    all_problems,
    load_definition,
)
from workbench.reporting.parameters import Declared, check_parameters, declared_parameters
from workbench.settings import Settings
from workbench.strategy.loader import load_strategy

__all__ = ["Plan", "PlannedRun", "make_plan"]

_LONGEST_NAME: Final = 120


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """One run of a report, checked.

    Parameters
    ----------
    name : str
        Unique in the report, also where upper and lower case are the same; fit for the name of a file.
    label : str
        For people, such as `"sma_cross BTC/USDT 1h"`.
    notebook : str
        As the definition names it.
    path : Path
        Its file.
    given : mapping
        The notebook's parameters that are not left to their defaults; plain data.
    inputs : mapping
        Those, and the defaults of the others.
    strategy : str, optional
    strategy_parameters : mapping
        Complete, the defaults included.
    code_hash : str, optional
    series : SeriesInfo, optional
        What the lake has of it now.
    """

    name: str
    label: str
    notebook: str
    path: Path
    given: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    strategy: str | None = None
    strategy_parameters: Mapping[str, Any] = field(default_factory=dict)
    code_hash: str | None = None
    series: SeriesInfo | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """What makes it this run and no other; plain data."""
        return {"name": self.name, "notebook": self.notebook, "parameters": dict(self.given)}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All runs of a report.

    Parameters
    ----------
    report, title : str
    path : Path
        The definition's file.
    runs, summary : tuple of PlannedRun
        Those of `summary` start when all of `runs` are done.
    timeout_s : float
        For one notebook.
    workers, keep : int
    """

    report: str
    title: str
    path: Path
    runs: tuple[PlannedRun, ...]
    summary: tuple[PlannedRun, ...]
    timeout_s: float
    workers: int
    keep: int

    @property
    def all(self) -> tuple[PlannedRun, ...]:
        """The runs and then the summaries."""
        return (*self.runs, *self.summary)

    @property
    def identity(self) -> list[dict[str, Any]]:
        """What a batch that is resumed must have in common with this plan."""
        return [run.identity for run in self.all]


def make_plan(name: str, settings: Settings) -> Plan:
    """Read a report's definition and check every run that it stands for.

    Parameters
    ----------
    name : str
        Of `reports/NAME.toml`.
    settings : Settings

    Returns
    -------
    Plan

    Raises
    ------
    ConfigError
        Something is wrong with the definition or does not exist; all problems are listed. Nothing was started.
    """
    file = load_definition(name, settings)
    planner = _Planner(file, settings)
    said = file.definition.report
    for number, table in enumerate(file.definition.runs, 1):
        planner.add_runs(table, f"[[runs]] number {number}")
    for number, summary in enumerate(file.definition.summary, 1):
        planner.add_summary(summary, f"[[summary]] number {number}")
    if not file.definition.runs and not file.definition.summary:
        planner.problems.append('there is nothing to run; add a [[runs]] table with notebook = "backtest"')
    planner.refuse_repeated_names()
    if planner.problems:
        raise all_problems(file.path, planner.problems)
    return Plan(
        report=name,
        title=file.title,
        path=file.path,
        runs=tuple(planner.runs),
        summary=tuple(planner.summary),
        timeout_s=settings.report.timeout_s if said.timeout_s is None else said.timeout_s,
        workers=settings.report.workers if said.workers is None else said.workers,
        keep=said.keep,
    )


class _Planner:
    """Collects runs and problems; one table after the other."""

    def __init__(self, file: ReportFile, settings: Settings) -> None:
        self.file = file
        self.settings = settings
        self.lake = Lake(settings.lake_root)
        self.runs: list[PlannedRun] = []
        self.summary: list[PlannedRun] = []
        self.problems: list[str] = []

    @cached_property
    def known(self) -> list[SeriesInfo]:
        return self.lake.series()

    @contextmanager
    def problem_of(self, where: str) -> Iterator[None]:
        """Note an error of the body as a problem of a place in the file, and go on."""
        try:
            yield
        except WorkbenchError as error:
            self.problems.append(f"{where}: {error}")

    def add_runs(self, table: RunTable, where: str) -> None:
        """Multiply one table out."""
        notebook: tuple[Path, dict[str, Declared]] | None = None
        with self.problem_of(where):
            path = self._notebook(table.notebook)
            notebook = path, declared_parameters(path)
        strategies: list[_Choice] = []
        for entry in table.strategies:
            with self.problem_of(where):
                strategies.append(_Choice.of_strategy(entry, self.settings))
        series: list[_Choice] = []
        for wanted in table.series:
            with self.problem_of(where):
                series.append(self._series(wanted, table))
        if notebook is None:
            return
        for strategy in strategies if table.strategies else [_Choice()]:
            for market in series if table.series else [_Choice()]:
                with self.problem_of(where):
                    self.runs.append(self._run(table, notebook, strategy, market))

    def _run(
        self, table: RunTable, notebook: tuple[Path, dict[str, Declared]], strategy: _Choice, market: _Choice
    ) -> PlannedRun:
        path, declared = notebook
        span = {name: value for name, value in (("start", table.start), ("end", table.end)) if value is not None}
        given = {**strategy.given, **market.given, **span}
        for name in table.parameters:
            if name in given:
                raise ConfigError(f"parameters has {name!r}, which the table says already; say it once")
        checked = check_parameters(path, given | table.parameters)
        alone = "" if strategy.word or market.word else Path(table.notebook).stem
        return PlannedRun(
            name=_file_name("-".join(filter(None, [table.label, strategy.word, market.word, alone]))),
            label=" ".join(filter(None, [table.label, strategy.label, market.label, alone])),
            notebook=table.notebook,
            path=path,
            given=checked,
            inputs=_defaults(declared) | checked,
            strategy=strategy.name,
            strategy_parameters=strategy.parameters,
            code_hash=strategy.code_hash,
            series=market.series,
        )

    def add_summary(self, table: SummaryTable, where: str) -> None:
        """Plan a notebook that comes at the end; the batch and the report are told to it when it asks for them."""
        with self.problem_of(where):
            path = self._notebook(table.notebook)
            declared = declared_parameters(path)
            told = {"report": self.file.name} if "report" in declared else {}
            checked = check_parameters(path, told | table.parameters)
            self.summary.append(
                PlannedRun(
                    name=_file_name(Path(table.notebook).stem),
                    label=Path(table.notebook).stem,
                    notebook=table.notebook,
                    path=path,
                    given=checked,
                    inputs=_defaults(declared) | checked,
                )
            )

    def refuse_repeated_names(self) -> None:
        """Two runs of one name would write the same page."""
        seen: dict[str, PlannedRun] = {}
        for run in (*self.runs, *self.summary):
            first = seen.setdefault(run.name.casefold(), run)
            if first is run:
                continue
            same = (
                "the same run stands there twice" if first.given == run.given else "two runs differ in their parameters"
            )
            self.problems.append(
                f"{run.name!r} is the name of more than one run ({same}); remove one, or give its table a label"
            )

    def _notebook(self, name: str) -> Path:
        folder = self.settings.notebooks
        path = self.settings.root / name if name.endswith(".ipynb") else folder / f"{name}.ipynb"
        if path.is_file():
            return path
        if path.with_suffix(".py").is_file():
            raise ConfigError(
                f"notebook {name!r} is not built: {path.with_suffix('.py')} is its source, {path.name} is not "
                "there; make it with `jupytext --to ipynb`"
            )
        known = sorted(found.stem for found in folder.glob("*.ipynb"))
        close = difflib.get_close_matches(name, known, n=1)
        there = f"did you mean {close[0]!r}?" if close else f"there is {', '.join(known) or 'none'}"
        raise ConfigError(f"there is no notebook {name!r} in {folder}: {there}")

    def _series(self, wanted: SeriesEntry, table: RunTable) -> _Choice:
        found = [info for info in self.known if (info.symbol, info.timeframe) == (wanted.symbol, wanted.timeframe)]
        if wanted.venue is not None:
            found = [info for info in found if info.venue == wanted.venue]
        if len(found) != 1 or not _overlaps(found[0], table):
            # the lake says best what it lacks; where it reads after all, the series came this moment
            self.lake.read(wanted.symbol, wanted.timeframe, table.start, table.end, venue=wanted.venue)
            found = [
                info
                for info in self.lake.series()
                if (info.symbol, info.timeframe) == (wanted.symbol, wanted.timeframe)
            ]
        venue = {} if wanted.venue is None else {"venue": wanted.venue}
        return _Choice(
            word="-".join(filter(None, [wanted.symbol, wanted.timeframe, wanted.venue])),
            label=" ".join(filter(None, [wanted.symbol, wanted.timeframe, wanted.venue])),
            given={"symbol": wanted.symbol, "timeframe": wanted.timeframe} | venue,
            series=found[0],
        )


@dataclass(frozen=True, kw_only=True)
class _Choice:
    """One strategy or one series to vary over; an empty one where the table names none."""

    word: str = ""
    label: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    code_hash: str | None = None
    series: SeriesInfo | None = None

    @classmethod
    def of_strategy(cls, entry: StrategyEntry, settings: Settings) -> _Choice:
        """Load a strategy and make one with the entry's parameters."""
        strategy = load_strategy(entry.name, settings=settings)(**entry.parameters)
        varied = [f"{name}={value}" for name, value in entry.parameters.items()]
        return cls(
            word="-".join([entry.name, *varied]),
            label=f"{entry.name}({', '.join(varied)})" if varied else entry.name,
            given={"strategy": entry.name} | ({"parameters": dict(entry.parameters)} if entry.parameters else {}),
            name=entry.name,
            parameters=strategy.parameters,
            code_hash=strategy.code_hash,
        )


def _overlaps(info: SeriesInfo, table: RunTable) -> bool:
    """Tell whether a series can have bars in the range that a table asks for."""
    start = info.start if table.start is None else to_ms(table.start)
    end = info.end if table.end is None else to_ms(table.end)
    return max(start, info.start) < min(end, info.end)


def _defaults(declared: Mapping[str, Declared]) -> dict[str, Any]:
    return {name: parameter.default for name, parameter in declared.items() if not parameter.required}


def _file_name(text: str) -> str:
    """Make a name that every file system takes, and that says what it is."""
    safe = re.sub(r"[^\w.=+-]+", "-", text).strip("-.") or "run"
    if len(safe.encode()) <= _LONGEST_NAME:
        return safe
    digest = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
    return f"{safe.encode()[: _LONGEST_NAME - 9].decode(errors='ignore')}-{digest}"
