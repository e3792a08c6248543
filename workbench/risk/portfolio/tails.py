"""Value at risk and expected shortfall of a whole, and what each part has in them.

Losses are positive here: a value at risk of 4,100 means that more than 4,100 is lost with the probability 1 - level.
Parts are those of Euler: they sum to the whole, and a part that hedges is negative.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Law", "Normal", "Parts", "Simulated", "Tail", "expected_shortfall_of", "value_at_risk_of"]

Floats = NDArray[np.float64]
Chosen = NDArray[np.bool_]
_NORMAL: Final = NormalDist()


class Tail(NamedTuple):
    """Value at risk and expected shortfall, losses positive, in money."""

    value_at_risk: float
    expected_shortfall: float


class Parts(NamedTuple):
    """What each leg adds to value at risk, expected shortfall and volatility, shape (legs,) each; they sum to them."""

    value_at_risk: Floats
    expected_shortfall: Floats
    volatility: Floats


def value_at_risk_of(profits: Floats, level: float) -> float:
    """Give the loss that is exceeded with probability 1 - level, linear between two of the profits, shape (n,)."""
    return -float(np.quantile(profits, 1.0 - level)) + 0.0


def expected_shortfall_of(profits: Floats, level: float) -> float:
    """Give the mean loss of the worst 1 - level of the cases; the case on the border counts with its fraction.

    Notes
    -----
    Acerbi and Tasche (2002): so defined it is coherent, whatever the distribution: that of a sum is at most the sum.
    """
    ordered = np.sort(profits)
    return -float(_worst(len(ordered), level) @ ordered) + 0.0


def _worst(count: int, level: float) -> Floats:
    """Give the weight of each case in rising order in the mean of the worst, shape (n,)."""
    many = (1.0 - level) * count
    weights = np.clip(many - np.arange(count), 0.0, 1.0)
    return np.asarray(weights / weights.sum())


class Law(Protocol):
    """A law of profits and losses of several legs."""

    def alone(self, chosen: Chosen) -> Tail:
        """Give the tail of some legs by themselves."""

    def volatility(self, chosen: Chosen) -> float:
        """Give the standard deviation of some legs by themselves, in money."""

    def parts(self) -> Parts:
        """Give what each leg adds to the whole."""


class Simulated:
    """Profits and losses by cases: the past, as it was or scaled.

    Parameters
    ----------
    profits : float64 array, shape (n, legs)
    level : float
    """

    def __init__(self, profits: Floats, level: float) -> None:
        self.profits = profits
        self.level = level

    def alone(self, chosen: Chosen) -> Tail:
        """Give the tail of some legs by themselves."""
        total = self.profits[:, chosen].sum(axis=1)
        return Tail(value_at_risk_of(total, self.level), expected_shortfall_of(total, self.level))

    def volatility(self, chosen: Chosen) -> float:
        """Give the standard deviation of some legs by themselves (ddof 1)."""
        return float(self.profits[:, chosen].sum(axis=1).std(ddof=1))

    def parts(self) -> Parts:
        """Give what each leg adds to the whole.

        Notes
        -----
        Of the shortfall: the mean of the leg in the worst cases of the whole. Of the value at risk: the mean of the leg
        in the cases near it, by a normal kernel (Epperlein and Smillie 2006), brought to sum to it; a single case would
        say little. Of the volatility: covariance with the whole over its volatility.
        """
        total = self.profits.sum(axis=1)
        order = np.argsort(total, kind="stable")
        shortfall = -(_worst(len(total), self.level) @ self.profits[order])
        return Parts(self._near(total), np.asarray(shortfall), self._varying(total))

    def _near(self, total: Floats) -> Floats:
        risk = value_at_risk_of(total, self.level)
        middle = float(np.subtract(*np.quantile(total, (0.75, 0.25)))) / 1.349
        spread = min(float(total.std()), middle) if middle > 0.0 else float(total.std())
        if not spread > 0.0:
            return np.asarray(-self.profits.mean(axis=0)) if len(self.profits) else np.zeros(self.profits.shape[1])
        away = (total + risk) / (0.9 * spread * len(total) ** -0.2)
        weights = np.exp(-0.5 * (away**2 - float((away**2).min())))
        found = -(weights @ self.profits) / weights.sum()
        reached = float(found.sum())
        if abs(reached) > 0.25 * abs(risk):
            return np.asarray(found * (risk / reached))
        return np.asarray(found + (risk - reached) / max(len(found), 1))

    def _varying(self, total: Floats) -> Floats:
        spread = float(total.std(ddof=1))
        if not spread > 0.0:
            return np.zeros(self.profits.shape[1])
        away = self.profits - self.profits.mean(axis=0)
        return np.asarray(away.T @ (total - total.mean()) / (len(total) - 1) / spread)


class Normal:
    """A normal law with mean zero.

    Parameters
    ----------
    stakes : float64 array, shape (legs,)
        What each leg wins for a unit of its return.
    matrix : float64 array, shape (legs, legs)
        Covariance of the legs' returns over the horizon.
    level : float
    """

    def __init__(self, stakes: Floats, matrix: Floats, level: float) -> None:
        self.stakes = stakes
        self.matrix = matrix
        self.at = -_NORMAL.inv_cdf(1.0 - level)
        self.beyond = _NORMAL.pdf(self.at) / (1.0 - level)

    def volatility(self, chosen: Chosen) -> float:
        """Give the standard deviation of some legs by themselves."""
        held = np.where(chosen, self.stakes, 0.0)
        return math.sqrt(max(float(held @ self.matrix @ held), 0.0))

    def alone(self, chosen: Chosen) -> Tail:
        """Give the tail of some legs by themselves."""
        spread = self.volatility(chosen)
        return Tail(self.at * spread, self.beyond * spread)

    def parts(self) -> Parts:
        """Give what each leg adds to the whole: stake times its covariance with the whole, over the volatility."""
        spread = self.volatility(np.ones(len(self.stakes), dtype=np.bool_))
        own = self.stakes * (self.matrix @ self.stakes) / spread if spread > 0.0 else np.zeros(len(self.stakes))
        return Parts(self.at * own, self.beyond * own, own)
