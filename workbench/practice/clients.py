"""Clients of a running practice exchange: ccxt as it is, sent to loopback, with the practice account's key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from workbench.errors import ConfigError
from workbench.market.sources.clients import Route, open_client
from workbench.practice.exchange import ROUTE_FILE
from workbench.practice.wire.signing import PRACTICE

__all__ = ["PRACTICE_FOLDER", "connect", "running_route"]

PRACTICE_FOLDER: Final = "practice"


def running_route(data: Path | None = None) -> Route:
    """Give the way to the practice exchange that runs in a workspace.

    Parameters
    ----------
    data : Path, optional
        The data folder; that of the workspace one is in when left out.

    Raises
    ------
    ConfigError
        None runs.
    """
    if data is None:
        from workbench.settings import load_settings

        data = load_settings().data
    path = data / PRACTICE_FOLDER / ROUTE_FILE
    route = Route.read(path)
    if not route.answers():
        raise ConfigError(
            f"the practice exchange that left {path} no longer answers on port {route.port}; start one with "
            "`workbench practice serve`",
            port=route.port,
        )
    return route


@asynccontextmanager
async def connect(
    venue: str = "binance",
    *,
    route: Route | None = None,
    key: str = PRACTICE.key,
    secret: str = PRACTICE.secret,
    stream: bool = False,
    **settings: Any,
) -> AsyncIterator[Any]:
    """Open a ccxt client of a practice exchange; it is closed when the block ends.

    Parameters
    ----------
    venue : str, default "binance"
        ccxt's name of a venue that it speaks for, such as "binance" or "binanceusdm".
    route : Route, optional
        The way to it; that of the one that runs in the workspace when left out.
    key, secret : str
        Of the account to trade on; the practice account's when left out.
    stream : bool, default False
        Whether it has websockets (ccxt.pro), which take longer to import.
    **settings
        As of `open_client`.

    Yields
    ------
    ccxt.async_support.Exchange or ccxt.pro.Exchange
        With its own addresses; it reaches nothing but the practice exchange.

    Raises
    ------
    ConfigError
        No practice exchange runs, or ccxt does not know the venue.

    Examples
    --------
    >>> from workbench.practice.clients import connect
    >>> async def last_price(route):
    ...     async with connect("binance", route=route) as client:
    ...         return (await client.fetch_ticker("BTC/USDT"))["last"]
    """
    way = route or running_route()
    async with open_client(venue, route=way, key=key, secret=secret, stream=stream, **settings) as client:
        yield client
