"""The time of the practice exchange: what happens when, who is told, and what is known of the markets by then.

`engine.Engine` adds what accounts may ask.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from workbench.errors import ConfigError
from workbench.market.instrument import Instrument
from workbench.market.timeframe import Timeframe
from workbench.practice.clock import Clock
from workbench.practice.engine_books import Books
from workbench.practice.engine_data import MarketData
from workbench.practice.engine_desk import AccountDesk, Numbers
from workbench.practice.engine_filters import refuse
from workbench.practice.engine_linear import LinearBooks
from workbench.practice.engine_messages import Listener, MarketChanged, Message, Printed
from workbench.practice.engine_records import (
    AccountSetup,
    Ticker,
)
from workbench.practice.engine_time import DUE, FUNDING, PRINT, Happening, Schedule
from workbench.practice.markets.disturbed import Disturbed
from workbench.practice.markets.market import Candles, Level, Market, Print

__all__ = ["Stage"]

INF: Final = float("inf")


class Stage:
    """The time, the markets and the listeners of an exchange.

    Parameters
    ----------
    markets : mapping of symbol to Market
    clock : Clock
        Where the present starts; `catch_up` advances to it.
    accounts : mapping of name to AccountSetup, optional

    Attributes
    ----------
    now : int
        The present, ms UTC.
    """

    def __init__(
        self, markets: Mapping[str, Market], clock: Clock, *, accounts: Mapping[str, AccountSetup] | None = None
    ) -> None:
        wrong = [name for name, market in markets.items() if market.instrument.symbol != name]
        if wrong or not markets:
            raise ConfigError(f"markets are {list(markets)}: name each by its instrument's symbol, at least one")
        self.clock = clock
        self.data = MarketData(markets, clock.now())
        self._numbers = Numbers()
        self._schedule = Schedule(self.data.markets, self.now)
        self._desks: dict[str, AccountDesk] = {}
        self._listeners: list[Listener] = []
        self._watched: dict[str, int] = {}
        self._told: deque[Message] = deque()
        self._telling = self._advancing = False
        self._stale = True  # who is interested in which market has to be worked out anew
        self._followers: dict[str, list[Books]] = {}
        for name, setup in (accounts or {}).items():
            self.add_account(name, setup)

    # Time and listeners

    @property
    def now(self) -> int:
        """The present, ms UTC."""
        return self.data.now

    def advance(self, to_ms: int) -> None:
        """Let everything happen that happens up to a time (which counts), in the order of time.

        Raises
        ------
        ConfigError
            The time has passed, or a listener wants to move time.
        """
        if to_ms < self.now:
            raise ConfigError(f"the exchange is at {self.now} and cannot go back to {to_ms}")
        if self._advancing or self._telling:
            raise ConfigError("a listener cannot move the time of the exchange that tells it something")
        self._advancing = True
        try:
            while True:
                self._follow()
                due = min((books.due() for desk in self._desks.values() for books in desk.all_books()), default=INF)
                one = self._schedule.next(to_ms, due)
                if one is None:
                    break
                self._schedule.done(one)
                self.data.now = max(self.now, int(one.ts))
                self._happen(one)
                self._flush()
            self.data.now = to_ms
        finally:
            self._advancing = False

    def catch_up(self) -> None:
        """Advance to the clock's time."""
        self.advance(max(self.clock.now(), self.now))

    def _follow(self) -> None:
        """Work out whose trades matter to whom."""
        if not self._stale:
            return
        self._stale = False
        self._followers = {symbol: [] for symbol, count in self._watched.items() if count}
        for desk in self._desks.values():
            for books in desk.all_books():
                for symbol in books.active():
                    self._followers.setdefault(symbol, []).append(books)
        self._schedule.follow(self._followers, self.now)

    def _happen(self, one: Happening) -> None:
        what: Any = one.what
        if one.kind == PRINT:
            if self._watched.get(one.symbol):
                self._told.append(Printed(self.now, one.symbol, what))
            if self.status(one.symbol) == "trading":
                for books in self._followers[one.symbol]:
                    books.print(one.symbol, what)
        elif one.kind == DUE:
            for desk in self._desks.values():
                for books in desk.all_books():
                    if books.due() <= self.now:
                        books.time(self.now)
        elif one.kind == FUNDING:
            mark = self.mark(one.symbol)
            for books in self._followers.get(one.symbol, ()):
                if isinstance(books, LinearBooks):
                    books.fund(one.symbol, self.now, what[1], mark)
        elif one.symbol not in self.data.stopped:
            self._changed(one.symbol, what[1])

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call somebody with every message from now on; what is given back ends that.

        A listener may make requests: they happen at the time of what it was told of, and what follows from them is told
        after what is to be told already.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def watch(self, symbol: str) -> None:
        """Tell listeners the trades of a symbol's market from now on; counted, so each `watch` wants an `unwatch`."""
        self.data.market(symbol)
        self._watched[symbol] = self._watched.get(symbol, 0) + 1
        self._stale = True

    def unwatch(self, symbol: str) -> None:
        """Take back one `watch`."""
        self._watched[symbol] = max(self._watched.get(symbol, 0) - 1, 0)
        self._stale = True

    def _tell(self, message: Message) -> None:
        self._told.append(message)
        self._stale = True

    def _flush(self) -> None:
        """Give the listeners what is to be told, in order, however deep in requests of theirs this is called."""
        if self._telling:
            return
        self._telling = True
        try:
            while self._told:
                message = self._told.popleft()
                for listener in list(self._listeners):
                    listener(message)
        finally:
            self._telling = False

    def _desk(self, account: str) -> AccountDesk:
        desk = self._desks.get(account)
        if desk is None:
            raise refuse("no_account", f"there is no account {account!r}", account=account)
        return desk

    # Accounts

    @property
    def accounts(self) -> tuple[str, ...]:
        """Names of the accounts."""
        return tuple(self._desks)

    def add_account(self, name: str, setup: AccountSetup) -> None:
        """Open an account; ConfigError for a name that is taken, or money that no wallet knows."""
        if not name or name in self._desks:
            raise ConfigError(f"an account {name!r} is there already; give each its own name")
        self._desks[name] = AccountDesk(name, setup, self.data, self._numbers, self._tell)
        self._stale = True

    # Markets

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols, in the order of the markets."""
        return tuple(self.data.markets)

    def instrument(self, symbol: str) -> Instrument:
        """Give the facts of a symbol; Refused ("unknown_instrument") for an unknown one."""
        return self.data.market(symbol).instrument

    def status(self, symbol: str) -> str:
        """Say whether a symbol trades: "pending" (not yet listed), "trading", "halt" or "delisted"."""
        return self.data.status(symbol)

    def candles(
        self, symbol: str, timeframe: str | Timeframe, *, start: int | None = None, end: int | None = None,
        limit: int = 500,
    ) -> Candles:  # fmt: skip
        """Give candles up to now, oldest first; the last may still be open.

        Parameters
        ----------
        symbol, timeframe
        start, end : int, optional
            Open times (ms UTC), both count: with `start` the first candles from there on, else the last ones.
        limit : int
            At most so many.
        """
        return self.data.candles(symbol, timeframe, start=start, end=end, limit=limit)

    def ticker(self, symbol: str) -> Ticker:
        """Give what happened in the last 24 hours."""
        return self.data.ticker(symbol)

    def book(self, symbol: str, levels: int = 100) -> tuple[tuple[Level, ...], tuple[Level, ...], int]:
        """Give bids and asks, best first, and the number of the update that they are as of, which rises."""
        return self.data.book(symbol, levels)

    def trades(
        self, symbol: str, *, from_id: int | None = None, start: int | None = None, end: int | None = None,
        limit: int = 500,
    ) -> list[Print]:  # fmt: skip
        """Give trades of the market, oldest first: the first from an id or a time on, or the last ones."""
        return self.data.trades(symbol, from_id=from_id, start=start, end=end, limit=limit)

    def mark(self, symbol: str) -> float:
        """Give the mark price; NaN before the first trade."""
        return self.data.market(symbol).mark(self.now)

    def index(self, symbol: str) -> float:
        """Give the index price; NaN before the first trade."""
        return self.data.market(symbol).index(self.now)

    def next_funding(self, symbol: str) -> tuple[int, float]:
        """Give the time of the next funding and its rate as it looks now; (0, NaN) where there is none."""
        return self.data.market(symbol).next_funding(self.now)

    def funding_rates(
        self, symbol: str, *, start: int | None = None, end: int | None = None, limit: int = 100
    ) -> list[tuple[int, float, float]]:
        """Give settlements of funding up to now: time, rate, mark price, oldest first."""
        return self.data.funding_rates(symbol, start=start, end=end, limit=limit)

    # Trouble

    def halt(self, symbol: str) -> None:
        """Stop trading in a symbol from now on, until `resume`."""
        self.data.market(symbol)
        if self.status(symbol) == "trading":
            self.data.stopped[symbol] = "halt"
            self._changed(symbol, "halt")
            self._flush()

    def resume(self, symbol: str) -> None:
        """Let a symbol that was stopped by `halt` trade again."""
        if self.data.stopped.get(symbol) == "halt":
            del self.data.stopped[symbol]
            self._changed(symbol, self.status(symbol))
            self._flush()

    def delist(self, symbol: str) -> None:
        """End trading in a symbol now and for good: its orders are cancelled, its positions closed at the mark."""
        if self.status(symbol) != "delisted":
            self.data.stopped[symbol] = "delisted"
            self._changed(symbol, "delisted")
            self._flush()

    def gap(self, symbol: str, fraction: float) -> None:
        """Let the price jump by a fraction with the next trade, and stay there; ConfigError for -1 or less."""
        self._disturbed(symbol).gap(self.now, fraction)
        self._anew(symbol)

    def limit_fills(self, symbol: str, fraction: float) -> None:
        """Let the book have one level a side, and this fraction of it, so that orders fill in parts; 1 ends it.

        Raises
        ------
        ConfigError
            It is not above 0, or above 1.
        """
        if not 0.0 < fraction <= 1.0:
            raise ConfigError(f"{symbol}: fills cannot be limited to {fraction!r}; give a fraction above 0, at most 1")
        self._disturbed(symbol).thin = fraction
        self._anew(symbol)

    def freeze_book(self, symbol: str, frozen: bool) -> None:
        """Let the book that is shown stand still, or go on; orders are matched against the true one."""
        self.data.market(symbol)
        if frozen:
            self.data.frozen.setdefault(symbol, self.now)
        else:
            self.data.frozen.pop(symbol, None)

    def _disturbed(self, symbol: str) -> Disturbed:
        found = self.data.market(symbol)
        if not isinstance(found, Disturbed):
            found = Disturbed(found)
            self.data.markets[symbol] = found
            self._schedule.replace(symbol, found)
            for desk in self._desks.values():
                for books in desk.all_books():
                    if symbol in books.markets:
                        books.markets[symbol] = found
        return found

    def _anew(self, symbol: str) -> None:
        """Forget what has been read ahead of a market, and the books that were made of it."""
        self._schedule.reread(symbol, self.now)
        for desk in self._desks.values():
            for books in desk.all_books():
                books.forget(symbol)

    def _changed(self, symbol: str, status: str) -> None:
        self._tell(MarketChanged(self.now, symbol, status))
        for desk in self._desks.values() if status == "delisted" else ():
            for order in desk.open_orders(symbol, ""):
                if order.open:
                    desk.books(symbol).cancel(order, "delisted")
            for books in desk.linear.values():
                if symbol in books.markets:
                    books.close_out(symbol)
