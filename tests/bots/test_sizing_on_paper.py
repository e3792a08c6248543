"""A paper bot sizes as the backtest of its bars does, whatever the sizing, though it knows only what has closed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.bots.test_paper_replay import papered
from tests.bots.world import World
from workbench.bots.mind import Mind
from workbench.market.lake import Lake
from workbench.risk import sizing as sz
from workbench.strategy.orders import OrderStrategy
from workbench.trading.events import Bar, Learnt, Submit, from_plain, to_plain

WIDE = sz.Caps(position=0.6)
SHARED = sz.Caps(position=0.5, group=0.6, total=0.7, groups={"KO": "shares", "XOM": "shares"})


@dataclass(frozen=True, repr=False)
class Halved(sz.Sizing):
    """Of a user: half after a loss."""

    memory = 1

    def ask(self, state: sz.SizingState) -> sz.Ask:
        lost = bool(state.returns) and state.returns[-1] < 0.0
        return sz.Ask("exposure", 0.1 if lost else 0.2, why="half after a loss" if lost else "a fifth")


ALL: dict[str, sz.Sizing] = {
    "quantity": sz.FixedQuantity(0.05),
    "cash": sz.FixedCash(1_500.0),
    "equity": sz.PercentEquity(0.3, caps=WIDE),
    "risk": sz.FixedRisk(0.01, caps=WIDE),
    "atr": sz.PercentVolatility(0.01, multiple=2.0, caps=WIDE),
    "target": sz.VolatilityTarget(0.3, caps=WIDE),
    "kelly of trades": sz.Kelly(0.5, min_trades=5, lookback=20, start=0.1, least=0.05, caps=WIDE),
    "kelly": sz.Kelly(win_rate=0.45, payoff=2.0, trades=60, caps=WIDE),
    "optimal f": sz.OptimalF(0.5, min_trades=5, lookback=20, start=0.1, least=0.05, caps=WIDE),
    "parity": sz.RiskParity(lookback=40, every=24, caps=WIDE),
    "cppi": sz.CPPI(3.0, caps=WIDE),
    "ratchet": sz.CPPI(3.0, ratchet=True, caps=WIDE),
    "streaks": sz.AntiMartingale(sz.FixedRisk(0.005), caps=WIDE),
    "pyramid": sz.Pyramid(sz.PercentVolatility(0.004), gain=0.005, caps=WIDE),
    "of a user": Halved(caps=WIDE),
}


class Crosses(wb.SignalStrategy):
    """Long above the mean of 20 closes and short below it, with a stop of two percent."""

    stop_loss = 0.02

    def signals(self, bars: wb.Bars) -> wb.Signals:
        mean = np.convolve(bars.close, np.full(20, 0.05))[: len(bars)]
        above = (bars.close > mean) & (np.arange(len(bars)) >= 20)
        below = (bars.close < mean) & (np.arange(len(bars)) >= 20)
        return wb.Signals(entry=above, short_entry=below)


def assert_sized_alike(strategy: Any, bars: Any, sizing: sz.Sizing | None, **options: Any) -> list[dict[str, Any]]:
    options["rules"] = wb.Rules(sizing=sizing)
    wanted = wb.backtest(strategy, bars, path="event", **options).records
    bot, _ = papered(strategy, bars, **options)
    found = bot.log.records(bot)
    assert len(wanted.fills) > 10 and np.array_equal(wanted.fills, found.fills)
    assert np.array_equal(wanted.equity, found.equity)
    assert json.dumps(list(found.sizes)) == json.dumps(list(wanted.sizes))
    return list(found.sizes)


@pytest.mark.parametrize("name", ALL)
def test_every_sizing_is_the_same_on_paper(name: str, lake: Lake) -> None:
    bars = lake.read("BTC/USDT", "1h", "2021-01-01", "2021-01-13")
    sizes = assert_sized_alike(Crosses(), bars, ALL[name], leverage=1.0)
    assert sum(one["code"] == "" for one in sizes) > 10


@pytest.mark.parametrize("name", ["parity", "target", "kelly of trades", "pyramid"])
def test_several_instruments_and_caps_of_groups_are_the_same_on_paper(name: str, lake: Lake) -> None:
    """One instrument begins later than the other, which a bot does not know before."""
    both = [lake.read("KO", "1d", "2015-01-01", "2015-12-01"), lake.read("XOM", "1d", "2015-04-01", "2015-10-15")]
    sizing = replace(ALL[name], caps=SHARED)
    sizes = assert_sized_alike(Crosses(), both, sizing, leverage=2.0)
    assert name.startswith("kelly") or {one["limit"] for one in sizes} & {"position", "group", "total"}
    assert {one["symbol"] for one in sizes} == {"KO", "XOM"}


class Orders(OrderStrategy):
    """Leaves its quantities open; adds by limit orders."""

    sizing = sz.PercentVolatility(0.005, caps=sz.Caps(position=0.5))

    def on_bar(self, view: Any, bar: Any) -> Any:
        held = view.quantity()
        if view.count() % 40 == 20:
            return [view.market("buy"), view.limit("buy", price=bar.close * 0.99)]
        return view.close() if held and view.count() % 40 == 0 else None


def test_an_order_strategy_is_sized_the_same_on_paper(lake: Lake) -> None:
    bars = lake.read("BTC/USDT", "1h", "2021-01-01", "2021-01-13")
    assert_sized_alike(Orders(), bars, None)


def sent(action: Any) -> tuple[Any, ...]:
    order = getattr(action, "order", None)
    return (type(action), action.id) if order is None else (Submit, order.id, order.side, order.quantity)


def test_a_bot_that_was_stopped_sizes_on_as_if_it_had_not_been(lake: Lake) -> None:
    """Half of what a bot heard, its state written down and taken up by another, and then the other half."""
    bars = lake.read("BTC/USDT", "1h", "2021-01-01", "2021-01-13")
    rules = wb.Rules(sizing=sz.Pyramid(ALL["kelly of trades"], gain=0.005, caps=WIDE))
    bot, heard = papered(Crosses(), bars, rules=rules)
    actions = {"Submit", "CancelOrder", "AmendOrder", "SetTimer", "Alert"}
    told = [from_plain(to_plain(one)) for one in heard if type(one).__name__ not in actions]
    for cut in range(len(told) // 5, len(told), len(told) // 5):
        first = Mind(bot.plan, name="backtest")
        said = [sent(action) for one in told[:cut] for action in first.handle(one)]
        second = Mind(bot.plan, name="backtest")
        for one in told[:cut]:
            if type(one) is Bar:  # market data, which a shell tells again
                second.handle(Learnt(*one))
        second.restore(json.loads(json.dumps(first.snapshot())))
        said += [sent(action) for one in told[cut:] for action in second.handle(one)]
        assert said == [sent(one) for one in heard if type(one).__name__ in actions]


WORLDS: dict[str, sz.Sizing] = {
    "streaks": sz.AntiMartingale(sz.PercentEquity(0.05), caps=sz.Caps(position=0.3)),
    "pyramid": sz.Pyramid(sz.PercentVolatility(0.0005, length=3), caps=sz.Caps(position=0.3)),
    "kelly": sz.Kelly(min_trades=2, lookback=4, start=0.05, least=0.02),
    "caps": sz.FixedRisk(0.0005, caps=sz.Caps(total=0.5)),
}


@pytest.mark.parametrize("name", WORLDS)
def test_a_sized_bot_at_a_practice_exchange_survives_kills_and_faults(name: str) -> None:
    """Its journal makes the same bot again, what its sizing remembers among it; and orders are in whole lots."""
    filled = 0
    for seed in range(4):
        world = World(seed, 12, sizing=WORLDS[name])
        world.run()
        assert world.problems() == [], seed
        assert world.shell is not None
        orders = [one.order for one in world.entries() if isinstance(one, Submit)]
        assert all(round(one.quantity * 1_000, 6).is_integer() for one in orders if not one.parent)
        filled += len(world.engine.executions("me", limit=1_000))
    assert filled > 3
