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
# # Every indicator, drawn
#
# Each with its defaults, over the same real bars. `wb.indicators.compute(name, bars)` gives the numbers of a panel, and
# `workbench indicators show NAME` what is to know of it.

# %% tags=["parameters"]
symbol: str = "BTC/USDT"  # the series to draw over
timeframe: str = "1h"  # length of its bars
beside: str | None = None  # a second series with the same bars, for indicators of two; None is the opens of the first
start: str = "2020-03-01"  # first bar to draw, UTC
end: str = "2020-03-22"  # first bar no longer drawn

# %%
import workbench as wb
from workbench.backtest.charts_indicators import indicator_gallery

bars = wb.read(symbol, timeframe, start=start, end=end)
other = wb.read(beside, timeframe, start=start, end=end) if beside else None
len(bars)

# %% [markdown]
# ## Trend
#
# Where the price is heading, and how steadily.

# %%
indicator_gallery(bars, "trend", beside=other)

# %% [markdown]
# ## Momentum
#
# How fast it moves, and whether that tires.

# %%
indicator_gallery(bars, "momentum", beside=other)

# %% [markdown]
# ## Volatility
#
# How much it moves.

# %%
indicator_gallery(bars, "volatility", beside=other)

# %% [markdown]
# ## Volume
#
# What was traded behind the move.

# %%
indicator_gallery(bars, "volume", beside=other)

# %% [markdown]
# ## Statistics
#
# What a window of values looks like.

# %%
indicator_gallery(bars, "statistics", beside=other)

# %% [markdown]
# ## Pattern
#
# Shapes of bars; a mark upwards is a bullish one, downwards a bearish one.

# %%
indicator_gallery(bars, "pattern", beside=other)

# %% [markdown]
# ## Microstructure
#
# What the bars say of orders and liquidity.

# %%
indicator_gallery(bars, "microstructure", beside=other)

# %% tags=["nbval-check-output"]
wb.record(bars=len(bars), groups=len(wb.indicators.GROUPS), last_rsi=float(wb.indicators.rsi(bars.close)[-1]))
