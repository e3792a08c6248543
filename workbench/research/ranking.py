"""The best of every study, beside the number of trials that it was chosen from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import DataError
from workbench.research.overfitting import deflated_sharpe
from workbench.research.trials import TrialBook, links_in
from workbench.risk.metrics import METRICS

if TYPE_CHECKING:
    import pandas as pd

    from workbench.settings import Settings

__all__ = ["leaderboard"]

COLUMNS: Final = ("study", "strategy", "symbol", "timeframe", "value", "trials", "distinct", "linked",
                  "deflated_sharpe", "run_id")  # fmt: skip


def leaderboard(metric: str = "sharpe_ratio", *, settings: Settings | None = None) -> pd.DataFrame:
    """Give the best of each study and question, best first.

    Parameters
    ----------
    metric : str
        A name of `Result.metrics`. By the Sharpe ratio every trial competes, those of sweeps too; by any other the
        recorded runs.
    settings : Settings, optional
        Of the workspace; the current one when left out.

    Returns
    -------
    pandas.DataFrame
        `study, strategy, symbol, timeframe, value` (of the metric), `trials, distinct` (how many it is the best of),
        `linked` (trials on the same question under other names), `deflated_sharpe` (probability that the best Sharpe
        ratio is more than what the best of so many shows by chance, the linked ones counted), `run_id` (empty for a
        trial of which no run was recorded).

    Raises
    ------
    DataError
        No run has such a metric.
    """
    import pandas as pd

    from workbench.research.ledger import Ledger
    from workbench.settings import load_settings

    where = load_settings() if settings is None else settings
    book, runs = TrialBook.of(where), Ledger(where.ledger_root).runs()
    if metric not in runs or (metric != "sharpe_ratio" and metric not in METRICS):
        raise DataError(f"no run records {metric!r}; there are {', '.join(name for name in METRICS if name in runs)}")
    trials, studies, rows = book.trials(), book.studies(), []
    trials["study"] = trials["study"].astype(str)
    for study, group in trials.groupby("study", sort=False):
        links = links_in(studies, str(study))
        for _, own in group.groupby("question", sort=False, observed=True):
            others = links[(links["strategy"].isin(own["strategy"].astype(str).unique()))
                           | (links["symbol"] == str(own["symbol"].iloc[0]))]  # fmt: skip
            asked = trials[
                trials["study"].isin(others["study"]) & trials["data_fingerprint"].isin(others["data_fingerprint"])
            ]
            rows.append(_row(own, asked, runs, metric))
    frame = pd.DataFrame([row for row in rows if row is not None], columns=list(COLUMNS))
    lower = metric in METRICS and METRICS[metric].better == "lower"
    ordered: pd.DataFrame = frame.sort_values("value", ascending=lower, ignore_index=True, na_position="last")
    return ordered


def _row(own: pd.DataFrame, linked: pd.DataFrame, runs: pd.DataFrame, metric: str) -> dict[str, Any] | None:
    distinct = own.drop_duplicates("identity")
    sharpe = own["sharpe"].to_numpy()
    best = own.iloc[int(np.nanargmax(sharpe)) if np.isfinite(sharpe).any() else 0]
    value = float(best["sharpe"]) * math.sqrt(float(best["periods_per_year"]))
    deflated = _deflated(best, distinct, linked)
    if metric != "sharpe_ratio":
        mine = runs[runs["run_id"].isin(own["run_id"].astype(str))]
        mine = mine[mine[metric].notna()].sort_values(metric, ascending=METRICS[metric].better == "lower")
        if mine.empty:
            return None
        best = own[own["run_id"] == mine["run_id"].iloc[0]].iloc[0]
        value = float(mine[metric].iloc[0])
    return {
        **{name: str(best[name]) for name in ("study", "strategy", "symbol", "timeframe", "run_id")},
        "value": value, "trials": len(own), "distinct": len(distinct), "linked": len(linked),
        "deflated_sharpe": deflated,
    }  # fmt: skip


def _deflated(best: pd.Series[Any], distinct: pd.DataFrame, linked: pd.DataFrame) -> float:
    known_already = linked["identity"].isin(distinct["identity"])
    others = linked[~known_already].drop_duplicates("identity")
    sharpe = np.concatenate([distinct["sharpe"].to_numpy(), others["sharpe"].to_numpy()])
    known = sharpe[np.isfinite(sharpe)]
    if not len(known) or not math.isfinite(best["sharpe"]) or best["observations"] < 2:
        return math.nan
    skew, kurtosis = (_or(best[name], usual) for name, usual in (("skew", 0.0), ("kurtosis", 3.0)))
    variance = float(known.var(ddof=1)) if len(known) > 1 else 0.0
    return float(deflated_sharpe(float(best["sharpe"]), int(best["observations"]), trials=len(sharpe),
                                 variance=variance, skew=skew, kurtosis=kurtosis))  # fmt: skip


def _or(value: Any, usual: float) -> float:
    return float(value) if math.isfinite(value) else usual
