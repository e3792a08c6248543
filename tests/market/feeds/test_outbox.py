"""A slow consumer: bars and orders are never dropped, tickers and books are the latest, lost trades are counted."""

from __future__ import annotations

import asyncio

from tests.market.feeds.made_events import bar, book, ticker, trade
from workbench.market.feeds.events import Event, GapFound
from workbench.market.feeds.outbox import Outbox


async def drain(box: Outbox) -> list[Event]:
    await box.close()
    found = []
    while (event := await box.get()) is not None:
        found.append(event)
    return found


def test_events_come_out_in_the_order_in_which_they_went_in() -> None:
    async def run() -> list[Event]:
        box = Outbox()
        for event in (bar(1), trade(2), ticker(3), book(4), bar(5)):
            await box.put(event)
        return await drain(box)

    assert asyncio.run(run()) == [bar(1), trade(2), ticker(3), book(4), bar(5)]


def test_of_tickers_and_books_the_latest_of_each_symbol_waits() -> None:
    async def run() -> tuple[int, list[Event]]:
        box = Outbox()
        for number in range(1_000):
            await box.put(ticker(number))
            await box.put(book(number, resynced=number == 3))
            await box.put(ticker(number, "ETH/USDT"))
        return len(box), await drain(box)

    waiting, events = asyncio.run(run())
    assert waiting == 3
    assert events == [ticker(999), book(999, resynced=True), ticker(999, "ETH/USDT")]  # that it was resynced is kept


def test_a_bar_waits_for_room_and_is_never_dropped() -> None:
    async def run() -> list[Event]:
        box, found = Outbox(room=3), []

        async def produce() -> None:
            for number in range(50):
                await box.put(bar(number))
            await box.close()

        task = asyncio.create_task(produce())
        while (event := await box.get()) is not None:
            found.append(event)
            assert len(box) <= 3
            await asyncio.sleep(0)
        await task
        return found

    assert asyncio.run(run()) == [bar(number) for number in range(50)]


def test_trades_beyond_their_room_are_dropped_and_counted_in_their_place() -> None:
    async def run() -> list[Event]:
        box = Outbox(trades=3)
        await box.put(bar(0))
        for number in range(10):
            await box.put(trade(number))
        return await drain(box)

    first, gap, *rest = asyncio.run(run())
    assert first == bar(0)
    assert isinstance(gap, GapFound)
    assert (gap.ts, gap.upto, gap.missing, gap.channel) == (0, 7, 7, "trades")
    assert rest == [trade(7), trade(8), trade(9)]


def test_a_reader_that_waits_hears_that_the_box_is_closed() -> None:
    async def run() -> Event | None:
        box = Outbox()
        reader = asyncio.create_task(box.get())
        await asyncio.sleep(0)
        await box.close()
        await box.put(bar(1))  # too late, and no error
        return await reader

    assert asyncio.run(run()) is None
