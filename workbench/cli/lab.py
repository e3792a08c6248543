"""`workbench lab`: JupyterLab, rooted in the workspace."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Annotated, Final

import typer

from workbench.cli.place import settings_here

__all__ = ["EXAMPLES", "lab"]

EXAMPLES: Final = (
    "workbench lab",
    "workbench lab --no-browser --port 8899",
    "workbench lab -- --debug            what follows -- goes to JupyterLab as it is",
)


def lab(
    context: typer.Context,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address; open no browser.")] = False,
) -> None:
    """Open JupyterLab in this workspace. Options that are not workbench's own go to JupyterLab."""
    from workbench.errors import ConfigError

    settings = settings_here()
    if importlib.util.find_spec("jupyterlab") is None:
        raise ConfigError(
            f"JupyterLab is not installed beside this Python ({sys.executable}); install it with "
            f"`{sys.executable} -m pip install jupyterlab`"
        )
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={settings.root}"]
    command += ["--no-browser"] if no_browser else []
    os.chdir(settings.root)
    sys.stdout.flush()
    os.execv(sys.executable, [*command, *context.args])
