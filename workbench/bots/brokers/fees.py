"""Fees in the quote currency, whatever a venue took them in."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from workbench.market.instrument import Instrument

__all__ = ["Fees"]

_GOOD_FOR_S: Final = 60.0


class Fees:
    """Works fees out; what it must ask prices for it asks at most once a minute.

    Parameters
    ----------
    markets : callable
        Gives ccxt's markets by symbol.
    price : callable
        `(symbol)`: asks for the last price of a market.
    """

    def __init__(
        self, markets: Callable[[], Mapping[str, Any]], price: Callable[[str], Awaitable[float | None]]
    ) -> None:
        self._markets, self._price = markets, price
        self._rates: dict[tuple[str, str], tuple[float, float]] = {}

    async def of(self, row: Mapping[str, Any], instrument: Instrument) -> float:
        """Give the fee of a trade in the quote currency, negative for a rebate.

        Where the venue does not say it, or in a currency that has no price there, it is what the instrument's own fees
        make it.
        """
        said = _said(row)
        if not said:
            return self._usual(row, instrument)
        total = 0.0
        for currency, cost in said:
            rate = await self._rate(currency, row)
            if rate is None:
                return self._usual(row, instrument)
            total += cost * rate
        return total

    def in_base(self, row: Mapping[str, Any]) -> float:
        """Give what of the fee was taken in the base asset, by which less is held."""
        market = self._markets().get(str(row["symbol"])) or {}
        return sum(cost for currency, cost in _said(row) if currency is not None and currency == market.get("base"))

    def _usual(self, row: Mapping[str, Any], instrument: Instrument) -> float:
        rate = instrument.maker_fee if row.get("takerOrMaker") == "maker" else instrument.taker_fee
        size, price = float(row["amount"]) * instrument.contract_size, float(row["price"])
        return rate * (size if instrument.kind == "inverse" else size * price)

    async def _rate(self, currency: str | None, row: Mapping[str, Any]) -> float | None:
        """Give how much of the quote currency one of another is worth; None where nobody knows."""
        market = self._markets().get(str(row["symbol"])) or {}
        quote = market.get("quote")
        if currency is None or currency == quote:
            return 1.0
        if currency == market.get("base"):
            return float(row["price"])
        known = self._rates.get((currency, str(quote)))
        now = time.monotonic()
        if known is not None and now - known[1] < _GOOD_FOR_S:
            return known[0]
        rate = await self._ask(currency, str(quote))
        if rate is not None:
            self._rates[currency, str(quote)] = (rate, now)
        return rate if rate is not None else known[0] if known is not None else None

    async def _ask(self, currency: str, quote: str) -> float | None:
        names = (f"{currency}/{quote}", f"{currency}/{quote}:{quote}")
        for symbol in names:
            if symbol in self._markets():
                return await self._price(symbol)
        turned = f"{quote}/{currency}"
        if turned in self._markets():
            price = await self._price(turned)
            return 1.0 / price if price else None
        return None


def _said(row: Mapping[str, Any]) -> set[tuple[str | None, float]]:
    """Give the fees that a trade names, by currency; one that is named twice counts once."""
    found = [one for one in (row.get("fee"), *(row.get("fees") or ())) if one and one.get("cost") is not None]
    return {(one.get("currency"), float(one["cost"])) for one in found}
