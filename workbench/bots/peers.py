"""Bots that share an account or a workspace: each is told at once where the others stand, so that limits count all.

What they are told are events (`events.Peer`), so a journal has them, and a replay decides as it did.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from workbench.errors import ConfigError
from workbench.trading.core import Core
from workbench.trading.events import Peer
from workbench.trading.risk_engine import RiskEngine

__all__ = ["Peers"]


class Peers:
    """The bots of one process.

    A bot is told of the others before their orders go out: between two events of one process there is no moment in
    which two bots could each use what is left of a limit.

    Examples
    --------
    >>> peers = Peers()
    >>> peers.members
    ()
    """

    def __init__(self) -> None:
        self._members: dict[str, tuple[RiskEngine, Callable[[Peer], Any]]] = {}
        self._told: dict[str, Peer] = {}
        self._waiting: deque[RiskEngine] = deque()
        self._busy = False

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the bots."""
        return tuple(self._members)

    def join(self, core: Core, deliver: Callable[[Peer], Any]) -> None:
        """Let a bot take part.

        Parameters
        ----------
        core : Core
            With limits on risk.
        deliver : callable
            Hands an event to the bot's shell, which carries out what the core makes of it.

        Raises
        ------
        ConfigError
            It has no limits, or there is one of that name.
        """
        engine = core.risk
        if engine is None:
            raise ConfigError(f"the bot {core.name!r} has no limits on risk: give it some before it joins others")
        name = engine.bot or core.name
        if name in self._members:
            raise ConfigError(f"there is a bot {name!r} already: names must differ", name=name)
        for known in self._told.values():
            deliver(known)
        self._members[name] = (engine, deliver)
        engine.tell = self._tell
        self._tell(engine)

    def leave(self, name: str) -> None:
        """Let a bot go: what it has lost stays lost for the others, its money counts as taken out.

        What it holds, or may come to hold by its orders, is still there though nobody minds it: as long as there is
        any it counts as it was last known, its money too, until the bot joins again.
        """
        engine, _ = self._members.pop(name)
        engine.tell = None
        left = self._told.get(name)
        if left is not None and left.rows:
            return
        self._told.pop(name, None)
        for _, deliver in self._members.values():
            deliver(Peer(engine.now, name, engine.account, 0.0, 0.0))

    def _tell(self, engine: RiskEngine) -> None:
        """Tell all others where a bot stands; what that makes them do is told in turn."""
        self._waiting.append(engine)
        if self._busy:
            return
        self._busy = True
        try:
            while self._waiting:
                self._spread(self._waiting.popleft())
        finally:
            self._busy = False

    def _spread(self, engine: RiskEngine) -> None:
        now = engine.standing()
        known = self._told.get(now.bot)
        if known is not None and known[1:] == now[1:]:
            return
        self._told[now.bot] = now
        for name, (_, deliver) in list(self._members.items()):
            if name != now.bot:
                deliver(now)
