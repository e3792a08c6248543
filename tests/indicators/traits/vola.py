"""Of the indicators of volatility, and of momentum in strength, smoothed_rates and bar_oscillators."""

from __future__ import annotations

from tests.indicators.traits.kinds import PRICE, Traits

_ZERO = Traits(flat=(0.0,), forgets=True)
_TWO = Traits(flat=(0.0,) * 2)

TRAITS: dict[str, Traits] = {
    **dict.fromkeys(
        """bollinger_bandwidth cmo coppock garman_klass historical_volatility parkinson rogers_satchell ulcer_index
        yang_zhang""".split(),
        _ZERO,
    ),
    "acceleration_bands": Traits(flat=(PRICE,) * 3, forgets=True),
    "accelerator": Traits(flat=(0.0,), forgets=True, scales="price"),
    "apo": Traits(flat=(0.0,), scales="price"),
    "atr_trailing_stop": Traits(flat=(PRICE,)),
    "bollinger_percent_b": Traits(flat=(0.5,), forgets=True),
    "connors_rsi": Traits(parameters=(3, 2, 8), flat=(100.0 / 3.0,)),
    "elder_ray": Traits(flat=(0.0,) * 2, scales="price"),
    "ewma_volatility": Traits(parameters=(0.94, 5, 252.0), flat=(0.0,)),
    "fisher_transform": Traits(flat=(0.0,) * 2, scales="ratio"),
    "kst": Traits(flat=(0.0,) * 2, forgets=True),
    "natr": Traits(flat=(0.0,)),
    "price_momentum_oscillator": _TWO,
    "relative_vigor_index": Traits(flat=(0.0,) * 2, forgets=True),
    "squeeze": Traits(flat=(0.0,) * 2, forgets=True),
    "starc_bands": Traits(flat=(PRICE,) * 3),
    "stochastic_momentum_index": _TWO,
    "stochastic_rsi": Traits(parameters=(4, 5, 3, 2), flat=(50.0,) * 2),
    "tsi": _TWO,
}
