"""`workbench bots`: bots that run, their journals, and parameter files for the strategies of the library."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import bots_kill, bots_look, bots_run
from workbench.cli.bots_journal import JOURNAL_COMMANDS
from workbench.cli.console import Cell, Column, say, show_json, show_table
from workbench.cli.options import AsJson, examples
from workbench.errors import ConfigError

__all__ = ["app"]

app = typer.Typer(help="Run a bot, look at its journal, kill it; templates of parameter files.", no_args_is_help=True)


@app.command("templates", epilog=examples("workbench bots templates", "workbench bots templates --json"))
def templates(as_json: AsJson = False) -> None:
    """List the strategies of the library that a template can be written for."""
    from workbench.strategy import library
    from workbench.strategy.library.series import usual_series

    found = [(name, library.get(name)) for name in library.names()]
    if as_json:
        show_json(
            [
                {
                    "name": name,
                    "summary": _summary(cls),
                    "series": list(usual_series(name)),
                    "parameters": {one.name: one.default for one in cls.declared.values()},
                }
                for name, cls in found
            ]
        )
        return
    columns = [Column("Name"), Column("What it does", wrap=True), Column("Instruments", wrap=True)]
    rows = [(Cell(name, "bold"), _summary(cls), ", ".join(usual_series(name))) for name, cls in found]
    show_table(columns, rows)
    say("`workbench bots template NAME` writes a parameter file.", "dim")


def _summary(cls: type) -> str:
    return (cls.__doc__ or "").strip().splitlines()[0]


@app.command(
    "template",
    epilog=examples("workbench bots template grid", "workbench bots template dca --output my_dca.yaml"),
)
def template(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `workbench bots templates` lists it.")],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there; printed when left out. No file is replaced.")
    ] = None,
) -> None:
    """Write a parameter file: every parameter with its default, bounds and meaning, instruments, money and costs."""
    from workbench.backtest.parameter_file import template_of

    text = template_of(name)
    if output is None:
        print(text, end="")
        return
    target = output.expanduser()
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ConfigError(f"{target} is there already; name another file, or remove it", path=str(target)) from error
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error.strerror}", path=str(target)) from error
    say(f"wrote {target}")


bots_run.add_to(app)
bots_kill.add_to(app)
bots_look.add_to(app)
for _name, (_command, _examples) in JOURNAL_COMMANDS.items():
    app.command(_name, epilog=examples(*_examples))(_command)
