"""Impact, whole fees, leveraged sizes, volume and funding: worked by hand, their properties, the same when compiled."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given

from workbench._kernels import kernel
from workbench.trading import arithmetic as a

NAN = math.nan
PRICES = st.floats(1e-6, 1e6)
QUANTITIES = st.floats(1e-9, 1e9)
SIGNED = QUANTITIES | QUANTITIES.map(lambda quantity: -quantity)
RATES = st.floats(-0.001, 0.05)
COSTS = st.floats(0.0, 10.0)
MONEY = st.floats(0.01, 1e9)
LEVERAGES = st.sampled_from([1.0, 2.0, 3.0, 10.0, 125.0])
KINDS = st.sampled_from([0, 1, 2])

# ------------------------------------------------------------------------------------------------------ worked by hand


def test_impact() -> None:
    assert a.impact(0, 0.1, 50.0, 100.0, 0.02) == 0.0
    assert a.impact(1, 0.1, 50.0, 100.0, NAN) == pytest.approx(0.1 * 0.25)
    assert a.impact(2, 0.5, 25.0, 100.0, 0.02) == pytest.approx(0.5 * 0.02 * 0.5)
    assert a.impact(1, 0.1, 500.0, 100.0, NAN) == pytest.approx(0.1)  # an order is at most all that was traded
    assert a.impact(1, 0.1, 5.0, 0.0, 0.02) == a.impact(2, 0.5, 5.0, 100.0, NAN) == 0.0
    assert a.impact(1, 0.1, 5.0, NAN, 0.02) == a.impact(2, 0.5, 5.0, 100.0, 0.0) == 0.0


def test_execution_fee() -> None:
    # 3 units at 100: 0.1 percent of 300, 0.02 a unit, 1 an order
    assert a.execution_fee(100.0, 3.0, 0.001, 0.02, 1.0) == pytest.approx(0.3 + 0.06 + 1.0)
    assert a.execution_fee(100.0, -3.0, 0.001, 0.02, 1.0) == pytest.approx(1.36)
    assert a.execution_fee(100.0, 3.0, -0.0001, 0.0, 0.0) == pytest.approx(-0.03)  # a maker's rebate


def test_volume_budget() -> None:
    assert a.volume_budget(200.0, 0.1) == 20.0
    assert a.volume_budget(0.0, 0.1) == 0.0
    assert a.volume_budget(0.0, math.inf) == a.volume_budget(5.0, math.inf) == math.inf


def test_leveraged_quantity() -> None:
    # 1000 at 10x and 0.1 percent: value v with v / 10 + 0.001 v = 1000, at a price of 50
    assert a.leveraged_quantity(1_000.0, 50.0, 0.001, 10.0, 0.0, 0.0) == pytest.approx(1_000 / 0.101 / 50)
    assert a.leveraged_quantity(1_000.0, 50.0, 0.0, 1.0, 0.0, 100.0) == 18.0
    assert a.leveraged_quantity(1_000.0, 50.0, 0.0, 1.0, 50.0, 0.0) == 10.0
    assert (
        a.leveraged_quantity(0.5, 50.0, 0.0, 1.0, 0.0, 1.0) == a.leveraged_quantity(-1.0, 50.0, 0.0, 1.0, 0, 0) == 0.0
    )


def test_funding_amount() -> None:
    # a rate of one basis point on 2 units at 100: the long pays 0.02 and the short has it
    assert a.funding_amount(2.0, 100.0, 0.0001) == pytest.approx(-0.02)
    assert a.funding_amount(-2.0, 100.0, 0.0001) == pytest.approx(0.02)
    assert a.funding_amount(2.0, 100.0, -0.0001) == pytest.approx(0.02)


# --------------------------------------------------------------------------------------------------------- properties


@given(kind=KINDS, coefficient=st.floats(0, 1), small=QUANTITIES, large=QUANTITIES, volume=QUANTITIES)
def test_impact_grows_with_the_order_up_to_the_volume(
    kind: int, coefficient: float, small: float, large: float, volume: float
) -> None:
    small, large = sorted((small, large))
    least, most = (a.impact(kind, coefficient, quantity, volume, 0.5) for quantity in (small, large))
    assert 0.0 <= least <= most <= a.impact(kind, coefficient, volume, volume, 0.5)
    assert a.impact(kind, coefficient, -large, volume, 0.5) == most


@given(kind=KINDS, quantity=st.integers(1, 2**20), volume=st.integers(1, 2**20), power=st.integers(0, 20))
def test_impact_knows_shares_not_units(kind: int, quantity: int, volume: int, power: int) -> None:
    scale = 2.0**power
    assert a.impact(kind, 0.3, quantity * scale, volume * scale, 0.02) == a.impact(kind, 0.3, quantity, volume, 0.02)


@given(price=PRICES, quantity=SIGNED, rate=RATES, per_unit=COSTS, per_order=COSTS)
def test_the_whole_fee_has_three_parts(
    price: float, quantity: float, rate: float, per_unit: float, per_order: float
) -> None:
    whole = a.execution_fee(price, quantity, rate, per_unit, per_order)
    assert whole == a.execution_fee(price, -quantity, rate, per_unit, per_order)
    assert whole == a.fee(price, quantity, rate) + abs(quantity) * per_unit + per_order
    assert a.execution_fee(price, quantity, rate, 0.0, 0.0) == a.fee(price, quantity, rate)


@given(price=PRICES, quantity=QUANTITIES, parts=st.floats(0.0, 1.0), rate=st.floats(0.0, 0.05), per_unit=COSTS)
def test_an_order_in_two_fills_costs_what_it_costs_in_one(
    price: float, quantity: float, parts: float, rate: float, per_unit: float
) -> None:
    first = a.execution_fee(price, parts * quantity, rate, per_unit, 1.0)
    second = a.execution_fee(price, quantity - parts * quantity, rate, per_unit, 0.0)
    assert first + second == pytest.approx(a.execution_fee(price, quantity, rate, per_unit, 1.0), rel=1e-9)


@given(budget=MONEY, price=PRICES, rate=st.floats(0, 0.05), leverage=LEVERAGES, per_unit=COSTS, per_order=COSTS)
def test_margin_and_fee_cost_exactly_the_budget(
    budget: float, price: float, rate: float, leverage: float, per_unit: float, per_order: float
) -> None:
    quantity = a.leveraged_quantity(budget, price, rate, leverage, per_unit, per_order)
    assert quantity >= 0.0
    assume(budget > per_order)
    spent = quantity * price / leverage + a.execution_fee(price, quantity, rate, per_unit, per_order)
    assert spent == pytest.approx(budget, rel=1e-9)


@given(budget=st.floats(-1e6, 1e9), price=PRICES, rate=st.floats(0, 0.05))
def test_leverage_of_one_is_a_purchase_paid_in_full(budget: float, price: float, rate: float) -> None:
    assert a.leveraged_quantity(budget, price, rate, 1.0, 0.0, 0.0) == a.affordable_quantity(budget, price, rate)


@given(quantity=SIGNED, mark=PRICES, rate=RATES)
def test_what_a_long_pays_a_short_receives(quantity: float, mark: float, rate: float) -> None:
    amount = a.funding_amount(quantity, mark, rate)
    assert amount == -a.funding_amount(-quantity, mark, rate) == -a.funding_amount(quantity, mark, -rate)
    assert amount == 0.0 or (amount > 0.0) is (quantity * rate < 0.0)


@given(volume=st.floats(0, 1e12), share=st.floats(0, 1) | st.just(math.inf))
def test_no_more_than_the_volume_can_be_had(volume: float, share: float) -> None:
    budget = a.volume_budget(volume, share)
    assert budget == math.inf if share == math.inf else 0.0 <= budget <= volume


ARGUMENTS: dict[Callable[..., Any], st.SearchStrategy[tuple[Any, ...]]] = {
    a.impact: st.tuples(KINDS, st.floats(0, 1), SIGNED, st.floats(0, 1e9) | st.just(NAN), RATES | st.just(NAN)),
    a.execution_fee: st.tuples(PRICES, SIGNED, RATES, COSTS, COSTS),
    a.leveraged_quantity: st.tuples(MONEY, PRICES, RATES, LEVERAGES, COSTS, COSTS),
    a.volume_budget: st.tuples(st.floats(0, 1e9), st.floats(0, 1) | st.just(math.inf)),
    a.funding_amount: st.tuples(SIGNED, PRICES, RATES),
}


@pytest.mark.parametrize("function", ARGUMENTS, ids=lambda function: function.__name__)
def test_compiled_gives_the_same(function: Callable[..., Any]) -> None:
    compiled = kernel(function)

    @given(ARGUMENTS[function])
    def equal(arguments: tuple[Any, ...]) -> None:
        assert compiled(*arguments) == function(*arguments)  # to the last bit: a trade depends on it

    equal()
