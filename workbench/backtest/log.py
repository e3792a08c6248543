"""What a replay writes down as it goes, and the records it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.plan import Plan
from workbench.backtest.records import FILL_FIELDS, FUNDING_FIELDS, REASON_CODES, SKIP_FIELDS, SKIP_REASONS, Records
from workbench.strategy.signal_trader import SignalTrader
from workbench.trading.events import Event, Filled, Funded, Triggered
from workbench.trading.orders import Order

if TYPE_CHECKING:
    from workbench.backtest.event_path import Replay

__all__ = ["Log"]

_DECIDED: Final = frozenset(("entry", "signal", "reversal", "time_limit", "order", "risk_limit"))
_REFUSED: Final = {
    "no_equity": 0, "insufficient_margin": 0, "below_min_notional": 1, "zero_quantity": 1, "no_stop": 3,
    "too_many_positions": 4, "leverage_beyond_tier": 5, "no_volatility": 12, "no_edge": 13, "cap_reached": 14,
    "floor_reached": 15,
}  # fmt: skip
_OTHER: Final = SKIP_REASONS.index("refused")
_ENDS: Final = SKIP_REASONS.index("the data ends before it could fill")


class Log:
    """Fills, funding and the changes of cash and positions of one replay.

    Parameters
    ----------
    plan : Plan
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.numbers = {line.bars.symbol: number for number, line in enumerate(plan.lines)}
        self.fills: list[tuple[float, ...]] = []
        self.funding: list[tuple[float, ...]] = []
        self.events: list[Event] = []
        self.orders: dict[str, int] = {}
        self.first_seen: dict[str, int] = {}
        self.changes: list[tuple[int, float, int, float, float]] = []
        self._fresh: set[int] = set()

    def fill(self, fill: Filled) -> None:
        """Write an execution down."""
        number = self.orders.setdefault(fill.id, len(self.orders))
        instrument = self.numbers[fill.symbol]
        decided = fill.decided
        if fill.reason not in _DECIDED:
            decided = self.first_seen.get(fill.id, fill.ts)
        self.fills.append(
            (
                fill.ts, instrument, 1.0 if fill.side == "buy" else -1.0, fill.quantity, fill.quoted, fill.price,
                fill.fee, fill.maker, REASON_CODES[fill.reason], decided, number,
            )
        )  # fmt: skip
        self._fresh.add(instrument)

    def note(self, event: Event) -> None:
        """Write down what else matters of an event."""
        if type(event) is Funded:
            number = self.numbers[event.symbol]
            self.funding.append((event.ts, number, event.quantity, event.price, event.rate, event.amount))
            self._fresh.add(number)
        elif type(event) is Triggered:
            self.first_seen.setdefault(event.id, event.ts)

    def mark(self, replay: Replay, ts: int) -> None:
        """Write down cash and positions as they are after what opened or traded at a time, where they have changed."""
        if not self._fresh:
            return
        account = replay.core.account
        for one in sorted(self._fresh) if len(self._fresh) > 1 else self._fresh:
            symbol = self.plan.lines[one].bars.symbol
            held = account.position(symbol) if not self.plan.account.hedge else None
            quantity = account.quantity(symbol) if held is None else held.quantity
            self.changes.append((ts, account.cash, one, quantity, held.price if held is not None else 0.0))
        self._fresh.clear()

    def records(self, replay: Replay) -> Records:
        """Make the records of a replay that is over."""
        ts, equity = self._equity()
        orders = (*replay.core.finished, *replay.core.orders.values())
        tags = {order.id: order.tag for order in orders}
        return Records(
            fills=_table(self.fills, FILL_FIELDS),
            funding=_table(self.funding, FUNDING_FIELDS),
            skipped=_table(self._skipped(replay), SKIP_FIELDS),
            ts=ts,
            equity=equity,
            path="event",
            orders=_Stories(orders, self.orders),
            tags=[tags.get(name, "") for name in self.orders],
            sizes=[one._asdict() for one in replay.core.sizer.decisions or ()],
            limits=() if replay.core.risk is None else tuple(replay.core.risk.decisions),
        )

    def _skipped(self, replay: Replay) -> list[tuple[float, ...]]:
        trader = replay.trader
        if not isinstance(trader, SignalTrader):
            return [
                (one.ts, self.numbers.get(one.symbol, -1), 1.0 if one.side == "buy" else -1.0, one.quantity,
                 _REFUSED.get(one.code, _OTHER))
                for one in replay.core.refusals
            ]  # fmt: skip
        rows: list[tuple[float, ...]] = [
            (ts, number, side, quantity, _code(reason)) for ts, number, side, quantity, reason in trader.skipped
        ]
        unsent = set() if self.plan.at_close else {wish.id for wish in replay.core.desk.intents}
        for line in trader.lines.values():
            if line.entry_id in unsent:
                bars = self.plan.lines[line.number].bars
                rows.append((int(bars.ts[line.decided]), line.number, float(line.pending), np.nan, _ENDS))
        return sorted(rows, key=lambda row: (row[0], row[1]))

    def _equity(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Give the value of the account at the close of every strategy bar, from what has changed when."""
        lines = self.plan.lines
        every = np.unique(np.concatenate([line.bars.ts for line in lines])) if len(lines) > 1 else lines[0].bars.ts
        ends = every + min(line.bars.timeframe.ms for line in lines)
        value = _steps(self.plan.cash, [(row[0], row[1]) for row in self.changes], ends)
        for number, line in enumerate(lines):
            own = [row for row in self.changes if row[2] == number]
            if own:
                held = _steps(0.0, [(row[0], row[3]) for row in own], ends)
                value = value + held * line.contract_size * _last_close(line, ends)
        return every, value


class _Stories(Sequence[dict[str, Any]]):
    """The orders of a replay that is over as plain data, with their numbers; written out when first looked at."""

    def __init__(self, orders: Sequence[Order], numbers: dict[str, int]) -> None:
        self._orders, self._numbers = orders, numbers
        self._told: list[dict[str, Any]] | None = None

    def __len__(self) -> int:
        return len(self._orders)

    @overload
    def __getitem__(self, place: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, place: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if self._told is None:
            self._told = [{**order.to_dict(), "number": self._numbers.get(order.id, -1)} for order in self._orders]
        return self._told[place]


def _steps(start: float, changes: list[tuple[int, float]], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give a value that changes at some base bars as of some closes, shape of `ends`."""
    if not changes:
        return np.full(len(ends), start)
    when = np.array([ts for ts, _ in changes], dtype=np.int64)
    values = np.array([start, *(value for _, value in changes)])
    known: NDArray[np.float64] = values[np.searchsorted(when, ends, side="left")]
    return known


def _last_close(line: Any, ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the last close known at some times; the first one where there is none yet."""
    rows = np.searchsorted(line.ts + line.span, ends, side="right") - 1
    closes: NDArray[np.float64] = line.close[np.maximum(rows, 0)]
    return closes


def _code(reason: str) -> int:
    return int(reason.removeprefix("guard ")) if reason.startswith("guard ") else _REFUSED.get(reason, _OTHER)


def _table(rows: list[tuple[float, ...]], fields: tuple[str, ...]) -> NDArray[np.float64]:
    cells = np.fromiter(chain.from_iterable(rows), dtype=np.float64, count=len(rows) * len(fields))
    return cells.reshape(len(rows), len(fields))
