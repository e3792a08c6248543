"""`portfolio_risk`: results, holdings and money, with prices from wherever they are, into the risk of all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from workbench.backtest.result import Result
from workbench.errors import ConfigError, DataError
from workbench.market.bars import moment, to_ms
from workbench.research.holding.positions import holdings_of, row_at
from workbench.research.holding.prices import lake_prices, prices_of
from workbench.risk.portfolio import Balance, Holding, PortfolioRisk, Terms, measure, read_rates

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["View", "portfolio_risk"]

_DAY_MS: Final = 86_400_000
_APART_MS: Final = 5 * _DAY_MS  # a weekend and a holiday
View = Literal["positions", "equity"]


def portfolio_risk(
    items: Any,
    prices: Any = None,
    *,
    currency: str = "USD",
    rates: Any = None,
    view: View = "positions",
    at: Any = None,
    terms: Terms | None = None,
) -> PortfolioRisk:
    """Measure the risk of bots together: what their backtests hold, and holdings written by hand.

    Parameters
    ----------
    items : Result, Holding or Balance, or a sequence or mapping of them
        Names of a mapping are those of the bots.
    prices : DataFrame, or Bars or a sequence of them, optional
        Of what is held, and of currencies (`EUR/USD`). What they lack is taken from the results' own bars, and then
        from the lake.
    currency : str, default "USD"
        In which everything is reported.
    rates : mapping or Rates, optional
        What currencies are worth: `{"USDT/USD": 1.0}`.
    view : {"positions", "equity"}
        - "positions": what a result holds now, as it would have done in the past.
        - "equity": each result as one thing whose price is its equity: how the strategy has done, whatever it holds.
    at : str, datetime or int (ms UTC), optional
        The moment of "now"; the end of each result where left out. Prices after it are not used.
    terms : Terms, optional

    Returns
    -------
    PortfolioRisk
        With the common equity of the past, where all items are results.

    Raises
    ------
    DataError
        Something is none of these, a rate or a price is missing, or no bar has closed by `at`.
    ConfigError
        There is no such view.
    """
    if view not in get_args(View):
        raise ConfigError(f"view = {view!r} is not one of {', '.join(map(repr, get_args(View)))}")
    named = _named(items)
    results = {name: one for name, one in named if isinstance(one, Result)}
    held: list[Holding | Balance] = []
    for name, one in named:
        if isinstance(one, Result):
            held += holdings_of(one, name, at=at) if view == "positions" else [_whole(one, name, at)]
        else:
            held.append(one)
    table = _prices(held, results, prices, view)
    if at is not None and table is not None:
        table = _closed_by(table, at)
    equity = _equity(results, named, read_rates(rates), currency, at)
    found = measure(held, table, currency=currency, rates=rates, equity=equity, terms=terms)
    return replace(found, remarks=_remarks(results, at))


def _remarks(results: dict[str, Result], at: Any) -> tuple[str, ...]:
    """Say what a sum of backtests hides."""
    ends = {name: int(result.records.ts[row_at(result, at)]) for name, result in results.items()}
    if not ends or max(ends.values()) - min(ends.values()) <= _APART_MS:
        return ()
    first, last = min(ends, key=ends.__getitem__), max(ends, key=ends.__getitem__)
    return (
        f"not of one moment: {first} is as of {moment(ends[first])}, {last} as of {moment(ends[last])}; say at= for a "
        "moment that all of them have",
    )


def _named(items: Any) -> list[tuple[str, Any]]:
    if isinstance(items, (Result, Holding, Balance)):
        items = [items]
    if isinstance(items, str) or not isinstance(items, Iterable):
        raise DataError(f"{items!r}: give results, holdings and balances, as a list or a mapping by bot")
    pairs = list(items.items()) if isinstance(items, Mapping) else [(None, one) for one in items]
    found: list[tuple[str, Any]] = []
    for name, one in pairs:
        if not isinstance(one, (Result, Holding, Balance)):
            raise DataError(f"{one!r} is neither a Result nor a Holding nor a Balance")
        if not isinstance(one, Result):
            found.append(("", one if name is None else replace(one, bot=str(name))))
            continue
        usual = str(name) if name is not None else f"{one.name.split('(')[0]} on {one.market}"
        taken = [other for other, _ in found]
        again = sum(other == usual or other.startswith(f"{usual} (") for other in taken)
        found.append((f"{usual} ({again + 1})" if again else usual, one))
    return found


def _whole(result: Result, name: str, at: Any) -> Holding:
    """Take a result as one thing whose price is its equity."""
    equity = float(result.equity_values[row_at(result, at)])
    if equity <= 0.0:
        raise DataError(f"{name} has no equity left ({equity:g}): leave it out")
    return Holding(
        symbol=name, quantity=1.0, price=equity, currency=result.currency, account=name, venue=result.bars.venue,
        bot=name, asset=name, series=name,
    )  # fmt: skip


def _prices(held: list[Holding | Balance], results: dict[str, Result], prices: Any, view: View) -> pd.DataFrame | None:
    """Put prices together: those given, then those of the results, then those of the lake."""
    import pandas as pd

    if prices is not None and not isinstance(prices, pd.DataFrame):
        prices = prices_of(prices)
    tables: list[pd.DataFrame] = [] if prices is None else [prices]
    if view == "equity" and results:
        tables.append(prices_of(results))
    bars = {one.symbol: one for result in results.values() for one in result.series}
    if bars:
        tables.append(prices_of(bars))
    known = {str(name) for table in tables for name in table.columns}
    wanted = [one.series or one.symbol for one in held if isinstance(one, Holding) and one.quantity]
    lacking = [name for name in dict.fromkeys(wanted) if not {name, name.split(":")[0]} & known]
    if lacking:
        tables.append(lake_prices(lacking))
    if not tables:
        return None
    frame = pd.concat([_utc(table) for table in tables], axis=1, sort=True)
    return frame.loc[:, ~frame.columns.duplicated()]


def _utc(table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    if not isinstance(table.index, pd.DatetimeIndex):
        raise DataError("prices are by time: give a DataFrame with a DatetimeIndex")
    index = table.index.tz_localize("UTC") if table.index.tz is None else table.index.tz_convert("UTC")
    return table.set_axis(index.as_unit("ms"), axis=0)


def _closed_by(table: pd.DataFrame, at: Any) -> pd.DataFrame:
    """Give the days that are over at a moment: their last prices are known then."""
    import pandas as pd

    index = pd.DatetimeIndex(table.index).as_unit("ms")
    return table[index.asi8 + _DAY_MS <= to_ms(at)]


def _equity(
    results: dict[str, Result], named: list[tuple[str, Any]], rates: Any, currency: str, at: Any
) -> pd.Series | None:
    """Sum the equities of results over the days that all of them have, at the rates of now."""
    import pandas as pd

    if len(results) < len(named):
        return None
    factors = {name: rates.between(result.currency, currency).value for name, result in results.items()}
    table = prices_of(results).ffill().dropna()
    if at is not None:
        table = _closed_by(table, at)
    if not len(table):
        return None
    found = pd.Series((table * pd.Series(factors)).sum(axis=1), name="equity")
    return found if float(found.iloc[0]) > 0.0 else None
