"""The `sizing:` of a rule file."""

from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

from workbench.risk.sizing import KINDS, Caps, Sizing, sizing_of
from workbench.strategy.rules.arrays import Frame, constants
from workbench.strategy.rules.conditions import value_of
from workbench.strategy.rules.mistakes import Mistake, Mistakes, suggestion
from workbench.strategy.rules.nodes import Value
from workbench.strategy.rules.plan import Size
from workbench.strategy.rules.reading import Mapped, Node, Text, describe, read_yaml
from workbench.strategy.rules.scope import Scope

__all__ = ["STEADY", "read_sizing", "sizing_from", "sizing_in"]

STEADY: Final = (
    "fixed_cash", "fixed_quantity", "fixed_risk", "percent_equity", "percent_volatility", "volatility_target",
)  # fmt: skip
"""The kinds that let every entry through once what they measure is known, so that positions can be followed."""
_TEXTS: Final = ("covariance",)
_NO_FILE: Final = SimpleNamespace(shared=())
_EXAMPLE: Final = "{percent_volatility: {risk: 0.01}}"


def read_sizing(node: Node | None, scope: Scope, mistakes: Mistakes) -> Size | None:
    """Read how large entries are; what is wrong is noted."""
    if node is None:
        return None
    with mistakes.noted(node.place):
        return _sizing(node, scope, capped=True)
    return None


def _sizing(node: Node, scope: Scope, *, capped: bool) -> Size:
    if isinstance(node, Text) and not isinstance(node.value, (bool, int, float)) and node.value is not None:
        node = Mapped({node.text: Mapped({}, node.place)}, node.place, {node.text: node})
    if not isinstance(node, Mapped):
        raise Mistake(f"sizing: wants a kind and its numbers, as in {_EXAMPLE}, not {describe(node)}", node.place)
    known = (*KINDS, "caps") if capped else tuple(KINDS)
    for key in node.items:
        if key not in known:
            raise Mistake(f"there is no sizing {key!r}{suggestion(key, known, most=20)}", node.place_of(key))
    kinds = [key for key in node.items if key != "caps"]
    if len(kinds) != 1:
        raise Mistake(f"sizing: wants one kind, as in {_EXAMPLE}; there are {len(kinds)}", node.place)
    (kind,) = kinds
    place = node.place_of(kind)
    caps = _named("caps", node.items.get("caps"), tuple(one.name for one in fields(Caps)), scope)
    return Size(kind, _numbers(kind, node.items[kind], scope, place), caps, place)


def _numbers(kind: str, given: Node, scope: Scope, place: Any) -> tuple[tuple[str, Any], ...]:
    own = [one for one in fields(KINDS[kind]) if one.name != "caps"]
    names = tuple(one.name for one in own)
    if isinstance(given, Text) and given.text not in ("", "~", "null"):
        given = Mapped({names[0]: given}, given.place, {names[0]: given})
    found = _named(kind, None if isinstance(given, Text) else given, names, scope)
    said = {name for name, _ in found}
    missing = [one.name for one in own if one.default is one.default_factory is MISSING and one.name not in said]
    if missing:
        raise Mistake(f"{kind} wants {' and '.join(missing)} too", place)
    return found


def _named(owner: str, given: Node | None, names: tuple[str, ...], scope: Scope) -> tuple[tuple[str, Any], ...]:
    """Read names with a value each."""
    if given is None:
        return ()
    if not isinstance(given, Mapped):
        raise Mistake(f"{owner} wants {', '.join(names)}, not {describe(given)}", given.place)
    for name in given.items:
        if name not in names:
            raise Mistake(f"{owner} has no {name!r}{suggestion(name, names, most=20)}", given.place_of(name))
    return tuple((name, _value(name, one, scope)) for name, one in given.items.items())


def _value(name: str, node: Node, scope: Scope) -> Any:
    """Read one value: a number or parameter, a word, a sizing inside, or a mapping of caps."""
    if name == "base":
        return _sizing(node, scope, capped=False)
    if isinstance(node, Mapped) and name in ("group", "groups"):
        return tuple((key, _value("" if name == "group" else "groups", one, scope)) for key, one in node.items.items())
    if isinstance(node, Text) and (name in (*_TEXTS, "groups") or isinstance(node.value, bool) or node.value is None):
        return node.text if name in (*_TEXTS, "groups") else node.value
    return value_of(node, scope)


def sizing_in(text: str, where: str) -> Sizing:
    """Read a sizing that is written as in a rule file, on one line: `fixed_risk: 0.01`.

    Parameters
    ----------
    text : str
    where : str
        What messages call the place, such as `--sizing`.

    Raises
    ------
    StrategyError
        It is not as in a rule file, or a number is out of range.
    """
    mistakes = Mistakes(Path(where), text if ":" in text else f"{text}:")
    root = read_yaml(mistakes)
    with mistakes.noted(root.place):
        return sizing_from(_sizing(root, Scope({}).numbers(), capped=True), constants(cast("Any", _NO_FILE), {}))
    raise mistakes.error()


def sizing_from(size: Size, fixed: Frame) -> Sizing:
    """Make the sizing.

    Raises
    ------
    ConfigError
        One of its numbers is out of range.
    """
    return sizing_of(_plain(size, fixed))


def _plain(size: Size, fixed: Frame) -> dict[str, Any]:
    said: dict[str, Any] = {size.kind: {name: _known(value, fixed) for name, value in size.numbers}}
    return {**said, "caps": {name: _known(value, fixed) for name, value in size.caps}} if size.caps else said


def _known(value: Any, fixed: Frame) -> Any:
    if isinstance(value, Size):
        return _plain(value, fixed)
    if isinstance(value, tuple):
        return {key: _known(one, fixed) for key, one in value}
    found = fixed.value(value) if isinstance(value, Value) else value
    return None if isinstance(found, float) and found != found else found
