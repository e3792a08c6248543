"""Fees that a venue takes of the coins that were bought: so much less is held, and parts of a lot are written off."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

import workbench as wb
from workbench.trading.account import Account
from workbench.trading.core import Core, traded
from workbench.trading.events import CancelOrder, Filled, Marked, Opened, Started, Submit
from workbench.trading.minding import Minder
from workbench.trading.terms import AccountTerms, CostTerms, Lots

COIN = wb.Instrument(symbol="BTC/USDT", venue="practice", lot_size=0.001)


class Nobody(wb.OrderStrategy):
    """Does nothing."""


def machine() -> Core:
    core = Core(
        Nobody(),
        Account(1_000.0, AccountTerms(kind="cash"), [COIN]),
        {COIN.symbol: traded(COIN, Lots(0.01, 0.001), CostTerms())},
    )
    core.minder = Minder(core)
    return core


def fill(side: str, quantity: float, price: float, fee: float, coins: float = 0.0, id: str = "one") -> Filled:
    return Filled(1, id, COIN.symbol, side, quantity, price, fee, False, price, "order", 1, fee_base=coins)


def test_coins_that_the_venue_kept_are_not_held() -> None:
    core = machine()
    core.handle(fill("buy", 1.0, 100.0, 0.1, coins=0.001))
    assert core.account.quantity(COIN.symbol) == 0.999
    assert core.account.cash == pytest.approx(900.0)  # 100 were paid, and nothing for the fee
    assert core.account.equity == pytest.approx(999.9) and core.account.fees == pytest.approx(0.1)
    assert fill("sell", 1.0, 100.0, 0.1, coins=0.001).change == -1.001


def test_what_is_held_is_sold_and_parts_of_a_lot_are_written_off() -> None:
    core = machine()
    core.handle(fill("buy", 0.5, 100.0, 0.05, coins=0.0005))
    core.handle(Marked(1, COIN.symbol, 110.0))
    core.handle(fill("sell", 0.499, 110.0, 0.05489))
    assert core.account.positions == ()
    assert core.account.cash == pytest.approx(1_000.0 - 50.0 + 0.499 * 110.0 - 0.05489)  # what the venue has
    assert core.account.equity == pytest.approx(core.account.cash)
    assert core.account.fees == pytest.approx(0.05 + 0.05489 + 0.0005 * 110.0)
    again = machine()
    again.restore(json.loads(json.dumps(core.snapshot())))
    assert again.account.cash == core.account.cash and again.account.fees == core.account.fees


def test_what_was_just_bought_is_kept_however_little_it_is() -> None:
    core = machine()
    core.handle(fill("buy", 0.001, 100.0, 0.0001, coins=0.000001))
    assert core.account.quantity(COIN.symbol) == pytest.approx(0.000999)


def test_a_stop_is_as_large_as_whole_lots_of_what_is_held_and_goes_with_them() -> None:
    class Entering(wb.OrderStrategy):
        """Buys once, with a stop."""

        def on_start(self, view: Any) -> Any:
            return view.market("buy", 0.5, symbol=COIN.symbol, stop_loss=0.1)

    core = machine()
    core.trader = Entering()
    core.handle(Marked(0, COIN.symbol, 100.0))
    core.handle(Started(0))
    (entry,) = (one for one in core.handle(Opened(0, {COIN.symbol: 100.0})) if isinstance(one, Submit))
    actions = core.handle(fill("buy", 0.5, 100.0, 0.05, coins=0.0005, id=entry.order.id))
    (stop,) = (one.order for one in actions if isinstance(one, Submit))
    assert stop.quantity == 0.499 and math.isclose(stop.stop_price, 90.0)
    assert [type(one) for one in core.handle(fill("sell", 0.499, 110.0, 0.05))] == [CancelOrder]


def test_a_whole_lot_that_is_left_is_held_on() -> None:
    core = machine()
    core.handle(fill("buy", 0.5, 100.0, 0.05, coins=0.0005))
    core.handle(fill("sell", 0.498, 110.0, 0.05))
    assert core.account.quantity(COIN.symbol) == pytest.approx(0.0015)


def test_the_costs_of_an_unsold_remainder_are_those_of_the_trade() -> None:
    from workbench.bots.comparison.trips import trips_of

    told = [fill("buy", 0.5, 100.0, 0.05, coins=0.0005), fill("sell", 0.499, 110.0, 0.05489)]
    (trip,) = trips_of(told, {COIN.symbol: COIN}, {COIN.symbol: 110.0}, 2)
    core = machine()
    for one in told:
        core.handle(one)
    assert trip.reason != "open" and trip.pnl == pytest.approx(core.account.equity - 1_000.0)
