"""Columns of `ta` beside the indicators in extremes, momentum, moving and volatility."""

from __future__ import annotations

from tests.indicators.ta_pairs.kinds import Beside

_SEED = (
    "ta starts an exponential mean with the first price alone; the mean of the first window, ours and TA-Lib's, is "
    "what Wilder and the field do. After the seed both are the same."
)
_ZERO = "ta says 0.0 on the bars of its warm-up, and one bar longer than it needs; ours says NaN, then the value."

PAIRS: dict[str, Beside] = {
    "ta:trend.sma_indicator": Beside(ours="sma", parameters={"length": 12}),
    "ta:trend.ema_indicator": Beside(ours="ema", parameters={"length": 14}, fades=14 * 12, why=_SEED),
    "ta:momentum.rsi": Beside(ours="rsi", fades=14 * 25, why=_SEED),
    "ta:momentum.roc": Beside(ours="rate_of_change", parameters={"length": 12}, factor=100.0),
    "ta:momentum.stoch": Beside(ours="stochastic.k", parameters={"smooth_k": 1}),
    "ta:momentum.stoch_signal": Beside(ours="stochastic.d", parameters={"smooth_k": 1}),
    "ta:trend.macd": Beside(ours="macd.macd", fades=26 * 14, why=_SEED),
    "ta:trend.macd_signal": Beside(ours="macd.signal", fades=26 * 14, why=_SEED),
    "ta:trend.macd_diff": Beside(ours="macd.histogram", fades=26 * 14, why=_SEED),
    "ta:trend.adx": Beside(ours="adx.adx"),
    "ta:trend.adx_pos": Beside(ours="adx.plus_di", fades=1, why=_ZERO),
    "ta:trend.adx_neg": Beside(ours="adx.minus_di", fades=1, why=_ZERO),
    "ta:volatility.average_true_range": Beside(ours="atr", fades=14 * 25, why="ta counts the first bar's range too."),
    "ta:volatility.bollinger_mavg": Beside(ours="bollinger.middle"),
    "ta:volatility.bollinger_hband": Beside(ours="bollinger.upper"),
    "ta:volatility.bollinger_lband": Beside(ours="bollinger.lower"),
    "ta:volatility.donchian_channel_hband": Beside(ours="donchian.upper"),
    "ta:volatility.donchian_channel_mband": Beside(ours="donchian.middle"),
    "ta:volatility.donchian_channel_lband": Beside(ours="donchian.lower"),
    "ta:others.daily_return": Beside(ours="rate_of_change", parameters={"length": 1}, factor=100.0),
}  # fmt: skip
