"""What chance can do: the history of a strategy drawn again, and whether it did better than luck would have."""

from workbench.research.chance.drawing import monte_carlo
from workbench.research.chance.simulated import MonteCarlo

__all__ = ["MonteCarlo", "monte_carlo"]
