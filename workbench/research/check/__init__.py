"""The causality checker: a strategy is asked again on other histories, and must say the same about the same bars.

`check` (also `wb.check`) is for strategies, `check_columns` for indicators and any other function of bars. How it goes:
`subject` asks, `watching` sees the columns that are worked out on the way, `laboratory` makes every question the first.
`memory` asks twice, `truncation` cuts the end off (where, and why that suffices: `cuts`), `starts` the beginning,
`live` feeds unfinished bars, `wishes` compares orders. `verdicts` makes `findings` of it.
"""

from workbench.research.check.checker import check, check_columns
from workbench.research.check.findings import KINDS, CheckReport, ColumnReport, Finding

__all__ = ["KINDS", "CheckReport", "ColumnReport", "Finding", "check", "check_columns"]
