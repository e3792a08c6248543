"""Indicators: plain functions of price columns, compiled, the same in a backtest and in live trading.

Arrays (or lists) in, float64 arrays out; pandas Series in, Series on the same index out. Several outputs come as a
NamedTuple: `macd(close).signal`. Columns stand first, in the order high, low, close; lengths follow, in bars. All
functions keep these rules:

- A value depends on its own bar and on bars before it, and a longer history never changes it, to the last bit.
- NaN and infinity are missing values, and so is a bar of which any column is missing. A missing value starts an
  indicator anew: nothing is carried across it, and the next value comes after a full warm-up. For a window that is to
  say NaN as long as the window holds the gap. A column shorter than the warm-up gives NaN alone.
- Nothing drifts: a value that has left a window leaves no trace in later results.
- A flat series has results: `sma`, `ema` and the bands equal it, `standard_deviation` and `atr` are 0, `rsi` and
  `stochastic` 50, `adx` 0.

`get`, `names`, `compute` and `stream` find an indicator by its name; `register` takes one of the user's own. Wrong
columns raise DataError, wrong parameters StrategyError. Nothing here knows about bars, orders or files.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what editors and type checkers see; at run time __getattr__ finds the same names
    from workbench.indicators.averages import hma, kama, trima, wma
    from workbench.indicators.compare import crosses_above, crosses_below, previous
    from workbench.indicators.extremes import donchian, highest, lowest
    from workbench.indicators.indicator import GROUPS, INPUTS, Indicator
    from workbench.indicators.momentum import adx, macd, rate_of_change, rsi, stochastic
    from workbench.indicators.moving import ema, sma, wilder
    from workbench.indicators.oscillators import awesome_oscillator, balance_of_power, ppo, price_change, trix
    from workbench.indicators.positions import cci, ultimate_oscillator, williams_r
    from workbench.indicators.registry import compute, get, names, register, stream, unregister
    from workbench.indicators.stacked import dema, t3, tema, zlema
    from workbench.indicators.streaming import Stream
    from workbench.indicators.volatility import atr, bollinger, standard_deviation, true_range

__all__ = [
    "GROUPS",
    "INPUTS",
    "Indicator",
    "Stream",
    "adx",
    "atr",
    "awesome_oscillator",
    "balance_of_power",
    "bollinger",
    "cci",
    "compute",
    "crosses_above",
    "crosses_below",
    "dema",
    "donchian",
    "ema",
    "get",
    "highest",
    "hma",
    "kama",
    "lowest",
    "macd",
    "names",
    "ppo",
    "previous",
    "price_change",
    "rate_of_change",
    "register",
    "rsi",
    "sma",
    "standard_deviation",
    "stochastic",
    "stream",
    "t3",
    "tema",
    "trima",
    "trix",
    "true_range",
    "ultimate_oscillator",
    "unregister",
    "wilder",
    "williams_r",
    "wma",
    "zlema",
]

_NAMES = {
    "averages": (
        "hma",
        "kama",
        "trima",
        "wma",
    ),
    "compare": ("crosses_above", "crosses_below", "previous"),
    "extremes": ("donchian", "highest", "lowest"),
    "indicator": ("GROUPS", "INPUTS", "Indicator"),
    "momentum": ("adx", "macd", "rate_of_change", "rsi", "stochastic"),
    "moving": ("ema", "sma", "wilder"),
    "oscillators": (
        "awesome_oscillator",
        "balance_of_power",
        "ppo",
        "price_change",
        "trix",
    ),
    "positions": (
        "cci",
        "ultimate_oscillator",
        "williams_r",
    ),
    "registry": ("compute", "get", "names", "register", "stream", "unregister"),
    "stacked": (
        "dema",
        "t3",
        "tema",
        "zlema",
    ),
    "streaming": ("Stream",),
    "volatility": ("atr", "bollinger", "standard_deviation", "true_range"),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'workbench.indicators' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"workbench.indicators.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
