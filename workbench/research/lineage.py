"""What became of a strategy: which versions ran, what changed between two of them, and whether one is fit to run."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from workbench.errors import StrategyError, WorkbenchError
from workbench.market.bars import Bars
from workbench.market.instrument import Instrument
from workbench.market.lake import Lake
from workbench.market.timeframe import Timeframe
from workbench.research.ledger import Ledger
from workbench.strategy.loader import classes_of, load_strategy
from workbench.strategy.names import ENDINGS, LIBRARY, StrategyName, find_file, parse_name
from workbench.strategy.parameterised import Parameterised
from workbench.strategy.strategy import SignalStrategy, signals_of
from workbench.strategy.versions import Archive, Version, source_of

if TYPE_CHECKING:
    from workbench.settings import Settings

__all__ = ["Change", "Finding", "Use", "changes", "history", "validate"]

_BARS: Final = 1_500


@dataclass(frozen=True, kw_only=True)
class Use:
    """One version of a strategy, and the runs that used it.

    Parameters
    ----------
    code_hash : str
    version : Version, optional
        None for one that ran and was not kept.
    current : bool
        Whether it is what the file holds now.
    runs : int
    first, last : datetime, optional
        When the first and the last of them began, UTC.
    """

    code_hash: str
    version: Version | None
    current: bool = False
    runs: int = 0
    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Change:
    """What differs between two strategies or versions.

    Parameters
    ----------
    names, hashes : tuple of str
        Of the two.
    diff : str
        Of their sources, as `diff -u` writes it; empty where they are the same.
    parameters : mapping of str to tuple of str
        Those whose declaration differs, in words; empty text where one lacks it.
    """

    names: tuple[str, str]
    hashes: tuple[str, str]
    diff: str
    parameters: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that `validate` looked at."""

    check: str
    level: Literal["good", "note", "wrong"]
    message: str


def history(name: str, settings: Settings) -> list[Use]:
    """List the versions of a strategy, newest first; what the file holds now is kept on the way.

    Raises
    ------
    StrategyError
        There is no such strategy and none of its versions is known.
    """
    said = parse_name(name)
    path = None if said.library else find_file(said, settings)
    archive = Archive.of(settings)
    now = _kept_now(archive, said, path, settings)
    files = [path.name] if path else _files_meant(said)
    versions = [version for file in files for version in archive.versions(file)]
    if not versions and not now and path is None:
        load_strategy(name, settings=settings)  # there is no such strategy; this says what there is
    known = {version.code_hash: version for version in versions}
    ran = _runs_of(settings, known, _stem(path.name if path else said.file), path)
    uses = [
        Use(code_hash=one, version=known.get(one), current=one == now, **ran.get(one, {}))
        for one in dict.fromkeys([*known, *ran])
    ]
    return sorted(uses, key=lambda use: (use.current, _when(use)), reverse=True)


def _kept_now(archive: Archive, said: StrategyName, path: Path | None, settings: Settings) -> str:
    """Keep what a name means now and give its hash; empty where it means nothing that loads."""
    from workbench.strategy.library import get, names

    try:
        if path is not None:
            kept = [archive.keep(cls) for cls in classes_of(path).values()]
        else:
            kept = [archive.keep(get(said.file))] if said.file in names() else []
    except StrategyError:
        return ""
    return kept[0].code_hash if kept and kept[0] is not None else ""


def _files_meant(said: StrategyName) -> list[str]:
    if said.library:
        return [f"{LIBRARY}{said.file}"]
    file = Path(said.file).name
    return [file] if file.endswith(ENDINGS) else [*(f"{file}{ending}" for ending in ENDINGS), f"{LIBRARY}{file}"]


def _when(use: Use) -> str:
    return use.version.kept_at if use.version is not None else (use.last.isoformat() if use.last else "")


def _stem(file: str) -> str:
    return Path(file).name.rsplit(".", 1)[0] if file.endswith(ENDINGS) else Path(file).name


def _runs_of(
    settings: Settings, known: Mapping[str, Version], stem: str, path: Path | None
) -> dict[str, dict[str, Any]]:
    """Count the recorded runs of some versions, and of versions that are not kept but went by the same name."""
    frame = Ledger(settings.ledger_root).runs()
    found: dict[str, dict[str, Any]] = {}
    for code_hash, group in frame.dropna(subset=["code_hash"]).groupby("code_hash"):
        named = {str(name) for name in group["strategy"].dropna()}
        if code_hash in known or any(_same_name(name, stem, path) for name in named):
            began = group["started"].sort_values()
            found[str(code_hash)] = {
                "runs": len(group), "first": began.iloc[0].to_pydatetime(), "last": began.iloc[-1].to_pydatetime(),
            }  # fmt: skip
    return found


def _same_name(name: str, stem: str, path: Path | None) -> bool:
    said = parse_name(name)
    rules = said.file.endswith(ENDINGS[1:])
    return _stem(said.file) == stem and not said.library and rules == (path is not None and path.suffix != ".py")


def changes(first: str, second: str, settings: Settings) -> Change:
    """Say what differs between two strategies, or two versions of one.

    Parameters
    ----------
    first, second : str
        Names as `load_strategy` takes them; retired ones with their hash.
    """
    one, other = load_strategy(first, settings=settings), load_strategy(second, settings=settings)
    before, after = (source_of(cls).splitlines(keepends=True) for cls in (one, other))
    told = [{name: _in_words(each) for name, each in cls.declared.items()} for cls in (one, other)]
    names = dict.fromkeys([*told[0], *told[1]])
    return Change(
        names=(first, second),
        hashes=(one().code_hash, other().code_hash),
        diff="".join(difflib.unified_diff(before, after, fromfile=first, tofile=second)),
        parameters={
            name: (told[0].get(name, ""), told[1].get(name, ""))
            for name in names
            if told[0].get(name) != told[1].get(name)
        },
    )


