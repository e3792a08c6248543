"""The practice exchange as one object: markets, clock, engine, faults, and the server that real clients talk to.

The server runs in a thread of its own with its own event loop, in which the engine lives too. Whoever holds the object
may call its methods from any thread: they are carried out in that loop.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from workbench.errors import ConfigError, RunError
from workbench.market.sources.clients import Route
from workbench.practice.clock import Clock, HeldClock, RunningClock
from workbench.practice.engine import Engine
from workbench.practice.engine_records import AccountSetup
from workbench.practice.faults import Faults
from workbench.practice.markets.market import Market
from workbench.practice.wire.certificate import certify
from workbench.practice.wire.limits import Limits
from workbench.practice.wire.protocol import Backing, Protocol
from workbench.practice.wire.protocols import speakers
from workbench.practice.wire.server import Server
from workbench.practice.wire.signing import PRACTICE, Credential, Keyring

__all__ = ["ROUTE_FILE", "Exchange", "Serving", "usual_account"]

_TICK_S: Final = 0.02
_DAY_MS: Final = 86_400_000
_MONEY: Final = 100_000.0
_COINS: Final = 10.0
ROUTE_FILE: Final = "route.json"


_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How a practice exchange serves.

    Parameters
    ----------
    credentials : tuple of Credential
        API keys; by default the well-known practice key, of the account "practice".
    limits : mapping of str to Limits
        Rate limits by protocol, such as "binance" or "binanceusdm"; the real ones where none are given.
    folder : Path, optional
        Where the certificate is kept, and `route.json` while it runs; a temporary one when left out.
    port : int, default 0
        Of loopback; 0 takes a free one.
    """

    credentials: tuple[Credential, ...] = (PRACTICE,)
    limits: Mapping[str, Limits] = field(default_factory=dict)
    folder: Path | None = None
    port: int = 0


