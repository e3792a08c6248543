"""`workbench backtest`: one strategy over one series, or several that share an account, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.completion import series_symbols
from workbench.cli.console import Cell, Column, say, show_json, show_table
from workbench.cli.options import (
    AsJson,
    Cash,
    End,
    Fee,
    Leverage,
    Param,
    Sizing,
    SlippageBps,
    Start,
    StrategyName,
    Timeframe,
    Venue,
    sized,
)
from workbench.cli.place import settings_here
from workbench.cli.words import iso, number, percent

if TYPE_CHECKING:
    from workbench.backtest.result import Result
    from workbench.strategy.parameters import Parameter

__all__ = ["EXAMPLES", "given_parameters", "run"]

EXAMPLES: Final = (
    "workbench backtest sma_cross BTC/USDT 1d",
    "workbench backtest sma_cross BTC/USDT 1h -p fast=20 -p slow=100 --start 2021-01-01 --fee 0.0005",
    "workbench backtest rsi_reversion EUR/USD 1h --trades",
    "workbench backtest sma_cross KO XOM 1d --leverage 2 --margin isolated",
    "workbench backtest sma_cross BTC/USDT 1d --sizing 'volatility_target: 0.15'",
    "workbench backtest sma_cross BTC/USDT 1d --study 'sma on btc'",
    "workbench backtest sma_cross BTC/USDT 1d --json | jq .metrics.sharpe_ratio",
)
Symbols = Annotated[
    list[str],
    typer.Argument(
        metavar="SYMBOL...", autocompletion=series_symbols, help="One or more, as `workbench data list` shows them."
    ),
]
_NO: Final = ("false", "no", "off", "0")
_YES: Final = ("true", "yes", "on", "1")


# One option for everything that wb.backtest can be told; all of them may be left out.
def run(
    strategy: StrategyName,
    symbols: Symbols,
    timeframe: Timeframe,
    param: Param = None,
    venue: Venue = None,
    start: Start = None,
    end: End = None,
    cash: Cash = None,
    fee: Fee = None,
    slippage_bps: SlippageBps = None,
    fill: Annotated[str | None, typer.Option(metavar="next_open|close", help="Where a decision trades.")] = None,
    leverage: Leverage = None,
    detail: Annotated[
        str | None,
        typer.Option(metavar="TIMEFRAME|auto", help="Finer bars of the lake that say what happened inside a bar."),
    ] = None,
    path: Annotated[
        str, typer.Option(metavar="auto|compiled|event", help="How it is worked out; the answer is the same.")
    ] = "auto",
    intrabar: Annotated[
        str, typer.Option(metavar="pessimistic|path", help="What is assumed of prices inside a bar.")
    ] = "pessimistic",
    sizing: Sizing = None,
    margin: Annotated[
        str, typer.Option(metavar="cross|isolated", help="What stands behind a position: all money, or its own margin.")
    ] = "cross",
    max_missing: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Share of bars that may be missing or filled, such as 0.05.")
    ] = None,
    study: Annotated[
        str | None, typer.Option(metavar="NAME", help="Record it in the run ledger, as a trial of this study.")
    ] = None,
    trades: Annotated[bool, typer.Option("--trades", help="Print every trade.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Print the formula of each number.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write a page with the result.")] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also keep the whole result, for `workbench export`; such as a.zip."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Backtest a strategy on series of the lake, which share one account, and print its numbers.

    Cash and fill come from workbench.toml, fees and slippage from the instrument, where they are left out.
    """
    from workbench.backtest import Costs, Rules, backtest
    from workbench.market.lake import Lake
    from workbench.strategy.loader import load_strategy

    settings = settings_here()
    kind = load_strategy(strategy, settings=settings)
    chosen = kind(**given_parameters(kind.declared, param or []))
    lake = Lake(settings.lake_root)
    how: dict[str, Any] = {"fill": fill or settings.backtest.fill, "path": path, "detail": detail}
    rules: dict[str, Any] = {"intrabar": intrabar, "margin": margin, **sized(sizing)}
    result = backtest(
        chosen, [lake.read(symbol, timeframe, start, end, venue=venue) for symbol in symbols],
        costs=Costs(fee=fee, slippage_bps=slippage_bps), cash=settings.backtest.cash if cash is None else cash,
        leverage=leverage, rules=Rules(**rules), **how,
        max_missing=settings.backtest.max_missing if max_missing is None else max_missing,
    )  # fmt: skip
    recorded = None if study is None else _recorded(result, study)
    if html is not None:
        _write_page(result, html)
    if save is not None:
        result.save(save)
    if as_json:
        show_json({**_plain(result, trades=trades), **({} if recorded is None else {"run": recorded})})
    else:
        _show(result, trades=trades, explain=explain)
        if recorded is not None:
            say(f"Recorded as run {recorded} of study {study!r}", "dim")
        if html is not None:
            say(f"page: {html.resolve()}")
        if save is not None:
            say(f"result: {save.resolve()}")


