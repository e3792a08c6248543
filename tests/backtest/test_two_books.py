"""The books of the core and those of the venue: kept apart, fed by the same events, always the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.backtest.cases import arguments, cases
from workbench.backtest.event_path import Replay
from workbench.backtest.prepare import prepare
from workbench.trading.account import Account


def books(account: Account) -> dict[str, Any]:
    """What an account holds and owes, without the prices it was last told."""
    told = account.snapshot()
    return {"pools": told["pools"], "lines": [[symbol, leverage, legs] for symbol, leverage, _, legs in told["lines"]]}


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(case=cases())
def test_both_books_agree_after_every_event_and_no_money_appears(case: dict[str, Any]) -> None:
    replay = Replay(prepare(**arguments(case)))
    core, venue = replay.core, replay.venue
    handle = core.handle

    def handle_and_compare(event: Any) -> Any:
        actions = handle(event)
        if type(event).__name__ in ("Filled", "Funded"):
            compared.append(type(event).__name__)
        return actions

    compared: list[str] = []
    core.handle = handle_and_compare  # type: ignore[method-assign]
    mark, seen = replay.log.mark, [0]

    def mark_and_compare(shell: Replay, ts: int) -> None:
        assert books(core.account) == books(venue.account)
        seen[0] += 1
        mark(shell, ts)

    replay.log.mark = mark_and_compare  # type: ignore[method-assign]
    replay.go()
    account, fills = core.account, replay.log.fills
    assert books(account) == books(venue.account)
    assert len(compared) == len(fills) + len(replay.log.funding)
    earned = account.realised + account.unrealised - account.fees + account.funding
    assert account.equity == pytest.approx(case["cash"] + earned, rel=1e-12, abs=1e-8)
    assert account.fees == pytest.approx(sum(fill[6] for fill in fills), rel=1e-9, abs=1e-9)
    equity = replay.log.records(replay).equity
    assert np.isfinite(equity).all()


def test_a_book_that_misses_a_fill_is_noticed() -> None:
    """The comparison above can fail: books that differ by one fill are told apart."""
    from tests.backtest.cases import simplest

    case = simplest([(100, 101, 99, 100)] * 4, "1000")
    replay = Replay(prepare(**arguments(case)))
    replay.go()
    missed = Replay(prepare(**arguments(case)))
    assert books(replay.core.account) != books(missed.core.account)
