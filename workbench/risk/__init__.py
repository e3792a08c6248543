"""Risk as pure numbers: metrics of an equity curve and of trades."""

from workbench.risk import metrics

__all__ = ["metrics"]
