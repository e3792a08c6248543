"""`Mind`: the core of one bot with its strategy and its history, which grows bar by bar.

A backtest knows all of history and hides the future; a bot knows only what was told. `handle` takes events in the order
in which they became known, and the same events give the same actions, in this process or in another that reads them
from a journal. A signal strategy is asked again at every close, on all bars since the first, so that it says what it
says in a backtest.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.event_setup import core_of
from workbench.backtest.plan import Line, Plan
from workbench.bots.speaking import LiveTrader
from workbench.errors import StrategyError
from workbench.market.bars import Bars
from workbench.risk.limits import Limits, joined
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.strategy import SignalStrategy
from workbench.trading.core import NOTHING
from workbench.trading.events import Action, Bar, Event, Learnt, Limited, Moved, Rated
from workbench.trading.gate import Gate
from workbench.trading.history import COLUMNS, History
from workbench.trading.risk_engine import SCOPES, limited

__all__ = ["Mind"]

NAN: Final = math.nan
_ROW: Final = struct.Struct("=7d").pack  # as a row of numbers lies in memory


class Mind:
    """The mind of one bot.

    Parameters
    ----------
    plan : Plan
        What is traded and how: instruments, costs, account, protections. Of its bars only the instruments and lengths
        are looked at, so those of the plan may be any.
    name : str
        Of the bot; client order ids are made of it.
    gate : Gate, optional
    limits : mapping of scope to Limits, optional
        On risk, of "bot", "account" and "workspace", beside those of the plan; the strictest wins.
    account : str, optional
        The account that it trades with, by which limits of an account know who shares it.

    Attributes
    ----------
    core : Core
    trader : Trader
        The strategy as the core has it.
    name : str

    Raises
    ------
    StrategyError
        It trades at the close that it decides on, which nobody can, or is no strategy.
    """

    def __init__(
        self, plan: Plan, *, name: str, gate: Gate | None = None, limits: Mapping[str, Limits] | None = None,
        account: str = "",
    ) -> None:  # fmt: skip
        strategy = plan.strategy
        if plan.at_close:
            raise StrategyError("a bot cannot trade at the close that it decides on: leave out fill='close'")
        if not isinstance(strategy, (SignalStrategy, OrderStrategy)):
            raise StrategyError(f"a bot runs a strategy, not a {type(strategy).__name__}: give a wb.SignalStrategy")
        self.plan, self.name = plan, name
        self.strategy = strategy
        self.trader: Any = LiveTrader(plan, self.bars) if isinstance(strategy, SignalStrategy) else strategy
        self.core = core_of(plan, self.trader, name=name, gate=gate)
        limited(self.core, joined(plan.limits, limits), name, account)
        self._series: dict[tuple[str, str], _Series] = {}
        self._stale = False  # bars have come since the columns of an order strategy were worked out
        for line in plan.lines:
            self._watch(line.bars, line)
        for bars in sorted(plan.extra, key=lambda one: -one.timeframe.ms):
            self._watch(bars, None)

    def _watch(self, bars: Bars, line: Line | None) -> None:
        history = History(bars.symbol, str(bars.timeframe))
        self._series[bars.symbol, str(bars.timeframe)] = _Series(history, bars, line is not None)
        self.core.watch(history)

    def handle(self, event: Event) -> Sequence[Action]:
        """Take in one event and say what is to be done, in order.

        Raises
        ------
        StrategyError
            The strategy raised, or returned something that is no wish.
        """
        kind = type(event)
        if kind is Bar:
            self._learn(event)  # type: ignore[arg-type]
        elif kind is Learnt:
            self._learn(Bar(*event))
            return NOTHING
        elif kind is Rated:
            self._rate(event)  # type: ignore[arg-type]
            return NOTHING
        elif kind is Limited:
            self._limit()
        elif kind is Moved:
            self._move(event)  # type: ignore[arg-type]
        if self._stale:
            self._name()
        return self.core.handle(event)

    def _move(self, event: Moved) -> None:
        """Let a new session begin however the last one ended, and a killed bot be killed again by what has turned up.

        What a session was broken off in is no state of the next one; an order that was in doubt when a bot was killed
        may have been filled since.
        """
        if event.state == "STARTING":
            self.core.state = "IDLE"
        elif event.state == "KILLED" == self.core.state:
            self.core.state = "STOPPING"

    def _limit(self) -> None:
        """Judge orders from now on, also where nothing was limited when the bot was made."""
        limited(self.core, {"bot": Limits()}, self.name)

    def limits_to_tell(self, limits: Mapping[str, Limits] | None, ts: int) -> list[Event]:
        """Give the words that tell which limits have been set or changed since the bot last ran."""
        risk = self.core.risk
        known = dict(risk.limits) if risk is not None else {}
        kept = joined(self.plan.limits, limits) or {}
        return [
            Limited(ts, scope, kept.get(scope, Limits()).to_dict(), "settings")
            for scope in SCOPES
            if kept.get(scope, Limits()) != known.get(scope, Limits())
        ]

    def bars(self, symbol: str, timeframe: str = "") -> Bars:
        """Give the bars of a series that have closed so far."""
        found = [one for (name, length), one in self._series.items() if name == symbol and timeframe in ("", length)]
        return found[0].bars()

    def closed(self, symbol: str, timeframe: str = "") -> int:
        """Give when the last bar of a series opened (ms UTC); -1 before the first."""
        found = [one for (name, length), one in self._series.items() if name == symbol and timeframe in ("", length)]
        return found[0].last

    def _learn(self, bar: Bar) -> None:
        series = self._series.get((bar.symbol, bar.timeframe))
        if series is None or bar.ts <= series.last:
            return
        series.append(bar)
        self._stale = self._stale or (series.traded and isinstance(self.strategy, OrderStrategy))

    def _name(self) -> None:
        """Work the columns of an order strategy out that new bars have made stale."""
        self._stale, strategy = False, self.strategy
        if not isinstance(strategy, OrderStrategy):
            return
        silent = _says_nothing(strategy)
        for series in self._series.values():
            if series.traded and series.stale:
                series.stale = False
                told = {} if silent else strategy.indicators(series.bars())
                series.history.name({"funding": np.array(series.rates), **told})

    def refill(self, entries: Iterable[Bar | Learnt | Rated], sums: Mapping[str, Sequence[Any]]) -> bool:
        """Take up the bars that were told before a snapshot, all at once, in a mind that was told nothing yet.

        Parameters
        ----------
        entries : iterable of Bar, Learnt or Rated
            In the order in which they were told.
        sums : mapping
            What `sums` gave when the snapshot was made.

        Returns
        -------
        bool
            Whether they are what they were then; else nothing is taken up.
        """
        rates: dict[str, float] = {}
        rows: dict[tuple[str, str], list[tuple[float, ...]]] = {key: [] for key in self._series}
        for one in entries:
            if type(one) is Rated:
                rates[one.symbol] = one.rate
                continue
            found = rows.get((one.symbol, one.timeframe))  # type: ignore[union-attr]
            if found is not None and (not found or one.ts > found[-1][0]):
                found.append((one.ts, *one[3:8], rates.get(one.symbol, NAN)))
        made = {key: np.array(found, dtype=np.float64).reshape(-1, 7) for key, found in rows.items()}
        if {_named(key): _sum_of(table) for key, table in made.items()} != {
            key: list(one) for key, one in sums.items()
        }:
            return False
        for key, table in made.items():
            self._series[key].refill(table, rates.get(key[0], NAN))
        self._stale = True
        return True

    def sums(self) -> dict[str, list[Any]]:
        """Give how many bars of each series were told, and a hash of all of them."""
        return {_named(key): [one.history.count, one.sum.hexdigest()] for key, one in self._series.items()}

    def empty(self) -> None:
        """Forget all bars, as if none had been told."""
        for series in self._series.values():
            series.refill(np.empty((0, 7)), NAN)
        self._stale = False

    def _rate(self, event: Rated) -> None:
        for (symbol, _), series in self._series.items():
            if symbol == event.symbol:
                series.rate = event.rate

    def snapshot(self) -> dict[str, Any]:
        """Give the state of the core as plain data for JSON; bars are not in it, they are told again (`refill`)."""
        return self.core.snapshot()

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up what `snapshot` gave."""
        if "risk" in data:
            self._limit()
        self.core.restore(data)


