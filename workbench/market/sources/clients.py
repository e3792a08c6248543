"""ccxt clients, made in one way: no retries of their own, a session that is ours, real addresses, and a route.

Everything that speaks to a venue gets its client here. A `Route` sends a client with its own https and wss addresses to
a practice exchange on loopback instead, and lets it reach nothing else.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from workbench.errors import ConfigError

__all__ = ["Route", "check_venue", "known_venues", "open_client"]

_LOOPBACK: Final = "127.0.0.1"
_KEEP_ALIVE_MS: Final = 10_000  # ccxt's own of three minutes notices a dead pipe after six

# ccxt would answer these with requests that need a key, or repeat an order by itself.
_OPTIONS: Final[dict[str, Any]] = {
    "maxRetriesOnFailure": 0,
    "fetchCurrencies": False,
    "fetchMargins": False,
    "adjustForTimeDifference": True,
}


@dataclass(frozen=True, kw_only=True)
class Route:
    """The way to a practice exchange, which speaks for venues on loopback.

    Parameters
    ----------
    port : int
        Where it listens on 127.0.0.1, for http and websockets, with TLS.
    certificate : str
        Path of the certificate (PEM) that it shows; the client trusts this one only.
    label : str, default "practice"
        Put before the venue's name wherever its data is stored, so that it never passes for the real market's.
    speed : float, default 1.0
        How many ms pass there in one ms of real time.
    """

    port: int
    certificate: str
    label: str = "practice"
    speed: float = 1.0

    def name(self, venue: str) -> str:
        """Give the name under which data of a venue is stored that came by this route."""
        return f"{self.label}-{venue}"

    def answers(self) -> bool:
        """Tell whether anything listens there, without a connection that it would have to deal with."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_LOOPBACK, self.port))
            except OSError:
                return True  # the port is taken
        return False

    def write(self, path: Path) -> None:
        """Leave the route in a file for other processes."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Route:
        """Read what `write` left.

        Raises
        ------
        ConfigError
            There is none, or it is damaged.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise ConfigError(
                f"no practice exchange runs here ({path} is not there); start one with `workbench practice serve`"
            ) from error
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(
                f"{path} does not tell the way to a practice exchange: {error}; start it again"
            ) from error


def known_venues() -> tuple[str, ...]:
    """Give the venues that ccxt knows, by its own names."""
    import ccxt

    return tuple(ccxt.exchanges)


@asynccontextmanager
async def open_client(
    venue: str,
    *,
    route: Route | None = None,
    key: str = "",
    secret: str = "",
    stream: bool = False,
    options: Mapping[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[Any]:
    """Open a ccxt client; it and its connections are closed when the block ends.

    Parameters
    ----------
    venue : str
        ccxt's name, such as "binance", "binanceusdm", "kraken".
    route : Route, optional
        To a practice exchange; straight to the venue when left out.
    key, secret : str
        For what is private; never logged.
    stream : bool, default False
        Whether it has websockets (ccxt.pro), which take longer to import.
    options : mapping, optional
        ccxt's `options`, over ours.
    **settings
        ccxt's other settings, such as `timeout` (ms) or `enableRateLimit`.

    Yields
    ------
    ccxt.async_support.Exchange or ccxt.pro.Exchange
        Repeats nothing by itself: who calls it decides what may be asked again.

    Raises
    ------
    ConfigError
        ccxt does not know the venue, or the route's certificate cannot be read.
    """
    import aiohttp

    kind = _class_of(venue, stream=stream)
    session = aiohttp.ClientSession(connector=_connector(route))
    try:
        client = kind(
            {
                "apiKey": key,
                "secret": secret,
                "session": session,
                "enableRateLimit": True,
                "streaming": {"keepAlive": _KEEP_ALIVE_MS},
                **settings,
                "options": {**_OPTIONS, **dict(options or {})},
            }
        )
        client.own_session = False
        try:
            yield client
        finally:
            await client.close()
    finally:
        await session.close()


def check_venue(venue: str) -> None:
    """Make sure that ccxt knows a venue; ConfigError, with the names that are most like it, where it does not."""
    import difflib

    if venue not in known_venues():
        near = difflib.get_close_matches(venue, known_venues(), n=3)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "ccxt.exchanges lists them"
        raise ConfigError(f"ccxt knows no venue {venue!r}; {hint}", venue=venue)


def _class_of(venue: str, *, stream: bool) -> Any:
    check_venue(venue)
    if stream:
        import ccxt.pro as module

        if not hasattr(module, venue):
            raise ConfigError(f"ccxt has no websockets for {venue!r}; it can only be asked, not watched", venue=venue)
    else:
        import ccxt.async_support as module
    return getattr(module, venue)


def _connector(route: Route | None) -> Any:
    import aiohttp
    from aiohttp.abc import AbstractResolver, ResolveResult

    if route is None:
        return aiohttp.TCPConnector()
    try:
        trusted = ssl.create_default_context(cafile=route.certificate)
    except OSError as error:
        raise ConfigError(f"the practice exchange's certificate {route.certificate} cannot be read: {error}") from error
    port = route.port

    class Loopback(AbstractResolver):
        """Every name is the practice exchange, which knows by its certificate which ones it speaks for."""

        async def resolve(
            self, host: str, port_: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            return [
                {
                    "hostname": host, "host": _LOOPBACK, "port": port, "family": socket.AF_INET, "proto": 0,
                    "flags": socket.AI_NUMERICHOST,
                }
            ]  # fmt: skip

        async def close(self) -> None:
            """Nothing to close."""

    return aiohttp.TCPConnector(resolver=Loopback(), ssl=trusted)
