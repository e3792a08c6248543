"""Trials of sweeps and searches into the book that does not forget: many at once, under the name of their study."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.market.bars import Bars
from workbench.research.identity import digest, identities
from workbench.research.labbook import current_study
from workbench.research.questions import combined_fingerprint, named
from workbench.research.trials import TrialBatch, TrialBook
from workbench.settings import load_settings

if TYPE_CHECKING:
    from workbench.research.sweeping.evaluator import Evaluator

__all__ = ["book_here", "note_trials", "study_here"]


def study_here(name: str | None) -> str | None:
    """Give the study that trials count for: the one named, else the one inside whose `with` block this runs."""
    if name is not None:
        return name
    book = current_study()
    return None if book is None else book.name


def book_here() -> TrialBook | None:
    """Give the book of the current workspace; None outside of one."""
    settings = load_settings()
    return TrialBook.of(settings) if settings.found else None


def note_trials(
    study: str, source: Any, evaluator: Evaluator, parameters: Mapping[str, Any], numbers: Mapping[str, Any]
) -> None:
    """Note trials that were just computed.

    Parameters
    ----------
    study : str
    source : str
        As of `TrialBatch`.
    evaluator : Evaluator
    parameters : mapping of str to array_like, length k each
    numbers : mapping of str to float array_like, shape (k,)
        `sharpe_ratio` (annualised), `skewness` and `kurtosis` (excess), as far as they are known.
    """
    book, count = book_here(), len(next(iter(parameters.values()), ()))
    if book is None or not count:
        return
    series = [evaluator.bars] if isinstance(evaluator.bars, Bars) else evaluator.bars
    fixed = {name: [value] * count for name, value in evaluator.strategy.parameters.items() if name not in parameters}
    context = digest(
        named(evaluator.strategy), evaluator.strategy.code_hash, combined_fingerprint(series),
        [f"{name}={value!r}" for name, value in sorted(evaluator.options.items())],
    )  # fmt: skip
    year = max(one.periods_per_year for one in series)
    unknown = np.full(count, math.nan)
    book.add(
        TrialBatch.on(
            evaluator.strategy, series, study=study, source=source,
            identity=identities(context, {**fixed, **parameters}),
            sharpe=np.asarray(numbers.get("sharpe_ratio", unknown), dtype=np.float64) / math.sqrt(year),
            observations=max(len(one) for one in series), skew=numbers.get("skewness"),
            kurtosis=None if "kurtosis" not in numbers else np.asarray(numbers["kurtosis"], dtype=np.float64) + 3.0,
        )
    )  # fmt: skip
