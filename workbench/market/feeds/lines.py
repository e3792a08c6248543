"""The connections of one live feed: a client that asks, and one with websockets for each kind of channel.

Channels of one kind share a client, but bars of each length have their own: some venues' clients tell subscriptions
apart by symbol only. What ccxt does not do by itself is done here: closing a socket whose subscription was refused or
that has gone deaf, forgetting its pauses before a dial (ours count), and hearing the mark of a final candle.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, Final

from workbench.errors import ConfigError, DataError
from workbench.market.feeds.bar_tracker import Candle
from workbench.market.feeds.feed import Access, Tuning
from workbench.market.sources.clients import open_client

__all__ = ["Lines", "plain_reason"]

# Binance's stream of single trades and its REST know different ids; those of aggregate trades are the same in both.
_OPTIONS: Final[dict[str, Any]] = {
    "watchTradesForSymbols": {"name": "aggTrade"},
    "watchTrades": {"name": "aggTrade"},
    "watchTicker": {"name": "ticker"},
    "watchTickers": {"name": "ticker"},
    "fetchOpenOrders": {"warnWithoutSymbol": False},
    "tradesLimit": 5_000,
}
_QUERY: Final = re.compile(r"\?\S+")
_MARKED: Final = ("binance", "binanceusdm", "binancecoinm", "binanceus")  # venues that mark final candles
_closing: set[asyncio.Task[None]] = set()  # else nobody holds them while they run


class Lines:
    """Clients of a venue; open them with `async with`.

    Attributes
    ----------
    rest : ccxt client
        Asks; None before it is open.
    marks : bool
        Whether the venue marks final candles.
    """

    def __init__(self, venue: str, symbols: Sequence[str], access: Access, tuning: Tuning) -> None:
        self.venue = venue
        self._options = (
            {**_OPTIONS, "fetchMarkets": {"types": _markets_of(symbols)}} if venue == "binance" else _OPTIONS
        )
        self.symbols = tuple(symbols)
        self.name = venue if access.route is None else access.route.name(venue)
        self.rest: Any = None
        self.marks = venue in _MARKED
        self.consecutive = venue in _MARKED
        self._access, self._tuning = access, tuning
        self._speed = 1.0 if access.route is None else access.route.speed
        self._heard: tuple[int, int] = (0, 0)  # a time of the venue, and ours then
        self._stack = AsyncExitStack()
        self._streams: dict[str, Any] = {}
        self._opening = asyncio.Lock()
        self._closed: dict[tuple[int, str, str], list[Candle]] = defaultdict(list)

    async def __aenter__(self) -> Lines:
        try:
            self.rest = await self._stack.enter_async_context(self._client(stream=False))
            await self._load_markets()
            await self._learn_clock()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self._stack.aclose()

    def _client(self, *, stream: bool) -> Any:
        access = self._access
        return open_client(
            self.venue, route=access.route, key=access.key, secret=access.secret, stream=stream, options=self._options,
            timeout=int(self._tuning.timeout_s * 1_000),
        )  # fmt: skip

    async def _load_markets(self) -> None:
        import ccxt

        from workbench.market.feeds.backoff import Backoff

        pauses = Backoff(self._tuning.backoff_s, self._tuning.backoff_most_s, jitter=self._tuning.jitter)
        while True:
            try:
                await self.rest.load_markets()
                return
            except ccxt.BaseError as error:
                if pauses.attempts >= self._tuning.failures:
                    raise DataError(
                        f"{self.name} does not say what it trades: {self.reason(error)}; check the connection, and the "
                        "venue's status page",
                        venue=self.name,
                    ) from error
            await self._tuning.times.sleep(pauses.next())

    async def _learn_clock(self) -> None:
        """Ask the venue for its time, a few times; it is asked again when it matters."""
        from workbench.market.feeds.backoff import Backoff

        pauses = Backoff(self._tuning.backoff_s, self._tuning.backoff_most_s, jitter=self._tuning.jitter)
        while pauses.attempts < self._tuning.failures:
            with suppress(Exception):
                await self.clock()
                return
            await self._tuning.times.sleep(pauses.next())

    def check_symbol(self, symbol: str) -> None:
        """Raise ConfigError where the venue does not trade a symbol."""
        import difflib

        if symbol not in self.rest.markets:
            near = difflib.get_close_matches(symbol, self.rest.markets, n=3)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "it has other symbols"
            raise ConfigError(f"{self.name} does not trade {symbol!r}; {hint}", symbol=symbol)

    def check_timeframe(self, timeframe: str) -> None:
        """Raise ConfigError where the venue has no bars of a length."""
        known = self.rest.timeframes or {}
        if timeframe not in known:
            raise ConfigError(
                f"{self.name} has no bars of {timeframe}; it has {', '.join(known) or 'none'}", timeframe=timeframe
            )

    def can(self, call: str) -> bool:
        """Tell whether ccxt can do something at this venue, such as "watchOHLCV" or "fetchTrades"."""
        has = self._has_stream() if call.startswith("watch") else self.rest.has
        return bool(has.get(call))

    def _has_stream(self) -> dict[str, Any]:
        import ccxt.pro

        kind = getattr(ccxt.pro, self.venue, None)
        return {} if kind is None else kind().has

    async def stream(self, group: str) -> Any:
        """Give the client with websockets for a kind of channel."""
        async with self._opening:
            if group not in self._streams:
                client = await self._stack.enter_async_context(self._client(stream=True))
                client.set_markets_from_exchange(self.rest)
                if isinstance(snapshots := client.options.get("watchPositions"), dict):
                    # else every stream of orders asks for positions by itself: at each new connection, and again and
                    # again in tasks of its own while that fails, past the limits that requests keep to
                    snapshots.update(fetchPositionsSnapshot=False, awaitPositionsSnapshot=False)
                self._streams[group] = self._hear_marks(_closing_what_nobody_wants(client))
        found = self._streams[group]
        if "timeDifference" in self.rest.options:  # what the client that asks has learnt of the venue's clock
            found.options["timeDifference"] = self.rest.options["timeDifference"]
        return found

    async def ask(self, method: str, *values: Any, **named: Any) -> Any:
        """Ask over REST, for at most the time that the tuning gives."""
        return await asyncio.wait_for(getattr(self.rest, method)(*values, **named), self._tuning.timeout_s)

    async def clock(self) -> int:
        """Ask the venue what time it is (ms UTC); our own clock where it does not tell."""
        if not self.can("fetchTime"):
            return self.now()
        now = int(await self.ask("fetch_time"))
        self.heard(now)
        return now

    def heard(self, ts: int) -> None:
        """Note a time that the venue's clock showed just now."""
        self._heard = (ts, self._tuning.times.wall())

    @property
    def speed(self) -> float:
        """How much faster than ours the venue's clock runs: 1.0 anywhere but at a practice exchange."""
        return self._speed

    def now(self) -> int:
        """Guess the venue's clock (ms UTC) from what was heard of it."""
        theirs, ours = self._heard
        passed = self._tuning.times.wall() - ours
        return theirs + (passed if self._speed == 1.0 or not theirs else round(passed * self._speed))

    async def reset(self, group: str, symbol: str) -> None:
        """Close the sockets that carry a symbol of a kind of channel, so that the next call dials anew."""
        client = self._streams.get(group)
        if client is None:
            return
        names = {symbol.lower(), str(self.rest.markets.get(symbol, {}).get("id", symbol)).lower()}
        sockets = dict(client.clients)
        carrying = {
            url: socket
            for url, socket in sockets.items()
            if any(name in str(key).lower() for key in (*socket.subscriptions, *socket.futures) for name in names)
        }
        for url, socket in (carrying or sockets).items():
            client.clients.pop(url, None)
            with suppress(Exception):  # it is to go, in whatever state it is
                await asyncio.wait_for(socket.close(), self._tuning.timeout_s)
        client.ws_dial_backoff = {}

    def redial(self, group: str) -> None:
        """Let the next call dial at once: the pauses are ours. Sockets on which nobody waits are closed."""
        client = self._streams.get(group)
        if client is None:
            return
        for url, socket in tuple(client.clients.items()):
            if not socket.futures:  # such as that of a listen key which is not renewed any more
                client.clients.pop(url, None)
                _close(socket)
        client.ws_dial_backoff = {}

    def closed_candles(self, group: str, symbol: str, timeframe: str) -> list[Candle]:
        """Give the candles that the stream marked as final since the last call."""
        client = self._streams[group]
        key = (id(client), str(client.market(symbol)["id"]), str(client.timeframes[timeframe]))
        return self._closed.pop(key, [])

    def reason(self, error: BaseException) -> str:
        """Say in one line what went wrong, without anything secret."""
        return plain_reason(error, (self._access.key, self._access.secret))

    def _hear_marks(self, client: Any) -> Any:
        handle = getattr(client, "handle_ohlcv", None)
        if not self.marks or handle is None:
            return client

        def with_mark(socket: Any, message: Any) -> Any:
            bar = message.get("k") if isinstance(message, dict) else None
            if isinstance(bar, dict) and bar.get("x") is True:
                candle = Candle.read([bar.get(name) for name in ("t", "o", "h", "l", "c", "v")])
                if candle is not None:
                    self._closed[id(client), str(bar.get("s")), str(bar.get("i"))].append(candle)
            return handle(socket, message)

        client.handle_ohlcv = with_mark
        return client


def _close(socket: Any) -> None:
    async def close() -> None:
        with suppress(Exception):  # it is to go, in whatever state it is
            await socket.close()

    task = asyncio.ensure_future(close())
    _closing.add(task)
    task.add_done_callback(_closing.discard)


def _closing_what_nobody_wants(client: Any) -> Any:
    """Have a socket closed that was let go of while it was being dialled: ccxt goes on dialling, and would read it."""
    heed = client.on_connected

    def on_connected(socket: Any, message: Any = None) -> None:
        heed(socket, message)
        if client.clients.get(socket.url) is not socket:
            _close(socket)

    client.on_connected = on_connected
    return client


def _markets_of(symbols: Sequence[str]) -> list[str]:
    """Say which of Binance's three markets must be asked about; each is another host, and long lists."""
    kinds = {
        "spot" if ":" not in symbol else "linear" if symbol.split(":")[1] in ("USDT", "USDC") else "inverse"
        for symbol in symbols
    }
    return sorted(kinds)


def plain_reason(error: BaseException, secrets: tuple[str, ...] = ()) -> str:
    """Say in one line what went wrong: the kind and the text, without queries (which are signed) and secrets."""
    text = _QUERY.sub("?…", " ".join(str(error).split()))
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__
