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
# # The night in one page
#
# What last night's runs say together: read from the run ledger, nothing is computed again.

# %% tags=["parameters"]
report: str = "nightly"  # which report
batch: str = "latest"  # which of its batches

# %%
import workbench as wb
from workbench.reporting.night import load_night

night = load_night(report, batch)
night

# %% [markdown]
# ## League table
#
# Ranked by Sharpe ratio. The best of many runs is the luckiest as much as the best: read the first rows with that in
# mind, and the number of runs beside them.

# %%
night.table()

# %%
night.plot()

# %% [markdown]
# ## By strategy

# %%
night.by_strategy()

# %% [markdown]
# ## Worst drawdowns

# %%
night.worst_drawdowns()

# %%
wb.record(**night.named_results())
