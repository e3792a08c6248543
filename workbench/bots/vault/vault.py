"""`Vault`: the keys of exchanges and other secrets of a workspace, in one encrypted file, by name."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote, quote_plus

from workbench._durable import explained, sync_folder, write_new
from workbench.bots.folder import make_bots_folder
from workbench.bots.vault.sealing import COST, Header, derived, parsed, sealed, unsealed
from workbench.bots.vault.secret import Secret
from workbench.bots.vault.sources import forget_in_keyring, keep_in_keyring, key_in_keyring
from workbench.errors import ConfigError, DataError, WorkbenchError

__all__ = ["VAULT_FILE", "Credential", "Vault", "check_passphrase"]

VAULT_FILE: Final = "vault.wbv"
_SHORTEST: Final = 12
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_HIDABLE: Final = 6  # a shorter secret would take harmless words out of a log


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What is kept under one name.

    Parameters
    ----------
    name : str
    venue : str
        The exchange or service that it is for.
    fields : mapping of str to Secret
        Such as `key`, `secret` and `password`.
    added, rotated : int
        When it came in, and when its fields were last replaced (ms UTC).
    """

    name: str
    venue: str
    fields: Mapping[str, Secret]
    added: int
    rotated: int

    def __getitem__(self, field: str) -> Secret:
        if field not in self.fields:
            raise ConfigError(f"{self.name!r} in the vault has no field {field!r}; it has {', '.join(self.fields)}")
        return self.fields[field]


class Vault:
    """An open vault; made by `create` and `open`.

    Parameters
    ----------
    path : Path
    header : Header
    key : Secret
    credentials : mapping of str to Credential

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     vault = Vault.create(f"{folder}/vault.wbv", Secret("correct horse battery"), cost=10)
    ...     vault.add("desk", "binance", {"key": "K7", "secret": "hush"})
    ...     vault["desk"]["secret"], vault["desk"]["secret"].reveal()
    (Secret(***), 'hush')
    """

    def __init__(self, path: Path, header: Header, key: Secret, credentials: Mapping[str, Credential]) -> None:
        self.path, self._header, self._key = path, header, key
        self._take(credentials)

    def __repr__(self) -> str:
        return f"Vault({str(self.path)!r}, {len(self._credentials)} names)"

    @staticmethod
    def source(path: str | Path) -> str:
        """Tell where the key of a vault comes from: "passphrase" or "keyring".

        Raises
        ------
        ConfigError
            There is no vault, or the file is none.
        """
        return _read(Path(path))[0].source

    @classmethod
    def create(cls, path: str | Path, passphrase: Secret | None = None, *, cost: int = COST) -> Vault:
        """Make a vault with nothing in it.

        Parameters
        ----------
        path : path
            Its file, which must not exist yet.
        passphrase : Secret, optional
            Of at least 12 characters; when left out, the system's keyring keeps the key.
        cost : int
            Binary logarithm of the cost of a guess at the passphrase.

        Raises
        ------
        ConfigError
            There is a vault already, the passphrase is too short, or the system has no keyring.
        """
        made = Path(path)
        if made.exists():
            raise ConfigError(f"there is a vault already, {made}", path=str(made))
        vault = cls(made, *_new_key(passphrase, cost), {})
        make_bots_folder(made.parent)
        with vault._locked():
            vault._save({})
        return vault

    @classmethod
    def open(cls, path: str | Path, passphrase: Secret | None = None) -> Vault:
        """Open a vault.

        Parameters
        ----------
        path : path
        passphrase : Secret, optional
            Where its key comes from one.

        Raises
        ------
        ConfigError
            There is none, the passphrase is wrong, or any byte of the file was changed.
        """
        there = Path(path)
        header, data = _read(there)
        if header.source == "keyring":
            key = key_in_keyring(header.id)
        elif passphrase is None:
            raise ConfigError(f"the vault {there} needs its passphrase", path=str(there))
        else:
            key = derived(header, passphrase)
        return cls(there, header, key, _content(there, data, key))

    def names(self) -> tuple[str, ...]:
        """List the names of what is kept, sorted."""
        return tuple(sorted(self._credentials))

    def __contains__(self, name: object) -> bool:
        return name in self._credentials

    def __getitem__(self, name: str) -> Credential:
        if name not in self._credentials:
            have = ", ".join(self.names()) or "nothing"
            raise ConfigError(f"the vault {self.path} has no {name!r}; it has {have}", name=name)
        return self._credentials[name]

    def add(self, name: str, venue: str, fields: Mapping[str, str | Secret]) -> None:
        """Keep something under a new name.

        Parameters
        ----------
        name : str
            Letters, digits, `_`, `-` and `.`.
        venue : str
        fields : mapping of str to str or Secret
            Such as `{"key": ..., "secret": ...}`.

        Raises
        ------
        ConfigError
            The name is taken or none, or a field is empty.
        """
        with self._locked():
            self._refresh()
            if name in self:
                raise ConfigError(f"the vault has {name!r} already: `workbench vault rotate {name}` replaces its keys")
            if not _NAME.fullmatch(name):
                raise ConfigError(f"{name!r} cannot be a name in the vault: use letters, digits, '_', '-' and '.'")
            now = time.time_ns() // 1_000_000
            new = Credential(name=name, venue=venue, fields=_fields(name, fields), added=now, rotated=now)
            self._save({**self._credentials, name: new})

    def rotate(self, name: str, fields: Mapping[str, str | Secret]) -> None:
        """Replace the fields of a name, as when an exchange has given new keys.

        Raises
        ------
        ConfigError
            There is no such name, a field is empty, or nothing is new.
        """
        with self._locked():
            self._refresh()
            before, now = self[name], time.time_ns() // 1_000_000
            new = _fields(name, fields)
            if dict(new) == dict(before.fields):
                raise ConfigError(
                    f"these are the keys that {name!r} has already: make new ones at {before.venue} first"
                )
            self._save({**self._credentials, name: replace(before, fields=new, rotated=now)})

    def remove(self, name: str) -> None:
        """Forget what is kept under a name.

        Raises
        ------
        ConfigError
            There is no such name.
        """
        with self._locked():
            self._refresh()
            left = self[name].name
            self._save({other: one for other, one in self._credentials.items() if other != left})

    def change_key(self, passphrase: Secret | None = None, *, cost: int = COST) -> None:
        """Encrypt the vault anew: with another passphrase, or with a new key in the system's keyring.

        Raises
        ------
        ConfigError
            The passphrase is too short, or the system has no keyring.
        """
        with self._locked():
            self._refresh()
            before = self._header, self._key
            self._header, self._key = _new_key(passphrase, cost)
            try:
                self._save(self._credentials)
            except WorkbenchError:
                self._header, self._key = before
                raise
            if before[0].source == "keyring":
                forget_in_keyring(before[0].id)

    def hide(self, text: str) -> str:
        """Give a text without any secret of this vault that it may hold, as for a log or an error of a library.

        A secret is also found as it stands in JSON and in a URL; one of fewer than 6 characters is not looked for.
        """
        for secret, mark in self._hidden:
            plain = secret.reveal()
            if plain in text:
                text = text.replace(plain, mark)
        return text

    def _take(self, credentials: Mapping[str, Credential]) -> None:
        self._credentials = dict(credentials)
        self._hidden = _to_hide(credentials.values())

    def _refresh(self) -> None:
        """Take in what another process has written since."""
        if self.path.exists():
            self._take(_content(self.path, _read(self.path)[1], self._key))

    def _save(self, credentials: Mapping[str, Credential]) -> None:
        """Write the file, and only then hold what it has now to be true."""
        content = {
            one.name: {
                "venue": one.venue,
                "added": one.added,
                "rotated": one.rotated,
                "fields": {field: secret.reveal() for field, secret in one.fields.items()},
            }
            for one in credentials.values()
        }
        data = sealed(self._header, self._key, content)
        scratch = self.path.with_name(f".{self.path.name}.tmp")
        with explained(self.path):
            scratch.unlink(missing_ok=True)
            try:
                write_new(scratch, data, 0o600)
                scratch.replace(self.path)
            finally:
                scratch.unlink(missing_ok=True)
            sync_folder(self.path.parent)
        self._take(credentials)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Be the only one who changes the file."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=10)
        with explained(self.path):
            try:
                lock.acquire()
            except Timeout:
                raise ConfigError(f"another process is changing the vault {self.path}: try again") from None
        try:
            yield
        finally:
            lock.release()


