"""Each kind of transaction, step by step: which lots come and go, what is income, and where the fee goes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple

from workbench.accounting.money import Money
from workbench.accounting.tax.lots import Piece, share, split, worked
from workbench.accounting.tax.options import TaxOptions
from workbench.accounting.tax.prices import Prices
from workbench.accounting.tax.state import State
from workbench.accounting.tax.transaction import INCOME, Transaction
from workbench.accounting.tax.valuing import Valuer, Worth

__all__ = ["Working"]

_ZERO: Final = Decimal(0)
_TREATED: Final = {
    "missing": "its cost is not known, and gains from it are left open",
    "zero": "taken to have cost nothing",
    "value": "taken to have cost its fair value",
}
_NOTHING: Final = Worth(_ZERO, "")


class _Fee(NamedTuple):
    """A fee: its value, and the quantity that goes with what is sent, or is taken from what is received."""

    worth: Worth
    with_sent: Decimal
    from_received: Decimal
    apart: Money | None


_NO_FEE: Final = _Fee(_NOTHING, _ZERO, _ZERO, None)


class Working:
    """Works through transactions in order; the rows are in `state`.

    Parameters
    ----------
    options : TaxOptions
    prices : Prices
    """

    def __init__(self, options: TaxOptions, prices: Prices) -> None:
        self.state = State(options)
        self.options = options
        self._valuer = Valuer(options, prices)
        self._cash = options.cash
        self._basis = options.fees == "basis"
        self._steps: dict[str, Callable[[Transaction], None]] = {
            "trade": self._trade, "short_sale": self._short_sale, "short_cover": self._short_cover,
            "transfer": self._transfer, "deposit": self._came, "gift_received": self._came,
            "withdrawal": self._withdrawal, "gift_given": self._gift, "donation": self._gift, "spend": self._spend,
            "lost": self._lost, "fee": self._cost, "funding": self._settle, "realised": self._settle,
            **dict.fromkeys(INCOME, self._income),
        }  # fmt: skip

    def order(self, transaction: Transaction) -> int:
        """Rank the transactions of one millisecond: what only brings assets, moves, swaps, what only takes them."""
        if transaction.kind == "transfer":
            return 1
        if transaction.kind in ("short_sale", "short_cover"):
            return 0 if transaction.kind == "short_sale" else 3
        brings = transaction.received is not None and transaction.received.currency not in self._cash
        takes = transaction.sent is not None and transaction.sent.currency not in self._cash
        return (2 if brings else 3) if takes else 0

    def work(self, transaction: Transaction) -> None:
        """Work one transaction into the lots."""
        tx, balances = transaction, self.state.balances
        if tx.sent is not None:
            balances[tx.wallet, tx.sent.currency] -= tx.sent.amount
        if tx.received is not None:
            balances[tx.to_wallet or tx.wallet, tx.received.currency] += tx.received.amount
        if tx.fee is not None:
            balances[tx.wallet, tx.fee.currency] -= tx.fee.amount
        if tx.lots and self.options.method != "specific":
            self.state.find("lots ignored", tx, "", f"names lots, which the method {self.options.method} does not heed")
        self._steps[tx.kind](tx)

    # --- trades

    def _trade(self, tx: Transaction) -> None:
        if tx.sent is None or tx.received is None:
            return
        gives, gets = tx.sent.currency not in self._cash, tx.received.currency not in self._cash
        value = self._valued(tx)
        fee = self._fee(tx, gives=gives, gets=gets)
        proceeds, cost = self._after_fee(tx, value, fee, gives=gives, gets=gets)
        if gives:
            sent = Money(tx.sent.amount + fee.with_sent, tx.sent.currency) if fee.with_sent else tx.sent
            self.state.dispose(tx, sent, proceeds, kind="swap" if gets else "sale")
        if gets:
            quantity = tx.received.amount - fee.from_received
            self.state.acquire(tx, tx.received.currency, quantity, cost, kind="trade", price=_price(tx))
        self._pay(tx, fee, counted=gives or gets)

    def _after_fee(self, tx: Transaction, value: Worth, fee: _Fee, *, gives: bool, gets: bool) -> tuple[Worth, Worth]:
        """Give proceeds and cost after the fee, which is counted once: with what was given, else with what came."""
        if value.value is None or not self._basis or tx.received is None:
            return value, value
        if fee.from_received:
            if not gives:
                return value, value
            net = worked(value.value * (tx.received.amount - fee.from_received) / tx.received.amount)
            return Worth(net, value.source), Worth(net, value.source)
        paid = _ZERO if fee.with_sent else fee.worth.value or _ZERO
        if gives:
            return Worth(value.value - paid, value.source), value
        return value, Worth(value.value + paid, value.source)

    def _short_sale(self, tx: Transaction) -> None:
        if tx.sent is None or tx.received is None:
            return
        gets = tx.received.currency not in self._cash
        value, fee = self._valued(tx), self._fee(tx, gives=False, gets=gets)
        proceeds = self._less(value, fee)
        self.state.open_short(tx, tx.sent.currency, tx.sent.amount, proceeds)
        if gets:
            kept = Worth(proceeds.value if fee.from_received else value.value, value.source)
            self.state.acquire(tx, tx.received.currency, tx.received.amount - fee.from_received, kept, kind="trade")
        self._pay(tx, fee, counted=True)

    def _short_cover(self, tx: Transaction) -> None:
        if tx.sent is None or tx.received is None:
            return
        gives = tx.sent.currency not in self._cash
        value, fee = self._valued(tx), self._fee(tx, gives=gives, gets=False)
        asset, quantity = tx.received.currency, tx.received.amount
        if gives:
            sent = Money(tx.sent.amount + fee.with_sent, tx.sent.currency)
            self.state.dispose(tx, sent, value, kind="swap")
        paid = _ZERO if fee.with_sent or not self._basis else fee.worth.value or _ZERO
        cost = Worth(None if value.value is None else value.value + paid, value.source)
        if quantity > self.state.short(tx.wallet, asset).quantity:
            self.state.find(
                "nothing short", tx, asset,
                f"buys back {quantity:f} {asset} where {self.state.short(tx.wallet, asset).quantity:f} is open short; "
                "the rest is held as a lot",
            )  # fmt: skip
        self.state.acquire(tx, asset, quantity, cost, kind="short_cover")
        self._pay(tx, fee, counted=True)

    # --- what comes and goes without a trade

    def _income(self, tx: Transaction) -> None:
        if tx.received is None:
            return
        value = self._valued(tx)
        kept = tx.received.currency not in self._cash
        fee = self._fee(tx, gives=False, gets=kept)
        counted = tx.kind not in self.options.no_income
        if counted:
            self.state.flow(tx, "income", tx.kind, tx.received, value)
        if kept:
            cost = value if counted else Worth(_ZERO, "not counted as income")
            cost = self._plus(cost, fee) if not fee.from_received else cost
            quantity = tx.received.amount - fee.from_received
            self.state.acquire(tx, tx.received.currency, quantity, cost, kind=tx.kind, price=_price(tx))
        self._pay(tx, fee, counted=kept)

    def _came(self, tx: Transaction) -> None:
        if tx.received is None or tx.received.currency in self._cash:
            self._pay(tx, self._fee(tx, gives=False, gets=False), counted=False)
            return
        fee = self._fee(tx, gives=False, gets=True)
        quantity = tx.received.amount - fee.from_received
        carried = self._carried(tx)
        cost = carried if fee.from_received else self._plus(carried, fee)
        self.state.acquire(tx, tx.received.currency, quantity, cost, kind=tx.kind, price=_price(tx))
        self._pay(tx, fee, counted=cost.value is not None)

    def _carried(self, tx: Transaction) -> Worth:
        """Give the cost that a deposit or a present brings with it."""
        if tx.cost is not None:
            return Worth(worked(tx.cost), "stated")
        asset = tx.received.currency if tx.received else ""
        treated = self.options.unknown_cost
        gift = tx.kind == "gift_received"
        code = "unknown cost" if gift else "unknown deposit"
        what = (
            "a present without `cost`" if gift else "came from outside; if it is from an own wallet, make it a transfer"
        )
        self.state.find(code, tx, asset, f"{what}: {_TREATED[treated]}")
        if treated == "zero":
            return Worth(_ZERO, "unknown, taken as zero")
        return self._valued(tx) if treated == "value" else Worth(None, "")

    def _withdrawal(self, tx: Transaction) -> None:
        if tx.sent is None:
            return
        if tx.sent.currency not in self._cash:
            self.state.depart(tx, tx.sent, kind="withdrawal")
            self.state.find(
                "unknown withdrawal", tx, tx.sent.currency,
                f"{tx.sent.amount:f} {tx.sent.currency} went outside: its lots left at cost, without a gain; say "
                "whether it is a transfer, spend, gift_given or lost",
            )  # fmt: skip
        self._travel_fee(tx)

    def _gift(self, tx: Transaction) -> None:
        self._give(tx, at_cost=self.options.gifts == "at_cost")

    def _spend(self, tx: Transaction) -> None:
        self._give(tx, at_cost=False)

    def _lost(self, tx: Transaction) -> None:
        if tx.sent is not None and tx.sent.currency in self._cash:
            self.state.flow(tx, "expense", "lost", tx.sent, _minus(self._valued(tx)))
        self._give(tx, at_cost=self.options.lost == "at_cost", worth=Worth(_ZERO, "lost"))

    def _give(self, tx: Transaction, *, at_cost: bool, worth: Worth | None = None) -> None:
        if tx.sent is None:
            return
        gives = tx.sent.currency not in self._cash
        fee = self._fee(tx, gives=gives, gets=False)
        if gives:
            sent = Money(tx.sent.amount + fee.with_sent, tx.sent.currency)
            if at_cost:
                self.state.depart(tx, sent, kind=tx.kind)
            else:
                value = worth or self._valued(tx)
                self.state.dispose(tx, sent, value if fee.with_sent else self._less(value, fee), kind=tx.kind)
        self._pay(tx, fee, counted=gives and not at_cost)

    def _cost(self, tx: Transaction) -> None:
        if tx.sent is None:
            return
        value = self._valued(tx)
        self.state.flow(tx, "expense", "fee", tx.sent, _minus(value))
        if tx.sent.currency not in self._cash:
            self.state.dispose(tx, tx.sent, value, kind="fee")
        self._pay(tx, self._fee(tx, gives=False, gets=False), counted=False)

    def _settle(self, tx: Transaction) -> None:
        money = tx.sent or tx.received
        if money is None:
            return
        paid = tx.sent is not None
        value = self._valued(tx)
        counts = tx.kind == "realised" or self.options.funding == "gain"
        category = "gain" if counts else "expense" if paid else "income"
        self.state.flow(tx, category, tx.kind, money, _minus(value) if paid else value)
        if money.currency not in self._cash:
            if paid:
                self.state.dispose(tx, money, value, kind=tx.kind)
            else:
                self.state.acquire(tx, money.currency, money.amount, value, kind=tx.kind, price=_price(tx))
        self._pay(tx, self._fee(tx, gives=False, gets=False), counted=False)

    # --- transfers

    def _transfer(self, tx: Transaction) -> None:
        if tx.sent is None or tx.received is None:
            return
        if tx.sent.currency in self._cash:
            kept = Money(tx.network_fee, tx.sent.currency)
            if kept:
                self.state.flow(tx, "expense", "network_fee", kept, _minus(self._valuer.on_the_way(tx, kept)))
            self._travel_fee(tx)
            return
        universal, keeps = self.options.pools == "universal", self.options.network_fee == "cost"
        own = tx.fee.amount if tx.fee and tx.fee.currency == tx.sent.currency else _ZERO
        if universal and not (keeps and (tx.network_fee or tx.fee)):
            self._travel_fee(tx)
            return
        taken = self.state.take(tx, Money(tx.sent.amount + own, tx.sent.currency))
        lost, pieces = split(taken, tx.network_fee + own)
        self.state.move(tx, pieces, self._travel_fee(tx, lost))
        lacking = tx.received.amount - sum((piece.quantity for piece in pieces), _ZERO)
        if lacking:
            self._arrived_unknown(tx, lacking)

    def _arrived_unknown(self, tx: Transaction, quantity: Decimal) -> None:
        asset = tx.sent.currency if tx.sent else ""
        zero = self.state.cost_without(quantity) is not None
        if quantity > self.options.dust:
            self.state.find(
                "more than was held", tx, asset,
                f"moves {quantity:f} {asset} more than {tx.wallet} ever had; it arrives in {tx.to_wallet} with "
                f"{'a cost of zero' if zero else 'no known cost'}",
            )  # fmt: skip
        cost = Worth(_ZERO, "unknown, taken as zero") if zero else Worth(None, "")
        self.state.acquire(tx, asset, quantity, cost, kind="transfer")

    def _travel_fee(self, tx: Transaction, taken: list[Piece] | None = None) -> Decimal:
        """Treat what moving took, from parts of lots that were taken already if so, and give what it adds to cost."""
        own = tx.sent.currency if tx.sent else ""
        fee = tx.fee if tx.fee else None
        lost = tx.network_fee if own not in self._cash else _ZERO
        added = _ZERO
        if fee is not None and fee.currency == own and own not in self._cash:
            lost, fee = lost + fee.amount, None
        if lost:
            money = Money(lost, own)
            added += self._on_the_way(tx, money, lambda: self._valuer.on_the_way(tx, money), taken)
        if fee is not None and fee.currency not in self._cash:
            added += self._on_the_way(tx, fee, lambda: self._valuer.fee(tx))
        elif fee is not None:
            worth = self._fee_worth(tx)
            if self.options.network_fee == "cost" and tx.kind == "transfer" and own not in self._cash:
                return added + (worth.value or _ZERO)
            self.state.flow(tx, "expense", "network_fee", fee, _minus(worth))
        return added

    def _on_the_way(
        self, tx: Transaction, lost: Money, value_of: Callable[[], Worth], taken: list[Piece] | None = None
    ) -> Decimal:
        treated = self.options.network_fee
        if treated == "cost":
            cost = self.state.depart(tx, lost, kind="network_fee", taken=taken)
            return cost if tx.kind == "transfer" else _ZERO
        worth = Worth(_ZERO, "network fee, for nothing") if treated == "loss" else value_of()
        if worth.value is None:
            self._no_price(tx, lost.currency)
        self.state.dispose(tx, lost, worth, kind="network_fee", taken=taken)
        return _ZERO

    # --- fees and values

    def _fee(self, tx: Transaction, *, gives: bool, gets: bool) -> _Fee:
        """Tell how a fee is paid: with the asset that is given, from the one that comes, or apart."""
        fee = tx.fee
        if not fee:
            return _NO_FEE
        if self._basis and fee.currency not in self._cash:
            if gives and tx.sent is not None and fee.currency == tx.sent.currency:
                return _Fee(_NOTHING, fee.amount, _ZERO, None)
            came = tx.received if gets else None
            if came is not None and fee.currency == came.currency and fee.amount < came.amount:
                known = self._valuer.moved(tx).value
                part = None if known is None else share(known, fee.amount, came.amount)
                return _Fee(Worth(part, "share of the trade"), _ZERO, fee.amount, None)
        return _Fee(self._fee_worth(tx), _ZERO, _ZERO, fee)

    def _fee_worth(self, tx: Transaction) -> Worth:
        worth = self._valuer.fee(tx)
        if worth.value is None and tx.fee is not None:
            self._no_price(tx, tx.fee.currency, "the fee in ")
        return worth

    def _pay(self, tx: Transaction, fee: _Fee, *, counted: bool) -> None:
        """Give up the asset that a fee was paid in, and list the fee where neither cost nor proceeds know of it."""
        if fee.apart is None:
            return
        if fee.apart.currency not in self._cash:
            self.state.dispose(tx, fee.apart, fee.worth, kind="fee")
        if not (counted and self._basis):
            self.state.flow(tx, "expense", "fee", fee.apart, _minus(fee.worth))

    def _less(self, worth: Worth, fee: _Fee) -> Worth:
        if worth.value is None or not self._basis:
            return worth
        return Worth(worth.value - (fee.worth.value or _ZERO), worth.source)

    def _plus(self, worth: Worth, fee: _Fee) -> Worth:
        if worth.value is None or not self._basis:
            return worth
        return Worth(worth.value + (fee.worth.value or _ZERO), worth.source)

    def _valued(self, tx: Transaction) -> Worth:
        worth = self._valuer.moved(tx)
        if worth.value is None:
            money = tx.received or tx.sent
            self._no_price(tx, money.currency if money else "")
        return worth

    def _no_price(self, tx: Transaction, asset: str, what: str = "") -> None:
        self.state.find(
            "price missing", tx, asset,
            f"nothing says what {what}{asset} was worth in {self.options.currency}: give `value`, or prices",
        )  # fmt: skip


def _minus(worth: Worth) -> Worth:
    return worth if worth.value is None else Worth(-worth.value, worth.source)


def _price(tx: Transaction) -> Decimal | None:
    """Give the price a unit that a transaction states for what came; None where only the money says it."""
    return None if tx.value is None or tx.received is None else tx.value / tx.received.amount
