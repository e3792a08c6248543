"""Checks of the equity: its shape, what marking hides, and how much of it is only the market."""

from __future__ import annotations

import math
from datetime import datetime
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.curves import cost_curve, holding_value, rows_at, value_curves
from workbench.backtest.doctor_findings import Measured
from workbench.backtest.doctor_text import percent, ratio, span
from workbench.market.bars import moment
from workbench.risk import metrics

if TYPE_CHECKING:
    from workbench.backtest.doctor_case import Case

__all__ = [
    "behind_holding",
    "benchmark_like",
    "first_half",
    "flat_equity",
    "hidden_drawdown",
    "leverage",
    "loss",
    "luck",
    "never_recovers",
    "one_month",
    "sharpe_too_high",
    "short_history",
    "stale_marks",
]

Floats = NDArray[np.float64]

_FEWEST_RETURNS = 20  # below that a correlation or a distribution says nothing
_FEWEST_MONTHS = 6
_SHALLOW = 0.05  # a fall of less than that at the end is the ordinary state of any equity


def sharpe_too_high(case: Case) -> Measured:
    """Measure the annualised Sharpe ratio."""
    sharpe = metrics.sharpe_ratio(case.returns, case.periods_per_year)
    if not math.isfinite(sharpe):
        return Measured.nothing("There is no Sharpe ratio: the equity does not move.")
    closed = int(case.trips.closed.sum())
    return Measured(
        value=sharpe,
        said=f"The annualised Sharpe ratio is {ratio(sharpe)}, on {closed:,} closed trades.",
        evidence={"sharpe_ratio": sharpe, "trades": closed},
    )


def loss(case: Case) -> Measured:
    """Measure the total return, and beside it what the same fills would have made without costs."""
    total = metrics.total_growth(case.equity, case.plan.cash)
    paid = cost_curve(case.plan, case.records)
    before = metrics.total_growth(case.equity + paid, case.plan.cash)
    return Measured(
        value=total,
        said=f"The total return is {percent(total)}; before costs and funding it is {percent(before)}.",
        evidence={"total_return": total, "before_costs": before, "costs": float(paid[-1])},
    )


def luck(case: Case) -> Measured:
    """Measure the probability that the true Sharpe ratio is above zero, given length, skew and tails."""
    returns = case.returns
    deviation = float(returns.std(ddof=1)) if len(returns) > _FEWEST_RETURNS else 0.0
    mean = float(returns.mean()) if len(returns) else 0.0
    if deviation <= 0 or mean <= 0:
        return Measured.nothing("There is no gain that could be luck.")
    score = (returns - mean) / deviation
    skew, tails, sharpe = float((score**3).mean()), float((score**4).mean()), mean / deviation
    spread = max(1 - skew * sharpe + (tails - 1) / 4 * sharpe**2, 1e-12)
    sure = NormalDist().cdf(sharpe * math.sqrt(len(returns) - 1) / math.sqrt(spread))
    return Measured(
        value=sure,
        said=f"The probability that the true Sharpe ratio is above zero is {percent(sure)}, before counting how many "
        "strategies were tried.",
        evidence={"probability": sure, "returns": len(returns), "skew": skew, "kurtosis": tails},
    )


def short_history(case: Case) -> Measured:
    """Measure the length of the history in years."""
    return Measured(
        value=case.years,
        said=f"The history is {span(case.years)} long ({len(case.equity):,} bars).",
        evidence={"years": case.years, "bars": len(case.equity)},
    )


def flat_equity(case: Case) -> Measured:
    """Measure the longest stretch in which the equity does not move, as a share of the history."""
    moved = np.diff(np.concatenate(([case.plan.cash], case.equity))) != 0
    n = len(moved)
    stops = np.concatenate(([-1], np.flatnonzero(moved), [n]))
    runs = np.diff(stops) - 1
    longest = int(np.argmax(runs))
    first, length = int(stops[longest]) + 1, int(runs[longest])
    if not length:
        return Measured(value=0.0, said="The equity moves on every bar.", evidence={"bars": 0})
    since, until = int(case.records.ts[first]), int(case.records.ts[first + length - 1])
    return Measured(
        value=length / n,
        said=f"The longest stretch without any change is {percent(length / n)} of the history, {moment(since)} to "
        f"{moment(until)}.",
        evidence={"bars": length, "of": n},
        times=(since, until),
    )


