"""No way round limits: partial fills, amendments, several orders at once, several bots at once, a restart, a replay."""

from __future__ import annotations

import json
import math
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

import workbench as wb
from tests.backtest.handmade import FREE
from tests.bots.test_limits import A, B, both, buy, falling, flat, quantities, scripted, sell
from tests.effort import examples
from workbench.backtest.prepare import prepare
from workbench.bots.mind import Mind
from workbench.bots.papering import PaperReplay
from workbench.bots.peers import Peers
from workbench.errors import ConfigError, DataError
from workbench.market.instrument import Instrument
from workbench.risk.limits import Bound, Limits, assess
from workbench.trading import events as ev
from workbench.trading.account import Account
from workbench.trading.core import Core, traded
from workbench.trading.risk_engine import RiskEngine
from workbench.trading.terms import AccountTerms, CostTerms, Lots

pytestmark = pytest.mark.deep

NOW = 1_700_000_000_000
NAN = math.nan
PERP = "A/USDT:USDT"


class Told(wb.OrderStrategy):
    """Does what the name of a timer says, so that all it does is in the events."""

    def on_timer(self, view: Any, timer: Any) -> Any:
        word, *rest = timer.name.split()
        if word == "amend":
            return view.amend(rest[0], quantity=float(rest[1]), price=float(rest[2]))
        if word == "cancel":
            return view.cancel(rest[0])
        return [
            view.limit(side, float(much), price=100.0, symbol=PERP)
            for side, much in zip(rest[::2], rest[1::2], strict=True)
        ]


class Bot:
    """A core with limits, a venue that answers when it is told to, and everything that happened."""

    def __init__(self, limits: Any, name: str = "one", cash: float = 10_000.0) -> None:
        self.limits, self.name, self.cash, self.ts = limits, name, cash, NOW
        self.accepts = True
        self.core = self.made()
        self.orders: dict[str, list[float]] = {}  # sign, largest quantity that it may still have, filled, and now
        self.pending: dict[str, list[float]] = {}
        self.events: list[Any] = []
        self.actions: list[str] = []
        self.hand(ev.Started(NOW))
        self.hand(ev.Opened(NOW, {PERP: 100.0}))

    def made(self) -> Core:
        instrument = Instrument(symbol=PERP, kind="linear", quote="USDT", tick_size=0.5, lot_size=0.001)
        account = Account(self.cash, AccountTerms(leverage=10.0), [instrument])
        core = Core(Told(), account, {PERP: traded(instrument, Lots(0.5, 0.001), CostTerms())}, name=self.name)
        RiskEngine(self.limits).attach(core)
        return core

    def hand(self, event: Any) -> list[Any]:
        self.events.append(event)
        done = list(self.core.handle(event))
        self.actions += [json.dumps(ev.to_plain(one)) for one in done]
        for action in done:
            if type(action) is ev.Submit:
                order = action.order
                self.orders[order.id] = [order.sign, order.quantity, 0.0]
                if self.accepts:
                    self.hand(ev.Accepted(event.ts, order.id))
            elif type(action) is ev.AmendOrder:
                self.pending.setdefault(action.id, []).append(action.quantity)
        return done

    def say(self, text: str) -> list[Any]:
        """Have the strategy wish something; what waits for a price gets one."""
        self.ts += 1_000
        done = self.hand(ev.Timer(self.ts, text))
        return done + self.hand(ev.Tick(PERP, self.ts, 100.0, 1.0))

    def fill(self, name: str, much: float) -> None:
        sign, whole, filled = self.orders[name]
        final = filled + much >= whole - 1e-12
        self.orders[name][2] += much
        side = "buy" if sign > 0.0 else "sell"
        self.hand(ev.Filled(self.ts, name, PERP, side, much, 100.0, 0.0, True, 100.0, "order", self.ts, final=final))
        if final:
            self.end(name)

    def answer(self, name: str, good: bool) -> None:
        quantity = self.pending[name].pop(0)
        if not self.pending[name]:
            del self.pending[name]
        if good and quantity > self.orders[name][2]:
            self.orders[name][1] = quantity
            self.hand(ev.Amended(self.ts, name, NAN, quantity, NAN))
        else:
            self.hand(ev.Rejected(self.ts, name, "below_filled", ""))

    def end(self, name: str) -> None:
        self.orders.pop(name)
        self.pending.pop(name, None)

    def restart(self) -> None:
        """Take up a snapshot that went through JSON in a new core."""
        said = json.loads(json.dumps(self.core.snapshot()))
        self.core = self.made()
        self.core.restore(said)

    def worst(self) -> float:
        """The largest value that this can become, as the venue may fill what it has and what is on its way to it."""
        sums = {1.0: 0.0, -1.0: 0.0}
        for name, (sign, whole, filled) in self.orders.items():
            sums[sign] += max([whole, *self.pending.get(name, ())]) - filled
        held = self.core.account.quantity(PERP)
        return 100.0 * max(held + sums[1.0], sums[-1.0] - held)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["order", "two", "fill", "amend", "good", "bad", "cancel", "restart"]),
        st.integers(0, 5), st.integers(1, 90),
    ),
    min_size=3, max_size=15,
)  # fmt: skip