class Exchange:
    """A venue on loopback that speaks a real exchange's protocol, while its `with` block lasts.

    Parameters
    ----------
    markets : mapping of symbol to Market, or iterable of Market
        Where prices come from.
    protocols : iterable of str, default ("binance",)
        Venues that it speaks for.
    clock : Clock, optional
        When left out, a `HeldClock` that stands a day after the first market's beginning. A `RunningClock` moves by
        itself.
    faults : Faults, or what one is made of, optional
    accounts : mapping of name to AccountSetup, optional
        When left out, one named "practice" with some money.
    serving : Serving, optional

    Attributes
    ----------
    engine : Engine
        The exchange's truth; while the server runs it is only to be touched through `call`.
    faults : Faults

    Raises
    ------
    ConfigError
        A protocol is not known, there is no market, or a key is of an account that does not exist.
    """

    def __init__(
        self,
        markets: Mapping[str, Market] | Iterable[Market],
        *,
        protocols: Iterable[str] = ("binance",),
        clock: Clock | None = None,
        faults: Any = None,
        accounts: Mapping[str, AccountSetup] | None = None,
        serving: Serving | None = None,
    ) -> None:
        given = dict(markets) if isinstance(markets, Mapping) else {one.instrument.symbol: one for one in markets}
        if not given:
            raise ConfigError("a practice exchange needs at least one market, such as RecordedMarket(bars)")
        self.clock: Clock = clock or HeldClock(min(one.start for one in given.values()) + _DAY_MS)
        known = accounts or {PRACTICE.account: usual_account(given)}
        self.engine = Engine(given, self.clock, accounts=known)
        self.faults = faults if isinstance(faults, Faults) else Faults(faults)
        self._serving = serving or Serving()
        for one in self._serving.credentials:
            if one.account not in known:
                raise ConfigError(f"a key is for the account {one.account!r}; there are {', '.join(known)}")
        backing = Backing(
            self.engine, Keyring(self._serving.credentials), faults=self.faults, limits=self._serving.limits
        )
        backing.catch_up = self._catch_up
        self._backing = backing
        self._protocols: list[Protocol] = [make(backing) for make in speakers(protocols)]
        self._route: Route | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    def __repr__(self) -> str:
        where = f"on port {self._route.port}" if self._route else "closed"
        return (
            f"<Exchange {', '.join(one.name for one in self._protocols)} {where}, {len(self.engine.symbols)} markets>"
        )

    def __enter__(self) -> Self:
        """Begin to serve."""
        try:
            self._route = self._begin()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections and stop."""
        self._close()

    def _begin(self) -> Route:
        folder = self._serving.folder
        if folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="practice-")
            folder = Path(self._temporary.name)
        files = certify(folder, [host for protocol in self._protocols for host in protocol.hosts])
        ready = _Outcome()
        self._thread = threading.Thread(target=self._run, args=(files, ready), name="practice-exchange", daemon=True)
        self._thread.start()
        speed = self.clock.speed if isinstance(self.clock, RunningClock) else 1.0
        route = Route(port=ready.wait(), certificate=str(files[0]), speed=speed)
        route.write(folder / ROUTE_FILE)
        return route

    def _close(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
        if self._thread is not None:
            self._thread.join()
        if self._route is not None:
            (Path(self._route.certificate).parent / ROUTE_FILE).unlink(missing_ok=True)
        if self._temporary is not None:
            self._temporary.cleanup()
        self._route = self._loop = self._server = self._thread = self._temporary = None

    @property
    def route(self) -> Route:
        """The way to it, for `open_client` and `connect`; RunError while it does not serve."""
        if self._route is None:
            raise RunError("the practice exchange does not serve; use it in a `with` block")
        return self._route

    @property
    def now(self) -> int:
        """The exchange's time, ms UTC."""
        return self.engine.now

    @property
    def requests(self) -> int:
        """How many requests came over HTTP so far, openings of websockets among them."""
        return self._server.requests if self._server is not None else 0

    @property
    def limits(self) -> Mapping[str, Limits]:
        """The rate limits by protocol, with what has been used."""
        return self._backing.limits

    def call(self, work: Callable[[], _T]) -> _T:
        """Have something done where the engine lives, between requests, and give what comes of it."""
        if self._loop is None or threading.current_thread() is self._thread:
            return work()

        async def done() -> _T:
            return work()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result()

    def advance(self, ms: int) -> None:
        """Move a held clock on and let happen what happens until then; all messages of it have been queued after.

        Raises
        ------
        ConfigError
            The clock runs by itself, or the number is negative.
        """
        if not isinstance(self.clock, HeldClock):
            raise ConfigError("the exchange's clock runs by itself; only a HeldClock is moved by advance")
        self.clock.advance(ms)
        self.call(self._catch_up)

    def advance_to(self, ts: int) -> None:
        """Move a held clock to a time, ms UTC; see `advance`."""
        self.advance(ts - self.now)

    def cut(self, *, stay_down: bool = False) -> int:
        """Cut all websockets without a word; with `stay_down` nothing is taken or answered until `restore`.

        Returns
        -------
        int
            How many were cut.
        """
        server = self._server
        return self.call(lambda: server.cut(stay_down=stay_down)) if server is not None else 0

    def restore(self) -> None:
        """Take connections again after `cut`."""
        if self._server is not None:
            self.call(self._server.restore)

    def _run(self, files: tuple[Path, Path], ready: _Outcome) -> None:
        """Live in the server's thread."""
        asyncio.run(self._serve(files, ready))

    async def _serve(self, files: tuple[Path, Path], ready: _Outcome) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self.faults.begin(lambda: self.engine.now)
        try:
            self._server = Server(self._protocols, *files)
            port = await self._server.start(self._serving.port)
        except BaseException as error:
            self._loop = self._server = None
            ready.fail(error)
            return
        pulse = asyncio.create_task(self._pulse())
        ready.give(port)
        await self._ended.wait()
        pulse.cancel()
        await self._server.stop()

    async def _pulse(self) -> None:
        """Keep up with a clock that runs by itself."""
        while not isinstance(self.clock, HeldClock):
            await asyncio.sleep(_TICK_S)
            self._catch_up()

    def _catch_up(self) -> None:
        """Bring the engine to the clock's time, stopping wherever a fault is due."""
        target = max(self.clock.now(), self.engine.now)
        due = self.faults.act(self._backing.engine)
        while self.engine.now < target:
            times = (due, *(protocol.due() for protocol in self._protocols))
            self.engine.advance(min([target, *(max(one, self.engine.now + 1) for one in times if one is not None)]))
            due = self.faults.act(self._backing.engine)
            for protocol in self._protocols:
                protocol.moved(self.engine.now)
        for protocol in self._protocols:
            if self._server is not None and self.faults.closed(protocol.name):
                self._server.close_websockets(protocol.name)


class _Outcome:
    """What another thread waits for: a port, or why there is none."""

    def __init__(self) -> None:
        self._there = threading.Event()
        self._port = 0
        self._error: BaseException | None = None

    def give(self, port: int) -> None:
        self._port = port
        self._there.set()

    def fail(self, error: BaseException) -> None:
        self._error = error
        self._there.set()

    def wait(self) -> int:
        self._there.wait()
        if self._error is not None:
            raise self._error
        return self._port


def usual_account(markets: Mapping[str, Market]) -> AccountSetup:
    """Give an account that can trade all markets: money in every quote, and some coins of every base."""
    facts = [one.instrument for one in markets.values()]
    spot = {one.base: _COINS for one in facts if one.kind == "spot"}
    spot |= {one.quote: _MONEY for one in facts if one.kind == "spot"}
    return AccountSetup(
        spot=spot or {"USDT": _MONEY}, linear={one.settle: _MONEY for one in facts if one.kind == "linear"}
    )
