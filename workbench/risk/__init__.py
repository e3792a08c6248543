"""Risk as pure numbers: metrics of an equity curve and of trades, and the weights of a portfolio."""

from workbench.risk import metrics, weighting

__all__ = ["metrics", "weighting"]