def _named(key: tuple[str, str]) -> str:
    return f"{key[0]} {key[1]}"


def _sum_of(table: NDArray[np.float64]) -> list[Any]:
    return [len(table), hashlib.blake2b(table.tobytes(), digest_size=16).hexdigest()]


class _Series:
    """A series as it is known so far."""

    def __init__(self, history: History, like: Bars, traded: bool) -> None:
        self.history, self.traded = history, traded
        self.instrument, self.timeframe = like.instrument, like.timeframe
        self.rate, self.last = NAN, -1
        self.rates: list[float] = []
        self.sum = hashlib.blake2b(digest_size=16)
        self.stale = False

    def append(self, bar: Bar) -> None:
        self.history.append(bar)
        self.rates.append(self.rate)
        self.last, self.stale = bar.ts, True
        self.sum.update(_ROW(bar.ts, *bar[3:8], self.rate))

    def refill(self, table: NDArray[np.float64], rate: float) -> None:
        """Have these bars instead of those that there are; rows of ts, open, high, low, close, volume and rate."""
        self.history.refill(dict(zip(COLUMNS, table.T, strict=False)))
        self.rates, self.rate = table[:, 6].tolist(), rate
        self.last, self.stale = int(table[-1, 0]) if len(table) else -1, len(table) > 0
        self.sum = hashlib.blake2b(table.tobytes(), digest_size=16)

    def bars(self) -> Bars:
        """Give all bars so far, as views and unchecked: each was checked when it came, and they only ever grow."""
        made = object.__new__(Bars)
        columns = {name: self.history.column(name) for name in COLUMNS}
        made.__setstate__(
            {"instrument": self.instrument, "timeframe": self.timeframe, "filled": None, "provenance": {}, **columns}
        )
        return made


def _says_nothing(strategy: OrderStrategy) -> bool:
    return type(strategy).indicators is OrderStrategy.indicators
