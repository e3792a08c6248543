"""Lives of bots with something planted in them: a paper bot on a tape that hears late, hears nothing, pays more, ..."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np

import workbench as wb
from workbench.backtest.event_path import Replay
from workbench.backtest.feed import Feed
from workbench.backtest.plan import Plan
from workbench.backtest.prepare import prepare
from workbench.bots.journal.records import Logged
from workbench.bots.mind import Mind
from workbench.bots.noting import Refusals
from workbench.bots.papering import PaperReplay
from workbench.risk.limits import Limits
from workbench.trading.events import Action, Filled, Learnt, Moved, Rejected, Submit

PERPETUAL = wb.Instrument(symbol="BTC/USDT:USDT", venue="binance", kind="linear", quote="USDT", tick_size=0.01,
                          lot_size=0.00001, max_leverage=10.0)  # fmt: skip

AWAKE = ("STARTING", "WARMING_UP", "RECONCILING", "RUNNING")
PLANTED = {
    "late": "late decision", "slip": "price slippage", "miss": "missed bar", "part": "partial fill", "down": "restart",
    "fee": "fee", "fund": "funding", "round": "rounding", "refuse": "rejected by venue", "gate": "gate",
    "hand": "manual", "sold": "manual", "data": "data revised", "peek": "look-ahead suspected",
}  # fmt: skip
"""What is planted, and the cause that it is to be found as."""


class Peeker(wb.SignalStrategy):
    """Buys before it rises: its signals look at the bar after."""

    least: float = wb.param(0.004, low=0.0, high=0.1, doc="rise that is bought")

    def signals(self, bars: Any) -> Any:
        rise = np.append(bars.close[1:] / bars.close[:-1] - 1.0, 0.0)
        known = np.concatenate(([0.0], bars.close[1:] / bars.close[:-1] - 1.0))
        return wb.Signals(entry=(known > self.least) | (rise > self.least), exit=known < -self.least)


class Disturbed(PaperReplay):
    """A paper bot to which something happens, as chance will have it."""

    def __init__(self, plan: Plan, mind: Mind, heard: Any, kind: str, dice: random.Random) -> None:
        self.kind, self.dice = kind, dice
        self.held: list[tuple[Feed, int]] = []
        self.away: list[tuple[Feed, int]] = []
        self.asleep = 0
        super().__init__(plan, mind, heard)

    def hear(self, heard: list[tuple[Feed, int]], ts: int) -> None:
        """Tell the bars that have closed, or not."""
        if self.kind == "late":
            late, self.held = self.held, []
            if self.dice.random() < 0.4:
                self.held, heard = heard, []
            for one in late:
                super().hear([one], ts)
        elif self.kind == "miss" and self.dice.random() < 0.15:
            return
        elif self.kind == "hand":
            self._meddle(ts)
        elif self.kind == "sold":
            self._sell(ts)
        elif self.kind == "down":
            self._sleep(heard, ts)
            if self.asleep:
                return
        if heard:
            super().hear(heard, ts)

    def _meddle(self, ts: int) -> None:
        """Pause the bot by hand for a while, now and then."""
        if self.asleep:
            self.asleep -= 1
            if not self.asleep:
                self.deliver([Moved(ts, "RUNNING", "resumed by its user")])
        elif self.dice.random() < 0.03:
            self.asleep = self.dice.randint(10, 40)
            self.deliver([Moved(ts, "PAUSED", "paused by its user")])

    def _sell(self, ts: int) -> None:
        """Sell by hand, somewhere else, what the bot holds, now and then."""
        symbol = self.feeds[0].symbol
        held = self.core.account.quantity(symbol, "net")
        if held > 0.0 and self.dice.random() < 0.04:
            price, number = self.core.prices[symbol], self.dice.getrandbits(30)
            fee, about = held * price * 0.001, ("order", ts, "net", True, str(number))
            sold = Filled(ts, f"outside:{number}", symbol, "sell", held, price, fee, False, price, *about)
            self.venue.account.apply(sold)
            self.deliver([sold])

    def _sleep(self, heard: list[tuple[Feed, int]], ts: int) -> None:
        if self.asleep:
            self.away += heard
            self.asleep -= 1
            if not self.asleep:
                self.away = self.away[:-1]
                for state in AWAKE[:-1]:
                    self.deliver([Moved(ts, state)])
                self.deliver([Learnt(*feed.bar(feed.word(i))) for feed, i in self.away])
                self.deliver([Moved(ts, "RUNNING")])
                self.away = []
        elif self.dice.random() < 0.02:
            self.asleep = self.dice.randint(10, 30)
            self.away = list(heard)
            self.deliver([Moved(ts, "STOPPING"), Moved(ts, "STOPPED")])
            self.mind.core.state = "IDLE"

    def act(self, action: Action) -> None:
        """Carry out what is wanted, or a part of it."""
        if self.kind == "part" and type(action) is Submit and not action.order.close_position:
            order = action.order
            if self.heard is not None:
                self.heard(Submit(replace(order, extra={})))
            lots = self.core.markets[order.symbol].lots.lot or 1e-5
            part = max(round(order.quantity * self.dice.uniform(0.3, 0.7) / lots) * lots, lots)
            Replay.act(self, Submit(replace(order, quantity=round(part, 8))))
            return
        if self.kind == "refuse" and type(action) is Submit and self.dice.random() < 0.3:
            if self.heard is not None:
                self.heard(action)
            self.deliver([Rejected(self.core.now, action.order.id, "refused_by_venue", "the venue is overloaded")])
            return
        super().act(action)


def changed(plan: Plan, kind: str) -> Plan:
    """Give the plan of a venue that is dearer than was assumed."""
    if kind == "fee":
        return replace(plan, lines=tuple(_dearer(line, fee=0.0006) for line in plan.lines))
    if kind == "bleed":
        return replace(plan, lines=tuple(_dearer(line, fee=0.02) for line in plan.lines))
    if kind == "slip":
        return replace(plan, lines=tuple(_dearer(line, slippage=0.0008) for line in plan.lines))
    if kind == "fund":
        return replace(plan, lines=tuple(replace(line, funding_rate=line.funding_rate + 0.0003) for line in plan.lines))
    if kind == "round":
        return replace(plan, lines=tuple(replace(line, lots=line.lots._replace(lot=0.01)) for line in plan.lines))
    return plan


def _dearer(line: Any, fee: float = 0.0, slippage: float = 0.0) -> Any:
    costs = line.costs
    dearer = costs._replace(taker=costs.taker + fee, maker=costs.maker + fee, slippage=costs.slippage + slippage)
    return replace(line, costs=dearer)


def live(strategy: Any, bars: Any, kind: str, seed: int, **options: Any) -> tuple[Plan, list[Any]]:
    """Let a bot live through bars with something planted, and give its plan and its journal's records."""
    plan = prepare(strategy, bars, **options)
    true = changed(plan, kind)
    heard: list[Any] = []
    dice = random.Random(seed)
    limits = {"bot": Limits(order_value=dice.uniform(0.3, 0.7))} if kind == "gate" else None
    mind = Mind(true, name="planted", limits=limits)
    mind.core.state = "IDLE"
    bot = Disturbed(true, mind, heard.append, kind, dice)
    refusals = Refusals(mind.core, lambda *said: heard.append(Logged(mind.core.now, *said)))
    for state in AWAKE:
        bot.deliver([Moved(int(plan.lines[0].ts[0]), state)])
    for _ in bot.steps():
        refusals.note()
    return (prepare(strategy, revised(bars, dice), **options) if kind == "data" else plan), heard


