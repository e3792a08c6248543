"""Money that adds up: exact amounts, books of double entry, and what venues say happened."""

from workbench.accounting.money import ROUNDINGS, Amount, Money, decimal, places_of, total

__all__ = ["ROUNDINGS", "Amount", "Money", "decimal", "places_of", "total"]