def act(bot: Bot, step: tuple[str, int, int]) -> None:
    word, which, much = step
    names = list(bot.orders)
    name = names[which % len(names)] if names else ""
    if word == "order":
        bot.say(f"order {'buy' if which % 2 else 'sell'} {much}")
    elif word == "two":
        bot.say(f"order buy {much} buy {much} sell {which + 1}")
    elif word == "restart":
        bot.restart()
    elif name and word == "fill":
        left = bot.orders[name][1] - bot.orders[name][2]
        if left > 0.0:
            bot.fill(name, min(float(much), left))
    elif name and word == "amend":
        bot.say(f"amend {name} {much + which} {100.0 if which % 2 else 99.5}")
    elif name and word in ("good", "bad") and name in bot.pending:
        bot.answer(name, word == "good")
    elif name and word == "cancel":
        bot.end(name)
        bot.hand(ev.Canceled(bot.ts, name, ""))


@settings(max_examples=examples(320))
@given(STEPS)
def test_no_sequence_gets_beyond_a_limit_and_a_replay_decides_the_same(steps: list[tuple[str, int, int]]) -> None:
    bot = Bot(Limits(instrument_exposure=Bound(1.0, "reduce")))
    for step in steps:
        act(bot, step)
        assert bot.worst() <= 10_000.0 + 1e-6, step
    again, actions = bot.made(), []
    for event in bot.events:
        done = again.handle(ev.from_plain(json.loads(json.dumps(ev.to_plain(event)))))
        actions += [json.dumps(ev.to_plain(one)) for one in done]
    assert actions == bot.actions
    assert json.dumps(again.snapshot()["risk"]) == json.dumps(bot.core.snapshot()["risk"])


@settings(max_examples=examples(160))
@given(STEPS, st.lists(st.integers(0, 1), min_size=15, max_size=15))
def test_two_bots_at_once_share_what_is_left(steps: list[tuple[str, int, int]], turns: list[int]) -> None:
    limits = {"account": Limits(gross_exposure=1.0)}
    bots, peers = [Bot(limits, "one", 5_000.0), Bot(limits, "two", 5_000.0)], Peers()
    for bot in bots:
        peers.join(bot.core, bot.hand)
    for step, turn in zip(steps, turns, strict=False):
        if step[0] != "restart":  # a bot that restarts joins again
            act(bots[turn], step)
        assert bots[0].worst() + bots[1].worst() <= 10_000.0 + 1e-6


def test_a_bot_that_joins_again_is_told_where_the_others_stand() -> None:
    limits = {"account": Limits(gross_exposure=1.0)}
    one, two, peers = Bot(limits, "one", 5_000.0), Bot(limits, "two", 5_000.0), Peers()
    peers.join(one.core, one.hand)
    peers.join(two.core, two.hand)
    one.say("order buy 80")
    two.say("order buy 80")
    assert two.worst() == pytest.approx(2_000.0)
    peers.leave("two")
    two.restart()
    peers.join(two.core, two.hand)
    assert not [one for one in two.say("order buy 10") if type(one) is ev.Submit]
    with pytest.raises(ConfigError, match="there is a bot 'two' already"):
        peers.join(two.core, two.hand)


