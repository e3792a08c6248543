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
# # A strategy of the library
#
# What it is, what can be set, and what it would have done: with every cost, doubts first. The defaults are a place to
# begin, not a recommendation; a strategy that loses is shown losing.

# %% tags=["parameters"]
strategy: str = "grid"  # a name that `workbench bots templates` lists
parameters: dict = {}  # of the strategy; what is left out keeps its default
series: list = []  # such as "BTC/USDT 1h", one for each instrument; empty: those it is usually shown with
start: str | None = None  # first bar that counts, UTC; None is the beginning
end: str | None = None  # first bar that no longer counts; None is the end
last: int | None = 8_000  # bars of each series, the last ones; None for all
cash: float = 10_000.0  # before the first bar, in the quote currency
limit_fill: str = "through"  # when a resting order fills: touch, through, or queue
seed: int = 0  # recorded with the run; nothing in this notebook draws a random number

# %%
import workbench as wb
from workbench.backtest import tables
from workbench.reporting import strategy_page
from workbench.strategy import library

chosen = library.get(strategy)(**parameters)
strategy_page.describe(chosen)

# %% [markdown]
# ## Parameters

# %%
strategy_page.parameter_table(chosen)

# %% [markdown]
# ## What it would have done
#
# A series of the venue "made" stands in for one that this lake does not have: it shows how the strategy works, and
# nothing about what it would earn.

# %%
bars = strategy_page.sample_bars(strategy, series, start=start, end=end, last=last)
rules = wb.Rules(limit_fill=limit_fill)
result = wb.backtest(chosen, bars, cash=cash, rules=rules)
diagnosis = result.doctor()
diagnosis

# %%
result

# %%
result.plot()

# %% [markdown]
# ## Trades
#
# From flat to flat. A strategy that is never flat (a rebalancer, a grid that holds) has few; its fills say more.

# %%
reasons = tables.by_exit_reason(result).rename(columns=tables.in_words)
reasons.style.format({"win rate": tables.percent, "pnl": "{:,.0f}", "bars held": "{:.1f}"})

# %%
result.trades.tail(8)

# %%
result.fills.tail(8)

# %% [markdown]
# ## What costs do to it

# %%
sensitivity = result.cost_sensitivity().rename(columns=tables.in_words).rename_axis(None)
sensitivity.style.format(
    dict.fromkeys(["total return", "annualised return", "max drawdown"], tables.percent)
    | dict.fromkeys(["sharpe ratio", "profit factor"], "{:.2f}")
).format_index("{:g} times")

# %% [markdown]
# ## Every number and how it is computed

# %%
tables.metrics_table(result).style

# %% tags=["nbval-check-output"]
wb.record(**tables.named_results(result), **diagnosis.named_results())
