"""What a fault makes of a request: a late, wrong or missing answer, as a `Decision` that the server carries out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from workbench.practice.faults_rules import (
    Garbage,
    Latency,
    Maintenance,
    RateLimit,
    Reject,
    Reset,
    ServerError,
    Timeout,
)
from workbench.practice.faults_state import Live
from workbench.practice.faults_targets import Asked

__all__ = ["PASS", "Ban", "Cut", "Decision", "after", "before", "handled_first", "html"]

_TOO_MANY: Final = json.dumps({"code": -1003, "msg": "Too many requests."}).encode()
_BANNED: Final = json.dumps({"code": -1003, "msg": "Way too many requests; IP banned."}).encode()
_NAMES: Final = {
    429: "Too Many Requests", 418: "I'm a teapot", 500: "Internal Server Error", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Time-out", 403: "Forbidden",
}  # fmt: skip


class Cut(NamedTuple):
    """The end of a websocket: by a close frame of this code, or by cutting the connection for 1006."""

    code: int = 1006


class Decision(NamedTuple):
    """What the server is to do with a request.

    Parameters
    ----------
    action : str
        "pass": nothing; "answer": `status`, `headers` and `body` are the answer; "refuse": refuse it in the venue's
        form with `code` and `text`; "hang": leave the connection open for `hold_ms` or until the client is gone, then
        cut it; "reset": cut it at once.
    delay_ms : float
        To wait before that, in real time.
    status : int
    headers : mapping of str to str
    body : bytes
    code : int or str
    text : str
    hold_ms : float
    detail : str
        In words, for the log.
    """

    action: Literal["pass", "answer", "refuse", "hang", "reset"] = "pass"
    delay_ms: float = 0.0
    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""
    code: int | str = ""
    text: str = ""
    hold_ms: float = 0.0
    detail: str = ""


PASS: Final = Decision()


@dataclass(kw_only=True)
class Ban:
    """A venue's patience with a client that was told to wait: asking on ends in a ban."""

    rule: int
    until: float  # real seconds
    left: int | None
    ban_s: float
    banned: bool

    @classmethod
    def of(cls, number: int, rule: RateLimit, now: float) -> Ban:
        """Begin it with the answer that told to wait."""
        wait = (rule.ban if rule.banned else rule.retry_after) / 1_000
        return cls(rule=number, until=now + wait, left=rule.patience, ban_s=rule.ban / 1_000, banned=rule.banned)

    def again(self, now: float) -> Decision:
        """Answer a request that came too early."""
        if not self.banned and self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.banned, self.until = True, now + self.ban_s
        return _wait(418 if self.banned else 429, self.until - now)


def handled_first(rule: Any) -> bool:
    """Tell whether the request takes effect before the fault is done."""
    return rule.after if isinstance(rule, Garbage) else bool(getattr(rule, "landed", False))


def before(live: Live, asked: Asked) -> Decision:
    """Say what a rule that fired does to a request that was not handled."""
    return _done(live, 200, b"", handled=False)


def after(live: Live, status: int, body: bytes) -> Decision:
    """Say what a rule that fired does to the answer of a request that was handled."""
    return _done(live, status, body, handled=True)


def _done(live: Live, status: int, body: bytes, *, handled: bool) -> Decision:
    rule = live.rule
    landed = ", after it took effect" if handled else ""
    match rule:
        case Latency():
            ms = rule.latency.draw(live.sizes)
            return Decision(delay_ms=ms, detail=f"{ms:.0f} ms late")
        case RateLimit():
            return _wait(418 if rule.banned else 429, (rule.ban if rule.banned else rule.retry_after) / 1_000)
        case ServerError(code=None):
            return html(rule.status, rule.text, landed)
        case ServerError():
            told = {"code": rule.code, "msg": rule.text}
            said = _answer(rule.status, json.dumps(told).encode(), "application/json")
            return said._replace(detail=f"{rule.status} with {rule.code}{landed}")
        case Maintenance():
            return html(503, rule.text)
        case Timeout():
            return Decision("hang", hold_ms=float(rule.hold), detail=f"no answer{landed}")
        case Reset():
            return Decision("reset", detail=f"connection cut{landed}")
        case Reject():
            return Decision("refuse", code=rule.code, text=rule.text, detail=f"refused with {rule.code}")
        case Garbage():
            return _garbage(rule, status, body, landed)
    return PASS


def _garbage(rule: Garbage, status: int, body: bytes, landed: str) -> Decision:
    match rule.kind:
        case "html":
            said = html(200, "Please stand by.", landed)
        case "truncated":
            said = _answer(status, body[: max(len(body) // 2, 1)], "application/json")
        case "empty":
            said = _answer(200, b"", "application/json")
        case "wrong":
            said = _answer(200, b'{"status":"ok"}', "application/json")
    return said._replace(detail=f"{rule.kind} in the body{landed}")


def html(status: int, text: str, landed: str = "") -> Decision:
    """Answer with a page for people, as what stands before a venue's own servers does."""
    title = f"{status} {_NAMES.get(status, 'OK' if status == 200 else 'Error')}"
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>"
    return _answer(status, page.encode(), "text/html")._replace(detail=f"{status} as html{landed}")


def _wait(status: int, seconds: float) -> Decision:
    told = max(math.ceil(seconds), 0)
    said = _answer(status, _BANNED if status == 418 else _TOO_MANY, "application/json")
    headers = {**said.headers, "Retry-After": str(told)}
    return said._replace(headers=headers, detail=f"{status}, retry after {told} s")


def _answer(status: int, body: bytes, kind: str) -> Decision:
    return Decision("answer", status=status, headers={"Content-Type": kind}, body=body)
