"""Small exchanges for tests: markets whose prices are written down, and an engine that a test holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.market.bars import Bars
from workbench.market.instrument import Instrument
from workbench.practice.clock import HeldClock
from workbench.practice.engine import Engine
from workbench.practice.engine_messages import Message
from workbench.practice.engine_records import AccountSetup, Refused, Request
from workbench.practice.markets import Listing, RecordedMarket

T0 = 1_700_006_400_000  # a whole eight hours: funding is due here
MINUTE = 60_000
SPOT, PERP, ETH, ETHBTC = "BTC/USDT", "BTC/USDT:USDT", "ETH/USDT", "ETH/BTC"
TIERS = ((0.0, 0.005, 0.0, 50.0), (50_000.0, 0.01, 250.0, 20.0), (250_000.0, 0.05, 10_250.0, 5.0))


def instrument(symbol: str, **facts: Any) -> Instrument:
    quote = symbol.partition(":")[0].split("/")[1]
    usual: dict[str, Any] = {
        "tick_size": 0.01, "lot_size": 0.001, "min_notional": 5.0, "maker_fee": 0.001, "taker_fee": 0.001,
        "spread_bps": 1.0,
    }  # fmt: skip
    if ":" in symbol:
        usual |= {"kind": "linear", "maker_fee": 0.0002, "taker_fee": 0.0005, "leverage_tiers": TIERS}
    return Instrument(symbol=symbol, venue="binance", quote=quote, **usual | facts)


def bars(symbol: str, rows: Sequence[Sequence[float]], start: int = T0, **facts: Any) -> Bars:
    """Minutes of (open, high, low, close, volume)."""
    o, h, low, c, v = np.array(rows, dtype=float).T
    ts = start + MINUTE * np.arange(len(rows))
    return Bars(
        instrument=instrument(symbol, **facts), timeframe="1m", ts=ts, open=o, high=h, low=low, close=c, volume=v
    )


def flat(price: float, minutes: int, volume: float = 400.0) -> list[tuple[float, ...]]:
    return [(price, price, price, price, volume)] * minutes


def market(
    symbol: str, rows: Sequence[Sequence[float]], listing: Listing | None = None, **facts: Any
) -> RecordedMarket:
    return RecordedMarket(bars(symbol, rows, **facts), listing=listing)


class Held:
    """An engine over scripted markets, what it told, and short words for what tests do with it."""

    def __init__(self, *markets: RecordedMarket, at: int = T0, **setup: Any) -> None:
        setup = {"spot": {"USDT": 10_000.0, "BTC": 10.0}, "linear": {"USDT": 10_000.0}} | setup
        names = {one.instrument.kind for one in markets}
        if "linear" not in names:
            setup["linear"] = {}
        self.clock = HeldClock(at)
        self.engine = Engine(
            {one.instrument.symbol: one for one in markets}, self.clock, accounts={"me": AccountSetup(**setup)}
        )
        self.told: list[Message] = []
        self.engine.listen(self.told.append)

    def submit(self, symbol: str, side: Any, type: Any = "market", quantity: float = float("nan"), **more: Any) -> Any:
        return self.engine.submit("me", Request(symbol=symbol, side=side, type=type, quantity=quantity, **more))

    def refused(self, symbol: str, side: Any, type: Any = "market", quantity: float = float("nan"), **more: Any) -> str:
        """The code with which an order is refused; "" where it is not."""
        before = repr((self.engine.balances("me", "spot"), self.engine.open_orders("me")))
        try:
            self.submit(symbol, side, type, quantity, **more)
        except Refused as no:
            assert repr((self.engine.balances("me", "spot"), self.engine.open_orders("me"))) == before
            return no.code
        return ""

    def minutes(self, count: float) -> None:
        self.engine.advance(self.engine.now + int(count * MINUTE))

    def spot(self, asset: str) -> Any:
        return next(one for one in self.engine.balances("me", "spot") if one.asset == asset)

    def linear(self) -> Any:
        return self.engine.balances("me", "linear")[0]

    def kinds(self) -> list[str]:
        """What was told, in short."""
        return [getattr(one, "kind", type(one).__name__) for one in self.told]
