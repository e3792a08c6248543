"""`workbench init`: a workspace, ready for its first backtest."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Final

import typer

from workbench.cli.console import say
from workbench.errors import ConfigError

__all__ = ["EXAMPLES", "init"]

EXAMPLES: Final = (
    "workbench init desk        make it, or complete what it lacks",
    "workbench init .           bring back what was removed here",
)


def init(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder of the workspace; made if it does not exist.")],
    compiled: Annotated[
        bool,
        typer.Option(
            "--compile/--no-compile", help="Compile what is not compiled yet, so that no backtest waits for it."
        ),
    ] = True,
) -> None:
    """Make a workspace: settings, notebooks, strategies, reports and bundled market data.

    A file that exists is never overwritten, so this is safe to repeat.
    """
    from workbench.workspace import init_workspace

    if not folder:  # as from "$DESK" where no DESK is set: a path of no characters would mean the current folder
        raise ConfigError("the name of the folder is empty; name one, or say `.` for the current folder")
    report = init_workspace(folder)
    print(report, flush=True)
    if compiled:
        _compile()
    if report.created:
        enter = "" if report.root == Path.cwd() else f"cd {shlex.quote(folder)} && "
        say(f"Next: {enter}workbench report run nightly", "dim")


def _compile() -> None:
    from workbench.warmup import uncompiled, warm_up

    if uncompiled():
        print("compiling the kernels, once for this installation ...", flush=True)
        print(warm_up())
