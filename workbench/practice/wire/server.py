"""The server: TLS on loopback, one port for all hosts, each request to the protocol that speaks for its host.

It knows nothing of orders or prices. It lives in one event loop, in which protocols and the engine run too, so nothing
of theirs is ever called from two threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError
from workbench.practice.faults import Decision
from workbench.practice.wire.certificate import server_context
from workbench.practice.wire.protocol import Answer, Call, Protocol
from workbench.practice.wire.sockets import Connection

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["Server"]

_LOOPBACK: Final = "127.0.0.1"
_LARGEST_BODY: Final = 1 << 20
_GRACE_S: Final = 0.5


class _AbortedError(Exception):
    """The connection was cut; nothing is left to answer."""


class Server:
    """Listens on loopback for protocols.

    Parameters
    ----------
    protocols : iterable of Protocol
    certificate, key : Path
        What it shows.

    Attributes
    ----------
    requests : int
        How many came over HTTP, openings of websockets among them.

    Raises
    ------
    ConfigError
        Two protocols speak for the same host.
    """

    def __init__(self, protocols: Iterable[Protocol], certificate: Path, key: Path) -> None:
        self.requests = 0
        self._files = (certificate, key)
        self._hosts: dict[str, Protocol] = {}
        for protocol in protocols:
            for host in protocol.hosts:
                if host in self._hosts:
                    raise ConfigError(f"{self._hosts[host].name} and {protocol.name} both speak for {host}")
                self._hosts[host] = protocol
        self._connections: set[Connection] = set()
        self._transports: set[Any] = set()
        self._runner: Any = None
        self._ending = asyncio.Event()
        self._down = False

    async def start(self, port: int = 0) -> int:
        """Begin to listen; the port is given back, a free one for 0.

        Raises
        ------
        ConfigError
            The port is taken.
        """
        from aiohttp import web

        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/{tail:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=_GRACE_S, handler_cancellation=True, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, _LOOPBACK, port, ssl_context=server_context(*self._files), backlog=512)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise ConfigError(
                f"the practice exchange cannot listen on {_LOOPBACK}:{port}: {error}; leave the port out for a free one"
            ) from error
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close everything."""
        self._ending.set()
        for connection in self._connections:
            connection.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def cut(self, *, stay_down: bool = False) -> int:
        """Cut every websocket without a word; with `stay_down` also every request, now and until `restore`.

        Returns
        -------
        int
            How many websockets were cut.
        """
        self._down = stay_down
        for connection in self._connections:
            connection.abort()
        for transport in self._transports if stay_down else ():
            transport.abort()
        return len(self._connections)

    def restore(self) -> None:
        """Take connections again."""
        self._down = False

    def close_websockets(self, venue: str) -> None:
        """Close the websockets of one protocol with a word, as before maintenance."""
        for connection in self._connections:
            if connection.venue == venue:
                connection.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        self.requests += 1
        transport = request.transport
        self._transports.add(transport)
        try:
            if self._down:
                _abort(request)
            protocol = self._hosts.get(request.host.partition(":")[0].lower())
            if protocol is None:
                return web.Response(status=421, text=f"nobody speaks for {request.host} here")
            call = Call.read(request.method, request.raw_path, await request.read(), request.headers)
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await self._websocket(request, protocol, call)
            return _response(await self._answer(request, protocol, call))
        except _AbortedError:
            return web.Response()  # into the void
        finally:
            self._transports.discard(transport)

    async def _answer(self, request: web.Request, protocol: Protocol, call: Call) -> Answer:
        backing, asked = protocol.backing, protocol.asked(call)
        backing.faults.touch(asked, backing.engine)
        decision = backing.faults.before(asked)
        answer = await self._obey(request, protocol, decision)
        if answer is not None:
            return answer
        answer = protocol.answer(call)
        decision = backing.faults.after(asked, answer.status, answer.body.encode())
        return await self._obey(request, protocol, decision) or answer

    async def _websocket(self, request: web.Request, protocol: Protocol, call: Call) -> web.StreamResponse:
        from aiohttp import web

        decision = protocol.backing.faults.before(protocol.asked(call, "DIAL"))
        answer = await self._obey(request, protocol, decision)
        if answer is not None:
            return _response(answer)
        connection = Connection(protocol, self._ending)
        talk = protocol.open(call, connection)
        if talk is None:
            return web.Response(status=404, text=f"there is no websocket at {call.path}")
        self._connections.add(connection)
        try:
            return await connection.run(request, talk)
        finally:
            self._connections.discard(connection)
            talk.closed()

    async def _obey(self, request: web.Request, protocol: Protocol, decision: Decision) -> Answer | None:
        """Do what faults decided; None where the request goes on."""
        if decision.delay_ms > 0:
            await asyncio.sleep(decision.delay_ms / 1000)
        match decision.action:
            case "answer":
                return Answer(decision.status, decision.body.decode("utf-8", "replace"), decision.headers)
            case "refuse":
                return protocol.refused(decision.code, decision.text)
            case "hang":
                await self._hang(decision.hold_ms)
                _abort(request)
            case "reset":
                _abort(request)
        return None

    async def _hang(self, hold_ms: float) -> None:
        """Say nothing for a while, or until the server ends; a client that leaves ends the handler itself."""
        try:
            await asyncio.wait_for(self._ending.wait(), hold_ms / 1000)
        except TimeoutError:
            pass


def _response(answer: Answer) -> web.Response:
    from aiohttp import web

    headers = dict(answer.headers)
    kind = headers.pop("Content-Type", "application/json")
    return web.Response(status=answer.status, text=answer.body, headers=headers, content_type=kind)


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
    raise _AbortedError
