"""What an indicator is: a plain function, and beside it one `Indicator` that says all that others must know of it.

The numbers are written once, in a function of `Rows`: it fills the outputs from row `rows.start` to the end and keeps
in `rows.state` and `rows.line` whatever it needs to go on from there. A call on a whole series starts at row 0 with
nothing kept; a stream (`streaming.Stream`) calls the same function again as rows come, so both give the same bits.

- A kernel of a running value loads it from its state, loops from `start`, and saves it.
- A kernel of a window works in blocks (see `moving`): its state says where the last block began, and it writes that
  block again, which gives the same bits.
- What one kernel hands to the next is a `line`: it is as long as the columns and keeps its rows between calls.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import StrategyError
from workbench.indicators._array import Floats, Line, positive, take, whole
from workbench.indicators.recording import RECORDER

__all__ = ["GROUPS", "INPUTS", "OBSERVER", "Group", "Indicator", "Rows"]

Group = Literal["trend", "momentum", "volatility", "volume", "statistics", "pattern", "microstructure", "user", "ta"]
GROUPS: Final = ("trend", "momentum", "volatility", "volume", "statistics", "pattern", "microstructure")
INPUTS: Final = ("values", "open", "high", "low", "close", "volume", "ts", "other", "benchmark")

OBSERVER: Final[ContextVar[Callable[[Indicator, tuple[Any, ...], Any], None] | None]] = ContextVar(
    "OBSERVER", default=None
)
"""Who hears of every call made in this context: the indicator, its parameters and its answer (`research.check`)."""


class Rows:
    """One pass over the rows of an indicator: columns in, outputs to write, and what was kept from the pass before.

    Parameters
    ----------
    columns : dict of float64 arrays, shape (n,), read-only
        By the name of the input.
    out : tuple of float64 arrays, shape (n,)
        Rows before `start` are there already.
    start : int
        The first row that has not been worked out.
    kept : Rows, optional
        The pass before, over fewer rows.
    """

    __slots__ = ("_lines", "_next_line", "_next_state", "_states", "columns", "out", "start")

    def __init__(
        self, columns: Mapping[str, Floats], out: tuple[Floats, ...], start: int = 0, kept: Rows | None = None
    ) -> None:
        self.columns, self.out, self.start = columns, out, start
        self._states: list[Floats] = kept._states if kept else []
        self._lines: list[Floats] = kept._lines if kept else []
        self._next_state = self._next_line = 0

    def __getitem__(self, name: str) -> Floats:
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.out[0])

    def state(self, size: int) -> Floats:
        """Give room for running values, shape (size,): zeros at first, then what the pass before left there.

        Calls must come in the same order in every pass.
        """
        if self._next_state == len(self._states):
            self._states.append(np.zeros(size))
        self._next_state += 1
        return self._states[self._next_state - 1]

    def line(self) -> Floats:
        """Give a column between two kernels, shape (n,), whose rows before `start` are those of the pass before.

        Calls must come in the same order in every pass.
        """
        if self._next_line == len(self._lines):
            self._lines.append(np.empty(len(self)))
        line = self._lines[self._next_line]
        if len(line) < len(self):
            grown = np.empty(max(len(self), 2 * len(line)))
            grown[: self.start] = line[: self.start]
            line = self._lines[self._next_line] = grown
        self._next_line += 1
        return line[: len(self)]


@dataclass(frozen=True, kw_only=True, eq=False)
class Indicator:
    """All that is to know of an indicator; calling it computes it.

    Parameters
    ----------
    function : callable
        The public function: inputs first (without defaults), then parameters (each with a default), and the docstring.
        An int parameter is a number of bars, a float one a factor above zero, unless `valid` says otherwise.
    rows : callable
        `(rows, *parameters) -> None` writes the outputs; see the text of the module.
    group : str
        One of `GROUPS`; `user` and `ta` are those from outside.
    first : callable
        `(*parameters) -> tuple of int`, one an output: the index of the first value on a series without holes.
    source : str
        Who published it and where.
    lines : NamedTuple class, optional
        Of indicators with several outputs.
    bounds : dict of (low, high)
        Of each number among the parameters: what is sensible to try, for sweeps and panels.
    valid : dict of callable
        `(function name, parameter name, value) -> value` for parameters that are neither bars nor factors.
    check : callable, optional
        `(*parameters) -> str` says what is wrong between parameters, or nothing.
    unit : {"price", "percent", "fraction", "volume", "flag", "bars", "other"}
        What the outputs are in: `price` is drawn over the prices, the others below.
    cumulative : bool
        Whether it adds up from the first bar on, so that its level depends on where the series begins.
    """

    function: Callable[..., Any]
    rows: Callable[..., None]
    group: Group
    first: Callable[..., tuple[int, ...]]
    source: str
    lines: type | None = None
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    valid: Mapping[str, Callable[[str, str, Any], Any]] = field(default_factory=dict)
    check: Callable[..., str | None] | None = None
    unit: Literal["price", "percent", "fraction", "volume", "flag", "bars", "other"] = "price"
    cumulative: bool = False
    inputs: tuple[str, ...] = field(init=False)
    defaults: Mapping[str, Any] = field(init=False)
    outputs: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        taken = inspect.signature(self.function).parameters.values()
        plain = tuple(one.name for one in taken if one.default is one.empty)
        object.__setattr__(self, "inputs", plain)
        object.__setattr__(self, "defaults", {one.name: one.default for one in taken if one.default is not one.empty})
        object.__setattr__(self, "outputs", getattr(self.lines, "_fields", (self.name,)))

    @property
    def name(self) -> str:
        """Of the function, by which rules and `indicators.get` find it."""
        return self.function.__name__

    @property
    def summary(self) -> str:
        """The first sentence of the docstring."""
        return (self.function.__doc__ or "").strip().split("\n")[0]

    def parameters(self, *given: Any, **named: Any) -> tuple[Any, ...]:
        """Give every parameter in order, checked; those left out at their default.

        Raises
        ------
        StrategyError
            A name is unknown, or a value is out of range.
        """
        names = list(self.defaults)
        unknown = [name for name in named if name not in self.defaults]
        if unknown or len(given) > len(names):
            what = f"parameter {unknown[0]!r}" if unknown else f"{len(given)} parameters"
            raise StrategyError(
                f"{self.name}: {what} is not what it takes: {', '.join(names) or 'no parameters'}", function=self.name
            )
        values = {**self.defaults, **dict(zip(names, given, strict=False)), **named}
        checked = tuple(self._checked(name, values[name]) for name in names)
        wrong = self.check(*checked) if self.check else None
        if wrong:
            raise StrategyError(f"{self.name}: {wrong}", function=self.name, value=checked)
        return checked

    def _checked(self, name: str, value: Any) -> Any:
        if name in self.valid:
            return self.valid[name](self.name, name, value)
        return (whole if type(self.defaults[name]) is int else positive)(self.name, name, value)

    def __call__(self, *given: ArrayLike) -> Any:
        """Compute the indicator on whole columns: inputs, then parameters, in the order of the function.

        Returns
        -------
        float64 array or Series, shape (n,), or the NamedTuple of several
        """
        recorder = RECORDER.get()
        if recorder is not None:
            recorded = recorder.indicator(self, given)
            if recorded is not None:
                return recorded
        return self.compute(*given)

    def compute(self, *given: ArrayLike) -> Any:
        """Compute it now, whoever writes down what is asked for (`recording`)."""
        inputs, parameters = given[: len(self.inputs)], self.parameters(*given[len(self.inputs) :])
        columns = take(self.name, **dict(zip(self.inputs, inputs, strict=True)))
        # numpy's large pages make first touching a long array faster than numba's allocation does
        out = tuple(np.empty(len(columns)) for _ in self.outputs)
        self.rows(Rows(columns.arrays, out), *parameters)
        labels = tuple(value for value in parameters if type(value) in (int, float))
        found: Line = columns.line(out[0], *labels) if self.lines is None else columns.lines(self.lines, out, *labels)
        observer = OBSERVER.get()
        if observer is not None:
            observer(self, parameters, found)
        return found

    def __repr__(self) -> str:
        shown = ", ".join([*self.inputs, *(f"{name}={value!r}" for name, value in self.defaults.items())])
        return f"<Indicator {self.name}({shown})>"
