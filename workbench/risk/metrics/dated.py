"""Days, months and years as people know them: the best, the worst, and how many ended with a gain.

These need returns with times. A period holds what bars it has: the first and the last may be cut short. A timezone of
the index is kept to.
"""

from __future__ import annotations

import numpy as np

from workbench.risk.metrics.curves import Curves, Floats, ratio
from workbench.risk.metrics.define import of_dates
from workbench.risk.metrics.metric import Metric

__all__ = [
    "average_down_month",
    "average_up_month",
    "best_day",
    "best_month",
    "best_year",
    "positive_days",
    "positive_months",
    "positive_years",
    "worst_day",
    "worst_month",
    "worst_year",
]

_CUT = "periods cut short by the ends of the history count"


def _gainers(periods: Curves) -> Floats:
    return np.asarray((periods.returns > 0.0).mean(axis=1)) if periods.bars else periods.nothing()


@of_dates(Metric("Best day", "fraction", "largest return of a calendar day", "definition", convention=_CUT), "D")
def best_day(days: Curves) -> Floats:
    """Largest return of a calendar day; NaN without bars."""
    return days.quantile(1.0)


@of_dates(Metric("Worst day", "fraction", "smallest return of a calendar day", "definition", convention=_CUT), "D")
def worst_day(days: Curves) -> Floats:
    """Smallest return of a calendar day; NaN without bars."""
    return days.quantile(0.0)


@of_dates(Metric("Days with a gain", "fraction", "days with a return above 0 / days with bars", "definition"), "D")
def positive_days(days: Curves) -> Floats:
    """Share of the calendar days with a return above zero; NaN without bars."""
    return _gainers(days)


@of_dates(
    Metric("Best month", "fraction", "largest return of a calendar month", "definition", convention=_CUT),
    "M",
)
def best_month(months: Curves) -> Floats:
    """Largest return of a calendar month; NaN without bars."""
    return months.quantile(1.0)


@of_dates(
    Metric("Worst month", "fraction", "smallest return of a calendar month", "definition", convention=_CUT),
    "M",
)
def worst_month(months: Curves) -> Floats:
    """Smallest return of a calendar month; NaN without bars."""
    return months.quantile(0.0)


@of_dates(
    Metric("Months with a gain", "fraction", "months with a return above 0 / months with bars", "definition"), "M"
)
def positive_months(months: Curves) -> Floats:
    """Share of the calendar months with a return above zero; NaN without bars."""
    return _gainers(months)


@of_dates(Metric("Average up month", "fraction", "mean of the monthly returns above 0", "definition"), "M")
def average_up_month(months: Curves) -> Floats:
    """Mean of the monthly returns above zero; NaN where there are none."""
    return ratio(months.gains, (months.returns > 0.0).sum(axis=1))


@of_dates(Metric("Average down month", "fraction", "mean of the monthly returns below 0", "definition"), "M")
def average_down_month(months: Curves) -> Floats:
    """Mean of the monthly returns below zero, a negative number; NaN where there are none."""
    return ratio(-months.losses, (months.returns < 0.0).sum(axis=1))


@of_dates(Metric("Best year", "fraction", "largest return of a calendar year", "definition", convention=_CUT), "Y")
def best_year(yearly: Curves) -> Floats:
    """Largest return of a calendar year; NaN without bars."""
    return yearly.quantile(1.0)


@of_dates(
    Metric("Worst year", "fraction", "smallest return of a calendar year", "definition", convention=_CUT),
    "Y",
)
def worst_year(yearly: Curves) -> Floats:
    """Smallest return of a calendar year; NaN without bars."""
    return yearly.quantile(0.0)


@of_dates(Metric("Years with a gain", "fraction", "years with a return above 0 / years with bars", "definition"), "Y")
def positive_years(yearly: Curves) -> Floats:
    """Share of the calendar years with a return above zero; NaN without bars."""
    return _gainers(yearly)
