"""One websocket at the server's end: a queue out, faults on the way, and a talk that takes what comes in."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from workbench.practice.faults import Asked, Cut, Decision
from workbench.practice.wire.protocol import Answer, Protocol, Socket, Talk

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["Connection"]

_MOST_QUEUED: Final = 1_000_000  # a client that reads nothing is cut before it eats the memory
_LARGEST: Final = 1 << 20
_CUT: Final = Cut(1006)  # no close frame has this code: the connection is gone without one
_numbers = count(1)


class Connection(Socket):
    """A websocket with a client.

    Parameters
    ----------
    protocol : Protocol
    ending : asyncio.Event
        Set when the server stops.
    """

    def __init__(self, protocol: Protocol, ending: asyncio.Event) -> None:
        self.venue = protocol.name
        self._protocol = protocol
        self._faults = protocol.backing.faults
        self._ending = ending
        self._name = str(next(_numbers))
        self._queue: deque[str | Cut] = deque()
        self._ready = asyncio.Event()
        self._transport: Any = None
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, payload: str, stream: str) -> None:
        """Queue a message; see `Socket.send`."""
        for delay_ms, item in self._faults.message(stream, payload, venue=self.venue, connection=self._name):
            if delay_ms > 0.0:
                asyncio.get_running_loop().call_later(delay_ms / 1000, self._put, item)
            else:
                self._put(item)

    def serve(self, asked: Asked, work: Callable[[], Answer], reply: Callable[[Answer], str]) -> None:
        """Answer a request that came over it; see `Socket.serve`."""
        self._faults.touch(asked, self._protocol.backing.engine)
        decision = self._faults.before(asked)
        if decision.action == "pass" and not decision.delay_ms:
            self._finish(asked, work(), reply)
        else:
            self._later(self._serve(decision, asked, work, reply))

    def close(self, code: int = 1001) -> None:
        """Close it; see `Socket.close`."""
        self._put(Cut(code))

    def abort(self) -> None:
        """Cut it at once; what is queued is lost."""
        self._queue.clear()
        self._put(_CUT)
        if self._transport is not None:
            self._transport.abort()

    async def run(self, request: web.Request, talk: Talk) -> web.StreamResponse:
        """Shake hands, then take what the client says until one of both ends it."""
        from aiohttp import WSMsgType, web

        ws = web.WebSocketResponse(max_msg_size=_LARGEST, compress=False)
        await ws.prepare(request)
        self._transport = request.transport
        writer = asyncio.create_task(self._write(ws))
        try:
            async for message in ws:
                if message.type == WSMsgType.TEXT:
                    talk.said(message.data)
        finally:
            tasks = (writer, *self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return ws

    def _put(self, item: str | Cut) -> None:
        self._queue.append(item)
        self._ready.set()
        if len(self._queue) > _MOST_QUEUED:
            self.abort()

    async def _write(self, ws: web.WebSocketResponse) -> None:
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._queue:
                item = self._queue.popleft()
                try:
                    if isinstance(item, str):
                        await ws.send_str(item)
                    elif item.code == _CUT.code:
                        return self.abort()
                    else:
                        await ws.close(code=item.code, drain=False)
                        return None
                except ConnectionError:
                    return None

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self, decision: Decision, asked: Asked, work: Callable[[], Answer], reply: Callable[[Answer], str]
    ) -> None:
        instead = await self._obey(decision)
        if instead is not None:
            self.send(reply(instead), "reply")
        else:
            self._finish(asked, work(), reply)

    def _finish(self, asked: Asked, answer: Answer, reply: Callable[[Answer], str]) -> None:
        decision = self._faults.after(asked, answer.status, answer.body.encode())
        if decision.action == "pass" and not decision.delay_ms:
            self.send(reply(answer), "reply")
        else:
            self._later(self._reply(decision, answer, reply))

    async def _reply(self, decision: Decision, answer: Answer, reply: Callable[[Answer], str]) -> None:
        self.send(reply(await self._obey(decision) or answer), "reply")

    async def _obey(self, decision: Decision) -> Answer | None:
        """Do what faults decided; None where the request goes on. What hangs or is cut never comes back from here."""
        if decision.delay_ms > 0.0:
            await asyncio.sleep(decision.delay_ms / 1000)
        match decision.action:
            case "answer":
                return Answer(decision.status, decision.body.decode("utf-8", "replace"), decision.headers)
            case "refuse":
                return self._protocol.refused(decision.code, decision.text)
            case "reset":
                self.abort()
                await self._ending.wait()
            case "hang":
                await self._ending.wait()
        return None
