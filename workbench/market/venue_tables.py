"""What the lake knows of a venue: its markets and their leverage tiers, each as it was when it was asked for.

Rules of a market change, and a backtest of last year should be able to say which ones held. So a new state is added
only where it differs from the last one, and reading takes the last one before a time. From these facts `listing` makes
the instrument that the bars and backtests of a symbol use.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

from workbench.errors import DataError
from workbench.market.bars import to_ms
from workbench.market.instrument import Instrument
from workbench.store import PartStore

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MARKET_FACTS", "instrument_of", "leverage_tiers", "listing", "markets", "write_venue_table"]

VenueKind = Literal["markets", "tiers"]

MARKET_FACTS: Final = (
    "symbol", "kind", "base", "quote", "settle", "active", "tick_size", "lot_size", "min_quantity", "max_quantity",
    "min_notional", "maker_fee", "taker_fee", "contract_size", "max_leverage", "funding_interval_h", "expiry",
)  # fmt: skip
_TIER_FACTS: Final = ("symbol", "floor", "rate", "amount", "max_leverage")
_COLUMNS: Final[Mapping[VenueKind, tuple[str, ...]]] = {"markets": MARKET_FACTS, "tiers": _TIER_FACTS}


def _store(root: Path, venue: str, kind: VenueKind) -> PartStore:
    return PartStore(root / f"venue={quote(venue, safe='')}" / f"table={kind}")


def write_venue_table(root: Path, venue: str, kind: VenueKind, rows: Sequence[Mapping[str, Any]], at: int) -> int:
    """Add the facts of a venue's symbols as they are now, where they differ from the last ones.

    Parameters
    ----------
    root : Path
        The lake's folder.
    venue : str
    kind : {"markets", "tiers"}
    rows : sequence of mappings
        With the columns of the kind; all rows of a symbol that is among them.
    at : int
        ms UTC.

    Returns
    -------
    int
        How many symbols were new or have changed.
    """
    import pyarrow as pa

    store, names = _store(root, venue, kind), _COLUMNS[kind]
    with store.transaction() as change:
        known = _latest(store.table(change.parts).to_pylist() if change.parts else [], None)
        given: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            given.setdefault(row["symbol"], []).append({name: row.get(name) for name in names})
        if kind == "markets":
            _keep_intervals(given, known)
        changed = [symbol for symbol, facts in given.items() if facts != known.get(symbol)]
        fresh = [{"at": at, **row} for symbol in changed for row in given[symbol]]
        if fresh:
            schema = pa.schema([("at", pa.int64()), *((name, _type(name)) for name in names)])
            change.add(pa.Table.from_pylist(fresh, schema=schema))
    store.compact()
    return len(changed)


def _keep_intervals(given: Mapping[str, list[dict[str, Any]]], known: Mapping[str, list[dict[str, Any]]]) -> None:
    """Keep a funding interval that the rates have shown: most venues do not list it."""
    for symbol, [facts] in given.items():
        if facts["funding_interval_h"] is None and symbol in known:
            facts["funding_interval_h"] = known[symbol][0]["funding_interval_h"]


def _type(name: str) -> Any:
    import pyarrow as pa

    if name in ("symbol", "kind", "base", "quote", "settle"):
        return pa.string()
    return {"active": pa.bool_(), "expiry": pa.int64()}.get(name, pa.float64())


def _latest(rows: Sequence[Mapping[str, Any]], at: int | None) -> dict[str, list[dict[str, Any]]]:
    """Give the last state of each symbol up to a time, without the time."""
    when: dict[str, int] = {}
    for row in rows:
        if at is None or row["at"] <= at:
            when[row["symbol"]] = max(when.get(row["symbol"], row["at"]), row["at"])
    states: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if when.get(row["symbol"]) == row["at"]:
            states.setdefault(row["symbol"], []).append({name: row[name] for name in row if name != "at"})
    return states


def _read(venue: str, kind: VenueKind, at: Any, root: str | Path | None) -> dict[str, list[dict[str, Any]]]:
    from workbench.settings import load_settings

    folder = load_settings().lake_root if root is None else Path(root)
    rows = _store(folder, venue, kind).table().to_pylist()
    return _latest(rows, None if at is None else to_ms(at))


def markets(venue: str, *, at: Any = None, root: str | Path | None = None) -> pd.DataFrame:
    """Give the markets of a venue as they were last asked for.

    Parameters
    ----------
    venue : str
    at : str, datetime or int (ms UTC), optional
        As they were known at that time; now when left out.
    root : path, optional
        The lake's folder; that of the current workspace when left out.

    Returns
    -------
    pandas.DataFrame
        One row per symbol (the index): kind, base, quote, settle, active, tick_size, lot_size, min_quantity,
        max_quantity, min_notional (quote currency), maker_fee, taker_fee (fractions), contract_size, max_leverage,
        funding_interval_h, expiry (ms UTC). What the venue does not say is missing.

    Raises
    ------
    DataError
        They were never asked for.
    """
    return _frame(venue, "markets", at, root)


def leverage_tiers(venue: str, *, at: Any = None, root: str | Path | None = None) -> pd.DataFrame:
    """Give the leverage tiers of a venue's contracts as they were last asked for.

    Parameters
    ----------
    venue, at, root
        As in `markets`.

    Returns
    -------
    pandas.DataFrame
        One row per tier, by symbol (the index) and rising floor: floor (notional), rate (maintenance margin, a
        fraction), amount (that is taken off), max_leverage; as `Instrument.leverage_tiers`.

    Raises
    ------
    DataError
        They were never asked for.
    """
    return _frame(venue, "tiers", at, root)


def _frame(venue: str, kind: VenueKind, at: Any, root: str | Path | None) -> pd.DataFrame:
    import pandas as pd

    states = _read(venue, kind, at, root)
    if not states:
        raise DataError(
            f"the lake knows no {kind} of {venue!r}{'' if at is None else ' at that time'}; "
            f"`workbench data download --what {kind} --venue {venue}` asks for them",
            venue=venue,
        )
    rows = [row for symbol in sorted(states) for row in states[symbol]]
    return pd.DataFrame(rows, columns=list(_COLUMNS[kind])).set_index("symbol")


def listing(symbol: str, venue: str, *, at: Any = None, root: str | Path | None = None) -> Instrument:
    """Make an instrument of what the lake knows about a market; what the venue does not say is what is usual.

    Parameters
    ----------
    symbol, venue : str
    at, root
        As in `markets`.

    Raises
    ------
    DataError
        The venue's markets were never asked for, or it has no such symbol.
    """
    states = _read(venue, "markets", at, root)
    if symbol not in states:
        near = difflib.get_close_matches(symbol, states, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it knows {len(states)} others"
        raise DataError(
            f"the lake knows no market {symbol!r} at {venue!r}; {hint}. `workbench data download --what markets "
            f"--venue {venue}` asks for them",
            symbol=symbol,
        )
    facts = states[symbol][0]
    tiers = _read(venue, "tiers", at, root).get(symbol, [])
    return instrument_of(facts, venue, tiers)


def instrument_of(facts: Mapping[str, Any], venue: str, tiers: Sequence[Mapping[str, Any]] = ()) -> Instrument:
    """Make an instrument of a row of the markets and the symbol's rows of the tiers."""
    usual = Instrument.default(facts["symbol"], venue)
    names = ("tick_size", "lot_size", "min_notional", "maker_fee", "taker_fee", "contract_size", "funding_interval_h")
    said = {name: facts[name] for name in names if facts.get(name) is not None}
    if facts.get("max_leverage") and facts["max_leverage"] >= 1:
        said["max_leverage"] = facts["max_leverage"]
    rows = tuple(tuple(tier[name] for name in _TIER_FACTS[1:]) for tier in tiers)
    if rows:
        said.pop("max_leverage", None)
    return Instrument(
        symbol=facts["symbol"], venue=venue, kind=facts["kind"], quote=facts["quote"] or usual.quote,
        spread_bps=usual.spread_bps, calendar="24/7", leverage_tiers=rows, **said,
    )  # fmt: skip
