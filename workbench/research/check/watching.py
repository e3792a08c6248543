"""Watching one call of a strategy: the columns that it works out on the way, and what it asks of the outside world.

The interpreter's trace hook tells where the author's functions are left: their variables are then looked at. Its
profile hook, which sees more, tells of calls too. Both slow everything down that is written in Python, pandas above
all; so where many short histories are asked, the variables are looked at where signals are made instead
(`strategy.signals.OBSERVER`), which costs nothing. Indicators of the package tell of themselves
(`indicators.indicator.OBSERVER`), so that one used inside an expression is seen as well. A debugger or profiler that is
on is put back afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from workbench.indicators.indicator import OBSERVER as INDICATOR_OBSERVER
from workbench.market.bars import Bars
from workbench.research.check.agreement import Column
from workbench.research.check.columns import columns_in
from workbench.research.check.outside import BUILT_IN, Use
from workbench.strategy.signals import OBSERVER as SIGNALS_OBSERVER

if TYPE_CHECKING:
    from workbench.indicators.indicator import Indicator

__all__ = ["Codes", "Depth", "Watch"]

Depth = Literal["light", "deep", "all"]

_MOST_CALLS: Final = 16  # of one helper function; a helper called once a bar has no columns to show
_MOST_COLUMNS: Final = 256
_SKIPPED: Final = frozenset(("self", "cls", "bars"))


class Codes(NamedTuple):
    """Whose variables are looked at, and whose calls count: identities of code objects."""

    main: int
    own: frozenset[int]
    inner: frozenset[int]


def _profile_again(before: Any) -> Callable[[], None]:
    """Give what puts a profiler back: a function of Python's by the usual way, one in C (cProfile) by its own."""
    if before is None or callable(before):
        return partial(sys.setprofile, before)

    def again() -> None:
        sys.setprofile(None)
        before.enable()

    return again


class Watch:
    """A context in which one call is watched.

    Parameters
    ----------
    codes : Codes
    bars : Bars
        What the call is about.
    depth : {"light", "deep", "all"}
        How much is seen, the dearer the more: the variables of the main function where it makes its signals; those of
        all the author's functions where they are left; and calls of the outside, too.

    Attributes
    ----------
    uses : list of Use
        Calls of clocks, random numbers and files, with their line.
    lines : dict of str to int
        By column: in which line the function that holds it was left. A function that is left early has other things in
        its variables, which says nothing about the future.
    """

    def __init__(self, codes: Codes, bars: Bars, depth: Depth = "deep") -> None:
        self._codes, self._bars, self._depth = codes, bars, depth
        self._named: dict[str, Column] = {}
        self._places: dict[int, tuple[Any, list[str]]] = {}
        self._indicators: list[tuple[str, Any]] = []
        self._calls: dict[str, int] = {}
        self.uses: list[Use] = []
        self.lines: dict[str, int] = {}
        self._line = 0
        self._undo: list[Callable[[], None]] = []

    def __enter__(self) -> Watch:
        heard = INDICATOR_OBSERVER.set(self._hear)
        self._undo = [lambda: INDICATOR_OBSERVER.reset(heard)]
        if self._depth == "light":
            made = SIGNALS_OBSERVER.set(self._made)
            self._undo.append(lambda: SIGNALS_OBSERVER.reset(made))
        elif self._depth == "deep":
            self._undo.append(partial(sys.settrace, sys.gettrace()))
            sys.settrace(self._eye())
        else:
            self._undo.append(_profile_again(sys.getprofile()))
            sys.setprofile(self._ear())
        return self

    def __exit__(self, *_: object) -> None:
        for undo in reversed(self._undo):
            undo()

    def columns(self) -> dict[str, Column]:
        """Give all columns that were seen, by name: variables first, then indicators that no variable holds."""
        for name, value in self._indicators:
            self._keep(name, value, main=False)
        self._indicators.clear()
        return self._named

    def _ear(self) -> Callable[[FrameType, str, Any], None]:
        """Make a profile hook; it is called at every call and return, so all that it needs is at hand."""
        own, inner, look, hear = self._codes.own, self._codes.inner, self._look, self._hear_call

        def hook(frame: FrameType, event: str, what: Any) -> None:
            if event == "return":
                if id(frame.f_code) in own:
                    look(frame)
            elif event == "c_call" and id(frame.f_code) in inner:
                hear(frame, what)

        return hook

    def _eye(self) -> Callable[[FrameType, str, Any], Any]:
        """Make a trace hook; it is called where a function begins, and in the author's own where one ends."""
        own, look = self._codes.own, self._look

        def inside(frame: FrameType, event: str, _: Any) -> Any:
            if event == "return":
                look(frame)
            return inside

        def hook(frame: FrameType, _event: str, _: Any) -> Any:
            if id(frame.f_code) not in own:
                return None
            frame.f_trace_lines = False
            return inside

        return hook

    def _made(self) -> None:
        """Look at the main function in which signals are being made."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and id(frame.f_code) != self._codes.main:
            frame = frame.f_back
        if frame is not None:
            self._look(frame)

    def _hear_call(self, frame: FrameType, what: Any) -> None:
        try:
            kind = BUILT_IN.get(what)
        except TypeError:
            return
        if kind is not None:
            self.uses.append(Use(*kind, frame.f_code.co_filename, frame.f_lineno))

    def _look(self, frame: FrameType) -> None:
        """Keep what the variables of a function hold as it is left."""
        name = frame.f_code.co_name
        main = id(frame.f_code) == self._codes.main
        count = self._calls[name] = self._calls.get(name, 0) + 1
        if count > _MOST_CALLS or name.startswith("<") or len(self._named) > _MOST_COLUMNS:
            return
        prefix = "" if main else f"{name}." if count == 1 else f"{name}#{count}."
        self._line = frame.f_lineno
        variables: Mapping[str, Any] = frame.f_locals
        for label, value in list(variables.items()):
            if label not in _SKIPPED and not label.startswith("."):
                self._keep(f"{prefix}{label}", value, main)
        self._line = 0

    def _keep(self, name: str, value: Any, main: bool) -> None:
        """Keep the columns of a value, which go by their name in the main function where they have one there."""
        known = self._places.get(id(value))
        if known is not None and not main:
            return
        for label in known[1] if known else ():
            self._named.pop(label, None)
            self.lines.pop(label, None)
        labels = []
        for label, column in columns_in(name, value, self._bars):
            self._named.setdefault(label, column)
            labels.append(label)
            self.lines.setdefault(label, self._line)
        self._places[id(value)] = (value, labels)  # the value is held, so that no other comes to the same place
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            self._places.update({id(member): (member, []) for member in value})

    def _hear(self, indicator: Indicator, parameters: tuple[Any, ...], found: Any) -> None:
        label = (
            f"{indicator.name}({', '.join(f'{one:g}' if isinstance(one, float) else str(one) for one in parameters)})"
        )
        count = self._calls[label] = self._calls.get(label, 0) + 1
        self._indicators.append((label if count == 1 else f"{label}#{count}", found))
