"""A practice exchange with a few hours of a walk, for tests that talk to it with real clients."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from tests.practice.stage import MINUTE, T0, instrument
from workbench.market.bars import Bars
from workbench.practice.clock import HeldClock
from workbench.practice.exchange import Exchange
from workbench.practice.markets import RecordedMarket

_ROWS = 1_200
BEGIN = T0 + 300 * MINUTE


def walk(symbol: str, seed: int = 1, price: float = 60_000.0, **facts: Any) -> RecordedMarket:
    """Twenty hours of minutes."""
    rng = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(rng.normal(0.0, 4e-4, _ROWS)))
    first = np.r_[price, close[:-1]]
    high, low = np.maximum(first, close) * 1.0002 + 0.2, np.minimum(first, close) * 0.9998 - 0.2
    return RecordedMarket(
        Bars(
            instrument=instrument(symbol, tick_size=0.1, lot_size=1e-5, **facts), timeframe="1m",
            ts=T0 + MINUTE * np.arange(_ROWS), open=first.round(1), high=high.round(1), low=low.round(1),
            close=close.round(1), volume=rng.uniform(1.0, 5.0, _ROWS).round(5),
        )
    )  # fmt: skip


def room(*symbols: str, **settings: Any) -> Exchange:
    """An exchange whose clock stands five hours in."""
    markets = [walk(symbol, seed) for seed, symbol in enumerate(symbols, 1)]
    return Exchange(markets, clock=HeldClock(BEGIN), **settings)


async def soon(work: Awaitable[Any], seconds: float = 20.0) -> Any:
    """Wait for something that is to come at once."""
    return await asyncio.wait_for(work, seconds)


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something to be so."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


async def advance(exchange: Exchange, ms: int) -> None:
    """Move a held clock without blocking the clients of this loop."""
    await asyncio.to_thread(exchange.advance, ms)
