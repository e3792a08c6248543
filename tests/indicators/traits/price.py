"""Of the indicators of price: trend, momentum and volatility."""

from __future__ import annotations

from tests.indicators.traits.kinds import PRICE, Traits

TRAITS: dict[str, Traits] = {
    "dema": Traits(flat=(PRICE,)),
    "hma": Traits(flat=(PRICE,), forgets=True),
    "kama": Traits(parameters=(4, 2, 5), flat=(PRICE,)),
    "t3": Traits(parameters=(3, 0.7), flat=(PRICE,)),
    "tema": Traits(flat=(PRICE,)),
    "trima": Traits(flat=(PRICE,), forgets=True),
    "wma": Traits(flat=(PRICE,), forgets=True),
    "zlema": Traits(flat=(PRICE,)),
}
