"""What is left of a job, and how large the next piece of it should be.

Pieces are sized by measured time: large enough that handing one out costs nothing beside it, small enough that a lost
worker, a Ctrl-C or the last piece to come in costs little. Pure arithmetic; clocks are read elsewhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from workbench.errors import ConfigError

__all__ = ["Pace", "Range", "Ranges"]

Range = tuple[int, int]

_TARGET_S: Final = 0.5  # of one piece
_GROWTH: Final = 8  # from one piece to the next, as the first measurements are of cold caches
_SHARES: Final = 2  # a worker's share of what is left is cut in so many, so that all end at about the same time


class Ranges:
    """Ranges of items that are still to do.

    Parameters
    ----------
    count : int
        Items there are.
    done : iterable of (start, stop)
        Half-open ranges that need no doing; they may overlap.
    """

    def __init__(self, count: int, done: Iterable[Range] = ()) -> None:
        self._left: deque[Range] = deque()
        at = 0
        for start, stop in sorted((int(start), int(stop)) for start, stop in done):
            if not 0 <= start <= stop <= count:
                raise ConfigError(
                    f"done has the range ({start}, {stop}), but there are {count} items: give ranges within them",
                    done=(start, stop),
                    count=count,
                )
            if start > at:
                self._left.append((at, start))
            at = max(at, stop)
        if at < count:
            self._left.append((at, count))
        self.items = sum(stop - start for start, stop in self._left)

    def take(self, size: int) -> Range:
        """Give out the next `size` items, or as many as lie together."""
        start, stop = self._left.popleft()
        cut = min(stop, start + size)
        if cut < stop:
            self._left.appendleft((cut, stop))
        self.items -= cut - start
        return start, cut

    def put_back(self, piece: Range) -> None:
        """Take back a piece that came to nothing; it is the next to go out."""
        self._left.appendleft(piece)
        self.items += piece[1] - piece[0]


@dataclass
class Pace:
    """The speed at which pieces are done, and the size of the next one.

    Parameters
    ----------
    least, most : int
        Bounds of a piece, in items; `most` holds always, `least` except where less is left.
    """

    least: int
    most: int
    seconds_per_item: float | None = None
    largest: int = 0

    def note(self, items: int, seconds: float) -> None:
        """Take in how long a piece took where it was computed."""
        now = seconds / items
        self.seconds_per_item = now if self.seconds_per_item is None else 0.5 * (self.seconds_per_item + now)
        self.largest = max(self.largest, items)

    def size(self, left: int, width: int) -> int:
        """Say how many items the next piece should have, with so many left for `width` workers."""
        if self.seconds_per_item is None:
            wanted = self.least
        else:
            wanted = min(int(_TARGET_S / max(self.seconds_per_item, 1e-9)), _GROWTH * self.largest)
        share = -(-left // (_SHARES * width))
        return max(1, min(self.most, max(self.least, min(wanted, share))))
