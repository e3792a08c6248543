"""The border to scikit-learn: the default estimator, weights, probabilities by class."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError, RunError

__all__ = ["checked_estimator", "default_estimator", "fit", "probabilities"]

Floats = NDArray[np.float64]


def default_estimator(seed: int = 0) -> Any:
    """Make gradient boosting over histograms, small and slow to learn, as markets have little to teach.

    There is no early stopping: its validation set would be a random part of overlapping labels. There are 32 bins a
    feature: with sample weights scikit-learn looks for the border of each anew, which costs more than the trees do.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=100, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=50, l2_regularization=1.0,
        early_stopping=False, max_bins=32, random_state=seed,
    )  # fmt: skip


def checked_estimator(given: Any, seed: int) -> Any:
    """Take an estimator of scikit-learn's kind, unfitted and with a seed; the default where there is none.

    Raises
    ------
    ConfigError
        It lacks `fit` or `predict_proba`, is a class, or cannot be cloned.
    """
    if given is None:
        return default_estimator(seed)
    from sklearn.base import clone

    if isinstance(given, type) or not all(hasattr(given, name) for name in ("fit", "predict_proba")):
        raise ConfigError(
            f"the estimator {given!r} does not give probabilities: give an object with fit and predict_proba, such as "
            "LogisticRegression()"
        )
    try:
        estimator = clone(given)
        seeds = {name: seed for name, value in estimator.get_params().items()
                 if name.rpartition("__")[2] == "random_state" and value is None}  # fmt: skip
        return estimator.set_params(**seeds)
    except (TypeError, RuntimeError, AttributeError) as error:
        raise ConfigError(f"the estimator {type(given).__name__} cannot be cloned: {error}") from error


def fit(estimator: Any, values: Floats, y: NDArray[np.int64], weights: Floats | None) -> tuple[Any, list[str]]:
    """Fit a clone, with weights where it takes them.

    Returns
    -------
    fitted : estimator, or None
        None where there is one class only, which nothing can be learnt from.
    warned : list of str
        What it warned of.
    """
    from sklearn.base import clone

    if len(np.unique(y)) < 2:
        return None, ["one class only"]
    fitted = clone(estimator)
    takes = _weight_name(fitted) if weights is not None else None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with _one_thread():
                fitted.fit(values, y, **({takes: weights} if takes else {}))
        except (ValueError, TypeError, ArithmeticError, np.linalg.LinAlgError) as error:
            raise RunError(f"{type(fitted).__name__} could not be fitted on {len(y):,} samples: {error}") from error
    return fitted, [f"{one.category.__name__}: {str(one.message).split(chr(10), 1)[0]}" for one in caught]


def probabilities(fitted: Any, values: Floats, classes: NDArray[np.int64], only: int) -> Floats:
    """Give the probability of each class, shape (n, classes); all for the class `only` where nothing was fitted."""
    found = np.zeros((len(values), len(classes)))
    if fitted is None:
        found[:, np.searchsorted(classes, only)] = 1.0
    elif len(values):
        with _one_thread():
            found[:, np.searchsorted(classes, fitted.classes_)] = fitted.predict_proba(values)
    return found


def _one_thread() -> Any:
    """Hold OpenMP to one thread: on a busy machine its threads mostly wait for each other."""
    from sklearn.utils.parallel import _get_threadpool_controller

    return _get_threadpool_controller().limit(limits=1)


def _weight_name(fitted: Any) -> str | None:
    from sklearn.utils.validation import has_fit_parameter

    steps = getattr(fitted, "steps", None)
    last = steps[-1][1] if steps else fitted
    if not has_fit_parameter(last, "sample_weight"):
        return None
    return f"{steps[-1][0]}__sample_weight" if steps else "sample_weight"
