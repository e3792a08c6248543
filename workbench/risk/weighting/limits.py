"""What weights may be: bounds of each asset, and caps of groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError

__all__ = ["Limits"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of weights that sum to one.

    Parameters
    ----------
    low, high : float, or mapping of asset to float
        Of every asset, or of those named (others: 0 and 1).
    groups : mapping of asset to str
        The group of each asset that is in one.
    caps : mapping of str to float
        The most that a group may have.

    Examples
    --------
    >>> Limits(high=0.6, groups={"a": "trend", "b": "trend"}, caps={"trend": 0.5}).bounds(["a", "b", "c"])[1].tolist()
    [0.6, 0.6, 0.6]
    """

    low: float | Mapping[Any, float] = 0.0
    high: float | Mapping[Any, float] = 1.0
    groups: Mapping[Any, str] = field(default_factory=dict)
    caps: Mapping[str, float] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether these only say that no weight is below zero."""
        return self.low == 0.0 and self.high == 1.0 and not self.caps

    def bounds(self, names: Sequence[Any]) -> tuple[Floats, Floats]:
        """Give lowest and highest weight of each asset, shape (k,) each.

        Raises
        ------
        ConfigError
            No weights can keep them: a low above its high, lows above one, highs or caps that leave money over.
        """
        low = np.array([self._of(self.low, name, 0.0) for name in names])
        high = np.array([self._of(self.high, name, 1.0) for name in names])
        if not (np.isfinite(low).all() and np.isfinite(high).all() and (low <= high).all()):
            raise ConfigError(f"limits: each low must be at most its high; low = {self.low}, high = {self.high}")
        unknown = sorted(set(self.caps) - set(self.groups.values()))
        if unknown:
            raise ConfigError(f"limits: no asset is in the group {unknown[0]!r}, which has a cap")
        room = self._room(names, low, high)
        if low.sum() > 1.0 + 1e-12 or room < 1.0 - 1e-12:
            raise ConfigError(
                f"limits: weights between these sum to {low.sum():g} at least and {room:g} at most, never to one; "
                "widen them"
            )
        return low, high

    def _room(self, names: Sequence[Any], low: Floats, high: Floats) -> float:
        """Give the largest sum that bounds and caps allow; less than nothing where a group's lows exceed its cap."""
        total = 0.0
        for group in {self.groups.get(name) for name in names}:
            mine = [self.groups.get(name) == group for name in names]
            cap = self.caps.get(group, np.inf) if group is not None else np.inf
            total += min(float(high[mine].sum()), cap) if low[mine].sum() <= cap + 1e-12 else -np.inf
        return total

    @staticmethod
    def _of(said: float | Mapping[Any, float], name: Any, usual: float) -> float:
        return float(said.get(name, usual) if isinstance(said, Mapping) else said)
