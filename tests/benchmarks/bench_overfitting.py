"""How often pure noise is called likely real, how the power grows with length, and how long judging takes.

Run: python tests/benchmarks/bench_overfitting.py [--studies 200]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.research.overfitting.studies import (
    NOISE,
    Maker,
    level_of,
    level_of_study,
    planted,
    rising,
    sampled,
    trending,
)
from workbench.research.overfitting import Trials, backtest_overfitting, cluster_trials, judge, superior_ability

DAYS = (250, 1_000)
LENGTHS = (365, 1_095, 2_190, 4_380)


def levels(make: Maker, days: int, studies: int) -> Counter[str]:
    return Counter(level_of(make, days, seed) for seed in range(studies))


def claims(studies: int) -> None:
    print(f"\nPure noise: what {studies} studies of each kind were called (at most 5 % may be 'likely real')")
    print(f"{'kind':<20}{'days':>6}{'noise':>9}{'unclear':>9}{'real':>9}")
    whole: Counter[str] = Counter()
    for name, make in NOISE.items():
        for days in DAYS:
            counted = levels(make, days, studies)
            whole += counted
            shares = "".join(f"{counted[level] / studies:>9.1%}" for level in ("noise", "unclear", "likely real"))
            print(f"{name:<20}{days:>6}{shares}", flush=True)
    for name, study in (("returns of a part", sampled), ("rising market", rising)):
        for days in DAYS:
            counted = Counter(level_of_study(study, days, seed) for seed in range(studies))
            whole += counted
            shares = "".join(f"{counted[level] / studies:>9.1%}" for level in ("noise", "unclear", "likely real"))
            print(f"{name:<20}{days:>6}{shares}", flush=True)
    total = sum(whole.values())
    rate = whole["likely real"] / total
    print(f"all {total:,}: false claims {rate:.2%} +- {1.96 * np.sqrt(rate * (1 - rate) / total):.2%}")


def power(studies: int) -> None:
    print(f"\nTrue edges: share of {studies} studies called likely real, by length of the history")
    print(f"{'kind':<44}" + "".join(f"{days / 365:>8.0f} y" for days in LENGTHS))
    for name, make in (
        ("one of 80 trials has Sharpe 2 a year", planted),
        ("trends: 66 crosses share an edge", trending),
    ):
        shares = [levels(make, days, studies)["likely real"] / studies for days in LENGTHS]
        print(f"{name:<44}" + "".join(f"{share:>10.0%}" for share in shares), flush=True)


def speed() -> None:
    returns = 0.01 * np.random.default_rng(0).standard_normal((2_000, 500))
    print("\n500 trials over 2,000 days")
    for name, call in (
        ("cluster_trials", lambda: cluster_trials(returns)),
        ("backtest_overfitting, 16 blocks", lambda: backtest_overfitting(returns)),
        ("superior_ability, 1,000 draws", lambda: superior_ability(returns, equal_risk=True)),
        ("judge", lambda: judge(Trials.of_returns(returns, periods_per_year=365))),
        ("arch.bootstrap.SPA, 100 draws", lambda: peer(returns)),
    ):
        began = time.perf_counter()
        call()
        print(f"{name:<36}{time.perf_counter() - began:>8.2f} s", flush=True)


def peer(returns: np.ndarray) -> None:
    from arch.bootstrap import SPA

    SPA(np.zeros(len(returns)), -returns, block_size=13, reps=100, seed=0).compute()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=50)
    asked = parser.parse_args()
    speed()
    claims(asked.studies)
    power(asked.studies)
