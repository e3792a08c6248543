"""The spot wallet: coins and money, of which open orders lock what they would give away.

Fees are taken in the asset that was received, or always in the quote currency (`AccountSetup.spot_fees`). In the books
every asset is money: what trades moved lies in the positions of the pairs, and both together are the balance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

from workbench.market.instrument import Instrument
from workbench.practice.engine_books import Books, Desk
from workbench.practice.engine_filters import CODES, refuse
from workbench.practice.engine_messages import BalanceChanged
from workbench.practice.engine_records import Balance, Execution, OrderRecord, Refused
from workbench.practice.markets.market import Market
from workbench.trading.account import money
from workbench.trading.events import Adjusted, Filled
from workbench.trading.terms import AccountTerms

__all__ = ["SpotBooks"]

_SLACK: Final = 1e-9


class SpotBooks(Books):
    """The spot wallet of an account.

    Parameters
    ----------
    desk : Desk
    markets : mapping of symbol to Market
        Those of kind "spot".
    cash : mapping of asset to float
    """

    wallet = "spot"

    def __init__(self, desk: Desk, markets: Mapping[str, Market], cash: Mapping[str, float]) -> None:
        facts = [market.instrument for market in markets.values()]
        known = dict.fromkeys(name for one in facts for name in (one.quote, one.base))
        self.others = {name: float(amount) for name, amount in cash.items() if name not in known}
        start = {name: float(cash.get(name, 0.0)) for name in known}
        currency = facts[0].quote if facts else "none"
        super().__init__(desk, markets, AccountTerms("cash"), start, currency)
        self._sums = {name: [float(amount), 0.0, 0.0] for name, amount in cash.items()}

    def total(self, asset: str) -> float:
        """Give how much of an asset there is, locked or not."""
        if asset in self.others:
            return money(self.others[asset])
        return self.account.balance(asset)

    def locked(self, asset: str, without: OrderRecord | None = None) -> float:
        """Give how much of an asset is behind open orders; a list locks once, as much as its dearest order."""
        single, lists = [], {}  # type: list[float], dict[int, float]
        for order in self.open.values():
            if order is without or self._gives(order) != asset:
                continue
            amount = self._price_of(order)
            if order.list_id >= 0:
                lists[order.list_id] = max(lists.get(order.list_id, 0.0), amount)
            else:
                single.append(amount)
        return math.fsum((*single, *lists.values()))

    def _gives(self, order: OrderRecord) -> str:
        facts = self.markets[order.symbol].instrument
        return facts.quote if order.side == "buy" else facts.base

    def _price_of(self, order: OrderRecord) -> float:
        """Give what an order would still give away."""
        if order.side == "sell":
            return order.remaining
        price = order.price if order.price == order.price else order.stop_price
        if price != price:
            price = self.estimate(order.symbol, "buy", order.remaining)
        return order.remaining * price

    def balance(self, asset: str) -> Balance:
        """Give what there is of an asset."""
        total = self.total(asset)
        locked = min(money(self.locked(asset)), total) if total > 0.0 else 0.0
        return Balance(asset, money(total - locked), locked, total)

    def balances(self) -> list[Balance]:
        """Give what there is of every asset that is known."""
        return [self.balance(asset) for asset in self.assets()]

    def assets(self) -> list[str]:
        """Give the names of all assets that are known."""
        return [
            *(name for name in self.account.pools if name != "none"),
            *(name for name in self.others if name not in self.account.pools),
        ]

    def statement(self, asset: str) -> dict[str, float]:
        """Give what came in from outside, what trades brought, what fees took, and what is there."""
        deposits, traded, fees = self._sums.get(asset, [0.0, 0.0, 0.0])
        return {"deposits": deposits, "traded": traded, "fees": fees, "total": self.total(asset)}

    def _add(self, asset: str, place: int, amount: float) -> None:
        self._sums.setdefault(asset, [0.0, 0.0, 0.0])[place] += amount

    def check(self, order: OrderRecord, instead: OrderRecord | None = None) -> None:
        """Refuse an order that would give away more than is free."""
        asset = self._gives(order)
        needed, free = self._price_of(order), self.total(asset) - self.locked(asset, instead)
        if order.list_id >= 0:  # the orders of a list lock once
            same = [self._price_of(one) for one in self.open.values() if one.list_id == order.list_id]
            needed = max(needed - max(same, default=0.0), 0.0)
        if needed > free + _SLACK * needed:
            raise refuse(
                "insufficient_balance", f"{order.symbol}: it takes {needed:.8g} {asset} and {free:.8g} is free"
            )

    def refusal(self, code: str, order: OrderRecord) -> Refused:
        """Put a refusal of the matcher in words."""
        if code in ("short_not_allowed", "insufficient_margin"):
            text = f"{order.symbol}: {CODES['insufficient_balance']}"
            return refuse("insufficient_balance", text, order_id=order.id)
        return super().refusal(code, order)

    def charge(self, fill: Filled, facts: Instrument, value: float) -> tuple[float, str]:
        """Give the fee of an execution and its asset, and take it."""
        rate = (facts.maker_fee if fill.maker else facts.taker_fee) * (1.0 - self.desk.setup.fee_discount)
        in_base = fill.side == "buy" and self.desk.setup.spot_fees == "received"
        fee, asset = (fill.quantity * rate, facts.base) if in_base else (value * rate, facts.quote)
        if fee:
            self.account.adjust(Adjusted(fill.ts, asset, -fee, "fee"))
        return fee, asset

    def adjust(self, asset: str, amount: float, reason: str) -> None:
        """Change a balance from outside; Refused where it would go below zero."""
        if self.total(asset) + amount < -_SLACK:
            text = f"{asset}: there is {self.total(asset):.8g} and {-amount:.8g} is to go"
            raise refuse("insufficient_balance", text)
        if asset in self.account.pools:
            self.account.adjust(Adjusted(self.desk.now(), asset, amount, reason))
        else:
            self.others[asset] = self.others.get(asset, 0.0) + amount
        self._add(asset, 0, amount)
        self.tell_balances((asset,), {asset: amount}, reason)

    def tell_balances(self, assets: Iterable[str], changes: dict[str, float], reason: str) -> None:
        """Tell what there is of some assets now."""
        rows = tuple(self.balance(asset) for asset in assets)
        self.desk.tell(BalanceChanged(self.desk.now(), self.desk.name, self.wallet, rows, changes, reason))

    def order_moved(self, order: OrderRecord, kind: str, execution: Execution | None) -> None:
        """Tell what an order locks or lets go, or what an execution has moved."""
        facts = self.markets[order.symbol].instrument
        if execution is not None:
            sign = 1.0 if execution.side == "buy" else -1.0
            changes = {facts.base: sign * execution.quantity, facts.quote: -sign * execution.quote_quantity}
            for asset, moved in changes.items():
                self._add(asset, 1, moved)
            self._add(execution.fee_asset, 2, execution.fee)
            changes[execution.fee_asset] = changes.get(execution.fee_asset, 0.0) - execution.fee
            self.tell_balances(changes, changes, "trade")
        elif kind != "triggered" and not (order.type == "market" and kind == "new"):
            self.tell_balances((self._gives(order),), {}, "order")
