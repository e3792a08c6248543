"""`workbench bots kill` and `calm`: ending bots from any terminal, and letting them start again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.console import say, say_error, say_warning
from workbench.cli.options import examples
from workbench.cli.place import settings_here
from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.bots.kill_outcome import Outcome
    from workbench.settings import Settings

__all__ = ["add_to"]

Everybody = Annotated[bool, typer.Option("--all", help="All bots of the workspace.")]
OneBot = Annotated[str | None, typer.Argument(metavar="[NAME]", help="As `workbench bots list` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to their group."""
    app.command(
        "kill",
        epilog=examples(
            "workbench bots kill demo",
            "workbench bots kill --all --flatten",
            "workbench bots kill demo --at-venue     a bot that does not run any more",
        ),
    )(kill)
    app.command("calm", epilog=examples("workbench bots calm demo", "workbench bots calm --all"))(calm)


def _meant(name: str | None, everybody: bool) -> str | None:
    if (name is None) != everybody:
        raise ConfigError("name one bot, or give --all: one of the two", name=name)
    return name


def kill(
    name: OneBot = None,
    everybody: Everybody = False,
    flatten: Annotated[bool, typer.Option("--flatten", help="Close positions at the market too.")] = False,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="How long to wait for what comes of it; 0 does not wait.")
    ] = 15.0,
    at_venue: Annotated[
        bool,
        typer.Option("--at-venue", help="Of a bot that does not run: cancel and close at its venue from here."),
    ] = False,
    passphrase_fd: Annotated[
        int | None, typer.Option(metavar="FD", help="Read the vault's passphrase from there, for --at-venue.")
    ] = None,
) -> None:
    """End a bot at once, from any terminal: its orders are cancelled, but those that protect positions.

    It writes a file that every bot and its guard look for all the time (data/KILL for all), and none starts while that
    is there. A bot that hangs is ended by its guard. Exit code 1: something is left to be done, or nobody has answered.
    """
    from workbench.bots.guard_ward import Ward
    from workbench.bots.journal import bots_folder, journal_names
    from workbench.bots.killing import kill as order

    settings = settings_here()
    meant = _meant(name, everybody)
    names = journal_names(settings) if meant is None else (meant,)
    wards = {one: Ward.read(bots_folder(settings), one) for one in names}
    running = {
        one: ward is not None and (ward.guarded or (ward.runs and not ward.ended)) for one, ward in wards.items()
    }
    file = order(settings, meant, flatten=flatten)
    ends = f"{name} ends now" if name and running[name] else "every bot that runs ends now" if everybody else ""
    back = f"`workbench bots calm {name or '--all'}` takes it back"
    say(f"wrote {file}: {ends}; {back}" if ends else f"wrote {file}; {back}", "bold")
    there = [
        one for one, ward in wards.items() if at_venue and not running[one] and (ward is None or ward.venue or meant)
    ]
    asked = {one: runs for one, runs in running.items() if one not in there}
    left = wait > 0.0 and not _tell_outcomes(settings, asked, wait)
    for one in there:
        left = not _at_venue(settings, one, passphrase_fd, flatten=flatten) or left
    if left:
        raise typer.Exit(1)


def _tell_outcomes(settings: Settings, running: dict[str, bool], wait: float) -> bool:
    """Say what came of it, bot by bot; false where something is left to do or nobody has answered."""
    from concurrent.futures import ThreadPoolExecutor

    from workbench.bots.kill_outcome import kill_outcome

    with ThreadPoolExecutor(max(len(running), 1)) as pool:  # all are waited for together
        found = list(pool.map(lambda one: kill_outcome(settings, one, wait, running=running[one]), running))
    _say_idle([one for one in found if one.state == "idle"])
    for one in found:
        _say_outcome(one)
    return not any(one.state in ("left", "silent") for one in found)


def _say_idle(found: list[Outcome]) -> None:
    """Say of bots that did not run that they did not: of several that have nothing at a venue in one line."""
    quiet = [one for one in found if not one.venue]
    for one in found:
        if one.venue or len(quiet) == 1:
            say_warning(one.text)
    if len(quiet) > 1:
        say(f"{len(quiet)} bots do not run, and have nothing at a venue: {', '.join(one.name for one in quiet)}", "dim")


def _say_outcome(one: Outcome) -> None:
    if one.state == "killed":
        say(one.text, "bold")
    elif one.state != "idle":
        say_error(one.text)


def _at_venue(settings: Settings, name: str, passphrase_fd: int | None, *, flatten: bool) -> bool:
    from workbench.bots.kill_outcome import kill_at_venue
    from workbench.cli.vault import open_vault

    vault = open_vault(passphrase_fd)
    record = kill_at_venue(settings, name, vault, "flatten" if flatten else "cancel", tell=say_warning)
    (say if record.verified else say_error)(f"{name}: {record.summary}")
    return record.verified


def calm(name: OneBot = None, everybody: Everybody = False) -> None:
    """Take a kill file away, so that bots may start again."""
    from workbench.bots.killing import calm as allow

    settings = settings_here()
    gone = allow(settings, _meant(name, everybody))
    say(f"taken away: {', '.join(gone)}" if gone else "there was no kill file")
    if name is not None and (settings.data / "KILL").exists():
        say_warning("data/KILL still forbids every bot to run; `workbench bots calm --all` takes all of them away")
