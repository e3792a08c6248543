"""What a transaction and its fee are worth in the reporting currency, and who says so."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from workbench.accounting.money import Money
from workbench.accounting.tax.lots import share, worked
from workbench.accounting.tax.options import TaxOptions
from workbench.accounting.tax.prices import Prices
from workbench.accounting.tax.transaction import Transaction

__all__ = ["Valuer", "Worth"]

_ZERO = Decimal(0)


class Worth(NamedTuple):
    """A value, None where nobody knows it, and the words for where it is from."""

    value: Decimal | None
    source: str


_UNKNOWN = Worth(None, "")


class Valuer:
    """Values what moves: money as itself, then what the transaction states, then prices.

    Parameters
    ----------
    options : TaxOptions
    prices : Prices
    """

    def __init__(self, options: TaxOptions, prices: Prices) -> None:
        self._currency = options.currency
        self._pegs = dict(options.pegs)
        self._quotes = [options.currency, *(one for one, worth in options.pegs.items() if worth == options.currency)]
        self._prices = prices
        self._received_first = options.swap_value == "received"
        self.cash = options.cash

    def moved(self, transaction: Transaction) -> Worth:
        """Value what was sent or received, fees aside."""
        sides = [transaction.sent, transaction.received]
        for money in sides:
            if money is not None and self._is_currency(money.currency):
                return self._as_currency(money)
        if transaction.value is not None:
            return Worth(worked(transaction.value), "stated")
        if self._received_first:
            sides.reverse()
        known = [money for money in sides if money is not None]
        for money in sorted(known, key=lambda one: one.currency not in self.cash):  # money of states before assets
            worth = self._priced(money, transaction.ts)
            if worth.value is not None:
                return worth
        return _UNKNOWN

    def fee(self, transaction: Transaction) -> Worth:
        """Value the fee."""
        fee = transaction.fee
        if fee is None or not fee.amount:
            return Worth(_ZERO, "")
        if self._is_currency(fee.currency):
            return self._as_currency(fee)
        if transaction.fee_value is not None:
            return Worth(worked(transaction.fee_value), "stated")
        return self._priced(fee, transaction.ts)

    def on_the_way(self, transaction: Transaction, lost: Money) -> Worth:
        """Value what a transfer lost on the way."""
        if transaction.fee_value is not None:
            return Worth(worked(transaction.fee_value), "stated")
        if transaction.value is not None and transaction.sent is not None:
            return Worth(share(worked(transaction.value), lost.amount, transaction.sent.amount), "stated")
        return self._priced(lost, transaction.ts)

    def _is_currency(self, asset: str) -> bool:
        return asset == self._currency or self._pegs.get(asset) == self._currency

    def _as_currency(self, money: Money) -> Worth:
        said = "money" if money.currency == self._currency else f"{money.currency} at one {self._currency}"
        return Worth(worked(money.amount), said)

    def _priced(self, money: Money, ts: int) -> Worth:
        asset = self._pegs.get(money.currency, money.currency)
        if asset == self._currency:
            return self._as_currency(money)
        for quote in self._quotes:  # a price in an asset that is worth one of the currency does as well
            found = self._prices.price(asset, quote, ts)
            if found is not None:
                return Worth(worked(money.amount * found.price), found.source)
        return _UNKNOWN
