"""A wallet of linear perpetuals that settle in one currency: positions, margin, funding, liquidation.

The money of open orders is held back as Binance does: for each symbol the larger of what all buys or all sells would
make of the position, less the position itself, at the symbol's leverage. Stops hold nothing back before they trigger.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from workbench.market.instrument import Instrument
from workbench.practice.engine_books import Books, Desk
from workbench.practice.engine_filters import refuse
from workbench.practice.engine_messages import (
    BalanceChanged,
    FundingPaid,
    LeverageChanged,
    Liquidated,
    MarginCalled,
    PositionChanged,
)
from workbench.practice.engine_records import AccountSetup, Balance, Execution, Income, OrderRecord, PositionRecord
from workbench.practice.markets.market import Market
from workbench.trading.account import money
from workbench.trading.events import Adjusted, Book, Filled, Funded
from workbench.trading.margin import largest_notional
from workbench.trading.positions import Position
from workbench.trading.terms import AccountTerms, CostTerms

__all__ = ["CALL_LEVEL", "LinearBooks"]

CALL_LEVEL: Final = 0.8
"""Maintenance margin over what stands behind it from which on the margin is called."""

NAN: Final = math.nan
_SLACK: Final = 1e-9


class LinearBooks(Books):
    """The linear wallet of an account, in one settlement currency.

    Parameters
    ----------
    desk : Desk
    markets : mapping of symbol to Market
        Those of kind "linear" that settle in `currency`.
    cash : float
    currency : str
    hedge : bool
    """

    wallet = "linear"

    def __init__(self, desk: Desk, markets: Mapping[str, Market], cash: float, currency: str, *, hedge: bool) -> None:
        setup: AccountSetup = desk.setup
        self.discount = 1.0 - setup.fee_discount
        terms = AccountTerms("margin", False, hedge, setup.leverage)
        super().__init__(desk, markets, terms, {currency: cash}, currency)
        for symbol in markets if setup.isolated else ():
            self.account.set_isolated(symbol, True)
        self.income: list[Income] = []
        self.legs = ("long", "short") if hedge else ("net",)
        self._before = {
            (symbol, leg): Position(symbol, leg, contract_size=market.instrument.contract_size)
            for symbol, market in markets.items() for leg in self.legs
        }  # fmt: skip
        self._updated: dict[tuple[str, str], int] = {}
        self._called = False
        self._sums = {"deposits": cash, "realised": 0.0, "fees": 0.0, "funding": 0.0}

    def take_over(self, books: LinearBooks) -> None:
        """Go on where other books of the same symbols end; they have no orders and no positions."""
        self.income, self._sums = books.income, books._sums
        for symbol, line in books.account.lines.items():
            self.account.set_leverage(symbol, line.leverage)
            self.account.set_isolated(symbol, line.isolated)

    def statement(self) -> dict[str, float]:
        """Give what came in from outside, what was realised, fees, funding, what is unrealised, and the equity."""
        pool = self.account.pools[self.currency]
        equity = pool.exact() + self._cost() + pool.unrealised()
        return {**self._sums, "unrealised": pool.unrealised(), "equity": equity}

    def costs(self, facts: Instrument) -> CostTerms:
        """Give what trading an instrument costs at the matcher."""
        return CostTerms(
            taker=facts.taker_fee * self.discount, maker=facts.maker_fee * self.discount, volume_share=1.0,
            liquidation_fee=facts.liquidation_fee,
        )  # fmt: skip

    # Money

    def order_margin(self, symbol: str, extra: OrderRecord | None = None, without: OrderRecord | None = None) -> float:
        """Give the initial margin that open orders of a symbol hold back, with one more or with one less."""
        orders = [one for one in self.open.values() if one.symbol == symbol and one is not without]
        orders += [] if extra is None else [extra]
        return sum(self._held_back(symbol, leg, orders) for leg in self.legs) / self.account.leverage(symbol)

    def _held_back(self, symbol: str, leg: str, orders: list[OrderRecord]) -> float:
        sums = {"buy": 0.0, "sell": 0.0}
        size = self.markets[symbol].instrument.contract_size
        for order in orders:
            if order.leg != leg or order.reduce_only or order.close_position:
                continue
            price = order.price
            if order.type == "market":
                price = self.estimate(symbol, order.side, order.quantity)
            elif order.type != "limit" and not order.triggered:
                continue
            if price == price:
                sums[order.side] += order.remaining * price * size
        if not any(sums.values()):
            return 0.0
        held = self.account.position(symbol, leg)
        value = held.value(self.account.lines[symbol].mark) if held.quantity else 0.0
        if leg != "net":
            return sums["buy"] if leg == "long" else sums["sell"]
        return max(max(abs(value + sums["buy"]), abs(value - sums["sell"])) - abs(value), 0.0)

    def held_back(self) -> float:
        """Give the initial margin that all open orders hold back."""
        return math.fsum(self.order_margin(symbol) for symbol in {one.symbol for one in self.open.values()})

    def free(self) -> float:
        """Give what can open positions; below zero where there is less than nothing."""
        return self.account.pools[self.currency].available() - self.held_back()

    def check(self, order: OrderRecord, instead: OrderRecord | None = None) -> None:
        """Refuse an order whose initial margin and fee are not free."""
        symbol = order.symbol
        more = self.order_margin(symbol, order, instead) - self.order_margin(symbol)
        if more <= 0.0:
            return
        price = order.price if order.price == order.price else self.estimate(symbol, order.side, order.quantity)
        facts = self.markets[symbol].instrument
        more += order.remaining * price * facts.contract_size * facts.taker_fee * self.discount
        free = self.free()
        if more > free * (1.0 + _SLACK):
            text = f"{symbol}: it takes {more:.8g} {self.currency} of margin and {free:.8g} is free"
            raise refuse("insufficient_margin", text)

    def balance(self) -> Balance:
        """Give what there is of the settlement currency."""
        pool = self.account.pools[self.currency]
        held = money(pool.margin_used() + self.held_back())
        return Balance(
            self.currency,
            max(money(self.free()), 0.0),
            held,
            money(pool.exact() + self._cost()),
            money(pool.unrealised()),
        )

    def _cost(self) -> float:
        return math.fsum(held.cost for held in self.account.positions)

    def adjust(self, amount: float, reason: str) -> None:
        """Change the balance from outside; Refused where it would go below zero."""
        if self.account.pools[self.currency].wallet() + amount < -_SLACK:
            raise refuse("insufficient_balance", f"{self.currency}: {-amount:.8g} is to go and is not there")
        self.account.adjust(Adjusted(self.desk.now(), self.currency, amount, reason))
        self.venue.reappraise()
        self._sums["deposits"] += amount
        self._enter("", "transfer", amount)
        self._tell_balance(amount, reason)

    def _tell_balance(self, change: float, reason: str) -> None:
        row = (self.balance(),)
        self.desk.tell(
            BalanceChanged(self.desk.now(), self.desk.name, self.wallet, row, {self.currency: change}, reason)
        )

    def _enter(self, symbol: str, kind: str, amount: float, execution: int = 0) -> None:
        if amount:
            number = self.desk.income_number()
            self.income.append(Income(number, self.desk.now(), symbol, kind, self.currency, money(amount), execution))

    # Positions

    def position(self, symbol: str, leg: str) -> PositionRecord:
        """Give a position, flat or not."""
        line, held = self.account.lines[symbol], self.account.position(symbol, leg)
        mark = line.mark if held.quantity else self.markets[symbol].mark(self.desk.now())
        facts, flat = line.instrument, held.quantity == 0.0
        both_ways = math.copysign(2.0 * facts.taker_fee * self.discount, held.quantity)
        which: Any = leg
        return PositionRecord(
            symbol, which, held.quantity, 0.0 if flat else held.price,
            0.0 if flat else held.price * (1.0 + both_ways), mark, 0.0 if flat else held.unrealised(mark),
            NAN if flat else self.account.liquidation_price(symbol, leg), line.leverage, line.isolated,
            0.0 if flat else self.account.margin_of(symbol, leg), 0.0 if flat else line.maintenance(held),
            0.0 if flat else held.value(mark), self._updated.get((symbol, leg), 0),
        )  # fmt: skip

    def positions(self, symbol: str = "", *, flat: bool = False) -> list[PositionRecord]:
        """Give the positions that are open, or all."""
        return [
            self.position(name, leg)
            for name in self.markets if symbol in ("", name)
            for leg in self.legs if flat or self.account.position(name, leg).quantity
        ]  # fmt: skip

    def realise(self, fill: Filled) -> float:
        """Give the profit that an execution has closed, before fees."""
        held = self._before[fill.symbol, fill.leg]
        before, entry = held.quantity, held.price
        change = fill.quantity if fill.side == "buy" else -fill.quantity
        held.apply(change, fill.price, 0.0, fill.ts)
        self._updated[fill.symbol, fill.leg] = self.desk.now()
        if before * change >= 0.0:
            return 0.0
        closed = math.copysign(min(abs(before), abs(change)), before)
        return closed * (fill.price - entry) * held.contract_size

    def order_moved(self, order: OrderRecord, kind: str, execution: Execution | None) -> None:
        """Tell what an execution has made of money and position."""
        if execution is None:
            return
        forced = order.reason == "liquidation"
        self._enter(order.symbol, "realised", execution.realised, execution.id)
        self._enter(order.symbol, "liquidation_fee" if forced else "commission", -execution.fee, execution.id)
        self._sums["realised"] += execution.realised
        self._sums["fees"] += execution.fee
        why = "liquidation" if forced else "trade"
        self._tell_balance(execution.realised - execution.fee, why)
        now, name = self.desk.now(), self.desk.name
        self.desk.tell(PositionChanged(now, name, self.position(order.symbol, order.leg), why))
        if forced:
            copy = replace(order, fees=dict(order.fees))
            self.desk.tell(Liquidated(now, name, order.symbol, order.leg, execution.quantity, execution.price, copy))

    def after_print(self, symbol: str) -> None:
        """Call for margin where it is nearly used up: once, until it is better again."""
        if not self.account.open_positions:
            self._called = False
            return
        level = self.level()
        if level >= CALL_LEVEL and not self._called:
            self.desk.tell(MarginCalled(self.desk.now(), self.desk.name, level, tuple(self.positions())))
        self._called = level >= CALL_LEVEL

    def level(self) -> float:
        """Give the highest of maintenance margin over what is behind it: the cross wallet, or an isolated margin."""
        pool, worst = self.account.pools[self.currency], 0.0
        cross, needed = pool.wallet(), 0.0
        for line, held in pool.open():
            profit, keep = held.unrealised(line.mark), line.maintenance(held)
            if line.isolated:
                margin = pool.margin_of(line, held)
                cross -= margin
                worst = max(worst, _over(keep, margin + profit))
            else:
                cross += profit
                needed += keep
        return max(worst, _over(needed, cross))

    def fund(self, symbol: str, ts: int, rate: float, mark: float) -> None:
        """Settle funding."""
        for event in self.venue.fund(symbol, ts, rate, mark):
            if isinstance(event, Funded):
                self._before[symbol, event.leg].settle(event.amount)
                self._enter(symbol, "funding", event.amount)
                self._sums["funding"] += event.amount
                self.desk.tell(
                    FundingPaid(ts, self.desk.name, symbol, event.leg, rate, mark, event.amount, self.currency)
                )
                self._tell_balance(event.amount, "funding")
                self.desk.tell(PositionChanged(ts, self.desk.name, self.position(symbol, event.leg), "funding"))

    def close_out(self, symbol: str) -> None:
        """Close the positions of a symbol at its last price, as a venue does that no longer lists it."""
        now = self.desk.now()
        self.take(self.venue.book(Book(symbol, now, (), ())))
        self._shown.pop(symbol, None)
        for leg in self.legs:
            held = self.account.position(symbol, leg).quantity
            if held:
                which: Any = leg
                number = self.desk.number()
                self.submit(OrderRecord(
                    id=number, account=self.desk.name, wallet=self.wallet, client_id=f"settlement-{number}",
                    symbol=symbol, side="sell" if held > 0.0 else "buy", type="market", quantity=abs(held), leg=which,
                    reduce_only=True, created=now, updated=now, reason="delisted",
                ))  # fmt: skip

    # Terms

    def largest(self, symbol: str) -> float:
        """Give the largest notional that may be had at the present leverage; infinity for no end."""
        line = self.account.lines[symbol]
        return largest_notional(line.leverage, line.tiers)

    def set_leverage(self, symbol: str, leverage: float) -> None:
        """Set the leverage of a symbol; Refused where a tier, the position or the money is against it."""
        line = self.account.lines[symbol]
        top = line.instrument.max_leverage
        if not 1.0 <= leverage <= top:
            raise refuse("leverage_beyond_tier", f"{symbol}: leverage {leverage:g} is not from 1 to {top:g}")
        notional = sum(abs(held.value(line.mark)) for held in line.legs if held.quantity)
        if notional > largest_notional(leverage, line.tiers):
            raise refuse("leverage_beyond_tier", f"{symbol}: a position of {notional:g} may not have {leverage:g}")
        if notional and line.isolated and leverage < line.leverage:
            raise refuse("position_open", f"{symbol}: the leverage of an isolated position can only be raised")
        before = line.leverage
        self.account.set_leverage(symbol, leverage)
        if leverage < before and self.free() < 0.0:
            self.account.set_leverage(symbol, before)
            raise refuse("insufficient_margin", f"{symbol}: there is not enough margin for leverage {leverage:g}")
        self.venue.reappraise()
        self.desk.tell(LeverageChanged(self.desk.now(), self.desk.name, symbol, leverage))

    def set_isolated(self, symbol: str, isolated: bool) -> None:
        """Set the margin mode of a symbol; Refused where it is so, or where orders or a position are open."""
        if self.account.lines[symbol].isolated == isolated:
            raise refuse("no_change", f"{symbol}: margin is {'isolated' if isolated else 'cross'} already")
        self.busy(symbol)
        self.account.set_isolated(symbol, isolated)
        self.venue.reappraise()

    def busy(self, symbol: str = "") -> None:
        """Refuse a change of mode while orders or positions are open."""
        if any(symbol in ("", one.symbol) for one in self.open.values()):
            raise refuse("orders_open", f"orders of {symbol or self.currency} are open; cancel them first")
        if any(symbol in ("", one.symbol) for one in self.account.positions):
            raise refuse("position_open", f"a position in {symbol or self.currency} is open; close it first")


def _over(part: float, whole: float) -> float:
    if part <= 0.0:
        return 0.0
    return part / whole if whole > 0.0 else math.inf
