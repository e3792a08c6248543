"""`workbench indicators`: what can be computed from bars, and what each indicator takes, gives and needs."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.console import Cell, Column, say, show_json, show_table
from workbench.cli.options import AsJson, examples

if TYPE_CHECKING:
    from workbench.indicators.indicator import Indicator

__all__ = ["app"]

app = typer.Typer(help="The indicators, and those of the package ta.", no_args_is_help=True)

GroupName = Annotated[
    str | None,
    typer.Option("--group", metavar="NAME", help="trend, momentum, volatility, ...; ta for the bridge."),
]


@app.command("list", epilog=examples("workbench indicators list", "workbench indicators list --group momentum"))
def list_all(group: GroupName = None, as_json: AsJson = False) -> None:
    """List the indicators by group, with their parameters, bounds, warm-up and outputs."""
    from workbench.indicators import registry

    if group == "ta":
        _list_bridge(as_json)
        return
    found = [registry.get(name) for name in registry.names(group)]
    if as_json:
        show_json([_plain(one) for one in found])
        return
    columns = [
        Column("Group"),
        Column("Name"),
        Column("Reads"),
        Column("Parameters", wrap=True),
        Column("Gives", wrap=True),
        Column("Warm-up", number=True),
        Column("What it is", wrap=True),
    ]
    show_table(columns, [_row(one) for one in found])


def _list_bridge(as_json: bool) -> None:
    """List the columns of ta and when they are refused, without loading ta."""
    from workbench.indicators import ta_bridge

    found = {name: ta_bridge.verdicts(name) for name in ta_bridge.names()}
    if as_json:
        show_json([{"name": name, "refused": [one.reason for one in given]} for name, given in found.items()])
        return
    rows = [
        (
            Cell(name, "bold red" if any(not one.when for one in given) else "bold"),
            "; ".join(one.reason for one in given),
        )
        for name, given in found.items()
    ]
    show_table([Column("Name"), Column("Refused", wrap=True)], rows)


def _row(one: Indicator) -> tuple[str | Cell, ...]:
    parameters = ", ".join(f"{name}={value!r}{_bounds(one, name, ' ({})')}" for name, value in one.defaults.items())
    gives = ", ".join(one.outputs) if one.lines else ""
    bars = str(_warm_up(one))
    return Cell(one.group, "dim"), Cell(one.name, "bold"), ", ".join(one.inputs), parameters, gives, bars, one.summary


def _bounds(one: Indicator, name: str, shape: str = "{}") -> str:
    if name not in one.bounds:
        return ""
    low, high = one.bounds[name]
    return shape.format(f"{low:g} to {high:g}")


def _warm_up(one: Indicator) -> int:
    """How many bars it takes, with the defaults, until every output has a value."""
    return max(one.first(*one.parameters())) + 1


def _plain(one: Indicator) -> dict[str, Any]:
    return {
        "name": one.name,
        "group": one.group,
        "summary": one.summary,
        "inputs": list(one.inputs),
        "parameters": [
            {"name": name, "default": value, "low": one.bounds.get(name, (None, None))[0],
             "high": one.bounds.get(name, (None, None))[1]}
            for name, value in one.defaults.items()
        ],
        "outputs": list(one.outputs),
        "unit": one.unit,
        "warm_up": _warm_up(one),
        "cumulative": one.cumulative,
        "source": one.source,
    }  # fmt: skip


@app.command("show", epilog=examples("workbench indicators show rsi", "workbench indicators show ta:trend.kst"))
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `workbench indicators list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Show an indicator: its documentation, parameters, warm-up, source, and how it is called."""
    from workbench.indicators import registry, ta_bridge

    one = registry.get(name, force=True)
    refused = ta_bridge.verdicts(name) if one.group == "ta" else ()
    if as_json:
        show_json({**_plain(one), "refused": [verdict.reason for verdict in refused]})
        return
    say(f"{one.name}, {one.group}", "bold")
    for verdict in refused:
        say(f"Refused unless forced: {verdict.reason}", "red")
    say()
    say(inspect.cleandoc(one.function.__doc__ or "It has no description."))
    say()
    if one.defaults:
        columns = [Column("Parameter"), Column("Default", number=True), Column("Range")]
        show_table(
            columns, [(Cell(key, "bold"), repr(value), _bounds(one, key)) for key, value in one.defaults.items()]
        )
        say()
    firsts = ", ".join(
        f"{output} {index + 1}" for output, index in zip(one.outputs, one.first(*one.parameters()), strict=True)
    )
    say(f"Warm-up:  {firsts} bars with the defaults")
    if one.cumulative:
        say("          its level depends on where the series begins: use its changes, or compare it with its own mean")
    say(f"Unit:     {one.unit}")
    say(f"Source:   {one.source}")
    given = ", ".join([repr(one.name), "bars", *(f"{key}={value!r}" for key, value in one.defaults.items())])
    forced = ", force=True" if any(not verdict.when for verdict in refused) else ""
    say(f"Example:  wb.indicators.compute({given}{forced})")
