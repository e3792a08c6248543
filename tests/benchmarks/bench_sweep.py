"""How fast sweeps are: the reference sweep beside vectorbt with the same rows, a rule file, and how cost grows.

    python tests/benchmarks/bench_sweep.py [--without-peer] [--last WINDOW] [--million] [--plot FILE]

The reference: an SMA cross, windows 5 to 54, 1,225 pairs, 100,000 one-minute bars, fee 0.1 %, fills at the close; total
return, Sharpe ratio, deepest drawdown and number of trades of every pair. Each contestant runs in a process of its own,
once to warm up (vectorbt once in all on a tenth of the pairs, since it needs a minute and 18 GB) and then on the clock;
memory is the most that its process ever held, less what it held when it was ready. The rows of both are compared: on
these bars one pair differs, in which two means touch exactly (in whole numbers, too) and vectorbt's running sum, which
has drifted by 4e-12, sees a cross.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from made_history import columns, history

BARS, FIRST, LAST, FEE = 100_000, 5, 55, 0.001
CASH = 1e9  # so much that no pair is ruined, where both stop trading at amounts of their own
METRICS = ("total_return", "sharpe_ratio", "max_drawdown", "trades")
RULES = """\
parameters:
  length: {default: 14, low: 2, high: 60}
  oversold: {default: 30.0, low: 5, high: 60}
  trend: {default: 100, low: 5, high: 500}
  stop: {default: 0.02, low: 0.001, high: 0.5}
  target: {default: 0.04, low: 0.001, high: 0.9}
  trail: {default: 0.03, low: 0.001, high: 0.5}
entry:
  all:
    - rsi(close, length) crosses_below oversold
    - close > ema(close, trend)
exit: rsi(close, length) > 70
stops: {stop_loss: stop, take_profit: target, trailing_stop: trail}
"""


def peak_mb() -> float:
    """Give the most memory that this process ever held, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def told(name: str, seconds: list[float], before: float, rows: Any) -> None:
    """Tell the parent what this contestant did."""
    print(json.dumps({"name": name, "seconds": seconds, "peak_mb": peak_mb() - before, "rows": rows}), flush=True)


def cross_strategy() -> Any:
    """Give the strategy of the reference."""
    import workbench as wb
    from workbench.indicators import crosses_above, crosses_below, sma

    class Cross(wb.SignalStrategy):
        """Long while the fast mean is above the slow one."""

        fast: int = wb.param(10, low=2, high=600)
        slow: int = wb.param(30, low=2, high=2_100)

        def signals(self, bars: wb.Bars) -> wb.Signals:
            fast, slow = sma(bars.close, self.fast), sma(bars.close, self.slow)
            return wb.Signals(entry=crosses_above(fast, slow), exit=crosses_below(fast, slow))

    return Cross


def costs() -> Any:
    """Give the costs of the reference."""
    import workbench as wb

    return wb.Costs(fee=FEE, slippage_bps=0, volume_share=float("inf"))


def ours(last: str = str(LAST)) -> None:
    """Run the reference with workbench."""
    import workbench as wb

    bars, cross, windows = history(BARS), cross_strategy(), range(FIRST, int(last))

    def run() -> Any:
        return wb.sweep(
            cross, bars, grid={"fast": windows, "slow": windows}, where=lambda p: p["fast"] < p["slow"],
            costs=costs(), fill="close", cash=CASH, metrics=METRICS,
        )  # fmt: skip

    wb.sweep(cross, history(500), grid={"fast": [5], "slow": [9]}, costs=costs(), fill="close", metrics=METRICS)
    before, seconds = peak_mb(), []
    for _ in range(19):
        start = time.perf_counter()
        study = run()
        seconds.append(time.perf_counter() - start)
    told("workbench", seconds[1:], before, study.table.to_numpy(dtype=float).tolist())


