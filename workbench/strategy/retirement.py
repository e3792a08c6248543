"""Strategies that are retired: hidden from lists and refused to new runs, with a line for who did it, when and why.

What was retired, and taken back, stands in `.retired.toml` beside the files, an entry for each decision; the last one
of a file holds. Nothing is ever taken out of it, so the file is its own audit.
"""

from __future__ import annotations

import datetime as dt
import getpass
import json
import os
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from workbench._durable import explained, sync_folder, write_new
from workbench.errors import StrategyError

__all__ = ["NOTES", "Decision", "decisions_in", "require_active", "retire", "retired_in", "unretire"]

NOTES: Final = ".retired.toml"
_HEAD: Final = "# Written by `workbench strategies retire` and `unretire`. The last decision of a file holds.\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """One decision over a strategy file.

    Parameters
    ----------
    file : str
        Its name in the folder.
    action : {"retire", "unretire"}
    at : str
        When, in UTC (ISO 8601).
    by : str
        Who, as the system calls them.
    code_hash : str
        Of the file as it was then; empty where it could not be read.
    reason : str
    """

    file: str
    action: Literal["retire", "unretire"]
    at: str
    by: str
    code_hash: str = ""
    reason: str = ""


def decisions_in(folder: Path) -> list[Decision]:
    """Give every decision over the files of a folder, oldest first.

    Raises
    ------
    StrategyError
        The notes are not what `retire` writes.
    """
    path = folder / NOTES
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise StrategyError(f"{path}: cannot be read: {error}; mend it, or delete it to retire nothing") from error
    try:
        return [_decision(entry) for entry in document.get("decision", [])]
    except (TypeError, AttributeError) as error:
        raise StrategyError(f"{path}: is not what `workbench strategies retire` writes: {error}; mend it") from error


def _decision(entry: dict[str, Any]) -> Decision:
    made = Decision(**entry)
    if made.action not in ("retire", "unretire") or not all(isinstance(value, str) for value in asdict(made).values()):
        raise TypeError(f"{entry!r} is no decision")
    return made


def retired_in(folder: Path) -> dict[str, Decision]:
    """Give the files of a folder that are retired now, with the decision that holds."""
    last = {made.file: made for made in decisions_in(folder)}
    return {file: made for file, made in last.items() if made.action == "retire"}


def require_active(path: Path) -> None:
    """Refuse a strategy file that is retired.

    Raises
    ------
    StrategyError
        It is; the message says since when, by whom, why, and how to have that version all the same.
    """
    made = retired_in(path.parent).get(path.name)
    if made is None:
        return
    version = f"{path.name}@{made.code_hash[:8]}" if made.code_hash else f"{path.name}@HASH"
    why = f": {made.reason}" if made.reason else ""
    raise StrategyError(
        f"{path.name} was retired on {made.at[:10]} by {made.by}{why}. To run that version all the same name it with "
        f"its hash, {version!r}; to take it back, `workbench strategies unretire {path.name}`",
        name=path.name,
    )


def retire(path: Path, *, code_hash: str = "", reason: str = "") -> Decision:
    """Retire a strategy file; the file stays where it is.

    Raises
    ------
    StrategyError
        It is retired already.
    """
    if (held := retired_in(path.parent).get(path.name)) is not None:
        raise StrategyError(f"{path.name} is retired already, since {held.at[:10]} by {held.by}", name=path.name)
    return _note(path, "retire", code_hash, reason)


def unretire(path: Path, *, code_hash: str = "", reason: str = "") -> Decision:
    """Take a retired file back.

    Raises
    ------
    StrategyError
        It is not retired.
    """
    if path.name not in (held := retired_in(path.parent)):
        known = f"retired are {', '.join(sorted(held))}" if held else "no file is"
        raise StrategyError(f"{path.name} is not retired; {known}", name=path.name)
    return _note(path, "unretire", code_hash, reason)


def _note(path: Path, action: Literal["retire", "unretire"], code_hash: str, reason: str) -> Decision:
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    made = Decision(file=path.name, action=action, at=now, by=_user(), code_hash=code_hash, reason=reason)
    _write(path.parent, [*decisions_in(path.parent), made])
    return made


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def _write(folder: Path, decisions: Sequence[Decision]) -> None:
    blocks = [
        "\n".join(["[[decision]]", *(f"{name} = {_quoted(value)}" for name, value in asdict(made).items())])
        for made in decisions
    ]
    temporary = folder / f".retired-{os.urandom(8).hex()}.tmp"
    with explained(folder / NOTES):
        try:
            write_new(temporary, (_HEAD + "\n" + "\n\n".join(blocks) + "\n").encode())
            os.replace(temporary, folder / NOTES)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(folder)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
