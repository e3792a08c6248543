"""Client order ids as a venue takes them, and those of orders that took another's place.

To the bot an order keeps its id for life. A venue that cannot change an order gets a new one under a new id: the same
with the number of the replacement, so that it can be found again without having been written down.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["Names"]

_OURS: Final = re.compile(r"wb[0-9a-f]{22}")
_REPLACED: Final = re.compile(r"(wb[0-9a-f]{22})r(\d+)")
_HEX: Final = re.compile(r"(?:0x)?7762([0-9a-f]{22})([0-9a-f]{6})")  # "wb" as hex, the id, the number: 32 digits
_AS_HEX: Final = {"kraken": "", "krakenfutures": "", "hyperliquid": "0x", "coinbase": ""}
_PREFIX: Final = {"gate": "t-", "gateio": "t-"}


class Names:
    """The names of the orders of one venue.

    Parameters
    ----------
    venue : str
        ccxt's name: some take only 32 hexadecimal digits, some want a prefix.

    Examples
    --------
    >>> names = Names("kraken")
    >>> names.spell("wb00112233445566778899aa", 1)
    '776200112233445566778899aa000001'
    >>> names.read("776200112233445566778899aa000001")
    ('wb00112233445566778899aa', 1)
    """

    def __init__(self, venue: str) -> None:
        self._hex = _AS_HEX.get(venue)
        self._prefix = _PREFIX.get(venue, "")
        self._other: dict[str, tuple[str, int]] = {}

    def spell(self, id: str, number: int = 0) -> str:
        """Give the id under which the venue has an order, or the how many-th replacement of it."""
        if self._hex is not None and _OURS.fullmatch(id):
            return f"{self._hex}7762{id[2:]}{number:06x}"
        text = f"{id}r{number}" if number else id
        if number and not _OURS.fullmatch(id):
            self._other[text] = (id, number)
        return text

    def read(self, text: str | None) -> tuple[str, int]:
        """Give our id of an order, and the number of its replacement, of the id that a venue says; "" for none."""
        plain = (text or "").removeprefix(self._prefix)
        found = _HEX.fullmatch(plain.replace("-", "")) if self._hex is not None else None
        if found is not None:
            return "wb" + found[1], int(found[2], 16)
        replaced = _REPLACED.fullmatch(plain)
        if replaced is not None:
            return replaced[1], int(replaced[2])
        return self._other.get(plain, (plain, 0))
