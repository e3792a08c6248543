"""Rates between currencies: named, dated, followed through a third currency where no direct one is known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from workbench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Conversion", "Rate", "Rates", "currency_name", "read_rates"]

_DAY_MS: Final = 86_400_000
_DOLLARS: Final = frozenset({"USD", "USDT", "USDC", "FDUSD", "TUSD", "BUSD", "DAI"})


def currency_name(text: Any, what: str = "currency") -> str:
    """Read the name of a currency, in upper case; DataError where it is none."""
    name = text.strip().upper() if isinstance(text, str) else ""
    if not name or "/" in name or " " in name:
        raise DataError(f"{what} = {text!r}: give the name of one currency, such as 'USD' or 'USDT'", name=what)
    return name


@dataclass(frozen=True, kw_only=True)
class Rate:
    """What one unit of a currency is worth in another.

    Parameters
    ----------
    base, quote : str
        One unit of `base` is `value` units of `quote`: EUR/USD 1.10 is 1.10 dollars a euro.
    value : float
        Positive.
    ts : int, optional
        When it was so, ms UTC. A rate without a time is taken to hold at any time.
    source : str, optional
        Where it comes from, for tables.

    Raises
    ------
    DataError
        The value is not positive, or both currencies are the same.

    Examples
    --------
    >>> Rate(base="EUR", quote="USD", value=1.1).pair
    'EUR/USD'
    """

    base: str
    quote: str
    value: float
    ts: int | None = None
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("base", "quote"):
            object.__setattr__(self, name, currency_name(getattr(self, name), name))
        if self.base == self.quote:
            raise DataError(f"the rate {self.pair} is between one and the same currency: leave it out")
        good = isinstance(self.value, (int, float, np.number)) and not isinstance(self.value, bool)
        if not good or not 0.0 < float(self.value) < math.inf:
            raise DataError(f"the rate {self.pair} = {self.value!r}: give a positive number", pair=self.pair)
        object.__setattr__(self, "value", float(self.value))
        if self.ts is not None and (isinstance(self.ts, bool) or not isinstance(self.ts, (int, np.integer))):
            raise DataError(f"the rate {self.pair} is of ts = {self.ts!r}: give a whole number of ms UTC, or None")

    @property
    def pair(self) -> str:
        """Its name, `BASE/QUOTE`."""
        return f"{self.base}/{self.quote}"


class Conversion(NamedTuple):
    """How one currency becomes another: the factor, and the steps (rate, whether it is taken the other way round)."""

    value: float
    steps: tuple[tuple[Rate, bool], ...]

    @property
    def path(self) -> str:
        """The currencies passed through, in words; "" where there is nothing to convert."""
        if not self.steps:
            return ""
        first, turned = self.steps[0]
        names = [first.quote if turned else first.base]
        names += [rate.base if back else rate.quote for rate, back in self.steps]
        return " > ".join(names)


@dataclass(frozen=True)
class Rates:
    """Rates that are known at one moment.

    Parameters
    ----------
    rates : iterable of Rate
        One for a pair at most; a rate is used in both directions.
    now : int, optional
        The moment, ms UTC. A rate of a later time is not used.
    max_age_ms : int, optional
        How old a rate with a time may be at `now`; an older one is not used.

    Raises
    ------
    DataError
        A pair has two rates (also A/B and B/A), or an age is to be judged without `now`.

    Notes
    -----
    The way of the fewest steps is taken, of several the first by name: the order in which rates are given says nothing.

    Examples
    --------
    >>> rates = Rates((Rate(base="BTC", quote="USDT", value=40_000.0), Rate(base="EUR", quote="USDT", value=1.25)))
    >>> rates.convert(2.0, "BTC", "EUR"), rates.between("BTC", "EUR").path
    (64000.0, 'BTC > USDT > EUR')
    """

    rates: tuple[Rate, ...] = ()
    now: int | None = None
    max_age_ms: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "rates", tuple(self.rates))
        if self.max_age_ms is not None and self.now is None:
            raise DataError("max_age_ms asks how old rates are: say when, with now=")
        seen: dict[frozenset[str], Rate] = {}
        for rate in self.rates:
            if not isinstance(rate, Rate):
                raise DataError(f"{rate!r} is no Rate; use read_rates({{'EUR/USD': 1.10}}) for a mapping")
            again = seen.setdefault(frozenset((rate.base, rate.quote)), rate)
            if again is not rate:
                raise DataError(
                    f"there are two rates between {rate.base} and {rate.quote}: {again.pair} {again.value:g} and "
                    f"{rate.pair} {rate.value:g}; give one",
                    pair=rate.pair,
                )

    def between(self, base: str, quote: str) -> Conversion:
        """Give what one unit of `base` is worth in `quote`, through other currencies where it must be.

        Raises
        ------
        DataError
            No rates lead from one to the other, or only such as are too old or of a later time.
        """
        base, quote = currency_name(base), currency_name(quote)
        if base == quote:
            return Conversion(1.0, ())
        found = self._path(base, quote, [rate for rate in self.rates if not self._unfit(rate)])
        if found is not None:
            return found
        raise DataError(self._lacking(base, quote), base=base, quote=quote)

    def convert(self, amount: float, base: str, quote: str) -> float:
        """Give an amount of `base` in `quote`; errors as of `between`."""
        return amount * self.between(base, quote).value

    @property
    def table(self) -> pd.DataFrame:
        """The rates, one a row: `pair`, `value`, `time`, `age_days` (at `now`), `usable`, `source`."""
        import pandas as pd

        rows = [
            {
                "pair": rate.pair,
                "value": rate.value,
                "time": None if rate.ts is None else pd.Timestamp(rate.ts, unit="ms", tz="UTC"),
                "age_days": math.nan if rate.ts is None or self.now is None else (self.now - rate.ts) / _DAY_MS,
                "usable": not self._unfit(rate),
                "source": rate.source,
            }
            for rate in self.rates
        ]
        return pd.DataFrame(rows, columns=["pair", "value", "time", "age_days", "usable", "source"])

    def _unfit(self, rate: Rate) -> str:
        """Say why a rate cannot be used now; "" where it can."""
        if rate.ts is None or self.now is None:
            return ""
        age = self.now - rate.ts
        if age < 0:
            return f"{rate.pair} is of {-age / _DAY_MS:.2g} days later than now"
        if self.max_age_ms is not None and age > self.max_age_ms:
            return f"{rate.pair} is {age / _DAY_MS:.3g} days old, {self.max_age_ms / _DAY_MS:.3g} are allowed"
        return ""

    def _path(self, base: str, quote: str, rates: Iterable[Rate]) -> Conversion | None:
        steps: dict[str, list[tuple[str, Rate, bool]]] = {}
        for rate in rates:
            steps.setdefault(rate.base, []).append((rate.quote, rate, False))
            steps.setdefault(rate.quote, []).append((rate.base, rate, True))
        reached: dict[str, tuple[tuple[Rate, bool], ...]] = {base: ()}
        edge = [base]
        while edge and quote not in reached:
            coming: list[str] = []
            for place in edge:  # by name: of two ways of one length the first by name is found
                for there, rate, back in sorted(steps.get(place, ()), key=lambda step: step[0]):
                    if there not in reached:
                        reached[there] = (*reached[place], (rate, back))
                        coming.append(there)
            edge = sorted(coming)
        if quote not in reached:
            return None
        value = 1.0
        for rate, back in reached[quote]:
            value = value / rate.value if back else value * rate.value
        return Conversion(value, reached[quote])

    def _lacking(self, base: str, quote: str) -> str:
        past = self._path(base, quote, self.rates)
        if past is not None:
            unfit = [why for rate, _ in past.steps if (why := self._unfit(rate))]
            return f"no usable rate from {base} to {quote}: {'; '.join(unfit)}; give newer ones"
        known = ", ".join(sorted(rate.pair for rate in self.rates)) or "none"
        pegged = {base, quote} <= _DOLLARS
        hint = f"{{'{base}/{quote}': 1.0}} takes them as equal" if pegged else f"rates={{'{base}/{quote}': …}}"
        return f"no rate leads from {base} to {quote} (known: {known}); give one: {hint}"


def read_rates(rates: Any) -> Rates:
    """Read rates: `Rates`, an iterable of `Rate`, or a mapping such as `{"EUR/USD": 1.10, "BTC/USDT": 42_000.0}`.

    Raises
    ------
    DataError
        A key is no pair or a value no positive number.
    """
    if rates is None:
        return Rates()
    if isinstance(rates, Rates):
        return rates
    if isinstance(rates, Mapping):
        return Rates(tuple(_named(pair, value) for pair, value in rates.items()))
    if isinstance(rates, Iterable) and not isinstance(rates, str):
        return Rates(tuple(rates))
    raise DataError(f"rates = {rates!r}: give a mapping such as {{'EUR/USD': 1.10}}, or Rates")


def _named(pair: Any, value: Any) -> Rate:
    parts = pair.split("/") if isinstance(pair, str) else []
    if len(parts) != 2:
        raise DataError(f"rates name {pair!r}: name a pair, such as 'EUR/USD' (dollars a euro)")
    return Rate(base=parts[0], quote=parts[1].split(":")[0], value=value)
