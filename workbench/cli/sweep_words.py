"""What `--grid` and `--where` say: values of parameters, and comparisons between them. Nothing is evaluated as code."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.strategy.strategy import SignalStrategy

__all__ = ["grid_of_words", "where_of_words"]

_MOST: Final = 1_000_000
_NONE: Final = ("none", "")
_FLAGS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_SIGNS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?"
_SIDE: Final = re.compile(rf"(?:({_NUMBER})\s*\*\s*)?([A-Za-z_]\w*)|(-?{_NUMBER})")
_COMPARISON: Final = re.compile(r"(.+?)\s*(<=|>=|==|!=|<|>)\s*(.+)")


def grid_of_words(strategy: SignalStrategy, words: Sequence[str]) -> dict[str, list[Any]]:
    """Read NAME=VALUES: `5:55` and `5:55:5` leave the end out as Python's range does, `a,b,c` is a list.

    Raises
    ------
    ConfigError
        It cannot be read, or a name stands twice; an unknown name is left for the sweep to refuse.
    """
    from workbench.research.sweeping.names import known_names, parameter_of

    grid: dict[str, list[Any]] = {}
    for word in words:
        name, mark, text = (part.strip() for part in word.partition("="))
        if not mark or not name or not text:
            raise ConfigError(
                f"--grid {word!r}: write a name, = and values, such as fast=5:55, fast=5:55:5 or fast=5,10,20"
            )
        if name in grid:
            raise ConfigError(f"--grid {name} stands twice; give all its values at once", name=name)
        if name not in known_names(strategy):
            grid[name] = [text]
            continue
        kind = parameter_of(strategy, name).kind
        parts = text.split(":")
        if len(parts) in (2, 3) and kind in (int, float):
            grid[name] = _range(word, parts, kind)
        else:
            grid[name] = [_value(one.strip(), kind) for one in text.split(",")]
    return grid


def _range(word: str, parts: Sequence[str], kind: type) -> list[Any]:
    try:
        numbers = [kind(part) for part in parts]
    except ValueError:
        raise ConfigError(f"--grid {word!r}: {':'.join(parts)} is no range; write from:to or from:to:step") from None
    low, high, step = numbers if len(numbers) == 3 else (*numbers, kind(1))
    if len(numbers) == 2 and kind is float:
        raise ConfigError(f"--grid {word!r}: a range of numbers with a fraction needs a step, such as 0.01:0.1:0.01")
    if not step > 0 or not high > low or not (high - low) / step <= _MOST:
        raise ConfigError(f"--grid {word!r}: a range goes up, by a step above 0, with at most {_MOST:,} values")
    if kind is int:
        return list(range(low, high, step))
    count = int((high - low) / step + 1e-9)
    found = [round(low + step * place, 12) for place in range(count + 1)]
    return [one for one in found if one < high - step * 1e-9]


def _value(text: str, kind: type) -> Any:
    """Read one value; what cannot be read so is left for the strategy to refuse."""
    if text.lower() in _NONE:
        return None
    if kind is bool:
        return _FLAGS.get(text.lower(), text)
    try:
        return kind(text)
    except ValueError:
        return text


def where_of_words(text: str | None) -> Callable[[Mapping[str, Any]], Any] | None:
    """Read comparisons joined by `and`: sides are a name, a number, or a number times a name.

    Raises
    ------
    ConfigError
        It is something else.
    """
    if text is None:
        return None
    tests = []
    for part in re.split(r"\s+and\s+", text.strip()):
        found = _COMPARISON.fullmatch(part)
        sides = [_SIDE.fullmatch(found[place].strip()) for place in (1, 3)] if found else []
        if found is None or None in sides:
            raise ConfigError(
                f'--where {text!r}: {part!r} cannot be read; compare names and numbers, such as "fast < slow and '
                'slow <= 3 * fast"', where=text,
            )  # fmt: skip
        tests.append((_side(sides[0]), _SIGNS[found[2]], _side(sides[1])))

    def keep(row: Mapping[str, Any]) -> Any:
        kept = True
        for left, compare, right in tests:
            kept = kept & compare(left(row), right(row))
        return kept

    return keep


def _side(found: Any) -> Callable[[Mapping[str, Any]], Any]:
    times, name, number = found.groups()
    if number is not None:
        return lambda row: float(number)
    factor = None if times is None else float(times)

    def side(row: Mapping[str, Any]) -> Any:
        if name not in row:
            raise ConfigError(f"--where: {name!r} is not varied; what is varied is {', '.join(row)}", name=name)
        return row[name] if factor is None else factor * row[name]

    return side
