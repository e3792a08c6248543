"""Sizes for growth: Kelly's fraction and Vince's optimal f, of numbers that are given or of the trades so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.risk.sizing.base import Ask, Sizing, Unit, positive, whole
from workbench.risk.sizing.state import SizingState

__all__ = ["Kelly", "OptimalF", "kelly_fraction", "optimal_fraction", "shrunk"]

Floats = NDArray[np.float64]


def kelly_fraction(win_rate: float, payoff: float) -> float:
    """Give the fraction of wealth to put at risk in a bet for the fastest growth: 0.0 where there is no edge.

    Parameters
    ----------
    win_rate : float
        Probability of winning.
    payoff : float
        What a win brings for each unit that a loss costs.

    Notes
    -----
    p - (1 - p) / b. J. L. Kelly, A new interpretation of information rate (1956); E. O. Thorp, The Kelly criterion in
    blackjack, sports betting and the stock market (2006), section 2.

    Examples
    --------
    >>> kelly_fraction(0.5, 2.0)
    0.25
    """
    if not 0.0 <= win_rate <= 1.0 or not payoff > 0.0:
        raise ConfigError(
            f"win_rate = {win_rate!r} and payoff = {payoff!r}: give a probability and a payoff above 0", name="win_rate"
        )
    return max(win_rate - (1.0 - win_rate) / payoff, 0.0)


def shrunk(win_rate: float, payoff: float, trades: int) -> float:
    """Give what is left of Kelly's fraction where the win rate is an estimate from so many trades, as a factor.

    Notes
    -----
    f^2 / (f^2 + ((b + 1) / b)^2 p (1 - p) / n): the factor k that makes the squared distance of k times the estimate
    from the true fraction the smallest, and so, to second order, the growth that is lost. Baker and McHale, Optimal
    betting under parameter uncertainty: improving the Kelly criterion (Decision Analysis, 2013).

    Examples
    --------
    >>> round(shrunk(0.5, 2.0, 100), 4)
    0.9174
    """
    best = kelly_fraction(win_rate, payoff)
    if best == 0.0 or trades < 1:
        return 0.0
    spread = (1.0 + 1.0 / payoff) ** 2 * win_rate * (1.0 - win_rate) / trades
    return best * best / (best * best + spread)


def optimal_fraction(returns: Sequence[float] | Floats) -> float:
    """Give Vince's optimal f: the fraction of wealth to let the worst trade cost, for the fastest growth of the others.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Profits of trades, in any unit that is the same for all.

    Returns
    -------
    float
        Between 0 and 1; 0.0 where trades lose on average, NaN where none lost.

    Notes
    -----
    The f that maximises the product of 1 + f * profit / |largest loss|. Ralph Vince, Portfolio Management Formulas
    (1990), chapter 2. The logarithm of that product is concave: its slope is brought to zero by bisection.

    Examples
    --------
    >>> round(optimal_fraction([2.0, -1.0]), 6)
    0.25
    """
    profits = np.asarray(returns, dtype=np.float64)
    worst = -float(profits.min(initial=0.0))
    if worst <= 0.0:
        return math.nan
    if math.fsum(profits) <= 0.0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2.0
        rising = float((profits / (worst + middle * profits)).sum()) > 0.0  # by no quotient that could overflow
        low, high = (middle, high) if rising else (low, middle)
    return low


@dataclass(frozen=True, repr=False)
class Kelly(Sizing):
    """A fraction of the growth-optimal size, of a known win rate and payoff or of the trades closed so far.

    Parameters
    ----------
    fraction : float, default 0.5
        Of Kelly's size; 1 is full Kelly, which nobody who estimates should bet.
    win_rate, payoff : float, optional
        Both together, for a known edge: the probability of a win, and what it brings for each unit that a loss costs.
    loss : float, optional
        What a loss costs as a fraction of the position's value, for a known edge; the distance to the stop of each
        position when left out.
    shrink : bool, default True
        Bet less the less trades the estimate rests on (`shrunk`); of a known edge only where `trades` is said.
    trades : int, optional
        How many trades a known win rate was estimated from.
    lookback : int, default 100
        Last closed trades that are looked at.
    min_trades : int, default 30
        Closed trades before which the size is `start`.
    start : float, default 0.02
        Value of a position over the equity until then.
    least : float, default 0
        Least value of a position over the equity, whatever the trades say. With 0 there is no entry where they have no
        edge: nothing new is learnt, and it stays out for good; a small one keeps it learning.
    caps : Caps

    Notes
    -----
    Of trades, Thorp's p / L - q / W: the value of a position over the equity, with p the
    share of wins, W their mean return and L the mean loss (`kelly_fraction(p, W / L) / L`). Trades that lose on average
    give zero. Without a single loss only the caps bound the size. Of a known edge, `kelly_fraction` of the
    equity is lost at the stop, or `kelly_fraction / loss` is the position's value.

    Examples
    --------
    >>> from workbench.risk.sizing import Caps
    >>> state = SizingState(equity=10_000.0, price=100.0, stop=80.0)
    >>> Kelly(0.5, win_rate=0.5, payoff=2.0, caps=Caps(position=None)).quantity(state)
    62.5
    """

    fraction: float = 0.5
    win_rate: float | None = None
    payoff: float | None = None
    loss: float | None = None
    shrink: bool = True
    trades: int | None = None
    lookback: int = 100
    min_trades: int = 30
    start: float = 0.02
    least: float = 0.0

    follows: ClassVar[str] = "it looks at the trades closed so far"

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "fraction", what="a fraction of Kelly's size")
        positive(self, "start", what="a fraction of equity")
        if self.least != 0.0:
            positive(self, "least", what="a fraction of equity, or 0,")
        whole(self, "lookback", 1, "trades")
        whole(self, "min_trades", 1, "trades")
        if self.min_trades > self.lookback:
            raise ConfigError(
                f"Kelly: min_trades = {self.min_trades} is more than lookback = {self.lookback}; look back further"
            )
        self._check_edge()

    def _check_edge(self) -> None:
        if (self.win_rate is None) != (self.payoff is None):
            raise ConfigError("Kelly: win_rate and payoff go together; give both, or neither to take the trades so far")
        if self.win_rate is None or self.payoff is None:
            if self.loss is not None or self.trades is not None:
                raise ConfigError("Kelly: loss and trades are of a known edge; give win_rate and payoff too")
            return
        kelly_fraction(self.win_rate, self.payoff)
        if self.loss is not None:
            positive(self, "loss", most=1.0, what="a fraction of the position's value")
        if self.trades is not None:
            whole(self, "trades", 1, "trades")
        object.__setattr__(self, "follows", "")

    @classmethod
    def from_trades(cls, returns: Sequence[float] | Floats, **numbers: Any) -> Kelly:
        """Make one of the edge that trades had which are over, such as those of a backtest of earlier years.

        Parameters
        ----------
        returns : array_like, shape (n,)
            Profits as fractions of the value at entry, as `result.trades["return_"]` has them.
        **numbers
            `fraction`, `shrink` and `caps`.

        Raises
        ------
        ConfigError
            There is no win or no loss among them, or one is not finite.

        Examples
        --------
        >>> Kelly.from_trades([0.04, 0.08, -0.03], fraction=0.25)
        Kelly(fraction=0.25, win_rate=0.6666666666666666, payoff=2.0, loss=0.03, trades=3)
        """
        profits = np.asarray(returns, dtype=np.float64).ravel()
        if not np.isfinite(profits).all():
            raise ConfigError(
                "Kelly.from_trades: a return is not a finite number; leave out trades that are still open"
            )
        wins, losses = profits[profits > 0.0], -profits[profits < 0.0]
        if not len(wins) or not len(losses):
            raise ConfigError(
                f"Kelly.from_trades: {len(wins)} of {len(profits)} trades won, {len(losses)} lost; an edge wants both"
            )
        lost = math.fsum(losses) / len(losses)
        payoff = math.fsum(wins) / len(wins) / lost
        return cls(win_rate=len(wins) / len(profits), payoff=payoff, loss=lost, trades=len(profits), **numbers)

    @property
    def known(self) -> bool:
        """Whether the edge is given, not taken from trades."""
        return self.win_rate is not None

    @property
    def memory(self) -> int:
        """Trades that are looked at."""
        return 0 if self.known else self.lookback

    @property
    def needs_stop(self) -> bool:
        """Whether a loss is the distance to the stop."""
        return self.known and self.loss is None

    def edge(self) -> float:
        """Give the fraction of equity to lose in a bet of the known edge."""
        rate, payoff = float(self.win_rate or 0.0), float(self.payoff or 0.0)
        factor = shrunk(rate, payoff, self.trades) if self.shrink and self.trades is not None else 1.0
        return self.fraction * factor * kelly_fraction(rate, payoff)

    def ask(self, state: SizingState) -> Ask:
        """Say how much is wanted, before caps."""
        if not self.known:
            return self._of_trades(list(state.returns)[-self.lookback :])
        risked = self.edge()
        why = f"Kelly {risked:.4g} at risk of a win rate of {self.win_rate:.4g} and a payoff of {self.payoff:.4g}"
        if risked <= 0.0:
            return Ask("risk", 0.0, why=f"a win rate of {self.win_rate:.4g} with a payoff of {self.payoff:.4g} loses")
        return Ask("risk", risked, why=why) if self.loss is None else Ask("exposure", risked / self.loss, why=why)

    def _of_trades(self, returns: Sequence[float]) -> Ask:
        count = len(returns)
        if count < self.min_trades:
            return Ask("exposure", self.start, why=f"{self.start:.4g} of the equity until {self.min_trades} trades are "
                       f"closed, {count} so far")  # fmt: skip
        wins, losses = [one for one in returns if one > 0.0], [-one for one in returns if one < 0.0]
        if not wins:
            return Ask("exposure", self.least, why=f"none of the last {count} trades won")
        if not losses:
            return Ask("exposure", math.inf, why=f"none of the last {count} trades lost")
        rate, won, lost = len(wins) / count, math.fsum(wins) / len(wins), math.fsum(losses) / len(losses)
        payoff = won / lost
        factor = shrunk(rate, payoff, count) if self.shrink else 1.0
        size = self.fraction * factor * kelly_fraction(rate, payoff) / lost
        told = f"{rate:.3g} of the last {count} trades won {won:.3g}, a loss cost {lost:.3g}"
        if size <= 0.0:
            return Ask("exposure", self.least, why=f"no edge: {told}")
        return Ask("exposure", max(size, self.least), why=f"Kelly {size:.4g} of the equity: {told}")

    def per_bar(self, measure: Floats, cash: float) -> tuple[Unit, Floats, float] | None:
        """Give unit and size of a known edge; None of one that is taken from trades."""
        if not self.known:
            return None
        risked = self.edge()
        return ("risk", np.array([risked]), 0.0) if self.loss is None else (
            "exposure", np.array([risked / self.loss]), 0.0)  # fmt: skip


@dataclass(frozen=True, repr=False)
class OptimalF(Sizing):
    """Vince's optimal f of the trades closed so far.

    Parameters
    ----------
    fraction : float, default 0.5
        Of optimal f; 1 is all of it, with the drawdowns that its author warns of.
    lookback : int, default 100
        Last closed trades that are looked at.
    min_trades : int, default 30
        Closed trades before which the size is `start`.
    start : float, default 0.02
        Value of a position over the equity until then.
    least : float, default 0
        Least value of a position over the equity, whatever the trades say. With 0 there is no entry where they have no
        edge: nothing new is learnt, and it stays out for good; a small one keeps it learning.
    caps : Caps

    Notes
    -----
    A position is worth fraction * f / |worst return| of the equity, so that the worst trade again would cost `fraction`
    times f of it; see `optimal_fraction`. Trades that lose on average give zero. Without a single loss only the
    caps bound the size.

    Examples
    --------
    >>> from workbench.risk.sizing import Caps
    >>> state = SizingState(equity=1_000.0, price=10.0, returns=[0.2, -0.1])
    >>> round(OptimalF(1.0, min_trades=2, caps=Caps(position=None)).quantity(state), 6)
    100.0
    """

    fraction: float = 0.5
    lookback: int = 100
    min_trades: int = 30
    start: float = 0.02
    least: float = 0.0

    follows: ClassVar[str] = "it looks at the trades closed so far"

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "fraction", most=1.0, what="a fraction of optimal f")
        positive(self, "start", what="a fraction of equity")
        if self.least != 0.0:
            positive(self, "least", what="a fraction of equity, or 0,")
        whole(self, "lookback", 1, "trades")
        whole(self, "min_trades", 1, "trades")
        if self.min_trades > self.lookback:
            raise ConfigError(
                f"OptimalF: min_trades = {self.min_trades} is more than lookback = {self.lookback}; look back further"
            )

    @property
    def memory(self) -> int:
        """Trades that are looked at."""
        return self.lookback

    def ask(self, state: SizingState) -> Ask:
        """Say how much is wanted, before caps."""
        returns: Any = list(state.returns)[-self.lookback :]
        count = len(returns)
        if count < self.min_trades:
            return Ask("exposure", self.start, why=f"{self.start:.4g} of the equity until {self.min_trades} trades are "
                       f"closed, {count} so far")  # fmt: skip
        best = optimal_fraction(returns)
        if math.isnan(best):
            return Ask("exposure", math.inf, why=f"none of the last {count} trades lost")
        if best == 0.0:
            return Ask("exposure", self.least, why=f"no edge: the last {count} trades lost on average")
        worst = -min(returns)
        told = f"optimal f {best:.3g} of the last {count} trades, the worst of which lost {worst:.3g}"
        return Ask("exposure", max(self.fraction * best / worst, self.least), why=told)
