"""What trading means: orders, money and prices in, fills and positions out, without I/O, clock, chance or asyncio.

`core.Core` is the machine of one bot, `venue.Venue` the simulated exchange that backtest, paper and practice match at;
both keep `account.Account` books and speak in `events`. `arithmetic`, `margin`, `exits` and `guards` are plain
functions of numbers that the compiled path of the backtester compiles into its loop.
"""

from workbench.trading import arithmetic

__all__ = ["arithmetic"]
