"""What is traded: the facts about a symbol at a venue that prices, costs and calendars depend on.

Facts only; nothing here knows about strategies, orders or files. Fees and spreads are what a backtest charges when the
caller names no costs, so they are never zero by default.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from numbers import Real
from typing import Any, Final, Literal, get_args

from workbench.errors import DataError

__all__ = ["Instrument", "Kind"]

Kind = Literal["spot", "linear", "inverse", "equity", "index", "fx"]

_FIAT: Final = frozenset(
    "AUD BRL CAD CHF CNH CNY CZK DKK EUR GBP HKD HUF IDR ILS INR JPY KRW MXN NOK NZD PLN RUB SEK SGD THB TRY USD "
    "ZAR".split()
)
_COINS: Final = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD")


@dataclass(frozen=True, kw_only=True, slots=True)
class Instrument:
    """One symbol at one venue.

    Parameters
    ----------
    symbol : str
        In ccxt's notation where it has one: `BTC/USDT` (spot), `BTC/USDT:USDT` (perpetual), `SPX`.
    venue : str, default "unknown"
        Where it trades, in lower case.
    kind : {"spot", "linear", "inverse", "equity", "index", "fx"}
    quote : str
        The currency that prices and profits are in.
    tick_size : float, default 0.0
        Smallest step of a price; 0.0 where prices are continuous or the step is not known.
    lot_size : float, default 0.0
        Smallest step of a quantity; 0.0 as above.
    min_notional : float, default 0.0
        Smallest value of an order, in the quote currency.
    maker_fee, taker_fee : float
        Fractions of the traded value.
    spread_bps : float
        Typical bid-ask spread in basis points; half of it is the default slippage of a market order.
    calendar : str
        When it trades: `"24/7"`, `"24/5"` (Sunday to Friday 17:00 New York), or the MIC of an exchange that
        exchange_calendars knows (`"XNYS"`).

    Raises
    ------
    DataError
        A number is negative or not finite, or the kind is unknown.
    """

    symbol: str
    venue: str = "unknown"
    kind: Kind = "spot"
    quote: str = "USD"
    tick_size: float = 0.0
    lot_size: float = 0.0
    min_notional: float = 0.0
    maker_fee: float = 0.001
    taker_fee: float = 0.001
    spread_bps: float = 2.0
    calendar: str = "24/7"

    def __post_init__(self) -> None:
        for name in ("symbol", "venue", "quote", "calendar"):
            self._require_text(name)
        if self.kind not in get_args(Kind):
            raise DataError(f"{self.symbol}: kind {self.kind!r} is not one of {', '.join(get_args(Kind))}")
        for name in ("tick_size", "lot_size", "min_notional", "spread_bps"):
            self._require_finite(name, lowest=0.0)
        for name in ("maker_fee", "taker_fee"):
            self._require_finite(name, lowest=-0.01)  # venues pay some makers a rebate

    def _require_text(self, name: str) -> None:
        value = getattr(self, name)
        if not isinstance(value, str) or not value:
            raise DataError(
                f"{self.symbol}: {name} is {value!r}; an instrument needs text for its symbol, venue, quote and "
                "calendar, such as 'BTC/USDT', 'binance', 'USDT' and '24/7'"
            )

    def _require_finite(self, name: str, lowest: float) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value) or value < lowest:
            raise DataError(f"{self.symbol}: {name} is {value!r}; give a finite number of at least {lowest:g}")

    @classmethod
    def default(cls, symbol: str, venue: str = "unknown") -> Instrument:
        """Give the usual facts for a symbol that nothing else is known of, judged by how it is written.

        `BASE/QUOTE:SETTLE` is a perpetual, a pair of two fiat currencies is FX, another pair is spot, and a name that
        is no pair is an equity of the New York calendar. `BTC-USD`, `BTCUSDT` and `EURUSD` are understood as pairs.
        Fees and spreads are those of a small account.
        """
        base, _, rest = _as_pair(str(symbol)).partition("/")
        quote, _, settle = rest.partition(":")
        if settle:
            kind: Kind = "linear" if settle == quote else "inverse"
            return cls(symbol=symbol, venue=venue, kind=kind, quote=quote, maker_fee=0.0002, taker_fee=0.0005)
        if base in _FIAT and quote in _FIAT:
            return cls(
                symbol=symbol, venue=venue, kind="fx", quote=quote,
                maker_fee=0.00002, taker_fee=0.00002, spread_bps=1.0, calendar="24/5",
            )  # fmt: skip
        if quote:
            return cls(symbol=symbol, venue=venue, quote=quote)
        return cls(symbol=symbol, venue=venue, kind="equity", maker_fee=0.0001, taker_fee=0.0001, calendar="XNYS")

    def replace(self, **changes: Any) -> Instrument:
        """Give the same instrument with some facts changed; DataError for a name or value that is none."""
        try:
            return replace(self, **changes)
        except TypeError as error:
            raise DataError(f"{self.symbol}: {error}; an instrument has {', '.join(self.to_dict())}") from error

    def to_dict(self) -> dict[str, Any]:
        """Give the facts as plain data for JSON; `from_dict` reads them back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> Instrument:
        """Read what `to_dict` gave.

        Raises
        ------
        DataError
            A name is unknown or missing, or a value is out of its range.
        """
        try:
            return cls(**facts)
        except TypeError as error:
            raise DataError(f"instrument {facts.get('symbol', '?')!r}: {error}") from error


def _as_pair(symbol: str) -> str:
    """Write a pair in ccxt's notation where another one is in use; what is no pair stays as it is."""
    if "/" in symbol:
        return symbol
    base, dash, quote = symbol.partition("-")
    if dash and (quote in _FIAT or quote in _COINS):
        return f"{base}/{quote}"
    for coin in _COINS:
        if symbol.endswith(coin) and len(symbol) > len(coin) + 1:
            return f"{symbol.removesuffix(coin)}/{coin}"
    if len(symbol) == 6 and symbol[:3] in _FIAT and symbol[3:] in _FIAT:
        return f"{symbol[:3]}/{symbol[3:]}"
    return symbol
