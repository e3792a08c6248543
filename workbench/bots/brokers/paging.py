"""All fills since a time: page by page, in windows where a venue gives only so much time at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from workbench.market.feeds.lines import Lines

__all__ = ["OVERLAP_MS", "fills_since"]

OVERLAP_MS: Final = 60_000  # asked for again: the clocks of matching and of reporting differ
_PAGE: Final = 500
_DAY_MS: Final = 86_400_000
_WINDOW_MS: Final = {"binance": _DAY_MS, "binanceusdm": 7 * _DAY_MS, "binancecoinm": 7 * _DAY_MS, "bybit": 7 * _DAY_MS}
_AHEAD_MS: Final = 60_000

Ask = Callable[..., Awaitable[Any]]


async def fills_since(ask: Ask, lines: Lines, symbol: str, since: int) -> list[Any]:
    """Give the rows of our fills of a symbol since a time (ms UTC), each once, in the order of the venue.

    Parameters
    ----------
    ask : callable
        `(method, *arguments)`: asks the venue.
    lines : Lines
        For the venue's clock and name.
    symbol : str
    since : int
    """
    found: dict[str, Any] = {}
    window = _WINDOW_MS.get(lines.venue)
    end = lines.now() + _AHEAD_MS
    while True:
        until = None if window is None else since + window
        params = {} if until is None or until >= end else {"until": until}
        since = await _pages(ask, symbol, since, params, found)
        if not params or until is None:
            return sorted(found.values(), key=lambda row: int(row["timestamp"]))
        since = until


async def _pages(ask: Ask, symbol: str, since: int, params: dict[str, Any], found: dict[str, Any]) -> int:
    """Ask for page after page of one window until one is not full."""
    while True:
        rows = await ask("fetch_my_trades", symbol, since, _PAGE, params)
        known = len(found)
        found.update((str(row["id"]), row) for row in rows)
        last = max((int(row["timestamp"]) for row in rows), default=since)
        if len(rows) < _PAGE:
            return last
        since = last if len(found) > known else last + 1  # a page of one moment: go on behind it
