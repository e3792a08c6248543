"""The lots of somebody as transactions go by: taking in, giving up, and writing down each with its numbers."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Final

from workbench.accounting.money import Money
from workbench.accounting.tax.calendar import Calendar
from workbench.accounting.tax.lots import Lot, Piece, Pool, pool_of, share
from workbench.accounting.tax.options import TaxOptions
from workbench.accounting.tax.rows import Acquisition, Departure, Disposal, Finding, Flow, Holding
from workbench.accounting.tax.transaction import Transaction
from workbench.accounting.tax.valuing import Worth
from workbench.errors import DataError

__all__ = ["State"]

_ZERO: Final = Decimal(0)
_SALES: Final = ("sale", "swap")


class State:
    """Pools of lots, positions that are short, balances, and every row written so far.

    Parameters
    ----------
    options : TaxOptions
    """

    def __init__(self, options: TaxOptions) -> None:
        self.options = options
        self.acquisitions: list[Acquisition] = []
        self.disposals: list[Disposal] = []
        self.departures: list[Departure] = []
        self.flows: list[Flow] = []
        self.findings: list[Finding] = []
        self.balances: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: _ZERO)
        self._calendar = Calendar(options)
        self._universal = options.pools == "universal"
        self._pools: dict[tuple[str, str], Pool] = {}
        self._shorts: dict[tuple[str, str], Pool] = {}
        self._number = 0

    # --- where lots are

    def pool(self, wallet: str, asset: str) -> Pool:
        """Give the pool that a wallet takes an asset's lots from."""
        key = ("" if self._universal else wallet, asset)
        found = self._pools.get(key)
        if found is None:
            found = self._pools[key] = pool_of(self.options.method, self.options.rank)
        return found

    def short(self, wallet: str, asset: str) -> Pool:
        """Give the pool of the positions in an asset that are open short."""
        key = ("" if self._universal else wallet, asset)
        found = self._shorts.get(key)
        if found is None:
            found = self._shorts[key] = pool_of(self.options.method, self.options.rank, short=True)
        return found

    def holdings(self) -> list[Holding]:
        """List what is left of every lot, and every position that is open short."""
        sides = (("long", self._pools), ("short", self._shorts))
        return [
            Holding(lot.id, asset, wallet, lot.acquired, lot.quantity, lot.cost, side)
            for side, pools in sides
            for (wallet, asset), pool in sorted(pools.items())
            for lot in pool
        ]

    # --- taking in

    def acquire(
        self, tx: Transaction, asset: str, quantity: Decimal, cost: Worth, *, kind: str, price: Decimal | None = None
    ) -> None:
        """Take in a lot; with shorts allowed a purchase first closes what is open short."""
        if kind == "short_cover" or (kind == "trade" and self.options.shorts == "allowed"):
            left = self.cover(tx, asset, quantity, cost)
            cost = (
                cost
                if cost.value is None or left == quantity
                else Worth(share(cost.value, left, quantity), cost.source)
            )
            quantity = left
        if not quantity:
            return
        self._number += 1
        acquired = tx.ts if tx.acquired is None else tx.acquired
        unit = (cost.value or _ZERO) / quantity if price is None else price
        wallet = tx.to_wallet or tx.wallet
        self.pool(wallet, asset).add(Lot(tx.id, self._number, acquired, quantity, cost.value, unit))
        self.acquisitions.append(
            Acquisition(tx.id, tx.ts, kind, asset, wallet, quantity, cost.value, acquired, cost.source)
        )

    def open_short(self, tx: Transaction, asset: str, quantity: Decimal, proceeds: Worth) -> None:
        """Open a position by a sale of what is not held."""
        self._number += 1
        unit = (proceeds.value or _ZERO) / quantity
        self.short(tx.wallet, asset).add(Lot(tx.id, self._number, tx.ts, quantity, proceeds.value, unit))
        self.acquisitions.append(
            Acquisition(
                tx.id, tx.ts, "short_sale", asset, tx.wallet, quantity, proceeds.value, tx.ts, proceeds.source, "short"
            )
        )

    def cover(self, tx: Transaction, asset: str, quantity: Decimal, cost: Worth) -> Decimal:
        """Close what is open short by a purchase, and give the quantity that is left over."""
        left, money = quantity, cost.value
        for piece in self.short(tx.wallet, asset).take(quantity):
            part = None if money is None else share(money, piece.quantity, left)
            money = None if money is None or part is None else money - part
            left -= piece.quantity
            days = self._calendar.days(piece.lot.acquired, tx.ts)
            term = self._calendar.term(days)
            term = "short" if term and self.options.short_term_of_shorts == "short" else term
            self.disposals.append(
                Disposal(
                    tx.id, tx.ts, "short_cover", asset, tx.wallet, piece.lot.id, piece.lot.acquired, piece.quantity,
                    piece.cost, part, days, term, cost.source, "short",
                )
            )  # fmt: skip
        return left

    def move(self, tx: Transaction, pieces: list[Piece], added: Decimal) -> None:
        """Put parts of lots where a transfer arrives, with their dates; what is added goes to those of known cost."""
        asset = tx.sent.currency if tx.sent else ""
        left = sum((piece.quantity for piece in pieces if piece.cost is not None), _ZERO)
        if added and left:
            row = Acquisition(tx.id, tx.ts, "network_fee", asset, tx.to_wallet, _ZERO, added, tx.ts, "cost of moving")
            self.acquisitions.append(row)
        for piece in pieces:
            lot, cost = piece.lot, piece.cost
            if cost is not None:
                extra = share(added, piece.quantity, left)
                added, left, cost = added - extra, left - piece.quantity, cost + extra
            self.pool(tx.to_wallet, asset).add(Lot(lot.id, lot.number, lot.acquired, piece.quantity, cost, lot.price))

    # --- giving up

    def dispose(
        self, tx: Transaction, money: Money, proceeds: Worth, *, kind: str, taken: list[Piece] | None = None
    ) -> None:
        """Give up a quantity for proceeds: a row for each part of a lot that it takes, or that was taken already."""
        asset, left, rest = money.currency, money.amount, proceeds.value
        for piece in self.take(tx, money, kind) if taken is None else taken:
            part = None if rest is None else share(rest, piece.quantity, left)
            rest = None if rest is None or part is None else rest - part
            left -= piece.quantity
            acquired = piece.lot.acquired
            days = self._calendar.days(acquired, tx.ts)
            self.disposals.append(
                Disposal(
                    tx.id, tx.ts, kind, asset, tx.wallet, piece.lot.id, acquired, piece.quantity, part, piece.cost,
                    days, self._calendar.term(days), proceeds.source,
                )
            )  # fmt: skip
        if left > self.options.dust and self.options.shorts == "allowed" and kind in _SALES:
            self.open_short(tx, asset, left, Worth(rest, proceeds.source))
        elif left:
            cost = self.cost_without(left)
            term = self._calendar.term(0) if left <= self.options.dust else ""
            self.disposals.append(
                Disposal(tx.id, tx.ts, kind, asset, tx.wallet, "", None, left, rest, cost, None, term, proceeds.source)
            )
            self._lacking(tx, asset, left)

    def cost_without(self, quantity: Decimal) -> Decimal | None:
        """Give what a quantity without a lot has cost: nothing, where it is dust or taken so, else unknown."""
        return _ZERO if self.options.unknown_cost == "zero" or quantity <= self.options.dust else None

    def depart(self, tx: Transaction, money: Money, *, kind: str, taken: list[Piece] | None = None) -> Decimal:
        """Let a quantity leave at its cost, without a gain, and give the cost."""
        left, total = money.amount, _ZERO
        for piece in self.take(tx, money, kind) if taken is None else taken:
            left -= piece.quantity
            total += piece.cost or _ZERO
            lot = piece.lot
            self.departures.append(
                Departure(
                    tx.id, tx.ts, kind, money.currency, tx.wallet, lot.id, lot.acquired, piece.quantity, piece.cost
                )
            )
        if left:
            cost = _ZERO if left <= self.options.dust else None
            self.departures.append(Departure(tx.id, tx.ts, kind, money.currency, tx.wallet, "", None, left, cost))
            self._lacking(tx, money.currency, left)
        return total

    def take(self, tx: Transaction, money: Money, kind: str = "") -> list[Piece]:
        """Take lots out of the pool that a transaction draws on: those that it names, or those of the method.

        The names are for what is sent, not for a fee beside it.
        """
        pool = self.pool(tx.wallet, money.currency)
        apart = kind in ("fee", "network_fee") and tx.kind != "fee"
        if self.options.method != "specific" or apart or tx.sent is None or tx.sent.currency != money.currency:
            return pool.take(money.amount)
        pieces, left = [], money.amount
        for choice in tx.lots:
            wanted = left if choice.quantity is None else choice.quantity
            self._require_lot(tx, money, choice.lot, wanted if choice.quantity is not None else None, left)
            for piece in pool.take_from(choice.lot, wanted):
                pieces.append(piece)
                left -= piece.quantity
        if left and pool.quantity:
            said = f"names lots for {money.amount - left} of {money.amount}" if tx.lots else "names no lot"
            self.find(
                "no lot named", tx, money.currency, f"{said} {money.currency}; the rest was taken first in, first out"
            )
        return pieces + pool.take(left)

    def _require_lot(self, tx: Transaction, money: Money, lot: str, wanted: Decimal | None, left: Decimal) -> None:
        asset = money.currency
        held = self.pool(tx.wallet, asset).held(lot)
        if not held:
            elsewhere = [name for (name, one), pool in self._pools.items() if one == asset and pool.held(lot)]
            here = [one.id for one in self.pool(tx.wallet, asset)][:8]
            why = f"it is in {', '.join(elsewhere)}" if elsewhere else "there is none, or it is used up"
            raise DataError(
                f"transaction {tx.id} gives lot {lot!r} of {asset}, which {tx.wallet} does not hold then: {why}; "
                f"lots there: {', '.join(here) or 'none'}",
                transaction=tx.id,
                lot=lot,
            )
        if wanted is not None and (wanted > held or wanted > left):
            most = f"{held} of it is held" if wanted > held else f"only {left} is still to give"
            raise DataError(
                f"transaction {tx.id} gives {wanted} {asset} of lot {lot!r}, but {most}", transaction=tx.id, lot=lot
            )

    # --- writing down

    def flow(self, tx: Transaction, category: str, kind: str, money: Money, worth: Worth) -> None:
        """Write down income, an expense, or the result of a derivative."""
        self.flows.append(
            Flow(tx.id, tx.ts, category, kind, money.currency, tx.wallet, money.amount, worth.value, worth.source)
        )

    def find(self, code: str, tx: Transaction, asset: str, message: str) -> None:
        """Write down what is missing or does not fit."""
        self.findings.append(Finding(code, tx.id, tx.ts, asset, tx.wallet, message))

    def _lacking(self, tx: Transaction, asset: str, quantity: Decimal) -> None:
        if quantity <= self.options.dust:
            return
        others = {
            name: pool.quantity
            for (name, one), pool in self._pools.items()
            if one == asset and name not in ("", tx.wallet) and pool.quantity
        }
        there = ", ".join(f"{name} holds {quantity:f}" for name, quantity in sorted(others.items())[:4])
        hint = f"a transfer may be missing ({there})" if there else "a purchase, deposit or short_sale may be missing"
        self.find(
            "more than was held", tx, asset,
            f"gives {quantity:f} {asset} more than {tx.wallet if not self._universal else 'all wallets'} ever had: "
            f"its cost is not known; {hint}",
        )  # fmt: skip
