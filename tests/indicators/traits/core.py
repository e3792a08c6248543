"""Of the indicators in extremes, momentum, moving and volatility."""

from __future__ import annotations

from tests.indicators.traits.kinds import PRICE, Traits

TRAITS: dict[str, Traits] = {
    "adx": Traits(flat=(0.0,) * 3),
    "atr": Traits(flat=(0.0,), scales="price"),
    "bollinger": Traits(flat=(PRICE,) * 3, forgets=True),
    "donchian": Traits(flat=(PRICE,) * 3, forgets=True),
    "ema": Traits(flat=(PRICE,)),
    "highest": Traits(flat=(PRICE,), forgets=True),
    "lowest": Traits(flat=(PRICE,), forgets=True),
    "macd": Traits(flat=(0.0,) * 3, scales="price"),
    "rate_of_change": Traits(flat=(0.0,), forgets=True),
    "rsi": Traits(flat=(50.0,)),
    "sma": Traits(flat=(PRICE,), forgets=True),
    "standard_deviation": Traits(flat=(0.0,), forgets=True, scales="price"),
    "stochastic": Traits(parameters=(5, 3, 2), flat=(50.0,) * 2, forgets=True),
    "true_range": Traits(flat=(0.0,), forgets=True, scales="price"),
    "wilder": Traits(flat=(PRICE,)),
}
