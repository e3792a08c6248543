"""Work that is written down before it is done: equal expressions of many combinations are worked out once.

Inside `recording(recorder)` an indicator answers with a `Lazy` in place of an array. What numpy does with it is written
down too, where the same could be asked again; anything else asks for the array, gets it, and goes on as always. Equal
work on equal columns is one and the same `Lazy`, whose values are kept as long as there is memory for them.

Values are read-only, since others share them. Who writes into one hears `Unrecordable`, and is run without a recorder.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from workbench.errors import StrategyError

__all__ = ["RECORDER", "Lazy", "Recorder", "Unrecordable", "recording"]

RECORDER: Final[ContextVar[Recorder | None]] = ContextVar("RECORDER", default=None)
"""Who writes down what indicators are asked for in this context (`research.sweeping`)."""

_FLOAT, _BOOL = np.dtype(np.float64), np.dtype(np.bool_)
_COMPARES: Final = frozenset((np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal))
_JOINS: Final = frozenset((np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert,
                           np.logical_and, np.logical_or, np.logical_xor, np.logical_not))  # fmt: skip
_SUMS: Final = frozenset((np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.negative,
                          np.absolute))  # fmt: skip
_PLAIN: Final = (bool, int, float)
_MANY_NODES: Final = 50_000


class Unrecordable(StrategyError):
    """A strategy writes into an array that others share; it is run without a recorder instead."""


class Lazy(NDArrayOperatorsMixin):
    """A column that is worked out when somebody looks; made by `Recorder`."""

    __slots__ = ("_graph", "_kept", "args", "call", "dtype", "key", "shape")

    def __init__(self, graph: Recorder, call: Any, args: tuple[Any, ...], dtype: Any, key: int) -> None:
        self._graph, self.call, self.args, self.dtype, self.key = graph, call, args, dtype, key
        self.shape = (graph.length,)
        self._kept: Any = None

    @property
    def __class__(self) -> Any:  # who asks whether this is an array goes on as with one
        return np.ndarray

    @property
    def ndim(self) -> int:
        """Of a column."""
        return 1

    @property
    def size(self) -> int:
        """Rows."""
        return self.shape[0]

    def values(self) -> NDArray[Any]:
        """Give the column itself, read-only."""
        return self._graph.value(self)  # type: ignore[no-any-return]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        found = self.values()
        return found.astype(dtype) if dtype is not None and found.dtype != dtype else found.copy() if copy else found

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__" and not options:
            recorded = self._graph.applied(ufunc, inputs)
            if recorded is not None:
                return recorded
        if any(type(one) is Lazy for one in options.get("out", ())):
            raise Unrecordable("writes into a column that others share")
        options = {name: plain(value) for name, value in options.items()}
        return getattr(ufunc, method)(*map(plain, inputs), **options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        return function(*map(plain, args), **{name: plain(value) for name, value in options.items()})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(name)
        return getattr(self.values(), name)

    def __getitem__(self, place: Any) -> Any:
        return self.values()[plain(place)]

    def __setitem__(self, place: Any, value: Any) -> None:
        raise Unrecordable("writes into a column that others share")

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values())

    def __bool__(self) -> bool:
        return bool(self.values())

    def __contains__(self, value: Any) -> bool:
        return value in self.values()


def plain(value: Any) -> Any:
    """Give arrays in place of what is lazy, also inside a list or a tuple."""
    if type(value) is Lazy:
        return value.values()
    if type(value) in (list, tuple):
        return type(value)(map(plain, value))
    return value


class Recorder:
    """What was asked for on columns of one length, and the values that were worked out.

    Parameters
    ----------
    length : int
        Rows.
    most_bytes : int
        Memory for values that are kept; those not asked for longest go first.
    """

    def __init__(self, length: int, most_bytes: int) -> None:
        self.length, self.most_bytes = length, most_bytes
        self._nodes: dict[Hashable, Lazy] = {}
        self._own: dict[int, Lazy] = {}
        self._cache: OrderedDict[int, Any] = OrderedDict()
        self._bytes = 0
        self._keys = itertools.count()
        self._lock = threading.Lock()

    @property
    def kept_bytes(self) -> int:
        """Memory of the values that are kept."""
        return self._bytes

    def column(self, array: NDArray[Any]) -> Lazy:
        """Take a column that stays what it is; the same array is known again."""
        known = self._own.get(id(array))
        if known is None:
            known = Lazy(self, None, (), array.dtype, next(self._keys))
            known._kept = array
            self._own[id(array)] = known
        return known

    def applied(self, ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Any:
        """Write down what numpy is to do; None where its answer is not plainly a column of floats or flags."""
        if ufunc in _COMPARES:
            sound, dtype = self._all(inputs, (_FLOAT,)), _BOOL
        elif ufunc in _JOINS:
            sound, dtype = self._all(inputs, (_BOOL,), numbers=(bool,)), _BOOL
        elif ufunc in _SUMS:
            sound, dtype = self._all(inputs, (_FLOAT,), numbers=(int, float)), _FLOAT
        else:
            return None
        return self.node(ufunc, inputs, dtype) if sound else None

    def _all(self, inputs: tuple[Any, ...], dtypes: tuple[Any, ...], numbers: tuple[type, ...] = _PLAIN) -> bool:
        for one in inputs:
            kind = type(one)
            if kind is Lazy or kind is np.ndarray:
                if one.dtype not in dtypes or one.shape != (self.length,):
                    return False
            elif kind not in numbers:
                return False
        return True

    def called(self, function: Callable[..., Any], inputs: tuple[Any, ...], dtype: Any, *more: Hashable) -> Any:
        """Write down a call on columns, and more arguments that are numbers; None where inputs are no such columns."""
        if not self._all(inputs, (_FLOAT,), numbers=(int, float)) or type(inputs[0]) not in (Lazy, np.ndarray):
            return None
        return self.node(function, inputs, dtype, more)

    def indicator(self, one: Any, given: tuple[Any, ...]) -> Any:
        """Write down the call of an indicator; None where it cannot be."""
        count = len(one.inputs)
        inputs, more = given[:count], given[count:]
        if not self._all(inputs, (_FLOAT,), numbers=()) or not all(type(value) in (*_PLAIN, str) for value in more):
            return None
        if one.lines is None:
            return self.node(one.compute, inputs, _FLOAT, more, checked=one.parameters)
        whole = self.node(one.compute, inputs, None, more, checked=one.parameters)
        return one.lines(*(self.node(_picker(place), (whole,), _FLOAT) for place in range(len(one.outputs))))

    def node(
        self, call: Any, args: tuple[Any, ...], dtype: Any, more: tuple[Any, ...] = (), *, checked: Any = None
    ) -> Any:
        """Give the one `Lazy` of a call, or its answer where an argument is an array that nobody knows."""
        known, parts = True, []
        for one in args:
            if type(one) is np.ndarray:
                one = self._own.get(id(one), one)
            if type(one) is Lazy:
                parts.append(one.key)
            elif type(one) is np.ndarray:
                known = False
            else:
                parts.append((type(one), one))
        if not known:  # may be written into later, so it is worked out now, for whoever asked alone
            return self._done(call, (*args, *(checked(*more) if checked else more)))
        where = (call, *parts, *((type(value), value) for value in more))
        found = self._nodes.get(where)
        if found is None:
            if len(self._nodes) > _MANY_NODES:
                self._nodes.clear()
            made = Lazy(self, call, (*args, *(checked(*more) if checked else more)), dtype, next(self._keys))
            found = self._nodes.setdefault(where, made)
        return found

    def value(self, node: Lazy) -> Any:
        """Give what a `Lazy` is, worked out if need be."""
        found = node._kept
        if found is None:
            with self._lock:
                found = self._cache.get(node.key)
                if found is not None:
                    self._cache.move_to_end(node.key)
        if found is None:
            found = self._done(node.call, node.args)
            self._keep(node, found)
        return found

    def _done(self, call: Any, args: tuple[Any, ...]) -> Any:
        values = [self.value(one) if type(one) is Lazy else one for one in args]
        with recording(None), np.errstate(all="ignore"):
            return call(*values)

    def _keep(self, node: Lazy, found: Any) -> None:
        for one in found if isinstance(found, tuple) else (found,):
            one.flags.writeable = False
        with self._lock:
            if node.key not in self._cache:
                self._cache[node.key] = found
                self._bytes += _size(found)
            while self._bytes > self.most_bytes and len(self._cache) > 1:
                self._bytes -= _size(self._cache.popitem(last=False)[1])


def _size(found: Any) -> int:
    return sum(one.nbytes for one in found) if isinstance(found, tuple) else int(found.nbytes)


_PICKERS: Final[dict[int, Callable[[Any], Any]]] = {}


def _picker(place: int) -> Callable[[Any], Any]:
    def pick(lines: Any) -> Any:
        return lines[place]

    return _PICKERS.setdefault(place, pick)


@contextmanager
def recording(recorder: Recorder | None) -> Iterator[None]:
    """Let a recorder write down what is asked of indicators inside this block; None lets nobody."""
    token = RECORDER.set(recorder)
    try:
        yield
    finally:
        RECORDER.reset(token)
