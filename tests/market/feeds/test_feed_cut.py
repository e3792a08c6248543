"""A live feed that is cut again and again, in every way: the consumer sees every bar once, in order, and true."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from tests.market.feeds.practice_feed import BTC, MINUTE, Cuts, Reader, go_on, practice, reading, told, truth
from workbench.market.feeds.events import BarClosed, GapFound, TradePrinted
from workbench.market.feeds.feed import Watch
from workbench.practice.exchange import Exchange


async def cut_feed(exchange: Exchange, cuts: Cuts, count: int, seed: int) -> Reader:
    """Read bars and trades through many cuts, each as long in the market's time and ours as chance says."""
    chance = random.Random(seed)
    async with reading(exchange, Watch.of([BTC, "ETH/USDT"], "1m", "trades", exchange.now)) as reader:
        await _alive(exchange, reader)
        for _ in range(count):
            async with cuts.one():
                for _ in range(chance.randrange(1, 5)):
                    await go_on(exchange, chance.randrange(0, 50) * 1_000, step=10_000)
                    await asyncio.sleep(chance.uniform(0.0, 0.12))
            await _alive(exchange, reader)
    return reader


async def _alive(exchange: Exchange, reader: Reader) -> None:
    """Let the market go on until the reader has been told every bar that is over."""
    for symbol in (BTC, "ETH/USDT"):
        over = exchange.now // MINUTE * MINUTE
        await go_on(exchange, MINUTE + 20_000, step=20_000)
        await reader.until(lambda _, symbol=symbol, over=over: _last(reader, symbol) >= over)


def _last(reader: Reader, symbol: str) -> int:
    for event in reversed(reader.events):
        if isinstance(event, BarClosed) and event.symbol == symbol:
            return event.ts
    return -1


def check(exchange: Exchange, reader: Reader, start: int) -> None:
    for symbol in (BTC, "ETH/USDT"):
        bars = reader.of(BarClosed, symbol)
        expected = truth(exchange, start, bars[-1].ts + MINUTE, symbol)
        assert told(bars) == expected
        gaps = reader.of(GapFound, symbol)
        named = {ts for gap in gaps for ts in range(gap.ts, gap.upto, MINUTE) if gap.channel == "bars 1m"}
        assert named == set(range(start, bars[-1].ts, MINUTE)) - {row[0] for row in expected}
        assert {gap.channel for gap in gaps} <= {"bars 1m"}
        ids = [int(trade.id) for trade in reader.of(TradePrinted, symbol)]
        assert ids == list(range(ids[0], ids[0] + len(ids)))


def test_a_feed_that_is_cut_tells_every_bar_once_and_in_order() -> None:
    with practice(BTC, "ETH/USDT") as exchange:
        start, cuts = exchange.now, Cuts(exchange, seed=2)
        reader = asyncio.run(cut_feed(exchange, cuts, 12, seed=2))
        check(exchange, reader, start)
    assert set(cuts.done) == set(Cuts.KINDS)
    states = Counter(reader.states)
    assert states["lost"] >= 5 and states["live"] >= 10 and states["polling"] >= 1 and states["stale"] >= 1


@pytest.mark.long
def test_a_feed_that_is_cut_200_times_tells_every_bar_once_and_in_order() -> None:
    with practice(BTC, "ETH/USDT") as exchange:
        start, cuts = exchange.now, Cuts(exchange, seed=7)
        reader = asyncio.run(cut_feed(exchange, cuts, 200, seed=7))
        check(exchange, reader, start)
    assert min(Counter(cuts.done).values()) >= 20
