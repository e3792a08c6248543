"""Checks that run the backtest again under worse terms: dearer, or one bar later."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from workbench.backtest.doctor_findings import Measured
from workbench.backtest.doctor_text import percent
from workbench.errors import ConfigError, StrategyError
from workbench.risk import metrics

if TYPE_CHECKING:
    from workbench.backtest.doctor_case import Case, Floats
    from workbench.trading.terms import CostTerms

__all__ = ["costs_times", "one_bar_delay"]

_FACTORS = (1.0, 2.0, 3.0)


def costs_times(case: Case) -> Measured:
    """Measure how many times the costs the profit survives, read off between one, two and three times."""
    if case.profit <= 0:
        return Measured.nothing("There is no profit to lose.")
    if not any(_charges(line.costs) for line in case.plan.lines):
        return Measured.nothing("Nothing was charged: twice nothing is nothing.")
    gains = [metrics.total_growth(case.equity, case.plan.cash)]
    for factor in _FACTORS[1:]:
        gain, why = _rerun(case, partial(case.dearer, factor))
        if why:
            return Measured.nothing(why)
        gains.append(gain)
    survived = _FACTORS[-1]
    for (factor, gain), (_, less) in pairwise(zip(_FACTORS, gains, strict=True)):
        if less <= 0:
            survived = factor + gain / (gain - less)
            break
    told = f"up to {survived:.1f} times the costs" if survived < _FACTORS[-1] else "three times the costs"
    return Measured(
        value=survived,
        said=f"The profit survives {told}: {percent(gains[0])} becomes {percent(gains[1])} at twice and "
        f"{percent(gains[2])} at three times.",
        evidence={"once": gains[0], "twice": gains[1], "three_times": gains[2]},
    )


def one_bar_delay(case: Case) -> Measured:
    """Measure the share of the profit that is lost when every decision trades one bar later."""
    if case.profit <= 0 or not len(case.records.fills):
        return Measured.nothing("There is no profit to lose.")
    now = metrics.total_growth(case.equity, case.plan.cash)
    delayed, why = _rerun(case, case.later)
    if why:
        return Measured.nothing(why)
    lost = (now - delayed) / now
    return Measured(
        value=lost,
        said=f"One bar later the return of {percent(now)} becomes {percent(delayed)}.",
        evidence={"return": now, "one_bar_later": delayed},
    )


def _charges(terms: CostTerms) -> bool:
    rates = (terms.taker, terms.maker, terms.slippage, terms.per_unit, terms.per_order, terms.impact)
    return any(rate > 0 for rate in rates)


def _rerun(case: Case, again: Callable[[], Floats]) -> tuple[float, str]:
    """Give the total return of another run, or why it cannot be run again."""
    try:
        return metrics.total_growth(again(), case.plan.cash), ""
    except (ConfigError, StrategyError) as error:
        return 0.0, f"It cannot be run again: {error}"