def _in_words(one: Any) -> str:
    bounds = [f"{one.low:g} to {one.high:g}"] if one.low is not None and one.high is not None else []
    return " ".join([f"{one.default!r}", *(f"({text})" for text in bounds)])


def validate(
    name: str, settings: Settings, *, symbols: Sequence[str] = (), timeframe: str | None = None
) -> list[Finding]:
    """Try whether a strategy is fit to run: it loads, its defaults are sound, and it does its work on some bars.

    Parameters
    ----------
    name : str
    settings : Settings
    symbols : sequence of str, optional
        Series of the lake to try it on; the shortest that the lake has when left out, made bars where it has none.
    timeframe : str, optional
        Of these; that of the shortest series when left out.

    Returns
    -------
    list of Finding
        Of a file that does not load, that alone. A version that loads is kept.
    """
    try:
        cls = load_strategy(name, settings=settings)
    except WorkbenchError as error:
        return [Finding(check="loads", level="wrong", message=str(error))]
    return list(_findings(cls, settings, symbols, timeframe))


def _findings(cls: Any, settings: Settings, symbols: Sequence[str], timeframe: str | None) -> Iterator[Finding]:
    version = Archive.of(settings).keep(cls)
    kept = f"kept as {version.code_hash[:8]}" if version else "not of a file"
    yield Finding(check="loads", level="good", message=f"{cls.__name__}, {kept}")
    try:
        strategy = cls()
    except WorkbenchError as error:
        yield Finding(check="defaults", level="wrong", message=str(error))
        return
    yield Finding(check="defaults", level="good", message=repr(strategy))
    yield from _about_words(cls)
    if version is not None and version.siblings:
        yield Finding(
            check="imports",
            level="note",
            message=f"imports {', '.join(version.siblings)} from beside it, which its hash does not cover; a version "
            "is refused once one of them has changed",
        )
    try:
        bars = _some_bars(settings, symbols, timeframe)
        yield _tried(strategy, bars)
    except WorkbenchError as error:
        notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
        yield Finding(check="runs", level="wrong", message=f"{error}{notes}")
    except Exception as error:  # the strategy's own: it is run as it is, so anything may come of it
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if version is not None and frame.filename.endswith(version.name)]
        where = (own or frames)[-1]
        place = f"line {where.lineno} of {Path(where.filename).name}: {where.line}"
        yield Finding(
            check="runs",
            level="wrong",
            message=f"{type(error).__name__}: {error} ({place})",
        )


def _about_words(cls: type[Parameterised]) -> Iterator[Finding]:
    if not (cls.__doc__ or "").strip():
        yield Finding(check="description", level="note", message="it has none; say what it does in its docstring")
    free = [
        name
        for name, one in cls.declared.items()
        if one.kind in (int, float) and one.choices is None and (one.low is None or one.high is None)
    ]
    if free:
        yield Finding(
            check="bounds", level="note", message=f"{', '.join(free)}: without low and high no sweep is possible"
        )


def _tried(strategy: Any, bars: list[Bars]) -> Finding:
    where = ", ".join(f"{one.symbol} {one.timeframe}" for one in bars)
    if isinstance(strategy, SignalStrategy):
        said = [signals_of(strategy, one) for one in bars]
        entries = sum(int((one.entry | one.short_entry).sum()) for one in said)
        count = sum(map(len, said))
        if not entries:
            needed = strategy.warm_up_on(bars[0].timeframe)
            short = " (its warm-up is longer than that)" if needed >= len(bars[0]) else ""
            return Finding(check="runs", level="note", message=f"no entry on {count:,} bars of {where}{short}")
        return Finding(check="runs", level="good", message=f"{entries:,} entries on {count:,} bars of {where}")
    from workbench.backtest.run import backtest

    result = backtest(strategy, bars, path="event")
    fills = int(result.closed.sum())
    return Finding(
        check="runs",
        level="good" if fills else "note",
        message=f"{fills:,} trade{'s' if fills != 1 else ''} on {len(bars[0]):,} bars of {where}",
    )


def _some_bars(settings: Settings, symbols: Sequence[str], timeframe: str | None) -> list[Bars]:
    lake = Lake(settings.lake_root)
    series = sorted(lake.series(), key=lambda info: info.rows)
    if symbols:
        length = timeframe or next((info.timeframe for info in series if info.symbol == symbols[0]), None)
        if length is None:
            raise StrategyError(f"the lake has no {symbols[0]}; `workbench data list` shows what it has")
        return [lake.read(symbol, length)[-_BARS:] for symbol in symbols]
    if not series:
        return [_made_bars()]
    info = next((one for one in series if one.rows >= _BARS), series[-1])
    return [lake.read(info.symbol, info.timeframe, venue=info.venue)[-_BARS:]]


def _made_bars() -> Bars:
    """Make bars that rise and fall, for a workspace without data."""
    rows = np.arange(_BARS)
    close = 100 * np.exp(0.3 * np.sin(rows / 60) + 0.05 * np.sin(rows / 7))
    edge = np.concatenate((close[:1], close[:-1]))
    columns = {"open": edge, "high": np.maximum(edge, close), "low": np.minimum(edge, close), "close": close}
    return Bars(
        instrument=Instrument(symbol="MADE/UP"), timeframe=Timeframe.parse("1h"), ts=rows * 3_600_000,
        volume=np.full(_BARS, 1e6), **columns,
    )  # fmt: skip
