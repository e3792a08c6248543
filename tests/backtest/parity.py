"""Two runs of one case, side by side: where they first part, and what the market did there.

A *telling* is what a run did, in plain words: fills, funding, skipped entries, equity. The package's records and the
outcome of the reference are both told in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tests.backtest.cases import HOUR, START
from tests.backtest.reference_account import Outcome
from workbench.backtest.records import FILL_FIELDS, FUNDING_FIELDS, SKIP_FIELDS, SKIP_REASONS, Records
from workbench.trading.orders import REASONS

__all__ = ["Telling", "differences", "explain", "told_by_package", "told_by_reference"]

RELATIVE = 1e-9
FILL = ("ts", "instrument", "side", "quantity", "price", "fee", "reason", "decided", "quoted", "maker")
FUNDING = ("ts", "instrument", "quantity", "price", "rate", "amount")
SKIP = ("ts", "instrument", "side", "reason", "quantity")
Row = dict[str, Any]


@dataclass
class Telling:
    """What a run did; rows in the order of time and instrument, `equity` by the open time of the strategy bar."""

    name: str
    fills: list[Row]
    funding: list[Row]
    skipped: list[Row]
    equity: dict[int, float]


def told_by_package(records: Records) -> Telling:
    """Tell what the package recorded."""

    def rows(table: Any, fields: tuple[str, ...], reasons: tuple[str, ...]) -> list[Row]:
        found = [dict(zip(fields, (float(one) for one in row), strict=True)) for row in table]
        for one in found:
            if "reason" in one:
                one["reason"] = reasons[int(one["reason"])]
        return _ordered(found)

    return Telling(
        records.path,
        rows(records.fills, FILL_FIELDS, REASONS),
        rows(records.funding, FUNDING_FIELDS, ()),
        rows(records.skipped, SKIP_FIELDS, SKIP_REASONS),
        dict(zip(records.ts.tolist(), records.equity.tolist(), strict=True)),
    )


def told_by_reference(outcome: Outcome) -> Telling:
    """Tell what the reference did."""
    fills, funding, skipped = (_ordered(rows) for rows in (outcome.fills, outcome.funding, outcome.skipped))
    return Telling("reference", fills, funding, skipped, outcome.equity)


def _ordered(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["ts"], row["instrument"]))


def _same(one: Any, other: Any, scale: float) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return bool(one == other)
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other or abs(one - other) <= RELATIVE * max(abs(one), abs(other), scale)


def differences(one: Telling, other: Telling, *, cash: float, leave_out: tuple[str, ...] = ()) -> list[str]:
    """Say where two runs part: the first difference of each kind of record; empty when they are equal.

    Parameters
    ----------
    cash : float
        What the account began with: what is worth less than a billionth of a thousandth of it is noise, such as what
        rounding leaves of an account that has lost everything.
    leave_out : tuple of str
        Columns that are not compared.
    """
    found = []
    for kind, fields in (("fills", FILL), ("funding", FUNDING), ("skipped", SKIP)):
        left, right = getattr(one, kind), getattr(other, kind)
        for k in range(max(len(left), len(right))):
            a, b = (rows[k] if k < len(rows) else None for rows in (left, right))
            wrong = [] if a and b else ["missing"]
            if a and b:
                small = cash / 1_000
                scales = {"fee": small, "amount": small, "quantity": small / a.get("price", 1.0)}
                compared = [name for name in fields if name not in leave_out]
                wrong = [name for name in compared if not _same(a[name], b[name], scales.get(name, 0.0))]
            if wrong:
                found.append(f"{kind}[{k}] {', '.join(wrong)}:\n  {_row(one.name, a)}\n  {_row(other.name, b)}")
                break
    for ts in sorted({*one.equity, *other.equity}):
        a, b = one.equity.get(ts, math.nan), other.equity.get(ts, math.nan)
        if not _same(a, b, cash):
            found.append(f"equity at bar {(ts - START) / HOUR:g}: {one.name} {a!r}, {other.name} {b!r}")
            break
    return found


def _row(name: str, row: Row | None) -> str:
    if row is None:
        return f"{name:9} nothing"
    words = [
        f"{key}={(value - START) / HOUR:g}h" if key in ("ts", "decided") else f"{key}={_brief(value)}"
        for key, value in row.items()
    ]
    return f"{name:9} {' '.join(words)}"


def _brief(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.12g}"


def explain(case: dict[str, Any], one: Telling, other: Telling, found: list[str]) -> str:
    """Write two runs that differ for a reader: the case, the differences, and the bars around the first of them."""
    first = _first_time(one, other)
    lines = [f"{one.name} and {other.name} part:", *found, "", "case:", repr(case), ""]
    for number, line in enumerate(case["instruments"]):
        lines.append(f"{number} {line['symbol']} around {(first - START) / HOUR:g}h (open high low close volume word):")
        for (slot, *bar), word in zip(line["bars"], line["words"], strict=True):
            if abs(START + slot * HOUR - first) <= 3 * HOUR:
                inside = [row[1:] for row in line["detail"] if case["subs"] and row[0] // case["subs"] == slot]
                lines.append(f"  {slot:3g}h {bar} {word} {inside or ''}")
    for telling in (one, other):
        lines += [f"{telling.name}:", *(f"  {_row('', row)}" for row in telling.fills if row["ts"] <= first + HOUR)]
    return "\n".join(lines)


def _first_time(one: Telling, other: Telling) -> int:
    for a, b in zip(one.fills, other.fills, strict=False):
        if any(not _same(a[name], b[name], 1e-9) for name in FILL):
            return int(min(a["ts"], b["ts"]))
    rest = (one.fills if len(one.fills) > len(other.fills) else other.fills)[min(len(one.fills), len(other.fills)) :]
    times = [ts for ts in sorted(one.equity) if not _same(one.equity[ts], other.equity.get(ts, math.nan), 1e-3)]
    return int(min([row["ts"] for row in rest] + times, default=START))
