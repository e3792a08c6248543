"""How risk is measured: the level, the horizon, the method."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from workbench.errors import ConfigError
from workbench.risk.weighting import Estimator

__all__ = ["RiskMethod", "Terms", "Updating"]

RiskMethod = Literal["historical", "parametric", "filtered"]
Updating = Literal["ewma", "garch"]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How risk is measured.

    Parameters
    ----------
    level : float, default 0.99
        Confidence.
    horizon : int, default 1
        Rows of the prices.
    method : {"historical", "parametric", "filtered"}
        - "historical": what is held now would have won and lost this in the past.
        - "parametric": a normal law without a mean, from the covariance matrix.
        - "filtered": as historical, each series' past returns scaled by its volatility of now over that of then.
    covariance : {"ledoit_wolf", "oas", "sample", "exponential"}
        Of the parametric method and of correlations. The first two draw correlations towards zero and leave variances
        as the sample has them.
    updating : {"ewma", "garch"}
        Volatility for the filtered method: exponential weights, or a GARCH(1,1) model of each series.
    decay : float, default 0.94
        Weight of yesterday's variance ("ewma").

    Raises
    ------
    ConfigError
        There is no such method, or a number is out of range.
    """

    level: float = 0.99
    horizon: int = 1
    method: RiskMethod = "historical"
    covariance: Estimator = "ledoit_wolf"
    updating: Updating = "ewma"
    decay: float = 0.94

    def __post_init__(self) -> None:
        for name, kind in (("method", RiskMethod), ("covariance", Estimator), ("updating", Updating)):
            if getattr(self, name) not in get_args(kind):
                told = ", ".join(map(repr, get_args(kind)))
                raise ConfigError(f"{name} = {getattr(self, name)!r} is not one of {told}", name=name)
        for name, low, high in (("level", 0.5, 1.0), ("decay", 0.0, 1.0)):
            value: Any = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not low < value < high:
                raise ConfigError(f"{name} = {value!r}: give a fraction between {low:g} and {high:g}", name=name)
        if isinstance(self.horizon, bool) or not isinstance(self.horizon, (int, np.integer)) or self.horizon < 1:
            raise ConfigError(f"horizon = {self.horizon!r}: give a whole number of rows, 1 or more", name="horizon")

    @property
    def percent(self) -> str:
        """The level in words, `99 %`."""
        return f"{math.floor(self.level * 1e6 + 0.5) / 1e4:g} %"
