"""What a strategy sees and says: the past, its own books, and the wishes it can make of them.

A view is the only thing that the methods of an `OrderStrategy` get. It shows closed bars, the position, the equity and
the open orders, and it makes wishes (`limit`, `cancel`, …) as plain data; nothing happens until they are returned.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypedDict, Unpack

from numpy.typing import NDArray

from workbench.errors import StrategyError
from workbench.market.instrument import Instrument
from workbench.trading.arithmetic import round_down, round_to_tick
from workbench.trading.history import History
from workbench.trading.orders import (
    Amend,
    Cancel,
    Intent,
    Leg,
    Order,
    OrderType,
    Protect,
    Side,
    SizeUnit,
    TimeInForce,
    Wake,
    client_order_id,
)

if TYPE_CHECKING:
    from workbench.trading.core import Core
    from workbench.trading.terms import CostTerms

__all__ = ["Holding", "Terms", "View", "flat_list"]

NAN: Final = math.nan


class Holding(NamedTuple):
    """A position as a strategy sees it; `quantity` is negative for a short, zero for none."""

    symbol: str
    quantity: float
    price: float
    unrealised: float
    realised: float

    @property
    def side(self) -> str:
        """Long, short or flat."""
        return "long" if self.quantity > 0 else "short" if self.quantity < 0 else "flat"


class Terms(TypedDict, total=False):
    """What every kind of order can be given by name; see `orders.Intent` and `orders.Order`.

    `symbol` is the current one when left out; `size` with `size_unit` stands instead of a quantity.
    """

    symbol: str | None
    size: float
    size_unit: SizeUnit
    time_in_force: TimeInForce
    expires: int
    post_only: bool
    reduce_only: bool
    display: float
    leg: Leg
    tag: str
    stop_loss: float
    take_profit: float
    trailing_stop: float
    trailing_activation: float
    stop_at: float
    target_at: float


class View:
    """The read-only window of a strategy on its core.

    Attributes
    ----------
    symbol : str
        Of the event that is being told.
    now : int
        ms UTC.
    memory : dict
        What the strategy wants to remember: plain data (numbers, text, lists, dicts by text), kept in every snapshot.
    order : Order or None
        In `on_fill`, the own order that was executed, with its tag; None for a fill that the venue made.
    """

    __slots__ = ("_core", "_main", "memory", "now", "order", "symbol")

    def __init__(self, core: Core) -> None:
        self._core, self._main = core, core.main
        self.order: Order | None = None
        self.symbol = next(iter(core.markets), "")
        self.now = 0
        self.memory: dict[str, Any] = {}

    @property
    def symbols(self) -> tuple[str, ...]:
        """What is traded in this run, in the order in which it was given."""
        return tuple(self._core.markets)

    def instrument(self, symbol: str | None = None) -> Instrument:
        """Give the facts of an instrument: its steps, fees, smallest order and kind."""
        wanted = self.symbol if symbol is None else symbol
        market = self._core.markets.get(wanted)
        if market is None:
            raise StrategyError(f"{wanted!r} is not traded here; this run has {', '.join(self.symbols)}", symbol=wanted)
        return market.instrument

    def costs(self, symbol: str | None = None) -> CostTerms:
        """Give what trading an instrument costs: fees (`taker`, `maker`) and `slippage`, as fractions."""
        return self._core.markets[self.instrument(symbol).symbol].costs

    def leverage(self, symbol: str | None = None) -> float:
        """Give the leverage at which an instrument is traded."""
        return self._core.account.leverage(self.instrument(symbol).symbol)

    def rounded(self, side: Side, price: float, quantity: float, symbol: str | None = None) -> tuple[float, float]:
        """Give price and quantity as a limit order would be sent: in whole ticks and lots.

        The quantity is 0.0 where the venue would refuse the order as too small.
        """
        facts = self.instrument(symbol)
        lots = self._core.markets[facts.symbol].lots
        level, whole = round_to_tick(price, lots.tick, side == "sell"), round_down(quantity, lots.lot)
        value = whole * facts.contract_size * (1.0 if facts.kind == "inverse" else level)
        return level, whole if whole > 0.0 and value >= lots.min_notional else 0.0

    def history(self, symbol: str | None = None, timeframe: str | None = None) -> History:
        """Give the closed bars of a series; the finest timeframe of the current symbol when left out."""
        wanted = self.symbol if symbol is None else symbol
        for one in self._core.histories:
            if one.symbol == wanted and (timeframe is None or one.timeframe == timeframe):
                return one
        known = ", ".join(f"{one.symbol} {one.timeframe}" for one in self._core.histories)
        raise StrategyError(f"no bars of {wanted} {timeframe or ''}: this run has {known or 'none'}", symbol=wanted)

    def bars(self, column: str = "close", symbol: str | None = None, timeframe: str | None = None) -> NDArray[Any]:
        """Give a column of closed bars, shape (bars so far,), oldest first, read-only."""
        return self.history(symbol, timeframe).column(column)

    def value(self, name: str, ago: int = 0, symbol: str | None = None) -> float:
        """Give an indicator (or price column) at the last closed bar, or `ago` bars before; NaN where there is none."""
        # the finest series of the current symbol comes first; asking it directly is what a bar can afford
        main = self._main.get(self.symbol if symbol is None else symbol)
        return (main or self.history(symbol)).value(name, ago)

    def crosses_above(self, name: str, other: str, symbol: str | None = None) -> bool:
        """Tell whether a column has just gone above another: above it at the last closed bar, not at the one before.

        Parameters
        ----------
        name, other : str
            Columns of `indicators`, or of prices.
        symbol : str, optional
            The current one when left out; its finest series counts.

        Returns
        -------
        bool
            False where one of the four values is NaN, and before the second bar: as `indicators.crosses_above`.

        Examples
        --------
        >>> import workbench as wb
        >>> class Cross(wb.OrderStrategy):
        ...     def indicators(self, bars):
        ...         return {"fast": wb.indicators.sma(bars.close, 10), "slow": wb.indicators.sma(bars.close, 30)}
        ...
        ...     def on_bar(self, view, bar):
        ...         if view.crosses_above("fast", "slow"):
        ...             return view.market("buy", 1)
        ...         return None
        >>> Cross()
        Cross()
        """
        try:  # what a bar can afford: no call where it has been asked before
            main = self._main[self.symbol if symbol is None else symbol]
            return main.count - 1 in main.crossed[name][other]
        except KeyError:
            pass
        return self.history(symbol).crosses(name, other)

    def crosses_below(self, name: str, other: str, symbol: str | None = None) -> bool:
        """Tell whether a column has just gone below another; as of `crosses_above`, the other way round."""
        try:
            main = self._main[self.symbol if symbol is None else symbol]
            return main.count - 1 in main.crossed[other][name]
        except KeyError:
            pass
        return self.history(symbol).crosses(other, name)

    def count(self, symbol: str | None = None) -> int:
        """Give how many bars of the finest series of an instrument have closed."""
        return self._core.main[symbol or self.symbol].count

    @property
    def equity(self) -> float:
        """Value of the account at the last prices, in the quote currency."""
        return self._core.account.equity

    @property
    def cash(self) -> float:
        """Cash of the account, in the quote currency."""
        return self._core.account.cash

    @property
    def available(self) -> float:
        """What new positions can be opened with, in the quote currency."""
        return self._core.account.available

    def price(self, symbol: str | None = None) -> float:
        """Give the last price known; NaN before the first."""
        return self._core.prices.get(self.symbol if symbol is None else symbol, NAN)

    def quantity(self, symbol: str | None = None, leg: str = "net") -> float:
        """Give the quantity held, negative for a short."""
        return self._core.account.quantity(symbol or self.symbol, leg)

    def entered(self, symbol: str | None = None, leg: str = "net") -> tuple[int, float]:
        """Give how many orders have opened and added to what is held, and the price of the last; kept with a sizing.

        Where an addition has been refused since then, the price is that of the refused one.
        """
        return self._core.sizer.memory.entered(self.symbol if symbol is None else symbol, leg)

    def funding(self, symbol: str | None = None, leg: str = "net") -> float:
        """Give the funding received on an instrument so far, negative where more was paid."""
        return self._core.account.position(self.symbol if symbol is None else symbol, leg).funding

    def position(self, symbol: str | None = None, leg: str = "net") -> Holding:
        """Give the position in an instrument."""
        wanted = self.symbol if symbol is None else symbol
        held = self._core.account.position(wanted, leg)
        mark = self._core.prices.get(wanted, NAN)
        unrealised = held.unrealised(mark) if held.quantity else 0.0
        return Holding(wanted, held.quantity, held.price, unrealised, held.realised)

    def orders(self, symbol: str | None = None, tag: str | None = None) -> tuple[Order, ...]:
        """Give the open orders (copies), oldest first, of all symbols when none is named."""
        return tuple(
            copy.copy(order)
            for order in self._core.orders.values()
            if (symbol is None or order.symbol == symbol) and (tag is None or order.tag == tag)
        )

    def peek(self, symbol: str | None = None) -> Iterator[Order]:
        """Go through the open orders themselves, to look at and never to change: a copy takes ten times as long."""
        return (order for order in self._core.orders.values() if symbol is None or order.symbol == symbol)

    def wishes(self, symbol: str | None = None, tag: str | None = None) -> tuple[Intent, ...]:
        """Give the orders that were asked for and wait for the next price (copies), oldest first."""
        return tuple(
            copy.copy(wish)
            for wish in self._core.desk.intents
            if (symbol is None or wish.symbol == symbol) and (tag is None or wish.tag == tag)
        )

    def intent(self, side: Side, kind: OrderType, quantity: float, terms: Terms) -> Intent:
        """Make a wish with its id; the named methods below say what each kind of order needs."""
        core = self._core
        symbol = terms.pop("symbol", None) or self.symbol
        size = terms.pop("size", quantity)
        wish = Intent(symbol, side, kind, size, **terms) if terms else Intent(symbol, side, kind, size)  # type: ignore[arg-type, misc]
        wish.decided = core.decided
        wish.id = client_order_id(core.name, core.number, symbol, side, kind)
        core.number += 1
        return wish

    def market(self, side: Side, quantity: float = NAN, **terms: Unpack[Terms]) -> Intent:
        """Buy or sell at the first price there is; `size` and `size_unit` instead of a quantity are worked out then.

        With neither, the sizing of the run says how much.
        """
        return self.intent(side, "market", quantity, terms)

    def limit(self, side: Side, quantity: float = NAN, *, price: float, **terms: Unpack[Terms]) -> Intent:
        """Buy or sell at a price or better; it rests until filled, cancelled or expired."""
        wish = self.intent(side, "limit", quantity, terms)
        wish.price = price
        return wish

    def stop(self, side: Side, quantity: float = NAN, *, stop_price: float, **terms: Unpack[Terms]) -> Intent:
        """Buy at the market once the price rises to a trigger, or sell once it falls to it."""
        wish = self.intent(side, "stop", quantity, terms)
        wish.stop_price = stop_price
        return wish

    def stop_limit(
        self, side: Side, quantity: float = NAN, *, stop_price: float, price: float, **terms: Unpack[Terms]
    ) -> Intent:
        """Place a limit order once the price reaches a trigger as a stop's would."""
        wish = self.intent(side, "stop_limit", quantity, terms)
        wish.stop_price, wish.price = stop_price, price
        return wish

    def take_profit(
        self, side: Side, quantity: float = NAN, *, stop_price: float, price: float = NAN, **terms: Unpack[Terms]
    ) -> Intent:
        """Sell at the market once the price rises to a trigger, or buy once it falls to it; at a limit with a price."""
        wish = self.intent(side, "take_profit" if math.isnan(price) else "take_profit_limit", quantity, terms)
        wish.stop_price, wish.price = stop_price, price
        return wish

    def trailing_stop(
        self, side: Side, quantity: float = NAN, *, trail: float, activation: float = NAN, **terms: Unpack[Terms]
    ) -> Intent:
        """Trade at the market once the price has come back from its best by a fraction."""
        wish = self.intent(side, "trailing_stop", quantity, terms)
        wish.trail, wish.activation = trail, activation
        return wish

    def bracket(self, entry: Intent, *, stop: float = NAN, target: float = NAN) -> Intent:
        """Give an entry with a stop and a target (prices) that are placed as it fills, either cancelling the other."""
        entry.stop_at, entry.target_at = stop, target
        return entry

    def oco(self, *wishes: Intent) -> list[Intent]:
        """Give orders of which one that fills cancels the others."""
        group = wishes[0].id if wishes else ""
        for wish in wishes:
            wish.oco = group
        return list(wishes)

    def close(self, symbol: str | None = None, *, leg: Leg = "net", tag: str = "", reason: str = "order") -> Intent:
        """Leave a position at the market, whatever its size is then."""
        wanted = self.symbol if symbol is None else symbol
        side: Side = "sell" if self._core.account.quantity(wanted, leg) > 0 else "buy"
        wish = self.intent(side, "market", NAN, {"symbol": wanted})
        wish.leg, wish.tag, wish.reason = leg, tag, reason
        wish.reduce_only = wish.close_position = True
        return wish

    def protect(
        self, symbol: str | None = None, *, stop_at: float = NAN, target_at: float = NAN, leg: Leg = "net"
    ) -> Protect:
        """Move the stop or the target of a position to a price; NaN leaves one as it is."""
        return Protect(self.symbol if symbol is None else symbol, stop_at=stop_at, target_at=target_at, leg=leg)

    def amend(self, order_id: str, *, price: float = NAN, quantity: float = NAN, stop_price: float = NAN) -> Amend:
        """Change a resting order."""
        return Amend(order_id, price, quantity, stop_price)

    def cancel(self, order_id: str) -> Cancel:
        """Cancel an order by its id."""
        return Cancel(order_id)

    def cancel_all(self, symbol: str | None = None, tag: str | None = None) -> list[Cancel]:
        """Cancel all open orders, of a symbol or with a tag when named."""
        return [Cancel(order.id) for order in self.orders(symbol, tag)]

    def timer(self, at: int, name: str = "") -> Wake:
        """Ask to be called (`on_timer`) at a time, ms UTC."""
        return Wake(int(at), name)


def flat_list(said: Any) -> Iterable[Any]:
    """Give what a strategy returned as a flat list: None, one wish, or lists of wishes."""
    if said is None:
        return ()
    if type(said) is Intent:
        return (said,)
    if isinstance(said, (list, tuple)) and not hasattr(said, "_fields"):
        found: list[Any] = []
        for one in said:
            found.extend(one) if isinstance(one, list) else found.append(one)
        return found
    return (said,)
