"""`workbench optimise` and `workbench walk-forward`: look for parameters, and see whether such a choice holds."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.backtest import given_parameters
from workbench.cli.console import Cell, Column, say, show_json, show_table
from workbench.cli.options import (
    AsJson,
    End,
    Fee,
    Sizing,
    SlippageBps,
    Start,
    StrategyName,
    Symbol,
    Timeframe,
    Venue,
    sized,
)
from workbench.cli.place import settings_here
from workbench.cli.words import iso

if TYPE_CHECKING:
    import pandas as pd

    from workbench.market.bars import Bars
    from workbench.research.optimising.optimisation import Optimisation
    from workbench.research.validation.walk import WalkForward
    from workbench.strategy.strategy import SignalStrategy

__all__ = ["EXAMPLES", "WALK_EXAMPLES", "optimise", "walk_forward"]

EXAMPLES: Final = (
    "workbench optimise sma_cross BTC/USDT 1d --objective calmar_ratio --trials 100",
    "workbench optimise sma_cross BTC/USDT 1h --range fast=5:50 --range slow=20:200 --keep 'trades>=30'",
    "workbench optimise sma_cross BTC/USDT 1d --objective calmar --objective ulcer --sampler nsga2",
    "workbench optimise sma_cross BTC/USDT 1d --study 'sma on btc' --trials 500     continue a study",
)
WALK_EXAMPLES: Final = (
    "workbench walk-forward sma_cross BTC/USDT 1d --train 365d --test 90d",
    "workbench walk-forward sma_cross BTC/USDT 1h --range fast=5:50:5 --range slow=20:200:20 --grid",
    "workbench walk-forward sma_cross BTC/USDT 1d --anchored --trials 50 --json",
)
Param = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter that is not varied. Repeatable."),
]
Ranges = Annotated[
    list[str] | None,
    typer.Option(
        "--range", metavar="NAME=LOW:HIGH[:STEP|:log]",
        help="What is varied, or NAME=A,B,C; all that the strategy declares with bounds where left out. Repeatable.",
    ),
]  # fmt: skip
Keeps = Annotated[
    list[str] | None,
    typer.Option("--keep", metavar="METRIC>=VALUE", help="What must hold, such as 'trades>=30'. Repeatable."),
]
Sampler = Annotated[
    str, typer.Option(metavar="tpe|cmaes|nsga2|qmc|random|grid", help="How the next parameters are chosen.")
]
Seed = Annotated[int, typer.Option(metavar="NUMBER", help="The same seed gives the same trials.")]
_SHOWN: Final = 10


def optimise(
    strategy: StrategyName,
    symbol: Symbol,
    timeframe: Timeframe,
    objective: Annotated[
        list[str] | None,
        typer.Option(metavar="METRIC", help="What is to be good: sharpe_ratio unless given. Several: a front."),
    ] = None,
    trials: Annotated[int, typer.Option(metavar="COUNT", help="In all, those of earlier runs included.")] = 200,
    sampler: Sampler = "tpe",
    ranges: Ranges = None,
    keep: Keeps = None,
    patience: Annotated[
        int | None, typer.Option(metavar="COUNT", help="Stop after so many trials without a better one.")
    ] = None,
    study: Annotated[
        str | None, typer.Option(metavar="NAME", help="Keep the trials under this name, to be continued.")
    ] = None,
    seed: Seed = 0,
    param: Param = None,
    venue: Venue = None,
    start: Start = None,
    end: End = None,
    fee: Fee = None,
    slippage_bps: SlippageBps = None,
    sizing: Sizing = None,
    as_json: AsJson = False,
) -> None:
    """Look for the best parameters of a strategy on a series of the lake.

    The best of many trials is good by luck too: see `workbench walk-forward` for how such a choice does later.
    """
    from workbench.research.optimising import optimise as search

    bars = _bars((symbol, timeframe), start, end, venue)
    found = search(
        _strategy(strategy, param), bars, objective=objective or ["sharpe_ratio"], trials=trials, sampler=sampler,
        space=_ranges(ranges), constraints=_constraints(keep), patience=patience, study=study, seed=seed,
        **_how(fee, slippage_bps, sizing),
    )  # fmt: skip
    if as_json:
        show_json({**found.numbers(), "bars": len(bars), "fingerprint": bars.fingerprint, "table": _rows(found.table)})
    else:
        _show_search(found, bars)


def walk_forward(
    strategy: StrategyName,
    symbol: Symbol,
    timeframe: Timeframe,
    train: Annotated[str, typer.Option(metavar="LENGTH", help="Of a training: a time, or a number of bars.")] = "365d",
    test: Annotated[str, typer.Option(metavar="LENGTH", help="Of a test.")] = "90d",
    gap: Annotated[str, typer.Option(metavar="LENGTH", help="Left out between training and test.")] = "0",
    anchored: Annotated[bool, typer.Option("--anchored", help="Train from the first bar on, not only lately.")] = False,
    objective: Annotated[str, typer.Option(metavar="METRIC", help="What a training chooses by.")] = "sharpe_ratio",
    trials: Annotated[int, typer.Option(metavar="COUNT", help="Of the search in each window.")] = 50,
    grid: Annotated[bool, typer.Option("--grid", help="Try every value of --range in place of a search.")] = False,
    sampler: Sampler = "tpe",
    ranges: Ranges = None,
    keep: Keeps = None,
    seed: Seed = 0,
    param: Param = None,
    venue: Venue = None,
    start: Start = None,
    end: End = None,
    fee: Fee = None,
    slippage_bps: SlippageBps = None,
    sizing: Sizing = None,
    as_json: AsJson = False,
) -> None:
    """Choose parameters on the past, trade them on what follows, move on, and join what was traded."""
    from workbench.research.validation import walk_forward as walk

    found = walk(
        _strategy(strategy, param), _bars((symbol, timeframe), start, end, venue), train=_length(train),
        test=_length(test), gap=_length(gap), anchored=anchored, objective=objective, trials=trials,
        sampler="grid" if grid else sampler, space=_ranges(ranges), constraints=_constraints(keep), seed=seed,
        **_how(fee, slippage_bps, sizing),
    )  # fmt: skip
    if as_json:
        show_json(_plain_walk(found))
    else:
        _show_walk(found)


def _strategy(name: str, param: Sequence[str] | None) -> SignalStrategy:
    from workbench.errors import ConfigError
    from workbench.strategy.loader import load_strategy
    from workbench.strategy.strategy import SignalStrategy

    kind = load_strategy(name, settings=settings_here())
    chosen = kind(**given_parameters(kind.declared, param or []))
    if not isinstance(chosen, SignalStrategy):
        raise ConfigError(f"{name} is an order strategy; only signal strategies are searched", strategy=name)
    return chosen


def _bars(series: tuple[str, str], start: str | None, end: str | None, venue: str | None) -> Bars:
    from workbench.market.lake import Lake

    return Lake(settings_here().lake_root).read(*series, start, end, venue=venue)


def _how(fee: float | None, slippage_bps: float | None, sizing: str | None) -> dict[str, Any]:
    from workbench.backtest.costs import Costs
    from workbench.backtest.rules import Rules

    terms = settings_here().backtest
    sizes = {} if sizing is None else {"rules": Rules(**sized(sizing))}
    return {"costs": Costs(fee=fee, slippage_bps=slippage_bps), "cash": terms.cash, "fill": terms.fill,
            "max_missing": terms.max_missing, **sizes}  # fmt: skip


def _length(text: str) -> int | str:
    return int(text) if text.strip().isdigit() else text.strip()


def _ranges(texts: Sequence[str] | None) -> dict[str, Any] | None:
    """Read NAME=LOW:HIGH[:STEP|:log] and NAME=A,B,C."""
    from workbench.errors import ConfigError

    found: dict[str, Any] = {}
    for text in texts or ():
        name, mark, said = text.partition("=")
        parts = said.split(":") if ":" in said else said.split(",")
        if not mark or not name or not all(part.strip() for part in parts) or (":" in said and len(parts) > 3):
            raise ConfigError(
                f"--range {text!r}: write NAME=LOW:HIGH, NAME=LOW:HIGH:STEP, NAME=LOW:HIGH:log or NAME=A,B,C",
                value=text,
            )
        values = [_value(part.strip()) for part in parts]
        found[name] = tuple(values) if ":" in said else values
    return found or None


def _value(text: str) -> Any:
    if text.lower() in ("true", "false", "none"):
        return {"true": True, "false": False, "none": None}[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _constraints(texts: Sequence[str] | None) -> dict[str, tuple[str, float]] | None:
    from workbench.errors import ConfigError

    found: dict[str, tuple[str, float]] = {}
    for text in texts or ():
        match = re.fullmatch(r"\s*(\w+)\s*(>=|<=|>|<)\s*(-?[\d.]+(?:e-?\d+)?)\s*", text)
        if match is None:
            raise ConfigError(f"--keep {text!r}: write a metric, >= or <=, and a number, such as 'trades>=30'")
        found[match[1]] = (match[2], float(match[3]))
    return found or None


def _show_search(found: Optimisation, bars: Bars) -> None:
    from workbench.market.bars import moment

    several = len(found.objectives) > 1
    strategy = type(found.scorer.evaluator.strategy).__name__
    say(
        f"{strategy} on {bars.symbol} {bars.timeframe}, {len(bars):,} bars, {moment(bars.start)} to {moment(bars.end)} "
        f"UTC, by {', '.join(one.label for one in found.objectives)}",
        "bold",
    )
    shown = (found.pareto() if several else found.ranking()).head(_SHOWN)
    names = [name for name in shown.columns if name not in ("feasible", "reason")]
    _show_frame(shown[names], "Trial")
    failed = int((found.table["reason"] != "").sum())
    what = "on the front" if several else "best first"
    say(f"{len(found)} trials ({what}; {failed} without an answer or against a constraint); {found.stopped}", "dim")
    if found.folder is not None:
        say(f"Kept in {found.folder}", "dim")
    if not len(shown):
        found.best()  # says why there is none


def _show_walk(found: WalkForward) -> None:
    say(repr(found)[1:-1], "bold")
    _show_frame(found.compare(), "")
    say()
    _show_frame(found.table, "Window")
    say()
    _show_frame(found.stability(), "Parameter")


def _show_frame(frame: pd.DataFrame, index: str) -> None:
    from workbench.risk.metrics import METRICS

    columns = [Column(index), *(Column(_title(str(name)), number=True) for name in frame.columns)]
    rows: list[list[str | Cell]] = []
    for label, row in zip(frame.index, frame.itertuples(index=False), strict=True):
        by_row = str(label) if str(label) in METRICS else ""
        first = METRICS[by_row].label if by_row else str(label)
        rows.append([first, *(_cell(by_row or str(n), one) for n, one in zip(frame.columns, row, strict=True))])
    show_table(columns, rows)


def _title(name: str) -> str:
    from workbench.risk.metrics import METRICS

    plain = name.removeprefix("in_sample_")
    told = METRICS[plain].label if plain in METRICS else plain.replace("_", " ")
    return f"{told} in sample" if plain != name else told


def _cell(name: str, value: Any) -> str:
    from workbench.risk.metrics import METRICS

    plain = name.removeprefix("in_sample_")
    if hasattr(value, "strftime"):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, float) and not math.isfinite(value):
        return "\N{EN DASH}"
    if plain in METRICS:
        return METRICS[plain].text(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _plain_walk(found: WalkForward) -> dict[str, Any]:
    return {
        "metrics": dict(found.metrics),
        "efficiency": found.efficiency,
        "compare": {str(name): column.to_dict() for name, column in found.compare().items()},
        "windows": [{**row, "parameters": dict(one.parameters)}
                    for row, one in zip(_rows(found.table), found.windows, strict=True)],
        "stability": _rows(found.stability().reset_index()),
        "equity": {"ts": [iso(int(one)) for one in found.ts], "value": found.equity_values.tolist()},
    }  # fmt: skip


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): one.isoformat() if hasattr(one, "isoformat") else one for name, one in row.items()}
        for row in frame.to_dict(orient="records")
    ]
