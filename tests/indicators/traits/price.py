"""Of the indicators of price: trend, momentum and volatility."""

from __future__ import annotations

from tests.indicators.traits.kinds import PRICE, Traits

TRAITS: dict[str, Traits] = {
    "awesome_oscillator": Traits(flat=(0.0,), forgets=True, scales="price"),
    "balance_of_power": Traits(flat=(0.0,), forgets=True),
    "cci": Traits(flat=(0.0,), forgets=True, longest=False),
    "dema": Traits(flat=(PRICE,)),
    "hma": Traits(flat=(PRICE,), forgets=True),
    "kama": Traits(parameters=(4, 2, 5), flat=(PRICE,), longest=False),  # its lengths must grow
    "ppo": Traits(flat=(0.0,) * 3),
    "price_change": Traits(flat=(0.0,), forgets=True, scales="price"),
    "t3": Traits(parameters=(3, 0.7), flat=(PRICE,)),
    "tema": Traits(flat=(PRICE,)),
    "trima": Traits(flat=(PRICE,), forgets=True),
    "trix": Traits(flat=(0.0,)),
    "ultimate_oscillator": Traits(parameters=(2, 3, 5), flat=(50.0,), longest=False),
    "williams_r": Traits(flat=(-50.0,), forgets=True),
    "wma": Traits(flat=(PRICE,), forgets=True),
    "zlema": Traits(flat=(PRICE,)),
}
