"""The terms of trading as bare numbers: what both paths, paper and the practice exchange reckon with.

Named tuples of floats, so that compiled code takes them as they are. `backtest.costs` and `market.Instrument` are where
a user says them.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

__all__ = ["IMPACTS", "AccountTerms", "CostTerms", "Lots", "Tier"]

IMPACTS: Final = ("none", "volume_share", "square_root")


class CostTerms(NamedTuple):
    """What trading one instrument costs.

    `taker maker` fees as fractions of the value; `per_unit` quote currency a unit or contract; `per_order` quote
    currency an order (charged with its first fill); `slippage` the fraction by which market and stop orders fill worse;
    `impact` the coefficient of the market's reaction (`IMPACTS[impact_kind]`); `volume_share` the share of a bar's
    volume that can be had (infinity: all one wants); `liquidation_fee` a fraction of the value.
    """

    taker: float = 0.0
    maker: float = 0.0
    per_unit: float = 0.0
    per_order: float = 0.0
    slippage: float = 0.0
    impact_kind: int = 0
    impact: float = 0.0
    volume_share: float = math.inf
    liquidation_fee: float = 0.0


class Lots(NamedTuple):
    """The steps of an instrument: 0.0 where there is none."""

    tick: float = 0.0
    lot: float = 0.0
    min_notional: float = 0.0


class Tier(NamedTuple):
    """One step of a maintenance-margin table.

    It holds for notionals from `floor` up to the next tier's: `rate` the maintenance rate (fraction), `amount` what is
    deducted (quote currency), `max_leverage` the highest leverage allowed at that size.
    """

    floor: float
    rate: float
    amount: float
    max_leverage: float


class AccountTerms(NamedTuple):
    """How an account trades.

    `kind`: "cash" (nothing is borrowed, nothing sold short) or "margin"; `isolated`: each position has its own margin,
    else all of the account's money stands behind each; `hedge`: long and short positions of one instrument side by
    side; `leverage`: initial margin is the notional divided by it.
    """

    kind: str = "margin"
    isolated: bool = False
    hedge: bool = False
    leverage: float = 1.0
