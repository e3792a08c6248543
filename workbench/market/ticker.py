"""What things cost now: many symbols in one question where the venue answers that, else in many at a time.

An answer is kept in memory for ten seconds. What could not be had is named with the reason beside what came; only when
nothing at all can be asked (no such venue, no practice exchange) is it an error. No key is needed, and none is sent.
"""

from __future__ import annotations

import asyncio
import difflib
import threading
import time
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from workbench.errors import DataError
from workbench.market.cache import Cache, cache
from workbench.market.sources.clients import Route, open_client

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Ticker", "Tickers", "fetch_tickers", "tickers"]

_AT_A_TIME: Final = 8  # questions under way to one venue
_NAMED: Final = 100  # symbols that fit into an address; for more, all are asked for and the wanted ones kept
_SLOW_MS: Final = 10_000
_LONGEST: Final = 160

T = TypeVar("T")


class Ticker(NamedTuple):
    """The price of one symbol.

    `bid`, `ask`, `last`, `mid` are in the quote currency, `volume` (24 h) in the base currency, `change` (24 h) is a
    fraction; NaN where the venue does not say. `ts` is ms UTC: the venue's time, else that of the answer.
    """

    symbol: str
    bid: float
    ask: float
    last: float
    mid: float
    volume: float
    change: float
    ts: int


@dataclass(frozen=True, kw_only=True)
class Tickers:
    """Prices of many symbols at about one moment.

    Parameters
    ----------
    venue : str
        As data of it is named; a practice exchange's has its label in front.
    rows : tuple of Ticker
        What came, in the order asked for.
    missing : mapping of str to str
        The symbols that did not come, and why.
    asked_at : int
        ms UTC.
    """

    venue: str
    rows: tuple[Ticker, ...]
    missing: Mapping[str, str] = field(default_factory=dict)
    asked_at: int

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Ticker]:
        return iter(self.rows)

    def __getitem__(self, symbol: str) -> Ticker:
        """Give one symbol's ticker; DataError with the reason when it did not come."""
        for row in self.rows:
            if row.symbol == symbol:
                return row
        raise DataError(f"{symbol} at {self.venue}: {self.missing.get(symbol, 'it was not asked for')}", symbol=symbol)

    def to_pandas(self) -> pd.DataFrame:
        """Give one row a symbol: symbol, bid, ask, last, mid, volume, change, ts (UTC), age (seconds when asked)."""
        import pandas as pd

        frame = pd.DataFrame(self.rows, columns=list(Ticker._fields))
        frame["age"] = (self.asked_at - frame["ts"].astype("int64")) / 1_000
        frame["ts"] = pd.to_datetime(frame["ts"].astype("int64"), unit="ms", utc=True)
        return frame

    def __repr__(self) -> str:
        lost = f", {len(self.missing)} missing" if self.missing else ""
        return f"<Tickers {self.venue}, {len(self.rows)} symbols{lost}>"

    def _repr_html_(self) -> str:
        from html import escape

        lost = "".join(f"<li>{escape(symbol)}: {escape(why)}</li>" for symbol, why in self.missing.items())
        table = self.to_pandas().to_html(index=False, max_rows=20)
        return f"<p>{escape(repr(self)[1:-1])}</p>{table}" + (f"<p>Missing:</p><ul>{lost}</ul>" if lost else "")


def tickers(
    symbols: Iterable[str],
    *,
    venue: str = "binance",
    route: Route | None = None,
    max_age_s: float = 10.0,
    store: Cache | None = None,
) -> Tickers:
    """Ask a venue what some symbols cost now; also from a notebook, where a loop is running.

    Parameters
    ----------
    symbols : iterable of str
        As ccxt spells them: "BTC/USDT", or "BTC/USDT:USDT" for a perpetual.
    venue : str, default "binance"
        ccxt's name.
    route : Route, optional
        To a practice exchange.
    max_age_s : float, default 10
        An answer that is younger is given again; 0 asks anew.
    store : Cache, optional
        Where answers are kept; the workspace's cache when left out.

    Returns
    -------
    Tickers
        What came, and in `missing` what did not, with the reason.

    Raises
    ------
    DataError
        `symbols` is no list of text.
    ConfigError
        ccxt does not know the venue, or the practice exchange's certificate cannot be read.
    """
    return _finished(fetch_tickers(symbols, venue=venue, route=route, max_age_s=max_age_s, store=store))


async def fetch_tickers(
    symbols: Iterable[str],
    *,
    venue: str = "binance",
    route: Route | None = None,
    max_age_s: float = 10.0,
    store: Cache | None = None,
) -> Tickers:
    """Do what `tickers` does, inside a running loop."""
    wanted = [] if isinstance(symbols, str) else list(dict.fromkeys(symbols))
    if not wanted or not all(isinstance(symbol, str) for symbol in wanted):
        raise DataError(f"symbols={symbols!r}: give a list of text, such as ['BTC/USDT', 'ETH/USDT']")
    name = venue if route is None else route.name(venue)
    # one port of loopback may be a different exchange tomorrow: its answers are its own
    place, kept = name if route is None else f"{name}@{route.port}", store or cache()
    now = time.time_ns() // 1_000_000
    found = {symbol: Ticker(*held[1:]) for symbol in wanted if (held := _young(kept, place, symbol, max_age_s, now))}
    missing: dict[str, str] = {}
    asked = [symbol for symbol in wanted if symbol not in found]
    if asked:
        async with open_client(venue, route=route, timeout=_SLOW_MS) as client:
            came, missing = await _ask(client, asked, place, kept)
        for symbol, ticker in came.items():
            kept.put("tickers", f"{place}:{symbol}", [now, *ticker], tags=(place,))
        found |= came
    return Tickers(
        venue=name,
        rows=tuple(found[symbol] for symbol in wanted if symbol in found),
        missing={symbol: missing[symbol] for symbol in wanted if symbol in missing},
        asked_at=time.time_ns() // 1_000_000,
    )


