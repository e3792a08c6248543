"""Which column of somebody's table is the time, the open, the high, the low, the close and the volume.

Guesses by name only, never by content, and never between two: what could be meant by several columns is an error that
lists them and shows how to say it. `market.importing` is the user's door.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from workbench.errors import DataError
from workbench.market.bars import COLUMNS

__all__ = ["ColumnMap", "map_columns"]

# Names as `_plain` writes them: lower case, letters and digits only.
_ALIASES: Final[Mapping[str, frozenset[str]]] = {
    "ts": frozenset(
        (
            "t", "time", "timestamp", "timestampms", "datetime", "date", "dateutc", "datetimeutc", "timeutc", "utctime",
            "utc", "gmttime", "localtime", "opentime", "timeopen", "opentimestamp", "starttime", "timestart", "unix",
            "unixtime", "unixtimestamp", "epoch", "tradedate", "tradingday", "observationdate",
        )
    ),
    "open": frozenset(("o", "openprice", "priceopen", "first")),
    "high": frozenset(("h", "highprice", "pricehigh", "max")),
    "low": frozenset(("l", "lowprice", "pricelow", "min")),
    "close": frozenset(("c", "closeprice", "priceclose", "last", "lastprice", "price")),
    "volume": frozenset(("v", "vol", "basevolume", "volumebase", "volumefrom", "shares", "tickvol", "tickvolume")),
}  # fmt: skip
_LABELS: Final = frozenset(("symbol", "ticker", "tic", "pair", "instrument", "asset", "coin", "isin", "secid"))
_LONGEST: Final = 60  # of a name that is shown
_INDEX_NAMES: Final = frozenset(("", "index", "unnamed0", "indexlevel0"))  # how a saved, nameless index comes back


@dataclass(frozen=True, kw_only=True)
class ColumnMap:
    """Where each of our columns stands in the table.

    Parameters
    ----------
    sources : mapping
        Our name (`ts`, `open`, …) to the table's column. `ts` may be a pair (date, time of day) that is to be joined;
        it is missing where the table's index holds the time, `volume` where the table has none.
    ignored : tuple
        The table's columns that were not used.
    labels : tuple
        Those of them that say which instrument a row is of.
    """

    sources: Mapping[str, Hashable]
    ignored: tuple[Hashable, ...]
    labels: tuple[Hashable, ...] = ()

    def used(self) -> list[Hashable]:
        """List the table's columns that are needed, each once."""
        flat: dict[Hashable, None] = {}
        for name, source in self.sources.items():
            flat |= dict.fromkeys(source if name == "ts" and isinstance(source, tuple) else (source,))
        return list(flat)


def map_columns(
    names: Sequence[Hashable],
    *,
    symbol: str,
    columns: Mapping[str, Hashable] | None = None,
    time_in_index: bool = False,
    close_only: bool = False,
    volume_needed: bool = True,
) -> ColumnMap:
    """Find our columns among a table's.

    Parameters
    ----------
    names : sequence
        The table's columns in order.
    symbol : str
        Tells whether `volume_btc` counts the base or the quote currency.
    columns : mapping, optional
        What the caller says: our name to the table's, such as `{"ts": "unix", "close": "Adj Close"}`.
    time_in_index : bool, default False
        The index holds the time; then no column is looked for.
    close_only : bool, default False
        Only the close is needed; a lone column besides the time is taken as it.
    volume_needed : bool, default True

    Raises
    ------
    DataError
        A column is missing, could be several, or `columns` names something that is not there.
    """
    given = dict(columns or {})
    _check_given(given, names, symbol)
    plain = [(name, _plain(name)) for name in names if name not in _flat(given)]
    sources: dict[str, Hashable] = {}
    wanted = [*([] if time_in_index else ["ts"]), *(("close",) if close_only else COLUMNS[:4]), "volume"]
    for ours in wanted:
        found = [given[ours]] if ours in given else _candidates(ours, plain, symbol)
        if not found and ours == "close" and close_only:
            found = _lone(plain, sources)
        if len(found) > 1:
            raise DataError(
                f"{symbol}: {ours!r} could be any of the columns {_listed(found)}; say which, for example "
                f"columns={{{ours!r}: {found[0]!r}}}",
                column=ours, candidates=tuple(found),
            )  # fmt: skip
        if found:
            sources[ours] = found[0]
    optional = () if volume_needed and not close_only else ("volume",)
    missing = [name for name in wanted if name not in sources and name not in optional]
    if missing:
        raise _missing(missing, names, symbol)
    used = ColumnMap(sources=sources, ignored=()).used()
    ignored = tuple(name for name in names if name not in used)
    labels = tuple(name for name in ignored if _plain(name) in _LABELS)
    return ColumnMap(sources=sources, ignored=ignored, labels=labels)


