"""`workbench portfolio`: what is held over bots, venues and accounts, and what it can lose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.console import Column, say, show_json, show_table
from workbench.cli.options import AsJson

if TYPE_CHECKING:
    import pandas as pd

    from workbench.risk.portfolio import PortfolioRisk

__all__ = ["EXAMPLES", "portfolio"]

EXAMPLES: Final = (
    "workbench portfolio holdings.csv --currency USD --rate USDT/USD=1",
    "workbench portfolio holdings.csv --by bot --method filtered --horizon 5",
    "workbench portfolio --bot demo --bot grid --rate USDT/USD=1",
    "workbench portfolio trend.result carry.result --view equity       results that were saved",
    "holdings.csv:  symbol,quantity,price,currency,venue,account,bot  and  amount,currency  for money",
)
_SCENARIOS: Final = 10


def portfolio(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE...]", help="CSV files of holdings, or results that were saved."),
    ] = None,
    bot: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="What this bot holds, by its journal. Repeatable.")
    ] = None,
    currency: Annotated[str, typer.Option(metavar="NAME", help="In which everything is reported.")] = "USD",
    rate: Annotated[
        list[str] | None,
        typer.Option("--rate", metavar="PAIR=VALUE", help="What a currency is worth, EUR/USD=1.10. Repeatable."),
    ] = None,
    by: Annotated[str, typer.Option(metavar="bot|venue|account|instrument|asset|group|position|factor")] = "asset",
    method: Annotated[
        str, typer.Option(metavar="historical|parametric|filtered", help="How risk is measured.")
    ] = "historical",
    level: Annotated[float, typer.Option(metavar="FRACTION", help="Confidence.")] = 0.99,
    horizon: Annotated[int, typer.Option(metavar="DAYS", help="Rows of daily prices.")] = 1,
    view: Annotated[str, typer.Option(metavar="positions|equity", help="Of results: what they hold, or have done.")] = (
        "positions"
    ),
    proxy: Annotated[
        list[str] | None,
        typer.Option("--proxy", metavar="SYMBOL=SYMBOL", help="What moves for one without prices in a crash."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure what a portfolio can lose: value at risk and its parts, scenarios, liquidity, liquidation.

    Prices come from the lake, by day.
    """
    from workbench.research.holding import lake_prices
    from workbench.risk.portfolio import Terms

    terms: Any = {"level": level, "horizon": horizon, "method": method}
    proxies = _pairs(proxy, "--proxy")
    beside = lake_prices(proxies.values()) if proxies else None
    found = _measured(
        _items(files or [], bot or []), beside, currency, _rates(rate), {"view": view, "terms": Terms(**terms)}
    )
    if as_json:
        show_json({**found.to_dict(), "stress": _records(found.stress(proxies=proxies))})
    else:
        _show(found, found.tails(by), found.stress(proxies=proxies))


def _measured(items: list[Any], prices: Any, currency: str, rates: dict[str, float], how: Any) -> PortfolioRisk:
    from workbench.errors import DataError
    from workbench.research.holding import portfolio_risk

    try:
        return portfolio_risk(items, prices, currency=currency, rates=rates, **how)
    except DataError as error:
        if {"base", "quote"} <= set(error.fields):
            error.add_note(f"as an option: --rate {error.fields['base']}/{error.fields['quote']}=NUMBER")
        raise


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name, row in table.iterrows():
        rows.append({"scenario": str(name), **{str(key): value for key, value in row.items()}})
    return rows


def _items(files: list[Path], bots: list[str]) -> list[Any]:
    from workbench.backtest.export import load_result
    from workbench.bots.holding import bot_holdings
    from workbench.errors import ConfigError
    from workbench.research.holding import read_holdings

    if not files and not bots:
        raise ConfigError("name what is held: files of holdings or results, or bots by --bot NAME")
    found: list[Any] = [one for name in bots for one in bot_holdings(name)]
    for file in files:
        found += read_holdings(file) if file.suffix.lower() == ".csv" else [load_result(file)]
    return found


def _pairs(said: list[str] | None, option: str) -> dict[str, str]:
    from workbench.errors import ConfigError

    found = {}
    for text in said or []:
        name, sign, value = text.partition("=")
        if not (sign and name.strip() and value.strip()):
            raise ConfigError(f"{option} {text!r}: write NAME=VALUE")
        found[name.strip()] = value.strip()
    return found


def _rates(said: list[str] | None) -> dict[str, float]:
    from workbench.errors import ConfigError

    found = {}
    for pair, value in _pairs(said, "--rate").items():
        try:
            found[pair] = float(value)
        except ValueError as error:
            raise ConfigError(f"--rate {pair}={value}: {value!r} is no number") from error
    return found


def _show(risk: PortfolioRisk, tails: pd.DataFrame, stress: pd.DataFrame) -> None:
    from workbench.risk.portfolio.words import amount, percent

    for sentence in risk.sentences:
        say(sentence)
    columns = [Column(str(tails.index.name), cut=True)]
    columns += [Column(name, number=True) for name in ("net", "VaR alone", "part of VaR", "ES alone", "part of ES")]
    names = ("exposure", "value_at_risk", "component_var", "expected_shortfall", "component_es")
    show_table(
        [*columns, Column("of ES", number=True)],
        [
            [str(name), *(amount(float(row[one])) for one in names), percent(float(row["share"]), 0)]
            for name, row in tails.iterrows()
        ],
    )
    show_table(
        [
            Column("Scenario", cut=True), Column("profit", number=True), Column("of equity", number=True),
            Column("known", number=True), Column("liquidated", cut=True),
        ],
        [_scenario(name, row) for name, row in stress.head(_SCENARIOS).iterrows()],
    )  # fmt: skip
    for note in risk.notes:
        say(note, "dim")


def _scenario(name: Any, row: pd.Series) -> list[str]:
    from workbench.risk.portfolio.words import amount, percent

    return [
        str(name), amount(float(row["profit"])), percent(float(row["share"])), percent(float(row["covered"]), 0),
        str(row["liquidated"]),
    ]  # fmt: skip
