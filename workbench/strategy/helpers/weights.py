"""Weights: shares of the equity in several instruments, as wanted, and the orders that go there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from workbench.errors import StrategyError
from workbench.strategy.helpers.books import under_way

if TYPE_CHECKING:
    from workbench.trading.orders import Intent, Side
    from workbench.trading.view import View

__all__ = ["keep_weights", "parse_weights"]

ROOM: Final = 0.99  # of the equity: prices move until orders trade, and fees are paid


def keep_weights(view: View, weights: Mapping[str, float], *, band: float = 0.0, tag: str = "weights") -> list[Intent]:
    """Say what brings the shares of the equity in some instruments to their weights: what is sold first, then buys.

    Parameters
    ----------
    view : View
    weights : mapping of symbol to float
        Fractions of the equity, negative for a short. Of instruments that are left out nothing is changed.
    band : float, default 0.0
        Instruments nearer to their weight than this fraction of the equity are left as they are; one whose weight is
        0.0 is always left.
    tag : str
        Of the orders.

    Returns
    -------
    list of Intent
        Market orders. An instrument without a price, or with an order of this tag under way, is passed over. Purchases
        are made smaller where they would not fit into the equity.
    """
    equity = view.equity
    if not equity > 0.0:
        return []
    busy = under_way(view, tag)
    changes = {
        symbol: _change(view, symbol, weight * equity, band * equity)
        for symbol, weight in weights.items()
        if symbol not in busy and not math.isnan(view.price(symbol))
    }
    leaves: list[str] = []
    enters: list[str] = []
    for symbol, change in changes.items():
        held = view.quantity(symbol)
        (leaves if held and abs(held + change) < abs(held) else enters).append(symbol)
    share = _affordable(view, changes, enters)
    wishes = []
    for symbol in (*leaves, *enters):
        change = changes[symbol] * (share if symbol in enters else 1.0)
        side: Side = "buy" if change > 0.0 else "sell"
        if not weights[symbol] and view.quantity(symbol):
            wishes.append(view.close(symbol, tag=tag))
        elif view.rounded(side, view.price(symbol), abs(change), symbol)[1]:
            wishes.append(view.market(side, abs(change), symbol=symbol, tag=tag))
    return wishes


def _change(view: View, symbol: str, wanted: float, band: float) -> float:
    """Give how much is to be bought (sold: negative) to hold a value; 0.0 within the band, unless nothing is wanted."""
    value = view.price(symbol) * view.instrument(symbol).contract_size
    away = wanted - view.quantity(symbol) * value
    return away / value if abs(away) > band or not wanted else 0.0


def _affordable(view: View, changes: Mapping[str, float], enters: list[str]) -> float:
    """Give which part of what is to be opened fits into the equity beside what stays, as sales are done first."""
    stays = bound = 0.0
    for symbol in view.symbols:
        change, price = changes.get(symbol, 0.0), view.price(symbol)
        unit = price * view.instrument(symbol).contract_size / view.leverage(symbol)
        held = view.quantity(symbol)
        if symbol in enters:
            bound += abs(change) * unit
            stays += abs(held) * unit
        elif held or change:
            stays += abs(held + change) * unit
    return max(0.0, min(1.0, (ROOM * view.equity - stays) / bound)) if bound else 1.0


def parse_weights(text: str, owner: str = "weights") -> dict[str, float]:
    """Read weights from text such as "BTC/USDT=0.6, ETH/USDT=0.3".

    Raises
    ------
    StrategyError
        A part is no `symbol=number`, a symbol is there twice, or the weights are more than the whole.

    Examples
    --------
    >>> parse_weights("BTC/USDT=0.6, ETH/USDT=0.3")
    {'BTC/USDT': 0.6, 'ETH/USDT': 0.3}
    """
    found: dict[str, float] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        symbol, _, number = part.rpartition("=")
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if not symbol.strip() or not math.isfinite(weight):
            raise StrategyError(f"{owner}: {part!r} is no weight; write 'BTC/USDT=0.6, ETH/USDT=0.3'")
        if symbol.strip() in found:
            raise StrategyError(f"{owner}: {symbol.strip()} is there twice; give each instrument one weight")
        found[symbol.strip()] = weight
    total = math.fsum(map(abs, found.values()))
    if total > 1.0 + 1e-9:
        raise StrategyError(f"{owner}: the weights add up to {total:g}, more than the whole; they are fractions")
    return found
