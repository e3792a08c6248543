"""What the results of the index page say: records of runs turned into words and numbers for people.

Where the numbers come from (data, costs, versions) is told by `index_sources`. Nothing here knows HTML, but for the
drawings of `curves`. Values are plain text, which the template escapes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from workbench.market.lake_series import SeriesInfo, SeriesKey
from workbench.market.timeframe import Timeframe
from workbench.reporting.curves import Dot, Scale, curve_svg, strip_svg
from workbench.reporting.plan import Plan
from workbench.reporting.standings import Standing, Standings, number, worst_falls
from workbench.reporting.verdicts import count_of, verdict_of
from workbench.research.run import Run
from workbench.risk.metrics import METRICS

__all__ = [
    "COLUMNS",
    "Column",
    "day",
    "facts",
    "failures",
    "falls",
    "last_day",
    "league",
    "links",
    "luck",
    "markets",
    "other_notebooks",
    "standfirst",
    "strategy_of",
    "strip",
]

_STATUS: Final = {
    "failed": ("failed", "negative"),
    "timed_out": ("timed out", "warning"),
    "kernel_died": ("kernel died", "negative"),
    "worker_died": ("worker died", "negative"),
    "cancelled": ("stopped", "muted"),
}


@dataclass(frozen=True)
class Column:
    """A number in the league table: its metric, its heading, what it means, and on which screens it is shown.

    `level` 1 is always shown, 2 from tablets up, 3 on wide screens only.
    """

    key: str
    head: str
    about: str
    level: int
    signed: bool = False


def _column(key: str, head: str, level: int, *, signed: bool = False) -> Column:
    return Column(key, head, METRICS[key].formula, level, signed)


COLUMNS: Final = (
    _column("sharpe_ratio", "Sharpe", 1),
    _column("total_return", "Return", 1, signed=True),
    _column("annualised_return", "CAGR", 2),
    _column("max_drawdown", "Drawdown", 1),
    Column("against_holding", "vs hold", "final wealth / that of buying and holding - 1", 2, True),
    _column("sortino_ratio", "Sortino", 3),
    _column("trades", "Trades", 2),
    _column("win_rate", "Win rate", 3),
    _column("exposure", "Exposure", 3),
)


def _count(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def day(when: datetime | None) -> str:
    """Write a date for people."""
    return "\N{EN DASH}" if when is None else f"{when.day} {when:%b %Y}"


def last_day(end: datetime | None) -> datetime | None:
    """Give the day of a last bar from the moment at which it closed, which may be the next day's first."""
    return None if end is None else end - timedelta(milliseconds=1)


