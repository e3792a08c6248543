"""Weights of a portfolio: from returns to how much of each.

Functions take simple returns per bar, shape (n, k): a DataFrame gives a Series by its columns, an array an array. An
asset whose returns are not all known gets nothing, nor, where risk decides, one that never moves; weights sum to one,
but for `volatility_target` and `kelly`, whose rest is cash. Nothing here looks at prices, time or costs already paid;
`research.allocating` walks through history with it.
"""

from workbench.risk.weighting.covariances import Estimator, covariance
from workbench.risk.weighting.limits import Limits
from workbench.risk.weighting.methods import (
    METHODS,
    equal_risk_contribution,
    equal_weight,
    hrp,
    inverse_volatility,
    maximum_diversification,
    minimum_variance,
)
from workbench.risk.weighting.rebalancing import Reluctance, rebalanced, turnover_between
from workbench.risk.weighting.sizing import (
    diversification_ratio,
    kelly,
    risk_contributions,
    volatility_of,
    volatility_target,
)

__all__ = [
    "METHODS",
    "Estimator",
    "Limits",
    "Reluctance",
    "covariance",
    "diversification_ratio",
    "equal_risk_contribution",
    "equal_weight",
    "hrp",
    "inverse_volatility",
    "kelly",
    "maximum_diversification",
    "minimum_variance",
    "rebalanced",
    "risk_contributions",
    "turnover_between",
    "volatility_of",
    "volatility_target",
]
