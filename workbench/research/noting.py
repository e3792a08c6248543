"""Trials of sweeps and searches into the book that does not forget: many at once, under the name of their study."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import DataError
from workbench.market.bars import Bars
from workbench.research.codes import value_digest
from workbench.research.identity import digest, identities, short_identity
from workbench.research.labbook import current_study
from workbench.research.questions import combined_fingerprint, named
from workbench.research.sameness import trial_identities
from workbench.research.trials import TrialBatch, TrialBook
from workbench.settings import load_settings

if TYPE_CHECKING:
    from workbench.research.sweeping.evaluator import Evaluator

__all__ = ["book_here", "note_returns", "note_trials", "study_here"]


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
    series = _series_of(evaluator)
    year = max(one.periods_per_year for one in series)
    unknown = np.full(count, math.nan)
    book.add(
        TrialBatch.on(
            evaluator.strategy, series, study=study, source=source,
            identity=_identities(evaluator, parameters),
            sharpe=np.asarray(numbers.get("sharpe_ratio", unknown), dtype=np.float64) / math.sqrt(year),
            observations=max(len(one) for one in series), skew=numbers.get("skewness"),
            kurtosis=None if "kurtosis" not in numbers else np.asarray(numbers["kurtosis"], dtype=np.float64) + 3.0,
        )
    )  # fmt: skip


def note_returns(study: str, source: Any, evaluator: Evaluator, how: Any, returns: Any) -> None:
    """Note one trial that chose its parameters on its way: by how it went about it, and its returns.

    Parameters
    ----------
    study : str
    source : str
        As of `TrialBatch`.
    evaluator : Evaluator
    how : object
        All that made it what it is, apart from strategy, bars and options; functions by what they do.
    returns : float array_like, shape (n,)
        Per bar.
    """
    book, values = book_here(), np.asarray(returns, dtype=np.float64)
    if book is None:
        return
    own = _identities(evaluator, {})
    try:
        went = value_digest(how)
    except DataError:  # nobody can say whether it is the same next time: it counts as another
        went = repr(how)
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    shape = (values - values.mean()) / spread if spread > 0.0 else np.full(1, math.nan)
    book.add(
        TrialBatch.on(
            evaluator.strategy, _series_of(evaluator), study=study, source=source,
            identity=[short_identity(digest(int(own[0]), source, went))],
            sharpe=[float(values.mean()) / spread if spread > 0.0 else math.nan], observations=len(values),
            skew=[float(np.mean(shape**3))], kurtosis=[float(np.mean(shape**4))],
        )
    )  # fmt: skip


def _series_of(evaluator: Evaluator) -> Sequence[Bars]:
    return [evaluator.bars] if isinstance(evaluator.bars, Bars) else evaluator.bars


def _identities(evaluator: Evaluator, parameters: Mapping[str, Any]) -> Any:
    """Give identities; by the name of a strategy of which nobody can say what it rests on."""
    found = trial_identities(evaluator, parameters)
    if found is not None:
        return found
    fixed = {name: value for name, value in evaluator.strategy.parameters.items() if name not in parameters}
    context = digest(
        named(evaluator.strategy), evaluator.strategy.code_hash, combined_fingerprint(_series_of(evaluator)),
        [f"{name}={value!r}" for name, value in sorted(evaluator.options.items())],
    )  # fmt: skip
    return identities(context, parameters, fixed)
