"""A whole world in one process: a bot, its journal, a practice exchange with faults, and a clock that jumps.

Nothing waits: everything is due at a time, and the one that is due next happens. The bot may be killed at any moment or
at any write of its journal; what was not on disk is lost then, requests on their way still arrive, and after a while
another bot takes up the journal.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import workbench as wb
from tests.bots.post import Agenda, Post
from workbench.backtest.prepare import prepare
from workbench.bots.brokers.talk import Find, Look, Request
from workbench.bots.clerk import Clerk, Patience
from workbench.bots.mind import Mind
from workbench.bots.shell import Shell
from workbench.errors import BrokerTransient, BrokerUnknown
from workbench.market.bars import Bars
from workbench.market.instrument import Instrument
from workbench.practice.clock import HeldClock
from workbench.practice.engine import Engine
from workbench.practice.engine_records import AccountSetup
from workbench.practice.faults import Faults
from workbench.practice.markets.recorded import RecordedMarket
from workbench.trading.events import Action, Bar, Event, Filled, Learnt, Opened, Rated, Started, Submit, to_plain
from workbench.trading.minding import Minder

MINUTE = 60_000
T0 = 1_700_006_400_000 + 600_000  # ten minutes after midnight: no funding in the hours that follow
SYMBOL = "BTC/USDT:USDT"
TIERS = ((0.0, 0.005, 0.0, 50.0), (50_000.0, 0.01, 250.0, 20.0), (250_000.0, 0.05, 10_250.0, 5.0))
LATE = {"kind": "lognormal", "sigma": 1.0, "high": "6s"}
BTC = Instrument(
    symbol=SYMBOL, venue="practice", quote="USDT", kind="linear", tick_size=0.1, lot_size=0.001, min_notional=5.0,
    maker_fee=0.0002, taker_fee=0.0005, spread_bps=1.0, leverage_tiers=TIERS,
)  # fmt: skip


class Killed(BaseException):
    """The process is no more."""


class Fidget(wb.OrderStrategy):
    """Does something else at every bar, which only the bar decides: whoever sees the same bars does the same."""

    seed: int = wb.param(0, low=0, high=10**9)
    sized: bool = wb.param(False, doc="sizes are left open, for the sizing of the run")

    def on_bar(self, view: Any, bar: Any) -> Any:
        dice = random.Random(f"{self.seed} {bar.ts}")
        what, side = dice.random(), dice.choice(["buy", "sell"])
        sign = 1.0 if side == "buy" else -1.0
        size = dice.randint(1, 40) / 1_000
        size = math.nan if self.sized else size
        mine = [one for one in view.orders() if not one.parent]
        if what < 0.18:
            return view.market(side, size, stop_loss=0.004, take_profit=0.006)
        if what < 0.36:
            return view.limit(side, size, price=bar.close * (1.0 - sign * 0.0006), stop_loss=0.005, take_profit=0.004)
        if what < 0.44:
            return view.market(side, size)
        if what < 0.52:
            return view.stop(side, size, stop_price=bar.close * (1.0 + sign * 0.001))
        if what < 0.60 and mine:
            return view.cancel(dice.choice(mine).id)
        if what < 0.68 and mine:
            one = dice.choice(mine)
            if one.type == "limit":
                return view.amend(one.id, price=one.price * (1.0 + dice.uniform(-0.001, 0.001)))
        if what < 0.74 and view.quantity():
            return view.protect(stop_at=bar.close * (1.0 - math.copysign(0.003, view.quantity())))
        if what < 0.80 and view.quantity():
            return view.close()
        if what < 0.84:
            return view.cancel_all()
        if what < 0.90:
            price, until = bar.close * (1.0 - sign * 0.0008), bar.closes + dice.randint(1, 400) * 1_000
            return view.limit(side, size, price=price, time_in_force="GTD", expires=until)
        return None


def walk(seed: int, minutes: int) -> Bars:
    rng = np.random.default_rng(seed)
    close = np.round(30_000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.0012, minutes + 1))), 1)
    o, c = close[:-1], close[1:]
    high = np.round(np.maximum(o, c) * (1.0 + np.abs(rng.normal(0.0, 0.0005, minutes))), 1)
    low = np.round(np.minimum(o, c) * (1.0 - np.abs(rng.normal(0.0, 0.0005, minutes))), 1)
    ts = T0 + MINUTE * np.arange(minutes)
    volume = rng.uniform(0.05, 5.0, minutes)
    return Bars(instrument=BTC, timeframe="1m", ts=ts, open=o, high=high, low=low, close=c, volume=volume)


def what_goes_wrong(dice: random.Random, minutes: int) -> list[dict[str, Any]]:
    """Draw some faults of every kind that an order can suffer."""
    often = dice.choice([0.0, 0.02, 0.1, 0.3])

    def some(most: float = 1.0) -> dict[str, float]:
        return {"probability": min(often * dice.random() * 2.0, most)}

    rules: list[dict[str, Any]] = [
        {"fault": "latency", "latency": {**LATE, "ms": dice.choice([5, 60, 400])}},
        {"fault": "server_error", "target": "submit", "status": 503, "code": -1007, "landed": True, "when": some()},
        {"fault": "server_error", "target": "any", "status": 502, "when": some()},
        {"fault": "timeout", "target": ["submit", "cancel", "amend"], "landed": True, "hold": "15s", "when": some()},
        {"fault": "timeout", "target": "any", "hold": "15s", "when": some(0.1)},
        {"fault": "reset", "target": ["submit", "amend", "cancel"], "landed": True, "when": some()},
        {"fault": "reset", "target": "any", "when": some()},
        {"fault": "reject", "target": "submit", "code": "insufficient_margin", "when": some(0.2)},
        {"fault": "rate_limit", "target": "any", "retry_after": "2s", "patience": 3, "ban": "10s", "when": some(0.05)},
        {"fault": "drop", "target": "user", "when": some()},
        {"fault": "duplicate", "target": "user", "delay": {"kind": "uniform", "high": "3s"}, "when": some()},
        {"fault": "delay", "target": "user", "delay": {**LATE, "ms": 500, "high": "20s"}, "when": some()},
        {"fault": "reorder", "target": "user", "behind": 1, "when": some()},
    ]  # fmt: skip
    dice.shuffle(rules)
    rules = rules[: dice.randint(2, len(rules))]
    if dice.random() < 0.3:
        start = dice.randint(1, max(minutes - 5, 2))
        when, of = {"when": {"start": f"+{start}m"}}, {"symbol": SYMBOL}
        gap = dice.choice([-0.01, 0.01])
        market = [
            {"fault": "price_gap", "fraction": gap} | of | when,
            {"fault": "partial_fills", "fraction": 0.05, "lasting": "10m"} | of | when,
            {"fault": "halt", "lasting": "2m"} | of | when,
            {"fault": "maintenance", "when": {"start": f"+{start}m", "end": f"+{start + 2}m"}},
        ]
        rules.append(dice.choice(market))
    return rules


class World(Post):
    """One world of one seed."""

    cash = 10_000.0
    look_ms = 30_000

    def __init__(
        self, seed: int, minutes: int = 20, *, faults: bool = True, kills: int | None = None, sizing: Any = None,
        limits: Any = None,
    ) -> None:  # fmt: skip
        self.dice = dice = random.Random(seed)
        self.seed, self.minutes = seed, minutes
        self.bars = walk(seed, minutes + 60)
        agenda = Agenda(T0 + MINUTE)
        engine = Engine(
            {SYMBOL: RecordedMarket(self.bars)}, HeldClock(agenda.now),
            accounts={"me": AccountSetup(linear={"USDT": self.cash}, leverage=10.0)},
        )  # fmt: skip
        rules = what_goes_wrong(dice, minutes) if faults else []
        self.faults = Faults(rules, seed=seed, real=lambda: agenda.now / 1_000.0)
        self.faults.begin(lambda: agenda.now)
        super().__init__(agenda, engine, "me", self.faults)
        self.venue.dated = seed % 3 > 0
        if seed % 5 == 4:  # what is over is soon forgotten
            self.patience = Patience(keep_ms=2 * MINUTE, overlap_ms=2 * MINUTE)
        self.writes = self.durable = 0
        self.kills = dice.choice([0, 1, 1, 2, 4]) if kills is None else kills
        self.fatal_write = dice.randint(1, 60) if self.kills else 0
        self.fatal_time = math.inf
        self.told = 0
        self._plan = prepare(
            Fidget(seed=seed, sized=sizing is not None), self.bars, rules=wb.Rules(sizing=sizing, limits=limits),
            cash=self.cash,
        )  # fmt: skip
        self.restarted: list[int] = []
        self.keeps = seed % 2 == 0  # whether it takes up snapshots, or goes through the whole journal
        self.kept: list[tuple[int, str]] = []
        self.moments = random.Random(f"snapshots {seed}")
        self.silent = False
        self.lost = dice.choice([0.0, 0.05, 0.2]) if faults else 0.0

    # time

    def run(self) -> None:
        """Let it all happen, then let it come to rest."""
        self._begin()
        self.until(T0 + MINUTE * self.minutes)
        self.faults.clear()
        self.lost = 0.0
        self.fatal_write, self.fatal_time, self.kills = 0, math.inf, 0
        self.silent = True
        self.until(self.now + 3 * MINUTE)
        for _ in range(20):
            if self.shell is not None and not self.shell.clerk.busy and not self.shell.requests:
                break
            self.until(self.now + MINUTE)
        self.look()
        self.until(self.now + MINUTE + 5_000)  # news of what trades as a minute ends is still under way then

    def until(self, end: int) -> None:
        while True:
            due = [end, self.fatal_time, self.agenda.due()]
            if self.shell is not None:
                due += [self.shell.due(), self._next_bar()]
            ts = max(min(due), self.now)
            ts = min(ts, max(self.engine.next_event(60_000), self.now))
            if ts > end:
                break
            self._step(math.ceil(ts))
            if ts >= end and self.agenda.due() > end:
                break

    def _step(self, ts: int) -> None:
        self.agenda.now = ts
        self.engine.advance(max(ts, self.engine.now))
        self.faults.act(self.engine)
        self.agenda.act()
        try:
            if ts >= self.fatal_time:
                raise Killed
            if self.shell is not None:
                self._live(self.shell, ts)
        except Killed:
            self.die()

    def _live(self, shell: Shell, ts: int) -> None:
        if self.keeps and self.moments.random() < 0.02:
            self.keep(shell)
        if shell.due() <= ts:
            shell.wake(ts)
        while self._next_bar() <= ts:
            bar = self._bar(self.told)
            self.told += 1
            if not self.silent:
                shell.take(bar, ts)
            shell.take(Opened(ts, {SYMBOL: self._price()}), ts)
        self.send()

    # the market, as the bot hears of it

    def _next_bar(self) -> float:
        return int(self.bars.ts[self.told]) + MINUTE

    def _price(self) -> float:
        last = self.engine.data.market(SYMBOL).last(self.engine.now)
        assert last is not None
        return last.price

    def _bar(self, row: int) -> Bar:
        one = self.bars
        return Bar(
            SYMBOL, int(one.ts[row]), int(one.ts[row]) + MINUTE, float(one.open[row]), float(one.high[row]),
            float(one.low[row]), float(one.close[row]), float(one.volume[row]), "1m",
        )  # fmt: skip

    # the bot

    def start(self) -> None:
        """Begin, or go on from the journal."""
        mind = Mind(self._plan, name=f"fidget {self.seed}")
        shell = self.made(mind)
        entries = self.entries()
        self.told = 0
        if not entries:
            self.be_new(shell)
        else:
            self.restarted.append(self.now)
            last = max((one.ts for one in entries if isinstance(one, (Bar, Learnt))), default=-1)
            self.told = int(np.searchsorted(self.bars.ts, last, side="right"))
            shell.recover(entries[self.take_up(shell, entries) :], self.now)
        self.look()
        self.send()
        self._every()

    def be_new(self, shell: Shell) -> None:
        """Hear what a bot hears first."""
        shell.take(Started(self.now), self.now)
        while self._next_bar() <= self.now:
            self.told += 1
            shell.take(Learnt(*self._bar(self.told - 1)), self.now)

    def keep(self, shell: Shell) -> None:
        """Keep the state, as it is between two events."""
        self.durable = len(self.journal)
        self.kept.append((self.durable, json.dumps({"sums": shell.mind.sums(), **shell.snapshot()})))

    def take_up(self, shell: Shell, entries: list[Any]) -> int:
        """Take up the newest state that was kept; give how many entries it stands for."""
        if not self.kept:
            return 0
        position, text = self.kept[-1]
        data = json.loads(text)
        bars = [one for one in entries[:position] if isinstance(one, (Bar, Learnt, Rated))]
        assert shell.mind.refill(bars, data["sums"])
        shell.restore(data)
        return position

    def _every(self) -> None:
        """Look round now and then, and write down what has not been."""
        life = self.life

        def again() -> None:
            if self.life == life and self.shell is not None:
                self.durable = len(self.journal)
                try:
                    self.look()
                    self.shell.adopt(self.now)
                except Killed:
                    self.die()
                else:
                    self.at(self.now + self.look_ms, again)

        self.at(self.now + self.look_ms, again)

    def write(self, entry: Event | Action, durable: bool) -> None:
        self.writes += 1
        deadly = self.fatal_write and self.writes >= self.fatal_write
        if deadly and self.dice.random() < 0.5:
            raise Killed
        self.journal.append(json.dumps(to_plain(entry)))
        if durable:
            self.durable = len(self.journal)
        if deadly:
            raise Killed

    def die(self) -> None:
        self.shell = None
        self.life += 1
        self.kills -= 1
        del self.journal[self.durable :]
        self.fatal_write, self.fatal_time = 0, math.inf
        back = self.now + int(self.dice.choice([0, 200, 5_000, 90_000]) * self.dice.random())

        def again() -> None:
            if self.kills > 0 and self.dice.random() < 0.5:
                self.fatal_write = self.writes + self.dice.randint(1, 30)
            elif self.kills > 0:
                self.fatal_time = self.now + self.dice.randint(0, 200_000)
            self._begin()

        self.at(back, again)

    def _begin(self) -> None:
        try:
            self.start()
        except Killed:
            self.die()

    def living(self, what: Callable[[], None]) -> None:
        try:
            what()
        except Killed:
            self.die()

    # what is under way

    def wait(self, *choices: int) -> int:
        return self.dice.choice(choices)

    def answer(self, request: Request, what: Any, life: int) -> None:
        if isinstance(request, Find) and self.dice.random() < 0.2 * self.lost:  # the bot is busy with something else
            self.at(self.now + 10_500, partial(super().answer, request, what, life))
        else:
            super().answer(request, what, life)

    def mislaid(self, request: Request) -> bool:
        """Lose an answer, so that nobody waits for it any more when it arrives, if it does."""
        if self.dice.random() >= self.lost:
            return False
        lost = BrokerTransient("no answer") if isinstance(request, (Find, Look)) else BrokerUnknown("no answer")
        late = self.dice.randint(3_000, 9_900)  # it waited for its turn, and was signed just before
        self.at(self.now + late, partial(self.answer, request, lost, self.life))
        if self.dice.random() < 0.6:
            self.at(self.now + self.dice.randint(2_000, late + 9_500), partial(self.arrive, request, -1))
        return True

    # what must be true in the end

    def problems(self) -> list[str]:
        """Everything that is not as it must be."""
        assert self.shell is not None
        core, clerk, found = self.shell.mind.core, self.shell.clerk, []
        orders = self.engine.orders("me", SYMBOL, limit=100_000)
        names = [one.client_id for one in orders]
        if len(set(names)) != len(names):
            found.append(f"sent twice: {sorted({one for one in names if names.count(one) > 1})}")
        entries = self.entries()
        wanted = [one.order.id for one in entries if isinstance(one, Submit)]
        if len(set(wanted)) != len(wanted):
            found.append("an intent stands twice in the journal")
        if set(names) - set(wanted):
            found.append(f"orders without an intent: {set(names) - set(wanted)}")
        resting = {one.client_id for one in self.engine.open_orders("me")}
        if resting != set(core.orders):
            found.append(f"open at the venue {resting - set(core.orders)}, in the core {set(core.orders) - resting}")
        for one in self.engine.open_orders("me"):
            mine = core.orders.get(one.client_id)
            if mine is not None:
                for name in ("quantity", "price", "stop_price", "filled"):
                    have, want = getattr(one, name), getattr(mine, name)
                    if not (math.isclose(have, want, rel_tol=1e-9, abs_tol=1e-9) or (have != have and want != want)):
                        found.append(f"{one.client_id} {one.type}: {name} is {have} at the venue, {want} in the core")
        done = [str(one.id) for one in self.engine.executions("me", limit=100_000)]
        booked = [one.trade for one in entries if isinstance(one, Filled)]
        if sorted(done) != sorted(booked):
            found.append(f"fills at the venue {sorted(done)}, booked {sorted(booked)}")
        held = {one.symbol: one.quantity for one in self.engine.positions("me")}.get(SYMBOL, 0.0)
        mine = core.account.quantity(SYMBOL, "net")
        if not math.isclose(held, mine, abs_tol=1e-9):
            found.append(f"the position is {held} at the venue and {mine} in the core")
        entry = {one.symbol: one.entry_price for one in self.engine.positions("me")}.get(SYMBOL, 0.0)
        money = self.engine.balances("me", "linear")[0].wallet - held * entry
        mine = core.account.wallet - mine * (core.account.position(SYMBOL).price if mine else 0.0)
        if not math.isclose(money, mine, abs_tol=1e-6):  # fills that came in another order are averaged otherwise
            found.append(f"money less what positions cost is {money} at the venue and {mine} in the core")
        for (symbol, leg), guard in core.protector.active.items():
            stop = core.orders.get(guard.stop_id)
            size = abs(core.account.quantity(symbol, leg))
            guarded = stop is not None and math.isclose(stop.remaining, size, abs_tol=1e-9)
            if size and guard.stop_level == guard.stop_level and not guarded:
                found.append(f"{size} is held and its stop is {stop}")
        if clerk.busy:
            found.append(f"something is under way: {[line for line in clerk.lines.values() if line.state != 'done']}")
        return [*found, *replays_to(self.shell, Mind(self._plan, name=f"fidget {self.seed}"), entries, self.now)]


def replays_to(shell: Shell, again: Mind, entries: list[Any], now: int) -> list[str]:
    """Say whether a journal makes of a new mind what a shell has become."""
    again.core.minder = Minder(again.core)
    other = Shell(again, Clerk(again.core.markets), lambda entry, durable: None)
    left = other.recover(entries, now)
    if left or json.dumps(again.snapshot(), sort_keys=True) != json.dumps(core_of(shell), sort_keys=True):
        return [f"the journal replays to something else ({left} actions are missing)"]
    return []


def core_of(shell: Shell) -> Any:
    return json.loads(json.dumps(shell.mind.snapshot()))
