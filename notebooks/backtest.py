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
# # One strategy, one market
#
# What the strategy would have done on closed bars, with every cost it would have paid. What is doubtful about it comes
# first.

# %% tags=["parameters"]
strategy: str = "sma_cross"  # a file of the strategies folder, or a path
parameters: dict = {}  # of the strategy; what is left out keeps its default
symbol: str = "BTC/USDT"  # as `workbench data list` shows it
timeframe: str = "1h"  # length of a bar
venue: str | None = None  # needed only where two venues have the symbol
start: str | None = None  # first bar that counts, UTC; None is the beginning
end: str | None = None  # first bar that no longer counts; None is the end
cash: float = 10_000.0  # before the first bar, in the quote currency
fee: float | None = None  # fraction of the traded value; None takes the instrument's
slippage_bps: float | None = None  # basis points; None takes half the instrument's spread
fill: str = "next_open"  # where a decision trades: next_open, or close
seed: int = 0  # recorded with the run; nothing in this notebook draws a random number

# %%
import workbench as wb
from workbench.backtest import tables

bars = wb.read(symbol, timeframe, start=start, end=end, venue=venue)
chosen = wb.load_strategy(strategy)(**parameters)
costs = wb.Costs(fee=fee, slippage_bps=slippage_bps)
result = wb.backtest(chosen, bars, cash=cash, costs=costs, fill=fill)
diagnosis = result.doctor()
diagnosis

# %%
result

# %%
result.plot()

# %% [markdown]
# ## Year by year

# %%
years = tables.by_year(result).rename(columns=tables.in_words)
years.style.format(tables.percent, subset=["return", "buy and hold", "max drawdown"])

# %% [markdown]
# ## What costs do to it
#
# The same trades at no costs, at those charged, and at twice and three times as much.

# %%
sensitivity = result.cost_sensitivity().rename(columns=tables.in_words).rename_axis(None)
sensitivity.style.format(
    dict.fromkeys(["total return", "annualised return", "max drawdown"], tables.percent)
    | dict.fromkeys(["sharpe ratio", "profit factor"], "{:.2f}")
    | {"fee": "{:.3%}", "slippage bps": "{:g}"}
).format_index("{:g} times")

# %% [markdown]
# ## How trades ended

# %%
reasons = tables.by_exit_reason(result).rename(columns=tables.in_words)
reasons.style.format({"win rate": tables.percent, "pnl": "{:,.0f}", "bars held": "{:.1f}"})

# %% [markdown]
# ## Best and worst trades

# %%
extremes = tables.best_and_worst(result).rename(columns=tables.in_words)
extremes.style.hide(axis="index").format(
    dict.fromkeys(["entry time", "exit time"], "{:%Y-%m-%d %H:%M}")
    | dict.fromkeys(["return", "mae", "mfe"], tables.percent)
    | dict.fromkeys(["entry price", "exit price"], "{:,.6g}")
    | {"pnl": "{:,.0f}"}
)

# %% [markdown]
# ## Every number and how it is computed

# %%
tables.metrics_table(result).style

# %% [markdown]
# ## Where the data come from

# %%
tables.provenance_table(bars).style.format(escape="html")

# %% tags=["nbval-check-output"]
wb.record(**tables.named_results(result), **diagnosis.named_results())
