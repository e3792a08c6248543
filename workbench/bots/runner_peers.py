"""A runner among the bots of its process that share limits with it."""

from __future__ import annotations

from collections.abc import Callable

from workbench.bots.peers import Peers
from workbench.trading.core import Core
from workbench.trading.events import Peer

__all__ = ["Membership"]


class Membership:
    """The part that one bot takes in `Peers`.

    Parameters
    ----------
    peers : Peers or None
        None for a bot on its own.
    core : Core
    take : callable
        Lets the bot handle an event at once: between two turns of its consumer there is always time for it.
    woken : callable
        `(error)`: told after each event, with what the bot made of it failed by, or None.
    """

    def __init__(
        self, peers: Peers | None, core: Core, take: Callable[[Peer], None], woken: Callable[[Exception | None], None]
    ) -> None:
        self._peers, self._core, self._take, self._woken = peers, core, take, woken
        self._name = ""

    def join(self) -> None:
        """Let the others know of this bot, and it of them; where it has limits at all."""
        core = self._core
        if self._peers is not None and core.risk is not None:
            self._peers.join(core, self._hear)
            self._name = core.risk.bot or core.name

    def _hear(self, event: Peer) -> None:
        failed: Exception | None = None
        try:
            self._take(event)
        except Exception as error:  # it is this bot that fails, not the one that has moved
            failed = error
        self._woken(failed)

    def leave(self) -> None:
        """Take no part any more."""
        if self._peers is not None and self._name:
            self._peers.leave(self._name)
        self._name = ""
