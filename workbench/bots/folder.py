"""The folder of bots in a workspace, `data/bots`: journals, the key of their seals, and the vault; never committed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from workbench._durable import explained, make_folder

__all__ = ["make_bots_folder"]

_IGNORE: Final = "# Journals of bots, the key of their seals and the vault are not for version control.\n*\n"


def make_bots_folder(folder: Path) -> None:
    """Make a folder where bots keep things, out of the sight of git where it is called `bots`.

    Raises
    ------
    DataError
        It cannot be made.
    """
    with explained(folder):
        make_folder(folder)
        ignore = folder / ".gitignore"
        if folder.name == "bots" and not ignore.exists():
            ignore.write_text(_IGNORE, encoding="utf-8")
