"""What ccxt says of a venue's markets and leverage tiers, in our words and units.

ccxt gives precision in three ways, leaves out what a venue does not say, and lists more kinds of contracts than are
traded here; all that ends in this file.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from workbench.errors import DataError

__all__ = ["market_rows", "require_markets", "require_timeframe", "tier_rows"]

_DECIMAL_PLACES: Final = 2  # ccxt's precision modes
_SIGNIFICANT_DIGITS: Final = 3


def market_rows(client: Any) -> list[dict[str, Any]]:
    """Give the markets that a client has loaded as rows of `venue_tables`; options are left out."""
    rows = []
    for market in client.markets.values():
        kind = _kind(market)
        if kind is not None:
            rows.append(_row(client, market, kind))
    return rows


def _kind(market: Mapping[str, Any]) -> str | None:
    if market.get("option"):
        return None
    if market.get("contract"):
        return "inverse" if market.get("inverse") else "linear"
    return "spot"


def _row(client: Any, market: Mapping[str, Any], kind: str) -> dict[str, Any]:
    precision, limits = market.get("precision") or {}, market.get("limits") or {}
    amount, cost = limits.get("amount") or {}, limits.get("cost") or {}
    return {
        "symbol": market["symbol"],
        "kind": kind,
        "base": market.get("base"),
        "quote": market.get("quote"),
        "settle": market.get("settle"),
        "active": market.get("active"),
        "tick_size": _step(client, precision.get("price")),
        "lot_size": _step(client, precision.get("amount")),
        "min_quantity": _positive(amount.get("min")),
        "max_quantity": _positive(amount.get("max")),
        "min_notional": _positive(cost.get("min")),
        "maker_fee": _fee(market.get("maker")),
        "taker_fee": _fee(market.get("taker")),
        "contract_size": _positive(market.get("contractSize")),
        "max_leverage": _positive((limits.get("leverage") or {}).get("max")),
        "funding_interval_h": None,
        "expiry": market.get("expiry"),
    }


def _step(client: Any, value: Any) -> float | None:
    """Give the smallest step of a price or quantity, whichever way ccxt says it."""
    if value is None:
        return None
    if client.precisionMode == _DECIMAL_PLACES:
        return float(10.0 ** -int(value))
    if client.precisionMode == _SIGNIFICANT_DIGITS:
        return None  # no fixed step
    return _positive(value)


def _positive(value: Any) -> float | None:
    number = math.nan if value is None else float(value)
    return number if math.isfinite(number) and number > 0 else None


def _fee(value: Any) -> float | None:
    number = math.nan if value is None else float(value)
    return number if -0.01 <= number < 0.1 else None


def tier_rows(answer: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Give the leverage tiers in ccxt's unified form as rows of `venue_tables`.

    The amount that is taken off follows from the steps: margin must not jump where a tier begins. A symbol whose tiers
    do not rise is left out.
    """
    rows = []
    for symbol, tiers in answer.items():
        amount, rate_before = 0.0, None
        found: list[dict[str, Any]] = []
        for tier in sorted(tiers, key=lambda tier: float(tier.get("minNotional") or 0.0)):
            floor, rate = float(tier.get("minNotional") or 0.0), float(tier["maintenanceMarginRate"])
            if rate_before is not None:
                amount += floor * (rate - rate_before)
            found.append(
                {"symbol": symbol, "floor": floor, "rate": rate, "amount": round(amount, 8)}
                | {"max_leverage": float(tier.get("maxLeverage") or 1.0)}
            )
            rate_before = rate
        if found and found[0]["floor"] == 0.0 and all(row["amount"] >= 0 for row in found):
            rows += found
    return rows


def require_markets(client: Any, symbols: Iterable[str], venue: str) -> None:
    """Refuse symbols that the venue does not have, and name those that are most like them.

    Raises
    ------
    DataError
        One is unknown, or an option.
    """
    for symbol in symbols:
        if symbol not in client.markets:
            known = {name.lower(): name for name in client.markets}
            by_id = {str(market.get("id")).lower(): name for name, market in client.markets.items()}
            near = [by_id[symbol.lower()]] if symbol.lower() in by_id else []
            near += [known[name] for name in difflib.get_close_matches(symbol.lower(), known, n=3, cutoff=0.6)]
            hint = (
                f"did you mean {' or '.join(map(repr, dict.fromkeys(near)))}?"
                if near
                else f"it has {len(known)} others, such as {', '.join(map(repr, sorted(client.markets)[:3]))}"
            )
            raise DataError(f"{venue} has no market {symbol!r}; {hint}", symbol=symbol, near=near)
        if _kind(client.markets[symbol]) is None:
            raise DataError(f"{symbol} at {venue} is an option; options are not downloaded", symbol=symbol)


def require_timeframe(client: Any, timeframe: str, venue: str) -> None:
    """Refuse a timeframe that the venue has no candles of, and name those that it has.

    Raises
    ------
    DataError
    """
    offered = client.timeframes or {}
    if timeframe not in offered:
        raise DataError(
            f"{venue} has no {timeframe} candles; it has {', '.join(offered)}. Longer bars are made of shorter ones: "
            f"wb.data.resample(bars, {timeframe!r})",
            timeframe=timeframe,
        )
