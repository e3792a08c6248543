"""The chain of a journal: each entry carries the hash of the one before, and a seal that only the key can make.

An entry's hash is the SHA-256 of the previous hash and of everything else in it; its seal is the HMAC-SHA256 of that
hash. Who changes, removes, swaps or inserts entries breaks the chain at that place; who appends well-chained ones lacks
the key of the seal. A chain whose end was cut off is still whole: the `Head`, sealed as well, tells of the end.
What no chain can tell is a copy of the whole journal from earlier, put in the place of the newer one: that is a backup.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from workbench.bots.journal.records import read_body

__all__ = ["Entry", "Head", "checked", "genesis_of", "hash_of", "is_itself", "linked", "seal_of", "sealed"]

_SEARCHED: Final = 1_000_000  # places that a misplaced entry is tried at, to say where it came from


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
    kind : str
        Name of the record's type.
    category, level : str
        Of the line of the log that it is; empty for what the market does.
    version : int
        Of how the body is written.
    body : str
        The values of the record, as JSON.
    previous, hash, seal : bytes
        The hash of the entry before, its own, and the seal of that.
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
        """The record as it was written.

        Raises
        ------
        DataError
            It is damaged, or a newer workbench wrote it.
        """
        return read_body(self.kind, self.version, self.body)


class Head(NamedTuple):
    """Where a journal begins and ends: the last entry that was removed on purpose, and the last that there is."""

    base: int
    base_hash: bytes
    position: int
    hash: bytes
    seal: bytes = b""

    def sealed_by(self, key: bytes) -> Head:
        """Give it with its seal."""
        return self._replace(seal=seal_of(key, self._content()))

    def is_sealed_by(self, key: bytes) -> bool:
        """Tell whether the key made its seal."""
        return sealed(key, self._content(), self.seal)

    def _content(self) -> bytes:
        return f"head {self.base} {self.base_hash.hex()} {self.position} {self.hash.hex()}".encode()


def hash_of(entry: Entry) -> bytes:
    """Work out what the hash of an entry must be, from its other fields."""
    rest = (
        f"{entry.position} {entry.ts} {entry.recorded} {entry.session} {entry.kind} {entry.category} {entry.level} "
        f"{entry.version} {entry.body}"
    )
    return hashlib.sha256(entry.previous + rest.encode()).digest()


def is_itself(entry: Entry) -> bool:
    """Tell whether an entry is the one that its hash was made of."""
    return type(entry.previous) is type(entry.hash) is bytes and hash_of(entry) == entry.hash


def seal_of(key: bytes, content: bytes) -> bytes:
    """Give the seal of something."""
    return hmac.digest(key, content, "sha256")


def sealed(key: bytes, content: bytes, seal: bytes) -> bool:
    """Tell whether a seal was made with the key."""
    return type(seal) is bytes and hmac.compare_digest(seal_of(key, content), seal)


def linked(entry: Entry, previous: bytes, key: bytes) -> Entry:
    """Put an entry behind another."""
    behind = Entry(*entry[:9], previous)
    digest = hash_of(behind)
    return Entry(*behind[:10], digest, seal_of(key, digest))


def genesis_of(name: str, nonce: bytes) -> bytes:
    """Give the hash that the first entry of a journal follows: no entry of another journal fits behind it."""
    return hashlib.sha256(b"workbench journal\n" + name.encode() + b"\n" + nonce).digest()


def checked(
    entries: Iterable[Entry], after: tuple[int, bytes], end: tuple[int, bytes], key: bytes, fault: Callable[..., Any]
) -> Iterator[Entry]:
    """Give entries on, as long as the chain holds.

    Parameters
    ----------
    entries : iterable of Entry
        In the order of their places.
    after, end : tuple of int and bytes
        Place and hash of the entry before the first of them, and of the last.
    key : bytes
    fault : callable
        Told `(fault, position, text)` of the first place where it does not hold; gives the error that is raised.

    Raises
    ------
    DataError
        Whatever `fault` gives.
    """
    position, digest = after
    for entry in entries:
        position += 1
        found = _fault(entry, position, digest, end[0], key)
        if found is not None:
            raise fault(*found)
        digest = entry.hash
        yield entry
    if position < end[0]:
        raise fault("cut", position + 1, f"the end is missing: entries {position + 1:,} to {end[0]:,}")
    if digest != end[1]:
        raise fault("appended", position, f"entry {position:,} is not the last one that was written")


def _fault(entry: Entry, position: int, previous: bytes, end: int, key: bytes) -> tuple[str, int, str] | None:
    if type(entry.position) is not int:
        return "changed", position, f"entry {position:,} was changed"
    if entry.position > end:
        return "appended", entry.position, f"entry {entry.position:,} was appended by another hand"
    if entry.position != position:
        return "missing", position, f"entry {position:,} is missing"
    if not is_itself(entry):
        place = _own_place(entry, end)
        if place is None:
            return "changed", position, f"entry {position:,} was changed"
        return "swapped", position, f"at place {position:,} lies entry {place:,}: entries were swapped or taken out"
    if not sealed(key, entry.hash, entry.seal):
        return (
            "appended",
            position,
            f"entry {position:,} was put there by another hand: its seal is not of this journal",
        )
    if entry.previous != previous:
        return "swapped", position, f"entry {position:,} does not follow the one before it"
    return None


def _own_place(entry: Entry, end: int) -> int | None:
    """Find the place that an entry was written at, where all else about it is as it was."""
    if end > _SEARCHED:
        return None
    return next((place for place in range(1, end + 1) if is_itself(entry._replace(position=place))), None)
