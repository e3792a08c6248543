"""How much of the best of many backtests is luck, and what can be believed.

`judge(Trials(...))` works out every statistic; `.verdict()` of it says the rest in words. The parts are plain functions
of numbers and arrays: `sharpe` (probabilistic and deflated Sharpe ratio, lengths needed), `clustering` and
`independence` (how many of the trials are independent), `cscv` (probability of backtest overfitting), `snooping` (White
and Hansen), `haircut` (Harvey and Liu).
"""

from workbench.research.overfitting.chances import Beyond
from workbench.research.overfitting.clustering import Clusters, cluster_trials
from workbench.research.overfitting.cscv import CrossValidation, backtest_overfitting
from workbench.research.overfitting.haircut import Haircut, haircut_sharpe
from workbench.research.overfitting.independence import Independence, measure_independence
from workbench.research.overfitting.judging import Overfitting, judge
from workbench.research.overfitting.sharpe import (
    deflated_sharpe,
    expected_maximum,
    expected_maximum_sharpe,
    minimum_backtest_years,
    minimum_track_record,
    probabilistic_sharpe,
    track_record_among_trials,
)
from workbench.research.overfitting.snooping import Snooping, superior_ability
from workbench.research.overfitting.trials import Trials, variance_inflation
from workbench.research.overfitting.verdicts import Check, Verdict

__all__ = [
    "Beyond",
    "Check",
    "Clusters",
    "CrossValidation",
    "Haircut",
    "Independence",
    "Overfitting",
    "Snooping",
    "Trials",
    "Verdict",
    "backtest_overfitting",
    "cluster_trials",
    "deflated_sharpe",
    "expected_maximum",
    "expected_maximum_sharpe",
    "haircut_sharpe",
    "judge",
    "measure_independence",
    "minimum_backtest_years",
    "minimum_track_record",
    "probabilistic_sharpe",
    "superior_ability",
    "track_record_among_trials",
    "variance_inflation",
]
