"""Running a recorded run again: the strategy by its hash, the data by its fingerprint, the same terms.

The numbers come out the same to the last bit, or it is said what has changed: data, code, version, terms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from workbench.backtest.costs import Costs
from workbench.backtest.result import Result
from workbench.backtest.rules import Rules
from workbench.backtest.run import backtest
from workbench.errors import DataError, StrategyError, WorkbenchError
from workbench.market.bars import Bars
from workbench.market.lake import Lake
from workbench.research.codes import engine_digest
from workbench.research.ledger import Ledger
from workbench.research.questions import SIGNALS, named
from workbench.research.recorder import instrument_digest, run_of
from workbench.research.run import Run, plain, versions
from workbench.risk.sizing import sizing_of
from workbench.strategy.loader import classes_of, load_strategy
from workbench.strategy.names import parse_name
from workbench.strategy.versions import Archive, Version

if TYPE_CHECKING:
    import pandas as pd

    from workbench.settings import Settings

__all__ = ["Rerun", "rerun"]

_ENGINE: Final = "the code of workbench"
_RELATIVE: Final = 1e-9  # a notebook's results are kept to ten digits
_FILLS: Final = ("none", "previous", "decided")


@dataclass(frozen=True, kw_only=True, eq=False)
class Rerun:
    """What came of running a recorded run again.

    Parameters
    ----------
    run : Run
        As it was recorded.
    result : Result, optional
        Of now; None where it could not be run.
    causes : tuple of str
        What is not as it was, each with its kind first: data, code, version, terms, chance.
    differences : DataFrame
        `metric, recorded, now` of the metrics that differ.
    """

    run: Run
    result: Result | None
    causes: tuple[str, ...]
    differences: pd.DataFrame

    @property
    def reproduced(self) -> bool:
        """Whether it ran and every metric is what was recorded."""
        return self.result is not None and self.differences.empty

    def __repr__(self) -> str:
        word = "reproduced" if self.reproduced else "not run" if self.result is None else "differs"
        return f"<Rerun of {self.run.run_id}: {word}{'; ' if self.causes else ''}{'; '.join(self.causes)}>"


def rerun(run_id: str, *, settings: Settings | None = None, strategy: Any = None) -> Rerun:
    """Run a recorded run again and compare.

    Parameters
    ----------
    run_id : str
        Or a beginning of it that no other has.
    settings : Settings, optional
        Of the workspace; the current one when left out.
    strategy : class, optional
        The class, where it was written in a notebook and is not to be found.

    Returns
    -------
    Rerun

    Raises
    ------
    DataError
        There is no such run, or it was no backtest of a strategy.
    """
    from workbench.settings import load_settings

    where = load_settings() if settings is None else settings
    run = Ledger(where.ledger_root).run(run_id)
    if run.strategy is None or not run.data_fingerprint:
        raise DataError(f"run {run.run_id} ({run.name}) records no strategy and data, so there is nothing to run again")
    causes = _versions_changed(run)
    result = None
    try:
        made = _strategy_of(run, where, strategy, causes)
        bars, details = _bars_of(run, where, causes)
        result = backtest(made, bars, **_terms(run, details, causes), max_missing=1.0)
    except WorkbenchError as error:
        kind = "code" if isinstance(error, StrategyError) else "terms"
        causes.append(str(error) if isinstance(error, _Missing) else f"{kind}: it does not run any more: {error}")
    except Exception as error:  # the strategy's own
        causes.append(f"code: it does not run any more: {type(error).__name__}: {error}")
    rows = [] if result is None else _differences(run, result)
    if rows and not causes:
        causes.append(
            "terms: what the notebook itself did with the data is not recorded" if not run.series else
            "chance: code, data, terms and versions are the same, so the strategy draws numbers without a seed, reads "
            "a clock, or reads something that the ledger does not know of"
        )  # fmt: skip
    import pandas as pd

    table = pd.DataFrame(rows, columns=["metric", "recorded", "now"], dtype=object)
    return Rerun(run=run, result=result, causes=tuple(causes), differences=table)


class _Missing(DataError):
    """Something that a run needs is not there; the message begins with its kind."""


def _versions_changed(run: Run) -> list[str]:
    now = {**versions(), "engine": engine_digest()}
    names = ("python", "numpy", "numba", "workbench", *(("engine",) if "engine" in run.versions else ()))
    return [
        f"version: {_ENGINE if name == 'engine' else name} was {run.versions[name]} and is {now.get(name)}"
        for name in names
        if name in run.versions and run.versions[name] != now.get(name)
    ]


def _strategy_of(run: Run, settings: Settings, given: Any, causes: list[str]) -> Any:
    """Make the strategy as it was, of what was kept by its hash."""
    name = str(run.strategy)
    if name == SIGNALS:
        raise _Missing("code: it was made of ready-made signals, which the ledger does not keep; save such results")
    found = given if given is not None else _kept_class(run, name, settings, causes)
    cls: Any = found if isinstance(found, type) else type(found)
    values = {key: value for key, value in run.parameters.items() if key in cls.declared}
    try:
        made = cls(**values)
    except StrategyError as error:
        raise _Missing(f"code: the parameters do not fit any more: {error}") from error
    if made.code_hash != run.code_hash:
        causes.append(f"code: it was {run.code_hash} and is {made.code_hash}")
    for key, value in run.parameters.items():
        if key not in cls.declared:
            object.__setattr__(made, key, value)  # an exit that a sweep set on the one object
    return made


def _kept_class(run: Run, name: str, settings: Settings, causes: list[str]) -> Any:
    archive = Archive.of(settings)
    kept = [one for one in archive.versions() if one.code_hash == run.code_hash]
    said = parse_name(name)
    for version in kept:
        if version.name.startswith("notebook:"):
            continue
        changed = [key for key, was in version.siblings.items() if archive.hash_beside(key) != was]
        if changed:
            causes.append(f"code: {', '.join(changed)}, which it imports from beside it, changed or went")
        return _class_in(version, said.wanted)
    living = _in_notebook(said.file, run.code_hash)
    if living is not None:
        return living
    if kept:
        raise _Missing(
            f"code: {said.file} was written in a notebook; give the class, rerun(…, strategy={said.file}). Its lines "
            f"are kept in {kept[0].path}: put them into a strategy file with the imports that they need"
        )
    try:
        return load_strategy(name, settings=settings)
    except StrategyError as error:
        raise _Missing(f"code: version {run.code_hash} was not kept, and {name} is not there now: {error}") from error


def _class_in(version: Version, wanted: str) -> Any:
    classes = classes_of(version.path, version.source, as_module=version.kind == "library")
    if wanted in classes:
        return classes[wanted]
    if len(classes) == 1:
        return next(iter(classes.values()))
    raise _Missing(f"code: {version.path} has the strategies {', '.join(classes)}; which one ran was not recorded")


def _in_notebook(name: str, code_hash: str | None) -> Any:
    import sys

    cls = getattr(sys.modules.get("__main__"), name, None)
    return cls if isinstance(cls, type) and named(cls) == name and cls().code_hash == code_hash else None


def _bars_of(run: Run, settings: Settings, causes: list[str]) -> tuple[list[Bars], list[Bars]]:
    """Read the data as it was, by range and fingerprint; and the finer bars that resolved some."""
    lake = Lake(settings.lake_root)
    told = run.series or ({"role": "traded", "venue": run.venue, "symbol": run.symbol, "timeframe": run.timeframe,
                           "start": run.start, "end": run.end, "fingerprint": run.data_fingerprint},)  # fmt: skip
    found, details = [], []
    for one in told:
        if one["role"] == "ticks":
            raise _Missing(f"data: it traded on ticks of {one['symbol']}, which the lake does not keep")
        bars = _read(lake, one)
        what = f"{bars.symbol} {bars.timeframe}"
        if bars.fingerprint != one["fingerprint"]:
            rows = f", {one['rows']:,} bars then and {len(bars):,} now" if "rows" in one else ""
            causes.append(
                f"data: {what} has changed: {one['fingerprint'][:12]} then, {bars.fingerprint[:12]} now{rows}"
            )
        elif one.get("instrument", instrument_digest(bars)) != instrument_digest(bars):
            causes.append(f"data: the facts of the instrument {bars.symbol} have changed (fees, tick size, margin …)")
        found.append(bars)
        if one.get("detail"):
            details.append(_read(lake, {**one, "timeframe": one["detail"], "fingerprint": ""}))
    return found, details


def _read(lake: Lake, said: Mapping[str, Any]) -> Bars:
    """Read a series; with the gaps filled as they were, where only that gives the fingerprint."""
    read: list[Bars] = []
    for fill in _FILLS:
        try:
            bars = lake.read(said["symbol"], said["timeframe"], said["start"], said["end"], venue=said["venue"],
                             fill=fill)  # fmt: skip
        except DataError as error:
            if fill == "none":
                raise _Missing(f"data: {said['symbol']} {said['timeframe']} is not in the lake: {error}") from error
            continue
        if not said["fingerprint"] or bars.fingerprint == said["fingerprint"]:
            return bars
        read.append(bars)
    return read[0]


def _terms(run: Run, details: list[Bars], causes: list[str]) -> dict[str, Any]:
    traded = [one for one in run.series if one["role"] == "traded"]
    rules: dict[str, Any] = {}
    for name, value in run.rules.items():
        if isinstance(value, Mapping) and "given" in value:
            causes.append(f"terms: rules.{name} was {value['given']}, which the ledger does not keep")
        else:
            rules[name] = sizing_of(value) if name == "sizing" else value
    costs: Any = {one["symbol"]: _costs(one["costs"]) for one in traded}
    return {
        "cash": 10_000.0 if run.cash is None else run.cash,
        "costs": costs or _costs(run.costs),
        "fill": run.fill or "next_open",
        "leverage": {one["symbol"]: one["leverage"] for one in traded} or None,
        "detail": details or None,
        "rules": Rules(**rules) if rules else None,
    }


def _costs(said: Mapping[str, Any]) -> Costs:
    values: dict[str, Any] = dict(said)
    if "volume_share" in values and values["volume_share"] is None:
        values["volume_share"] = math.inf  # JSON has no infinity
    return Costs(**values)


def _differences(run: Run, result: Result) -> list[tuple[str, Any, Any]]:
    now = plain(dict(run_of(result).metrics))
    exact = bool(run.series)
    return [
        (name, value, now[name])
        for name, value in run.metrics.items()
        if name in now and not _equal(value, now[name], exact=exact)
    ]


def _equal(one: Any, other: Any, *, exact: bool) -> bool:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other))
    if exact or not numbers:
        return bool(one == other) or (not exact and str(one) == str(other))
    return math.isclose(one, other, rel_tol=_RELATIVE, abs_tol=1e-12)
