"""`shell_for`: the shell of a bot that trades at a venue, made of its plan and its journal."""

from __future__ import annotations

from workbench.backtest.plan import Plan
from workbench.bots.clerk import Clerk, Patience
from workbench.bots.journal import Journal
from workbench.bots.mind import Mind
from workbench.bots.shell import Shell
from workbench.trading.minding import Minder

__all__ = ["shell_for"]


def shell_for(plan: Plan, name: str, journal: Journal, *, patience: Patience | None = None, account: str = "") -> Shell:
    """Make the shell of a bot that trades at a venue.

    Its orders' ids are made of the journal too, so that a bot that is made anew under an old name never gives an id
    that the venue has seen.

    Parameters
    ----------
    plan : Plan
        What is traded and how; of its bars only instruments and lengths are looked at.
    name : str
    journal : Journal
        Its own, open for writing.
    patience : Patience, optional
    account : str, optional
        The account that it trades with, by which limits of an account know who shares it.

    Returns
    -------
    Shell
    """
    mind = Mind(plan, name=name, account=account)
    mind.core.name = f"{name} {journal.nonce}"
    mind.core.minder = Minder(mind.core)
    mind.core.state = "IDLE"
    return Shell(mind, Clerk(mind.core.markets, patience), journal.write)
