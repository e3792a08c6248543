"""The JSON schema of rule files, for editors: completion, the meaning of each key, and mistakes while typing.

It knows the structure, the names of indicators and what each takes. What text says is read by `parser` alone.
"""

from __future__ import annotations

from typing import Any, Final, get_args

from workbench.risk.sizing import KINDS, Sizing
from workbench.strategy.rules.conditions import OPERATORS
from workbench.strategy.rules.guards import GUARDS
from workbench.strategy.rules.plan import SIDES, STOPS
from workbench.strategy.rules.settings import TYPES
from workbench.strategy.signals import SizeUnit

__all__ = ["schema"]

_NAME: Final = "^[A-Za-z][A-Za-z0-9_]*$"
_SIDE_TEXTS: Final = {
    "entry": "Go long on bars where this holds; the trade is made at the next open.",
    "exit": "Leave a long position.",
    "short_entry": "Go short.",
    "short_exit": "Leave a short position.",
}
_STOP_TEXTS: Final = {
    "stop_loss": "Distance below the entry price (above, for a short) at which to leave: 0.05 is five percent.",
    "take_profit": "Distance above the entry price at which to leave.",
    "trailing_stop": "Distance below the best price since the entry.",
    "trailing_activation": "Gain from which on the trailing stop is there.",
    "stop_price": "A stop at a price; it follows its expression in favour of the position only.",
}
_GUARD_TEXTS: Final = {
    "cooldown": "No entry for some bars after a trade.",
    "drawdown_pause": "A pause after the equity fell too far.",
    "losing_pairs": "Drop an instrument that keeps losing.",
    "low_profit": "A pause for an instrument that earned too little.",
    "stop_guard": "A pause after several stops in a short time.",
}


def schema() -> dict[str, Any]:
    """Make the schema of rule files, with every registered indicator.

    Returns
    -------
    dict
        JSON schema, draft 2020-12.

    Notes
    -----
    `workbench strategies schema` prints it, and `strategies/rules.schema.json` has it. An editor with a YAML language
    server reads it where the first line of a file says `# yaml-language-server: $schema=rules.schema.json`.

    Examples
    --------
    >>> sorted(schema()["properties"])[:4]
    ['description', 'entry', 'exit', 'indicators']
    """
    from workbench.indicators import registry

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rules of a strategy",
        "description": "A strategy without code; see RULES.md.",
        "type": "object",
        "additionalProperties": False,
        "anyOf": [{"required": ["entry"]}, {"required": ["short_entry"]}],
        "dependentRequired": {"exit": ["entry"], "short_exit": ["short_entry"]},
        "properties": _sections(),
        "$defs": {
            "number": _told("A number, a parameter, or an expression of both.", type=["number", "string"]),
            "value": _told(
                "A number, a column, or an expression such as 2 * atr(14) / close.", type=["number", "string"]
            ),
            "condition": _condition(),
            "several": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/condition"}},
            "parameter": _parameter(),
            "column": {
                "anyOf": [
                    {"$ref": "#/$defs/value"},
                    _object({"value": _ref("value"), **_around()}, required=["value"]),
                    {"$ref": "#/$defs/indicator"},
                    _agreement(),
                ]
            },
            "indicator": _indicator([registry.get(name) for name in registry.names()]),
        },
    }


def _told(text: str, **facts: Any) -> dict[str, Any]:
    return {"description": text, **facts}


def _ref(name: str, text: str = "") -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}", **({"description": text} if text else {})}


def _object(properties: dict[str, Any], required: list[str] | None = None, **facts: Any) -> dict[str, Any]:
    found = {"type": "object", "additionalProperties": False, "properties": properties, **facts}
    return {**found, "required": required} if required else found


