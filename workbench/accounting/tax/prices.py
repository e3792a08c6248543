"""Prices where a transaction says none: exact, never from the future, each with the words for where it is from."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from workbench.accounting.money import decimal
from workbench.errors import DataError

if TYPE_CHECKING:
    from workbench.market.bars import Bars

__all__ = ["NO_PRICES", "Price", "PriceTable", "Prices"]

_COLUMNS: Final = ("time", "asset", "currency", "price")
_DAY: Final = 86_400_000


class Price(NamedTuple):
    """What one unit was worth, and where that is from."""

    price: Decimal
    source: str


class Prices(Protocol):
    """Whatever can say what an asset was worth."""

    def price(self, asset: str, currency: str, ts: int) -> Price | None:
        """Give the price of one unit at a moment (milliseconds, UTC), or None."""


class PriceTable:
    """Prices by pair and time; the last one at or before a moment counts, if it is not too old.

    A pair that is not there is looked for the other way round, and then over one asset in between.

    Parameters
    ----------
    max_age_days : float, default 2
        How old a price may be.
    """

    def __init__(self, max_age_days: float = 2) -> None:
        if not max_age_days > 0:
            raise DataError(f"max_age_days is {max_age_days}; it must be above 0", max_age_days=max_age_days)
        self._max_age = round(max_age_days * _DAY)
        self._pairs: dict[tuple[str, str], tuple[list[int], list[Decimal], str]] = {}

    def add(self, asset: str, currency: str, prices: Mapping[int, Decimal], source: str) -> None:
        """Take in the prices of a pair: moments (milliseconds, UTC) from which each holds.

        Raises
        ------
        DataError
            A price is not above zero.
        """
        have = self._pairs.get((asset, currency))
        merged = {**(dict(zip(have[0], have[1], strict=True)) if have else {}), **prices}
        for ts, price in prices.items():
            if not price > 0:
                raise DataError(f"price of {asset} in {currency} at {ts} is {price}; it must be above 0", asset=asset)
        order = sorted(merged)
        self._pairs[asset, currency] = (order, [merged[ts] for ts in order], source)

    def update(self, other: PriceTable) -> None:
        """Take in all prices of another table."""
        for (asset, currency), (moments, prices, source) in other._pairs.items():
            self.add(asset, currency, dict(zip(moments, prices, strict=True)), source)

    @classmethod
    def of_bars(cls, series: Iterable[Bars], max_age_days: float = 2) -> PriceTable:
        """Make a table of closes: each holds from the moment its bar has closed.

        Parameters
        ----------
        series : iterable of Bars
            Symbols are BASE/QUOTE.
        max_age_days : float
        """
        table = cls(max_age_days)
        for bars in series:
            asset, mark, currency = bars.symbol.partition("/")
            if not mark:
                raise DataError(f"{bars.symbol} names no quote currency: prices need BASE/QUOTE", symbol=bars.symbol)
            closed = (bars.ts + bars.timeframe.ms).tolist()
            prices = {ts: Decimal(repr(close)) for ts, close in zip(closed, bars.close.tolist(), strict=True)}
            table.add(asset, currency.partition(":")[0], prices, f"{bars.symbol} {bars.timeframe} close, {bars.venue}")
        return table

    @classmethod
    def read_csv(cls, file: str | Path, max_age_days: float = 2) -> PriceTable:
        """Read a CSV with the columns time, asset, currency and price.

        Raises
        ------
        DataError
            A column is missing, or a line cannot be read.
        """
        from workbench.accounting.tax.sheet import moment_of, opened

        path, table = Path(file), cls(max_age_days)
        found: dict[tuple[str, str], dict[int, Decimal]] = {}
        with opened(path) as stream:
            rows = csv.DictReader(stream)
            if set(rows.fieldnames or ()) != set(_COLUMNS):
                raise DataError(
                    f"{path}: needs the columns {', '.join(_COLUMNS)}; has {rows.fieldnames}", file=str(path)
                )
            for row in rows:
                try:
                    if None in row:
                        raise DataError("has more fields than the heading; write . before decimals")
                    prices = found.setdefault((row["asset"].strip(), row["currency"].strip()), {})
                    prices[moment_of(row["time"])] = decimal(row["price"], "the price")
                except (DataError, AttributeError) as error:
                    raise DataError(f"{path} line {rows.line_num}: {error}", file=str(path)) from error
        for (asset, currency), prices in found.items():
            table.add(asset, currency, prices, path.name)
        return table

    def price(self, asset: str, currency: str, ts: int) -> Price | None:
        """Give the last price at or before a moment: direct, the other way round, or over one asset in between."""
        direct = self._either(asset, currency, ts)
        if direct is not None:
            return direct
        for middle in self._neighbours(asset):
            first, second = self._either(asset, middle, ts), self._either(middle, currency, ts)
            if first is not None and second is not None:
                return Price(first.price * second.price, f"{first.source} x {second.source}")
        return None

    def _neighbours(self, asset: str) -> list[str]:
        return sorted({b if a == asset else a for a, b in self._pairs if asset in (a, b)})

    def _either(self, asset: str, currency: str, ts: int) -> Price | None:
        straight = self._last(asset, currency, ts)
        if straight is not None:
            return straight
        turned = self._last(currency, asset, ts)
        return None if turned is None else Price(1 / turned.price, f"1 / {turned.source}")

    def _last(self, asset: str, currency: str, ts: int) -> Price | None:
        pair = self._pairs.get((asset, currency))
        if pair is None:
            return None
        moments, prices, source = pair
        row = bisect_right(moments, ts) - 1
        if row < 0 or ts - moments[row] > self._max_age:
            return None
        return Price(prices[row], source)


NO_PRICES: Final = PriceTable()
"""Knows nothing: every value is then from the transactions themselves."""
