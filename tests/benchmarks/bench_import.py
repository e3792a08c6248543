"""What `import workbench` costs, beside `import numpy` and `import vectorbt`: medians of alternating processes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

STATEMENTS = ("pass", "import workbench", "import numpy", "import vectorbt")
RUNS = 5


def seconds(statement: str) -> float:
    """Time a fresh process that runs one statement."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print the medians and what the project promises about them."""
    for statement in STATEMENTS:  # the first time reads the disk
        seconds(statement)
    times: dict[str, list[float]] = {statement: [] for statement in STATEMENTS}
    for _ in range(RUNS):
        for statement in STATEMENTS:
            times[statement].append(seconds(statement))
    median = {statement: statistics.median(values) for statement, values in times.items()}
    print(f"fresh process, median of {RUNS}")
    for statement in STATEMENTS:
        print(f"  {statement:<18} {median[statement] * 1_000:8.0f} ms")
    ours, numpy, vectorbt = (median[f"import {name}"] for name in ("workbench", "numpy", "vectorbt"))
    print(f"  workbench / vectorbt  {ours / vectorbt:.3f}  (promised: below 0.100)")
    print(f"  workbench - numpy     {(ours - numpy) * 1_000:+.0f} ms  (promised: at most +50 ms)")


if __name__ == "__main__":
    main()
