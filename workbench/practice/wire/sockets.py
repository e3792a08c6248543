"""One websocket at the server's end: a queue out, faults on the way, and a talk that takes what comes in."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from workbench.practice.wire.hooks import CUT, PASS, Asked, Decision, Hooks
from workbench.practice.wire.protocol import Answer, Protocol, Socket, Talk

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["Connection"]

_MOST_QUEUED: Final = 1_000_000  # a client that reads nothing is cut before it eats the memory
_LARGEST: Final = 1 << 20


class Connection(Socket):
    """A websocket with a client.

    Parameters
    ----------
    protocol : Protocol
    hooks : Hooks
        Faults.
    ending : asyncio.Event
        Set when the server stops.
    """

    def __init__(self, protocol: Protocol, hooks: Hooks, ending: asyncio.Event) -> None:
        self.gone = asyncio.Event()
        self._protocol = protocol
        self._hooks = hooks
        self._ending = ending
        self._queue: deque[str | int | None] = deque()  # text, a code to close with, or None to cut
        self._ready = asyncio.Event()
        self._transport: Any = None
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, payload: str, stream: str) -> None:
        """Queue a message; see `Socket.send`."""
        for delay_ms, text in self._hooks.message(f"{self._protocol.name}:{stream}", payload):
            if delay_ms > 0.0:
                asyncio.get_running_loop().call_later(delay_ms / 1000, self._put, text)
            else:
                self._put(text)

    def serve(self, asked: Asked, work: Callable[[], Answer], reply: Callable[[Answer], str]) -> None:
        """Answer a request that came over it; see `Socket.serve`."""
        decision = self._hooks.before(asked)
        if decision is not PASS:
            self._later(self._serve(decision, asked, work, reply))
        else:
            self._finish(asked, work(), reply)

    def close(self, code: int = 1001) -> None:
        """Close it; see `Socket.close`."""
        self._put(code)

    def abort(self) -> None:
        """Cut it at once; what is queued is lost."""
        self._queue.clear()
        self._put(CUT)
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
            for task in (writer, *self._tasks):
                task.cancel()
            await asyncio.gather(writer, *self._tasks, return_exceptions=True)
        return ws

    def _put(self, item: str | int | None) -> None:
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
                if item is CUT:
                    return self._transport.abort() if self._transport is not None else None
                if isinstance(item, int):
                    await ws.close(code=item, drain=False)
                    return None
                try:
                    await ws.send_str(item)
                except ConnectionError:
                    return None

    def _later(self, work: Any) -> None:
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
        decision = self._hooks.after(asked, answer)
        if decision is PASS:
            self.send(reply(answer), "reply")
        else:
            self._later(self._reply(decision, answer, reply))

    async def _reply(self, decision: Decision, answer: Answer, reply: Callable[[Answer], str]) -> None:
        self.send(reply(await self._obey(decision) or answer), "reply")

    async def _obey(self, decision: Decision) -> Answer | None:
        """Do what faults decided; None where the request goes on."""
        if decision.delay_ms > 0.0:
            await asyncio.sleep(decision.delay_ms / 1000)
        if decision.abort:
            self.abort()
        if decision.abort or decision.hang:
            await self._ending.wait()
        if decision.refuse:
            return self._protocol.refused(decision.refuse)
        return Answer(decision.status, decision.body, decision.headers) if decision.status else None
