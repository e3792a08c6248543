"""The contract of a backtest once more, slowly and in other words: a ledger of events, one bar after another.

Written from the text of the contract, not from the kernel, and sharing no code with it. Tests hold the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import workbench as wb


@dataclass
class Holding:
    side: int
    quantity: float
    price: float
    fee: float
    bar: int
    stop: float | None
    target: float | None
    trail: float | None
    best: float


@dataclass
class Account:
    cash: float
    fee: float
    maker: float
    slippage: float
    holding: Holding | None = None
    trades: list[dict[str, Any]] = field(default_factory=list)

    def leave(self, price: float, bar: int, reason: str) -> None:
        held = self.holding
        assert held is not None
        rests = reason == "take_profit"
        if not rests and reason != "open":
            price *= 1 - held.side * self.slippage
        rate = 0.0 if reason == "open" else self.maker if rests else self.fee
        fee = held.quantity * price * rate
        pnl = held.side * held.quantity * (price - held.price) - fee - held.fee
        self.trades.append(
            {
                "side": "long" if held.side > 0 else "short", "entry_bar": held.bar, "exit_bar": bar,
                "quantity": held.quantity, "entry_price": held.price, "exit_price": price, "pnl": pnl,
                "exit_reason": reason,
            }
        )  # fmt: skip
        if reason != "open":
            self.cash += held.side * held.quantity * price - fee
            self.holding = None

    def enter(self, side: int, price: float, bar: int, size: float, stops: dict[str, float | None]) -> None:
        price *= 1 + side * self.slippage
        quantity = size * max(self.cash, 0.0) / (price * (1 + self.fee))
        if quantity <= 0:
            return
        fee = quantity * price * self.fee
        self.cash -= side * quantity * price + fee
        loss, gain = stops["stop_loss"], stops["take_profit"]
        self.holding = Holding(
            side, quantity, price, fee, bar,
            None if loss is None else price * (1 - side * loss),
            None if gain is None else price * (1 + side * gain),
            stops["trailing_stop"], price,
        )  # fmt: skip

    def ends_inside(self, opened: float, high: float, low: float) -> tuple[float, str] | None:
        held = self.holding
        assert held is not None
        levels = []
        if held.side < 0:
            levels.append((self.cash / (held.quantity * (1 + self.slippage) * (1 + self.fee)), "bankruptcy"))
        if held.trail is not None:
            levels.append((held.best * (1 - held.side * held.trail), "trailing_stop"))
        if held.stop is not None:
            levels.append((held.stop, "stop_loss"))
        worst, best = (low, high) if held.side > 0 else (high, low)
        if levels:  # the stop nearest to the price is the one that is met first; the fixed one where two are level
            nearest = max(levels, key=lambda one: (held.side * one[0], one[1] == "stop_loss"))
            if held.side * (opened - nearest[0]) <= 0:
                return opened, nearest[1]
        if held.target is not None and held.side * (opened - held.target) >= 0:
            return opened, "take_profit"
        if levels and held.side * (worst - nearest[0]) <= 0:
            return nearest
        if held.target is not None and held.side * (best - held.target) >= 0:
            return held.target, "take_profit"
        return None


def wish(account: Account, word: dict[str, bool]) -> str | None:
    long, short = word["entry"], word["short_entry"]
    leave, cover = word["exit"], word["short_exit"]
    if long and leave:
        long = leave = False
    if short and cover:
        short = cover = False
    if long and short:
        long = short = False
    side = account.holding.side if account.holding else 0
    if long and side <= 0:
        return "long"
    if short and side >= 0:
        return "short"
    return "leave" if (side > 0 and leave) or (side < 0 and cover) else None


def simulate(
    bars: wb.Bars, words: dict[str, Any], stops: dict[str, float | None], *, costs: wb.Costs, fill: str, size: float
) -> tuple[list[dict[str, Any]], list[float]]:
    """Trade words over bars; give the trades and the equity at each close."""
    account = Account(10_000.0, costs.fee, costs.maker_fee, costs.slippage_bps / 10_000)
    decision, equity = None, []

    def carry_out(price: float, bar: int) -> None:
        if account.holding:
            account.leave(price, bar, "signal" if decision == "leave" else "reversal")
        if decision in ("long", "short"):
            account.enter(1 if decision == "long" else -1, price, bar, size, stops)

    for bar in range(len(bars)):
        opened, high, low, close = (float(getattr(bars, name)[bar]) for name in ("open", "high", "low", "close"))
        if fill == "next_open" and decision:
            carry_out(opened, bar)
        ended = account.ends_inside(opened, high, low) if account.holding else None
        if ended:
            account.leave(ended[0], bar, ended[1])
        if account.holding:
            held = account.holding
            held.best = max(held.best, high) if held.side > 0 else min(held.best, low)
        decision = wish(account, {name: bool(values[bar]) for name, values in words.items()})
        if fill == "close" and decision:
            carry_out(close, bar)
        held = account.holding
        equity.append(account.cash + (held.side * held.quantity * close if held else 0.0))
    if account.holding:
        account.leave(float(bars.close[-1]), len(bars) - 1, "open")
    return account.trades, equity
