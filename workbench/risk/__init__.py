"""Risk as pure numbers: metrics of equity curves and trades, sizes of positions, weights of a portfolio, what one can lose."""

from workbench.risk import metrics, portfolio, sizing, weighting

__all__ = ["metrics", "portfolio", "sizing", "weighting"]
