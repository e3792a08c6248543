"""Optimisation: which parameters are best by an objective, looked for by optuna's samplers."""

from workbench.research.optimising.finding import optimise
from workbench.research.optimising.objectives import Objective
from workbench.research.optimising.optimisation import Optimisation
from workbench.research.optimising.searching import Search

__all__ = ["Objective", "Optimisation", "Search", "optimise"]
