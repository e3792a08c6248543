"""Money shared among strategies, walking forward: `allocate` decides weights from the past, trades, pays, and goes on.

`returns` puts strategies on common times, `walking` is the reckoning, `risk.weighting` has the rules; `Allocation`
shows what came of it.
"""

from workbench.research.allocating.allocating import allocate
from workbench.research.allocating.allocation import Allocation

__all__ = ["Allocation", "allocate"]
