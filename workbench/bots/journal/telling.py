"""Records as lines of a log: the category and level of each kind, and what it says in a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from workbench.bots.journal.records import LEVELS, Logged, SessionEnded, SessionStarted
from workbench.trading import events as ev

__all__ = ["classify", "currency_of", "describe", "with_facts"]

_SILENT: Final = ("", "")
# What the market and the clock do fills a journal; it is no line of a log.
_UNTOLD: Final = frozenset(
    (ev.Bar, ev.Learnt, ev.Marked, ev.Rated, ev.Opened, ev.Tick, ev.Book, ev.Timer, ev.SetTimer)
)  # fmt: skip
_CLASSES: Final[dict[type, tuple[str, str]]] = {
    **dict.fromkeys(_UNTOLD, _SILENT),
    ev.Started: ("system", "info"), ev.Stopped: ("system", "info"), ev.Accepted: ("order", "debug"),
    ev.Rejected: ("order", "warning"), ev.Triggered: ("order", "info"), ev.Filled: ("execution", "info"),
    ev.Canceled: ("order", "info"), ev.Expired: ("order", "info"), ev.Amended: ("order", "info"),
    ev.Unknown: ("order", "error"), ev.Funded: ("position", "info"), ev.Adjusted: ("position", "info"),
    ev.Submit: ("order", "info"), ev.CancelOrder: ("order", "info"), ev.AmendOrder: ("order", "info"),
    ev.Limited: ("risk", "info"), ev.Resumed: ("risk", "info"), ev.Armed: ("risk", "warning"),
    ev.Disarmed: ("risk", "warning"),
    SessionStarted: ("system", "info"), SessionEnded: ("system", "info"),
}  # fmt: skip
_STATES: Final = {"FAILED": "error", "KILLED": "critical", "CIRCUIT_OPEN": "warning"}


def classify(record: Any) -> tuple[str, str]:
    """Give the category and the level of a record; two empty texts for what the market does.

    Examples
    --------
    >>> classify(ev.Moved(0, "KILLED"))
    ('system', 'critical')
    """
    kind = type(record)
    found = _CLASSES.get(kind)
    if found is not None:
        return found
    if kind is Logged:
        return record.category, record.level
    if kind is ev.Moved:
        return "system", _STATES.get(record.state, "info")
    if kind is ev.Alert:
        return "risk", record.level if record.level in LEVELS else "warning"
    return "system", "info"


def describe(record: Any) -> str:
    """Say in a sentence what a record tells.

    Examples
    --------
    >>> describe(ev.Moved(0, "RUNNING"))
    'the bot is RUNNING'
    """
    say = _SENTENCES.get(type(record))
    return say(record) if say else type(record).__name__


_LEFT_OUT: Final = frozenset(("code", "connection", "restart", "within_s", "most", "side", "ts"))  # for programs
_TIMES: Final = frozenset(("quoted_at", "decided", "reduced"))
_NAMES: Final = {
    "quoted_at": "quoted", "spread_bps": "spread in bps", "money_apart": "",
    "closings": "closed with", "fills": "executed",
}  # fmt: skip


def with_facts(text: str, fields: Mapping[str, Any]) -> str:
    """Say the text of a line of the log with those of its facts that it does not say itself, for a person."""
    told = []
    for name, value in fields.items():
        said = "" if name in _LEFT_OUT else _fact(name, value)
        if said and said not in text:
            told.append(f"{_NAMES.get(name, name.replace('_', ' '))} {said}".lstrip())
    return f"{text} ({', '.join(told)})" if told else text


def _fact(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{one:,.10g} {key}" for key, one in value.items() if one) or ("nothing" if value else "")
    if isinstance(value, (list, tuple)):
        return "; ".join(_action(name, one) if isinstance(one, (list, tuple)) else str(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in _TIMES and isinstance(value, (int, float)):
        return datetime.fromtimestamp(value / 1_000.0, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:,.2f}" if name.endswith("_bps") else f"{value:,.8g}"
    return "" if value is None else str(value)


def _action(name: str, one: Sequence[Any]) -> str:
    """Say an order or an execution of a guard, as `guard_record.Record` keeps it."""
    if name == "closings" and len(one) == 5:
        return f"{one[3]} {one[4]:g} {one[1]}"
    if name == "fills" and len(one) > 5:
        return f"{_past(one[3])} {one[4]:g} {one[2]} at {one[5]:,.10g}"
    return ", ".join(map(str, one))


def _with(text: str, more: str) -> str:
    return f"{text}: {more}" if more else text


def _order(order: Any) -> str:
    price = "" if order.price != order.price else f" at {order.price:,.10g}"
    stop = "" if order.stop_price != order.stop_price else f", trigger {order.stop_price:,.10g}"
    much = f"{order.quantity:g}" if order.quantity == order.quantity else "all that is held of"
    return f"{order.type} {order.side} {much} {order.symbol}{price}{stop} ({order.id})"


def currency_of(symbol: str) -> str:
    """Give the currency in which a symbol is paid, by its name.

    Examples
    --------
    >>> currency_of("BTC/USDT"), currency_of("BTC/USD:BTC-261225")
    ('USDT', 'BTC')
    """
    return symbol.partition("/")[2].rpartition(":")[2].partition("-")[0]


def _funded(one: ev.Funded) -> str:
    rate = f" at a rate of {one.rate:g}" if one.rate == one.rate else ""
    return f"funding of {one.symbol}: {one.amount:+g} {currency_of(one.symbol)}{rate}"


def _filled(fill: ev.Filled) -> str:
    fee = f"fee {fill.fee:.4g} {currency_of(fill.symbol)}"
    what = f"{_past(fill.side)} {fill.quantity:g} {fill.symbol} at {fill.price:,.10g}, {fee}"
    return f"{what} ({fill.reason}{'' if fill.final else ', in part'})"


def _past(side: str) -> str:
    return "bought" if side == "buy" else "sold"


def _changes(change: ev.Amended | ev.AmendOrder) -> str:
    values = {"price": change.price, "quantity": change.quantity, "trigger": change.stop_price}
    return ", ".join(f"{name} {value:,.10g}" for name, value in values.items() if value == value)


def _armed(one: ev.Armed) -> str:
    small = f"its first {one.orders} orders are small" if one.orders else "no order is held small"
    loss = f"{one.loss:,.2f} of its currency may be lost" if one.loss < math.inf else "no loss is too much"
    return f"the bot is armed by {one.who or 'somebody'}: {small}, {loss}, then {one.then}"


def _limits(said: Mapping[str, Any]) -> str:
    told = [f"{name} {one['at']:g}" if isinstance(one, Mapping) and "at" in one else name for name, one in said.items()]
    return ", ".join(told) or "none"


_SENTENCES: Final[dict[type, Callable[[Any], str]]] = {
    ev.Started: lambda one: "the core begins",
    ev.Stopped: lambda one: _with("the core ends", one.reason),
    ev.Moved: lambda one: _with(f"the bot is {one.state}", one.reason),
    ev.Bar: lambda one: f"{one.symbol} {one.timeframe} closed at {one.close:,.10g}",
    ev.Tick: lambda one: f"{one.symbol} traded {one.quantity:g} at {one.price:,.10g}",
    ev.Timer: lambda one: f"timer {one.name}",
    ev.Accepted: lambda one: f"order {one.id} is at the venue",
    ev.Rejected: lambda one: _with(f"order {one.id} was refused, {one.code}", one.text),
    ev.Triggered: lambda one: f"order {one.id} was triggered",
    ev.Filled: _filled,
    ev.Canceled: lambda one: _with(f"order {one.id} was cancelled", one.reason),
    ev.Expired: lambda one: _with(f"order {one.id} has expired", one.reason),
    ev.Amended: lambda one: f"order {one.id} was changed: {_changes(one)}",
    ev.Unknown: lambda one: _with(f"the state of order {one.id} is unknown", one.text),
    ev.Funded: _funded,
    ev.Adjusted: lambda one: f"{one.reason} of {one.amount:+,.10g} {one.asset}",
    ev.Limited: lambda one: _with(f"limits of the {one.scope} are {_limits(one.limits)}", one.why),
    ev.Resumed: lambda one: _with(f"{one.who or 'somebody'} goes on after a limit", one.why),
    ev.Armed: _armed,
    ev.Disarmed: lambda one: _with("the bot is not armed", one.why),
    ev.Peer: lambda one: f"the bot {one.bot} stands at {one.equity:,.10g}",
    ev.Submit: lambda one: f"submit {_order(one.order)}",
    ev.CancelOrder: lambda one: f"cancel {one.id}",
    ev.AmendOrder: lambda one: f"change {one.id}: {_changes(one)}",
    ev.SetTimer: lambda one: f"set timer {one.name}",
    ev.Alert: lambda one: one.text,
    Logged: lambda one: one.text,
    SessionStarted: lambda one: f"session {one.session} begins",
    SessionEnded: lambda one: _with(f"session {one.session} ends", one.reason),
}
