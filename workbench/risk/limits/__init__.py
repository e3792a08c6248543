"""Limits on risk, as pure numbers: what can be limited, how far, and what an order is compared with.

`RULES` is the table of what can be limited, `Limits` says how far, `assess` asks about one order. The gate of the core
(`trading.risk_engine`) works the numbers out and keeps the state.
"""

from workbench.risk.limits.bounds import PROFILES, Bound, Limits
from workbench.risk.limits.exposures import Row
from workbench.risk.limits.judging import Assessment, Check
from workbench.risk.limits.merging import joined, scoped, strictest
from workbench.risk.limits.rules import CODES, RULES, Rule
from workbench.risk.limits.situation import Situation, assess

__all__ = [
    "CODES",
    "PROFILES",
    "RULES",
    "Assessment",
    "Bound",
    "Check",
    "Limits",
    "Row",
    "Rule",
    "Situation",
    "assess",
    "joined",
    "scoped",
    "strictest",
]
