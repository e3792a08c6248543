"""The `parameters:` of a rule file: the same declarations that `wb.param` makes in code."""

from __future__ import annotations

import keyword
import re
from typing import Any, Final

from workbench.strategy.parameters import Parameter, declare, param
from workbench.strategy.rules.mistakes import Mistake, Mistakes, Place, suggestion
from workbench.strategy.rules.plan import STOPS
from workbench.strategy.rules.reading import Listed, Mapped, Node, Text, describe
from workbench.strategy.rules.scope import RESERVED
from workbench.strategy.strategy import SignalStrategy

__all__ = ["PARAMETER_KEYS", "TYPES", "check_name", "read_settings"]

PARAMETER_KEYS: Final = ("default", "low", "high", "choices", "type", "optional", "doc")
TYPES: Final = {"int": int, "float": float, "bool": bool, "str": str}
_FREE: Final = (*STOPS, "max_bars")  # a parameter of such a name is the class-wide stop, as in code


def check_name(name: str, place: Place, what: str) -> None:
    """Refuse names that expressions could not use.

    Raises
    ------
    Mistake
        It is no identifier or means something else already.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise Mistake(f"{name!r} cannot be the name of a {what}: begin with a letter, then letters, digits, _", place)
    if name in RESERVED or keyword.iskeyword(name):
        raise Mistake(f"a {what} cannot be called {name}: the word has a meaning of its own in rules", place)


def read_settings(node: Node | None, owner: str, mistakes: Mistakes) -> dict[str, Parameter]:
    """Read the parameters of a file; what is wrong is noted, and the parameter left out or left plain."""
    if node is None:
        return {}
    if not isinstance(node, Mapped):
        mistakes.add(f"parameters: wants names with a default each, not {describe(node)}", node.place)
        return {}
    found: dict[str, Parameter] = {}
    for name, given in node.items.items():
        place = node.place_of(name)
        with mistakes.noted(place):
            found[name] = Parameter(name=name, kind=float, default=0.0)  # so that its use is no second mistake
            check_name(name, place, "parameter")
            if hasattr(SignalStrategy, name) and name not in _FREE:
                raise Mistake(f"a parameter cannot be called {name}: every strategy has something of that name", place)
            found[name] = _parameter(name, given, owner)
    return found


def _parameter(name: str, node: Node, owner: str) -> Parameter:
    if isinstance(node, Text):
        node = Mapped({"default": node}, node.place, {"default": node})
    if not isinstance(node, Mapped):
        raise Mistake(
            f"{name} wants a default, as in {{default: 14, low: 2, high: 50}}, not {describe(node)}", node.place
        )
    for key in node.items:
        if key not in PARAMETER_KEYS:
            hint = suggestion(key, PARAMETER_KEYS)
            if isinstance(node.items[key], Text) and describe(node.items[key]) == "nothing":
                hint = "; put text with a comma in it into quotes"
            raise Mistake(f"a parameter has no {key!r}{hint}", node.place_of(key))
    facts: dict[str, Any] = {key: _plain(node.items[key]) for key in ("default", "low", "high") if key in node.items}
    if "default" not in facts:
        raise Mistake(f"{name} has no default; write default: and the value to begin with", node.place)
    written = node.items["default"]
    if isinstance(written, Text) and not written.quoted and written.text.lower() in ("yes", "no", "on", "off"):
        raise Mistake(f"{written.text!r} is text; write true or false, or put it into quotes", written.place)
    facts["choices"] = _choices(node.items.get("choices"))
    kind = _kind(node, facts)
    if kind is float:
        facts = {key: _as_float(value) for key, value in facts.items()}
    return declare(owner, name, _annotation(node, kind), param(doc=_doc(node.items.get("doc")), **facts))


def _annotation(node: Mapped, kind: type | None) -> str:
    optional = "optional" in node.items and _plain(node.items["optional"])
    if optional not in (True, False):
        raise Mistake(
            f"optional is true or false, not {describe(node.items['optional'])}", node.items["optional"].place
        )
    return f"{kind.__name__ if kind else ''}{' | None' if optional else ''}"


def _as_float(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_as_float(one) for one in value)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _kind(node: Mapped, facts: dict[str, Any]) -> type | None:
    """Give the type that is written, or float where any of the numbers is; None leaves it to the default."""
    if "type" in node.items:
        written = node.items["type"]
        name = written.text if isinstance(written, Text) else ""
        if name not in TYPES:
            raise Mistake(f"{describe(written)} is no type{suggestion(name, TYPES)}", written.place)
        return TYPES[name]
    numbers = [facts["default"], facts.get("low"), facts.get("high"), *(facts["choices"] or ())]
    return float if any(isinstance(one, float) for one in numbers) else type(facts["default"])


def _choices(node: Node | None) -> tuple[Any, ...] | None:
    if node is None:
        return None
    if not isinstance(node, Listed) or not node.items:
        raise Mistake(f"choices wants a list, as in [long, both], not {describe(node)}", node.place)
    return tuple(_plain(one) for one in node.items)


def _plain(node: Node) -> Any:
    if not isinstance(node, Text):
        raise Mistake(f"a plain value is wanted here, not {describe(node)}", node.place)
    return node.value


def _doc(node: Node | None) -> str:
    if node is None:
        return ""
    if not isinstance(node, Text):
        raise Mistake(f"doc is one line for people, not {describe(node)}", node.place)
    return " ".join(node.text.split())
