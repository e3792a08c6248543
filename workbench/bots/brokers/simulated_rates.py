"""The funding of a venue as a simulated one at its prices needs it: when the next is due, and at which rate."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from workbench.market.feeds.lines import Lines

__all__ = ["Rates"]

_PAUSE_S: Final = 60.0


class Rates:
    """Asks a venue for the next funding of perpetuals, now and then.

    Parameters
    ----------
    lines : Lines
    symbols : sequence of str
        Perpetuals.
    tell : callable
        `(symbol, ts, rate)`: told the next settlement (ms UTC) whenever it is asked.
    """

    def __init__(self, lines: Lines, symbols: Sequence[str], tell: Callable[[str, int, float], None]) -> None:
        self._lines, self._symbols, self._tell = lines, tuple(symbols), tell
        self._due = 0.0
        self.failure = ""

    async def ask(self) -> None:
        """Ask for all of them, at most once a minute; a venue that does not say settles nothing."""
        if not self._symbols or time.monotonic() < self._due or not self._lines.can("fetchFundingRate"):
            return
        self._due = time.monotonic() + _PAUSE_S / self._lines.speed
        for symbol in self._symbols:
            try:
                row = await self._lines.ask("fetch_funding_rate", symbol)
            except Exception as error:  # whatever a client raises: it is asked again
                self.failure = self._lines.reason(error)
                return
            self._hear(symbol, row)
        self.failure = ""

    def _hear(self, symbol: str, row: Any) -> None:
        rate, due = row.get("fundingRate"), row.get("fundingTimestamp") or row.get("nextFundingTimestamp")
        if rate is not None and due is not None:
            self._tell(symbol, int(due), float(rate))
