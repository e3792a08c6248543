"""`workbench runs …`: the run ledger: what was computed, whether it still holds, and the best of every study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.console import Cell, Column, say, show_json, show_table
from workbench.cli.options import AsJson, examples
from workbench.cli.place import settings_here

if TYPE_CHECKING:
    import pandas as pd

    from workbench.research.ledger import Ledger
    from workbench.research.rerunning import Rerun
    from workbench.research.run import Run

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Look up, compare, run again and export what was computed.")

RunId = Annotated[str, typer.Argument(metavar="ID", help="Of a run, or a beginning or end of it that no other has.")]
RunIds = Annotated[list[str], typer.Argument(metavar="ID...", help="Of runs; a beginning or end of each is enough.")]
OfStudy = Annotated[str | None, typer.Option("--study", metavar="NAME", help="Only runs of this study.")]
OfReport = Annotated[str | None, typer.Option("--report", metavar="NAME", help="Only runs of this report.")]
_SHOWN: Final = ("total_return", "sharpe_ratio", "max_drawdown", "trades")
_KINDS: Final = {"data": "red", "code": "red", "terms": "red", "chance": "red", "version": "yellow"}


def _ledger() -> Ledger:
    from workbench.research.ledger import Ledger

    return Ledger(settings_here().ledger_root)


def _metric(name: str, value: Any) -> str:
    from workbench.risk.metrics import METRICS

    if name in METRICS:
        return METRICS[name].text(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


@app.command("list", epilog=examples("workbench runs list", "workbench runs list --study 'sma on btc' --tag good"))
def list_runs(
    study: OfStudy = None,
    report: OfReport = None,
    tag: Annotated[str | None, typer.Option("--tag", metavar="TAG", help="Only runs with this tag.")] = None,
    most: Annotated[int, typer.Option("--most", metavar="N", min=1, help="How many to show.")] = 30,
    as_json: AsJson = False,
) -> None:
    """List recorded runs, newest first."""
    frame = _chosen(_ledger().runs(report), study, tag)
    if as_json:
        show_json([_plain(row) for row in frame.head(most).to_dict("records")])
        return
    if frame.empty:
        say("No such run is recorded. A report records its runs; in a notebook: with wb.study('name'): wb.backtest(…)")
        return
    columns = [
        Column("Run"), Column("When (UTC)"), Column("Study or report", cut=True), Column("What", cut=True),
        Column("On"), Column("Return", number=True), Column("Sharpe", number=True), Column("Drawdown", number=True),
        Column("Trades", number=True), Column("Tags", cut=True),
    ]  # fmt: skip
    show_table(columns, [_row(row) for row in frame.head(most).to_dict("records")])
    if len(frame) > most:
        say(f"{len(frame) - most:,} more; --most {len(frame)} shows all", "dim")


def _chosen(frame: pd.DataFrame, study: str | None, tag: str | None) -> pd.DataFrame:
    import json

    from workbench.errors import ConfigError

    if study is not None:
        known = sorted({str(one) for one in frame["study"].dropna()})
        if study not in known:
            import difflib

            near = difflib.get_close_matches(study, known, n=1) or known[:5]
            raise ConfigError(f"--study {study!r}: no run is of such a study; there are {', '.join(near) or 'none'}")
        frame = frame[frame["study"] == study]
    if tag is not None:
        frame = frame[[tag in json.loads(text) for text in frame["tags"]]]
    return frame


def _row(row: Mapping[Any, Any]) -> list[str | Cell]:
    import json

    where = row["study"] if isinstance(row["study"], str) else row["report"]
    market = " ".join(str(row[name]) for name in ("symbol", "timeframe") if isinstance(row[name], str))
    well = row["status"] == "succeeded"
    numbers: list[str | Cell] = [_metric(name, row.get(name)) if well else "" for name in _SHOWN]
    what = Cell(str(row["name"])) if well else Cell(f"{row['name']}: {row['status']}", "red")
    tags = Cell(", ".join(json.loads(row["tags"])), "cyan")
    when = f"{row['finished']:%Y-%m-%d %H:%M}"
    return [Cell(_short(row["run_id"]), "bold"), when, str(where), what, market, *numbers, tags]


def _short(run_id: str) -> str:
    """Give the random end of an id: eight digits that name the run."""
    return run_id.rsplit("-", 1)[-1]


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    import json

    from workbench.research.run import JSON_FIELDS

    return {
        name: json.loads(value) if name in JSON_FIELDS and isinstance(value, str) else value
        for name, value in row.items()
    }


@app.command(epilog=examples("workbench runs show 931b30a9"))
def show(run_id: RunId, as_json: AsJson = False) -> None:
    """Show all that is recorded of a run."""
    run = _ledger().run(run_id)
    if as_json:
        show_json({**_facts(run), "metrics": dict(run.metrics)})
        return
    say(f"{run.run_id}  {run.name}", "bold")
    hidden = ("series", "run_id", "name")
    facts = {name: value for name, value in _facts(run).items() if value not in (None, "", (), {}, 0.0)}
    told = [[name.replace("_", " "), _said(value)] for name, value in facts.items() if name not in hidden]
    show_table([Column(""), Column("", wrap=True)], told)
    say()
    rows = [[_label(name), _metric(name, run.metrics[name])] for name in _ordered(run.metrics)]
    show_table([Column("Metric"), Column("Value", number=True)], rows)


def _ordered(metrics: Mapping[str, Any]) -> list[str]:
    """Put the metrics in the order in which a backtest prints them, what else was recorded after them."""
    from workbench.risk.metrics import HEADLINE, METRICS

    known = [*HEADLINE, *METRICS]
    return sorted(metrics, key=lambda name: known.index(name) if name in known else len(known))


def _facts(run: Run) -> dict[str, Any]:
    from dataclasses import fields

    return {one.name: getattr(run, one.name) for one in fields(run) if one.name not in ("metrics", "curves")}


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={one}" for name, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _label(name: str) -> str:
    from workbench.risk.metrics import METRICS

    return METRICS[name].label if name in METRICS else name.replace("_", " ")


@app.command(epilog=examples("workbench runs compare 931b30a9 4bccff31", "workbench runs compare 93 4b --all"))
def compare(
    ids: RunIds,
    everything: Annotated[bool, typer.Option("--all", help="Also what is the same.")] = False,
    as_json: AsJson = False,
) -> None:
    """Set runs side by side and show what differs."""
    frame = _ledger().compare(ids)
    shown = frame if everything else frame[frame["differs"]]
    names = [name for name in frame.columns if name != "differs"]
    if as_json:
        show_json([{"kind": kind, "name": name, "values": dict(zip(names, row, strict=True))}
                   for (kind, name), row in zip(shown.index, shown[names].to_numpy(), strict=True)])  # fmt: skip
        return
    if shown.empty:
        say("The runs are the same in all that is recorded.")
        return
    rows = [
        [kind, _label(name) if kind == "metric" else name, *(_metric(name, value) for value in row)]
        for (kind, name), row in zip(shown.index, shown[names].to_numpy(), strict=True)
    ]
    show_table([Column(""), Column("Name"), *(Column(_short(name), number=True) for name in names)], rows)


@app.command(
    epilog=examples("workbench runs export runs.parquet", "workbench runs export btc.csv --study 'sma on btc'")
)
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Its ending says what it is: .csv, .json, .parquet.")],
    study: OfStudy = None,
    report: OfReport = None,
) -> None:
    """Write the table of runs to a file, and print its path."""
    say(str(_ledger().export(file, report=report, study=study)))


@app.command(epilog=examples("workbench runs rerun 931b30a9"))
def rerun(run_id: RunId, as_json: AsJson = False) -> None:
    """Run a recorded run again, with its code and data as they were. Ends with 1 if the numbers are others."""
    from workbench.research.rerunning import rerun as again

    found = again(run_id, settings=settings_here())
    if as_json:
        show_json({"run_id": found.run.run_id, "reproduced": found.reproduced, "ran": found.result is not None,
                   "causes": found.causes, "differences": found.differences.to_dict("records")})  # fmt: skip
    else:
        _show_rerun(found)
    if not found.reproduced:
        raise typer.Exit(1)


def _show_rerun(found: Rerun) -> None:
    run = found.run
    say(f"{run.run_id}  {run.name} on {run.symbol} {run.timeframe}", "bold")
    if found.reproduced:
        numbers = sum(isinstance(value, int | float) for value in run.metrics.values())
        say(f"Reproduced: all {numbers} numbers are as recorded.", "green")
    else:
        say("Not run." if found.result is None else f"{len(found.differences)} numbers are others.", "bold red")
    if found.causes:
        columns = [Column("Changed"), Column("What", wrap=True)]
        parts = [cause.split(": ", 1) for cause in found.causes]
        show_table(columns, [[Cell(part[0], _KINDS.get(part[0], "")), part[-1]] for part in parts])
    if len(found.differences):
        columns = [Column("Metric"), Column("Recorded", number=True), Column("Now", number=True)]
        rows = [[_label(one), *(_metric(one, x) for x in pair)] for one, *pair in found.differences.to_numpy().tolist()]
        show_table(columns, rows)


@app.command(epilog=examples("workbench runs prune --older-than 180d", "workbench runs prune --older-than 1d --yes"))
def prune(
    older_than: Annotated[str, typer.Option("--older-than", metavar="AGE", help="Such as 90d, 12w or 36h.")],
    keep: Annotated[int, typer.Option(metavar="N", min=0, help="Newest runs of each study or report that stay.")] = 10,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it is only said what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take old runs without tags and notes out of the ledger. The trials that they were still count."""
    gone = _ledger().prune(older_than=older_than, keep=keep, dry_run=not yes)
    if as_json:
        show_json({"done": yes, "runs": gone["run_id"].tolist()})
        return
    runs = "1 run" if len(gone) == 1 else f"{len(gone):,} runs"
    say(f"{runs} taken out; as trials they still count." if yes else f"{runs} would go; --yes does it.")


