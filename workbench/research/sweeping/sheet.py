"""What combinations have in common, computed once: columns by what they are made of, as far as memory goes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

__all__ = ["Sheet"]


class Sheet:
    """Columns that were computed, the least used forgotten first.

    Parameters
    ----------
    most_bytes : int
        How much is kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes, self.bytes = most_bytes, 0
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Give what a key stands for, made where it is not there."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = make()
        size = _size(found)
        with self._lock:
            if key not in self._kept and size <= self.most_bytes:
                self._kept[key] = found
                self.bytes += size
                while self.bytes > self.most_bytes:
                    self.bytes -= _size(self._kept.popitem(last=False)[1])
        return found


def _size(value: Any) -> int:
    if isinstance(value, tuple):
        return sum(map(_size, value))
    return value.nbytes if isinstance(value, np.ndarray) else 64
