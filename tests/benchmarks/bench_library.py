"""The strategy library on real data: what each one returned with its defaults and all costs, beside buying and holding.

Defaults are a place to begin, not a fit: what loses is shown losing. The bundled series are read from a workspace
(`--workspace`, WORKBENCH_WORKSPACE, or the one around this folder). Spot, perpetuals and their funding are not bundled:
`--data` (or WORKBENCH_BENCH_DATA) names a folder with `spot/COIN-1h.parquet`, `usdm/COIN-1h.parquet` and
`usdm/COIN-funding.parquet` (columns ts open high low close volume; ts funding_rate), such as BTCUSDT.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import workbench as wb
from workbench.market.lake import Lake
from workbench.strategy import library
from workbench.strategy.library.series import usual_series

COINS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "DOGEUSDT")
THROUGH = wb.Rules(limit_fill="through")  # who rests is last in the queue


class Case(NamedTuple):
    """One run: a strategy, what it trades, and the rules that are not the usual ones."""

    name: str
    bars: list[wb.Bars]
    rules: wb.Rules = THROUGH


def bundled(lake: Lake) -> Iterator[Case]:
    """Every strategy whose usual series are bundled; the single ones on another market too."""
    known = {f"{one.symbol} {one.timeframe}" for one in lake.series()}
    for name in library.names():
        series = usual_series(name)
        if name == "triangular" or not set(series) <= known:
            continue
        yield Case(name, [lake.read(*one.rsplit(" ", 1)) for one in series])
        if len(series) == 1:
            yield Case(name, [lake.read("SPX", "1d")])


def perpetuals(folder: Path) -> Iterator[Case]:
    """What needs a perpetual beside spot, and what is at home there."""
    for coin in COINS:
        spot, usdm, paid = (folder / one for one in (
            f"spot/{coin}-1h.parquet", f"usdm/{coin}-1h.parquet", f"usdm/{coin}-funding.parquet"
        ))  # fmt: skip
        if not (spot.is_file() and usdm.is_file() and paid.is_file()):
            print(f"  missing: {coin} in {folder}")
            continue
        symbol = f"{coin.removesuffix('USDT')}/USDT"
        both = _together(_bars(spot, symbol), _bars(usdm, f"{symbol}:USDT"))
        rules = wb.Rules(limit_fill="through", funding={f"{symbol}:USDT": _funding(paid)})
        yield Case("cash_and_carry", both, rules)
        yield Case("arbitrage", both, rules)
        if coin == COINS[0]:
            for name in ("avellaneda_stoikov", "grid", "market_making", "scalping"):
                yield Case(name, both[1:], rules)


def _bars(path: Path, symbol: str) -> wb.Bars:
    table = pd.read_parquet(path)
    columns = {name: table[name].to_numpy(float) for name in ("open", "high", "low", "close", "volume")}
    instrument = wb.Instrument.default(symbol, "binance")
    return wb.Bars(instrument=instrument, timeframe="1h", ts=_ms(table["ts"]), **columns)


def _ms(times: Any) -> Any:
    return pd.DatetimeIndex(times).as_unit("ms").asi8


def _funding(path: Path) -> Any:
    table = pd.read_parquet(path)
    return pd.Series(table["funding_rate"].to_numpy(float), index=pd.DatetimeIndex(table["ts"]))


def _together(*series: wb.Bars) -> list[wb.Bars]:
    first, last = max(int(one.ts[0]) for one in series), min(int(one.ts[-1]) for one in series)
    return [one[int(np.searchsorted(one.ts, first)) : int(np.searchsorted(one.ts, last)) + 1] for one in series]


def show(case: Case, runs: int) -> None:
    """Run a case some times and print one line."""
    wb.backtest(
        library.get(case.name)(), [one[:500] for one in case.bars], rules=wb.Rules(limit_fill="through")
    )  # warm
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        result = wb.backtest(library.get(case.name)(), case.bars, rules=case.rules)
        taken.append(time.perf_counter() - start)
    told, held = result.metrics, wb.metrics.total_growth(result.buy_and_hold, result.cash)
    bars = sum(len(one) for one in case.bars)
    where = case.bars[0].symbol if len(case.bars) == 1 else f"{case.bars[0].symbol} and {len(case.bars) - 1} more"
    years = f"{case.bars[-1].timeframe} {result.years:.1f} y"
    print(
        f"  {case.name:<20} {where:<22} {years:<9} {told['total_return']:>9.1%} {held:>9.1%} "
        f"{told['sharpe_ratio']:>7.2f} {told['max_drawdown']:>8.1%} {told['trades']:>7,} {len(result.fills):>7,} "
        f"{bars / statistics.median(taken):>10,.0f} {result.path}",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--workspace", default=os.environ.get("WORKBENCH_WORKSPACE", ""))
    options.add_argument("--data", default=os.environ.get("WORKBENCH_BENCH_DATA", ""))
    options.add_argument("--runs", type=int, default=1)
    options.add_argument("--only", default="", help="names of strategies, with commas between them")
    chosen = options.parse_args()
    root = Path(chosen.workspace) if chosen.workspace else Path(__file__).resolve().parents[2]
    wanted = set(filter(None, chosen.only.split(","))) or set(library.names())
    print("defaults, all costs, resting orders last in the queue; returns of the whole time")
    print(
        f"  {'strategy':<20} {'market':<22} {'':<9} {'return':>9} {'held':>9} {'Sharpe':>7} {'drawdown':>8} "
        f"{'trades':>7} {'fills':>7} {'bars/s':>10} path"
    )
    for case in bundled(Lake(root / "data" / "lake")):
        if case.name in wanted:
            show(case, chosen.runs)
    print("  missing: triangular (it needs an account of three currencies; a backtest has one)")
    if not chosen.data:
        print("  missing: perpetuals and funding (no --data or WORKBENCH_BENCH_DATA)")
        return
    for case in perpetuals(Path(chosen.data)):
        if case.name in wanted:
            show(case, chosen.runs)


if __name__ == "__main__":
    main()
