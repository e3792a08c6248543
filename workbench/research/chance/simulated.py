"""`MonteCarlo`: what might have come of the same strategy, beside what did."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.risk.metrics import METRICS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["LEVELS", "MonteCarlo", "standing"]

Floats = NDArray[np.float64]

LEVELS: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
_YEAR_LEVELS: Final = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_SAME: Final = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class MonteCarlo:
    """Many runs of one history drawn again, and the real one among them.

    Attributes
    ----------
    name, market, currency : str
        Of the result.
    method : str
        How the runs were drawn.
    seed : int
    cash : float
        Equity that every run begins with.
    times : datetime64[ms] array, shape (p,)
        Of the points that are kept of each equity, UTC.
    paths : float64 array, shape (runs, p)
        Equity of each run at these times.
    real_path : float64 array, shape (p,)
        What really happened.
    simulated : mapping of str to float64 array, shape (runs,)
        Each metric of each run.
    real : mapping of str to float
        The same metrics of what happened, measured in the same way.
    lowest : float64 array, shape (runs,)
        Lowest equity of each run, the cash included.
    year_drawdown, year_return : float64 array, shape (runs,)
        Of one year drawn in the same way for each run: deepest drawdown (zero or negative), total return.
    notes : tuple of str
        What the method keeps, and what it does not.
    """

    name: str
    market: str
    currency: str
    method: str
    seed: int
    cash: float
    times: NDArray[np.datetime64]
    paths: Floats
    real_path: Floats
    simulated: Mapping[str, Floats]
    real: Mapping[str, float]
    lowest: Floats
    year_drawdown: Floats
    year_return: Floats
    notes: tuple[str, ...]

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return len(self.paths)

    @property
    def table(self) -> pd.DataFrame:
        """The distribution of every metric: one row a metric.

        Columns: `real`, `mean`, the quantiles `5% 25% 50% 75% 95%` of the runs, and `rank`, the share of the runs that
        lie below what happened (ties count half; NaN where the method cannot change the metric).
        """
        return _distributions({name: self.simulated[name] for name in self.real}, self.real)

    def bands(self, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """Give quantiles of the equity by time: one row a point, UTC; one column a level, then `real`.

        Raises
        ------
        ConfigError
            A level is not between 0 and 1.
        """
        import pandas as pd

        chosen = [_fraction(level, "level") for level in levels]
        index = pd.DatetimeIndex(self.times, tz="UTC", name="time")
        frame = pd.DataFrame(np.quantile(self.paths, chosen, axis=0).T, index=index, columns=chosen)
        frame["real"] = self.real_path
        return frame

    def risk_of_ruin(self, level: float = 0.5) -> float:
        """Give the share of runs that ever lost so much of the cash that they began with.

        Parameters
        ----------
        level : float, default 0.5
            Fraction of the cash; 1 is all of it.
        """
        _fraction(level, "level", top=1.0)
        return float(np.mean(self.lowest <= self.cash * (1.0 - level)))

    def risk_of_drawdown(self, level: float) -> float:
        """Give the share of runs that ever fell so far below their highest equity; `level` is a positive fraction."""
        _fraction(level, "level", top=1.0)
        return float(np.mean(self.simulated["max_drawdown"] <= -level))

    @property
    def next_year(self) -> pd.DataFrame:
        """What a year may bring if things go on as they did: rows `max_drawdown` and `total_return`.

        Columns: `mean` (the expected drawdown, the expected return), then quantiles from `1%` to `99%` (of the
        drawdown, 1 % is the depth that one year in a hundred exceeds).
        """
        import pandas as pd

        rows = {"max_drawdown": self.year_drawdown, "total_return": self.year_return}
        columns = ["mean", *(f"{level:.0%}" for level in _YEAR_LEVELS)]
        return pd.DataFrame.from_dict(
            {name: [values.mean(), *np.quantile(values, _YEAR_LEVELS)] for name, values in rows.items()},
            orient="index", columns=columns,
        )  # fmt: skip

    @property
    def sentence(self) -> str:
        """What the runs say, in words."""
        fall, total = self.simulated["max_drawdown"], self.simulated["total_return"]
        low, high = np.quantile(total, [0.05, 0.95])
        deep = float(np.quantile(fall, 0.05))
        percent = METRICS["total_return"].text
        if self.method == "shuffle_trades":
            start = f"The order of trades does not change the total return of {percent(self.real['total_return'])}"
        else:
            start = f"Nine runs in ten end between {percent(float(low))} and {percent(float(high))}"
        return (
            f"{start}; one in twenty falls by {percent(-deep)} or more (really {percent(-self.real['max_drawdown'])}). "
            f"Half of the cash is lost at some time in {percent(self.risk_of_ruin())} of the runs. Expected deepest "
            f"fall of the next year: {percent(-float(self.year_drawdown.mean()))}."
        )

    def plot(self) -> Figure:
        """Draw the equity among the bands of the runs, with the spread of final equity and deepest fall beside."""
        from workbench.research.chance.charts import bands_chart

        return bands_chart(self)

    def plot_metric(self, name: str = "max_drawdown") -> Figure:
        """Draw how often the runs came to which value of a metric, and where the real one is.

        Raises
        ------
        ConfigError
            The runs do not tell this metric.
        """
        from workbench.research.chance.charts import spread_chart

        if name not in self.simulated:
            raise ConfigError(f"the runs of {self.method} do not tell {name!r}; they tell {', '.join(self.simulated)}")
        return spread_chart(self.simulated[name], self.real[name], METRICS[name], f"{self.runs:,} runs")

    def __repr__(self) -> str:
        return (
            f"<MonteCarlo of {self.name} on {self.market}: {self.runs:,} runs by {self.method}, seed {self.seed}; "
            f"total return {_spread(self.simulated['total_return'])}, "
            f"max drawdown {_spread(self.simulated['max_drawdown'])} (5 to 95 %)>"
        )

    def _repr_html_(self) -> str:
        from workbench.research.chance.pages import simulated_card

        return simulated_card(self)


def _spread(values: Floats) -> str:
    low, high = np.quantile(values, [0.05, 0.95])
    return f"{low:.1%} to {high:.1%}"


def standing(values: Floats, real: float) -> float:
    """Give the share of values below a real one, ties counted half; NaN where nothing varies or is known."""
    known = values[np.isfinite(values)]
    if not len(known) or not math.isfinite(real):
        return math.nan
    near = _SAME * max(1.0, abs(real), float(np.abs(known).max()))
    if np.ptp(known) <= near:
        return math.nan
    return float(np.mean(known < real - near) + 0.5 * np.mean(np.abs(known - real) <= near))


def _distributions(simulated: Mapping[str, Floats], real: Mapping[str, float]) -> pd.DataFrame:
    import pandas as pd

    rows: dict[str, list[float]] = {}
    for name, values in simulated.items():
        known = values[np.isfinite(values)]
        told = [known.mean(), *np.quantile(known, LEVELS)] if len(known) else [math.nan] * (1 + len(LEVELS))
        rows[name] = [real[name], *told, standing(values, real[name])]
    columns = ["real", "mean", *(f"{level:.0%}" for level in LEVELS), "rank"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("metric")


def _fraction(value: Any, name: str, *, top: float = math.nan) -> float:
    inside = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not inside or not (0.0 < value < 1.0 or value == top):
        raise ConfigError(f"{name} = {value!r}: give a fraction between 0 and 1, such as 0.05", name=name)
    return float(value)
