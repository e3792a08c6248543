"""The event path: history fed to the core and to a simulated venue, one bar after another.

This is the definition of a backtest: the same core that trades on paper and live decides, the same matcher that a paper
broker uses fills. A step of time T goes: what closes at T is matched inside and heard; then what opens at T is funded,
and decisions made before trade at the open. `stepping` says in which order the bars come.
"""

from __future__ import annotations

import heapq
import math
from typing import Any, Final

from workbench.backtest.blame import blaming
from workbench.backtest.event_setup import core_of, trader_of, venue_of
from workbench.backtest.feed import Coarser, Feed
from workbench.backtest.log import Log
from workbench.backtest.plan import Plan
from workbench.backtest.records import Records
from workbench.backtest.stepping import step_many, step_one, step_ticks
from workbench.trading.core import Core
from workbench.trading.events import (
    Action,
    AmendOrder,
    Bar,
    CancelOrder,
    Event,
    Filled,
    Opened,
    SetTimer,
    Started,
    Submit,
    Tick,
    Timer,
)
from workbench.trading.risk_engine import limited

__all__ = ["Replay", "run"]

_TO_VENUE: Final = frozenset((Submit, CancelOrder, AmendOrder))


def run(plan: Plan) -> Records:
    """Run a plan event by event.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    Records

    Raises
    ------
    StrategyError
        The strategy raised, or returned something that is no wish.
    """
    with blaming(plan.strategy):
        replay = Replay(plan)
        replay.go()
    return replay.log.records(replay)


