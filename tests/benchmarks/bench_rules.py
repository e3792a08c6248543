"""Rule files beside their twins in code: the time to load each, and to say signals on a long history."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import workbench as wb
from tests.benchmarks.made_history import history
from workbench.strategy.rules import load_rules

STRATEGIES = Path(__file__).resolve().parents[2] / "strategies"
RUNS = 15


def fastest(*actions: Callable[[int], object]) -> list[float]:
    """Give the least time of each action over a few rounds, in milliseconds; they take turns."""
    times: list[list[float]] = [[] for _ in actions]
    for run in range(RUNS):
        for action, taken in zip(actions, times, strict=True):
            start = time.perf_counter()
            action(run)
            taken.append((time.perf_counter() - start) * 1_000)
    return [min(taken) for taken in times]


def main() -> None:
    """Print one line a file, and what the project promises."""
    bars = history(100_000, "1h")
    print(f"{len(bars):,} bars, fastest of {RUNS}   (promised: loading below 20 ms, signals within 1.3 times the code)")
    print(f"  {'file':<20} {'load':>8} {'rules':>10} {'code':>10} {'ratio':>7}")
    for path in sorted(STRATEGIES.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        (loading,) = fastest(lambda run, text=text, path=path: load_rules(path, f"{text}\n# {run}"))
        ruled, coded = load_rules(path, text)(), wb.load_strategy(path.with_suffix(".py"))()
        one, other = fastest(lambda _, ruled=ruled: ruled.signals(bars), lambda _, coded=coded: coded.signals(bars))
        print(f"  {path.stem:<20} {loading:>5.1f} ms {one:>7.1f} ms {other:>7.1f} ms {one / other:>7.2f}")


if __name__ == "__main__":
    main()
