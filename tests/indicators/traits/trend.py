"""Of the indicators of trend."""

from __future__ import annotations

from tests.indicators.traits.kinds import PRICE, Traits

TRAITS: dict[str, Traits] = {
    "adxr": Traits(flat=(0.0,)),
    "alligator": Traits(flat=(PRICE,) * 3),
    "alma": Traits(flat=(PRICE,), forgets=True, longest=False),
    "aroon": Traits(flat=(100.0, 100.0, 0.0), forgets=True),
    "chandelier_exit": Traits(flat=(PRICE,) * 2),
    "choppiness": Traits(flat=(100.0,)),
    "directional_movement": Traits(flat=(0.0, 0.0), scales="price"),
    "dpo": Traits(flat=(0.0,), forgets=True, scales="price"),
    "dx": Traits(flat=(0.0,)),
    "ichimoku": Traits(flat=(PRICE,) * 4),
    "keltner": Traits(flat=(PRICE,) * 3),
    "mass_index": Traits(flat=(3.0,), parameters=(3, 3), scales="ratio"),
    "mcginley_dynamic": Traits(flat=(PRICE,)),
    "parabolic_sar": Traits(flat=(PRICE,)),
    "schaff_trend_cycle": Traits(parameters=(2, 5, 3, 2), flat=(50.0,)),
    "supertrend": Traits(flat=(PRICE, 1.0), scales="no"),
    "vertical_horizontal_filter": Traits(flat=(0.0,), forgets=True),
    "vidya": Traits(flat=(PRICE,)),
    "vortex": Traits(flat=(1.0, 1.0), forgets=True),
}
