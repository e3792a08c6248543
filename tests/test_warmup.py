"""Set-up compiles every kernel, so that what a user does first finds all of them in the cache."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.warmup import cache_folder, uncompiled, warm_up

ROOT = Path(__file__).resolve().parent.parent

# Every bundled strategy over a crypto and a stock series, with each fill, in a process of its own: what the cache
# lacked is a miss.
FIRST_USE = """
import sys
from workbench import warmup
import workbench as wb
for info in wb.list_strategies():
    strategy = wb.load_strategy(info.name)()
    for symbol, timeframe in (("BTC/USDT", "1d"), ("SPX", "1d")):
        for fill in ("next_open",) if strategy.needs_next_open else ("next_open", "close"):
            result = wb.backtest(strategy, wb.read(symbol, timeframe), fill=fill)
            result.metrics, result.trades, result.orders
late = {name: dict(kernel.stats.cache_misses) for name, kernel in warmup._kernels() if kernel.stats.cache_misses}
used = sum(bool(kernel.stats.cache_hits) for _, kernel in warmup._kernels())
print("kernels from the cache:", used, "compiled late:", late)
"""


def python(*words: str, **more: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    done = subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_leaves_nothing_to_compile_and_says_so_in_one_line() -> None:
    done = warm_up()
    assert uncompiled() == []
    assert (done.lost, done.kernels > 20) == (False, True)
    assert re.fullmatch(r"\d+ kernels are ready, (all of them in the cache|\d+ compiled now) \(\d+\.\d s\)", str(done))
    folder = cache_folder()
    assert folder is not None and any(Path(folder).glob("*.nbi"))
    said = python("-m", "workbench.warmup")
    assert re.fullmatch(rf"{done.kernels} kernels are ready, all of them in the cache \(\d+\.\d s\)\n", said)


def test_a_first_use_finds_every_kernel_in_the_cache(workspace: Path) -> None:
    warm_up()
    said = python("-c", FIRST_USE, WORKBENCH_WORKSPACE=str(workspace))
    assert said.endswith("compiled late: {}\n")
    assert int(said.split(":")[1].split()[0]) > 5


def test_an_empty_cache_lacks_every_kernel(tmp_path: Path) -> None:
    code = "from workbench.warmup import uncompiled; print(len(uncompiled()))"
    assert int(python("-c", code, NUMBA_CACHE_DIR=str(tmp_path))) == warm_up().kernels


@pytest.mark.long
def test_a_fresh_installation_is_warm_after_one_run(tmp_path: Path, workspace: Path) -> None:
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert re.fullmatch(r"(\d+) kernels are ready, \1 compiled now \(.*\)\n", python("-m", "workbench.warmup", **cache))
    said = python("-c", FIRST_USE, WORKBENCH_WORKSPACE=str(workspace), **cache)
    assert said.endswith("compiled late: {}\n")
