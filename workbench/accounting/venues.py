"""Wallets that venues keep apart: Binance has one for spot and others for contracts, each a venue of its own in ccxt.

Whichever of its clients an account is imported through, the same happening comes to the same wallet under the same id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["family_of", "histories_of", "home_of", "is_binance", "transfer_ways", "wallet_venue"]

_FAMILY: Final = re.compile(r"((?:.*-)?binance)(usdm|coinm)?")
_PARTS: Final = {
    "spot": "", "main": "", "linear": "usdm", "future": "usdm", "swap": "usdm", "inverse": "coinm", "delivery": "coinm",
}  # fmt: skip

_WAYS: Final = (
    "spot>linear", "linear>spot", "spot>inverse", "inverse>spot", "spot>funding", "funding>spot", "spot>margin",
    "margin>spot", "funding>linear", "linear>funding",
)  # fmt: skip
_SPOT_HAS: Final = ("trades", "deposits", "withdrawals", "funding", "interest", "transfers")
_CONTRACTS_HAVE: Final = ("trades", "funding", "transfers", "ledger")


def family_of(venue: str) -> str:
    """Give the venue that all wallets of an account belong to: "binance" for "binanceusdm", else the venue itself."""
    found = _FAMILY.fullmatch(venue)
    return found[1] if found else venue


def is_binance(venue: str) -> bool:
    """Tell whether a venue is one of Binance's, or a practice exchange that speaks for it."""
    return _FAMILY.fullmatch(venue) is not None


def wallet_venue(venue: str, part: str) -> str:
    """Give the venue under which a part of an account is booked.

    Parameters
    ----------
    venue : str
    part : str
        As ccxt calls it: "spot", "linear", "funding".

    Examples
    --------
    >>> wallet_venue("binance", "linear"), wallet_venue("practice-binanceusdm", "spot"), wallet_venue("okx", "funding")
    ('binanceusdm', 'practice-binance', 'okx-funding')
    """
    family = family_of(venue)
    if is_binance(venue):
        return family + _PARTS[part] if part in _PARTS else f"{family}-{part}"
    return family if part == "spot" else f"{family}-{part}"


def home_of(venue: str, market: Mapping[str, Any]) -> str:
    """Give the venue under which trades of a market are booked."""
    if is_binance(venue) and market.get("contract") and not market.get("option"):
        return wallet_venue(venue, "inverse" if market.get("inverse") else "linear")
    return family_of(venue) if is_binance(venue) else venue


def histories_of(venue: str) -> tuple[str, ...] | None:
    """Give the histories that one of Binance's clients is asked for; None for other venues, where ccxt says it.

    ccxt lets each of them ask for all, whichever wallet that is about.
    """
    if not is_binance(venue):
        return None
    return _SPOT_HAS if venue == family_of(venue) else _CONTRACTS_HAVE


def transfer_ways(venue: str) -> list[str]:
    """Give the ways of transfers (source>target) at one of Binance's venues, which tells those of one way at a time."""
    mine = {"usdm": "linear", "coinm": "inverse"}.get(venue.removeprefix(family_of(venue)), "spot")
    return [way for way in _WAYS if mine in way.split(">")]
