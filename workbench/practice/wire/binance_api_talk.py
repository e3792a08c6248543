"""Binance's websocket API: requests and answers over one websocket, and on spot the user stream beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from workbench.practice.faults import Asked
from workbench.practice.wire.binance_errors import BinanceError
from workbench.practice.wire.binance_talks import read_message
from workbench.practice.wire.binance_words import dump
from workbench.practice.wire.protocol import Answer, Call, Socket, Talk
from workbench.practice.wire.signing import Credential

if TYPE_CHECKING:
    from workbench.practice.wire.binance import Binance

__all__ = ["ApiTalk", "UserTalk"]

_STREAM_WEIGHT: Final = 2


class ApiTalk(Talk):
    """A websocket for requests.

    Parameters
    ----------
    venue : Binance
    socket : Socket
    methods : mapping of str to (method, path)
        Which endpoint of REST each method of the websocket is.
    """

    def __init__(self, venue: Binance, socket: Socket, methods: Mapping[str, tuple[str, str]]) -> None:
        self._venue, self._socket, self._methods = venue, socket, methods
        self._subscribed: dict[str, int] = {}

    def said(self, text: str) -> None:
        """Take a request."""
        number: Any = None
        try:
            message = read_message(text)
            number, params = message.get("id"), message.get("params") or {}
            if not isinstance(params, dict):
                raise BinanceError(-1100, "Illegal characters found in parameter 'params'; send an object.")
        except BinanceError as error:
            self._socket.send(dump({"id": number, "status": 400, "error": error.body}), "reply")
            return
        method = message["method"]
        told = {str(name): _plain(value) for name, value in params.items()}
        self._socket.serve(
            Asked("WS", method, self._venue.name, told),
            lambda: self._done(method, params, told),
            lambda answer: self._reply(answer, number),
        )

    def closed(self) -> None:
        """End its user streams."""
        for account in self._subscribed:
            self._venue.users.leave(account, self)

    def tell(self, event: Mapping[str, Any]) -> None:
        """Send an event of the user stream."""
        number = next(iter(self._subscribed.values()), 0)
        self._socket.send(dump({"subscriptionId": number, "event": event}), "user")

    def _done(self, method: str, params: dict[str, Any], told: dict[str, str]) -> Answer:
        self._venue.backing.catch_up()
        if method in ("userDataStream.subscribe.signature", "userDataStream.unsubscribe"):
            return self._streaming(method.endswith("signature"), params)
        place = self._methods.get(method)
        endpoint = self._venue.table.get(place) if place is not None else None
        if endpoint is None or place is None:
            return Answer(400, dump({"code": -1006, "msg": f"Unknown method {method!r}."}))
        call = Call(method=place[0], path=place[1], params=told)
        answer = self._venue.run(endpoint, call, lambda: self._venue.websocket_proof(params))
        self._venue.settle()
        return answer

    def _streaming(self, begin: bool, params: dict[str, Any]) -> Answer:
        """Begin or end the user stream."""
        status, wait_ms = self._venue.limits.charge(_STREAM_WEIGHT)
        if status != 200:
            return self._venue.slowed(status, wait_ms, {})
        if not begin:
            self.closed()
            self._subscribed.clear()
            return Answer(200, "{}")
        try:
            return self._subscribe(self._venue.websocket_proof(params))
        except BinanceError as error:
            return Answer(error.status, dump(error.body))

    def _subscribe(self, credential: Credential) -> Answer:
        if credential.account in self._subscribed:
            raise BinanceError(-1000, "User data stream subscription already active.")
        number = self._subscribed[credential.account] = len(self._subscribed)
        self._venue.users.join(credential.account, self)
        return Answer(200, dump({"subscriptionId": number}))

    def _reply(self, answer: Answer, number: Any) -> str:
        word = "result" if answer.status == 200 else "error"
        limits = self._venue.limits
        used = {
            "rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": limits.weight_1m,
            "count": limits.weight.used,
        }  # fmt: skip
        body = answer.body or "null"
        return f'{{"id":{dump(number)},"status":{answer.status},"{word}":{body},"rateLimits":[{dump(used)}]}}'


class UserTalk(Talk):
    """A websocket on which an account is told what happens to it, opened with a listen key.

    Parameters
    ----------
    venue : Binance
    socket : Socket
    account : str
    """

    def __init__(self, venue: Binance, socket: Socket, account: str) -> None:
        self._venue, self._socket, self._account = venue, socket, account
        venue.users.join(account, self)

    def said(self, text: str) -> None:
        """Take a request: there are none that matter."""

    def closed(self) -> None:
        """End the stream."""
        self._venue.users.leave(self._account, self)

    def tell(self, event: Mapping[str, Any]) -> None:
        """Send an event."""
        self._socket.send(dump(event), "user")


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) if not isinstance(value, list) else dump(value)
