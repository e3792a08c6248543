"""What becomes of a channel whose stream breaks, goes deaf or is quiet, and whose questions fail; with a held clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.market.feeds.made_events import bar
from workbench.market.feeds.backoff import Backoff
from workbench.market.feeds.channels import Channel
from workbench.market.feeds.events import ConnectionMoved, Event
from workbench.market.feeds.feed import Access, Tuning
from workbench.market.feeds.health import ChannelHealth
from workbench.market.feeds.lines import Lines
from workbench.market.feeds.outbox import Outbox
from workbench.market.feeds.supervisor import Supervisor

QUICK = Tuning(
    backoff_s=0.001, backoff_most_s=0.002, quiet_intervals=1.0, interval_s=0.02, poll_s=0.002, retry_s=0.02,
    settle_s=0.0, failures=2,
)  # fmt: skip


class Scripted(Channel):
    """A channel whose stream and answers are functions of a test."""

    name = group = "scripted"

    def __init__(
        self,
        watch: Callable[[int], Awaitable[list[Event]]],
        fill: Callable[[int], Awaitable[list[Event]]],
        *,
        streams: bool = True,
    ) -> None:
        super().__init__(Lines("binance", ("BTC/USDT",), Access(), QUICK), "BTC/USDT", QUICK)
        self._watch, self._fill, self._streams = watch, fill, streams
        self.watched = self.filled = self.taken = 0

    @property
    def streams(self) -> bool:
        return self._streams

    async def watch(self) -> list[Event]:
        self.watched += 1
        return await self._watch(self.watched)

    def heard(self, batch: list[Event]) -> list[Event]:
        self.taken += len(batch)
        return batch

    async def fill(self) -> list[Event]:
        self.filled += 1
        return await self._fill(self.filled)


async def nothing(_: int) -> list[Event]:
    return []


async def forever(_: int) -> list[Event]:
    await asyncio.Event().wait()
    return []


def run(channel: Scripted, enough: Callable[[list[Event]], bool]) -> list[Event]:
    """Run a channel until it has told enough."""

    async def go() -> list[Event]:
        box, found = Outbox(), []
        health = ChannelHealth(channel=channel.name, symbol=channel.symbol)
        task = asyncio.create_task(Supervisor(channel, box, health, QUICK).run())
        async with asyncio.timeout(20):
            while not enough(found):
                event = await box.get()
                assert event is not None
                found.append(event)
        task.cancel()
        await asyncio.wait({task})
        return found

    return asyncio.run(go())


def states(events: list[Event]) -> list[str]:
    return [event.state for event in events if isinstance(event, ConnectionMoved)]


def bars(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, ConnectionMoved)]


def test_what_comes_while_a_deaf_stream_is_judged_is_taken_and_told_or_neither() -> None:
    heard = asyncio.Event()

    async def watch(time: int) -> list[Event]:
        if time > 1:
            return await forever(time)
        await heard.wait()
        return [bar(2)]

    async def fill(time: int) -> list[Event]:
        heard.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the stream speaks after all, while REST answers
        return [bar(1)] if time == 1 else []

    channel = Scripted(watch, fill)
    events = run(channel, lambda found: "stale" in states(found))
    assert bars(events)[0] == bar(1)  # what was asked for is never overtaken by what came meanwhile
    assert channel.taken == len(bars(events)) - 1


def test_a_quiet_market_is_no_deaf_stream() -> None:
    async def watch(time: int) -> list[Event]:
        if time == 1:
            await quiet.wait()
            return [bar(time)]
        return await forever(time)

    async def fill(time: int) -> list[Event]:
        if time == 4:
            quiet.set()
        return []

    quiet = asyncio.Event()
    channel = Scripted(watch, fill)
    events = run(channel, lambda found: bars(found) == [bar(1)])
    assert states(events) == ["live"] and channel.filled >= 4


def test_a_stream_that_fails_is_polled_and_tried_again() -> None:
    async def watch(time: int) -> list[Event]:
        if time <= 4:
            raise OSError("no route")
        return [bar(time)] if time == 5 else await forever(time)

    async def fill(time: int) -> list[Event]:
        return [bar(100 + time)]

    events = run(Scripted(watch, fill), lambda found: "live" in states(found))
    assert states(events)[0] == "lost" and "polling" in states(events) and states(events)[-1] == "live"
    assert "OSError: no route" in {event.reason for event in events if isinstance(event, ConnectionMoved)}


def test_a_venue_without_websockets_is_only_polled() -> None:
    async def fill(time: int) -> list[Event]:
        return [bar(time)]

    channel = Scripted(forever, fill, streams=False)
    events = run(channel, lambda found: len(bars(found)) == 5)
    assert channel.watched == 0 and states(events) == ["polling"]
    assert bars(events) == [bar(number) for number in range(1, 6)]


def test_a_rest_that_fails_is_down_and_comes_back() -> None:
    async def fill(time: int) -> list[Event]:
        if time <= 3:
            raise OSError("gone")
        return [bar(time)]

    events = run(Scripted(forever, fill, streams=False), lambda found: bool(bars(found)))
    assert states(events) == ["down", "polling"]


def test_pauses_grow_are_cut_by_chance_and_come_again_with_the_seed() -> None:
    first, second, other = (Backoff(1.0, 30.0, seed=seed) for seed in (1, 1, 2))
    pauses = [first.next() for _ in range(12)]
    assert pauses == [second.next() for _ in range(12)] != [other.next() for _ in range(12)]
    longest = [min(30.0, 2.0**attempt) for attempt in range(12)]
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, longest, strict=True))
    first.reset()
    assert first.next() <= 1.0
