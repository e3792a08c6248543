"""What a bot needs to know of a venue before it trades there: its instruments, as the venue lists them now.

They are asked for once, when a bot is made, and kept in its journal: what a bot reckons with does not change under it.
Its broker makes sure at every start that the venue still has the same steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from workbench.bots.brokers.credentials import Credentials
from workbench.bots.brokers.wire import client_for
from workbench.bots.spec import Series
from workbench.errors import ConfigError, DataError, WorkbenchError
from workbench.market.instrument import Instrument
from workbench.market.sources.asking import Garbled, Patience
from workbench.market.sources.clients import Route
from workbench.market.sources.session import Connection, Session, open_session
from workbench.market.venue_tables import instrument_of

__all__ = ["Listing", "client_of", "list_at"]

_PATIENCE: Final = Patience(attempts=4, first_s=0.5, longest_s=4.0)


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a venue says before anything is traded.

    Parameters
    ----------
    instruments : tuple of Instrument
        One a symbol, in the order of the series.
    money : float
        What the account of the key has of the currency that is traded in; NaN without a key.
    """

    instruments: tuple[Instrument, ...]
    money: float = math.nan


def client_of(at: str, series: Sequence[Series]) -> str:
    """Give ccxt's name of the client that trades some series at a venue.

    Raises
    ------
    ConfigError
        They are of several accounts of the venue, or of a kind that bots do not trade.
    """
    for one in series:
        if "-" in one.symbol.partition(":")[2]:
            raise ConfigError(
                f"{one.symbol} is a contract that expires; bots trade spot and perpetuals, such as "
                f"{one.symbol.partition('-')[0]}",
                symbol=one.symbol,
            )
    return client_for(at, [Instrument.default(one.symbol).kind for one in series])


async def list_at(
    at: str, series: Sequence[Series], *, route: Route | None = None, credentials: Credentials | None = None
) -> Listing:
    """Ask a venue for what a bot is to trade.

    Parameters
    ----------
    at : str
        ccxt's name.
    series : sequence of Series
    route : Route, optional
        To a practice exchange.
    credentials : Credentials, optional
        Of the account whose money is asked for; leverage tiers are told to customers only, too.

    Raises
    ------
    ConfigError
        ccxt does not know the venue, or it refuses the key.
    DataError
        It does not list a symbol, has no bars of a length, or does not answer.
    """
    symbols = tuple(dict.fromkeys(one.symbol for one in series))
    access = credentials.access(route) if credentials is not None else None
    way = Connection(
        route=route, key=access.key if access else "", secret=access.secret if access else "", patience=_PATIENCE
    )
    async with open_session(client_of(at, series), way, symbols=symbols) as session:
        session.require(symbols, "bars")
        for one in series:
            _check_timeframe(session, one)
        tiers = await _tiers(session, symbols)
        rows = {row["symbol"]: row for row in session.market_rows()}
        name = at if route is None else route.name(at)
        found = tuple(
            instrument_of(rows[symbol], name, [one for one in tiers if one["symbol"] == symbol]) for symbol in symbols
        )
        money = math.nan if credentials is None else await _money(session, found[0].settle)
    return Listing(instruments=found, money=money)


def _check_timeframe(session: Session, one: Series) -> None:
    offered = session.client.timeframes or {}
    if one.timeframe not in offered:
        raise DataError(
            f"{session.name} has no {one.timeframe} bars of {one.symbol}; it has {', '.join(offered)}",
            timeframe=one.timeframe,
        )


async def _tiers(session: Session, symbols: Sequence[str]) -> list[dict[str, Any]]:
    """Ask for leverage tiers; none where the venue does not tell, so that what is usual holds."""
    if not any(":" in symbol for symbol in symbols):
        return []
    try:
        return await session.tier_rows(symbols)
    except WorkbenchError:
        return []


async def _money(session: Session, currency: str) -> float:
    def read(answer: Any) -> float:
        if not isinstance(answer, dict) or not isinstance(answer.get("total"), dict):
            raise Garbled("the balances are no balances")
        return float(answer["total"].get(currency) or 0.0)

    return await session.asker.ask("balances", session.client.fetch_balance, read)
