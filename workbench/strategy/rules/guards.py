"""The `protections:` of a rule file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from workbench.strategy.protections import Cooldown, DrawdownPause, LosingPairs, LowProfit, Protection, StopGuard
from workbench.strategy.rules.conditions import value_of
from workbench.strategy.rules.mistakes import Mistake, Mistakes, suggestion
from workbench.strategy.rules.nodes import Value
from workbench.strategy.rules.plan import Guard
from workbench.strategy.rules.reading import Listed, Mapped, Node, Text, describe
from workbench.strategy.rules.scope import Scope

__all__ = ["GUARDS", "protection", "read_guards"]

GUARDS: Final[dict[str, type[Protection]]] = {
    "cooldown": Cooldown,
    "drawdown_pause": DrawdownPause,
    "losing_pairs": LosingPairs,
    "low_profit": LowProfit,
    "stop_guard": StopGuard,
}


def read_guards(node: Node | None, scope: Scope, mistakes: Mistakes) -> tuple[Guard, ...]:
    """Read the protections, a list of one kind each; what is wrong is noted."""
    if node is None:
        return ()
    if not isinstance(node, Listed):
        mistakes.add(f"protections: wants a list, as in [{{cooldown: 3}}], not {describe(node)}", node.place)
        return ()
    found = []
    for one in node.items:
        with mistakes.noted(one.place):
            found.append(_guard(one, scope))
    return tuple(found)


def _guard(node: Node, scope: Scope) -> Guard:
    if not isinstance(node, Mapped) or len(node.items) != 1:
        raise Mistake(f"a protection is its kind and numbers, as in {{cooldown: 3}}, not {describe(node)}", node.place)
    ((kind, given),) = node.items.items()
    place = node.place_of(kind)
    if kind not in GUARDS:
        raise Mistake(f"there is no protection {kind!r}{suggestion(kind, GUARDS)}", place)
    names = [one.name for one in fields(GUARDS[kind])]
    if isinstance(given, Text):
        given = Mapped({names[0]: given}, given.place, {names[0]: given})
    if not isinstance(given, Mapped):
        raise Mistake(f"{kind} wants {', '.join(names)}, not {describe(given)}", given.place)
    settings: list[tuple[str, Value | bool]] = []
    for name, value in given.items.items():
        if name not in names:
            raise Mistake(f"{kind} has no {name!r}{suggestion(name, names)}", given.place_of(name))
        said = value.value if isinstance(value, Text) else None
        settings.append((name, said if isinstance(said, bool) else value_of(value, scope)))
    missing = [one.name for one in fields(GUARDS[kind]) if _is_wanted(one) and one.name not in given.items]
    if missing:
        raise Mistake(f"{kind} wants {' and '.join(missing)} too", place)
    return Guard(kind, tuple(settings), place)


def _is_wanted(one: Any) -> bool:
    from dataclasses import MISSING

    return one.default is MISSING


def protection(guard: Guard, numbers: Mapping[str, Any]) -> Protection:
    """Make the protection.

    Raises
    ------
    ConfigError
        One of its numbers is out of range.
    """
    return GUARDS[guard.kind](**numbers)
