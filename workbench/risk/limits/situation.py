"""Asking limits about an order by hand: `assess(order, context)` with a `Situation` of plain numbers, or a gate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from workbench.errors import ConfigError
from workbench.risk.limits.bounds import Limits
from workbench.risk.limits.exposures import Row, opened_value, stakes
from workbench.risk.limits.hours import is_open
from workbench.risk.limits.judging import Assessment, compiled, findings, verdict_on

__all__ = ["Judge", "Situation", "assess", "reading"]

NAN: Final = math.nan


class Judge(Protocol):
    """What can assess an order by itself: a bot's gate."""

    def assess(self, order: Any) -> Assessment:
        """Say what the limits make of an order, without sending it."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """An account at one moment, as far as limits look at it.

    Parameters
    ----------
    equity : float
    prices : mapping of symbol to float
        Last prices, per unit and in the currency of the account.
    positions : mapping of symbol to float
        Signed quantities.
    working : mapping of symbol to (float, float), optional
        Quantities of open orders that buy and that sell.
    elsewhere : iterable of Row, optional
        Positions of other bots.
    day_equity, week_equity, peak_equity, capital : float, optional
        Equity as the day and the week began, its highest, and all that was paid in.
    now : int, optional
        ms UTC, for trading hours.
    leverage : float, default 1
    orders_last_minute, correlated, losing_trades : int
        As `Limits` counts them, without this order.
    data_age_ms, spread, volatility : float, optional
        NaN where not known.
    """

    equity: float
    prices: Mapping[str, float]
    positions: Mapping[str, float] = field(default_factory=dict)
    working: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    elsewhere: Iterable[Row] = ()
    day_equity: float = NAN
    week_equity: float = NAN
    peak_equity: float = NAN
    capital: float = NAN
    now: int = 0
    leverage: float = 1.0
    orders_last_minute: int = 0
    correlated: int = 0
    losing_trades: int = 0
    data_age_ms: float = NAN
    spread: float = NAN
    volatility: float = NAN


def reading(
    losses: Iterable[float], exposures: Iterable[float], counts: Iterable[float], others: Iterable[float]
) -> list[float]:
    """Put the numbers of an order in the order of `RULES`."""
    return [*losses, *exposures, *counts, *others]


def assess(order: Any, context: Situation | Judge, limits: Limits | str | None = None) -> Assessment:
    """Say what limits make of an order: approved or rejected, every check with its numbers, warnings, a sentence.

    Parameters
    ----------
    order : Order, or mapping or object with `symbol`, `side`, `quantity` and, where it has one, `price`
    context : Situation, or a gate that has limits of its own (`core.risk`)
    limits : Limits or str, optional
        Limits or the name of a profile, for a `Situation`; "default" when left out.

    Returns
    -------
    Assessment

    Raises
    ------
    ConfigError
        The order lacks something, its instrument has no price, or limits are given to a gate that has its own.

    Examples
    --------
    >>> now = Situation(equity=10_000.0, prices={"BTC/USDT": 50_000.0})
    >>> said = assess({"symbol": "BTC/USDT", "side": "buy", "quantity": 0.5}, now, "conservative")
    >>> said.approved, said.quantity, said.code
    (True, 0.05, 'instrument_exposure')
    """
    if not isinstance(context, Situation):
        if limits is not None:
            raise ConfigError("assess: this gate has limits of its own; leave out `limits`, or give a Situation")
        return context.assess(order)
    known = Limits.profile("default") if limits is None else limits
    return _assess(_Asked(order), context, Limits.profile(known) if isinstance(known, str) else known)


class _Asked:
    """An order's symbol, sign, quantity and price, from whatever it was said with."""

    def __init__(self, order: Any) -> None:
        def said(name: str, usual: Any = None) -> Any:
            return order.get(name, usual) if isinstance(order, Mapping) else getattr(order, name, usual)

        self.symbol, self.side = said("symbol"), said("side")
        self.quantity, price = said("quantity"), said("price")
        self.price = NAN if price is None else float(price)
        number = isinstance(self.quantity, (int, float)) and 0.0 < self.quantity < math.inf
        if not isinstance(self.symbol, str) or self.side not in ("buy", "sell") or not number:
            raise ConfigError(
                f"assess: {order!r} is no order; it needs symbol, side ('buy' or 'sell') and a positive quantity"
            )
        self.sign = 1.0 if self.side == "buy" else -1.0
        self.closes = bool(said("reduce_only", False) or said("close_position", False))


def _assess(order: _Asked, now: Situation, limits: Limits) -> Assessment:
    price = now.prices.get(order.symbol, NAN)
    if not price > 0.0:
        raise ConfigError(f"assess: there is no price of {order.symbol} in `prices`", symbol=order.symbol)
    what = f"{order.side} {order.quantity:g} {order.symbol}"
    rows = [_row(name, now) for name in {**now.positions, **now.working} if name != order.symbol]
    rows = [one for one in (*rows, *now.elsewhere) if one.value or one.buys or one.sells]
    own = _row(order.symbol, now)
    level = max(price, order.price) if order.price == order.price else price
    held = now.positions.get(order.symbol, 0.0) * order.sign
    closing = min(-held, order.quantity) if held < 0.0 else 0.0
    size = order.quantity * level
    if order.closes or not opened_value(own.value, own.buys, own.sells, order.sign, size) > 0.0:
        size = 0.0
    values, before = _numbers(order, now, limits, (rows, own, size, price))
    if not size:
        return verdict_on(order.quantity, order.quantity, "", limits, values, f"{what}, which only reduces")
    found = [one for one in findings(compiled(limits), values, before) if one.action != "warn"]
    worst = min(found, key=lambda one: one.share, default=None)
    if worst is None:
        return verdict_on(order.quantity, order.quantity, "", limits, values, what)
    from workbench.risk.limits.rules import RULES

    allowed = max(worst.share * order.quantity, closing)
    return verdict_on(order.quantity, allowed, RULES[worst.rule].code, limits, values, what)


def _row(symbol: str, now: Situation) -> Row:
    price = now.prices.get(symbol, NAN)
    if not price > 0.0:
        raise ConfigError(f"assess: there is no price of {symbol} in `prices`", symbol=symbol)
    buys, sells = now.working.get(symbol, (0.0, 0.0))
    return Row(symbol, symbol.split("/")[0], now.positions.get(symbol, 0.0) * price, buys * price, sells * price)


def _numbers(order: _Asked, now: Situation, limits: Limits, market: Any) -> tuple[list[float], list[float]]:
    rows, own, size, price = market
    equity = now.equity if now.equity > 0.0 else NAN
    before, after, count = stakes(rows, own, order.sign, size, limits.groups)
    starts = (now.day_equity, now.week_equity, now.peak_equity, now.capital)
    elsewhere = len(list(now.elsewhere))
    closed = any(not is_open(text, now.now) for text in limits.trading_hours or ())
    values = reading(
        [1.0 - now.equity / start if start > 0.0 else NAN for start in starts],
        [one / equity for one in after],
        [count - elsewhere, count],
        [
            now.leverage, size / equity, size, abs(order.price / price - 1.0), now.orders_last_minute + 1.0,
            now.correlated + 1.0, now.data_age_ms, now.spread, now.volatility, now.losing_trades, float(closed),
        ],
    )  # fmt: skip
    return values, [one / equity for one in before]
