"""A download that is killed again and again, from a venue that fails in every way it can: complete, and no more asked.

The practice exchange lives in this process, the download in processes of its own that get SIGKILL. What the exchange
counted is compared with the fewest requests that the data takes.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from workbench.market.bars import COLUMNS, to_ms
from workbench.market.instrument import Instrument
from workbench.market.lake import Lake
from workbench.market.timeframe import Timeframe
from workbench.practice.clock import HeldClock
from workbench.practice.exchange import Exchange
from workbench.practice.markets import SyntheticMarket, Temper

ROOT = Path(__file__).resolve().parents[3]
MINUTE, DAY_MS = Timeframe.parse("1m"), 86_400_000
BEGIN = to_ms("2024-01-02")
PER_PAGE, AT_ONCE = 1_000, 8
PER_START = 2  # markets and the clock

# every way in which a request for data fails; each comes as often as the others
WAYS: tuple[dict[str, Any], ...] = (
    {"fault": "rate_limit", "retry_after": "200ms", "patience": 2, "ban": "300ms"},
    {"fault": "rate_limit", "retry_after": "200ms", "banned": True, "ban": "300ms"},
    {"fault": "server_error", "status": 503, "code": -1001},
    {"fault": "server_error", "status": 502},
    {"fault": "server_error", "status": 500},
    {"fault": "timeout", "hold": "30s"},
    {"fault": "reset"},
    {"fault": "garbage", "kind": "html"},
    {"fault": "garbage", "kind": "truncated"},
    {"fault": "garbage", "kind": "empty"},
    {"fault": "garbage", "kind": "wrong"},
)

DOWNLOAD = """
import sys
from pathlib import Path
from workbench.market.lake import Lake
from workbench.market.sources.asking import Patience
from workbench.market.sources.clients import Route
from workbench.market.sources.download import download
from workbench.market.sources.session import Connection

root, route, since, until, *symbols = sys.argv[1:]
way = Connection(route=Route.read(Path(route)), timeout_s=1.5, patience=Patience(first_s=0.05, attempts=12))
report = download(symbols, venue="binance", since=int(since), until=int(until), connection=way, lake=Lake(root))
print(report)
"""


class Case(NamedTuple):
    symbols: int
    days: int
    kills: int
    share: float = 0.05  # of requests that fail


def make(case: Case, seed: int) -> tuple[Exchange, list[SyntheticMarket]]:
    markets = [
        SyntheticMarket(
            Instrument(symbol=f"C{number:02d}/USDT", venue="binance", quote="USDT", tick_size=0.01, lot_size=0.001),
            seed=seed, start="2024-01-01", end="2024-06-01", temper=Temper(outages=0.3),
        )
        for number in range(case.symbols)
    ]  # fmt: skip
    rules = [{**way, "when": {"probability": case.share / len(WAYS)}} for way in WAYS]
    clock = HeldClock(BEGIN + case.days * DAY_MS + 30_000)
    return Exchange(markets, clock=clock, faults={"seed": seed, "rules": rules}), markets


def download(case: Case, exchange: Exchange, root: Path, route: Path) -> subprocess.Popen[bytes]:
    names = list(exchange.engine.symbols)
    until = BEGIN + (case.days + 1) * DAY_MS  # later than now: the open candle is in it
    words = [sys.executable, "-c", DOWNLOAD, str(root), str(route), str(BEGIN), str(until), *names]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def run(case: Case, tmp_path: Path) -> tuple[Exchange, list[SyntheticMarket], Lake]:
    """Download with kills, each somewhere along the way, then once to the end."""
    exchange, markets = make(case, seed=11)
    generator = random.Random(5)
    fewest = case.symbols * -(-case.days * 1_440 // PER_PAGE)
    with exchange:
        route = tmp_path / "route.json"
        exchange.route.write(route)
        for _ in range(case.kills):
            process = download(case, exchange, tmp_path / "lake", route)
            goal = exchange.requests + PER_START + int(fewest / (case.kills + 1) * generator.uniform(0.6, 1.2))
            while exchange.requests < goal and process.poll() is None:
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        process = download(case, exchange, tmp_path / "lake", route)
        said, _ = process.communicate(timeout=3_000)
        assert process.returncode == 0, said.decode()
        requests = exchange.requests
    assert exchange.limits["binance"].refused == 0, "the rate limit was exceeded"
    failed = len(exchange.faults.log)
    needless = requests - failed - fewest - PER_START * (case.kills + 1)
    print(f"{requests:,} requests, {failed:,} failed, {fewest:,} at the least, {needless:,} more")
    assert needless <= max(0.05 * fewest, AT_ONCE / 2 * case.kills)
    return exchange, markets, Lake(tmp_path / "lake")


def check_equal(case: Case, markets: list[SyntheticMarket], lake: Lake) -> None:
    now = BEGIN + case.days * DAY_MS
    for market in markets:
        source = market.candles(MINUTE, BEGIN, now, now)
        bars = lake.read(market.instrument.symbol, MINUTE, venue="practice-binance")
        assert np.array_equal(bars.ts, source.ts)
        for name in COLUMNS:
            assert np.array_equal(getattr(bars, name), getattr(source, name)), name
    assert lake.check() == []


def test_a_download_killed_three_times_is_complete_and_asks_nothing_twice(tmp_path: Path) -> None:
    case = Case(symbols=4, days=5, kills=3, share=0.1)
    _, markets, lake = run(case, tmp_path)
    check_equal(case, markets, lake)
    assert not list(lake.root.rglob("*.spool"))


def test_ctrl_c_leaves_what_came_in_the_lake(tmp_path: Path) -> None:
    case = Case(symbols=2, days=20, kills=0)
    exchange, _ = make(case, seed=1)
    with exchange:
        route = tmp_path / "route.json"
        exchange.route.write(route)
        process = download(case, exchange, tmp_path / "lake", route)
        while exchange.requests < PER_START + 12:
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert b"KeyboardInterrupt" in said, said.decode()
    lake = Lake(tmp_path / "lake")
    assert sum(info.rows for info in lake.series()) >= 8 * PER_PAGE
    assert not list(lake.root.rglob("*.spool"))


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_thirty_symbols_of_ninety_days_killed_ten_times(tmp_path: Path) -> None:
    case = Case(symbols=30, days=90, kills=10)
    _, markets, lake = run(case, tmp_path)
    check_equal(case, markets, lake)
