"""Columns of `ta` beside the indicators of trend."""

from __future__ import annotations

from tests.indicators.ta_pairs.kinds import Beside

_SEED = "ta starts an exponential mean with the first value alone, ours with the mean of the first window."
_OLDEST = "Of equal highs ta takes the oldest; TA-Lib and we the newest."

PAIRS: dict[str, Beside] = {
    "ta:trend.vortex_indicator_pos": Beside(ours="vortex.plus"),
    "ta:trend.vortex_indicator_neg": Beside(ours="vortex.minus"),
    "ta:trend.dpo": Beside(ours="dpo"),
    "ta:trend.mass_index": Beside(ours="mass_index", fades=9 * 14, why=_SEED),
    "ta:trend.ichimoku_conversion_line": Beside(ours="ichimoku.conversion"),
    "ta:trend.ichimoku_base_line": Beside(ours="ichimoku.base"),
    "ta:trend.aroon_up": Beside(ours="aroon.up", agrees=False, why=_OLDEST),
    "ta:trend.stc": Beside(ours="schaff_trend_cycle", fades=50 * 14, why=_SEED),
}
