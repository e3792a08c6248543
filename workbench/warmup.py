"""Compiling every kernel once, as a part of set-up, so that no user's first call waits for the compiler.

`python -m workbench.warmup` calls the public functions on tiny data; numba puts what it compiles into its cache on
disk, where every later process finds it. `uncompiled` tells without compiling anything what the cache still lacks.
"""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.market.bars import Bars

__all__ = ["WarmUp", "cache_folder", "main", "uncompiled", "warm_up"]

_ROOMS = (
    "workbench.indicators",
    "workbench.trading",
    "workbench.backtest",
    "workbench.research.chance",
    "workbench.research.learning",
)
_MODULES = (  # those of rooms that have no others
    "workbench.market.trade_kernel",
    "workbench.research.sweeping.kernel_cross",
    "workbench.research.sweeping.kernel_score",
)


@dataclass(frozen=True, kw_only=True)
class WarmUp:
    """What a warm-up did.

    Parameters
    ----------
    kernels : int
        How many there are.
    compiled : int
        How many of them were not in the cache before.
    seconds : float
        How long it took.
    lost : bool
        Whether the cache cannot be written, so that every process compiles anew.
    """

    kernels: int
    compiled: int
    seconds: float
    lost: bool

    def __str__(self) -> str:
        if self.lost:
            return (
                f"{self.kernels} kernels compiled in {self.seconds:.1f} s, but there is no folder to keep them in: "
                "every process will compile them again. Set NUMBA_CACHE_DIR to a folder that can be written"
            )
        did = f"{self.compiled} compiled now" if self.compiled else "all of them in the cache"
        return f"{self.kernels} kernels are ready, {did} ({self.seconds:.1f} s)"


def uncompiled() -> list[str]:
    """List the kernels that the cache on disk lacks for this version of the code, by qualified name."""
    return [name for name, kernel in _kernels() if not _is_cached(kernel)]


def cache_folder() -> str | None:
    """Give the folder where compiled kernels are kept; None where none can be written."""
    folders = {kernel.stats.cache_path for _, kernel in _kernels()}
    return next((str(folder) for folder in sorted(filter(None, folders))), None)


def warm_up() -> WarmUp:
    """Compile what is not compiled yet."""
    start = time.perf_counter()
    before = uncompiled()
    _call_everything()
    after = uncompiled()
    return WarmUp(
        kernels=sum(1 for _ in _kernels()),
        compiled=len(set(before) - set(after)),
        seconds=time.perf_counter() - start,
        lost=bool(after),
    )


def _kernels() -> Iterator[tuple[str, Any]]:
    """Find every compiled function of the rooms that have some, each once, but for those that live in their callers."""
    from numba.core.dispatcher import Dispatcher

    from workbench.backtest.kernel_parts import Inner

    seen: set[int] = set()
    names = list(_MODULES)
    for room in _ROOMS:
        path = importlib.import_module(room).__path__
        names += [found.name for found in pkgutil.iter_modules(path, f"{room}.")]
    for module in map(importlib.import_module, names):
        for name, value in vars(module).items():
            if isinstance(value, Dispatcher) and not isinstance(value, Inner) and id(value) not in seen:
                seen.add(id(value))
                yield f"{module.__name__}.{name}", value


def _is_cached(kernel: Any) -> bool:
    """Ask numba's cache for its index, which is empty when a source file has changed since."""
    index = getattr(kernel._cache, "_cache_file", None)
    return index is not None and bool(index._load_index())


def _call_everything() -> None:
    """Call whatever leads to a kernel, with arguments of the types that users' calls have."""
    from workbench.backtest import backtest
    from workbench.indicators._compile import compile_kernels
    from workbench.market.ticks import Ticks
    from workbench.market.trade_bars import bars_from_trades
    from workbench.research.chance import monte_carlo, significance
    from workbench.research.learning.labels import triple_barrier

    compile_kernels()
    bars = _tiny_bars()
    ticks = Ticks(instrument=bars.instrument, ts=bars.ts, price=bars.close, quantity=bars.volume)
    bars_from_trades(ticks, by="tick", size=4)
    for fill in ("next_open", "close"):
        for path in ("compiled", "event"):
            result = backtest(_signals(len(bars)), bars, fill=fill, path=path)
            _ = result.metrics, result.trades, result.exposure
    monte_carlo(result, "shuffle_trades", runs=1)
    significance(result, tests=["random_entries"], runs=1)
    several = [bars, _tiny_bars("WARM/TOO", first=1)]
    result = backtest({one.symbol: _signals(len(one)) for one in several}, several)
    _ = result.metrics, result.trades, result.exposure
    _sweep(bars)
    triple_barrier(bars, limit=2, profit=0.1, stop=0.1)


def _sweep(bars: Bars) -> None:
    """Score one combination, and one cross of two lines."""
    import numpy as np

    from workbench.research.sweeping.crossing import line_of
    from workbench.research.sweeping.engine import Compact, Engine

    engine = Engine(bars)
    engine.run([Compact(said=np.full(len(bars), 16, dtype=np.uint8))])
    engine.run_crosses([line_of(bars.close), line_of(bars.open)], np.array([[0, 1]]), np.array([1]))


def _signals(count: int) -> Any:
    from workbench.strategy.signals import Signals

    turns = [bar % 8 for bar in range(count)]
    return Signals(entry=[turn == 0 for turn in turns], exit=[turn == 6 for turn in turns], stop_loss=0.5)


def _tiny_bars(symbol: str = "WARM/UP", first: int = 0) -> Bars:
    import numpy as np

    from workbench.market.bars import Bars
    from workbench.market.instrument import Instrument
    from workbench.market.timeframe import Timeframe

    close = np.linspace(100.0, 110.0, 16)
    return Bars(
        instrument=Instrument(symbol=symbol),
        timeframe=Timeframe.parse("1d"),
        ts=np.arange(first, first + 16, dtype=np.int64) * 86_400_000,
        open=close, high=close + 1.0, low=close - 1.0, close=close, volume=1_000.0 * close,
    )  # fmt: skip


def main() -> None:
    """Warm up and say what was done."""
    print(warm_up())


if __name__ == "__main__":
    main()
