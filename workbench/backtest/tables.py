"""Tables of a result for notebooks and reports, and the named results that a run records.

Each gives a small DataFrame of text and numbers made for reading; the raw records are on `Result` itself.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.backtest.curves import values_of
from workbench.backtest.records import FILL_FIELDS, column
from workbench.market.bars import Bars, moment
from workbench.risk import metrics
from workbench.risk.metrics.sheet import span_text

if TYPE_CHECKING:
    import pandas as pd

    from workbench.backtest.result import Result

__all__ = [
    "best_and_worst",
    "by_exit_reason",
    "by_year",
    "combined_fingerprint",
    "gaps_table",
    "in_words",
    "metrics_table",
    "named_results",
    "percent",
    "provenance_table",
    "tear_sheet",
]

_POINTS: Final = 240


def metrics_table(result: Result, *, resampling: metrics.Resampling | None = None) -> pd.DataFrame:
    """One row a metric of the headline: its value, how sure it is, and how it is computed.

    Parameters
    ----------
    result : Result
    resampling : Resampling, optional
        How the intervals are drawn; 95 % of 200 resampled histories when left out.

    Returns
    -------
    pandas.DataFrame
        `value` as text, `95 % interval` (empty where there is none), and `how it is computed`: formula, convention and
        source.
    """
    import pandas as pd

    how = resampling or metrics.Resampling(draws=200)
    ends = metrics.interval_table(
        result.returns,
        result.periods_per_year,
        names=metrics.HEADLINE,
        profits=result.profits[result.closed],
        years=result.years,
        resampling=how,
    )
    rows = {
        about.label: {
            "value": about.text(result.metrics[name]),
            f"{how.level:.0%} interval".replace("%", " %"): span_text(about, *ends.loc[name])
            if name in ends.index
            else "",
            "how it is computed": _computed(about),
        }
        for name in metrics.HEADLINE
        for about in (metrics.METRICS[name],)
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _computed(about: metrics.Metric) -> str:
    said = about.formula + (f"; {about.convention}" if about.convention else "")
    return said + ("" if about.source == "definition" else f" ({about.source})")


def tear_sheet(result: Result, benchmark: Any = None, resampling: metrics.Resampling | None = None) -> pd.DataFrame:
    """List every metric of a result; `Views.tear_sheet` says what is in it."""
    held = metrics.returns_of(result.buy_and_hold, result.cash) if benchmark is None else benchmark
    return metrics.tear_sheet(
        result.returns,
        result.periods_per_year,
        benchmark=held,
        profits=result.profits[result.closed],
        years=result.years,
        run={**result.metrics, **_activity_of(result)},
        resampling=resampling,
    )


def _activity_of(result: Result) -> dict[str, float]:
    """Give what only the records of a run can tell, beyond its headline."""
    paid = float(result.costs_by_kind["total"].sum())
    held, length = result.exposure["gross"].dropna(), result.trades["bars_held"][result.closed]
    profits = result.profits[result.closed]
    won, lost = length[profits > 0.0], length[profits < 0.0]
    return {
        "cost_drag": metrics.cost_drag(paid, result.records.equity, result.years),
        "average_exposure": float(held.mean()) if len(held) else math.nan,
        "average_holding_time": float(length.mean()) if len(length) else math.nan,
        "longest_holding_time": float(length.max()) if len(length) else math.nan,
        "winner_holding_time": float(won.mean()) if len(won) else math.nan,
        "loser_holding_time": float(lost.mean()) if len(lost) else math.nan,
    } | _capacity_of(result)


def _capacity_of(result: Result) -> dict[str, float]:
    """Give the capacity of one instrument's strategy; nothing where several share the account."""
    if len(result.series) != 1:
        return {}
    bars, fills = result.bars, result.records.fills
    when, *what = (column(fills, FILL_FIELDS, name) for name in ("ts", "instrument", "quantity", "price"))
    traded = np.zeros(len(bars))
    np.add.at(traded, np.clip(np.searchsorted(bars.ts, when, side="right") - 1, 0, None), values_of(result.plan, *what))
    market = values_of(result.plan, np.zeros(len(bars)), bars.volume, bars.close)
    return {"capacity": metrics.capacity(traded, market, result.records.equity)}


def by_exit_reason(result: Result) -> pd.DataFrame:
    """One row a reason for which trades ended: how many, how many with a profit, and what they made in all."""
    trades = result.trades
    groups = trades.assign(won=trades["pnl"] > 0).groupby("exit_reason", sort=True)
    table = groups.agg(
        trades=("pnl", "size"), win_rate=("won", "mean"), pnl=("pnl", "sum"), bars_held=("bars_held", "mean")
    )
    return table.sort_values("pnl").rename_axis(None)  # fmt: skip


