"""The trials of a study, for `research.overfitting` to judge: all Sharpe ratios, and the returns of a sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError

if TYPE_CHECKING:
    from workbench.backtest.result import Result
    from workbench.research.overfitting import Trials
    from workbench.research.study import Study

__all__ = ["Tried", "trials_from", "trials_of"]

Floats = NDArray[np.float64]

_PERIODS: Final = 2_000  # at most; returns of neighbouring bars are put together until there are no more


def trials_of(study: Study, metric: str, sample: int) -> Trials:
    """Make the trials of a study; see `Study.overfitting`.

    Raises
    ------
    DataError
        The study lacks Sharpe ratios, or knows no strategy to compute returns with.

    Notes
    -----
    Returns of `sample` rows (those of the chosen one's series, spread evenly over the ranks, the chosen one among them)
    are computed and put together to at most 2,000 periods, in which everything is then said. Skewness and kurtosis of
    rows outside the sample are taken to be the sample's medians. Rows of all series count as trials.
    """
    if "sharpe_ratio" not in study.metrics:
        raise DataError("to judge a study its metrics need sharpe_ratio; sweep again with it among metrics=")
    best = study.best(metric)
    table = study.table if "series" not in study.table else study.table[study.table["series"] == best["series"]]
    rows = table.index.to_numpy()
    tried = Tried(
        name=study.name, sharpe=table["sharpe_ratio"].to_numpy(dtype=np.float64),
        chosen=int(table.index.get_loc(best.name)),  # type: ignore[arg-type]
        result=lambda place: study.result(int(rows[place])), rows=len(study.table), kept=study.kept,
    )  # fmt: skip
    return trials_from(tried, sample)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What was tried, and how to have any of it in full.

    Attributes
    ----------
    name : str
        Of the study.
    sharpe : float64 array, shape (k,)
        Annualised; NaN where there is none.
    chosen : int
        Place of what was chosen.
    result : callable
        `(place) -> Result`.
    rows : int
        How much was tried here, other series included.
    kept : bool
        Whether the book of the workspace knows of it.
    """

    name: str
    sharpe: Floats
    chosen: int
    result: Callable[[int], Result]
    rows: int
    kept: bool


def trials_from(tried: Tried, sample: int) -> Trials:
    """Make trials for `judge` of what was tried, with the returns of a sample of it."""
    from workbench.research.overfitting import Trials
    from workbench.risk.metrics.curves import Curves, ratio

    annual = tried.sharpe
    picked = _spread_over_ranks(annual, tried.chosen, max(sample, 2))
    returns, year, benchmark = _returns(tried, picked)
    curves = Curves(np.ascontiguousarray(returns.T))
    sharpe = annual / np.sqrt(year)
    sharpe[picked] = np.where(curves.known, ratio(curves.mean, curves.spread), np.nan)
    skew, kurtosis = (_with_medians(curves.moment(power), picked, annual) for power in (3, 4))
    return Trials(
        sharpe=sharpe, observations=len(returns), skew=skew, kurtosis=kurtosis, returns=returns, columns=picked,
        chosen=tried.chosen, periods_per_year=year, benchmark=benchmark, name=tried.name, **_counted(tried),
    )  # fmt: skip


def _counted(tried: Tried) -> dict[str, Any]:
    """Give how often the question was tried: here, or all that the book of the workspace knows of it."""
    from workbench.research.noting import book_here

    rows, book = tried.rows, book_here() if tried.kept else None
    if book is None:
        return {"distinct_count": rows, "raw_count": rows}
    count, others = book.count(tried.name), book.linked(tried.name)
    linked = others.groupby("study")["distinct"].sum()
    return {
        "distinct_count": max(count.distinct, rows), "raw_count": max(count.raw, rows),
        "linked": {str(name): int(number) for name, number in linked.items()},
    }  # fmt: skip


def _spread_over_ranks(values: Floats, chosen: int, count: int) -> NDArray[np.intp]:
    order = np.argsort(np.where(np.isnan(values), -np.inf, values), kind="stable")
    places = np.unique(np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(np.intp))
    return np.unique(np.append(order[places], chosen))


def _returns(tried: Tried, places: NDArray[Any]) -> tuple[Floats, float, Floats]:
    """Give returns per period, shape (T, k), how many periods a year has, and what holding would have returned."""
    equities, held, year, cash = [], None, 0.0, 1.0
    for place in places:
        result = tried.result(int(place))
        equities.append(result.equity_values / result.cash)
        if held is None:
            held, year, cash = result.buy_and_hold, result.periods_per_year, result.cash
    if held is None:
        raise DataError(f"study {tried.name!r} has no row to judge")
    step = -(-len(equities[0]) // _PERIODS)
    ends = np.arange(len(equities[0]) - 1, -1, -step)[::-1]
    equity = np.column_stack([*equities, held / cash])[ends]
    before = np.vstack([np.ones((1, equity.shape[1])), equity[:-1]])
    found = np.divide(equity, before, out=np.ones_like(equity), where=before > 0) - 1.0
    return found[:, :-1], year / step, found[:, -1]


def _with_medians(known: Floats, picked: NDArray[np.intp], annual: Floats) -> Floats:
    finite = known[np.isfinite(known)]
    out = np.where(np.isnan(annual), np.nan, np.median(finite) if len(finite) else np.nan)
    out[picked] = known
    return out