class Replay:
    """The shell: hands market data to venue and core, and each one's words to the other.

    Attributes
    ----------
    plan : Plan
    core, venue, trader, log
    feeds : list of Feed
        One an instrument, in the order of the plan.
    coarser : list of Coarser
        Series of a higher timeframe that the strategy also hears, the highest first.
    timers : dict of heaps of (ts, number, name), by symbol
    low, high : float
        With one feed: prices that the venue does nothing between, as of the last `refresh`.
    trails, due : bool, float
        Whether a trailing stop is alive, and when something expires or arrives, as of then.
    touched : bool
        Whether the venue was asked for something since then.
    """

    def __init__(self, plan: Plan, core: Core | None = None) -> None:
        self.plan = plan
        self.core = core or core_of(plan, trader_of(plan), name="backtest")
        self.trader: Any = self.core.trader
        self.venue = venue_of(plan)
        self.core.estimate = self.venue.estimate
        self.core.sizer.decisions = None if plan.sizing is None else []
        self.log = Log(plan)
        limited(self.core, plan.limits)
        self.timers: dict[str, list[tuple[int, int, str]]] = {}
        self.set = 0
        self.feeds, self.coarser = self.series()
        self.low, self.high, self.due = -math.inf, math.inf, math.inf
        self.trails = False
        self.touched = True
        self.settles = not plan.account.isolated and any(line.margined for line in plan.lines)

    def series(self) -> tuple[list[Feed], list[Coarser]]:
        """Give the series that are replayed, and have the core watch them: what moves prices, and what does not."""
        plan, core = self.plan, self.core
        feeds = [Feed(number, line, self.trader, core) for number, line in enumerate(plan.lines)]
        return feeds, [Coarser(bars, core) for bars in sorted(plan.extra, key=lambda one: -one.timeframe.ms)]

    def go(self) -> None:
        """Run through all of history."""
        self.deliver([Started(min(int(feed.line.ts[0]) for feed in self.feeds))])
        if self.plan.ticks:
            step_ticks(self)
        elif len(self.feeds) == 1 and not self.plan.extra:
            step_one(self, self.feeds[0])
        else:
            step_many(self)

    def deliver(self, events: list[Event]) -> None:
        """Hand events to the core, and what it wants done to the venue, until both are silent."""
        for event in events:
            kind = type(event)
            if kind is Filled:
                self.touched = True
                self.log.fill(event)  # type: ignore[arg-type]
            elif kind is not Bar and kind is not Opened:
                self.touched = True
                self.log.note(event)
            for action in self.core.handle(event):
                self.act(action)

    def act(self, action: Action) -> None:
        """Carry out what the core wants done: at the venue, or by the clock."""
        if type(action) in _TO_VENUE:
            self.touched = True
            said = self.venue.handle(action)
            if said:
                self.deliver(said)
        elif type(action) is SetTimer:
            heapq.heappush(self.timers.setdefault(action.symbol, []), (action.ts, self.set, action.name))
            self.set += 1

    def open_one(self, feed: Feed, i: int, ts: int) -> None:
        """Open a bar where there is one instrument: the same as `open`, without what only several need."""
        venue, symbol, price = self.venue, feed.symbol, feed.open[i]
        events = venue.open(ts, symbol, price, feed.volume[i], feed.sigma(i), carry=False)
        if events:
            self.deliver(events)
        before, funded = 0.0, feed.next_funding <= ts
        if funded:
            before = self.core.account.quantity(symbol)
            self._fund_at(feed, ts, price)
        if self.plan.at_close:
            self.deliver(venue.carry(symbol, leaving=True, triggered=True))
        desk = self.core.desk
        if desk.intents or desk.changes or self.timers or self.core.risk is not None:
            for action in self.core.handle(Opened(ts, {symbol: price})):
                self.act(action)
        if not self.plan.at_close and venue.has_left(symbol):
            self.deliver(venue.carry(symbol, leaving=True))
            self.deliver(venue.carry(symbol, leaving=False))
        if funded:
            self._fund_added(feed, ts, price, before)
        if self.timers:
            self.ring(ts)

    def open(self, feeds: list[tuple[Feed, int]], ts: int) -> None:
        """Open the bars (feed and index) that begin at a time: funding, then what was decided before."""
        venue = self.venue
        prices, held = {}, []
        for feed, i in feeds:
            price = feed.open[i]
            held.append(self.core.account.quantity(feed.symbol))
            self.deliver(venue.open(ts, feed.symbol, price, feed.volume[i], feed.sigma(i), carry=False))
            prices[feed.symbol] = price
            self._fund_at(feed, ts, price)
        if self.plan.at_close:
            # what was decided trades at closes, but not what is left of a stop
            for feed, _ in feeds:
                self.deliver(venue.carry(feed.symbol, leaving=True, triggered=True))
            self.deliver([Opened(ts, prices)])
        else:
            self._decided(feeds, ts, prices)
        for (feed, _), before in zip(feeds, held, strict=True):
            self._fund_added(feed, ts, prices[feed.symbol], before)
        self.ring(ts)

    def _fund_at(self, feed: Feed, ts: int, price: float) -> None:
        """Settle the funding due at the open on what is held coming into it; what was due in a hole too."""
        while feed.next_funding <= ts:
            row = feed.take_funding()
            if self.core.account.quantity(feed.symbol):
                mark = feed.mark(row, price)
                self.deliver(self.venue.fund(feed.symbol, ts, float(feed.line.funding_rate[row]), mark))

    def _fund_added(self, feed: Feed, ts: int, price: float, before: float) -> None:
        """Settle the funding due at the open on what was opened at it."""
        row = feed.funded - 1
        if row < 0 or feed.line.funding_ts[row] != ts:
            return
        after = self.core.account.quantity(feed.symbol)
        added = after if after * before <= 0.0 else after - before
        if added * after > 0.0:
            rate, mark = float(feed.line.funding_rate[row]), feed.mark(row, price)
            self.deliver(self.venue.fund(feed.symbol, ts, rate, mark, added))

    def inside(self, feed: Feed, i: int) -> None:
        """Match inside a bar, then settle the funding due in it."""
        symbol, ts = feed.symbol, feed.ts[i]
        closes = ts + feed.spans(i)
        bar = feed.open[i], feed.high[i], feed.low[i], feed.close[i], feed.volume[i]
        rings = bool(self.timers) and self.next_timer(symbol) <= ts
        for event in self.venue.bar(symbol, ts, *bar, closes, pause=rings):
            if event is None:
                self.ring(ts, symbol)
            else:
                self.deliver([event])
        if feed.next_funding < closes:
            self.fund_inside(feed, i, ts, closes)

    def fund_inside(self, feed: Feed, i: int, ts: int, closes: int) -> None:
        """Settle the funding due between a bar's open and its close on what is still held."""
        close = feed.close[i]
        while feed.next_funding < closes:
            row = feed.take_funding()
            if self.core.account.quantity(feed.symbol):
                rate, mark = float(feed.line.funding_rate[row]), feed.mark(row, close)
                self.deliver(self.venue.fund(feed.symbol, ts, rate, mark))

    def end(self, feed: Feed, i: int) -> None:
        """End a base bar: its close is the price from now on."""
        close = feed.close[i]
        self.venue.close(feed.symbol, close, feed.ts[i])
        self.core.account.mark(feed.symbol, close)
        self.core.prices[feed.symbol] = close

    def settle(self, ts: int) -> None:
        """Liquidate what a cross-margin account can no longer hold at the closes."""
        if self.settles and self.core.account.open_positions:
            self.deliver(self.venue.settle(ts))

    def fill_at_close(self, feeds: list[tuple[Feed, int]]) -> None:
        """Carry out at their closes what was decided on bars that have just been heard."""
        prices = {feed.symbol: feed.close[i] for feed, i in feeds}
        ts = max(feed.ts[i] + feed.spans(i) for feed, i in feeds)
        self._decided(feeds, ts, prices)

    def _decided(self, feeds: list[tuple[Feed, int]], ts: int, prices: dict[str, float]) -> None:
        """Carry out what was decided before: all that leaves first, then entries in the order of the instruments."""
        venue = self.venue
        if len(feeds) == 1:
            symbol = feeds[0][0].symbol
            self.deliver([Opened(ts, prices)])
            self.deliver(venue.carry(symbol, leaving=True))
            self.deliver(venue.carry(symbol, leaving=False))
            return
        self.deliver([Opened(ts, prices, True, False)])
        for feed, _ in feeds:
            self.deliver(venue.carry(feed.symbol, leaving=True))
        for feed, _ in feeds:
            self.deliver(venue.carry(feed.symbol, leaving=False))
            self.deliver([Opened(ts, {feed.symbol: prices[feed.symbol]}, False, True)])

    def tick(self, feed: Feed, tick: Tick) -> None:
        """Let one trade of the market happen: what is due by then first, then the matcher, then the strategy."""
        venue, ts = self.venue, tick.ts
        if venue.due() <= ts:
            self.deliver(venue.time(ts))
        self._fund_at(feed, ts, tick.price)
        self.ring(ts)
        self.ring(ts, tick.symbol)
        self.deliver(venue.tick(tick))
        self.deliver([tick])
        self.log.mark(self, ts)

    def ring(self, ts: int, symbol: str = "") -> None:
        """Tell the timers that are due: those of an instrument, or of none."""
        waiting = self.timers.get(symbol, [])
        while waiting and waiting[0][0] <= ts:
            _, _, name = heapq.heappop(waiting)
            self.deliver([Timer(ts, name)])

    def next_timer(self, symbol: str | None = None) -> float:
        """Give when the next timer rings: of an instrument, or of all; infinity for never."""
        if not self.timers:
            return math.inf
        heaps = self.timers.values() if symbol is None else (self.timers.get(symbol, []),)
        return min((waiting[0][0] for waiting in heaps if waiting), default=math.inf)

    def hear(self, heard: list[tuple[Feed, int]], ts: int) -> None:
        """Tell the strategy the bars that have closed, all of which are history by then."""
        for feed, i in heard:
            feed.history.count = feed.word(i) + 1
        self.hear_coarser(ts)
        for feed, i in heard:
            self.deliver([feed.bar(feed.word(i))])

    def hear_coarser(self, ts: int) -> None:
        """Tell the coarser bars that have closed by a time, the coarsest first."""
        for one in self.coarser:
            one.tell(self, ts)

    def refresh(self, feed: Feed) -> None:
        """Ask the venue anew between which prices it does nothing."""
        if self.touched:
            self.low, self.high, self.trails, self.due = self.venue.watch(feed.symbol)
            self.touched = False

    def window(self, feed: Feed) -> tuple[float, float, float]:
        """Give the prices that nothing happens between as far as is known, and from which close on the clock matters.

        (inf, -inf, -inf) while all bars matter.
        """
        if self.touched or self.trails:
            return math.inf, -math.inf, -math.inf
        clock = min(self.due, feed.next_funding + 1)
        if self.timers:
            clock = min(clock, self.next_timer() + feed.tf_ms)
        return self.low, self.high, clock
