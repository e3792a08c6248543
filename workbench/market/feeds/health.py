"""How a feed is, as plain data that a panel can draw and a log can keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from workbench.market.feeds.feed import Times

__all__ = ["ChannelHealth", "FeedHealth"]

_WORST: Final = ("down", "lost", "stale", "connecting", "polling", "live", "closed")


@dataclass(kw_only=True)
class ChannelHealth:
    """One channel of a feed: what it is, how it works now, and what it has been through."""

    channel: str
    symbol: str
    state: str = "connecting"
    messages: int = 0
    reconnects: int = 0
    polls: int = 0
    latency_ms: int | None = None
    error: str = ""
    heard: float | None = None  # monotonic

    def plain(self, now: float) -> dict[str, Any]:
        """Give it as plain data; `age_s` is None before the first message."""
        return {
            "channel": self.channel,
            "symbol": self.symbol,
            "state": self.state,
            "messages": self.messages,
            "reconnects": self.reconnects,
            "polls": self.polls,
            "age_s": None if self.heard is None else round(now - self.heard, 3),
            "latency_ms": self.latency_ms,
            "error": self.error,
        }


@dataclass(kw_only=True)
class FeedHealth:
    """All channels of a feed; its state is that of the one that is worst off."""

    times: Times
    channels: list[ChannelHealth] = field(default_factory=list)
    waiting: int = 0

    def plain(self) -> dict[str, Any]:
        """Give it as plain data: `state`, `messages`, `age_s`, `reconnects`, `latency_ms`, `waiting`, `channels`."""
        now = self.times.monotonic()
        channels = [channel.plain(now) for channel in self.channels]
        ages = [channel["age_s"] for channel in channels if channel["age_s"] is not None]
        latencies = [channel["latency_ms"] for channel in channels if channel["latency_ms"] is not None]
        states = [channel["state"] for channel in channels]
        return {
            "state": min(states, key=_WORST.index, default="closed"),
            "messages": sum(channel["messages"] for channel in channels),
            "age_s": min(ages, default=None),
            "reconnects": sum(channel["reconnects"] for channel in channels),
            "latency_ms": max(latencies, default=None),
            "waiting": self.waiting,
            "channels": channels,
        }
