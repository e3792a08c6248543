"""Risk as pure numbers: metrics of an equity curve and of trades, the sizes of positions, and the weights of a portfolio."""

from workbench.risk import metrics, sizing, weighting

__all__ = ["metrics", "sizing", "weighting"]
