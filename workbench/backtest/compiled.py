"""The compiled path: lays a plan out in flat arrays, runs the kernel over it and gives its records.

Columns of a single instrument go in as they are; those of several are put behind each other. `unfit` says which plans
only the event path can run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import frozen
from workbench.backtest.kernel import FILLS_A_STEP, pack_nb, run_nb, union_nb
from workbench.backtest.kernel_state import (
    ACCOUNT,
    ENTRY,
    LINE,
    NEVER,
    SHORT_ENTRY,
    Asked,
    Given,
    Ladder,
    Log,
    Market,
    Settlements,
    Words,
)
from workbench.backtest.measuring import laid_out
from workbench.backtest.plan import Line, Plan
from workbench.backtest.records import FILL_FIELDS, FUNDING_FIELDS, SKIP_FIELDS, Records
from workbench.errors import ConfigError
from workbench.risk.sizing import SizingState
from workbench.trading.guards import guarding_of, new_state

__all__ = ["run", "unfit"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_SIZE_UNITS: Final = ("fraction", "quantity", "cash", "risk", "value", "exposure", "units")
_ASKED: Final = {
    "size": "size", "stop": "stop_loss", "target": "take_profit", "trail": "trailing_stop",
    "start": "trailing_activation", "custom": "stop_price",
}  # fmt: skip


def unfit(plan: Plan) -> str:
    """Say why a plan cannot be run compiled.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    str
        "" if it can.
    """
    reasons = (
        (any(line.signals is None for line in plan.lines), "an order strategy is run event by event"),
        (plan.limits is not None, "limits on risk are judged event by event (limits)"),
        (bool(plan.ticks), "ticks are replayed event by event"),
        (bool(plan.extra), "several timeframes of an instrument are heard event by event"),
        (any(line.inverse for line in plan.lines), "profits of inverse contracts are in the base asset"),
        (any(line.contract_size != 1.0 for line in plan.lines), "contracts are of more or less than one unit"),
        (plan.account.hedge, "long and short positions are held side by side (positions='hedge')"),
        (plan.account.kind != "margin", f"the account is a {plan.account.kind} account (account='cash')"),
        (plan.latency_ms > 0, "orders take time to arrive (latency_ms)"),
        (plan.limit_fill != "touch" and _has_targets(plan), f"targets fill by limit_fill={plan.limit_fill!r}"),
        (len({line.bars.timeframe.ms for line in plan.lines}) > 1, "the instruments' timeframes differ"),
        (len({line.bars.instrument.settle for line in plan.lines}) > 1, "the instruments settle in several currencies"),
        (plan.sizing is not None, _unsized(plan)),
        (_is_uneven(plan), "bars of several lengths drive the instruments (detail)"),
    )
    return next((reason for applies, reason in reasons if applies and reason), "")


def _unsized(plan: Plan) -> str:
    """Say why the sizes of a plan cannot be laid out bar by bar; "" if they can."""
    sizing = plan.sizing
    if sizing is None:
        return ""
    if any(laid_out(sizing, line, plan.cash) is None for line in plan.lines):
        return f"{type(sizing).__name__} sizes event by event: {sizing.follows or 'it follows the account'}"
    return "caps of groups and of all look at other positions" if sizing.caps.shared and len(plan.lines) > 1 else ""


def _has_targets(plan: Plan) -> bool:
    return bool(len(plan.exits.roi_ms)) or any(
        line.signals is not None and not np.isnan(line.signals.take_profit).all() for line in plan.lines
    )


def _is_uneven(plan: Plan) -> bool:
    if len(plan.lines) == 1:
        return False
    spans = {int(line.span[0]) for line in plan.lines}
    return len(spans) > 1 or any(len(line.span) > 1 and np.ptp(line.span) > 0 for line in plan.lines)


def run(plan: Plan) -> Records:
    """Run a plan compiled.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    Records

    Raises
    ------
    ConfigError
        The plan needs the event path; the message says why.
    """
    reason = unfit(plan)
    if reason:
        raise ConfigError(f"this cannot be run compiled: {reason}; path='event' or 'auto' can", reason=reason)
    lines, given = plan.lines, _given(plan)
    book, account = _book(plan), _account(plan)
    guarding = guarding_of(plan.guards)
    entries = int(np.count_nonzero(given.words.said & (ENTRY | SHORT_ENTRY)))
    guards = new_state(len(lines), entries + 1 if plan.guards.any else 1, plan.cash)
    log = _log(plan, entries, given)
    lists = np.empty((2, len(lines)), dtype=np.int64)
    while True:
        run_nb(book, account[0], given, log, guards, guarding, lists)
        if account[0]["over"]:
            break
        log = log._replace(fills=np.concatenate((log.fills, np.empty_like(log.fills))))
    return _records(log, account[0])


def _together(columns: Sequence[NDArray[Any]], dtype: Any = np.float64) -> NDArray[Any]:
    """Put columns behind each other; a single one is not copied."""
    return frozen(columns[0] if len(columns) == 1 else np.concatenate(columns), dtype)


def _offsets(lengths: Sequence[int]) -> Whole:
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))


def _given(plan: Plan) -> Given:
    lines, exits = plan.lines, plan.exits
    return Given(
        _market(lines),
        _words(lines),
        Asked(*(_together(_columns(plan, name)) for name in _ASKED.values())),
        Ladder(frozen(exits.roi_ms, np.int64), frozen(exits.roi_level)),
        Settlements(
            _together([line.funding_ts for line in lines], np.int64),
            _together([line.funding_rate for line in lines]),
            _together([line.funding_mark for line in lines]),
        ),
        frozen(_together([line.tiers for line in lines]).reshape(-1, 4)),
    )


def _market(lines: Sequence[Line]) -> Market:
    """Lay the base bars out; what no cost depends on is left out."""
    opens, highs, lows, closes = (
        _together([getattr(line, name) for line in lines]) for name in ("open", "high", "low", "close")
    )
    by_volume = any(line.costs.volume_share != np.inf or line.costs.impact_kind for line in lines)
    by_sigma = any(line.costs.impact_kind == 2 for line in lines)
    uneven = len(lines) == 1 and len(lines[0].span) > 1
    return Market(
        _together([line.ts for line in lines], np.int64),
        opens, highs, lows, closes,
        _together([line.volume for line in lines]) if by_volume else frozen([np.nan]),
        frozen(lines[0].span if uneven else lines[0].span[:1], np.int64),
        _together([np.broadcast_to(line.sigma, line.ts.shape) for line in lines]) if by_sigma else frozen([np.nan]),
    )  # fmt: skip


def _words(lines: Sequence[Line]) -> Words:
    """Lay out what is said, at the base bar with which each strategy bar closes."""
    rows = _offsets([len(line.ts) for line in lines])
    said = np.zeros(int(rows[-1]), dtype=np.uint8)
    finer = any(line.word is not None for line in lines)
    ends = []
    for line, (first, last) in zip(lines, pairwise(rows), strict=True):
        signals = line.signals
        if signals is None:
            continue
        closing = np.arange(len(line.ts)) if finer and line.word is None else None
        closing = np.flatnonzero(line.word >= 0) if line.word is not None else closing
        packed = said[first:last] if line.word is None else np.zeros(len(line.bars), dtype=np.uint8)
        pack_nb(signals.entry, signals.exit, signals.short_entry, signals.short_exit, packed)
        if line.word is not None:
            said[first:last][closing] = packed
        if closing is not None:
            ends.append(closing + first)
    starts = _together([line.bars.ts for line in lines], np.int64)
    return Words(frozen(said, np.uint8), frozen(np.concatenate(ends) if ends else [], np.int64), starts)


def _columns(plan: Plan, name: str) -> list[Floats]:
    lines = plan.lines
    if name == "size" and plan.sizing is not None:
        return [frozen(_laid_out(plan, line)[1]) for line in lines]
    return [line.stop_price if name == "stop_price" else getattr(line.signals, name) for line in lines]


def _laid_out(plan: Plan, line: Line) -> tuple[str, Floats, float]:
    """Give unit, size as of each bar and floor of a plan that has a sizing."""
    found = None if plan.sizing is None else laid_out(plan.sizing, line, plan.cash)
    if found is None:
        raise ConfigError(f"{plan.sizing!r} cannot be laid out bar by bar; path='event' or 'auto' can")
    return found


def _cap(plan: Plan, line: Line) -> float:
    """Give the most that the only position there may be is worth, as a fraction of equity; infinity for no cap."""
    if plan.sizing is None:
        return float(np.inf)
    nothing = SizingState(equity=1.0, price=1.0, symbol=line.bars.symbol)
    return plan.sizing.caps.room(nothing).value


def _account(plan: Plan) -> NDArray[Any]:
    account = np.zeros(1, dtype=ACCOUNT)
    facts = {
        "cash": plan.cash, "isolated": plan.account.isolated, "at_close": plan.at_close,
        "path_inside": plan.path_inside, "max_positions": plan.max_positions, "max_bars": plan.exits.max_bars,
        "first_rung": plan.exits.roi_ms[0] if len(plan.exits.roi_ms) else NEVER,
        "guarded": plan.guards.any, "tf_ms": plan.lines[0].bars.timeframe.ms, "shared": len(plan.lines) > 1,
    }  # fmt: skip
    for name, value in facts.items():
        account[name] = value
    return account


def _book(plan: Plan) -> NDArray[Any]:
    """Make the records of the instruments, flat, with where each begins in the flat arrays."""
    lines = plan.lines
    book = np.zeros(len(lines), dtype=LINE)
    for name in ("order", "target_order", "room_at", "moves", "ended", "rung"):
        book[name] = -1
    for name in ("left", "mark", "stop_at", "custom_at", "target_at", "roi_at", "custom"):
        book[name] = np.nan
    for number, line in enumerate(lines):
        _set_terms(book[number], number, line, plan)
    _set_places(book, plan)
    return book


def _set_terms(one: Any, number: int, line: Line, plan: Plan) -> None:
    costs, lots, alone = line.costs, line.lots, len(plan.lines) == 1
    for name in ("taker", "maker", "per_unit", "per_order", "slippage", "impact", "impact_kind", "liquidation_fee"):
        one[name] = getattr(costs, name)
    one["volume_share"] = costs.volume_share if line.volume.any() else np.inf
    one["tick"], one["lot"], one["min_notional"] = lots.tick, lots.lot, lots.min_notional
    one["number"], one["leverage"], one["margined"] = number, line.leverage, line.margined
    one["shared_ruin"] = not alone and not (line.margined and plan.account.isolated)
    if plan.sizing is not None:
        unit, _, one["floor"] = _laid_out(plan, line)
        one["size_unit"], one["sized"], one["cap"] = _SIZE_UNITS.index(unit), 1, _cap(plan, line)
        return
    one["size_unit"] = _SIZE_UNITS.index(line.signals.size_unit if line.signals is not None else "fraction")


def _set_places(book: NDArray[Any], plan: Plan) -> None:
    lines = plan.lines

    def spread(first: str, last: str | None, count: Callable[[Line], int]) -> None:
        places = _offsets([count(line) for line in lines])
        book[first] = places[:-1]
        if last is not None:
            book[last] = places[1:]

    spread("row", "last", lambda line: len(line.ts))
    spread("first_word", None, lambda line: len(line.bars))
    spread("first_funding", "last_funding", lambda line: len(line.funding_ts))
    spread("first_tier", "last_tier", lambda line: len(line.tiers))
    book["funding"] = book["first_funding"]
    for place, name in _ASKED.items():
        columns = _columns(plan, name)
        book[f"{place}_from"] = _offsets([len(column) for column in columns])[:-1]
        book[f"{place}_step"] = [len(column) > 1 for column in columns]


def _log(plan: Plan, entries: int, given: Given) -> Log:
    """Make the tables: room for every entry and its exit, and for more where volume may split them."""
    lines = plan.lines
    slots = given.words.starts
    if len(lines) > 1:
        slots = _union([line.bars.ts for line in lines])
    room = 2 * entries + (FILLS_A_STEP + 2) * len(lines)
    return Log(
        fills=np.empty((room, len(FILL_FIELDS))),
        funding=np.empty((2 * len(given.settlements.ts) + 1, len(FUNDING_FIELDS))),
        skipped=np.empty((entries + len(lines), len(SKIP_FIELDS))),
        slots=slots,
        equity=np.full(len(slots), plan.cash) if len(lines) > 1 else np.empty(len(slots)),
    )


def _union(series: Sequence[Whole]) -> Whole:
    """Give the times of several series together, increasing."""
    if all(one is series[0] or np.array_equal(one, series[0]) for one in series):
        return frozen(series[0], np.int64)
    out = np.empty(sum(map(len, series)), dtype=np.int64)
    count = union_nb(_together(series, np.int64), frozen(_offsets([len(one) for one in series]), np.int64), out)
    return frozen(out[:count], np.int64)


def _records(log: Log, account: Any) -> Records:
    skipped = log.skipped[: account["skipped"]]
    fills, funding = log.fills[: account["fills"]], log.funding[: account["settlements"]]
    skipped = skipped[np.lexsort((skipped[:, 1], skipped[:, 0]))]
    for table in (fills, funding, skipped, log.equity):
        table.flags.writeable = False
    return Records(fills=fills, funding=funding, skipped=skipped, ts=log.slots, equity=log.equity, path="compiled")
