"""`workbench data check`: whether the lake is as it was written, and where it has holes."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.console import Cell, Column, say, show_json, show_table
from workbench.cli.options import AsJson, Symbol, Timeframe, Venue
from workbench.cli.place import lake_here
from workbench.cli.words import iso
from workbench.errors import DataError

if TYPE_CHECKING:
    from workbench.market.bars import Gap
    from workbench.market.lake import Finding, Lake, SeriesInfo
    from workbench.market.quality.findings import Quality, QualityFinding

__all__ = ["CHECK_EXAMPLES", "DECIDE_EXAMPLES", "check_series", "decide_finding"]

CHECK_EXAMPLES: Final = (
    "workbench data check                        every byte of every series",
    "workbench data check BTC/USDT               one symbol, with its longest gaps",
    "workbench data check BTC/USDT 1h --drop     take out what is damaged, to import it again",
)
DECIDE_EXAMPLES: Final = (
    'workbench data decide BTC/USDT 1h gap@2018-02-08T01:00 --as accept --note "the venue was down"',
    "workbench data decide BTC/USDT 1d outlier.spike@2017-04-15 --as exclude",
)
_SHOWN_GAPS: Final = 20
_SHOWN_FINDINGS: Final = 20


def check_series(
    symbol: Annotated[str | None, typer.Argument(metavar="[SYMBOL]", help="Only this one, with its gaps.")] = None,
    timeframe: Annotated[str | None, typer.Argument(metavar="[TIMEFRAME]", help="Only this one.")] = None,
    venue: Venue = None,
    drop: Annotated[
        bool, typer.Option("--drop", help="Take damaged parts out, so that they can be imported again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read every byte of the lake, compare it with what was written, count the gaps and tell what else is odd.

    The exit code is 1 when something is damaged. Gaps are counted by each instrument's trading calendar; they are
    facts, not damage.
    """
    lake = lake_here()
    findings = lake.check(symbol, timeframe, venue=venue)
    infos = [info for info in lake.series() if _wanted(info, symbol, timeframe, venue)]
    if symbol is not None and not infos and not findings:
        raise _unknown(lake, symbol, timeframe, venue)
    judged = {_name(info): _judged(lake, info) for info in infos}
    gaps = {_name(info): _gaps(lake, info) for info in infos}
    if as_json:
        show_json(
            {
                "series": [_plain(info, gaps, findings) | _quality(judged[_name(info)]) for info in infos],
                "damaged": [asdict(one) for one in findings],
            }
        )
    else:
        _show(infos, gaps, findings, details=symbol is not None)
        for info in infos:
            _show_quality(info, judged[_name(info)], details=symbol is not None)
        _show_damage(infos, findings)
    if drop:
        _drop(lake, findings)
    elif findings:
        raise typer.Exit(1)


def _wanted(info: SeriesInfo, symbol: str | None, timeframe: str | None, venue: str | None) -> bool:
    from workbench.market.timeframe import Timeframe

    length = None if timeframe is None else str(Timeframe.parse(timeframe))
    return symbol in (None, info.symbol) and length in (None, info.timeframe) and venue in (None, info.venue)


def _unknown(lake: Lake, symbol: str, timeframe: str | None, venue: str | None) -> DataError:
    near = difflib.get_close_matches(symbol, {info.symbol for info in lake.series()}, n=1)
    hint = f"did you mean {near[0]!r}? " if near and near[0] != symbol else ""
    asked = " ".join(filter(None, (symbol, timeframe, venue and f"at {venue}")))
    return DataError(f"the lake has no {asked}: {hint}`workbench data list` shows what it has", symbol=symbol)


def _name(info: SeriesInfo | Finding) -> tuple[str, str, str]:
    return info.symbol, info.timeframe, info.venue


def _gaps(lake: Lake, info: SeriesInfo) -> tuple[Gap, ...] | None:
    """Give the gaps of what can be read of a series; None where nothing can."""
    try:
        return lake.read(info.symbol, info.timeframe, venue=info.venue, skip_corrupt=True).gaps
    except DataError:
        return None


def _judged(lake: Lake, info: SeriesInfo) -> Quality | None:
    """Check the quality of a series and keep it in its ledger; None where nothing of it can be read."""
    try:
        return lake.quality(info.symbol, info.timeframe, venue=info.venue)
    except DataError:
        return None


def _quality(judged: Quality | None) -> dict[str, Any]:
    if judged is None:
        return {"quality": None, "findings": None}
    rows = [asdict(one) | {"id": one.id, "start": iso(one.start), "end": iso(one.end)} for one in judged]
    return {"quality": judged.summary, "findings": rows}


def _show_quality(info: SeriesInfo, judged: Quality | None, *, details: bool) -> None:
    """Say what is odd about a series beside its gaps; with details, name each finding."""
    odd = [one for one in judged or () if one.kind != "gap"]
    if judged is None or not (odd or (details and len(judged))):
        return
    say(f"{info.symbol} {info.timeframe} at {info.venue}: {judged.in_words}", "yellow")
    for one in odd[: _SHOWN_FINDINGS if details else 0]:
        say(f"  {_told(one)}")
    if details and len(odd) > _SHOWN_FINDINGS:
        say(f"  {len(odd) - _SHOWN_FINDINGS:,} more: --json lists all", "dim")


