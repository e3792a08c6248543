"""Every registered indicator as the tests call it, and made markets to test it by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.indicators.traits import TRAITS, Traits
from workbench.indicators import registry
from workbench.indicators.indicator import Indicator
from workbench.indicators.streaming import Stream

BAR = ("high", "low", "close")
PRICES = ("values", "open", "high", "low", "close", "other", "benchmark")
RATIOS = ("percent", "fraction", "flag")


@dataclass(frozen=True)
class Case:
    """One indicator as the tests call it."""

    name: str

    @property
    def indicator(self) -> Indicator:
        return registry.get(self.name)

    @property
    def traits(self) -> Traits:
        return TRAITS.get(self.name, Traits())

    @property
    def function(self) -> Callable[..., Any]:
        return self.indicator.function

    @property
    def columns(self) -> tuple[str, ...]:
        return self.indicator.inputs

    @property
    def parameters(self) -> tuple[Any, ...]:
        """Small ones: lengths of a few bars."""
        if self.traits.parameters is not None:
            return self.traits.parameters
        bounds = self.indicator.bounds
        return tuple(
            max(int(bounds.get(name, (1, 0))[0]), min(default, 2 + default // 5)) if type(default) is int else default
            for name, default in self.indicator.defaults.items()
        )

    @property
    def lengths(self) -> tuple[int, ...]:
        """The places of the parameters that are numbers of bars."""
        own = self.indicator.valid
        return tuple(
            place
            for place, (name, default) in enumerate(self.indicator.defaults.items())
            if type(default) is int and name not in own
        )

    @property
    def scales(self) -> str:
        if self.traits.scales is not None:
            return self.traits.scales
        unit = self.indicator.unit
        return "price" if unit == "price" else ("ratio" if unit in RATIOS else "no")

    def with_lengths(self, *lengths: int) -> tuple[Any, ...]:
        """The parameters with these numbers of bars, in order, the last one for all that are left."""
        parameters = list(self.parameters)
        for number, place in enumerate(self.lengths):
            parameters[place] = lengths[min(number, len(lengths) - 1)]
        return tuple(parameters)

    def __call__(self, data: Any, parameters: tuple[Any, ...] | None = None) -> tuple[Any, ...]:
        """Give the outputs for a mapping or frame with a column for each input, always as a tuple."""
        given = self.parameters if parameters is None else parameters
        result = self.function(*(data[name] for name in self.columns), *given)
        return result if isinstance(result, tuple) else (result,)

    def streamed(self, data: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        """Give the outputs of a stream that is told the rows one by one."""
        stream = Stream(self.indicator, **dict(zip(self.indicator.defaults, self.parameters, strict=True)))
        told = [stream.update(*row) for row in zip(*(data[name] for name in self.columns), strict=True)]
        rows = [row if isinstance(row, tuple) else (row,) for row in told]
        return tuple(np.array(line, dtype=float) for line in zip(*rows, strict=True))

    def __repr__(self) -> str:
        return self.name


CASES = tuple(Case(name) for name in registry.names())


def market(bars: int, seed: int = 1, tick: float = 0.01) -> dict[str, np.ndarray]:
    """Make bars that look like a market's: changing volatility, prices on ticks, closes inside high and low."""
    rng = np.random.default_rng(seed)
    volatility = 0.01 * np.exp(np.cumsum(rng.normal(0.0, 0.02, bars)))
    close = 100.0 * np.exp(np.cumsum(np.clip(volatility * rng.standard_t(4, bars), -0.1, 0.1)))
    open_ = np.concatenate([[100.0], close[:-1]])
    high = np.maximum(open_, close) * (1.0 + volatility * rng.random(bars))
    low = np.minimum(open_, close) * (1.0 - volatility * rng.random(bars))
    close = np.round(close / tick) * tick
    high = np.maximum(np.ceil(high / tick) * tick, close)
    low = np.minimum(np.floor(low / tick) * tick, close)
    return {
        "high": high,
        "low": low,
        "close": close,
        "open": np.clip(np.round(open_ / tick) * tick, low, high),
        "values": close.copy(),
        "volume": np.round(1_000.0 * rng.lognormal(0.0, 1.0, bars)) + 1.0,
        "other": close * np.exp(np.cumsum(rng.normal(0.0, 0.005, bars))),
        "benchmark": 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, bars))),
        "ts": 1.7e12 + 3.6e6 * np.arange(bars),
    }


@st.composite
def tables(draw: st.DrawFn, *, longest: int = 60) -> dict[str, np.ndarray]:
    """Draw short tables full of what goes wrong: flat stretches, ties, wild prices, missing values in any column."""
    n = draw(st.integers(0, longest))
    scale = draw(st.sampled_from([1.0, 0.1, 1e-9, 1e7, 1 / 3]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    restless = draw(st.sampled_from([0, 1, 3]))
    close = scale * (1_000.0 + np.cumsum(rng.integers(-restless, restless + 1, n)))
    high, low = close + scale * rng.integers(0, 3, n), close - scale * rng.integers(0, 3, n)
    table = {
        "high": high,
        "low": low,
        "close": close,
        "open": np.clip(close + scale * rng.integers(-2, 3, n), low, high),
        "values": close.copy(),
        "volume": rng.integers(0, 4, n).astype(float),
        "other": close + scale * rng.integers(-restless, restless + 1, n),
        "benchmark": scale * (500.0 + np.cumsum(rng.integers(-restless, restless + 1, n))),
    }
    wild = st.floats(-1e12, 1e12)
    missing = st.sampled_from([np.nan, np.inf, -np.inf])
    for row in draw(st.lists(st.integers(0, n - 1), max_size=3)) if n else ():
        table[draw(st.sampled_from(PRICES))][row] = draw(wild)
    for row in draw(st.lists(st.integers(0, n - 1), max_size=3)) if n else ():
        for name in draw(st.sampled_from([*[(name,) for name in table], tuple(table)])):
            table[name][row] = draw(missing)
    return {**table, "ts": 1.7e12 + 3.6e6 * np.arange(n)}


def whole_rows(case: Case, data: dict[str, np.ndarray]) -> np.ndarray:
    """Tell of each row whether the columns that an indicator reads are all there."""
    return np.logical_and.reduce([np.isfinite(data[name]) for name in case.columns])


def assert_same_bits(left: np.ndarray, right: np.ndarray) -> None:
    """Compare to the last bit; any NaN equals any NaN."""
    np.testing.assert_array_equal(np.isnan(left), np.isnan(right))
    there = ~np.isnan(left)
    np.testing.assert_array_equal(left[there].view(np.int64), right[there].view(np.int64))
