"""The plan of a run: all that either path needs, as arrays and numbers, with nothing left to look up.

`backtest.run` makes it from what the user said; the compiled path and the event path both read it. One `Line` an
instrument, in the order in which the user gave them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.market.bars import Bars
from workbench.risk.sizing import Sizing
from workbench.strategy.signals import Signals
from workbench.trading.terms import AccountTerms, CostTerms, Lots

__all__ = ["ExitTerms", "Guards", "Line", "Plan"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


def _nothing() -> Floats:
    return np.array([np.nan])


@dataclass(frozen=True, eq=False, kw_only=True)
class ExitTerms:
    """Exits that are the same on every bar.

    Attributes
    ----------
    roi_ms, roi_level : arrays, shape (r,)
        The ladder: from `roi_ms` after the entry on, the target is `roi_level` (fraction of the entry price).
        Increasing times; empty for none.
    max_bars : int
        Strategy bars that a position is held at most; 0 for no limit.
    """

    roi_ms: Whole
    roi_level: Floats
    max_bars: int = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class Guards:
    """Protections as numbers: what blocks entries after trips that ended badly. A zero turns a guard off.

    Attributes
    ----------
    cooldown : int
        Strategy bars.
    stops : float64 array, shape (a, 4)
        Rows of (limit, lookback, pause, only_this).
    drawdowns : float64 array, shape (b, 4)
        Rows of (limit, lookback, pause, min_trips).
    profits : float64 array, shape (c, 4)
        Rows of (required, lookback, pause, min_trips).
    losing : float64 array, shape (d, 4)
        Rows of (losses, roi, min_trips, review); a review of infinity is never.
    """

    cooldown: int
    stops: Floats
    drawdowns: Floats
    profits: Floats
    losing: Floats

    @property
    def any(self) -> bool:
        """Whether there is a guard at all."""
        return bool(self.cooldown or len(self.stops) + len(self.drawdowns) + len(self.profits) + len(self.losing))


@dataclass(frozen=True, eq=False, kw_only=True)
class Line:
    """One instrument of a plan.

    Attributes
    ----------
    bars : Bars
        Strategy bars, shape (n,); of an order strategy the finest that it hears.
    ts, open, high, low, close, volume : arrays, shape (m,)
        Base bars: what drives the market.
    span : int64 array, shape (m,) or (1,)
        Length of each base bar, ms.
    word : int64 array, shape (m,), or None
        Index of the strategy bar that closes with this base bar, -1 for none; None when base and strategy bars are the
        same.
    signals : Signals or None
        None for an order strategy.
    stop_price : float64 array, shape (n,) or (1,)
        Custom stop as of each strategy bar; NaN for none.
    funding_ts, funding_rate, funding_mark : arrays, shape (f,)
        Settlements; a mark of NaN stands for the bar's own price.
    tiers : float64 array, shape (t, 4)
        Rows of `terms.Tier`, by rising floor; empty: no maintenance margin (liquidation is bankruptcy).
    margined : bool
        Whether it is held on margin and liquidated (a perpetual, or leverage other than 1).
    inverse : bool
        Whether profits are in the base asset (event path only).
    contract_size : float
        Units of base (linear) or of quote (inverse) a contract.
    sigma : float64 array, shape (m,) or (1,)
        Volatility of one base bar's return, known before it opens; NaN for none. Only square-root impact reads it.
    measure : float64 array, shape (n,) or (1,)
        What the sizing measures as of each strategy bar; NaN for nothing.
    """

    bars: Bars
    ts: Whole
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    span: Whole
    word: Whole | None
    signals: Signals | None
    stop_price: Floats
    funding_ts: Whole
    funding_rate: Floats
    funding_mark: Floats
    tiers: Floats
    margined: bool
    inverse: bool
    contract_size: float
    lots: Lots
    costs: CostTerms
    leverage: float
    sigma: Floats
    measure: Floats = field(default_factory=_nothing)


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """What is to be run.

    Attributes
    ----------
    strategy : SignalStrategy, Signals or OrderStrategy
    lines : tuple of Line
    extra : tuple of Bars
        Coarser series of the same instruments that an order strategy also hears.
    ticks : tuple
        Tick series (`Ticks`), event path only.
    cash : float
    account : AccountTerms
    at_close : bool
        Whether decisions fill at the deciding bar's close.
    path_inside : bool
        Whether the path inside a bar is open, nearer extreme, other extreme, close; else the worse is assumed.
    limit_fill : {"touch", "through", "queue"}
    latency_ms : int
    max_positions : int
        0 for no limit.
    exits : ExitTerms
    guards : Guards
    sizing : Sizing or None
        How large entries are; the sizes of the signals where there is none.
    limits : risk.limits.Limits or None
        On risk, judged before every order (event path only).
    """

    strategy: Any
    lines: tuple[Line, ...]
    extra: tuple[Bars, ...]
    ticks: tuple[Any, ...]
    cash: float
    account: AccountTerms
    at_close: bool
    path_inside: bool
    limit_fill: str
    latency_ms: int
    max_positions: int
    exits: ExitTerms
    guards: Guards
    sizing: Sizing | None = None
    limits: Any = None
