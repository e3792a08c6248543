"""What the tests of the library share: made bars, fills as tuples, and running a strategy with restarts on the way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

import workbench as wb
from workbench.backtest.event_path import Replay
from workbench.backtest.event_setup import account_of, markets_of
from workbench.backtest.feed import Feed
from workbench.backtest.plan import Plan
from workbench.backtest.prepare import prepare
from workbench.trading.core import Core
from workbench.trading.events import Bar, to_plain

FREE = wb.Costs(fee=0, maker_fee=0, slippage_bps=0, volume_share=float("inf"))
HOUR = 3_600_000
SPOT = wb.Instrument(symbol="BTC/USDT", quote="USDT")
Row = tuple[float, float, float, float]


def bars_of(rows: Sequence[Row], instrument: wb.Instrument = SPOT, *, volume: float = 1e9) -> wb.Bars:
    opens, highs, lows, closes = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return wb.Bars(
        instrument=instrument, timeframe="1h", ts=np.arange(len(rows)) * HOUR,
        open=opens, high=highs, low=lows, close=closes, volume=np.full(len(rows), volume),
    )  # fmt: skip


def path(*closes: float, instrument: wb.Instrument = SPOT) -> wb.Bars:
    """Bars that go straight from one close to the next."""
    before = (closes[0], *closes[:-1])
    return bars_of(
        [(a, max(a, b), min(a, b), b) for a, b in zip(before, closes, strict=True)], instrument=instrument
    )  # fmt: skip


def walk(
    length: int, seed: int, *, drift: float = 0.0, size: float = 0.01, instrument: wb.Instrument = SPOT
) -> wb.Bars:
    """A random walk of bars with wicks."""
    rng = np.random.default_rng(seed)
    closes = 100.0 * np.exp(np.cumsum(rng.normal(drift, size, length)))
    opens = np.concatenate(([100.0], closes[:-1]))
    wick = np.exp(np.abs(rng.normal(0, size / 2, (2, length))))
    rows = zip(opens, np.maximum(opens, closes) * wick[0], np.minimum(opens, closes) / wick[1], closes, strict=True)
    return bars_of([tuple(map(float, row)) for row in rows], instrument=instrument)


def fills(result: wb.Result) -> list[tuple[int, str, float, float]]:
    """Bar, side, quantity and price of each fill, rounded to what a test can write down."""
    table = result.fills
    hours = table["time"].astype("datetime64[ms, UTC]").astype("int64") // HOUR
    rounded = (table["quantity"].round(8), table["price"].round(8))
    return list(zip(hours, table["side"], *rounded, strict=True))


def refusals(strategy: Any, bars: Any, **more: Any) -> list[str]:
    """The codes of all orders that gate or venue refused."""
    replay = Replay(prepare(strategy, bars, **more))
    replay.go()
    return [one.code for one in replay.core.refusals]


def told_and_done(strategy: Any, bars: Any, **more: Any) -> tuple[Plan, Replay, list[Any]]:
    """Replay a strategy and keep each event, what was known with it, and the actions that followed."""
    plan = prepare(strategy, bars, **more)
    replay, told = Replay(plan), []
    handle, listener = replay.core.handle, replay.core.listener

    def told_by(event: Any, handle: Any) -> Any:
        core = replay.core
        counts = [history.count for history in core.histories]
        prices = dict(core.prices)
        marks = {symbol: line.mark for symbol, line in core.account.lines.items()}
        actions = handle(event)
        told.append((event, counts, prices, marks, [json.dumps(to_plain(one)) for one in actions]))
        return actions

    def listen(event: Any) -> Any:  # bars are told by their listener
        return handle(event) if type(event) is Bar else told_by(event, handle)

    def listener_of(symbol: str) -> Any:
        inner = listener(symbol)
        return lambda bar: told_by(bar, inner)

    replay.core.handle, replay.core.listener = listen, listener_of  # type: ignore[method-assign]
    replay.go()
    return plan, replay, told


def fresh_core(plan: Plan, strategy: Any, replay: Replay) -> Core:
    core = Core(strategy, account_of(plan), markets_of(plan), name="backtest", max_positions=plan.max_positions)
    for number, line in enumerate(plan.lines):
        Feed(number, line, strategy, core)
    core.estimate = replay.venue.estimate
    return core


def same_after_restarts(strategy: Any, bars: Any, every: int, **more: Any) -> int:
    """Replay the events of a run into cores that are killed and restored on the way; give how many orders there were.

    The bars, and the prices that the shell tells between events, are given back as a shell would after a restart.
    """
    plan, replay, told = told_and_done(strategy, bars, **more)
    core, orders = fresh_core(plan, strategy, replay), 0
    for number, (event, counts, prices, marks, expected) in enumerate(told):
        for history, count in zip(core.histories, counts, strict=True):
            history.count = count
        core.prices.update(prices)
        for symbol, mark in marks.items():
            core.account.lines[symbol].mark = mark
        done = [json.dumps(to_plain(one)) for one in core.handle(event)]
        assert done == expected, (number, event)
        orders += sum('"Submit"' in one for one in done)
        if number % every == every - 1:
            kept = json.loads(json.dumps(core.snapshot()))
            core = fresh_core(plan, strategy, replay)
            core.restore(kept)
    return orders


def orders_of(result: wb.Result) -> list[tuple[Any, ...]]:
    """What was ordered and what came of it, without ids."""
    table = result.orders
    columns = ("time", "decided_time", "symbol", "side", "type", "quantity", "limit_price", "tag")
    return [tuple(map(str, row)) for row in table[list(columns)].itertuples(index=False)]
