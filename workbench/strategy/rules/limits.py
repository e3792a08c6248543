"""What the numbers of a file must keep to once its parameters have values: lengths, stops, sizes and `require:`.

The checks are gathered once a file. All are made when it is loaded; whenever a strategy is made, those that its
parameters have a part in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from workbench.errors import WorkbenchError
from workbench.strategy.rules.arrays import Frame, constants
from workbench.strategy.rules.guards import protection
from workbench.strategy.rules.mistakes import Mistake, Place
from workbench.strategy.rules.nodes import Call, Flag, Lasting, Moving, Part, Recent, Setting, Shift, Value, walk
from workbench.strategy.rules.plan import Guard, Required, RuleFile, Size
from workbench.strategy.rules.scope import indicator_of, is_number
from workbench.strategy.rules.sizes import sizing_from
from workbench.strategy.signals import Signals, SizeUnit, checked_ladder, checked_limit

__all__ = ["Check", "checks_of", "numbers_of", "wrong_numbers"]

_MOST_BARS = 1_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """One check: where its numbers stand, what makes it, and whether parameters have a part in it."""

    place: Place
    run: Callable[[Frame], Any]
    chosen: bool
    first: bool = False


def checks_of(file: RuleFile) -> tuple[Check, ...]:
    """Gather the checks of a file, what it requires of its parameters first."""
    found = [Check(one.condition.place, partial(_keeps, one), True, first=True) for one in file.required]
    for part in dict.fromkeys(file.everything()):
        if isinstance(part, Call):
            found.append(_check(part.place, partial(_fits, part), (value for _, value in part.settings)))
        if isinstance(part, (Shift, Lasting, Recent, Moving)):
            found.append(_check(part.bars.place, partial(_is_bars, part), [part.bars]))
    for name, value in file.stops.items():
        if is_number(value):
            found.append(_check(value.place, partial(_is_stop, name, value), [value]))
    if file.size is not None and is_number(file.size):
        found.append(_check(file.size.place, partial(_is_size, file.size, file.size_unit), [file.size]))
    for minutes, level in file.roi:
        found.append(_check(level.place, partial(_is_rung, minutes, level), [level]))
    for guard in file.guards:
        values = [value for _, value in guard.settings if isinstance(value, Value)]
        found.append(_check(guard.place, partial(_is_guard, guard), values))
    if file.sizing is not None:
        found.append(_check(file.sizing.place, partial(_is_sizing, file.sizing), file.sizing.values()))
    for number, run in ((file.max_bars, _is_limit), (file.leverage, _is_leverage), (file.warm_up, _is_warm_up)):
        if number is not None:
            found.append(_check(number.place, partial(run, number), [number]))
    return tuple(found)


def _check(place: Place, run: Callable[[Frame], Any], values: Iterable[Part]) -> Check:
    return Check(place, run, any(isinstance(one, (Setting, Flag)) for value in values for one in walk(value)))


def wrong_numbers(
    file: RuleFile, checks: Sequence[Check], parameters: Mapping[str, Any]
) -> Iterator[tuple[Place, str]]:
    """Find what the values of parameters make wrong.

    Parameters
    ----------
    file : RuleFile
    checks : sequence of Check
        Of this file, all or some.
    parameters : mapping of str to value

    Yields
    ------
    (Place, str)
        Where in the file, and what is wrong there; nothing after a requirement that is not kept.
    """
    fixed = constants(file, parameters)
    for check in checks:
        try:
            check.run(fixed)
        except Mistake as mistake:
            yield mistake.place, str(mistake)
        except WorkbenchError as error:
            yield check.place, str(error)
        else:
            continue
        if check.first:
            return


def numbers_of(guard: Guard, fixed: Frame) -> dict[str, Any]:
    """Give the numbers of a protection by name."""
    return {name: fixed.value(value) if isinstance(value, Value) else value for name, value in guard.settings}


def _keeps(one: Required, fixed: Frame) -> None:
    if not fixed.holds(one.condition):
        names = dict.fromkeys(part.name for part in walk(one.condition) if isinstance(part, (Setting, Flag)))
        shown = ", ".join(f"{name} = {fixed.settings[name]!r}" for name in names)
        raise Mistake(f"{shown} is not what the file requires: {one.text}", one.condition.place)


def _fits(part: Call, fixed: Frame) -> None:
    given = {name: fixed.value(value) for name, value in part.settings}
    indicator_of(part.indicator, part.place).parameters(**given)


def _is_bars(part: Shift | Lasting | Recent | Moving, fixed: Frame) -> None:
    bars = fixed.value(part.bars)
    if not isinstance(bars, int) or isinstance(bars, bool) or not 1 <= bars <= _MOST_BARS:
        example = "close[1]" if isinstance(part, Shift) else "for 3 bars"
        said = f"{bars!r} is no number of bars; give a whole number of at least 1, as in {example}"
        raise Mistake(said, part.bars.place)


def _is_stop(name: str, value: Value, fixed: Frame) -> None:
    distance = fixed.value(value)
    if not 0.0 < distance < 1.0:  # what is not plainly right is left to Signals, which knows each of them
        Signals(entry=[True], **{name: distance})


def _is_size(value: Value, unit: SizeUnit, fixed: Frame) -> None:
    size = fixed.value(value)
    if not 0.0 < size <= 1.0:
        Signals(entry=[True], size=size, size_unit=unit)


def _is_rung(minutes: float, level: Value, fixed: Frame) -> None:
    checked_ladder("stops", {minutes: fixed.value(level)})


def _is_guard(guard: Guard, fixed: Frame) -> None:
    protection(guard, numbers_of(guard, fixed))


def _is_sizing(size: Size, fixed: Frame) -> None:
    sizing_from(size, fixed)


def _is_limit(value: Value, fixed: Frame) -> None:
    limit = fixed.value(value)
    checked_limit("stops", None if isinstance(limit, float) and np.isnan(limit) else limit)


def _is_leverage(value: Value, fixed: Frame) -> None:
    if not fixed.value(value) > 0:
        raise Mistake(f"leverage is {fixed.value(value)!r}; give a number above 0", value.place)


def _is_warm_up(value: Value, fixed: Frame) -> None:
    if not isinstance(fixed.value(value), int):
        raise Mistake(f"warm_up is {fixed.value(value)!r}; give a whole number of bars", value.place)
