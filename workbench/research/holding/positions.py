"""What a backtest held at a moment, as holdings and money, with the prices at which it would have been liquidated."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from workbench.backtest import curves
from workbench.backtest.plan import Line
from workbench.backtest.result import Result
from workbench.errors import DataError
from workbench.market.bars import moment, to_ms
from workbench.risk.portfolio import Balance, Holding
from workbench.trading.margin import inverse_liquidation_level, liquidation_level, maintenance_margin

__all__ = ["holdings_of", "row_at"]

_DAY_MS: Final = 86_400_000
_USUAL_DAYS: Final = 30


def row_at(result: Result, at: Any = None) -> int:
    """Give the row of the equity whose bar has closed by a time; the last one where left out.

    Raises
    ------
    DataError
        No bar has closed by then.
    """
    ts = result.records.ts
    if at is None:
        return len(ts) - 1
    row = int(np.searchsorted(ts, to_ms(at) - min(bars.timeframe.ms for bars in result.series), side="right")) - 1
    if row < 0:
        raise DataError(f"{result.name} on {result.market} begins {moment(result.start)}, after {at}")
    return row


def holdings_of(
    result: Result, bot: str | None = None, *, account: str | None = None, at: Any = None
) -> list[Holding | Balance]:
    """Give what a backtest held at the close of its last bar, or of the last one before a time.

    Parameters
    ----------
    result : Result
    bot : str, optional
        How it is called; the strategy's class where left out.
    account : str, optional
        Whose it is; the bot's own where left out, as in the backtest.
    at : str, datetime or int (ms UTC), optional
        A moment; what was decided, but not filled by then, is not held.

    Returns
    -------
    list of Holding and Balance
        Positions, and what is left of the equity as money. Liquidation prices are of the account as it was, by the
        tiers of the run; None in hedge mode with cross margin, where both sides are liquidated together.

    Raises
    ------
    DataError
        No bar has closed by then.
    """
    row = row_at(result, at)
    name = bot or result.name.split("(")[0]
    whose = {"bot": name, "account": account or name, "venue": result.bars.venue}
    held = [one for one in curves.holdings(result.plan, result.records) if one.quantity[row] != 0.0]
    made = {id(one): float(curves.unrealised_of(result.plan.lines[one.instrument], one)[row]) for one in held}
    kept = {id(one): float(curves.maintenance_of(result.plan.lines[one.instrument], one)[row]) for one in held}
    equity = float(result.equity_values[row])
    found: list[Holding | Balance] = []
    money = equity
    for one in held:
        line = result.plan.lines[one.instrument]
        wallet = equity - made[id(one)] - (sum(kept.values()) - kept[id(one)])
        if result.plan.account.isolated:
            wallet = float(curves.margin_of(result.plan, line, one)[row])
        position = _holding(result, one, row, wallet, {**whose, "venue": line.bars.venue})
        money -= position.counted / position.price if position.inverse else position.counted
        found.append(position)
    return [*found, Balance(amount=money, currency=result.currency, **whose)]


def _holding(result: Result, held: curves.Holding, row: int, wallet: float, whose: dict[str, str]) -> Holding:
    line = result.plan.lines[held.instrument]
    facts = line.bars.instrument
    quantity = float(held.quantity[row]) * line.contract_size
    price, entry = float(held.close[row]), float(held.price[row])
    size = abs(quantity) if line.inverse else abs(quantity) * price
    kept = maintenance_margin(size / price if line.inverse else size, line.tiers) * (price if line.inverse else 1.0)
    return Holding(
        symbol=facts.symbol,
        quantity=quantity,
        price=price,
        currency=facts.quote,
        margined=line.margined,
        entry_price=entry,
        inverse=line.inverse,
        leverage=line.leverage,
        liquidation_price=_level(result, line, quantity, entry, wallet),
        maintenance=kept / size if line.margined else None,
        daily_value=_usual_value(line, int(result.records.ts[row])),
        spread=facts.spread_bps / 10_000.0,
        **whose,
    )


def _level(result: Result, line: Line, quantity: float, entry: float, wallet: float) -> float | None:
    account = result.plan.account
    if not line.margined or (account.hedge and not account.isolated):
        return None
    level = (inverse_liquidation_level if line.inverse else liquidation_level)(wallet, quantity, entry, line.tiers)
    return None if math.isnan(level) or math.isinf(level) else float(level)


def _usual_value(line: Line, ts: int) -> float | None:
    """Mean value traded a day over the last 30 days, in the quote currency; None where volumes are not known."""
    bars = line.bars
    last = int(np.searchsorted(bars.ts, ts, side="right"))
    first = int(np.searchsorted(bars.ts, ts - _USUAL_DAYS * _DAY_MS, side="right"))
    volume = bars.volume[first:last]
    if not volume.any():
        return None
    days = len(np.unique(bars.ts[first:last] // _DAY_MS))
    value = volume if line.inverse else volume * bars.close[first:last]
    return float(value.sum() * line.contract_size / days)
