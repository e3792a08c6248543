"""From a bar that closed to the order at the broker's door: queue, core, journal and task, without the network.

Once with an intent on disk before it goes, as it is, and once with a journal that keeps nothing, which shows what the
disk costs.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import numpy as np

import workbench as wb
from workbench.backtest.prepare import prepare
from workbench.bots.brokers.talk import Find, Look, Send, Snapshot, VenueOrder
from workbench.bots.journal import Journal
from workbench.bots.runner import Runner, shell_for
from workbench.bots.runner_terms import Pace, RunTerms
from workbench.market.feeds.events import BarClosed
from workbench.market.instrument import Instrument
from workbench.trading.events import Submit

BARS = 2_000
WARM = 50
MINUTE = 60_000
T0 = 1_700_006_400_000
SYMBOL = "BTC/USDT:USDT"
FACTS = Instrument(symbol=SYMBOL, venue="practice", quote="USDT", kind="linear", tick_size=0.1, lot_size=0.001)


class Bids(wb.OrderStrategy):
    """Puts a bid below the market at every bar and takes the one before away."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        return [view.cancel_all(), view.limit("buy", 0.01, price=bar.close * 0.9)]


class Door:
    """A broker that takes everything at once and says when an order reached it."""

    name, health, held = "door", {}, None

    def __init__(self) -> None:
        self.clock, self.came = T0 + WARM * MINUTE, asyncio.Event()
        self.at = 0.0

    def now(self) -> int:
        return self.clock

    async def send(self, request: Send) -> VenueOrder:
        action = request.action
        if isinstance(action, Submit):
            self.at = time.perf_counter()
            self.came.set()
        status = "open" if isinstance(action, Submit) else "canceled"
        return VenueOrder(request.id, request.id, SYMBOL, "buy", "limit", status, 0.01, 0.0)

    async def find(self, request: Find) -> VenueOrder | None:
        return None

    async def look(self, request: Look) -> Snapshot:
        return Snapshot(self.clock, request.since, (), ())

    async def news(self) -> AsyncIterator[Any]:
        await asyncio.Event().wait()
        yield

    def remember(self, orders: Any) -> None:
        """Nothing to remember."""

    async def check(self) -> Any:
        return SimpleNamespace(missing=())

    async def prepare(self) -> None:
        """Nothing to set."""

    async def heartbeat(self, seconds: float | None = None) -> bool:
        return False

    async def close(self) -> None:
        """Nothing to let go of."""


class Lines:
    """A feed that tells what it is given."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue()

    async def __aenter__(self) -> Lines:
        return self

    async def __aexit__(self, *error: object) -> None:
        """Nothing to close."""

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> Any:
        return await self.queue.get()


def bar(number: int) -> BarClosed:
    return BarClosed(SYMBOL, T0 + number * MINUTE, 0, "1m", 100.0, 101.0, 99.0, 100.0 + number % 7, 5.0, "stream")


class Memory(Journal):
    """A journal that never brings anything to disk."""

    def flush(self) -> None:
        """Forget what waits."""
        self._waiting.clear()


async def measured(journal: Journal) -> np.ndarray:
    """Seconds from a bar to its order, of each bar."""
    rows = {name: np.full(50, 100.0) for name in ("open", "high", "low", "close", "volume")}
    some = wb.Bars(instrument=FACTS, timeframe="1m", ts=T0 + MINUTE * np.arange(50), **rows)
    broker, lines, took = Door(), Lines(), []
    shell = shell_for(prepare(Bids(), some, cash=1_000_000.0), "bench", journal)
    terms = RunTerms(pace=Pace(warm_up_bars=WARM, look_s=1e9, drain_s=1))
    runner = Runner(shell, broker, lambda timeframe, start: lines, journal, terms=terms)  # type: ignore[arg-type]
    task = asyncio.create_task(runner.run())
    for number in range(WARM):
        lines.queue.put_nowait(bar(number))
    while runner.state != "RUNNING":
        await asyncio.sleep(0.01)
    for number in range(WARM, WARM + BARS):
        broker.clock = T0 + (number + 1) * MINUTE
        broker.came.clear()
        start = time.perf_counter()
        lines.queue.put_nowait(bar(number))
        await broker.came.wait()
        took.append(broker.at - start)
        await asyncio.sleep(0.001)
    runner.stop()
    await task
    return np.array(took)


def main() -> None:
    """Print median and p99 in ms, with the disk and without."""
    for name, kind in (("on disk", Journal), ("in memory", Memory)):
        with tempfile.TemporaryDirectory() as folder:
            journal = kind.open(f"{folder}/bench.sqlite", "bench")
            took = 1_000.0 * asyncio.run(measured(journal))
            journal.close()
        print(f"{name:10} median {np.median(took):.3f} ms, p99 {np.percentile(took, 99):.3f} ms")


if __name__ == "__main__":
    main()
