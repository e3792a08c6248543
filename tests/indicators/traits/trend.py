"""Of the indicators of trend."""

from __future__ import annotations

from tests.indicators.traits.kinds import PRICE, Traits

TRAITS: dict[str, Traits] = {
    "aroon": Traits(flat=(100.0, 100.0, 0.0), forgets=True),
    "chandelier_exit": Traits(flat=(PRICE,) * 2),
    "ichimoku": Traits(flat=(PRICE,) * 4),
    "keltner": Traits(flat=(PRICE,) * 3),
    "parabolic_sar": Traits(flat=(PRICE,)),
    "supertrend": Traits(flat=(PRICE, 1.0), scales="no"),
}
