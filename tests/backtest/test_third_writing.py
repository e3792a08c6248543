"""The contract written a third time (`reference_contract`): what the package does is what its text says.

Held against the path that a user gets: compiled, or event by event where bars of several lengths drive a portfolio.
`test_two_paths` holds the two to each other.
"""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.backtest.cases import cases, run
from tests.backtest.parity import differences, explain, told_by_package, told_by_reference
from tests.backtest.reference_contract import Replay
from tests.backtest.test_two_paths import BY_HAND, CALM, PHASES
from tests.effort import examples

pytestmark = pytest.mark.deep

SHARDS: Final = 4
LONG: Final = 8_000


def assert_equal(case: dict[str, Any]) -> None:
    ours, reference = told_by_package(run(case, "auto").records), told_by_reference(Replay(case).run())
    found = differences(ours, reference, cash=case["cash"])
    assert not found, explain(case, ours, reference, found)


@settings(max_examples=examples(300), phases=PHASES, suppress_health_check=CALM)
@given(case=cases(most=1))
def test_one_instrument_trades_as_the_contract_says(case: dict[str, Any]) -> None:
    assert_equal(case)


@settings(max_examples=examples(200), phases=PHASES, suppress_health_check=CALM)
@given(case=cases())
def test_a_portfolio_trades_as_the_contract_says(case: dict[str, Any]) -> None:
    assert_equal(case)


@pytest.mark.parametrize("name", BY_HAND)
def test_what_is_seldom_is_as_the_contract_says(name: str) -> None:
    assert_equal(BY_HAND[name])


@pytest.mark.long
@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_contract_at_length(shard: int) -> None:
    @seed(100 + shard)
    @settings(max_examples=LONG // SHARDS, phases=PHASES, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases())
    def check(case: dict[str, Any]) -> None:
        assert_equal(case)

    check()
