"""`allocate`: share money among strategies by a rule, walking forward through history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError, DataError
from workbench.market.timeframe import Timeframe
from workbench.research.allocating.allocation import Allocation
from workbench.research.allocating.returns import returns_frame
from workbench.research.allocating.walking import decision_rows, walk
from workbench.risk import metrics, weighting
from workbench.risk.weighting import Estimator, Limits, Reluctance

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["allocate"]

Floats = NDArray[np.float64]
Method = Callable[[Any], Any]

_BY_LIMITS: Final = ("minimum_variance", "equal_risk_contribution", "maximum_diversification")
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, eq=False, kw_only=True)
class _Rule:
    """How weights are decided from the rows of a lookback."""

    frame: pd.DataFrame
    ts: NDArray[np.int64]
    method: str | Method
    lookback_ms: int
    covariance: Estimator
    limits: Limits | None
    volatility: float | None
    cap: float
    reluctance: Reluctance

    def __call__(self, row: int, held: Floats) -> Floats:
        """Decide after a row, from the rows of the lookback that end with it."""
        import pandas as pd

        first = int(np.searchsorted(self.ts, self.ts[row] - self.lookback_ms, side="right"))
        window = self.frame.iloc[first : row + 1]
        try:
            wanted = self._wanted(window)
        except DataError:  # nothing has moved yet: nothing tells them apart
            known = np.isfinite(window.to_numpy()).all(axis=0)
            wanted = pd.Series(known / max(known.sum(), 1), index=window.columns, dtype=np.float64)
        if self.volatility is not None and wanted.any():
            a_year = len(window) / self.lookback_ms * metrics.YEAR_MS
            wanted = weighting.volatility_target(
                wanted,
                window,
                target=self.volatility,
                periods_per_year=a_year,
                cap=self.cap,
                covariance=self.covariance,
            )
        return np.asarray(self._reached(wanted, held, window), dtype=np.float64)

    def _wanted(self, window: pd.DataFrame) -> pd.Series:
        if callable(self.method):
            return _given(self.method(window.copy()), list(window.columns))
        if self.method == "kelly":
            found: pd.Series = weighting.kelly(window, cap=self.cap, covariance=self.covariance)
            return found
        options: dict[str, Any] = {} if self.method == "equal_weight" else {"covariance": self.covariance}
        if self.limits is not None:
            options["limits"] = self.limits
        weights: pd.Series = weighting.METHODS[self.method](window, **options)
        return weights

    def _reached(self, wanted: pd.Series, held: Floats, window: pd.DataFrame) -> Any:
        how, matrix = self.reluctance, None
        if how.aversion > 0.0 and how.cost > 0.0:
            matrix = np.zeros((len(wanted), len(wanted)))
            mine = np.isfinite(window.to_numpy()).all(axis=0)
            matrix[np.ix_(mine, mine)] = weighting.covariance(window.to_numpy()[:, mine], self.covariance)
        return weighting.rebalanced(held, wanted.to_numpy(), how, covariance=matrix)


def _given(weights: Any, names: list[str]) -> pd.Series:
    """Take the weights that a rule of the user's gave."""
    import pandas as pd

    series = (
        weights if isinstance(weights, pd.Series) else pd.Series(np.asarray(weights, dtype=np.float64), index=names)
    )
    series = series.reindex(names).fillna(0.0).astype(np.float64)
    if not np.isfinite(series.to_numpy()).all() or series.abs().sum() > 100.0:
        raise ConfigError(f"the rule gave weights that are no fractions of the whole: {series.to_dict()}")
    return series


