"""`workbench vault …`: the keys of exchanges, encrypted, by name; nothing here shows one."""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.console import Cell, Column, say, say_warning, show_json, show_table
from workbench.cli.options import AsJson, examples
from workbench.cli.place import settings_here
from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.bots.vault import Secret, Vault

__all__ = ["FromFd", "app", "open_vault"]

app = typer.Typer(
    no_args_is_help=True,
    help="Keep the keys of exchanges, encrypted, under names. The passphrase is asked for; a service has it in "
    "the file descriptor whose number is in WORKBENCH_VAULT_FD, or in the file whose path is in WORKBENCH_VAULT_FILE.",
)

_FIELDS: Final = ("key", "secret")
_OLD_DAYS: Final = 180
_DAY_MS: Final = 86_400_000

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of your choice, such as binance-desk.")]
FromFd = Annotated[
    int | None,
    typer.Option("--passphrase-fd", metavar="N", min=0, help="Read the passphrase from this file descriptor."),
]
Fields = Annotated[
    list[str] | None,
    typer.Option("--field", metavar="FIELD", help="What to ask for, again for each: key and secret when left out."),
]


def _path() -> Path:
    from workbench.bots.vault import VAULT_FILE

    return settings_here().data / "bots" / VAULT_FILE


def _passphrase(descriptor: int | None, words: str = "Passphrase of the vault: ") -> Secret:
    from workbench.bots.vault.sources import passphrase_given, read_passphrase

    given = passphrase_given() if descriptor is None else read_passphrase(descriptor)
    return given or _asked(words)


def _asked(words: str) -> Secret:
    """Ask for something that is not shown while it is typed."""
    import getpass

    from workbench.bots.vault import Secret

    if not sys.stdin.isatty():
        raise ConfigError(
            "the vault needs its passphrase and there is no terminal to ask at: give it with --passphrase-fd N, or set "
            "WORKBENCH_VAULT_FD to a file descriptor or WORKBENCH_VAULT_FILE to a file (mode 0600) that begins with it"
        )
    try:
        return Secret(getpass.getpass(words).strip())
    except EOFError:
        raise ConfigError("nothing was typed; the vault is as it was") from None


def open_vault(descriptor: int | None) -> Vault:
    """Open the vault of the workspace, with the passphrase from a descriptor, the environment or the terminal."""
    from workbench.bots.vault import Vault

    path = _path()
    needed = Vault.source(path) == "passphrase"
    return Vault.open(path, _passphrase(descriptor) if needed else None)


def _new_passphrase(descriptor: int | None) -> Secret:
    from workbench.bots.vault.sources import FD_VARIABLE, FILE_VARIABLE
    from workbench.bots.vault.vault import check_passphrase

    first = check_passphrase(_passphrase(descriptor, "New passphrase of the vault: "))
    unseen = descriptor is not None or os.environ.get(FD_VARIABLE) or os.environ.get(FILE_VARIABLE)
    if not unseen and _asked("The same again: ") != first:
        raise ConfigError("the two passphrases differ; nothing was changed")
    return first


def _values(name: str, fields: list[str] | None) -> dict[str, Secret]:
    """Ask for the fields of a name, or read them as JSON from what is piped in."""
    from workbench.bots.vault import Secret

    wanted = fields or list(_FIELDS)
    if sys.stdin.isatty():
        return {field: _asked(f"{field} of {name}: ") for field in wanted}
    try:
        given = json.loads(sys.stdin.read())
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise ConfigError(
            f"pipe in the fields of {name!r} as a JSON object of texts, "
            + json.dumps(dict.fromkeys(wanted, "..."))
            + ", or call this at a terminal, which asks for them"
        )
    if missing := [field for field in wanted if field not in given]:
        raise ConfigError(f"what was piped in for {name!r} has no {' and no '.join(missing)}")
    return {field: Secret(value) for field, value in given.items()}


@app.command(
    "add",
    epilog=examples(
        "workbench vault add desk --venue binance",
        "workbench vault add okx-desk --venue okx --field key --field secret --field password",
        "workbench vault add desk --venue binance --keyring      the first name: the system's keyring keeps the key",
        "workbench vault add desk --venue binance --passphrase-fd 3 3< passphrase < keys.json",
    ),
)
def add(
    name: Name,
    venue: Annotated[str, typer.Option(metavar="VENUE", help="The exchange that they are for, as ccxt names it.")],
    field: Fields = None,
    keyring: Annotated[
        bool, typer.Option("--keyring", help="Where there is no vault yet: let the system's keyring keep its key.")
    ] = False,
    passphrase_fd: FromFd = None,
) -> None:
    """Keep keys under a name, and make the vault with the first; give it keys that can trade, but not withdraw."""
    from workbench.bots.vault import Vault
    from workbench.market.sources.clients import Route, check_venue

    check_venue(venue.removeprefix(f"{Route.label}-"))
    path = _path()
    if path.exists():
        if keyring and Vault.source(path) != "keyring":
            raise ConfigError(
                "this vault has a passphrase: `workbench vault rotate --keyring` moves its key to the keyring"
            )
        vault = open_vault(passphrase_fd)
        values = _values(name, field)
    else:
        passphrase = None if keyring else _new_passphrase(passphrase_fd)
        values = _values(name, field)
        vault = Vault.create(path, passphrase)
    vault.add(name, venue, values)
    say(f"{name} is in the vault ({', '.join(values)})")


