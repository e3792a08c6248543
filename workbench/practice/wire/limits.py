"""Rate limits as an exchange keeps them: weight a minute by address, orders by account, a ban for who does not listen.

They run on the wall clock whatever the exchange's own clock does, since it is the client's machine that they slow down.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Limits", "Window"]

_MINUTE_MS: Final = 60_000
_LONGEST_BAN_MS: Final = 3 * 86_400_000


def _wall_ms() -> int:
    return int(time.time() * 1000)


@dataclass(slots=True)
class Window:
    """A count that starts again with each whole interval.

    Parameters
    ----------
    interval_ms : int
    limit : int
        How much may be used within one interval.
    """

    interval_ms: int
    limit: int
    used: int = 0
    _began: int = 0

    def add(self, now: int, amount: int) -> bool:
        """Count; False where that goes beyond the limit."""
        began = now - now % self.interval_ms
        if began != self._began:
            self._began, self.used = began, 0
        self.used += amount
        return self.used <= self.limit

    def left_ms(self, now: int) -> int:
        """Time until it starts again."""
        return self.interval_ms - now % self.interval_ms


@dataclass(kw_only=True)
class Limits:
    """The limits of one protocol.

    Parameters
    ----------
    weight_1m : int, default 6000
        Weight of requests a minute.
    orders_10s, orders_1d : int
        New orders of an account.
    patience : int, default 30
        How many requests beyond the limit are answered with 429 before the address is banned (418).
    ban_ms : int, default 120_000
        Length of the first ban; each later one is twice as long, at most three days.
    clock : callable, optional
        ms; the wall clock when left out.
    """

    weight_1m: int = 6_000
    orders_10s: int = 100
    orders_1d: int = 200_000
    patience: int = 30
    ban_ms: int = 120_000
    clock: Callable[[], int] = _wall_ms
    weight: Window = field(init=False)
    most_used: int = field(init=False, default=0)
    refused: int = field(init=False, default=0)
    _beyond: int = field(init=False, default=0)
    _banned_until: int = field(init=False, default=0)
    _bans: int = field(init=False, default=0)
    _orders: dict[str, tuple[Window, Window]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.weight = Window(_MINUTE_MS, self.weight_1m)

    def charge(self, weight: int) -> tuple[int, int]:
        """Count a request.

        Returns
        -------
        status : int
            200, or 429 beyond the limit, or 418 for a banned address.
        wait_ms : int
            How long to wait where it is not 200.
        """
        now = self.clock()
        if now < self._banned_until:
            self.refused += 1
            return 418, self._banned_until - now
        if self.weight.add(now, weight):
            self._beyond = 0
            self.most_used = max(self.most_used, self.weight.used)
            return 200, 0
        self.refused += 1
        self._beyond += 1
        if self._beyond > self.patience:
            return 418, self.ban(min(self.ban_ms << self._bans, _LONGEST_BAN_MS))
        return 429, self.weight.left_ms(now)

    def ban(self, length_ms: int) -> int:
        """Answer everything with 418 for a time (ms), which is given back."""
        self._bans += 1
        self._beyond = 0
        self._banned_until = self.clock() + length_ms
        return length_ms

    def order(self, account: str) -> tuple[bool, dict[str, int]]:
        """Count a new order of an account: whether it may be, and the counts by the header that tells them."""
        now = self.clock()
        short, day = self._orders.setdefault(
            account, (Window(10_000, self.orders_10s), Window(86_400_000, self.orders_1d))
        )
        fits = short.add(now, 1) & day.add(now, 1)
        return fits, {"10S": short.used, "1D": day.used}
