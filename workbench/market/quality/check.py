"""`check`: every check of a series that there is, and what was recorded of it, in one `Quality`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from workbench.errors import DataError
from workbench.market.bars import Bars
from workbench.market.quality.activity import repeated_bars, silent_bars
from workbench.market.quality.findings import Quality, QualityFinding, in_order, read_rows
from workbench.market.quality.holes import (
    asked_spans,
    bars_out_of_session,
    early_end,
    filled_bars,
    missing_bars,
)
from workbench.market.quality.prices import unlikely_prices
from workbench.market.quality.venues import compare, is_same_market

__all__ = ["check"]


def check(
    bars: Bars,
    *,
    coverage: Iterable[Sequence[Any]] | None = None,
    others: Iterable[Bars] = (),
    ends: Iterable[int] = (),
) -> Quality:
    """Look for everything that is odd about a series.

    Parameters
    ----------
    bars : Bars
    coverage : iterable of (start, end), optional
        Spans of time for which the venue has answered in full; what `bars.provenance["coverage"]` has when left out.
    others : iterable of Bars, optional
        The same market at other venues; series of another market are passed over.
    ends : iterable of int, optional
        Close times (ms UTC) of the last bars of other series that come from the same place; see `holes.early_end`.

    Returns
    -------
    Quality
        What was recorded when the bars were stored (`bars.provenance["findings"]`) is in it, as far as it lies in the
        time of the bars, with the decisions (`bars.provenance["decisions"]`).

    Raises
    ------
    DataError
        `bars` are no Bars, or the provenance holds what cannot be read.

    Notes
    -----
    The checks look at neighbours on both sides; they judge history and must not be used as a signal.
    """
    if not isinstance(bars, Bars):
        raise DataError(f"a {type(bars).__name__} cannot be checked: give wb.Bars, as wb.data.read gives them")
    said = bars.provenance
    asked = asked_spans(said.get("coverage") if coverage is None else coverage)
    found: list[QualityFinding] = []
    if len(bars):
        found += missing_bars(bars, asked) + filled_bars(bars) + bars_out_of_session(bars)
        found += unlikely_prices(bars) + silent_bars(bars) + repeated_bars(bars) + early_end(bars, ends, asked)
        for other in others:
            if is_same_market(bars, other):
                found += compare(bars, other)
    found += _recorded(bars, {one.id for one in found})
    return Quality(
        series=f"{bars.symbol} {bars.timeframe} at {bars.venue}",
        fingerprint=bars.fingerprint,
        rows=len(bars),
        findings=tuple(in_order(_decided(found, said.get("decisions", {})))),
    )


def _recorded(bars: Bars, known: set[str]) -> list[QualityFinding]:
    """Give what was recorded about the time of the bars, and was not found again."""
    rows = read_rows(bars.provenance.get("findings", ()))
    if not len(bars):
        return []
    first, last = bars.start, bars.end
    inside = [one for one in rows if one.end > first and (one.start < last or one.kind == "early_end")]
    ended = [one for one in inside if one.kind != "early_end" or one.start == last]
    return [one for one in ended if one.id not in known]


def _decided(found: Iterable[QualityFinding], decisions: Any) -> Iterable[QualityFinding]:
    for one in found:
        said = decisions.get(one.id)
        yield one if said is None else replace(one, decision=said["decision"], note=said["note"])