def _to_hide(credentials: Iterable[Credential]) -> list[tuple[Secret, str]]:
    """List the texts that a secret may stand in a log as, longest first, and what is to stand there instead."""
    found: dict[str, str] = {}
    for credential in credentials:
        for field, secret in credential.fields.items():
            plain = secret.reveal()
            if len(plain) >= _HIDABLE:
                forms = (plain, json.dumps(plain)[1:-1], quote(plain, safe=""), quote_plus(plain))
                found.update(dict.fromkeys(forms, f"<{credential.name}.{field}>"))
    return [(Secret(plain), found[plain]) for plain in sorted(found, key=len, reverse=True)]


def check_passphrase(passphrase: Secret) -> Secret:
    """Give a new passphrase back; ConfigError where it is too short."""
    if len(passphrase.reveal()) < _SHORTEST:
        raise ConfigError(
            f"the passphrase of a vault needs {_SHORTEST} characters or more: four or five words are good"
        )
    return passphrase


def _new_key(passphrase: Secret | None, cost: int) -> tuple[Header, Secret]:
    if passphrase is None:
        header = Header.new("keyring")
        return header, keep_in_keyring(header.id)
    check_passphrase(passphrase)
    header = Header.new("passphrase", cost)
    return header, derived(header, passphrase)


def _fields(name: str, fields: Mapping[str, str | Secret]) -> Mapping[str, Secret]:
    taken = {field: value if isinstance(value, Secret) else Secret(value) for field, value in fields.items()}
    for field, value in taken.items():
        plain = value.reveal()
        if not plain or plain != plain.strip() or not plain.isprintable():
            raise ConfigError(f"the {field} of {name!r} is empty, or has spaces or line breaks round it: give it again")
    if not taken:
        raise ConfigError(f"there is nothing to keep under {name!r}: give at least one field")
    return MappingProxyType(taken)


def _read(path: Path) -> tuple[Header, bytes]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(
            f"there is no vault {path}; make one with `workbench vault add NAME --venue VENUE`", path=str(path)
        ) from None
    except OSError as error:
        raise ConfigError(f"the vault {path} cannot be read: {error.strerror}", path=str(path)) from error
    try:
        return parsed(data)[0], data
    except DataError as error:
        raise _refused(path, str(error)) from None


def _content(path: Path, data: bytes, key: Secret) -> dict[str, Credential]:
    try:
        content = unsealed(data, key)
    except (ConfigError, DataError) as error:
        raise _refused(path, str(error)) from None
    return {name: _credential(name, told) for name, told in content.items()}


def _credential(name: str, told: Mapping[str, Any]) -> Credential:
    fields = MappingProxyType({field: Secret(value) for field, value in told["fields"].items()})
    return Credential(name=name, venue=told["venue"], fields=fields, added=told["added"], rotated=told["rotated"])


def _refused(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"the vault {path} cannot be opened: {why}. Try the passphrase again, or put back a copy of your backup",
        path=str(path),
    )