@app.command(epilog=examples("workbench runs tag 931b30a9 --add good", "workbench runs tag 93 4b --remove good"))
def tag(
    ids: RunIds,
    add: Annotated[list[str] | None, typer.Option("--add", metavar="TAG", help="Repeatable.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", metavar="TAG", help="Repeatable.")] = None,
) -> None:
    """Give runs tags, or take tags away."""
    from workbench.errors import ConfigError

    if not add and not remove:
        raise ConfigError("no tag is given: --add TAG or --remove TAG")
    ledger = _ledger()
    ledger.tag(ids, *(add or ()))
    ledger.tag(ids, *(remove or ()), remove=True)
    for one in ids:
        run = ledger.run(one)
        say(f"{run.run_id}  {', '.join(run.tags) or 'no tags'}")


@app.command(epilog=examples("workbench runs note 931b30a9 'the stop was too tight'"))
def note(run_id: RunId, text: Annotated[str, typer.Argument(metavar="TEXT")]) -> None:
    """Add a note to a run; what was noted before stays."""
    ledger = _ledger()
    ledger.note(run_id, text)
    say(ledger.run(run_id).note)


@app.command(epilog=examples("workbench runs leaderboard", "workbench runs leaderboard --metric calmar_ratio"))
def leaderboard(
    metric: Annotated[str, typer.Option(metavar="NAME", help="What to rank by.")] = "sharpe_ratio",
    most: Annotated[int, typer.Option("--most", metavar="N", min=1, help="How many to show.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the best of every study, beside the number of trials that it was chosen from."""
    from workbench.research.ranking import leaderboard as ranked

    frame = ranked(metric, settings=settings_here()).head(most)
    if as_json:
        show_json(frame.to_dict("records"))
        return
    if frame.empty:
        say("No trial is recorded yet: with wb.study('name'): wb.backtest(…)")
        return
    columns = [
        Column("", number=True), Column("Study", cut=True), Column("Strategy", cut=True), Column("On"),
        Column(_label(metric), number=True), Column("Trials", number=True), Column("Distinct", number=True),
        Column("Linked", number=True), Column("Deflated Sharpe", number=True), Column("Run"),
    ]  # fmt: skip
    show_table(columns, [_ranked(place, metric, row) for place, row in enumerate(frame.to_dict("records"), 1)])
    say(
        "Deflated Sharpe: probability that the best is more than luck among that many trials, linked ones counted.",
        "dim",
    )


def _ranked(place: int, metric: str, row: Mapping[Any, Any]) -> list[str]:
    deflated = row["deflated_sharpe"]
    return [
        str(place), row["study"], row["strategy"], f"{row['symbol']} {row['timeframe']}", _metric(metric, row["value"]),
        *(f"{row[name]:,}" for name in ("trials", "distinct", "linked")),
        "\N{EN DASH}" if deflated != deflated else f"{deflated:.3f}", _short(row["run_id"]),
    ]  # fmt: skip


@app.command(epilog=examples("workbench runs sql 'SELECT study, max(sharpe_ratio) FROM runs GROUP BY study'"))
def sql(query: Annotated[str, typer.Argument(metavar="QUERY")], as_json: AsJson = False) -> None:
    """Ask the ledger in SQL; it sees the tables runs and trials, and can only read."""
    frame = _ledger().sql(query)
    rows = frame.to_numpy(dtype=object).tolist()
    if as_json:
        show_json([dict(zip(frame.columns, row, strict=True)) for row in rows])
        return
    kinds = [frame.dtypes.iloc[place].kind in "iuf" for place in range(len(frame.columns))]
    columns = [Column(str(name), number=kind) for name, kind in zip(frame.columns, kinds, strict=True)]
    show_table(columns, [[_cell(value) for value in row] for row in rows])


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.6g}"
    return "" if value is None or str(value) in ("NaT", "<NA>") else str(value)
