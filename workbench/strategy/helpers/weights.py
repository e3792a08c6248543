"""Weights: shares of the equity in several instruments, as wanted, and the orders that go there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from workbench.errors import StrategyError

if TYPE_CHECKING:
    from workbench.trading.orders import Intent, Side
    from workbench.trading.view import View

__all__ = ["keep_weights", "parse_weights"]


def keep_weights(view: View, weights: Mapping[str, float], *, band: float = 0.0, tag: str = "weights") -> list[Intent]:
    """Say what brings the shares of the equity in some instruments to their weights: what is sold first, then buys.

    Parameters
    ----------
    view : View
    weights : mapping of symbol to float
        Fractions of the equity, negative for a short. Of instruments that are left out nothing is changed.
    band : float, default 0.0
        Instruments nearer to their weight than this fraction of the equity are left as they are; one whose weight is
        0.0 is always sold.
    tag : str
        Of the orders.

    Returns
    -------
    list of Intent
        Market orders. An instrument without a price, or with an order of this tag under way, is passed over.
    """
    equity = view.equity
    if not equity > 0.0:
        return []
    busy = {one.symbol for one in (*view.orders(tag=tag), *view.wishes(tag=tag))}
    leaves: list[Intent] = []
    enters: list[Intent] = []
    for symbol, weight in weights.items():
        price, held = view.price(symbol), view.quantity(symbol)
        if symbol in busy or math.isnan(price):
            continue
        if not weight:
            leaves += [view.close(symbol, tag=tag)] if held else []
            continue
        value = price * view.instrument(symbol).contract_size
        away = weight - held * value / equity
        side: Side = "buy" if away > 0.0 else "sell"
        _, quantity = view.rounded(side, price, abs(away) * equity / value, symbol)
        if abs(away) <= band or quantity <= 0.0:
            continue
        shrinks = abs(held + math.copysign(quantity, away)) < abs(held)
        (leaves if shrinks else enters).append(view.market(side, quantity, symbol=symbol, tag=tag))
    return [*leaves, *enters]


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
