"""Of the indicators of trend."""

from __future__ import annotations

from tests.indicators.traits.kinds import PRICE, Traits

TRAITS: dict[str, Traits] = {
    "aroon": Traits(flat=(100.0, 100.0, 0.0), forgets=True),
    "chandelier_exit": Traits(flat=(PRICE,) * 2),
    "choppiness": Traits(flat=(100.0,)),
    "dpo": Traits(flat=(0.0,), forgets=True, scales="price"),
    "ichimoku": Traits(flat=(PRICE,) * 4),
    "keltner": Traits(flat=(PRICE,) * 3),
    "mass_index": Traits(flat=(3.0,), parameters=(3, 3), scales="ratio"),
    "parabolic_sar": Traits(flat=(PRICE,)),
    "supertrend": Traits(flat=(PRICE, 1.0), scales="no"),
    "vertical_horizontal_filter": Traits(flat=(0.0,), forgets=True),
    "vortex": Traits(flat=(1.0, 1.0), forgets=True),
}
