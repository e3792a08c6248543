"""Which funding is a bot's own: what it held when a venue settled, and what of that is in the books already."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from workbench.bots.brokers.talk import Snapshot, VenueFunding
from workbench.trading.core import Traded
from workbench.trading.events import Filled, Funded

__all__ = ["Fundings"]

_LATE_MS: Final = 3_600_000  # how long a venue may take to tell of a settlement
_MOST: Final = 4_096  # changes of a position that are kept where a venue never settles
_NEARLY: Final = 1e-9


class _Held:
    """What was held of one instrument: `base` up to `upto` (ms UTC), and how it changed since."""

    __slots__ = ("base", "changes", "upto")

    def __init__(self, upto: int = 0, base: float = 0.0, changes: list[tuple[int, float]] | None = None) -> None:
        self.upto, self.base, self.changes = upto, base, changes or []

    def at(self, ts: int) -> float:
        return self._flat(math.fsum((self.base, *(change for when, change in self.changes if when <= ts))))

    def fold(self, upto: int) -> None:
        """Forget when what happened up to a time."""
        self.upto = max(self.upto, upto)
        self.base = self.at(self.upto)
        self.changes = [one for one in self.changes if one[0] > self.upto]

    def _flat(self, quantity: float) -> float:
        most = max((abs(change) for _, change in self.changes), default=abs(self.base))
        return 0.0 if abs(quantity) <= _NEARLY * most else quantity


class Fundings:
    """Takes from a venue's settlements those of positions that a bot held, each once.

    Parameters
    ----------
    markets : mapping of symbol to Traded
    """

    def __init__(self, markets: Mapping[str, Traded]) -> None:
        self._symbols = frozenset(name for name, one in markets.items() if one.instrument.kind != "spot")
        self._held: dict[str, _Held] = {}

    def filled(self, fill: Filled) -> None:
        """Note that a position has changed."""
        if fill.symbol in self._symbols:
            held = self._held.setdefault(fill.symbol, _Held())
            held.changes.append((fill.ts, fill.change))
            if len(held.changes) > _MOST:
                held.fold(sorted(held.changes)[_MOST // 2][0])

    def funded(self, event: Funded) -> None:
        """Note that a settlement is in the books."""
        if event.symbol in self._symbols:
            self._held.setdefault(event.symbol, _Held()).fold(event.ts)

    def since(self) -> int:
        """Give from when on settlements are to be asked for (ms UTC); 0 where none can be this bot's."""
        starts = [
            one.upto if one.base else max(one.upto, min(ts for ts, _ in one.changes))
            for one in self._held.values()
            if one.base or one.changes
        ]
        return min(starts, default=0)

    def take(self, seen: Snapshot) -> list[Funded]:
        """Give the settlements that are the bot's own and not in the books yet.

        Where others hold the same instrument in the account, the bot's share of it is what it holds of the whole.
        """
        if seen.funding is None:
            return []
        found = []
        for row in sorted(seen.funding, key=lambda one: one.ts):
            held = self._held.get(row.symbol)
            if held is None or row.ts <= held.upto:
                continue
            quantity = held.at(row.ts)
            if quantity:
                amount = row.amount * _share(quantity, held, row, seen)
                found.append(Funded(row.ts, row.symbol, quantity, math.nan, row.rate, amount))
            held.fold(row.ts)
        for held in self._held.values():
            held.fold(seen.asked - _LATE_MS)
        return found

    def snapshot(self) -> dict[str, Any]:
        """Give the state as plain data for JSON."""
        return {name: [one.upto, one.base, [list(row) for row in one.changes]] for name, one in self._held.items()}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up what `snapshot` gave."""
        self._held = {
            name: _Held(upto, base, [(ts, change) for ts, change in rows]) for name, (upto, base, rows) in data.items()
        }


def _share(quantity: float, held: _Held, row: VenueFunding, seen: Snapshot) -> float:
    """Give which part of a settlement is that of a quantity, as far as what is held now tells."""
    whole = sum(one.quantity for one in seen.positions if one.symbol == row.symbol)
    still = held.at(seen.asked) == quantity
    return quantity / whole if still and whole * quantity > 0.0 and abs(whole) > abs(quantity) else 1.0
