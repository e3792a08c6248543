"""What a venue offers of what a bot needs, and what its key may do: asked once, before anything is traded."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from workbench.bots.brokers.wire import Wire
from workbench.bots.brokers.wording import settled
from workbench.errors import BrokerFatal, BrokerRejected
from workbench.trading.core import Traded
from workbench.trading.orders import Order

__all__ = ["Capabilities", "arm_dead_man", "capabilities_of"]

_NEEDED: Final = {
    "createOrder": "send orders",
    "cancelOrder": "cancel orders",
    "fetchOpenOrders": "list open orders",
    "fetchMyTrades": "list own fills",
    "fetchBalance": "tell balances",
}
_LOOKS: Final = ("fetchOrder", "fetchOrders", "fetchClosedOrders")


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a venue offers.

    Parameters
    ----------
    venue : str
    missing : tuple of str
        What a bot cannot do without, in words; empty where it can trade.
    types, times : mapping of symbol to tuple of str
        Order types and times in force that it takes; what is not among them is refused before the network.
    protects : bool
        Whether stops rest at the venue in every market.
    streams : bool
        Whether it tells orders and fills over a websocket; it is polled otherwise.
    dead_man : bool
        Whether it cancels all orders when a bot falls silent.
    withdraws : bool or None
        Whether the key may withdraw; None where the venue does not say.
    notes : tuple of str
        What is good to know.
    dates : callable
        `(order) -> bool`: whether the venue ends a GTD order at its date; it is sent as one until cancelled else.
    """

    venue: str
    missing: tuple[str, ...]
    types: Mapping[str, tuple[str, ...]]
    times: Mapping[str, tuple[str, ...]]
    protects: bool
    streams: bool
    dead_man: bool
    withdraws: bool | None
    notes: tuple[str, ...] = ()
    dates: Callable[[Order], bool] = field(default=lambda order: True, repr=False, compare=False)

    def __str__(self) -> str:
        lines = [f"{self.venue}: {'ready' if not self.missing else 'not fit to trade'}"]
        lines += [f"  missing: {one}" for one in self.missing]
        for symbol, types in self.types.items():
            lines.append(f"  {symbol}: {', '.join(types)}; {', '.join(self.times[symbol])}")
        told = ("no", "yes")
        lines.append(
            f"  stops at the venue: {told[self.protects]}; news: {'websocket' if self.streams else 'polled'}; "
            f"dead man's switch: {told[self.dead_man]}"
        )
        return "\n".join([*lines, *(f"  note: {one}" for one in self.notes)])


async def capabilities_of(wire: Wire, markets: Mapping[str, Traded]) -> Capabilities:
    """Ask what a venue offers and what the key may do.

    Raises
    ------
    BrokerFatal
        The key is refused, may not trade, or may withdraw.
    """
    client = wire.rest
    missing = [f"it cannot {words} ({name})" for name, words in _NEEDED.items() if not client.has.get(name)]
    if not any(client.has.get(name) for name in _LOOKS):
        missing.append("it cannot tell what became of an order (fetchOrder)")
    contracts = [name for name, one in markets.items() if one.instrument.kind in ("linear", "inverse")]
    if contracts and not client.has.get("fetchPositions"):
        missing.append("it cannot tell positions (fetchPositions)")
    notes: list[str] = []
    for symbol, one in markets.items():
        missing += _terms_that_differ(client, symbol, one)
    await wire.call("read", "fetch_balance", asked="balance")  # a key that is refused says so here
    withdraws = await _withdraws(wire)
    if contracts and client.has.get("fetchPositionMode"):
        missing += await _mode(wire, contracts[0])
    offers = {symbol: wire.offers(symbol) for symbol in markets}
    protects = all("stop" in one.types for one in offers.values())
    if not protects:
        notes.append("stops do not rest at the venue: while the bot is away, positions are not protected")
    if withdraws is None:
        notes.append("the venue does not say what the key may do: make sure that it cannot withdraw")
    return Capabilities(
        venue=wire.name, missing=tuple(missing),
        types={symbol: tuple(sorted(one.types)) for symbol, one in offers.items()},
        times={symbol: tuple(sorted(one.times)) for symbol, one in offers.items()},
        protects=protects, streams=wire.can("watchOrders") and wire.can("watchMyTrades"),
        dead_man=_has_dead_man(wire), withdraws=withdraws, notes=tuple(notes),
        dates=lambda order: offers[order.symbol].dates(order),
    )  # fmt: skip


def _terms_that_differ(client: Any, symbol: str, one: Traded) -> list[str]:
    """Say where the bot's steps are not whole steps of the venue, so that its orders would be refused."""
    found = []
    market = client.market(symbol)
    if market.get("active") is False:
        found.append(f"{symbol} is not trading there now")
    for what, step, words in (("price", one.lots.tick, "ticks"), ("amount", one.lots.lot, "lots")):
        if step <= 0.0 or settled(client, market, what, step) is None:
            theirs = (market.get("precision") or {}).get(what)
            found.append(
                f"{symbol}: the bot reckons in {words} of {step:g}, the venue in {theirs}: update its instrument"
            )
    size = float(market.get("contractSize") or 1.0)
    if market.get("contract") and not math.isclose(size, one.instrument.contract_size):
        found.append(f"{symbol}: a contract is {size:g} there and {one.instrument.contract_size:g} for the bot")
    return found


async def _mode(wire: Wire, symbol: str) -> list[str]:
    try:
        mode = await wire.call("read", "fetch_position_mode", symbol, asked="position mode")
    except BrokerRejected:
        return []
    if mode.get("hedged"):
        return ["the account is in hedge mode, and the bot trades one position a symbol: switch it to one-way mode"]
    return []


async def _withdraws(wire: Wire) -> bool | None:
    """Ask whether the key may withdraw, and refuse it if so.

    Raises
    ------
    BrokerFatal
    """
    client = wire.rest
    if not hasattr(client, "sapiGetAccountApiRestrictions"):
        return None
    try:
        said = await wire.call("read", "sapiGetAccountApiRestrictions", {}, asked="what the key may do")
    except BrokerRejected:
        return None
    name = wire.credentials.name or "this key"
    if str(said.get("enableWithdrawals")).lower() == "true":
        raise BrokerFatal(
            f"{wire.name}: {name} may withdraw money; a bot must not hold such a key. Make one that may trade only",
            venue=wire.name, code="withdrawals",
        )  # fmt: skip
    wanted = "enableFutures" if client.id != "binance" else "enableSpotAndMarginTrading"
    if str(said.get(wanted, True)).lower() == "false":
        raise BrokerFatal(f"{wire.name}: {name} may look but not trade ({wanted} is off)", venue=wire.name)
    return False


def _has_dead_man(wire: Wire) -> bool:
    return wire.venue == "binanceusdm" or bool(wire.rest.has.get("cancelAllOrdersAfter"))


async def arm_dead_man(wire: Wire, symbols: Sequence[str], ms: int) -> bool:
    """Have the venue cancel all orders after a time, unless it is told again; 0 takes that off.

    Returns
    -------
    bool
        Whether it can.
    """
    if wire.venue == "binanceusdm":
        for symbol in symbols:
            request = {"symbol": wire.rest.market(symbol)["id"], "countdownTime": ms}
            await wire.call("cancel", "fapiPrivatePostCountdownCancelAll", request, asked="dead man's switch")
        return True
    if not wire.rest.has.get("cancelAllOrdersAfter"):
        return False
    await wire.call("cancel", "cancel_all_orders_after", ms, asked="dead man's switch")
    return True
