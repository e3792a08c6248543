"""What the practice exchange is asked and what it answers: requests, records of orders, balances, positions, and so on.

Plain data. Every record that is handed out is a copy: whoever keeps one sees what was true then. Times are ms UTC,
fractions are fractions, money is in the asset that is named, and a number that there is none of is NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from workbench.errors import BrokerRejected
from workbench.trading.orders import Leg, OrderStatus, OrderType, Side, TimeInForce

__all__ = [
    "AccountSetup",
    "Balance",
    "Execution",
    "Income",
    "Moved",
    "OrderList",
    "OrderRecord",
    "PositionRecord",
    "Refused",
    "Request",
    "Ticker",
    "Wallet",
]

NAN: Final = math.nan
Wallet = str
"""Name of a wallet: "spot" or "linear"."""


class Refused(BrokerRejected):
    """The exchange says no; nothing has changed.

    Attributes
    ----------
    code : str
        One of `trading.gate.REJECTIONS`, or one of `engine_filters.CODES`.
    text : str
        The same in words, with the numbers.
    """

    def __init__(self, message: str, *, code: str, **fields: object) -> None:
        super().__init__(message, code=code, **fields)
        self.code, self.text = code, message


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountSetup:
    """What an account of the exchange starts with.

    Parameters
    ----------
    spot, linear : mapping of asset to float
        Money and coins in the spot wallet, and money in the wallet of linear perpetuals.
    hedge : bool
        Whether positions are in hedge mode.
    isolated : bool
        Margin mode of every symbol at the start.
    leverage : float
        Leverage of every symbol at the start, at most what the symbol allows.
    fee_discount : float
        Fraction taken off every fee.
    spot_fees : {"received", "quote"}
        Which asset a fee on spot is in: the one that was received (base of a buy, quote of a sell, as at Binance), or
        always the quote.
    """

    spot: dict[str, float] = field(default_factory=dict)
    linear: dict[str, float] = field(default_factory=dict)
    hedge: bool = False
    isolated: bool = False
    leverage: float = 20.0
    fee_discount: float = 0.0
    spot_fees: str = "received"


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """An order as a client asks for it.

    Parameters
    ----------
    symbol, side, type, time_in_force, leg
        As in `trading.orders.Order`.
    quantity : float
        In units of the base asset, or contracts.
    quote_quantity : float
        Of a market order instead of `quantity`: how much of the quote currency to spend, or to get.
    price, stop_price, trail, activation, display : float
        As in `trading.orders.Order`.
    expires : int or None
        ms UTC, for GTD.
    post_only, reduce_only, close_position : bool
    client_id : str
        "" lets the exchange make one.
    """

    symbol: str
    side: Side
    type: OrderType = "market"
    quantity: float = NAN
    quote_quantity: float = NAN
    price: float = NAN
    stop_price: float = NAN
    trail: float = NAN
    activation: float = NAN
    time_in_force: TimeInForce = "GTC"
    expires: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    close_position: bool = False
    display: float = NAN
    leg: Leg = "net"
    client_id: str = ""


class Execution(NamedTuple):
    """One execution of an order.

    `id` counts the executions of the exchange; `quote_quantity` is price times quantity (times contract size); `fee` is
    in `fee_asset`; `realised` the profit it closed, before fees (linear; 0.0 on spot).
    """

    id: int
    ts: int
    order_id: int
    client_id: str
    symbol: str
    side: Side
    leg: Leg
    price: float
    quantity: float
    quote_quantity: float
    fee: float
    fee_asset: str
    maker: bool
    realised: float


@dataclass(slots=True)
class OrderRecord:
    """An order at the exchange, with all that has become of it.

    Attributes
    ----------
    id : int
        The exchange's number of it.
    client_id : str
    status : OrderStatus
        "accepted" (rests), "partially_filled", "filled", "canceled", "expired" or "rejected".
    quantity : float
        As asked; NaN for an order that closes all there is.
    quote_quantity : float
        What was asked in quote currency; NaN if it was not.
    filled, quote_filled : float
        Executed so far, in base and in quote.
    average_price : float
        NaN before the first execution.
    fees : dict of asset to float
    triggered : bool
        A stop or take-profit whose trigger was reached.
    created, updated : int
        ms UTC; `working_since` when it came onto the book, 0 before.
    list_id : int
        Number of the order list it belongs to; -1 for none.
    reason : str
        Why it ended: "", "oco", "liquidation", "delisted", "good_till_date", "replaced", ...
    original_client_id : str
        Client id of the order before it was cancelled or replaced by one; "" if it was not.
    """

    id: int
    account: str
    wallet: Wallet
    client_id: str
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce = "GTC"
    quantity: float = NAN
    quote_quantity: float = NAN
    price: float = NAN
    stop_price: float = NAN
    trail: float = NAN
    activation: float = NAN
    expires: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    close_position: bool = False
    display: float = NAN
    leg: Leg = "net"
    status: OrderStatus = "accepted"
    filled: float = 0.0
    quote_filled: float = 0.0
    average_price: float = NAN
    fees: dict[str, float] = field(default_factory=dict)
    triggered: bool = False
    created: int = 0
    updated: int = 0
    working_since: int = 0
    list_id: int = -1
    reason: str = ""
    original_client_id: str = ""
    executions: tuple[Execution, ...] = ()

    @property
    def open(self) -> bool:
        """Whether something can still happen to it."""
        return self.status in ("accepted", "partially_filled")

    @property
    def remaining(self) -> float:
        """What is not executed; NaN for an order that closes all there is."""
        return self.quantity - self.filled


class OrderList(NamedTuple):
    """A one-cancels-the-other list: `status` is "open" or "done"."""

    id: int
    client_id: str
    symbol: str
    status: str
    ts: int
    order_ids: tuple[int, ...]


class Balance(NamedTuple):
    """What a wallet has of an asset: `free` and `locked` behind open orders.

    In the linear wallet `free` is what can open positions, `locked` the initial margin of positions and of orders,
    `wallet` the money without unrealised profit, and `unrealised` that profit; on spot `wallet` is free and locked
    together.
    """

    asset: str
    free: float
    locked: float
    wallet: float
    unrealised: float = 0.0


class PositionRecord(NamedTuple):
    """A position in a linear perpetual; `quantity` signed, `liquidation_price` NaN for none.

    `margin` is the isolated margin (isolated), or the initial margin at the mark (cross); `maintenance` and `notional`
    are at the mark.
    """

    symbol: str
    leg: Leg
    quantity: float
    entry_price: float
    break_even_price: float
    mark_price: float
    unrealised: float
    liquidation_price: float
    leverage: float
    isolated: bool
    margin: float
    maintenance: float
    notional: float
    updated: int


class Income(NamedTuple):
    """A line of the history of a linear wallet.

    `kind` is "realised", "commission", "funding", "liquidation_fee" or "transfer".
    """

    id: int
    ts: int
    symbol: str
    kind: str
    asset: str
    amount: float
    execution_id: int = 0


class Moved(NamedTuple):
    """Money that came into an account, left it, or went from one of its wallets to another.

    `kind` is "deposit", "withdrawal" or "transfer"; `source` and `target` are wallets, "" for outside.
    """

    id: int
    ts: int
    kind: str
    asset: str
    amount: float
    source: str
    target: str


class Ticker(NamedTuple):
    """What happened in the 24 hours up to now; prices are NaN where nothing was traded."""

    symbol: str
    ts: int
    opened: int
    open: float
    high: float
    low: float
    last: float
    last_quantity: float
    volume: float
    quote_volume: float
    trades: int
    first_id: int
    last_id: int
    bid: float
    bid_quantity: float
    ask: float
    ask_quantity: float
    previous_close: float

    @property
    def change(self) -> float:
        """Last price less the one 24 hours ago."""
        return self.last - self.open

    @property
    def change_fraction(self) -> float:
        """The same as a fraction of the price 24 hours ago."""
        return (self.last - self.open) / self.open

    @property
    def average(self) -> float:
        """Volume-weighted average price; the last one where nothing was traded."""
        return self.quote_volume / self.volume if self.volume > 0.0 else self.last
