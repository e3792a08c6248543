"""`workbench doctor`: is this installation healthy, and if not, what mends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import typer

from workbench.cli.console import Cell, Column, say, show_json, show_table
from workbench.cli.health import Check, State, examine
from workbench.cli.options import AsJson

__all__ = ["EXAMPLES", "doctor"]

EXAMPLES: Final = (
    "workbench doctor",
    "workbench --workspace desk doctor --json",
)
_STYLES: Final[dict[State, str]] = {"ok": "green", "note": "dim", "warn": "yellow", "fail": "bold red"}


def doctor(as_json: AsJson = False) -> None:
    """Check the installation and the workspace, and say what would mend what is wrong.

    States: ok; note (something optional is not there); warn (works, but not as well as it could); fail. The exit code
    is 1 when something fails.
    """
    checks = examine()
    if as_json:
        show_json([asdict(check) for check in checks])
    else:
        _show(checks)
    if any(check.state == "fail" for check in checks):
        raise typer.Exit(1)


def _show(checks: Sequence[Check]) -> None:
    columns = [Column("State"), Column("What"), Column("Found", wrap=True)]
    rows = [(Cell(one.state, _STYLES[one.state]), Cell(one.name, "bold"), one.found) for one in checks]
    show_table(columns, rows)
    for check in checks:
        if check.remedy:
            say(f"{check.state}: {check.name}: {check.remedy}", _STYLES[check.state])
    counted = Counter(check.state for check in checks)
    if counted["fail"] or counted["warn"]:
        parts = [f"{counted['fail']} failed"] * (counted["fail"] > 0) + [f"{counted['warn']} to look at"] * (
            counted["warn"] > 0
        )
        say(", ".join(parts), "bold red" if counted["fail"] else "yellow")
    else:
        say("All is well.", "bold green")