def _young(kept: Cache, place: str, symbol: str, max_age_s: float, now: int) -> Any:
    held = kept.get("tickers", f"{place}:{symbol}") if max_age_s > 0 else None
    return held if held is not None and now - held[0] < max_age_s * 1_000 else None


async def _ask(
    client: Any, symbols: Sequence[str], place: str, kept: Cache
) -> tuple[dict[str, Ticker], dict[str, str]]:
    try:
        await _load_markets(client, place, kept)
    except Exception as error:  # ccxt's, aiohttp's, and what ccxt stumbles over in garbage
        return {}, dict.fromkeys(symbols, f"the markets could not be loaded ({_reason(error)})")
    came: dict[str, Ticker] = {}
    missing: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for symbol in symbols:
        if symbol in client.markets:
            groups.setdefault(client.markets[symbol].get("type") or "", []).append(symbol)
        else:
            missing[symbol] = _unlisted(symbol, client.markets)
    for kind, group in groups.items():
        some, lost = await _ask_group(client, kind, group)
        came |= some
        missing |= lost
    return came, missing


async def _load_markets(client: Any, place: str, kept: Cache) -> None:
    held = await asyncio.to_thread(kept.get, "markets", place)
    if held is not None:
        client.set_markets(held)
        return
    markets = await client.load_markets()
    try:
        await asyncio.to_thread(lambda: kept.put("markets", place, list(markets.values()), tags=(place,)))
    except DataError:
        pass  # a venue whose markets are no JSON is asked again next time


async def _ask_group(client: Any, kind: str, symbols: Sequence[str]) -> tuple[dict[str, Ticker], dict[str, str]]:
    """Ask for symbols of one kind of market: in one question, else one by one."""
    import ccxt

    if client.has.get("fetchTickers"):
        try:
            if len(symbols) <= _NAMED:
                raw = await client.fetch_tickers(list(symbols))
            else:
                raw = await client.fetch_tickers(None, {"type": kind} if kind else {})
            return _sorted_out(symbols, raw)
        except (ccxt.NotSupported, ccxt.BadRequest, ccxt.ArgumentsRequired):
            pass  # the venue wants to be asked one by one
        except Exception as error:  # ccxt's, aiohttp's, and what ccxt stumbles over in garbage
            return {}, dict.fromkeys(symbols, _reason(error))
    few = asyncio.Semaphore(_AT_A_TIME)

    async def one(symbol: str) -> Any:
        async with few:
            return await client.fetch_ticker(symbol)

    answers = await asyncio.gather(*map(one, symbols), return_exceptions=True)
    failed = {symbol: _reason(got) for symbol, got in zip(symbols, answers, strict=True) if isinstance(got, Exception)}
    rest = {symbol: got for symbol, got in zip(symbols, answers, strict=True) if not isinstance(got, BaseException)}
    came, lost = _sorted_out([symbol for symbol in symbols if symbol not in failed], rest)
    return came, failed | lost


def _sorted_out(symbols: Sequence[str], raw: Any) -> tuple[dict[str, Ticker], dict[str, str]]:
    came: dict[str, Ticker] = {}
    missing: dict[str, str] = {}
    for symbol in symbols:
        found = raw.get(symbol) if isinstance(raw, Mapping) else None
        ticker = _ticker(symbol, found) if isinstance(found, Mapping) else None
        if ticker is None:
            missing[symbol] = "the venue sent no price for it"
        else:
            came[symbol] = ticker
    return came, missing


def _ticker(symbol: str, raw: Mapping[str, Any]) -> Ticker | None:
    """Read ccxt's unified ticker; None where it has no price at all."""
    bid, ask, last, volume, change = (
        _number(raw.get(name)) for name in ("bid", "ask", "last", "baseVolume", "percentage")
    )
    if not (bid > 0 or ask > 0 or last > 0):
        return None
    stamp = raw.get("timestamp")
    ts = stamp if isinstance(stamp, int) and stamp > 0 else time.time_ns() // 1_000_000
    mid = (bid + ask) / 2 if bid > 0 and ask > 0 else last
    return Ticker(symbol, bid, ask, last, mid, volume, change / 100, ts)


def _number(value: Any) -> float:
    try:
        return float("nan") if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def _unlisted(symbol: str, markets: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(symbol.upper(), markets, n=2, cutoff=0.6)
    return "the venue does not list it" + (f"; did you mean {' or '.join(map(repr, near))}?" if near else "")


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:_LONGEST]}" if text else type(error).__name__


def _finished(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in a thread of its own where this one has a loop running, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    answer: list[T] = []
    trouble: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(asyncio.run(work))
        except BaseException as error:  # raised again below, in the caller's thread
            trouble.append(error)

    thread = threading.Thread(target=run, name="tickers")
    thread.start()
    thread.join()
    if trouble:
        raise trouble[0]
    return answer[0]
