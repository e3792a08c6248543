"""The names that expressions of a file may use: prices, parameters, columns, indicators, functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workbench.errors import WorkbenchError
from workbench.strategy.parameters import Parameter
from workbench.strategy.rules.mistakes import Mistake, Place, suggestion
from workbench.strategy.rules.nodes import (
    Agreement,
    Call,
    Column,
    Function,
    Holding,
    Price,
    Setting,
    Value,
    walk,
)

__all__ = ["FUNCTIONS", "HOLDINGS", "PRICES", "RESERVED", "Scope", "indicator_of", "is_number"]

PRICES: Final = ("open", "high", "low", "close", "volume", "hl2", "hlc3", "ohlc4")
HOLDINGS: Final = ("bars_held", "profit")
FUNCTIONS: Final = ("abs", "max", "min")
_WORDS: Final = (
    "and", "or", "not", "for", "within", "bar", "bars", "rising", "falling", "crosses_above", "crosses_below", "time",
    "weekday", "confluence", "between", "in", "true", "false", "null",
)  # fmt: skip
RESERVED: Final = frozenset((*PRICES, *HOLDINGS, *FUNCTIONS, *_WORDS))


def indicator_of(name: str, place: Place) -> Any:
    """Find an indicator by name: a registered one, or a column of `ta` through the bridge.

    Raises
    ------
    Mistake
        There is none of this name.
    """
    from workbench.indicators import registry

    try:
        return registry.get(name)
    except WorkbenchError as error:
        # what looks ahead can be forced in code; rules have no such word
        raise Mistake(str(error).replace(", or say force=True", ""), place) from error


def is_number(value: Value) -> bool:
    """Tell whether a value is one number (or text) for all bars: made of literals and parameters only."""
    return not any(isinstance(one, (Price, Column, Call, Holding, Agreement)) for one in walk(value))


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known of names while a file is read.

    Parameters
    ----------
    settings : mapping of str to Parameter
        The parameters of the file.
    columns : tuple of str
        The names under `indicators:`.
    bars : bool
        Whether there are bars to speak of: prices, columns and indicators, else only numbers and parameters.
    """

    settings: Mapping[str, Parameter]
    columns: tuple[str, ...] = ()
    bars: bool = True

    def numbers(self) -> Scope:
        """Give the scope of places where only numbers and parameters count, such as a length."""
        return Scope(self.settings, self.columns, bars=False)

    def name(self, text: str, place: Place) -> Value:
        """Give what a name stands for.

        Raises
        ------
        Mistake
            It stands for nothing, or for nothing that may be used here.
        """
        if text in self.settings:
            return Setting(text, place=place)
        if not self.bars:
            raise self._only_numbers(text, place)
        if text in PRICES:
            return Price(text, place=place)
        if text in self.columns:
            return Column(text, place=place)
        if text in HOLDINGS:
            return Holding(text, place=place)
        raise self._unknown(text, place)

    def _only_numbers(self, text: str, place: Place) -> Mistake:
        if text in (*PRICES, *self.columns, *HOLDINGS):
            return Mistake(f"{text} differs from bar to bar; a number or a parameter is wanted here", place)
        hint = suggestion(text, self.settings) if self.settings else "; the file declares no parameters"
        return Mistake(f"there is no parameter {text!r}{hint}", place)

    def _unknown(self, text: str, place: Place) -> Mistake:
        from workbench.indicators import registry

        if text in registry.names():
            return Mistake(
                f"{text} is an indicator: call it, as {text}(), or name a column of it under `indicators:`", place
            )
        if text in FUNCTIONS:
            return Mistake(f"{text} is a function: give it values in parentheses, as {text}(close, open)", place)
        if text in RESERVED:
            return Mistake(f"{text!r} cannot stand here: a price, a column, a parameter or a number is wanted", place)
        known = (*self.settings, *self.columns, *PRICES, *HOLDINGS)
        return Mistake(f"{text!r} is no price, column or parameter{suggestion(text, known)}", place)

    def call(self, name: str, given: Sequence[Value], named: Mapping[str, Value], place: Place) -> Value:
        """Give a call of a function or an indicator: columns by position, then numbers, and anything by name.

        Raises
        ------
        Mistake
            It does not exist, or takes something else.
        """
        if name in FUNCTIONS:
            return self._function(name, given, named, place)
        if not self.bars:
            raise Mistake(f"{name}(...) differs from bar to bar; a number or a parameter is wanted here", place)
        indicator = indicator_of(name, place)
        columns = [one for one in given if not is_number(one)]
        numbers = [one for one in given if is_number(one)]
        if columns and given[: len(columns)] != columns:
            wrong = next(one for one in given if is_number(one))
            raise Mistake(f"{name}: columns come first, then numbers, as in {_example(indicator)}", wrong.place)
        inputs = {**_positional(indicator, columns, place)}
        settings = dict(zip(indicator.defaults, numbers, strict=False))
        if len(numbers) > len(indicator.defaults):
            takes = ", ".join(indicator.defaults) or "no parameters"
            raise Mistake(f"{name}: {len(numbers)} numbers, and it takes {takes}", numbers[-1].place)
        for key, value in named.items():
            _named(indicator, key, value, inputs, settings)
        return Call(name, _complete(indicator, inputs, place), tuple(settings.items()), place=place)

    def _function(self, name: str, given: Sequence[Value], named: Mapping[str, Value], place: Place) -> Value:
        if named:
            raise Mistake(f"{name} takes values without names, as in {name}(close, open)", place)
        if (len(given) != 1) if name == "abs" else (len(given) < 2):
            wanted = "one value" if name == "abs" else "two values or more"
            raise Mistake(f"{name} of {len(given)} values; it takes {wanted}", place)
        return Function(name, tuple(given), place=place)


