"""The checks of `workbench doctor`: what they are, and running all of them whatever happens in one.

A check looks and never changes anything. Those of the installation are in `health_installation`, those of the workspace
in `health_workspace`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

from workbench.errors import WorkbenchError

__all__ = ["Check", "State", "examine"]

State = Literal["ok", "note", "warn", "fail"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    name : str
    state : {"ok", "note", "warn", "fail"}
    found : str
        What is there.
    remedy : str
        What to do; empty when nothing has to be done.
    """

    name: str
    state: State
    found: str
    remedy: str = ""


def examine() -> list[Check]:
    """Run every check, of the installation first, then of the workspace around the current folder."""
    from workbench.cli.health_installation import INSTALLATION
    from workbench.cli.health_workspace import WORKSPACE, find_workspace
    from workbench.settings import Settings

    checks = [check for name, look in INSTALLATION for check in _run(name, look)]
    here: list[Settings] = []
    checks += _run("workspace", partial(find_workspace, here))
    return [
        *checks,
        *(check for settings in here for name, look in WORKSPACE for check in _run(name, partial(look, settings))),
    ]


def _run(name: str, look: Callable[[], Iterator[Check]]) -> list[Check]:
    """Run one check; one that breaks is a finding, and the others still run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they warn of is found here in its own words
            return list(look())
    except WorkbenchError as error:
        return [Check(name=name, state="fail", found=str(error), remedy="mend what the message names")]
    except Exception as error:  # a doctor must not fall ill
        return [
            Check(
                name=name,
                state="fail",
                found=f"the check itself broke: {type(error).__name__}: {error}",
                remedy="this installation is damaged, or it is a fault of workbench: report it with this line",
            )
        ]
