"""The filters of a universe: each takes what was known at a moment and says which instruments stay, in which order.

A filter is a value with plain fields. What it may look at is a `Known`: the bars of one instrument that had closed by
the moment. Instrument facts (venue, quote, kind, spread) are as the lake has them now; they have no history.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from numbers import Real
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.market.bars import Bars
from workbench.market.calendar import expected_bars, known_span

__all__ = [
    "FILTERS",
    "Age",
    "Correlation",
    "Filter",
    "First",
    "Known",
    "Missing",
    "Only",
    "Price",
    "Spread",
    "Volatility",
    "Volume",
]

Floats = NDArray[np.float64]
DAY_MS: Final = 86_400_000
_LEAST_RETURNS: Final = 10  # a correlation of fewer says nothing


@dataclass(frozen=True)
class Known:
    """The bars of an instrument that had closed by a moment, and what filters ask of them."""

    bars: Bars
    rows: int
    at: int

    def since(self, days: float) -> slice:
        """Give the rows that opened in the days before the moment."""
        first = int(np.searchsorted(self.bars.ts[: self.rows], self.at - days * DAY_MS))
        return slice(first, self.rows)

    def daily_volume(self, days: float) -> float:
        """Mean traded value a day with bars, in the quote currency; NaN without bars."""
        rows = self.since(days)
        days_with = len(np.unique(self.bars.ts[rows] // DAY_MS))
        return float(np.dot(self.bars.close[rows], self.bars.volume[rows])) / days_with if days_with else math.nan

    def daily_returns(self, days: float) -> tuple[NDArray[np.int64], Floats]:
        """Give the UTC days that were over by the moment, and the log return of each from the day with bars before."""
        rows = self.since(days)
        day = (self.bars.ts[rows] + self.bars.timeframe.ms - 1) // DAY_MS
        over = int(np.searchsorted(day, self.at // DAY_MS))
        last = np.flatnonzero(np.diff(day[:over], append=-1))
        return day[last][1:], np.diff(np.log(self.bars.close[rows][last]))

    def volatility(self, days: float) -> float:
        """Standard deviation of the daily log returns; NaN with fewer than two."""
        returns = self.daily_returns(days)[1]
        return float(np.std(returns, ddof=1)) if len(returns) > 1 else math.nan

    def spread_bps(self, days: float) -> float:
        """Estimate the bid-ask spread from closes and ranges; NaN with fewer than two bars."""
        rows = self.since(days)
        close = np.log(self.bars.close[rows])
        middle = (np.log(self.bars.high[rows]) + np.log(self.bars.low[rows])) / 2
        if len(close) < 2:
            return math.nan
        covariance = float(np.mean((close[:-1] - middle[:-1]) * (close[:-1] - middle[1:])))
        return 1e4 * 2.0 * math.sqrt(max(covariance, 0.0))

    def missing(self, days: float) -> float:
        """Share of the bars that the calendar expects in those days and that are missing; NaN if it expects none."""
        rows = self.since(days)
        calendar = self.bars.instrument.calendar
        since, until = known_span(calendar)
        start = max(int(self.at - days * DAY_MS), int(self.bars.ts[0]), since)
        expected = len(expected_bars(calendar, self.bars.timeframe, start, min(self._closable(), until))[0])
        return 1.0 - min((rows.stop - rows.start) / expected, 1.0) if expected else math.nan

    def _closable(self) -> int:
        """The last moment at which a bar can have opened and be closed now, exclusive."""
        return self.at - self.bars.timeframe.ms + 1

    @cached_property
    def price(self) -> float:
        """The last close."""
        return float(self.bars.close[self.rows - 1])

    @property
    def age_days(self) -> float:
        """Days since the first bar of the data opened."""
        return (self.at - int(self.bars.ts[0])) / DAY_MS


class Filter:
    """Base of all filters."""

    name = ""

    def keep(self, known: Sequence[Known]) -> list[Known]:
        """Say which instruments stay, in the order in which the next filter gets them."""
        raise NotImplementedError  # pragma: no cover

    def to_dict(self) -> dict[str, Any]:
        """Give the filter as plain data."""
        return {"filter": self.name} | {
            each.name: list(value) if isinstance(value, tuple) else value
            for each in fields(self)  # type: ignore[arg-type]
            if (value := getattr(self, each.name)) != each.default
        }

    def _check(self, **least: float) -> None:
        """Hold numbers to being numbers of at least so much, and `low` to being no more than `high`."""
        for name, floor in least.items():
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value) or value < floor:
                raise ConfigError(
                    f"universe: {self.name}: {name} = {value!r}; give a number of at least {floor:g}", filter=self.name
                )
        low, high = getattr(self, "low", None), getattr(self, "high", None)
        if low is not None and high is not None and low > high:
            raise ConfigError(f"universe: {self.name}: low = {low!r} is above high = {high!r}", filter=self.name)

    def _count(self, name: str) -> None:
        value = getattr(self, name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise ConfigError(f"universe: {self.name}: {name} = {value!r}; give a whole number of at least 1")


def _between(value: float, low: float | None, high: float | None) -> bool:
    """Tell whether a number is in a range; what is not known is in none."""
    return not math.isnan(value) and (low is None or value >= low) and (high is None or value <= high)


@dataclass(frozen=True, kw_only=True)
class Only(Filter):
    """Only instruments of some venues, quote currencies or kinds; empty takes any."""

    venues: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    name = "only"

    def __post_init__(self) -> None:
        for each in ("venues", "quotes", "kinds"):
            object.__setattr__(self, each, words(f"universe: only: {each}", getattr(self, each)))

    def keep(self, known: Sequence[Known]) -> list[Known]:
        """Keep what fits all three."""
        asked = {"venue": self.venues, "quote": self.quotes, "kind": self.kinds}
        return [
            one
            for one in known
            if all(not wanted or getattr(one.bars.instrument, fact) in wanted for fact, wanted in asked.items())
        ]


@dataclass(frozen=True, kw_only=True)
class Volume(Filter):
    """By mean traded value a day (close times volume, quote currency), the largest first; `top` keeps so many."""

    days: float = 30.0
    top: int | None = None
    low: float | None = None
    high: float | None = None
    name = "volume"

    def __post_init__(self) -> None:
        self._check(days=1, low=0, high=0)
        self._count("top")

    def keep(self, known: Sequence[Known]) -> list[Known]:
        """Keep what is in the range, sorted; equal ones stay in their order."""
        valued = [(one.daily_volume(self.days), one) for one in known]
        inside = [pair for pair in valued if _between(pair[0], self.low, self.high)]
        return [one for _, one in sorted(inside, key=lambda pair: -pair[0])][: self.top]


@dataclass(frozen=True, kw_only=True)
class Volatility(Filter):
    """By the standard deviation of daily log returns (0.02 is two percent a day)."""

    days: float = 30.0
    low: float | None = None
    high: float | None = None
    name = "volatility"

    def __post_init__(self) -> None:
        self._check(days=3, low=0, high=0)

    def keep(self, known: Sequence[Known]) -> list[Known]:
        """Keep what is in the range."""
        return [one for one in known if _between(one.volatility(self.days), self.low, self.high)]


@dataclass(frozen=True, kw_only=True)
class Age(Filter):
    """By days since the first bar of the data."""

    low: float | None = None
    high: float | None = None
    name = "age"

    def __post_init__(self) -> None:
        self._check(low=0, high=0)

    def keep(self, known: Sequence[Known]) -> list[Known]:
        """Keep what is in the range."""
        return [one for one in known if _between(one.age_days, self.low, self.high)]


@dataclass(frozen=True, kw_only=True)
class Spread(Filter):
    """By the bid-ask spread in basis points: the instrument's, or one estimated from bars.

    The estimate is that of F. Abdi and A. Ranaldo, A Simple Estimation of Bid-Ask Spreads from Daily Close, High, and
    Low Prices, Review of Financial Studies 30 (2017), equation 11: twice the root of the mean of
    `(c[t] - m[t]) * (c[t] - m[t+1])`, c the log close and m the mean of log high and log low; 0 where it is negative.
    """

    high: float | None = None
    low: float | None = None
    source: Literal["instrument", "bars"] = "instrument"
    days: float = 30.0
    name = "spread"

    def __post_init__(self) -> None:
        self._check(days=2, low=0, high=0)
        if self.source not in ("instrument", "bars"):
            raise ConfigError(f"universe: spread: source = {self.source!r}; it is 'instrument' or 'bars'")

    def keep(self, known: Sequence[Known]) -> list[Known]:
        """Keep what is in the range."""
        own = self.source == "instrument"
        return [
            one
            for one in known
            if _between(one.bars.instrument.spread_bps if own else one.spread_bps(self.days), self.low, self.high)
        ]


@dataclass(frozen=True, kw_only=True)
class Price(Filter):
    """By the last close."""

    low: float | None = None
    high: float | None = None
    name = "price"

    def __post_init__(self) -> None:
        self._check(low=0, high=0)

    def keep(self, known: Sequence[Known]) -> list[Known]:
        """Keep what is in the range."""
        return [one for one in known if _between(one.price, self.low, self.high)]


@dataclass(frozen=True, kw_only=True)
class Missing(Filter):
    """By the share of bars that the calendar expects and that are not there (0.05 is five percent)."""

    high: float = 0.05
    days: float = 30.0
    name = "missing"

    def __post_init__(self) -> None:
        self._check(days=1, high=0)

    def keep(self, known: Sequence[Known]) -> list[Known]:
        """Keep what has enough bars."""
        return [one for one in known if _between(one.missing(self.days), None, self.high)]


@dataclass(frozen=True, kw_only=True)
class Correlation(Filter):
    """At most so many that move together: taken in order, one is left out that correlates with so many kept before it.

    Pearson's correlation of daily log returns on the days that both have; with fewer than ten such days it is not known
    and does not count.
    """

    above: float = 0.9
    at_most: int = 1
    days: float = 60.0
    name = "correlation"

    def __post_init__(self) -> None:
        self._check(days=_LEAST_RETURNS + 1, above=-1)
        self._count("at_most")
        if self.above > 1:
            raise ConfigError(f"universe: correlation: above = {self.above!r}; give a number from -1 to 1")

    def keep(self, known: Sequence[Known]) -> list[Known]:
        """Keep the first of those that move together."""
        kept: list[tuple[Known, tuple[NDArray[np.int64], Floats]]] = []
        for one in known:
            mine = one.daily_returns(self.days)
            alike = sum(_correlation(mine, theirs) > self.above for _, theirs in kept)
            if alike < self.at_most:
                kept.append((one, mine))
        return [one for one, _ in kept]


def _correlation(one: tuple[NDArray[np.int64], Floats], other: tuple[NDArray[np.int64], Floats]) -> float:
    _, mine, theirs = np.intersect1d(one[0], other[0], assume_unique=True, return_indices=True)
    if len(mine) < _LEAST_RETURNS:
        return -math.inf
    left, right = one[1][mine], other[1][theirs]
    left, right = left - left.mean(), right - right.mean()
    scale = math.sqrt(float(left @ left) * float(right @ right))
    return float(left @ right) / scale if scale > 0 else -math.inf


@dataclass(frozen=True, kw_only=True)
class First(Filter):
    """The first so many, in the order that there is then."""

    count: int = 10
    name = "first"

    def __post_init__(self) -> None:
        self._count("count")

    def keep(self, known: Sequence[Known]) -> list[Known]:
        """Keep the first ones."""
        return list(known[: self.count])


def words(what: str, given: Any) -> tuple[str, ...]:
    """Take a text or a list of texts as a tuple of them."""
    several = (given,) if isinstance(given, str) else given
    if not isinstance(several, (list, tuple)) or not all(isinstance(one, str) and one for one in several):
        raise ConfigError(f"{what} = {given!r}; give a text or a list of texts")
    return tuple(several)


FILTERS: Final[dict[str, Callable[..., Filter]]] = {
    kind.name: kind for kind in (Age, Correlation, First, Missing, Only, Price, Spread, Volatility, Volume)
}
