"""Columns of `ta` beside the indicators of flow: volume, statistics, patterns and microstructure."""

from __future__ import annotations

from tests.indicators.ta_pairs.kinds import Beside

_SEED = "ta starts an exponential mean with the first value alone, ours with the mean of the first window."

PAIRS: dict[str, Beside] = {
    "ta:volume.acc_dist_index": Beside(ours="adl"),
    "ta:volume.chaikin_money_flow": Beside(ours="chaikin_money_flow"),
    "ta:volume.money_flow_index": Beside(ours="mfi"),
    "ta:volume.negative_volume_index": Beside(ours="negative_volume_index"),
    "ta:volume.on_balance_volume": Beside(
        ours="obv", agrees=False,
        why="ta takes an unchanged close for a rising one; Granville, TA-Lib and we leave the sum as it is.",
    ),
    "ta:volume.volume_price_trend": Beside(ours="volume_price_trend"),
    "ta:volume.volume_weighted_average_price": Beside(ours="vwap", parameters={"length": 14}),
    "ta:volume.force_index": Beside(ours="force_index", fades=13 * 14, why=_SEED),
    "ta:volume.sma_ease_of_movement": Beside(ours="ease_of_movement"),
    "ta:momentum.pvo": Beside(ours="pvo.pvo", fades=26 * 14, why=_SEED),
    "ta:momentum.pvo_signal": Beside(ours="pvo.signal", fades=26 * 16, why=_SEED),
    "ta:momentum.pvo_hist": Beside(ours="pvo.histogram", fades=26 * 16, why=_SEED),
    "ta:others.daily_log_return": Beside(ours="log_return", factor=100.0),
}  # fmt: skip
