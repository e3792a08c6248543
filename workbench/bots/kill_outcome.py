"""What came of an order to kill a bot, and killing at the venue what no process looks after any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from workbench.bots.guard_record import Record, forget_record, keep_record, note_in_journal, read_record
from workbench.bots.guard_terms import GuardTerms
from workbench.bots.guard_ward import Ward
from workbench.bots.journal import bots_folder, check_name
from workbench.bots.journal.keys import seal_key
from workbench.bots.killing import Kill
from workbench.errors import ConfigError, DataError, RunError

if TYPE_CHECKING:
    from workbench.bots.brokers.credentials import Credentials
    from workbench.bots.vault.vault import Vault
    from workbench.settings import Settings

__all__ = ["Outcome", "kill_at_venue", "kill_outcome"]

_POLL_S: Final = 0.1


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes
    ----------
    name : str
    state : {"killed", "idle", "left", "silent"}
        It has ended and nothing of it is left that should not be; no process of it was there; something is left to be
        done; it has not ended in the time given.
    text : str
        The same for a human.
    venue : str
        Where an idle one may have something; "" for nowhere.
    """

    name: str
    state: Literal["killed", "idle", "left", "silent"]
    text: str
    venue: str = ""


def kill_outcome(settings: Settings, name: str, seconds: float, *, running: bool | None = None) -> Outcome:
    """Wait for a bot that was ordered to end, and say what came of it.

    Parameters
    ----------
    settings : Settings
    name : str
        Of the bot.
    seconds : float
        How long it is waited for.
    running : bool, optional
        Whether it ran when the order was given; it is looked at now when left out.
    """
    folder = bots_folder(settings)
    ward = Ward.read(folder, name)
    if ward is None:
        return Outcome(name, "idle", f"{name} does not run with a guard; `workbench bots logs {name}` says what it did")
    if not (_runs(ward) if running is None else running):
        return Outcome(name, "idle", _idle(ward), ward.venue)
    end = time.monotonic() + seconds
    while _runs(ward):
        if time.monotonic() > end:
            return Outcome(name, "silent", f"{name} has not ended within {seconds:g} s; its guard goes on with it")
        time.sleep(_POLL_S)
        ward = Ward.read(folder, name) or ward
    ward = Ward.read(folder, name) or ward  # what was written last
    with suppress(ConfigError):
        record = read_record(folder, name, seal_key(folder, make=False))
        if record is not None and record.at >= ward.born * 1_000:  # else it is of an earlier life
            return Outcome(name, "killed" if record.verified else "left", f"{name} was killed; {record.summary}")
    return _ended(ward)


def _runs(ward: Ward) -> bool:
    return ward.guarded or (ward.runs and not ward.ended)


def _idle(ward: Ward) -> str:
    if not ward.venue:
        return f"{ward.bot} does not run, and trades on paper"
    return (
        f"{ward.bot} does not run. Nobody has looked at {ward.venue}: orders and positions of it may stand there; "
        f"`workbench bots kill {ward.bot} --at-venue` sees to them"
    )


def _ended(ward: Ward) -> Outcome:
    state, reason = ward.ended.get("state", ""), ward.ended.get("reason", "")
    if state == "KILLED":
        clean = (bool(ward.ended.get("clean")) and not ward.ended.get("stays")) or not ward.venue
        seen = f", and {ward.venue} shows that it is so" if ward.venue and clean else ""
        return Outcome(ward.bot, "killed" if clean else "left", f"{ward.bot} was killed ({reason}){seen}")
    if not state:
        return Outcome(ward.bot, "left", f"{ward.bot} has ended, and its guard has not said how; {_idle(ward)}")
    return Outcome(ward.bot, "left", f"{ward.bot} is {state} ({reason}), and was not killed; {_idle(ward)}")


def kill_at_venue(
    settings: Settings, name: str, vault: Vault, how: Kill = "cancel", *, terms: GuardTerms | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Record:  # fmt: skip
    """Wind down at its venue a bot that does not run, from what its journal knows.

    Parameters
    ----------
    settings : Settings
    name : str
        Of the bot.
    vault : Vault
        Open; has the key that the bot traded with.
    how : {"cancel", "flatten"}
    terms : GuardTerms, optional
    tell : callable, optional
        Told what goes wrong meanwhile.

    Returns
    -------
    Record
        What was done.

    Raises
    ------
    ConfigError
        It is not known where it trades, it trades on paper, or the vault does not have its key.
    RunError
        It runs: its guard kills it.
    DataError
        The journal cannot be used.
    """
    from workbench.bots.brokers.credentials import Credentials

    ward = Ward.read(bots_folder(settings), check_name(name))
    if ward is None or not ward.venue:
        raise ConfigError(
            f"bot {name!r} has not traded at a venue with a guard: there is nothing to kill there", name=name
        )
    if _runs(ward):
        raise RunError(f"bot {name!r} runs: `workbench bots kill {name}` ends it", name=name)
    return _kill_there(ward, Credentials.of(vault[ward.vault_name]), how or "cancel", terms or GuardTerms(), tell)


def _kill_there(
    ward: Ward, credentials: Credentials, how: str, terms: GuardTerms, tell: Callable[[str], None]
) -> Record:
    import asyncio

    from workbench.bots.guard_winding import wind_down_as

    folder = Path(ward.folder)
    key = seal_key(folder)
    with ward.journal(key, hide=credentials.hide) as journal:  # held all the while, so that the bot cannot be started
        before = read_record(folder, ward.bot, key)
        record = Record(ward.bot, how, "killed at its venue while it did not run", time.time_ns() // 1_000_000)
        record.go_on_from(before)

        def keep() -> None:
            try:
                keep_record(folder, record, key)
            except DataError as error:  # what has been begun at the venue is brought to its end all the same
                tell(str(error))

        keep_record(folder, record, key)
        asyncio.run(wind_down_as(ward, credentials, terms, None, record, keep=keep, tell=tell))
        try:
            note_in_journal(journal, record)
        except DataError as error:
            tell(f"{error}; what was done stays in {ward.bot}.killed.json until the bot's next start")
    if record.journalled and record.verified and not record.fills:
        forget_record(folder, ward.bot)
    else:
        keep()
    return record
