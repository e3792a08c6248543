"""`ParityReport`: the trades side by side, the causes of what differs with their cost, a score, and how it goes on."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.bots.comparison.causes import CAUSES, Cause
from workbench.bots.comparison.pairing import Pair

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Compared", "ParityReport"]


class Compared(NamedTuple):
    """A pair of trades with the causes of its difference."""

    pair: Pair
    causes: tuple[Cause, ...]

    @property
    def difference(self) -> float:
        """Profit of the bot less what was promised, in the quote currency."""
        wanted, got = self.pair
        return (0.0 if got is None else got.pnl) - (0.0 if wanted is None else wanted.pnl)

    @property
    def score(self) -> float:
        """How alike the two are, 0 to 1: one less their difference over the sum of both profits without their signs.

        0 for a trade that only one of them has.
        """
        wanted, got = self.pair
        if wanted is None or got is None:
            return 0.0
        if not self.causes:
            return 1.0
        return max(0.0, 1.0 - abs(self.difference) / max(abs(wanted.pnl) + abs(got.pnl), 1e-12))


@dataclass(frozen=True, kw_only=True)
class ParityReport:
    """What a backtest promised and what a bot did.

    Parameters
    ----------
    name, strategy : str
    compared : tuple of Compared
        By time.
    began, ended : int
        The time that was compared, ms UTC.
    cash : float
    currency : str
    """

    name: str
    strategy: str
    compared: tuple[Compared, ...]
    began: int
    ended: int
    cash: float
    currency: str

    def __repr__(self) -> str:
        return f"<ParityReport {self.name}: {self.score:.1%}, {len(self.compared)} trades>"

    @property
    def score(self) -> float:
        """The mean score of all trades, 0 to 1; 1.0 where there is none."""
        scores = [one.score for one in self.compared]
        return math.fsum(scores) / len(scores) if scores else 1.0

    @property
    def promised(self) -> float:
        """Profit of the backtest, in the quote currency."""
        return math.fsum(one.pair.promised.pnl for one in self.compared if one.pair.promised is not None)

    @property
    def lived(self) -> float:
        """Profit of the bot, in the quote currency."""
        return math.fsum(one.pair.lived.pnl for one in self.compared if one.pair.lived is not None)

    @cached_property
    def trades(self) -> pd.DataFrame:
        """The trades side by side: one row a pair, with times, prices, quantities, profits, causes and score."""
        import pandas as pd

        rows = []
        for one in self.compared:
            wanted, got = one.pair
            shown = one.pair.shown
            row: dict[str, Any] = {"symbol": shown.symbol, "side": "long" if shown.sign > 0 else "short"}
            for word, trip in (("promised", wanted), ("lived", got)):
                row |= {
                    f"{word}_entry_time": _time(trip.entered if trip else None),
                    f"{word}_exit_time": _time(trip.left if trip else None),
                    f"{word}_quantity": trip.quantity if trip else math.nan,
                    f"{word}_entry": trip.entry if trip else math.nan,
                    f"{word}_exit": trip.exit if trip else math.nan,
                    f"{word}_pnl": trip.pnl if trip else math.nan,
                    f"{word}_reason": trip.reason if trip else "",
                }
            row |= {
                "difference": one.difference, "score": one.score,
                "cause": max(one.causes, key=lambda cause: abs(cause.cost)).name if one.causes else "",
                "evidence": "; ".join(f"{cause.name}: {cause.text}" for cause in one.causes if cause.text),
            }  # fmt: skip
            rows.append(row)
        return pd.DataFrame(rows)

    @cached_property
    def causes(self) -> pd.DataFrame:
        """Cost by cause: index `cause`, columns cost (quote currency, negative: the bot did worse), trades, meaning.

        The largest first, and what only follows from others last.
        """
        import pandas as pd

        cost: dict[str, list[float]] = defaultdict(list)
        trades: dict[str, set[int]] = defaultdict(set)
        for number, one in enumerate(self.compared):
            for cause in one.causes:
                cost[cause.name].append(cause.cost)
                trades[cause.name].add(number)
        names = sorted(cost, key=lambda name: (name == "carried over", -math.fsum(map(abs, cost[name]))))
        rows = [(math.fsum(cost[name]), len(trades[name]), CAUSES[name]) for name in names]
        return pd.DataFrame(
            rows, columns=["cost", "trades", "meaning"], index=pd.Index(names, name="cause", dtype=object)
        )

    def trend(self, trades: int = 20) -> pd.Series:
        """Give the mean score of the last so many trades, after each: how parity goes.

        Returns
        -------
        pandas.Series
            By the time at which the trade was left.
        """
        import pandas as pd

        times = [max(trip.left or trip.entered for trip in one.pair if trip is not None) for one in self.compared]
        index = pd.DatetimeIndex(pd.to_datetime(times, unit="ms", utc=True), name="time")
        scores = pd.Series([one.score for one in self.compared], index=index, dtype=float).sort_index(kind="stable")
        return scores.rolling(trades, min_periods=1).mean()

    def band(self, level: float = 0.95, runs: int = 2_000, seed: int = 0) -> tuple[float, float]:
        """Give between which profits the backtest's own trades, drawn again, would have ended.

        Parameters
        ----------
        level : float
            Share of the runs that end between them.
        runs, seed : int

        Notes
        -----
        A bootstrap: as many trades as the bot made, drawn with replacement from the promised ones.
        """
        import numpy as np

        promised = np.array([one.pair.promised.pnl for one in self.compared if one.pair.promised is not None])
        count = sum(one.pair.lived is not None for one in self.compared)
        if not len(promised) or not count:
            return math.nan, math.nan
        drawn = np.random.default_rng(seed).choice(promised, (runs, count)).sum(axis=1)
        low, high = np.quantile(drawn, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
        return float(low), float(high)

    @property
    def alarm(self) -> str:
        """What is wrong where the bot's profit has left the backtest's band, or much is unexplained; else ""."""
        low, high = self.band()
        if self.lived < low:
            return f"the bot made {self.lived:+,.2f}, the backtest's trades drawn again {low:+,.2f} or more in 39 of 40"
        if self.lived > high:
            return (
                f"the bot made {self.lived:+,.2f}, the backtest's trades drawn again {high:+,.2f} or less in 39 of 40"
            )
        dark = self.causes["cost"].get("unexplained", 0.0)
        if abs(dark) > 0.01 * self.cash:
            return f"{dark:+,.2f} {self.currency} of the difference is unexplained"
        return ""

    @property
    def sentence(self) -> str:
        """The whole of it in words."""
        count = len(self.compared)
        if not count:
            return f"{self.name} has not traded, and its backtest has not either."
        alike = sum(not one.causes for one in self.compared)
        gap = self.lived - self.promised
        text = (
            f"{alike} of {count} trades are as promised (score {self.score:.1%}); the bot made {self.lived:+,.2f} "
            f"{self.currency}, the backtest {self.promised:+,.2f}."
        )
        if alike == count:
            return text.replace(" -", " \N{MINUS SIGN}")
        first = self.causes.index[0]
        text += f" Of the difference of {gap:+,.2f}, {first} accounts for {self.causes['cost'].iloc[0]:+,.2f}."
        return text.replace(" -", " \N{MINUS SIGN}")

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data for JSON."""
        trades = self.trades.astype(object).where(self.trades.notna(), None) if len(self.compared) else self.trades
        return {
            "name": self.name, "strategy": self.strategy, "score": self.score, "promised": self.promised,
            "lived": self.lived, "currency": self.currency, "began": self.began, "ended": self.ended,
            "sentence": self.sentence, "alarm": self.alarm,
            "causes": self.causes.reset_index().to_dict("records"),
            "trades": [
                {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in row.items()}
                for row in trades.to_dict("records")
            ],
        }  # fmt: skip

    def _repr_html_(self) -> str:
        from workbench.bots.comparison.pages import page_of

        return page_of(self)


def _time(ts: int | None) -> Any:
    import pandas as pd

    return pd.NaT if ts is None else pd.Timestamp(ts, unit="ms", tz="UTC")
