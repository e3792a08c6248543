"""What closed trades say: how often, how much, in what order, and how likely ruin is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.errors import DataError
from workbench.risk.metrics.curves import Floats
from workbench.risk.metrics.define import of_profits
from workbench.risk.metrics.metric import Metric

__all__ = [
    "average_loser",
    "average_losing_streak",
    "average_winner",
    "average_winning_streak",
    "best_share",
    "best_trade",
    "cpc_index",
    "expectancy",
    "expectancy_ratio",
    "kelly_fraction",
    "longest_losing_streak",
    "longest_winning_streak",
    "median_trade",
    "payoff_ratio",
    "profit_factor",
    "risk_of_ruin",
    "system_quality_number",
    "win_rate",
    "worst_trade",
]


def _over(top: float, bottom: float) -> float:
    return top / bottom if bottom else math.nan


def _payoff(profits: Floats) -> float:
    won, lost = profits[profits > 0.0], profits[profits < 0.0]
    return float(won.mean() / -lost.mean()) if len(won) and len(lost) else math.nan


@of_profits(
    Metric("Win rate", "fraction", "closed trades with a profit / closed trades", "definition", "trades")
)  # fmt: skip
def win_rate(profits: Floats) -> float:
    """Share of closed trades whose profit after fees is above zero; NaN without trades."""
    return float(np.mean(profits > 0.0)) if len(profits) else math.nan


@of_profits(
    Metric(
        "Profit factor", "ratio", "sum of profits / |sum of losses| of closed trades, after fees", "definition",
        "trades",
    )
)  # fmt: skip
def profit_factor(profits: Floats) -> float:
    """Sum of the profits over the size of the sum of the losses; NaN without a losing trade."""
    return _over(float(profits[profits > 0.0].sum()), -float(profits[profits < 0.0].sum()))


@of_profits(
    Metric("Expectancy", "currency", "mean profit of a closed trade, after fees", "definition", "trades")
)  # fmt: skip
def expectancy(profits: Floats) -> float:
    """Mean profit of a closed trade after fees, in the quote currency; NaN without trades."""
    return float(profits.mean()) if len(profits) else math.nan


@of_profits(
    Metric(
        "Expectancy ratio", "ratio", "mean profit / |mean loss of the losing trades|", "Tharp (2006)", "trades",
        "the average loss stands for the risk of a trade (R)",
    )
)  # fmt: skip
def expectancy_ratio(profits: Floats) -> float:
    """Mean profit in units of the average loss; NaN without a losing trade."""
    lost = profits[profits < 0.0]
    return float(profits.mean() / -lost.mean()) if len(lost) else math.nan


@of_profits(
    Metric("Payoff ratio", "ratio", "mean of the winning trades / |mean of the losing trades|", "definition", "trades")
)  # fmt: skip
def payoff_ratio(profits: Floats) -> float:
    """Average winner over the size of the average loser; NaN without one of each."""
    return _payoff(profits)


@of_profits(Metric("Average winner", "currency", "mean profit of the winning trades", "definition", "trades"))
def average_winner(profits: Floats) -> float:
    """Mean of the profits above zero; NaN where there are none."""
    won = profits[profits > 0.0]
    return float(won.mean()) if len(won) else math.nan


@of_profits(Metric("Average loser", "currency", "mean profit of the losing trades", "definition", "trades"))
def average_loser(profits: Floats) -> float:
    """Mean of the profits below zero, a negative amount; NaN where there are none."""
    lost = profits[profits < 0.0]
    return float(lost.mean()) if len(lost) else math.nan


@of_profits(Metric("Best trade", "currency", "largest profit of a closed trade", "definition", "trades"))
def best_trade(profits: Floats) -> float:
    """Largest profit of a trade; NaN without trades."""
    return float(profits.max()) if len(profits) else math.nan


@of_profits(Metric("Worst trade", "currency", "smallest profit of a closed trade", "definition", "trades"))
def worst_trade(profits: Floats) -> float:
    """Smallest profit of a trade; NaN without trades."""
    return float(profits.min()) if len(profits) else math.nan


@of_profits(Metric("Median trade", "currency", "median profit of a closed trade", "definition", "trades"))
def median_trade(profits: Floats) -> float:
    """Profit that half of the trades exceed, after fees; NaN without trades."""
    return float(np.median(profits)) if len(profits) else math.nan


@of_profits(
    Metric(
        "Share of the best trade", "fraction", "largest profit / sum of the profits above 0", "definition", "trades",
        better="lower",
    )
)  # fmt: skip
def best_share(profits: Floats) -> float:
    """How much of all that was won came from one trade; NaN without a winning trade."""
    won = profits[profits > 0.0]
    return float(won.max() / won.sum()) if len(won) else math.nan


@of_profits(
    Metric(
        "CPC index", "ratio", "profit factor x win rate x payoff ratio", "Harris (2011), TradeStation Made Easy",
        "trades", "above 1.2 is called good",
    )
)  # fmt: skip
def cpc_index(profits: Floats) -> float:
    """Profit factor times win rate times payoff; NaN without a winning and a losing trade."""
    won, lost = profits[profits > 0.0], profits[profits < 0.0]
    return (
        _over(float(won.sum()), -float(lost.sum())) * float(np.mean(profits > 0.0)) * _payoff(profits)
        if len(profits)
        else math.nan
    )


@of_profits(
    Metric(
        "System quality number", "ratio", "sqrt(trades) x mean profit / sample standard deviation of profits",
        "Tharp (2008)", "trades", "all trades counted; Tharp caps them at 100",
    )
)  # fmt: skip
def system_quality_number(profits: Floats, *, most: int | None = None) -> float:
    """The t-statistic of the mean profit; NaN with fewer than two trades or without variation.

    `most` caps the number of trades in the root.
    """
    if len(profits) < 2:
        return math.nan
    count = len(profits) if most is None else min(most, len(profits))
    spread = float(profits.std(ddof=1)) if np.ptp(profits) > 0.0 else 0.0
    return _over(math.sqrt(count) * float(profits.mean()), spread)


@of_profits(
    Metric(
        "Kelly fraction", "fraction", "win rate - (1 - win rate) / payoff ratio", "Kelly (1956); Thorp (2006)",
        "trades", "of the amount lost in an average losing trade; break-even trades count as losing", better="",
    )
)  # fmt: skip
def kelly_fraction(profits: Floats) -> float:
    """Share of the capital to risk for the fastest growth, from win rate and payoff; negative: do not trade.

    NaN without a winning and a losing trade: then nothing says what may be lost.
    """
    rate = float(np.mean(profits > 0.0)) if len(profits) else math.nan
    return rate - _over(1.0 - rate, _payoff(profits))


def _runs(flags: Any) -> Any:
    """Lengths of the runs of what is true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return edges[1::2] - edges[::2]


