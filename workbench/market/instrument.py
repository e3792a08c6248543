"""What is traded: the facts about a symbol at a venue that prices, costs and calendars depend on.

Facts only; nothing here knows about strategies, orders or files. Fees and spreads are what a backtest charges when the
caller names no costs, so they are never zero by default.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from numbers import Real
from typing import Any, Final, Literal, NamedTuple, get_args

from workbench.errors import DataError

__all__ = ["Instrument", "Kind"]

Kind = Literal["spot", "linear", "inverse", "equity", "index", "fx"]

_FIAT: Final = frozenset(
    "AUD BRL CAD CHF CNH CNY CZK DKK EUR GBP HKD HUF IDR ILS INR JPY KRW MXN NOK NZD PLN RUB SEK SGD THB TRY USD "
    "ZAR".split()
)
_COINS: Final = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD")


class _Margin(NamedTuple):
    """What is usual for a kind; the names are those of the fields of `Instrument`."""

    max_leverage: float
    maintenance_margin: float
    liquidation_fee: float = 0.0
    funding_rate: float = 0.0


# Spot: the isolated margin of large exchanges. Perpetuals: Binance's BTCUSDT, its leverage tiers of March 2021 (the one
# up to 250,000 USDT) and its exchangeInfo; the rate is the fixed interest part that large exchanges share. Equities:
# Regulation T and FINRA rule 4210. FX and index: ESMA's limits for retail clients (decision 2018/796), NFA's deposit
# for major pairs.
_USUAL: Final[dict[str, _Margin]] = {
    "spot": _Margin(10.0, 0.05),
    "linear": _Margin(125.0, 0.005, liquidation_fee=0.0125, funding_rate=0.0001),
    "inverse": _Margin(125.0, 0.005, liquidation_fee=0.0125, funding_rate=0.0001),
    "equity": _Margin(2.0, 0.25),
    "index": _Margin(20.0, 0.025),
    "fx": _Margin(30.0, 0.02),
}
_OF_KIND: Final[Any] = None  # a field that is left out is what is usual for the kind
Tiers = tuple[tuple[float, float, float, float], ...]


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
    contract_size : float, default 1.0
        Units of the base asset (inverse: of the quote currency) that one contract stands for.
    max_leverage : float
        Highest notional per unit of margin; that of the first tier where there are tiers.
    leverage_tiers : tuple of (floor, rate, amount, max_leverage), default ()
        Maintenance margin by size: from a notional of `floor` on it is `notional * rate - amount`, and leverage is at
        most `max_leverage`. By rising floor, the first 0. Amounts are in the quote currency (inverse: in the base).
    maintenance_margin : float
        The same for every size, as a fraction of the notional, where there are no tiers.
    liquidation_fee : float
        Fraction of the value that a forced exit costs on top of the taker fee.
    funding_rate : float
        What longs pay shorts at each settlement, a fraction of the notional, where no rates are known.
    funding_interval_h : float, default 8
        Hours between settlements, counted from midnight UTC.

    Raises
    ------
    DataError
        A number is negative or not finite, the kind is unknown, or the tiers do not rise.

    Notes
    -----
    `max_leverage`, `maintenance_margin`, `liquidation_fee` and `funding_rate` are what is usual for the kind when left
    out: perpetuals 125, 0.5 %, 1.25 % and 0.01 %; spot 10 and 5 %; equities 2 and 25 % (Regulation T); index 20 and
    2.5 %; FX 30 and 2 %; no liquidation fee and no funding but for perpetuals.
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
    contract_size: float = 1.0
    max_leverage: float = _OF_KIND
    leverage_tiers: Tiers = ()
    maintenance_margin: float = _OF_KIND
    liquidation_fee: float = _OF_KIND
    funding_rate: float = _OF_KIND
    funding_interval_h: float = 8.0

    def __post_init__(self) -> None:
        for name in ("symbol", "venue", "quote", "calendar"):
            self._require_text(name)
        if self.kind not in get_args(Kind):
            raise DataError(f"{self.symbol}: kind {self.kind!r} is not one of {', '.join(get_args(Kind))}")
        for name in ("tick_size", "lot_size", "min_notional", "spread_bps"):
            self._require_finite(name, lowest=0.0)
        for name in ("maker_fee", "taker_fee"):
            self._require_finite(name, lowest=-0.01)  # venues pay some makers a rebate
        object.__setattr__(self, "leverage_tiers", _tiers(self.symbol, self.leverage_tiers))
        for name, usual in _USUAL[self.kind]._asdict().items():
            if getattr(self, name) is None:
                tiers = self.leverage_tiers if name == "max_leverage" else ()
                object.__setattr__(self, name, tiers[0][3] if tiers else usual)
        self._check_margin()

    def _check_margin(self) -> None:
        for name, lowest, below in (
            ("contract_size", 0.0, math.inf), ("max_leverage", 1.0, 1e4), ("maintenance_margin", 0.0, 1.0),
            ("liquidation_fee", 0.0, 0.5), ("funding_rate", -0.1, 0.1), ("funding_interval_h", 0.0, 1e4),
        ):  # fmt: skip
            self._require_finite(name, lowest=lowest)
            value = getattr(self, name)
            if value >= below:
                raise DataError(f"{self.symbol}: {name} is {value!r}; it must be below {below:g}")
        for name in ("contract_size", "funding_interval_h"):
            if getattr(self, name) == 0:
                raise DataError(f"{self.symbol}: {name} is {getattr(self, name)!r}; it must be above zero")

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

    @property
    def base(self) -> str:
        """What is bought and sold: what stands before the quote in the symbol, or all of a symbol that is no pair."""
        pair = self.symbol.partition(":")[0]
        return pair.removesuffix(self.quote).rstrip("/-_") or pair

    @property
    def settle(self) -> str:
        """The currency of profits: what the symbol names, else the base of an inverse contract, else the quote."""
        return self.symbol.partition(":")[2] or (self.base if self.kind == "inverse" else self.quote)

    @property
    def perpetual(self) -> bool:
        """Whether it is a perpetual contract: always on margin, with funding."""
        return self.kind in ("linear", "inverse")

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
        """Give the same instrument with some facts changed; DataError for a name or value that is none.

        With the kind, what was usual for the old kind becomes what is usual for the new one.
        """
        if changes.get("kind", self.kind) != self.kind:
            usual = _USUAL[self.kind]._asdict().items()
            changes = {name: None for name, value in usual if getattr(self, name) == value} | changes
        try:
            return replace(self, **changes)
        except TypeError as error:
            raise DataError(f"{self.symbol}: {error}; an instrument has {', '.join(self.to_dict())}") from error

    def to_dict(self) -> dict[str, Any]:
        """Give the facts as plain data for JSON; `from_dict` reads them back, also without those that came later."""
        return {**asdict(self), "leverage_tiers": [list(tier) for tier in self.leverage_tiers]}

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


def _tiers(symbol: str, given: Any) -> Tiers:
    """Take a table of tiers as tuples of floats, or say which row is wrong."""
    try:
        tiers = tuple((float(floor), float(rate), float(amount), float(top)) for floor, rate, amount, top in given)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{symbol}: leverage_tiers is {given!r}; give rows of (floor, rate, amount, max_leverage), such as "
            "((0, 0.004, 0, 125), (50_000, 0.005, 50, 100))"
        ) from error
    for row, (floor, rate, amount, top) in enumerate(tiers):
        sound = 0.0 <= floor < math.inf and 0.0 <= rate < 1.0 and 0.0 <= amount < math.inf and 1.0 <= top < 1e4
        if not sound or (row == 0 and floor != 0.0):
            raise DataError(
                f"{symbol}: leverage_tiers row {row} is {tiers[row]!r}; the first floor is 0, a rate is a fraction "
                "below 1, an amount is not negative and leverage is at least 1"
            )
    for row, (low, high) in enumerate(pairwise(tiers), start=1):
        if not (low[0] < high[0] and low[1] <= high[1] and low[3] >= high[3]):
            raise DataError(
                f"{symbol}: leverage_tiers row {row} is {high!r} after {low!r}; floors and rates rise, leverage falls"
            )
    return tiers


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
