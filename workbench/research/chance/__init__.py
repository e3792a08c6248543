"""What chance can do: the history of a strategy drawn again, and whether it did better than luck would have.

`monte_carlo` (`drawing`) gives many histories that might have been (`MonteCarlo`, `simulated`); `significance`
(`testing`) compares what happened with what chance gives. `resampling` draws returns and trades, `candles` makes prices
anew and runs the strategy on them, `entries` puts trades at random places.
"""

from workbench.research.chance.drawing import monte_carlo
from workbench.research.chance.simulated import MonteCarlo
from workbench.research.chance.testing import ChanceTest, Significance, significance

__all__ = ["ChanceTest", "MonteCarlo", "Significance", "monte_carlo", "significance"]
