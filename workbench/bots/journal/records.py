"""What a journal keeps beside the events of the core: sessions, intents, requests and answers, logs, decisions.

Plain immutable data, as `trading.events` has it; `to_plain` and `from_plain` write and read both. Each record has
a category and a level, so that the journal is also the log: `classify` gives them, `describe` says it in a sentence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, get_args

from workbench.errors import DataError
from workbench.trading import events as ev
from workbench.trading.events import Action, Event

__all__ = [
    "CATEGORIES",
    "LEVELS",
    "OUTCOMES",
    "VERSION",
    "Answered",
    "Decided",
    "Intended",
    "Logged",
    "Observed",
    "Record",
    "Requested",
    "SessionEnded",
    "SessionStarted",
    "Snapshotted",
    "canonical",
    "check_log",
    "from_plain",
    "is_event",
    "read_body",
    "to_plain",
]

VERSION: Final = 1
"""The version of how records are written; an older one is brought up to date when it is read."""

LEVELS: Final = ("debug", "info", "warning", "error", "critical")
CATEGORIES: Final = ("execution", "signal", "order", "position", "risk", "system")
OUTCOMES: Final = ("accepted", "rejected", "transient", "fatal", "unknown")


class SessionStarted(NamedTuple):
    """A process has taken the bot up; `details` are versions, parameters and whatever else it runs with."""

    ts: int
    session: int
    details: dict[str, Any]


class SessionEnded(NamedTuple):
    """The session is over, and why; a session without this was broken off."""

    ts: int
    session: int
    reason: str
    failed: bool = False


class Intended(NamedTuple):
    """What the core wants done at the venue, written before the network hears of it; `id` is the client order id."""

    ts: int
    id: str
    action: Action


class Requested(NamedTuple):
    """A request went out: `operation` such as "submit" or "cancel", and the how-manieth time."""

    ts: int
    id: str
    operation: str
    attempt: int = 1


class Answered(NamedTuple):
    """What became of a request: `outcome` is one of `OUTCOMES`."""

    ts: int
    id: str
    operation: str
    outcome: str
    latency_ms: float
    text: str = ""


class Observed(NamedTuple):
    """What the market looked like when an order was decided or filled, such as bid, ask, spread and depth."""

    ts: int
    id: str
    symbol: str
    values: dict[str, Any]


class Decided(NamedTuple):
    """A difference between journal and venue, or another case with a policy, and what was decided by it."""

    ts: int
    subject: str
    policy: str
    decision: str
    text: str = ""


class Logged(NamedTuple):
    """A line of the log, of one of `LEVELS` and `CATEGORIES`, with facts as data beside the text."""

    ts: int
    level: str
    category: str
    text: str
    fields: dict[str, Any] = {}  # noqa: RUF012 -- never changed


class Snapshotted(NamedTuple):
    """The state of the core was kept, for a quick start; `digest` is the SHA-256 of its bytes."""

    ts: int
    digest: str
    size: int


Record = (
    Event | Action | SessionStarted | SessionEnded | Intended | Requested | Answered | Observed | Decided | Logged
    | Snapshotted
)  # fmt: skip

_OWN: Final[dict[str, type]] = {
    kind.__name__: kind
    for kind in (
        SessionStarted, SessionEnded, Intended, Requested, Answered, Observed, Decided, Logged, Snapshotted,
    )
}  # fmt: skip
_EVENTS: Final = frozenset(get_args(Event))


def is_event(record: Any) -> bool:
    """Tell whether the core handles this, so that replaying a journal must tell it again."""
    return type(record) in _EVENTS


def to_plain(record: Record) -> list[Any]:
    """Write a record as a list of plain values, its kind first; `from_plain` reads it back.

    Raises
    ------
    DataError
        It is no record.

    Examples
    --------
    >>> to_plain(Requested(1_000, "demo-1", "submit"))
    ['Requested', 1000, 'demo-1', 'submit', 1]
    """
    if type(record).__name__ not in _OWN:
        if not (is_event(record) or isinstance(record, get_args(Action))):
            raise DataError(
                f"a journal cannot keep a {type(record).__name__}; it takes events and actions of trading.events and "
                f"{', '.join(sorted(_OWN))}"
            )
        return ev.to_plain(record)  # type: ignore[arg-type]
    if isinstance(record, Intended):
        return ["Intended", record.ts, record.id, ev.to_plain(record.action)]
    return [type(record).__name__, *record]


def from_plain(values: Sequence[Any]) -> Any:
    """Read what `to_plain` wrote, also after a trip through JSON.

    Raises
    ------
    DataError
        The kind is unknown, or the values are not those of that kind.
    """
    kind = _OWN.get(str(values[0])) if len(values) else None
    if kind is None:
        return ev.from_plain(values)
    try:
        if kind is Intended:
            ts, name, action = values[1:]
            return Intended(ts, name, ev.from_plain(action))
        return kind(*values[1:])
    except (IndexError, TypeError, ValueError) as error:
        raise DataError(f"{kind.__name__} cannot be made of {list(values[1:])!r}: {error}") from error


def canonical(record: Record) -> tuple[str, str]:
    """Write a record as its kind and the one text that stands for its values: ASCII JSON, keys sorted, no spaces.

    Raises
    ------
    DataError
        It is no record, or holds something that has no place in a journal, such as a secret.
    """
    kind, *values = to_plain(record)
    return kind, as_text(values, kind)


def as_text(values: Any, what: str) -> str:
    """Write plain data as canonical JSON."""
    try:
        return json.dumps(values, sort_keys=True, separators=(",", ":"), default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"{what} cannot be kept in a journal: {error}; give it plain values only") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return value.item()
    raise DataError(
        f"a {type(value).__name__} has no place in a journal; give plain values (text, numbers, lists, dicts)"
    )


def read_body(kind: str, version: int, body: str) -> Any:
    """Read a record of any version that was ever written.

    Raises
    ------
    DataError
        A newer workbench wrote it, or it is damaged.
    """
    if version > VERSION:
        raise DataError(
            f"{kind} is of version {version}, this workbench knows {VERSION}: a newer one wrote it; update workbench",
            version=version,
        )
    try:
        values = json.loads(body)
    except ValueError as error:
        raise DataError(f"{kind} is no JSON: {error}") from error
    if not isinstance(values, list):
        raise DataError(f"{kind} holds no list of values")
    return from_plain([kind, *values])


def check_log(level: str | None, category: str | None) -> None:
    """Make sure that a level and a category are ones that there are.

    Raises
    ------
    DataError
        One is not.
    """
    if level is not None and level not in LEVELS:
        raise DataError(f"{level!r} is no level of a log; there are {', '.join(LEVELS)}", level=level)
    if category is not None and category not in CATEGORIES:
        raise DataError(f"{category!r} is no category of a log; there are {', '.join(CATEGORIES)}", category=category)
