"""The doctor: names what is suspicious about a backtest, with its evidence and a remedy.

`result.doctor()` is `diagnose(result)`. What is checked, from when on it counts and why stands in `doctor_table`; a
check measures one number of a `Case` (`doctor_trips`, `doctor_fills`, `doctor_inside`, `doctor_equity`), two of them by
running the backtest again under worse terms (`doctor_reruns`); `doctor_findings` holds the number against the limits.
Nothing here reads a file or knows what other runs there were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.backtest.doctor_case import Case, case_of
from workbench.backtest.doctor_findings import SEVERITIES, Diagnosis, Finding, judge
from workbench.backtest.doctor_table import CHECKS

if TYPE_CHECKING:
    from workbench.backtest.result import Result

__all__ = ["Diagnosis", "Finding", "diagnose", "examine"]


def diagnose(result: Result, *, held_out: str | None = None) -> Diagnosis:
    """Look for what makes the numbers of a backtest doubtful.

    Parameters
    ----------
    result : Result
    held_out : str, optional
        What was kept from the search for this strategy, such as "2024"; without it the diagnosis says that nothing is
        known of it.

    Returns
    -------
    Diagnosis
        A finding for each check, worst first.
    """
    return examine(case_of(result, held_out=held_out), name=f"{result.name} on {result.market}")


def examine(case: Case, *, name: str = "") -> Diagnosis:
    """Carry out every check on a case."""
    found = [judge(check, case) for check in CHECKS]
    found.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return Diagnosis(findings=tuple(found), name=name)
