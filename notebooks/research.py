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
# # From a thousand backtests to what can be believed
#
# A sweep finds the best of many combinations, and the best of many is partly luck. This page sweeps a strategy, asks
# how much of the best is luck, walks it forward through time, and draws its history again.

# %% tags=["parameters"]
strategy: str = "sma_cross"  # a file in strategies/, or library:NAME
symbol: str = "BTC/USDT"  # as the lake has it
timeframe: str = "1h"  # of the series
start: str | None = "2021-01-01"  # first day, UTC
end: str | None = None  # day after the last, UTC
grid: dict = {"fast": [5, 10, 15, 20, 25, 30, 40, 50], "slow": [30, 50, 70, 90, 110, 130, 150, 170, 190]}  # values
objective: str = "sharpe_ratio"  # by which the best is chosen
train: str = "365d"  # length of a window to choose parameters on
test: str = "90d"  # length of the window after it, to trade them on
runs: int = 200  # histories that are drawn again
seed: int = 7  # of everything that is drawn

# %%
import workbench as wb

bars = wb.read(symbol, timeframe, start=start, end=end)
chosen = wb.load_strategy(strategy)
bars

# %% [markdown]
# ## The sweep

# %%
study = wb.sweep(chosen, bars, grid=grid)
study

# %%
x, y = list(grid)[:2]
study.heatmap(x, y, objective)

# %% [markdown]
# A peak among bad neighbours is a coincidence; a plateau may be more.

# %%
study.stability(objective).head()

# %% [markdown]
# ## What can be believed

# %%
judged = study.overfitting(objective)
judged.verdict()

# %%
judged.plot()

# %% [markdown]
# ## Walked forward
#
# Parameters are chosen on a window and traded on the one after it, again and again: what a user would have had.

# %%
walk = wb.walk_forward(chosen, bars, train=train, test=test, grid=grid, objective=objective)
walk.plot()

# %% [markdown]
# ## Drawn again

# %%
best = study.result(study.best(objective))
monte_carlo = wb.monte_carlo(best, runs=runs, seed=seed)
monte_carlo.plot()

# %%
chance = wb.significance(best, runs=runs, seed=seed)
chance

# %% tags=["nbval-check-output"]
wb.record(
    rows=len(study),
    best_sharpe=study.best("sharpe_ratio")["sharpe_ratio"],
    level=judged.verdict().level,
    walked_return=walk.metrics["total_return"],
    trades=best.metrics["trades"],
)
