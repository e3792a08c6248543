"""The way to a real venue: any that ccxt knows and that offers what a bot needs.

What the clerk asks for is asked once: nothing is repeated here, for whoever keeps the books must decide that. An answer
that was lost is `BrokerUnknown`; what became of an order is found by its client order id, which is always ours.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from workbench.bots.brokers.amending import Ways, amend_order
from workbench.bots.brokers.capabilities import Capabilities, arm_dead_man, capabilities_of
from workbench.bots.brokers.credentials import Credentials
from workbench.bots.brokers.fees import Fees
from workbench.bots.brokers.finding import find_order, whole_order
from workbench.bots.brokers.funding import FundingHistory
from workbench.bots.brokers.news import News, Told
from workbench.bots.brokers.ordering import Held, Ordering, terms_kept
from workbench.bots.brokers.paging import OVERLAP_MS, fills_since
from workbench.bots.brokers.pairing import Pairs
from workbench.bots.brokers.reading import client_id_of, read_fill, read_positions
from workbench.bots.brokers.register import Register
from workbench.bots.brokers.soundness import place_of
from workbench.bots.brokers.talk import ENDED, Find, Look, Send, Snapshot, VenueFill, VenueOrder, VenuePosition
from workbench.bots.brokers.wire import Wire, client_for
from workbench.errors import (
    BrokerError,
    BrokerRejected,
    BrokerTransient,
    BrokerUnknown,
    ConfigError,
    WorkbenchError,
)
from workbench.market.feeds.feed import Tuning
from workbench.market.sources.clients import Route
from workbench.trading.core import Traded
from workbench.trading.events import CancelOrder, Submit
from workbench.trading.orders import Order

__all__ = ["CcxtBroker", "Terms"]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How a live broker goes about it.

    Parameters
    ----------
    route : Route, optional
        To a practice exchange; straight to the venue when left out.
    tuning : Tuning
        How patient connections are.
    share : float, default 1.0
        The part of the venue's allowance that this process may use.
    dead_man_s : float, optional
        After how many seconds without `heartbeat` the venue is to cancel all orders, where it offers that. At some
        venues that takes protective stops too, so it is off unless asked for.
    clock : callable, optional
        Gives the bot's time, ms UTC; the venue's own as far as it is known when left out.
    """

    route: Route | None = None
    tuning: Tuning = field(default_factory=Tuning)
    share: float = 1.0
    dead_man_s: float | None = None
    clock: Callable[[], int] | None = None


