"""The parameters of a strategy: declared once on the class, checked whenever an instance is made.

`fast: int = param(10, low=5, high=50)` says the name, the type, the default and the range that makes sense. Sweeps,
panels, reports and the command line read the same declaration.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, cast

from workbench.errors import StrategyError

__all__ = ["Parameter", "check_parameters", "param"]

Value = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Parameter:
    """The declaration of one parameter.

    Parameters
    ----------
    name : str
    kind : type
        bool, int, float or str.
    default : value of that kind, or None where `optional`
    low, high : number, optional
        Inclusive bounds.
    choices : tuple, optional
        The only values allowed.
    optional : bool
        Whether None is allowed ("switched off").
    doc : str
        One line for people.
    """

    name: str
    kind: type
    default: Value
    low: float | None = None
    high: float | None = None
    choices: tuple[Value, ...] | None = None
    optional: bool = False
    doc: str = ""

    def check(self, owner: str, value: Any) -> Value:
        """Give the value in its own type, or say what is wrong with it.

        Raises
        ------
        StrategyError
            Wrong type, not finite, outside the bounds or not among the choices.
        """
        if value is None and self.optional:
            return None
        plain = _as_kind(self.kind, value)
        if plain is None:
            raise self._error(owner, value, f"must be {self._kind_in_words()}")
        if isinstance(plain, float) and not math.isfinite(plain):
            raise self._error(owner, value, "must be a finite number")
        if self.choices is not None and plain not in self.choices:
            raise self._error(owner, value, f"must be one of {', '.join(map(repr, self.choices))}")
        if not isinstance(plain, str):
            if self.low is not None and plain < self.low:
                raise self._error(owner, value, f"must be at least {self.low!r}{self._upper()}")
            if self.high is not None and plain > self.high:
                raise self._error(owner, value, f"must be at most {self.high!r}{self._lower()}")
        return plain

    def _upper(self) -> str:
        return "" if self.high is None else f" and at most {self.high!r}"

    def _lower(self) -> str:
        return "" if self.low is None else f" and at least {self.low!r}"

    def _kind_in_words(self) -> str:
        words = {bool: "True or False", int: "a whole number", float: "a number", str: "text"}[self.kind]
        return f"{words} or None" if self.optional else words

    def _error(self, owner: str, value: Any, rule: str) -> StrategyError:
        return StrategyError(
            f"{owner}: parameter {self.name} = {value!r} {rule}", owner=owner, parameter=self.name, value=value
        )


class _Undecided:
    """What `param` leaves on the class until the class knows the parameter's name and annotation."""

    def __init__(self, default: Value, **facts: Any) -> None:
        self.default, self.facts = default, facts


def param(
    default: Value,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[Value, ...] | None = None,
    doc: str = "",
) -> Any:
    """Declare a parameter of a strategy class.

    Parameters
    ----------
    default : bool, int, float, str or None
        Its type is the parameter's type. With None, the annotation says it: `stop: float | None = param(None)`.
    low, high : number, optional
        Inclusive bounds; also what a sweep or an optimiser explores.
    choices : tuple, optional
        The only values allowed.
    doc : str, optional
        One line for people.

    Examples
    --------
    >>> from workbench.strategy import SignalStrategy, Signals, param
    >>> class Hold(SignalStrategy):
    ...     days: int = param(5, low=1, high=50)
    >>> Hold(days=7)
    Hold(days=7)
    """
    return _Undecided(default, low=low, high=high, choices=choices, doc=doc)


def declare(owner: str, name: str, annotation: str, found: _Undecided) -> Parameter:
    """Make the declaration of one class attribute, and hold the default itself to it."""
    default = found.default
    words = re.findall(r"\w+", annotation)  # `float | None`, `Optional[float]`, `typing.Union[float, None]`
    named = [kind for kind in (bool, int, float, str) if kind.__name__ in words]
    optional = default is None or "None" in words or "Optional" in words
    if default is None and not named:
        raise StrategyError(
            f"{owner}: parameter {name} has the default None and no type; annotate it, for example "
            f"`{name}: float | None = param(None)`"
        )
    kind = named[0] if named else type(default)
    if kind not in (bool, int, float, str):
        raise StrategyError(f"{owner}: parameter {name} = {default!r} must be a bool, int, float, str or None")
    for bound, value in (("low", found.facts["low"]), ("high", found.facts["high"])):
        if value is not None and (isinstance(value, bool) or not isinstance(value, Real)):
            raise StrategyError(f"{owner}: parameter {name} has {bound}={value!r}, which is no number")
    if not isinstance(found.facts["choices"] or (), (tuple, list)):
        raise StrategyError(f"{owner}: parameter {name} has choices={found.facts['choices']!r}; give a tuple of values")
    declared = Parameter(name=name, kind=kind, default=default, optional=optional, **found.facts)
    declared.check(owner, default)
    return declared


def check_parameters(owner: str, declared: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Value]:
    """Give the value of every declared parameter: the one given, or its default.

    Raises
    ------
    StrategyError
        A name is not declared (the message suggests the nearest), or a value is wrong.
    """
    for name in given:
        if name not in declared:
            near = difflib.get_close_matches(name, declared, n=1)
            known = ", ".join(declared) or "none"
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise StrategyError(f"{owner} has no parameter {name!r}: {hint}its parameters are {known}", parameter=name)
    return {name: one.check(owner, given.get(name, one.default)) for name, one in declared.items()}


def _as_kind(kind: type, value: Any) -> Value:
    """Give the value as a plain Python object of a kind, or None if it is not one; numpy scalars are welcome."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 2**1023 else math.inf
    if kind is int and isinstance(value, bool):
        return None
    return cast(Value, value) if isinstance(value, kind) else None