def revised(bars: Any, dice: random.Random) -> Any:
    """Give bars of which the data know better now: some closes were otherwise."""
    columns = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close")}
    for row in range(len(bars)):
        if dice.random() < 0.08:
            columns["close"][row] *= 1.0 + dice.uniform(-0.03, 0.03)
            close = columns["close"][row]
            columns["high"][row], columns["low"][row] = (
                max(columns["high"][row], close),
                min(columns["low"][row], close),
            )
    return replace(bars, **columns)


def case(kind: str, seed: int, source: Any) -> tuple[Plan, list[Any]]:
    """Give one generated case: some weeks of a series, a strategy with some parameters."""
    dice = random.Random(f"{kind} {seed}")
    whole = source.read("BTC/USDT", "1h", "2019-01-01", "2023-12-01")
    start = dice.randrange(len(whole) - 500)
    bars = whole[start : start + dice.randint(250, 400)]
    fast = dice.randint(3, 12)
    strategy = wb.load_strategy("sma_cross")(fast=max(fast, 5), slow=max(fast * dice.randint(3, 4), 20))
    options: dict[str, Any] = {}
    if kind == "peek":
        strategy = Peeker(least=dice.uniform(0.003, 0.008))
    if kind == "fund":
        bars = replace(bars, instrument=PERPETUAL)
        options = {"rules": wb.Rules(funding=dice.uniform(-0.0002, 0.0002)), "leverage": 2.0}
    return live(strategy, bars, kind, seed, **options)


def other(seed: int, source: Any) -> tuple[Plan, list[Any]]:
    """Give a life of a bot whose strategy had other parameters than the plan says."""
    dice = random.Random(f"other {seed}")
    whole = source.read("BTC/USDT", "1h", "2019-01-01", "2023-12-01")
    start = dice.randrange(len(whole) - 500)
    bars, made = whole[start : start + 350], wb.load_strategy("sma_cross")
    _, heard = live(made(fast=dice.randint(5, 8), slow=dice.randint(20, 30)), bars, "", seed)
    return prepare(made(fast=9, slow=36), bars), heard
