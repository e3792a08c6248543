"""What a journal keeps beside the events and actions of the core: sessions and lines of the log; and how it is written.

Plain immutable data, as `trading.events` has it. A record becomes its kind and one text, JSON with its values in order;
`read_body` makes it a record again, whichever version of workbench wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, get_args

from workbench.errors import DataError
from workbench.trading.events import Action, Event, from_plain, to_plain

__all__ = [
    "CATEGORIES",
    "LEVELS",
    "OWN",
    "VERSION",
    "Logged",
    "Record",
    "SessionEnded",
    "SessionStarted",
    "as_text",
    "check_log",
    "read_body",
    "write_body",
]

VERSION: Final = 1
"""How bodies are written now; what an older workbench wrote is brought up to date when it is read."""

LEVELS: Final = ("debug", "info", "warning", "error", "critical")
CATEGORIES: Final = ("execution", "signal", "order", "position", "risk", "system")


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


class Logged(NamedTuple):
    """A line of the log, of one of `LEVELS` and `CATEGORIES`, with facts as data beside the text."""

    ts: int
    level: str
    category: str
    text: str
    fields: dict[str, Any] = {}  # noqa: RUF012 -- never changed


Record = Event | Action | SessionStarted | SessionEnded | Logged
OWN: Final[Mapping[str, type]] = {kind.__name__: kind for kind in (SessionStarted, SessionEnded, Logged)}
_CORE: Final = frozenset((*get_args(Event), *get_args(Action)))
# (kind, version): what makes the values of that version those of the next
_UPDATES: Final[dict[tuple[str, int], Callable[[list[Any]], list[Any]]]] = {}
_ENCODE: Final = json.JSONEncoder(separators=(",", ":"), default=lambda value: _plain(value)).encode


def write_body(record: Record) -> tuple[str, str]:
    """Write a record as its kind and the text of its values.

    Raises
    ------
    DataError
        It is no record, or holds something that has no place in a journal, such as a secret.

    Examples
    --------
    >>> write_body(SessionEnded(1_000, 1, "stopped"))
    ('SessionEnded', '[1000,1,"stopped"]')
    """
    kind = type(record)
    name = kind.__name__
    if kind in _CORE:
        values = to_plain(record)[1:]  # type: ignore[arg-type]
    elif kind is OWN.get(name):
        values = list(record)
    else:
        raise DataError(
            f"a journal cannot keep a {name}; it takes the events and actions of trading.events, lines of the log "
            "(`log`) and sessions (`begin_session`)"
        )
    return name, as_text(values, name)


def as_text(values: Any, what: str) -> str:
    """Write plain data as JSON in one line of ASCII.

    Raises
    ------
    DataError
        Something in it is no plain data; its value is not told, as it may be a secret.
    """
    try:
        return _ENCODE(values)
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
        raise DataError(f"the body of a {kind} is no JSON: {error}") from error
    if not isinstance(values, list):
        raise DataError(f"the body of a {kind} is no list of values")
    for step in range(version, VERSION):
        values = _UPDATES.get((kind, step), list)(values)
    own = OWN.get(kind)
    if own is None:
        return from_plain([kind, *values])
    try:
        return own(*values)
    except TypeError as error:
        raise DataError(f"{kind} cannot be made of {len(values)} values: {error}") from error


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
