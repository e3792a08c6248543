"""A bot as a process of its own, forked from a nursery, with a clock that goes with its venue's."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.bots.brokers.stage import secret
from tests.bots.nursery import nurse
from tests.bots.processes.lasting import Hand, measured
from tests.bots.world import BTC, Fidget, walk
from workbench.backtest.plan import Plan
from workbench.backtest.prepare import prepare
from workbench.bots.brokers.ccxt_broker import CcxtBroker, Terms
from workbench.bots.brokers.credentials import Credentials
from workbench.bots.clerk import Patience
from workbench.bots.journal import Journal
from workbench.bots.runner import Runner, shell_for
from workbench.bots.runner_feeds import feeds_at
from workbench.bots.runner_terms import Pace, RunTerms
from workbench.errors import BrokerTransient, BrokerUnknown
from workbench.market.feeds.feed import Access, Tuning
from workbench.market.resampling import resample
from workbench.market.sources.clients import Route

NAME = "fidget"
TUNING = Tuning(
    backoff_s=0.05, backoff_most_s=0.2, interval_s=0.5, settle_s=0.2, retry_s=0.5, poll_s=0.1, timeout_s=1.0
)
PACE = Pace(flush_s=0.02, look_s=1, mark_s=1, warm_up_bars=20, probe_s=0.5, probe_most_s=1, drain_s=5, gather_s=0.3)
PATIENCE = Patience(retry_ms=50, ask_ms=60, land_ms=1_500, settle_ms=100, give_up_ms=600_000)


def plan_of(seed: int, timeframe: str = "1m") -> Plan:
    """What the bot of a seed trades and how."""
    bars = resample(walk(seed, 600), timeframe) if timeframe != "1m" else walk(seed, 50)
    return prepare(Fidget(seed=seed), [bars], cash=100_000.0, leverage=10.0)


async def live(order: dict[str, Any]) -> None:
    """One life, until it ends by itself or is killed."""
    plan = plan_of(order["seed"], order.get("timeframe", "1m"))
    route = Route.read(Path(order["route"]))
    journal = Journal.open(Path(order["folder"]) / f"{NAME}.sqlite", NAME)
    shell = shell_for(plan, NAME, journal, patience=replace(PATIENCE, **order.get("patience", {})))
    account = order["account"]
    hand = Hand(Path(order["hand"])) if "hand" in order else None
    clock = _Clock()
    broker = CcxtBroker(
        "binance", shell.mind.core.markets, credentials=Credentials(account, secret(account), name="test"),
        terms=Terms(route=route, tuning=TUNING, share=50.0, clock=clock if hand is None else hand.now),
    )  # fmt: skip
    opened: list[Any] = []
    make = feeds_at("binanceusdm", plan, access=Access(route=route), tuning=TUNING)

    def feeds(timeframe: str, start: int) -> Any:
        opened.append(make(timeframe, start))
        return opened[-1]

    terms = RunTerms(
        pace=replace(PACE, **order.get("pace", {})), policy=order.get("policy", "alert"), details={"pid": os.getpid()}
    )
    await reached(broker)
    clock.start(broker.wire.now())
    async with broker:
        runner = Runner(shell, broker, feeds, journal, terms=terms, alert=lambda one: print(one, flush=True))
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, _tell, runner, opened)
        beside = [] if hand is None else [asyncio.create_task(one) for one in measured(hand, runner, opened, order)]
        print("ended:", await runner.run(), flush=True)
        for task in beside:
            task.cancel()
    journal.close()


class _Clock:
    """A bot's clock that begins with the venue's and runs by itself: never ahead of a venue whose clock is stopped."""

    def __init__(self) -> None:
        self._start, self._since = 0, time.monotonic()

    def start(self, ts: int) -> None:
        self._start, self._since = ts, time.monotonic()

    def __call__(self) -> int:
        return self._start + round((time.monotonic() - self._since) * 1_000)


async def reached(broker: CcxtBroker) -> None:
    """Open a broker and learn the venue's time, which is years from this machine's; again where it does not answer."""
    for _ in range(40):
        with suppress(BrokerTransient, BrokerUnknown):
            await broker.open()
            return broker.wire.heard(int(await broker.wire.call("read", "fetch_time")))
        await asyncio.sleep(0.3)
    raise AssertionError("the venue does not tell its time")


def _tell(runner: Runner, feeds: list[Any]) -> None:
    """Say how the bot is, for whoever wonders why it does not go on."""
    print(runner, "now", runner.now, "asking", runner.asking, "bars", runner.market.caught_up(runner.now), flush=True)
    for one in (*feeds, runner.broker):
        print(json.dumps(one.health, default=repr), flush=True)
    for task in asyncio.all_tasks():
        print(task.get_name(), [str(frame) for frame in task.get_stack(limit=2)], flush=True)


__all__ = ["BTC", "NAME", "PACE", "PATIENCE", "TUNING", "live", "plan_of"]

if __name__ == "__main__":
    nurse(live)
