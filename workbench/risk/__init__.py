"""Risk as pure numbers: metrics of a curve and of trades, weights, limits on what is risked, and what one can lose."""

from workbench.risk import limits, metrics, portfolio, weighting
from workbench.risk.limits import Limits, assess

__all__ = ["Limits", "assess", "limits", "metrics", "portfolio", "weighting"]
