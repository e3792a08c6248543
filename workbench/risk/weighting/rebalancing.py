"""From what is held to what is wanted, without trading more than it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError, DataError
from workbench.risk.weighting.labels import read_matrix, read_weights

__all__ = ["Reluctance", "rebalanced", "turnover_between"]

Floats = NDArray[np.float64]
_ROUNDS: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class Reluctance:
    """How little to trade.

    Parameters
    ----------
    band : float, default 0
        A weight that is no further than this from its target is left alone.
    step : float, default 1
        How much of the way to the target is gone, a fraction.
    cost : float, default 0
        What trading costs, a fraction of the traded value, to be weighed against the risk of standing wrong.
    aversion : float, default 0
        How much the variance of standing wrong (a bar's, times half of this) is feared, in fractions of the whole; 0
        leaves costs out of the decision. About 5 to 10 times the bars between two rebalancings is usual.

    Raises
    ------
    ConfigError
        A number is out of range.
    """

    band: float = 0.0
    step: float = 1.0
    cost: float = 0.0
    aversion: float = 0.0

    def __post_init__(self) -> None:
        ranges = (("band", 0.0, 1.0), ("step", 0.0, 1.0), ("cost", 0.0, 0.5), ("aversion", 0.0, 1e9))
        for name, low, high in ranges:
            value: Any = getattr(self, name)
            number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
            if not number or not low <= value <= high or (name == "step" and value == 0.0):
                raise ConfigError(f"{name} = {value!r}: give a number from {low:g} to {high:g}", name=name)


def rebalanced(current: Any, target: Any, reluctance: Reluctance | None = None, *, covariance: Any = None) -> Any:
    """Give the weights to hold next.

    Parameters
    ----------
    current, target : Series or array_like, shape (k,)
        What is held, after prices have moved it, and what is wanted.
    reluctance : Reluctance, optional
        Straight to the target when left out.
    covariance : matrix, shape (k, k), optional
        Of returns a bar; needed where `reluctance.aversion` weighs costs against risk.

    Returns
    -------
    as `target`
        Each weight lies between what is held and what is wanted; but for that, cost first, then band, then step.

    Raises
    ------
    ConfigError
        Costs are to be weighed and there is no covariance.

    Notes
    -----
    With costs: the weights w that minimise aversion / 2 (w - target)'C(w - target) + cost |w - current|, as in Gârleanu
    and Pedersen (2013) with proportional costs; within a region around the target nothing is traded, and from outside
    its edge is gone to (Davis and Norman 1990).
    """
    how = reluctance or Reluctance()
    names = list(target.index) if hasattr(target, "reindex") else None
    wanted, give = read_weights(target)
    held, _ = read_weights(current, names)
    if len(held) != len(wanted):
        raise DataError(f"{len(held)} weights are held and {len(wanted)} are wanted: give the same assets")
    if how.aversion > 0.0 and how.cost > 0.0:
        if covariance is None:
            raise ConfigError("to weigh costs against risk (aversion) give the covariance of the returns")
        moved = _worth_it(held, wanted, how, read_matrix(covariance).values) - held
    else:
        moved = wanted - held
    moved = np.where(np.abs(wanted - held) <= how.band, 0.0, moved)
    return give(held + how.step * moved)


def turnover_between(current: Any, target: Any) -> float:
    """Give the value traded to get from one set of weights to another, a fraction of the whole, both sides counted."""
    names = list(target.index) if hasattr(target, "reindex") else None
    wanted, _ = read_weights(target)
    held, _ = read_weights(current, names)
    return float(np.abs(wanted - held).sum())


def _worth_it(held: Floats, wanted: Floats, how: Reluctance, matrix: Floats) -> Floats:
    """Minimise fear of standing wrong plus costs, one asset after another; each stays between held and wanted."""
    pull = how.aversion * matrix
    low, high = np.minimum(held, wanted), np.maximum(held, wanted)
    found = held.copy()
    for _ in range(_ROUNDS):
        before = found.copy()
        for i in range(len(found)):
            if pull[i, i] > 0.0:
                slope = float(pull[i] @ (found - wanted)) - pull[i, i] * (found[i] - held[i])
                gain = max(abs(slope) - how.cost, 0.0) / pull[i, i]
                found[i] = min(max(held[i] - np.sign(slope) * gain, low[i]), high[i])
        if np.abs(found - before).max() <= 1e-13:
            break
    return found
