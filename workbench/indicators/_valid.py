"""Checks of parameters that several indicators share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.errors import StrategyError
from workbench.indicators._array import whole

__all__ = ["at_least", "between"]


def at_least(fewest: int) -> Callable[[int], str | None]:
    """Make an `Indicator.check` of a single length that must not be shorter."""

    def check(length: int) -> str | None:
        return f"length is {length}; give at least {fewest} bars" if length < fewest else None

    return check


def between(lowest: int, highest: int) -> Callable[[str, str, Any], int]:
    """Make an `Indicator.valid` of a whole number within bounds."""

    def valid(function: str, parameter: str, value: Any) -> int:
        number = whole(function, parameter, value)
        if not lowest <= number <= highest:
            raise StrategyError(
                f"{function}: {parameter} is {value!r}; give a whole number from {lowest} to {highest}",
                function=function, parameter=parameter, value=value,
            )  # fmt: skip
        return number

    return valid
