"""What sized the entries, and the table of why entries were as large as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.backtest.frames import times
from workbench.backtest.records import SKIP_FIELDS, SKIP_REASONS, column

if TYPE_CHECKING:
    import pandas as pd

    from workbench.backtest.result import Result

__all__ = ["sizes_table", "sizing_in_words"]

_COLUMNS = ("symbol", "side", "quantity", "price", "equity", "measure", "limit")


def sizing_in_words(result: Result) -> str:
    """Say what sizes the entries, and how many were not made for which reason; "" without a sizing."""
    if result.plan.sizing is None:
        return ""
    codes = column(result.records.skipped, SKIP_FIELDS, "reason").astype(np.int64)
    reasons = [f"{SKIP_REASONS[code]} {int((codes == code).sum()):,} times" for code in np.unique(codes)]
    return f"sized by {result.plan.sizing!r}" + (f"; not entered: {', '.join(reasons)}" if reasons else "")


def sizes_table(result: Result) -> pd.DataFrame:
    """Make the table of `Result.sizes`."""
    import pandas as pd

    told = _told(result)
    return pd.DataFrame(
        {
            "decided_time": times(np.array([one["decided"] for one in told], dtype=np.float64)),
            **{name: [one[name] for one in told] for name in _COLUMNS},
            "status": [one["code"] or "traded" for one in told],
            "why": [one["why"] for one in told],
        }
    )


def _told(result: Result) -> list[dict[str, Any]]:
    """Give the decisions: those of the records, else of the same run event by event."""
    if result.plan.sizing is None or result.records.path == "event":
        return list(result.records.sizes)
    from workbench.backtest import event_path

    return list(event_path.run(result.plan).sizes)
