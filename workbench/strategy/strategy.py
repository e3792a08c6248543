"""`SignalStrategy`: the base class of strategies that say, per bar, whether to be in or out.

A strategy is a value: its class is the rule, its parameters are fixed when it is made, and it keeps nothing between
calls. The same object is swept, validated, reported on and traded.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.errors import StrategyError, WorkbenchError
from workbench.market.bars import Bars
from workbench.market.timeframe import Timeframe
from workbench.strategy.parameterised import Parameterised
from workbench.strategy.protections import Protection
from workbench.strategy.signals import Signals

if TYPE_CHECKING:
    from workbench.risk.sizing import Sizing

__all__ = ["SignalStrategy", "signals_of", "warm_up_of"]

_PER_BAR: Final = ("stop_loss", "take_profit", "trailing_stop", "trailing_activation")
_FOR_ALL: Final = ("roi", "max_bars")


class SignalStrategy(Parameterised):
    """Base class: declare parameters with `param` and write `signals`.

    Attributes
    ----------
    stop_loss, take_profit, trailing_stop, trailing_activation, roi, max_bars
        Set on the class, or declared with `param`, to protect every position; as in `Signals`, None for none. What
        `signals` gives goes before these.
    protections : sequence
        What blocks entries after bad trades (`strategy.protections`), unless the run has its own.
    sizing : Sizing or None
        How large entries are (`risk.sizing`), unless the run has its own; the signals then leave their size open. A
        property can make it of the parameters.
    leverage : float
        Of every instrument, unless the run has its own.
    start_dependent : bool
        Whether values may depend on where history begins, as running totals and all-time highs do; `wb.check` warns of
        such signals where this does not say so.
    warm_up : int
        Bars before which no signal counts; an attribute, or a property that reads the parameters.
    needs_next_open : bool
        Whether the signals count on trading at the next open, as those do that follow their own positions; a backtest
        with `fill="close"` is refused then.

    Examples
    --------
    >>> from workbench.indicators import crosses_above, crosses_below, sma
    >>> from workbench.strategy import Signals, SignalStrategy, param
    >>> class SmaCross(SignalStrategy):
    ...     fast: int = param(10, low=2, high=50)
    ...     slow: int = param(30, low=5, high=200)
    ...
    ...     def signals(self, bars):
    ...         fast, slow = sma(bars.close, self.fast), sma(bars.close, self.slow)
    ...         return Signals(entry=crosses_above(fast, slow), exit=crosses_below(fast, slow))
    >>> SmaCross(slow=50)
    SmaCross(fast=10, slow=50)
    """

    stop_loss: float | None = None
    take_profit: float | None = None
    trailing_stop: float | None = None
    trailing_activation: float | None = None
    roi: Mapping[float, float] | None = None
    max_bars: int | None = None
    protections: Sequence[Protection] = ()
    sizing: Sizing | None = None
    leverage: float = 1.0
    start_dependent: bool = False
    warm_up: int = 0
    needs_next_open: bool = False

    def warm_up_on(self, timeframe: Timeframe) -> int:
        """Give the bars before which no signal counts, of one timeframe: `warm_up`, whatever it is.

        Override where longer bars are made of those given, of which the warm-up then takes many
        (`market.alignment.known_from`).
        """
        return self.warm_up

    def with_past(self, bars: Bars) -> Bars:
        """Give the bars that it may look at when it trades some: those themselves, or a longer series they end."""
        return bars

    def signals(self, bars: Bars) -> Signals:
        """Say what to do on each bar, from that bar and earlier ones only.

        Parameters
        ----------
        bars : Bars
            Closed bars, oldest first.

        Returns
        -------
        Signals
            As long as `bars`.
        """
        raise StrategyError(f"{type(self).__name__} does not say its signals: write `def signals(self, bars)`")


def signals_of(strategy: SignalStrategy, bars: Bars) -> Signals:
    """Ask a strategy for its signals on some bars, and hold them to the contract.

    Returns
    -------
    Signals
        As long as `bars`, silent during the warm-up, with the strategy's own stops where it gave none per bar.

    Raises
    ------
    StrategyError
        The strategy raised, did not return `Signals`, or returned a wrong length.
    """
    name = repr(strategy)
    try:
        found = strategy.signals(bars)
    except WorkbenchError as error:
        error.add_note(f"while {name} said its signals on {bars!r}")
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        raise StrategyError(
            f"{name} raised {type(error).__name__}: {error} (line {where.lineno} of {Path(where.filename).name}: "
            f"{where.line})",
            strategy=name,
        ) from error
    if not isinstance(found, Signals):
        raise StrategyError(f"{name}.signals returned a {type(found).__name__}; return wb.Signals(entry=..., exit=...)")
    if len(found) != len(bars):
        raise StrategyError(
            f"{name}.signals returned {len(found)} values for {len(bars)} bars; say one value a bar (do not drop rows)",
            expected=len(bars),
            found=len(found),
        )
    found.require_times(bars.ts)
    return _with_own_stops(strategy, found).after(warm_up_of(strategy, bars.timeframe))


def warm_up_of(strategy: SignalStrategy, timeframe: Timeframe) -> int:
    """Give the bars of a timeframe before which no signal of a strategy counts, as it declares them.

    Raises
    ------
    StrategyError
        It is no whole number, or the property raised.
    """
    try:
        bars = strategy.warm_up_on(timeframe)
    except WorkbenchError:
        raise
    except Exception as error:
        raise StrategyError(f"{strategy!r}: its warm_up raised {type(error).__name__}: {error}") from error
    if isinstance(bars, bool) or not isinstance(bars, (int, np.integer)) or bars < 0:
        raise StrategyError(f"{strategy!r}: warm_up is {bars!r}; it must be a whole number of bars, 0 for none")
    return int(bars)


def _with_own_stops(strategy: SignalStrategy, found: Signals) -> Signals:
    """Put the strategy's class-wide exits where the signals carry none."""
    own = {name: getattr(strategy, name) for name in (*_PER_BAR, *_FOR_ALL)}
    kept = {
        name: value
        for name, value in own.items()
        if value is not None
        and (getattr(found, name) is None if name in _FOR_ALL else np.isnan(getattr(found, name)).all())
    }
    return found.replace(**kept) if kept else found
