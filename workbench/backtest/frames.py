"""The tables of a result: trades, fills, orders, positions and what per-bar series there are, as DataFrames.

New frames each time they are asked for: changing one changes no result. Times are UTC, money is in the currency that
the account reckons in.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.backtest import curves
from workbench.backtest.records import FILL_FIELDS, SKIP_FIELDS, SKIP_REASONS, column
from workbench.backtest.trips import excursions_of
from workbench.risk import metrics
from workbench.trading.orders import REASONS

if TYPE_CHECKING:
    import pandas as pd

    from workbench.backtest.result import Result

__all__ = [
    "costs_table",
    "daily_returns",
    "exposure_table",
    "fills_table",
    "limits_table",
    "margin_table",
    "orders_table",
    "positions_table",
    "times",
    "trades_table",
]

_TYPES: Final = {
    "stop_loss": "stop", "custom_stop": "stop", "trailing_stop": "stop", "take_profit": "limit", "roi": "limit",
}  # fmt: skip
_ORDER_COLUMNS: Final = (
    "decided_time", "time", "symbol", "side", "type", "quantity", "filled", "price", "limit_price", "stop_price", "fee",
    "reason", "status", "tag",
)  # fmt: skip


def times(ts: Any) -> pd.DatetimeIndex:
    """Give times (ms UTC, floats with NaN for none) as an index."""
    import pandas as pd

    values = np.asarray(ts)
    if values.dtype.kind == "f":
        known = np.isfinite(values)
        values = np.where(known, values, 0).astype("datetime64[ms]")
        values[~known] = np.datetime64("NaT")
    return pd.DatetimeIndex(values.astype("datetime64[ms]"), tz="UTC", name="ts")


def symbols_of(result: Result, which: NDArray[np.float64]) -> NDArray[Any]:
    """Give the symbol of each instrument number, shape (k,)."""
    names = np.array([bars.symbol for bars in result.series], dtype=object)
    found: NDArray[Any] = names[which.astype(np.int64)]
    return found


def limits_table(result: Result) -> pd.DataFrame:
    """Make the table of `Result.limits`."""
    import pandas as pd

    rows = result.records.limits
    table: dict[str, Any] = {"time": times(np.array([one.ts for one in rows], dtype=np.int64))}
    for name in ("limit", "scope", "symbol", "side", "value", "threshold", "action", "order"):
        kind = np.float64 if name in ("value", "threshold") else object
        table[name] = np.array([getattr(one, name) for one in rows], dtype=kind)
    return pd.DataFrame(table)


def trades_table(result: Result) -> pd.DataFrame:
    """Make the table of `Result.trades`."""
    import pandas as pd

    trips = {name: result.trip(name) for name in (
        "instrument", "side", "entry_ts", "exit_ts", "quantity", "entry_price", "exit_price", "entry_fee", "exit_fee",
        "funding", "reason",
    )}  # fmt: skip
    excursions = excursions_of(result.plan, result.trade_records)
    return pd.DataFrame(
        {
            "symbol": symbols_of(result, trips["instrument"]),
            "entry_time": times(trips["entry_ts"]),
            "exit_time": times(trips["exit_ts"]),
            "side": np.where(trips["side"] > 0, "long", "short"),
            "entry_price": trips["entry_price"],
            "exit_price": trips["exit_price"],
            "quantity": trips["quantity"],
            "pnl": result.profits,
            "return_": result.profits / result.entry_values,
            "fees": trips["entry_fee"] + trips["exit_fee"],
            "funding": trips["funding"],
            "exit_reason": [REASONS[int(code)] for code in trips["reason"]],
            "bars_held": result.bars_held,
            "mae": excursions[:, 0],
            "mfe": excursions[:, 1],
        }
    )


def fills_table(result: Result) -> pd.DataFrame:
    """Make the table of `Result.fills`."""
    import pandas as pd

    fills, tags = result.records.fills, result.records.tags
    of = {name: column(fills, FILL_FIELDS, name) for name in FILL_FIELDS}
    amounts = curves.cost_amounts(result.plan, result.records)
    numbers = of["order"].astype(np.int64)
    return pd.DataFrame(
        {
            "time": times(of["ts"]),
            "decided_time": times(of["decided"]),
            "symbol": symbols_of(result, of["instrument"]),
            "side": np.where(of["side"] > 0, "buy", "sell"),
            "quantity": of["quantity"],
            "quoted": of["quoted"],
            "price": of["price"],
            "fee": of["fee"],
            "slippage": amounts["slippage"],
            "liquidity": np.where(of["maker"] > 0, "maker", "taker"),
            "reason": [REASONS[int(code)] for code in of["reason"]],
            "order": numbers,
            "tag": [tags[number] if number < len(tags) else "" for number in numbers.tolist()],
        }
    )


def orders_table(result: Result) -> pd.DataFrame:
    """Make the table of `Result.orders`: the stories of an order strategy's orders, else what fills and skips tell."""
    import pandas as pd

    if result.plan.lines[0].signals is None and result.records.orders:
        return _stories(result)
    filled, skipped = _filled_orders(result), _skipped_orders(result)
    both = pd.concat([filled, skipped], ignore_index=True) if len(skipped) and len(filled) else (
        filled if len(filled) else skipped
    )  # fmt: skip
    return both.sort_values("tried", kind="stable", ignore_index=True)[list(_ORDER_COLUMNS)]