def _check_given(given: Mapping[str, Hashable], names: Sequence[Hashable], symbol: str) -> None:
    allowed = ("ts", *COLUMNS)
    wrong = [name for name in given if name not in allowed]
    if wrong:
        raise DataError(
            f"{symbol}: columns={{{wrong[0]!r}: …}} is not understood: the keys are our names ({', '.join(allowed)}), "
            "the values the table's, for example columns={'ts': 'Date'}",
            column=wrong[0],
        )
    absent = [name for name in _flat(given) if name not in names]
    if absent:
        raise DataError(
            f"{symbol}: there is no column {absent[0]!r} (from columns=…); the table has {_listed(names)}",
            column=absent[0],
        )


def _candidates(ours: str, plain: Sequence[tuple[Hashable, str]], symbol: str) -> list[Hashable]:
    exact = [name for name, text in plain if text == ours]
    if exact:
        return exact
    found = [(name, text) for name, text in plain if text in _ALIASES[ours]]
    if ours == "volume":
        return [name for name, _ in found] or _volumes([name for name, _ in plain], symbol)
    if ours == "ts":
        if sorted(text for _, text in found) == ["date", "time"]:
            return [tuple(name for name, _ in sorted(found, key=lambda pair: pair[1]))]
        found = found or [(name, text) for name, text in plain if text in _INDEX_NAMES]
    return [name for name, _ in found]


def _volumes(names: Sequence[Hashable], symbol: str) -> list[Hashable]:
    """Find columns such as `Volume BTC`; one that counts the quote currency is none."""
    base, _, quote = symbol.lower().partition(":")[0].partition("/")
    words = {name: re.findall(r"[a-z0-9]+", str(name).lower()) for name in names}
    units = {name: said[1] for name, said in words.items() if len(said) == 2 and said[0] in ("vol", "volume")}
    in_base = [name for name, unit in units.items() if unit == base]
    return in_base or [
        name for name, unit in units.items() if unit not in (quote, "quote", "currency") and not unit.startswith("usd")
    ]


def _lone(plain: Sequence[tuple[Hashable, str]], sources: Mapping[str, Hashable]) -> list[Hashable]:
    """Give the only column besides the time, else nothing: among several none is more likely."""
    taken = ColumnMap(sources=sources, ignored=()).used()
    left = [name for name, _ in plain if name not in taken]
    return left if len(left) == 1 else []


def _missing(missing: Sequence[str], names: Sequence[Hashable], symbol: str) -> DataError:
    fixes = [f"name it, for example columns={{{missing[0]!r}: …}}"]
    if missing == ["volume"]:
        fixes.append("or pass missing_volume='zero' if the market has none")
    elif "close" not in missing and "ts" not in missing:
        fixes.append("or pass close_only=True if there are closes only")
    return DataError(
        f"{symbol}: no column for {', '.join(map(repr, missing))} among {_listed(names)}; {', '.join(fixes)}",
        missing=tuple(missing),
    )


def _flat(given: Mapping[str, Hashable]) -> list[Hashable]:
    return ColumnMap(sources=given, ignored=()).used()


def _plain(name: Hashable) -> str:
    text = re.sub(r"^\s*\d+\.\s*", "", str(name))  # "1. open"
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _listed(names: Sequence[Hashable]) -> str:
    shown = ", ".join(_cut(repr(name)) for name in names[:20])
    return f"{shown}, … ({len(names)} in all)" if len(names) > 20 else shown


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
