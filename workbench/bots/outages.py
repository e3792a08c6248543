"""What becomes of the connections of a feed, as lines of the log: each change once, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from workbench.market.feeds.events import ConnectionMoved

__all__ = ["Outages"]

_BROKEN: Final = {
    "lost": "{what}: the websocket broke",
    "stale": "{what}: the websocket was silent and is opened anew",
    "down": "{what}: the venue answers neither by websocket nor over REST",
    "polling": "{what}: asked over REST, since its websocket does not work",
}


class Outages:
    """Says which connections are away, and which are there again.

    Parameters
    ----------
    log : callable
        `(level, text, fields)`.
    """

    def __init__(self, log: Callable[[str, str, dict[str, Any]], Any]) -> None:
        self._log = log
        self._states: dict[tuple[str, str], str] = {}

    def note(self, event: ConnectionMoved) -> None:
        """Take a change; what was told is not told again, nor that all is well from the beginning."""
        key = (event.channel, event.symbol)
        before = self._states.get(key, "")
        what = f"{event.channel} of {event.symbol}"
        fields = {"channel": event.channel, "symbol": event.symbol, "connection": event.state}
        if event.state == before:
            return
        if event.state in _BROKEN:
            self._states[key] = event.state
            if event.state == "polling" and not event.reason and not before:
                self._log("info", f"{what}: asked over REST, since the venue has no websocket for it", fields)
                return
            reason = f": {event.reason}" if event.reason else ""
            self._log("warning", _BROKEN[event.state].format(what=what) + reason, {**fields, "why": event.reason})
        elif event.state == "live":
            self._states[key] = "live"
            if before:
                self._log("info", f"{what}: live by websocket again", fields)