@app.command("list", epilog=examples("workbench vault list", "workbench vault list --json"))
def list_names(as_json: AsJson = False, passphrase_fd: FromFd = None) -> None:
    """List the names in the vault, for which venue they are, and how old their keys are."""
    vault = open_vault(passphrase_fd)
    found = [vault[name] for name in vault.names()]
    if as_json:
        show_json(
            [
                {
                    "name": one.name,
                    "venue": one.venue,
                    "fields": list(one.fields),
                    "added": one.added,
                    "rotated": one.rotated,
                }
                for one in found
            ]
        )
        return
    if not found:
        say("The vault is empty. `workbench vault add NAME --venue VENUE` puts keys into it.")
        return
    columns = [Column("Name"), Column("Venue"), Column("Fields"), Column("Added (UTC)"), Column("Age of the keys")]
    show_table(
        columns,
        [
            (Cell(one.name, "bold"), one.venue, ", ".join(one.fields), _date(one.added), _days(one.rotated))
            for one in found
        ],
    )


@app.command(
    "rotate",
    epilog=examples(
        "workbench vault rotate desk         new keys under a name that is there",
        "workbench vault rotate              another passphrase for the vault",
        "workbench vault rotate --keyring    from now on the system's keyring keeps its key",
    ),
)
def rotate(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Whose keys to replace; the vault's own when left out.")
    ] = None,
    field: Fields = None,
    keyring: Annotated[bool, typer.Option("--keyring", help="Let the system's keyring keep the vault's key.")] = False,
    passphrase_fd: FromFd = None,
    new_fd: Annotated[
        int | None,
        typer.Option("--new-passphrase-fd", metavar="N", min=0, help="Read the new passphrase from this descriptor."),
    ] = None,
) -> None:
    """Replace the keys under a name, or the passphrase of the vault."""
    if name is not None and (keyring or new_fd is not None):
        raise ConfigError(f"either the keys of {name!r} or the passphrase of the vault: leave out one of the two")
    vault = open_vault(passphrase_fd)
    if name is not None:
        before = list(vault[name].fields)
        vault.rotate(name, _values(name, field or before))
        say(f"{name} has new keys; end the old ones at {vault[name].venue}")
        return
    if keyring:
        vault.change_key(None)
        say("the vault is encrypted anew; its key is in the keyring of this system")
        return
    vault.change_key(_replacing(new_fd))
    say("the vault is encrypted anew, with the new passphrase")


def _replacing(descriptor: int | None) -> Secret:
    if descriptor is not None:
        return _new_passphrase(descriptor)
    from workbench.bots.vault.vault import check_passphrase

    first = check_passphrase(_asked("New passphrase of the vault: "))
    if _asked("The same again: ") != first:
        raise ConfigError("the two passphrases differ; nothing was changed")
    return first


@app.command("remove", epilog=examples("workbench vault remove desk"))
def remove(name: Name, passphrase_fd: FromFd = None) -> None:
    """Forget the keys under a name."""
    vault = open_vault(passphrase_fd)
    venue = vault[name].venue
    vault.remove(name)
    say(f"{name} is no longer in the vault; end its keys at {venue} too")


@app.command("check", epilog=examples("workbench vault check", "workbench vault check --passphrase-fd 3 3< passphrase"))
def check(passphrase_fd: FromFd = None) -> None:
    """Open the vault, which fails if any byte of it was changed, and say what could be better about it."""
    from workbench.bots.vault import Vault

    vault = open_vault(passphrase_fd)
    wrong = list(_complaints(vault))
    count = len(vault.names())
    kept = "a passphrase" if Vault.source(vault.path) == "passphrase" else "the keyring of this system"
    say(f"{vault.path} is as it was written: {count} {'name' if count == 1 else 'names'}, opened with {kept}")
    for one in wrong:
        say_warning(one)
    if wrong:
        raise typer.Exit(1)


def _complaints(vault: Vault) -> Any:
    mode = stat.S_IMODE(vault.path.stat().st_mode)
    if mode & 0o077 and os.name != "nt":
        yield f"others than its owner may read the file (mode {mode:04o}): chmod 600 {vault.path}"
    for one in map(vault.__getitem__, vault.names()):
        if missing := [field for field in _FIELDS if field not in one.fields]:
            yield f"{one.name} has no {' and no '.join(missing)}: an exchange needs them"
        if (days := _age(one.rotated)) > _OLD_DAYS:
            yield f"the keys of {one.name} are {days} days old: `workbench vault rotate {one.name}` takes new ones"


def _age(ms: int) -> int:
    return max(0, (time.time_ns() // 1_000_000 - ms) // _DAY_MS)


def _days(ms: int) -> str:
    days = _age(ms)
    return "today" if days == 0 else f"{days:,} {'day' if days == 1 else 'days'}"


def _date(ms: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(ms / 1_000))
