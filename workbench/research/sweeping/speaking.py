"""What combinations say, each made `Compact` as cheaply as the strategy allows.

A strategy in code is recorded as a graph (`recording`) where that is possible, a rule file is worked out by its own
parts; both share what combinations have in common through a `Sheet`. Any other strategy is asked as a backtest asks it.
All three say the same bit for bit (tested over every strategy that is bundled).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.kernel import pack_nb
from workbench.errors import StrategyError
from workbench.indicators import compare
from workbench.indicators.indicator import RECORDER, Indicator
from workbench.market.bars import Bars
from workbench.research.sweeping.crossing import Line, line_of
from workbench.research.sweeping.engine import Compact
from workbench.research.sweeping.manner import CLOSES, NUMBERS, Manner, Settings, checked, is_none, plain, varied
from workbench.research.sweeping.recording import Recorded, Setting, Unrecordable, record
from workbench.research.sweeping.rule_speaker import RuleSpeaker
from workbench.research.sweeping.sheet import Sheet
from workbench.strategy.rules.nodes import Setting as RuleSetting
from workbench.strategy.rules.nodes import walk
from workbench.strategy.rules.plan import SIDES
from workbench.strategy.rules.strategy import RuleStrategy
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy, signals_of, warm_up_of

__all__ = ["Crossing", "GroupedSpeaker", "Lines", "PlainSpeaker", "RecordedSpeaker", "Speaker", "speaker_of"]


class Speaker(Protocol):
    """Says what each combination says."""

    kind: str
    manner: Manner

    def speak(self, settings: Settings) -> Compact | None:
        """Give what a combination says; None for one that has to be backtested by itself.

        Raises
        ------
        StrategyError
            The strategy does not take these parameters.
        """


class PlainSpeaker:
    """Asks the strategy as a backtest does; indicators with the same parameters are computed once."""

    kind = "asked"

    def __init__(self, strategy: SignalStrategy, bars: Bars, sheet: Sheet, manner: Manner) -> None:
        self._strategy, self._bars, self._sheet, self.manner = strategy, bars, sheet, manner
        self._shares = True

    def speak(self, settings: Settings) -> Compact | None:
        """See `Speaker`."""
        strategy = varied(self._strategy, settings)
        return compact_of(self._said(strategy), self.manner, settings)

    def _said(self, strategy: SignalStrategy) -> Signals:
        if self._shares:
            token = RECORDER.set(self._remembered)
            try:
                return signals_of(strategy, self._bars)
            except StrategyError:
                pass  # it may be that it writes into what an indicator gave, which others share
            finally:
                RECORDER.reset(token)
        said = signals_of(strategy, self._bars)
        self._shares = False
        return said

    def _remembered(self, what: Any, given: tuple[Any, ...]) -> Any:
        if not isinstance(what, Indicator):
            return NotImplemented
        columns = [getattr(self._bars, name) for name in ("open", "high", "low", "close", "volume")]
        inputs, parameters = given[: len(what.inputs)], given[len(what.inputs) :]
        places = [next((k for k, one in enumerate(columns) if one is value), -1) for value in inputs]
        if -1 in places or not all(isinstance(one, int | float | str | None) for one in parameters):
            return NotImplemented
        return self._sheet.get((what.name, *places, *parameters), lambda: _computed(what, given))


def _computed(indicator: Indicator, given: tuple[Any, ...]) -> Any:
    token = RECORDER.set(None)
    try:
        found = indicator(*given)
    finally:
        RECORDER.reset(token)
    for column in found if isinstance(found, tuple) else (found,):
        column.flags.writeable = False  # it is shared from now on
    return found


def compact_of(said: Signals, manner: Manner, settings: Settings) -> Compact | None:
    """Pack signals; None where what they ask for differs from bar to bar, or from combination to combination."""
    numbers = {name: getattr(said, name) for name in NUMBERS}
    if any(len(one) > 1 for one in numbers.values()) or not np.isnan(said.stop_price).all():
        return None
    if said.size_unit != manner.size_unit or said.roi != manner.roi:
        return None
    packed = np.empty(len(said), dtype=np.uint8)
    pack_nb(said.entry, said.exit, said.short_entry, said.short_exit, packed)
    found = {name: float(one[0]) for name, one in numbers.items()}
    if "size" in settings:
        found["size"] = checked("size", float(settings["size"]), manner)
    return Compact(said=packed, max_bars=said.max_bars or 0, **found)


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """A strategy that is long while one line is above another: the two, as nodes of its graph."""

    fast: int
    slow: int


class Lines(NamedTuple):
    """The lines of combinations: nodes and the parameters of each, which two a combination has, and its warm-up."""

    asked: list[tuple[int, Settings]]
    pairs: NDArray[np.int64]
    warm_up: NDArray[np.int64]


class RecordedSpeaker:
    """Works combinations out from the graph of a strategy."""

    kind = "recorded"

    def __init__(self, strategy: SignalStrategy, bars: Bars, sheet: Sheet, recorded: Recorded) -> None:
        self._strategy, self._bars, self._sheet = strategy, bars, sheet
        self.recorded, self._graph = recorded, recorded.graph
        self.manner = Manner(size_unit=recorded.size_unit, roi=recorded.roi)
        self._mark = object()  # what tells the columns of this graph from those of another in the same sheet

    def value(self, part: Any, settings: Settings) -> Any:
        """Give what a part is in a combination: a column, or a number."""
        if type(part) is Setting:
            return settings[part.name]
        if type(part) is tuple:
            return getattr(part[1], "array", part[1])
        node = self._graph.nodes[part]
        return self._sheet.get((self._mark, *self.key(part, settings)), lambda: self._made(node, settings))

    def _made(self, node: Any, settings: Settings) -> Any:
        what, values = node.what, [self.value(one, settings) for one in node.parts]
        if isinstance(what, Indicator):
            return what(*values)
        kind, name = what
        if kind == "price":
            return getattr(self._bars, name)
        if kind == "ufunc":
            return getattr(np, name)(*values)
        if kind == "compare":
            return getattr(compare, name)(*values)
        return values[0][name] if kind == "output" else values[0]

    def warm_up(self, settings: Settings) -> int:
        """Give the bars before which nothing counts."""
        part = self.recorded.warm_up
        if part is None:
            return warm_up_of(varied(self._strategy, settings), self._bars.timeframe)
        return int(self.value(part, settings))

    @property
    def crossing(self) -> Crossing | None:
        """The two lines, where the strategy is nothing but their crosses; else None."""
        said, nodes = self.recorded.said, self._graph.nodes
        if set(said) != {"entry", "exit"} or self.recorded.roi:
            return None
        entry, leave = (nodes[said[name]] if type(said[name]) is int else None for name in ("entry", "exit"))
        if entry is None or leave is None or entry.parts != leave.parts:
            return None
        if entry.what != ("compare", "crosses_above") or leave.what != ("compare", "crosses_below"):
            return None
        fast, slow = entry.parts
        return Crossing(fast=fast, slow=slow) if type(fast) is type(slow) is int else None

    def line(self, node: int, settings: Settings) -> Line:
        """Give one of `Lines.asked`."""
        key = (self._mark, "line", *self.key(node, settings))
        return cast(Line, self._sheet.get(key, lambda: line_of(self._made(self._graph.nodes[node], settings))))

    def lines(self, crossing: Crossing, columns: Mapping[str, list[Any]], places: Sequence[int]) -> Lines:
        """Give the lines of combinations that are crosses; those of equal parts are one."""
        asked: list[tuple[int, Settings]] = []
        numbers: dict[Any, int] = {}
        pairs = np.empty((len(places), 2), dtype=np.int64)

        def number(node: int, settings: Settings) -> int:
            key = self.key(node, settings)
            if key not in numbers:
                numbers[key] = len(asked)
                asked.append((node, settings))
            return numbers[key]

        for side, node in enumerate((crossing.fast, crossing.slow)):
            needs = self._graph.nodes[node].needs
            pairs[:, side] = _each(partial(number, node), needs, columns, places)
        part = self.recorded.warm_up
        names = tuple(columns) if part is None else self._needs(part)
        return Lines(asked, pairs, np.array(_each(self.warm_up, names, columns, places), dtype=np.int64))

    def key(self, node: int, settings: Settings) -> tuple[Any, ...]:
        """Give what tells a column from another: what is done, to what; whose parameters these are does not matter."""
        what, parts, _ = self._graph.nodes[node]
        return (what if isinstance(what, tuple) else id(what), *(self._told(one, settings) for one in parts))

    def _told(self, part: Any, settings: Settings) -> tuple[Any, ...]:
        if type(part) is int:
            return self.key(part, settings)
        value = settings[part.name] if type(part) is Setting else part[1]
        return type(value).__name__, value

    def _needs(self, part: Any) -> tuple[str, ...]:
        """The parameters on which a part depends."""
        if type(part) is int:
            return self._graph.nodes[part].needs
        return (part.name,) if type(part) is Setting else ()

    def speak(self, settings: Settings) -> Compact | None:
        """See `Speaker`."""
        warm = self.warm_up(settings)
        key = (self._mark, "said", warm, *(settings[name] for name in self._said_needs))
        return Compact(said=self._sheet.get(key, lambda: self._packed(settings, warm)), **self._numbers(settings))

    @cached_property
    def _said_needs(self) -> tuple[str, ...]:
        """The parameters on which signals depend."""
        parts = (self.recorded.said[name] for name in SIDES if name in self.recorded.said)
        return tuple(dict.fromkeys(name for part in parts for name in self._needs(part)))

    def _packed(self, settings: Settings, warm: int) -> NDArray[np.uint8]:
        said, bars = self.recorded.said, len(self._bars)
        sides: list[NDArray[np.bool_]] = []
        for name in SIDES:
            flags = self.value(said[name], settings) if name in said else False
            if isinstance(flags, np.ndarray) and flags.dtype != np.bool_:
                raise StrategyError(f"{name} holds {flags.dtype} values, not bool")
            sides.append(flags if isinstance(flags, np.ndarray) else np.full(bars, bool(flags)))
        packed = np.empty(bars, dtype=np.uint8)
        pack_nb(sides[0], sides[1], sides[2], sides[3], packed)
        packed[:warm] = CLOSES
        return packed

    def _numbers(self, settings: Settings) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in NUMBERS:
            part = self.recorded.said.get(name)
            value = settings[name] if name == "size" and "size" in settings else None
            value = self.value(part, settings) if value is None and part is not None else value
            if value is not None and not is_none(value):
                found[name] = checked(name, float(value), self.manner)
        limit = self.recorded.said.get("max_bars")
        limit = None if limit is None else plain(self.value(limit, settings))
        return {**found, "max_bars": 0 if limit is None else int(limit)}


def _each(
    ask: Callable[[Settings], int], names: Sequence[str], columns: Mapping[str, list[Any]], places: Sequence[int]
) -> list[int]:
    """Ask of combinations what depends on some of their parameters, of those that have these in common once."""
    if not names:
        return [ask({})] * len(places)
    told = list(zip(*([columns[name][k] for k in places] for name in names), strict=True))
    found = {one: ask(dict(zip(names, one, strict=True))) for one in dict.fromkeys(told)}
    return [found[one] for one in told]


class GroupedSpeaker:
    """Records a strategy anew for each value of the parameters that cannot stay open."""

    kind = "recorded"

    def __init__(self, strategy: SignalStrategy, bars: Bars, sheet: Sheet, fixed: tuple[str, ...]) -> None:
        self._strategy, self._bars, self._sheet, self._fixed = strategy, bars, sheet, fixed
        self._made: dict[tuple[Any, ...], RecordedSpeaker] = {}
        self.manner = Manner()

    def of(self, settings: Settings) -> RecordedSpeaker:
        """Give the speaker for the fixed values of a combination; `Unrecordable` where there is none."""
        left_out = tuple(name for name in settings if name not in self._fixed and is_none(settings[name]))
        key = (left_out, *(settings[name] for name in self._fixed))
        if key not in self._made:
            closed = {name: settings[name] for name in (*self._fixed, *left_out)}
            apart = {*closed, *({"size"} - set(self._strategy.declared))}
            opened = [name for name in settings if name not in apart]
            recorded = record(varied(self._strategy, closed), self._bars, opened)
            self._made[key] = RecordedSpeaker(self._strategy, self._bars, self._sheet, recorded)
        return self._made[key]

    def speak(self, settings: Settings) -> Compact | None:
        """See `Speaker`."""
        try:
            own = self.of(settings)
        except Unrecordable:
            return None
        return own.speak(settings) if own.manner == self.manner else None

    def crossing(self, settings: Settings) -> tuple[RecordedSpeaker, Crossing] | None:
        """Give the two lines, where nothing is fixed and the strategy is nothing but their crosses."""
        if self._fixed or any(is_none(value) for value in settings.values()):
            return None
        own = self.of(settings)
        found = own.crossing
        return None if found is None else (own, found)


def speaker_of(strategy: SignalStrategy, bars: Bars, samples: Sequence[Settings], sheet: Sheet) -> Speaker:
    """Give the cheapest speaker that says what the strategy says.

    Parameters
    ----------
    strategy : SignalStrategy
    bars : Bars
    samples : sequence of mapping
        Some of the combinations, on which speakers are compared with the strategy itself.
    sheet : Sheet

    Returns
    -------
    Speaker

    Raises
    ------
    StrategyError
        The strategy takes none of the samples.
    """
    plain = signals_of(varied(strategy, samples[0]), bars)
    manner = Manner(size_unit=plain.size_unit, roi=plain.roi)
    asked = PlainSpeaker(strategy, bars, sheet, manner)
    made = _cheaper(strategy, bars, samples[0], sheet, manner)
    said = [compact_of(plain, manner, samples[0]), *(asked.speak(one) for one in samples[1:])]
    return made if made is not None and all(map(partial(_agree, made), said, samples)) else asked


def _cheaper(
    strategy: SignalStrategy, bars: Bars, sample: Settings, sheet: Sheet, manner: Manner
) -> RuleSpeaker | GroupedSpeaker | None:
    if isinstance(strategy, RuleStrategy):
        file = strategy.file
        open_ladder = any(isinstance(one, RuleSetting) for _, level in file.roi for one in walk(level))
        known = not (file.follows_position or "stop_price" in file.stops or open_ladder)
        return RuleSpeaker(strategy, bars, sheet, manner) if known else None
    fixed = [name for name, value in sample.items() if isinstance(value, bool | str)]
    while True:
        made = GroupedSpeaker(strategy, bars, sheet, tuple(fixed))
        made.manner = manner
        try:
            made.of(sample)
        except Unrecordable as error:
            if error.setting not in sample or error.setting in fixed:
                return None
            fixed.append(error.setting)
        else:
            return made


def _agree(made: Speaker, other: Compact | None, settings: Settings) -> bool:
    """Hold a speaker to what the strategy says of a combination: one that says anything else is not used."""
    one = made.speak(settings)
    if one is None or other is None:
        return one is other
    numbers = ((getattr(one, name), getattr(other, name)) for name in (*NUMBERS, "max_bars"))
    return np.array_equal(one.said, other.said) and all(a == b or (a != a and b != b) for a, b in numbers)
