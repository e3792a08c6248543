"""Every limit on risk with a bot at the practice exchange: what arrives there, what is held there, before and after restarts.

The venue's own book is what is looked at. Every story is lived without a restart and again with one in every minute: as
requests are under way, as answers are, and in the calm between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

import workbench as wb
from tests.bots.street import MINUTE, Resident, Street, minutes
from tests.bots.test_limits import buy, scripted, sell
from workbench.risk.limits import CODES, RULES, Bound, Limits

A, B, SPOT = "A/USDT:USDT", "B/USDT:USDT", "A/USDT"
RESTARTS = (None, 1, 4, 30_000)  # ms into a minute, in which a request takes 3 and so does its answer


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
        Limits(price_distance=0.1), PAIR,
        {
            (A, 0): lambda view: view.limit("buy", 1.0, symbol=A, price=89.0),
            (A, 1): lambda view: view.limit("sell", 1.0, symbol=A, price=91.0),
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
        {(A, 0): buy(1.0, B), (A, 5): lambda view: view.limit("buy", 2.0, symbol=B, price=99.0)},
        [], "stale_data", deaf=lambda symbol, minute: symbol == B and 2 < minute < 9,
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
        print(name, restarts, street.orders(), [one.code for one in bot.mind.core.refusals], len(street.engine.executions("me")))
