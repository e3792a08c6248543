"""What happens next at the practice exchange: the trades of the markets that matter, and what the calendar brings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from workbench.practice.markets.market import Market, Print

__all__ = ["CHANGE", "DUE", "FUNDING", "PRINT", "Happening", "Schedule"]

CHANGE, DUE, FUNDING, PRINT = range(4)
"""What comes first of what happens at the same time: a market's status, expiries, funding, trades."""

_AHEAD_MS: Final = 3_600_000
INF: Final = float("inf")


class Happening(NamedTuple):
    """One thing that happens: when, which kind, the place of its symbol, the symbol, and what."""

    ts: float
    kind: int
    place: int
    symbol: str
    what: Print | tuple[int, float] | tuple[int, str] | None


class _Cursor:
    """The trades of one market after a time, read some ahead: a market is a function of time, so they cannot change."""

    __slots__ = ("_market", "_next", "_rows", "_until")

    def __init__(self, market: Market, after: int) -> None:
        self._market, self._until = market, after
        self._rows: Iterator[Print] = iter(())
        self._next: Print | None = None

    def peek(self, upto: int) -> Print | None:
        """Give the next trade if it is not after a time."""
        if self._next is None:
            self._next = next(self._rows, None)
            while self._next is None and self._until < upto:
                after, self._until = self._until, max(upto, self._until + _AHEAD_MS)
                self._rows = self._market.prints(after, self._until)
                self._next = next(self._rows, None)
        return self._next if self._next is not None and self._next.ts <= upto else None

    def take(self) -> None:
        """Leave the trade behind that `peek` gave."""
        self._next = None


class Schedule:
    """Everything that happens at the markets, in order.

    Parameters
    ----------
    markets : mapping of symbol to Market
    now : int
        ms UTC; what happens at or before it is over.
    """

    def __init__(self, markets: Mapping[str, Market], now: int) -> None:
        self._markets = dict(markets)
        self._places = {symbol: place for place, symbol in enumerate(self._markets)}
        self._cursors: dict[str, _Cursor] = {}
        self._calendar: list[Happening] = []
        self._known = now  # up to when the calendar is worked out
        self._row = 0

    def follow(self, symbols: Iterable[str], now: int) -> None:
        """Say whose trades matter from now on; those of a market that is new begin after `now`."""
        wanted = set(symbols)
        for gone in [symbol for symbol in self._cursors if symbol not in wanted]:
            del self._cursors[gone]
        for symbol in wanted - set(self._cursors):
            self._cursors[symbol] = _Cursor(self._markets[symbol], now)

    def replace(self, symbol: str, market: Market) -> None:
        """Take another market for a symbol; `reread` forgets what was read of the one before."""
        self._markets[symbol] = market

    def reread(self, symbol: str, now: int) -> None:
        """Forget what was read ahead of a market that has been changed from outside."""
        if symbol in self._cursors:
            self._cursors[symbol] = _Cursor(self._markets[symbol], now)

    def next(self, upto: int, due: float) -> Happening | None:
        """Give what happens next up to a time; `due` is when an order expires next. `done` must be told of it."""
        self._look_ahead(upto)
        best = self._calendar[self._row] if self._row < len(self._calendar) else None
        best = None if best is not None and best.ts > upto else best
        if due <= upto and (best is None or (due, DUE) < (best.ts, best.kind)):
            best = Happening(due, DUE, -1, "", None)
        for symbol, cursor in self._cursors.items():
            found = cursor.peek(upto)
            if found is not None:
                place = self._places[symbol]
                if best is None or (found.ts, PRINT, place) < best[:3]:
                    best = Happening(found.ts, PRINT, place, symbol, found)
        return best

    def done(self, one: Happening) -> None:
        """Leave behind what `next` gave."""
        if one.kind == PRINT:
            if one.symbol in self._cursors:
                self._cursors[one.symbol].take()
        elif one.kind != DUE:
            self._row += 1

    def _look_ahead(self, upto: int) -> None:
        """Work out funding and changes of status up to a time."""
        if upto <= self._known:
            return
        rest = self._calendar[self._row :]
        for symbol, market in self._markets.items():
            place = self._places[symbol]
            rest += [Happening(row[0], FUNDING, place, symbol, row) for row in market.funding(self._known, upto)]
            rest += [Happening(row[0], CHANGE, place, symbol, row) for row in market.changes(self._known, upto)]
        self._calendar, self._row, self._known = sorted(rest, key=lambda one: one[:3]), 0, upto
