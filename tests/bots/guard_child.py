"""A guarded bot as a process of its own, forked from a nursery; it hangs when told to."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import workbench as wb
from tests.bots.brokers.stage import TUNING, secret, swing
from tests.bots.nursery import nurse
from tests.practice.stage import bars
from workbench.backtest.plan import Plan
from workbench.backtest.prepare import prepare
from workbench.bots.brokers.ccxt_broker import CcxtBroker, Terms
from workbench.bots.brokers.credentials import Credentials
from workbench.bots.clerk import Patience
from workbench.bots.guard_terms import GuardTerms
from workbench.bots.guarding import guarded
from workbench.bots.journal import open_journal
from workbench.bots.killing import kill_order
from workbench.bots.runner import Runner, shell_for
from workbench.bots.runner_feeds import feeds_at
from workbench.bots.runner_terms import Pace, RunTerms
from workbench.market.feeds.feed import Access
from workbench.market.sources.clients import Route
from workbench.settings import load_settings

NAME = "hanger"
PACE = Pace(flush_s=0.02, look_s=30, warm_up_bars=20, probe_s=2, drain_s=5, gather_s=1)
PATIENCE = Patience(retry_ms=50, ask_ms=60, land_ms=400, settle_ms=100, give_up_ms=600_000)
GUARD = GuardTerms(grace_s=0.7, patience_s=20, settle_s=0.3, land_s=1.5, journal_s=1.5, timeout_s=3)


class Hanger(wb.OrderStrategy):
    """Buys with a stop, bids far below, and then does what hangs a bot, if anything."""

    mode: str = wb.param("", choices=("", "loop", "c", "sleep"))
    marker: str = wb.param("")

    def on_bar(self, view: Any, bar: Any) -> Any:
        if not view.quantity():
            return view.market("buy", 0.5, stop_loss=0.3)
        if len(view.orders()) < 2:
            return view.limit("buy", 0.2, price=90.5)
        Path(self.marker).touch()
        if self.mode == "loop":
            while True:
                pass
        if self.mode == "c":
            all(itertools.repeat(True))  # in C, with the lock of the interpreter, and deaf to signals
        if self.mode == "sleep":
            time.sleep(1_000)
        return None


def plan_of(symbol: str, mode: str, marker: str) -> Plan:
    strategy = Hanger(mode=mode, marker=marker)
    return prepare(strategy, [bars(symbol, swing()[:50])], cash=10_000.0, leverage=5.0)


async def live(order: dict[str, Any]) -> None:
    """One life, until it ends by itself or is killed."""
    settings = load_settings(order["folder"])
    plan = plan_of(order["symbol"], order["mode"], f"{order['folder']}/marker")
    route = Route.read(Path(order["route"]))
    account = order["account"]
    with open_journal(NAME, settings) as journal:
        shell = shell_for(plan, NAME, journal, patience=PATIENCE)
        broker = CcxtBroker(
            "binance", shell.mind.core.markets, credentials=Credentials(account, secret(account), name="test"),
            terms=Terms(route=route, tuning=TUNING, share=50.0),
        )  # fmt: skip
        feeds = feeds_at(broker.wire.venue, plan, access=Access(route=route), tuning=TUNING)
        terms = RunTerms(
            pace=PACE, killed=lambda: "" if order.get("deaf") else kill_order(settings, NAME),
            revive=order.get("revive", False), policy="halt",
        )  # fmt: skip
        async with broker:
            runner = Runner(shell, broker, feeds, journal, terms=terms, alert=lambda one: print(one, flush=True))
            guard = GuardTerms(**{**vars(GUARD), **order.get("guard", {})})
            async with guarded(runner, settings, terms=guard):
                print("ended:", await runner.run(), flush=True)
            print("reason:", runner.reason, flush=True)


__all__ = ["NAME", "Hanger", "live", "plan_of"]

if __name__ == "__main__":
    nurse(live)
