"""What is held: positions and money, each of one account at one venue, by one bot."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from workbench.errors import DataError
from workbench.risk.portfolio.rates import currency_name

__all__ = ["Balance", "Holding"]

_TEXTS: Final = ("symbol", "account", "venue", "bot")
_POSITIVE: Final = ("price", "leverage")
_ABOVE_ZERO: Final = ("entry_price", "daily_value")
_FRACTIONS: Final = ("maintenance", "spread")


def _number(value: Any) -> bool:
    """Whether a value is one finite number."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and math.isfinite(float(value))


def _check_texts(what: Any, names: tuple[str, ...]) -> None:
    for name in names:
        text = getattr(what, name)
        if not isinstance(text, str) or not text.strip():
            raise DataError(f"{type(what).__name__}: {name} = {text!r}; give a name", name=name)


@dataclass(frozen=True, kw_only=True)
class Holding:
    """One position.

    Parameters
    ----------
    symbol : str
        Of the instrument: `BTC/USDT`, `BTC/USDT:USDT`, `SPX`.
    quantity : float
        Units of the asset (contracts times their size), negative where it was sold short; of an inverse contract units
        of `currency`.
    price : float
        What one unit is worth now, in `currency`.
    currency : str
        In which the price is, and profits are.
    account, venue, bot : str
        Whose it is and where.
    asset : str, optional
        What it is a bet on; the symbol up to its first slash where left out.
    group : str, optional
        Any grouping of your own: a sector, a style.
    series : str, optional
        Column of the prices that tells its returns; found by the symbol where left out.
    margined : bool, default False
        Whether only its profit, not its value, belongs to the account: a perpetual, a future.
    entry_price : float, optional
        What was paid for a unit; what a margined position has won so far is reckoned from it, nothing without it.
    inverse : bool, default False
        Whether it is margined in the asset itself.
    leverage : float, default 1
        As set at the venue; for tables only.
    liquidation_price : float, optional
        At which the venue takes it away, if that is known.
    maintenance : float, optional
        Maintenance margin, a fraction of the value; for what an account with cross margin can bear.
    daily_value : float, optional
        What of it is traded on a usual day, in `currency`.
    spread : float, optional
        Between bid and ask, a fraction of the price.

    Raises
    ------
    DataError
        A number is missing, not finite or out of range; the name of a thing is missing.

    Examples
    --------
    >>> Holding(symbol="BTC/USDT", quantity=-0.5, price=40_000.0, currency="USDT", margined=True, entry_price=42_000.0)
    Holding(symbol='BTC/USDT', quantity=-0.5, price=40000.0, currency='USDT', margined=True, entry_price=42000.0)
    """

    symbol: str
    quantity: float
    price: float
    currency: str
    account: str = "main"
    venue: str = "unknown"
    bot: str = "by hand"
    asset: str | None = None
    group: str | None = None
    series: str | None = None
    margined: bool = False
    entry_price: float | None = None
    inverse: bool = False
    leverage: float = 1.0
    liquidation_price: float | None = None
    maintenance: float | None = None
    daily_value: float | None = None
    spread: float | None = None

    def __post_init__(self) -> None:
        _check_texts(self, _TEXTS)
        object.__setattr__(self, "currency", currency_name(self.currency, f"{self.symbol}: currency"))
        object.__setattr__(self, "asset", (self.asset or self.symbol.split("/")[0]).strip())
        self._check("quantity", -math.inf, math.inf, optional=False)
        for name in _POSITIVE:
            self._check(name, 0.0, math.inf, optional=False)
        for name in _ABOVE_ZERO:
            self._check(name, 0.0, math.inf)
        for name in _FRACTIONS:
            self._check(name, 0.0, 1.0, closed=True)
        self._check("liquidation_price", 0.0, math.inf, closed=True)
        if self.inverse and not self.margined:
            raise DataError(f"{self.symbol}: an inverse contract is held on margin; say margined=True as well")

    def _check(self, name: str, low: float, high: float, *, optional: bool = True, closed: bool = False) -> None:
        value: Any = getattr(self, name)
        if value is None and optional:
            return
        if not _number(value) or not (low <= value < high if closed else low < value < high):
            told = "a finite number" if low == -math.inf else f"a number {'of' if closed else 'above'} {low:g}"
            upto = " or more" if closed and high == math.inf else f" to below {high:g}" if high < math.inf else ""
            raise DataError(f"{self.symbol}: {name} = {value!r}; give {told}{upto}", symbol=self.symbol, name=name)
        object.__setattr__(self, name, float(value))

    @property
    def exposure(self) -> float:
        """What it loses if the asset becomes worthless, signed, in `currency`: its value.

        Of an inverse contract with a known entry price the profit made so far is in the asset and counts with it.
        """
        if self.inverse:
            return self.quantity * (self.price / self.entry_price if self.entry_price else 1.0)
        return self.quantity * self.price

    @property
    def counted(self) -> float:
        """What it adds to the equity of its account, in `currency`: its value, of a margined one its profit so far."""
        if not self.margined:
            return self.quantity * self.price
        if self.entry_price is None:
            return 0.0
        if self.inverse:
            return self.quantity * (self.price / self.entry_price - 1.0)
        return self.quantity * (self.price - self.entry_price)

    def __repr__(self) -> str:
        said = [one.name for one in fields(self) if getattr(self, one.name) != one.default]
        if self.asset == self.symbol.split("/")[0]:
            said.remove("asset")
        return f"Holding({', '.join(f'{name}={getattr(self, name)!r}' for name in said)})"


@dataclass(frozen=True, kw_only=True)
class Balance:
    """Money of an account; negative where it is borrowed.

    Parameters
    ----------
    amount : float
    currency : str
    account, venue, bot : str
        Whose it is and where.

    Raises
    ------
    DataError
        The amount is not finite, or a name is missing.

    Notes
    -----
    Money is no exposure. It moves with the rate of its currency, if prices tell it. A coin that is held as an
    investment is a `Holding`.
    """

    amount: float
    currency: str
    account: str = "main"
    venue: str = "unknown"
    bot: str = "by hand"

    def __post_init__(self) -> None:
        _check_texts(self, ("account", "venue", "bot"))
        object.__setattr__(self, "currency", currency_name(self.currency))
        if not _number(self.amount):
            raise DataError(f"a balance of {self.amount!r} {self.currency}: give a finite number", name="amount")
        object.__setattr__(self, "amount", float(self.amount))
