"""The first backtest of a fresh process (import, read the lake, run, print metrics), beside bare `import vectorbt`.

Runs in the workspace of the current folder, which needs its bundled series and compiled kernels: `make setup`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 5
FIRST_BACKTEST = """
import time
marks = [("start", time.perf_counter())]
import workbench as wb
bars = wb.read({symbol!r}, {timeframe!r}, venue={venue!r}); marks.append(("import and read", time.perf_counter()))
strategy = wb.load_strategy("sma_cross")(); marks.append(("load strategy", time.perf_counter()))
result = wb.backtest(strategy, bars); marks.append(("run", time.perf_counter()))
print(dict(result.metrics)); marks.append(("metrics", time.perf_counter()))
import sys
for (_, before), (name, after) in zip(marks, marks[1:]):
    print(f"    {{name:<16}} {{(after - before) * 1_000:6.0f}} ms", file=sys.stderr)
"""


def timed(code: str) -> tuple[float, str]:
    """Time a fresh process that runs some code; also give what it said on stderr."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return time.perf_counter() - start, done.stderr


def largest_series() -> tuple[str, str, str]:
    """Give symbol, timeframe and venue of the longest series of the lake."""
    import workbench as wb

    catalog = wb.lake().catalog()
    row = catalog.loc[catalog["rows"].idxmax()]
    return str(row["symbol"]), str(row["timeframe"]), str(row["venue"])


def main() -> None:
    """Print the medians, where the time goes, and what the project promises."""
    symbol, timeframe, venue = largest_series()
    ours = FIRST_BACKTEST.format(symbol=symbol, timeframe=timeframe, venue=venue)
    peer = "import vectorbt"
    timed(ours)
    timed(peer)
    times: dict[str, list[float]] = {ours: [], peer: []}
    parts = ""
    for _ in range(RUNS):
        for code, values in times.items():
            took, said = timed(code)
            values.append(took)
            parts = said if code is ours else parts
    first, importing = statistics.median(times[ours]), statistics.median(times[peer])
    print(f"first backtest of a fresh process, {symbol} {timeframe} at {venue}, median of {RUNS}")
    print(f"  workbench, all of it  {first:6.2f} s  (promised: below 1.5 s)\n{parts.rstrip()}")
    print(f"  import vectorbt only  {importing:6.2f} s  ratio {first / importing:.3f}")


if __name__ == "__main__":
    main()
