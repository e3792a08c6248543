"""Results written by hand: bars, fills and settlements that no path has run, so that every table can be worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import workbench as wb
from tests.backtest.conftest import flags
from workbench.backtest.costs import Costs
from workbench.backtest.plan import Plan
from workbench.backtest.prepare import prepare
from workbench.backtest.records import REASON_CODES, Records
from workbench.trading.terms import AccountTerms

HOUR = 3_600_000
FREE = Costs(fee=0.0, maker_fee=0.0, slippage_bps=0.0, volume_share=float("inf"))


def series(symbol: str, closes: Sequence[float], *, first: int = 0, reach: float = 1.0, **facts: Any) -> wb.Bars:
    """Bars of an hour that open at the close before and reach one (`reach`) beyond open and close."""
    close = np.asarray(closes, dtype=float)
    opened = np.concatenate((close[:1], close[:-1]))
    known = {"quote": "USDT", "maker_fee": 0.0, "taker_fee": 0.0, "spread_bps": 0.0, **facts}
    return wb.Bars(
        instrument=wb.Instrument(symbol=symbol, venue="paper", **known),
        timeframe="1h",
        ts=(first + np.arange(len(close))) * HOUR,
        open=opened,
        high=np.maximum(opened, close) + reach,
        low=np.minimum(opened, close) - reach,
        close=close,
        volume=np.full(len(close), 1e9),
    )


def fill(bar: int, side: int, quantity: float, price: float, **said: Any) -> dict[str, Any]:
    """One execution: in which bar, +1 to buy or -1 to sell, how much, at what price."""
    return {"bar": bar, "side": side, "quantity": quantity, "price": price, **said}


def plan_of(*bars: wb.Bars, signals: bool = True, hedge: bool = False, **options: Any) -> Plan:
    """The plan of a run over these bars in which nothing is said."""
    told = {one.symbol: wb.Signals(entry=flags(len(one))) for one in bars}
    made = prepare(told, list(bars), **{"costs": FREE, **options})
    if hedge:
        made = replace(made, account=AccountTerms(hedge=True))
    return made if signals else replace(made, lines=tuple(replace(line, signals=None) for line in made.lines))


def result_of(
    plan: Plan,
    *fills: Mapping[str, Any],
    funding: Sequence[tuple[float, ...]] = (),
    skipped: Sequence[tuple[float, ...]] = (),
    equity: Sequence[float] | None = None,
    orders: Sequence[Mapping[str, Any]] = (),
    tags: Sequence[str] = (),
    costs: Costs = FREE,
) -> wb.Result:
    """The result of these fills; the equity is what they make of the cash, marked at each close."""
    grid = np.unique(np.concatenate([line.bars.ts for line in plan.lines]))
    rows = np.array([_row(plan, number, said) for number, said in enumerate(fills)], dtype=float).reshape(-1, 11)
    paid = np.array(funding, dtype=float).reshape(-1, 6)
    records = Records(
        fills=rows,
        funding=paid,
        skipped=np.array(skipped, dtype=float).reshape(-1, 5),
        ts=grid,
        equity=_equity(plan, grid, rows, paid) if equity is None else np.asarray(equity, dtype=float),
        path="event",
        orders=[dict(one) for one in orders],
        tags=list(tags),
    )
    fill_at = "close" if plan.at_close else "next_open"
    return wb.Result(plan=plan, records=records, costs=[costs] * len(plan.lines), fill=fill_at)


def _row(plan: Plan, number: int, said: Mapping[str, Any]) -> list[float]:
    which = said.get("instrument", 0)
    ts = plan.lines[which].ts[said["bar"]]
    decided = plan.lines[which].ts[said["decided"]] if "decided" in said else ts - HOUR * (not plan.at_close)
    return [
        ts, which, said["side"], said["quantity"], said.get("quoted", said["price"]), said["price"],
        said.get("fee", 0.0), said.get("maker", 0), REASON_CODES[said.get("reason", "entry")], decided,
        said.get("order", number),
    ]  # fmt: skip


def _equity(plan: Plan, grid: np.ndarray, fills: np.ndarray, funding: np.ndarray) -> np.ndarray:
    """Cash and holdings at each close, added up the plain way; of linear instruments only."""
    found = np.full(len(grid), plan.cash)
    for ts, which, side, quantity, _, price, fee, *_ in fills:
        line = plan.lines[int(which)]
        closes = line.bars.close[np.searchsorted(line.bars.ts, grid, side="right") - 1]
        found += (grid >= ts) * (side * quantity * line.contract_size * (closes - price) - fee)
    for ts, *_, amount in funding:
        found += (grid + HOUR > ts) * amount
    return found
