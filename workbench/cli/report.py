"""`workbench report`: notebooks into reports, what was run, and the newest page."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.completion import report_names
from workbench.cli.console import Cell, Column, say, say_error, show_json, show_table
from workbench.cli.options import AsJson, Cluster, examples
from workbench.cli.place import settings_here

if TYPE_CHECKING:
    from workbench.settings import Settings

__all__ = ["app"]

app = typer.Typer(help="Reports: run them, list what was run, open the newest.", no_args_is_help=True)


@app.command(
    "run",
    epilog=examples(
        "workbench report run nightly",
        "workbench report run nightly --resume       only what did not succeed",
        "workbench report run nightly --workers 8",
        "workbench report run nightly --cluster tcp://127.0.0.1:8786",
    ),
)
def run(
    name: Annotated[
        str, typer.Argument(metavar="NAME", autocompletion=report_names, help="NAME.toml in the reports folder.")
    ],
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the newest batch: repeat only what did not succeed.")
    ] = False,
    workers: Annotated[int | None, typer.Option(min=1, max=64, metavar="N", help="Notebooks at the same time.")] = None,
    cluster: Cluster = None,
) -> None:
    """Run the notebooks of a report and write its pages. The last line is the path of the index page.

    One notebook that fails does not stop the others; the index says what failed and why, and the exit code is 1.
    """
    from workbench.reporting.pipeline import run_report
    from workbench.reporting.progress import progress_on

    report = run_report(
        name,
        settings=settings_here(),
        resume=resume,
        workers=workers,
        progress=progress_on(sys.stderr),
        executor=cluster,
    )
    good, total = sum(run.succeeded for run in report.runs), len(report.runs) + len(report.not_run)
    print(f"{good} of {total} runs succeeded, {report.duration_s:.0f} s", file=sys.stderr, flush=True)
    print(report.index.resolve())
    if report.interrupted:
        say_error(f"stopped by Ctrl-C; `workbench report run {name} --resume` does the rest")
        raise typer.Exit(130)
    if report.failed:
        raise typer.Exit(1)


@app.command("list", epilog=examples("workbench report list", "workbench report list nightly --json"))
def list_reports(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", autocompletion=report_names, help="Only this report.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the reports and what became of each time they were run, newest first."""
    from workbench.reporting import batch
    from workbench.research.ledger import Ledger

    settings = settings_here()
    defined = [info.name for info in batch.list_reports(settings)]
    rows = Ledger(settings.ledger_root).batches(name).to_dict(orient="records")
    runs: list[dict[str, Any]] = [
        {**{str(key): value for key, value in row.items()}, "index": _index(settings, row["report"], row["batch"])}
        for row in rows
    ]
    if as_json:
        show_json({"reports": defined, "batches": runs})
        return
    never = [report for report in defined if report not in {row["report"] for row in runs} and name in (None, report)]
    if runs:
        _show_batches(runs)
    for report in never:
        say(f"{report} has not been run yet: workbench report run {report}")
    if not runs and not never:
        say(f"There is no report {name or ''} in {settings.reports}.".replace("  ", " "))


def _index(settings: Settings, report: str, batch: str) -> str | None:
    from workbench.reporting.batch import output_folder

    page = output_folder(report, settings) / batch / "index.html"
    return str(page) if page.is_file() else None


def _show_batches(runs: list[dict[str, Any]]) -> None:
    columns = [
        Column("Report"), Column("Started (UTC)"), Column("Took", number=True), Column("Runs", number=True),
        Column("Succeeded", number=True), Column("Failed", number=True), Column("Index", wrap=True),
    ]  # fmt: skip
    show_table(
        columns,
        [
            (
                Cell(row["report"], "bold"), f"{row['started']:%Y-%m-%d %H:%M}",
                f"{(row['finished'] - row['started']).total_seconds():,.0f} s", str(row["runs"]), str(row["succeeded"]),
                Cell(str(row["failed"]), "bold red" if row["failed"] else "dim"), row["index"] or "no page",
            )
            for row in runs
        ],
    )  # fmt: skip


@app.command("open", epilog=examples("workbench report open", "workbench report open nightly --print"))
def open_report(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", autocompletion=report_names, help="Of this report, else of the one run last."),
    ] = None,
    only_print: Annotated[bool, typer.Option("--print", help="Print the path; open nothing.")] = False,
) -> None:
    """Open the newest index page in a browser, and print its path."""
    index = _newest(settings_here(), name)
    print(index, flush=True)
    if not only_print and _has_browser():
        import webbrowser

        webbrowser.open(index.as_uri())


def _newest(settings: Settings, name: str | None) -> Path:
    from workbench.errors import ConfigError
    from workbench.reporting.batch import latest_index, list_reports
    from workbench.reporting.definition import load_definition

    if name is not None:
        load_definition(name, settings)  # says so when there is no such report
        index = latest_index(name, settings)
        if index is None:
            raise ConfigError(f"report {name!r} has not been run yet: `workbench report run {name}`", name=name)
        return index
    found = [info.latest for info in list_reports(settings) if info.latest]
    if not found:
        raise ConfigError(f"no report of {settings.root} has been run yet: `workbench report run nightly`")
    return max(found, key=lambda index: index.parent.name)


def _has_browser() -> bool:
    """Tell whether a browser could show itself; without a display one in the terminal would only be in the way."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
