"""Who may trade: keys, secrets and accounts, and the proof that a request was made with the secret and is fresh."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from workbench.errors import ConfigError

__all__ = ["PRACTICE", "Credential", "Keyring", "hmac_hex", "split_signature", "websocket_payload"]

_KEPT: Final = 1_000
_SAME_MS: Final = 250


class Credential(NamedTuple):
    """An API key, its secret, and the account that it trades on.

    With `trades` False it may only look; with `withdraws` it says that it may send money away, which bots refuse.
    """

    account: str
    key: str
    secret: str
    trades: bool = True
    withdraws: bool = False

    def __repr__(self) -> str:
        return f"Credential(account={self.account!r}, key=..., secret=..., trades={self.trades})"


PRACTICE: Final = Credential("practice", "practice-key", "cHJhY3RpY2Utc2VjcmV0LWZvci10aGUtbG9vcGJhY2s=")
"""The key that every practice exchange knows. It is no secret: it opens nothing but a venue of make-believe."""


def _wall_ms() -> int:
    return int(time.time() * 1000)


class Keyring:
    """The credentials of an exchange, and which times it has told to whom asked.

    Parameters
    ----------
    credentials : iterable of Credential
        By default only `PRACTICE`.

    Raises
    ------
    ConfigError
        Two have the same key.
    """

    def __init__(self, credentials: Iterable[Credential] = (PRACTICE,)) -> None:
        self._by_key: dict[str, Credential] = {}
        for one in credentials:
            if one.key in self._by_key:
                raise ConfigError(f"two accounts ({self._by_key[one.key].account}, {one.account}) have the same key")
            self._by_key[one.key] = one
        self._offsets: list[int] = []

    def find(self, key: str) -> Credential | None:
        """Give what belongs to a key."""
        return self._by_key.get(key)

    def told(self, now: int) -> None:
        """Remember that the exchange told its time: who heard it counts on from there by their own clock."""
        offset = now - _wall_ms()
        if not any(abs(offset - one) <= _SAME_MS for one in self._offsets):
            self._offsets.append(offset)
            del self._offsets[:-_KEPT]

    def fresh(self, timestamp: int, window: int, now: int, skew: int = 0) -> bool:
        """Tell whether a request's time is neither over a second ahead of the exchange's nor older than its window.

        A client counts on by its own clock from the time that it was told, but a held or hurried exchange does not run
        with the wall clock: each time ever told counts on here as it does there. `skew` is how wrong the exchange's
        clock is at present.
        """
        wall = _wall_ms()
        times = (now, *(wall + offset for offset in reversed(self._offsets)))
        return any(timestamp < then + skew + 1_000 and then + skew - timestamp <= window for then in times)


def hmac_hex(secret: str, payload: bytes) -> str:
    """Give the HMAC-SHA256 of bytes, in hexadecimal."""
    return hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()


def split_signature(raw: bytes) -> tuple[bytes, str]:
    """Part what was signed from the signature behind it; "" where there is none."""
    payload, mark, signature = raw.rpartition(b"signature=")
    if not mark or (payload and not payload.endswith(b"&")):
        return raw, ""
    return payload[:-1], signature.decode("ascii", "replace")


def websocket_payload(params: Mapping[str, Any]) -> bytes:
    """Give what is signed of a request over the websocket API: all but the signature, sorted, joined, not encoded."""
    parts = (
        f"{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in sorted(params.items())
        if name != "signature"
    )
    return "&".join(parts).encode()
