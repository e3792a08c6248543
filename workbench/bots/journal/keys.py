"""The key of a journal's seals: made at first use, in a file that only its owner may read."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from workbench._durable import explained, sync_folder, write_new
from workbench.bots.folder import make_bots_folder
from workbench.errors import ConfigError

__all__ = ["KEY_FILE", "seal_key"]

KEY_FILE: Final = "journal.key"
_SIZE: Final = 32


def seal_key(folder: Path, *, make: bool = True) -> bytes:
    """Give the key in a folder, and make it at first use.

    Parameters
    ----------
    folder : Path
        `<workspace>/data/bots`. The key is `journal.key` in it, with mode 0600.
    make : bool
        Without it a key that is missing is an error, as where a journal is there that one has sealed.

    Returns
    -------
    bytes
        32 of them.

    Raises
    ------
    ConfigError
        Others may read the file, or it is damaged or missing.
    DataError
        It cannot be written.
    """
    path = folder / KEY_FILE
    if not path.exists():
        if not make:
            raise ConfigError(
                f"{path} is missing, the key that seals the journals of bots: put back the copy of your backup; "
                "without it nobody can tell whether they are as they were written",
                path=str(path),
            )
        _make(path)
    with explained(path):
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="ascii", errors="replace").strip()
    if mode & 0o077 and os.name != "nt":
        raise ConfigError(
            f"{path} seals the journals of bots, and others than its owner may read it (mode {mode:04o}): "
            f"chmod 600 {path}",
            path=str(path),
        )
    if len(text) != 2 * _SIZE or not set(text) <= set("0123456789abcdef"):
        raise ConfigError(
            f"{path} is damaged: it must hold {2 * _SIZE} hexadecimal digits. Put back the copy of your backup; "
            "without it the journals that it sealed cannot be checked",
            path=str(path),
        )
    return bytes.fromhex(text)


def _make(path: Path) -> None:
    """Make a key that is whole as soon as it can be seen; where another process is faster, its key stays."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    make_bots_folder(path.parent)
    with explained(path):
        scratch.unlink(missing_ok=True)
        write_new(scratch, f"{secrets.token_hex(_SIZE)}\n".encode(), 0o600)
        try:
            os.link(scratch, path)
        except FileExistsError:
            return
        finally:
            scratch.unlink(missing_ok=True)
        sync_folder(path.parent)
