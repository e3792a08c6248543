"""A practice exchange in a process of its own, and what tests of its wire need: markets, and a client's answers judged.

Run as a module it is that process: it serves two days of made-up prices, says its route on the first line, and then
does what each line of its input says (JSON), until that ends. The clock stands still in between.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from tests.practice.stage import PERP, SPOT, T0, TIERS
from workbench.market.bars import Bars
from workbench.market.instrument import Instrument
from workbench.market.sources.clients import Route
from workbench.market.timeframe import Timeframe
from workbench.practice.clients import connect
from workbench.practice.clock import HeldClock
from workbench.practice.exchange import Exchange, Serving, usual_account
from workbench.practice.markets import RecordedMarket
from workbench.practice.wire.signing import Credential

ROOT = Path(__file__).resolve().parents[2]
DAY = 86_400_000
ETH = "ETH/USDT"
NAMES = ("looker", "trader", "pairs", "watcher")  # accounts, each with its name for a key: a test has one for itself
_T = TypeVar("_T")


def walk(symbol: str, price: float, seed: int, *, minutes: int = 2_880, start: int = T0 - DAY) -> RecordedMarket:
    """A market of one-minute bars that wander."""
    rng = np.random.default_rng(seed)
    close = np.round(price * np.exp(np.cumsum(rng.normal(0.0, 3e-4, minutes))), 2)
    opened = np.concatenate([[price], close[:-1]])
    high = np.round(np.maximum(opened, close) * 1.0002, 2)
    low = np.round(np.minimum(opened, close) * 0.9998, 2)
    facts: dict[str, Any] = {"tick_size": 0.01, "lot_size": 0.001, "min_notional": 5.0, "quote": "USDT"}
    if ":" in symbol:
        facts |= {"kind": "linear", "maker_fee": 0.0002, "taker_fee": 0.0005, "leverage_tiers": TIERS}
    bars = Bars(
        instrument=Instrument(symbol=symbol, venue="binance", **facts), timeframe=Timeframe.parse("1m"),
        ts=start + 60_000 * np.arange(minutes), open=opened, high=high, low=low, close=close,
        volume=np.round(rng.uniform(5.0, 50.0, minutes), 3),
    )  # fmt: skip
    return RecordedMarket(bars)


def markets() -> list[RecordedMarket]:
    """Two spot markets and a perpetual."""
    return [walk(SPOT, 30_000.0, 1), walk(ETH, 2_000.0, 2), walk(PERP, 30_000.0, 3)]


class Served:
    """The process, from the side of a test."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.practice.wire_stage", str(folder)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, bufsize=1
        )
        self._told = self._listen()
        self.route = Route(port=self._told["port"], certificate=self._told["certificate"])

    def _listen(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the practice exchange's process has ended"
        return json.loads(line)

    def tell(self, **command: Any) -> Any:
        """Have something done, and wait until it is."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        return self._listen()

    def advance(self, ms: int) -> None:
        """Move the clock on."""
        self.tell(advance=ms)

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)
        assert self._process.returncode == 0


@asynccontextmanager
async def client(served: Served, venue: str, account: str = "looker") -> AsyncIterator[Any]:
    """A ccxt.pro client of the process, with its markets loaded."""
    async with connect(
        venue, route=served.route, key=account, secret=account, stream=True, enableRateLimit=False
    ) as one:
        await one.load_markets()
        yield one


def serve(folder: str) -> None:
    """Be the process."""
    given = markets()
    accounts = {name: usual_account({one.instrument.symbol: one for one in given}) for name in NAMES}
    serving = Serving(folder=Path(folder), credentials=tuple(Credential(name, name, name) for name in NAMES))
    with Exchange(given, clock=HeldClock(T0 + 30_000), accounts=accounts, serving=serving) as exchange:
        print(json.dumps({"port": exchange.route.port, "certificate": exchange.route.certificate}), flush=True)
        for line in sys.stdin:
            command = json.loads(line)
            if "advance" in command:
                exchange.advance(command["advance"])
            if "adjust" in command:
                exchange.call(partial(exchange.engine.adjust, *command["adjust"]))
            print(json.dumps({"now": exchange.now}), flush=True)


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run something asynchronous to its end, which must come."""

    async def bounded() -> _T:
        return await asyncio.wait_for(work, 60.0)

    return asyncio.run(bounded())


async def stepped(waiting: Awaitable[_T], advance: Callable[[int], None], ms: int = 20_000) -> _T:
    """Wait for something while the exchange's clock is moved on by small steps."""
    task = asyncio.ensure_future(waiting)
    for _ in range(200):
        done, _ = await asyncio.wait([task], timeout=0.05)
        if done:
            return task.result()
        await asyncio.to_thread(advance, ms)
    task.cancel()
    raise AssertionError("nothing came")


def missing(structure: Any, *without: str) -> list[str]:
    """Names of the fields of a unified structure that are None, but for some that the exchange does not give."""
    rows: Iterable[Any] = structure if isinstance(structure, list) else [structure]
    return sorted(
        {
            name
            for row in rows
            for name, value in row.items()
            if name not in without and (value is None or (name == "fee" and None in value.values()))
        }
    )


if __name__ == "__main__":
    serve(sys.argv[1])
