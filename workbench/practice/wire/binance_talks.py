"""What is said on Binance's websockets: subscribing to market streams."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from workbench.practice.faults import Asked
from workbench.practice.wire.binance_errors import BinanceError
from workbench.practice.wire.binance_words import dump
from workbench.practice.wire.protocol import Answer, Call, Socket, Talk

if TYPE_CHECKING:
    from workbench.practice.wire.binance import Binance

__all__ = ["StreamTalk", "read_message"]


def read_message(text: str) -> dict[str, Any]:
    """Read a request that came over a websocket; BinanceError for what is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BinanceError(3, f"Invalid JSON: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("method"), str):
        raise BinanceError(2, "Invalid request: a request has a method, an id and, for most methods, params")
    return found


class StreamTalk(Talk):
    """A websocket on which market streams are sent.

    Parameters
    ----------
    venue : Binance
    socket : Socket
    call : Call
        How it was opened: the path or query may name streams to begin with.
    """

    def __init__(self, venue: Binance, socket: Socket, call: Call) -> None:
        self._venue, self._socket = venue, socket
        self._names: dict[str, None] = {}
        self._combined = call.path.endswith("/stream")
        named = call.params.get("streams", "") if self._combined else unquote(call.path.partition("/ws/")[2])
        for name in named.split("/"):
            if "@" in name or name.startswith("!"):
                try:
                    self._subscribe(name)
                except BinanceError:
                    pass  # a name in the address that is none is passed over, as the real one does

    def said(self, text: str) -> None:
        """Take a request."""
        try:
            message = read_message(text)
        except BinanceError as error:
            self._socket.send(dump({"error": {"code": error.code, "msg": error.text}}), "reply")
            return
        number = message.get("id")
        asked = Asked("WS", message["method"], self._venue.name, {"params": message.get("params")})
        self._socket.serve(asked, lambda: self._done(message), lambda answer: _reply(answer, number))

    def closed(self) -> None:
        """End all streams."""
        for name in tuple(self._names):
            self._venue.streams.unsubscribe(name, self._socket)

    def _done(self, message: dict[str, Any]) -> Answer:
        method, params = message["method"], message.get("params") or []
        if not isinstance(params, list) or not all(isinstance(name, str) for name in params):
            return _refusal(2, "Invalid request: params must be a list of names")
        try:
            match method:
                case "SUBSCRIBE":
                    for name in params:
                        self._subscribe(name)
                case "UNSUBSCRIBE":
                    for name in params:
                        self._names.pop(name, None)
                        self._venue.streams.unsubscribe(name, self._socket)
                case "LIST_SUBSCRIPTIONS":
                    return Answer(200, dump(list(self._names)))
                case _:
                    return _refusal(2, f"Invalid request: there is no method {method!r}")
        except BinanceError as error:
            return _refusal(error.code, error.text)
        return Answer(200, "null")

    def _subscribe(self, name: str) -> None:
        self._venue.streams.subscribe(name, self._socket, combined=self._combined)
        self._names[name] = None


def _refusal(code: int, text: str) -> Answer:
    return Answer(400, dump({"code": code, "msg": text}))


def _reply(answer: Answer, number: Any) -> str:
    word = "result" if answer.status == 200 else "error"
    return f'{{"{word}":{answer.body},"id":{dump(number)}}}'
