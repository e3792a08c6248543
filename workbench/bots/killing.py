"""The files by which bots are killed.

A kill file works when nothing else does: it is looked for at every step. `data/KILL` is for all bots,
`data/bots/NAME.kill` for one; "flatten" in it asks for positions to be closed too.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from workbench._durable import replace_files
from workbench.bots.journal import bots_folder, check_name, journal_names
from workbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from workbench.settings import Settings

__all__ = ["TOO_SMALL", "Kill", "calm", "check_allowed", "kill", "kill_files", "kill_order", "order_in", "too_small"]

TOO_SMALL: Final = "is below what the venue takes and stays"
Kill = Literal["", "cancel", "flatten"]


def kill_files(settings: Settings, name: str) -> tuple[Path, Path]:
    """Give the kill files that a bot looks for: that of all bots, and its own."""
    return settings.data / "KILL", bots_folder(settings) / f"{check_name(name)}.kill"


def kill_order(settings: Settings, name: str) -> Kill:
    """Give what is to become of a bot by the kill files: "" for nothing."""
    return order_in(kill_files(settings, name))


def check_allowed(settings: Settings, name: str) -> None:
    """Make sure that no kill file forbids a bot to run; ConfigError, with the command that helps, where one does."""
    if kill_order(settings, name):
        command = "calm --all" if kill_files(settings, name)[0].exists() else f"calm {name}"
        raise ConfigError(f"a kill file forbids {name!r} to run; `workbench bots {command}` takes it away", name=name)


def order_in(files: Iterable[Path]) -> Kill:
    """Give what kill files say; the strictest where there are several."""
    found: Kill = ""
    for file in files:
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
    file = settings.data / "KILL" if name is None else kill_files(settings, name)[1]
    # whole or not at all: a bot that finds it half written would cancel where it was to flatten
    replace_files(file.parent, {file.name: b"flatten\n" if flatten else b"cancel\n"})
    return file


def too_small(symbol: str, quantity: float, price: float) -> str:
    """Say of what is left of a position that the venue takes no order that small."""
    base, _, quote = symbol.partition(":")[0].partition("/")
    worth = f" ({abs(quantity) * price:,.2f} {quote})" if price == price else ""
    return f"{abs(quantity):.10g} {base}{worth} {TOO_SMALL}"


def calm(settings: Settings, name: str | None) -> tuple[str, ...]:
    """Take the kill file of a bot away, or every one (None); give the names of the files that were there."""
    if name is None:
        files = [settings.data / "KILL", *sorted(bots_folder(settings).glob("*.kill"))]
    else:
        files = [kill_files(settings, name)[1]]
    gone = []
    for file in files:
        try:
            file.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise DataError(f"{file} cannot be removed: {error.strerror}") from error
        gone.append(file.name)
    return tuple(gone)
