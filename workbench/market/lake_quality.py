"""The quality of what the lake holds: checking a series beside its neighbours, and deciding about what was found.

`bars.quality` knows the bars and what was recorded of them. Here is also what only the lake knows: the same market at
another venue, where the other series of a venue end, which values contradicted each other.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from workbench.errors import DataError
from workbench.market.bars import Bars
from workbench.market.filling import apply_decisions
from workbench.market.filling import fill as fill_holes
from workbench.market.lake_series import SeriesInfo, SeriesKey
from workbench.market.quality.check import check
from workbench.market.quality.findings import Quality, QualityFinding
from workbench.market.quality.ledger import SeriesLedger
from workbench.market.quality.venues import is_same_market
from workbench.market.timeframe import Timeframe
from workbench.store import PartStore

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Fill", "QualityOfSeries", "treated", "with_ledger"]

Fill = Literal["none", "previous", "decided"]


class QualityOfSeries:
    """The part of `Lake` that judges its series; it has no use of its own."""

    root: Path

    def quality(self, symbol: str, timeframe: str | Timeframe, *, venue: str | None = None) -> Quality:
        """Check a whole series, by itself and beside the others of the lake, and keep what was found.

        Parameters
        ----------
        symbol, timeframe, venue
            As in `read`.

        Returns
        -------
        Quality
            Bars read from the series carry from now on what only this check can find.

        Raises
        ------
        DataError
            The series is unknown or at several venues, or cannot be read.
        """
        key = self._find(symbol, Timeframe.parse(timeframe), venue)
        bars = self._bars(key)
        infos = [info for info in self.series() if info.timeframe == str(key.timeframe)]
        mine = [info for info in infos if (info.venue, info.symbol) == (key.venue, key.symbol)]
        others = [info for info in infos if info not in mine]
        found = check(_alone(bars), others=self._others(bars, others), ends=_ends(mine[0], others))
        self._ledger(key).record_check(found)
        return found

    def decide(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        findings: str | QualityFinding | Iterable[str | QualityFinding],
        decision: str,
        *,
        note: str = "",
        venue: str | None = None,
    ) -> Quality:
        """Note what is to be thought of findings; it is kept with the series.

        Parameters
        ----------
        symbol, timeframe, venue
            As in `read`.
        findings : QualityFinding, its id, or several
            Such as `"gap@2021-05-19T12:00"`, or `bars.quality.of("gap")`.
        decision : {"accept", "ignore", "fill", "exclude", "open"}
            See `quality.DECISIONS`. Nothing in the lake changes: `read(…, fill="decided")` carries it out.
        note : str, optional
            Why.

        Returns
        -------
        Quality
            Of the series now.

        Raises
        ------
        DataError
            The series has no such finding, or there is no such decision.
        """
        key = self._find(symbol, Timeframe.parse(timeframe), venue)
        given = [findings] if isinstance(findings, (str, QualityFinding)) else list(findings)
        ids = [one.id if isinstance(one, QualityFinding) else str(one) for one in given]
        known = {one.id: one for one in self._bars(key).quality}
        for name in ids:
            if name not in known:
                raise _unknown_finding(key, name, known)
            _check_fits(known[name], decision)
        self._ledger(key).decide(ids, decision, str(note))
        return self._bars(key).quality

    def revisions(self, symbol: str, timeframe: str | Timeframe, *, venue: str | None = None) -> pd.DataFrame:
        """Give every bar of a series that ever came again with other values; see `SeriesLedger.revisions`."""
        return self._ledger(self._find(symbol, Timeframe.parse(timeframe), venue)).revisions()

    def _others(self, bars: Bars, infos: Iterable[SeriesInfo]) -> list[Bars]:
        """Read what is of the same market; a series that cannot be read is told by `check`, not here."""
        found = []
        for info in infos:
            shell = replace(bars.instrument, symbol=info.symbol, venue=info.venue)
            if info.start >= bars.end or info.end <= bars.start or not is_same_market(bars, _shell(shell, bars)):
                continue
            try:
                found.append(self._bars(SeriesKey(info.venue, info.symbol, bars.timeframe)))
            except DataError as error:
                warnings.warn(f"{info.symbol} at {info.venue} is not compared: {error}", stacklevel=4)
        return found

    def _bars(self, key: SeriesKey) -> Bars:
        return self.read(key.symbol, key.timeframe, venue=key.venue, skip_corrupt=True)

    def _ledger(self, key: SeriesKey) -> SeriesLedger:
        return SeriesLedger(self._store(key).folder, key.timeframe)

    if TYPE_CHECKING:  # what `Lake` brings

        def _find(self, symbol: str, timeframe: Timeframe, venue: str | None) -> SeriesKey: ...

        def _store(self, key: SeriesKey) -> PartStore: ...

        series: Callable[[], list[SeriesInfo]]
        read: Callable[..., Bars]


def _shell(instrument: Any, bars: Bars) -> Bars:
    return replace(bars[:0], instrument=instrument)


def _alone(bars: Bars) -> Bars:
    """Give bars without what an earlier check recorded: this one finds it again, or it is gone."""
    rows = [row for row in bars.provenance.get("findings", ()) if row["cause"] not in ("venue", "lag")
            and row["kind"] != "early_end"]  # fmt: skip
    return replace(bars, provenance={**bars.provenance, "findings": rows})


def _ends(mine: SeriesInfo, others: Iterable[SeriesInfo]) -> list[int]:
    """Give the ends of the series that come from where this one comes from: other files end when they were made."""
    return [info.end for info in others if (info.venue, info.source) == (mine.venue, mine.source)]


def _unknown_finding(key: SeriesKey, name: str, known: Iterable[str]) -> DataError:
    import difflib

    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.3)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "bars.quality lists what there is"
    return DataError(f"{key} has no finding {name!r}: {hint}", finding=name)


def _check_fits(finding: QualityFinding, decision: str) -> None:
    """Refuse what cannot be carried out: only a hole can be closed, only bars that are there can be left out."""
    if decision == "fill" and finding.kind != "gap":
        raise DataError(
            f"{finding.id} cannot be filled: only a gap can; accept, ignore or exclude it", finding=finding.id
        )
    if decision == "exclude" and finding.kind in ("gap", "early_end"):
        raise DataError(
            f"{finding.id} has no bars that could be excluded; accept, ignore or fill it", finding=finding.id
        )


def with_ledger(bars: Bars, store: PartStore, key: SeriesKey) -> Bars:
    """Give bars what the ledger of their series knows; a damaged ledger costs a warning, never the prices."""
    ledger = SeriesLedger(store.folder, key.timeframe)
    try:
        said = ledger.provenance()
    except DataError as error:
        warnings.warn(f"{key}: what was recorded about its quality is left out: {error}", stacklevel=4)
        return bars
    return replace(bars, provenance={**bars.provenance, **said}) if said else bars


def treated(bars: Bars, fill: Fill) -> Bars:
    """Do what a reader asked to be done about holes and decisions."""
    if fill == "decided":
        return apply_decisions(bars, bars.quality)
    return fill_holes(bars, fill)
