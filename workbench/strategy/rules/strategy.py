"""`RuleStrategy`: the strategy class that a rule file becomes. It says its signals like one in code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from workbench.errors import StrategyError
from workbench.market.bars import Bars
from workbench.market.timeframe import Timeframe
from workbench.risk.sizing import Sizing
from workbench.strategy.protections import Protection
from workbench.strategy.rules.arrays import Frame, constants, on_bars
from workbench.strategy.rules.guards import protection
from workbench.strategy.rules.limits import Check, numbers_of, wrong_numbers
from workbench.strategy.rules.plan import SIDES, STOPS, RuleFile
from workbench.strategy.rules.position import follow
from workbench.strategy.rules.sizes import sizing_from
from workbench.strategy.rules.stopping import Stopping
from workbench.strategy.rules.warming import first_known
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy

__all__ = ["RuleStrategy"]


class RuleStrategy(SignalStrategy):
    """Base of the classes that `load_rules` makes.

    Attributes
    ----------
    file : RuleFile
        What the file says.
    checks : tuple of Check
        What its parameters have a part in.
    """

    file: ClassVar[RuleFile]
    checks: ClassVar[tuple[Check, ...]] = ()

    def validate(self) -> None:
        """Hold the parameters to what indicators, stops and `require:` take."""
        for place, message in wrong_numbers(self.file, self.checks, self.parameters):
            raise StrategyError(f"{type(self).__name__}: {message} (line {place.line} of {self.file.path.name})")

    @property
    def warm_up(self) -> int:  # type: ignore[override]
        """Bars before every column of the file has a value, or what the file asks for where that is more."""
        return first_known(self.file, self.parameters)

    def warm_up_on(self, timeframe: Timeframe) -> int:
        """Give the same for bars of a timeframe, of which longer ones hold many."""
        return first_known(self.file, self.parameters, timeframe)

    @property
    def protections(self) -> Sequence[Protection]:  # type: ignore[override]
        """What the file says under `protections:`."""
        return tuple(protection(one, numbers_of(one, self._constants())) for one in self.file.guards)

    @property
    def sizing(self) -> Sizing | None:  # type: ignore[override]
        """What the file says under `sizing:`."""
        return None if self.file.sizing is None else sizing_from(self.file.sizing, self._constants())

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
            said = follow(
                frame, sides, self.warm_up_on(bars.timeframe), self._most(max_bars), self._stopping(bars, stops, roi)
            )
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
