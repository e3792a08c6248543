"""Which protocols there are, by the venues that a user knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Final

from workbench.errors import ConfigError
from workbench.practice.wire.protocol import Backing, Protocol

__all__ = ["PROTOCOLS", "speakers"]

_ROOM: Final = "workbench.practice.wire."
PROTOCOLS: Final[Mapping[str, tuple[str, ...]]] = {
    "binance": ("binance_spot:BinanceSpot", "binance_usdm:BinanceUsdm"),
    "kraken": ("kraken:Kraken",),
}
"""What is spoken for each venue: modules of this folder and their classes."""


def speakers(venues: Iterable[str]) -> list[Callable[[Backing], Protocol]]:
    """Give the protocols of venues.

    Raises
    ------
    ConfigError
        The practice exchange does not speak for one of them.
    """
    found: list[Callable[[Backing], Protocol]] = []
    for venue in dict.fromkeys(venues):
        if venue not in PROTOCOLS:
            raise ConfigError(
                f"the practice exchange does not speak for {venue!r}, but for {', '.join(sorted(PROTOCOLS))}"
            )
        for place in PROTOCOLS[venue]:
            module, _, name = place.partition(":")
            found.append(getattr(import_module(_ROOM + module), name))
    return found
