"""On bars alone a paper broker fills exactly as the backtest's event path does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.bots.brokers.paper_stage import Alike
from workbench.backtest.prepare import prepare
from workbench.bots.mind import Mind
from workbench.market.lake import Lake
from workbench.reporting.strategy_page import sample_bars
from workbench.strategy import library

SEVERAL = {"arbitrage", "pairs", "rebalancer", "triangular", "momentum", "cash_and_carry"}
LIBRARY = [name for name in library.names() if name not in SEVERAL]


def assert_alike(strategy: Any, bars: Any, **options: Any) -> Any:
    wanted = wb.backtest(strategy, bars, path="event", **options).records
    plan = prepare(strategy, bars, **options)
    bot = Alike(plan, Mind(plan, name="backtest"))
    bot.go()
    found = bot.log.records(bot)
    assert len(wanted.fills)
    assert np.array_equal(wanted.fills, found.fills)
    assert np.array_equal(wanted.funding, found.funding)
    return bot


@pytest.mark.parametrize("name", LIBRARY)
def test_every_strategy_of_the_library_fills_the_same(name: str, lake: Lake) -> None:
    bars = sample_bars(name, start="2023-10-01", source=lake)
    series = bars if isinstance(bars, list) else [bars]
    assert_alike(library.get(name)(), series[0].between(None, int(series[0].ts[min(700, len(series[0]) - 1)])))
