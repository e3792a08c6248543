"""Bots at a working practice exchange, on a clock that jumps: prices are written down, what the bots do is shown.

Orders are real orders there: under way for some ms, filled in parts by a book and by what is traded, changed while they
fill. A bot that is started again takes up its journal; what was under way stays under way, its answer is lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

import workbench as wb
from tests.bots.post import Agenda, Post
from workbench.backtest.plan import Plan
from workbench.backtest.prepare import prepare
from workbench.bots.mind import Mind
from workbench.bots.peers import Peers
from workbench.practice.clock import HeldClock
from workbench.practice.engine import Engine
from workbench.practice.engine_records import AccountSetup
from workbench.practice.markets.recorded import RecordedMarket
from workbench.risk.limits import Limits
from workbench.trading.events import Bar, Book, Event, Opened, Started
from workbench.trading.risk_engine import RiskEngine

MINUTE = 60_000
SUNDAY = 1_700_438_400_000 - 6 * MINUTE  # a day and a week (UTC) begin six bars later
FREE = wb.Costs(fee=0.0, maker_fee=0.0, slippage_bps=0.0)


def minutes(symbol: str, closes: Sequence[float], *, volume: float = 20.0, **facts: Any) -> wb.Bars:
    """Minutes that open at the close before and go straight to their own."""
    close = np.asarray(closes, dtype=float)
    opened = np.concatenate((close[:1], close[:-1]))
    usual = {"kind": "linear" if ":" in symbol else "spot", "tick_size": 0.01, "lot_size": 0.5, "min_notional": 5.0}
    usual |= {"maker_fee": 0.0, "taker_fee": 0.0, "spread_bps": 1.0}
    return wb.Bars(
        instrument=wb.Instrument(symbol=symbol, venue="practice", quote="USDT", **usual | facts), timeframe="1m",
        ts=SUNDAY + MINUTE * np.arange(len(close)), open=opened, high=np.maximum(opened, close),
        low=np.minimum(opened, close), close=close, volume=np.full(len(close), volume),
    )  # fmt: skip


class Resident(Post):
    """A bot of the street: started, and started again, with the same plan, limits and journal."""

    def __init__(self, street: Street, name: str, plan: Plan, limits: Mapping[str, Limits], account: str) -> None:
        super().__init__(street.agenda, street.engine, account)
        self.street, self.name, self.plan, self.limits, self.account = street, name, plan, dict(limits), account

    @property
    def mind(self) -> Mind:
        assert self.shell is not None
        return self.shell.mind

    @property
    def risk(self) -> RiskEngine:
        found = self.mind.core.risk
        assert found is not None
        return found

    def start(self) -> None:
        """Begin, or go on from the journal as another process would."""
        self.life += 1
        shell = self.made(Mind(self.plan, name=self.name, limits=self.limits, account=self.account))
        entries = self.entries()
        if entries:
            shell.recover(entries, self.now)
        else:
            shell.take(Started(self.now), self.now)
        self.street.peers.join(self.mind.core, self.take)
        self.look()
        self.send()

    def stop(self) -> None:
        """Be no more, while others go on."""
        self.life += 1
        self.shell = None
        self.street.peers.leave(self.name)

    def take(self, event: Event) -> None:
        if self.shell is not None:
            self.shell.take(event, self.now)
            self.send()


class Street:
    """An exchange, its clock, and bots.

    Parameters
    ----------
    bars : sequence of Bars
        What happens at the exchange, minute by minute.
    leverage : float
        Of every account there and of every bot.
    """

    def __init__(self, bars: Sequence[wb.Bars], *, leverage: float = 2.0, accounts: Collection[str] = ("me",)) -> None:
        self.bars, self.leverage = list(bars), leverage
        self.agenda = Agenda(SUNDAY)
        money = {"spot": {"USDT": 10_000.0}, "linear": {"USDT": 10_000.0}}
        self.engine = Engine(
            {one.symbol: RecordedMarket(one) for one in bars}, HeldClock(SUNDAY),
            accounts={name: AccountSetup(**money, leverage=leverage) for name in accounts},
        )  # fmt: skip
        self.bots: list[Resident] = []
        self.peers = Peers()
        self.told = 0
        self.deaf: Callable[[str, int], bool] = lambda symbol, minute: False  # bars that nobody is told
        self.watch: Callable[[], None] = lambda: None

    def bot(self, strategy: Any, limits: Mapping[str, Limits], *, name: str = "one", cash: float = 10_000.0,
            account: str = "me") -> Resident:  # fmt: skip
        """Let a bot move in."""
        plan = prepare(strategy, self.bars, cash=cash, costs=FREE, leverage=self.leverage)
        self.bots.append(Resident(self, name, plan, limits, account))
        self.bots[-1].start()
        return self.bots[-1]

    def restart(self, offset: int) -> None:
        """Start the process of the bots again, every minute, so many ms into it."""
        for minute in range(1, len(self.bars[0])):
            self.agenda.at(SUNDAY + minute * MINUTE + offset, self._again)

    def _again(self) -> None:
        self.peers = Peers()
        for one in self.bots:
            if one.shell is not None:
                one.start()

    def run(self) -> None:
        """Let all minutes pass."""
        end = SUNDAY + len(self.bars[0]) * MINUTE - 1
        while self.agenda.now < end:
            due = [end, self._bar_due(), self.agenda.due(), self.engine.next_event(MINUTE)]
            due += [one.shell.due() for one in self.bots if one.shell is not None]
            self._step(math.ceil(max(min(due), self.agenda.now)))

    def _bar_due(self) -> int:
        return SUNDAY + (self.told + 1) * MINUTE

    def _step(self, now: int) -> None:
        self.agenda.now = now
        self.engine.advance(now)
        self.agenda.act()
        for one in self.bots:
            if one.shell is not None and one.shell.due() <= now:
                one.shell.wake(now)
                one.send()
        if self._bar_due() <= now:
            self._tell(now)
        self.watch()

    def _tell(self, now: int) -> None:
        """Tell what the market says: the minutes that have closed, books, and prices."""
        row, self.told = self.told, self.told + 1
        events: list[Event] = [_bar(one, row) for one in self.bars if not self.deaf(one.symbol, row)]
        for one in self.bars:
            bids, asks, _ = self.engine.data.book(one.symbol, 5)
            events.append(Book(one.symbol, now, bids, asks))
        prices = {one.symbol: float(one.close[row]) for one in self.bars}
        for event in (*events, Opened(now, prices)):
            for bot in self.bots:
                bot.take(event)

    # what is to be seen at the exchange

    def orders(self, account: str = "me") -> list[str]:
        """All orders of an account, in the order of arrival, such as "buy 2 A" or "buy 2 A: 1 filled, canceled"."""
        found = [row for one in self.bars for row in self.engine.orders(account, one.symbol, limit=10_000)]
        return [_said(one) for one in sorted(found, key=lambda one: one.id)]

    def held(self, symbol: str, account: str = "me") -> float:
        """The position that an account has there."""
        return sum(one.quantity for one in self.engine.positions(account, symbol))

    def worst(self, account: str = "me") -> float:
        """See `worst`."""
        return worst(self.engine, account)


def worst(engine: Engine, account: str) -> float:
    """Give the largest value of one instrument that what an account has at the exchange can still lead to."""
    found = 0.0
    for symbol, market in engine.data.markets.items():
        held, left = sum(one.quantity for one in engine.positions(account, symbol)), {"buy": 0.0, "sell": 0.0}
        for order in engine.open_orders(account, symbol):
            if not order.reduce_only:
                left[order.side] += order.quantity - order.filled
        last = market.last(engine.now)
        if last is not None:
            found = max(found, max(held + left["buy"], left["sell"] - held) * last.price)
    return found


def _said(one: Any) -> str:
    text = f"{one.side} {one.quantity:g} {one.symbol.partition('/')[0]}"
    text += "" if ":" in one.symbol else " spot"
    return text if one.status == "filled" else f"{text}: {one.filled:g} filled, {one.status}"


def _bar(one: wb.Bars, row: int) -> Bar:
    ts = int(one.ts[row])
    values = (float(getattr(one, name)[row]) for name in ("open", "high", "low", "close", "volume"))
    return Bar(one.symbol, ts, ts + MINUTE, *values, "1m")
