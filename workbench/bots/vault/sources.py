"""Where the key of a vault comes from: the keyring of the system, or a passphrase that is never an argument.

A passphrase is asked for on a terminal by the command line; a service has it in a file descriptor whose number is in
`WORKBENCH_VAULT_FD`, or in a file whose path is in `WORKBENCH_VAULT_FILE` and which only its owner may read.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.bots.vault.secret import Secret
from workbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "FD_VARIABLE",
    "FILE_VARIABLE",
    "forget_in_keyring",
    "keep_in_keyring",
    "key_in_keyring",
    "passphrase_given",
    "read_passphrase",
]

FD_VARIABLE: Final = "WORKBENCH_VAULT_FD"
FILE_VARIABLE: Final = "WORKBENCH_VAULT_FILE"
_SERVICE: Final = "workbench vault"
_LONGEST: Final = 4_096


def passphrase_given() -> Secret | None:
    """Read the passphrase that the environment points at; None where it points at none.

    Raises
    ------
    ConfigError
        It points at nothing that can be read, or at a file that others may read.
    """
    if number := os.environ.get(FD_VARIABLE, ""):
        if not number.isdigit():
            raise ConfigError(
                f"{FD_VARIABLE} is {number!r}; it must be the number of an open file descriptor, such as 3"
            )
        return read_passphrase(int(number))
    if name := os.environ.get(FILE_VARIABLE, ""):
        return _in_file(Path(name).expanduser())
    return None


def read_passphrase(descriptor: int) -> Secret:
    """Read a passphrase, the first line of what a file descriptor gives.

    Raises
    ------
    ConfigError
        Nothing can be read there.
    """
    data = b""
    try:
        while b"\n" not in data and len(data) <= _LONGEST and (more := os.read(descriptor, _LONGEST)):
            data += more
    except OSError as error:
        raise ConfigError(
            f"no passphrase can be read from file descriptor {descriptor}: {error.strerror}; open it for this process, "
            f"as in `workbench vault check --passphrase-fd {descriptor} {descriptor}< FILE`"
        ) from None
    return _first_line(data, f"file descriptor {descriptor}")


def _in_file(path: Path) -> Secret:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(_LONGEST + 1)
    except OSError as error:
        raise ConfigError(
            f"{FILE_VARIABLE} is {str(path)!r}, which cannot be read: {error.strerror}", path=str(path)
        ) from None
    if mode & 0o077 and os.name != "nt":
        raise ConfigError(
            f"{path} has the passphrase of the vault, and others than its owner may read it (mode {mode:04o}): "
            f"chmod 600 {path}",
            path=str(path),
        )
    return _first_line(data, str(path))


def _first_line(data: bytes, where: str) -> Secret:
    line = data.split(b"\n", 1)[0].rstrip(b"\r")
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = ""
    if not text or len(data) > _LONGEST:
        raise ConfigError(f"{where} holds no passphrase: it must begin with a line of text")
    return Secret(text)


def keep_in_keyring(name: str) -> Secret:
    """Make a key, and keep it in the system's keyring.

    Raises
    ------
    ConfigError
        This system has no keyring, or it is locked.
    """
    key = Secret(secrets.token_hex(32))
    _ask(lambda keyring: keyring.set_password(_SERVICE, name, key.reveal()))
    return key


def key_in_keyring(name: str) -> Secret:
    """Take a key from the system's keyring.

    Raises
    ------
    ConfigError
        This system has no keyring, it is locked, or the key is not in it.
    """
    found = _ask(lambda keyring: keyring.get_password(_SERVICE, name))
    if found is None:
        raise ConfigError(
            f"the keyring of this system has no key for this vault ({_SERVICE!r}, {name}): open it as the user and on "
            "the machine that made it"
        )
    return Secret(found)


def forget_in_keyring(name: str) -> None:
    """Take a key that opens nothing any more out of the system's keyring, if it is there."""
    with suppress(ConfigError):
        _ask(lambda keyring: keyring.delete_password(_SERVICE, name))


def _ask(what: Callable[[Any], str | None]) -> str | None:
    import keyring
    from keyring.errors import KeyringError

    try:
        return what(keyring)
    except KeyringError as error:
        raise ConfigError(
            f"the keyring of this system cannot be used ({type(error).__name__}): unlock it, or make a vault with a "
            "passphrase instead"
        ) from None
