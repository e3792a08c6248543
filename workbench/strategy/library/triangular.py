"""Triangular arbitrage: three pairs of three coins, round once, back with more than it began with."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

from workbench.errors import StrategyError
from workbench.strategy.helpers.timers import heard_all
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.parameters import param
from workbench.trading.events import Bar, Filled
from workbench.trading.orders import Intent
from workbench.trading.view import View

__all__ = ["Triangle", "Triangular", "triangle_of"]

TAG: Final = "triangle"


class Triangle(NamedTuple):
    """Three symbols of one triangle: `outer` and `last` are paid for in `money`, `cross` prices last's coin in outer's.

    With BTC/USDT, ETH/BTC and ETH/USDT: money USDT, outer BTC/USDT, cross ETH/BTC, last ETH/USDT.
    """

    money: str
    outer: str
    cross: str
    last: str


class Triangular(OrderStrategy):
    """Buy a coin, change it for another, sell that; or the other way round, where the three prices do not agree.

    **How it earns.** Three pairs of three coins have one price too many. Where the cross pair is out of line, going
    round once gives back more than was put in, whatever the coins do afterwards.

    **When it loses.** When a leg is not filled and the coin in hand must be sold at the market. Three taker fees are
    more than most gaps. Others are faster: what is seen on closed bars is nearly always gone at the next open, and a
    backtest on bars says so.

    **What it assumes.** All three legs trade within a moment, in order; each may be worse by `guard` than the price
    that was seen, and is not filled otherwise. It needs a cash account (`Rules(account="cash")`), in which a coin
    bought with one pair can be spent with another.

    Notes
    -----
    Forward: buy `outer`, buy `cross` with it, sell `last`: 1 / p(outer) / p(cross) x p(last). Backward: the other way
    round. It goes when that is more than 1 by three taker fees, slippage and `min_profit`. Sizes count the fees of the
    legs before: fees are paid in what a pair is priced in. What is left of a coin when a leg failed is sold (or bought
    back) at the market against `money` on the next bar.
    """

    capital: float = param(0.5, low=0.01, high=1.0, doc="fraction of the money that goes round each time")
    min_profit: float = param(0.0005, low=0.0, high=0.2, doc="fraction that must be left after all costs")
    guard: float = param(0.0005, low=0.0, high=0.05, doc="how much worse than the last price a leg may trade")

    def on_bar(self, view: View, bar: Bar) -> Any:
        """Mend what the last round left over; else go round where it pays."""
        triangle = triangle_of(view)
        if not heard_all(view, bar, triangle[1:]):
            return None
        if view.orders(tag=TAG) or view.wishes(tag=TAG):
            return None
        mend = self._mend(view, triangle)
        return mend or self._go(view, triangle)

    def on_fill(self, view: View, fill: Filled) -> Any:
        """Book both coins of the fill."""
        facts, net = view.instrument(fill.symbol), view.memory.setdefault("net", {})
        sign = 1.0 if fill.side == "buy" else -1.0
        net[facts.base] = net.get(facts.base, 0.0) + sign * fill.quantity
        net[facts.quote] = net.get(facts.quote, 0.0) - sign * fill.quantity * fill.price - fill.fee

    def _go(self, view: View, triangle: Triangle) -> Any:
        prices = [view.value("close", symbol=symbol) for symbol in triangle[1:]]
        keep = math.prod(1.0 - view.costs(symbol).taker - view.costs(symbol).slippage for symbol in triangle[1:])
        outer, cross, last = prices
        forward, backward = last / (outer * cross) * keep - 1.0, outer * cross / last * keep - 1.0
        if max(forward, backward) < self.min_profit:
            return None
        money = self.capital * view.cash
        return self._forward(view, triangle, money) if forward >= backward else self._backward(view, triangle, money)

    def _forward(self, view: View, triangle: Triangle, money: float) -> list[Intent]:
        """Buy the outer coin, buy the last one with it, sell that."""
        outer, cross = (view.value("close", symbol=symbol) for symbol in triangle[1:3])
        fee = 1.0 + view.costs(triangle.cross).taker + self.guard
        _, first = view.rounded("buy", outer, money / (outer * (1.0 + self.guard)), triangle.outer)
        _, second = view.rounded("buy", cross, first / (cross * fee), triangle.cross)
        return self._legs(
            view, (("buy", triangle.outer, second * cross * fee), ("buy", triangle.cross, second),
                   ("sell", triangle.last, second)),
        )  # fmt: skip

    def _backward(self, view: View, triangle: Triangle, money: float) -> list[Intent]:
        """Buy the last coin, sell it for the outer one, sell that."""
        cross, last = (view.value("close", symbol=symbol) for symbol in triangle[2:])
        got = cross * (1.0 - view.costs(triangle.cross).taker - self.guard)
        _, first = view.rounded("buy", last, money / (last * (1.0 + self.guard)), triangle.last)
        return self._legs(
            view, (("buy", triangle.last, first), ("sell", triangle.cross, first), ("sell", triangle.outer, first * got))
        )

    def _legs(self, view: View, asked: tuple[tuple[Any, str, float], ...]) -> list[Intent]:
        """Give the three orders, in order; none where one of them would be too small."""
        wishes = []
        for side, symbol, quantity in asked:
            worse = 1.0 + self.guard if side == "buy" else 1.0 - self.guard
            price, whole = view.rounded(side, view.value("close", symbol=symbol) * worse, quantity, symbol)
            if whole <= 0.0:
                return []
            wishes.append(view.limit(side, whole, price=price, symbol=symbol, tag=TAG, time_in_force="IOC"))
        return wishes

    def _mend(self, view: View, triangle: Triangle) -> list[Intent]:
        """Give the orders that turn coins left over back into money, where they are worth an order."""
        wishes = []
        for symbol in (triangle.outer, triangle.last):
            left = view.memory.get("net", {}).get(view.instrument(symbol).base, 0.0)
            side: Any = "sell" if left > 0.0 else "buy"
            price = view.value("close", symbol=symbol)
            _, whole = view.rounded(side, price, abs(left), symbol)
            if whole > 0.0 and whole * price >= DUST * view.equity:
                wishes.append(view.market(side, whole, symbol=symbol, tag=TAG))
        return wishes


DUST: Final = 0.001  # coins left by fees and lots, worth less than this part of the equity, are left for later


def triangle_of(view: View) -> Triangle:
    """Find the triangle among the instruments of a run.

    Raises
    ------
    StrategyError
        There is none.
    """
    facts = {symbol: view.instrument(symbol) for symbol in view.symbols}
    for cross, one in facts.items():
        for outer, two in facts.items():
            for last, three in facts.items():
                same = two.quote == three.quote and two.base == one.quote and three.base == one.base
                if same and len({cross, outer, last}) == 3:
                    return Triangle(two.quote, outer, cross, last)
    raise StrategyError(
        "Triangular needs three pairs of three coins, such as BTC/USDT, ETH/BTC and ETH/USDT; this run has "
        f"{', '.join(view.symbols)}"
    )
