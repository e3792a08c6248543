"""A core with a sizing, fed by hand: what it remembers, what is on order, snapshots, and a core that has none."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.risk import sizing as sz
from workbench.strategy.orders import OrderStrategy
from workbench.trading.account import Account
from workbench.trading.core import Core, traded
from workbench.trading.events import Bar, CancelOrder, Filled, Funded, Opened, Submit
from workbench.trading.history import History
from workbench.trading.remembered import Remembered
from workbench.trading.terms import AccountTerms, CostTerms, Lots

HOUR = 3_600_000
SYMBOLS = ("A/USDT", "B/USDT")
NO_COSTS = CostTerms()


class Asks(OrderStrategy):
    """Wishes for what the test puts into its memory: "buy", "sell", "close", a limit price, or an order to cancel."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        said = view.memory.pop(bar.symbol, None)
        if said in ("buy", "sell"):
            return view.market(said, symbol=bar.symbol)
        if said == "close":
            return view.close(bar.symbol)
        if isinstance(said, float):
            return view.limit("buy", price=said, symbol=bar.symbol)
        return view.cancel(said) if said else None


def core_of(sizing: sz.Sizing | None, **facts: Any) -> Core:
    instruments = [wb.Instrument(symbol=symbol, quote="USDT", venue="paper", **facts) for symbol in SYMBOLS]
    markets = {one.symbol: traded(one, Lots(0.0, 0.1, 5.0), NO_COSTS) for one in instruments}
    core = Core(Asks(), Account(10_000.0, AccountTerms(), instruments), markets, name="bot")
    for symbol in SYMBOLS:
        core.watch(History(symbol, "1h"))
    core.sizer.use(sizing)
    core.sizer.decisions = []
    return core


def hear(core: Core, slot: int, closes: dict[str, float], said: dict[str, Any] | None = None) -> list[Any]:
    """Close a bar of each instrument, then open the next one at the same price; give what is to be sent."""
    core.view.memory.update(said or {})
    actions: list[Any] = []
    for symbol, close in closes.items():
        bar = Bar(symbol, slot * HOUR, (slot + 1) * HOUR, close, close + 1.0, close - 1.0, close, 1.0, "1h")
        core.main[symbol].append(bar)
        actions += core.handle(bar)
    return [*actions, *core.handle(Opened((slot + 1) * HOUR, closes))]


def fills(core: Core, order: Any, price: float, quantity: float | None = None, fee: float = 0.0) -> None:
    done = order.quantity if quantity is None else quantity
    final = order.filled + done >= order.quantity
    said = (order.side, done, price, fee, False, price, order.reason, order.decided, "net", final)
    core.handle(Filled(core.now, order.id, order.symbol, *said))


def sent(actions: list[Any]) -> list[Any]:
    return [one.order for one in actions if isinstance(one, Submit)]


def test_a_live_history_is_measured_when_the_wish_is_decided() -> None:
    """True ranges of 2 on every bar: 1 % of 10,000 over 2 is 50, worth 5,000."""
    core = core_of(sz.PercentVolatility(0.01, length=3, caps=sz.Caps(position=None)))
    for slot in range(5):
        hear(core, slot, {"A/USDT": 100.0})
    (order,) = sent(hear(core, 5, {"A/USDT": 100.0}, {"A/USDT": "buy"}))
    assert order.quantity == 50.0
    assert core.sizer.last is not None and core.sizer.last.measure == 2.0
    assert core.sizer.memory.measured == {}


def test_what_a_shell_has_measured_beforehand_is_the_same() -> None:
    rng = np.random.default_rng(3)
    closes = 100.0 + np.cumsum(rng.standard_normal(40))
    core = core_of(sz.VolatilityTarget(length=10))
    found = []
    for slot, close in enumerate(closes):
        hear(core, slot, {"A/USDT": float(close)})
        found.append(core.sizer.measure("A/USDT"))
    bars = wb.Bars(
        instrument=core.markets["A/USDT"].instrument, timeframe="1h", ts=np.arange(40) * HOUR, open=closes,
        high=closes + 1.0, low=closes - 1.0, close=closes, volume=np.ones(40),
    )  # fmt: skip
    np.testing.assert_allclose(found, sz.VolatilityTarget(length=10).measures([bars])["A/USDT"], rtol=1e-9)