class CcxtBroker(Ordering):
    """A broker at a venue; open it with `async with`, or by its first use, and `close` it.

    Parameters
    ----------
    venue : str
        ccxt's name, such as "binance" or "kraken".
    markets : mapping of symbol to Traded
        What the bot trades.
    credentials : Credentials
    terms : Terms, optional

    Attributes
    ----------
    name : str
        The venue's name, as its data is stored: that of a practice exchange says so.
    held : callable or None
        `(symbol, leg)`: what the bot holds by its own books, signed. Who runs the bot sets it; orders for all that is
        held need it at venues that have no such orders.

    Raises
    ------
    ConfigError
        ccxt does not know the venue, it does not trade a symbol, or the symbols are of accounts apart.
    """

    def __init__(
        self,
        venue: str,
        markets: Mapping[str, Traded],
        *,
        credentials: Credentials,
        terms: Terms | None = None,
    ) -> None:
        self.terms = terms or Terms()
        self.markets = dict(markets)
        if not self.markets:
            raise ConfigError("a broker needs at least one market to trade")
        client = client_for(venue, [one.instrument.kind for one in self.markets.values()])
        self.wire = Wire(
            client, tuple(self.markets), credentials, route=self.terms.route, tuning=self.terms.tuning,
            share=self.terms.share,
        )  # fmt: skip
        self.name = self.wire.name
        self.held: Held | None = None
        self.register = Register(client)
        self._fees = Fees(lambda: self.wire.rest.markets, self._last_price)
        self._funding = FundingHistory(self.wire, self.markets)
        self.pairs = Pairs(self.wire, self.register)
        self._opening = asyncio.Lock()
        self._open = False
        self._news: News | None = None
        self._missed: list[Told] = []

    def __repr__(self) -> str:
        return f"<CcxtBroker {self.name}: {', '.join(self.markets)}>"

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Connect and read the venue's markets; nothing where that was done.

        Raises
        ------
        BrokerTransient
            The venue does not answer.
        ConfigError
        """
        async with self._opening:
            if not self._open:
                await self.wire.__aenter__()
                self._open = True

    async def close(self) -> None:
        """Let go of connections. Orders at the venue stay as they are."""
        news, self._news = self._news, None
        if news is not None:
            await news.stop()
        async with self._opening:
            if self._open:
                self._open = False
                await self.wire.__aexit__()

    @property
    def health(self) -> dict[str, Any]:
        """How the connections for news are, as plain data; empty before anybody listens."""
        return self._news.health if self._news is not None else {}

    def now(self) -> int:
        """Give the time, ms UTC."""
        return self.terms.clock() if self.terms.clock is not None else self.wire.now()

    def remember(self, orders: Iterable[Order]) -> None:
        """Take the terms of orders that an earlier session sent: of some, venues do not tell all.

        Parameters
        ----------
        orders : iterable of Order
            Those that may be at the venue, as they were last changed; what this broker sent itself it knows better.
        """
        for order in orders:
            line = self.register.line(order.id, order.symbol)
            if line.order is None:
                line.order = terms_kept(order)

    # what is asked for

    async def send(self, request: Send) -> VenueOrder | None:
        """Carry out a request; see `Broker.send`.

        Raises
        ------
        BrokerRejected, BrokerTransient, BrokerFatal, BrokerUnknown
        """
        try:
            with self._border(BrokerUnknown, "the answer makes no sense, it may have taken effect"):
                return await self._send(request)
        finally:
            await self._hear_missed()

    async def _send(self, request: Send) -> VenueOrder | None:
        await self.open()
        action = request.action
        if isinstance(action, Submit):
            async with self.register.line(action.order.id, request.symbol).lock:
                return await self.submit(action.order)
        line = self.register.line(action.id, request.symbol)
        async with line.lock:
            line.leaving, line.changing = isinstance(action, CancelOrder), not isinstance(action, CancelOrder)
            try:
                if isinstance(action, CancelOrder):
                    return await self.cancel(line)
                ways = Ways(self.sized, self.pairs.change, self.now)
                return await amend_order(self.wire, self.register, line, action, ways)
            finally:
                line.leaving = line.changing = False

    async def find(self, request: Find) -> VenueOrder | None:
        """Give an order by its client order id; see `Broker.find`.

        Raises
        ------
        BrokerTransient, BrokerFatal
        """
        await self.open()
        line = self.register.line(request.id, request.symbol)
        with self._border(BrokerTransient, f"order {request.id}: the answer makes no sense"):
            async with line.lock:
                return await find_order(self.wire, self.register, line)

    async def look(self, request: Look) -> Snapshot:
        """Give all that the venue has; see `Broker.look`.

        Raises
        ------
        BrokerTransient, BrokerFatal
        """
        with self._border(BrokerTransient, "a look round: the answer makes no sense"):
            return await self._look(request)

    async def _look(self, request: Look) -> Snapshot:
        await self.open()
        asked = self.now()
        orders: list[VenueOrder] = []
        fills: list[VenueFill] = []
        for symbol in self.markets:
            orders += await self._open_orders(symbol)
        for symbol in self.markets:
            rows = await fills_since(self._read, self.wire, symbol, max(0, request.since - OVERLAP_MS))
            fills += [await self._fill(row) for row in rows]
        balances = await self.wire.call("read", "fetch_balance", asked="balance")
        totals = {name: float(one) for name, one in (balances.get("total") or {}).items() if one}
        funding = await self._funding.since(request.funding_since, asked)
        return Snapshot(asked, request.since, tuple(orders), tuple(fills), await self.positions(), totals, funding)

    @contextmanager
    def _border(self, kind: type[BrokerError], text: str) -> Iterator[None]:
        """Let no error through that is not ours: what cannot be read is no answer, and is asked for again."""
        try:
            yield
        except (WorkbenchError, TimeoutError):
            raise
        except Exception as error:
            said = self.wire.credentials.hide(f"{type(error).__name__}: {error}")
            raise kind(
                f"{self.name}: {text} ({said}, at {place_of(error)})", venue=self.name, verdict="ambiguous"
            ) from None

    async def _read(self, method: str, *values: Any) -> Any:
        return await self.wire.call("read", method, *values)

    async def _open_orders(self, symbol: str) -> list[VenueOrder]:
        rows = list(await self.wire.call("read", "fetch_open_orders", symbol, asked=f"open orders of {symbol}"))
        if self.wire.offers(symbol).apart:
            rows += await self.wire.call("read", "fetch_open_orders", symbol, None, None, {"trigger": True})
        self.register.pair(rows)
        current = [row for row in rows if await self._stands(row, symbol)]
        return [await whole_order(self.wire, self.register, row, symbol) for row in current]

    async def _stands(self, row: Mapping[str, Any], symbol: str) -> bool:
        """Tell whether an order is the one that stands for ours now, not one that was or is just being replaced."""
        id, number = self.register.own(str(row.get("id") or ""), client_id_of(row))
        line = self.register.line(id, symbol) if number else self.register.lines.get(id)
        if line is None:
            return True
        ended = row.get("status") in ENDED
        if line.changing:
            if ended:  # it is told afterwards, unless another one stands then
                self._missed.append(Told("order", row, symbol))
            return False
        if number > line.number or (ended and not line.sure):
            async with line.lock:  # another one may stand: from an earlier life, or of a change whose answer was lost
                await find_order(self.wire, self.register, line)
        return number == line.number

    async def _hear_missed(self) -> None:
        """Take up news of ends that came while the orders were being changed, or could not be judged."""
        missed = self._missed + [Told("order", row) for row in self.pairs.lost]
        self._missed, self.pairs.lost = [], []
        if self._news is not None:
            for told in missed:
                await self._news.again(told)

    async def positions(self) -> tuple[VenuePosition, ...]:
        """Give what is held of the contracts that are traded; nothing for spot."""
        await self.open()
        contracts = [name for name, one in self.markets.items() if one.instrument.kind in ("linear", "inverse")]
        if not contracts:
            return ()
        return read_positions(await self.wire.call("read", "fetch_positions", contracts, asked="positions"))

    async def _fill(self, row: Mapping[str, Any]) -> VenueFill:
        instrument = self.markets[str(row["symbol"])].instrument
        in_base = self._fees.in_base(row) if instrument.kind == "spot" else 0.0
        return read_fill(row, self.register, await self._fees.of(row, instrument), in_base)

    async def _last_price(self, symbol: str) -> float | None:
        try:
            ticker = await self.wire.call("read", "fetch_ticker", symbol)
        except BrokerError:
            return None
        return float(ticker["last"]) if ticker.get("last") else None

    # what is told

    async def news(self) -> AsyncIterator[VenueOrder | VenueFill]:
        """Give what happens to orders, and executions, as they are told; one listener at a time.

        It starts with the orders that are open. After every reconnect what was missed is asked for; things may be told
        twice, and in any order.

        Raises
        ------
        BrokerFatal
            The venue refuses the key.
        """
        await self.open()
        if self._news is not None:
            raise ConfigError(f"somebody listens to the news of {self!r} already")
        self._news = news = News(self.wire, self.register, self.terms.tuning)
        news.start()
        try:
            async for told in news.told():
                found = await self._heard(told)
                if found is not None:
                    yield found
        finally:
            if self._news is news:
                self._news = None
                await news.stop()

    async def _heard(self, told: Told) -> VenueOrder | VenueFill | None:
        row, symbol = told.row, str(told.row.get("symbol") or told.symbol)
        if symbol not in self.markets or row.get("id") is None:
            return None
        if told.what == "fill":
            return await self._fill(row) if row.get("timestamp") is not None else None
        try:
            with self._border(BrokerTransient, "news of an order makes no sense"):
                if await self._stands(row, symbol):
                    return await whole_order(self.wire, self.register, row, symbol)
                return None
        except BrokerError:  # what it became cannot be asked now; the next look round tells, if nothing does before
            if row.get("status") in ENDED:
                self._missed.append(told)
            return None

    # what a venue may do by itself

    async def check(self) -> Capabilities:
        """Tell what the venue offers of what the bot needs, and what the key may do.

        Raises
        ------
        BrokerFatal
            The key is refused, or may withdraw money.
        BrokerTransient
        """
        await self.open()
        return await capabilities_of(self.wire, self.markets)

    async def prepare(self) -> None:
        """Set the leverage of the contracts that are traded to what the bot reckons with.

        Raises
        ------
        BrokerRejected
            The venue does not allow it, such as while a position is too large for it.
        BrokerTransient, BrokerFatal, BrokerUnknown
        """
        await self.open()
        for symbol, one in self.markets.items():
            if one.instrument.kind in ("linear", "inverse") and self.wire.can("setLeverage"):
                leverage = max(1, math.floor(one.leverage))
                await self.wire.call("amend", "set_leverage", leverage, symbol, asked=f"leverage of {symbol}")

    async def heartbeat(self, seconds: float | None = None) -> bool:
        """Tell the venue that the bot lives; without another word within `Terms.dead_man_s` it cancels all orders.

        Parameters
        ----------
        seconds : float, optional
            Instead of the terms'; 0 takes the switch off.

        Returns
        -------
        bool
            Whether the venue has such a switch, and it is wanted.
        """
        wanted = self.terms.dead_man_s if seconds is None else seconds
        if wanted is None:
            return False
        await self.open()
        return await arm_dead_man(self.wire, tuple(self.markets), round(wanted * 1_000))

    async def cancel_all(self) -> int:
        """Cancel every open order of the bot's markets, whoever made it; give how many are still open then."""
        await self.open()
        for symbol in self.markets:
            for params in ({}, {"trigger": True}) if self.wire.offers(symbol).apart else ({},):
                try:
                    await self.wire.call("cancel", "cancel_all_orders", symbol, params, asked=f"cancel all of {symbol}")
                except (BrokerRejected, BrokerUnknown):
                    continue  # none were open, or nobody knows: what is open now is asked below
        return sum([len(await self._open_orders(symbol)) for symbol in self.markets])
