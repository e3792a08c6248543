"""Cases for the doctor, written by hand: bars, fills and equity, without anything having been run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

import workbench as wb
from workbench.backtest.doctor_case import Case, case_of
from workbench.backtest.doctor_findings import Finding, judge
from workbench.backtest.doctor_table import CHECKS
from workbench.backtest.plan import ExitTerms, Guards, Line, Plan
from workbench.backtest.records import FILL_FIELDS, FUNDING_FIELDS, REASON_CODES, SKIP_FIELDS, Records
from workbench.trading.terms import AccountTerms, CostTerms, Lots

HOUR = 3_600_000
CASH = 10_000.0
FREE = wb.Costs(fee=0.0, maker_fee=0.0, slippage_bps=0.0)  # for buying and holding, to reckon with by hand


def flat_bars(n: int, *, price: float = 100.0, timeframe: str = "1h", **columns: Any) -> wb.Bars:
    """Bars that reach one above and one below a price; `columns` and facts of the instrument replace what is said."""
    facts = {name: columns.pop(name) for name in ("symbol", "kind", "taker_fee", "maker_fee") if name in columns}
    length = wb.Timeframe.parse(timeframe)
    given = {
        "ts": np.arange(n) * length.ms,
        "open": np.full(n, price),
        "high": np.full(n, price + 1),
        "low": np.full(n, price - 1),
        "close": np.full(n, price),
        "volume": np.full(n, 1_000.0),
    }
    return wb.Bars(
        instrument=wb.Instrument(**{"symbol": "TEST/USDT", "quote": "USDT", **facts}),
        timeframe=length,
        **{**given, **columns},
    )


def fill(bar: int, side: int, price: float, quantity: float = 1.0, **facts: Any) -> dict[str, Any]:
    """Say a fill: in which bar, +1 to buy or -1 to sell, at what price."""
    return {"bar": bar, "side": side, "price": price, "quantity": quantity, **facts}


def _fill_row(bars: Sequence[wb.Bars], said: dict[str, Any]) -> list[float]:
    which = said.get("instrument", 0)
    ts = bars[which].ts
    reason = said.get("reason", "entry")
    given = {
        "ts": ts[said["bar"]],
        "instrument": which,
        "side": said["side"],
        "quantity": said["quantity"],
        "quoted": said.get("quoted", said["price"]),
        "price": said["price"],
        "fee": said.get("fee", 0.0),
        "maker": said.get("maker", 0),
        "reason": REASON_CODES[reason],
        "decided": ts[said.get("decided", max(said["bar"] - 1, 0))],
        "order": said.get("order", 0),
    }
    return [float(given[name]) for name in FILL_FIELDS]


def line_of(bars: wb.Bars, **facts: Any) -> Line:
    """Make the line of an instrument whose base bars are its strategy bars."""
    nothing = np.zeros(0)
    given: dict[str, Any] = {
        **{name: getattr(bars, name) for name in ("ts", "open", "high", "low", "close", "volume")},
        "span": np.array([bars.timeframe.ms]), "word": None, "signals": None, "stop_price": np.array([np.nan]),
        "funding_ts": np.zeros(0, dtype=np.int64), "funding_rate": nothing, "funding_mark": nothing,
        "tiers": np.zeros((0, 4)), "margined": False, "inverse": False, "contract_size": 1.0, "lots": Lots(),
        "costs": CostTerms(taker=0.001, maker=0.001, slippage=0.0001), "leverage": 1.0, "sigma": np.array([np.nan]),
    }  # fmt: skip
    return Line(bars=bars, **{**given, **facts})


def plan_of(*lines: Line, **facts: Any) -> Plan:
    empty = np.zeros((0, 4))
    given: dict[str, Any] = {
        "strategy": None, "extra": (), "ticks": (), "cash": CASH, "account": AccountTerms(), "at_close": False,
        "path_inside": False, "limit_fill": "touch", "latency_ms": 0, "max_positions": 0,
        "exits": ExitTerms(roi_ms=np.zeros(0, dtype=np.int64), roi_level=np.zeros(0)),
        "guards": Guards(cooldown=0, stops=empty, drawdowns=empty, profits=empty, losing=empty),
    }  # fmt: skip
    return Plan(lines=lines, **{**given, **facts})


def make_case(
    *bars: wb.Bars,
    fills: Sequence[dict[str, Any]] = (),
    equity: Sequence[float] | None = None,
    skipped: Sequence[tuple[float, ...]] = (),
    again: Mapping[str, Any] = MappingProxyType({}),
    **facts: Any,
) -> Case:
    """Make a case; `facts` are those of the plan, or of every line; `again` how it is run again."""
    known = {name: facts.pop(name) for name in list(facts) if name in Line.__dataclass_fields__}
    plan = plan_of(*(line_of(one, **known) for one in bars), **facts)
    ts = np.unique(np.concatenate([one.ts for one in bars]))
    rows = np.array([_fill_row(bars, said) for said in fills]).reshape(-1, len(FILL_FIELDS))
    records = Records(
        fills=rows,
        funding=np.zeros((0, len(FUNDING_FIELDS))),
        skipped=np.array(skipped, dtype=float).reshape(-1, len(SKIP_FIELDS)),
        ts=ts,
        equity=np.full(len(ts), plan.cash) if equity is None else np.asarray(equity, dtype=float),
        path="compiled",
    )
    fill = "close" if plan.at_close else "next_open"
    result = wb.Result(plan=plan, records=records, costs=[FREE] * len(bars), fill=fill)
    same = {"dearer": lambda factor: records.equity, "later": lambda: records.equity}
    return replace(case_of(result), **{**same, **again})


def round_trips(pnls: Sequence[float], *, every: int = 2, **facts: Any) -> list[dict[str, Any]]:
    """Fills of long trades of one unit at 100 that make these profits, one after the other."""
    found = []
    for number, pnl in enumerate(pnls):
        at = 1 + number * every
        found.append(fill(at, 1, 100.0, order=2 * number, **facts))
        found.append(fill(at + 1, -1, 100.0 + pnl, reason="signal", order=2 * number + 1, **facts))
    return found


def look(case: Case, name: str) -> Finding:
    """Carry out one check by its name."""
    return judge(next(check for check in CHECKS if check.name == name), case)
