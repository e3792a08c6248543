"""The files by which bots are killed.

A kill file works when nothing else does: it is looked for at every step. `data/KILL` is for all bots,
`data/bots/NAME.kill` for one; "flatten" in it asks for positions to be closed too.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from workbench.bots.journal import bots_folder, journal_names
from workbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from workbench.settings import Settings

__all__ = ["Kill", "calm", "check_name", "kill", "kill_order"]

Kill = Literal["", "cancel", "flatten"]
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def check_name(name: str) -> str:
    """Give the name of a bot back.

    Raises
    ------
    ConfigError
        It cannot be one.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} cannot name a bot: use letters, digits, '_', '-' and '.', at most 64 of them")
    return name


def _files(settings: Settings, name: str) -> tuple[Path, Path]:
    return settings.data / "KILL", bots_folder(settings) / f"{check_name(name)}.kill"


def kill_order(settings: Settings, name: str) -> Kill:
    """Give what is to become of a bot by the kill files: "" for nothing."""
    found: Kill = ""
    for file in _files(settings, name):
        try:
            found = "flatten" if "flatten" in file.read_text(encoding="utf-8", errors="replace") else found or "cancel"
        except FileNotFoundError:
            continue
        except OSError:
            found = found or "cancel"  # it is there and cannot be read
    return found


def kill(settings: Settings, name: str | None, *, flatten: bool = False) -> Path:
    """Write the kill file of a bot, or of all (None), and give its path.

    Raises
    ------
    ConfigError
        There is no such bot.
    DataError
        The file cannot be written.
    """
    if name is not None and name not in journal_names(settings):
        raise ConfigError(
            f"there is no bot {name!r} in {settings.root}; there are {', '.join(journal_names(settings)) or 'none'}",
            name=name,
        )
    file = settings.data / "KILL" if name is None else _files(settings, name)[1]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("flatten\n" if flatten else "cancel\n", encoding="utf-8")
    except OSError as error:
        told = f"{file} cannot be written: {error.strerror}; make it by hand: its being there is enough"
        raise DataError(told) from error
    return file


def calm(settings: Settings, name: str | None) -> bool:
    """Take the kill file of a bot, or of all (None), away; give whether there was one."""
    file = settings.data / "KILL" if name is None else _files(settings, name)[1]
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise DataError(f"{file} cannot be removed: {error.strerror}") from error
    return True
