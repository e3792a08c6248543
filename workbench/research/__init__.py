"""Questions asked of history, and the record of every computation that tried to answer one."""

from workbench.research.ledger import Ledger, runs
from workbench.research.run import Run, new_run_id, versions
from workbench.research.trials import TrialBatch, TrialBook

__all__ = ["Ledger", "Run", "TrialBatch", "TrialBook", "new_run_id", "runs", "versions"]