def _streak(flags: Any) -> float:
    return float(max(_runs(flags), default=0))


def _mean_run(flags: Any) -> float:
    lengths = _runs(flags)
    return float(lengths.mean()) if len(lengths) else math.nan


@of_profits(
    Metric("Longest winning streak", "count", "most trades in a row with a profit", "definition", "trades")
)  # fmt: skip
def longest_winning_streak(profits: Floats) -> float:
    """Most trades in a row with a profit above zero; zero without any."""
    return _streak(profits > 0.0)


@of_profits(
    Metric(
        "Longest losing streak", "count", "most trades in a row with a loss", "definition", "trades", better="lower"
    )
)  # fmt: skip
def longest_losing_streak(profits: Floats) -> float:
    """Most trades in a row with a profit below zero; zero without any."""
    return _streak(profits < 0.0)


@of_profits(
    Metric("Average winning streak", "count", "mean length of the runs of trades with a profit", "definition", "trades")
)  # fmt: skip
def average_winning_streak(profits: Floats) -> float:
    """Mean length of the runs of trades with a profit above zero; NaN without any."""
    return _mean_run(profits > 0.0)


@of_profits(
    Metric(
        "Average losing streak", "count", "mean length of the runs of trades with a loss", "definition", "trades",
        better="lower",
    )
)  # fmt: skip
def average_losing_streak(profits: Floats) -> float:
    """Mean length of the runs of trades with a profit below zero; NaN without any."""
    return _mean_run(profits < 0.0)


@of_profits(
    Metric(
        "Risk of ruin", "fraction", "exp(-2 x mean profit x capital / variance of profits)",
        "Cox and Miller (1965), first passage of a diffusion", "trades",
        "capital: what may be lost, 10 average losers unless given; 1 without an edge", better="lower",
    )
)  # fmt: skip
def risk_of_ruin(profits: Floats, *, capital: float | None = None) -> float:
    """Probability of ever losing a capital (currency) if trades go on as they did, with sizes that stay the same.

    One without an edge; zero without a losing trade; NaN with fewer than two trades or without variation.
    """
    if capital is not None and not 0.0 < capital < math.inf:
        raise DataError(f"capital is {capital!r}; give the positive amount that may be lost")
    if len(profits) < 2 or not np.ptp(profits) > 0.0:
        return math.nan
    lost = profits[profits < 0.0]
    if not len(lost):
        return 0.0
    mean, stake = float(profits.mean()), -10.0 * float(lost.mean()) if capital is None else capital
    return 1.0 if mean <= 0.0 else math.exp(-2.0 * mean * stake / float(profits.var(ddof=1)))
