"""Records as lines of a log: the category and level of each kind, and what it says in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from workbench.bots.journal.records import (
    LEVELS,
    Answered,
    Decided,
    Intended,
    Logged,
    Observed,
    Requested,
    SessionEnded,
    SessionStarted,
    Snapshotted,
    check_log,
)
from workbench.trading import events as ev

__all__ = ["classify", "describe"]

_SILENT: Final = ("", "")  # what the market does fills a journal; it is no line of a log
_MARKET: Final = frozenset((ev.Bar, ev.Opened, ev.Tick, ev.Book, ev.Timer))
_CLASSES: Final[dict[type, tuple[str, str]]] = {
    ev.Started: ("system", "info"), ev.Stopped: ("system", "info"), ev.Accepted: ("order", "debug"),
    ev.Rejected: ("order", "warning"), ev.Triggered: ("order", "info"), ev.Filled: ("execution", "info"),
    ev.Canceled: ("order", "info"), ev.Expired: ("order", "info"), ev.Amended: ("order", "info"),
    ev.Unknown: ("order", "error"), ev.Funded: ("position", "info"), ev.Adjusted: ("position", "info"),
    ev.Submit: ("order", "info"), ev.CancelOrder: ("order", "info"), ev.AmendOrder: ("order", "info"),
    ev.SetTimer: ("system", "debug"), Intended: ("order", "info"), Requested: ("execution", "debug"),
    Observed: ("signal", "debug"), Decided: ("risk", "warning"), SessionStarted: ("system", "info"),
    Snapshotted: ("system", "debug"),
}  # fmt: skip
_STATES: Final = {"FAILED": "error", "KILLED": "critical", "CIRCUIT_OPEN": "warning"}
_OUTCOMES: Final = {"accepted": "debug", "rejected": "warning", "transient": "warning"}


def classify(record: Any) -> tuple[str, str]:
    """Give the category and the level of a record; two empty texts for what the market does.

    Raises
    ------
    DataError
        It is a `Logged` of a level or category that there is not.
    """
    kind = type(record)
    if kind in _MARKET:
        return _SILENT
    if kind in _CLASSES:
        return _CLASSES[kind]
    if kind is Logged:
        check_log(record.level, record.category)
        return record.category, record.level
    if kind is ev.Moved:
        return "system", _STATES.get(record.state, "info")
    if kind is ev.Alert:
        return "risk", record.level if record.level in LEVELS else "warning"
    if kind is Answered:
        return "execution", _OUTCOMES.get(record.outcome, "error")
    return "system", "error" if kind is SessionEnded and record.failed else "info"


def describe(record: Any) -> str:
    """Say in a sentence what a record tells.

    Examples
    --------
    >>> describe(ev.Moved(0, "RUNNING"))
    'the bot is RUNNING'
    """
    say = _SENTENCES.get(type(record))
    return say(record) if say else type(record).__name__


def _with(text: str, more: str) -> str:
    return f"{text}: {more}" if more else text


def _order(order: Any) -> str:
    price = "" if order.price != order.price else f" at {order.price:g}"
    stop = "" if order.stop_price != order.stop_price else f", trigger {order.stop_price:g}"
    return f"{order.type} {order.side} {order.quantity:g} {order.symbol}{price}{stop} ({order.id})"


def _filled(fill: ev.Filled) -> str:
    part = "" if fill.final else " (in part)"
    return f"{fill.side} {fill.quantity:g} {fill.symbol} at {fill.price:g}, fee {fill.fee:g}: {fill.reason}{part}"


def _changes(change: ev.Amended | ev.AmendOrder) -> str:
    values = {"price": change.price, "quantity": change.quantity, "trigger": change.stop_price}
    return ", ".join(f"{name} {value:g}" for name, value in values.items() if value == value)


_SENTENCES: Final[dict[type, Callable[[Any], str]]] = {
    ev.Started: lambda one: "the core begins",
    ev.Stopped: lambda one: _with("the core ends", one.reason),
    ev.Moved: lambda one: _with(f"the bot is {one.state}", one.reason),
    ev.Bar: lambda one: f"{one.symbol} {one.timeframe} closed at {one.close:g}",
    ev.Tick: lambda one: f"{one.symbol} traded {one.quantity:g} at {one.price:g}",
    ev.Timer: lambda one: f"timer {one.name}",
    ev.Accepted: lambda one: f"order {one.id} is at the venue",
    ev.Rejected: lambda one: _with(f"order {one.id} was refused, {one.code}", one.text),
    ev.Triggered: lambda one: f"order {one.id} was triggered",
    ev.Filled: _filled,
    ev.Canceled: lambda one: _with(f"order {one.id} was cancelled", one.reason),
    ev.Expired: lambda one: _with(f"order {one.id} has expired", one.reason),
    ev.Amended: lambda one: f"order {one.id} was changed: {_changes(one)}",
    ev.Unknown: lambda one: _with(f"the state of order {one.id} is unknown", one.text),
    ev.Funded: lambda one: f"funding of {one.symbol}: {one.amount:+g} at a rate of {one.rate:g}",
    ev.Adjusted: lambda one: f"{one.reason} of {one.amount:+g} {one.asset}",
    ev.Submit: lambda one: f"submit {_order(one.order)}",
    ev.CancelOrder: lambda one: f"cancel {one.id}",
    ev.AmendOrder: lambda one: f"change {one.id}: {_changes(one)}",
    ev.SetTimer: lambda one: f"set timer {one.name}",
    ev.Alert: lambda one: one.text,
    Intended: lambda one: f"intent: {describe(one.action)}",
    Requested: lambda one: f"request to {one.operation} {one.id}" + (f", try {one.attempt}" if one.attempt > 1 else ""),
    Answered: lambda one: _with(f"{one.operation} {one.id}: {one.outcome} after {one.latency_ms:.0f} ms", one.text),
    Observed: lambda one: f"{one.symbol} at {one.id}: " + ", ".join(f"{key} {one.values[key]}" for key in one.values),
    Decided: lambda one: _with(f"{one.subject}: {one.decision} by the policy {one.policy}", one.text),
    Logged: lambda one: one.text,
    SessionStarted: lambda one: f"session {one.session} starts",
    SessionEnded: lambda one: f"session {one.session} {'failed' if one.failed else 'ends'}: {one.reason}",
    Snapshotted: lambda one: f"state kept ({one.size:,} bytes)",
}
