"""Risk as pure numbers: metrics of equity curves and trades, the sizes of positions, the weights of a portfolio."""

from workbench.risk import metrics, sizing, weighting

__all__ = ["metrics", "sizing", "weighting"]
