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
# # Strategies that place orders
#
# A signal strategy says when to be in. A grid, a ladder, a market maker say which orders should rest: they are an
# `OrderStrategy`. Here is a grid from nothing, in four steps. The one in the library has bounds, a stop, trailing and
# checks besides: `workbench bots template grid`.

# %% tags=["parameters"]
symbol: str = "BTC/USDT"  # as `workbench data list` shows it
timeframe: str = "1h"  # length of a bar
start: str = "2023-04-01"  # first bar that counts, UTC
end: str = "2023-07-01"  # first bar that no longer counts
step: float = 0.01  # distance between two lines, a fraction
lines: int = 8  # lines below the first price, and as many above
seed: int = 0  # recorded with the run; nothing in this notebook draws a random number

# %% [markdown]
# ## 1. Levels
#
# `workbench.strategy.helpers` has what ladders of orders are made of.

# %%
import workbench as wb
from workbench.backtest import tables
from workbench.strategy.helpers import Rung, keep_ladder, levels_around

bars = wb.read(symbol, timeframe, start=start, end=end)
levels_around(float(bars.close[0]), step, 3)

# %% [markdown]
# ## 2. What should rest
#
# The strategy says on each bar which orders it wants. `keep_ladder` looks at those that rest, by their tags, and gives
# the least that makes them so: cancels, amendments, new orders; nothing where all is well. So there is nothing to
# remember about orders, and a strategy that was stopped goes on with those it finds.
#
# What it does remember goes into `view.memory`, as plain data: here, what each line has bought.


# %%
class SmallGrid(wb.OrderStrategy):
    """Buy one unit of money at each line below the first price; sell it one line higher."""

    step: float = wb.param(0.01, low=0.001, high=0.2, doc="distance between two lines, a fraction")
    lines: int = wb.param(8, low=1, high=50, doc="lines")

    def on_bar(self, view, bar):
        memory = view.memory
        if "lines" not in memory:
            below, _ = levels_around(bar.close, self.step, self.lines)
            memory["lines"] = [bar.close, *below]
            memory["unit"] = 0.95 * view.equity / self.lines
            memory["held"] = [0.0] * self.lines
        return keep_ladder(view, self.wanted(memory), name="grid")

    def wanted(self, memory):
        rungs = []
        for cell, held in enumerate(memory["held"]):
            upper, lower = memory["lines"][cell], memory["lines"][cell + 1]
            size = memory["unit"] / lower
            rungs.append(Rung(f"buy {cell}", "buy", lower, size - held))
            rungs.append(Rung(f"sell {cell}", "sell", upper, held))
        return rungs

    def on_fill(self, view, fill):
        cell = int(view.order.tag.split()[-1])
        view.memory["held"][cell] += fill.quantity if fill.side == "buy" else -fill.quantity
        return keep_ladder(view, self.wanted(view.memory), name="grid")


# %% [markdown]
# A rung too small for the venue, or of nothing, is left out: what is not held needs no order to sell it. Prices go into
# whole ticks and quantities into whole lots on their way out, not here.
#
# ## 3. A run
#
# Orders trade by the rules of the venue: never before the bar after the one that decided them, at their price or a
# better open. `limit_fill="through"` fills a resting order only when the price goes beyond it, which is what somebody
# last in the queue can count on.

# %%
grid = SmallGrid(step=step, lines=lines)
result = wb.backtest(grid, bars, rules=wb.Rules(limit_fill="through"))
result

# %%
result.plot()

# %% [markdown]
# ## 4. Orders and fills
#
# Every order with what became of it, and every execution with what it cost.

# %%
result.orders.tail(6)

# %%
result.fills[["time", "side", "quantity", "price", "fee", "liquidity", "tag"]].tail(6)

# %% [markdown]
# ## What is doubtful about it

# %%
diagnosis = result.doctor()
diagnosis

# %% tags=["nbval-check-output"]
wb.record(**tables.named_results(result), **diagnosis.named_results())
