"""The `indicators:` of a rule file: named columns, as an expression or spelt out."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from workbench.errors import WorkbenchError
from workbench.market.timeframe import Timeframe
from workbench.strategy.rules.conditions import value_of
from workbench.strategy.rules.mistakes import Mistake, Mistakes, suggestion
from workbench.strategy.rules.nodes import Agreement, Call, Literal, On, Shift, Value
from workbench.strategy.rules.reading import Listed, Mapped, Node, Text, describe
from workbench.strategy.rules.scope import Scope, indicator_of
from workbench.strategy.rules.settings import check_name

__all__ = ["COLUMN_KEYS", "column_of", "read_columns", "timeframe_of"]

# `of` is the input of an indicator that is made of any one column (called `values` there)
COLUMN_KEYS: Final = ("indicator", "value", "of", "output", "timeframe", "shift")


def read_columns(node: Node | None, scope: Scope, mistakes: Mistakes) -> dict[str, Value]:
    """Read the columns of a file; what is wrong is noted, and the column stands for the close."""
    if not isinstance(node, Mapped):
        return {}
    found: dict[str, Value] = {}
    for name, given in node.items.items():
        place = node.place_of(name)
        found[name] = Literal(0.0, place=place)
        with mistakes.noted(place):
            check_name(name, place, "column")
            if name in scope.settings:
                raise Mistake(f"{name} is a parameter already; give the column another name", place)
            found[name] = replace(column_of(given, scope), place=place)
    return found


def column_of(node: Node, scope: Scope) -> Value:
    """Read one column: `rsi(close, 14)` or `{indicator: rsi, length: 14, timeframe: 4h}`.

    Raises
    ------
    Mistake
        It is neither.
    """
    if not isinstance(node, Mapped):
        return value_of(node, scope)
    forms = [key for key in ("indicator", "value", "confluence") if key in node.items]
    if len(forms) != 1:
        raise Mistake("a column has either `indicator:` and what it takes, or `value:` with an expression", node.place)
    if forms == ["confluence"]:
        return _agreement(node, scope)
    found = _indicator(node, scope) if "indicator" in node.items else _value(node, scope)
    if "shift" in node.items:
        found = Shift(found, value_of(node.items["shift"], scope.numbers()), place=found.place)
    if "timeframe" in node.items:
        found = On(found, timeframe_of(node.items["timeframe"], scope), place=found.place)
    return found


def _value(node: Mapped, scope: Scope) -> Value:
    for key in node.items:
        if key not in ("value", "timeframe", "shift"):
            hint = suggestion(key, ("value", "timeframe", "shift"))
            raise Mistake(f"{key!r} does not go together with 'value'{hint}", node.place_of(key))
    return value_of(node.items["value"], scope)


def _agreement(node: Mapped, scope: Scope) -> Value:
    """Read `{confluence: [1h, 4h, 1d], weights: [1, 2, 3]}`."""
    for key in node.items:
        if key not in ("confluence", "weights"):
            hint = suggestion(key, ("confluence", "weights"))
            raise Mistake(f"{key!r} does not go together with 'confluence'{hint}", node.place_of(key))
    frames, weights = node.items["confluence"], node.items.get("weights")
    if not isinstance(frames, Listed) or not frames.items:
        raise Mistake(
            f"confluence wants a list of timeframes, as in [1h, 4h, 1d], not {describe(frames)}", frames.place
        )
    found = Agreement(tuple(timeframe_of(one, scope) for one in frames.items), place=node.place)
    if weights is None:
        return found
    if not isinstance(weights, Listed) or len(weights.items) != len(frames.items):
        raise Mistake(f"weights wants one number for each of the {len(frames.items)} timeframes", weights.place)
    return replace(found, weights=tuple(value_of(one, scope.numbers()) for one in weights.items))


def _indicator(node: Mapped, scope: Scope) -> Value:
    name = node.items["indicator"]
    if not isinstance(name, Text):
        raise Mistake(f"indicator: wants a name such as rsi, not {describe(name)}", name.place)
    indicator = indicator_of(name.text, name.place)
    known = (*indicator.inputs, *indicator.defaults)
    named: dict[str, Value] = {}
    for key, given in node.items.items():
        if key in COLUMN_KEYS and key not in known and key != "of":
            continue
        target = "values" if key == "of" and key not in known else key
        if target not in known:
            takes = [("of" if one == "values" else one) for one in known]
            hint = suggestion(key, (*takes, "output", "timeframe", "shift"))
            raise Mistake(f"{indicator.name} takes no {key!r}{hint}", node.place_of(key))
        if target in named:
            raise Mistake("'of' and 'values' are the same; keep one", node.place_of(key))
        # an input may be spelt out in turn; a parameter is a number
        inner = column_of(given, scope) if target in indicator.inputs else _setting(given, scope, indicator, target)
        named[target] = replace(inner, place=given.place)
    call = scope.call(name.text, (), named, name.place)
    return _with_output(call, node, indicator.outputs)


def _setting(node: Node, scope: Scope, indicator: object, name: str) -> Value:
    default = getattr(indicator, "defaults", {})[name]
    if isinstance(node, Text) and isinstance(node.value, bool):
        return Literal(node.value, place=node.place)
    if isinstance(default, str) and isinstance(node, Text) and node.text not in scope.settings:
        return Literal(node.text, place=node.place)
    return value_of(node, scope.numbers())


def _with_output(call: Value, node: Mapped, outputs: tuple[str, ...]) -> Value:
    given = node.items.get("output")
    if given is None or not isinstance(call, Call):
        return call
    name = given.text if isinstance(given, Text) else ""
    if name not in outputs:
        raise Mistake(f"{call.indicator} has no output {describe(given)}{suggestion(name, outputs)}", given.place)
    return replace(call, output=name if len(outputs) > 1 else None)


def timeframe_of(node: Node, scope: Scope) -> Value:
    """Read a timeframe such as `4h`, or the name of a parameter that holds one.

    Raises
    ------
    Mistake
        It is neither.
    """
    text = node.text if isinstance(node, Text) else ""
    if text in scope.settings:
        return scope.name(text, node.place)
    try:
        Timeframe.parse(text)
    except WorkbenchError:
        raise Mistake(
            f"{describe(node)} is no timeframe: write a number and s, m, h, d or w, such as 15m, 4h or 1d", node.place
        ) from None
    return Literal(text, place=node.place)
