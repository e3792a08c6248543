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
# # What is in the lake
#
# Which series there are, where they come from, and what is missing in them.

# %% tags=["parameters"]
symbol: str = "BTC/USDT"  # the series to look at closely
timeframe: str = "1h"  # length of its bars
venue: str | None = None  # needed only where two venues have the symbol
start: str | None = None  # first bar to show, UTC; None is the beginning
end: str | None = None  # first bar no longer shown; None is the end

# %%
import workbench as wb
from workbench.backtest import charts, tables

lake = wb.lake()
lake.catalog().set_index("symbol")[["timeframe", "venue", "kind", "rows", "missing", "start", "end"]]

# %% [markdown]
# ## Look around
#
# Choose a series; the chart follows. In a report only the series named in the parameters is drawn.

# %%
from workbench.widgets import SeriesBrowser

SeriesBrowser(lake, symbol=symbol, timeframe=timeframe, venue=venue)

# %% [markdown]
# ## One series

# %%
bars = wb.read(symbol, timeframe, start=start, end=end, venue=venue)
charts.price_chart(bars)

# %%
tables.provenance_table(bars).style.format(escape="html")

# %% [markdown]
# ## Its holes
#
# Missing bars are known, never filled in silence.

# %%
tables.gaps_table(bars)

# %% [markdown]
# ## How it moves

# %%
charts.returns_chart(bars)

# %% [markdown]
# ## SQL over everything
#
# DuckDB reads the Parquet files where they lie; queries cannot change them.

# %%
lake.sql("select symbol, timeframe, count(*) as bars, max(high) as highest from bars group by all order by all")

# %% tags=["nbval-check-output"]
wb.record(
    bars=len(bars),
    gaps=len(bars.gaps),
    missing=sum(gap.missing for gap in bars.gaps),
    fingerprint=bars.fingerprint,
)
