"""`workbench export`: tables of a saved result or a recorded run as CSV, JSON or Parquet, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from workbench.cli.console import Column, say, say_warning, show_table

if TYPE_CHECKING:
    from workbench.backtest.result import Result

__all__ = ["EXAMPLES", "export"]

EXAMPLES: Final = (
    "workbench export best.zip --to best --format parquet",
    "workbench export 931b30a9 --to btc --format csv --table trades --table equity",
    "workbench export --schema            what each column means",
)


def export(
    source: Annotated[
        str | None,
        typer.Argument(metavar="[RESULT]", help="A saved result (result.save), or the id of a recorded run."),
    ] = None,
    to: Annotated[Path, typer.Option("--to", "-o", metavar="DIR", help="Folder of the files; made if need be.")] = Path(
        "export"
    ),
    format: Annotated[str, typer.Option("--format", "-f", metavar="csv|json|parquet", help="Kind of file.")] = "csv",
    table: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="NAME", help="Only this table (trades, fills, orders, ...). Repeatable."),
    ] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Say what each column means, and export nothing.")] = False,
) -> None:
    """Write the tables of a result as CSV, JSON or Parquet, all of one schema, and print their paths.

    A recorded run is run again first, with its code and data as they were.
    """
    from workbench.backtest.export_schema import SCHEMA
    from workbench.backtest.export_tables import export_tables
    from workbench.errors import ConfigError

    if schema:
        _show_schema()
        return
    if source is None:
        raise ConfigError("say which result: a saved one (a path), or the id of a run that `workbench runs list` shows")
    for file in export_tables(_result(source), to, format, tables=table or tuple(SCHEMA)):
        say(str(file))


def _result(source: str) -> Result:
    from workbench.backtest.export import load_result

    if Path(source).exists():
        return load_result(source)
    return _run_again(source)


def _run_again(source: str) -> Result:
    from workbench.cli.place import settings_here
    from workbench.errors import ConfigError, RunError
    from workbench.research.rerunning import rerun

    if "/" in source or source.endswith(".zip"):
        raise ConfigError(f"{source}: there is no such file; save one with result.save({source!r})", path=source)
    found = rerun(source, settings=settings_here())
    if found.result is None:
        raise RunError(f"run {source} cannot be run again, so there is nothing to export: {'; '.join(found.causes)}")
    if not found.reproduced:
        say_warning(
            f"run {source} does not come out as recorded: {'; '.join(found.causes)}; exported is what it is now"
        )
    return found.result


def _show_schema() -> None:
    from workbench.backtest.export_schema import SCHEMA

    rows = [
        [name if place == 0 else "", column, one.kind, one.unit, one.meaning]
        for name, fields in SCHEMA.items()
        for place, (column, one) in enumerate(fields.items())
    ]
    show_table([Column("Table"), Column("Column"), Column("Kind"), Column("Unit"), Column("Meaning", wrap=True)], rows)
