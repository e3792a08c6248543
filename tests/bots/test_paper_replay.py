"""A paper bot on a tape trades exactly what the backtest of its bars does, though it knows only what has closed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.backtest.prepare import prepare
from workbench.bots.mind import Mind
from workbench.bots.papering import PaperReplay
from workbench.market.lake import Lake
from workbench.reporting.strategy_page import sample_bars
from workbench.strategy import library
from workbench.trading.events import Bar, Filled, Marked, Submit, from_plain, to_plain

STARTS = {"momentum": "2015-01-01", "pairs": "2015-01-01", "rebalancer": "2015-01-01"}
LIBRARY = [name for name in library.names() if name != "triangular"]
FILES = ("bollinger_squeeze", "donchian_breakout", "macd_trend", "rsi_reversion", "session_dip", "sma_cross")
RULES = wb.Rules(limit_fill="through")


def papered(strategy: Any, bars: Any, **options: Any) -> tuple[PaperReplay, list[Any]]:
    heard: list[Any] = []
    plan = prepare(strategy, bars, **options)
    bot = PaperReplay(plan, Mind(plan, name="backtest"), heard.append)
    bot.go()
    return bot, heard


def assert_equal(strategy: Any, bars: Any, **options: Any) -> list[Any]:
    wanted = wb.backtest(strategy, bars, path="event", **options).records
    bot, heard = papered(strategy, bars, **options)
    found = bot.log.records(bot)
    assert len(wanted.fills) and np.array_equal(wanted.fills, found.fills)
    assert np.array_equal(wanted.equity, found.equity)
    assert np.array_equal(wanted.funding, found.funding)
    assert [one["status"] for one in wanted.orders] == [one["status"] for one in found.orders]
    return heard


def shortened(bars: Any, most: int = 700) -> Any:
    """Give the beginning of each series, all of one length of time."""
    series = bars if isinstance(bars, list) else [bars]
    end = min(int(one.ts[min(most, len(one)) - 1]) + one.timeframe.ms for one in series)
    return [one.between(None, end) for one in series]


@pytest.mark.parametrize("name", LIBRARY)
def test_every_strategy_of_the_library_trades_the_same(name: str, lake: Lake) -> None:
    bars = shortened(sample_bars(name, start=STARTS.get(name, "2023-10-01"), source=lake), 700)
    assert_equal(library.get(name)(), bars, rules=RULES)


@pytest.mark.parametrize("kind", ["py", pytest.param("yaml", marks=pytest.mark.long)])
@pytest.mark.parametrize("name", FILES)
def test_every_bundled_file_trades_the_same(name: str, kind: str, lake: Lake) -> None:
    hourly = lake.read("BTC/USDT", "1h", "2021-01-01", "2021-02-10")
    bars = (
        hourly if name in ("session_dip", "rsi_reversion") else lake.read("BTC/USDT", "1d", "2018-06-01", "2020-10-01")
    )
    assert_equal(wb.load_strategy(f"{name}.{kind}")(), bars)


def test_stops_protections_and_several_instruments_trade_the_same(lake: Lake) -> None:
    both = [lake.read("KO", "1d", "2015-01-01", "2017-06-01"), lake.read("XOM", "1d", "2015-03-01", "2017-01-01")]
    strategy = wb.load_strategy("sma_cross")(fast=3, slow=9)
    for name, value in (("stop_loss", 0.02), ("take_profit", 0.05), ("trailing_stop", 0.03), ("max_bars", 12)):
        object.__setattr__(strategy, name, value)
    rules = wb.Rules(protections=[wb.Cooldown(3), wb.StopGuard(limit=2, lookback=30, pause=10)])
    assert_equal(strategy, both, rules=rules, leverage=2.0)


class Ratchet(wb.SignalStrategy):
    """Long on every tenth bar, with a stop of its own that follows the lows."""

    def signals(self, bars: wb.Bars) -> wb.Signals:
        entry = np.arange(len(bars)) % 10 == 3
        return wb.Signals(entry=entry, stop_price=bars.low * 0.985, roi={0: 0.05, 600: 0.01})


def test_stops_of_a_strategy_that_move_and_a_ladder_trade_the_same(lake: Lake) -> None:
    heard = assert_equal(Ratchet(), lake.read("BTC/USDT", "1h", "2021-01-01", "2021-02-01"))
    assert {"custom_stop", "roi"} <= {one.reason for one in heard if type(one) is Filled}


def test_what_was_heard_makes_another_mind_say_the_same(lake: Lake) -> None:
    bars = lake.read("BTC/USDT", "1h", "2021-01-01", "2021-02-01")
    strategy = library.get("grid")()
    bot, heard = papered(strategy, bars, rules=RULES)
    again = Mind(bot.plan, name="backtest")
    again.core.estimate = bot.venue.estimate
    actions = {"Submit", "CancelOrder", "AmendOrder", "SetTimer", "Alert"}
    said: list[Any] = []
    for one in heard:
        read = from_plain(to_plain(one))
        if type(one).__name__ not in actions:
            said += again.handle(read)
    assert len(said) > 40 and any(type(one) is Submit for one in said)
    assert again.snapshot() == bot.mind.snapshot()
    assert sum(type(one) is Bar for one in heard) == len(bars)
    assert [one.price for one in heard if type(one) is Marked] == bars.close.tolist()
