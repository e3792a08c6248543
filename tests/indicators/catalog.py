"""Every public indicator with lengths to test it by, what its warm-up is said to be, and what it gives when flat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from workbench import indicators

BAR = ("high", "low", "close")


@dataclass(frozen=True)
class Case:
    """One indicator as the tests call it."""

    name: str
    columns: tuple[str, ...]
    lengths: tuple[int, ...]
    first: Callable[..., tuple[int, ...]]  # of the lengths: where each output has its first value
    flat: tuple[float, ...]  # each output on a series that stays at 1; "price" is said by 1.0

    @property
    def function(self) -> Callable[..., Any]:
        return getattr(indicators, self.name)  # type: ignore[no-any-return]

    def __call__(self, data: Any, *, lengths: tuple[int, ...] | None = None) -> tuple[Any, ...]:
        """Give the outputs for a mapping or frame with the columns high, low and close, always as a tuple."""
        result = self.function(*(data[name] for name in self.columns), *(self.lengths if lengths is None else lengths))
        return result if isinstance(result, tuple) else (result,)

    def __repr__(self) -> str:
        return self.name


def _window(n: int) -> tuple[int, ...]:
    return (n - 1,)


CASES = (
    Case("sma", ("close",), (5,), _window, (1.0,)),
    Case("ema", ("close",), (5,), _window, (1.0,)),
    Case("wilder", ("close",), (5,), _window, (1.0,)),
    Case("standard_deviation", ("close",), (5,), _window, (0.0,)),
    Case("highest", ("close",), (5,), _window, (1.0,)),
    Case("lowest", ("close",), (5,), _window, (1.0,)),
    Case("rate_of_change", ("close",), (4,), lambda n: (n,), (0.0,)),
    Case("rsi", ("close",), (4,), lambda n: (n,), (50.0,)),
    Case("macd", ("close",), (3, 6, 4), lambda f, s, g: (s - 1, s + g - 2, s + g - 2), (0.0,) * 3),
    Case("bollinger", ("close",), (5,), lambda n: (n - 1,) * 3, (1.0,) * 3),
    Case("donchian", ("high", "low"), (5,), lambda n: (n - 1,) * 3, (1.0,) * 3),
    Case("stochastic", BAR, (5, 3, 2), lambda n, k, d: (n + k - 2, n + k + d - 3), (50.0,) * 2),
    Case("true_range", BAR, (), lambda: (1,), (0.0,)),
    Case("atr", BAR, (4,), lambda n: (n,), (0.0,)),
    Case("adx", BAR, (4,), lambda n: (2 * n - 1, n, n), (0.0,) * 3),
)

NOT_CASES = {"crosses_above", "crosses_below", "previous"}  # no warm-up; tested in test_compare


def market(bars: int, seed: int = 1, tick: float = 0.01) -> dict[str, np.ndarray]:
    """Make bars that look like a market's: changing volatility, prices on ticks, closes inside high and low."""
    rng = np.random.default_rng(seed)
    volatility = 0.01 * np.exp(np.cumsum(rng.normal(0.0, 0.02, bars)))
    close = 100.0 * np.exp(np.cumsum(np.clip(volatility * rng.standard_t(4, bars), -0.1, 0.1)))
    open_ = np.concatenate([[100.0], close[:-1]])
    high = np.maximum(open_, close) * (1.0 + volatility * rng.random(bars))
    low = np.minimum(open_, close) * (1.0 - volatility * rng.random(bars))
    close = np.round(close / tick) * tick
    return {
        "high": np.maximum(np.ceil(high / tick) * tick, close),
        "low": np.minimum(np.floor(low / tick) * tick, close),
        "close": close,
    }


@st.composite
def tables(draw: st.DrawFn, *, gaps: bool = True, longest: int = 60) -> dict[str, np.ndarray]:
    """Draw short tables full of what goes wrong: flat stretches, ties, wild prices, missing values in any column."""
    n = draw(st.integers(0, longest))
    scale = draw(st.sampled_from([1.0, 0.1, 1e-9, 1e7, 1 / 3]))
    moves = draw(st.lists(st.integers(-3, 3), min_size=n, max_size=n))
    spread = st.lists(st.integers(0, 2), min_size=n, max_size=n)
    close = scale * (1_000.0 + np.cumsum(np.array(moves, dtype=float)))
    table = {
        "high": close + scale * np.array(draw(spread)),
        "low": close - scale * np.array(draw(spread)),
        "close": close,
    }
    wild = st.floats(-1e12, 1e12)
    missing = st.sampled_from([np.nan, np.inf, -np.inf])
    for name in BAR if n else ():
        column = table[name].astype(float)
        for row in draw(st.lists(st.integers(0, n - 1), max_size=3)):
            column[row] = draw(wild)
        for row in draw(st.lists(st.integers(0, n - 1), max_size=2)) if gaps else ():
            column[row] = draw(missing)
        table[name] = column
    return table


def whole_rows(case: Case, data: dict[str, np.ndarray]) -> np.ndarray:
    """Tell of each row whether the columns that an indicator reads are all there."""
    return np.logical_and.reduce([np.isfinite(data[name]) for name in case.columns])


def assert_same_bits(left: np.ndarray, right: np.ndarray) -> None:
    """Compare to the last bit; any NaN equals any NaN."""
    np.testing.assert_array_equal(np.isnan(left), np.isnan(right))
    there = ~np.isnan(left)
    np.testing.assert_array_equal(left[there].view(np.int64), right[there].view(np.int64))
