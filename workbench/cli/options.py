"""Arguments and options that several commands share, and how examples are put below a command's help."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workbench.cli.completion import series_symbols, strategy_names

__all__ = [
    "AsCsv",
    "AsJson",
    "Cash",
    "Cluster",
    "End",
    "Fee",
    "Leverage",
    "Param",
    "Sizing",
    "SlippageBps",
    "Start",
    "StrategyName",
    "Symbol",
    "Timeframe",
    "Venue",
    "examples",
    "sized",
]

StrategyName = Annotated[
    str,
    typer.Argument(
        metavar="STRATEGY",
        autocompletion=strategy_names,
        help="A file in the strategies folder (name.yaml for rules beside code of one name), a path, or library:NAME. "
        "Where a file has several strategies: file:Class. A version that was kept: name@HASH.",
    ),
]
Symbol = Annotated[
    str, typer.Argument(metavar="SYMBOL", autocompletion=series_symbols, help="As `workbench data list` shows it.")
]
Timeframe = Annotated[
    str, typer.Argument(metavar="TIMEFRAME", help="Length of a bar: a number and s, m, h, d or w, such as 15m or 1d.")
]
Venue = Annotated[str | None, typer.Option(metavar="NAME", help="Needed only where several venues have the series.")]
Start = Annotated[
    str | None, typer.Option(metavar="TIME", help="First bar, such as 2021-01-31 or 2021-01-31T14:00 (UTC).")
]
End = Annotated[str | None, typer.Option(metavar="TIME", help="Bars that open before this time (UTC).")]
Sizing = Annotated[
    str | None,
    typer.Option(
        metavar="KIND", help="How large entries are, as in a rule file: 'fixed_risk: 0.01' (see strategies/RULES.md)."
    ),
]
Cash = Annotated[float | None, typer.Option(metavar="AMOUNT", help="Starting cash, in the quote currency.")]
Fee = Annotated[float | None, typer.Option(metavar="FRACTION", help="Fee of each order; 0.001 is 0.1 %.")]
SlippageBps = Annotated[float | None, typer.Option(metavar="BPS", help="Slippage in basis points.")]
Leverage = Annotated[float | None, typer.Option(metavar="TIMES", help="Notional for each unit of margin.")]
Param = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of the strategy. Repeatable."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV, for programs.")]

Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Run on the workers of a dask cluster, such as tcp://127.0.0.1:8786 (see `workbench cluster`).",
    ),
]


def sized(text: str | None) -> dict[str, Any]:
    """Read `--sizing` into the keyword of `wb.Rules`; nothing where it is left out."""
    if text is None:
        return {}
    from workbench.strategy.rules.sizes import sizing_in

    return {"sizing": sizing_in(text, "--sizing")}


def examples(*lines: str) -> str:
    """Write the examples of a command as the text below its help."""
    return "\n".join(["[bold]Examples[/bold]", *(f"  {line}".replace("[", r"\[") for line in lines)])
