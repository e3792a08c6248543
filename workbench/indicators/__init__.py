"""Indicators: plain functions of price columns, compiled, the same in a backtest and in live trading.

Arrays (or lists) in, float64 arrays out; pandas Series in, Series on the same index out. Several outputs come as a
NamedTuple: `macd(close).signal`. Columns stand first, in the order open, high, low, close, volume, ts; lengths follow,
in bars. All functions keep these rules:

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
    from workbench.indicators.bar_oscillators import (
        elder_ray,
        fisher_transform,
        relative_vigor_index,
        stochastic_momentum_index,
    )
    from workbench.indicators.bar_ranges import gap, inside_bar, narrow_range, outside_bar
    from workbench.indicators.candle_dojis import doji, dragonfly_doji, gravestone_doji, long_legged_doji
    from workbench.indicators.candle_pairs import dark_cloud_cover, engulfing, harami, kicking, piercing, tweezer
    from workbench.indicators.candle_shapes import (
        belt_hold,
        hammer,
        hanging_man,
        inverted_hammer,
        marubozu,
        shooting_star,
        spinning_top,
    )
    from workbench.indicators.candle_triples import (
        evening_star,
        morning_star,
        three_black_crows,
        three_inside,
        three_outside,
        three_white_soldiers,
    )
    from workbench.indicators.compare import crosses_above, crosses_below, previous
    from workbench.indicators.distribution import entropy, kurtosis, mean_absolute_deviation, skewness, variance, zscore
    from workbench.indicators.extremes import donchian, highest, lowest
    from workbench.indicators.indicator import GROUPS, INPUTS, Indicator
    from workbench.indicators.levels import drawdown, pivot_points
    from workbench.indicators.liquidity import abdi_ranaldo, corwin_schultz, roll_spread, zero_returns
    from workbench.indicators.momentum import adx, macd, rate_of_change, rsi, stochastic
    from workbench.indicators.money_flow import adl, chaikin_money_flow, chaikin_oscillator, mfi, twiggs_money_flow
    from workbench.indicators.moving import ema, sma, wilder
    from workbench.indicators.order_flow import amihud, bulk_volume, close_location, kyle_lambda, vpin
    from workbench.indicators.order_statistics import median, median_absolute_deviation, percent_rank, quantile
    from workbench.indicators.oscillators import awesome_oscillator, balance_of_power, ppo, price_change, trix
    from workbench.indicators.pairs import autocorrelation, beta, correlation, covariance, half_life, spread_zscore
    from workbench.indicators.persistence import hurst, log_return, variance_ratio
    from workbench.indicators.positions import cci, ultimate_oscillator, williams_r
    from workbench.indicators.range_volatility import garman_klass, parkinson, rogers_satchell, yang_zhang
    from workbench.indicators.registry import compute, get, names, register, stream, unregister
    from workbench.indicators.regression import (
        linear_regression,
        linear_regression_angle,
        linear_regression_slope,
        r_squared,
        standard_error,
    )
    from workbench.indicators.return_volatility import ewma_volatility, historical_volatility, ulcer_index
    from workbench.indicators.smoothed_rates import accelerator, apo, coppock, kst, price_momentum_oscillator
    from workbench.indicators.squeezing import squeeze
    from workbench.indicators.stacked import dema, t3, tema, zlema
    from workbench.indicators.streaming import Stream
    from workbench.indicators.strength import cmo, connors_rsi, stochastic_rsi, tsi
    from workbench.indicators.swings import fractals, heikin_ashi, zigzag
    from workbench.indicators.trend_averages import alligator, alma, mcginley_dynamic, schaff_trend_cycle, vidya
    from workbench.indicators.trend_channels import aroon, ichimoku, keltner, moving_average_envelope
    from workbench.indicators.trend_direction import adxr, directional_movement, dx
    from workbench.indicators.trend_stops import chandelier_exit, parabolic_sar, supertrend
    from workbench.indicators.trend_strength import choppiness, dpo, mass_index, vertical_horizontal_filter, vortex
    from workbench.indicators.volatility import atr, bollinger, standard_deviation, true_range
    from workbench.indicators.volatility_bands import (
        acceleration_bands,
        atr_trailing_stop,
        bollinger_bandwidth,
        bollinger_percent_b,
        natr,
        starc_bands,
    )
    from workbench.indicators.volume import (
        ease_of_movement,
        force_index,
        negative_volume_index,
        obv,
        positive_volume_index,
        volume_price_trend,
        volume_zone_oscillator,
    )
    from workbench.indicators.volume_averages import (
        daily_vwap,
        relative_volume,
        volume_rate_of_change,
        volume_zscore,
        vwap,
        vwma,
    )
    from workbench.indicators.volume_oscillators import klinger, pvo

__all__ = [
    "GROUPS",
    "INPUTS",
    "Indicator",
    "Stream",
    "abdi_ranaldo",
    "acceleration_bands",
    "accelerator",
    "adl",
    "adx",
    "adxr",
    "alligator",
    "alma",
    "amihud",
    "apo",
    "aroon",
    "atr",
    "atr_trailing_stop",
    "autocorrelation",
    "awesome_oscillator",
    "balance_of_power",
    "belt_hold",
    "beta",
    "bollinger",
    "bollinger_bandwidth",
    "bollinger_percent_b",
    "bulk_volume",
    "cci",
    "chaikin_money_flow",
    "chaikin_oscillator",
    "chandelier_exit",
    "choppiness",
    "close_location",
    "cmo",
    "compute",
    "connors_rsi",
    "coppock",
    "correlation",
    "corwin_schultz",
    "covariance",
    "crosses_above",
    "crosses_below",
    "daily_vwap",
    "dark_cloud_cover",
    "dema",
    "directional_movement",
    "doji",
    "donchian",
    "dpo",
    "dragonfly_doji",
    "drawdown",
    "dx",
    "ease_of_movement",
    "elder_ray",
    "ema",
    "engulfing",
    "entropy",
    "evening_star",
    "ewma_volatility",
    "fisher_transform",
    "force_index",
    "fractals",
    "gap",
    "garman_klass",
    "get",
    "gravestone_doji",
    "half_life",
    "hammer",
    "hanging_man",
    "harami",
    "heikin_ashi",
    "highest",
    "historical_volatility",
    "hma",
    "hurst",
    "ichimoku",
    "inside_bar",
    "inverted_hammer",
    "kama",
    "keltner",
    "kicking",
    "klinger",
    "kst",
    "kurtosis",
    "kyle_lambda",
    "linear_regression",
    "linear_regression_angle",
    "linear_regression_slope",
    "log_return",
    "long_legged_doji",
    "lowest",
    "macd",
    "marubozu",
    "mass_index",
    "mcginley_dynamic",
    "mean_absolute_deviation",
    "median",
    "median_absolute_deviation",
    "mfi",
    "morning_star",
    "moving_average_envelope",
    "names",
    "narrow_range",
    "natr",
    "negative_volume_index",
    "obv",
    "outside_bar",
    "parabolic_sar",
    "parkinson",
    "percent_rank",
    "piercing",
    "pivot_points",
    "positive_volume_index",
    "ppo",
    "previous",
    "price_change",
    "price_momentum_oscillator",
    "pvo",
    "quantile",
    "r_squared",
    "rate_of_change",
    "register",
    "relative_vigor_index",
    "relative_volume",
    "rogers_satchell",
    "roll_spread",
    "rsi",
    "schaff_trend_cycle",
    "shooting_star",
    "skewness",
    "sma",
    "spinning_top",
    "spread_zscore",
    "squeeze",
    "standard_deviation",
    "standard_error",
    "starc_bands",
    "stochastic",
    "stochastic_momentum_index",
    "stochastic_rsi",
    "stream",
    "supertrend",
    "t3",
    "tema",
    "three_black_crows",
    "three_inside",
    "three_outside",
    "three_white_soldiers",
    "trima",
    "trix",
    "true_range",
    "tsi",
    "tweezer",
    "twiggs_money_flow",
    "ulcer_index",
    "ultimate_oscillator",
    "unregister",
    "variance",
    "variance_ratio",
    "vertical_horizontal_filter",
    "vidya",
    "volume_price_trend",
    "volume_rate_of_change",
    "volume_zone_oscillator",
    "volume_zscore",
    "vortex",
    "vpin",
    "vwap",
    "vwma",
    "wilder",
    "williams_r",
    "wma",
    "yang_zhang",
    "zero_returns",
    "zigzag",
    "zlema",
    "zscore",
]

_NAMES = {
    "averages": ("hma", "kama", "trima", "wma"),
    "bar_oscillators": ("elder_ray", "fisher_transform", "relative_vigor_index", "stochastic_momentum_index"),
    "bar_ranges": ("gap", "inside_bar", "narrow_range", "outside_bar"),
    "candle_dojis": ("doji", "dragonfly_doji", "gravestone_doji", "long_legged_doji"),
    "candle_pairs": ("dark_cloud_cover", "engulfing", "harami", "kicking", "piercing", "tweezer"),
    "candle_shapes": (
        "belt_hold",
        "hammer",
        "hanging_man",
        "inverted_hammer",
        "marubozu",
        "shooting_star",
        "spinning_top",
    ),
    "candle_triples": (
        "evening_star",
        "morning_star",
        "three_black_crows",
        "three_inside",
        "three_outside",
        "three_white_soldiers",
    ),
    "compare": ("crosses_above", "crosses_below", "previous"),
    "distribution": ("entropy", "kurtosis", "mean_absolute_deviation", "skewness", "variance", "zscore"),
    "extremes": ("donchian", "highest", "lowest"),
    "indicator": ("GROUPS", "INPUTS", "Indicator"),
    "levels": ("drawdown", "pivot_points"),
    "liquidity": ("abdi_ranaldo", "corwin_schultz", "roll_spread", "zero_returns"),
    "momentum": ("adx", "macd", "rate_of_change", "rsi", "stochastic"),
    "money_flow": ("adl", "chaikin_money_flow", "chaikin_oscillator", "mfi", "twiggs_money_flow"),
    "moving": ("ema", "sma", "wilder"),
    "order_flow": ("amihud", "bulk_volume", "close_location", "kyle_lambda", "vpin"),
    "order_statistics": ("median", "median_absolute_deviation", "percent_rank", "quantile"),
    "oscillators": ("awesome_oscillator", "balance_of_power", "ppo", "price_change", "trix"),
    "pairs": ("autocorrelation", "beta", "correlation", "covariance", "half_life", "spread_zscore"),
    "persistence": ("hurst", "log_return", "variance_ratio"),
    "positions": ("cci", "ultimate_oscillator", "williams_r"),
    "range_volatility": ("garman_klass", "parkinson", "rogers_satchell", "yang_zhang"),
    "registry": ("compute", "get", "names", "register", "stream", "unregister"),
    "regression": (
        "linear_regression",
        "linear_regression_angle",
        "linear_regression_slope",
        "r_squared",
        "standard_error",
    ),
    "return_volatility": ("ewma_volatility", "historical_volatility", "ulcer_index"),
    "smoothed_rates": ("accelerator", "apo", "coppock", "kst", "price_momentum_oscillator"),
    "squeezing": ("squeeze",),
    "stacked": ("dema", "t3", "tema", "zlema"),
    "streaming": ("Stream",),
    "strength": ("cmo", "connors_rsi", "stochastic_rsi", "tsi"),
    "swings": ("fractals", "heikin_ashi", "zigzag"),
    "trend_averages": ("alligator", "alma", "mcginley_dynamic", "schaff_trend_cycle", "vidya"),
    "trend_channels": ("aroon", "ichimoku", "keltner", "moving_average_envelope"),
    "trend_direction": ("adxr", "directional_movement", "dx"),
    "trend_stops": ("chandelier_exit", "parabolic_sar", "supertrend"),
    "trend_strength": ("choppiness", "dpo", "mass_index", "vertical_horizontal_filter", "vortex"),
    "volatility": ("atr", "bollinger", "standard_deviation", "true_range"),
    "volatility_bands": (
        "acceleration_bands",
        "atr_trailing_stop",
        "bollinger_bandwidth",
        "bollinger_percent_b",
        "natr",
        "starc_bands",
    ),
    "volume": (
        "ease_of_movement",
        "force_index",
        "negative_volume_index",
        "obv",
        "positive_volume_index",
        "volume_price_trend",
        "volume_zone_oscillator",
    ),
    "volume_averages": ("daily_vwap", "relative_volume", "volume_rate_of_change", "volume_zscore", "vwap", "vwma"),
    "volume_oscillators": ("klinger", "pvo"),
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
