"""Watching one call of a strategy: the columns that it works out on the way, and what it asks of the outside world.

The interpreter's profile hook tells of every return: the variables of the author's functions are then looked at as they
are left. Indicators of the package tell of themselves (`indicators.indicator.OBSERVER`), so that one used inside an
expression is seen too. Another profiler that is on is put back afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from workbench.indicators.indicator import OBSERVER
from workbench.market.bars import Bars
from workbench.research.check.agreement import Column
from workbench.research.check.columns import columns_in
from workbench.research.check.outside import BUILT_IN, Use

if TYPE_CHECKING:
    from workbench.indicators.indicator import Indicator

__all__ = ["Codes", "Watch"]

_MOST_CALLS: Final = 16  # of one helper function; a helper called once a bar has no columns to show
_MOST_COLUMNS: Final = 256
_SKIPPED: Final = frozenset(("self", "cls", "bars"))


class Codes(NamedTuple):
    """Whose variables are looked at, and whose calls count: identities of code objects."""

    main: int
    own: frozenset[int]
    inner: frozenset[int]


class Watch:
    """A context in which one call is watched.

    Parameters
    ----------
    codes : Codes
    bars : Bars
        What the call is about.

    Attributes
    ----------
    uses : list of Use
        Calls of clocks, random numbers and files, with their line.
    """

    def __init__(self, codes: Codes, bars: Bars) -> None:
        self._codes, self._bars = codes, bars
        self._named: dict[str, Column] = {}
        self._places: dict[int, Any] = {}
        self._indicators: list[tuple[str, Any]] = []
        self._calls: dict[str, int] = {}
        self.uses: list[Use] = []
        self._before: Callable[..., Any] | None = None
        self._token: Any = None

    def __enter__(self) -> Watch:
        self._token = OBSERVER.set(self._hear)
        self._before = sys.getprofile()
        sys.setprofile(self._hook)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(self._before)
        OBSERVER.reset(self._token)

    def columns(self) -> dict[str, Column]:
        """Give all columns that were seen, by name: variables first, then indicators that no variable holds."""
        for name, value in self._indicators:
            self._keep(name, value)
        self._indicators.clear()
        return self._named

    def _hook(self, frame: FrameType, event: str, what: Any) -> None:
        if event == "return":
            code = id(frame.f_code)
            if code in self._codes.own and len(self._named) < _MOST_COLUMNS:
                self._look(frame, "" if code == self._codes.main else f"{frame.f_code.co_name}.")
        elif event == "c_call" and id(frame.f_code) in self._codes.inner:
            try:
                kind = BUILT_IN.get(what)
            except TypeError:
                return
            if kind is not None:
                self.uses.append(Use(*kind, frame.f_code.co_filename, frame.f_lineno))

    def _look(self, frame: FrameType, prefix: str) -> None:
        count = self._calls[prefix] = self._calls.get(prefix, 0) + 1
        if count > _MOST_CALLS or prefix.startswith("<"):
            return
        prefix = prefix if count == 1 or not prefix else f"{prefix[:-1]}#{count}."
        variables: Mapping[str, Any] = frame.f_locals
        for name, value in list(variables.items()):
            if name not in _SKIPPED and not name.startswith("."):
                self._keep(f"{prefix}{name}", value)

    def _keep(self, name: str, value: Any) -> None:
        place = id(value)
        if place in self._places:
            return
        for label, column in columns_in(name, value, self._bars):
            self._named.setdefault(label, column)
            self._places[place] = value  # held, so that no other value comes to the same place
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            self._places.update((id(member), member) for member in value)

    def _hear(self, indicator: Indicator, parameters: tuple[Any, ...], found: Any) -> None:
        label = (
            f"{indicator.name}({', '.join(f'{one:g}' if isinstance(one, float) else str(one) for one in parameters)})"
        )
        count = self._calls[label] = self._calls.get(label, 0) + 1
        self._indicators.append((label if count == 1 else f"{label}#{count}", found))
