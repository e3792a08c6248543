"""In which order the bars of a replay come, and which of them can be skipped.

With one instrument, bars in which nothing can happen are passed over: the venue says between which prices it has
nothing to do, and a signal strategy which bars it wants to hear. With several, every bar of every instrument is a step
of its time: first all that closes then, afterwards all that opens.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.backtest.feed import Feed
from workbench.backtest.quiet import quiet_nb
from workbench.strategy.signal_trader import ENTRY, SHORT_ENTRY, SignalTrader
from workbench.trading.core import NOTHING
from workbench.trading.events import Tick

if TYPE_CHECKING:
    from workbench.backtest.event_path import Replay

__all__ = ["moments", "step", "step_many", "step_one", "step_ticks"]

_NONE: Final = (0.0, 0.0, math.nan, math.nan)
_CHUNK: Final = 2_048
_SIDES: Final = {1: "buy", -1: "sell", 0: ""}


def step_one(replay: Replay, feed: Feed) -> None:
    """Go through the bars of one instrument."""
    if replay.core.risk is not None:
        _Every(replay, feed).go()
    elif isinstance(replay.trader, SignalTrader):
        _Signals(replay, feed).go()
    elif feed.line.word is None:
        _each_bar(replay, feed)
    else:
        _Closes(replay, feed).go()


class _Skipping:
    """Goes from one bar that matters to the next."""

    def __init__(self, replay: Replay, feed: Feed) -> None:
        self.replay, self.feed, self.line = replay, feed, feed.line
        self.at_close = replay.plan.at_close

    def go(self) -> None:
        i, bars = 0, len(self.line.ts)
        while i < bars:
            last = min(self.next_heard(i), bars - 1)
            i = self._after_quiet(i, last)
            if i > last and not self.at_close:
                self.hear_only(last)
            else:
                i = min(i, last)
                self.step(i)
                i += 1

    def next_heard(self, i: int) -> int:
        """Give the next base bar, from this one on, whose close the strategy wants to hear."""
        return i

    def _after_quiet(self, i: int, last: int) -> int:
        """Give the first bar up to `last` in which venue or clock may have something to do; else the one after."""
        replay, line = self.replay, self.line
        core = replay.core
        if core.desk.busy:
            return i
        replay.refresh(self.feed)
        due = self._clock(i)
        # where decisions trade at closes the bar that is heard is gone through in full, so it is not scanned before
        end = min(due, last if self.at_close else last + 1)
        trails = replay.venue.trailing(self.feed.symbol) if replay.trails else ()
        if not trails and replay.low == -math.inf and replay.high == math.inf:
            return end
        if len(trails) > 1 or replay.low > replay.high:
            return i
        trail = _NONE if not trails else (trails[0].side, trails[0].distance, trails[0].best, trails[0].activation)
        found, best = quiet_nb(line.high, line.low, (i, end), (replay.low, replay.high), trail, replay.plan.path_inside)
        if trails and found > i:
            replay.venue.seen(self.feed.symbol, best)
        return int(found)

    def _clock(self, i: int) -> int:
        """Give the bar in which the next settlement, timer or expiry falls."""
        replay, feed = self.replay, self.feed
        held = replay.core.account.open_positions
        due = min(replay.venue.due(), replay.next_timer(), feed.next_funding if held else math.inf)
        if due == math.inf:
            return len(self.line.ts)
        row = int(np.searchsorted(self.line.ts, due, side="left"))
        # a settlement inside the bar before falls in that one
        if held and row > i and feed.next_funding < self.line.ts[row - 1] + feed.spans(row - 1):
            row -= 1
        return max(row, i)

    def step(self, i: int) -> None:
        """Do all of one bar."""
        replay, feed = self.replay, self.feed
        ts = feed.ts[i]
        self._pass_funding(ts)
        replay.open_one(feed, i, ts)
        replay.inside(feed, i)
        replay.end(feed, i)
        if replay.settles:
            replay.settle(ts)
        number = feed.word(i)
        if number >= 0:
            feed.history.count = number + 1
            self.hear(number)
            if replay.plan.at_close:
                replay.fill_at_close([(feed, i)])
        replay.log.mark(replay, ts)

    def hear_only(self, i: int) -> None:
        """Let the strategy hear a bar in which nothing else happens."""
        number = self.feed.word(i)
        if number >= 0:
            self.feed.history.count = number + 1
            self.hear(number)

    def _pass_funding(self, ts: int) -> None:
        """Pass the settlements of bars that were skipped with nothing held."""
        if self.feed.next_funding < ts and not self.replay.core.account.open_positions:
            while self.feed.next_funding < ts:
                self.feed.take_funding()

    def hear(self, number: int) -> None:
        """Tell the strategy a bar that has closed."""
        self.replay.deliver([self.feed.bar(number)])


class _Every(_Skipping):
    """Limits on risk look at every bar."""

    def go(self) -> None:
        for i in range(len(self.line.ts)):
            self.step(i)


class _Closes(_Skipping):
    """An order strategy hears every one of its bars; the finer ones between are skipped while they are quiet."""

    def __init__(self, replay: Replay, feed: Feed) -> None:
        super().__init__(replay, feed)
        self.closes = [] if feed.line.word is None else np.flatnonzero(feed.line.word >= 0).tolist()

    def next_heard(self, i: int) -> int:
        """Give the base bar with which the strategy bar in hand closes."""
        k = bisect_left(self.closes, i)
        return self.closes[k] if k < len(self.closes) else len(self.line.ts)


class _Signals(_Skipping):
    """A signal strategy wants to hear bars whose word matters to who holds what it holds."""

    def __init__(self, replay: Replay, feed: Feed) -> None:
        super().__init__(replay, feed)
        self.trader: SignalTrader = replay.trader
        self.spoken = self.trader.lines[feed.symbol]
        words = self.spoken.words
        self.any = sorted(words)
        self.entries = [bar for bar in self.any if words[bar] & (ENTRY | SHORT_ENTRY)]
        self.every_held = len(self.spoken.stops) > 1 or self.trader.pyramid is not None
        self.strategy_bars = len(feed.line.bars)

    def next_heard(self, i: int) -> int:
        """Give the base bar with which the next strategy bar closes whose word matters."""
        feed, spoken = self.feed, self.spoken
        now = feed.history.count if feed.line.word is None else self._strategy_bar(i)
        now = i if feed.line.word is None else now
        held = self.replay.core.account.open_positions
        if held and self.every_held:
            return feed.base_of(now)
        said = self.any if held or spoken.pending else self.entries
        k = bisect_left(said, now)
        following = said[k] if k < len(said) else self.strategy_bars
        most = self.trader.exits.max_bars
        if held and most:
            following = min(following, max(now, spoken.opened + most - (0 if self.trader.at_close else 1)))
        return feed.base_of(following) if following < self.strategy_bars else len(self.line.ts)

    def _strategy_bar(self, i: int) -> int:
        """Give the strategy bar that a base bar belongs to."""
        return int(self.line.bars.ts.searchsorted(self.line.ts[i], side="right")) - 1

    def hear(self, number: int) -> None:
        """Tell the strategy a bar, unless it has nothing to say about it."""
        if number in self.spoken.words or self.every_held or self.trader.exits.max_bars:
            super().hear(number)


def _each_bar(replay: Replay, feed: Feed) -> None:
    """Go through bars that an order strategy hears every one of."""
    desk, log, history, listen = replay.core.desk, replay.log, feed.history, replay.core.listener(feed.symbol)
    at_close, bars = replay.plan.at_close, len(feed.line.ts)
    below, above, due = _window(replay, feed)
    busy = bool(desk.intents or desk.changes)
    for start in range(0, bars, _CHUNK):
        for i, bar, high, low in feed.bars(slice(start, start + _CHUNK)):
            if low <= below or high >= above or i >= due or busy:
                _trade(replay, feed, i, bar.ts)
                below, above, due = _window(replay, feed)
                busy = bool(desk.intents or desk.changes)
            history.count = i + 1
            actions = listen(bar)
            if actions is NOTHING and not at_close:
                continue
            for action in actions:
                replay.act(action)
            if at_close:
                replay.venue.close(feed.symbol, bar.close, bar.ts)
                replay.fill_at_close([(feed, i)])
                log.mark(replay, bar.ts)
            busy = bool(desk.intents or desk.changes)
            if not busy:  # else the next bar matters whatever its prices are
                below, above, due = _window(replay, feed)


def _trade(replay: Replay, feed: Feed, i: int, ts: int) -> None:
    """Do all of one bar but let the strategy hear its close."""
    replay.open_one(feed, i, ts)
    closes = ts + feed.tf_ms
    # the core need not hear of the close here: the bar itself, which comes next, tells it
    if (
        replay.timers
        or feed.next_funding < closes
        or not replay.venue.pass_over(feed.symbol, feed.close[i], ts, closes)
    ):
        replay.inside(feed, i)
        replay.end(feed, i)
        if replay.settles:
            replay.settle(ts)
    replay.refresh(feed)
    replay.log.mark(replay, ts)


def _window(replay: Replay, feed: Feed) -> tuple[float, float, int]:
    """Give the prices that nothing happens between as far as is known, and the bar from which on the clock matters."""
    below, above, clock = replay.window(feed)
    return below, above, feed.first_closing(clock) if clock < math.inf else len(feed.line.ts)


def step_many(replay: Replay) -> None:
    """Go through the bars of several instruments, by time."""
    for ts, opens, rows in moments(replay.feeds):
        step(replay, ts, opens, rows)


def moments(feeds: Sequence[Feed]) -> Iterator[tuple[int, bool, list[tuple[Feed, int]]]]:
    """Give the moments of a replay in order: when it is, whether bars open or close then, and which (feed and index).

    What closes at a time comes before what opens at it.
    """
    starts = [feed.line.ts for feed in feeds]
    times = np.concatenate([*(feed.line.ts + feed.line.span for feed in feeds), *starts])
    which = np.concatenate([np.full(len(one), k) for k, one in enumerate(starts)] * 2)
    index = np.concatenate([np.arange(len(one)) for one in starts] * 2)
    opening = np.repeat([0, 1], len(times) // 2)
    order = np.lexsort((which, opening, times))
    cuts = np.flatnonzero(np.diff(times[order] * 2 + opening[order])) + 1
    for group in np.split(order, cuts):
        rows = [(feeds[int(which[row])], int(index[row])) for row in group]
        yield int(times[group[0]]), bool(opening[group[0]]), rows


def step(replay: Replay, ts: int, opens: bool, rows: list[tuple[Feed, int]]) -> None:
    """Do all of one moment."""
    if opens:
        replay.open(rows, ts)
    else:
        _close_many(replay, rows, ts)


def _close_many(replay: Replay, rows: list[tuple[Feed, int]], ts: int) -> None:
    """Match inside all bars that close at a time, then let the strategy hear those that are its own."""
    began = max(int(feed.line.ts[i]) for feed, i in rows)
    for feed, i in rows:
        replay.inside(feed, i)
    for feed, i in rows:
        replay.end(feed, i)
    if any(replay.core.account.quantity(feed.symbol) for feed, _ in rows):
        replay.settle(began)  # where no held instrument has a bar nobody could trade
    heard = [(feed, i) for feed, i in rows if feed.word(i) >= 0]
    replay.hear(heard, ts)
    if heard and replay.plan.at_close:
        replay.fill_at_close(heard)
    replay.log.mark(replay, began)


def step_ticks(replay: Replay) -> None:
    """Go through single trades of the market, and the bars that close between them, by time."""
    feeds = {feed.symbol: feed for feed in replay.feeds}
    ticks = replay.plan.ticks
    columns = [(one.ts, one.price, one.quantity, one.side) for one in ticks]
    times = np.concatenate([*(feed.line.ts + feed.line.span for feed in replay.feeds), *(one.ts for one in ticks)])
    counts = [*(len(feed.line.ts) for feed in replay.feeds), *(len(one) for one in ticks)]
    which = np.concatenate([np.full(count, k) for k, count in enumerate(counts)])
    index = np.concatenate([np.arange(count) for count in counts])
    bars = len(replay.feeds)
    for row in np.lexsort((which, times)):
        kind, i, ts = int(which[row]), int(index[row]), int(times[row])
        if kind < bars:
            feed = replay.feeds[kind]
            feed.history.count = i + 1
            replay.hear_coarser(ts)
            replay.deliver([feed.bar(i)])
        else:
            when, price, quantity, side = (column[i] for column in columns[kind - bars])
            symbol = ticks[kind - bars].symbol
            replay.tick(feeds[symbol], Tick(symbol, int(when), float(price), float(quantity), _SIDES[int(side)]))
