"""What a strategy in code computes, written down once as a graph instead of being computed for every combination.

`record` asks the strategy for its signals with stand-ins in the place of its parameters and of the columns of prices.
Indicators, comparisons, arithmetic and logic on them become nodes; equal nodes are one. Whatever else the strategy does
with a stand-in raises, and then the parameter in question is given its value (one graph for each) or the strategy is
asked plainly. So a graph is either what the strategy means, or there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from workbench.indicators.indicator import RECORDER, Indicator
from workbench.market.bars import Bars
from workbench.strategy.signals import HELD_BACK, Signals
from workbench.strategy.strategy import SignalStrategy

__all__ = ["FIELDS", "Graph", "Node", "Recorded", "Setting", "Unrecordable", "record"]

FIELDS: Final = (
    "entry", "exit", "short_entry", "short_exit", "size", "stop_loss", "take_profit", "trailing_stop",
    "trailing_activation", "max_bars",
)  # fmt: skip
_PRICES: Final = ("open", "high", "low", "close", "volume")
_FACTS: Final = frozenset(("symbol", "timeframe", "instrument", "venue"))
_OPERATORS: Final = (
    "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow neg pos abs lt le gt ge eq ne "
    "bool int float index hash len iter getitem contains round trunc floor ceil and rand or ror xor rxor invert array"
).split()


class Unrecordable(Exception):
    """A strategy does what cannot be written down; `setting` is the parameter that it does it with, if it is one."""

    def __init__(self, why: str, setting: str = "") -> None:
        super().__init__(why)
        self.setting = setting


class Node(NamedTuple):
    """One step: what is done, to which nodes, settings or numbers, and on which settings it depends."""

    what: Any
    parts: tuple[Any, ...]
    needs: tuple[str, ...]


class Setting(NamedTuple):
    """The value that a parameter has in the combination in hand."""

    name: str


def _refuse(operator: str) -> Any:
    def used(self: Any, *_: Any) -> Any:
        raise Unrecordable(f"it is used with {operator}", getattr(self, "name", ""))

    return used


class Token:
    """Stands for the value of a parameter; it can be handed on to an indicator or a comparison, and nothing else."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Graph:
    """The nodes of one recording; a node is known by its number.

    Attributes
    ----------
    nodes : list of Node
        Each after its parts.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._known: dict[Any, int] = {}
        self._kept: list[Any] = []

    def add(self, what: Any, parts: Iterable[Any]) -> int:
        """Give the number of a step, which is a new one only if there is none like it."""
        parts = tuple(parts)
        key = (what if isinstance(what, str | tuple) else id(what), tuple((type(one).__name__, one) for one in parts))
        if key not in self._known:
            needs: dict[str, None] = {}
            for one in parts:
                if type(one) is Setting:
                    needs[one.name] = None
                elif type(one) is int:
                    needs.update(dict.fromkeys(self.nodes[one].needs))
            self._known[key] = len(self.nodes)
            self.nodes.append(Node(what, parts, tuple(needs)))
        return self._known[key]

    def part(self, value: Any) -> Any:
        """Give what stands for a value among the parts of a step: a node, a setting, or a number in a tuple."""
        if type(value) is Column:
            return value.node
        if type(value) is Token:
            return Setting(value.name)
        if isinstance(value, np.ndarray):
            if value.ndim != 1:
                raise Unrecordable("an array of another shape than the bars")
            self._kept.append(value)  # its identity is its name, so it has to live as long as the graph
            return self.add(("array", id(value)), [("value", _Array(value))])
        if value is None or isinstance(value, bool | int | float | str | np.generic):
            return ("value", value)
        raise Unrecordable(f"a {type(value).__name__} among columns")

    def column(self, what: Any, values: Iterable[Any]) -> Column:
        """Add a step and give its column."""
        return Column(self, self.add(what, [self.part(one) for one in values]))


class _Array:
    """An array that the strategy made itself; equal to itself alone."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array


class Column(np.lib.mixins.NDArrayOperatorsMixin):
    """Stands for a column, one value a bar."""

    __slots__ = ("graph", "node")

    def __init__(self, graph: Graph, node: int) -> None:
        self.graph, self.node = graph, node

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *given: Any, **options: Any) -> Column:
        if method != "__call__" or options or ufunc.nout != 1:
            raise Unrecordable(f"numpy.{ufunc.__name__} with {method} or options")
        return self.graph.column(("ufunc", ufunc.__name__), given)

    def __array_function__(self, function: Any, *_: Any) -> Any:
        raise Unrecordable(f"numpy.{getattr(function, '__name__', function)}")

    def __getattr__(self, name: str) -> Any:
        raise Unrecordable(f"the attribute {name} of a column")


for _name in _OPERATORS:
    setattr(Token, f"__{_name}__", _refuse(_name))
for _name in ("bool", "int", "float", "index", "len", "iter", "getitem", "contains", "array", "hash"):
    setattr(Column, f"__{_name}__", _refuse(_name))