def by_year(result: Result) -> pd.DataFrame:
    """One row a calendar year (UTC): return of the strategy and of buying and holding, deepest fall, trades closed.

    A fall is measured from the highest value of the whole history before it, as in the metrics. A year that began with
    nothing left has no return.
    """
    import pandas as pd

    year = pd.DatetimeIndex(result.equity.index).year
    held = pd.Series(result.buy_and_hold, index=result.equity.index)
    below = pd.Series(metrics.underwater_of(result.equity_values, result.cash), index=result.equity.index)
    closed = result.trades[result.closed]
    rows = {}
    for number in sorted(set(year)):
        mine, theirs = result.equity[year == number], held[year == number]
        before = result.equity[year < number]
        held_before = held[year < number]
        rows[number] = {
            "return": metrics.total_growth(mine, before.iloc[-1] if len(before) else result.cash),
            "buy_and_hold": metrics.total_growth(theirs, held_before.iloc[-1] if len(held_before) else result.cash),
            "max_drawdown": below[year == number].min(),
            "trades": int((closed["exit_time"].dt.year == number).sum()),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def best_and_worst(result: Result, count: int = 5) -> pd.DataFrame:
    """List the closed trades that made and lost the most, best first: up to `count` of each."""
    import pandas as pd

    closed = result.trades[result.closed].sort_values("pnl", ascending=False)
    shown = closed if len(closed) <= 2 * count else pd.concat([closed.head(count), closed.tail(count)])
    columns = [
        "entry_time", "exit_time", "side", "entry_price", "exit_price", "pnl", "return_", "exit_reason", "mae", "mfe",
    ]  # fmt: skip
    return shown[columns if len(result.series) == 1 else ["symbol", *columns]]


def provenance_table(bars: Bars) -> pd.DataFrame:
    """Say what the bars are and where they come from, one row a fact."""
    import pandas as pd

    said = bars.provenance
    imported, missing = said.get("imported_at"), sum(gap.missing for gap in bars.gaps)
    facts = {
        "series": f"{bars.symbol} {bars.timeframe}, {bars.venue}",
        "range": f"{moment(bars.start)} to {moment(bars.end)} UTC",
        "bars": f"{len(bars):,}",
        "missing": f"{missing:,} bars in {len(bars.gaps):,} gaps ({bars.instrument.calendar})",
        "filled": f"{0 if bars.filled is None else int(bars.filled.sum()):,}",
        "quality": bars.quality.in_words,
        "source": said.get("source", "not recorded"),
        "licence": said.get("licence", "not recorded"),
        "note": said.get("note", "") or "none",
        "imported": f"{moment(imported)} UTC" if isinstance(imported, int) else "not recorded",
        "fingerprint": bars.fingerprint,
    }
    return pd.DataFrame({"value": facts})


def gaps_table(bars: Bars, count: int = 10) -> pd.DataFrame:
    """List the largest holes of a series, largest first, up to `count`."""
    import pandas as pd

    largest = sorted(bars.gaps, key=lambda gap: -gap.missing)[:count]
    rows = [(moment(gap.start), moment(gap.end), gap.missing) for gap in largest]
    return pd.DataFrame(rows, columns=["first missing", "next bar", "bars missing"])


def percent(fraction: float) -> str:
    """Write a fraction as percent, as every metric that is one is written."""
    return metrics.METRICS["total_return"].text(fraction)


def in_words(name: object) -> str:
    """Write the name of a column as a heading: `buy_and_hold` as "buy and hold"."""
    return str(name).replace("_", " ").strip()


def named_results(result: Result) -> dict[str, bool | int | float | str | None]:
    """Give what a run records: every metric, what was run on what, and the equity in a few points.

    NaN becomes None. `equity_points` and `benchmark_points` are JSON lists of at most 240 values, evenly spaced in
    bars, as multiples of the initial cash.
    """
    held = result.buy_and_hold
    numbers = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in result.metrics.items()
    }
    return {
        **numbers,
        "bars": len(result.records.ts),
        "start": moment(result.start),
        "end": moment(result.end),
        "data_fingerprint": combined_fingerprint(result),
        "data_quality": json.dumps(result.quality, sort_keys=True),
        "strategy": result.name,
        "strategy_code_hash": getattr(result.strategy, "code_hash", ""),
        "fee": result.costs.fee,
        "maker_fee": result.costs.maker_fee,
        "slippage_bps": result.costs.slippage_bps,
        "benchmark_return": float(held[-1] / result.cash - 1),
        "equity_points": _points(result.equity_values / result.cash),
        "benchmark_points": _points(held / result.cash),
    }


def combined_fingerprint(result: Result) -> str:
    """Give the fingerprint of the bars; of several series one that changes when any of theirs does."""
    prints = [bars.fingerprint for bars in result.series]
    if len(prints) == 1:
        return prints[0]
    return hashlib.blake2b(" ".join(prints).encode(), digest_size=16).hexdigest()


def _points(values: object) -> str:
    import numpy as np

    series = np.asarray(values, dtype=np.float64)
    rows = np.unique(np.linspace(0, len(series) - 1, min(len(series), _POINTS)).round().astype(np.int64))
    return json.dumps([float(f"{value:.5g}") for value in series[rows]])
