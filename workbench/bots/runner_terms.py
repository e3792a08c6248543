"""How a runner goes about it, what it needs of a broker, and when errors are too many."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from workbench.bots.brokers.talk import Broker, VenueFill, VenueOrder
from workbench.bots.killing import Kill
from workbench.bots.peers import Peers
from workbench.bots.spec import Policy
from workbench.errors import ConfigError
from workbench.risk.limits import Limits
from workbench.trading.events import Event
from workbench.trading.orders import Order

__all__ = ["Breaker", "LiveBroker", "Pace", "RunTerms"]


class LiveBroker(Broker, Protocol):
    """A broker as a runner needs it; `CcxtBroker` is one."""

    held: Callable[[str, str], float] | None

    @property
    def health(self) -> dict[str, Any]:
        """How the connections for news are."""

    def now(self) -> int:
        """Give the time, ms UTC."""

    def news(self) -> AsyncIterator[VenueOrder | VenueFill]:
        """Give what happens to orders, and executions, as they are told."""

    def remember(self, orders: Iterable[Order]) -> None:
        """Take the terms of orders of an earlier session that may be at the venue; before anything is sent."""

    async def check(self) -> Any:
        """Tell what the venue offers; `missing` names what a bot cannot do without."""

    async def prepare(self) -> None:
        """Set at the venue what the bot reckons with."""

    async def heartbeat(self, seconds: float | None = None) -> bool:
        """Tell the venue that the bot lives."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often a runner does what, and how long it waits.

    Parameters
    ----------
    flush_s : float, default 0.1
        How often what waits is brought to disk; the beat of everything that the clock makes happen. Real time.
    look_s : float, default 60
        How often the venue is asked for everything. This and all below by the bot's clock where nothing else is said.
    mark_s : float, default 5
        How often positions, stops and limits are held against the price.
    gather_s : float, default 2
        How long bars of other series that close at the same time are waited for.
    warm_up_bars : int, default 500
        How many bars before its beginning a new bot learns; what its strategy needs if that is more.
    errors : int, default 3
    window_s : float, default 60
        So many errors of the venue within this time open the circuit.
    probe_s, probe_most_s : float
        First and longest pause before the venue is tried again; doubles each time.
    heartbeat_s : float, default 5
        Between two words to a dead man's switch of the venue. Real time.
    drain_s : float, default 30
        How long what is under way is waited for at the end. Real time.
    give_up_s : float, default 30
        How long the journal's database may refuse before the bot ends. Real time.
    slow_s : float, default 2
        How long the bot may take over one thing that happens before a human is told. Real time.

    Raises
    ------
    ConfigError
        One is not above zero.
    """

    flush_s: float = 0.1
    look_s: float = 60.0
    mark_s: float = 5.0
    gather_s: float = 2.0
    warm_up_bars: int = 500
    errors: int = 3
    window_s: float = 60.0
    probe_s: float = 10.0
    probe_most_s: float = 600.0
    heartbeat_s: float = 5.0
    drain_s: float = 30.0
    give_up_s: float = 30.0
    slow_s: float = 2.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ConfigError(f"Pace({name}={value!r}): it must be above zero")


@dataclass(frozen=True, kw_only=True)
class RunTerms:
    """What a run of a bot goes by.

    Parameters
    ----------
    pace : Pace
    policy : {"adopt", "alert", "halt"}
        What is done about what others do on the bot's account with what it trades; all of it is told, each thing once.

        ========== ==================================== ========================== ===================================
        what       "adopt"                              "alert"                    "halt"
        ========== ==================================== ========================== ===================================
        orders     left alone                           left alone                 nothing new until they are gone, or
                                                                                   until `resume`
        executions taken into the books                 only told                  nothing new until `resume`
        money      taken into the books                 only told                  only told
        ========== ==================================== ========================== ===================================

        Whatever it is: while a position differs from the books nothing new is opened; and an order that by its client
        order id can only be this bot's, though its journal lacks it (it was restored from a copy) or has it as ended,
        is cancelled, unless it is all that protects a position. Executions of such orders are the bot's own; with a
        journal that is older than what the venue has nothing new is opened until `resume`. An order of somebody else
        is never cancelled; those of a lost journal cannot be told from those of other bots.
    killed : callable
        Gives what is to become of the bot by the kill files, "" for nothing; asked at every turn.
    revive : bool
        Whether a bot that was killed may go on.
    limits : mapping of scope to Limits, optional
        On risk, as they are set now.
    peers : Peers, optional
        The bots of this process: limits of an account or workspace then count what all of them have.
    opening : callable, optional
        `(core, now) -> events`: what the bot is to be told once it runs, before anything else.
    details : mapping, optional
        Kept with the session in the journal, as plain data.

    Raises
    ------
    ConfigError
        There is no such policy.
    """

    pace: Pace = field(default_factory=Pace)
    policy: Policy = "alert"
    killed: Callable[[], Kill] = lambda: ""
    revive: bool = False
    limits: Mapping[str, Limits] | None = None
    peers: Peers | None = None
    opening: Callable[[Any, int], Sequence[Event]] = lambda core, now: ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.policy not in ("adopt", "alert", "halt"):
            raise ConfigError(f"policy is {self.policy!r}; it is 'adopt', 'alert' or 'halt'")


class Breaker:
    """Counts errors of a venue and says when it is to be left alone, and when to be tried again.

    Parameters
    ----------
    pace : Pace

    Attributes
    ----------
    open : bool

    Examples
    --------
    >>> breaker = Breaker(Pace(errors=2, window_s=60, probe_s=10))
    >>> breaker.failed(0), breaker.failed(1_000), breaker.due
    (False, True, 11000)
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._errors: deque[int] = deque(maxlen=pace.errors)
        self._wait = pace.probe_s
        self.open = False
        self.due = 0

    def failed(self, now: int) -> bool:
        """Note an error (ms UTC); tell whether the circuit opens with it."""
        if self.open:
            return False
        self._errors.append(now)
        if len(self._errors) < self._pace.errors or now - self._errors[0] > self._pace.window_s * 1_000:
            return False
        self.open, self.due = True, now + round(self._wait * 1_000)
        return True

    def probed(self, now: int, *, well: bool) -> bool:
        """Note how a trial ended; tell whether the circuit is closed again."""
        if not self.open:
            return False
        if well:
            self.open, self._wait = False, self._pace.probe_s
            self._errors.clear()
            return True
        self._wait = min(self._wait * 2.0, self._pace.probe_most_s)
        self.due = now + round(self._wait * 1_000)
        return False