class _Bars:
    """Stands for the bars: their prices are columns, and what all series of the kind share can be asked."""

    def __init__(self, graph: Graph, bars: Bars) -> None:
        self._graph, self._bars = graph, bars

    def __getattr__(self, name: str) -> Any:
        if name in _PRICES:
            return self._graph.column(("price", name), ())
        if name in _FACTS:
            return getattr(self._bars, name)
        raise Unrecordable(f"the {name} of the bars")

    def __len__(self) -> int:
        return len(self._bars)


@dataclass(frozen=True, eq=False, kw_only=True)
class Recorded:
    """What a strategy says, as a graph.

    Attributes
    ----------
    graph : Graph
    said : dict of str to part
        Of the `FIELDS` that are said: a node's number, a `Setting`, or a number in a tuple ("value", x).
    size_unit : str
    roi : mapping or None
    warm_up : part, or None where each combination has to be asked for it
    """

    graph: Graph
    said: Mapping[str, Any]
    size_unit: str = "fraction"
    roi: Mapping[float, float] | None = None
    warm_up: Any = None
    fixed: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def _recording(graph: Graph) -> Any:
    def recorder(what: Any, given: tuple[Any, ...]) -> Any:
        if not any(type(one) in (Column, Token) for one in given):
            return NotImplemented
        if isinstance(what, str):
            return graph.column(("compare", what), given)
        return _indicated(graph, what, given)

    asked, held = RECORDER.set(recorder), HELD_BACK.set(True)
    try:
        yield
    finally:
        HELD_BACK.reset(held)
        RECORDER.reset(asked)


def _indicated(graph: Graph, indicator: Indicator, given: tuple[Any, ...]) -> Any:
    """Write a call of an indicator down; several outputs are steps of their own."""
    if not any(type(one) is Column for one in given[: len(indicator.inputs)]):
        raise Unrecordable(f"{indicator.name} of columns that are no prices")
    whole = graph.add(indicator, [graph.part(one) for one in given])
    if indicator.lines is None:
        return Column(graph, whole)
    outputs = [Column(graph, graph.add(("output", k), [whole])) for k in range(len(indicator.outputs))]
    return indicator.lines(*outputs)


def record(strategy: SignalStrategy, bars: Bars, free: Iterable[str]) -> Recorded:
    """Write down what a strategy says.

    Parameters
    ----------
    strategy : SignalStrategy
        Its other parameters hold as they are.
    bars : Bars
        For what all series of the kind share, and their number; no price is looked at.
    free : iterable of str
        The parameters that are to stay open.

    Returns
    -------
    Recorded

    Raises
    ------
    Unrecordable
        With the name of the parameter where giving it a value may help.
    """
    stand_in = object.__new__(type(strategy))
    for name, value in strategy.parameters.items():
        object.__setattr__(stand_in, name, value)
    for name in free:
        object.__setattr__(stand_in, name, Token(name))
    graph = Graph()
    with _recording(graph):
        try:
            found = stand_in.signals(_Bars(graph, bars))  # type: ignore[arg-type]
        except Unrecordable:
            raise
        except Exception as error:  # whatever it is, the strategy will say it again when it is asked plainly
            raise Unrecordable(f"{type(error).__name__}: {error}") from error
    if not isinstance(found, Signals):
        raise Unrecordable("it returns no Signals")
    return Recorded(
        graph=graph, said=_fields_of(graph, found, stand_in), size_unit=found.size_unit, roi=_ladder(found, stand_in),
        warm_up=_warm_up(graph, stand_in, bars),
    )  # fmt: skip


def _ladder(found: Signals, stand_in: SignalStrategy) -> Mapping[float, float] | None:
    ladder: Any = stand_in.roi if found.roi is None else found.roi
    if type(ladder) is Token or (ladder and any(type(one) is Token for one in ladder.values())):
        raise Unrecordable("a ladder of parameters")
    return ladder  # type: ignore[no-any-return]


def _fields_of(graph: Graph, found: Signals, stand_in: SignalStrategy) -> dict[str, Any]:
    """Give what is said, with the strategy's own exits where the signals carry none."""
    if found.stop_price is not None or found.ts is not None:
        raise Unrecordable("a custom stop, or signals with times")
    said = {}
    for name in FIELDS:
        value = getattr(found, name)
        if value is None and name not in ("entry", "exit", "short_entry", "short_exit", "size"):
            value = getattr(stand_in, name)
        if value is not None:
            said[name] = graph.part(value)
    for name in FIELDS[4:]:
        if type(said.get(name)) is int:
            raise Unrecordable(f"{name} differs from bar to bar")
    return said


def _warm_up(graph: Graph, stand_in: SignalStrategy, bars: Bars) -> Any:
    try:
        return graph.part(stand_in.warm_up_on(bars.timeframe))
    except Exception:  # each combination is asked by itself then
        return None
