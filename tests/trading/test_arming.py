"""A bot that is to be armed: what it may send before, how small it begins, and what it may lose."""

from __future__ import annotations

import json
import math
from typing import Any

from tests.practice.stage import PERP, instrument
from workbench.bots.noting import Refusals
from workbench.strategy.orders import OrderStrategy
from workbench.trading import events as ev
from workbench.trading.account import Account
from workbench.trading.core import Core, traded
from workbench.trading.history import History
from workbench.trading.terms import AccountTerms, CostTerms, Lots


class Asked(OrderStrategy):
    """Wishes what it is given."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        wish = view.memory.pop("wish", None)
        return wish(view) if wish else None


class Bot:
    """A core, and the market in its hand."""

    def __init__(self) -> None:
        facts = instrument(PERP)
        market = traded(facts, Lots(0.01, 0.001, 5.0), CostTerms(), 1.0, ())
        self.core = Core(Asked(), Account(10_000.0, AccountTerms(), [facts]), {PERP: market}, name="bot")
        self.core.watch(History(PERP, "1m"))
        self.now = 0

    def hear(self, event: Any) -> list[Any]:
        return list(self.core.handle(event))

    def wants(self, wish: Any, price: float = 100.0) -> list[Any]:
        """What goes out of a wish."""
        self.core.view.memory["wish"] = wish
        self.now += 60_000
        bar = ev.Bar(PERP, self.now - 60_000, self.now, price, price, price, price, 1.0, "1m")
        self.core.main[PERP].append(bar)
        self.hear(bar)
        return self.hear(ev.Opened(self.now, {PERP: price}))

    def fills(self, order: Any, price: float = 100.0) -> list[Any]:
        said = (order.side, order.quantity, price, 0.0, False, price, order.reason, order.decided, "net", True)
        return self.hear(ev.Filled(self.now, order.id, PERP, *said))

    def arm(self, **terms: Any) -> list[Any]:
        return self.hear(ev.Armed(self.now, "me", **terms))

    @property
    def refused(self) -> str:
        return self.core.refusals[-1].code


def orders(actions: list[Any]) -> list[Any]:
    return [one.order for one in actions if isinstance(one, ev.Submit)]


def buy(quantity: float, **more: Any) -> Any:
    return lambda view: view.market("buy", quantity, **more)


def sell(quantity: float) -> Any:
    return lambda view: view.market("sell", quantity)


def test_a_bot_that_is_told_nothing_of_arming_is_as_ever() -> None:
    bot = Bot()
    assert [one.quantity for one in orders(bot.wants(buy(7.0)))] == [7.0]
    assert bot.core.arming is None and "arming" not in bot.core.snapshot()


def test_unarmed_it_opens_nothing_and_closes_what_it_has() -> None:
    bot = Bot()
    (entry,) = orders(bot.wants(buy(7.0, stop_loss=0.1)))
    bot.fills(entry)
    (resting,) = orders(bot.wants(lambda view: view.limit("buy", 1.0, price=90.0)))
    told = bot.hear(ev.Disarmed(bot.now, "nobody has armed it"))
    assert [one.id for one in told] == [resting.id]  # its stop stays
    assert bot.wants(buy(1.0)) == [] and bot.refused == "not_armed"
    assert [one.quantity for one in orders(bot.wants(sell(9.0)))] == [7.0]  # does not turn
    again = bot.core.arming
    assert again is not None and again.why == "nobody has armed it"
    assert again.smaller == [(bot.now, PERP, "sell", "not_armed", 9.0, 7.0)]


def test_the_first_orders_are_small_and_those_that_leave_are_not() -> None:
    bot = Bot()
    bot.arm(orders=2, value=50.0)
    (first,) = orders(bot.wants(buy(7.0)))
    assert first.quantity == 0.5
    bot.fills(first)
    assert [one.quantity for one in orders(bot.wants(sell(0.4)))] == [0.4]
    (second,) = orders(bot.wants(lambda view: view.limit("buy", 3.0, price=80.0)))
    assert second.quantity == 0.625
    told: list[tuple[Any, ...]] = []
    noted = Refusals(bot.core, lambda *line: told.append(line))
    noted.note()
    assert [line[2] for line in told] == [
        f"buy {PERP} was made smaller, from {much}: it is one of the first since the bot was armed"
        for much in ("7 to 0.5", "3 to 0.625")
    ]
    assert told[0][3] == {
        "limit": "first_orders_small", "symbol": PERP, "side": "buy", "reduced": 60_000, "wanted": 7.0, "allowed": 0.5
    }  # fmt: skip
    noted.note()
    assert len(told) == 2  # each once, and none for what closes
    assert [one.quantity for one in orders(bot.wants(buy(7.0)))] == [7.0]


def test_where_nothing_is_said_small_is_twice_the_least_of_the_venue() -> None:
    bot = Bot()
    bot.arm(orders=1)
    assert [one.quantity for one in orders(bot.wants(buy(7.0)))] == [0.1]
    bot = Bot()
    bot.arm(orders=1, value=4.0)
    assert bot.wants(buy(7.0)) == [] and bot.refused == "first_orders_small"


def test_a_first_order_is_not_made_larger_afterwards() -> None:
    bot = Bot()
    bot.arm(orders=2, value=50.0)
    (resting,) = orders(bot.wants(lambda view: view.limit("buy", 0.2, price=50.0)))
    bot.hear(ev.Accepted(bot.now, resting.id, "v1"))
    assert bot.wants(lambda view: view.amend(resting.id, quantity=5.0)) == [] and bot.refused == "first_orders_small"
    changed = bot.wants(lambda view: view.amend(resting.id, quantity=0.9))
    assert [one.quantity for one in changed] == [0.9]


def losing(then: str) -> tuple[Bot, Any, list[Any]]:
    bot = Bot()
    bot.arm(loss=100.0, then=then)
    (entry,) = orders(bot.wants(buy(10.0, stop_loss=0.5)))
    stops = orders(bot.fills(entry))
    bot.hear(ev.Adjusted(bot.now, "USDT", -5_000.0, "withdrawal"))
    assert bot.core.arming is not None and bot.core.arming.lost == 0.0  # money taken out is no loss
    assert bot.hear(ev.Marked(bot.now, PERP, 90.5)) == []
    return bot, stops, bot.hear(ev.Marked(bot.now, PERP, 89.9))


def test_too_great_a_loss_closes_and_disarms() -> None:
    bot, stops, told = losing("flatten")
    assert [one.id for one in told if isinstance(one, ev.CancelOrder)] == [one.id for one in stops]
    (out,) = orders(told)
    assert out.reduce_only and out.side == "sell"
    assert told[-1].level == "critical" and "101.00 USDT were lost since it was armed; 100.00 may be" in told[-1].text
    assert bot.wants(buy(1.0)) == [] and bot.refused == "not_armed"
    assert bot.hear(ev.Marked(bot.now, PERP, 80.0)) == []  # once
    bot.arm(loss=100.0)
    assert len(orders(bot.wants(buy(1.0)))) == 1  # armed anew, from the equity of now


def test_or_opens_nothing_new_and_keeps_its_stop() -> None:
    bot, stops, told = losing("pause")
    assert len(told) == 1 and "nothing new is opened" in told[0].text
    assert all(one.id in bot.core.orders for one in stops)


def test_a_kill_disarms() -> None:
    bot = Bot()
    bot.arm()
    bot.hear(ev.Moved(bot.now, "KILLED", "a kill file", "cancel"))
    assert bot.core.arming is not None and bot.core.arming.why == "killed: a kill file"


def test_a_snapshot_goes_on_where_it_was() -> None:
    bot = Bot()
    bot.arm(orders=3, value=50.0, loss=100.0)
    (entry,) = orders(bot.wants(buy(7.0)))
    bot.fills(entry)
    data = json.loads(json.dumps(bot.core.snapshot()))
    other = Bot()
    other.core.restore(data)
    other.now = bot.now
    assert other.core.snapshot() == bot.core.snapshot()
    assert [one.quantity for one in orders(other.wants(buy(7.0)))] == [0.5]
    assert other.hear(ev.Marked(other.now, PERP, math.nextafter(100.0, 0.0))) == []
