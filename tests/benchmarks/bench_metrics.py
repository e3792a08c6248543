"""Time all metrics of many equity curves, and the full tear sheet of one.

    python tests/benchmarks/bench_metrics.py [curves] [days]

The peer of the same run is what everybody can do with pandas: mean, standard deviation and running maximum of the same
table. Times are medians.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from workbench.risk import metrics

RUNS = 5


def median_ms(call: Callable[[], object], runs: int = RUNS) -> float:
    """Give the median time of a call in ms, the first one left out."""
    taken = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:]) * 1e3


def main() -> None:
    """Print a table of times."""
    curves, days = (int(text) for text in (*sys.argv[1:], "1000", "2500")[:2])
    random = np.random.default_rng(1)
    returns, held = random.normal(0.0004, 0.01, (days, curves)), random.normal(0.0003, 0.01, days)
    frame = pd.DataFrame(returns, index=pd.date_range("2015-01-01", periods=days, tz="UTC"))
    profits = random.normal(1.0, 10.0, 300)

    def by_pandas() -> None:
        frame.mean(), frame.std(), ((1 + frame).cumprod() / (1 + frame).cumprod().cummax() - 1).min()

    count = metrics.all_metrics(frame, 252, benchmark=held).shape[1]
    whole = median_ms(lambda: metrics.all_metrics(frame, 252, benchmark=held))
    print(f"{count} metrics of {curves:,} curves x {days:,} days")
    print(f"  all, with a benchmark          {whole:8,.0f} ms")
    print(f"  three of them, by pandas       {median_ms(by_pandas):8,.0f} ms")
    one = frame[0]
    sheet = median_ms(lambda: metrics.tear_sheet(one, 252, benchmark=held, profits=profits), 20)
    print(f"  tear sheet of one curve        {sheet:8,.1f} ms")


if __name__ == "__main__":
    main()