def test_orders_that_have_not_filled_count_to_the_caps() -> None:
    core = core_of(sz.PercentEquity(0.2, caps=sz.Caps(position=0.3, total=0.35)))
    both = hear(core, 0, {"A/USDT": 100.0, "B/USDT": 100.0}, {"A/USDT": "buy", "B/USDT": "buy"})
    first, second = sent(both)
    assert (first.quantity, second.quantity) == (20.0, 15.0)  # 15 % of the equity was left for both
    fills(core, first, 100.0, 8.0)
    assert sent(hear(core, 1, {"A/USDT": 100.0, "B/USDT": 100.0}, {"A/USDT": "buy"})) == []
    refusal = core.refusals[-1]
    assert (refusal.code, refusal.why) == ("cap_reached", "the total cap is reached: nothing more may be added")


def test_what_closes_takes_no_room_and_what_turns_a_position_has_more() -> None:
    """20 at 100 are a fifth of 10,000. A sale of them that rests takes nothing of the cap; 40 turn them."""
    core = core_of(sz.PercentEquity(0.4, caps=sz.Caps(position=0.2, total=0.25)))
    (order,) = sent(hear(core, 0, {"A/USDT": 100.0, "B/USDT": 100.0}, {"A/USDT": "buy"}))
    fills(core, order, 100.0)
    core.desk.take(core.view.limit("sell", 20.0, price=120.0, symbol="A/USDT"))
    assert len(sent(hear(core, 1, {"A/USDT": 100.0, "B/USDT": 100.0}))) == 1
    (other,) = sent(hear(core, 2, {"A/USDT": 100.0, "B/USDT": 100.0}, {"B/USDT": "buy"}))
    assert other.quantity == 5.0
    (turns,) = sent(hear(core, 3, {"A/USDT": 100.0, "B/USDT": 100.0}, {"A/USDT": "sell"}))
    assert turns.quantity == pytest.approx(40.0)


def test_a_limit_order_is_sized_at_its_price_and_forgotten_when_cancelled() -> None:
    core = core_of(sz.PercentEquity(0.1))
    (order,) = sent(hear(core, 0, {"A/USDT": 100.0}, {"A/USDT": 80.0}))
    assert order.quantity == 12.5
    core.view.memory["A/USDT"] = "buy"
    bar = Bar("A/USDT", HOUR, 2 * HOUR, 100.0, 101.0, 99.0, 100.0, 1.0, "1h")
    core.main["A/USDT"].append(bar)
    core.handle(bar)
    (wish,) = core.desk.intents
    assert list(core.sizer.memory.measured) == [wish.id]
    core.desk.take(core.view.cancel(wish.id))
    assert core.sizer.memory.measured == {} and core.desk.intents == []
    assert [type(one) for one in hear(core, 2, {"A/USDT": 100.0}, {"A/USDT": order.id})] == [CancelOrder]


def trade(core: Core, slot: int, into: float, out: float, fee: float = 0.0) -> None:
    (order,) = sent(hear(core, slot, {"A/USDT": into}, {"A/USDT": "buy"}))
    fills(core, order, into, fee=fee)
    (leaves,) = sent(hear(core, slot + 1, {"A/USDT": out}, {"A/USDT": "close"}))
    fills(core, leaves, out, order.quantity, fee)


def test_a_restored_core_sizes_as_the_one_that_went_on() -> None:
    sizing = sz.Kelly(1.0, min_trades=2, lookback=3, start=0.1, caps=sz.Caps(position=None))
    core = core_of(sizing)
    trade(core, 0, 100.0, 110.0)
    trade(core, 2, 100.0, 95.0)
    core.view.memory["A/USDT"] = "buy"
    bar = Bar("A/USDT", 4 * HOUR, 5 * HOUR, 100.0, 101.0, 99.0, 100.0, 1.0, "1h")
    core.main["A/USDT"].append(bar)
    core.handle(bar)
    kept = json.loads(json.dumps(core.snapshot()))
    again = core_of(sizing)
    again.restore(kept)
    assert again.sizer.memory.returns == core.sizer.memory.returns == pytest.approx([0.1, -0.05])
    assert again.sizer.memory.peak == core.sizer.memory.peak > 10_000.0
    orders = [sent(list(one.handle(Opened(5 * HOUR, {"A/USDT": 100.0})))) for one in (core, again)]
    assert orders[0][0].quantity == orders[1][0].quantity > 0.0
    assert json.dumps(again.snapshot()) == json.dumps(core.snapshot())


