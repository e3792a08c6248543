"""What a processor does with several numbers, or several bits, in one step, and no loop in plain Python says.

The compiler would make bytes of 64 comparisons, and look at each place of an array whether it is counted from the end.
So these are given to it as what they are: a vector of numbers against another, a load from a place. Which instructions
that takes is still its choice, on whatever processor. A line is given as the address of its first number. Nothing here
looks whether a place is inside.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from workbench.backtest.kernel_parts import inner

__all__ = ["above_nb", "count_nb", "gain_nb", "level_nb", "lowest_nb", "put_nb", "read_nb", "take_nb"]

Floats = NDArray[np.float64]

ir: Any = cgutils.ir  # the language of the compiler that numba writes in
_LANES: Final = 8  # numbers that are compared together; processors with fewer take several steps
_SUMS: Final = 4


def _place(context: Any, builder: Any, kind: Any, given: tuple[Any, Any], lanes: int = 0) -> Any:
    """Give the address of a place of a contiguous array, for one number or for several."""
    array, at = given
    found = builder.gep(context.make_array(kind)(context, builder, array).data, [at])
    if not lanes:
        return found
    return builder.bitcast(found, ir.VectorType(ir.DoubleType(), lanes).as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def _above(_typing: Any, _fast: Any, _slow: Any, _first: Any) -> Any:
    """Give the word with bit k set where number `first + k` of one line is above that of another."""

    def build(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        word, vector = ir.IntType(64), ir.VectorType(ir.DoubleType(), _LANES)
        lines = [builder.inttoptr(one, ir.DoubleType().as_pointer()) for one in given[:2]]
        found = ir.Constant(word, 0)
        for lane in range(0, 64, _LANES):
            at = builder.add(given[2], ir.Constant(word, lane))
            places = (builder.bitcast(builder.gep(line, [at]), vector.as_pointer()) for line in lines)
            sides = [builder.load(place, align=8) for place in places]
            bits = builder.bitcast(builder.fcmp_ordered(">", *sides), ir.IntType(_LANES))
            found = builder.or_(found, builder.shl(builder.zext(bits, word), ir.Constant(word, lane)))
        return found

    return types.uint64(types.int64, types.int64, types.int64), build


@intrinsic  # type: ignore[untyped-decorator]
def _read(_typing: Any, _line: Any, _at: Any) -> Any:
    """Give a number of a line."""

    def build(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.load(builder.gep(builder.inttoptr(given[0], ir.DoubleType().as_pointer()), [given[1]]))

    return types.float64(types.int64, types.int64), build


@intrinsic  # type: ignore[untyped-decorator]
def _gain(_typing: Any, sums: Any, sold: Any, _after: Any, bought: Any, _before: Any) -> Any:
    """Add four numbers of one array, less four of another, to the first four of sums."""

    def build(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        into = _place(context, builder, sums, (given[0], ir.Constant(given[2].type, 0)), _SUMS)
        after = builder.load(_place(context, builder, sold, (given[1], given[2]), _SUMS), align=8)
        before = builder.load(_place(context, builder, bought, (given[3], given[4]), _SUMS), align=8)
        builder.store(builder.fadd(builder.load(into, align=8), builder.fsub(after, before)), into, align=8)
        return context.get_dummy_value()

    return types.none(sums, sold, types.int64, bought, types.int64), build


@intrinsic  # type: ignore[untyped-decorator]
def _take(_typing: Any, array: Any, _at: Any) -> Any:
    """Give what is at a place of a contiguous array of numbers."""

    def build(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.load(_place(context, builder, array, given))

    return array.dtype(array, types.int64), build


@intrinsic  # type: ignore[untyped-decorator]
def _put(_typing: Any, array: Any, _at: Any, _value: Any) -> Any:
    """Write a number to a place of a contiguous array."""

    def build(context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        builder.store(given[2], _place(context, builder, array, given[:2]))
        return context.get_dummy_value()

    return types.none(array, types.int64, array.dtype), build


@intrinsic  # type: ignore[untyped-decorator]
def _lowest(_typing: Any, _word: Any) -> Any:
    """Give the place of the lowest bit that is set; 64 where none is."""

    def build(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.cttz(given[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), build


@intrinsic  # type: ignore[untyped-decorator]
def _count(_typing: Any, _word: Any) -> Any:
    """Count the bits of a word that are set."""
    return types.int64(types.uint64), lambda _context, builder, _signature, given: builder.ctpop(given[0])


@intrinsic  # type: ignore[untyped-decorator]
def _level(_typing: Any, _number: Any) -> Any:
    """Give the place of the highest bit that is set, of a number above zero."""

    def build(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.xor(builder.ctlz(given[0], ir.Constant(ir.IntType(1), 1)), ir.Constant(ir.IntType(64), 63))

    return types.int64(types.int64), build


@inner
def above_nb(fast: int, slow: int, first: int) -> int:
    """Give the word with bit k set where number `first + k` of one line is above that of another: 64, all there."""
    word: int = _above(fast, slow, first)
    return word


@inner
def read_nb(line: int, place: int) -> float:
    """Give a number of a line."""
    number: float = _read(line, place)
    return number


@inner
def gain_nb(sums: Floats, sold: Floats, after: int, bought: Floats, before: int) -> None:
    """Add four numbers of one array, less four of another, to the first four of sums."""
    _gain(sums, sold, after, bought, before)


@inner
def take_nb(array: Any, place: int) -> Any:
    """Give what is at a place of an array."""
    return _take(array, place)


@inner
def put_nb(array: Any, place: int, value: int) -> None:
    """Write to a place of an array."""
    _put(array, place, value)


@inner
def count_nb(word: int) -> int:
    """Count the bits of a word that are set."""
    found: int = _count(word)
    return found


@inner
def level_nb(number: int) -> int:
    """Give the exponent of the largest power of two that is at most a number, which is above zero."""
    level: int = _level(number)
    return level


@inner
def lowest_nb(word: int) -> int:
    """Give the place of the lowest bit that is set; 64 where none is."""
    place: int = _lowest(word)
    return place
