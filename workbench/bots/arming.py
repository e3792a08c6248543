"""Arming a bot that trades for money: who may, what is typed, and what its core is told then.

A live bot that nobody has armed runs and watches, and protects and closes what it holds, but opens nothing. It stays
armed over stops and restarts; a kill disarms it, and so does a loss that is too great. A bot whose strategy, settings
or code are others is another bot, which begins unarmed.
"""

from __future__ import annotations

import getpass
import math
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from workbench.errors import ConfigError
from workbench.trading.arming import DISARMED, Arming
from workbench.trading.events import Alert, Armed, Disarmed, Event

if TYPE_CHECKING:
    from workbench.bots.journal import JournalReader
    from workbench.settings import LiveSettings

__all__ = ["check_typed", "opening_words", "was_armed", "whoever"]


def check_typed(name: str, typed: Sequence[str]) -> bool:
    """Tell whether a bot is to be armed by what was typed: its name twice; nothing is no.

    Raises
    ------
    ConfigError
        Something else was typed.
    """
    if not typed:
        return False
    wrong = [one for one in typed if one != name]
    if wrong or len(typed) != 2:
        told = (
            f"{wrong[0]!r} is not its name" if wrong else "once is too little" if len(typed) < 2 else "not more often"
        )
        raise ConfigError(f"a bot is armed by its name, {name!r}, given twice: {told}; it was not armed", name=name)
    return True


def was_armed(journal: JournalReader) -> bool:
    """Tell whether a bot was left armed, by its journal."""
    armed = False
    for entry in journal.entries(journal.head.base, kinds={"Armed", "Disarmed", "Moved", "Alert"}):
        record = entry.record
        if isinstance(record, Armed):
            armed = True
        elif isinstance(record, Alert):
            armed = armed and not record.text.startswith(DISARMED)
        elif isinstance(record, Disarmed) or record.state == "KILLED":
            armed = False
    return armed


def whoever() -> str:
    """Name the person at this machine: user and host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, such as in a container
        user = "somebody"
    return f"{user}@{socket.gethostname()}"


def opening_words(live: LiveSettings, *, arm: bool, who: str = "") -> Callable[[Any, int], Sequence[Event]]:
    """Give what tells the core of a live bot whether it is armed, for `RunTerms.opening`.

    Parameters
    ----------
    live : LiveSettings
    arm : bool
        Whether somebody has armed it now.
    who : str
    """

    def words(core: Any, now: int) -> Sequence[Event]:
        arming: Arming | None = core.arming
        if arm:
            loss = live.max_loss * core.account.equity if live.max_loss > 0.0 else math.inf
            return [Armed(now, who, live.first_orders, live.first_value, loss, live.beyond)]
        return [] if arming is not None else [Disarmed(now, "nobody has armed it")]

    return words