def _told(finding: QualityFinding) -> str:
    """Write a finding by the name under which it can be decided about."""
    words = [finding.cause, f"{finding.bars:,} bar{'s' * (finding.bars != 1)}", finding.detail]
    decided = "" if finding.decision == "open" else f" [{finding.decision}{finding.note and ': ' + finding.note}]"
    return f"{finding.id}  {', '.join(filter(None, words))}{decided}"


def decide_finding(
    symbol: Symbol,
    timeframe: Timeframe,
    findings: Annotated[
        list[str], typer.Argument(metavar="FINDING...", help="By the names that `data check SYMBOL` gives.")
    ],
    decision: Annotated[
        str, typer.Option("--as", metavar="accept|ignore|fill|exclude|open", help="What is to be thought of them.")
    ],
    note: Annotated[str, typer.Option(metavar="TEXT", help="Why.")] = "",
    venue: Venue = None,
) -> None:
    """Note what is to be thought of findings about a series; its bars stay as they are.

    accept: it is real, and its bars no longer count as missing. ignore: a false alarm. fill and exclude are carried out
    by who reads with fill="decided". open: take a decision back.
    """
    quality = lake_here().decide(symbol, timeframe, findings, decision, note=note, venue=venue)
    chosen = set(findings)
    for one in quality:
        if one.id in chosen:
            say(_told(one))
    say(f"{quality.series}: {quality.in_words}", "dim")


def _plain(info: SeriesInfo, gaps: dict[Any, tuple[Gap, ...] | None], findings: Sequence[Finding]) -> dict[str, Any]:
    found = gaps[_name(info)]
    return {
        "symbol": info.symbol,
        "timeframe": info.timeframe,
        "venue": info.venue,
        "rows": info.rows,
        "damaged_parts": _damaged(info, findings),
        "missing": None if found is None else sum(gap.missing for gap in found),
        "gaps": None
        if found is None
        else [{"start": iso(gap.start), "end": iso(gap.end), "missing": gap.missing} for gap in found],
    }


def _damaged(info: SeriesInfo, findings: Sequence[Finding]) -> int:
    return sum(_name(finding) == _name(info) for finding in findings)


def _show(
    infos: Sequence[SeriesInfo],
    gaps: dict[tuple[str, str, str], tuple[Gap, ...] | None],
    findings: Sequence[Finding],
    *,
    details: bool,
) -> None:
    columns = [
        Column("Symbol"), Column("Bar"), Column("Venue"), Column("Bars", number=True), Column("State"),
        Column("Missing", number=True), Column("Gaps", number=True), Column("Longest gap", wrap=True),
    ]  # fmt: skip
    rows = []
    for info in infos:
        found, damaged = gaps[_name(info)] or (), _damaged(info, findings)
        state = Cell(f"{damaged} damaged", "bold red") if damaged else Cell("sound", "green")
        missing = f"{sum(gap.missing for gap in found):,}"
        longest = _words(max(found, key=lambda gap: gap.missing)) if found else ""
        rows.append(
            (
                Cell(info.symbol, "bold"),
                info.timeframe,
                info.venue,
                f"{info.rows:,}",
                state,
                missing,
                f"{len(found):,}",
                longest,
            )
        )
    show_table(columns, rows)
    for info in infos if details else ():
        _show_gaps(info, gaps[_name(info)] or ())


def _show_damage(infos: Sequence[SeriesInfo], findings: Sequence[Finding]) -> None:
    for finding in findings:
        say(f"damaged: {finding}", "red")
    if not findings:
        say(f"{len(infos):,} series checked, every byte is as it was written", "green")


def _show_gaps(info: SeriesInfo, gaps: Sequence[Gap]) -> None:
    from workbench.market.bars import moment

    longest = sorted(gaps, key=lambda gap: -gap.missing)[:_SHOWN_GAPS]
    if not longest:
        return
    more = "" if len(longest) == len(gaps) else f", the {len(longest)} longest of {len(gaps):,}"
    say(f"Gaps of {info.symbol} {info.timeframe} at {info.venue}{more}:", "bold")
    for gap in longest:
        say(f"  {_words(gap)}  gap@{moment(gap.start).replace(' ', 'T')}")


def _words(gap: Gap) -> str:
    from workbench.market.bars import moment

    return f"{gap.missing:,} bar{'s' * (gap.missing > 1)} from {moment(gap.start)} to {moment(gap.end)}"


def _drop(lake: Lake, findings: Sequence[Finding]) -> None:
    for symbol, timeframe, venue in sorted({_name(finding) for finding in findings}):
        for taken in lake.drop_corrupt(symbol, timeframe, venue=venue):
            say(f"taken out: {taken}", "yellow")
