"""A venue, opened for reading: a client, the shared limiter, the venue's clock, and a way to fetch each kind of series.

Everything above speaks of spans and pages; everything that is ccxt's (limits, options, what a venue offers) ends here.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from workbench.errors import ConfigError, DataError
from workbench.market.coverage import Span
from workbench.market.sources.asking import Asker, Garbled, Patience
from workbench.market.sources.checks import said_nothing, sound_candles, sound_funding, sound_trades
from workbench.market.sources.clients import Route, open_client
from workbench.market.sources.facts import market_rows, require_markets, require_timeframe, tier_rows
from workbench.market.sources.limiter import limit_client, limiter_for
from workbench.market.sources.pages import Answer, candle_pages, funding_pages, trade_pages
from workbench.market.sources.spool import Page
from workbench.market.timeframe import Timeframe

__all__ = ["Connection", "Session", "open_session"]

T = TypeVar("T")

_DAY: Final = Timeframe.parse("1d")
_HOUR_MS: Final = 3_600_000
# ccxt does not say how many trades and rates a venue gives at once; where this is silent the venue's own default holds
_MOST: Final[Mapping[str, Mapping[str, int]]] = {
    "binance": {"trades": 1_000, "funding": 1_000},
    "binanceusdm": {"trades": 1_000, "funding": 1_000},
    "binancecoinm": {"trades": 1_000, "funding": 1_000},
    "bybit": {"funding": 200},
    "okx": {"funding": 100},
}


@dataclass(frozen=True, kw_only=True)
class Connection:
    """How to reach a venue, and how hard to try.

    Parameters
    ----------
    route : Route, optional
        To a practice exchange; straight to the venue when left out.
    key, secret : str
        For what a venue gives only to its customers, such as leverage tiers. Never stored or logged.
    timeout_s : float, default 10
        After which a request counts as lost.
    patience : Patience, optional
    share : float, default 1.0
        The part of the venue's allowance that this process may use; below 1 where several processes share an address.
    """

    route: Route | None = None
    key: str = ""
    secret: str = ""
    timeout_s: float = 10.0
    patience: Patience = field(default_factory=Patience)
    share: float = 1.0

    def __repr__(self) -> str:
        key = "given" if self.key else "none"
        return f"<Connection route={self.route!r}, key {key}, timeout {self.timeout_s:g} s>"

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ConfigError(f"share is {self.share!r}; give the part of the venue's allowance, above 0 and at most 1")
        if not self.timeout_s > 0:
            raise ConfigError(f"timeout_s is {self.timeout_s!r}; give the seconds after which a request counts as lost")


class Session:
    """One venue while its client is open; `open_session` makes it.

    Attributes
    ----------
    client : ccxt.async_support.Exchange
    asker : Asker
    name : str
        The venue's name in the lake: a practice exchange's data never passes for the real market's.
    """

    def __init__(self, client: Any, asker: Asker, *, venue: str, name: str) -> None:
        self.client = client
        self.asker = asker
        self.venue = venue
        self.name = name
        self._ahead_ms = 0

    def now(self) -> int:
        """Give the venue's time, ms UTC, as far as its clock was read."""
        return time.time_ns() // 1_000_000 + self._ahead_ms

    async def prepare(self) -> None:
        """Read the markets and the clock."""
        await self.asker.ask("its markets", self.client.load_markets, _some_markets)
        if self.client.has.get("fetchTime"):
            venue_ms = await self.asker.ask("its clock", self.client.fetch_time, _a_time)
            self._ahead_ms = venue_ms - time.time_ns() // 1_000_000

    def require(self, symbols: Sequence[str], what: str, timeframe: Timeframe | None = None) -> None:
        """Refuse what the venue does not have before anything is asked; see `facts`.

        Raises
        ------
        DataError
        """
        methods = {"bars": "fetchOHLCV", "trades": "fetchTrades", "funding": "fetchFundingRateHistory"}
        if what in methods and not self.client.has.get(methods[what]):
            offered = [name for name, method in methods.items() if self.client.has.get(method)]
            raise DataError(
                f"{self.name} gives no {what} through ccxt; it gives {', '.join(offered) or 'nothing of the kind'}",
                venue=self.name,
            )
        require_markets(self.client, symbols, self.name)
        if timeframe is not None:
            require_timeframe(self.client, str(timeframe), self.name)
        for symbol in symbols:
            if what == "funding" and not self.client.markets[symbol].get("swap"):
                raise DataError(f"{symbol} at {self.name} is no perpetual; only those have funding", symbol=symbol)

    def candle_limit(self, symbol: str) -> int | None:
        """Give how many candles the venue gives at once; None where ccxt does not say."""
        found = self.client.feature_value(symbol, "fetchOHLCV", "limit")
        return int(found) if found else None

    def candles(self, symbol: str, frame: Timeframe, span: Span) -> AsyncIterator[Page]:
        """Ask for the candles of a span, page by page."""

        async def fetch(since: int, limit: int | None) -> Answer:
            return await self._candles(symbol, frame, since, limit)

        async def coarse(since: int) -> int | None:
            answer = await self._candles(symbol, _DAY, _DAY.floor(since), limit)
            later = [row[0] for row in answer.rows if row[0] + _DAY.ms > since and row[5] > 0]
            return max(since, later[0]) if later else None

        limit = self.candle_limit(symbol)
        daily = frame < _DAY and "1d" in (self.client.timeframes or {})
        return candle_pages(fetch, span, frame, limit=limit, coarse=coarse if daily else None)

    async def _candles(self, symbol: str, frame: Timeframe, since: int, limit: int | None) -> Answer:
        at = self.now()
        rows = await self.asker.ask(
            f"{frame} candles of {symbol}",
            lambda: self.client.fetch_ohlcv(symbol, str(frame), since, limit),
            lambda answer: sound_candles(self._said(answer), frame),
        )
        return Answer(rows, at)

    def trades(self, symbol: str, span: Span) -> AsyncIterator[Page]:
        """Ask for the trades of a span, page by page."""

        async def fetch(since: int, limit: int | None) -> Answer:
            at = self.now()
            call = self._call(self.client.fetch_trades, symbol, since, limit)
            rows = await self.asker.ask(f"trades of {symbol}", call, lambda said: sound_trades(self._said(said)))
            return Answer(rows, at)

        return trade_pages(fetch, span, limit=self._most("trades"))

    def funding(self, symbol: str, span: Span) -> AsyncIterator[Page]:
        """Ask for the funding rates of a span, page by page."""

        async def fetch(since: int, limit: int | None) -> Answer:
            at = self.now()
            call = self._call(self.client.fetch_funding_rate_history, symbol, since, limit)
            rows = await self.asker.ask(
                f"funding rates of {symbol}", call, lambda said: sound_funding(self._said(said))
            )
            return Answer(rows, at)

        return funding_pages(fetch, span, limit=self._most("funding"), interval_ms=8 * _HOUR_MS)

    def _said(self, answer: Any) -> Any:
        """Tell an empty list from nonsense: ccxt makes the same of both, so what the venue said has to be looked at."""
        return answer if answer else said_nothing(answer, getattr(self.client, "last_http_response", None))

    def _most(self, what: str) -> int | None:
        return _MOST.get(self.venue, {}).get(what)

    @staticmethod
    def _call(method: Callable[..., Awaitable[T]], *arguments: Any) -> Callable[[], Awaitable[T]]:
        return lambda: method(*arguments)

    def market_rows(self) -> list[dict[str, Any]]:
        """Give the facts of the markets; see `venue_tables`."""
        return market_rows(self.client)

    async def tier_rows(self, symbols: Sequence[str]) -> list[dict[str, Any]]:
        """Ask for the leverage tiers of contracts, all of the venue's when none are named.

        Raises
        ------
        DataError
            The venue has none.
        ConfigError
            It gives them to its customers only.
        """
        if self.client.has.get("fetchLeverageTiers") in (None, False):
            raise DataError(f"{self.name} gives no leverage tiers through ccxt", venue=self.name)
        named = list(symbols) or None
        return await self.asker.ask("leverage tiers", lambda: self.client.fetch_leverage_tiers(named), tier_rows)