def _filled_orders(result: Result) -> pd.DataFrame:
    """Put the fills of each order together, in the order of its first fill."""
    import pandas as pd

    fills = result.records.fills
    of = {name: column(fills, FILL_FIELDS, name) for name in FILL_FIELDS}
    _, first, which = np.unique(of["order"], return_index=True, return_inverse=True)
    alone = np.bincount(which, minlength=len(first)) == 1
    quantity = np.bincount(which, of["quantity"], minlength=len(first))
    value = np.bincount(which, of["quantity"] * of["price"], minlength=len(first))
    kept = {name: values[first] for name, values in of.items()}
    reasons = [REASONS[int(code)] for code in kept["reason"]]
    tags = result.records.tags
    table = pd.DataFrame(
        {
            "decided_time": times(kept["decided"]),
            "time": times(kept["ts"]),
            "symbol": symbols_of(result, kept["instrument"]),
            "side": np.where(kept["side"] > 0, "buy", "sell"),
            "type": [_TYPES.get(reason, "market") for reason in reasons],
            "quantity": quantity,
            "filled": quantity,
            "price": np.where(alone, kept["price"], value / np.where(quantity > 0, quantity, 1.0)),
            "limit_price": math.nan,
            "stop_price": math.nan,
            "fee": np.bincount(which, of["fee"], minlength=len(first)),
            "reason": reasons,
            "status": "filled",
            "tag": [tags[int(number)] if number < len(tags) else "" for number in kept["order"]],
            "tried": kept["ts"],
        }
    )
    return table.iloc[np.argsort(first, kind="stable")]


def _skipped_orders(result: Result) -> pd.DataFrame:
    import pandas as pd

    of = {name: column(result.records.skipped, SKIP_FIELDS, name) for name in SKIP_FIELDS}
    grid = result.records.ts
    later = np.searchsorted(grid, of["ts"], side="right")  # the bar after the deciding one: it would have traded there
    tried = np.where(later < len(grid), grid[np.minimum(later, len(grid) - 1)], np.inf)
    return pd.DataFrame(
        {
            "decided_time": times(of["ts"]),
            "time": times(np.full(len(grid[:0]) + len(of["ts"]), math.nan)),
            "symbol": symbols_of(result, of["instrument"]),
            "side": np.where(of["side"] > 0, "buy", "sell"),
            "type": "market",
            "quantity": of["quantity"],
            "filled": 0.0,
            "price": math.nan,
            "limit_price": math.nan,
            "stop_price": math.nan,
            "fee": 0.0,
            "reason": "entry",
            "status": [SKIP_REASONS[int(code)] for code in of["reason"]],
            "tag": "",
            "tried": of["ts"] if result.plan.at_close else tried,
        }
    )


def _stories(result: Result) -> pd.DataFrame:
    import pandas as pd

    told = result.records.orders
    first = _first_fills(result)
    return pd.DataFrame(
        {
            "decided_time": times([one["decided"] for one in told]),
            "time": times(np.array([first.get(one["id"], math.nan) for one in told], dtype=np.float64)),
            "symbol": [one["symbol"] for one in told],
            "side": [one["side"] for one in told],
            "type": [one["type"] for one in told],
            "quantity": [one["quantity"] for one in told],
            "filled": [one["filled"] for one in told],
            "price": [one["average_price"] for one in told],
            "limit_price": [one["price"] for one in told],
            "stop_price": [one["stop_price"] for one in told],
            "fee": [one["fee"] for one in told],
            "reason": [one["reason"] for one in told],
            "status": [one["rejected"] if one["status"] == "rejected" else one["status"] for one in told],
            "tag": [one["tag"] for one in told],
        },
        columns=list(_ORDER_COLUMNS),
    )


