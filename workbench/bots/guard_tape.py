"""`guarded_tape`: a guard for a bot on a replayed tape, whose strategy may hang in the step in hand.

Nothing of it is at a venue, so that its guard only ends the process. Between which two entries the journal broke off is
chance, and the tape is told again from the beginning: the bot is killed at the next start, at the end of what the
journal has, and goes on from there if it is revived.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.bots.guard_record import forget_record, note_in_journal, read_record
from workbench.bots.guard_terms import GuardTerms
from workbench.bots.guarding import Guarding, ward_of
from workbench.bots.journal.keys import seal_key
from workbench.errors import RunError

if TYPE_CHECKING:
    from workbench.bots.replaying import ReplayBot
    from workbench.settings import Settings

__all__ = ["guarded_tape"]


@contextmanager
def guarded_tape(
    bot: ReplayBot, settings: Settings, *, revive: bool = False, terms: GuardTerms | None = None
) -> Iterator[Guarding]:
    """Guard a bot on a tape while the block lasts; whoever drives the bot calls `beat` between its steps.

    The first Ctrl-C stops the bot after the step in hand, the second kills it, also where that step never ends.

    Parameters
    ----------
    bot : ReplayBot
    settings : Settings
    revive : bool
        Whether a bot that its guard has killed may go on.
    terms : GuardTerms, optional

    Raises
    ------
    RunError
        The last guard has killed it, and it is not to be revived.
    DataError
        What that guard wrote down cannot be used, or the disk refuses.
    """
    name = bot.spec.name
    ward = ward_of(name, settings, tape=True)
    folder = Path(ward.folder)
    key = seal_key(folder)
    record = read_record(folder, name, key)
    if record is not None:
        if not record.journalled:
            note_in_journal(bot.journal, record, moves=False)
        if not revive:
            raise RunError(
                f"bot {name!r} was killed ({record.reason}); look at `workbench bots logs {name}`, then run it with "
                "--revive to let it go on",
                name=name,
            )
        bot.killed_before = record.reason, "flatten" if record.how == "flatten" else "cancel"
        bot.begun = lambda: forget_record(folder, name)
    guarding = Guarding(ward, terms or GuardTerms())
    bot.went_on = lambda: None if bot.asked_to_end else guarding.beat()  # who is to end must not be waited for
    guarding.listen(bot.stop, lambda: bot.kill("cancel", "killed by Ctrl-C"))
    try:
        guarding.start()
        yield guarding
    finally:
        guarding.ignore()
        bot.went_on = lambda: None
        ended: dict[str, Any] = {"state": bot.state, "reason": bot.reason, "clean": True}
        guarding.end(ended)
        guarding.wait(guarding.terms.grace_s)
