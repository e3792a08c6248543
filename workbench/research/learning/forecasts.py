"""Forecasts of the next bar's volatility or return, one step at a time, judged beside what needs no model.

Every forecast uses bars up to the close it is made on. Models are fitted anew every so many bars and carried forward
with fixed parameters in between.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError, DataError
from workbench.market.bars import Bars, moment
from workbench.research.learning import forecasters
from workbench.research.learning.measures import Comparison, compare_losses

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Forecasts", "forecast_returns", "forecast_volatility"]

Floats = NDArray[np.float64]

_LEVEL: Final = 0.05


@dataclass(frozen=True, eq=False, kw_only=True)
class Forecasts:
    """What was forecast, and what came.

    Attributes
    ----------
    bars : Bars
    what : {"variance", "return"}
        Of one bar's log return. The squared return stands for the variance, which is unbiased though noisy.
    rows : int64 array, shape (k,)
        The bars that were forecast, each from the close before.
    realised : float64 array, shape (k,)
    values : mapping of str to float64 array, shape (k,)
        By model and baseline.
    baselines : tuple of str
        Which of them need no model.
    train, refit, fits : int
        Bars that a fit sees, bars between two, and how many there were of each model.
    warned : mapping of str to int
        Warnings that the fits of each model gave, and failures, after which the fit before was kept.
    """

    bars: Bars = field(repr=False)
    what: str
    rows: NDArray[np.int64] = field(repr=False)
    realised: Floats = field(repr=False)
    values: Mapping[str, Floats] = field(repr=False)
    baselines: tuple[str, ...]
    train: int
    refit: int
    fits: int
    warned: Mapping[str, int]

    @property
    def loss(self) -> str:
        """The name of the loss that decides: QLIKE of variances, squared error of returns."""
        return "qlike" if self.what == "variance" else "mse"

    def losses(self, name: str, loss: str | None = None) -> Floats:
        """Give the losses of a forecast per bar: `qlike`, `mse` or `mae`.

        Notes
        -----
        QLIKE is `log(h) + r^2 / h`: with squared error the one that ranks forecasts of variance rightly under a noisy
        proxy (Patton, Journal of Econometrics 160, 2011).
        """
        said, loss = self.values[name], loss or self.loss
        if loss == "qlike":
            found: Floats = np.log(said) + self.realised / said
            return found
        return np.abs(said - self.realised) if loss == "mae" else (said - self.realised) ** 2

    @cached_property
    def table(self) -> pd.DataFrame:
        """Mean losses, best first; `p_value` is of a Diebold-Mariano test against the best baseline, two-sided."""
        import pandas as pd

        kinds = ("qlike", "mse", "mae") if self.what == "variance" else ("mse", "mae")
        rows = {}
        for name in self.values:
            row: dict[str, Any] = {kind: float(self.losses(name, kind).mean()) for kind in kinds}
            row["statistic"], row["p_value"] = (math.nan, math.nan) if name == self.best_baseline else self.test(name)
            rows[name] = {
                **row,
                "baseline": "yes" if name in self.baselines else "",
                "warnings": self.warned.get(name, 0),
            }
        return pd.DataFrame.from_dict(rows, orient="index").sort_values(self.loss, kind="stable")

    @property
    def best_baseline(self) -> str:
        """The baseline with the smallest mean loss."""
        return min(self.baselines, key=lambda name: float(self.losses(name).mean()))

    @property
    def shown(self) -> list[str]:
        """What a chart shows: the best model and the best baseline."""
        models = [name for name in self.values if name not in self.baselines]
        return [min(models, key=lambda name: float(self.losses(name).mean())), self.best_baseline]

    def test(self, name: str) -> Comparison:
        """Test a forecast against the best baseline (Diebold and Mariano 1995)."""
        return compare_losses(self.losses(name), self.losses(self.best_baseline))

    @property
    def verdict(self) -> str:
        """Say in a sentence whether a model beats the baselines; p-values are multiplied by the number of models."""
        models = [name for name in self.values if name not in self.baselines]
        best, baseline = self.shown
        ours, theirs = float(self.losses(best).mean()), float(self.losses(baseline).mean())
        p_value = min(1.0, self.test(best).p_value * len(models))
        numbers = f"{self.loss.upper()} {ours:.6g} against {theirs:.6g}, p = {p_value:.2g} for {len(models)} models"
        if ours >= theirs:
            return f"The baseline wins: {baseline} beats every model, {best} comes closest ({numbers})."
        if not p_value < _LEVEL:
            return f"No evidence that a model beats the baseline {baseline}: {best} leads by luck at most ({numbers})."
        return f"{best} beats the best baseline, {baseline} ({numbers})."

    def to_pandas(self) -> pd.DataFrame:
        """Give a column each forecast, and `realised`, over the open times of the bars that were forecast."""
        import pandas as pd

        index = pd.DatetimeIndex(self.bars.ts[self.rows].astype("datetime64[ms]"), tz="UTC", name="ts")
        return pd.DataFrame({"realised": self.realised, **self.values}, index=index)

    def plot(self, *names: str) -> Figure:
        """Draw what came and what was forecast: the best model and the best baseline, or those named."""
        from workbench.research.learning.charts import forecast_chart

        unknown = [name for name in names if name not in self.values]
        if unknown:
            raise ConfigError(f"there is no forecast {unknown[0]!r}; there are {', '.join(self.values)}")
        return forecast_chart(self, names)

    def __repr__(self) -> str:
        return f"<Forecasts of the {self.what} of {self.bars.symbol} {self.bars.timeframe}: {self.verdict}>"

    def _repr_html_(self) -> str:
        from workbench.research.learning.pages import forecast_page

        return forecast_page(self)


def forecast_volatility(
    bars: Bars,
    models: Sequence[str] = ("garch", "gjr", "ewma", "har"),
    *,
    train: int = 1_000,
    refit: int = 50,
) -> Forecasts:
    """Forecast the variance of the next bar's log return.

    Parameters
    ----------
    bars : Bars
    models : sequence of {"garch", "gjr", "ewma", "har"}
        GARCH(1,1) and GJR-GARCH(1,1,1) with normal errors (`arch`); RiskMetrics with 0.94; HAR on squared returns of 1,
        5 and 22 bars.
    train : int, default 1_000
        Returns that each fit sees, the newest ones.
    refit : int, default 50
        Bars between two fits.

    Returns
    -------
    Forecasts
        Baselines: `mean` of the squared returns of the training, `last` realised variance of 22 bars.

    Raises
    ------
    ConfigError
        A model is unknown, or a length is out of range.
    DataError
        There are too few bars, or the price never moves.
    """
    return _roll(bars, "variance", models, forecasters.VARIANCE, train, refit)


def forecast_returns(
    bars: Bars, models: Sequence[str] = ("ar", "arima"), *, train: int = 1_000, refit: int = 50
) -> Forecasts:
    """Forecast the next bar's log return.

    Parameters
    ----------
    bars : Bars
    models : sequence of {"ar", "arima"}
        An autoregression of order 1, and ARIMA(1, 0, 1), by `statsmodels`.
    train, refit : int
        As in `forecast_volatility`.

    Returns
    -------
    Forecasts
        Baselines: `zero` (the price is a random walk), `mean` of the training, `last` return.

    Raises
    ------
    ConfigError, DataError
        As `forecast_volatility`.
    """
    return _roll(bars, "return", models, forecasters.RETURN, train, refit)


def _roll(
    bars: Bars, what: str, models: Sequence[str], known: Mapping[str, Callable[..., Floats]], train: int, refit: int
) -> Forecasts:
    if not isinstance(bars, Bars):
        raise DataError(f"forecasts are made of Bars, such as wb.read('BTC/USDT', '1h'); not of {type(bars).__name__}")
    wanted = [models] if isinstance(models, str) else list(models or ())
    baselines = forecasters.BASELINES[what]
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        raise ConfigError(f"models = {models!r}: choose some of {', '.join(map(repr, known))}")
    for name, value, least in (("train", train, 100), ("refit", refit, 1)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ConfigError(f"{name} = {value!r}: give a whole number of bars, at least {least}")
    returns = np.diff(np.log(bars.close))
    if len(returns) <= train:
        raise DataError(f"{len(bars):,} bars leave none to forecast after {train:,} of training; shorten train")
    starts = range(train, len(returns), refit)
    still = [start for start in starts if not np.ptp(returns[start - train : start]) > 0.0]
    if still:
        raise DataError(
            f"the price of {bars.symbol} does not move in the {train:,} bars before {moment(bars.ts[still[0] + 1])}: "
            "there is nothing to fit on. Train on more bars, or leave that stretch out"
        )
    runners = {**{name: known[name] for name in wanted}, **baselines}
    values, warned = {}, {}
    for name, runner in runners.items():
        values[name], count = _one(runner, returns, starts, train, refit)
        if name in wanted:
            warned[name] = count
    rows = np.arange(train, len(returns), dtype=np.int64)
    realised = returns[rows] ** 2 if what == "variance" else returns[rows]
    return Forecasts(bars=bars, what=what, rows=rows + 1, realised=realised, values=values, warned=warned,
                     baselines=tuple(baselines), train=train, refit=refit, fits=len(starts))  # fmt: skip


def _one(runner: Callable[..., Floats], returns: Floats, starts: range, train: int, refit: int) -> tuple[Floats, int]:
    """Run one model over all blocks; where a fit fails, its training's mean stands in, and counts."""
    parts, count = [], 0
    for start in starts:
        stop = min(start + refit, len(returns))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            said = runner(returns[start - train : start], returns[start:stop])
        failed = not np.isfinite(said).all()
        count += len(caught) + failed
        if failed:
            past = returns[start - train : start]
            stand_in = float(np.mean(past**2)) if runner in forecasters.VARIANCE.values() else float(past.mean())
            said = np.full(stop - start, stand_in)
        parts.append(said)
    return np.concatenate(parts), count
