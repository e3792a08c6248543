"""Risk as pure numbers: metrics of a curve and of trades, the weights of a portfolio, and limits on what is risked."""

from workbench.risk import limits, metrics, weighting
from workbench.risk.limits import Limits, assess

__all__ = ["Limits", "assess", "limits", "metrics", "weighting"]
