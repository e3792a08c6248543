"""The terms of a backtest: where decisions fill, and what trading costs: never zero unless somebody says so."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from numbers import Real
from typing import Literal

from workbench.errors import ConfigError
from workbench.market.instrument import Instrument

__all__ = ["Costs", "Fill"]

Fill = Literal["next_open", "close"]


@dataclass(frozen=True, slots=True)
class Costs:
    """Fees and slippage of a backtest; what is left out comes from the instrument.

    Parameters
    ----------
    fee : float, optional
        Fee of a market or stop order, a fraction of the traded value (0.001 is ten basis points).
    maker_fee : float, optional
        Fee of a resting order, such as a profit target; `fee` when only that is given.
    slippage_bps : float, optional
        How much worse than the quoted price a market or stop order fills, in basis points; half the instrument's
        spread when left out. Resting orders do not slip.

    Raises
    ------
    ConfigError
        A number is not finite, or so large that it must be a percentage or a mistake.
    """

    fee: float | None = None
    maker_fee: float | None = None
    slippage_bps: float | None = None

    def __post_init__(self) -> None:
        for name, low, high, unit in (
            ("fee", -0.01, 0.5, "a fraction: 0.001 is 0.1 %"),
            ("maker_fee", -0.01, 0.5, "a fraction: 0.001 is 0.1 %"),
            ("slippage_bps", 0.0, 5_000.0, "in basis points: 2 is 0.02 %"),
        ):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
                raise ConfigError(f"costs: {name} = {value!r} is not a finite number ({unit})", name=name)
            if not low <= float(value) <= high:
                raise ConfigError(f"costs: {name} = {value!r} is outside {low:g} to {high:g}; it is {unit}", name=name)

    def of(self, instrument: Instrument) -> Costs:
        """Give the costs with nothing left out, for one instrument."""
        fee = instrument.taker_fee if self.fee is None else self.fee
        maker = self.maker_fee
        if maker is None:
            maker = instrument.maker_fee if self.fee is None else self.fee
        slippage = instrument.spread_bps / 2 if self.slippage_bps is None else self.slippage_bps
        return Costs(fee=float(fee), maker_fee=float(maker), slippage_bps=float(slippage))

    def scaled(self, factor: float) -> Costs:
        """Give these costs multiplied; what is left out stays left out."""
        fields = asdict(self)
        return Costs(**{name: None if value is None else value * factor for name, value in fields.items()})

    def to_dict(self) -> dict[str, float | None]:
        """Give the numbers as plain data, for records."""
        return asdict(self)
