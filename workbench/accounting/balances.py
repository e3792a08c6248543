"""Balances: what entries leave in each account, at any time, and what of contracts' profits is cash by then.

A trade of contracts moves no cash: its cost waits in the positions account. `realised` goes through such trades in
order of time and finds, by average cost, how much of what waits is profit of what has been closed; `balances_of` shows
that as cash of the wallet, which is how venues show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from workbench.accounting.entries import OWN_ROOTS, Entry, wallet_of
from workbench.accounting.money import Money, total

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Balances", "Profit", "balances_of", "profits", "realised"]

_SMALLEST: Final = Decimal(
    "1e-18"
)  # of a part of a cost; what rounding leaves stays with the position, so nothing is lost
_DIVIDING: Final = Context(prec=120)


@dataclass(frozen=True)
class Balances(Mapping[str, Mapping[str, Money]]):
    """What is in each account: `balances[account][currency]`.

    Parameters
    ----------
    accounts : mapping of str to mapping of str to Money
        Without zeros.
    at : int, optional
        The moment, ms UTC; all entries count when None.
    """

    accounts: Mapping[str, Mapping[str, Money]]
    at: int | None = None

    def __getitem__(self, account: str) -> Mapping[str, Money]:
        return self.accounts[account]

    def __iter__(self) -> Iterator[str]:
        return iter(self.accounts)

    def __len__(self) -> int:
        return len(self.accounts)

    def of(self, account: str, currency: str) -> Money:
        """Give what is in an account of a currency; zero where there is none."""
        return self.accounts.get(account, {}).get(currency) or Money.zero(currency)

    @property
    def mine(self) -> Balances:
        """Only wallets, positions, and what is in transit."""
        kept = {name: held for name, held in self.accounts.items() if name.partition(":")[0] in OWN_ROOTS}
        return Balances(MappingProxyType(kept), self.at)

    def totals(self) -> dict[str, Money]:
        """Give what is the user's in all accounts together, by currency, without zeros.

        Notes
        -----
        Of contracts that is the quantity, and in the settlement currency cash less what open contracts cost: add what
        they are worth now and it is equity.
        """
        found: dict[str, list[Money]] = {}
        for held in self.mine.values():
            for currency, amount in held.items():
                found.setdefault(currency, []).append(amount)
        sums = {currency: total(amounts, currency) for currency, amounts in sorted(found.items())}
        return {currency: amount for currency, amount in sums.items() if amount}

    def frame(self) -> pd.DataFrame:
        """Give a table with a row for each account and currency: `account`, `currency`, `amount` (Decimal)."""
        import pandas as pd

        rows = [(name, currency, money.amount) for name, held in self.items() for currency, money in held.items()]
        return pd.DataFrame(rows, columns=["account", "currency", "amount"])

    def _repr_html_(self) -> str:
        from workbench.accounting.showing import table_html

        rows = [(name, one, money.text) for name, held in self.items() for one, money in held.items()]
        return table_html(("Account", "Asset", "Amount"), rows, numbers=(2,))

    def __repr__(self) -> str:
        told = ", ".join(map(str, self.totals().values()))
        return f"<Balances of {len(self)} accounts: {told or 'nothing'}>"


def balances_of(entries: Iterable[Entry], at: int | None = None) -> Balances:
    """Add up entries.

    Parameters
    ----------
    entries : iterable of Entry
        In any order.
    at : int, optional
        Only what happened up to and at this moment, ms UTC.
    """
    counted = [entry for entry in entries if at is None or entry.ts <= at]
    sums: dict[tuple[str, str], Money] = {}
    for entry in counted:
        for one in entry.postings:
            _add(sums, one.account, one.amount)
    for account, profit in realised(counted):
        amount = _trimmed(profit)
        _add(sums, account, -amount)
        _add(sums, wallet_of(account), amount)
    accounts: dict[str, dict[str, Money]] = {}
    for (account, currency), amount in sorted(sums.items()):
        if amount:
            accounts.setdefault(account, {})[currency] = amount
    return Balances(MappingProxyType({name: MappingProxyType(held) for name, held in accounts.items()}), at)


def _add(sums: dict[tuple[str, str], Money], account: str, amount: Money) -> None:
    key = account, amount.currency
    sums[key] = sums[key] + amount if key in sums else amount


@dataclass(slots=True)
class _Position:
    """Contracts held, what they cost by average, and the profit of what is closed."""

    quantity: Decimal
    cost: Money
    profit: Money

    def trade(self, quantity: Decimal, cost: Money) -> None:
        """Add a signed quantity at a cost; what it closes becomes profit."""
        held = self.quantity
        self.quantity = (Money(held, "X") + Money(quantity, "X")).amount
        if held * quantity >= 0:
            self.cost += cost
            return
        if abs(quantity) <= abs(held):  # part of it, or all: the share of the cost goes out with the share of quantity
            out = self.cost if not self.quantity else _share(self.cost, -quantity, held)
            self.profit -= out + cost
            self.cost -= out
        else:  # turned round: the share of the trade that closes, and the rest opens anew
            closing = _share(cost, -held, quantity)
            self.profit -= self.cost + closing
            self.cost = cost - closing


def _share(cost: Money, part: Decimal, whole: Decimal) -> Money:
    share = _DIVIDING.divide(_DIVIDING.multiply(cost.amount, part), whole).quantize(_SMALLEST, context=_DIVIDING)
    return _trimmed(Money(share, cost.currency))


def _trimmed(amount: Money) -> Money:
    """Leave out zeros at the end that a division has brought."""
    return Money(amount.amount.normalize(_DIVIDING), amount.currency)


def realised(entries: Iterable[Entry]) -> list[tuple[str, Money]]:
    """Find what contracts that were closed have made, before fees and funding.

    Parameters
    ----------
    entries : iterable of Entry
        In any order. An entry that another one takes back, and that other one, do not count.

    Returns
    -------
    list of (str, Money)
        Positions account and profit in the settlement currency, one for each contract that has any.

    Notes
    -----
    Average cost, as venues keep it: closing a share of a position closes the same share of its cost, rounded half-even
    to 18 places; what closes all takes the rest, so that profits sum to exactly what was received less what was paid.
    """
    sums: dict[tuple[str, str, str], Money] = {}
    for one in profits(entries):
        key = (one.account, one.contract, one.amount.currency)
        sums[key] = sums[key] + one.amount if key in sums else one.amount
    return [(account, _trimmed(amount)) for (account, _, _), amount in sorted(sums.items()) if amount]


class Profit(NamedTuple):
    """What a trade that closed contracts has made, or lost: before fees and funding, in the settlement currency."""

    entry: Entry
    account: str
    contract: str
    amount: Money


def profits(entries: Iterable[Entry]) -> list[Profit]:
    """Find what each trade that closed contracts has made, in order of time; their sums are `realised`.

    Parameters
    ----------
    entries : iterable of Entry
        In any order. An entry that another one takes back, and that other one, do not count.
    """
    trades = [entry for entry in entries if any(one.account.startswith("positions:") for one in entry.postings)]
    gone = {entry.refs.get("reverses", "") for entry in trades if entry.kind == "reversal"}
    gone &= {entry.id for entry in trades}
    counted = [
        (entry, *_moved(entry, account))
        for entry in sorted(trades, key=lambda one: one.order)
        if entry.id not in gone and not (entry.kind == "reversal" and entry.refs.get("reverses", "") in gone)
        for account in entry.accounts
        if account.startswith("positions:")
    ]
    # what was got for nothing says no currency: it is that of the contract's other trades
    known = {(account, str(contract)): settle for _, account, contract, settle, _, _ in reversed(counted) if settle}
    books: dict[tuple[str, str, str], _Position] = {}
    found = []
    for entry, account, contract, settle, quantity, cost in counted:
        currency = settle or known.get((account, str(contract)))
        if contract and currency:
            nothing = Money.zero(currency)
            book = books.setdefault((account, contract, currency), _Position(Decimal(0), nothing, nothing))
            before = book.profit
            book.trade(quantity, cost or nothing)
            if book.profit != before:
                found.append(Profit(entry, account, contract, _trimmed(book.profit - before)))
    return found


def _moved(entry: Entry, account: str) -> tuple[str, str | None, str | None, Decimal, Money | None]:
    """Give what an entry does to a positions account: contract, settlement currency, quantity and cost."""
    sums: dict[str, Money] = {}
    for one in entry.postings:
        if one.account == account:
            currency = one.amount.currency
            sums[currency] = sums[currency] + one.amount if currency in sums else one.amount
    moved = {currency: amount for currency, amount in sums.items() if amount}
    contract = next((currency for currency in moved if ":" in currency), None)
    settle = next((currency for currency in moved if ":" not in currency), None)
    quantity = moved[contract].amount if contract else Decimal(0)
    return account, contract, settle, quantity, -moved[settle] if settle else None  # the account has minus the cost
