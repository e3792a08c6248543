"""The settlements of funding that a venue has in an account's history."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from workbench.bots.brokers.talk import VenueFunding
from workbench.bots.brokers.wire import Wire
from workbench.errors import BrokerRejected
from workbench.trading.core import Traded

__all__ = ["FundingHistory"]

_HOUR_MS: Final = 3_600_000  # venues settle on full hours
_SOON_MS: Final = 600_000  # after that, each look asks: some tell it minutes later
_PAGE: Final = 100
_PAGES: Final = 50


class FundingHistory:
    """Asks a venue for what was settled, where it has such a history.

    Parameters
    ----------
    wire : Wire
    markets : mapping of symbol to Traded
    """

    def __init__(self, wire: Wire, markets: Mapping[str, Traded]) -> None:
        self._wire = wire
        self._symbols = [name for name, one in markets.items() if one.instrument.kind != "spot"]
        self._asked: int | None = None
        self._refused = False

    async def since(self, ts: int, now: int) -> tuple[VenueFunding, ...] | None:
        """Give the settlements since a time (ms UTC), oldest first; None where it is not worth asking, or in vain.

        Raises
        ------
        BrokerTransient, BrokerFatal
        """
        offered = self._wire.rest.has.get("fetchFundingHistory") and not self._refused
        due = self._asked is None or now - self._asked >= _HOUR_MS or now % _HOUR_MS < _SOON_MS
        if not (ts and due and offered and self._symbols):
            return None
        found: list[VenueFunding] = []
        try:
            for symbol in self._symbols:
                found += await self._of(symbol, ts)
        except BrokerRejected:  # a key that may trade and not see this: the account's money shows that something came
            self._refused = True
            return None
        self._asked = now
        return tuple(sorted(found))

    async def _of(self, symbol: str, ts: int) -> list[VenueFunding]:
        rows: dict[str, Any] = {}
        for _ in range(_PAGES):
            page = await self._wire.call(
                "read", "fetch_funding_history", symbol, ts, _PAGE, asked=f"funding of {symbol}"
            )
            known = len(rows)
            rows.update((f"{row.get('id')} {row['timestamp']}", row) for row in page)
            if len(page) < _PAGE or len(rows) == known:
                break
            ts = max(int(row["timestamp"]) for row in page)
        return [
            VenueFunding(int(row["timestamp"]), symbol, float(row["amount"]), _rate(row))
            for row in rows.values()
            if row.get("amount") is not None
        ]


def _rate(row: Mapping[str, Any]) -> float:
    value = row.get("rate") or (row.get("info") or {}).get("fundingRate")
    return math.nan if value is None else float(value)
