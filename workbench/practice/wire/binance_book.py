"""The order book as Binance tells it: snapshots and differences that follow on from each other by number."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from workbench.practice.markets.market import Level

__all__ = ["Book", "Difference", "best_of"]

_LEVELS: Final = 100  # what is made up beyond them would help nobody
_NO_LEVEL: Final[Level] = (0.0, 0.0)


class Difference(NamedTuple):
    """What changed in a book: numbers of the first and last update in it, of the last one before, and the levels.

    A level that is gone has a quantity of 0.0.
    """

    first: int
    last: int
    before: int
    bids: list[Level]
    asks: list[Level]


class Book:
    """The book of one symbol, as far as it was told.

    Parameters
    ----------
    engine : Engine
    symbol : str

    Attributes
    ----------
    number : int
        Of the last update; each one is higher than the one before.
    bids, asks : tuple of (price, quantity)
        Best first.
    """

    def __init__(self, engine: Any, symbol: str) -> None:
        self._engine, self._symbol = engine, symbol
        self.bids, self.asks, self.number = engine.book(symbol, _LEVELS)

    def update(self) -> Difference | None:
        """Look again: what changed, or None."""
        bids, asks, number = self._engine.book(self._symbol, _LEVELS)
        if bids == self.bids and asks == self.asks:
            return None
        before, after = self.number, max(self.number + 1, number)
        found = Difference(before + 1, after, before, _changed(self.bids, bids), _changed(self.asks, asks))
        self.bids, self.asks, self.number = bids, asks, after
        return found


def best_of(engine: Any, symbol: str) -> tuple[Level, Level, int]:
    """Give the best bid and ask of a symbol, zeros where there is none, and the number of the update they are of."""
    bids, asks, number = engine.book(symbol, 1)
    return (bids[0] if bids else _NO_LEVEL), (asks[0] if asks else _NO_LEVEL), number


def _changed(old: tuple[Level, ...], new: tuple[Level, ...]) -> list[Level]:
    before, after = dict(old), dict(new)
    gone = [(price, 0.0) for price in before if price not in after]
    return gone + [level for level in new if before.get(level[0]) != level[1]]
