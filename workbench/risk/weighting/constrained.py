"""Weights between bounds and under caps of groups: convex problems that skfolio solves."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.risk.weighting.limits import Limits

__all__ = ["solve"]

Floats = NDArray[np.float64]


def solve(matrix: Floats, names: list[Any], method: str, limits: Limits) -> Floats:
    """Give the weights of a method within limits.

    Parameters
    ----------
    matrix : float64 array, shape (k, k)
        Covariance.
    names : list, length k
    method : {"minimum_variance", "equal_risk_contribution", "maximum_diversification"}
    limits : Limits

    Returns
    -------
    float64 array, shape (k,)

    Raises
    ------
    ConfigError
        No weights keep the limits, or an equal risk contribution is asked for with short positions.
    """
    from skfolio import RiskMeasure
    from skfolio.optimization import (
        MaximumDiversification,
        MeanRisk,
        RiskBudgeting,
    )
    from skfolio.prior import EmpiricalPrior

    low, high = limits.bounds(names)
    if method == "equal_risk_contribution" and low.min() < 0.0:
        raise ConfigError("an equal risk contribution is long only: give no negative low")
    scaled = matrix / float(np.diag(matrix).mean())
    told: dict[str, Any] = {
        "prior_estimator": EmpiricalPrior(covariance_estimator=_given(scaled)),
        "min_weights": low,
        "max_weights": high,
        "solver_params": {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10},
        **_groups(names, limits),
    }
    if method == "maximum_diversification":
        model: Any = MaximumDiversification(**told)
    elif method == "equal_risk_contribution":
        model = RiskBudgeting(risk_measure=RiskMeasure.VARIANCE, **told)
    else:
        model = MeanRisk(risk_measure=RiskMeasure.VARIANCE, **told)
    with warnings.catch_warnings():  # the last digits may be missing where the matrix is singular; they are not needed
        warnings.filterwarnings("ignore", message="Solution may be inaccurate")
        model.fit(_some_returns(scaled))  # only the shape and the mean of these are read; the covariance is given
    weights = np.clip(np.asarray(model.weights_, dtype=np.float64), low, high)
    return _to_one(weights, low, high)


def _given(matrix: Floats) -> Any:
    """Make an estimator that says what is known already."""
    from skfolio.moments import BaseCovariance

    class Given(BaseCovariance):  # type: ignore[misc]
        def __init__(self, matrix: Any = None) -> None:
            super().__init__(nearest=False, higham=False, higham_max_iteration=100)
            self.matrix = matrix

        def fit(self, X: Any, y: Any = None) -> Any:  # noqa: N803, scikit-learn's names
            self._set_covariance(self.matrix)
            return self

    return Given(matrix)


def _some_returns(matrix: Floats) -> Floats:
    """Give returns of these variances."""
    signs = np.tile([[1.0], [-1.0]], (2, len(matrix)))
    return np.asarray(signs * np.sqrt(np.diag(matrix)))


def _groups(names: list[Any], limits: Limits) -> dict[str, Any]:
    """Say the caps of groups in skfolio's words; groups are numbered, since its formulas read no arbitrary names."""
    groups = sorted({limits.groups[name] for name in names if name in limits.groups} & set(limits.caps))
    if not groups:
        return {}
    number = {group: f"g{k}" for k, group in enumerate(groups)}
    rows = [[number.get(limits.groups.get(name, ""), "rest") for name in names]]
    return {"groups": rows, "linear_constraints": [f"{number[group]} <= {limits.caps[group]!r}" for group in groups]}


def _to_one(weights: Floats, low: Floats, high: Floats) -> Floats:
    """Take the solver's last digits out: what is missing to one goes where there is room."""
    missing = 1.0 - float(weights.sum())
    room = high - weights if missing > 0 else weights - low
    return weights + missing * room / room.sum() if room.sum() > 0 else weights
