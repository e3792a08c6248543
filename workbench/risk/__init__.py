"""Risk as pure numbers: metrics of an equity curve and of trades, weights of a portfolio, and what one can lose."""

from workbench.risk import metrics, portfolio, weighting

__all__ = ["metrics", "portfolio", "weighting"]
