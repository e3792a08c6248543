"""What of a portfolio's tail is explained by markets that one names."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.risk.portfolio.levels import levels_of, moves_of
from workbench.risk.portfolio.tails import Simulated

if TYPE_CHECKING:
    import pandas as pd

    from workbench.risk.portfolio.risk import PortfolioRisk

__all__ = ["factor_rows"]

Floats = NDArray[np.float64]


def factor_rows(risk: PortfolioRisk, factors: Any) -> pd.DataFrame:
    """Regress the profits of a portfolio on the returns of factors, and split its tail by them.

    Parameters
    ----------
    risk : PortfolioRisk
    factors : list of str, or DataFrame
        Columns of the portfolio's prices, or prices.

    Returns
    -------
    DataFrame
        As of `PortfolioRisk.factors`; over the rows that series and factors have in common.

    Raises
    ------
    DataError
        A factor is unknown, or there are no more common rows than factors.

    Notes
    -----
    Least squares with a constant; the constant and the residuals are `specific`. Since profits are the sum of all of
    them in each case, their means in the worst cases sum to the expected shortfall.
    """
    import pandas as pd

    own = risk.prices()
    if isinstance(factors, (pd.DataFrame, pd.Series)):
        beside = levels_of(factors, None)
        names = list(beside.columns)
    else:
        names = [factors] if isinstance(factors, str) else list(factors)
        unknown = [name for name in names if name not in own.columns]
        if unknown or not names:
            raise DataError(f"the prices have no factor {unknown[:1] or names}; there are {', '.join(own.columns)}")
        beside = own[names]
    labels = [f"factor {name}" for name in names]
    joint = own[risk.series].join(beside.set_axis(labels, axis=1), how="inner")
    moves, index = moves_of(joint, [*risk.series, *labels], risk.terms.horizon)
    if len(moves) <= len(names) + 1:
        raise DataError(f"{len(moves)} common rows are too few for {len(names)} factors: give longer prices")
    frame = pd.DataFrame(moves[:, : len(risk.series)], index=index, columns=risk.series)
    profits = risk.book.profits(risk.legs, frame).sum(axis=1)
    explained, betas = _explained(profits, moves[:, len(risk.series) :])
    law = Simulated(np.column_stack((explained, profits - explained.sum(axis=1))), risk.terms.level)
    parts, whole = law.parts(), law.alone(np.ones(len(names) + 1, dtype=np.bool_))
    table = pd.DataFrame(
        {
            "beta": [*betas, math.nan],
            "component_var": parts.value_at_risk,
            "component_es": parts.expected_shortfall,
            "share": parts.expected_shortfall / (whole.expected_shortfall or math.nan),
        },
        index=[*names, "specific"],
    )
    table.loc["all"] = [math.nan, whole.value_at_risk, whole.expected_shortfall, 1.0]
    return table.rename_axis("factor")


def _explained(profits: Floats, moves: Floats) -> tuple[Floats, Floats]:
    away = moves - moves.mean(axis=0)
    scale = away.std(axis=0)
    scale = np.where(scale > 0.0, scale, 1.0)
    betas = np.linalg.lstsq(away / scale, profits - profits.mean(), rcond=1e-12)[0] / scale
    return moves * betas, betas
