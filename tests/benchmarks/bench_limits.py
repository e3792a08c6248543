"""What limits on risk cost: judging one order, hearing one bar, and keeping the state.

A bot with 20 instruments, 10 positions, 5 working orders and every limit set; processor time, best of 5 rounds.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from typing import Any

import workbench as wb
from workbench.market.instrument import Instrument
from workbench.risk.limits import Limits
from workbench.trading import events as ev
from workbench.trading.account import Account
from workbench.trading.core import Core, traded
from workbench.trading.orders import Order
from workbench.trading.risk_engine import RiskEngine
from workbench.trading.terms import AccountTerms, CostTerms, Lots

HOUR, START, ROUNDS = 3_600_000, 1_699_999_200_000, 5
NAMES = [f"C{number}/USDT:USDT" for number in range(20)]
LIMITS = Limits.profile("aggressive", trading_hours="mon-sun 00:00-24:00", order_cash=1e6)


class Quiet(wb.OrderStrategy):
    """Wishes nothing."""

    def on_bar(self, view: Any, bar: Any) -> None:
        """Hear a bar."""


def busy(limits: Limits | None) -> tuple[Core, dict[str, float], int]:
    """Give a bot in the middle of its life, its prices and the time."""
    instruments = [Instrument.default(name) for name in NAMES]
    account = Account(1e6, AccountTerms(), instruments)
    core = Core(Quiet(), account, {one.symbol: traded(one, Lots(), CostTerms()) for one in instruments})
    if limits is not None:
        RiskEngine(limits).attach(core)
    moves, prices, ts = random.Random(1), dict.fromkeys(NAMES, 100.0), START
    for _ in range(120):
        for name in NAMES:
            before, prices[name] = prices[name], prices[name] * (1.0 + moves.gauss(0.0, 0.001))
            high, low = max(before, prices[name]), min(before, prices[name])
            core.handle(ev.Bar(name, ts, ts + HOUR, before, high, low, prices[name], 10.0))
        ts += HOUR
    core.handle(ev.Opened(ts, dict(prices)))
    for name in NAMES[:10]:
        price = prices[name]
        core.handle(ev.Filled(ts, f"f {name}", name, "buy", 50.0, price, 0.0, False, price, "order", ts))
    core.begin()
    for name in NAMES[:5]:
        core.submit(
            Order(id=f"w {name}", symbol=name, side="buy", type="limit", quantity=10.0, price=prices[name] * 0.99)
        )
    return core, prices, ts


def microseconds(run: Callable[[int], Any], count: int) -> float:
    """Give the processor time of one run, the best of several rounds."""
    best = float("inf")
    for turn in range(ROUNDS):
        began = time.process_time()
        for number in range(count):
            run(turn * count + number)
        best = min(best, (time.process_time() - began) / count * 1e6)
    return best


def main() -> None:
    """Print the table."""
    found: dict[str, list[float]] = {}
    for limits in (LIMITS, None):
        core, prices, ts = busy(limits)
        order = Order(id="new", symbol=NAMES[12], side="buy", type="market", quantity=1.0)
        assert not core.gate.check(order, core)

        def opened(number: int, core: Core = core, prices: Any = prices, ts: int = ts, order: Order = order) -> None:
            core.handle(ev.Opened(ts + number, prices))
            core.gate.check(order, core)

        def bar(number: int, core: Core = core, prices: Any = prices, ts: int = ts) -> None:
            name, opens = NAMES[number % 20], ts + (number // 20 + 1) * HOUR
            price = prices[name]
            core.handle(ev.Bar(name, opens, opens + HOUR, price, price, price, price, 10.0))

        found.setdefault("judging an order", []).append(
            microseconds(lambda _, core=core, order=order: core.gate.check(order, core), 2_000)
        )
        found.setdefault("20 prices and an order", []).append(microseconds(opened, 1_000))
        found.setdefault("a bar", []).append(microseconds(bar, 2_000))
        if core.risk is not None:
            size = len(json.dumps(core.risk.snapshot()))
    print(f"{'':24}{'limits':>10}{'none':>10}{'added':>10}   microseconds")
    for name, (with_limits, without) in found.items():
        print(f"{name:24}{with_limits:10.1f}{without:10.1f}{with_limits - without:10.1f}")
    print(f"snapshot of the limits: {size / 1_000:.1f} kB")


if __name__ == "__main__":
    main()
