"""Lives of bots with something planted in them: a paper bot on a tape that hears late, hears nothing, pays more, ..."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import workbench as wb
from workbench.backtest.event_path import Replay
from workbench.backtest.feed import Feed
from workbench.backtest.plan import Plan
from workbench.backtest.prepare import prepare
from workbench.bots.mind import Mind
from workbench.bots.papering import PaperReplay
from workbench.trading.events import Action, Learnt, Moved, Submit

AWAKE = ("STARTING", "WARMING_UP", "RECONCILING", "RUNNING")
PLANTED = {
    "late decision": "late", "price slippage": "slip", "missed bar": "miss", "partial fill": "part",
    "restart": "down", "fee": "fee",
}  # fmt: skip


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
        elif self.kind == "down":
            self._sleep(heard, ts)
            if self.asleep:
                return
        if heard:
            super().hear(heard, ts)

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
        super().act(action)


def changed(plan: Plan, kind: str) -> Plan:
    """Give the plan of a venue that is dearer than was assumed."""
    if kind == "fee":
        return replace(plan, lines=tuple(_dearer(line, fee=0.0006) for line in plan.lines))
    if kind == "slip":
        return replace(plan, lines=tuple(_dearer(line, slippage=0.0008) for line in plan.lines))
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
    mind = Mind(true, name="planted")
    mind.core.state = "IDLE"
    bot = Disturbed(true, mind, heard.append, kind, random.Random(seed))
    for state in AWAKE:
        bot.deliver([Moved(int(plan.lines[0].ts[0]), state)])
    bot.go()
    return plan, heard


def case(kind: str, seed: int, source: Any) -> tuple[Plan, list[Any]]:
    """Give one generated case: some weeks of a series, a strategy with some parameters."""
    dice = random.Random(f"{kind} {seed}")
    whole = source.read("BTC/USDT", "1h", "2019-01-01", "2023-12-01")
    start = dice.randrange(len(whole) - 500)
    bars = whole[start : start + dice.randint(250, 400)]
    fast = dice.randint(3, 12)
    strategy = wb.load_strategy("sma_cross")(fast=max(fast, 5), slow=max(fast * dice.randint(3, 4), 20))
    return live(strategy, bars, kind, seed)
