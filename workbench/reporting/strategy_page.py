"""What a notebook page about a strategy of the library shows: its own words, its parameters, and bars to run it on.

`sample_bars` reads the series that a strategy is usually shown with. Where the lake has no second venue or perpetual of
a coin, a stand-in is made from the series that is there, on a venue called "made": it shows how a strategy works, and
nothing about what it would earn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import DataError, StrategyError
from workbench.market.bars import Bars
from workbench.market.instrument import Instrument
from workbench.market.lake import Lake, lake
from workbench.strategy import library
from workbench.strategy.library.series import usual_series
from workbench.strategy.parameterised import Parameterised

if TYPE_CHECKING:
    import pandas as pd
    from IPython.display import Markdown

__all__ = ["MADE", "describe", "parameter_table", "sample_bars", "stand_in"]

MADE: Final = "made"
_SEED: Final = 20
_REACH: Final = 0.004  # how far a stand-in's price is from the real one, one standard deviation
_BACK: Final = 0.9  # how much of that is left a bar later


def describe(strategy: Parameterised) -> Markdown:
    """Give what a strategy says about itself: how it earns, when it loses, what it assumes."""
    import inspect

    from IPython.display import Markdown

    words = inspect.cleandoc(type(strategy).__doc__ or "It says nothing about itself.")
    return Markdown(words.replace("\nNotes\n-----\n", "\n**Notes.** "))  # type: ignore[no-untyped-call]


def parameter_table(strategy: Parameterised) -> pd.DataFrame:
    """One row a parameter: its value here, its default, its bounds and its meaning."""
    import pandas as pd

    rows = {
        name: {
            "value": str(getattr(strategy, name)),
            "default": str(one.default),
            "from": "" if one.low is None else f"{one.low:g}",
            "to": "" if one.high is None else f"{one.high:g}",
            "meaning": one.doc + (f" ({', '.join(map(str, one.choices))})" if one.choices else ""),
        }
        for name, one in type(strategy).declared.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def sample_bars(
    name: str, series: Sequence[str] = (), *, start: Any = None, end: Any = None, last: int | None = None,
    source: Lake | None = None,
) -> list[Bars]:  # fmt: skip
    """Read bars to show a strategy of the library on.

    Parameters
    ----------
    name : str
        Of the strategy.
    series : sequence of str
        Such as "BTC/USDT 1h"; those that it is usually shown with when left out.
    start, end : str or datetime, optional
    last : int, optional
        No more than the last so many bars of each series.
    source : Lake, optional
        The workspace's when left out.

    Returns
    -------
    list of Bars
        A series that is not there is a stand-in, made from the first one; its venue is "made".

    Raises
    ------
    StrategyError
        The strategy is unknown, or is none that a backtest can run.
    DataError
        The first series is not in the lake.
    """
    library.get(name)
    if name == "triangular":
        raise StrategyError(
            "triangular trades in an account of three currencies, and a backtest has one: it runs in the core against "
            "a venue (workbench.trading.Core and Venue)"
        )
    wanted = tuple(series) or usual_series(name)
    where = lake() if source is None else source
    found: list[Bars] = []
    for text in wanted:
        symbol, _, timeframe = text.rpartition(" ")
        try:
            bars = where.read(symbol, timeframe, start=start, end=end)
            found.append(bars if last is None else bars[-last:])
        except DataError:
            if not found or series:
                raise
            found.append(stand_in(found[0], Instrument.default(symbol, MADE)))
    return found


def stand_in(bars: Bars, instrument: Instrument) -> Bars:
    """Make a series near another one: a gap that wanders and comes back, the same for the same bars.

    Parameters
    ----------
    bars : Bars
        Of which it is made.
    instrument : Instrument
        What it is said to be; its steps and quote are those of the bars' own.

    Returns
    -------
    Bars
    """
    own = bars.instrument
    made = instrument.replace(
        venue=MADE, quote=own.quote, tick_size=own.tick_size, lot_size=own.lot_size, min_notional=own.min_notional
    )
    noise = np.random.default_rng(_SEED).normal(0.0, _REACH * (1.0 - _BACK**2) ** 0.5, len(bars) + 1)
    gaps = np.empty(len(bars) + 1)
    gap = 0.0
    for row, one in enumerate(noise):
        gaps[row] = gap = _BACK * gap + one
    before, after = np.exp(gaps[:-1]), np.exp(gaps[1:])
    opened, close = bars.open * before, bars.close * after
    return Bars(
        instrument=made, timeframe=bars.timeframe, ts=bars.ts, open=opened, close=close, volume=bars.volume,
        high=np.maximum.reduce([bars.high * np.minimum(before, after), opened, close]),
        low=np.minimum.reduce([bars.low * np.maximum(before, after), opened, close]),
    )  # fmt: skip
