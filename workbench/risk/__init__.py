"""Risk as pure numbers: metrics, sizes of positions, weights of a portfolio, and what one can lose."""

from workbench.risk import metrics, portfolio, sizing, weighting

__all__ = ["metrics", "portfolio", "sizing", "weighting"]
