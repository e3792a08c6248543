"""A position against plain rational arithmetic: average cost, lots, and the money that both come to."""

from __future__ import annotations

import json
import math
from collections import deque
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.trading.positions import Position

# quantities in lots of 0.001 and prices in ticks of 0.01, as a venue has them
Trade = tuple[int, int]
trades = st.lists(
    st.tuples(st.integers(-100_000, 100_000).filter(bool), st.integers(1, 1_000_000)), min_size=1, max_size=40
)


def book(position: Position, done: list[Trade]) -> Position:
    for ts, (lots, ticks) in enumerate(done):
        position.apply(lots / 1_000, ticks / 100, 0.0, ts)
    return position


class Reference:
    """Average cost and first-in-first-out, in fractions, with a loop each."""

    def __init__(self, inverse: bool) -> None:
        self.inverse = inverse
        self.quantity = self.cost = self.realised = self.realised_fifo = Fraction(0)
        self.lots: deque[list[Fraction]] = deque()

    def worth(self, quantity: Fraction, price: Fraction) -> Fraction:
        return -quantity / price if self.inverse else quantity * price

    def apply(self, change: Fraction, price: Fraction) -> None:
        closing = min(abs(change), abs(self.quantity)) * (1 if change > 0 else -1) if self.quantity * change < 0 else 0
        if closing:
            part = self.cost * -closing / self.quantity
            self.realised += self.worth(-closing, price) - part
            self.cost -= part
            self.quantity += closing
            self._use_up(-closing, price)
        if change != closing:
            self.quantity += change - closing
            self.cost += self.worth(change - closing, price)
            self.lots.append([change - closing, price])

    def _use_up(self, used: Fraction, price: Fraction) -> None:
        while used:
            lot = self.lots[0]
            part = min(abs(lot[0]), abs(used)) * (1 if used > 0 else -1)
            self.realised_fifo += self.worth(part, price) - self.worth(part, lot[1])
            lot[0] -= part
            used -= part
            if not lot[0]:
                self.lots.popleft()


@given(trades, st.booleans(), st.integers(1, 1_000_000))
@example([(13_909, 1)], False, 435_980)
def test_it_says_what_fractions_say(done: list[Trade], inverse: bool, mark: int) -> None:
    position, exact = book(Position("X", inverse=inverse), done), Reference(inverse)
    for lots, ticks in done:
        exact.apply(Fraction(lots, 1_000), Fraction(ticks, 100))
    price = Fraction(mark, 100)
    turnover = sum(abs(exact.worth(Fraction(lots, 1_000), Fraction(ticks, 100))) for lots, ticks in done)
    near = 1e-12 * float(turnover) + 1e-11
    worth = exact.worth(exact.quantity, price)
    marked = near + 1e-12 * abs(float(worth))  # a mark far above all prices paid has digits of its own
    fifo_cost = sum((exact.worth(quantity, paid) for quantity, paid in exact.lots), Fraction(0))
    assert position.quantity == pytest.approx(float(exact.quantity), rel=1e-12)
    assert (position.quantity == 0.0) == (exact.quantity == 0)
    assert position.cost == pytest.approx(float(exact.cost), abs=near)
    assert position.realised == pytest.approx(float(exact.realised), abs=near)
    assert position.unrealised(mark / 100) == pytest.approx(float(worth - exact.cost), abs=marked)
    assert position.realised_fifo == pytest.approx(float(exact.realised_fifo), abs=near)
    assert position.unrealised_fifo(mark / 100) == pytest.approx(float(worth - fifo_cost), abs=marked)
    assert [(q, p) for q, p, _ in position.lots] == [
        (pytest.approx(float(q), rel=1e-9), float(p)) for q, p in exact.lots
    ]


@given(trades, st.booleans(), st.integers(1, 1_000_000))
def test_both_ways_of_counting_come_to_the_same_total(done: list[Trade], inverse: bool, mark: int) -> None:
    position = book(Position("X", contract_size=0.1, inverse=inverse), done)
    average = position.realised + position.unrealised(mark / 100)
    by_lots = position.realised_fifo + position.unrealised_fifo(mark / 100)
    assert by_lots == pytest.approx(average, rel=1e-12, abs=1e-8)