def theirs(engine: str, last: str = str(LAST)) -> None:
    """Run the reference with vectorbt, the small one first."""
    import warnings

    warnings.simplefilter("ignore")
    import pandas as pd
    import vectorbt as vbt

    made = columns(BARS, "1m", 11)
    close = pd.Series(made["close"], index=pd.to_datetime(made["ts"], unit="ms", utc=True))
    vbt.settings["engine"] = engine

    def run(end: int) -> Any:
        fast, slow = vbt.MA.run_combs(close, window=np.arange(FIRST, end), r=2, short_names=["fast", "slow"])
        entry, leave = fast.ma_crossed_above(slow), fast.ma_crossed_below(slow)
        portfolio = vbt.Portfolio.from_signals(close, entry, leave, fees=FEE, freq="1min", init_cash=CASH)
        found = (
            portfolio.total_return(),
            portfolio.sharpe_ratio(),
            portfolio.max_drawdown(),
            portfolio.trades.closed.count(),
        )
        return np.column_stack([np.array(found[0].index.to_list(), dtype=float), *(one.to_numpy() for one in found)])

    run(FIRST + 12)
    before, start = peak_mb(), time.perf_counter()
    rows = run(int(last))
    told(f"vectorbt, {engine}", [time.perf_counter() - start], before, rows.tolist())


def rules() -> None:
    """Sweep a rule file of RSI, a filter, stop, target and trailing stop, on one thread."""
    from workbench.research.sweeping.evaluator import Evaluator
    from workbench.strategy.rules import load_rules

    bars = history(50_000)
    strategy = load_rules(Path("bench.yaml"), RULES)()
    axes = {
        "length": [8, 11, 14, 17, 20], "oversold": [15.0, 20.0, 25.0, 30.0, 35.0], "trend": [50, 100, 150, 200],
        "stop": [0.01, 0.02, 0.03, 0.04, 0.05], "target": [0.02, 0.04, 0.06, 0.08],
        "trail": [0.02, 0.03, 0.04, 0.05, 0.06],
    }  # fmt: skip
    grid = np.meshgrid(*axes.values(), indexing="ij")
    parameters = {name: axis.ravel().tolist() for name, axis in zip(axes, grid, strict=True)}
    evaluator = Evaluator(strategy, bars, metrics=METRICS)
    evaluator.score({name: values[:64] for name, values in parameters.items()}, threads=1)
    before, start, used = peak_mb(), time.perf_counter(), time.process_time()
    table = evaluator.score(parameters, threads=1).table
    seconds = [time.perf_counter() - start, time.process_time() - used]
    told("rules", seconds, before, [len(table), float(table[:, 3].mean())])


def growth() -> None:
    """Time a core over more bars and more combinations, whatever else the machine does."""
    from workbench.research.sweeping.evaluator import Evaluator

    cross, found = cross_strategy(), []
    for bars, count in ((25_000, 400), (50_000, 400), (100_000, 400), (200_000, 400), (50_000, 100), (50_000, 1_600)):
        pairs = [(fast, slow) for fast in range(2, 42) for slow in range(60, 100)][:count]
        parameters = {"fast": [fast for fast, _ in pairs], "slow": [slow for _, slow in pairs]}
        evaluator = Evaluator(cross, history(bars), costs=costs(), fill="close", metrics=METRICS)
        evaluator.score(parameters, threads=1)
        taken = []
        for _ in range(5):
            start = time.process_time()
            evaluator.score(parameters, threads=1)
            taken.append(time.process_time() - start)
        found.append((bars, count, min(taken)))
    told("growth", [], peak_mb(), found)


def million() -> None:
    """Sweep a million combinations over 20,000 bars under the usual budget of memory."""
    import workbench as wb

    bars, cross = history(20_000), cross_strategy()
    before, start = peak_mb(), time.perf_counter()
    study = wb.sweep(
        cross, bars, grid={"fast": range(2, 502), "slow": range(2, 2_002)}, costs=costs(), fill="close", metrics=METRICS
    )
    told("million", [time.perf_counter() - start], before, len(study))


