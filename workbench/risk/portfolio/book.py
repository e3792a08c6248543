"""Holdings and balances in one currency, and the legs by which they win and lose: prices, and rates of currencies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError, DataError
from workbench.risk.portfolio.holdings import Balance, Holding
from workbench.risk.portfolio.rates import Conversion, Rates, currency_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DIMENSIONS", "Book", "Leg", "Line", "make_book"]

Floats = NDArray[np.float64]
DIMENSIONS: Final = ("bot", "venue", "account", "instrument", "asset", "group", "currency", "position")
"""By what a portfolio can be split."""


class Leg(NamedTuple):
    """One way in which a line wins or loses: a series, taken as it is or the other way round (a rate).

    `price` says whether it is the price of the instrument or the rate of its currency.
    """

    line: int
    series: str
    turned: bool
    price: bool


class Line(NamedTuple):
    """A holding or a balance in the reporting currency.

    `exposure` is its signed value (zero of a balance), `counted` what it adds to equity, `rate` what one unit of its
    own currency is worth.
    """

    what: Holding | Balance
    exposure: float
    counted: float
    rate: float

    def label(self, by: str) -> str:
        """Name what this line belongs to in a dimension of `DIMENSIONS`."""
        what = self.what
        if by == "currency":
            return what.currency
        if by in ("bot", "venue", "account"):
            return f"{what.account} at {what.venue}" if by == "account" else str(getattr(what, by))
        if by == "position":
            name = what.currency if isinstance(what, Balance) else what.symbol
            whose = f", {what.bot}" if what.bot not in (what.account, "by hand") else ""
            return f"{name}, {what.account} at {what.venue}{whose}"
        if isinstance(what, Balance):
            return "money"
        told = {"instrument": what.symbol, "asset": what.asset, "group": what.group or "no group"}
        return str(told[by])


@dataclass(frozen=True, eq=False)
class Book:
    """Everything that is held, in one currency.

    Parameters
    ----------
    lines : tuple of Line
        Holdings first, then balances.
    currency : str
        That of all amounts.
    """

    lines: tuple[Line, ...]
    currency: str
    rates: Rates

    @property
    def exposure(self) -> Floats:
        """Signed value of each line, shape (k,)."""
        return np.array([line.exposure for line in self.lines])

    @property
    def counted(self) -> Floats:
        """What each line adds to equity, shape (k,)."""
        return np.array([line.counted for line in self.lines])

    @property
    def equity(self) -> float:
        """What all of it is worth."""
        return float(self.counted.sum())

    @property
    def holdings(self) -> tuple[Holding, ...]:
        """The positions."""
        return tuple(line.what for line in self.lines if isinstance(line.what, Holding))

    def labels(self, by: str) -> list[str]:
        """Name each line in a dimension; two positions of one name are told apart by a number.

        Raises
        ------
        ConfigError
            There is no such dimension.
        """
        if by not in DIMENSIONS:
            raise ConfigError(f"by = {by!r} is not one of {', '.join(map(repr, DIMENSIONS))}")
        names: list[str] = []
        for line in self.lines:
            name = line.label(by)
            again = sum(one == name or one.startswith(f"{name} (") for one in names) if by == "position" else 0
            names.append(f"{name} ({again + 1})" if again else name)
        return names

    def legs(self, columns: Iterable[str]) -> tuple[tuple[Leg, ...], list[str]]:
        """Find the series of each line.

        Returns
        -------
        tuple of Leg, and currencies whose rate is taken as fixed, since no series tells it

        Raises
        ------
        DataError
            An instrument has no series.
        """
        known = set(columns)
        legs: list[Leg] = []
        fixed: list[str] = []
        for number, line in enumerate(self.lines):
            if isinstance(line.what, Holding):
                if line.exposure != 0.0:
                    legs.append(Leg(number, _series_of(line.what, known), False, True))
                elif line.counted == 0.0:
                    continue
            for rate, back in self.rates.between(line.what.currency, self.currency).steps:
                pair, other = rate.pair, f"{rate.quote}/{rate.base}"
                if pair in known or other in known:
                    legs.append(Leg(number, pair if pair in known else other, back == (pair in known), False))
                else:
                    fixed.append(pair)
        return tuple(legs), sorted(set(fixed))

    def profits(self, legs: Sequence[Leg], moves: pd.DataFrame) -> Floats:
        """Give what each leg wins by moves of the series, in the reporting currency.

        Parameters
        ----------
        legs : sequence of Leg
            As of `legs`.
        moves : DataFrame, shape (n, series)
            Simple returns.

        Returns
        -------
        float64 array, shape (n, legs)
            A row sums exactly to the change of the whole; what price and currency do together counts as currency.
        """
        found = np.zeros((len(moves), len(legs)))
        worth = np.tile(self.counted, (len(moves), 1))
        for place, leg in enumerate(legs):
            move = moves[leg.series].to_numpy(dtype=np.float64)
            move = -move / (1.0 + move) if leg.turned else move
            held = self.lines[leg.line].exposure if leg.price else worth[:, leg.line]
            found[:, place] = held * move
            worth[:, leg.line] += found[:, place]
        return found

    def stakes(self, legs: Sequence[Leg]) -> Floats:
        """Give what each leg wins by a small move of its series, for each unit of the move, shape (legs,)."""
        held = [self.lines[leg.line].exposure if leg.price else self.lines[leg.line].counted for leg in legs]
        return np.array([-one if leg.turned else one for one, leg in zip(held, legs, strict=True)], dtype=np.float64)


def make_book(items: Any, rates: Rates, currency: str) -> Book:
    """Put holdings and balances together in one currency.

    Raises
    ------
    DataError
        There is nothing, something that is neither, or a rate is missing (the message says whose).
    """
    if isinstance(items, (Holding, Balance)):
        items = [items]
    if isinstance(items, str) or not isinstance(items, Iterable):
        raise DataError(f"{items!r}: give a list of Holding and Balance")
    whole = list(items)
    wrong = next((one for one in whole if not isinstance(one, (Holding, Balance))), None)
    if wrong is not None:
        raise DataError(f"{wrong!r} is neither a Holding nor a Balance")
    if not whole:
        raise DataError("a portfolio of nothing has no risk: give a Holding or a Balance at least")
    whole.sort(key=lambda one: isinstance(one, Balance))
    target = currency_name(currency)
    return Book(tuple(_line(one, _conversion(one, rates, target)) for one in whole), target, rates)


def _conversion(what: Holding | Balance, rates: Rates, currency: str) -> Conversion:
    try:
        return rates.between(what.currency, currency)
    except DataError as error:
        error.add_note(f"needed for {what!r}")
        raise


def _line(what: Holding | Balance, found: Conversion) -> Line:
    if isinstance(what, Balance):
        return Line(what, 0.0, what.amount * found.value, found.value)
    return Line(what, what.exposure * found.value, what.counted * found.value, found.value)


def _series_of(held: Holding, known: set[str]) -> str:
    tried = [held.series] if held.series is not None else [held.symbol, held.symbol.split(":")[0]]
    for name in tried:
        if name in known:
            return name
    there = ", ".join(sorted(known)[:12]) or "none"
    raise DataError(
        f"{held.symbol}: the prices have no column {' or '.join(map(repr, dict.fromkeys(tried)))} (there are {there}); "
        "add it, or name the column with series=",
        symbol=held.symbol,
    )
