# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What the backtest promised and what the bot did
#
# The journal of a bot tells what it did; the backtest of the same bars what it was to do. Their trades are paired one
# to one, and every difference has a cause and a cost.

# %% tags=["parameters"]
bot: str = ""  # as `workbench bots list` shows it; "" trades a demonstration on paper first
symbol: str = "BTC/USDT"  # of the demonstration
timeframe: str = "1h"  # of the demonstration
start: str = "2023-01-01"  # of the demonstration, UTC
end: str = "2023-02-01"  # of the demonstration, UTC
seed: int = 0  # recorded with the run; the band's runs are always the same

# %%
import workbench as wb
from workbench.bots.demonstrating import demonstration

name = bot or demonstration("sma_cross", symbol, timeframe, start=start, end=end)
report = wb.parity(name)
report

# %% [markdown]
# The band is drawn with `wb.monte_carlo`: blocks of the backtest's returns, put together anew. The whole path of the
# backtest stays inside in 95 of 100 runs. A bot that leaves it while its backtest does not is an alarm.
#
# ## How parity goes

# %%
report.trend.round(4)

# %% [markdown]
# ## What differed, and why
#
# Costs of causes add up to the whole difference between the two profits; what nothing in the journal explains is
# called so.

# %%
report.causes if len(report.causes) else "Nothing differed."

# %%
report.slippage if len(report.slippage) else "No order slipped."

# %% [markdown]
# ## Trade by trade

# %%
report.trades[["symbol", "side", "promised_pnl", "lived_pnl", "difference", "score", "cause"]].tail(8)

# %% tags=["nbval-check-output"]
wb.record(**report.named_results())
