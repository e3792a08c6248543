"""The chain of a journal: each entry carries the hash of the one before, and a seal that only the key can make.

An entry's hash is the SHA-256 of the previous hash and of every other thing in it; its seal is the HMAC-SHA256 of that
hash. Who changes, removes, swaps or inserts entries breaks the chain at that place; who appends properly chained ones
lacks the key of the seal. An end that was cut off leaves a chain that is whole: the head record (`head`) tells of it.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final, NamedTuple

from workbench.bots.journal.records import read_body

__all__ = ["GENESIS_SIZE", "Entry", "chained", "entry_hash", "genesis_of", "seal_of", "sealed"]

GENESIS_SIZE: Final = 32


class Entry(NamedTuple):
    """One record in its place.

    Parameters
    ----------
    position : int
        From 1, without gaps.
    ts, recorded : int
        When it happened, and when it was written (ms UTC).
    session : int
        0 outside of any.
    kind, category, level : str
        The last two are empty for what the market does.
    version : int
        Of how the body is written.
    body : str
        The values of the record, as canonical JSON.
    previous, hash, seal : bytes
    """

    position: int
    ts: int
    recorded: int
    session: int
    kind: str
    category: str
    level: str
    version: int
    body: str
    previous: bytes = b""
    hash: bytes = b""
    seal: bytes = b""

    @property
    def record(self) -> Any:
        """The record as it was appended.

        Raises
        ------
        DataError
            It is damaged, or a newer workbench wrote it.
        """
        return read_body(self.kind, self.version, self.body)


def entry_hash(entry: Entry) -> bytes:
    """Work out what the hash of an entry must be, from its other fields."""
    head = "|".join(map(str, entry[:8]))
    return hashlib.sha256(entry.previous + f"{head}|{entry.body}".encode()).digest()


def seal_of(key: bytes, digest: bytes) -> bytes:
    """Give the seal of a hash."""
    return hmac.digest(key, digest, "sha256")


def sealed(key: bytes, digest: bytes, seal: bytes) -> bool:
    """Tell whether a seal was made with the key."""
    return hmac.compare_digest(seal_of(key, digest), seal)


def chained(entry: Entry, previous: bytes, key: bytes) -> Entry:
    """Put an entry behind another."""
    linked = entry._replace(previous=previous)
    digest = entry_hash(linked)
    return linked._replace(hash=digest, seal=seal_of(key, digest))


def genesis_of(name: str, nonce: bytes) -> bytes:
    """Give the hash that the first entry of a journal follows: no entry of another journal fits behind it."""
    return hashlib.sha256(b"workbench journal\n" + name.encode() + b"\n" + nonce).digest()
