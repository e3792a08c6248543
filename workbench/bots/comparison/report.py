"""`ParityReport`: the trades side by side, the causes of what differs with their cost, a score, and how it goes on."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.bots.comparison.banding import Band, band_of
from workbench.bots.comparison.causes import CAUSES, Cause
from workbench.bots.comparison.pairing import Pair
from workbench.bots.comparison.slipping import PARTS
from workbench.bots.comparison.trending import trend_of

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
        What the instruments settle in: that of all amounts.
    restarts : tuple of int
        When a process took the bot up again, ms UTC of the market.
    notes : tuple of str
        What a reader must know beside.
    executed : tuple of Filled or Funded
        What the bot did.
    promise : Promise, optional
        The backtest, for the band.
    """

    name: str
    strategy: str
    compared: tuple[Compared, ...]
    began: int
    ended: int
    cash: float
    currency: str
    restarts: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    executed: tuple[Any, ...] = field(default=(), repr=False)
    promise: Any = field(default=None, repr=False)

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

    @cached_property
    def slippage(self) -> pd.DataFrame:
        """What price slippage is made of: index `part`, columns cost (quote currency), trades, meaning.

        The costs add up to that of the cause "price slippage".
        """
        import pandas as pd

        cost: dict[str, list[float]] = defaultdict(list)
        for one in self.compared:
            for cause in one.causes:
                if cause.name == "price slippage":
                    known = cause.parts
                    for part, made in (*known, ("not known", cause.cost - math.fsum(made for _, made in known))):
                        cost[part].append(made)
        rows = {
            name: (math.fsum(cost[name]), sum(made != 0.0 for made in cost[name])) for name in PARTS if name in cost
        }
        least = 1e-9 * self.cash
        kept = {name: (*row, PARTS[name]) for name, row in rows.items() if abs(row[0]) > least or name != "not known"}
        return pd.DataFrame(
            list(kept.values()), columns=["cost", "trades", "meaning"],
            index=pd.Index(list(kept), name="part", dtype=object),
        )  # fmt: skip

    @cached_property
    def trend(self) -> pd.DataFrame:
        """How parity goes: one row a day, a week or a month, whichever suits the time that was compared.

        Columns as `trend_by` gives them.
        """
        days = (self.ended - self.began) / 86_400_000
        return self.trend_by("day" if days <= 21 else "week" if days <= 180 else "month")

    def trend_by(self, period: str) -> pd.DataFrame:
        """Give the score of each period, by when trades were left (those still held: now).

        Parameters
        ----------
        period : {"day", "week", "month", "session"}
            A session is from one start of the bot to the next.

        Returns
        -------
        pandas.DataFrame
            Index `from`: when the period begins, UTC. Columns: score (mean of its trades, 0 to 1), trades, alike (how
            many of them are as promised), promised, lived, difference (profits), and so_far, the mean score of all
            trades until its end. Periods without a trade are left out.

        Raises
        ------
        ConfigError
            There is no such period.
        """
        return trend_of(self, period)

    @cached_property
    def band(self) -> Band | None:
        """Where the backtest's Monte Carlo runs go, and the two equities in it; None where there are too few bars."""
        return None if self.promise is None else band_of(self)

    @cached_property
    def alarm(self) -> str:
        """What is wrong where the bot's equity has left the backtest's band, or much is unexplained; else ""."""
        said = "" if self.band is None else self.band.alarm(self.currency)
        if said:
            return said
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

    def named_results(self) -> dict[str, float | int | str | bool]:
        """Give the numbers that a notebook records."""
        return {
            "bot": self.name, "score": self.score, "trades": len(self.compared),
            "alike": sum(not one.causes for one in self.compared), "promised": self.promised, "lived": self.lived,
            "causes": ", ".join(self.causes.index), "alarm": self.alarm,
        }  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data for JSON."""
        trades = self.trades.astype(object).where(self.trades.notna(), None) if len(self.compared) else self.trades
        return {
            "name": self.name, "strategy": self.strategy, "score": self.score, "promised": self.promised,
            "lived": self.lived, "currency": self.currency, "began": self.began, "ended": self.ended,
            "sentence": self.sentence, "alarm": self.alarm,
            "causes": self.causes.reset_index().to_dict("records"),
            "slippage": self.slippage.reset_index().to_dict("records"),
            "trend": [
                {"from": str(start), **row} for start, row in self.trend.to_dict("index").items()
            ],
            "band": None if self.band is None else self.band.to_dict(),
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
