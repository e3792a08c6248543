"""Lots, gains, income and tax reports from transactions: exact, traceable, and under stated options."""

from workbench.accounting.tax.booked import require_reconciled, transactions_of
from workbench.accounting.tax.matching import match_transfers
from workbench.accounting.tax.options import METHODS, TaxOptions
from workbench.accounting.tax.prices import Price, Prices, PriceTable
from workbench.accounting.tax.report import NOT_ADVICE, TaxReport, Totals, tax_report
from workbench.accounting.tax.sheet import read_transactions, template, write_transactions
from workbench.accounting.tax.transaction import INCOME, KINDS, LotChoice, Transaction

__all__ = [
    "INCOME",
    "KINDS",
    "METHODS",
    "NOT_ADVICE",
    "LotChoice",
    "Price",
    "PriceTable",
    "Prices",
    "TaxOptions",
    "TaxReport",
    "Totals",
    "Transaction",
    "match_transfers",
    "read_transactions",
    "require_reconciled",
    "tax_report",
    "template",
    "transactions_of",
    "write_transactions",
]