@asynccontextmanager
async def open_session(
    venue: str, connection: Connection | None = None, *, symbols: Sequence[str] = ()
) -> AsyncIterator[Session]:
    """Open a venue and read its markets and clock.

    Parameters
    ----------
    venue : str
        ccxt's name.
    connection : Connection, optional
    symbols : sequence of str
        What will be asked for: where a venue has separate lists of markets, only those are read that are needed.
    """
    way = connection or Connection()
    name = venue if way.route is None else way.route.name(venue)
    async with open_client(
        venue,
        route=way.route,
        key=way.key,
        secret=way.secret,
        options={"adjustForTimeDifference": bool(way.key), **_lists(venue, symbols)},
        timeout=round(way.timeout_s * 1_000),
    ) as client:
        limiter = limiter_for(name, way.key, rate_limit_ms=client.rateLimit, share=way.share)
        limit_client(client, limiter)
        session = Session(client, Asker(client, limiter, venue=name, patience=way.patience), venue=venue, name=name)
        await session.prepare()
        yield session


def _lists(venue: str, symbols: Sequence[str]) -> dict[str, Any]:
    """Say which lists of markets to read at a venue that has several behind one name."""
    if venue != "binance":
        return {}
    contracts = {"linear" if symbol.endswith((":USDT", ":USDC")) else "inverse" for symbol in symbols if ":" in symbol}
    return {"fetchMarkets": {"types": ["spot", *sorted(contracts)] if symbols else ["spot", "linear"]}}


def _some_markets(answer: Any) -> Any:
    if not isinstance(answer, dict) or not answer:
        raise Garbled("the list of markets is empty")
    return answer


def _a_time(answer: Any) -> int:
    if isinstance(answer, bool) or not isinstance(answer, (int, float)) or answer <= 0:
        raise Garbled(f"the time is {answer!r}")
    return int(answer)
