"""A bot that is run again where it failed through no fault of its own: a venue, a feed or a network that was away.

Each time it is made anew of its journal, after a pause that grows. What a person must look at (a strategy that raises,
a key that is refused, a kill, a journal that is not as it was) is never tried again; nor is anything once there were
too many restarts within a time.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import Any, Final

from workbench.bots.killing import Kill
from workbench.bots.runner import Runner
from workbench.errors import BrokerTransient, BrokerUnknown, ConfigError, DataError, RunError
from workbench.trading.events import Alert

__all__ = ["RestartTerms", "Restarting", "is_passing"]

_AWAY: Final = (BrokerTransient, BrokerUnknown, OSError, TimeoutError)


@dataclass(frozen=True, kw_only=True)
class RestartTerms:
    """How often a bot that failed is run again.

    Parameters
    ----------
    most : int, default 5
        How often within `window_s`; 0 for never.
    window_s : float, default 3600
    backoff_s, backoff_most_s : float
        The pause before the first restart, and the longest; it doubles with each within the window. Real time.

    Raises
    ------
    ConfigError
        One is below zero, or a time is zero.
    """

    most: int = 5
    window_s: float = 3_600.0
    backoff_s: float = 5.0
    backoff_most_s: float = 300.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value >= 0 or (name != "most" and not value > 0):
                raise ConfigError(f"RestartTerms({name}={value!r}): give a number above zero", field=name)


def is_passing(runner: Runner) -> bool:
    """Tell whether a bot has failed by something that may be better next time."""
    if runner.failure is None or runner.state != "FAILED":
        return False
    where, error = runner.failure
    if isinstance(error, DataError):  # of the market; a journal says what its database suffers from
        return where in ("feed", "start") and "cause" not in error.fields
    return isinstance(error, _AWAY) or (where == "feed" and isinstance(error, RunError))


class Restarting:
    """Runs a bot, and runs it again where that may help.

    Parameters
    ----------
    session : callable
        Gives an asynchronous context that opens what a session needs (journal, broker) and gives its `Runner`.
    terms : RestartTerms, optional
    alert : callable, optional
        Told every restart, and when there are no more.

    Attributes
    ----------
    runner : Runner or None
        Of the session in hand.
    restarts : int
        How many there were.
    """

    def __init__(
        self,
        session: Callable[[], AbstractAsyncContextManager[Runner]],
        terms: RestartTerms | None = None,
        *,
        alert: Callable[[Alert], Any] = lambda alert: None,
    ) -> None:
        self._session, self.terms, self._alert = session, terms or RestartTerms(), alert
        self.runner: Runner | None = None
        self.restarts = 0
        self._times: deque[float] = deque()
        self._told = ""
        self._enough = asyncio.Event()

    async def run(self) -> str:
        """Run the bot until it ends for good, and give the reason.

        Raises
        ------
        WorkbenchError
            As `Runner.run` and the session raise; a venue that cannot be reached as often as the terms say.
        """
        while True:
            try:
                async with self._session() as runner:
                    reason, wait = await self._run(runner)
            except (BrokerTransient, BrokerUnknown) as error:  # as the session was opened
                reason, wait = f"{type(error).__name__}: {error}", self._pause(str(error))
                if wait is None:
                    raise
            if wait is None:
                return reason
            with suppress(TimeoutError):
                await asyncio.wait_for(self._enough.wait(), wait)
            if self._enough.is_set():
                return reason

    async def _run(self, runner: Runner) -> tuple[str, float | None]:
        self.runner = runner
        if self._told:
            fields = {"restart": self.restarts, "within_s": self.terms.window_s, "most": self.terms.most}
            runner.log("warning", self._told, fields)
        reason = await runner.run()
        if not is_passing(runner) or self._enough.is_set():
            return reason, None
        wait = self._pause(reason)
        if wait is None:
            runner.log("critical", self._told, {"restarts": self.restarts})
        return reason, wait

    def _pause(self, reason: str) -> float | None:
        """Give how long to wait before the next restart, in s; None where there were too many."""
        terms, now, times = self.terms, time.monotonic(), self._times
        while times and times[0] <= now - terms.window_s:
            times.popleft()
        if len(times) >= terms.most:
            self._told = (
                f"not started again after {len(times)} restarts within {terms.window_s:g} s; the last: {reason}"
            )
            self._tell("critical")
            return None
        times.append(now)
        self.restarts += 1
        self._told = f"restart {len(times)} of at most {terms.most} within {terms.window_s:g} s, after: {reason}"
        self._tell("warning")
        return float(min(terms.backoff_s * 2.0 ** (len(times) - 1), terms.backoff_most_s))

    def _tell(self, level: str) -> None:
        self._alert(Alert(time.time_ns() // 1_000_000, level, self._told))

    def stop(self, reason: str = "stopped by its user") -> None:
        """End the bot, as `Runner.stop`; in a pause between two sessions at once."""
        self._enough.set()
        if self.runner is not None:
            self.runner.stop(reason)

    def kill(self, how: Kill = "cancel", reason: str = "killed") -> None:
        """End the bot at once, as `Runner.kill`."""
        self._enough.set()
        if self.runner is not None:
            self.runner.kill(how, reason)
