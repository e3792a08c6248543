"""The terms of a backtest: where decisions fill, and what trading costs: never zero unless somebody says so."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any, Final, Literal, get_args

from workbench.errors import ConfigError
from workbench.market.instrument import Instrument
from workbench.trading.terms import IMPACTS, CostTerms

__all__ = ["Costs", "Fill", "Impact"]

Fill = Literal["next_open", "close"]
Impact = Literal["none", "volume_share", "square_root"]

_FRACTION: Final = "a fraction: 0.001 is 0.1 %"
_RANGES: Final = (
    ("fee", -0.01, 0.5, _FRACTION),
    ("maker_fee", -0.01, 0.5, _FRACTION),
    ("slippage_bps", 0.0, 5_000.0, "in basis points: 2 is 0.02 %"),
    ("per_unit", 0.0, 1e9, "in the quote currency for each unit or contract: 0.005 a share"),
    ("per_order", 0.0, 1e9, "in the quote currency for each order: 1.0"),
    ("impact_coefficient", 0.0, 1e3, "a number such as 0.1"),
    ("liquidation_fee", 0.0, 0.5, "a fraction: 0.0125 is 1.25 %"),
)
# zipline's default of its volume-share model; of the order of one by the square-root law (Tóth et al. 2011)
_USUAL_IMPACT: Final[dict[str, float | None]] = {"none": None, "volume_share": 0.1, "square_root": 1.0}
_SCALED: Final = (
    "fee", "maker_fee", "slippage_bps", "per_unit", "per_order", "impact_coefficient", "liquidation_fee",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Costs:
    """Fees, slippage and liquidity of a backtest; what is left out comes from the instrument.

    Parameters
    ----------
    fee : float, optional
        Fee of a market or stop order, a fraction of the traded value (0.001 is ten basis points).
    maker_fee : float, optional
        Fee of a resting order, such as a profit target; `fee` when only that is given.
    slippage_bps : float, optional
        How much worse than the quoted price a market or stop order fills, in basis points; half the instrument's
        spread when left out. Resting orders do not slip.
    per_unit : float, default 0.0
        Fee of each unit of the base asset, share or contract, in the quote currency.
    per_order : float, default 0.0
        Fee of each order, in the quote currency, charged with its first fill.
    impact : {"none", "volume_share", "square_root"}
        How a market order moves the price against itself, on top of the slippage: by the coefficient times the squared
        share of the bar's volume, or by the coefficient times the volatility of a bar times the root of that share.
    impact_coefficient : float, optional
        0.1 for volume_share and 1.0 for square_root when left out.
    volume_share : float, default 0.1
        Share of a bar's volume that can be had; `float("inf")` for all one wants. A series without any volume has no
        cap.
    liquidation_fee : float, optional
        Fraction of the value that a forced exit costs on top of `fee`; the instrument's when left out.

    Raises
    ------
    ConfigError
        A number is not finite, or so large that it must be a percentage or a mistake.

    Notes
    -----
    Volume share: the slippage model of zipline. Square root: Almgren, Thum, Hauptmann, Li, Direct Estimation of Equity
    Market Impact (2005); Tóth et al., Anomalous price impact (2011). The volatility is that of the 100 bars before.
    """

    fee: float | None = None
    maker_fee: float | None = None
    slippage_bps: float | None = None
    per_unit: float = 0.0
    per_order: float = 0.0
    impact: Impact = "none"
    impact_coefficient: float | None = None
    volume_share: float = 0.1
    liquidation_fee: float | None = None

    def __post_init__(self) -> None:
        for name, low, high, unit in _RANGES:
            value: Any = getattr(self, name)
            if value is None and name not in ("per_unit", "per_order"):
                continue
            if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
                raise ConfigError(f"costs: {name} = {value!r} is not a finite number ({unit})", name=name)
            if not low <= float(value) <= high:
                raise ConfigError(f"costs: {name} = {value!r} is outside {low:g} to {high:g}; it is {unit}", name=name)
        if not isinstance(self.impact, str) or self.impact not in get_args(Impact):
            known = ", ".join(map(repr, get_args(Impact)))
            raise ConfigError(f"costs: impact = {self.impact!r} is not one of {known}", name="impact")
        if self.impact == "none" and self.impact_coefficient:
            raise ConfigError(
                f"costs: impact_coefficient = {self.impact_coefficient!r} has no impact to scale; say "
                "impact='volume_share' or 'square_root'",
                name="impact_coefficient",
            )
        self._check_share()

    def _check_share(self) -> None:
        share: Any = self.volume_share
        if share is None:
            object.__setattr__(self, "volume_share", 0.1)
        elif isinstance(share, bool) or not isinstance(share, Real) or not (0 < float(share) <= 1 or share == math.inf):
            raise ConfigError(
                f"costs: volume_share = {share!r}; give a fraction of the bar's volume above 0 and at most 1, or "
                "float('inf') for no cap",
                name="volume_share",
            )

    def of(self, instrument: Instrument) -> Costs:
        """Give the costs with nothing left out, for one instrument; None is left for what it does not have."""
        maker = self.maker_fee
        if maker is None:
            maker = instrument.maker_fee if self.fee is None else self.fee
        coefficient, liquidation = self.impact_coefficient, self.liquidation_fee
        return Costs(
            fee=float(instrument.taker_fee if self.fee is None else self.fee),
            maker_fee=float(maker),
            slippage_bps=float(instrument.spread_bps / 2 if self.slippage_bps is None else self.slippage_bps),
            per_unit=float(self.per_unit),
            per_order=float(self.per_order),
            impact=self.impact,
            impact_coefficient=_USUAL_IMPACT[self.impact] if coefficient is None else float(coefficient),
            volume_share=float(self.volume_share),
            liquidation_fee=(instrument.liquidation_fee or None) if liquidation is None else float(liquidation),
        )

    def terms(self) -> CostTerms:
        """Give the numbers that the core reckons with; what is left out counts as zero."""
        return CostTerms(
            taker=self.fee or 0.0,
            maker=self.maker_fee or 0.0,
            per_unit=self.per_unit,
            per_order=self.per_order,
            slippage=(self.slippage_bps or 0.0) / 10_000,
            impact_kind=IMPACTS.index(self.impact),
            impact=self.impact_coefficient or 0.0,
            volume_share=self.volume_share,
            liquidation_fee=self.liquidation_fee or 0.0,
        )

    def scaled(self, factor: float) -> Costs:
        """Give these costs multiplied; what is left out stays left out, and so does the share of the volume."""
        fields = asdict(self)
        return Costs(
            **{
                name: value * factor if name in _SCALED and value is not None else value
                for name, value in fields.items()
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain data, for records; `Costs(**data)` makes the same. What is not charged is out."""
        usual = Costs()
        return {
            name: value
            for name, value in asdict(self).items()
            if name in ("fee", "maker_fee", "slippage_bps") or value != getattr(usual, name)
        }