def test_losses_of_one_bot_stop_all_of_the_account() -> None:
    limits = {"account": Limits(daily_loss=0.05)}
    one, two, peers = Bot(limits, "one", 5_000.0), Bot(limits, "two", 5_000.0), Peers()
    for bot in (one, two):
        peers.join(bot.core, bot.hand)
        bot.say("order buy 40")
        bot.fill(next(iter(bot.orders)), 40.0)
    one.hand(ev.Tick(PERP, one.ts + 10, 84.0, 1.0))  # 640 of 10,000
    risks = [bot.core.risk for bot in (one, two)]
    assert [risk.state for risk in risks if risk is not None] == ["HALTED", "HALTED"]
    assert [one.type for one in two.core.desk.intents] == ["market"]
    peers.leave("one")
    assert risks[1] is not None and risks[1].state == "HALTED"


def test_a_restart_keeps_a_halt_and_a_pause_until_somebody_resumes() -> None:
    bot = Bot(Limits(max_drawdown=0.05))
    bot.say("order buy 90")
    bot.fill(next(iter(bot.orders)), 90.0)
    bot.hand(ev.Tick(PERP, bot.ts, 90.0, 1.0))
    bot.restart()
    assert bot.core.risk is not None and bot.core.risk.state == "REDUCING"
    assert not bot.say("order buy 1")
    later = bot.ts + 40 * 86_400_000
    bot.hand(ev.Tick(PERP, later, 90.0, 1.0))
    assert bot.core.risk.state == "REDUCING"
    bot.hand(ev.Resumed(later, "me", "looked at it"))
    assert bot.core.risk.state == "ACTIVE"
    bot.ts = later
    assert [type(one) for one in bot.say("order buy 1")] == [ev.Submit]


def test_limits_change_by_an_event_and_stay_changed() -> None:
    bot = Bot(Limits(order_cash=5_000.0))
    assert bot.say("order buy 40")
    bot.hand(ev.Limited(bot.ts, "bot", Limits(order_cash=1_000.0).to_dict(), "me", "calmer"))
    assert not bot.say("order buy 40")
    bot.restart()
    assert not bot.say("order buy 40")
    with pytest.raises(DataError, match="limits of 'house'"):
        bot.hand(ev.Limited(bot.ts, "house", {}))


def test_a_damaged_snapshot_is_named() -> None:
    bot = Bot(Limits(order_cash=5_000.0))
    said = bot.core.snapshot()
    del said["risk"]["watches"]
    with pytest.raises(DataError, match="the snapshot of limits on risk is damaged"):
        bot.made().restore(said)


def test_asking_changes_nothing_and_says_what_would_happen() -> None:
    bot = Bot(Limits.profile("conservative", leverage=None))
    before = json.dumps(bot.core.snapshot())
    assert bot.core.risk is not None
    said = assess({"symbol": PERP, "side": "buy", "quantity": 50.0}, bot.core.risk)
    assert (said.approved, said.quantity, said.code) == (True, 25.0, "instrument_exposure")
    assert said.sentence.startswith("Approved in part: buy 50 A/USDT:USDT is cut to 25; instrument_exposure: 0.50 x")
    assert json.dumps(bot.core.snapshot()) == before and not bot.core.risk.decisions
    with pytest.raises(ConfigError, match="has no price here"):
        assess({"symbol": "C/USDT", "side": "buy", "quantity": 1.0}, bot.core.risk)
    with pytest.raises(ConfigError, match="positive quantity"):
        assess({"symbol": PERP, "side": "buy", "quantity": -1.0}, bot.core.risk)


