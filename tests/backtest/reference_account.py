"""The money of `reference_contract`: cash, margin, fees, funding and forced exits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.backtest.reference_market import NONE, Base, Market, Wish
from tests.backtest.reference_protections import Protections


@dataclass
class Outcome:
    fills: list[dict[str, Any]] = field(default_factory=list)
    funding: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[dict[str, Any]] = field(default_factory=list)
    equity: dict[int, float] = field(default_factory=dict)


class Account:
    """What a case has in cash and positions; every change of them goes through `fill` and `settle`."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.case, self.costs, self.rules = case, case["costs"], case["rules"]
        self.markets = [Market(k, one, case) for k, one in enumerate(case["instruments"])]
        self.cash = case["cash"]
        self.at_close = case["fill"] == "close"
        self.isolated = self.rules["margin"] == "isolated"
        self.protections = Protections(case["protections"], case["cash"])
        self.out = Outcome()

    def equity(self) -> float:
        return self.cash + sum(market.q * market.mark for market in self.markets if market.q)

    def available(self) -> float:
        free = self.free()
        return free if free > max(1e-9 * self.equity(), 1e-8) else 0.0  # what rounding leaves is nothing

    def free(self) -> float:
        held = [market for market in self.markets if market.q]
        if not self.isolated:
            return self.equity() - sum(abs(market.q) * market.mark / market.leverage for market in held)
        wallet = self.cash + sum(market.q * market.price for market in held)
        return wallet - sum(self.own_margin(market) for market in held)

    def own_margin(self, market: Market) -> float:
        return abs(market.q) * market.price / market.leverage + market.settled

    def behind(self, market: Market) -> float:
        """Give what stands behind a position at its entry price."""
        if self.isolated:
            return self.own_margin(market)
        others = [one for one in self.markets if one.q and one is not market]
        return self.worth(market) - sum(one.maintenance(one.mark) for one in others)

    def worth(self, market: Market) -> float:
        """Give what can be lost with a position before there is nothing left, at its entry price."""
        if self.isolated:
            return self.own_margin(market)
        others = [one for one in self.markets if one.q and one is not market]
        return self.cash + market.q * market.price + sum(one.q * one.mark for one in others)

    def liquidation(self, market: Market) -> tuple[float, str]:
        if not market.margined:
            if market.q > 0:
                return NONE, ""
            slip = self.costs["slippage_bps"] / 10_000
            others = sum(one.q * one.mark for one in self.markets if one.q and one is not market)
            ruin = (self.cash + others) / (-market.q * (1 + slip) * (1 + self.costs["fee"]))
            return (ruin if ruin > 0 else NONE), "bankruptcy"
        return self.level(market), "liquidation"

    def level(self, market: Market) -> float:
        """Find the price where wallet + profit = maintenance margin, tier by tier."""
        wallet, q, size = self.behind(market), market.q, abs(market.q)
        found = []
        for k, (floor, rate, amount, _) in enumerate(market.tiers):
            top = market.tiers[k + 1][0] if k + 1 < len(market.tiers) else math.inf
            price = (wallet + amount - q * market.price) / (size * rate - q)
            lowest = -math.inf if k == 0 else floor / size
            if lowest <= price < top / size:
                found.append(price)
            elif q < 0 and k and price < lowest:
                found.append(lowest)  # the table jumps over the line at this floor
        if q > 0:
            best = max(found, default=NONE)
            return best if best > 0 else NONE
        return max(min(found, default=NONE), 0.0)

    def fund(self, market: Market, base: Base, mark: float, due: Callable[[int], bool]) -> None:
        """Settle what is due by now on what is held; also what fell into a hole of the bars."""
        while market.dues and due(market.dues[0][0]):
            ts, rate = market.dues.pop(0)
            if ts >= market.starts[0]:
                self.settle(market, market.q, mark, rate, base.ts)

    def settle(self, market: Market, q: float, mark: float, rate: float, ts: int) -> None:
        if not q:
            return
        amount = -q * mark * rate
        self.cash += amount
        market.settled += amount
        market.trip["pnl"] += amount
        self.out.funding.append(
            {"ts": ts, "instrument": market.number, "quantity": q, "price": mark, "rate": rate, "amount": amount}
        )

    def impact(self, market: Market, quantity: float, base: Base) -> float:
        kind = self.costs["impact"]
        if kind == "none" or base.volume <= 0:
            return 0.0
        share = min(abs(quantity) / base.volume, 1.0)
        if kind == "volume_share":
            return self.costs["impact_coefficient"] * share**2
        sigma = market.sigma(base)
        return self.costs["impact_coefficient"] * sigma * math.sqrt(share) if sigma > 0 else 0.0

    def slipped(self, market: Market, price: float, side: int, quantity: float, base: Base) -> float:
        return price * (1 + side * (self.costs["slippage_bps"] / 10_000 + self.impact(market, quantity, base)))

    def affordable(self, budget: float, price: float, market: Market, wish: Wish) -> float:
        once = 0.0 if wish.ordered else self.costs["per_order"]
        each = price * (1 / market.leverage + self.costs["fee"]) + self.costs["per_unit"]
        return max(budget - once, 0.0) / each

    def fill(
        self, market: Market, base: Base, side: int, quantity: float, quoted: float, price: float, reason: str,
        *, decided: int, maker: bool = False, first: bool = True, fixed_fee: float | None = None,
    ) -> None:  # fmt: skip
        rate = self.costs["maker_fee" if maker else "fee"]
        paid = quantity * (price * rate + self.costs["per_unit"]) + (self.costs["per_order"] if first else 0)
        paid = paid if fixed_fee is None else fixed_fee
        closing = market.q * side < 0
        self.cash -= side * quantity * price + paid
        market.trip["pnl"] -= paid
        if closing:
            market.trip["pnl"] += quantity * side * (market.price - price)
            market.settled *= 1 - quantity / abs(market.q)
            market.q += side * quantity
        else:
            market.trip["value"] += quantity * price
            market.price = price if not market.q else (abs(market.q) * market.price + quantity * price) / (
                abs(market.q) + quantity
            )  # fmt: skip
            market.q += side * quantity
        market.room = market.room - quantity if market.room - quantity > 1e-12 * quantity else 0.0
        self.out.fills.append(
            {"ts": base.ts, "instrument": market.number, "side": side, "quantity": quantity, "quoted": quoted,
             "price": price, "fee": paid, "maker": maker, "reason": reason, "decided": decided}
        )  # fmt: skip
        if closing and abs(market.q) < 1e-12 * quantity:
            trip = market.trip
            market.flat()
            self.protections.ended(market.number, base.ts, trip["pnl"], trip["value"], reason)

    def liquidate(self, market: Market, base: Base, quoted: float) -> None:
        side, quantity = market.side, abs(market.q)
        behind = self.worth(market)
        price = self.slipped(market, quoted, -side, quantity, base)
        broke = market.price - behind / market.q
        price = side * max(side * price, side * broke) if broke > 0 else price
        left = max(behind + market.q * (price - market.price), 0.0)
        value = quantity * price
        fee = value * self.costs["fee"] + quantity * self.costs["per_unit"] + self.costs["per_order"]
        fee = min(fee + value * self.costs["liquidation_fee"], left)
        market.wish = None
        self.fill(market, base, -side, quantity, quoted, price, "liquidation", decided=base.ts, fixed_fee=fee)

    def margin_call(self, open_now: list[tuple[Market, Base]]) -> None:
        held = [(market, base) for market, base in open_now if market.q]
        if self.isolated or not any(market.margined for market, _ in held):
            return
        if self.equity() > sum(market.maintenance(market.mark) for market in self.markets):
            return
        for market, base in held:
            self.liquidate(market, base, base.close)

    def skip(self, market: Market, wish: Wish, quantity: float | None, reason: str) -> None:
        self.out.skipped.append(
            {"ts": wish.ts, "instrument": market.number, "side": wish.what,
             "quantity": NONE if quantity is None else quantity, "reason": reason}
        )  # fmt: skip
