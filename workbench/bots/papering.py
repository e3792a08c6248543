"""A paper bot on a replayed tape: the shell of a bot whose market is the past and whose venue is simulated.

What happens comes moment by moment, as in a backtest's event path, from which it takes the order of things; but the
mind knows only the bars that have closed and is asked at every close, and all that happens, and all that it wants, goes
through `deliver` and `act`, where a journal can listen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from workbench.backtest.event_path import Replay
from workbench.backtest.feed import Coarser, Feed, bar_at
from workbench.backtest.plan import Plan
from workbench.backtest.stepping import moments, step
from workbench.bots.mind import Mind
from workbench.market.bars import Bars
from workbench.trading.events import Action, Bar, Event, Filled, Learnt, Marked, Opened, Rated, Started

__all__ = ["PaperReplay"]


class PaperReplay(Replay):
    """A bot that trades a tape on paper.

    Parameters
    ----------
    plan : Plan
    mind : Mind
    heard : callable, optional
        Told every event before the mind is, and every action before it is carried out.
    """

    def __init__(self, plan: Plan, mind: Mind, heard: Callable[[Event | Action], None] | None = None) -> None:
        self.mind, self.heard = mind, heard
        super().__init__(plan, mind.core)
        self._behind = [_Behind(bars) for bars in sorted(plan.extra, key=lambda one: -one.timeframe.ms)]
        self._rated = [0] * len(self.feeds)

    def series(self) -> tuple[list[Feed], list[Coarser]]:
        """Give the series that are replayed; the mind has histories of its own and watches none of them."""
        nobody: Any = _Nobody()
        return [Feed(number, line, nobody, nobody) for number, line in enumerate(self.plan.lines)], []

    def steps(self) -> Iterator[int]:
        """Go through the tape, one moment (ms UTC) after another."""
        self.deliver([Started(min(int(feed.line.ts[0]) for feed in self.feeds))])
        for ts, opens, rows in moments(self.feeds):
            step(self, ts, opens, rows)
            yield ts

    def go(self) -> None:
        """Go through all of the tape."""
        for _ in self.steps():
            pass

    def deliver(self, events: list[Event]) -> None:
        """Take events in, and what the mind wants done to the venue, until both are silent."""
        for event in events:
            kind = type(event)
            if kind is Filled:
                self.log.fill(event)  # type: ignore[arg-type]
            elif kind is not Bar and kind is not Opened:
                self.log.note(event)
            if self.heard is not None:
                self.heard(event)
            for action in self.mind.handle(event):
                self.act(action)

    def act(self, action: Action) -> None:
        """Carry out what the mind wants done, once it has been written down."""
        if self.heard is not None:
            self.heard(action)
        super().act(action)

    def end(self, feed: Feed, i: int) -> None:
        """End a base bar: its close is the price from now on."""
        self.venue.close(feed.symbol, feed.close[i], feed.ts[i])
        self.deliver([Marked(feed.ts[i], feed.symbol, feed.close[i])])

    def hear(self, heard: list[tuple[Feed, int]], ts: int) -> None:
        """Tell the bars that have closed: first all as history, then the coarser ones, then each."""
        self._rate(ts)
        told = [feed.bar(feed.word(i)) for feed, i in heard]
        if len(told) > 1 or self._behind:
            self.deliver([Learnt(*bar) for bar in told])
        for one in self._behind:
            self.deliver(one.closed(ts))
        for bar in told:
            self.deliver([bar])

    def _rate(self, ts: int) -> None:
        """Tell the funding rates that were settled before a close."""
        for number, feed in enumerate(self.feeds):
            line, k = feed.line, self._rated[number]
            while k < len(line.funding_ts) and line.funding_ts[k] < ts:
                self.deliver([Rated(int(line.funding_ts[k]), feed.symbol, float(line.funding_rate[k]))])
                k += 1
            self._rated[number] = k


class _Nobody:
    """Stands for the core where a feed's own history is not to be seen."""

    def watch(self, history: Any) -> None:
        """See nothing."""


class _Behind:
    """A series of a higher timeframe, as it closes."""

    def __init__(self, bars: Bars) -> None:
        self.bars, self.told = bars, 0

    def closed(self, ts: int) -> list[Event]:
        """Give the bars that have closed by a time and were not told yet."""
        found: list[Event] = []
        one = self.bars
        while self.told < len(one) and int(one.ts[self.told]) + one.timeframe.ms <= ts:
            found.append(bar_at(one, self.told))
            self.told += 1
        return found
