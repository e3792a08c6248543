"""What the index page says about where its numbers come from: data, costs, conventions, code and versions.

Like `index_sections`, it gives plain text; the template escapes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from workbench.errors import DataError
from workbench.market.lake_series import SeriesInfo, SeriesKey
from workbench.market.quality.findings import words_of
from workbench.market.timeframe import Timeframe
from workbench.reporting.index_sections import COLUMNS, day, last_day
from workbench.reporting.plan import Plan
from workbench.research.run import Run
from workbench.risk.metrics import METRICS
from workbench.settings import Settings
from workbench.store import PartStore

__all__ = ["conventions", "costs", "formulas", "provenance", "strategies", "versions_of"]

_SHORT: Final = 12
_FILLS: Final = {
    "next_open": "A decision is made on a closed bar and trades at the open of the next one.",
    "close": "A decision trades at the close of the very bar that it was made on, which no one can do; these results "
    "flatter.",
}


def provenance(plan: Plan, runs: Sequence[Run], settings: Settings) -> list[dict[str, Any]]:
    """Say of each series what it is and where it comes from, in the order of the plan."""
    series = {_key(run.series): run.series for run in plan.runs if run.series is not None}
    names = {run.name: _key(run.series) for run in plan.runs if run.series is not None}
    read: dict[SeriesKey, set[str]] = {}
    for run in runs:
        if run.data_fingerprint and run.name in names:
            read.setdefault(names[run.name], set()).add(run.data_fingerprint)
    odd = {names[run.name]: run.data_quality for run in runs if run.data_quality and run.name in names}
    return [
        _source(info, sorted(read.get(key, set())), _note(key, settings)) | {"quality": _quality(odd.get(key, {}))}
        for key, info in series.items()
    ]


def _quality(summaries: Mapping[str, Any]) -> str:
    """Say what was odd about the bars that a run read; nothing is said of runs that did not look."""
    said = [words_of(summary) for summary in summaries.values() if isinstance(summary, Mapping)]
    return "; ".join(dict.fromkeys(said))


def _key(info: SeriesInfo) -> SeriesKey:
    return SeriesKey(info.venue, info.symbol, Timeframe.parse(info.timeframe))


def _source(info: SeriesInfo, read: list[str], note: str) -> dict[str, Any]:
    expected = info.rows + info.missing
    return {
        "symbol": info.symbol,
        "timeframe": info.timeframe,
        "venue": info.venue,
        "source": info.source,
        "licence": info.licence,
        "note": note,
        "start": day(_time(info.start)),
        "end": day(last_day(_time(info.end))),
        "rows": f"{info.rows:,}",
        "missing": f"{info.missing:,}",
        "share": f"{info.missing / expected:.2%}".replace("%", " %") if info.missing else "",
        "filled": f"{info.filled:,}" if info.filled else "",
        "fingerprints": [fingerprint[:_SHORT] for fingerprint in read or [info.fingerprint]],
        "imported": day(_time(info.imported_at)),
    }


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1_000, UTC)


def _note(key: SeriesKey, settings: Settings) -> str:
    """Read what was noted when the series was imported; without it the page is still worth writing."""
    try:
        return str(PartStore(key.folder(settings.lake_root)).manifest().meta["imports"][-1]["note"])
    except (DataError, KeyError, IndexError):
        return ""


def costs(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Say what was charged, markets with the same costs together."""
    groups: dict[tuple[str, ...], dict[str, None]] = {}
    for run in runs:
        if run.succeeded and run.costs:
            market = " ".join(filter(None, [run.symbol, run.timeframe])) or run.name
            groups.setdefault(_charged(run), {})[market] = None
    return [
        {"fee": fee, "maker_fee": maker, "slippage": slippage, "markets": list(names)}
        for (fee, maker, slippage), names in groups.items()
    ]


def _charged(run: Run) -> tuple[str, str, str]:
    fee, maker, slippage = (run.costs.get(name) for name in ("fee", "maker_fee", "slippage_bps"))
    return _percent(fee), _percent(maker), "\N{EN DASH}" if slippage is None else f"{slippage:g} bps"


def _percent(fraction: float | None) -> str:
    return "\N{EN DASH}" if fraction is None else f"{fraction * 100:.4f}".rstrip("0").rstrip(".") + " %"


def conventions(runs: Sequence[Run]) -> list[str]:
    """Say how orders were filled and what was assumed, in sentences."""
    fills = dict.fromkeys(run.fill for run in runs if run.fill and run.costs)
    cash = sorted({run.cash for run in runs if run.cash is not None and run.costs})
    said = [_FILLS.get(fill, f"Fills: {fill}.") for fill in fills]
    if not said:
        return []
    if len(cash) == 1:
        said.append(f"Each run starts with {cash[0]:,.0f} in its quote currency and holds one position at a time.")
    return [
        *said,
        "Where a stop and a target lie inside one bar, the stop is taken to be hit; a gap through a stop fills at "
        "the open.",
        "Ratios are annualised by the market's own calendar, with a risk-free rate of zero. Times are UTC.",
    ]


def strategies(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """List the strategies with their parameters and the code that ran; two hashes mean that it changed between runs."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for run in runs:
        if run.strategy:
            parameters = ", ".join(f"{name} {value}" for name, value in run.parameters.items())
            hashes = found.setdefault((run.strategy, parameters), {})
            if run.code_hash:
                hashes[run.code_hash[:_SHORT]] = None
    return [
        {"name": name, "parameters": parameters, "hashes": list(hashes)} for (name, parameters), hashes in found.items()
    ]


def formulas() -> list[tuple[str, str, str]]:
    """Give heading, formula and source of every number in the league table."""
    return [
        (column.head, column.about, METRICS[column.key].source if column.key in METRICS else "definition")
        for column in COLUMNS
    ]


def versions_of(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Give the versions of everything that took part; several where a resumed batch met an upgrade."""
    found: dict[str, dict[str, None]] = {}
    for run in runs:
        for package, version in run.versions.items():
            found.setdefault(package, {})[version] = None
    return [(package, ", ".join(versions)) for package, versions in found.items()]