def _elapsed(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"


def _href(run: Run) -> str | None:
    """Give the way from the index to the page of a run."""
    return None if run.html is None else quote("/".join(PurePosixPath(run.html).parts[-2:]))


def _market(run: Run) -> str:
    return " ".join(filter(None, [run.symbol, run.timeframe]))


def strategy_of(run: Run) -> str:
    """Name the strategy of a run with the parameters that were chosen for it; a run without one by its own name."""
    chosen = run.inputs.get("parameters")
    if not run.strategy or not isinstance(chosen, Mapping) or not chosen:
        return run.strategy or run.name
    return f"{run.strategy}({', '.join(f'{name}={value}' for name, value in chosen.items())})"


def standfirst(table: Standings) -> list[str]:
    """Say in sentences what the batch came to, the sobering parts included."""
    rows = table.rows
    if not rows:
        return []
    strategies = len({strategy_of(row.run) for row in rows if row.run.strategy})
    series = len({(row.run.venue, row.run.symbol, row.run.timeframe) for row in rows})
    of = f" of {_count(strategies, 'strategy', 'strategies')}" if strategies else ""
    said = [f"{_count(len(rows), 'backtest')}{of} on {_count(series, 'series', 'series')}, after fees and slippage."]
    money = f"{table.made_money} of them ended with a profit"
    if table.compared:
        said.append(f"{money}, {table.beat_holding} with more than buying and holding would have given.")
    else:
        said.append(f"{money}.")
    return said


def facts(plan: Plan, runs: Sequence[Run], table: Standings, duration_s: float) -> list[tuple[str, str]]:
    """Give the key figures below the headline."""
    good = sum(run.succeeded for run in runs)
    shown = [("Runs", f"{len(plan.all):,}"), ("Succeeded", f"{good:,}"), ("Failed", f"{len(runs) - good:,}")]
    if table.median_sharpe is not None:
        shown.append(("Median Sharpe ratio", METRICS["sharpe_ratio"].text(table.median_sharpe)))
    if table.compared:
        shown.append(("Ahead of holding", f"{table.beat_holding} of {table.compared}"))
    critical, told = count_of(runs, "critical")
    if told:
        shown.append(("Critical findings", f"in {critical} of {told}"))
    return [*shown, ("Time taken", _elapsed(duration_s))] if duration_s else shown


def failures(runs: Sequence[Run], labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """List the runs that did not succeed, and why."""
    listed = []
    for run in runs:
        if not run.succeeded:
            word, tone = _STATUS.get(run.status, (run.status, "negative"))
            named = run.status == "failed" and run.exit_cause not in ("", "failed", "completed")
            listed.append(
                {
                    "label": labels.get(run.name, run.name),
                    "status": word,
                    "tone": tone,
                    "cause": run.exit_cause if named else "",
                    "error": " ".join(run.error.split())[:400],
                    "after": _elapsed(run.duration_s),
                    "href": _href(run),
                }
            )
    return listed


def links(runs: Sequence[Run], labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Give the pages of some runs."""
    return [{"label": labels.get(run.name, run.name), "href": _href(run)} for run in runs if run.succeeded]


def other_notebooks(runs: Sequence[Run], summaries: Iterable[str]) -> list[Run]:
    """Choose the runs that are neither backtests nor summaries, and so have no place in the tables."""
    return [run for run in runs if run.name not in summaries and number(run, "total_return") is None]


def luck(table: Standings) -> dict[str, str] | None:
    """Say how high the best of so many would stand without any skill."""
    if table.luck is None:
        return None
    text = METRICS["sharpe_ratio"].text
    best = table.rows[0].value("sharpe_ratio")
    return {
        "runs": f"{len(table.rows)}",
        "level": text(table.luck),
        "best": text(best),
        "verdict": "above" if best is not None and best > table.luck else "not above",
    }


def strip(table: Standings, labels: Mapping[str, str]) -> str:
    """Draw the Sharpe ratios of all runs, with the one that luck would give; empty where there are too few."""
    if table.luck is None:
        return ""
    dots = [
        Dot(value, f"{labels.get(row.run.name, row.run.name)}: {METRICS['sharpe_ratio'].text(value)}", _href(row.run))
        for row in table.rows
        if (value := row.value("sharpe_ratio")) is not None
    ]
    return strip_svg(dots, table.luck, f"best by luck {METRICS['sharpe_ratio'].text(table.luck)}")


def league(table: Standings) -> list[dict[str, Any]]:
    """Give the rows of the league table."""
    return [
        {
            "rank": row.rank,
            "strategy": strategy_of(row.run),
            "parameters": ", ".join(f"{name} {value}" for name, value in row.run.parameters.items()),
            "symbol": row.run.symbol or "",
            "timeframe": row.run.timeframe or "",
            "order": _length(row.run.timeframe),
            "href": _href(row.run),
            "cells": [_cell(row, column) for column in COLUMNS],
            "verdict": verdict_of(row.run),
        }
        for row in table.rows
    ]


def _length(timeframe: str | None) -> int:
    return Timeframe.parse(timeframe).ms if timeframe else 0


def _cell(row: Standing, column: Column) -> dict[str, Any]:
    relative = column.key == "against_holding"
    value = row.against_holding if relative else row.value(column.key)
    text = METRICS["total_return" if relative else column.key].text(value)
    if relative and value is not None and value > 0:
        text = f"+{text}"
    tone = "" if value is None or not column.signed or value == 0 else "wb-up" if value > 0 else "wb-down"
    tone = "ix-merit" if column is COLUMNS[0] else tone
    return {"text": text, "value": "" if value is None else repr(value), "tone": tone, "level": column.level}


def markets(plan: Plan, runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Give the equity curves, a group for each series in the order of the plan, each group on one scale."""
    planned = {run.name: _key(run.series) for run in plan.runs if run.series is not None}
    groups: dict[SeriesKey, list[Run]] = {key: [] for key in planned.values()}
    for run in runs:
        if run.name in planned and run.succeeded and len(run.curves.get("equity", ())) > 1:
            groups[planned[run.name]].append(run)
    return [_group(key, members) for key, members in groups.items() if members]


def _key(series: SeriesInfo) -> SeriesKey:
    return SeriesKey(series.venue, series.symbol, Timeframe.parse(series.timeframe))


def _group(key: SeriesKey, runs: Sequence[Run]) -> dict[str, Any]:
    scale = Scale.around(curve for run in runs for curve in run.curves.values())
    held = {curve[-1] for run in runs if (curve := run.curves.get("benchmark"))}
    first = min((run.start for run in runs if run.start), default=None)
    last = max((run.end for run in runs if run.end), default=None)
    return {
        "symbol": key.symbol,
        "timeframe": str(key.timeframe),
        "venue": key.venue,
        "span": f"{day(first)} to {day(last_day(last))}",
        "hold": _hundred(held.pop()) if len(held) == 1 else "",
        "low": _hundred(scale.low),
        "high": _hundred(scale.high),
        "curves": [_curve(run, scale) for run in runs],
    }


def _curve(run: Run, scale: Scale) -> dict[str, Any]:
    equity, benchmark = run.curves["equity"], run.curves.get("benchmark", ())
    end = _hundred(equity[-1])
    against = f", buying and holding at {_hundred(benchmark[-1])}" if benchmark else ""
    return {
        "strategy": strategy_of(run),
        "end": end,
        "tone": "" if end == _hundred(1.0) else "wb-up" if equity[-1] > 1 else "wb-down",
        "href": _href(run),
        "svg": curve_svg(equity, benchmark, scale, f"Equity from 100 to {end}{against}"),
    }


def _hundred(multiple: float) -> str:
    """Write a multiple of the initial cash as an index that started at 100."""
    value = multiple * 100
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.1f}"


def falls(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """List the deepest drawdowns."""
    deepest = worst_falls(runs)
    return [
        {
            "depth": METRICS["max_drawdown"].text(fall.depth),
            "share": f"{100 * fall.depth / deepest[0].depth:.1f}",
            "strategy": strategy_of(fall.run),
            "market": _market(fall.run),
            "start": day(fall.start),
            "trough": day(fall.trough),
            "recovered": None if fall.recovered is None else day(fall.recovered),
            "days": "\N{EN DASH}" if fall.days is None else f"{fall.days:,.0f}",
            "href": _href(fall.run),
        }
        for fall in deepest
    ]
