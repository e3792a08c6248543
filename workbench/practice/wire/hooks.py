"""Where faults come in: what the server asks before and after a request, and for each message of a websocket.

`Hooks` is the seam; `practice.faults` decides, and `NoFaults` is what a healthy exchange does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from workbench.practice.wire.protocol import Answer

__all__ = ["CUT", "PASS", "Asked", "Decision", "Hooks", "NoFaults"]

CUT: Final = None  # in place of a message: the connection is cut there


class Asked(NamedTuple):
    """A request, as faults see it.

    `protocol` is the one that is spoken ("binance", "binanceusdm", ...), `method` "GET", "POST", ..., "WS" for the
    opening of a websocket, or the method's name for a request over one; `params` are decoded; `account` is "" where
    the request is not signed; `ts` is the exchange's time (ms UTC).
    """

    protocol: str
    method: str
    path: str
    params: Mapping[str, str]
    account: str
    ts: int


class Decision(NamedTuple):
    """What becomes of a request at one point.

    First it waits `delay_ms` (wall time). Then at most one of these: with `abort` the connection is cut, with `hang` no
    answer ever comes, with `refuse` the protocol words that code of a refusal, with a `status` that status, `body` and
    `headers` are the answer. Before a request nothing of it reaches the engine then; after it everything has.
    """

    delay_ms: float = 0.0
    abort: bool = False
    hang: bool = False
    refuse: str = ""
    status: int = 0
    body: str = ""
    headers: Mapping[str, str] = {}


PASS: Final = Decision()


class Hooks(Protocol):
    """Who decides about faults."""

    def before(self, asked: Asked) -> Decision:
        """Decide about a request that the engine has not seen."""

    def after(self, asked: Asked, answer: Answer) -> Decision:
        """Decide about a request that the engine has carried out."""

    def message(self, stream: str, payload: str) -> Sequence[tuple[float, str | None]]:
        """Give what is sent for a message of a websocket: (delay in ms of wall time, text or `CUT`), none to drop it.

        `stream` is the protocol and the stream, such as "binance:btcusdt@kline_1m", "binance:user" or
        "binance:reply" for what answers a request.
        """


class NoFaults:
    """Nothing ever fails."""

    def before(self, asked: Asked) -> Decision:
        """Let it pass."""
        return PASS

    def after(self, asked: Asked, answer: Answer) -> Decision:
        """Let it pass."""
        return PASS

    def message(self, stream: str, payload: str) -> Sequence[tuple[float, str | None]]:
        """Send it at once."""
        return ((0.0, payload),)
