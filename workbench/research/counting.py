"""Recorded runs as trials: a notebook that was run on a question has asked it, whatever its author calls that."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final

from workbench.research.identity import short_identity
from workbench.research.run import Run
from workbench.research.trials import TrialBatch

__all__ = ["batch_of", "batches_of"]

_YEAR_S: Final = 365 * 86_400.0


def batches_of(ledger: str | Path, known: Collection[str] = ()) -> Iterator[TrialBatch]:
    """Give the recorded runs that are trials, oldest first: they have a strategy, data and a Sharpe ratio.

    Parameters
    ----------
    ledger : path
    known : collection of str
        Ids of runs that are counted already.
    """
    from workbench.research.ledger import Ledger

    for run in reversed(Ledger(ledger).records(curves=False)):
        if run.run_id not in known and (batch := batch_of(run)) is not None:
            yield batch


def batch_of(run: Run, *, study: str | None = None) -> TrialBatch | None:
    """Give a recorded run as a trial, of another study if one is given; None for one that is none."""
    if run.strategy is None or not run.data_fingerprint or not run.succeeded:
        return None
    sharpe, bars = (_number(run.metrics.get(name)) for name in ("sharpe_ratio", "bars"))
    if math.isnan(bars):
        return None
    years = math.nan if run.start is None or run.end is None else (run.end - run.start).total_seconds() / _YEAR_S
    periods = _number(run.metrics.get("periods_per_year"))
    periods = bars / years if math.isnan(periods) and years > 0 else periods
    elsewhere = study is not None
    name = study or run.study or (f"report {run.report}" if run.report else "")
    if not name:
        return None  # a run that somebody recorded by itself, of no study
    return TrialBatch(
        study=name,
        source="report" if run.report else "backtest",
        strategy=run.strategy,
        identity=[short_identity(run.trial or run.identity or _made_identity(run))],
        sharpe=[_number(run.metrics.get("sharpe_per_bar")) if "sharpe_per_bar" in run.metrics
                else sharpe / math.sqrt(periods) if periods > 0 else math.nan],
        observations=int(bars),
        skew=[_number(run.metrics.get("return_skew"))],
        kurtosis=[_number(run.metrics.get("return_kurtosis"))],
        symbol=run.symbol or "", timeframe=run.timeframe or "", start=run.start, end=run.end,
        code_hash=run.code_hash or "", data_fingerprint=run.data_fingerprint, run_id="" if elsewhere else run.run_id,
        periods_per_year=periods, session=run.session or run.batch or "unknown",
        when=run.finished if isinstance(run.finished, dt.datetime) else run.started,
    )  # fmt: skip


def _made_identity(run: Run) -> str:
    """Make the identity of a run that was recorded without one, from what it says of itself."""
    from workbench.research.identity import digest

    return digest(run.code_hash, dict(run.parameters), run.data_fingerprint, dict(run.costs), run.fill, run.cash)


def _number(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.nan
    return math.nan
