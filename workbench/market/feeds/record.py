"""Taping a feed: on the way to whoever reads it, or for its own sake.

`Recording` is a feed itself: what it tells is on the tape, too. `record` reads a feed only to tape it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

from workbench.errors import ConfigError
from workbench.market.feeds.events import Event
from workbench.market.feeds.feed import Feed
from workbench.market.feeds.tape import Tape, TapeInfo, TapeWriter

__all__ = ["Recording", "record"]


class Recording:
    """A feed that puts everything it tells on a tape before it tells it.

    Parameters
    ----------
    feed : Feed
        Not open yet; it is opened and closed with the recording.
    tape : Tape
        Gone on with where it ends, if there is something on it.
    every : int, default 5000
    every_s : float, default 5
        After how many events or seconds what was told is written; see `Tape.writer`.

    Raises
    ------
    DataError
        While it is read: the disk is full, or somebody else writes to the tape.
    """

    def __init__(self, feed: Feed, tape: Tape, *, every: int = 5_000, every_s: float = 5.0) -> None:
        self.feed, self.tape = feed, tape
        self._every, self._every_s = every, every_s
        self._writer: TapeWriter | None = None
        self._flusher: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """Where the events come from."""
        return self.feed.name

    @property
    def health(self) -> dict[str, Any]:
        """How the feed is, as plain data, and how many events are on the tape (`taped`)."""
        return {**self.feed.health, "taped": 0 if self._writer is None else self._writer.events}

    async def __aenter__(self) -> Self:
        await self.feed.__aenter__()
        try:
            self._writer = self.tape.writer(self.feed.name, every=self._every, every_s=self._every_s)
        except BaseException as error:
            await self.feed.__aexit__(type(error), error, error.__traceback__)
            raise
        self._flusher = asyncio.create_task(self._flush_now_and_then(self._writer), name="tape")
        return self

    async def _flush_now_and_then(self, writer: TapeWriter) -> None:
        while True:  # also when no event comes to do it
            await asyncio.sleep(self._every_s)
            writer.flush()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._flusher is not None:
                self._flusher.cancel()
                await asyncio.wait({self._flusher})
            if self._writer is not None:
                self._writer.flush()
        finally:
            await self.feed.__aexit__(kind, error, trace)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        if self._writer is None:
            raise ConfigError("the recording is not open: write `async with Recording(feed, tape) as feed:`")
        event = await self.feed.__anext__()
        self._writer.add(event)
        return event


async def record(feed: Feed, tape: Tape, *, events: int | None = None, seconds: float | None = None) -> TapeInfo:
    """Tape a feed until it ends, or a number of events or seconds is over.

    Parameters
    ----------
    feed : Feed
        Not open yet.
    tape : Tape
    events : int, optional
    seconds : float, optional

    Returns
    -------
    TapeInfo
        Of the tape as it is then. What was told before the call was cancelled is on the tape, too.

    Raises
    ------
    DataError
        The tape cannot be written.
    """
    async with Recording(feed, tape) as recording:
        try:
            async with asyncio.timeout(seconds):
                left = events
                while left is None or left > 0:
                    await anext(recording)
                    left = None if left is None else left - 1
        except (TimeoutError, StopAsyncIteration):
            pass  # both are a good end
    return tape.info
