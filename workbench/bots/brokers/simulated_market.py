"""What a simulated venue knows of the market of one instrument, between the prices that it is told."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from workbench.backtest.plan import Line
from workbench.bots.brokers.simulated_terms import PaperTerms
from workbench.market.feeds.events import BookMoved, Levels, TickerMoved, TradePrinted
from workbench.trading.events import AmendOrder, Book, Submit, from_plain, to_plain

__all__ = ["PriceMoved", "Rate", "Side", "Waiting", "book_of", "quotes_of"]

NAN: Final = math.nan
BOTTOMLESS: Final = 1e12
"""Quantity of a level that nobody exhausts."""

PriceMoved = TickerMoved | TradePrinted | BookMoved
Rate = tuple[int, float, float]
"""When funding is settled (ms UTC), the rate, and the mark price; NaN where it is the market's."""
_KEPT: Final = ("heard", "known", "bar", "high", "low", "last", "before")


@dataclass(slots=True)
class Waiting:
    """A request that has been taken and reaches the book with the next price, at `arrives` (ms UTC) at the earliest.

    `before` is what an order was before it is amended: price, quantity, stop price.
    """

    arrives: float
    action: Submit | AmendOrder
    before: tuple[float, float, float] = (NAN, NAN, NAN)

    @property
    def id(self) -> str:
        """Of its order."""
        return self.action.order.id if isinstance(self.action, Submit) else self.action.id


@dataclass(slots=True)
class Side:
    """The market of one instrument.

    Attributes
    ----------
    symbol, timeframe, span : str, str, int
        Its own bars, the finest that the bot trades on, and their length in ms.
    heard : int
        The market is known up to here, ms UTC: 0 for not at all.
    known : int
        All bars that close by then have been told.
    bar, high, low, last : int, float, float, float
        The bar in hand, the prices that were seen in it, and the last of all.
    before : list of (bar, high, low)
        The same of the bar before.
    ticked : float
        The price of the last trade that the matcher was told.
    live : bool
        Whether prices come between bars.
    behind : int
        Bars up to here must be told before prices are traded at again: they came while nobody listened; 0 for none.
    held : list
        The last news of each kind while that is waited for.
    open : bool
        Whether a bar is being gone through, so that requests meet it at once.
    trades : bool
        Whether trades are told, so that tickers' last prices say nothing new.
    booked, deep, shown : int, bool, Book or None
        When the best prices were last told, -1 for never; whether by an order book and not by a ticker; and they.
    """

    symbol: str
    timeframe: str
    span: int
    rates: deque[Rate]
    heard: int = 0
    known: int = 0
    bar: int = -1
    high: float = -math.inf
    low: float = math.inf
    last: float = NAN
    ticked: float = NAN
    live: bool = False
    behind: int = 0
    held: dict[type, PriceMoved] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    open: bool = False
    trades: bool = False
    booked: int = -1
    deep: bool = False
    shown: Book | None = None
    before: list[float] = field(default_factory=lambda: [-1, NAN, NAN])

    @classmethod
    def of(cls, line: Line) -> Side:
        """Make that of a line of a plan."""
        columns = (line.funding_ts, line.funding_rate, line.funding_mark)
        rates = deque(zip(*(column.tolist() for column in columns), strict=True))
        return cls(line.bars.symbol, str(line.bars.timeframe), line.bars.timeframe.ms, rates)

    @property
    def ready(self) -> bool:
        """Whether a request meets a market now."""
        return self.open or (self.live and not self.behind)

    def see(self, ts: int, price: float) -> None:
        """Take note of a price."""
        bar = ts // self.span * self.span
        if bar > self.bar:
            self.before = [self.bar, self.high, self.low]
            self.bar, self.high, self.low = bar, price, price
        self.high, self.low, self.last = max(self.high, price), min(self.low, price), price

    def unseen(self, bar: int, high: float, low: float) -> tuple[float, float] | None:
        """Give the extremes of a bar where they were not seen, the last price where they were; None: both were."""
        seen = [one[1:] for one in ([self.bar, self.high, self.low], self.before) if one[0] == bar]
        top, bottom = seen[0] if seen else (-math.inf, math.inf)
        if high <= top and low >= bottom:
            return None
        return (high if high > top else self.last, low if low < bottom else self.last)

    def to_plain(self) -> dict[str, Any]:
        """Give what is to outlive the process."""
        waiting = [[one.arrives, to_plain(one.action), list(one.before)] for one in self.waiting]
        return {**{name: getattr(self, name) for name in _KEPT}, "waiting": waiting}

    def take_up(self, data: dict[str, Any]) -> None:
        """Take up what `to_plain` gave."""
        for name in _KEPT:
            setattr(self, name, data[name])
        self.waiting = [
            Waiting(arrives, from_plain(action), tuple(before)) for arrives, action, before in data["waiting"]
        ]
        while self.rates and self.rates[0][0] <= self.heard:
            self.rates.popleft()


def book_of(symbol: str, ts: int, bids: Levels, asks: Levels, terms: PaperTerms) -> Book:
    """Give an order book as it can be traded with: what is beyond what shows is there too, and worse."""
    return Book(symbol, ts, _levels(bids, -1.0, terms), _levels(asks, 1.0, terms))


def _levels(levels: Levels, sign: float, terms: PaperTerms) -> Levels:
    if not levels:
        return ()
    shown = tuple((price, quantity * terms.share) for price, quantity in levels[: terms.depth] if quantity > 0.0)
    last = levels[: terms.depth][-1][0]
    return (*shown, (last * (1.0 + sign * terms.beyond_bps / 10_000.0), BOTTOMLESS))


def quotes_of(event: TickerMoved, ts: int, terms: PaperTerms) -> Book | None:
    """Give the best prices of a ticker as a book; None where it does not say both, or they are crossed."""
    bid, ask = event.bid, event.ask
    if bid is None or ask is None or not 0.0 < bid < ask < math.inf:
        return None
    there, asked = event.bid_quantity or BOTTOMLESS, event.ask_quantity or BOTTOMLESS
    return book_of(event.symbol, ts, ((bid, there),), ((ask, asked),), terms)