@given(trades, st.booleans(), st.integers(0, 40))
def test_restored_it_goes_on_as_if_nothing_had_been(done: list[Trade], inverse: bool, at: int) -> None:
    whole = book(Position("X", "long", contract_size=0.1, inverse=inverse), done)
    first = book(Position("X", "long", contract_size=0.1, inverse=inverse), done[:at])
    again = Position.restore(json.loads(json.dumps(first.snapshot(), allow_nan=False)))
    for ts, (lots, ticks) in enumerate(done[at:], start=len(done[:at])):
        again.apply(lots / 1_000, ticks / 100, 0.0, ts)
    assert again.snapshot() == whole.snapshot()


def test_open_add_reduce_turn_round_and_close() -> None:
    position = Position("BTC/USDT")
    assert (position.quantity, position.opened, position.unrealised(5.0), position.value(5.0)) == (0.0, 0, 0.0, 0.0)
    assert math.isnan(position.price)
    assert position.apply(2.0, 100.0, 0.2, 1) == -200.0
    assert position.apply(2.0, 110.0, 0.2, 2) == -220.0
    assert (position.quantity, position.price, position.opened) == (4.0, 105.0, 1)
    assert position.apply(-1.0, 120.0, 0.1, 3) == 120.0
    assert (position.quantity, position.price, position.realised, position.realised_fifo) == (3.0, 105.0, 15.0, 20.0)
    assert list(position.lots) == [(1.0, 100.0, 1), (2.0, 110.0, 2)]
    assert (position.unrealised(120.0), position.unrealised_fifo(120.0)) == (45.0, 40.0)
    position.settle(-1.5)
    assert (position.funding, position.settled) == (-1.5, -1.5)
    position.apply(-5.0, 120.0, 0.5, 4)
    assert (position.quantity, position.price, position.opened, position.settled) == (-2.0, 120.0, 4, 0.0)
    assert (position.realised, position.funding) == (60.0, -1.5)
    position.settle(0.5)
    position.apply(2.0, 90.0, 0.2, 5)
    assert (position.funding, position.settled) == (-1.0, 0.0)
    assert (position.quantity, position.realised, position.realised_fifo, len(position.lots)) == (0.0, 120.0, 120.0, 0)
    assert math.isnan(position.price)
    assert position.fees == pytest.approx(1.2)
    assert repr(position) == "<Position BTC/USDT net: 0.0 at nan>"


def test_an_inverse_position_earns_coins() -> None:
    position = Position("BTC/USD:BTC", contract_size=100.0, inverse=True)
    position.apply(10.0, 20_000.0, 0.0, 1)
    position.apply(10.0, 40_000.0, 0.0, 2)
    assert position.price == pytest.approx(2_000 / (1_000 / 20_000 + 1_000 / 40_000))  # the harmonic mean
    assert position.unrealised(50_000.0) == pytest.approx(1_000 / 20_000 + 1_000 / 40_000 - 2_000 / 50_000)
    position.apply(-20.0, 50_000.0, 0.0, 3)
    assert position.realised == pytest.approx(0.035)


def test_the_rounding_of_floats_is_no_holding() -> None:
    position = Position("X")
    for quantity in (0.1, 0.2, -0.3):
        position.apply(quantity, 10.0, 0.0, 0)
    assert (position.quantity, len(position.lots)) == (0.0, 0)
    for _ in range(100):
        position.apply(0.1, 10.0, 0.0, 0)
    position.apply(-10.0, 11.0, 0.0, 0)
    assert (position.quantity, len(position.lots)) == (0.0, 0)
    assert position.realised == pytest.approx(10.0)


def test_small_trades_on_a_large_holding_do_not_drift() -> None:
    position = book(Position("X"), [(100_000_000, 10_007)])
    exact = -Fraction(100_000.0 * 100.07)
    for turn in range(10_000):
        change, price = (0.1, 33.33) if turn % 2 == 0 else (-0.1, 33.47)
        position.apply(change, price, 0.0, turn)
        exact -= Fraction(change * price)
    total = position.realised + position.unrealised(100.07)
    assert total == pytest.approx(float(exact + Fraction(position.quantity) * Fraction(100.07)), abs=1e-8)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"version": 0}, "position of version 0 cannot be read"), ({"lots": 3}, "damaged"), ({"lots": [[1]]}, "damaged")],
)
def test_a_snapshot_that_cannot_be_read_is_refused(change: dict, said: str) -> None:
    data = {**Position("X").snapshot(), **change}
    with pytest.raises(DataError, match=said):
        Position.restore(data)
    del data["version"]
    with pytest.raises(DataError, match="version None"):
        Position.restore(data)
