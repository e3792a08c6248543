"""The feeds of a live bot: one for each length of its bars, so that each begins where that series is known up to."""

from __future__ import annotations

from collections.abc import Callable

from workbench.backtest.plan import Plan
from workbench.market.feeds.ccxt_feed import CcxtFeed
from workbench.market.feeds.feed import Access, Tuning, Watch

__all__ = ["feeds_at"]


def feeds_at(
    venue: str, plan: Plan, *, access: Access | None = None, tuning: Tuning | None = None
) -> Callable[[str, int], CcxtFeed]:
    """Give what opens the feeds of a bot at a venue, for `Runner`.

    Parameters
    ----------
    venue : str
        ccxt's name.
    plan : Plan
        Whose series are told.
    access : Access, optional
        The route to a practice exchange.
    tuning : Tuning, optional

    Returns
    -------
    callable
        `(timeframe, start) -> CcxtFeed`, with prices and best quotes of what is traded.
    """
    traded = [line.bars for line in plan.lines]

    def feed(timeframe: str, start: int) -> CcxtFeed:
        symbols = [one.symbol for one in (*traded, *plan.extra) if str(one.timeframe) == timeframe]
        prices = any(str(one.timeframe) == timeframe for one in traded)
        watch = Watch.of(tuple(dict.fromkeys(symbols)), timeframe, ("tickers", "books") if prices else (), start)
        return CcxtFeed(venue, watch, access=access, tuning=tuning)

    return feed
