"""Of the indicators of flow: volume, statistics, patterns and microstructure."""

from __future__ import annotations

from tests.indicators.traits.kinds import PRICE, Traits

_ZERO = Traits(flat=(0.0,), forgets=True)
_QUIET = Traits(flat=(0.0,))  # running means and sums, in whose last bits the past stays, and long windows

TRAITS: dict[str, Traits] = {
    **dict.fromkeys(
        """beta chaikin_money_flow close_location corwin_schultz covariance autocorrelation ease_of_movement
        gap inside_bar kurtosis kyle_lambda linear_regression_angle linear_regression_slope log_return
        mean_absolute_deviation median_absolute_deviation narrow_range outside_bar percent_rank r_squared
        skewness spread_zscore volume_rate_of_change volume_zscore vpin zscore amihud
        belt_hold dark_cloud_cover dragonfly_doji engulfing evening_star gravestone_doji hammer hanging_man harami
        inverted_hammer kicking long_legged_doji marubozu morning_star piercing shooting_star spinning_top
        three_black_crows three_inside three_outside three_white_soldiers tweezer""".split(),
        _ZERO,
    ),
    **dict.fromkeys(
        """adl chaikin_oscillator drawdown entropy force_index twiggs_money_flow volume_price_trend
        volume_zone_oscillator""".split(),
        _QUIET,
    ),
    "abdi_ranaldo": Traits(flat=(0.0,), forgets=True, scales="no"),  # a sum of logarithms, each rounded
    "bulk_volume": Traits(flat=(0.5,), forgets=True),
    "correlation": Traits(flat=(0.0,), forgets=True),
    "daily_vwap": Traits(flat=(PRICE,)),
    "doji": Traits(flat=(1.0,), forgets=True),
    "fractals": Traits(flat=(0.0,) * 2, forgets=True),
    "half_life": Traits(flat=(22.0,)),
    "heikin_ashi": Traits(flat=(PRICE,) * 4),
    "hurst": Traits(flat=(0.5,)),
    "klinger": Traits(flat=(0.0,) * 2),
    "linear_regression": Traits(flat=(PRICE,) * 3, forgets=True),
    "median": Traits(flat=(PRICE,), forgets=True),
    "mfi": Traits(flat=(50.0,), forgets=True),
    "negative_volume_index": Traits(flat=(1_000.0,), scales="ratio"),
    "obv": Traits(flat=(7.0,), scales="ratio"),
    "pivot_points": Traits(flat=(PRICE,) * 7, forgets=True),
    "positive_volume_index": Traits(flat=(1_000.0,), scales="ratio"),
    "pvo": Traits(flat=(0.0,) * 3),
    "quantile": Traits(flat=(PRICE,), forgets=True),
    "relative_volume": Traits(flat=(1.0,), forgets=True, scales="ratio"),
    "roll_spread": Traits(flat=(0.0,), forgets=True, scales="price"),
    "standard_error": Traits(flat=(0.0,), forgets=True, scales="price"),
    "variance": Traits(flat=(0.0,), forgets=True),
    "variance_ratio": Traits(parameters=(8, 3), flat=(1.0,), forgets=True),
    "vwap": Traits(flat=(PRICE,), forgets=True),
    "vwma": Traits(flat=(PRICE,), forgets=True),
    "zero_returns": Traits(flat=(1.0,), forgets=True),
    "zigzag": Traits(flat=(0.0, PRICE)),
}