def allocate(
    strategies: Any,
    method: str | Method = "hrp",
    *,
    lookback: str = "365d",
    rebalance: str = "30d",
    cost: float = 0.001,
    covariance: Estimator = "ledoit_wolf",
    limits: Limits | None = None,
    volatility: float | None = None,
    cap: float = 1.0,
    reluctance: Reluctance | None = None,
) -> Allocation:
    """Share money among strategies by a rule, and see what would have come of it.

    Parameters
    ----------
    strategies : list or dict of Result or Series, or DataFrame of returns
        Two or more; see `returns_frame`. Strategies of different times are put together to UTC days.
    method : str or callable
        "equal_weight", "inverse_volatility", "equal_risk_contribution", "minimum_variance", "maximum_diversification",
        "hrp", "kelly" (half of it), or a function of a DataFrame of past returns to weights.
    lookback : str, default "365d"
        How far the rule looks back at each decision. Nothing is held before the first is over.
    rebalance : str, default "30d"
        Time between two decisions.
    cost : float, default 0.001
        Of the value traded between strategies, a fraction; the costs of the strategies are in their returns already.
    covariance : {"ledoit_wolf", "sample", "oas", "exponential"}
    limits : Limits, optional
        Bounds and caps, for minimum variance, equal risk contribution and maximum diversification.
    volatility : float, optional
        Annual volatility to scale to, a fraction.
    cap : float, default 1
        The most that is held in all, where `volatility` or Kelly decide it; 1 is no leverage.
    reluctance : Reluctance, optional
        Bands, partial steps and costs weighed against risk.

    Returns
    -------
    Allocation

    Raises
    ------
    ConfigError
        An option is out of range, or the limits cannot be kept.
    DataError
        There are fewer than two strategies, or their history is no longer than the lookback.

    Notes
    -----
    What is decided after a row (its bar has closed) is held from the next row on; between decisions weights drift with
    returns. A strategy is held once its returns fill the whole lookback. Cash earns nothing.
    """
    import pandas as pd

    frame = returns_frame(strategies)
    _check(method, cost, cap, volatility, limits, [str(name) for name in frame.columns])
    index = pd.DatetimeIndex(frame.index)
    ts = index.as_unit("ms").asi8
    lookback_ms, every_ms = _span(lookback, "lookback"), _span(rebalance, "rebalance")
    rows = decision_rows(ts, lookback_ms, every_ms)
    if not len(rows) or rows[0] >= len(frame) - 1:
        days = (ts[-1] - ts[0]) / _DAY_MS
        raise DataError(
            f"a lookback of {lookback} leaves nothing of the {days:,.0f} days there are; give a shorter one"
        )
    told: dict[str, Any] = {"frame": frame, "ts": ts, "lookback_ms": lookback_ms, "covariance": covariance, "cap": cap}
    how = reluctance or Reluctance()
    rule = _Rule(method=method, limits=limits, volatility=volatility, reluctance=how, **told)
    plain = _Rule(method="equal_weight", limits=None, volatility=None, reluctance=Reluctance(), **told)
    values = frame.to_numpy(dtype=np.float64)
    return Allocation(
        method=method if isinstance(method, str) else getattr(method, "__name__", "own rule"),
        names=tuple(map(str, frame.columns)),
        terms=_terms(rule, lookback, rebalance, cost),
        inputs=frame.iloc[rows[0] + 1 :],
        decided=index[rows],
        walked=walk(values, rows, rule, cost),
        equal=walk(values, rows, plain, cost),
    )


def _check(method: Any, cost: Any, cap: Any, volatility: Any, limits: Limits | None, names: list[str]) -> None:
    known = (*weighting.METHODS, "kelly")
    if not callable(method) and method not in known:
        raise ConfigError(f"method = {method!r}: give a function of returns, or one of {', '.join(map(repr, known))}")
    for name, value, low, high in (("cost", cost, 0.0, 0.5), ("cap", cap, 1e-9, 100.0)):
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            raise ConfigError(f"{name} = {value!r}: give a fraction, such as 0.001 for a tenth of a percent", name=name)
    if volatility is not None and not (isinstance(volatility, (int, float)) and 0.0 < volatility < 10.0):
        raise ConfigError(f"volatility = {volatility!r}: give a fraction a year, such as 0.15 for 15 %")
    if limits is not None:
        if method not in _BY_LIMITS:
            raise ConfigError(f"limits are for {', '.join(_BY_LIMITS)}; {method!r} knows none")
        limits.bounds(names)


def _span(text: Any, name: str) -> int:
    try:
        return Timeframe.parse(text).ms
    except DataError as error:
        raise ConfigError(f"{name} = {text!r} is no span of time; write one such as '365d' or '12h'") from error


def _terms(rule: _Rule, lookback: str, rebalance: str, cost: float) -> tuple[str, ...]:
    how = rule.reluctance
    told = [f"looks back {lookback}, decides every {rebalance}, trading costs {cost:.2%} of its value"]
    told[0] = told[0].replace("%", " %")
    if rule.method not in ("equal_weight",) and isinstance(rule.method, str):
        told.append(f"covariance by {rule.covariance.replace('_', ' ')}")
    if rule.volatility is not None:
        told.append(f"scaled to a volatility of {rule.volatility:.0%} a year, {rule.cap:g} held at most")
    if how != Reluctance():
        told.append(f"band {how.band:g}, step {how.step:g}, cost {how.cost:g} against an aversion of {how.aversion:g}")
    told.append("weights from the past only, held from the next row on; cash earns nothing")
    return tuple(told)