def contestant(*words: str) -> dict[str, Any]:
    """Run one of the above in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--as", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        return {"name": " ".join(words), "missing": (done.stderr.strip().splitlines() or ["killed"])[-1]}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def draw(found: list[list[float]], file: Path) -> None:
    """Draw how time grows with bars and with combinations."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for place, (column, label) in enumerate(((0, "bars, 400 combinations"), (1, "combinations, 50,000 bars"))):
        rows = sorted(
            (one for one in found if (one[1] == 400 if column == 0 else one[0] == 50_000)), key=lambda one: one[column]
        )
        axes[place].plot([one[column] for one in rows], [one[2] for one in rows], marker="o")
        axes[place].set(xlabel=label, ylabel="seconds of a core", xlim=(0, None), ylim=(0, None))
    figure.savefig(file, dpi=120)


def compare(first: dict[str, Any], other: dict[str, Any]) -> str:
    """Say how far the rows of two contestants differ."""
    one, two = (np.array(sorted(each["rows"])) for each in (first, other))
    apart = np.abs(one - two) / np.maximum(np.abs(two), 1e-12)
    differ = int((apart > 1e-9).any(axis=1).sum())
    return (
        f"{len(one):,} and {len(two):,} rows, {differ} of them apart by more than 1e-9 (most: {np.nanmax(apart):.1e})"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--without-peer", action="store_true", help="leave vectorbt out (it needs 18 GB)")
    parser.add_argument("--last", type=int, default=LAST, help="the window after the largest: fewer need less memory")
    parser.add_argument("--million", action="store_true", help="also a million combinations")
    parser.add_argument("--plot", type=Path, default=Path(tempfile.gettempdir()) / "sweep_growth.png")
    parser.add_argument("--as", nargs="+", dest="words")
    asked = parser.parse_args()
    if asked.words:
        return globals()[asked.words[0]](*asked.words[1:])
    mine = contestant("ours", str(asked.last))
    best = statistics.median(mine["seconds"])
    print(f"reference sweep: workbench {best:.3f} s (min {min(mine['seconds']):.3f}), {mine['peak_mb']:,.0f} MB")
    for engine in () if asked.without_peer else ("numba", "rust"):
        peer = contestant("theirs", engine, str(asked.last))
        if "missing" in peer:
            print(f"  vectorbt, {engine}: missing ({peer['missing']})")
            continue
        ratio, share = peer["seconds"][0] / best, mine["peak_mb"] / peer["peak_mb"]
        print(f"  {peer['name']}: {peer['seconds'][0]:.1f} s, {peer['peak_mb']:,.0f} MB")
        print(f"    {ratio:,.0f} times as long; ours has {share:.1%} of its memory")
        print(f"    {compare(mine, peer)}")
    ruled = contestant("rules")
    if "missing" in ruled:
        print(f"rules: {ruled['missing']}")
    else:
        count, trades = ruled["rows"]
        print(
            f"rules, {count:,} combinations x 50,000 bars, one thread: {ruled['seconds'][0]:.1f} s "
            f"({ruled['seconds'][1]:.1f} s of a core), {count * 50_000 / ruled['seconds'][1] / 1e6:,.0f} million "
            f"bars/s per core, {trades:.0f} trades each"
        )
    grown = contestant("growth")
    for bars, count, seconds in grown.get("rows", []):
        each = seconds / bars / count * 1e9
        print(f"  {bars:9,} bars x {count:5,} combinations: {seconds * 1e3:7.0f} ms, {each:.2f} ns a bar")
    if "rows" in grown:
        draw(grown["rows"], asked.plot)
        print(f"drawn: {asked.plot}")
    if asked.million:
        found = contestant("million")
        print(f"a million combinations x 20,000 bars: {found}")
    return None


if __name__ == "__main__":
    main()
