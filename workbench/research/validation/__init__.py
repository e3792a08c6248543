"""Whether a choice holds on data that it was not made on: splits of time, walk-forward, cross-validation."""

from workbench.research.validation.splits import AnchoredSplit, CombinatorialPurged, PurgedKFold, RollingSplit

__all__ = ["AnchoredSplit", "CombinatorialPurged", "PurgedKFold", "RollingSplit"]
