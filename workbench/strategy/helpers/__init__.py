"""What makes order strategies short: ladders of orders, positions in legs, weights, inventories, timers.

Plain functions of a view: they read the open orders, the wishes under way and the position from it, and give wishes to
return. What must be remembered is plain data in `view.memory`, so a strategy that is stopped and started again goes on
where it was. Nothing here rounds: ticks and lots are the core's business (`View.rounded` says what they will be).
"""

from workbench.strategy.helpers.books import is_base, own_equity, own_memory
from workbench.strategy.helpers.inventory import Inventory, room, skew
from workbench.strategy.helpers.ladders import (
    Rung,
    arithmetic_levels,
    cumulative_steps,
    geometric_levels,
    keep_ladder,
    levels_around,
    scaled_sizes,
)
from workbench.strategy.helpers.legs import Leg, flatten, keep_legs, lopsided
from workbench.strategy.helpers.timers import every, every_bars, heard_all, next_time_of_day, times_of_day
from workbench.strategy.helpers.weights import keep_weights, parse_weights

__all__ = [
    "Inventory",
    "Leg",
    "Rung",
    "arithmetic_levels",
    "cumulative_steps",
    "every",
    "every_bars",
    "flatten",
    "geometric_levels",
    "heard_all",
    "is_base",
    "keep_ladder",
    "keep_legs",
    "keep_weights",
    "levels_around",
    "lopsided",
    "next_time_of_day",
    "own_equity",
    "own_memory",
    "parse_weights",
    "room",
    "scaled_sizes",
    "skew",
    "times_of_day",
]
