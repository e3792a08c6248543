"""Orders and executions at a venue that a bot's journal does not have: which are the bot's own all the same."""

from __future__ import annotations

import re
from typing import Final, get_args

from workbench.bots.brokers.talk import Snapshot, VenueFill, VenueOrder
from workbench.trading.core import Core
from workbench.trading.orders import OrderType, client_order_id

__all__ = ["Lineage", "guards", "worded"]

_OURS: Final = re.compile(r"wb[0-9a-f]{22}")
_KINDS: Final[tuple[str, ...]] = get_args(OrderType)
_BEHIND: Final = 1_000
_AHEAD: Final = 5_000  # intents that a journal may lack: it was restored from a copy that is so much older
_STOPS: Final = ("stop", "stop_limit", "trailing_stop")


class Lineage:
    """Tells by their client order ids which orders a bot has made that its journal does not know of.

    An id is made of the bot's name, its journal's own number and the how many-th intent it is
    (`trading.client_order_id`), so that nobody else can have made it; how many-th it was is tried out round the number
    at which the bot is. A journal that was made anew has another number: what its bot did before cannot be told from
    what other bots do.

    Parameters
    ----------
    core : Core
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._known: dict[str, int] = {}

    def number(self, one: VenueOrder | VenueFill) -> int:
        """Give the how many-th intent of the bot something was, counted from zero; -1 where it is none of the bot's."""
        id = one.id
        if not _OURS.fullmatch(id):
            return -1
        if id not in self._known:
            self._known[id] = self._search(one)
        return self._known[id]

    def _search(self, one: VenueOrder | VenueFill) -> int:
        core, said = self._core, getattr(one, "type", "")
        kinds = sorted(_KINDS, key=lambda kind: kind != said)
        for kind in kinds:
            for number in range(max(0, core.number - _BEHIND), core.number + _AHEAD):
                if client_order_id(core.name, number, one.symbol, one.side, kind) == one.id:
                    return number
        return -1


def guards(order: VenueOrder, core: Core, seen: Snapshot) -> bool:
    """Tell whether an order is all that stands between a position at the venue and a loss.

    It only makes a position smaller that the venue has, and the bot has no stop of its own there. Spot markets do not
    say which orders reduce: there it is a stop that sells coins that the account has.
    """
    symbol = order.symbol
    if core.markets[symbol].instrument.kind == "spot":
        there = seen.balances.get(symbol.partition("/")[0], 0.0)
        reduces = order.side == "sell" and order.type in _STOPS and there > 0.0
    else:
        held = [one.quantity for one in seen.positions if one.symbol == symbol]
        reduces = order.reduce_only and any((one > 0.0) == (order.side == "sell") for one in held if one)
    return reduces and not any(
        one.symbol == symbol and one.side == order.side and one.type in _STOPS for one in core.orders.values()
    )


def worded(order: VenueOrder) -> str:
    """Say what an order is, for a human who looks for it at the venue."""
    return f"{order.side} {order.quantity:.10g} {order.symbol} {order.type} ({order.id or order.venue_id})"
