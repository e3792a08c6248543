"""Every limit on risk at the practice exchange: what arrives there and what is held there, before and after restarts.

The venue's own book is what is looked at. Every story is lived without a restart and again with one in every minute: as
requests are under way, as answers are, and in the calm between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

import workbench as wb
from tests.bots.street import MINUTE, Resident, Street, minutes, worst
from tests.bots.test_limits import buy, scripted, sell
from tests.bots.world import World
from workbench.risk.limits import CODES, RULES, Bound, Limits
from workbench.trading.events import Amended

A, B, SPOT = "A/USDT:USDT", "B/USDT:USDT", "A/USDT"
RESTARTS = (None, 1, 4)  # ms into a minute, in which a request takes 3 and so does its answer


def flat(symbol: str = A, count: int = 12, **facts: Any) -> wb.Bars:
    return minutes(symbol, [100.0] * count, **facts)


def falling(*closes: float, symbol: str = A) -> wb.Bars:
    return minutes(symbol, [*closes, *[closes[-1]] * (12 - len(closes))])


def moving(symbol: str) -> wb.Bars:
    return minutes(symbol, [100.0 * (1.0 + 0.01 * ((k * 7) % 5)) for k in range(30)])


class Case(NamedTuple):
    """Limits, what happens, what the bot wishes at which minute, and what the exchange has to show for it."""

    limits: Limits
    bars: tuple[wb.Bars, ...]
    plays: Mapping[tuple[str, int], Callable[[Any], Any]]
    orders: list[str]
    code: str = ""
    leverage: float = 2.0
    deaf: Callable[[str, int], bool] = lambda symbol, minute: False


PAIR = (flat(), flat(B))
FALLS = falling(100.0, 100.0, 80.0)
SOME: Mapping[Any, Any] = MappingProxyType({})
CASES: dict[str, Case] = {
    "daily_loss": Case(
        Limits(daily_loss=0.05), (FALLS,), {(A, 0): buy(50.0, A), (A, 4): buy(1.0, A), (A, 8): buy(2.0, A)},
        ["buy 50 A", "sell 50 A", "buy 2 A"], "halted",
    ),
    "weekly_loss": Case(
        Limits(weekly_loss=0.05), (FALLS,), {(A, 0): buy(50.0, A), (A, 4): buy(1.0, A), (A, 8): buy(2.0, A)},
        ["buy 50 A", "sell 50 A", "buy 2 A"], "halted",
    ),
    "max_drawdown": Case(
        Limits(max_drawdown=0.05), (FALLS,), {(A, 0): buy(50.0, A), (A, 4): buy(1.0, A), (A, 8): sell(20.0, A)},
        ["buy 50 A", "sell 20 A"], "reducing",
    ),
    "capital_depletion": Case(
        Limits(capital_depletion=0.05), (FALLS,), {(A, 0): buy(50.0, A), (A, 8): buy(1.0, A)},
        ["buy 50 A", "sell 50 A"], "halted",
    ),
    "gross_exposure": Case(
        Limits(gross_exposure=0.6), PAIR, {(A, 0): buy(50.0, A), (A, 1): sell(50.0, B), (A, 5): buy(9.0, B)},
        ["buy 50 A", "sell 9.5 B", "buy 9 B"],
    ),
    "net_exposure": Case(
        Limits(net_exposure=0.6), PAIR, {(A, 0): buy(50.0, A), (A, 1): buy(50.0, B), (A, 5): sell(30.0, B)},
        ["buy 50 A", "buy 9.5 B", "sell 30 B"],
    ),
    "instrument_exposure": Case(
        Limits(instrument_exposure=0.5), PAIR, {(A, 0): buy(40.0, A), (A, 1): buy(20.0, A), (A, 5): buy(20.0, B)},
        ["buy 40 A", "buy 9.5 A", "buy 20 B"],
    ),
    "group_exposure": Case(
        Limits(group_exposure=0.5, groups={"both": (A, B)}), PAIR, {(A, 0): buy(40.0, A), (A, 1): buy(20.0, B)},
        ["buy 40 A", "buy 9.5 B"],
    ),
    "concentration": Case(
        Limits(concentration=0.5), (flat(), flat(SPOT)), {(A, 0): buy(40.0, SPOT), (A, 1): buy(20.0, A)},
        ["buy 40 A spot", "buy 9.5 A"],
    ),
    "max_positions": Case(
        Limits(max_positions=1), PAIR, {(A, 0): buy(1.0, A), (A, 1): buy(1.0, B), (A, 5): buy(1.0, A)},
        ["buy 1 A", "buy 1 A"], "max_positions",
    ),
    "max_positions_total": Case(
        Limits(max_positions_total=1), PAIR, {(A, 0): buy(1.0, A), (A, 1): buy(1.0, B)}, ["buy 1 A"],
        "max_positions_total",
    ),
    "leverage": Case(Limits(leverage=2.0), PAIR, {(A, 0): buy(1.0, A)}, [], "leverage", leverage=3.0),
    "order_value": Case(
        Limits(order_value=0.1), PAIR, {(A, 0): buy(11.0, A), (A, 1): buy(9.0, A)}, ["buy 9 A"], "order_value",
    ),
    "order_cash": Case(
        Limits(order_cash=500.0), PAIR, {(A, 0): buy(5.5, A), (A, 1): buy(5.0, A)}, ["buy 5 A"], "order_cash",
    ),
    "price_distance": Case(
        Limits(price_distance=0.05), PAIR,
        {
            (A, 0): lambda view: view.limit("buy", 1.0, symbol=A, price=92.0),
            (A, 1): lambda view: view.limit("sell", 1.0, symbol=A, price=96.0),
        },
        ["sell 1 A"], "price_distance",
    ),
    "orders_per_minute": Case(
        Limits(orders_per_minute=1), PAIR,
        {(A, 0): lambda view: [view.market("buy", 1.0, symbol=A), view.market("buy", 2.0, symbol=A)]},
        ["buy 1 A"], "order_rate",
    ),
    "correlated_positions": Case(
        Limits(correlated_positions=1, correlation_bars=25), (moving(A), moving(B)),
        {(A, 25): buy(1.0, A), (A, 26): buy(1.0, B), (A, 28): sell(2.0, B)}, ["buy 1 A", "sell 2 B"], "correlation",
    ),
    "stale_data_ms": Case(
        Limits(stale_data_ms=MINUTE), PAIR,
        {(A, 0): buy(1.0, B), (A, 5): buy(2.0, B), (A, 9): buy(3.0, B)},
        ["buy 1 B", "buy 3 B"], "stale_data", deaf=lambda symbol, minute: symbol == B and 2 < minute < 9,
    ),
    "spread": Case(
        Limits(spread=0.001), (flat(), flat(B, spread_bps=20.0)), {(A, 0): buy(1.0, B), (A, 1): buy(2.0, A)},
        ["buy 2 A"], "spread",
    ),
    "volatility_halt": Case(
        Limits(volatility_halt=0.1), (falling(100.0, 100.0, 120.0), flat(B)),
        {(A, 2): lambda view: [view.market("buy", 1.0, symbol=A), view.market("buy", 2.0, symbol=B)]},
        ["buy 2 B"], "volatility_halt",
    ),
    "losing_trades": Case(
        Limits(losing_trades=1, losing_pause_ms=4 * MINUTE), (FALLS, flat(B)),
        {
            (A, 0): buy(1.0, A), (A, 2): sell(1.0, A), (A, 8): buy(4.0, A),
            (A, 4): lambda view: [view.market("buy", 2.0, symbol=A), view.market("buy", 3.0, symbol=B)],
        },
        ["buy 1 A", "sell 1 A", "buy 3 B", "buy 4 A"], "losing_pair",
    ),
    "trading_hours": Case(
        Limits(trading_hours="mon 00:00-24:00"), PAIR, {(A, 0): buy(1.0, A), (A, 6): buy(2.0, A)}, ["buy 2 A"],
        "trading_hours",
    ),
}  # fmt: skip


def lived(case: Case, restarts: int | None) -> tuple[Street, Resident]:
    street = Street(case.bars, leverage=case.leverage)
    street.deaf = case.deaf
    bot = street.bot(scripted(dict(case.plays)), {"bot": case.limits})
    if restarts is not None:
        street.restart(restarts)
    street.run()
    return street, bot


def test_every_rule_has_a_case() -> None:
    assert set(CASES) == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", CASES)
def test_a_limit_holds_at_the_practice_exchange(name: str) -> None:
    case = CASES[name]
    for restarts in RESTARTS:
        street, bot = lived(case, restarts)
        assert street.orders() == case.orders, restarts
        assert [one.code for one in bot.mind.core.refusals if one.code in CODES] == ([case.code] if case.code else [])
        assert [one.limit for one in bot.risk.decisions if one.limit == name], restarts
        assert held_by(street, bot) == held_by(street, None)


def held_by(street: Street, bot: Resident | None) -> list[float]:
    """What is held: as the bot has it, or as the exchange does."""
    names = [one.symbol for one in street.bars if ":" in one.symbol]
    return [street.held(name) if bot is None else bot.mind.core.account.quantity(name) for name in names]


@pytest.mark.parametrize(
    ("action", "orders", "left", "state"),
    [
        ("warn", ["buy 5 A", "buy 20 A"], 25.0, "ACTIVE"),
        ("reject", ["buy 5 A"], 5.0, "ACTIVE"),
        ("reduce", ["buy 5 A", "buy 9.5 A"], 14.5, "ACTIVE"),
        ("flatten", ["buy 5 A", "sell 5 A"], 0.0, "HALTED"),
    ],
)
def test_each_action_is_done_at_the_exchange(action: Any, orders: list[str], left: float, state: str) -> None:
    for restarts in RESTARTS:
        limits = Limits(order_value=Bound(0.1, action))
        street, bot = lived(Case(limits, (flat(count=5),), {(A, 0): buy(5.0, A), (A, 2): buy(20.0, A)}, []), restarts)
        assert (street.orders(), street.held(A), bot.risk.state) == (orders, left, state), restarts
        assert [one.limit for one in bot.risk.decisions if one.action == action], restarts


# no way round


def limit(side: Any, quantity: float, price: float = 100.0, symbol: str = A) -> Callable[[Any], Any]:
    return lambda view: view.limit(side, quantity, symbol=symbol, price=price)


def several(*wishes: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda view: [wish(view) for wish in wishes]


def amended(quantity: float, price: float = 100.0) -> Callable[[Any], Any]:
    """Change the oldest order that works, should there be one."""

    def wish(view: Any) -> Any:
        mine = [one for one in view.orders() if one.type == "limit"]
        return view.amend(mine[0].id, quantity=quantity, price=price) if mine else []

    return wish


WAYS: dict[str, dict[tuple[str, int], Callable[[Any], Any]]] = {
    "in parts": {(A, k): limit("buy", 25.0) for k in range(9)},
    "several in one event": {
        (A, 0): several(buy(45.0, A), buy(45.0, A), limit("buy", 45.0, 99.9), limit("sell", 45.0, 100.5)),
        (A, 1): several(*[limit("buy", 7.0)] * 6),
        (A, 5): several(buy(45.0, A), limit("buy", 50.0, 100.2)),
    },
    "amended": {
        (A, 0): limit("buy", 20.0),
        **{(A, k): several(amended(20.0 + 5.0 * k), limit("buy", 4.0, 99.9)) for k in range(1, 9)},
    },
    "amended twice at once": {
        (A, 0): limit("buy", 30.0),
        **{(A, k): several(amended(50.0 + k), amended(45.0, 99.99), limit("buy", 35.0)) for k in range(1, 9)},
    },
}  # fmt: skip


@pytest.mark.parametrize("restarts", RESTARTS)
@pytest.mark.parametrize("way", WAYS)
def test_no_way_round_leads_beyond_a_limit_at_the_exchange(way: str, restarts: int | None) -> None:
    street = Street([flat(count=10, volume=8.0 if "amended" in way else 30.0)])
    bot = street.bot(scripted(WAYS[way]), {"bot": Limits(instrument_exposure=0.6)})
    most = [0.0]
    street.watch = lambda: most.append(street.worst())
    if restarts is not None:
        street.restart(restarts)
    street.run()
    told = [type(one) for one in bot.entries()]
    assert 5_900.0 < max(most) <= 6_003.0  # prices move by some ticks
    assert told.count(Amended) >= 2 or "amended" not in way


# several bots of one account


def two(limits: Limits, bars: list[wb.Bars], *plays: Mapping[tuple[str, int], Callable[[Any], Any]]) -> Street:
    street = Street(bars)
    for name, mine in zip(("one", "two"), plays, strict=True):
        street.bot(scripted(dict(mine)), {"account": limits}, name=name, cash=5_000.0)
    return street


@pytest.mark.parametrize("restarts", RESTARTS)
def test_two_bots_share_what_is_left_of_their_account(restarts: int | None) -> None:
    again = {(A, k): several(buy(20.0, A), limit("buy", 20.0)) for k in range(9)}
    street = two(Limits(gross_exposure=0.6), [flat(count=10, volume=15.0)], again, again)
    most = [0.0]
    street.watch = lambda: most.append(street.worst())
    if restarts is not None:
        street.restart(restarts)
    street.run()
    assert 5_900.0 < max(most) <= 6_003.0
    assert sum(one.mind.core.account.quantity(A) for one in street.bots) == street.held(A)


@pytest.mark.parametrize("restarts", RESTARTS)
def test_a_loss_of_one_bot_closes_the_positions_of_both(restarts: int | None) -> None:
    bars = [falling(100.0, 100.0, 70.0), flat(B)]
    mine, other = {(A, 0): buy(30.0, A), (A, 4): buy(1.0, A)}, {(A, 0): sell(20.0, B), (A, 4): buy(1.0, B)}
    street = two(Limits(daily_loss=0.05), bars, mine, other)
    if restarts is not None:
        street.restart(restarts)
    street.run()
    assert sorted(street.orders()) == ["buy 20 B", "buy 30 A", "sell 20 B", "sell 30 A"]
    assert street.held(A) == street.held(B) == 0.0


def test_positions_of_all_bots_are_counted() -> None:
    street = two(Limits(max_positions_total=1), [*PAIR], {(A, 0): buy(1.0, A)}, {(A, 0): buy(1.0, B)})
    street.run()
    assert street.orders() == ["buy 1 A"]


def test_what_a_bot_that_is_down_holds_still_counts() -> None:
    plays = {(A, 0): several(buy(30.0, A), limit("buy", 10.0, 99.9))}, {(A, k): buy(25.0, A) for k in (3, 8)}
    street = two(Limits(gross_exposure=0.6), [flat(count=12, volume=15.0)], *plays)
    minute = street.agenda.now
    street.agenda.at(minute + int(2.5 * MINUTE), street.bots[0].stop)
    street.agenda.at(minute + int(6.5 * MINUTE), street.bots[0].start)
    street.run()
    assert street.orders() == ["buy 30 A", "buy 10 A: 0 filled, accepted", "buy 19.5 A"]


# everything at once


class Watched(World):
    """A world in which everything goes wrong, whose bot has limits; what it can come to is looked at every moment."""

    most = 0.0

    def _step(self, ts: int) -> None:
        super()._step(ts)
        self.most = max(self.most, worst(self.engine, "me"))


def test_no_fault_and_no_kill_leads_beyond_a_limit() -> None:
    most = 0.0
    for seed in range(700, 714):
        world = Watched(seed, 12, limits=Limits(instrument_exposure=0.1, max_positions=1))
        world.run()
        assert world.problems() == [], seed
        assert world.most < 1_025.0, seed  # a tenth of the money, and what the price moves after the order
        most = max(most, world.most)
    assert most > 950.0


def test_a_halt_closes_the_position_through_faults_and_kills_and_lets_nothing_be_opened_again() -> None:
    halted = 0
    for seed in range(800, 814):
        world = Watched(seed, 12, limits=Limits(daily_loss=0.0005))
        world.run()
        assert world.problems() == [], seed
        assert world.shell is not None and world.shell.mind.core.risk is not None
        if world.shell.mind.core.risk.state == "HALTED":
            halted += 1
            assert worst(world.engine, "me") == 0.0, seed
            assert not world.engine.open_orders("me"), seed
    assert halted >= 3
