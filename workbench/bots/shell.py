"""The shell round one mind and one clerk: an event is written down before it is handled, an intent before it goes.

It does no I/O of its own: requests come out by `requests`, answers and news go in, and the journal is a function that
it calls. The runner drives it with a real clock, a real broker and a real journal; tests drive the very same shell
through seeded faults on a virtual clock.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from workbench.bots.brokers.talk import Request, Snapshot, VenueFill, VenueOrder
from workbench.bots.clerk import Clerk, Said
from workbench.bots.mind import Mind
from workbench.bots.recalling import Recalled
from workbench.errors import BrokerError, DataError
from workbench.trading.events import (
    Action,
    Alert,
    AmendOrder,
    CancelOrder,
    Event,
    SetTimer,
    Submit,
    Timer,
    to_plain,
)
from workbench.trading.orders import Order

__all__ = ["FINISHED", "Shell"]

FINISHED: Final = 32
"""How many orders that are final are remembered at least; so a strategy that cancels one is told what it is."""

_ACTIONS: Final = (Submit, CancelOrder, AmendOrder, SetTimer, Alert)
_INTENTS: Final = (Submit, CancelOrder, AmendOrder)
Write = Callable[[Event | Action, bool], None]


class Shell:
    """The shell of one bot.

    Parameters
    ----------
    mind : Mind
    clerk : Clerk
    write : callable
        `(entry, durable)`: writes an event or action into the journal; with `durable` it is on disk when it returns.
    alert : callable, optional
        Told every alert.

    Attributes
    ----------
    requests : deque of Request
        What is to be asked of the venue, in order.
    now : int
        Time of the last thing that happened, ms UTC.
    """

    def __init__(
        self, mind: Mind, clerk: Clerk, write: Write, alert: Callable[[Alert], None] = lambda alert: None
    ) -> None:
        self.mind, self.clerk, self.write, self.alert = mind, clerk, write, alert
        self.requests: deque[Request] = deque()
        self.recalled = Recalled(clerk.markets, clerk.patience)
        self.timers: list[tuple[int, int, str]] = []
        self.now = 0
        self._set = 0

    def take(self, event: Event, now: int) -> None:
        """Take an event in: write it down, let the mind handle it, and carry out what it wants."""
        self.now = max(self.now, now)
        self.write(event, False)
        self.recalled.note(event)
        for action in self._handle(event):
            self._carry(action)

    def _handle(self, event: Event) -> Iterable[Action]:
        actions = self.mind.handle(event)
        done = self.mind.core.finished
        if len(done) > 2 * FINISHED:
            del done[:-FINISHED]
        return actions

    def _carry(self, action: Action) -> None:
        intent = isinstance(action, _INTENTS)
        self.write(action, intent)
        self.recalled.note(action)
        if intent:
            self._heed(self.clerk.intend(action, self.now))
        elif isinstance(action, SetTimer):
            self._set += 1
            heapq.heappush(self.timers, (action.ts, self._set, action.name))
        elif isinstance(action, Alert):
            self.alert(action)

    def _heed(self, said: Said) -> None:
        self.requests.extend(said.requests)
        for alert in said.alerts:
            self.tell(alert)
        for event in said.events:
            self.take(event, self.now)

    def tell(self, alert: Alert) -> None:
        """Tell a human something that the mind did not ask for."""
        self.write(alert, False)
        self.alert(alert)

    def answered(self, request: Request, answer: VenueOrder | Snapshot | BrokerError | None, now: int) -> None:
        """Take the answer to a request: what the broker gave, or what it raised."""
        self.now = max(self.now, now)
        self._heed(self.clerk.answered(request, answer, self.now))

    def heard(self, news: VenueOrder | VenueFill, now: int) -> None:
        """Take news of an order or an execution."""
        self.now = max(self.now, now)
        self._heed(self.clerk.heard(news, self.now))

    def adopt(self, now: int, trades: Collection[str] | None = None) -> int:
        """Take executions that others made into the books, or only some by their ids, and give how many there were."""
        self.now = max(self.now, now)
        found = [one for one in self.clerk.outside if trades is None or one.trade_id in trades]
        for event in self.clerk.adopt(found):
            self.take(event, self.now)
        return len(found)

    def due(self) -> float:
        """Give when something is to be done by the clock, ms UTC; infinity for never."""
        return min(self.clerk.due(), self.timers[0][0] if self.timers else math.inf)

    def wake(self, now: int) -> None:
        """Do what is due by the clock."""
        self.now = max(self.now, now)
        while self.timers and self.timers[0][0] <= now:
            ts, _, name = heapq.heappop(self.timers)
            self.take(Timer(ts, name), now)
        self._heed(self.clerk.wake(self.now))

    def snapshot(self) -> dict[str, Any]:
        """Give all that a replay of the journal would give, as plain data; between two events only.

        Bars are not in it: they are in the journal, and what they must be is.
        """
        self.recalled.let_go(self.mind.core.now, self.clerk.seen)
        done = [one.to_dict() for one in self.mind.core.finished]
        return {"mind": self.mind.snapshot(), "finished": done, "recalled": self.recalled.snapshot()}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Become what `snapshot` gave, but for the bars; `recover` then goes on from there."""
        self.mind.restore(data["mind"])
        self.mind.core.finished[:] = [Order(**one) for one in data["finished"]]
        self.recalled.restore(data["recalled"])

    def recover(self, entries: Iterable[Event | Action], now: int) -> int:
        """Become again what a journal says this was, then do what was wanted and not yet written down.

        Parameters
        ----------
        entries : iterable
            All that was written, in order; or what came after what `restore` took up.
        now : int
            ms UTC.

        Returns
        -------
        int
            How many actions were wanted and not written down.

        Raises
        ------
        DataError
            The journal has an action that its events do not lead to: it is not the journal of this bot and this code.
        """
        open_ = _Wanted()
        for entry in entries:
            if isinstance(entry, _ACTIONS):
                if not isinstance(entry, Alert) or open_.has(entry):
                    open_.settle(entry)
            else:
                open_.add(self._handle(entry))
            self.recalled.note(entry)
        self.clerk.restore(self.recalled.snapshot())
        for name, ts in self.recalled.timers.items():
            self._set += 1
            heapq.heappush(self.timers, (ts, self._set, name))
        self.now = now
        left = open_.left()
        self._heed(self.clerk.woke_up(now))
        for action in left:
            self._carry(action)
        return len(left)


class _Wanted:
    """Actions that a replayed mind wants and the journal has not shown yet."""

    def __init__(self) -> None:
        self._actions: list[tuple[Any, Action]] = []

    def add(self, actions: Iterable[Action]) -> None:
        for action in actions:
            self._actions.append((_said(action), action))

    def has(self, action: Action) -> bool:
        said = _said(action)
        return any(one == said for one, _ in self._actions)

    def settle(self, action: Action) -> None:
        said = _said(action)
        for place, (one, _) in enumerate(self._actions):
            if one == said:
                del self._actions[place]
                return
        raise DataError(
            f"the journal says that {said[:2]!r} was intended, but the events before it do not lead to that: the "
            "journal is of another bot, or strategy, settings or workbench have changed since"
        )

    def left(self) -> list[Action]:
        return [action for _, action in self._actions]


def _said(action: Action) -> Any:
    """Give an action as plain data in which NaN equals itself."""
    return repr(to_plain(action))
