"""Set-up compiles all there is to compile, and arrays never bring pandas in. Each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

COUNT = """
import sys
import numpy as np
from numba.core.dispatcher import Dispatcher
from workbench import indicators
from workbench.indicators._compile import compile_kernels

def signatures():
    modules = [module for name, module in sys.modules.items() if name.startswith("workbench.indicators.")]
    kernels = {id(k): k for module in modules for k in vars(module).values() if isinstance(k, Dispatcher)}
    return {k.__name__: len(k.signatures) for k in kernels.values()}

compile_kernels()
before = signatures()
from tests.indicators.catalog import CASES, market
import pandas as pd
frame = pd.DataFrame(market(50))
for data in (market(50), frame, frame.astype("float32"), {name: list(column) for name, column in frame.items()}):
    for case in CASES:
        case(data), case(data, tuple(case.indicator.defaults.values()))
    for cross in (indicators.crosses_above, indicators.crosses_below):
        cross(data["high"], data["low"]), cross(data["close"], 100), cross(data["close"], 100.0)
for case in CASES:
    case.streamed(market(300))
indicators.bollinger(frame["close"], 20, 2)
assert signatures() == before, (before, signatures())
assert len(before) >= 15, before
entry = [name for name in before if not any(part in name for part in ("_step_", "_gap_", "_poison_"))]
assert all(before[name] for name in entry), before
print("ok")
"""

ARRAYS_ALONE = """
import sys
from workbench import indicators
indicators.rsi([1.0, 2.0, 3.0], 2), indicators.crosses_above([1.0, 3.0], 2.0)
print(*sorted({"pandas", "pyarrow", "pydantic", "duckdb"} & set(sys.modules)), "ok")
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_no_call_of_a_user_compiles_anything_after_set_up() -> None:
    assert run(COUNT) == "ok"


def test_arrays_alone_load_no_other_library() -> None:
    assert run(ARRAYS_ALONE) == "ok"