def _first_fills(result: Result) -> dict[str, float]:
    """Give the time of the first fill of each order by its id; `number` is the one that the fills know it by."""
    of_number: dict[int, float] = {}
    for ts, number in zip(
        column(result.records.fills, FILL_FIELDS, "ts").tolist(),
        column(result.records.fills, FILL_FIELDS, "order").tolist(),
        strict=True,
    ):
        of_number.setdefault(int(number), ts)
    return {one["id"]: of_number[one["number"]] for one in result.records.orders if one.get("number") in of_number}


def positions_table(result: Result) -> pd.DataFrame:
    """Make the table of `Result.positions`."""
    import pandas as pd

    plan, frames = result.plan, []
    for held in curves.holdings(plan, result.records):
        line, rows = plan.lines[held.instrument], np.flatnonzero(held.quantity)
        frames.append(
            pd.DataFrame(
                {
                    "row": rows,
                    "symbol": line.bars.symbol,
                    "leg": held.leg,
                    "quantity": held.quantity[rows],
                    "price": held.price[rows],
                    "value": curves.holding_value(line, held.quantity, held.close)[rows],
                    "unrealised": curves.unrealised_of(line, held)[rows],
                    "margin": curves.margin_of(plan, line, held)[rows],
                }
            )
        )
    names = ["symbol", "leg", "quantity", "price", "value", "unrealised", "margin"]
    if not frames:
        empty = pd.DataFrame({name: np.zeros(0, dtype=object if name in names[:2] else float) for name in names})
        return empty.set_index(times(np.zeros(0, dtype=np.int64)))
    table = pd.concat(frames, ignore_index=True).sort_values("row", kind="stable")
    return table.set_index(times(result.records.ts[table["row"]]))[names]


def exposure_table(result: Result) -> pd.DataFrame:
    """Make the table of `Result.exposure`."""
    import pandas as pd

    long, short = curves.value_curves(result.plan, result.records)
    equity = result.records.equity
    alive = equity > 0.0

    def share(value: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.divide(value, equity, out=np.full(len(equity), math.nan), where=alive)
        return found

    return pd.DataFrame(
        {"gross": share(long - short), "net": share(long + short), "long": share(long), "short": share(short)},
        index=times(result.records.ts),
    )


def margin_table(result: Result) -> pd.DataFrame:
    """Make the table of `Result.margin`."""
    import pandas as pd

    used, maintenance, level = curves.margin_curves(result)
    return pd.DataFrame({"used": used, "maintenance": maintenance, "level": level}, index=times(result.records.ts))


def costs_table(result: Result) -> pd.DataFrame:
    """Make the table of `Result.costs_by_kind`."""
    import pandas as pd

    records = result.records
    amounts = curves.cost_amounts(result.plan, records)
    filled, funded = (table[:, FILL_FIELDS.index("instrument")].astype(np.int64) for table in (
        records.fills, records.funding
    ))  # fmt: skip
    count = len(result.series)
    sums = {
        kind: np.bincount(funded if kind == "funding" else filled, amounts[kind], minlength=count)
        for kind in curves.COST_KINDS
    }
    table = pd.DataFrame(sums, index=pd.Index([bars.symbol for bars in result.series], name="symbol"))
    return table.assign(total=table.sum(axis=1))


def daily_returns(result: Result) -> pd.Series:
    """Give the return of each UTC day that had a bar, as fractions; the index has no timezone, shape (days,)."""
    import pandas as pd

    days = result.records.ts.astype("datetime64[ms]").astype("datetime64[D]")
    last = np.flatnonzero(np.diff(days.astype(np.int64), append=days[-1:].astype(np.int64) + 1))
    made = metrics.returns_of(result.records.equity[last], result.cash)
    return pd.Series(made, index=pd.DatetimeIndex(days[last].astype("datetime64[ns]"), name="date"), name=result.name)
