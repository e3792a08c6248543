"""`workbench practice`: a venue on loopback to practise against, and the scenarios of what goes wrong there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.completion import scenario_names, series_symbols
from workbench.cli.console import Cell, Column, say, show_json, show_table
from workbench.cli.options import AsJson, End, Start, Venue, examples
from workbench.cli.words import percent

if TYPE_CHECKING:
    from workbench.practice.faults_scenario import Scenario

__all__ = ["app"]

_DURATIONS: Final = frozenset(("ban", "high", "hold", "lasting", "low", "ms", "retry_after", "skew"))

app = typer.Typer(help="A practice exchange: a venue on loopback that real clients can talk to.", no_args_is_help=True)

_ScenarioName = Annotated[
    str,
    typer.Argument(
        metavar="SCENARIO", autocompletion=scenario_names, help="A .yaml or .json file, or one of the ready-made ones."
    ),
]


@app.command(
    "serve",
    epilog=examples(
        "workbench practice serve                                  synthetic BTC/USDT and ETH/USDT, in real time",
        "workbench practice serve BTC/USDT --speed 60 --scenario bad_day",
        "workbench practice serve BTC/USDT ETH/USDT --timeframe 1m --start 2021-05-19 --speed 600",
        "workbench practice serve SOL/USDT --synthetic --seed 7 --protocol binance --protocol kraken",
        "workbench practice serve --tape btc-monday --speed 10",
    ),
)
def serve(
    symbols: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SYMBOL]...",
            autocompletion=series_symbols,
            help="Series of the lake to replay; with --synthetic, or where none is named, markets that are made up.",
        ),
    ] = None,
    timeframe: Annotated[
        str | None, typer.Option(metavar="TIMEFRAME", help="Bars to replay; the finest in the lake when left out.")
    ] = None,
    venue: Venue = None,
    start: Start = None,
    end: End = None,
    speed: Annotated[
        float, typer.Option(metavar="TIMES", help="Of the exchange's clock; 60 is a minute a second.")
    ] = 1,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Make the markets up, from a seed.")] = False,
    tape: Annotated[
        str | None, typer.Option(metavar="NAME", help="Replay the trades of a tape (`workbench data tapes`) instead.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Of synthetic markets, and instead of the scenario's own.")
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(metavar="FILE|NAME", autocompletion=scenario_names, help="What goes wrong; nothing if left out."),
    ] = None,
    protocol: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A venue to speak for: binance or kraken. Repeatable.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of loopback; a free one when left out.")] = 0,
) -> None:
    """Serve markets to real exchange clients on this machine, until Ctrl-C.

    Nothing here reaches a real venue. While it runs, commands with --practice and wb.practice.connect find it by the
    file data/practice/route.json.
    """
    from workbench.cli.practice_serve import Wanted, serve_until_stopped

    wanted = Wanted(
        symbols=tuple(symbols or ()), timeframe=timeframe, venue=venue, start=start, end=end, speed=speed,
        synthetic=synthetic, tape=tape, seed=seed, scenario=scenario, protocols=tuple(protocol or ("binance",)),
        port=port,
    )  # fmt: skip
    serve_until_stopped(wanted)


@app.command(
    "scenario",
    epilog=examples("workbench practice scenario bad_day", "workbench practice scenario my_scenario.yaml --json"),
)
def scenario(scenario: _ScenarioName, as_json: AsJson = False) -> None:
    """Check a scenario, and list what goes wrong in it."""
    from workbench.practice.faults_scenario import load_scenario

    found = load_scenario(scenario)
    if as_json:
        show_json(found.model_dump(mode="json", exclude_defaults=True))
        return
    say(found.name or scenario, "bold")
    if found.description:
        say(found.description)
    columns = [Column("", number=True), Column("Fault"), Column("At", wrap=True), Column("When", wrap=True),
               Column("How", wrap=True)]  # fmt: skip
    show_table(columns, [(str(number), *_row(rule)) for number, rule in enumerate(found.rules, 1)])
    say(f"{_count(len(found.rules))}, seed {found.seed}: the scenario is right.", "dim")


@app.command("scenarios", epilog=examples("workbench practice scenarios", "workbench practice scenarios --json"))
def scenarios(as_json: AsJson = False) -> None:
    """List the scenarios that come with workbench."""
    from workbench.practice.faults_scenario import load_scenario
    from workbench.practice.faults_scenario import scenarios as ready_made

    found: dict[str, Scenario] = {name: load_scenario(path) for name, path in ready_made().items()}
    if as_json:
        show_json([
            {"name": name, "description": one.description, "rules": len(one.rules), "path": str(ready_made()[name])}
            for name, one in found.items()
        ])  # fmt: skip
        return
    columns = [Column("Name"), Column("Faults", number=True), Column("What goes wrong", wrap=True)]
    show_table(columns, [(Cell(name, "bold"), str(len(one.rules)), one.description) for name, one in found.items()])
    say("`workbench practice scenario NAME` shows one; `workbench practice serve --scenario NAME` does it.", "dim")


def _count(rules: int) -> str:
    return f"{rules} fault{'s' if rules != 1 else ''}"


def _row(rule: Any) -> tuple[Cell, str, str, str]:
    told = rule.model_dump(exclude_defaults=True)
    named = [name for name in ("symbol", "asset") if name in told]
    where = [", ".join(rule.target), *(told[name] for name in named)]
    where += [f"{name}={value}" for name, value in rule.having.items()]
    where += [] if rule.venue == "*" else [f"of {rule.venue}"]
    said = {"fault", "target", "having", "venue", "when", *named}
    how = _words({name: value for name, value in told.items() if name not in said})
    return Cell(rule.fault, "bold"), " ".join(filter(None, where)), _when(rule.when), how


def _when(when: Any) -> str:
    told = when.model_dump(exclude_defaults=True)
    if "probability" in told:
        told["probability"] = percent(told["probability"])
    return _words(told) or "always"


def _words(told: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_word(name, value)}" for name, value in told.items())


def _word(name: str, value: Any) -> str:
    from workbench.practice.faults_when import duration_text

    if isinstance(value, dict):
        return _words(value)
    if name in _DURATIONS:
        return duration_text(value)
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
