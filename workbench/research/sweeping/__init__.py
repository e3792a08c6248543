"""A strategy over many parameters: the combinations, how they are computed, and the study that keeps what came out."""

from workbench.research.sweeping.evaluator import Evaluator

__all__ = ["Evaluator"]