def test_a_protective_stop_stays_until_the_closing_order_has_filled() -> None:
    cash = (
        wb.Rules(limits=Limits(daily_loss=0.04), margin="cash") if False else wb.Rules(limits=Limits(daily_loss=0.04))
    )
    plays = {(A, 0): lambda view: view.market("buy", 50.0, stop_loss=0.3)}
    plan = prepare(scripted(plays), [falling(100.0, 100.0, 90.0)], cash=10_000.0, costs=FREE, rules=cash)
    heard: list[Any] = []
    bot = PaperReplay(plan, Mind(plan, name="backtest"), heard.append)
    bot.go()
    kinds = [(type(one).__name__, getattr(one, "reason", "")) for one in heard]
    assert ("Filled", "risk_limit") in kinds
    gone = next(k for k, (kind, _) in enumerate(kinds) if kind in ("CancelOrder", "Canceled"))
    assert gone > kinds.index(("Filled", "risk_limit"))


@pytest.mark.parametrize("accepted", [True, False])
def test_a_closing_order_that_is_refused_comes_again_later_not_at_every_event(accepted: bool) -> None:
    bot = Bot(Limits(daily_loss=0.05))
    bot.say("order buy 90")
    bot.fill(next(iter(bot.orders)), 90.0)

    bot.accepts = accepted

    def refuse(ts: int, name: str) -> None:
        bot.hand(ev.Canceled(ts, name, "") if accepted else ev.Rejected(ts, name, "refused_by_venue", ""))

    def closing(ts: int) -> list[str]:
        done = bot.hand(ev.Tick(PERP, ts, 90.0, 1.0))
        return [one.order.id for one in done if type(one) is ev.Submit]

    (first,) = closing(bot.ts)
    assert not closing(bot.ts + 1)
    refuse(bot.ts + 2, first)
    assert not closing(bot.ts + 3) and not closing(bot.ts + 4_000)
    (again,) = closing(bot.ts + 6_000)
    refuse(bot.ts + 6_001, again)
    assert not closing(bot.ts + 12_000) and len(closing(bot.ts + 17_000)) == 1


def test_a_pause_with_an_end_reckons_anew_after_it() -> None:
    limits = Limits(max_drawdown=0.05, pause_ms=4 * 3_600_000)
    bars = [falling(100.0, 100.0, 80.0)]
    shown = both(bars, {(A, 0): buy(50.0), (A, 4): buy(1.0), (A, 8): buy(2.0)}, limits)
    assert quantities(shown) == [50.0, 2.0]
    assert [(one.limit, one.action) for one in shown.decisions] == [
        ("max_drawdown", "REDUCING"), ("reducing", "reject"), ("max_drawdown", "ACTIVE"),
    ]  # fmt: skip


def test_working_entries_are_cancelled_when_trading_halts() -> None:
    plays = {(A, 0): lambda view: [view.market("buy", 50.0), view.limit("buy", 1.0, symbol=B, price=50.0)]}
    shown = both([falling(100.0, 100.0, 80.0), flat(symbol=B)], plays, Limits(daily_loss=0.05))
    assert quantities(shown) == [50.0, -50.0]
    plan = prepare(
        scripted(plays), [falling(100.0, 100.0, 80.0), flat(symbol=B)], cash=10_000.0, costs=FREE,
        rules=wb.Rules(limits=Limits(daily_loss=0.05)),
    )  # fmt: skip
    bot = PaperReplay(plan, Mind(plan, name="backtest"))
    bot.go()
    assert not bot.core.orders


def test_an_account_that_is_fully_invested_can_have_any_profile() -> None:
    for profile, filled in {"conservative": 25.0, "default": 100.0, "aggressive": 100.0}.items():
        shown = both([flat()], {(A, 0): buy(100.0)}, profile)
        assert quantities(shown) == [filled]


def test_what_only_reduces_is_never_refused() -> None:
    limits = Limits(order_cash=10_000.0, orders_per_minute=5, instrument_exposure=1.0)
    shown = both([falling(100.0, 100.0, 400.0)], {(A, 0): buy(90.0), (A, 4): sell(90.0)}, limits)
    assert quantities(shown) == [90.0, -90.0] and not shown.refused
