"""What keeps one channel alive: stream, notice that it broke or went deaf, reconnect, poll meanwhile, and go back.

The rules, in one place:

- the stream is read as long as it speaks. When it breaks, it is dialled again after a pause that grows and is shortened
  by chance; after `Tuning.failures` in a row the channel is polled, and the stream tried every `Tuning.retry_s`;
- after every connect what happened meanwhile is asked for over REST, at once and again when things have settled;
- a stream that is silent for longer than the channel's patience is compared with REST: news that it did not tell mean
  that it is deaf, and it is thrown away; none mean that the market is quiet, and the patience doubles;
- a question that fails is asked again after a pause of its own; the stream is not touched for it;
- a key that the venue refuses ends the feed: nothing gets better by waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from workbench.errors import BrokerFatal
from workbench.market.feeds.backoff import Backoff
from workbench.market.feeds.channels import Channel
from workbench.market.feeds.events import ConnectionMoved, Event
from workbench.market.feeds.feed import Tuning
from workbench.market.feeds.health import ChannelHealth
from workbench.market.feeds.outbox import Outbox

__all__ = ["Supervisor"]

_PATIENCE_GROWS: Final = 8.0  # times the first patience, at most, while a market is quiet
_HOPELESS: Final = 6  # questions that fail in a row after which a break is told as it is
_CANCELS: Final = 5
_BRISK: Final = 0.2  # times `poll_s`: the shortest pause between two polls, while there is more to catch up with
_LAZY: Final = 12.0  # times `poll_s`: the longest, while no bar is due


class _LostError(Exception):
    """The stream is of no use any more."""

    state = "lost"


class _StaleError(_LostError):
    """The stream was silent while things happened."""

    state = "stale"


class Supervisor:
    """Run a channel until it is cancelled; what it tells goes into the outbox.

    Parameters
    ----------
    channel : Channel
    outbox : Outbox
    health : ChannelHealth
        Kept up to date.
    tuning : Tuning
    """

    def __init__(self, channel: Channel, outbox: Outbox, health: ChannelHealth, tuning: Tuning) -> None:
        self.channel, self.health = channel, health
        self._outbox, self._tuning, self._times = outbox, tuning, tuning.times
        seed = None if tuning.seed is None else f"{tuning.seed} {channel.name} {channel.symbol}"
        pauses = (tuning.backoff_s, tuning.backoff_most_s)
        self._redials = Backoff(*pauses, jitter=tuning.jitter, seed=seed)
        self._asks = Backoff(*pauses, jitter=tuning.jitter, seed=seed)
        self._watching: asyncio.Task[Any] | None = None
        self._failures = 0
        self._retry_at = 0.0
        self._began = self._heard = 0.0
        self._patience_s = channel.patience_s
        self._catch_up: list[float] = []
        self._broken_by = "the venue has no websocket for it"
        self._ask_after = 0.0

    async def run(self) -> None:
        """Keep the channel going.

        Raises
        ------
        BrokerFatal
            The venue refuses the key.
        """
        while True:
            if self.channel.streams and (self._failures < self._tuning.failures or self._now() >= self._retry_at):
                await self._stream()
            else:
                await self._poll()

    def _now(self) -> float:
        return self._times.monotonic()

    async def _stream(self) -> None:
        self._began = self._heard = self._now()
        self._patience_s = self.channel.patience_s
        if self.channel.catches_up:
            self._catch_up = [self._began, self._began + self._tuning.settle_s]
        try:
            while True:
                await self._step()
        except BrokerFatal:
            raise
        except Exception as error:  # ccxt lets errors of any kind through, such as a KeyError for a wrong secret
            failure = error
        finally:
            await self._stop_watching()
        await self._failed(failure)

    async def _step(self) -> None:
        if self._watching is None:
            self._watching = asyncio.ensure_future(self.channel.watch())
        await asyncio.wait({self._watching}, timeout=self._until_next())
        if self._watching.done():
            await self._take()
        now = self._now()
        if now >= self._ask_after:
            quiet = now - self._heard >= self._patience_s
            if quiet or self._due_s() <= 0:
                await self._ask_beside(quiet)

    def _until_next(self) -> float:
        now = self._now()
        waits = min(self._due_s(), self._heard + self._patience_s - now)
        return max(0.0, waits, self._ask_after - now)

    def _due_s(self) -> float:
        """Give the seconds until REST is to be asked, whatever the stream says."""
        due = self.channel.due_s()
        waits = [] if due is None else [due]
        waits += [self._catch_up[0] - self._now()] if self._catch_up else []
        return min(waits, default=float("inf"))

    async def _take(self) -> None:
        watching, self._watching = self._watching, None
        if watching is None or watching.cancelled():
            raise _LostError("its socket was closed")
        events = self.channel.heard(watching.result())  # here, so that it never overtakes an answer, nor is lost
        self._heard = self.health.heard = self._now()
        self._patience_s = self.channel.patience_s
        self._failures = 0
        self._redials.reset()
        self.health.messages += 1
        await self._move("live")
        await self._tell(events)

    async def _ask_beside(self, quiet: bool) -> None:
        """Ask over REST while the stream stands."""
        if self._catch_up and self._catch_up[0] <= self._now():
            del self._catch_up[0]
            if not self._catch_up:
                self.channel.settled()
        events = await self._ask()
        if quiet and events is None:
            raise _LostError("it is silent, and REST does not answer")
        if quiet and events:
            await self._tell(events)
            raise _StaleError(f"it was silent for {self._now() - self._heard:.1f} s while things happened")
        if quiet:
            self._heard = self._now()
            self._patience_s = min(2 * self._patience_s, _PATIENCE_GROWS * self.channel.patience_s)
        if events is not None and self._now() - self._began >= self._tuning.settle_s:
            await self._move("live")  # a user stream may stand for days without a message
        await self._tell(events or ())

    async def _ask(self) -> list[Event] | None:
        """Ask over REST; None when it does not answer."""
        import ccxt

        try:
            events = await self.channel.fill()
        except (ccxt.AuthenticationError, ccxt.PermissionDenied) as error:
            raise BrokerFatal(
                f"{self.channel.lines.name} refuses the key for own orders and fills: "
                f"{self.channel.lines.reason(error)}; give another one"
            ) from None
        except Exception as error:  # whatever it was, it is asked again
            self.health.error = self.channel.lines.reason(error)
            self._ask_after = self._now() + self._asks.next()
            if self._asks.attempts >= _HOPELESS:
                await self._tell(self.channel.gave_up())
            return None
        if not events and self.channel.due_s() == 0.0:
            self._ask_after = self._now() + self._asks.next()  # the venue does not know yet
        else:
            self._asks.reset()
        return events

    async def _failed(self, error: Exception) -> None:
        """Note that a stream broke, throw its socket away if need be, and pause."""
        import ccxt

        lines, now = self.channel.lines, self._now()
        if now - self._began >= self._tuning.interval_s:
            self._failures = 0
            self._redials.reset()
        self._failures += 1
        self.health.reconnects += 1
        self.health.error = lines.reason(error)
        self.channel.broke()
        self._broken_by = str(error) if isinstance(error, _LostError) else lines.reason(error)
        await self._move(getattr(error, "state", "lost"), self._broken_by)
        if isinstance(error, ccxt.NetworkError):
            lines.redial(self.channel.group)
        else:
            await lines.reset(self.channel.group, self.channel.symbol)
        pause = self._redials.next()
        if self._failures < self._tuning.failures:
            await self._times.sleep(pause)
        else:
            self._retry_at = self._now() + max(pause, self._tuning.retry_s)

    async def _poll(self) -> None:
        """Ask over REST again and again, until it is time to try the stream."""
        self.channel.broke()
        while not self.channel.streams or self._now() < self._retry_at:
            self.channel.settled()
            events = await self._ask()
            self.health.polls += 1
            if events is None:
                await self._move("down", self.health.error)
                pause = self._ask_after - self._now()
            else:
                self.health.heard = self._now()
                await self._move("polling", self._broken_by)
                await self._tell(events)
                pause = self._poll_pause()
            if self.channel.streams:
                pause = min(pause, self._retry_at - self._now())
            await self._times.sleep(max(pause, 0.0))

    def _poll_pause(self) -> float:
        due = self.channel.due_s()
        if due is None:
            return self._tuning.poll_s
        shortest, longest = _BRISK * self._tuning.poll_s, _LAZY * self._tuning.poll_s
        return max(min(due, longest), shortest, self._ask_after - self._now())

    async def _stop_watching(self) -> None:
        """End the watch; a batch that came meanwhile is thrown away, for nobody has taken it."""
        watching, self._watching = self._watching, None
        if watching is None:
            return
        for _ in range(_CANCELS):  # a cancel that meets a connection coming about can get lost below us
            watching.cancel()
            done, _ = await asyncio.wait({watching}, timeout=1.0)
            if done:
                break
        if watching.done() and not watching.cancelled():
            watching.exception()  # taken notice of, or asyncio complains

    async def _tell(self, events: Sequence[Event]) -> None:
        if self.channel.latency_ms is not None:
            self.health.latency_ms = self.channel.latency_ms
        for event in events:
            await self._outbox.put(event)

    async def _move(self, state: str, reason: str = "") -> None:
        if self.health.state == state:
            return
        self.health.state = state
        if state == "live":
            self.health.error = ""
        received = self._times.wall()
        await self._outbox.put(
            ConnectionMoved(self.channel.symbol, received, received, self.channel.name, state, reason)
        )
