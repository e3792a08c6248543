"""Where the profit comes from: the closed trades by side, time, instrument and reason, and their streaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import ConfigError
from workbench.risk import metrics

if TYPE_CHECKING:
    import pandas as pd

    from workbench.backtest.result import Result

__all__ = ["KEYS", "by", "monthly_returns", "split", "streaks"]

KEYS: Final = ("year", "month", "weekday", "hour", "instrument", "exit_reason", "side")
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def split(result: Result) -> pd.DataFrame:
    """Put long trades, short trades and all of them side by side.

    Returns
    -------
    pandas.DataFrame
        Columns `long short all`. Rows: `trades`, `win_rate`, `pnl` (sum), `profit_factor`, `expectancy` (mean pnl),
        `average_return`, `average_win` and `average_loss` (pnl), `payoff_ratio` (their sizes over each other), `best`
        and `worst` (pnl), `bars_held` (mean), `fees`, `funding` (sums). NaN where there is no answer.
    """
    import pandas as pd

    closed = result.trades[result.closed]
    groups = {"long": closed[closed["side"] == "long"], "short": closed[closed["side"] == "short"], "all": closed}
    return pd.DataFrame({name: _numbers_of(trades) for name, trades in groups.items()})


def _numbers_of(trades: pd.DataFrame) -> dict[str, float]:
    pnl = trades["pnl"].to_numpy(dtype=np.float64)
    won, lost = pnl[pnl > 0], pnl[pnl < 0]
    win, loss = (float(some.mean()) if len(some) else np.nan for some in (won, lost))
    return {
        "trades": len(pnl),
        "win_rate": metrics.win_rate(pnl),
        "pnl": float(pnl.sum()),
        "profit_factor": metrics.profit_factor(pnl),
        "expectancy": metrics.expectancy(pnl),
        "average_return": float(trades["return_"].mean()),
        "average_win": win,
        "average_loss": loss,
        "payoff_ratio": -win / loss if len(won) and len(lost) else np.nan,
        "best": float(pnl.max()) if len(pnl) else np.nan,
        "worst": float(pnl.min()) if len(pnl) else np.nan,
        "bars_held": float(trades["bars_held"].mean()),
        "fees": float(trades["fees"].sum()),
        "funding": float(trades["funding"].sum()),
    }


def by(result: Result, *keys: str) -> pd.DataFrame:
    """Group the closed trades.

    Parameters
    ----------
    result : Result
    *keys : {"year", "month", "weekday", "hour", "instrument", "exit_reason", "side"}
        At least one. Years and months are those in which a trade ended, as its profit was booked then; weekdays and
        hours (UTC) those in which it began, as that is what one could choose.

    Returns
    -------
    pandas.DataFrame
        One row a group, in the order of the calendar or the alphabet (several keys: a MultiIndex): `trades`,
        `win_rate`, `pnl` (sum), `expectancy` (mean), `return_` (mean), `profit_factor`, `bars_held` (mean), `fees`.

    Raises
    ------
    ConfigError
        There is no key, or it is unknown.
    """
    import pandas as pd

    wrong = [key for key in keys if key not in KEYS]
    if wrong or not keys:
        raise ConfigError(f"by({', '.join(map(repr, keys))}): group by one or more of {', '.join(map(repr, KEYS))}")
    closed = result.trades[result.closed]
    labels = {key: _labels(closed, key) for key in keys}
    pnl = closed["pnl"]
    told = pd.DataFrame(
        {
            **labels, "pnl": pnl, "won": pnl > 0, "profit": pnl.clip(lower=0), "loss": -pnl.clip(upper=0),
            "return_": closed["return_"], "bars_held": closed["bars_held"], "fees": closed["fees"],
        }
    )  # fmt: skip
    groups = told.groupby(list(keys), sort=True, observed=True)
    table = groups.agg(
        trades=("pnl", "size"), win_rate=("won", "mean"), pnl=("pnl", "sum"), expectancy=("pnl", "mean"),
        return_=("return_", "mean"), profit=("profit", "sum"), loss=("loss", "sum"), bars_held=("bars_held", "mean"),
        fees=("fees", "sum"),
    )  # fmt: skip
    factor = table["profit"] / table["loss"].where(table["loss"] > 0)
    table.insert(5, "profit_factor", factor)
    return table.drop(columns=["profit", "loss"])


def _labels(trades: pd.DataFrame, key: str) -> Any:
    import pandas as pd

    entered, left = trades["entry_time"].dt, trades["exit_time"].dt
    if key == "year":
        return left.year
    if key == "month":
        return left.strftime("%Y-%m")
    if key == "weekday":
        names = [_WEEKDAYS[number] for number in entered.day_of_week]
        return pd.Series(pd.Categorical(names, categories=list(_WEEKDAYS), ordered=True), index=trades.index)
    if key == "hour":
        return entered.hour
    return trades["symbol" if key == "instrument" else key]


def streaks(result: Result) -> pd.DataFrame:
    """Find the runs of trades that won and of those that did not; see `Result.streaks` for the columns."""
    import pandas as pd

    closed = result.trades[result.closed].sort_values("exit_time", kind="stable")
    pnl = closed["pnl"].to_numpy(dtype=np.float64)
    won = pnl > 0
    edges = np.flatnonzero(np.diff(won, prepend=~won[:1], append=~won[-1:])) if len(won) else np.zeros(1, dtype=int)
    first, lengths = edges[:-1], np.diff(edges)
    rows = {}
    for name, kind in (("winning", True), ("losing", False)):
        mine = won[first] == kind
        starts, sizes = first[mine], lengths[mine]
        longest = int(np.argmax(sizes)) if len(sizes) else -1
        span = slice(starts[longest], starts[longest] + sizes[longest]) if longest >= 0 else slice(0, 0)
        part = closed.iloc[span]
        rows[name] = {
            "count": len(sizes),
            "mean": float(sizes.mean()) if len(sizes) else 0.0,
            "longest": int(sizes.max(initial=0)),
            "pnl": float(part["pnl"].sum()),
            "start": part["entry_time"].min() if len(part) else pd.NaT,
            "end": part["exit_time"].max() if len(part) else pd.NaT,
            "current": int(lengths[-1]) if len(won) and won[-1] == kind else 0,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def monthly_returns(result: Result) -> pd.DataFrame:
    """Give the return of every calendar month (UTC): one row a year, columns 1 to 12 and `year`; NaN outside the data.

    A month that began with nothing left has no return.
    """
    import pandas as pd

    months = result.records.ts.astype("datetime64[ms]").astype("datetime64[M]")
    last = np.flatnonzero(np.diff(months.astype(np.int64), append=months[-1:].astype(np.int64) + 1))
    ends = result.records.equity[last]
    before = np.concatenate(([result.cash], ends[:-1]))
    made = np.divide(ends, before, out=np.full(len(ends), np.nan), where=before > 0) - 1.0
    number = months[last].astype(np.int64)
    years, columns = 1970 + number // 12, 1 + number % 12
    table = pd.DataFrame({"year": years, "month": columns, "made": made}).pivot(
        index="year", columns="month", values="made"
    )
    table = table.reindex(columns=range(1, 13))
    final = {int(year): ends[years == year][-1] for year in np.unique(years)}
    begun = dict(zip(list(final), [result.cash, *list(final.values())[:-1]], strict=True))
    whole = {year: end / begun[year] - 1.0 if begun[year] > 0 else np.nan for year, end in final.items()}
    table["year"] = pd.Series(whole)
    return table.rename_axis(index=None, columns=None)
