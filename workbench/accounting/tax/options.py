"""How tax is worked out: every choice that jurisdictions make differently, named, with a default that is stated."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from workbench.accounting.money import ROUNDINGS, decimal
from workbench.accounting.tax.transaction import INCOME
from workbench.errors import ConfigError, DataError

__all__ = ["CASH", "METHODS", "TaxOptions", "choices"]

METHODS: Final = MappingProxyType({
    "fifo": "first in, first out: the lot acquired first is given first",
    "lifo": "last in, first out: the lot acquired last is given first",
    "hifo": "highest in, first out: the lot of the highest cost a unit is given first",
    "lofo": "lowest in, first out: the lot of the lowest cost a unit is given first",
    "average": "average cost of all that a pool holds; dates go first in, first out",
    "specific": "the lots that each transaction names; where it names none, first in, first out, with a warning",
})  # fmt: skip
CASH: Final = (
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "IDR", "ILS", "INR", "JPY", "KRW",
    "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "RON", "SEK", "SGD", "THB", "TRY", "TWD", "USD", "ZAR",
)  # fmt: skip
_CHOICES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({
    "method": METHODS,
    "pools": {
        "wallet": "each wallet has its own lots; a transfer moves lots, with their cost and date",
        "universal": "all wallets share their lots; a transfer moves none",
    },
    "rank": {"cost": "by cost a unit, fees in it", "price": "by the price at which it was acquired, fees aside"},
    "fees": {
        "basis": "a fee adds to the cost of what was acquired, or takes from the proceeds of what was sold",
        "expense": "a fee is listed by itself, and neither cost nor proceeds know of it",
    },
    "network_fee": {
        "disposal": "what a transfer loses on the way is disposed of at fair value",
        "cost": "the cost of what a transfer loses on the way goes to what arrives; there is no gain",
        "loss": "what a transfer loses on the way is disposed of for nothing",
    },
    "funding": {"gain": "funding counts among the gains", "income": "funding counts as income and expenses"},
    "gifts": {"at_cost": "presents and donations leave at cost, without a gain", "disposal": "they are disposed of"},
    "lost": {"loss": "what is lost is disposed of for nothing", "at_cost": "it leaves at cost, without a loss"},
    "swap_value": {"received": "a swap is worth what came", "sent": "a swap is worth what was given"},
    "shorts": {
        "declared": "only short_sale opens a short position; other sales of what is not there are a gap in the records",
        "allowed": "a sale of more than is held opens a short position, and the next purchase closes it",
    },
    "short_term_of_shorts": {"held": "by the time it was open", "short": "always short"},
    "unknown_cost": {
        "missing": "what has no known cost has no gain: the row stays open, is counted aside and warned of",
        "zero": "what has no known cost is taken to have cost nothing",
        "value": "what has no known cost is taken to have cost its fair value when it came",
    },
    "days": {"elapsed": "full days of 24 hours", "calendar": "dates in the time zone"},
    "ties": {
        "arrivals_first": "of one millisecond, what brings an asset comes before what takes one, else as given",
        "as_given": "of one millisecond, as given",
    },
    "rounding": {
        "half_even": "to the nearest, halves to the even digit",
        "half_up": "to the nearest, halves away from zero",
        "half_down": "to the nearest, halves towards zero",
        "down": "towards zero",
        "up": "away from zero",
        "floor": "to the lower",
        "ceiling": "to the higher",
    },
    "round_at": {
        "totals": "tables show rounded numbers, totals are rounded sums of exact ones",
        "rows": "proceeds and cost of each row are rounded, gains and totals are made of the rounded ones",
    },
})  # fmt: skip
_SUCH_AS: Final = {
    "dust": "0.00000001", "long_after": "365 or none", "places": "2", "year_start": "04-06",
    "pegs": "USDT=USD,USDC=USD",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TaxOptions:
    """The choices of a tax report; `TaxOptions().in_words()` says them.

    Parameters
    ----------
    method : str, default "fifo"
        Which lots a disposal takes: one of `METHODS`.
    currency : str, default "USD"
        Money that everything is counted in.
    pools : {"wallet", "universal"}
        Whether each wallet keeps its own lots.
    rank : {"cost", "price"}
        What `hifo` and `lofo` compare.
    long_after : int or None, default 365
        Days held from which a gain is long; None does not split.
    days : {"elapsed", "calendar"}
    zone : str, default "UTC"
        Time zone, such as Europe/Berlin, in which years and dates begin.
    year_start : (month, day), default (1, 1)
        When a tax year begins; it bears the number of the calendar year in which it begins.
    fees, network_fee, funding, gifts, lost, swap_value, shorts, short_term_of_shorts, unknown_cost, ties : str
        Each says how one matter is treated.
    no_income : tuple of str, default ()
        Kinds of income that are not counted when they come and have a cost of zero, such as ("airdrop",).
    pegs : mapping of str to str, default {}
        Assets that count as money, worth one of another each, such as {"USDT": "USD"}: they have no lots.
    dust : Decimal, default 0
        Quantity of any asset up to which what is given without being there counts as rounding of the records: it has
        cost nothing, and no warning is made of it.
    places : int, default 2
        Decimals of amounts of money in tables and totals.
    rounding : str, default "half_even"
        One of `workbench.accounting.ROUNDINGS`.
    round_at : {"totals", "rows"}

    Raises
    ------
    ConfigError
        A choice is not one of those there are.
    """

    method: str = "fifo"
    currency: str = "USD"
    pools: str = "wallet"
    rank: str = "cost"
    long_after: int | None = 365
    days: str = "elapsed"
    zone: str = "UTC"
    year_start: tuple[int, int] = (1, 1)
    fees: str = "basis"
    network_fee: str = "disposal"
    funding: str = "gain"
    gifts: str = "at_cost"
    lost: str = "loss"
    swap_value: str = "received"
    shorts: str = "declared"
    short_term_of_shorts: str = "held"
    unknown_cost: str = "missing"
    ties: str = "arrivals_first"
    no_income: tuple[str, ...] = ()
    pegs: Mapping[str, str] = field(default_factory=dict)
    dust: Decimal = Decimal(0)
    places: int = 2
    rounding: str = "half_even"
    round_at: str = "totals"

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            said = getattr(self, name)
            if said not in known:
                raise ConfigError(f"{name}={said!r} is not known; choose one of {', '.join(known)}", option=name)
        if self.long_after is not None and self.long_after < 0:
            raise ConfigError(f"long_after={self.long_after} must be days, 0 or more, or None", option="long_after")
        if not isinstance(self.dust, Decimal) or not self.dust.is_finite() or self.dust < 0:
            raise ConfigError(f"dust={self.dust!r} must be a Decimal, 0 or more", option="dust")
        if not 0 <= self.places <= 18:
            raise ConfigError(f"places={self.places} must be 0 to 18 decimals", option="places")
        if not self.currency:
            raise ConfigError("currency is empty: name the money to count in, such as USD", option="currency")
        unknown = sorted(set(self.no_income) - set(INCOME))
        if unknown:
            raise ConfigError(
                f"no_income={unknown[0]!r} is no income; there are {', '.join(INCOME)}", option="no_income"
            )
        self._check_time()

    def _check_time(self) -> None:
        from datetime import date

        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError) as error:
            raise ConfigError(f"zone={self.zone!r} is no time zone, such as Europe/Berlin", option="zone") from error
        try:
            month, day = self.year_start
            date(2001, month, day)
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"year_start={self.year_start!r} must be a month and a day, such as (4, 6)", option="year_start"
            ) from error

    @classmethod
    def from_words(cls, words: Mapping[str, str]) -> TaxOptions:
        """Make options of texts, as a command line gives them: `{"long_after": "none", "pegs": "USDT=USD"}`.

        Raises
        ------
        ConfigError
            A name or a value is not known.
        """
        known = {one.name: one.default for one in fields(cls)}
        chosen = {}
        for name, text in words.items():
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
                raise ConfigError(f"there is no option {name!r}; {hint}", option=name)
            try:
                chosen[name] = _read(name, text.strip())
            except (ValueError, DataError) as error:
                raise ConfigError(f"{name}={text!r} cannot be read; such as {_SUCH_AS[name]}", option=name) from error
        return cls(**chosen)

    @property
    def cash(self) -> frozenset[str]:
        """Assets that are money and have no lots: the reporting currency, state money and pegged assets."""
        return frozenset((self.currency, *CASH, *self.pegs))

    def rounded(self, number: Decimal) -> Decimal:
        """Round an amount of money as stated."""
        return number.quantize(Decimal(1).scaleb(-self.places), rounding=ROUNDINGS[self.rounding])

    def in_words(self) -> dict[str, str]:
        """Say each choice: name of the option to what it means."""
        told = {}
        for one in fields(self):
            said = getattr(self, one.name)
            told[one.name] = f"{said}: {_CHOICES[one.name][said]}" if one.name in _CHOICES else _plain(said)
        told["year_start"] = "{:02d}-{:02d}".format(*self.year_start)
        return told


def choices(name: str) -> Mapping[str, str]:
    """Give the values that an option may have, with what they mean; none where it is a number, a name or a list."""
    return _CHOICES.get(name, {})


def _read(name: str, text: str) -> Any:
    if name == "long_after":
        return None if text.lower() == "none" else int(text)
    if name == "places":
        return int(text)
    if name == "dust":
        return decimal(text)
    if name == "year_start":
        month, day = text.split("-")
        return int(month), int(day)
    if name == "no_income":
        return tuple(word.strip() for word in text.split(",") if word.strip())
    if name == "pegs":
        pairs = [word.split("=") for word in text.split(",") if word.strip()]
        return {asset.strip(): money.strip() for asset, money in pairs}
    return text


def _plain(said: object) -> str:
    if isinstance(said, Decimal):
        return f"{said:f}"
    if isinstance(said, Mapping):
        return ", ".join(f"{name} = 1 {one}" for name, one in said.items()) or "none"
    if isinstance(said, tuple):
        return ", ".join(str(one) for one in said) or "none"
    return str(said)
