"""What backtests, hand-written holdings and the lake bring to the risk of a portfolio; `risk.portfolio` measures it.

`positions` turns a result into holdings and money, `prices` bars into a table of prices, `files` a CSV file into
holdings, and `portfolio_risk` puts all of them together.
"""

from workbench.research.holding.files import read_holdings
from workbench.research.holding.joining import portfolio_risk
from workbench.research.holding.positions import holdings_of
from workbench.research.holding.prices import lake_prices, prices_of

__all__ = ["holdings_of", "lake_prices", "portfolio_risk", "prices_of", "read_holdings"]
