"""`workbench sweep`: one strategy under many parameters, and the best of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.backtest import given_parameters
from workbench.cli.completion import series_symbols
from workbench.cli.console import Cell, Column, say, say_warning, show_json, show_table
from workbench.cli.options import (
    AsJson,
    Cash,
    Cluster,
    End,
    Fee,
    Leverage,
    Sizing,
    SlippageBps,
    Start,
    StrategyName,
    Timeframe,
    Venue,
    sized,
)
from workbench.cli.place import settings_here
from workbench.cli.sweep_words import grid_of_words, where_of_words

if TYPE_CHECKING:
    from workbench.research.study import Study

__all__ = ["EXAMPLES", "run"]

EXAMPLES: Final = (
    'workbench sweep sma_cross BTC/USDT 1h --grid fast=5:55 --grid slow=5:205:5 --where "fast < slow"',
    "workbench sweep sma_cross BTC/USDT 1h --grid stop_loss=none,0.02,0.05 --grid fast=5:30 --study 'sma on btc'",
    "workbench sweep rsi_reversion BTC/USDT 1d --sample 500 --metric calmar_ratio --top 5",
    "workbench sweep sma_cross BTC/USDT 1d --grid fast=5:30 --json | jq .rows[0]",
)
_SHOWN: Final = ("total_return", "sharpe_ratio", "max_drawdown", "win_rate", "profit_factor", "trades")
Symbols = Annotated[
    list[str],
    typer.Argument(
        metavar="SYMBOL...", autocompletion=series_symbols, help="One or more, as `workbench data list` shows them."
    ),
]


# One option for everything that a sweep can be told; all of them may be left out.
def run(
    strategy: StrategyName,
    symbols: Symbols,
    timeframe: Timeframe,
    grid: Annotated[
        list[str] | None,
        typer.Option(
            "--grid",
            "-g",
            metavar="NAME=VALUES",
            help="Values of a parameter, an exit (stop_loss, ...), a cost (fee, ...) or leverage: 5:55 (up to 54), "
            "5:55:5, or 0.01,0.02,none. Repeatable.",
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(metavar="CONDITION", help='Which combinations to keep: "fast < slow and slow <= 3 * fast".'),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(metavar="COUNT", help="Draw so many from the declared ranges, instead of a grid.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Of the sample.")] = 0,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter that stays as it is. Repeatable."),
    ] = None,
    metric: Annotated[str, typer.Option(metavar="NAME", help="What the best are chosen by.")] = "sharpe_ratio",
    top: Annotated[int, typer.Option(metavar="COUNT", min=1, help="Rows to show.")] = 10,
    study: Annotated[
        str | None, typer.Option(metavar="NAME", help="Keep the sweep on disk, and count its trials.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--afresh", help="Go on with an equal sweep of the study, or forget it.")
    ] = True,
    memory: Annotated[str, typer.Option(metavar="SIZE", help="Budget of memory.")] = "2GB",
    venue: Venue = None,
    start: Start = None,
    end: End = None,
    cash: Cash = None,
    fee: Fee = None,
    slippage_bps: SlippageBps = None,
    fill: Annotated[str | None, typer.Option(metavar="next_open|close", help="Where a decision trades.")] = None,
    leverage: Leverage = None,
    sizing: Sizing = None,
    max_missing: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Share of bars that may be missing or filled, such as 0.05.")
    ] = None,
    cluster: Cluster = None,
    as_json: AsJson = False,
) -> None:
    """Compute many combinations of a strategy's parameters on series of the lake, and print the best.

    Several symbols share one account. Ctrl-C keeps what is done; with --study the same command goes on from there.
    """
    from workbench.backtest import Costs, Rules
    from workbench.errors import StrategyError
    from workbench.market.lake import Lake
    from workbench.research.sweeping.running import sweep
    from workbench.research.sweeping.sampling import Sampler
    from workbench.strategy.loader import load_strategy
    from workbench.strategy.strategy import SignalStrategy

    settings = settings_here()
    kind = load_strategy(strategy, settings=settings)
    chosen = kind(**given_parameters(kind.declared, param or []))
    if not isinstance(chosen, SignalStrategy):
        raise StrategyError(f"{strategy} places orders; what can be swept says signals (wb.SignalStrategy)")
    axes, keep = grid_of_words(chosen, grid or []), where_of_words(where)
    lake = Lake(settings.lake_root)
    bars = [lake.read(symbol, timeframe, start, end, venue=venue) for symbol in symbols]
    options: dict[str, Any] = {"fill": fill or settings.backtest.fill, "leverage": leverage}
    if sizing is not None:
        options["rules"] = Rules(**sized(sizing))
    ranges = {name: list(values) for name, values in axes.items()}
    asked: dict[str, Any] = {"sampler": Sampler(count=sample, seed=seed, ranges=ranges)} if sample else {"grid": axes}
    found = sweep(
        chosen, bars[0] if len(bars) == 1 else bars, **asked, where=keep, memory=memory, executor=cluster, study=study,
        resume=resume, costs=Costs(fee=fee, slippage_bps=slippage_bps), **options,
        cash=settings.backtest.cash if cash is None else cash,
        max_missing=settings.backtest.max_missing if max_missing is None else max_missing,
    )  # fmt: skip
    best = found.best(metric, n=top) if len(found) else found.table
    if as_json:
        facts = {
            name: getattr(found, name) for name in ("name", "planned", "refused", "missing", "recalled", "seconds")
        }
        rows = best.reset_index().to_dict(orient="records")
        show_json({**facts, "metric": metric, "rows": rows})
    else:
        _show(found, best, metric)
    if found.partial:
        say_warning(f"stopped: {found.missing:,} of {found.planned:,} are not computed" + _how_on(study))
        raise typer.Exit(130)


def _how_on(study: str | None) -> str:
    return "; the same command goes on from here" if study else "; --study NAME would have kept what is done"


def _show(found: Study, best: Any, metric: str) -> None:
    from workbench.risk.metrics import METRICS

    say(found.name, "bold")
    names = [name for name in dict.fromkeys((metric, *_SHOWN)) if name in found.metrics]
    columns = [Column("Row", number=True), *(Column(name, number=True) for name in found.parameters)]
    columns += [Column(METRICS[name].label, number=True) for name in names]
    rows: list[list[str | Cell]] = [
        [
            str(number),
            *(_word(row[name]) for name in found.parameters),
            *(METRICS[name].text(row[name]) for name in names),
        ]
        for number, row in best.astype(object).iterrows()
    ]
    show_table(columns, rows)
    say(f"{found.summary()}; {found.seconds:,.1f} s", "dim")
    if len(found) > 1:
        say("The best of many is partly luck: study.verdict() says how much.", "dim")


def _word(value: Any) -> str:
    if value is None or value != value:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
