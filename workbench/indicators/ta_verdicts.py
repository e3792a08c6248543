"""What of `ta` 0.11 there is, and which of its columns look ahead, when, why, and by how much.

The verdicts are facts: a test computes every column of `ta` on truncated real bars and compares with this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["COLUMNS", "VERDICTS", "Verdict"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """That some columns of `ta` change what they have said once bars are appended.

    Parameters
    ----------
    columns : tuple of str
    when : dict
        Parameters with which it is so. Empty: always.
    row : int
        The first row that changes. Of an hourly series of BTC/USDT, which at its 60th bar is compared with the 200th.
    change : float
        By how much that row of the first column changes, in its own unit; infinite where there was no value before.
    why : str
        What in `ta` does it.
    leading_gap : bool
        It only shows where the column starts with missing values: in the measurement, 30 of the first 60.
    """

    columns: tuple[str, ...]
    when: Mapping[str, Any] = field(default_factory=dict)
    row: int
    change: float
    why: str
    leading_gap: bool = False

    def holds(self, parameters: Mapping[str, Any]) -> bool:
        """Tell whether a column looks ahead with these parameters."""
        return all(parameters.get(name) == value for name, value in self.when.items())

    @property
    def condition(self) -> str:
        """When, in words: empty if it is always so."""
        return " and ".join(f"{name}={value!r}" for name, value in self.when.items())

    @property
    def reason(self) -> str:
        """The whole reason, for a message."""
        with_what = f"with {self.condition} " if self.when else ""
        size = f"by {self.change:.4g} in its own unit" if self.change < float("inf") else "from nothing to a value"
        where = "where its column starts with missing values, " if self.leading_gap else ""
        return f"{with_what}it looks ahead: {where}row {self.row} changes {size} when bars are appended, as {self.why}"


COLUMNS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "momentum": {
        "AwesomeOscillatorIndicator": ("awesome_oscillator",),
        "KAMAIndicator": ("kama",),
        "PercentagePriceOscillator": (
            "ppo",
            "ppo_hist",
            "ppo_signal",
        ),
        "PercentageVolumeOscillator": (
            "pvo",
            "pvo_hist",
            "pvo_signal",
        ),
        "ROCIndicator": ("roc",),
        "RSIIndicator": ("rsi",),
        "StochRSIIndicator": (
            "stochrsi",
            "stochrsi_d",
            "stochrsi_k",
        ),
        "StochasticOscillator": (
            "stoch",
            "stoch_signal",
        ),
        "TSIIndicator": ("tsi",),
        "UltimateOscillator": ("ultimate_oscillator",),
        "WilliamsRIndicator": ("williams_r",),
    },
    "others": {
        "CumulativeReturnIndicator": ("cumulative_return",),
        "DailyLogReturnIndicator": ("daily_log_return",),
        "DailyReturnIndicator": ("daily_return",),
    },
    "trend": {
        "ADXIndicator": (
            "adx",
            "adx_neg",
            "adx_pos",
        ),
        "AroonIndicator": (
            "aroon_down",
            "aroon_indicator",
            "aroon_up",
        ),
        "CCIIndicator": ("cci",),
        "DPOIndicator": ("dpo",),
        "EMAIndicator": ("ema_indicator",),
        "IchimokuIndicator": (
            "ichimoku_a",
            "ichimoku_b",
            "ichimoku_base_line",
            "ichimoku_conversion_line",
        ),
        "KSTIndicator": (
            "kst",
            "kst_diff",
            "kst_sig",
        ),
        "MACD": (
            "macd",
            "macd_diff",
            "macd_signal",
        ),
        "MassIndex": ("mass_index",),
        "PSARIndicator": (
            "psar",
            "psar_down",
            "psar_down_indicator",
            "psar_up",
            "psar_up_indicator",
        ),
        "SMAIndicator": ("sma_indicator",),
        "STCIndicator": ("stc",),
        "TRIXIndicator": ("trix",),
        "VortexIndicator": (
            "vortex_indicator_diff",
            "vortex_indicator_neg",
            "vortex_indicator_pos",
        ),
        "WMAIndicator": ("wma",),
    },
    "volatility": {
        "AverageTrueRange": ("average_true_range",),
        "BollingerBands": (
            "bollinger_hband",
            "bollinger_hband_indicator",
            "bollinger_lband",
            "bollinger_lband_indicator",
            "bollinger_mavg",
            "bollinger_pband",
            "bollinger_wband",
        ),
        "DonchianChannel": (
            "donchian_channel_hband",
            "donchian_channel_lband",
            "donchian_channel_mband",
            "donchian_channel_pband",
            "donchian_channel_wband",
        ),
        "KeltnerChannel": (
            "keltner_channel_hband",
            "keltner_channel_hband_indicator",
            "keltner_channel_lband",
            "keltner_channel_lband_indicator",
            "keltner_channel_mband",
            "keltner_channel_pband",
            "keltner_channel_wband",
        ),
        "UlcerIndex": ("ulcer_index",),
    },
    "volume": {
        "AccDistIndexIndicator": ("acc_dist_index",),
        "ChaikinMoneyFlowIndicator": ("chaikin_money_flow",),
        "EaseOfMovementIndicator": (
            "ease_of_movement",
            "sma_ease_of_movement",
        ),
        "ForceIndexIndicator": ("force_index",),
        "MFIIndicator": ("money_flow_index",),
        "NegativeVolumeIndexIndicator": ("negative_volume_index",),
        "OnBalanceVolumeIndicator": ("on_balance_volume",),
        "VolumePriceTrendIndicator": ("volume_price_trend",),
        "VolumeWeightedAveragePrice": ("volume_weighted_average_price",),
    },
}

_MEAN: Final = "ta fills the rows that a shift leaves empty with the mean of the whole series"
_BACK: Final = "fillna=True fills the first rows from later ones"
_ROLL: Final = "ta rolls the last rows to the front"

VERDICTS: Final = (
    Verdict(columns=("trend.kst", "trend.kst_sig"), row=14, change=23.0005, why=_MEAN),
    Verdict(columns=("trend.kst_diff",), row=15, change=0.376554, why=_MEAN),
    Verdict(columns=("trend.ichimoku_a", "trend.ichimoku_b"), when={"visual": True}, row=0, change=102.487, why=_MEAN),
    Verdict(columns=("trend.dpo", "trend.trix"), when={"fillna": True}, row=0, change=96.4691, why=_MEAN),
    Verdict(columns=("trend.dpo",), when={"window": 1}, row=0, change=96.4691, why=_MEAN),
    Verdict(columns=("trend.dpo",), when={"window": 2}, row=1, change=96.4691, why=_MEAN),
    Verdict(columns=("trend.trix",), when={"window": 1}, row=0, change=2.37824, why=_MEAN),
    Verdict(
        columns=("trend.vortex_indicator_pos", "trend.vortex_indicator_neg", "trend.vortex_indicator_diff"),
        when={"fillna": True}, row=1, change=0.244592, why=_MEAN,
    ),
    Verdict(columns=("momentum.kama",), when={"fillna": True}, row=1, change=1.97326, why=_ROLL),
    Verdict(
        columns=(
            "trend.ichimoku_conversion_line", "trend.ichimoku_base_line", "trend.ichimoku_a", "trend.ichimoku_b",
            "volatility.bollinger_mavg", "volatility.bollinger_hband", "volatility.bollinger_lband",
            "volatility.keltner_channel_mband", "volatility.keltner_channel_hband", "volatility.keltner_channel_lband",
            "volatility.donchian_channel_hband", "volatility.donchian_channel_lband",
            "volatility.donchian_channel_mband",
        ),
        when={"fillna": True}, row=0, change=float("inf"), why=_BACK, leading_gap=True,
    ),
)  # fmt: skip
