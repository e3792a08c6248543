"""`bars_held >= 10` as an exit by itself is a time limit, which whoever trades keeps exactly, beside any stop."""

from __future__ import annotations

from dataclasses import replace

from workbench.strategy.rules.nodes import Compare, Condition, Either, Every, Holding, Value
from workbench.strategy.rules.plan import RuleFile
from workbench.strategy.rules.scope import is_number

__all__ = ["split_time_limit"]


def split_time_limit(file: RuleFile) -> RuleFile:
    """Take a time limit out of the exits, where all sides that the file trades have the same.

    Parameters
    ----------
    file : RuleFile

    Returns
    -------
    RuleFile
        With `max_bars`; or as it was, also where it has `max_bars` already.
    """
    if file.max_bars is not None:
        return file
    exits = [way_out for way_in, way_out in (("entry", "exit"), ("short_entry", "short_exit")) if way_in in file.sides]
    split = {name: _split(file.sides[name]) for name in exits if name in file.sides}
    limits = {limit for _, limit in split.values()}
    if len(split) != len(exits) or len(limits) != 1 or None in limits:
        return file
    (limit,) = limits
    sides = {name: one for name, one in file.sides.items() if name not in split}
    sides |= {name: rest for name, (rest, _) in split.items() if rest is not None}
    return replace(file, sides=sides, max_bars=limit)


def _split(condition: Condition) -> tuple[Condition | None, Value | None]:
    """Give what is left of an exit, and its time limit; None for none."""
    if isinstance(condition, Every) and len(condition.of) == 1:
        return _split(condition.of[0])
    if _is_limit(condition):
        return None, condition.right  # type: ignore[attr-defined]
    if not isinstance(condition, Either):
        return condition, None
    limits = [one.right for one in condition.of if isinstance(one, Compare) and _is_limit(one)]
    if len(limits) != 1:
        return condition, None
    rest = tuple(one for one in condition.of if not _is_limit(one))
    return (replace(condition, of=rest) if rest else None), limits[0]


def _is_limit(condition: Condition) -> bool:
    return (
        isinstance(condition, Compare)
        and condition.sign == ">="
        and condition.left == Holding("bars_held")
        and is_number(condition.right)
    )
