"""`workbench strategies`: what there is to backtest, and what a strategy does."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.console import Cell, Column, say, show_code, show_json, show_table
from workbench.cli.options import AsJson, StrategyName, examples
from workbench.cli.place import settings_here
from workbench.cli.strategies_lifecycle import add_lifecycle
from workbench.cli.strategies_schema import add_schema

if TYPE_CHECKING:
    from workbench.strategy.loader import StrategyInfo
    from workbench.strategy.parameters import Parameter

__all__ = ["app"]

app = typer.Typer(help="The strategies of this workspace, from their beginning to their end.", no_args_is_help=True)
add_lifecycle(app)
add_schema(app)


@app.command("list", epilog=examples("workbench strategies list", "workbench strategies list --library"))
def list_all(
    library: Annotated[bool, typer.Option("--library", help="Also what comes with workbench.")] = False,
    retired: Annotated[bool, typer.Option("--retired", help="Also what was retired.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the strategies with their kind and parameters; those that cannot be loaded with the reason."""
    from workbench.strategy.loader import list_strategies

    folder = settings_here().strategies
    found = list_strategies(folder, library=library, retired=retired)
    if as_json:
        show_json([_plain(info) for info in found])
        return
    if not found:
        say(f"There are no strategies in {folder}: `workbench strategies new NAME` writes one.")
        return
    columns = [
        Column("Name"), Column("Kind"), Column("Parameters", wrap=True), Column("What it does", wrap=True),
        Column("Code"),
    ]  # fmt: skip
    show_table(columns, [_row(info) for info in found])
    for info in found:
        if info.error:
            say(f"{info.name} cannot be loaded: {info.error}", "red")


def _row(info: StrategyInfo) -> tuple[Cell, Cell, str, Cell, Cell]:
    if info.error:
        why = Cell("cannot be loaded, see below", "red")
        return Cell(info.name, "bold red"), Cell(info.kind, "dim"), "", why, Cell("")
    parameters = ", ".join(f"{one.name}={one.default!r}{_bounds(one, ' ({})')}" for one in info.parameters)
    return (
        Cell(info.name, "bold"),
        Cell(info.kind, "dim"),
        parameters,
        Cell(info.summary),
        Cell(info.code_hash[:8], "dim"),
    )


def _bounds(one: Parameter, shape: str = "{}") -> str:
    if one.choices is not None:
        return shape.format(", ".join(map(repr, one.choices)))
    match one.low is not None, one.high is not None:
        case True, True:
            return shape.format(f"{one.low:g} to {one.high:g}")
        case True, False:
            return shape.format(f"from {one.low:g}")
        case False, True:
            return shape.format(f"up to {one.high:g}")
    return ""


def _plain(info: StrategyInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "kind": info.kind,
        "path": str(info.path),
        "summary": info.summary,
        "code_hash": info.code_hash,
        "parameters": [
            {
                "name": one.name,
                "kind": one.kind.__name__,
                "default": one.default,
                "low": one.low,
                "high": one.high,
                "choices": one.choices,
                "optional": one.optional,
                "doc": one.doc,
            }
            for one in info.parameters
        ],
        "error": info.error,
    }


@app.command(
    "show",
    epilog=examples(
        "workbench strategies show sma_cross",
        "workbench strategies show my_file:MyStrategy",
        "workbench strategies show library:grid",
        "workbench strategies show sma_cross@3f2a9c",
    ),
)
def show(name: StrategyName) -> None:
    """Show a strategy: what it does, its parameters, its source."""
    from workbench.strategy.loader import load_strategy
    from workbench.strategy.versions import source_of

    strategy = load_strategy(name, settings=settings_here())
    module = inspect.getmodule(strategy)
    say(f"{strategy.__name__}, {getattr(module, '__file__', 'built in')}, code {strategy().code_hash}", "bold")
    say()
    say(inspect.cleandoc(strategy.__doc__ or "It has no description."))
    say()
    if strategy.declared:
        columns = [
            Column("Parameter"),
            Column("Type"),
            Column("Default", number=True),
            Column("Range"),
            Column("Meaning", wrap=True),
        ]
        show_table(columns, [_parameter_row(one) for one in strategy.declared.values()])
        say()
    rules = str(getattr(module, "__file__", "")).endswith((".yaml", ".yml"))
    show_code(source_of(strategy), "yaml" if rules else "python")


def _parameter_row(one: Parameter) -> tuple[Cell, str, str, str, str]:
    kind = f"{one.kind.__name__} or None" if one.optional else one.kind.__name__
    return Cell(one.name, "bold"), kind, repr(one.default), _bounds(one), one.doc
