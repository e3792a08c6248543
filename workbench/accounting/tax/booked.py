"""Books of double entry as transactions, and the proof that a report ends at the balances of the books.

What the books say is kept to the last digit: each wallet, and what is in transit, is a wallet of the report. Contracts
are not assets here: what a trade that closes them makes is a `realised` payment, at average cost as venues count it,
and what is open counts nowhere. An entry that was taken back counts as if it had never been.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from workbench.accounting.balances import balances_of, profits
from workbench.accounting.books import Books
from workbench.accounting.entries import Entry, wallet_of
from workbench.accounting.money import Money
from workbench.accounting.tax.calendar import Calendar
from workbench.accounting.tax.transaction import Transaction
from workbench.errors import DataError

if TYPE_CHECKING:
    from workbench.accounting.tax.report import TaxReport

__all__ = ["require_reconciled", "transactions_of"]

_ZERO: Final = Decimal(0)
_WALLETS: Final = ("own", "transit")
_CAME: Final = MappingProxyType({"funding": "funding", "interest": "interest", "income": "reward", "": "realised"})
_WENT: Final = MappingProxyType({"funding": "funding", "interest": "fee", "income": "fee", "": "realised"})
_NOTED: Final = ("airdrop", "staking", "mining", "fork")
_MOST_SHOWN: Final = 4
Moved = dict[tuple[str, str], Money]


def transactions_of(books: Books | Iterable[Entry]) -> list[Transaction]:
    """Give what books say as transactions for `tax_report`.

    Parameters
    ----------
    books : Books or iterable of Entry

    Returns
    -------
    list of Transaction
        In order of time. Each has the id of its entry; where an entry makes several (a second fee, a rebate), the
        others have `#2`, `#3` after it. The wallet `own:binance:main` is called `binance:main`.

    Raises
    ------
    DataError
        An amount has more decimals or digits than a transaction may have.

    Notes
    -----
    Interest and income received are income (airdrop, staking, mining or fork where the note says so, else reward),
    paid ones are fees; a rebate is a reward. Deposits, withdrawals and adjustments say nothing of where from and where
    to: `match_transfers` joins those between own wallets, and the report warns of the others.

    Examples
    --------
    >>> from workbench.accounting import Money, deposit, own
    >>> [one] = transactions_of([deposit(own("kraken"), Money("5", "ETH"), 0)])
    >>> one.kind, one.wallet, one.received
    ('deposit', 'kraken:main', Money('5', 'ETH'))
    """
    entries = _counted(books)
    closed: dict[str, list[tuple[str, Money]]] = {}
    for one in profits(entries):
        closed.setdefault(one.entry.id, []).append((_name(wallet_of(one.account)), one.amount))
    return [made for entry in entries for made in _numbered(_of_entry(entry, closed.get(entry.id, [])))]


def require_reconciled(report: TaxReport, books: Books | Iterable[Entry]) -> int:
    """Hold that a report ends at the balances of the books, in every wallet and asset to the last digit.

    Parameters
    ----------
    report : TaxReport
        Of `transactions_of(books)`, perhaps with transactions of other wallets.
    books : Books or iterable of Entry

    Returns
    -------
    int
        How many balances were compared: those of each wallet and asset, zeros among them.

    Raises
    ------
    DataError
        They differ: transactions are missing, stand twice, or belong to a wallet of the books without being in them.
    """
    entries = _counted(books)
    until = None if report.year is None else Calendar(report.options).start_of(report.year + 1) - 1
    kept = {
        (_name(account), currency): money.amount
        for account, held in balances_of(entries, until).items() if account.partition(":")[0] in _WALLETS
        for currency, money in held.items()
    }  # fmt: skip
    wallets = {_name(account) for entry in entries for account in entry.accounts if _is_wallet(account)}
    told = {key: amount for key, amount in report.balances.items() if key[0] in wallets}
    every = sorted(kept.keys() | told.keys())
    off = [key for key in every if kept.get(key, _ZERO) != told.get(key, _ZERO)]
    if off:
        shown = "; ".join(
            f"{wallet} has {told.get((wallet, asset), _ZERO):f} {asset} in the report and "
            f"{kept.get((wallet, asset), _ZERO):f} in the books"
            for wallet, asset in off[:_MOST_SHOWN]
        )
        raise DataError(
            f"the report does not end at the books in {len(off)} of {len(every)} balances: {shown}; are transactions "
            "of these wallets given twice, or by other files as well?",
            wallets=[wallet for wallet, _ in off],
        )
    return len(every)


def _counted(books: Books | Iterable[Entry]) -> list[Entry]:
    """Give the entries in order of time, without those that were taken back and what took them back."""
    entries = list(books.entries() if isinstance(books, Books) else books)
    taken = {one.id: one.refs.get("reverses", "") for one in entries if one.kind == "reversal"}
    back = set(taken.values()) & {one.id for one in entries}
    kept = (one for one in entries if one.id not in back and taken.get(one.id) not in back)
    return sorted(kept, key=lambda one: one.order)


def _is_wallet(account: str) -> bool:
    return account.partition(":")[0] in _WALLETS


def _name(account: str) -> str:
    return account.removeprefix("own:")


def _numbered(made: Iterable[Transaction]) -> Iterator[Transaction]:
    for place, one in enumerate(made, 1):
        yield one if place == 1 else replace(one, id=f"{one.id}#{place}")


def _of_entry(entry: Entry, closed: list[tuple[str, Money]]) -> list[Transaction]:
    moved, fees = _moves(entry)
    made = [*_transfers(entry, moved, fees), *_of_wallets(entry, moved, fees)]
    made += [_one(entry, wallet, "realised", amount) for wallet, amount in closed]
    for (wallet, _), amount in fees.items():  # those that went with nothing above
        if amount:
            made.append(_one(entry, wallet, "fee" if amount.amount > 0 else "reward", -amount))
    return made


def _fee_of(fees: Moved, wallet: str) -> Money | None:
    """Take the first fee that a wallet paid, for what it sent or received."""
    for key, amount in fees.items():
        if key[0] == wallet and amount.amount > 0:
            return fees.pop(key)
    return None


def _moves(entry: Entry) -> tuple[Moved, Moved]:
    """Give what each wallet got and gave besides fees, and the fees that it paid."""
    moved: Moved = {}
    fees: Moved = {}
    mine = [one for one in entry.postings if _is_wallet(one.account)]
    for fee in (one.amount for one in entry.postings if one.account.partition(":")[0] == "fees"):
        paid = next((one for one in mine if one.amount == -fee), None)
        if paid is not None:
            mine.remove(paid)
        payer = paid or next((one for one in mine if one.amount.currency == fee.currency), None)
        if payer is None:
            continue  # nobody of these wallets
        if paid is None:
            _add(moved, _name(payer.account), fee)
        _add(fees, _name(payer.account), fee)
    for one in mine:
        _add(moved, _name(one.account), one.amount)
    return moved, fees


def _add(sums: Moved, wallet: str, amount: Money) -> None:
    key = (wallet, amount.currency)
    sums[key] = sums[key] + amount if key in sums else amount


def _transfers(entry: Entry, moved: Moved, fees: Moved) -> Iterator[Transaction]:
    """Take out of what moved whatever went from one wallet to another."""
    if len({wallet for wallet, _ in moved}) < 2:
        return
    for asset in dict.fromkeys(asset for _, asset in moved):
        held = {wallet: amount for (wallet, one), amount in moved.items() if one == asset and amount}
        gave = [wallet for wallet, amount in held.items() if amount.amount < 0]
        got = [wallet for wallet, amount in held.items() if amount.amount > 0]
        if len(gave) != 1 or len(got) != 1:
            continue
        amount = min(-held[gave[0]], held[got[0]])
        _add(moved, gave[0], amount)
        _add(moved, got[0], -amount)
        yield Transaction(
            id=_id(entry), ts=entry.ts, kind="transfer", wallet=gave[0], to_wallet=got[0], sent=amount,
            received=amount, fee=_fee_of(fees, gave[0]), note=entry.note,
        )  # fmt: skip


def _of_wallets(entry: Entry, moved: Moved, fees: Moved) -> Iterator[Transaction]:
    """Give what is left of each wallet: a trade where one asset went and one came, else each by itself."""
    for wallet in dict.fromkeys(wallet for wallet, _ in moved):
        amounts = [amount for (one, _), amount in moved.items() if one == wallet and amount]
        went, came = ([one for one in amounts if (one.amount < 0) is sign] for sign in (True, False))
        if len(went) == 1 and len(came) == 1:
            yield Transaction(
                id=_id(entry), ts=entry.ts, kind="trade", wallet=wallet, sent=-went[0], received=came[0],
                fee=_fee_of(fees, wallet), note=entry.note,
            )  # fmt: skip
            continue
        for amount in amounts:
            yield _one(entry, wallet, _kind(entry, amount), amount, _fee_of(fees, wallet))


def _kind(entry: Entry, amount: Money) -> str:
    """Name what came or went by itself, after the account on the other side."""
    known, other = (_CAME, "deposit") if amount.amount > 0 else (_WENT, "withdrawal")
    roots = [one.account.partition(":")[0] for one in entry.postings if one.amount.currency == amount.currency]
    outside = [root for root in roots if root not in (*_WALLETS, "positions", "fees")]
    root = outside[0] if outside else "" if "positions" in roots else "market"
    if root == "income" and amount.amount > 0:
        return next((word for word in _NOTED if word in entry.note.lower()), known[root])
    return known.get(root, other)


def _one(entry: Entry, wallet: str, kind: str, amount: Money, fee: Money | None = None) -> Transaction:
    sent, received = (None, amount) if amount.amount > 0 else (-amount, None)
    return Transaction(
        id=_id(entry), ts=entry.ts, kind=kind, wallet=wallet, sent=sent, received=received, fee=fee, note=entry.note
    )


def _id(entry: Entry) -> str:
    return entry.id.replace(";", ",").strip()
