"""How long to wait before trying again: longer each time, and never in step with others."""

from __future__ import annotations

import random

__all__ = ["Backoff"]


class Backoff:
    """Pauses that grow from attempt to attempt, each shortened at random.

    Parameters
    ----------
    first_s, most_s : float
        The first pause and the longest, in seconds, before chance.
    jitter : float, default 0.5
        The part of a pause that chance may take away, 0 to 1; many clients that lost one venue do not all come back at
        once.
    seed : int, optional
        The same seed gives the same pauses.

    Examples
    --------
    >>> pauses = Backoff(1.0, 8.0, jitter=0.0)
    >>> [pauses.next() for _ in range(5)]
    [1.0, 2.0, 4.0, 8.0, 8.0]
    """

    def __init__(self, first_s: float, most_s: float, *, jitter: float = 0.5, seed: int | str | None = None) -> None:
        self._first_s, self._most_s, self._jitter = first_s, most_s, jitter
        self._random = random.Random(seed)
        self.attempts = 0

    def next(self) -> float:
        """Give the next pause in seconds."""
        pause = min(self._most_s, self._first_s * 2.0 ** min(self.attempts, 30))
        self.attempts += 1
        return pause * (1 - self._jitter * self._random.random())

    def reset(self) -> None:
        """Begin at the first pause again, because something worked."""
        self.attempts = 0
