"""`workbench strategies new … retire`: a strategy from its template to its end, and every version that there was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.completion import series_symbols
from workbench.cli.console import Cell, Column, on_terminal, say, show_code, show_json, show_table
from workbench.cli.options import AsJson, StrategyName, examples
from workbench.cli.place import settings_here

if TYPE_CHECKING:
    from workbench.research.lineage import Change, Use
    from workbench.settings import Settings
    from workbench.strategy.retirement import Decision

__all__ = ["add_lifecycle"]

NewName = Annotated[str, typer.Argument(metavar="NAME", help="Of the new file: lower case, digits and _.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Noted with who and when.")]
Edit = Annotated[bool, typer.Option("--edit", help="Open it in $VISUAL or $EDITOR.")]
On = Annotated[
    list[str] | None,
    typer.Option(
        "--on", metavar="SYMBOL", autocompletion=series_symbols, help="A series of the lake to try it on. Repeatable."
    ),
]
Length = Annotated[str | None, typer.Option("--timeframe", metavar="TIMEFRAME", help="Of these series.")]
_STYLES: Final = {"good": ("ok", "green"), "note": ("note", "yellow"), "wrong": ("wrong", "red")}


def new(
    name: NewName,
    template: Annotated[
        str, typer.Option("--template", "-t", metavar="signals|orders|rules|library:NAME", help="What it begins as.")
    ] = "signals",
    edit_it: Edit = False,
) -> None:
    """Write a new strategy file from a template, one that runs, and print its path."""
    from workbench.strategy.lifecycle import create

    path = create(name, settings_here(), template=template)
    say(str(path))
    if on_terminal():
        word = path.name if path.suffix != ".py" else path.stem
        say(f"Next: `workbench strategies validate {word}`, then `workbench backtest {word} SYMBOL TIMEFRAME`.", "dim")
    if edit_it:
        _open(path)


def edit(name: StrategyName) -> None:
    """Open a strategy file in $VISUAL or $EDITOR; the version that it holds is kept first."""
    from workbench.research.lineage import history
    from workbench.strategy.lifecycle import file_of

    settings = settings_here()
    path = file_of(name, settings)
    history(name, settings)
    say(str(path))
    _open(path)


def _open(path: Path) -> None:
    import os
    import shlex
    import subprocess

    from workbench.errors import ConfigError

    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        raise ConfigError("no editor is set: set $EDITOR, such as EDITOR=nano, or open the file yourself")
    try:
        code = subprocess.run([*shlex.split(editor), str(path)]).returncode
    except (OSError, ValueError) as error:
        raise ConfigError(f"$EDITOR is {editor!r}, which does not start: {error}") from error
    if code:
        raise ConfigError(f"{editor} ended with code {code}; {path} is as it left it")


def validate(name: StrategyName, on: On = None, timeframe: Length = None, as_json: AsJson = False) -> None:
    """Try whether a strategy loads, has sound defaults, and does its work on some bars. Ends with 1 if not."""
    from workbench.research.lineage import validate as look

    findings = look(name, settings_here(), symbols=on or (), timeframe=timeframe)
    failed = any(one.level == "wrong" for one in findings)
    if as_json:
        rows = [{"check": one.check, "level": one.level, "message": one.message} for one in findings]
        show_json({"strategy": name, "fit": not failed, "findings": rows})
    else:
        columns = [Column("Check"), Column(""), Column("Found", wrap=True)]
        brief = [(one, one.message.split("\n")) for one in findings]
        show_table(columns, [(one.check, Cell(*_STYLES[one.level]), lines[0]) for one, lines in brief])
        for _, lines in brief:
            if len(lines) > 1:
                say("\n".join(lines), "red")
        say(f"{name} is {'not fit to run' if failed else 'fit to run'}", "bold red" if failed else "bold green")
    if failed:
        raise typer.Exit(1)


def versions(name: StrategyName, as_json: AsJson = False) -> None:
    """List the versions of a strategy, newest first, with the recorded runs that used each."""
    from workbench.research.lineage import history

    uses = history(name, settings_here())
    if as_json:
        show_json([_plain(use) for use in uses])
        return
    if not uses:
        say(f"No version of {name} is known.")
        return
    columns = [
        Column("Version"), Column("Kept (UTC)"), Column("First run"), Column("Last run"), Column("Runs", number=True),
        Column(""),
    ]  # fmt: skip
    show_table(columns, [_version_row(use) for use in uses])


def _version_row(use: Use) -> tuple[Cell, Cell, str, str, str, Cell]:
    first, last = (f"{when:%Y-%m-%d %H:%M}" if when else "" for when in (use.first, use.last))
    kept = Cell("not kept", "red") if use.version is None else Cell(use.version.kept_at[:16].replace("T", " "))
    beside = f"imports {', '.join(use.version.siblings)}" if use.version and use.version.siblings else ""
    note = Cell("now", "green") if use.current else Cell(beside, "yellow")
    return Cell(use.code_hash[:8], "bold"), kept, first, last, str(use.runs), note


def _plain(use: Use) -> dict[str, Any]:
    version = use.version
    return {
        "code_hash": use.code_hash,
        "name": None if version is None else version.name,
        "kind": None if version is None else version.kind,
        "path": None if version is None else str(version.path),
        "kept_at": None if version is None else version.kept_at,
        "siblings": {} if version is None else dict(version.siblings),
        "current": use.current,
        "runs": use.runs,
        "first_run": None if use.first is None else use.first.isoformat(),
        "last_run": None if use.last is None else use.last.isoformat(),
    }


def restore(
    name: Annotated[str, typer.Argument(metavar="NAME@HASH", help="A version, as `versions` lists them.")],
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Write this file instead.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that differs; it is kept first.")] = False,
) -> None:
    """Write a version that was kept back to its file, and print the path."""
    from workbench.strategy.lifecycle import restore as write_back

    say(str(write_back(name, settings_here(), to=to, force=force)))


def compare(
    first: StrategyName,
    second: StrategyName,
    on: On = None,
    timeframe: Length = None,
    as_json: AsJson = False,
) -> None:
    """Show what differs between two strategies or versions; with --on, also their results side by side."""
    from workbench.research.lineage import changes

    settings = settings_here()
    change = changes(first, second, settings)
    results = _results((first, second), settings, on or [], timeframe)
    if as_json:
        parameters = {name: {"first": one, "second": other} for name, (one, other) in change.parameters.items()}
        said = {"names": change.names, "hashes": change.hashes, "parameters": parameters, "diff": change.diff}
        show_json({**said, "results": [{"name": name, "metrics": metrics} for name, metrics in results]})
        return
    _show_change(change)
    if results:
        _show_results(results)


def _show_change(change: Change) -> None:
    pairs = zip(change.names, change.hashes, strict=True)
    say(" and ".join(f"{name} ({code_hash[:8]})" for name, code_hash in pairs), "bold")
    if not change.diff:
        say("The sources are the same.")
        return
    if change.parameters:
        columns = [Column("Parameter"), *(Column(name) for name in change.names)]
        rows = [
            (Cell(name, "bold"), one or "none", other or "none") for name, (one, other) in change.parameters.items()
        ]
        show_table(columns, rows)
    say()
    show_code(change.diff, "diff")


def _results(
    names: tuple[str, str], settings: Settings, symbols: list[str], timeframe: str | None
) -> list[tuple[str, dict[str, Any]]]:
    """Backtest both with their defaults on the same series."""
    if not symbols:
        return []
    from workbench.backtest import backtest
    from workbench.errors import ConfigError
    from workbench.market.lake import Lake
    from workbench.strategy.loader import load_strategy

    if timeframe is None:
        raise ConfigError("--on needs --timeframe, such as --on BTC/USDT --timeframe 1d")
    lake = Lake(settings.lake_root)
    bars = [lake.read(symbol, timeframe) for symbol in symbols]
    cash = settings.backtest.cash
    return [(name, dict(backtest(load_strategy(name, settings=settings)(), bars, cash=cash).metrics)) for name in names]


def _show_results(results: list[tuple[str, dict[str, Any]]]) -> None:
    from workbench.risk.metrics import METRICS

    say()
    columns = [Column("Metric"), *(Column(name, number=True) for name, _ in results)]
    rows = [
        [METRICS[metric].label, *(METRICS[metric].text(metrics[metric]) for _, metrics in results)]
        for metric in results[0][1]
    ]
    show_table(columns, rows)


def retire(name: StrategyName, reason: Reason = "") -> None:
    """Retire a strategy: out of lists, refused to new backtests and reports unless named with its hash."""
    from workbench.strategy.lifecycle import retire as put_away

    _say_decision(put_away(name, settings_here(), reason=reason), "retired")


def unretire(name: StrategyName, reason: Reason = "") -> None:
    """Take a retired strategy back."""
    from workbench.strategy.lifecycle import unretire as take_back

    _say_decision(take_back(name, settings_here(), reason=reason), "taken back")


def _say_decision(made: Decision, word: str) -> None:
    version = f" at version {made.code_hash[:8]}" if made.code_hash else ""
    why = f": {made.reason}" if made.reason else ""
    say(f"{made.file} {word}{version} by {made.by}, {made.at[:16].replace('T', ' ')} UTC{why}")


def add_lifecycle(app: typer.Typer) -> None:
    """Put the commands into a group."""
    for command, name, lines in _COMMANDS:
        app.command(name, epilog=examples(*lines))(command)


_COMMANDS: Final[tuple[tuple[Callable[..., None], str, tuple[str, ...]], ...]] = (
    (new, "new", ("workbench strategies new my_trend", "workbench strategies new my_grid --template library:grid")),
    (edit, "edit", ("workbench strategies edit my_trend",)),
    (validate, "validate", ("workbench strategies validate my_trend", "workbench strategies validate dip.yaml --json")),
    (versions, "versions", ("workbench strategies versions sma_cross",)),
    (restore, "restore", ("workbench strategies restore sma_cross@3f2a9c --to old_cross.py",)),
    (
        compare,
        "compare",
        (
            "workbench strategies compare sma_cross@3f2a9c sma_cross",
            "workbench strategies compare sma_cross donchian_breakout --on BTC/USDT --timeframe 1d",
        ),
    ),
    (retire, "retire", ("workbench strategies retire sma_cross --reason 'worse than its benchmark since 2022'",)),
    (unretire, "unretire", ("workbench strategies unretire sma_cross",)),
)
