"""What the backtest promised and what the bot did, trade by trade, and why they differ.

`parity` reads a bot's journal, runs the backtest over the same bars, pairs the trades one to one and gives each
difference its causes and its cost. `lived` is what the journal tells, `trips` makes trades of executions, `pairing`
pairs them, `causes` explains, `report` shows.
"""

from workbench.bots.comparison.comparing import compare_lives, parity
from workbench.bots.comparison.report import ParityReport

__all__ = ["ParityReport", "compare_lives", "parity"]
