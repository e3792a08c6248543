"""Limits on risk of a whole bot whose orders go through ccxt, as it is, to a served practice exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest

import workbench as wb
from tests.bots.brokers.post import LivePost
from tests.bots.brokers.stage import MINUTE, PERP, Desk, desk, run, swinging, until
from tests.bots.street import FREE
from tests.bots.test_limits import buy, scripted
from workbench.backtest.prepare import prepare
from workbench.practice.exchange import Exchange
from workbench.risk.limits import CODES, Limits
from workbench.trading.events import Bar, Opened

OTHER = "ETH/USDT:USDT"


class Case(NamedTuple):
    """Limits, wishes by minute (the first is at 103, the fourth at 100), and what the venue has in the end."""

    limits: Limits
    plays: Mapping[tuple[str, int], Callable[[Any], Any]]
    orders: list[str]
    code: str


def limits(side: Any, *much: float, price: float) -> Callable[[Any], Any]:
    return lambda view: [view.limit(side, one, symbol=PERP, price=price) for one in much]


def enlarged(quantity: float) -> Callable[[Any], Any]:
    return lambda view: [view.amend(one.id, quantity=quantity) for one in view.orders()]


CASES = {
    "daily_loss": Case(
        Limits(daily_loss=0.02), {(PERP, 0): buy(80.0, PERP), (PERP, 4): buy(1.0, PERP)},
        ["buy 80 of 80", "sell 80 of 80"], "halted",
    ),
    "max_positions": Case(
        Limits(max_positions=1), {(PERP, 0): buy(1.0, PERP), (PERP, 2): buy(1.0, OTHER)}, ["buy 1 of 1"],
        "max_positions",
    ),
    "order_value": Case(
        Limits(order_value=0.1), {(PERP, 0): buy(11.0, PERP), (PERP, 2): buy(9.0, PERP)}, ["buy 9 of 9"], "order_value",
    ),
    "orders_per_minute": Case(
        Limits(orders_per_minute=2), {(PERP, 0): limits("buy", 1.0, 2.0, 3.0, price=95.0)},
        ["buy 0 of 1", "buy 0 of 2"], "order_rate",
    ),
    "instrument_exposure": Case(
        Limits(instrument_exposure=0.3),
        {(PERP, 0): limits("buy", 10.0, 12.0, 20.0, price=95.0), (PERP, 2): enlarged(25.0), (PERP, 3): buy(5.0, PERP)},
        ["buy 0 of 10", "buy 0 of 12", "buy 0 of 7.126", "buy 0.874 of 0.874"], "instrument_exposure",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def exchange() -> Iterator[Exchange]:
    with swinging(PERP, OTHER) as one:
        yield one


def plan_of(exchange: Exchange, case: Case) -> Any:
    def few(symbol: str) -> wb.Bars:
        columns = {name: [100.0, 100.0] for name in ("open", "high", "low", "close", "volume")}
        facts = exchange.engine.instrument(symbol)
        return wb.Bars(instrument=facts, timeframe="1m", ts=[0, MINUTE], **columns)

    return prepare(scripted(dict(case.plays)), [few(PERP), few(OTHER)], cash=10_000.0, costs=FREE, leverage=5.0)


def told(one: Desk) -> tuple[Any, ...]:
    """The minute that has just closed, and prices to trade at."""
    now = one.exchange.now
    prices = {
        name: one.exchange.call(lambda name=name: one.exchange.engine.ticker(name).last) for name in (PERP, OTHER)
    }
    bars = [Bar(name, now - MINUTE, now, at, at, at, at, 400.0, "1m") for name, at in prices.items()]
    return (*bars, Opened(now, prices))


@pytest.mark.parametrize("name", CASES)
def test_a_limit_holds_through_ccxt_and_restarts(exchange: Exchange, name: str) -> None:
    case = CASES[name]

    async def story() -> None:
        async with desk(exchange, PERP, beside=[OTHER], listen=True) as one:
            await one.to_phase(1)
            post = LivePost(one, plan_of(exchange, case), {"bot": case.limits})
            pump = asyncio.create_task(post.pump())
            for minute in range(6):
                await one.minutes(1)
                post.take(*told(one))
                if minute % 2 == 0:
                    post.start()  # as requests are under way
                await until(lambda: not post.busy())
            pump.cancel()
            core = post.shell.mind.core
            orders = [f"{order.side} {order.filled:g} of {order.quantity:g}" for order in one.orders()]
            assert sorted(orders) == sorted(case.orders)  # what goes out together arrives in any order
            assert case.code in [one.code for one in core.refusals if one.code in CODES]
            assert one.position() == core.account.quantity(PERP)

    run(story())
