"""Conditions as a tree of mappings: `all`, `any`, `not`, and the spelt-out form of what text says in one line."""

from __future__ import annotations

from typing import Any, Final

from workbench.strategy.rules.clocks import clock, days_of, zone_of
from workbench.strategy.rules.mistakes import Mistake, suggestion
from workbench.strategy.rules.nodes import (
    Clock,
    Compare,
    Condition,
    Cross,
    Either,
    Every,
    Lasting,
    Literal,
    Moving,
    Not,
    Recent,
    Value,
    Weekday,
)
from workbench.strategy.rules.parser import COMPARISONS, condition, expression
from workbench.strategy.rules.reading import Listed, Mapped, Node, Text, describe
from workbench.strategy.rules.scope import Scope

__all__ = ["FORMS", "OPERATORS", "condition_of", "value_of"]

OPERATORS: Final = (*COMPARISONS, "crosses_above", "crosses_below", "rising", "falling")
_TIMED: Final = ("for", "within")
# Each mapping of a condition is one of these forms: the key that tells it, and the others that it may have.
FORMS: Final[dict[str, tuple[str, ...]]] = {
    "all": _TIMED, "any": _TIMED, "not": _TIMED, "left": ("op", "right", "bars", *_TIMED),
    "time": ("timezone", *_TIMED), "weekday": ("timezone", *_TIMED),
}  # fmt: skip
_EXAMPLE: Final = "a condition is text such as `rsi < 30`, or a mapping with all, any, not, left, time or weekday"


def value_of(node: Node, scope: Scope) -> Value:
    """Read a number or a column from a number, a name or an expression.

    Raises
    ------
    Mistake
        It is none.
    """
    if not isinstance(node, Text):
        raise Mistake(f"a number or an expression is wanted here, not {describe(node)}", node.place)
    plain = node.value
    if isinstance(plain, bool) or plain is None:
        raise Mistake(f"a number or an expression is wanted here, not {describe(node)}", node.place)
    if isinstance(plain, str):
        return expression(node, scope)
    return Literal(plain, place=node.place)


def condition_of(node: Node, scope: Scope) -> Condition:
    """Read a condition from text, from a list (all of them must hold) or from a mapping.

    Raises
    ------
    Mistake
        It is none.
    """
    if isinstance(node, Listed):
        return Every(_several(node, scope, "the list"), place=node.place)
    if isinstance(node, Text):
        if node.value is None or not isinstance(node.value, str):
            raise Mistake(f"{describe(node)} is no condition; {_EXAMPLE}", node.place)
        return condition(node, scope)
    form = next((one for one in FORMS if one in node.items), None)
    if form is None:
        first = next(iter(node.items), "")
        found = f"{first!r} begins no condition{suggestion(first, FORMS, most=0)}" if first else "it is empty"
        raise Mistake(f"{found}; {_EXAMPLE}".replace("?; ", "? "), node.place_of(first) if first else node.place)
    for key in node.items:
        if key != form and key not in FORMS[form]:
            hint = suggestion(key, (form, *FORMS[form]))
            raise Mistake(f"{key!r} does not go together with {form!r}{hint}", node.place_of(key))
    return _timed(_READERS[form](node, scope), node, scope)


def _timed(found: Condition, node: Mapped, scope: Scope) -> Condition:
    for key, kind in (("for", Lasting), ("within", Recent)):
        if key in node.items:
            found = kind(found, value_of(node.items[key], scope.numbers()), place=found.place)
    return found


def _several(node: Node, scope: Scope, owner: str) -> tuple[Condition, ...]:
    if not isinstance(node, Listed):
        raise Mistake(f"{owner} wants a list of conditions (lines that begin with '- '), not {describe(node)}", node.place)
    if not node.items:
        raise Mistake(f"{owner} is empty; give at least one condition", node.place)
    return tuple(condition_of(one, scope) for one in node.items)


def _all(node: Mapped, scope: Scope) -> Condition:
    return Every(_several(node.items["all"], scope, "all"), place=node.place)


def _any(node: Mapped, scope: Scope) -> Condition:
    return Either(_several(node.items["any"], scope, "any"), place=node.place)


def _not(node: Mapped, scope: Scope) -> Condition:
    return Not(condition_of(node.items["not"], scope), place=node.place)


def _compared(node: Mapped, scope: Scope) -> Condition:
    left, sign = value_of(node.items["left"], scope), _operator(node)
    other = "bars" if sign in ("rising", "falling") else "right"
    if other not in node.items:
        raise Mistake(f"op {sign!r} wants {other!r} beside it, as in {_written(sign)}", node.place_of("op"))
    for key in {"bars", "right"} - {other}:
        if key in node.items:
            raise Mistake(f"op {sign!r} takes {other!r} and no {key!r}, as in {_written(sign)}", node.place_of(key))
    if other == "bars":
        bars = value_of(node.items["bars"], scope.numbers())
        return Moving(sign == "rising", left, bars, place=node.place)
    right = value_of(node.items["right"], scope)
    if sign in COMPARISONS:
        return Compare(sign, left, right, place=node.place)
    return Cross(sign == "crosses_above", left, right, place=node.place)


def _written(sign: str) -> str:
    other = "bars: 3" if sign in ("rising", "falling") else "right: 30"
    return f'{{left: rsi, op: "{sign}", {other}}}'


def _operator(node: Mapped) -> str:
    op: Any = node.items.get("op")
    if op is None:
        raise Mistake(f"left wants an 'op' beside it, as in {_written('<')}", node.place_of("left"))
    if not isinstance(op, Text) or op.text not in OPERATORS:
        hint = suggestion(op.text if isinstance(op, Text) else "", OPERATORS)
        raise Mistake(f"{describe(op)} is no operator{hint}", op.place)
    return op.text


def _time(node: Mapped, scope: Scope) -> Condition:
    given = node.items["time"]
    if not isinstance(given, Listed) or len(given.items) != 2:
        raise Mistake('time wants two times of day, as in time: ["09:30", "16:00"]', given.place)
    start, end = (clock(_plain(one), one.place) for one in given.items)
    return Clock(start, end, _zone(node), place=node.place)


def _weekday(node: Mapped, scope: Scope) -> Condition:
    given = node.items["weekday"]
    items = given.items if isinstance(given, Listed) else [given]
    return Weekday(days_of([(_plain(one), one.place) for one in items], given.place), _zone(node), place=node.place)


def _zone(node: Mapped) -> str:
    if "timezone" not in node.items:
        return "UTC"
    zone = node.items["timezone"]
    return zone_of(_plain(zone), zone.place)


def _plain(node: Node) -> str:
    if not isinstance(node, Text):
        raise Mistake(f"plain text is wanted here, not {describe(node)}", node.place)
    return node.text


_READERS: Final = {"all": _all, "any": _any, "not": _not, "left": _compared, "time": _time, "weekday": _weekday}
