"""Triangular arbitrage in a cash account of several currencies: core and venue, on prices worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as wb
from tests.strategy.library.cases import path
from workbench.errors import DataError, StrategyError
from workbench.strategy.library import Triangular
from workbench.trading.account import Account
from workbench.trading.core import Core, traded
from workbench.trading.events import Bar, Event, Filled, Opened
from workbench.trading.history import History
from workbench.trading.terms import AccountTerms, CostTerms, Lots
from workbench.trading.venue import Venue

HOUR = 3_600_000
FEE = 0.001
FACTS = {
    "BTC/USDT": wb.Instrument(symbol="BTC/USDT", quote="USDT"),
    "ETH/BTC": wb.Instrument(symbol="ETH/BTC", quote="BTC"),
    "ETH/USDT": wb.Instrument(symbol="ETH/USDT", quote="USDT"),
}
Prices = tuple[float, float, float]


class Floor:
    """A core and a venue, and three still bars an hour: what closes at a price opens there, unless it is said."""

    def __init__(self, strategy: Any, fee: float = FEE) -> None:
        costs, lots = CostTerms(taker=fee, maker=fee), Lots()

        def books() -> Account:
            return Account({"USDT": 10_000.0}, AccountTerms("cash"), FACTS.values())

        terms = dict.fromkeys(FACTS, costs)
        self.venue = Venue(FACTS, books(), terms, dict.fromkeys(FACTS, lots), {})
        self.core = Core(strategy, books(), {symbol: traded(one, lots, costs) for symbol, one in FACTS.items()})
        self.core.estimate = self.venue.estimate
        self.histories = {symbol: History(symbol, "1h") for symbol in FACTS}
        for history in self.histories.values():
            self.core.watch(history)
        self.now, self.fills = 0, []  # type: int, list[Filled]

    def deliver(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Filled):
                self.fills.append(event)
            for action in self.core.handle(event):
                self.deliver(self.venue.handle(action))

    def hour(self, closes: Prices, opens: Prices | None = None) -> None:
        """One hour: opens, then closes."""
        starts = dict(zip(FACTS, opens or closes, strict=True))
        for symbol, price in starts.items():
            self.deliver(self.venue.open(self.now, symbol, price, 1e9))
        self.deliver([Opened(self.now, starts)])
        bars = [
            Bar(symbol, self.now, self.now + HOUR, price, price, price, price, 1e9, "1h")
            for symbol, price in zip(FACTS, closes, strict=True)
        ]
        for bar in bars:
            self.venue.close(bar.symbol, bar.close, bar.ts)
            self.histories[bar.symbol].append(bar)
        for bar in bars:
            self.deliver([bar])
        self.now += HOUR

    @property
    def legs(self) -> list[tuple[str, str]]:
        return [(fill.side, fill.symbol) for fill in self.fills]


def test_forward_round_by_hand():
    # 1 / 100 / 0.1 x 10.2 = 1.02, less three fees of 0.1 %: 1.0169
    floor = Floor(Triangular(capital=0.5, guard=0.0, min_profit=0.01))
    floor.hour((100.0, 0.1, 10.2))
    floor.hour((100.0, 0.1, 10.0), opens=(100.0, 0.1, 10.2))
    assert floor.legs == [("buy", "BTC/USDT"), ("buy", "ETH/BTC"), ("sell", "ETH/USDT")]
    ether = 50.0 / 0.1 / (1 + FEE)  # what 50 BTC buy, its fee being paid in BTC
    spent, got = 50.0 * 100 * (1 + FEE), ether * 10.2 * (1 - FEE)
    assert floor.core.account.balance("USDT") == pytest.approx(10_000 - spent + got)
    assert floor.core.account.balance("BTC") == pytest.approx(0.0, abs=1e-8)
    assert floor.core.account.balance("ETH") == pytest.approx(0.0, abs=1e-8)
    assert got / spent - 1 == pytest.approx(1.02 * (1 - FEE) / (1 + FEE) ** 2 - 1)
    assert floor.core.account.equity == pytest.approx(10_000 - spent + got)
    assert floor.core.refusals == []


def test_backward_round_by_hand():
    # 1 / 10 x 0.103 x 100 = 1.03
    floor = Floor(Triangular(capital=0.5, guard=0.0, min_profit=0.01))
    floor.hour((100.0, 0.103, 10.0))
    floor.hour((100.0, 0.1, 10.0), opens=(100.0, 0.103, 10.0))
    assert floor.legs == [("buy", "ETH/USDT"), ("sell", "ETH/BTC"), ("sell", "BTC/USDT")]
    bitcoin = 500 * 0.103 * (1 - FEE)
    assert floor.core.account.equity == pytest.approx(10_000 - 5_000 * (1 + FEE) + bitcoin * 100 * (1 - FEE))
    assert floor.core.account.balance("BTC") == pytest.approx(0.0, abs=1e-8)


def test_what_does_not_pay_three_fees_is_left():
    floor = Floor(Triangular(min_profit=0.0))
    for cross in (0.1, 0.0998, 0.1002):
        floor.hour((100.0, cross, 10.0))
    assert floor.fills == []
    floor = Floor(Triangular(min_profit=0.0), fee=0.0)
    floor.hour((100.0, 0.0998, 10.0))
    floor.hour((100.0, 0.0998, 10.0))
    assert len(floor.fills) == 3


def test_a_leg_that_ran_away_leaves_a_coin_that_is_sold_on_the_next_bar():
    floor = Floor(Triangular(capital=0.5, guard=0.001, min_profit=0.005))
    floor.hour((100.0, 0.1, 10.2))
    floor.hour((100.0, 0.102, 10.2), opens=(100.0, 0.102, 10.2))  # the cross pair is two per cent away: not bought
    # bought one coin; could neither change it nor sell the other, which it does not have
    assert floor.legs == [("buy", "BTC/USDT")]
    floor.hour((100.0, 0.102, 10.2))
    assert floor.legs[1:] == [("sell", "BTC/USDT")]
    assert floor.core.account.balance("BTC") == pytest.approx(0.0, abs=1e-6)


def test_it_goes_round_again_and_again_and_both_books_agree():
    floor = Floor(Triangular(capital=0.5, guard=0.002, min_profit=0.001))
    for number in range(12):
        floor.hour((100.0, 0.1 * (1 + 0.01 * (-1) ** (number // 2)), 10.0))
    assert len(floor.fills) > 12
    assert floor.core.account.balances() == floor.venue.account.balances()
    assert min(floor.core.account.balances().values()) >= 0.0


def test_it_says_what_it_needs():
    with pytest.raises(StrategyError, match="needs three pairs of three coins"):
        wb.backtest(Triangular(), path(100, 101), path="event")
    with pytest.raises(DataError, match="paid for in different currencies"):
        wb.backtest(Triangular(), [path(100, 101, instrument=one) for one in FACTS.values()], path="event")
