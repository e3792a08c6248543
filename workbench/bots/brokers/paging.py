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
        until = end if window is None else min(since + window, end)
        done = await _pages(ask, symbol, since, {"until": until} if until < end else {}, found)
        if done or until >= end:
            return sorted(found.values(), key=lambda row: int(row["timestamp"]))
        since = until


async def _pages(ask: Ask, symbol: str, since: int, params: dict[str, Any], found: dict[str, Any]) -> bool:
    """Ask for page after page of a window until one is not full; tell whether what is behind the window came too."""
    while since <= params.get("until", since):
        rows = await ask("fetch_my_trades", symbol, since, _PAGE, params)
        known = len(found)
        found.update((str(row["id"]), row) for row in rows)
        if len(rows) < _PAGE:
            return False
        last = max(rows, key=lambda row: int(row["timestamp"]))
        if len(found) > known:
            since = int(last["timestamp"])
        elif "commissionAsset" in (last.get("info") or {}):  # Binance: a page is of one moment, so go on by number
            return await _by_number(ask, symbol, found)
        else:
            since = int(last["timestamp"]) + 1
    return False


async def _by_number(ask: Ask, symbol: str, found: dict[str, Any]) -> bool:
    """Ask for all that come after those that are known, by their numbers."""
    while True:
        number = max(int(name) for name in found) + 1
        rows = await ask("fetch_my_trades", symbol, None, _PAGE, {"fromId": number})
        found.update((str(row["id"]), row) for row in rows)
        if len(rows) < _PAGE:
            return True
