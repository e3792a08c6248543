"""Columns of `ta` beside the indicators of volatility, and of momentum in strength and smoothed_rates."""

from __future__ import annotations

from tests.indicators.ta_pairs.kinds import Beside

_SEED = "ta starts an exponential mean with the first value alone, ours with the mean of the first window."

PAIRS: dict[str, Beside] = {
    "ta:volatility.bollinger_wband": Beside(ours="bollinger_bandwidth", factor=100.0),
    "ta:volatility.bollinger_pband": Beside(ours="bollinger_percent_b"),
    "ta:volatility.ulcer_index": Beside(ours="ulcer_index", factor=100.0),
    "ta:momentum.stochrsi": Beside(
        ours="stochastic_rsi.k", parameters={"smooth_k": 1}, factor=0.01, fades=14 * 40, why=_SEED
    ),
    "ta:momentum.stochrsi_k": Beside(ours="stochastic_rsi.k", factor=0.01, fades=14 * 40, why=_SEED),
    "ta:momentum.stochrsi_d": Beside(ours="stochastic_rsi.d", factor=0.01, fades=14 * 40, why=_SEED),
    "ta:momentum.tsi": Beside(ours="tsi.tsi", fades=25 * 20, why=_SEED),
    "ta:trend.kst": Beside(ours="kst.kst", factor=100.0),
    "ta:trend.kst_sig": Beside(ours="kst.signal", factor=100.0),
}  # fmt: skip
