"""Money that adds up: exact amounts, books of double entry, and what venues say happened."""

from workbench.accounting.balances import Balances, balances_of, realised
from workbench.accounting.books import Books, Posted, StoredBooks
from workbench.accounting.entries import KINDS, OWN_ROOTS, ROOTS, Entry, Posting, own, positions, wallet_of
from workbench.accounting.happenings import (
    About,
    adjustment,
    contract_trade,
    deposit,
    fee,
    funding,
    income,
    interest,
    trade,
    transfer,
    withdrawal,
)
from workbench.accounting.money import ROUNDINGS, Amount, Money, decimal, places_of, total

__all__ = [
    "KINDS",
    "OWN_ROOTS",
    "ROOTS",
    "ROUNDINGS",
    "About",
    "Amount",
    "Balances",
    "Books",
    "Entry",
    "Money",
    "Posted",
    "Posting",
    "StoredBooks",
    "adjustment",
    "balances_of",
    "contract_trade",
    "decimal",
    "deposit",
    "fee",
    "funding",
    "income",
    "interest",
    "own",
    "places_of",
    "positions",
    "realised",
    "total",
    "trade",
    "transfer",
    "wallet_of",
    "withdrawal",
]
