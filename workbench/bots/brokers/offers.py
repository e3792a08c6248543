"""What a venue offers for a market, by what ccxt says of it: which orders it takes, and how they are said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from workbench.trading.orders import Order

__all__ = ["Offers", "offers_of"]

_BINANCE_AHEAD_MS: Final = 660_000  # 600 s, and some for the way there
_SPOT_TRAILS: Final = ("binance", "binanceus")  # trailing stops in hundredths of a percent, which ccxt does not list


class Offers(NamedTuple):
    """What may be sent in one market.

    `types` and `times` are those of `trading.orders`; `directed`: a trigger must say from which side; `closes`: a stop
    may be for all that is held; `apart`: orders that wait for a trigger are asked for, listed and cancelled apart;
    `by_client_id`: an order is found by our id alone; `amends` how an order changes: "edit" in place, "exchange" in one
    request of the venue's, "replace" by us. `ahead_ms` is how far ahead the date of a GTD order must be.
    """

    types: frozenset[str]
    times: frozenset[str]
    post_only: bool
    reduce_only: bool
    iceberg: bool
    directed: bool
    closes: bool
    apart: bool
    by_client_id: bool
    amends: str
    ahead_ms: int = 0

    def dates(self, order: Order) -> bool:
        """Tell whether the venue ends a GTD order at its date; it is sent as one until cancelled else."""
        soon = order.expires is not None and order.expires - order.created < self.ahead_ms
        return "GTD" in self.times and not order.post_only and not soon


def offers_of(client: Any, symbol: str) -> Offers:
    """Give what a venue offers in a market that the client has loaded."""
    venue, market = client.id, client.market(symbol)
    said: Mapping[str, Any] = client.feature_value(symbol, "createOrder") or {}
    times: Mapping[str, Any] = said.get("timeInForce") or {}
    binance = venue.startswith("binance")
    contract = bool(market.get("contract"))
    edits = client.has.get("editOrder") is True
    return Offers(
        types=frozenset(_types(client, said, spot_trails=venue in _SPOT_TRAILS and not contract)),
        times=frozenset(["GTC", *(name for name in ("IOC", "FOK", "GTD") if times.get(name))]),
        post_only=bool(times.get("PO", client.has.get("createPostOnlyOrder"))),
        reduce_only=contract,
        iceberg=bool(said.get("icebergAmount") or said.get("iceberg")) and not contract,
        directed=bool(said.get("triggerDirection")),
        closes=binance and contract,
        apart=binance and contract,
        by_client_id=binance or venue in ("bybit", "okx", "bitget", "kucoin", "woo", "phemex", "mexc"),
        amends="exchange" if binance and not contract else "edit" if edits else "replace",
        ahead_ms=_BINANCE_AHEAD_MS if binance and contract else 0,
    )


def _types(client: Any, said: Mapping[str, Any], *, spot_trails: bool) -> list[str]:
    types = ["limit"]
    if client.has.get("createMarketOrder") is not False:
        types.append("market")
    if said.get("stopLossPrice") or said.get("triggerPrice"):
        types += ["stop", "stop_limit"]
    if said.get("takeProfitPrice"):
        types += ["take_profit", "take_profit_limit"]
    if said.get("trailing") or spot_trails:
        types.append("trailing_stop")
    return types
