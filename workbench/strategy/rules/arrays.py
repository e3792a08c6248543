"""Expressions and conditions on bars: from the plain values of `nodes` to numpy arrays.

A value that is missing (NaN: a warm-up, a hole) makes a condition neither true nor false. So a comparison with it does
not hold, and neither does its contrary: `not (rsi > 30)` says nothing before there is an RSI. `holds(part, False)`
therefore works out the contrary of each comparison by itself instead of turning a result round.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import StrategyError
from workbench.indicators.compare import crosses_above, crosses_below
from workbench.market.alignment import last_closed
from workbench.market.bars import COLUMNS, Bars
from workbench.market.instrument import Instrument
from workbench.market.resampling import resample
from workbench.market.timeframe import Timeframe
from workbench.strategy.rules.clocks import local_minutes
from workbench.strategy.rules.nodes import (
    Agreement,
    Arithmetic,
    Call,
    Clock,
    Column,
    Compare,
    Condition,
    Cross,
    Either,
    Every,
    Flag,
    Function,
    Lasting,
    Literal,
    Moving,
    Not,
    On,
    Price,
    Recent,
    Setting,
    Shift,
    Value,
    Weekday,
)
from workbench.strategy.rules.plan import RuleFile
from workbench.strategy.rules.scope import indicator_of

__all__ = ["Frame", "constants", "on_bars", "shifted", "with_output"]

_CONTRARY: Final = {">": "<=", "<": ">=", ">=": "<", "<=": ">", "==": "!=", "!=": "=="}
_DAY_MINUTES: Final = 1_440


def shifted(values: Any, bars: int) -> Any:
    """Give each row what a column was some bars ago, NaN where it did not exist; a number stays what it is."""
    if not isinstance(values, np.ndarray):
        return values
    out = np.empty(len(values))
    out[:bars] = np.nan
    out[bars:] = values[:-bars]
    return out


def on_bars(values: Any, count: int, dtype: Any) -> NDArray[Any]:
    """Give one value a bar: a single one is repeated."""
    if isinstance(values, np.ndarray) and values.shape == (count,) and values.dtype == dtype:
        return values
    return np.ascontiguousarray(np.broadcast_to(np.asarray(values, dtype=dtype), (count,)))


class Frame:
    """What the expressions of a file are on some bars; each is worked out once.

    Parameters
    ----------
    bars : Bars
    settings : mapping of str to bool, int, float, str or None
        The parameters.
    file : RuleFile
        Whose expressions they are.
    """

    def __init__(self, bars: Bars, settings: Mapping[str, Any], file: RuleFile) -> None:
        self.bars, self.settings, self.file = bars, settings, file
        self._values: dict[Value, Any] = {}
        self._slower: dict[int, tuple[Frame, NDArray[np.int64]]] = {}

    def value(self, part: Value) -> Any:
        """Give an expression: a float64 array, shape (n,), or one number for all bars."""
        if part in self._values:
            return self._values[part]
        found = _VALUES[type(part)](self, part)
        if part in self.file.shared:  # what is kept without need costs more, in new memory, than it saves
            self._values[part] = found
        return found

    def holds(self, part: Condition, yes: bool = True) -> Any:
        """Tell where a condition holds (or, for `yes=False`, where its contrary does): a bool array, or one bool."""
        return _CONDITIONS[type(part)](self, part, yes)

    def whole(self, part: Value) -> int:
        """Give a number of bars."""
        return int(self.value(part))

    def rows(self) -> int:
        """How many bars there are."""
        return len(self.bars)

    def minutes(self, zone: str) -> NDArray[np.int64]:
        """When the bars open, minutes since 1970 on the clocks of a timezone."""
        return local_minutes(self.bars.ts, zone)

    def slower(self, timeframe: Timeframe) -> tuple[Frame, NDArray[np.int64]]:
        """Give the same file on longer bars, made of these, and the last of them that has closed by each of these.

        Raises
        ------
        StrategyError
            The timeframe is shorter than that of the bars.
        DataError
            It is no whole multiple.
        """
        if timeframe < self.bars.timeframe:
            raise StrategyError(
                f"the rules need bars of {timeframe} and have bars of {self.bars.timeframe}; longer bars can be made "
                "of shorter ones, and not the other way round: run the strategy on shorter bars"
            )
        if timeframe.ms not in self._slower:
            slow = resample(self.bars, timeframe)
            self._slower[timeframe.ms] = Frame(slow, self.settings, self.file), last_closed(slow, at=self.bars)
        return self._slower[timeframe.ms]


def constants(file: RuleFile, settings: Mapping[str, Any]) -> Frame:
    """Give a frame without bars, for what is made of numbers and parameters alone."""
    return Frame(_no_bars(), settings, file)


@cache
def _no_bars() -> Bars:
    none: dict[str, Any] = dict.fromkeys(COLUMNS, np.zeros(0))
    return Bars(instrument=Instrument(symbol="NONE"), timeframe=Timeframe.parse("1d"), ts=np.zeros(0, np.int64), **none)


def _literal(frame: Frame, part: Literal) -> Any:
    return part.value


def _setting(frame: Frame, part: Setting) -> Any:
    value = frame.settings[part.name]
    return np.nan if value is None else value


def _price(frame: Frame, part: Price) -> Any:
    bars = frame.bars
    if part.name == "hl2":
        return (bars.high + bars.low) / 2.0
    if part.name == "hlc3":
        return (bars.high + bars.low + bars.close) / 3.0
    if part.name == "ohlc4":
        return (bars.open + bars.high + bars.low + bars.close) / 4.0
    return bars.ts.astype(np.float64) if part.name == "ts" else getattr(bars, part.name)


def _column(frame: Frame, part: Column) -> Any:
    columns = frame.file.columns
    found = columns[part.name]
    return frame.value(found if part.output is None else with_output(found, part.output, columns))


def with_output(part: Value, output: str, columns: Mapping[str, Value]) -> Value:
    """Give one line of an indicator that has several, through the timeframe and the columns around it."""
    if isinstance(part, On):
        return On(with_output(part.of, output, columns), part.timeframe, place=part.place)
    if isinstance(part, Column):
        return with_output(columns[part.name], output, columns)
    return Call(part.indicator, part.inputs, part.settings, output) if isinstance(part, Call) else part


def _call(frame: Frame, part: Call) -> Any:
    indicator = indicator_of(part.indicator, part.place)
    inputs = [on_bars(frame.value(one), len(frame.bars), np.float64) for _, one in part.inputs]
    parameters = indicator.parameters(**{name: frame.value(one) for name, one in part.settings})
    found = indicator(*inputs, *parameters)
    if len(indicator.outputs) == 1:
        return found
    outputs = dict(zip(indicator.outputs, found, strict=True))
    for name, line in outputs.items():
        frame._values[Call(part.indicator, part.inputs, part.settings, name)] = line
    return outputs[part.output] if part.output else found[0]


def _shift(frame: Frame, part: Shift) -> Any:
    return shifted(frame.value(part.of), frame.whole(part.bars))


def _arithmetic(frame: Frame, part: Arithmetic) -> Any:
    left, right = frame.value(part.left), frame.value(part.right)
    if part.sign == "+":
        return left + right
    if part.sign == "-":
        return left - right
    if part.sign == "*":
        return left * right
    return left / _divisor(right)


def _divisor(value: Any) -> Any:
    """Give what to divide by, NaN for 0: what is divided by nothing is missing, as in every indicator."""
    if not isinstance(value, np.ndarray):
        return value if value else np.nan
    nothing = value == 0.0
    return np.where(nothing, np.nan, value) if nothing.any() else value


def _function(frame: Frame, part: Function) -> Any:
    values = [frame.value(one) for one in part.of]
    if part.name == "abs":
        return np.abs(values[0])
    found, step = values[0], np.minimum if part.name == "min" else np.maximum
    for value in values[1:]:
        found = step(found, value)
    return found if isinstance(found, np.ndarray) else found.item()


def _on(frame: Frame, part: On) -> Any:
    timeframe = Timeframe.parse(str(frame.value(part.timeframe)))
    if timeframe == frame.bars.timeframe:
        return frame.value(part.of)
    slow, rows = frame.slower(timeframe)
    values = slow.value(part.of)
    if not isinstance(values, np.ndarray):
        return values
    if not len(values):
        return np.full(len(frame.bars), np.nan)
    return np.where(rows < 0, np.nan, values[np.maximum(rows, 0)])


def _agreement(frame: Frame, part: Agreement) -> Any:
    from workbench.strategy.confluence import confluence_score

    weights = [frame.value(one) for one in part.weights] or None
    return confluence_score(frame.bars, [str(frame.value(one)) for one in part.timeframes], weights=weights)


def _compare(frame: Frame, part: Compare, yes: bool) -> Any:
    left, right = frame.value(part.left), frame.value(part.right)
    sign = part.sign if yes else _CONTRARY[part.sign]
    if sign == ">":
        return left > right
    if sign == "<":
        return left < right
    if sign == ">=":
        return left >= right
    if sign == "<=":
        return left <= right
    if sign == "==":
        return left == right
    return left != right if isinstance(left, str) else (left < right) | (left > right)


def _cross(frame: Frame, part: Cross, yes: bool) -> Any:
    left, right = frame.value(part.left), frame.value(part.right)
    if yes and isinstance(left, np.ndarray):
        return (crosses_above if part.above else crosses_below)(left, right)
    if yes:
        return (crosses_below if part.above else crosses_above)(right, left) if isinstance(right, np.ndarray) else False
    high, low = (left, right) if part.above else (right, left)
    return (high <= low) | (shifted(high, 1) > shifted(low, 1))


def _moving(frame: Frame, part: Moving, yes: bool) -> Any:
    step = Compare(">" if part.up else "<", part.of, Shift(part.of, Literal(1)))
    return frame.holds(Lasting(step, part.bars), yes)


def _every(frame: Frame, part: Every, yes: bool) -> Any:
    return _joined(frame, part.of, yes, all_of_them=yes)


def _either(frame: Frame, part: Either, yes: bool) -> Any:
    return _joined(frame, part.of, yes, all_of_them=not yes)


def _joined(frame: Frame, several: tuple[Condition, ...], yes: bool, *, all_of_them: bool) -> Any:
    found = frame.holds(several[0], yes)
    for one in several[1:]:
        found = found & frame.holds(one, yes) if all_of_them else found | frame.holds(one, yes)
    return found


def _not(frame: Frame, part: Not, yes: bool) -> Any:
    return frame.holds(part.of, not yes)


def _lasting(frame: Frame, part: Lasting, yes: bool) -> Any:
    return _counted(frame, part, yes, all_of_them=yes)


def _recent(frame: Frame, part: Recent, yes: bool) -> Any:
    return _counted(frame, part, yes, all_of_them=not yes)


def _counted(frame: Frame, part: Lasting | Recent, yes: bool, *, all_of_them: bool) -> Any:
    """Tell where a condition held on all, or on any, of the last bars; before there are so many, not on all.

    The window is doubled until the next doubling would be too long, then met by one more step.
    """
    bars, width = frame.whole(part.bars), 1
    join = np.logical_and if all_of_them else np.logical_or
    found = np.array(on_bars(frame.holds(part.of, yes), frame.rows(), np.bool_))
    while width < bars:
        step = min(width, bars - width)
        found[step:] = join(found[step:], found[:-step])
        width += step
    if all_of_them:
        found[: bars - 1] = False
    return found


def _flag(frame: Frame, part: Flag, yes: bool) -> Any:
    return bool(frame.settings[part.name]) is yes


def _clock(frame: Frame, part: Clock, yes: bool) -> Any:
    minute = frame.minutes(part.zone) % _DAY_MINUTES
    since, before = minute >= part.start, minute < part.end
    inside = since & before if part.start <= part.end else since | before
    return inside if yes else ~inside


def _weekday(frame: Frame, part: Weekday, yes: bool) -> Any:
    days = (frame.minutes(part.zone) // _DAY_MINUTES + 3) % 7  # 1970-01-01 was a Thursday
    inside = np.isin(days, part.days)
    return inside if yes else ~inside


_VALUES: Final[dict[type, Any]] = {
    Agreement: _agreement, Arithmetic: _arithmetic, Call: _call, Column: _column, Function: _function,
    Literal: _literal, On: _on, Price: _price, Setting: _setting, Shift: _shift,
}  # fmt: skip
_CONDITIONS: Final[dict[type, Any]] = {
    Clock: _clock, Compare: _compare, Cross: _cross, Either: _either, Every: _every, Flag: _flag, Lasting: _lasting,
    Moving: _moving, Not: _not, Recent: _recent, Weekday: _weekday,
}  # fmt: skip
