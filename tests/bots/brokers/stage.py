"""A practice exchange whose price swings between known levels, and brokers on accounts of their own."""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.practice.stage import MINUTE, PERP, SPOT, T0, market
from workbench.bots.brokers.ccxt_broker import CcxtBroker, Terms
from workbench.bots.brokers.credentials import Credentials
from workbench.bots.brokers.talk import Find, Look, Send, Snapshot, VenueFill, VenueOrder
from workbench.market.feeds.feed import Tuning
from workbench.practice.clock import HeldClock
from workbench.practice.engine_records import OrderRecord
from workbench.practice.exchange import Exchange, Serving, usual_account
from workbench.practice.markets import Listing
from workbench.practice.wire.signing import Credential
from workbench.trading.core import Traded, traded
from workbench.trading.events import AmendOrder, CancelOrder, Submit
from workbench.trading.orders import Order, client_order_id
from workbench.trading.terms import CostTerms, Lots

USD = "BTC/USD"
NAN = float("nan")
SWING = (100.0, 101.5, 103.0, 104.0, 102.0, 100.0, 98.0, 96.0, 97.0, 99.0)  # a minute each, again and again
ROWS = 4_000
ACCOUNTS = 80
TUNING = Tuning(
    backoff_s=0.05, backoff_most_s=0.2, interval_s=0.5, settle_s=0.2, retry_s=0.5, poll_s=0.1, timeout_s=3.0
)


def secret(name: str) -> str:
    """The secret of a key, in the form that Kraken wants."""
    return base64.b64encode(f"secret of {name}".encode()).decode()


def swing() -> list[tuple[float, ...]]:
    levels = [SWING[n % len(SWING)] for n in range(ROWS + 1)]
    return [(a, max(a, b), min(a, b), b, 400.0) for a, b in itertools.pairwise(levels)]


@contextmanager
def swinging(
    *symbols: str, listing: Listing | None = None, min_notional: float = 0.0, **settings: Any
) -> Iterator[Exchange]:
    """An exchange at the beginning of a swing, with many accounts."""
    markets = {
        symbol: market(symbol, swing(), listing, tick_size=0.01, lot_size=0.001, min_notional=min_notional)
        for symbol in symbols
    }
    names = [f"account-{n}" for n in range(ACCOUNTS)]
    credentials = tuple(Credential(name, name, secret(name)) for name in names)
    with Exchange(
        markets, clock=HeldClock(T0 + 100 * MINUTE), accounts={name: usual_account(markets) for name in names},
        serving=Serving(credentials=(*credentials, Credential(names[0], "greedy", secret("greedy"), withdraws=True),
                                     Credential(names[0], "looker", secret("looker"), trades=False))),
        protocols=("binance", "kraken") if USD in symbols else ("binance",), **settings,
    ) as exchange:  # fmt: skip
        yield exchange


def known(exchange: Exchange, symbol: str) -> Traded:
    facts = exchange.engine.instrument(symbol)
    return traded(facts, Lots(facts.tick_size, facts.lot_size, facts.min_notional), CostTerms())


@dataclass
class Desk:
    """A broker, its account at the venue, and what it was told."""

    exchange: Exchange
    broker: CcxtBroker
    account: str
    symbol: str
    told: list[VenueOrder | VenueFill] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def order(self, side: Any = "buy", type: Any = "market", quantity: float = 1.0, **more: Any) -> Order:
        id = client_order_id(self.account, next(self.numbers), self.symbol, side, type)
        return Order(id, self.symbol, side, type, quantity, **more)

    async def submit(self, order: Order) -> VenueOrder:
        found = await self.broker.send(Send(Submit(order), order.id, order.symbol))
        assert found is not None
        return found

    async def place(self, side: Any = "buy", type: Any = "market", quantity: float = 1.0, **more: Any) -> VenueOrder:
        return await self.submit(self.order(side, type, quantity, **more))

    async def cancel(self, id: str) -> VenueOrder | None:
        return await self.broker.send(Send(CancelOrder(id), id, self.symbol))

    async def amend(self, id: str, *, price: float = NAN, quantity: float = NAN, stop: float = NAN) -> Any:
        return await self.broker.send(Send(AmendOrder(id, price, quantity, stop), id, self.symbol))

    async def find(self, id: str) -> VenueOrder | None:
        return await self.broker.find(Find(id, self.symbol))

    async def seen(self, id: str) -> VenueOrder:
        found = await self.find(id)
        assert found is not None
        return found

    async def look(self, since: int = T0) -> Snapshot:
        return await self.broker.look(Look(since))

    async def minutes(self, count: float) -> None:
        await asyncio.to_thread(self.exchange.advance, int(count * MINUTE))

    async def to_phase(self, phase: int) -> None:
        """Go on to a minute of the swing."""
        at = (self.exchange.now - T0) // MINUTE % len(SWING)
        await self.minutes((phase - at) % len(SWING) or len(SWING))

    def orders(self) -> list[OrderRecord]:
        """What the venue has of this account, in the order of arrival."""
        return self.exchange.call(lambda: list(self.exchange.engine.orders(self.account, self.symbol)))

    def standing(self) -> list[OrderRecord]:
        return [one for one in self.orders() if one.open]

    def position(self) -> float:
        held = self.exchange.call(lambda: self.exchange.engine.positions(self.account, self.symbol))
        return sum(one.quantity for one in held)

    def balance(self, asset: str) -> float:
        rows = self.exchange.call(lambda: self.exchange.engine.balances(self.account, "spot"))
        return next(one.wallet for one in rows if one.asset == asset)

    def fills(self, id: str = "") -> list[VenueFill]:
        return [one for one in self.told if isinstance(one, VenueFill) and (not id or one.id == id)]

    def words(self, id: str) -> list[str]:
        """What was told of the states of an order."""
        return [one.status for one in self.told if isinstance(one, VenueOrder) and one.id == id]


_accounts = itertools.count()


@asynccontextmanager
async def desk(
    exchange: Exchange, symbol: str = SPOT, *, venue: str = "", listen: bool = False, key: str = "",
    beside: Sequence[str] = (), **terms: Any,
) -> AsyncIterator[Desk]:  # fmt: skip
    """A broker on an account that nobody used before."""
    account = f"account-{next(_accounts) % (ACCOUNTS - 1) + 1}"
    usual: dict[str, Any] = {"route": exchange.route, "tuning": TUNING, "share": 50.0, "clock": lambda: exchange.now}
    name = key or account
    broker = CcxtBroker(
        venue or ("kraken" if symbol == USD else "binance"), {one: known(exchange, one) for one in (symbol, *beside)},
        credentials=Credentials(name, secret(name), name="test"), terms=Terms(**usual | terms),
    )  # fmt: skip
    async with broker:
        one = Desk(exchange, broker, account, symbol)
        task = asyncio.create_task(_listen(one)) if listen else None
        if task is not None:
            await until(
                lambda: all(channel["state"] == "live" for channel in broker.health.get("channels", [{"state": ""}]))
            )
        yield one
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _listen(one: Desk) -> None:
    async for told in one.broker.news():
        one.told.append(told)


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for something to be so."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def run(work: Awaitable[Any], seconds: float = 90.0) -> None:
    """Run a test's story to its end, which must come."""

    async def bounded() -> None:
        await asyncio.wait_for(work, seconds)

    asyncio.run(bounded())


__all__ = ["MINUTE", "NAN", "PERP", "SPOT", "USD", "Desk", "desk", "run", "swinging", "until"]
