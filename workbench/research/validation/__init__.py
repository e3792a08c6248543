"""Whether a choice holds on data that it was not made on: splits of time, walk-forward, cross-validation."""

from workbench.research.validation.crossing import CrossValidation, cross_validate
from workbench.research.validation.splits import AnchoredSplit, CombinatorialPurged, PurgedKFold, RollingSplit
from workbench.research.validation.walk import WalkForward, Window
from workbench.research.validation.walking import walk_forward

__all__ = [
    "AnchoredSplit",
    "CombinatorialPurged",
    "CrossValidation",
    "PurgedKFold",
    "RollingSplit",
    "WalkForward",
    "Window",
    "cross_validate",
    "walk_forward",
]
