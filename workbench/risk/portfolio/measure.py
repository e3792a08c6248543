"""`measure`: holdings, rates and prices into the risk of a portfolio."""

from __future__ import annotations

from typing import Any

from workbench.errors import ConfigError
from workbench.risk.portfolio.book import make_book
from workbench.risk.portfolio.levels import levels_of
from workbench.risk.portfolio.rates import read_rates
from workbench.risk.portfolio.risk import PortfolioRisk
from workbench.risk.portfolio.terms import Terms

__all__ = ["measure"]


def measure(
    holdings: Any,
    prices: Any = None,
    *,
    returns: Any = None,
    currency: str = "USD",
    rates: Any = None,
    equity: Any = None,
    terms: Terms | None = None,
) -> PortfolioRisk:
    """Measure the risk of what is held over several bots, venues and accounts, in one currency.

    Parameters
    ----------
    holdings : iterable of Holding and Balance
        Positions and the money of accounts.
    prices : DataFrame, optional
        A column a series (named by symbol, or as a holding's `series` says), a row a time; NaN where it was not traded.
        A column such as `EUR/USD` also tells how a currency moves.
    returns : DataFrame, optional
        Simple returns per row, in place of prices. Without either, there are exposures only.
    currency : str, default "USD"
        In which everything is reported.
    rates : mapping or Rates, optional
        What currencies are worth: `{"EUR/USD": 1.10, "USDT/USD": 1.0}`. A third currency may lie in between.
    equity : Series, optional
        Equity of the past by time, in the reporting currency, for the drawdown.
    terms : Terms, optional
        Level, horizon and method; 99 %, one row, historical unless said.

    Returns
    -------
    PortfolioRisk

    Raises
    ------
    DataError
        A rate is missing or too old, an instrument has no prices, a number cannot be.
    ConfigError
        `terms` are none.

    Examples
    --------
    >>> import pandas as pd
    >>> from workbench.risk.portfolio import Balance, Holding, measure
    >>> days = pd.date_range("2024-01-01", periods=5, tz="UTC")
    >>> prices = pd.DataFrame({"BTC/USDT": [40e3, 44e3, 39.6e3, 41.58e3, 37.422e3]}, index=days)
    >>> held = Holding(symbol="BTC/USDT", quantity=1.0, price=50e3, currency="USDT")
    >>> risk = measure([held, Balance(amount=50e3, currency="USDT")], prices, currency="USDT")
    >>> risk.equity, round(risk.expected_shortfall, 6), round(risk.of_equity(risk.expected_shortfall), 6)
    (100000.0, 5000.0, 0.05)
    """
    if terms is not None and not isinstance(terms, Terms):
        raise ConfigError(f"terms = {terms!r}: give Terms(level=0.99, horizon=1, method='historical')")
    book = make_book(holdings, read_rates(rates), currency)
    levels = None if prices is None and returns is None else levels_of(prices, returns)
    found = PortfolioRisk(book=book, levels=levels, terms=terms or Terms(), history=equity)
    if levels is not None:
        found.moves()  # what lacks prices says so at once
    if equity is not None:
        found.drawdown()
    return found
