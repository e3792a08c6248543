"""What a protocol is to the server: hosts it speaks for, an answer to each request, a talk on each websocket.

A protocol is synchronous and lives in the server's thread, with the engine. It never waits and never blocks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from urllib.parse import parse_qsl

from workbench.practice.faults import Asked, Faults
from workbench.practice.wire.limits import Limits
from workbench.practice.wire.signing import Keyring

if TYPE_CHECKING:
    from workbench.practice.engine import Engine

__all__ = ["Answer", "Backing", "Call", "Protocol", "Socket", "Talk"]


@dataclass(slots=True, kw_only=True)
class Call:
    """One request as it came: raw where a signature is over it, decoded where it is read.

    `query` is the raw query string, `body` the raw body; `params` are both decoded, the body's over the query's;
    `headers` have lower-case names; `account` is who asks, "" where nobody has said.
    """

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    account: str = ""

    @classmethod
    def read(cls, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Call:
        """Make one of a request's target (path and query), body and headers."""
        path, _, query = target.partition("?")
        params = dict(parse_qsl(query, keep_blank_values=True))
        if body and not body.startswith(b"{"):
            params.update(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        lower = {name.lower(): value for name, value in headers.items()}
        return cls(method=method, path=path, query=query, body=body, headers=lower, params=params)


class Answer(NamedTuple):
    """What goes back: a status, a body (JSON text) and headers."""

    status: int
    body: str
    headers: Mapping[str, str] = {}


class Socket(ABC):
    """An open websocket as a protocol sees it: what is sent is queued at once."""

    @abstractmethod
    def send(self, payload: str, stream: str) -> None:
        """Queue a message of a stream (its name without the protocol); faults may change what becomes of it."""

    @abstractmethod
    def serve(self, asked: Asked, work: Callable[[], Answer], reply: Callable[[Answer], str]) -> None:
        """Answer a request that came over it, as one over HTTP is: with faults before and after."""

    @abstractmethod
    def close(self, code: int = 1001) -> None:
        """Say goodbye and close it once what is queued has gone out."""


class Talk(ABC):
    """What is said on one websocket."""

    @abstractmethod
    def said(self, text: str) -> None:
        """Take a message of the client."""

    @abstractmethod
    def closed(self) -> None:
        """Forget the websocket, which is gone."""


class Backing:
    """What stands behind all protocols of an exchange.

    Parameters
    ----------
    engine : Engine
    keyring : Keyring
        Who may trade, on which account.
    faults : Faults, optional
        None when left out.
    limits : mapping of str to Limits, optional
        By protocol; the protocol's usual ones when left out.

    Attributes
    ----------
    catch_up : callable
        Brings the engine to its clock's time, with all that belongs to it.
    """

    def __init__(
        self,
        engine: Engine,
        keyring: Keyring,
        *,
        faults: Faults | None = None,
        limits: Mapping[str, Limits] | None = None,
    ) -> None:
        self.engine: Any = engine
        self.keyring = keyring
        self.faults = Faults() if faults is None else faults  # an empty one may get rules later
        self.limits: dict[str, Limits] = dict(limits or {})
        self.catch_up: Callable[[], None] = self.engine.catch_up

    def now(self) -> int:
        """Tell the exchange's time, ms UTC."""
        return int(self.engine.now)


class Protocol(ABC):
    """One exchange's way of speaking.

    Parameters
    ----------
    backing : Backing
    """

    name: ClassVar[str]
    hosts: ClassVar[tuple[str, ...]]

    def __init__(self, backing: Backing) -> None:
        self.backing = backing

    @abstractmethod
    def answer(self, call: Call) -> Answer:
        """Carry a request out."""

    @abstractmethod
    def refused(self, code: int | str, text: str) -> Answer:
        """Word a refusal: by the exchange's own code, or by one of the engine's."""

    @abstractmethod
    def open(self, call: Call, socket: Socket) -> Talk | None:
        """Begin to talk on a websocket; None where there is none at this path."""

    @abstractmethod
    def moved(self, now: int) -> None:
        """Take note that the exchange's time has come to `now` and all that happened until then was said."""

    def due(self) -> int | None:
        """Give the next time (ms UTC) at which it wants `moved` to be called; None for none."""
        return None

    def asked(self, call: Call, method: str = "") -> Asked:
        """Describe a request to faults."""
        return Asked(method or call.method, call.path, self.name, call.params)
