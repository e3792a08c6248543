"""The simulated exchange that the backtest, the paper broker and the practice exchange match orders at.

Pure and deterministic: the same calls give the same events. A shell feeds it market data in the order in which the
market showed it, hands it the core's actions, and passes its events on. It keeps its own copies of orders and its own
books, and never reads those of the core.

On bars a step is: `open` for each instrument, `fund`, the core's actions by `handle`, `carry`, `bar` for each
instrument (a generator: hand each event to the core and the core's actions back before asking for the next one),
`fund` inside, `close`, `settle`. On ticks and books it is `tick`, `book` and `time`, each followed by the core's
actions.

What the events of one order look like: an order that ends in the call in which it came, without ever resting (a market
order that fills in full, a refusal, an IOC order that finds nothing), has only its last event; any other is `Accepted`
first. A `Rejected` for an order that was accepted refuses the request (to cancel, to amend), not the order. An order
that the venue makes itself has an id that starts with `liquidation:`.

Rules of its own, beyond those of the order types: on bars a stop is never triggered by `handle`, only by a bar. A
trailing stop trails from `Order.price` where that is given, else from the price at which it comes; amending its `price`
shows it a price that may be its best, amending its `stop_price` moves its activation. An iceberg fills one slice each
time a bar or trade reaches it. Money is judged when an order comes and again when it fills, and is not reserved.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from workbench.errors import RunError
from workbench.market.instrument import Instrument
from workbench.trading import venue_fills
from workbench.trading.account import Account
from workbench.trading.book import slipped_limit, walk
from workbench.trading.events import Action, AmendOrder, Book, CancelOrder, Event, Submit, Tick
from workbench.trading.margin import Tiers
from workbench.trading.orders import Order
from workbench.trading.terms import CostTerms, Lots
from workbench.trading.venue_bars import inside, is_quiet
from workbench.trading.venue_margin import fund, refresh, settle
from workbench.trading.venue_orders import arrivals, expiries, handle, submit, wake
from workbench.trading.venue_snapshot import restore, snapshot
from workbench.trading.venue_state import RESTLESS, Floor, Market, Options
from workbench.trading.venue_ticks import book, pass_time, tick

__all__ = ["Trail", "Venue"]

INF: Final = math.inf
_REQUESTS: Final = frozenset((Submit, CancelOrder, AmendOrder))


class Trail(NamedTuple):
    """A living trailing stop: `side` of the position it protects (+1 long), `activation` NaN where there is none."""

    id: str
    side: float
    distance: float
    best: float
    activation: float


class Venue:
    """A simulated exchange.

    Parameters
    ----------
    instruments : mapping of symbol to Instrument
    account : Account
        The venue's own books; it changes them by its fills, funding and liquidations.
    costs : mapping of symbol to CostTerms
    lots : mapping of symbol to Lots
    tiers : mapping of symbol to rows of `terms.Tier`
        Which leverage may be had at which size; the account has its own for the maintenance margin.
    intrabar : {"pessimistic", "path"}
        What is assumed of the way of the price inside a bar; see `matching.legs_of`.
    limit_fill : {"touch", "through", "queue"}
        When a resting limit fills: when its price is touched, when it is traded through, or when the queue before it is
        used up (`queue`).
    latency_ms : int
        How long a request is under way. On bars it arrives at the first open at or after that.

    Raises
    ------
    ConfigError
        A word is unknown.
    """

    __slots__ = ("_floor",)

    def __init__(
        self, instruments: Mapping[str, Instrument], account: Account, costs: Mapping[str, CostTerms],
        lots: Mapping[str, Lots], tiers: Mapping[str, Tiers], *, intrabar: str = "pessimistic",
        limit_fill: str = "touch", latency_ms: int = 0,
    ) -> None:  # fmt: skip
        options = Options(intrabar, limit_fill, latency_ms)
        markets = {
            symbol: Market(instrument, lots[symbol], costs[symbol], tiers.get(symbol, ()), account)
            for symbol, instrument in instruments.items()
        }
        self._floor = Floor(account, markets, options)

    @property
    def account(self) -> Account:
        """The venue's books."""
        return self._floor.account

    def handle(self, action: Action) -> list[Event]:
        """Take a request of the core: to submit, cancel or amend. Other actions are none of the venue's: []."""
        events: list[Event] = []
        floor = self._floor
        if type(action) is Submit and not floor.options.latency_ms:
            submit(floor, action.order, events)
        elif type(action) in _REQUESTS:
            handle(floor, action, events)  # type: ignore[arg-type]
        return events

    def open(
        self, ts: int, symbol: str, price: float, volume: float, sigma: float = math.nan, *, carry: bool = True
    ) -> list[Event]:
        """Open a base bar: orders expire, requests arrive, and what was left over trades.

        Parameters
        ----------
        ts : int
            ms UTC.
        symbol : str
        price : float
            The open: the present price from now on.
        volume : float
            Of the whole bar; a share of it can be had. Infinity or NaN where the series has none.
        sigma : float
            Volatility of the bar's return known before it, a fraction.
        carry : bool
            Whether what was left over trades now; else it waits for `carry`.
        """
        floor = self._floor
        market, events = floor.markets.get(symbol) or floor.market(symbol), []  # type: Market, list[Event]
        floor.now, floor.clock = ts, float(ts)
        market.price, market.opening, market.stamp = price, True, ts
        market.set_volume(volume, sigma)
        floor.account.mark(symbol, price)
        if market.waits:
            wake(floor, market, events)
        if market.expires <= ts:
            expiries(floor, market, events)
        if market.arriving:
            arrivals(floor, [symbol], events)
        if carry and market.left:
            venue_fills.carry(floor, market, None, events)
        return events

    def has_left(self, symbol: str) -> bool:
        """Whether something was left over that `carry` would trade."""
        return bool(self._floor.markets[symbol].left)

    def carry(self, symbol: str, *, leaving: bool, triggered: bool = False) -> list[Event]:
        """Trade what was left over at the present price: orders that only close positions, or the others.

        With `triggered` only what is left of stops that were reached.
        """
        events: list[Event] = []
        market = self._floor.market(symbol)
        if market.left:
            venue_fills.carry(self._floor, market, leaving, events, triggered)
        return events

    def bar(
        self,
        symbol: str,
        ts: int,
        open: float,
        high: float,
        low: float,
        close: float,
        volume: float,
        closes: int,
        *,
        pause: bool = False,
        since: int | None = None,
    ) -> Iterator[Event | None]:
        """Match inside the bar that was opened last.

        Gives each event before it matches on: what is handled in between counts as inside the bar. The iterator must be
        run to its end.

        Parameters
        ----------
        symbol : str
        ts, closes : int
            When the bar opens and closes, ms UTC.
        open, high, low, close, volume : float
        pause : bool
            Whether to give None once what the open has gone through is done: what is handled then is at the open.
        since : int, optional
            Orders that came at this time (ms UTC) or later are left alone: the prices may be older than they are.
        """
        floor = self._floor
        market = floor.markets[symbol]
        market.span = closes - ts
        if not (pause or market.resting or market.stale or market.forced or floor.shared):
            return iter(())
        floor.now, floor.clock, market.stamp = ts, float(ts), ts
        if not pause and since is None and is_quiet(floor, market, high, low):
            return iter(())
        return inside(floor, market, (open, high, low, close), pause, since)

    def pass_over(self, symbol: str, price: float, ts: int, closes: int) -> bool:
        """End the bar that was opened last without a look inside, if nothing waits there that it could reach.

        Parameters
        ----------
        symbol : str
        price : float
            Its close.
        ts, closes : int
            When it opens and closes, ms UTC.

        Returns
        -------
        bool
            False where `bar` and `close` are to be called: nothing was done then.
        """
        floor = self._floor
        market = floor.markets.get(symbol) or floor.market(symbol)
        if market.resting or market.forced or market.margined or floor.shared:
            return False
        market.span, market.price, market.stamp = closes - ts, price, ts
        floor.now, floor.clock = ts, float(closes)
        floor.account.mark(symbol, price)
        return True

    def close(self, symbol: str, price: float, ts: int) -> None:
        """End the bar: the price is its close, fills bear `ts` and use what its volume has left until the next open."""
        floor = self._floor
        market = floor.markets.get(symbol) or floor.market(symbol)
        floor.now, floor.clock, market.stamp = ts, float(ts + market.span), ts
        market.price = price
        floor.account.mark(symbol, price)

    def fund(self, symbol: str, ts: int, rate: float, mark: float, quantity: float = math.nan) -> list[Event]:
        """Settle funding at a mark price on what is held, or on a signed part of it; a long pays a positive rate."""
        events: list[Event] = []
        fund(self._floor, self._floor.market(symbol), ts, rate, mark, quantity, events)
        return events

    def settle(self, ts: int) -> list[Event]:
        """Liquidate all that is on cross margin if, at the present prices, its maintenance margin is not there."""
        events: list[Event] = []
        settle(self._floor, ts, events)
        return events

    def tick(self, trade: Tick) -> list[Event]:
        """Match against one trade of the market."""
        events: list[Event] = []
        market = self._floor.market(trade.symbol)
        market.stamp = trade.ts
        tick(self._floor, market, trade, events)
        return events

    def book(self, news: Book) -> list[Event]:
        """Take the order book of an instrument; market orders walk it from now on, and limits it crosses trade."""
        events: list[Event] = []
        market = self._floor.market(news.symbol)
        market.stamp = news.ts
        book(self._floor, market, news, events)
        return events

    def time(self, ts: int) -> list[Event]:
        """Let time pass: orders expire and requests arrive; on bars requests wait for the next open."""
        events: list[Event] = []
        pass_time(self._floor, ts, events)
        return events

    def stamp(self, symbol: str, ts: int) -> None:
        """Stamp executions with a time (ms UTC) from now on, until the market of the instrument says another."""
        self._floor.market(symbol).stamp = ts

    def due(self) -> float:
        """Give the next time (ms UTC) at which something expires or arrives; infinity for never."""
        return self._floor.due()

    def estimate(self, symbol: str, sign: float, quantity: float) -> float:
        """Give the price that a market order (+1 buys, -1 sells) of a quantity would get now; NaN before a price."""
        market = self._floor.market(symbol)
        levels = market.asks if sign > 0.0 else market.bids
        if levels:
            cap = slipped_limit(market.last if market.last == market.last else levels[0][0], sign)
            return walk(levels, quantity, sign, math.nan, cap)[1] if quantity > 0.0 else levels[0][0]
        return market.taker_price(market.price, sign, quantity)

    def bounds(self, symbol: str) -> tuple[float, float]:
        """Give the prices that nothing happens between: a bar with low > bounds[0] and high < bounds[1] is quiet.

        They hold until the next event, and with several instruments on cross margin until the next price. Trailing
        stops are not in them (`trailing`). (inf, -inf) while anything waits for the next open, arrives or expires.
        """
        floor, market = self._floor, self._floor.market(symbol)
        if market.left or market.waits or market.arriving or market.expires < INF:
            return RESTLESS
        refresh(floor, market)
        return market.low, market.high

    def watch(self, symbol: str) -> tuple[float, float, bool, float]:
        """Give `bounds`, whether a trailing stop is alive, and `due`, at once."""
        floor = self._floor
        market = floor.markets.get(symbol) or floor.market(symbol)
        if market.stale or floor.shared:
            refresh(floor, market)
        if market.left or market.waits or market.arriving or market.expires < INF:
            return (*RESTLESS, bool(market.trails), floor.due())
        due = floor.due() if len(floor.markets) > 1 else INF
        return market.low, market.high, bool(market.trails), due

    def trailing(self, symbol: str) -> tuple[Trail, ...]:
        """Give the living trailing stops of an instrument."""
        market = self._floor.market(symbol)
        refresh(self._floor, market)
        if not market.trails:
            return ()
        return tuple(Trail(one.id, -one.sign, one.trail, one.best, one.activation) for one in market.trails)

    def seen(self, symbol: str, best: float) -> None:
        """Tell the trailing stops the best price of bars that were skipped."""
        market = self._floor.market(symbol)
        for order in market.trails:
            order.best = best if -order.sign * (best - order.best) > 0.0 else order.best

    def reappraise(self) -> None:
        """Look at the books anew, for whoever changed them from outside: a deposit, a leverage, a margin mode."""
        for market in self._floor.markets.values():
            market.stale = True

    def orders(self, symbol: str = "") -> list[Order]:
        """Give copies of the open orders of one instrument, or of all, oldest first."""
        return [one.to_order() for one in self._floor.orders.values() if symbol in ("", one.symbol)]

    def snapshot(self) -> dict[str, Any]:
        """Give the whole state, books included, as plain data for JSON.

        Raises
        ------
        RunError
            A bar is being matched inside; what is left of it could not be kept.
        """
        if self._floor.inside:
            raise RunError("a venue cannot be kept while it matches inside a bar: run `bar` to its end first")
        return snapshot(self._floor)

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up the state that `snapshot` gave, of a venue with the same instruments, terms and account.

        Raises
        ------
        DataError
            The data are of another version or another venue, or damaged.
        """
        restore(self._floor, data)
