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
# # Ten minutes with workbench
#
# From prices to a judged strategy. Every cell stands on its own feet: run them from top to bottom, then change things.

# %% [markdown]
# ## Prices
#
# The workspace has real market data. `wb.read` gives `Bars`: columns of numbers, checked once, read-only.

# %%
import workbench as wb

wb.lake().catalog()[["venue", "symbol", "timeframe", "rows", "start", "end", "missing"]]

# %%
bars = wb.read("BTC/USDT", "1h", start="2021-01-01")
bars

# %% [markdown]
# ## A strategy
#
# A class with parameters and one method. It sees closed bars only; what it says about a bar is traded at the open of
# the next one.

# %%
from workbench.indicators import crosses_above, crosses_below, sma


class SmaCross(wb.SignalStrategy):
    """Long while the fast mean is above the slow one."""

    fast: int = wb.param(10, low=5, high=50)
    slow: int = wb.param(30, low=20, high=200)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        fast, slow = sma(bars.close, self.fast), sma(bars.close, self.slow)
        return wb.Signals(entry=crosses_above(fast, slow), exit=crosses_below(fast, slow))


SmaCross(slow=50)

# %% [markdown]
# ## A backtest
#
# Fees and slippage are the instrument's own unless you say otherwise; they are never zero by default.

# %%
result = wb.backtest(SmaCross(fast=20, slow=100), bars, cash=10_000)
result

# %%
result.plot()

# %%
result.trades.tail()

# %% [markdown]
# ## How much of it is cost?

# %%
sensitivity = result.cost_sensitivity()
sensitivity

# %% [markdown]
# ## Against others

# %%
wb.compare([result, wb.backtest(wb.load_strategy("donchian_breakout")(), bars)]).T

# %% [markdown]
# ## Where next
#
# - `strategies/` holds three strategies worth reading; `wb.load_strategy("donchian_breakout")` loads one.
# - `notebooks/backtest.ipynb` is the parameterised page that the nightly report is made of.
# - `workbench report run nightly` runs it over many markets; `workbench --help` lists the rest.

# %% tags=["nbval-check-output"]
wb.record(
    bars=len(bars),
    trades=result.metrics["trades"],
    total_return=result.metrics["total_return"],
    sharpe_ratio=result.metrics["sharpe_ratio"],
    total_return_free=sensitivity.loc[0, "total_return"],
)
