"""`workbench metrics`: what each number of a report means, where it comes from, and where other packages differ."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from workbench.cli.console import Cell, Column, say, show_json, show_table
from workbench.cli.options import AsJson, examples
from workbench.errors import DataError

__all__ = ["app"]

app = typer.Typer(help="The metrics: formula, convention, source, and how others compute them.", no_args_is_help=True)

_SAID = ("label", "group", "unit", "formula", "convention", "annualised", "better", "source", "needs")


@app.command("list", epilog=examples("workbench metrics list", "workbench metrics list --group drawdown"))
def list_all(
    group: Annotated[
        str | None, typer.Option("--group", metavar="NAME", help="return, variation, ratio, drawdown, tail, ...")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the metrics with their unit, formula and source."""
    from workbench.risk.metrics import METRICS

    groups = list(dict.fromkeys(one.group for one in METRICS.values()))
    if group is not None and group not in groups:
        raise DataError(f"there is no group {group!r} of metrics; there are {', '.join(groups)}")
    found = sorted(
        ((name, one) for name, one in METRICS.items() if group in (None, one.group)),
        key=lambda pair: groups.index(pair[1].group),
    )
    if as_json:
        show_json([{"name": name, **{key: getattr(one, key) for key in _SAID}} for name, one in found])
        return
    columns = [
        Column("Group"),
        Column("Name"),
        Column("Unit"),
        Column("Formula", wrap=True),
        Column("Source", wrap=True),
    ]
    show_table(
        columns,
        [(Cell(one.group, "dim"), Cell(name, "bold"), one.unit, one.formula, one.source) for name, one in found],
    )


@app.command("show", epilog=examples("workbench metrics show sharpe_ratio"))
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `workbench metrics list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Show a metric: formula, convention, source, what it gives at the edges, and where other packages differ."""
    from workbench.risk.metrics import METRICS, differences, explain

    said = explain(name)
    if as_json:
        told = differences(name).to_dict("records")
        about = {key: getattr(METRICS[name], key) for key in _SAID}
        show_json(
            {"name": name, **about, "peers": [{str(key): _plain(one) for key, one in row.items()} for row in told]}
        )
        return
    say(str(said))


@app.command("differences", epilog=examples("workbench metrics differences", "workbench metrics differences alpha"))
def differ(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One metric; all of them without it.")] = None,
    as_json: AsJson = False,
) -> None:
    """List where empyrical, quantstats, ffn, vectorbt and others give another number, who is right, and why."""
    from workbench.risk.metrics import differences

    table = differences(name)
    table = table[table["right"] != "equal"]
    if as_json:
        show_json([{str(key): _plain(one) for key, one in row.items()} for row in table.to_dict("records")])
        return
    if table.empty:
        say(f"No package is known to give another number of {name}.")
        return
    columns = [Column("Metric"), Column("Peer"), Column("Ours", number=True), Column("Theirs", number=True),
               Column("Right"), Column("Why", wrap=True)]  # fmt: skip
    show_table(columns, [_row(row) for row in table.to_dict("records")])


def _row(row: Mapping[Any, Any]) -> tuple[str | Cell, ...]:
    why = f"{row['why']} ({row['case']})" if row["case"] else row["why"]
    peer = f"{row['peer']} {row['version']}"
    return Cell(row["metric"], "bold"), peer, _short(row["ours"]), _short(row["theirs"]), row["right"], why


def _short(value: float) -> str:
    return "\N{EN DASH}" if math.isnan(value) else f"{value:.6g}"


def _plain(value: Any) -> Any:
    """Give None for what JSON has no number for."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
