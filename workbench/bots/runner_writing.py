"""How a runner writes its journal: a database that is busy gets some time, and nothing new goes out meanwhile."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Final

from workbench.bots.journal import Journal
from workbench.bots.runner_market import Market
from workbench.errors import DataError
from workbench.trading.events import Action, Event, Submit

__all__ = ["Pen"]

_AGAIN_S: Final = 0.25  # between two trials to bring to disk what waits


class Pen:
    """Writes the journal of a running bot.

    What the database does not take waits in memory, in its place in the chain. `held` tells that intents are among it:
    whoever asks the venue for them waits too.

    Parameters
    ----------
    journal : Journal
    market : Market
        Of which an entry of the log tells as an order goes out.
    give_up_s : float
        How long the database may refuse before the bot ends.
    clock : callable
        Gives ms UTC.
    tell : callable
        `(text)`: told at once when the database refuses.

    Attributes
    ----------
    held : bool
        Whether something that was to be on disk is not.
    """

    def __init__(
        self, journal: Journal, market: Market, give_up_s: float, clock: Callable[[], int], tell: Callable[[str], None]
    ) -> None:
        self._journal, self._market, self._give_up = journal, market, give_up_s
        self._clock, self._tell = clock, tell
        self._since = self._tried = 0.0
        self.held = False

    def write(self, entry: Event | Action, durable: bool) -> None:
        """Write an event or action; with `durable` it is on disk then, or `held`."""
        self._do(lambda: self._journal.write(entry, durable and not self._since))
        self.held = self.held or (durable and self._since > 0.0)
        if isinstance(entry, Submit) and not entry.order.parent:
            order = entry.order
            facts = {"order": order.id, "side": order.side, "ts": self._clock(), **self._market.snapshot(order.symbol)}
            plain = {key: None if isinstance(one, float) and math.isnan(one) else one for key, one in facts.items()}
            self.log("info", "order", f"the market as {order.id} goes out", plain)

    def log(self, level: str, category: str, text: str, fields: dict[str, Any] | None = None) -> None:
        """Write a line of the log."""
        self._do(lambda: self._journal.log(level, category, text, fields))

    @property
    def refused(self) -> bool:
        """Whether the database did not take the last that was to be on disk."""
        return self._since > 0.0

    def wait_on(self) -> None:
        """Refuse nothing any more because of the database: the bot ends, and what it still does is to be done."""
        self._give_up = math.inf

    def flush(self) -> None:
        """Bring what waits to disk, if it is time to try.

        Raises
        ------
        DataError
            The database has refused for too long.
        RunError
            Another process writes this journal.
        """
        if not self._since or time.monotonic() >= self._tried + _AGAIN_S:
            self._do(self._journal.flush)

    def _do(self, work: Callable[[], None]) -> None:
        try:
            work()
        except DataError as error:
            if "cause" not in error.fields:
                raise  # it is not the database that refuses, but what is to be written that cannot be
            self._tried = now = time.monotonic()
            if not self._since:
                self._since = now
                self._tell(str(error))
            elif now > self._since + self._give_up:
                raise
            return
        if not self._journal.waiting:
            self._since, self.held = 0.0, False