def one_month(case: Case) -> Measured:
    """Measure the share of the net profit that the best calendar month made."""
    months = case.records.ts.astype("datetime64[ms]").astype("datetime64[M]")
    names, first = np.unique(months, return_index=True)
    if len(names) < _FEWEST_MONTHS or case.profit <= 0:
        why = f"{len(names)} months are too few." if case.profit > 0 else "There is no net profit."
        return Measured.nothing(why)
    ends = case.equity[np.append(first[1:], len(case.equity)) - 1]
    made = np.diff(np.concatenate(([case.plan.cash], ends)))
    best = int(np.argmax(made))
    share = float(made[best]) / case.profit
    return Measured(
        value=share,
        said=f"{_month(names[best])} made {percent(share)} of the net profit of {len(names)} months.",
        evidence={"month": str(names[best]), "its_profit": float(made[best]), "net_profit": case.profit},
        times=(int(case.records.ts[first[best]]),),
    )


def _month(name: np.datetime64) -> str:
    return f"{name.astype(datetime):%B %Y}"


def first_half(case: Case) -> Measured:
    """Measure the share of the growth that the first half of the history made."""
    equity, cash = case.equity, case.plan.cash
    if len(equity) < 2 * _FEWEST_RETURNS or case.profit <= 0 or equity.min() <= 0:
        return Measured.nothing("There is no net profit, or too little history to halve.")
    whole, first = math.log(equity[-1] / cash), math.log(equity[len(equity) // 2 - 1] / cash)
    share = first / whole
    middle = moment(int(case.records.ts[len(equity) // 2]))
    return Measured(
        value=share,
        said=f"The first half of the history, before {middle}, made {percent(share)} of the growth.",
        evidence={"first_half": math.expm1(first), "second_half": math.expm1(whole - first)},
    )


def hidden_drawdown(case: Case) -> Measured:
    """Measure how much deeper the drawdown was inside bars than from close to close."""
    fall = metrics.deepest_drawdown(case.equity, case.plan.cash).depth
    lows = _equity_lows(case)
    peak = np.maximum.accumulate(np.concatenate(([case.plan.cash], case.equity)))[:-1]
    inside = np.minimum(lows / peak - 1, 0.0)
    worst = int(np.argmin(inside)) if len(inside) else 0
    depth = min(float(inside[worst]) if len(inside) else 0.0, fall)
    return Measured(
        value=fall - depth,
        said=f"At the worst prices inside the bars the drawdown was {percent(depth)}, from close to close it shows "
        f"{percent(fall)}.",
        evidence={"inside_bars": depth, "at_closes": fall},
        times=(int(case.records.ts[worst]),) if depth < fall else (),
    )


def _equity_lows(case: Case) -> Floats:
    """Give the equity with each position that was held through a bar marked at the bar's worst price, shape (n,)."""
    lows = case.equity.copy()
    for held in case.holdings:
        line = case.plan.lines[held.instrument]
        bars, rows = line.bars, rows_at(case.records.ts, line.bars.ts)
        through = held.quantity[rows]
        if case.plan.at_close:  # what was bought at the close had not been held inside the bar
            before = np.concatenate(([0.0], through[:-1]))
            same = np.sign(before) == np.sign(through)
            through = np.where(same, np.sign(through) * np.minimum(np.abs(before), np.abs(through)), 0.0)
        worst = np.where(through > 0, bars.low, bars.high)
        fallen = holding_value(line, through, worst) - holding_value(line, through, bars.close)
        np.add.at(lows, rows, -np.abs(fallen))
    return lows


def stale_marks(case: Case) -> Measured:
    """Measure the share of held bars whose close is no fresh price: filled in, or unchanged without volume."""
    held_bars = stale_bars = 0
    times: list[int] = []
    for held in case.holdings:
        bars = case.plan.lines[held.instrument].bars
        in_hand = held.quantity[rows_at(case.records.ts, bars.ts)] != 0
        still = np.concatenate(([False], (bars.close[1:] == bars.close[:-1]) & (bars.low == bars.high)[1:]))
        if bars.volume.sum() > 0:
            still |= bars.volume == 0
        stale = (still if bars.filled is None else still | bars.filled) & in_hand
        held_bars, stale_bars = held_bars + int(in_hand.sum()), stale_bars + int(stale.sum())
        times += [int(ts) for ts in bars.ts[stale][:20]]
    if not held_bars:
        return Measured.nothing("Nothing was held at a close.")
    share = stale_bars / held_bars
    return Measured(
        value=share,
        said=f"{stale_bars:,} of {held_bars:,} held bars ({percent(share)}) were marked at a price that nobody had "
        "just traded.",
        evidence={"stale_bars": stale_bars, "held_bars": held_bars},
        times=tuple(times),
    )


def leverage(case: Case) -> Measured:
    """Measure the largest value of all positions against the equity at the same close."""
    long, short = value_curves(case.plan, case.records)
    gross = long - short
    known = case.equity > 0
    if not gross.any():
        return Measured.nothing("Nothing was held at a close.")
    times_equity = np.where(known, gross / np.where(known, case.equity, 1.0), np.where(gross > 0, np.inf, 0.0))
    most = int(np.argmax(times_equity))
    return Measured(
        value=float(times_equity[most]),
        said=f"At most {ratio(float(times_equity[most]))} times the equity was held.",
        evidence={"times_equity": float(times_equity[most]), "held": float(gross[most])},
        times=(int(case.records.ts[most]),),
    )


def never_recovers(case: Case) -> Measured:
    """Measure the share of the history that the last, unrecovered drawdown has lasted."""
    path = np.concatenate(([case.plan.cash], case.equity))
    peak = int(len(path) - 1 - np.argmax(path[::-1]))
    depth = float(path[-1] / path[peak] - 1) if path[peak] > 0 else 0.0
    share = (len(path) - 1 - peak) / max(len(case.equity), 1)
    if depth > -_SHALLOW:
        return Measured(
            value=0.0, said=f"The equity ends {percent(abs(depth))} below its peak.", evidence={"below_peak": depth}
        )
    since = int(case.records.ts[max(peak - 1, 0)])
    return Measured(
        value=share,
        said=f"The equity ends {percent(-depth)} below its peak of {moment(since)}, {percent(share)} of the history "
        "ago.",
        evidence={"below_peak": depth, "bars": len(path) - 1 - peak},
        times=(since,),
    )


def benchmark_like(case: Case) -> Measured:
    """Measure how much of the variance of the returns buying and holding explains (R squared)."""
    theirs = metrics.returns_of(case.holding, case.plan.cash)
    mine = case.returns
    if len(mine) < _FEWEST_RETURNS or mine.std() == 0 or theirs.std() == 0:
        return Measured.nothing("The equity does not move, or there are too few bars.")
    correlation = float(np.corrcoef(mine, theirs)[0, 1])
    beta = float(np.cov(mine, theirs)[0, 1] / theirs.var(ddof=1))
    excess = float((mine.mean() - beta * theirs.mean()) * case.periods_per_year)
    return Measured(
        value=correlation**2 if correlation > 0 else 0.0,
        said=f"Buying and holding explains {percent(correlation**2)} of the variance (correlation "
        f"{ratio(correlation)}, beta {ratio(beta)}).",
        evidence={"correlation": correlation, "beta": beta, "alpha_a_year": excess},
    )


def behind_holding(case: Case) -> Measured:
    """Measure by how much the Sharpe ratio is below that of buying and holding."""
    mine = metrics.sharpe_ratio(case.returns, case.periods_per_year)
    theirs = metrics.sharpe_ratio(metrics.returns_of(case.holding, case.plan.cash), case.periods_per_year)
    if not (math.isfinite(mine) and math.isfinite(theirs)):
        return Measured.nothing("There is no Sharpe ratio to compare.")
    return Measured(
        value=theirs - mine,
        said=f"The Sharpe ratio is {ratio(mine)}; buying and holding has {ratio(theirs)}.",
        evidence={"sharpe_ratio": mine, "holding": theirs},
    )
