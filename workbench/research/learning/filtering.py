"""`ScoreFilter`: a strategy whose entries count only where a model's out-of-sample score is high enough."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from workbench.errors import StrategyError
from workbench.market.bars import Bars
from workbench.market.timeframe import Timeframe
from workbench.research.learning.scores import Scores
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy, signals_of, warm_up_of

__all__ = ["ScoreFilter"]

_EXITS = ("stop_loss", "take_profit", "trailing_stop", "trailing_activation", "roi", "max_bars")
_OWN = (*_EXITS, "protections", "sizing", "leverage", "start_dependent", "needs_next_open")


class ScoreFilter(SignalStrategy):
    """A strategy of which only the entries with a good enough score are left; its exits stay as they are.

    Parameters
    ----------
    strategy : SignalStrategy
        Whose entries are filtered. Its parameters are those of the filter, too.
    scores : Scores
        Of a walk-forward (`ModelRun.scores`).
    above : float
        Long entries count where the score is above it.
    below : float, optional
        Short entries count where the score is below it; none count when left out.

    Raises
    ------
    StrategyError
        The strategy is none, a threshold is no number, or scores come from models that were trained on later bars.

    Notes
    -----
    Where there is no score there is no entry. Bars that differ from those that were scored are refused, so that scores
    cannot slip against their bars.
    """

    def __init__(
        self, strategy: SignalStrategy, scores: Scores, *, above: float = 0.5, below: float | None = None
    ) -> None:
        if not isinstance(strategy, SignalStrategy):
            raise StrategyError(f"ScoreFilter: {strategy!r} is no signal strategy; give an object, such as SmaCross()")
        if not isinstance(scores, Scores):
            raise StrategyError(f"ScoreFilter: {type(scores).__name__} is not Scores; give run.scores")
        if not scores.causal:
            raise StrategyError(
                f"ScoreFilter: {scores!r} come from models that were trained on later bars ({scores.note}); a backtest "
                "on them sees the future. Train with AnchoredSplit or RollingSplit"
            )
        for name, value in (("above", above), ("below", below)):
            wrong = isinstance(value, bool) or not isinstance(value, (int, float)) or not np.isfinite(value)
            if (value is not None and wrong) or (name == "above" and value is None):
                raise StrategyError(f"ScoreFilter: {name} = {value!r}; give a number such as 0.55")
        kept = {name: getattr(strategy, name) for name in _OWN}
        for name, value in {**kept, "strategy": strategy, "scores": scores, "above": above, "below": below}.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "declared", strategy.declared)

    def __getattr__(self, name: str) -> Any:
        inner = self.__dict__.get("strategy")
        if inner is not None and name in inner.declared:
            return getattr(inner, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def signals(self, bars: Bars) -> Signals:
        """Ask the strategy, and keep the entries with a good enough score."""
        inner: SignalStrategy = self.__dict__["strategy"]
        found = signals_of(inner, bars)
        score = self.__dict__["scores"].on(bars)
        above, below = self.__dict__["above"], self.__dict__["below"]
        with np.errstate(invalid="ignore"):
            entry = found.entry & (score > above)
            short = found.short_entry & (score < (-np.inf if below is None else below))
        return found.replace(entry=entry, short_entry=short)

    def warm_up_on(self, timeframe: Timeframe) -> int:
        """Give the warm-up of the strategy."""
        return warm_up_of(self.__dict__["strategy"], timeframe)

    def replace(self, **changes: Any) -> Self:
        """Give a filter of the same scores with some parameters of the strategy changed, or `above` or `below`."""
        own = {name: changes.pop(name, self.__dict__[name]) for name in ("above", "below")}
        return type(self)(self.__dict__["strategy"].replace(**changes), self.__dict__["scores"], **own)

    @property
    def code_hash(self) -> str:
        """Hash of the strategy's source, of the scores and of the thresholds."""
        import hashlib

        digest = hashlib.sha256(self.__dict__["strategy"].code_hash.encode())
        digest.update(repr((self.__dict__["above"], self.__dict__["below"])).encode())
        digest.update(self.__dict__["scores"].fingerprint.encode() + self.__dict__["scores"].values.tobytes())
        return digest.hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.code_hash == self.code_hash and other.parameters == self.parameters

    def __hash__(self) -> int:
        return hash((self.code_hash, *self.parameters.items()))

    def __repr__(self) -> str:
        below = self.__dict__["below"]
        more = "" if below is None else f", below={below!r}"
        return f"ScoreFilter({self.__dict__['strategy']!r}, scores, above={self.__dict__['above']!r}{more})"