def _recorded(result: Result, study: str) -> str:
    """Record a result as a trial of a study, and give the id of the run."""
    from workbench.research.labbook import study as study_of

    return study_of(study).record(result).run_id


def given_parameters(declared: Mapping[str, Parameter], pairs: Sequence[str]) -> dict[str, Any]:
    """Read NAME=VALUE as the parameter's own type; what cannot be read so is left for the strategy to refuse.

    Raises
    ------
    ConfigError
        There is no = in it, or a name stands twice.
    """
    from workbench.errors import ConfigError

    given: dict[str, Any] = {}
    for pair in pairs:
        name, mark, text = pair.partition("=")
        if not mark:
            raise ConfigError(
                f"--param {pair!r}: write the parameter's name, = and its value, such as fast=10", value=pair
            )
        if name in given:
            raise ConfigError(
                f"--param {name} stands twice, with {given[name]!r} and {text!r}; give it once", name=name
            )
        given[name] = _value(declared[name], text) if name in declared else text
    return given


def _value(declared: Parameter, text: str) -> Any:
    word = text.strip().lower()
    if declared.optional and word in ("none", ""):
        return None
    if declared.kind is bool:
        return word in _YES if word in (*_YES, *_NO) else text
    try:
        return declared.kind(text)
    except ValueError:
        return text


def _show(result: Result, *, trades: bool, explain: bool) -> None:
    from workbench.risk.metrics import METRICS

    say(_title(result), "bold")
    columns = [Column("Metric"), Column("Value", number=True)]
    rows: list[list[str | Cell]] = [
        [METRICS[name].label, METRICS[name].text(value)] for name, value in result.metrics.items()
    ]
    if explain:
        columns += [Column("Formula", wrap=True), Column("Source", wrap=True)]
        for row, name in zip(rows, result.metrics, strict=True):
            row += [METRICS[name].formula, Cell(METRICS[name].source, "dim")]
    show_table(columns, rows)
    for note in _notes(result):
        say(note, "dim")
    if result.fill == "close":
        say(
            "Filled at the close that made the decision: no one can trade so. Use next_open to judge a strategy.",
            "yellow",
        )
    if trades:
        _show_trades(result)


def _title(result: Result) -> str:
    from workbench.market.bars import moment

    bars, names = result.bars, ", ".join(one.symbol for one in result.series)
    venues, count = ", ".join(dict.fromkeys(one.venue for one in result.series)), sum(map(len, result.series))
    span = f"{moment(result.start)} to {moment(result.end)} UTC"
    return f"{result.name} on {names} {bars.timeframe} at {venues}, {count:,} bars, {span}"


def _notes(result: Result) -> list[str]:
    from workbench.backtest.sizes import sizing_in_words

    where = "the next bar's open" if result.fill == "next_open" else "the deciding bar's close"
    open_trades = int((~result.closed).sum())
    still = f"{open_trades} trade{'s' if open_trades > 1 else ''} still open, marked at the last close"
    notes = [
        f"Start {result.cash:,.2f} {result.currency}, end {float(result.equity_values[-1]):,.2f}"
        + (f"; {still}" if open_trades else ""),
        f"Filled at {where}; {'; '.join(_charges(result))}",
    ]
    borrowed = {line.bars.symbol: line.leverage for line in result.plan.lines if line.leverage != 1}
    if borrowed:
        margin = "isolated" if result.plan.account.isolated else "cross"
        times = ", ".join(f"{symbol} {value:g}" for symbol, value in borrowed.items())
        notes.append(f"Leverage {times}, {margin} margin")
    words = sizing_in_words(result)
    if words:
        notes.append(words[0].upper() + words[1:])
    if result.detail:
        notes.append(f"Inside bars by {', '.join(f'{symbol} {finer}' for symbol, finer in result.detail.items())}")
    from workbench.backtest.sound import quality_in_words

    data = ", ".join(bars.fingerprint for bars in result.series)
    year = f"{result.periods_per_year:,.0f} bars a year"
    notes.append(f"Data quality: {quality_in_words(result)}")
    return [*notes, f"Data {data}, code {_code(result) or 'unknown'}, {year}"]


