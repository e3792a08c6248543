"""What can be limited: the table of rules, in the order in which they are judged.

A rule is a number that is worked out before an order goes out, and what may be done where it is too large. Nothing here
works a number out: `exposures` and the core do, `judging` compares.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ACTIONS", "CODES", "EQUITY_RULES", "PLACE", "RULES", "Action", "Rule"]

Action = Literal["warn", "reject", "reduce", "flatten"]
ACTIONS: Final = ("warn", "reject", "reduce", "flatten")
"""From the mildest to the strictest."""


class Rule(NamedTuple):
    """One thing that can be limited.

    `name` of the field of `Limits`; `code` the reason code of a refusal; `unit` "fraction", "times" (of the equity),
    "count", "ms", "cash" or "flag"; `action` what is done where nothing else is said; `reaches` whether being at the
    limit is too much already; `cuts` whether an order can be made smaller to fit; `text` what it measures.
    """

    name: str
    code: str
    unit: str
    action: Action
    reaches: bool
    cuts: bool
    text: str


RULES: Final = (
    Rule("daily_loss", "daily_loss", "fraction", "flatten", True, False,
         "fall of the equity since the day began (UTC)"),
    Rule("weekly_loss", "weekly_loss", "fraction", "flatten", True, False,
         "fall of the equity since the week began (Monday, UTC)"),
    Rule("max_drawdown", "max_drawdown", "fraction", "reduce", True, False,
         "fall of the equity from its highest"),
    Rule("capital_depletion", "capital_depletion", "fraction", "flatten", True, False,
         "part of the capital that is lost"),
    Rule("gross_exposure", "gross_exposure", "times", "reduce", False, True,
         "value of all positions and working orders over the equity"),
    Rule("net_exposure", "net_exposure", "times", "reduce", False, True,
         "long less short value over the equity, working orders at their worst"),
    Rule("instrument_exposure", "instrument_exposure", "times", "reduce", False, True,
         "value in one instrument over the equity"),
    Rule("group_exposure", "group_exposure", "times", "reduce", False, True,
         "value in one group of instruments over the equity"),
    Rule("concentration", "concentration", "times", "reduce", False, True,
         "value in one asset, over all its instruments, over the equity"),
    Rule("max_positions", "max_positions", "count", "reject", False, False,
         "positions that this bot has open or may open by working orders"),
    Rule("max_positions_total", "max_positions_total", "count", "reject", False, False,
         "positions that all bots together have open or may open"),
    Rule("leverage", "leverage", "times", "reject", False, False,
         "leverage at which the instrument is traded"),
    Rule("order_value", "order_value", "times", "reject", False, True,
         "value of the order over the equity"),
    Rule("order_cash", "order_cash", "cash", "reject", False, True,
         "value of the order"),
    Rule("price_distance", "price_distance", "fraction", "reject", False, False,
         "distance of the order's prices from the last price"),
    Rule("orders_per_minute", "order_rate", "count", "reject", False, False,
         "orders and amendments in the last minute"),
    Rule("correlated_positions", "correlation", "count", "reject", False, False,
         "positions that move together with this one, it counted"),
    Rule("stale_data_ms", "stale_data", "ms", "reject", False, False,
         "age of the newest price, and of the last bar beyond its length"),
    Rule("spread", "spread", "fraction", "reject", False, False,
         "best ask less best bid over their middle"),
    Rule("volatility_halt", "volatility_halt", "fraction", "reject", False, False,
         "range of the price within the window"),
    Rule("losing_trades", "losing_pair", "count", "reject", True, False,
         "losing trades in a row of the instrument"),
    Rule("trading_hours", "trading_hours", "flag", "reject", False, False,
         "whether it is outside the trading hours"),
)  # fmt: skip
EQUITY_RULES: Final = 4  # the first ones judge the account and hold between orders too
PLACE: Final[Mapping[str, int]] = MappingProxyType({rule.name: place for place, rule in enumerate(RULES)})

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {rule.code: f"a limit on risk: {rule.text}" for rule in RULES}
    | {"reducing": "only reductions are allowed now", "halted": "trading is halted by a limit on risk"}
)
"""Reason codes of refusals by limits, with what they mean."""
