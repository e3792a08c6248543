"""The risk of what is held over several bots, venues and accounts, in one currency.

`measure(holdings, prices, rates=…)` gives a `PortfolioRisk`: exposures, correlations, value at risk and expected
shortfall with what each part has in them, scenarios, liquidity, liquidation, drawdown. Pure: holdings, prices, rates
and liquidation prices are given; `research.holding` gets them from backtests and the lake.

`rates` converts, `book` puts all of it in one currency and finds the legs by which it wins and loses, `tails` has the
laws; what is shown is in `tables`, `words`, `pages` and `charts`.
"""

from workbench.risk.portfolio.book import DIMENSIONS, Book
from workbench.risk.portfolio.drawdowns import Drawdown, DrawdownMonitor, drawdown_table, monitor_of
from workbench.risk.portfolio.holdings import Balance, Holding
from workbench.risk.portfolio.liquidity import Market
from workbench.risk.portfolio.measure import measure
from workbench.risk.portfolio.rates import Rate, Rates, read_rates
from workbench.risk.portfolio.risk import PortfolioRisk
from workbench.risk.portfolio.scenarios import CRASHES, Scenario, uniform_shocks
from workbench.risk.portfolio.terms import Terms

__all__ = [
    "CRASHES",
    "DIMENSIONS",
    "Balance",
    "Book",
    "Drawdown",
    "DrawdownMonitor",
    "Holding",
    "Market",
    "PortfolioRisk",
    "Rate",
    "Rates",
    "Scenario",
    "Terms",
    "drawdown_table",
    "measure",
    "monitor_of",
    "read_rates",
    "uniform_shocks",
]
