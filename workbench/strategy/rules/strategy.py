"""`RuleStrategy`: the strategy class that a rule file becomes. It says its signals like one in code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from workbench.errors import StrategyError, WorkbenchError
from workbench.market.bars import Bars
from workbench.strategy.protections import Protection
from workbench.strategy.rules.arrays import Frame, constants, on_bars
from workbench.strategy.rules.guards import protection
from workbench.strategy.rules.mistakes import Mistake, Place
from workbench.strategy.rules.nodes import Call, Lasting, Moving, Part, Recent, Setting, Shift, Value, walk
from workbench.strategy.rules.plan import SIDES, STOPS, Guard, RuleFile
from workbench.strategy.rules.position import follow
from workbench.strategy.rules.scope import indicator_of, is_number
from workbench.strategy.rules.stopping import Stopping
from workbench.strategy.rules.warming import first_known
from workbench.strategy.signals import Signals, checked_ladder, checked_limit
from workbench.strategy.strategy import SignalStrategy

__all__ = ["RuleStrategy", "wrong_numbers"]


class RuleStrategy(SignalStrategy):
    """Base of the classes that `load_rules` makes.

    Attributes
    ----------
    file : RuleFile
        What the file says.
    """

    file: ClassVar[RuleFile]

    def validate(self) -> None:
        """Hold the parameters to what indicators, stops and `require:` take."""
        for place, message in wrong_numbers(self.file, self.parameters):
            raise StrategyError(f"{type(self).__name__}: {message} (line {place.line} of {self.file.path.name})")

    @property
    def warm_up(self) -> int:  # type: ignore[override]
        """Bars before every column of the file has a value, or what the file asks for where that is more."""
        return first_known(self.file, self.parameters)

    @property
    def protections(self) -> Sequence[Protection]:  # type: ignore[override]
        """What the file says under `protections:`."""
        return tuple(protection(one, _numbers_of(one, self._constants())) for one in self.file.guards)

    @property
    def leverage(self) -> float:  # type: ignore[override]
        """What the file says under `leverage:`, 1 where it says nothing."""
        return 1.0 if self.file.leverage is None else float(self._constants().value(self.file.leverage))

    def _constants(self) -> Frame:
        return constants(self.file, self.parameters)

    def signals(self, bars: Bars) -> Signals:
        """Say what the rules say on each bar."""
        file, count = self.file, len(bars)
        frame = Frame(bars, self.parameters, file)
        stops = {name: _number(frame.value(value), count) for name, value in file.stops.items()}
        size = None if file.size is None else _number(frame.value(file.size), count)
        roi = {minutes: float(frame.value(level)) for minutes, level in sorted(file.roi)}
        max_bars = None if file.max_bars is None else _limit(frame.value(file.max_bars))
        if file.follows_position:
            sides = {name: file.sides.get(name) for name in SIDES}
            said = follow(frame, sides, self.warm_up, self._most(max_bars), self._stopping(bars, stops, roi))
        else:
            said = {name: on_bars(frame.holds(one), count, np.bool_) for name, one in file.sides.items()}
        _wait_for(said, [*stops.values(), size])
        return Signals(
            entry=said.pop("entry", np.zeros(count, dtype=np.bool_)),
            **said,
            **stops,
            size=size,
            size_unit=file.size_unit,
            roi=roi or None,
            max_bars=max_bars,
        )

    def _most(self, max_bars: int | None) -> int:
        """Give the time limit that holds: of the rules, or else of a parameter of that name; 0 for none."""
        return max_bars or self.max_bars or 0

    def _stopping(self, bars: Bars, said: Mapping[str, Any], roi: Mapping[float, float]) -> Stopping:
        """Give the stops that hold: those of the rules, and parameters that are called like one."""
        own = {name: self.parameters.get(name) for name in STOPS if said.get(name) is None}
        given = {**said, **own}
        return Stopping(bars=bars, stops={name: one for name, one in given.items() if one is not None}, roi=roi)


def _number(value: Any, count: int) -> Any:
    """Give a column, or one number; a parameter that is switched off is none."""
    if isinstance(value, np.ndarray):
        return value
    return None if np.isnan(value) else float(value)


def _limit(value: Any) -> int | None:
    return None if isinstance(value, float) and np.isnan(value) else int(value)


def _wait_for(said: dict[str, Any], needed: Sequence[Any]) -> None:
    """Let no entry be made whose stop or size is not known yet."""
    for values in needed:
        if isinstance(values, np.ndarray):
            known = ~np.isnan(values)
            for name in ("entry", "short_entry"):
                if name in said:
                    said[name] = said[name] & known


def _numbers_of(guard: Guard, fixed: Frame) -> dict[str, Any]:
    return {name: fixed.value(value) if isinstance(value, Value) else value for name, value in guard.settings}


def wrong_numbers(file: RuleFile, parameters: dict[str, Any]) -> Iterator[tuple[Place, str]]:
    """Find what parameters make wrong: lengths, stops, sizes, and what the file requires of them.

    Yields
    ------
    (Place, str)
        Where in the file, and what is wrong there.
    """
    fixed = constants(file, parameters)
    for one in file.required:
        if not fixed.holds(one.condition):
            shown = ", ".join(f"{name} = {parameters[name]!r}" for name in _settings_in(one.condition))
            yield one.condition.place, f"{shown} is not what the file requires: {one.text}"
            return
    for part in file.everything():
        try:
            _check_part(part, fixed)
        except Mistake as mistake:
            yield mistake.place, str(mistake)
        except WorkbenchError as error:
            yield part.place, str(error)
    yield from _wrong_exits(file, fixed)


def _settings_in(part: Part) -> list[str]:
    return list(dict.fromkeys(one.name for one in walk(part) if isinstance(one, Setting)))


def _check_part(part: Part, fixed: Frame) -> None:
    if isinstance(part, Call):
        given = {name: fixed.value(value) for name, value in part.settings}
        indicator_of(part.indicator, part.place).parameters(**given)
    if isinstance(part, (Shift, Lasting, Recent, Moving)):
        bars = fixed.value(part.bars)
        if not isinstance(bars, int) or isinstance(bars, bool) or not 1 <= bars <= 1_000_000:
            what = "close[1]" if isinstance(part, Shift) else "for 3 bars"
            raise Mistake(
                f"{bars!r} is no number of bars; give a whole number of at least 1, as in {what}", part.bars.place
            )


def _wrong_exits(file: RuleFile, fixed: Frame) -> Iterator[tuple[Place, str]]:
    for name, value in file.stops.items():
        if is_number(value):
            yield from _attempt(value.place, lambda name=name, value=value: _one_stop(name, fixed.value(value)))
    if file.size is not None and is_number(file.size):
        size = fixed.value(file.size)
        yield from _attempt(file.size.place, lambda: Signals(entry=[True], size=size, size_unit=file.size_unit))
    if file.max_bars is not None:
        limit = fixed.value(file.max_bars)
        limit = None if isinstance(limit, float) and np.isnan(limit) else limit
        yield from _attempt(file.max_bars.place, lambda: checked_limit("stops", limit))
    for minutes, level in file.roi:
        yield from _attempt(level.place, lambda m=minutes, v=level: checked_ladder("stops", {m: fixed.value(v)}))
    for guard in file.guards:
        yield from _attempt(guard.place, lambda one=guard: protection(one, _numbers_of(one, fixed)))
    if file.leverage is not None and not fixed.value(file.leverage) > 0:
        yield file.leverage.place, f"leverage is {fixed.value(file.leverage)!r}; give a number above 0"
    if file.warm_up is not None and not isinstance(fixed.value(file.warm_up), int):
        yield file.warm_up.place, f"warm_up is {fixed.value(file.warm_up)!r}; give a whole number of bars"


def _one_stop(name: str, value: Any) -> None:
    Signals(entry=[True], **{name: value})


def _attempt(place: Place, make: Any) -> Iterator[tuple[Place, str]]:
    try:
        make()
    except WorkbenchError as error:
        yield place, str(error)
