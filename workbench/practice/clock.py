"""Clocks of the practice exchange: one that a test holds in its hand, and one that runs at a speed.

The exchange asks a clock for the time and nothing else; times are ms UTC. `Engine.advance` does what has become due
since, so whoever holds the clock decides when anything happens.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from workbench.errors import ConfigError

__all__ = ["Clock", "HeldClock", "RunningClock"]


class Clock(Protocol):
    """What tells the time."""

    def now(self) -> int:
        """Give the time, ms UTC; it never goes back."""
        ...


class HeldClock:
    """A clock that stands still until somebody moves it.

    Parameters
    ----------
    start : int
        ms UTC.
    """

    def __init__(self, start: int) -> None:
        self._now = int(start)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"HeldClock({self._now})"

    def now(self) -> int:
        """Give the time, ms UTC."""
        return self._now

    def set(self, ms: int) -> None:
        """Move the clock to a time, ms UTC; ConfigError for one that has passed."""
        with self._lock:
            if ms < self._now:
                raise ConfigError(f"a clock at {self._now} cannot go back to {ms}; make a new exchange to begin again")
            self._now = int(ms)

    def advance(self, ms: int) -> None:
        """Move the clock on by some ms; ConfigError for a negative number."""
        self.set(self._now + int(ms))


class RunningClock:
    """A clock that runs by itself.

    Parameters
    ----------
    speed : float, default 1.0
        How many ms pass in one ms of real time; 0.0 stands still.
    start : int, optional
        Where it starts, ms UTC; the real time when left out.
    source : callable, default time.monotonic
        Gives seconds of real time.

    Raises
    ------
    ConfigError
        The speed is negative or not finite.
    """

    def __init__(
        self, speed: float = 1.0, start: int | None = None, source: Callable[[], float] = time.monotonic
    ) -> None:
        if not 0.0 <= speed < 1e9:
            raise ConfigError(f"a clock's speed is {speed!r}; give a number of 0 or more, 1.0 for real time")
        self.speed, self._source = float(speed), source
        self._start = int(time.time() * 1_000) if start is None else int(start)
        self._begun = source()

    def __repr__(self) -> str:
        return f"RunningClock(speed={self.speed!r}, start={self._start})"

    def now(self) -> int:
        """Give the time, ms UTC."""
        return self._start + int((self._source() - self._begun) * 1_000.0 * self.speed)
