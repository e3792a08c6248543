"""Of the indicators of trend."""

from __future__ import annotations

from tests.indicators.traits.kinds import PRICE, Traits

TRAITS: dict[str, Traits] = {
    "chandelier_exit": Traits(flat=(PRICE,) * 2),
    "parabolic_sar": Traits(flat=(PRICE,)),
    "supertrend": Traits(flat=(PRICE, 1.0), scales="no"),
}