def test_a_snapshot_of_a_core_without_sizing_is_as_it_was() -> None:
    core = core_of(None)
    hear(core, 0, {"A/USDT": 100.0}, {"A/USDT": 80.0})
    kept = core.snapshot()
    assert "sizing" not in kept
    later = core_of(sz.FixedCash(500.0))
    later.restore(kept)
    assert later.sizer.memory.returns == []


def filled(side: str, quantity: float, price: float, fee: float = 0.0, order: str = "x") -> Filled:
    return Filled(0, order, "A/USDT", side, quantity, price, fee, False, price, "order", 0)


LINEAR = wb.Instrument(symbol="A/USDT", quote="USDT", contract_size=2.0)


def test_a_trade_in_parts_is_one_return() -> None:
    """Bought 1 at 100 and 1 at 110 (two units each), sold 0.5 at 120 and 1.5 at 90: -0.03 after fees and funding."""
    memory = Remembered(5, 1_000.0)
    steps = [("buy", 1.0, 100.0, 0.0, 1.0), ("buy", 1.0, 110.0, 1.0, 2.0), ("sell", 0.5, 120.0, 2.0, 1.5)]
    for number, (side, quantity, price, before, after) in enumerate(steps):
        assert not memory.filled(filled(side, quantity, price, 1.0, str(number)), before, after, LINEAR)
    assert memory.entered("A/USDT") == (2, 110.0)
    memory.funded("A/USDT", "net", -2.0)
    assert memory.filled(filled("sell", 1.5, 90.0, 1.0, "9"), 1.5, 0.0, LINEAR)
    worth, got = 2.0 * (100.0 + 110.0), 2.0 * (0.5 * 120.0 + 1.5 * 90.0)
    assert memory.returns == pytest.approx([(got - worth - 4.0 - 2.0) / worth])
    assert memory.entered("A/USDT")[0] == 0 and math.isnan(memory.entered("A/USDT")[1])


def test_a_fill_across_zero_ends_one_trade_and_begins_another() -> None:
    memory = Remembered(5, 1_000.0)
    memory.filled(filled("buy", 1.0, 100.0), 0.0, 1.0, LINEAR)
    assert memory.filled(filled("sell", 3.0, 110.0), 1.0, -2.0, LINEAR)
    assert memory.returns == pytest.approx([0.1])
    assert memory.filled(filled("buy", 2.0, 99.0), -2.0, 0.0, LINEAR)
    assert memory.returns == pytest.approx([0.1, 0.1])


def test_fills_of_one_order_are_one_entry_and_only_so_many_trades_are_kept() -> None:
    memory = Remembered(2, 1_000.0)
    for before in (0.0, 1.0, 2.0):
        memory.filled(filled("buy", 1.0, 100.0), before, before + 1.0, LINEAR)
    assert memory.entered("A/USDT") == (1, 100.0)
    for price in (110.0, 120.0, 130.0):
        memory.filled(filled("sell", 3.0, price), 3.0, 0.0, LINEAR)
        memory.filled(filled("buy", 3.0, 100.0), 0.0, 3.0, LINEAR)
    assert memory.returns == pytest.approx([0.2, 0.3])


def test_inverse_trades_are_reckoned_in_coins() -> None:
    """100 USD a contract, from 50 to 100: 2 coins become worth 1, so a long gains one of two."""
    coins = wb.Instrument(symbol="A/USDT", quote="USDT", kind="inverse", contract_size=100.0)
    memory = Remembered(5, 10.0)
    memory.filled(filled("buy", 1.0, 50.0), 0.0, 1.0, coins)
    memory.filled(filled("sell", 1.0, 100.0), 1.0, 0.0, coins)
    assert memory.returns == pytest.approx([0.5])


def test_funding_of_a_core_counts_to_the_trade() -> None:
    core = core_of(sz.AntiMartingale(sz.PercentEquity(0.1)), kind="linear")
    (order,) = sent(hear(core, 0, {"A/USDT": 100.0}, {"A/USDT": "buy"}))
    fills(core, order, 100.0)
    core.handle(Funded(core.now, "A/USDT", order.quantity, 100.0, 0.01, -10.0))
    (leaves,) = sent(hear(core, 1, {"A/USDT": 100.0}, {"A/USDT": "close"}))
    fills(core, leaves, 100.0, order.quantity)
    assert core.sizer.memory.returns == pytest.approx([-0.01])
