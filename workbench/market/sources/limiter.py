"""One rate limiter per venue and key, shared by every client in the process, in the venue's own weights.

ccxt's own throttle belongs to one client: two of them spend the same allowance twice. Here a request reserves the next
free moment for its weight (as ccxt counts it) and sends then; a venue that says "slow down" pauses everybody. The state
lives in the process: several processes that use one address share a venue's allowance without knowing of each other, so
run one download at a time, or give each a part of the allowance with `share`.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from typing import Any, Final

__all__ = ["Limiter", "limit_client", "limiter_for"]

_HEADROOM: Final = 1.1  # ccxt's figure is the venue's limit exactly; a request that is late must not push over it

_known: dict[tuple[str, str], Limiter] = {}
_known_lock = threading.Lock()


class Limiter:
    """Lets requests through at a steady rate; safe across threads and event loops.

    Parameters
    ----------
    interval_s : float
        Seconds that one unit of weight costs.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._next = 0.0
        self._paused_until = 0.0
        self._round = 0  # grows with every pause: what was reserved before it is void

    def __repr__(self) -> str:
        return f"Limiter({self._interval_s!r})"

    @property
    def interval_s(self) -> float:
        """Seconds that one unit of weight costs."""
        return self._interval_s

    @property
    def paused_s(self) -> float:
        """Seconds until anything may be sent again after a pause; 0.0 when none is under way."""
        return max(0.0, self._paused_until - time.monotonic())

    async def acquire(self, weight: float | None = 1.0) -> None:
        """Wait until a request of some weight may be sent."""
        weight = 1.0 if weight is None else float(weight)
        slot, reserved = self._reserve(weight)
        while True:
            wait_s = slot - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            if reserved == self._round:
                if slot <= time.monotonic():
                    return
            else:
                slot, reserved = self._reserve(weight)

    def pause(self, seconds: float) -> None:
        """Let nobody send anything for some time; a longer pause that is under way stays."""
        with self._lock:
            until = time.monotonic() + seconds
            if until <= self._paused_until:
                return
            self._paused_until = until
            self._next = until
            self._round += 1

    def _reserve(self, weight: float) -> tuple[float, int]:
        with self._lock:
            slot = max(time.monotonic(), self._next)
            self._next = slot + weight * self._interval_s
            return slot, self._round


def limiter_for(venue: str, key: str, *, rate_limit_ms: float, share: float = 1.0) -> Limiter:
    """Give the limiter of a venue and key, the same one to everybody who asks.

    Parameters
    ----------
    venue : str
        The name under which its data is stored, so that a practice exchange has its own.
    key : str
        An empty one for public requests. Only a digest of it is kept.
    rate_limit_ms : float
        ccxt's `rateLimit`: milliseconds per unit of weight. Who comes first decides.
    share : float, default 1.0
        The part of the venue's allowance that this process may use.
    """
    name = (venue, hashlib.sha256(key.encode()).hexdigest() if key else "")
    with _known_lock:
        if name not in _known:
            _known[name] = Limiter(rate_limit_ms / 1_000 * _HEADROOM / share)
        return _known[name]


def limit_client(client: Any, limiter: Limiter) -> None:
    """Let a ccxt client wait for our limiter instead of its own throttle; it still computes each request's weight."""
    client.throttle = limiter.acquire
    client.enableRateLimit = True