def _sections() -> dict[str, Any]:
    return {
        "name": _told("Of the strategy; the name of the file when left out.", type="string"),
        "description": _told("What it does and why; the first line is its summary.", type="string"),
        "timeframe": _told(
            "Of the bars that it is meant for, such as 1h.", type="string", pattern="^[1-9][0-9]*[smhdw]$"
        ),
        "parameters": {
            "description": "Numbers to choose when the strategy is made, with bounds for searches.",
            "type": "object",
            "propertyNames": {"pattern": _NAME},
            "additionalProperties": _ref("parameter"),
        },
        "require": _told(
            "What parameters must keep to, such as fast < slow.",
            anyOf=[{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        ),
        "indicators": {
            "description": "Named columns: an expression such as rsi(close, 14), or spelt out.",
            "type": "object",
            "propertyNames": {"pattern": _NAME},
            "additionalProperties": _ref("column"),
        },
        **{side: _ref("condition", _SIDE_TEXTS[side]) for side in SIDES},
        "stops": _stops(),
        "size": _told(
            "How much to trade; the whole equity when left out.",
            anyOf=[
                _ref("value"),
                _object({"amount": _ref("value"), "unit": {"enum": list(get_args(SizeUnit))}}, required=["amount"]),
            ],
        ),
        "sizing": _sizing(),
        "protections": _told("What keeps it out of the market after bad trades.", type="array", items=_guard()),
        "leverage": _ref("number", "Notional for each unit of margin; 1 when left out."),
        "warm_up": _ref("number", "Bars before which no signal counts, where more than the indicators need."),
    }


def _sizing() -> dict[str, Any]:
    numbers: dict[str, Any] = {"type": ["number", "string", "boolean", "null"]}
    caps = {
        "position": _told("Of one position, 0.2 when left out; null for none.", **numbers),
        "group": _told("Of the positions of one group.", type=["number", "string", "null", "object"]),
        "total": _told("Of all positions together.", **numbers),
        "groups": _told("The group of each instrument.", type="object", additionalProperties={"type": "string"}),
    }
    text = "How large entries are: a kind and its numbers, and the caps."
    kinds = {kind: _kind(kind, made) for kind, made in KINDS.items()}
    one = [{"required": [kind]} for kind in kinds]
    capped = _told("The most that may be held, as fractions of equity.", **_object(caps))
    return _told(
        text, anyOf=[{"enum": list(KINDS)}, {**_object({**kinds, "caps": capped}), "oneOf": one}],
    )  # fmt: skip


def _kind(kind: str, made: type[Sizing]) -> dict[str, Any]:
    from dataclasses import MISSING, fields

    own = [one for one in fields(made) if one.name != "caps"]
    wanted = [one.name for one in own if one.default is one.default_factory is MISSING]
    any_number: dict[str, Any] = {"type": ["number", "string", "boolean", "null"]}
    inside: dict[str, Any] = {"type": ["string", "object"], "maxProperties": 1}
    numbers = {one.name: inside if one.name == "base" else any_number for one in own}
    forms = [_object(numbers, required=wanted or None), {"type": ["number", "string", "null"]}]
    return _told((made.__doc__ or kind).splitlines()[0], anyOf=forms)


def _stops() -> dict[str, Any]:
    ladder = {
        "description": "Minutes since the entry and the gain to leave at from then on.",
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": r"^\d+(\.\d+)?$"},
        "additionalProperties": _ref("number"),
    }
    return _object(
        {
            **{name: _ref("value", _STOP_TEXTS[name]) for name in STOPS},
            "roi": ladder,
            "max_bars": _ref("number", "Bars that a position is held at most."),
        },
        description="Ways out that are watched inside each bar.",
    )


def _guard() -> dict[str, Any]:
    from dataclasses import MISSING, fields

    kinds = {}
    for kind, made in GUARDS.items():
        wanted = [one.name for one in fields(made) if one.default is MISSING]
        numbers = {one.name: {"type": ["number", "string", "boolean"]} for one in fields(made)}
        full = _object(numbers, required=wanted or None)
        kinds[kind] = _told(_GUARD_TEXTS[kind], anyOf=[full, _ref("number")] if len(wanted) <= 1 else [full])
    return _object(kinds, minProperties=1, maxProperties=1)


def _timed() -> dict[str, Any]:
    return {
        "for": _ref("number", "Bars on which it must have held without a break."),
        "within": _ref("number", "Bars on one of which it must have held."),
    }


def _condition() -> dict[str, Any]:
    clock = {"type": "string", "pattern": r"^\d{1,2}:\d\d$"}
    day = {"type": "string", "pattern": "^(?i:mon|tue|wed|thu|fri|sat|sun)[A-Za-z]*$"}
    zone = {"timezone": _told("Such as America/New_York; UTC when left out.", type="string")}
    compared = {
        "left": _ref("value"), "op": {"enum": list(OPERATORS)}, "right": _ref("value"), "bars": _ref("number"),
    }  # fmt: skip
    moving = {"properties": {"op": {"enum": ["rising", "falling"]}}}
    return {
        "description": "Text such as rsi < 30, a list of which all must hold, or all, any, not.",
        "anyOf": [
            {"type": "string", "minLength": 1},
            {"$ref": "#/$defs/several"},
            _object({"all": _ref("several", "All of these."), **_timed()}, required=["all"]),
            _object({"any": _ref("several", "Any of these."), **_timed()}, required=["any"]),
            _object({"not": _ref("condition", "The contrary."), **_timed()}, required=["not"]),
            {
                **_object({**compared, **_timed()}, required=["left", "op"]),
                "if": moving,
                "then": {"required": ["bars"], "not": {"required": ["right"]}},
                "else": {"required": ["right"], "not": {"required": ["bars"]}},
            },
            _object(
                {"time": {"type": "array", "items": clock, "minItems": 2, "maxItems": 2}, **zone, **_timed()},
                required=["time"],
            ),
            _object(
                {"weekday": {"anyOf": [day, {"type": "array", "items": day, "minItems": 1}]}, **zone, **_timed()},
                required=["weekday"],
            ),
        ],
    }


def _parameter() -> dict[str, Any]:
    plain = {"type": ["number", "string", "boolean", "null"]}
    full = _object(
        {
            "default": _told("The value to begin with; null is allowed where it is optional.", **plain),
            "low": _told("The lowest value.", type="number"),
            "high": _told("The highest value.", type="number"),
            "choices": _told("The only values.", type="array", minItems=1, items=plain),
            "type": _told("Where the default does not say it.", enum=list(TYPES)),
            "optional": _told("Whether null (switched off) is allowed.", type="boolean"),
            "doc": _told("One line for people.", type="string"),
        },
        required=["default"],
    )
    return {"anyOf": [full, {"type": ["number", "string", "boolean"]}]}


def _agreement() -> dict[str, Any]:
    frames = _told("Timeframes that have a say, such as [1h, 4h, 1d].", type="array", minItems=1)
    weights = _told("What each of them weighs.", type="array", items=_ref("number"))
    return _object({"confluence": {**frames, "items": {"type": "string"}}, "weights": weights}, required=["confluence"])


def _around() -> dict[str, Any]:
    return {
        "timeframe": _told("Of longer bars that it is made on, such as 4h, or a parameter.", type="string"),
        "shift": _ref("number", "What it was so many bars before."),
    }


def _indicator(known: list[Any]) -> dict[str, Any]:
    """Give one form for each indicator, and an open one for the columns of `ta`."""
    names = [one.name for one in known]
    bridge = {"type": "string", "pattern": "^ta:"}
    forms = [_form(one) for one in known]
    return {
        "type": "object",
        "required": ["indicator"],
        "properties": {"indicator": {"anyOf": [{"enum": names}, bridge]}},
        "anyOf": [*forms, {"properties": {"indicator": bridge}}],
    }


def _form(indicator: Any) -> dict[str, Any]:
    properties: dict[str, Any] = {"indicator": _told(indicator.summary, const=indicator.name), **_around()}
    for one in indicator.inputs:
        properties["of" if one == "values" else one] = {"$ref": "#/$defs/column"}
        properties[one] = {"$ref": "#/$defs/column"}
    for name, default in indicator.defaults.items():
        low, high = indicator.bounds.get(name, (None, None))
        sensible = f", sensible {low:g} to {high:g}" if low is not None else ""
        properties[name] = {
            "type": ["number", "string", "boolean"],
            "description": f"{default!r} if left out{sensible}.",
        }
    if len(indicator.outputs) > 1:
        properties["output"] = {"enum": list(indicator.outputs)}
    return _object(properties)
