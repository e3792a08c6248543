"""A user's plain function of arrays as an `Indicator`: what it gives is checked, what it does not say is measured."""

from __future__ import annotations

import inspect
import math
from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from workbench.errors import DataError, StrategyError
from workbench.indicators._array import Floats
from workbench.indicators.indicator import INPUTS, Group, Indicator, Rows

__all__ = ["column_of", "from_function", "like", "measured_first"]

_LONGEST_WARM_UP: Final = 4_096


def from_function(
    function: Callable[..., Any],
    *,
    group: Group,
    first: Callable[..., tuple[int, ...]] | None,
    bounds: Mapping[str, tuple[float, float]],
    outputs: tuple[str, ...],
) -> Indicator:
    """Make an `Indicator` of a plain function; see `registry.register` for the parameters.

    Raises
    ------
    StrategyError
        The function takes something that no indicator can be given.
    """
    name = getattr(function, "__name__", "")
    if not name.isidentifier():
        raise StrategyError(f"{function!r} has no name to be found by; give a function that is defined with def")
    taken = inspect.signature(function).parameters.values()
    inputs = [one.name for one in taken if one.default is one.empty]
    wrong = [one for one in inputs if one not in INPUTS]
    if wrong or not inputs:
        what = f"{wrong[0]!r} is no input" if wrong else "there is no input"
        raise StrategyError(
            f"{name}: {what}; name the arrays among {', '.join(INPUTS)}, and give each parameter a default",
            function=name, parameter=wrong[0] if wrong else None,
        )  # fmt: skip
    defaults = {one.name: one.default for one in taken if one.default is not one.empty}
    for parameter, (low, high) in bounds.items():
        if parameter not in defaults or not low <= defaults[parameter] <= high:
            raise StrategyError(
                f"{name}: the bounds {low!r} to {high!r} of {parameter!r} do not hold its default", function=name
            )
    lines: Any = namedtuple(name.title().replace("_", ""), outputs) if outputs else None

    def rows(rows: Rows, *parameters: Any) -> None:
        given = function(*(rows[one].copy() for one in inputs), *parameters)
        several = given if outputs and isinstance(given, tuple) else (given,)
        if len(several) != len(rows.out):
            raise DataError(f"{name}: it gave {len(several)} outputs, not {len(rows.out)}", function=name)
        for out, line in zip(rows.out, several, strict=True):
            out[:] = column_of(name, line, len(rows))

    def measured(*parameters: Any) -> tuple[int, ...]:
        return measured_first(name, rows, inputs, len(outputs) or 1, parameters)

    return Indicator(
        function=function, rows=rows, group=group, first=first or measured, lines=lines, bounds=bounds, unit="other",
        valid={parameter: like(value) for parameter, value in defaults.items()},
        source=f"the user's own: {getattr(function, '__module__', '')}.{name}",
    )  # fmt: skip


def column_of(function: str, line: Any, count: int) -> Floats:
    """Check what a function that is not ours has given, and take it as an array.

    Raises
    ------
    DataError
        It is not one column of `count` numbers.
    """
    try:
        column = np.asarray(line, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(
            f"{function}: it gave {type(line).__name__}, not an array of numbers", function=function
        ) from None
    if column.shape != (count,):
        raise DataError(
            f"{function}: it gave shape {column.shape} for {count} rows; give one value a row, NaN where there is none",
            function=function, value=column.shape,
        )  # fmt: skip
    return column


def like(default: Any) -> Callable[[str, str, Any], Any]:
    """Give the check of a parameter that is to be of the kind of its default."""

    def check(function: str, parameter: str, value: Any) -> Any:
        number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
        if isinstance(default, bool) or not isinstance(default, (int, float)):
            fits = default is None or isinstance(value, type(default))
        elif isinstance(default, int):
            fits = number and float(value).is_integer() and not isinstance(value, (float, np.floating))
        else:
            fits = number and math.isfinite(value)
        if not fits:
            raise StrategyError(
                f"{function}: {parameter} is {value!r}; give {type(default).__name__}, as its default {default!r}",
                function=function, parameter=parameter, value=value,
            )  # fmt: skip
        return type(default)(value) if number and default is not None else value

    return check


def measured_first(
    name: str, rows: Callable[..., None], inputs: list[str], outputs: int, parameters: tuple[Any, ...]
) -> tuple[int, ...]:
    """Find the first values on made bars, longer and longer ones until each output has one."""
    count = 64
    while True:
        wave: Floats = 100.0 + np.sin(np.arange(count, dtype=np.float64)) + 0.01 * np.arange(count)
        made: dict[str, Floats] = {
            "high": wave + 1.0,
            "low": wave - 1.0,
            "ts": 6e10 * np.arange(count, dtype=np.float64),
        }
        out = tuple(np.empty(count) for _ in range(outputs))
        rows(Rows({one: made.get(one, wave) for one in inputs}, out), *parameters)
        there = [np.isfinite(line) for line in out]
        if all(line.any() for line in there) or count >= _LONGEST_WARM_UP:
            return tuple(int(np.argmax(line)) if line.any() else count for line in there)
        count *= 4
