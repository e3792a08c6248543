"""Who is told what happens to an account of Binance: user streams and the keys that open them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from workbench.practice.wire.binance_errors import BinanceError
from workbench.practice.wire.binance_words import Params

if TYPE_CHECKING:
    from workbench.practice.wire.binance import Binance

__all__ = ["Listener", "Users", "drop_key", "keep_key", "new_key"]

_LIFE_S: Final = 3_600.0


class Listener(Protocol):
    """A user stream."""

    def tell(self, event: Mapping[str, Any]) -> None:
        """Send an event."""


class Users:
    """The user streams of a venue, by account, and its listen keys."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Listener]] = {}
        self._keys: dict[str, tuple[str, float]] = {}  # account: its key, and until when (real seconds) it is good

    def join(self, account: str, listener: Listener) -> None:
        """Begin to tell."""
        self._listeners.setdefault(account, []).append(listener)

    def leave(self, account: str, listener: Listener) -> None:
        """End that."""
        mine = self._listeners.get(account, [])
        if listener in mine:
            mine.remove(listener)

    def tell(self, account: str, event: Mapping[str, Any]) -> None:
        """Tell an account's streams."""
        for listener in tuple(self._listeners.get(account, ())):
            listener.tell(event)

    def key(self, account: str) -> str:
        """Give the listen key of an account, good for an hour from now."""
        key, until = self._keys.get(account, ("", 0.0))
        if until < time.monotonic():
            key = secrets.token_hex(32)
        self._keys[account] = (key, time.monotonic() + _LIFE_S)
        return key

    def known(self, account: str) -> bool:
        """Tell whether an account has a listen key that is good."""
        return self._keys.get(account, ("", 0.0))[1] > time.monotonic()

    def forget(self, account: str) -> None:
        """Take the listen key of an account away."""
        self._keys.pop(account, None)

    def account_of(self, key: str) -> str:
        """Tell whose a listen key is; "" for one that is not good."""
        found = (name for name, (one, until) in self._keys.items() if one == key and until > time.monotonic())
        return next(found, "")


def new_key(venue: Binance, params: Params, account: str) -> Any:
    """Give a listen key."""
    return {"listenKey": venue.users.key(account)}


def keep_key(venue: Binance, params: Params, account: str) -> Any:
    """Keep a listen key good."""
    if not venue.users.known(account):
        raise BinanceError(-1125, "This listenKey does not exist.")
    return {"listenKey": venue.users.key(account)}


def drop_key(venue: Binance, params: Params, account: str) -> Any:
    """Take a listen key away."""
    venue.users.forget(account)
    return {}
