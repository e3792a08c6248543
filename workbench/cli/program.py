"""The command `workbench`: its groups, the options that all of them share, and what an error looks like.

An error that workbench raised on purpose is one block on stderr and exit code 2, the code of a wrong command line;
`--debug` shows where it came from instead. Exit code 1 is a job that ran and failed (a report, a check), 130 is Ctrl-C.
Any other exception is a fault of workbench and keeps its traceback.
"""

from __future__ import annotations

import os
import select
import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from workbench import __version__
from workbench.cli import (
    backtest,
    books,
    bots,
    cluster,
    data,
    doctor,
    export,
    indicators,
    init,
    lab,
    limits,
    metrics,
    optimise,
    portfolio,
    practice,
    report,
    runs,
    strategies,
    sweep,
    tax,
    vault,
)
from workbench.cli.console import plain_streams, say_error, say_warning
from workbench.cli.options import examples
from workbench.cli.words import as_commands
from workbench.errors import ConfigError, WorkbenchError

__all__ = ["app", "main"]

_ORDER: Final = (
    "init",
    "data",
    "indicators",
    "metrics",
    "strategies",
    "backtest",
    "sweep",
    "optimise",
    "walk-forward",
    "portfolio",
    "books",
    "bots",
    "limits",
    "vault",
    "practice",
    "report",
    "cluster",
    "runs",
    "export",
    "tax",
    "lab",
    "doctor",
)
_WORKSPACE: Final = "WORKBENCH_WORKSPACE"


class _Root(TyperGroup):
    """The outermost command, which every run goes through."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=_ORDER.index)

    def main(self, *args: Any, **options: Any) -> Any:
        plain_streams()
        return super().main(*args, **options)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _shared_first(args))

    def invoke(self, ctx: Any) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                try:
                    return super().invoke(ctx)
                finally:
                    sys.stdout.flush()
        except WorkbenchError as error:
            if ctx.params["debug"]:
                raise
            say_error(as_commands(str(error)), getattr(error, "__notes__", ()))
            raise typer.Exit(2) from error
        except KeyboardInterrupt as error:
            say_error("stopped by Ctrl-C")
            raise typer.Exit(130) from error
        except BrokenPipeError as error:
            if not _reader_is_gone():
                raise  # another pipe than the one that the answer goes to
            raise typer.Exit(128 + 13) from error  # as a program that SIGPIPE ended


def _shared_first(args: Sequence[str]) -> list[str]:
    """Bring the options that all commands share to the front, wherever they were written before a `--`."""
    own = list(args[: args.index("--")] if "--" in args else args)
    first: list[str] = []
    rest: list[str] = []
    while own:
        word = own.pop(0)
        shared = word in ("--debug", "--workspace") or word.startswith("--workspace=")
        (first if shared else rest).append(word)
        if word == "--workspace" and own:
            first.append(own.pop(0))
    return [*first, *rest, *args[len(first) + len(rest) :]]


def _reader_is_gone() -> bool:
    """Tell whether nobody reads what this command prints any more, as after `| head`."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)  # asks for nothing, so what is told is an error or a hang-up
    return bool(poll.poll(0))


def _show_warning(message: Warning | str, *where: Any, **more: Any) -> None:
    say_warning(str(message))


app = typer.Typer(
    name="workbench",
    cls=_Root,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "workbench init desk                 a workspace with real market data",
        "workbench backtest sma_cross BTC/USDT 1d",
        "workbench report run nightly        tonight's report, as a page",
        "workbench backtest --help           more about a command",
    ),
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"workbench {__version__} (Python {sys.version.split()[0]})")
        raise typer.Exit


@app.callback()
def _shared(
    context: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Workspace to use, in place of the one around the current folder or $WORKBENCH_WORKSPACE.",
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Quant research in Jupyter: market data, strategies, backtests and nightly reports."""
    if workspace is not None:
        _enter(context, workspace)


def _enter(context: typer.Context, workspace: Path) -> None:
    """Make a folder the workspace of this process and of those that it starts, until the command is over."""
    folder = workspace.expanduser().resolve()
    if not folder.is_dir():
        raise ConfigError(
            f"--workspace {workspace}: there is no such folder; make it a workspace with `workbench init {workspace}`",
            folder=str(folder),
        )
    before = os.environ.get(_WORKSPACE)
    os.environ[_WORKSPACE] = str(folder)
    context.call_on_close(lambda: _set(_WORKSPACE, before))


def _set(variable: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = value


def _add(command: Any, name: str, lines: Iterable[str], **options: Any) -> None:
    app.command(name, epilog=examples(*lines), **options)(command)


_add(init.init, "init", init.EXAMPLES)
_add(backtest.run, "backtest", backtest.EXAMPLES)
_add(sweep.run, "sweep", sweep.EXAMPLES)
_add(optimise.optimise, "optimise", optimise.EXAMPLES)
_add(optimise.walk_forward, "walk-forward", optimise.WALK_EXAMPLES)
_add(portfolio.portfolio, "portfolio", portfolio.EXAMPLES)
_add(doctor.doctor, "doctor", doctor.EXAMPLES)
_add(export.export, "export", export.EXAMPLES)
_add(
    lab.lab,
    "lab",
    lab.EXAMPLES,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
app.add_typer(data.app, name="data")
app.add_typer(indicators.app, name="indicators")
app.add_typer(metrics.app, name="metrics")
app.add_typer(strategies.app, name="strategies")
app.add_typer(books.app, name="books")
app.add_typer(bots.app, name="bots")
app.add_typer(limits.app, name="limits")
app.add_typer(vault.app, name="vault")
app.add_typer(practice.app, name="practice")
app.add_typer(report.app, name="report")
app.add_typer(cluster.app, name="cluster")
app.add_typer(runs.app, name="runs")
app.add_typer(tax.app, name="tax")


def main() -> None:
    """Run the command line and leave with its exit code."""
    app(prog_name="workbench")
