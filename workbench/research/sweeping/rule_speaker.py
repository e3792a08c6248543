"""`RuleSpeaker`: what combinations of a rule file say, part by part, so that equal parts are worked out once."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.kernel import pack_nb
from workbench.market.bars import Bars
from workbench.research.sweeping.engine import Compact
from workbench.research.sweeping.manner import CLOSES, NUMBERS, Manner, Settings, checked, plain
from workbench.research.sweeping.sheet import Sheet
from workbench.strategy.rules.arrays import Frame, on_bars
from workbench.strategy.rules.nodes import Column, Literal, Part, walk
from workbench.strategy.rules.nodes import Setting as RuleSetting
from workbench.strategy.rules.plan import SIDES
from workbench.strategy.rules.strategy import RuleStrategy
from workbench.strategy.rules.warming import first_known

__all__ = ["RuleSpeaker", "SharedFrame"]


class SharedFrame(Frame):
    """A frame of a rule file that takes what combinations have in common from a sheet."""

    def __init__(self, bars: Bars, settings: Settings, speaker: RuleSpeaker) -> None:
        super().__init__(bars, settings, speaker.file)
        self._speaker = speaker

    def value(self, part: Any) -> Any:
        """Give an expression; see `Frame.value`."""
        own = super().value
        if type(part) is RuleSetting:
            return own(part)
        return self._speaker.sheet.get(self._speaker.key(part, self.settings, True), lambda: own(part))

    def holds(self, part: Any, yes: bool = True) -> Any:
        """Tell where a condition holds; see `Frame.holds`."""
        own = super().holds
        return self._speaker.sheet.get(self._speaker.key(part, self.settings, yes), lambda: own(part, yes))


class RuleSpeaker:
    """Works combinations of a rule file out."""

    kind = "rules"

    def __init__(self, strategy: RuleStrategy, bars: Bars, sheet: Sheet, manner: Manner) -> None:
        self._strategy, self._bars, self.sheet = strategy, bars, sheet
        self.file, self.manner = strategy.file, manner
        self._needs: dict[Any, tuple[str, ...]] = {}
        self._mark = object()

    def needs(self, part: Part) -> tuple[str, ...]:
        """Give the parameters that a part depends on."""
        known = self._needs.get(part)
        if known is None:
            names: dict[str, None] = {}
            for one in walk(part):
                if isinstance(one, Column):
                    names.update(dict.fromkeys(self.needs(self.file.columns[one.name])))
                names.update({one.name: None} if hasattr(one, "name") and one.name in self.file.settings else {})
            known = self._needs[part] = tuple(names)
        return known

    def key(self, part: Part, settings: Settings, yes: bool) -> tuple[Any, ...]:
        """Give what tells a part of one combination from that of another."""
        return (self._mark, part, yes, *(settings[name] for name in self.needs(part)))

    def speak(self, settings: Settings) -> Compact | None:
        """See `Speaker`."""
        declared, own = self._strategy.declared, self._strategy.parameters
        whole = {**own, **{name: plain(value) for name, value in settings.items() if name in declared}}
        frame = SharedFrame(self._bars, whole, self)
        key = (self._mark, "said", *(whole[name] for name in self._said_needs))
        numbers = self._numbers(frame, {**whole, **settings})
        return None if numbers is None else Compact(said=self.sheet.get(key, lambda: self._packed(frame)), **numbers)

    @cached_property
    def _said_needs(self) -> tuple[str, ...]:
        """The parameters on which signals depend: those of the conditions, and of how long they wait.

        A stop that is a plain number is known from the first bar, whatever it is.
        """
        file = self.file
        waits = (one for one in (*file.stops.values(), file.size) if not isinstance(one, (RuleSetting, Literal)))
        parts = (*file.sides.values(), *waits, file.warm_up)
        told = (name for part in parts if part is not None for name in self.needs(part))
        return tuple(dict.fromkeys(told))

    def _packed(self, frame: Frame) -> NDArray[np.uint8]:
        sides = [
            on_bars(frame.holds(self.file.sides[name]) if name in self.file.sides else False, len(self._bars), np.bool_)
            for name in SIDES
        ]
        packed = np.empty(len(self._bars), dtype=np.uint8)
        pack_nb(sides[0], sides[1], sides[2], sides[3], packed)
        packed[: first_known(self.file, frame.settings, self._bars.timeframe)] = CLOSES
        return packed

    def _numbers(self, frame: Frame, settings: Settings) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        for name in NUMBERS:
            part = self.file.size if name == "size" else self.file.stops.get(name)
            value = frame.value(part) if part is not None else self._own(name, settings)
            value = settings["size"] if name == "size" and "size" in settings else value
            if isinstance(value, np.ndarray):
                return None
            if value is not None and not math.isnan(value):
                found[name] = checked(name, float(value), self.manner)
        limit = frame.value(self.file.max_bars) if self.file.max_bars is not None else None
        limit = self._own("max_bars", settings) if limit is None or math.isnan(limit) else limit
        return {**found, "max_bars": 0 if limit is None else int(limit)}

    def _own(self, name: str, settings: Settings) -> Any:
        """Give an exit that the file does not speak of: of the combination, else of the strategy."""
        return plain(settings[name]) if name in settings else getattr(self._strategy, name, None)
