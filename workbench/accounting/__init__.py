"""Money that adds up: exact amounts, books of double entry, and what venues say happened."""

from workbench.accounting.backtests import books_of
from workbench.accounting.balances import Balances, balances_of, realised
from workbench.accounting.books import Books, Posted, StoredBooks
from workbench.accounting.checking import Finding, verify
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
from workbench.accounting.importing import HISTORIES, ImportReport, import_history
from workbench.accounting.matching import Match, match_transfers
from workbench.accounting.money import ROUNDINGS, Amount, Money, decimal, places_of, total
from workbench.accounting.reconciling import Reconciliation, fetch_reported, reconcile

__all__ = [
    "HISTORIES",
    "KINDS",
    "OWN_ROOTS",
    "ROOTS",
    "ROUNDINGS",
    "About",
    "Amount",
    "Balances",
    "Books",
    "Entry",
    "Finding",
    "ImportReport",
    "Match",
    "Money",
    "Posted",
    "Posting",
    "Reconciliation",
    "StoredBooks",
    "adjustment",
    "balances_of",
    "books_of",
    "contract_trade",
    "decimal",
    "deposit",
    "fee",
    "fetch_reported",
    "funding",
    "import_history",
    "income",
    "interest",
    "match_transfers",
    "own",
    "places_of",
    "positions",
    "realised",
    "reconcile",
    "total",
    "trade",
    "transfer",
    "verify",
    "wallet_of",
    "withdrawal",
]