def _charges(result: Result) -> list[str]:
    """Say what was charged: once where it is the same for all, else by symbol."""
    said = {
        bars.symbol: f"taker fee {percent(costs.fee or 0.0)}, maker fee {percent(costs.maker_fee or 0.0)}, "
        f"slippage {costs.slippage_bps or 0.0:g} bps"
        for bars, costs in zip(result.series, result.charged, strict=True)
    }
    return [next(iter(said.values()))] if len(set(said.values())) == 1 else [f"{a}: {b}" for a, b in said.items()]


def _code(result: Result) -> str | None:
    return getattr(result.strategy, "code_hash", None)


def _show_trades(result: Result) -> None:
    several = len(result.series) > 1
    columns = [
        *([Column("Symbol")] if several else []),
        Column("Entry (UTC)"), Column("Exit (UTC)"), Column("Side"), Column("Entry price", number=True),
        Column("Exit price", number=True), Column("Quantity", number=True), Column("P&L", number=True),
        Column("Return", number=True), Column("Bars", number=True), Column("Exit reason"),
    ]  # fmt: skip
    say()
    rows = [_trade_cells(row) for row in result.trades.itertuples()]
    show_table(
        columns,
        [[str(name), *row] for name, row in zip(result.trades["symbol"], rows, strict=True)] if several else rows,
    )


def _trade_cells(row: Any) -> list[str | Cell]:
    return [
        f"{row.entry_time:%Y-%m-%d %H:%M}",
        f"{row.exit_time:%Y-%m-%d %H:%M}",
        row.side,
        number(row.entry_price),
        number(row.exit_price),
        f"{row.quantity:,.6g}",
        Cell(f"{row.pnl:+,.2f}", "green" if row.pnl > 0 else "red"),
        f"{row.return_:+.2%}",
        str(row.bars_held),
        row.exit_reason,
    ]


def _plain(result: Result, *, trades: bool) -> dict[str, Any]:
    from workbench.risk.sizing import told

    bars = result.bars
    series = [
        {"symbol": one.symbol, "venue": one.venue, "bars": len(one), "fingerprint": one.fingerprint}
        | {"quality": one.quality.summary}
        | {"costs": costs.to_dict(), "leverage": line.leverage, "detail": result.detail.get(one.symbol)}
        for one, costs, line in zip(result.series, result.charged, result.plan.lines, strict=True)
    ]
    said = {
        "strategy": result.name,
        "parameters": getattr(result.strategy, "parameters", {}),
        "code_hash": _code(result),
        "symbol": bars.symbol,
        "timeframe": str(bars.timeframe),
        "venue": bars.venue,
        "bars": len(bars),
        "series": series,
        "start": iso(result.start),
        "end": iso(result.end),
        "fingerprint": bars.fingerprint,
        "cash": result.cash,
        "costs": result.costs.to_dict(),
        "fill": result.fill,
        "path": result.path,
        "sizing": None if result.plan.sizing is None else told(result.plan.sizing) or repr(result.plan.sizing),
        "metrics": dict(result.metrics),
    }
    return {**said, "trades": result.trades.to_dict(orient="records")} if trades else said


def _write_page(result: Result, file: Path) -> None:
    from workbench.errors import ConfigError

    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(_title(result))}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<style>:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:60em;"
        f"padding:0 1em}}</style>{result._repr_html_()}</html>\n"
    )
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"--html {file}: cannot be written: {error.strerror}; give a file in a folder that exists"
        ) from error