def _example(indicator: Any) -> str:
    numbers = [f"{value!r}" for value in indicator.defaults.values()]
    return f"{indicator.name}({', '.join([*_columns_of(indicator), *numbers])})"


def _columns_of(indicator: Any) -> list[str]:
    return ["close" if one == "values" else one for one in indicator.inputs]


def _positional(indicator: Any, columns: Sequence[Value], place: Place) -> dict[str, Value]:
    if columns and len(columns) != len(indicator.inputs):
        some = len(columns)
        raise Mistake(
            f"{indicator.name}: {some} column{'s' * (some > 1)}, and it is made of "
            f"{', '.join(indicator.inputs)}; give all of them, as in {_example(indicator)}, or none of them",
            place,
        )
    return dict(zip(indicator.inputs, columns, strict=False))


def _named(indicator: Any, key: str, value: Value, inputs: dict[str, Value], settings: dict[str, Value]) -> None:
    known = (*indicator.inputs, *indicator.defaults)
    if key not in known:
        raise Mistake(f"{indicator.name} takes no {key!r}{suggestion(key, known)}", value.place)
    if key in inputs or key in settings:
        raise Mistake(f"{indicator.name}: {key} is given twice", value.place)
    if key in indicator.inputs:
        if is_number(value):
            raise Mistake(f"{indicator.name}: {key} must be a column, such as close", value.place)
        inputs[key] = value
    elif not is_number(value):
        raise Mistake(
            f"{indicator.name}: {key} is the same for all bars; give a number or the name of a parameter", value.place
        )
    else:
        settings[key] = value


def _complete(indicator: Any, inputs: dict[str, Value], place: Place) -> tuple[tuple[str, Value], ...]:
    """Give every input of an indicator, those left out from the bars."""
    found: list[tuple[str, Value]] = []
    for one in indicator.inputs:
        if one in inputs:
            found.append((one, inputs[one]))
        elif one == "values":
            found.append((one, Price("close", place=place)))
        elif one in PRICES or one == "ts":
            found.append((one, Price(one, place=place)))
        else:
            raise Mistake(
                f"{indicator.name}: {one} is missing; give a column for it, as in {_example(indicator)}", place
            )
    return tuple(found)
