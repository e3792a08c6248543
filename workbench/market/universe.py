"""`Universe`: which instruments to trade, as a rule that looks only at what was known on the day.

`universe()` begins with every instrument of a timeframe or with a list; each method adds a filter, and filters work in
the order in which they stand. A universe is a value: plain data in files, the same fingerprint wherever it is, usable
on the lake, on bars in hand, in backtests, sweeps and bots.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import ConfigError, DataError
from workbench.market import universe_filters as filters
from workbench.market.bars import Bars, to_ms
from workbench.market.lake import Lake
from workbench.market.membership import Membership
from workbench.market.timeframe import Timeframe
from workbench.market.universe_filters import DAY_MS, FILTERS, Filter, First, Known, Only, words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Universe", "universe"]

_LONGEST_LIST: Final = 100_000
_KEYS: Final = ("timeframe", "symbols", "exclude", "stale_days", "filters")


@dataclass(frozen=True, kw_only=True)
class Universe:
    """A rule for which instruments to trade; `universe` makes one, its methods give ones with a filter more.

    Parameters
    ----------
    timeframe : Timeframe
        Of the bars that filters look at.
    symbols : tuple of str
        The only ones that can be members, in this order; empty takes all, by symbol.
    exclude : tuple of str
        Never members.
    stale_days : float
        An instrument whose last closed bar is older than this, and a bar, has ended and is no member.
    filters : tuple of Filter
    """

    timeframe: Timeframe
    symbols: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    stale_days: float = 7.0
    filters: tuple[Filter, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "timeframe", Timeframe.parse(self.timeframe))
        for name in ("symbols", "exclude"):
            given = words(f"universe: {name}", getattr(self, name))
            if len(set(given)) < len(given):
                twice = next(one for one in given if given.count(one) > 1)
                raise ConfigError(f"universe: {name} has {twice!r} twice; name each once")
            object.__setattr__(self, name, given)
        stale = self.stale_days
        if isinstance(stale, bool) or not isinstance(stale, (int, float)) or not 0 <= stale < float("inf"):
            raise ConfigError(f"universe: stale_days = {stale!r}; give a number of days, 0 or more")

    def only(self, *, venues: Any = (), quotes: Any = (), kinds: Any = ()) -> Universe:
        """Keep instruments of some venues, quote currencies and kinds only."""
        return self._with(filters.Only(venues=venues, quotes=quotes, kinds=kinds))

    def volume(
        self, *, days: float = 30.0, top: int | None = None, low: float | None = None, high: float | None = None
    ) -> Universe:
        """Sort by mean traded value a day over some days, largest first, and keep the `top` or a range."""
        return self._with(filters.Volume(days=days, top=top, low=low, high=high))

    def volatility(self, *, days: float = 30.0, low: float | None = None, high: float | None = None) -> Universe:
        """Keep a range of the standard deviation of daily log returns (0.02 is two percent a day)."""
        return self._with(filters.Volatility(days=days, low=low, high=high))

    def age(self, *, low: float | None = None, high: float | None = None) -> Universe:
        """Keep a range of days since the first bar of the data."""
        return self._with(filters.Age(low=low, high=high))

    def spread(
        self, *, high: float | None = None, low: float | None = None, source: Any = "instrument", days: float = 30.0
    ) -> Universe:
        """Keep a range of the bid-ask spread in basis points: the instrument's, or estimated from `"bars"`."""
        return self._with(filters.Spread(high=high, low=low, source=source, days=days))

    def price(self, *, low: float | None = None, high: float | None = None) -> Universe:
        """Keep a range of the last close."""
        return self._with(filters.Price(low=low, high=high))

    def missing(self, *, high: float = 0.05, days: float = 30.0) -> Universe:
        """Keep what lacks at most so great a share of the bars that its calendar expects."""
        return self._with(filters.Missing(high=high, days=days))

    def correlation(self, *, above: float = 0.9, at_most: int = 1, days: float = 60.0) -> Universe:
        """Keep, in order, at most so many that correlate above a number in their daily returns."""
        return self._with(filters.Correlation(above=above, at_most=at_most, days=days))

    def first(self, count: int) -> Universe:
        """Keep the first so many."""
        return self._with(filters.First(count=count))

    def _with(self, one: Filter) -> Universe:
        return replace(self, filters=(*self.filters, one))

    def at(self, when: Any, data: Any = None) -> tuple[str, ...]:
        """Give the members at a moment, from bars that had closed by then and nothing else.

        Parameters
        ----------
        when : str, datetime, pandas.Timestamp or int (ms UTC)
        data : Lake, Bars, iterable of Bars, or dict of Bars, optional
            Where the bars are; the lake of the current workspace when left out.

        Returns
        -------
        tuple of str
            Symbols, in the order that the filters left them in.

        Raises
        ------
        DataError
            Two venues have the same symbol; `only(venues=...)` as the first filter says which one is meant.
        """
        moment = to_ms(when)
        return self._members(self._series(data, until=moment), moment)

    def membership(self, start: Any, end: Any, *, every: str | Timeframe = "7d", data: Any = None) -> Membership:
        """Give the members on rebalance dates from `start` to before `end`; on each date as `at` does.

        The dates are the multiples of `every` (weeks begin on Mondays), wherever the range begins; the first is the one
        at or before `start`, which holds then.
        """
        first, last, step = to_ms(start), to_ms(end), Timeframe.parse(every)
        if first >= last:
            raise ConfigError(f"universe: the range from {start!r} to {end!r} is empty; start must come before end")
        dates = np.arange(step.floor(first), last, step.ms, dtype=np.int64)
        if len(dates) > _LONGEST_LIST:
            raise ConfigError(f"universe: every={str(step)!r} makes {len(dates):,} dates; rebalance less often")
        series = self._series(data, until=last)
        return Membership(ts=dates, members=tuple(self._members(series, int(date)) for date in dates))

    def over(self, start: Any, end: Any, *, every: str | Timeframe = "7d", data: Any = None) -> pd.DataFrame:
        """Give membership by date as a frame: a row for each rebalance date, a bool column for each symbol."""
        return self.membership(start, end, every=every, data=data).to_pandas()

    def bars(
        self,
        data: Any = None,
        start: Any = None,
        end: Any = None,
        *,
        every: str | Timeframe = "7d",
        timeframe: str | Timeframe | None = None,
    ) -> list[Bars]:
        """Give the bars of everything that was ever a member in a range, those that ended included, by symbol.

        Parameters
        ----------
        data : as in `at`
        start, end : optional
            The range; all that the data has when left out.
        every : str or Timeframe
            How often members are chosen.
        timeframe : str or Timeframe, optional
            Of the bars that are given, where `data` is a lake that has them; the universe's own when left out.
        """
        series = self._series(data, until=None if end is None else to_ms(end))
        if not series:
            return []
        first = min(one.start for one in series) if start is None else to_ms(start)
        last = max(one.end for one in series) if end is None else to_ms(end)
        held = set(self.membership(first, last, every=every, data=series).symbols)
        traded = [Known(one, len(one), one.end) for one in series if one.symbol in held]
        for each in self.filters:  # of two venues with one symbol only that is meant which the universe asks for
            traded = each.keep(traded) if isinstance(each, Only) else traded
        chosen = [one.bars for one in traded]
        if timeframe is not None and Timeframe.parse(timeframe) != self.timeframe:
            lake = _lake_of(data)
            read = [lake.read(one.symbol, timeframe, first, last, venue=one.venue) for one in chosen]
        else:
            read = [one.between(first, last) for one in chosen]
        return sorted((one for one in read if len(one)), key=lambda one: one.symbol)

    def _members(self, series: Iterable[Bars], when: int) -> tuple[str, ...]:
        known = [one for bars in series if (one := self._known(bars, when)) is not None]
        for each in self.filters:
            known = each.keep(known)
        symbols = tuple(one.bars.symbol for one in known)
        if len(set(symbols)) < len(symbols):
            twice = next(one for one in symbols if symbols.count(one) > 1)
            venues = sorted(one.bars.venue for one in known if one.bars.symbol == twice)
            raise DataError(
                f"universe: {twice} is at {len(venues)} venues, {', '.join(venues)}; begin with "
                f".only(venues={venues[0]!r})",
                symbol=twice,
            )
        return symbols

    def _known(self, bars: Bars, when: int) -> Known | None:
        """Give what is known of an instrument that trades at a moment; None of one that has not begun or has ended."""
        closed = int(np.searchsorted(bars.ts, when - bars.timeframe.ms, side="right"))
        if (
            not closed
            or when - int(bars.ts[closed - 1]) - bars.timeframe.ms > self.stale_days * DAY_MS + bars.timeframe.ms
        ):
            return None
        return Known(bars, closed, when)

    def _series(self, data: Any, *, until: int | None) -> list[Bars]:
        """Give the bars of all candidates, in the order of the list or by symbol and venue."""
        if data is None or isinstance(data, Lake):
            found = self._read(_lake_of(data), until)
        else:
            found = [one for one in _bars_in(data) if one.timeframe == self.timeframe]
        wanted = [one for one in found if len(one) and one.symbol not in self.exclude]
        if not self.symbols:
            return sorted(wanted, key=lambda one: (one.symbol, one.venue))
        place = {symbol: row for row, symbol in enumerate(self.symbols)}
        return sorted((one for one in wanted if one.symbol in place), key=lambda one: (place[one.symbol], one.venue))

    def _read(self, lake: Lake, until: int | None) -> list[Bars]:
        return [
            lake.read(info.symbol, info.timeframe, end=until, venue=info.venue)
            for info in lake.series()
            if info.timeframe == str(self.timeframe)
            and (until is None or info.start < until)
            and (not self.symbols or info.symbol in self.symbols)
            and info.symbol not in self.exclude
        ]

    def to_dict(self) -> dict[str, Any]:
        """Give the universe as plain data; what is as usual is left out."""
        said: dict[str, Any] = {"timeframe": str(self.timeframe)}
        for name in ("symbols", "exclude"):
            if getattr(self, name):
                said[name] = list(getattr(self, name))
        if self.stale_days != 7.0:
            said["stale_days"] = self.stale_days
        return said | ({"filters": [one.to_dict() for one in self.filters]} if self.filters else {})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Universe:
        """Take what `to_dict` gave.

        Raises
        ------
        ConfigError
            A key or a filter is unknown, or a value is wrong.
        """
        if not isinstance(data, Mapping):
            raise ConfigError(f"universe: a {type(data).__name__} is no universe; give a table of {', '.join(_KEYS)}")
        _known_keys("universe", data, _KEYS)
        if "timeframe" not in data:
            raise ConfigError("universe: it has no timeframe; write one, such as timeframe = '1d'")
        entries = data.get("filters", [])
        if not isinstance(entries, list):
            raise ConfigError(f"universe: filters = {entries!r}; give a list of tables")
        made = tuple(_filter_of(entry) for entry in entries)
        given = {name: data[name] for name in ("symbols", "exclude", "stale_days") if name in data}
        if "symbols" in given and not given["symbols"]:
            raise ConfigError("universe: symbols is empty; name some, or leave symbols out for all that the lake has")
        return cls(timeframe=data["timeframe"], filters=made, **given)

    def to_json(self) -> str:
        """Give the universe as JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Universe:
        """Take what `to_json` gave; ConfigError where it is no JSON or no universe."""
        try:
            return cls.from_dict(json.loads(text))
        except json.JSONDecodeError as error:
            raise ConfigError(f"universe: is no JSON: {error}") from error

    def to_toml(self) -> str:
        """Give the universe as TOML text."""
        data = self.to_dict()
        lines = [f"{name} = {_toml(value)}" for name, value in data.items() if name != "filters"]
        for entry in data.get("filters", []):
            lines += ["", "[[filters]]", *(f"{name} = {_toml(value)}" for name, value in entry.items())]
        return "\n".join(lines) + "\n"

    @classmethod
    def from_toml(cls, text: str | Path) -> Universe:
        """Take what `to_toml` gave, or a file of it; ConfigError where it is no TOML or no universe."""
        try:
            return cls.from_dict(tomllib.loads(text.read_text(encoding="utf-8") if isinstance(text, Path) else text))
        except OSError as error:
            raise ConfigError(f"universe: {text} cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"universe: is no TOML: {error}") from error

    @property
    def fingerprint(self) -> str:
        """Hash (32 hex digits) of what it says; equal universes have equal ones, in any process."""
        said = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()

    def __repr__(self) -> str:
        said = [f"timeframe={str(self.timeframe)!r}"]
        said += [f"symbols={list(self.symbols)!r}"] if self.symbols else []
        said += [f"exclude={list(self.exclude)!r}"] if self.exclude else []
        said += [f"stale_days={self.stale_days!r}"] if self.stale_days != 7.0 else []
        return "".join([f"universe({', '.join(said)})", *map(_call, self.filters)])


def universe(
    symbols: str | Iterable[str] | None = None,
    *,
    timeframe: str | Timeframe = "1d",
    exclude: str | Iterable[str] = (),
    stale_days: float = 7.0,
) -> Universe:
    """Begin a universe: all instruments that have bars of a timeframe, or those of a list.

    Parameters
    ----------
    symbols : str or list of str, optional
        The only ones that can be members, in this order; all when left out.
    timeframe : str or Timeframe, default "1d"
        Of the bars that filters look at.
    exclude : str or list of str, optional
        Never members.
    stale_days : float, default 7
        An instrument whose last closed bar is older than this has ended; it was a member while it traded.

    Returns
    -------
    Universe

    Raises
    ------
    ConfigError
        A value is wrong, a symbol is there twice, or the list is empty: an empty list does not mean all.

    Notes
    -----
    Point in time: `at(when)` looks at bars that had closed by `when` and at nothing after, so data that is added later
    never changes it. What has no history in the lake is as it is now: venue, quote currency, kind and the instrument's
    spread. Instruments that the lake never had cannot be members: a lake of survivors makes a universe of survivors.

    Examples
    --------
    >>> liquid = universe(timeframe="1d").only(quotes="USDT").volume(days=30, top=20).correlation(above=0.95)
    >>> liquid
    universe(timeframe='1d').only(quotes=['USDT']).volume(top=20).correlation(above=0.95)
    >>> Universe.from_toml(liquid.to_toml()) == liquid
    True
    """
    given: dict[str, Any] = {"symbols": () if symbols is None else _listed("symbols", symbols)}
    if symbols is not None and not given["symbols"]:
        raise ConfigError("universe: symbols is empty; name some, or leave symbols out for all that the lake has")
    given["exclude"] = _listed("exclude", exclude)
    return Universe(timeframe=Timeframe.parse(timeframe), stale_days=stale_days, **given)


def _listed(name: str, given: Any) -> Any:
    if isinstance(given, (str, Bars)) or not isinstance(given, Iterable):
        return given if isinstance(given, str) else (given,)
    return tuple(given)


def _lake_of(data: Any) -> Lake:
    if isinstance(data, Lake):
        return data
    if data is not None:
        raise DataError("universe: bars of another timeframe than the universe's are read from a lake; give wb.lake()")
    from workbench.market.lake import lake

    return lake()


def _bars_in(data: Any) -> list[Bars]:
    several = [data] if isinstance(data, Bars) else data.values() if isinstance(data, Mapping) else data
    if not isinstance(several, Iterable) or isinstance(several, str):
        raise DataError(f"universe: a {type(data).__name__} has no bars; give a wb.Lake, or a list or dict of wb.Bars")
    found = list(several)
    for one in found:
        if not isinstance(one, Bars):
            raise DataError(f"universe: a {type(one).__name__} is among the bars; give a wb.Lake or a list of wb.Bars")
    return found


def _filter_of(entry: Any) -> Filter:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("filter"), str):
        raise ConfigError(f"universe: {entry!r} is no filter; write filter = 'volume' and what it takes")
    name = entry["filter"]
    if name not in FILTERS:
        _known_keys("universe: filter", {name: None}, tuple(sorted(FILTERS)))
    kind = FILTERS[name]
    given = {key: value for key, value in entry.items() if key != "filter"}
    _known_keys(f"universe: {name}", given, tuple(each.name for each in fields(kind)))  # type: ignore[arg-type]
    return kind(**given)


def _known_keys(owner: str, given: Iterable[str], known: tuple[str, ...]) -> None:
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ConfigError(f"{owner}: {key!r} is not known: {hint}there is {', '.join(known)}", key=key)


def _call(one: Filter) -> str:
    said = one.to_dict()
    said.pop("filter")
    if one.name == "first":
        return f".first({said['count'] if 'count' in said else First().count!r})"
    return f".{one.name}({', '.join(f'{name}={value!r}' for name, value in said.items())})"


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
