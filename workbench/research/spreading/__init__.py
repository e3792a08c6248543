"""Spreading work over threads, processes and machines: `spread` runs a function over many items, wherever it may run.

What is left and how much of it to hand out at a time is kept in `ranges`; what a task needs travels in a `Parcel`, once
to each worker (`parcel`, `pickling`); a `Crew` runs pieces of work: on an executor (`crews`), on processes of our own
(`processes`) or on the workers of a dask cluster (`cluster`). `spread` itself (`work`) hands out, collects, runs again
what was lost and stops. No result depends on who computed it or on where the pieces were cut.
"""

from workbench.research.spreading.work import Place, reached, spread

__all__ = ["Place", "reached", "spread"]
