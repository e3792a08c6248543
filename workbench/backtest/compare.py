"""Results side by side: with each other, with buying and holding, and with themselves under other terms.

A run is repeated from its plan, on the path that it took, with one thing changed; so whatever else was asked for
(rules, leverage, finer bars, protections) stays as it was, for one instrument or many, signals or orders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.backtest.plan import Line, Plan
from workbench.backtest.records import Records
from workbench.errors import ConfigError, StrategyError
from workbench.risk import metrics

if TYPE_CHECKING:
    import pandas as pd

    from workbench.backtest.costs import Costs
    from workbench.backtest.result import Result

__all__ = ["compare", "cost_sensitivity", "delayed", "holding_metrics", "scaled"]

_SENSITIVE: Final = ("total_return", "annualised_return", "sharpe_ratio", "max_drawdown", "profit_factor", "trades")
_SCALED: Final = ("taker", "maker", "per_unit", "per_order", "slippage", "impact", "liquidation_fee")
_WORDS: Final = ("entry", "exit", "short_entry", "short_exit")
_NUMBERS: Final = ("size", "stop_loss", "take_profit", "trailing_stop", "trailing_activation", "stop_price")


def compare(results: Sequence[Result]) -> pd.DataFrame:
    """Put results side by side.

    Parameters
    ----------
    results : sequence of Result
        At least one. Each stands beside buying and holding its own bars at its own costs, in equal shares where there
        are several instruments.

    Returns
    -------
    pandas.DataFrame
        One row a result, then one for buying and holding each of the markets, labelled by strategy and market; columns
        are the numeric metrics (NaN where holding has none, such as a win rate).

    Raises
    ------
    ConfigError
        There is nothing to compare, or something that is no Result.
    """
    import pandas as pd

    from workbench.backtest.result import Result

    rows = list(results) if not isinstance(results, Result) else [results]
    if not rows or any(not isinstance(one, Result) for one in rows):
        raise ConfigError("compare takes a list of results, such as wb.compare([first, second])")
    numeric = [name for name in metrics.HEADLINE if metrics.METRICS[name].unit != "time"]
    table: dict[str, dict[str, Any]] = {}
    for one in rows:
        table[_free(table, f"{one.name} on {one.market}")] = {name: one.metrics[name] for name in numeric}
    for one in rows:
        table.setdefault(f"buy and hold {one.market}", holding_metrics(one))
    return pd.DataFrame.from_dict(table, orient="index", columns=numeric)


def holding_metrics(result: Result) -> dict[str, float]:
    """Give the metrics of buying a result's instruments at their first open, at its costs, and holding them."""
    from workbench.backtest.result import ratios_of

    return {**ratios_of(result.buy_and_hold, result), "exposure": 1.0, "trades": 0}


def cost_sensitivity(result: Result, factors: Sequence[float] = (0.0, 1.0, 2.0, 3.0)) -> pd.DataFrame:
    """Run a backtest again with all that trading costs multiplied.

    Parameters
    ----------
    result : Result
    factors : sequence of float, default (0, 1, 2, 3)
        None is negative. Zero is trading for nothing, one is the result itself.

    Returns
    -------
    pandas.DataFrame
        One row a factor: `fee` (fraction) and `slippage_bps` of the first instrument, and the metrics that costs bear
        on; NaN where the strategy refuses to trade at such costs. Funding is no cost of trading: it stays.

    Raises
    ------
    ConfigError
        A factor is negative or no number, makes the costs absurd, or the result was loaded without its strategy.
    """
    import pandas as pd

    if any(isinstance(factor, bool) or not isinstance(factor, Real) or not factor >= 0 for factor in factors):
        raise ConfigError(f"factors = {tuple(factors)!r}: multiply costs by zero or more")
    rows: dict[float, dict[str, Any]] = {}
    for factor in factors:
        charged = result.costs.scaled(factor)
        try:
            told: Mapping[str, Any] = (result if factor == 1 else scaled(result, factor)).metrics
        except StrategyError:
            told = dict.fromkeys(_SENSITIVE, np.nan)
        rows[factor] = {"fee": charged.fee, "slippage_bps": charged.slippage_bps} | {
            name: told[name] for name in _SENSITIVE
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("costs times")


def scaled(result: Result, factor: float) -> Result:
    """Run a backtest again with fees, slippage, impact and liquidation fees multiplied, all else the same."""
    charged = tuple(costs.scaled(factor) for costs in result.charged)
    lines = tuple(
        replace(line, costs=line.costs._replace(**{name: getattr(line.costs, name) * factor for name in _SCALED}))
        for line in result.plan.lines
    )
    return _again(result, replace(result.plan, lines=lines), charged)


def delayed(result: Result, bars: int = 1) -> Result:
    """Run a backtest again with every decision so many bars later, all else the same.

    Parameters
    ----------
    result : Result
    bars : int, default 1
        Bars of each instrument by which its signals are moved; orders of an order strategy are that much longer under
        way to the venue (in bars of the finest timeframe).

    Returns
    -------
    Result

    Raises
    ------
    ConfigError
        `bars` is no whole number of at least one, or the result was loaded without its strategy.
    """
    if isinstance(bars, bool) or not isinstance(bars, Integral) or bars < 1:
        raise ConfigError(f"delayed by {bars!r} bars: give a whole number of at least 1", bars=bars)
    plan, late = result.plan, int(bars)
    if any(line.signals is None for line in plan.lines):
        under_way = late * min(line.bars.timeframe.ms for line in plan.lines)
        return _again(result, replace(plan, latency_ms=plan.latency_ms + under_way), result.charged)
    lines = tuple(_later(line, late) for line in plan.lines)
    return _again(result, replace(plan, lines=lines), result.charged)


def _later(line: Line, late: int) -> Line:
    """Give a line that says everything so many bars later; what is said before that is nothing."""
    said, stops = line.signals, line.stop_price
    if said is None:
        return line
    moved: dict[str, Any] = {name: _moved(getattr(said, name), late, False) for name in _WORDS}
    for name in _NUMBERS:
        values = getattr(said, name)
        if len(values) == len(said) > 1:
            moved[name] = _moved(values, late, values[0])
    later = stops if len(stops) == 1 else _moved(stops, late, np.nan)
    return replace(line, signals=said.replace(**moved), stop_price=later)


def _moved(values: Any, late: int, before: Any) -> Any:
    first = np.full(min(late, len(values)), before, dtype=values.dtype)
    return np.concatenate((first, values[: len(values) - len(first)]))


def _again(result: Result, plan: Plan, charged: tuple[Costs, ...]) -> Result:
    """Run a plan on the path that a result took."""
    from workbench.backtest.result import Result

    options: dict[str, Any] = {"fill": result.fill, "detail": result.detail, "rules": result.rules}
    return Result(plan=plan, records=_records_of(plan, result.path), costs=charged, **options)


def _records_of(plan: Plan, path: str) -> Records:
    if path == "compiled":
        from workbench.backtest import compiled

        return compiled.run(plan)
    from workbench.backtest import event_path
    from workbench.backtest.packing import LoadedStrategy

    if isinstance(plan.strategy, LoadedStrategy) and plan.lines[0].signals is None:
        raise ConfigError(
            f"{plan.strategy!r} was loaded from a file, which holds no strategy; to run it again give it: "
            "wb.Result.load(path, strategy=...)"
        )
    return event_path.run(plan)


def _free(taken: Mapping[str, object], label: str) -> str:
    """Give a label that is not taken: the same strategy may stand twice, at other costs."""
    number = 2
    free = label
    while free in taken:
        free, number = f"{label} ({number})", number + 1
    return free
