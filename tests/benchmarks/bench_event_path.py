"""The event path beside other event-driven backtesters: the same SMA cross on the same bars, the same trades.

The peers live in an environment of their own, whose interpreter is named by `--peers-python` or WORKBENCH_PEERS_PYTHON
(`pip install backtesting nautilus_trader`); a peer that is not there is named as missing. Each answers from a process
that has read the bars before the clock starts; all take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from made_history import columns, history

import workbench as wb
from workbench.indicators import crosses_above, crosses_below, sma
from workbench.market.resampling import resample

PEERS = Path(__file__).parent / "peers"
BARS, RUNS, WINDOWS = 100_000, 5, ((10, 30), (20, 50))
CASH, COSTS = 100_000.0, wb.Costs(fee=0.001, slippage_bps=0, volume_share=float("inf"))
TWO_YEARS = 2 * 365 * 24 * 60


class Outcome(NamedTuple):
    """What one run took, and what came of it."""

    seconds: float
    trades: int
    equity: float


Contestant = Callable[[int, int], Outcome]


class Cross(wb.SignalStrategy):
    """One unit while the fast mean is above the slow one."""

    fast: int = wb.param(10, low=2, high=100)
    slow: int = wb.param(30, low=5, high=400)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        fast, slow = sma(bars.close, self.fast), sma(bars.close, self.slow)
        entry, leave = crosses_above(fast, slow), crosses_below(fast, slow)
        return wb.Signals(entry=entry, exit=leave, size=1.0, size_unit="quantity")


class CrossOrders(wb.OrderStrategy):
    """The same, bar by bar with orders."""

    fast: int = wb.param(10, low=2, high=100)
    slow: int = wb.param(30, low=5, high=400)

    def indicators(self, bars: wb.Bars) -> dict[str, Any]:
        return {"fast": sma(bars.close, self.fast), "slow": sma(bars.close, self.slow)}

    def on_bar(self, view: Any, bar: Any) -> Any:
        if view.crosses_above("fast", "slow"):
            return view.market("buy", 1.0)
        if view.crosses_below("fast", "slow") and view.quantity():
            return view.close()
        return None


class Guarded(Cross):
    """The same with a stop and a target, which is where finer bars matter."""

    def signals(self, bars: wb.Bars) -> wb.Signals:
        return super().signals(bars).replace(stop_loss=0.01, take_profit=0.02)


def outcome_of(run: Callable[[], wb.Result]) -> Outcome:
    """Time a backtest of our own."""
    start = time.perf_counter()
    result = run()
    seconds = time.perf_counter() - start
    return Outcome(seconds, len(result.trades), float(result.equity_values[-1]))


class Peer:
    """A peer in its own process, which has read the bars and waits to be asked."""

    def __init__(self, python: str, script: Path, bars: Path) -> None:
        self.process = subprocess.Popen(
            [python, str(script), str(bars)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.hello = self.hear()

    def hear(self) -> dict[str, Any]:
        """Wait for one line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return dict(json.loads(line)) if line else {"missing": "it ended without a word"}

    def __call__(self, fast: int, slow: int) -> Outcome:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([fast, slow]) + "\n")
        self.process.stdin.flush()
        said = self.hear()
        if "missing" in said:
            raise RuntimeError(f"{self.hello['ready']}: {said['missing']}")
        return Outcome(**said)

    def end(self) -> None:
        """Let it go home."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def peers(python: str, bars: Path) -> dict[str, Peer]:
    """Start the peers that are there, and name those that are not."""
    found = {}
    for script in sorted(PEERS.glob("run_*.py")):
        if not python:
            print(f"  missing: {script.stem.removeprefix('run_')} (no --peers-python or WORKBENCH_PEERS_PYTHON)")
            continue
        peer = Peer(python, script, bars)
        if "missing" in peer.hello:
            print(f"  missing: {script.stem.removeprefix('run_')} ({peer.hello['missing']})")
            peer.end()
            continue
        found[peer.hello["ready"]] = peer
    return found


def ours(bars: wb.Bars) -> dict[str, Contestant]:
    """Name our own ways of running it, the event path first."""

    def run(kind: type[wb.SignalStrategy] | type[wb.OrderStrategy], path: Any) -> Contestant:
        return lambda fast, slow: outcome_of(
            lambda: wb.backtest(kind(fast=fast, slow=slow), bars, cash=CASH, costs=COSTS, path=path)
        )

    return {
        "event path, signals": run(Cross, "event"),
        "event path, orders": run(CrossOrders, "event"),
        "compiled path, signals": run(Cross, "compiled"),
    }


def compare(contestants: dict[str, Contestant], fast: int, slow: int, runs: int) -> None:
    """Let all run in turns, make sure that they did the same, and print the table."""
    outcomes: dict[str, list[Outcome]] = {name: [run(fast, slow)] for name, run in contestants.items()}  # warm
    for _ in range(runs):
        for name, run in contestants.items():
            outcomes[name].append(run(fast, slow))
    trades = {name: many[0].trades for name, many in outcomes.items()}
    if len(set(trades.values())) != 1:
        raise SystemExit(f"they did not trade alike, so their times say nothing: {trades}")
    medians = {name: statistics.median(one.seconds for one in many[1:]) for name, many in outcomes.items()}
    first = next(iter(medians.values()))
    print(f"SMA cross {fast}/{slow} on {BARS:,} bars, fee 0.1 %, median of {runs}; ratio: to the first")
    print(f"  {'':<26} {'seconds':>9} {'bars/s':>12} {'ratio':>7} {'trades':>7} {'final equity':>14}")
    for name, seconds in medians.items():
        last = outcomes[name][-1]
        print(
            f"  {name:<26} {seconds:9.3f} {BARS / seconds:12,.0f} {seconds / first:7.2f} {last.trades:7,} "
            f"{last.equity:14,.4f}"
        )


def inside(runs: int) -> None:
    """Print what a strategy of hourly bars takes when two years of minutes decide what happened inside them."""
    minutes = history(TWO_YEARS)
    hours = resample(minutes, "1h")
    times, trades = [], 0
    for _ in range(runs):
        done = outcome_of(lambda: wb.backtest(Guarded(), hours, cash=CASH, costs=COSTS, detail=minutes, path="event"))
        times.append(done.seconds)
        trades = done.trades
    median = statistics.median(times)
    print(f"hourly strategy with stop and target, {len(minutes):,} one-minute bars inside, median of {runs}")
    print(f"  {'event path':<26} {median:9.3f} {len(minutes) / median:12,.0f} minutes/s, {trades:,} trades")


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--peers-python", default=os.environ.get("WORKBENCH_PEERS_PYTHON", ""))
    options.add_argument("--runs", type=int, default=RUNS)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.npz"
        np.savez(path, **columns(BARS, "1m", 11))  # type: ignore[arg-type]
        others = peers(chosen.peers_python, path)
        try:
            for fast, slow in WINDOWS:
                compare({**ours(history(BARS)), **others}, fast, slow, chosen.runs)
        finally:
            for peer in others.values():
                peer.end()
    sys.stdout.flush()
    inside(min(chosen.runs, 3))


if __name__ == "__main__":
    main()
