"""The connections of a broker: those of a feed, one limiter for all bots of a key, and errors in our words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from workbench.bots.brokers.credentials import Credentials
from workbench.bots.brokers.offers import Offers, offers_of
from workbench.bots.brokers.soundness import is_formed, is_sound, only_data, raw_answers
from workbench.bots.brokers.verdicts import Operation, judge
from workbench.errors import BrokerTransient, ConfigError, DataError
from workbench.market.feeds.feed import Tuning
from workbench.market.feeds.lines import Lines
from workbench.market.sources.clients import Route, open_client
from workbench.market.sources.limiter import Limiter, limit_client, limiter_for

__all__ = ["Wire", "client_for"]

_OPTIONS: Final[dict[str, Any]] = {
    "ordersLimit": 5_000,
    "createMarketBuyOrderRequiresPrice": False,
    "recvWindow": 5_000,  # ms for which a signed request is good; `Patience.land_ms` is longer
}
_APART: Final = {"linear": "binanceusdm", "inverse": "binancecoinm"}


def client_for(venue: str, kinds: Sequence[str]) -> str:
    """Give ccxt's name of the client that trades instruments of some kinds at a venue.

    Raises
    ------
    ConfigError
        They are of several kinds that the venue keeps in accounts apart.
    """
    if venue != "binance" or set(kinds) <= {"spot"}:
        return venue
    if len(set(kinds)) > 1:
        raise ConfigError(
            f"Binance keeps {' and '.join(sorted(set(kinds)))} in accounts apart, and a bot trades one account: make a "
            "bot for each"
        )
    return _APART.get(kinds[0], venue)


class Wire(Lines):
    """Clients of a venue that trade; open them with `async with`.

    Parameters
    ----------
    venue : str
        ccxt's name.
    symbols : sequence of str
    credentials : Credentials
    route : Route, optional
        To a practice exchange.
    tuning : Tuning, optional
    share : float, default 1.0
        The part of the venue's allowance that this process may use.
    """

    def __init__(
        self,
        venue: str,
        symbols: Sequence[str],
        credentials: Credentials,
        *,
        route: Route | None = None,
        tuning: Tuning | None = None,
        share: float = 1.0,
    ) -> None:
        self.credentials = credentials
        super().__init__(venue, symbols, credentials.access(route), tuning or Tuning())
        self._options = {**self._options, **_OPTIONS}
        self._share = share
        self._limiter: Limiter | None = None
        self._offers: dict[str, Offers] = {}

    async def __aenter__(self) -> Wire:
        try:
            await super().__aenter__()
            for symbol in self.symbols:
                self.check_symbol(symbol)
        except DataError as error:
            raise BrokerTransient(str(error), venue=self.name) from None
        return self

    @property
    def limiter(self) -> Limiter:
        """The limiter that all clients of this key share."""
        if self._limiter is None:
            access = self._access
            self._limiter = limiter_for(self.name, access.key, rate_limit_ms=self.rest.rateLimit, share=self._share)
        return self._limiter

    @asynccontextmanager
    async def _client(self, *, stream: bool) -> AsyncIterator[Any]:
        access = self._access
        async with open_client(
            self.venue, route=access.route, key=access.key, secret=access.secret, stream=stream, options=self._options,
            timeout=int(self._tuning.timeout_s * 1_000), **self.credentials.settings(),
        ) as client:  # fmt: skip
            self.rest = self.rest or client
            limit_client(client, self.limiter)
            only_data(client)
            yield client

    def offers(self, symbol: str) -> Offers:
        """Give what the venue offers in a market."""
        if symbol not in self._offers:
            self._offers[symbol] = offers_of(self.rest, symbol)
        return self._offers[symbol]

    async def call(self, operation: Operation, method: str, *values: Any, asked: str = "", **named: Any) -> Any:
        """Ask once, and give the answer as ccxt makes it.

        Parameters
        ----------
        operation : {"submit", "cancel", "amend", "read"}
            What a lost answer is judged by.
        method : str
            Of the ccxt client.
        *values, **named
            Its arguments.
        asked : str
            What is asked for, in words, for errors.

        Raises
        ------
        BrokerRejected, BrokerTransient, BrokerFatal, BrokerUnknown
        """
        pause = self.limiter.paused_s
        if pause > 0.0:
            raise BrokerTransient(
                f"{self.name}: {asked or method} was not sent: the venue wants to be left alone for {pause:.1f} s more",
                venue=self.name, operation=operation, retry_ms=round(pause * 1_000) + 1,
            )  # fmt: skip
        raw: list[Any] = []
        raw_answers.set(raw)
        error: Exception = ValueError("the answer makes no sense")
        try:
            answer = await self.ask(method, *values, **named)
        except Exception as raised:
            if is_formed(self.venue, method, raw):  # else it is what was made of nonsense
                error = raised
        else:
            if is_formed(self.venue, method, raw) and is_sound(method, answer):
                return answer
        told = judge(error, operation, venue=self.name, client=self.rest, asked=asked or method)
        text = self.credentials.hide(str(error))
        if "cancel-replace" in text:
            told.fields["body"] = text
        if told.fields["verdict"] == "slow":
            self.limiter.pause(told.fields["retry_ms"] / 1_000)
        elif told.fields["verdict"] == "clock":
            with suppress(Exception):
                await asyncio.wait_for(self.rest.load_time_difference(), self._tuning.timeout_s)
        raise told
