"""Comparisons of two lines, 64 bars in one word, and what is asked of the bits of a word.

Processors compare several numbers at once and give a bit each, but no loop over bars in plain Python says so: the
compiler makes bytes of it. So the comparison is given to it as what it is, a vector of 64 numbers against another;
which instructions that takes is still its choice, on whatever processor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from workbench.backtest.kernel_parts import inner

__all__ = ["above_nb", "level_nb", "lowest_nb"]

Floats = NDArray[np.float64]
_LANES = 8  # numbers that are loaded together; processors with fewer take several steps


@intrinsic  # type: ignore[untyped-decorator]
def _above(_typing: Any, fast: Any, _slow: Any, _first: Any) -> Any:
    """Give the word with bit k set where `fast[first + k] > slow[first + k]`, of 64 bars that are all there."""

    def build(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        arrays = [context.make_array(kind)(context, builder, one).data
                  for kind, one in zip(signature.args[:2], given[:2], strict=True)]  # fmt: skip
        word = ir.IntType(64)
        found = ir.Constant(word, 0)
        for lane in range(0, 64, _LANES):
            at = builder.add(given[2], ir.Constant(given[2].type, lane))
            sides = []
            for data in arrays:
                place = builder.bitcast(builder.gep(data, [at]), ir.VectorType(ir.DoubleType(), _LANES).as_pointer())
                sides.append(builder.load(place, align=8))
            bits = builder.bitcast(builder.fcmp_ordered(">", *sides), ir.IntType(_LANES))
            found = builder.or_(found, builder.shl(builder.zext(bits, word), ir.Constant(word, lane)))
        return found

    return types.uint64(fast, fast, types.int64), build


@intrinsic  # type: ignore[untyped-decorator]
def _lowest(_typing: Any, _word: Any) -> Any:
    """Give the place of the lowest bit that is set, of a word that has one."""

    def build(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.cttz(given[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), build


@intrinsic  # type: ignore[untyped-decorator]
def _level(_typing: Any, _count: Any) -> Any:
    """Give the place of the highest bit that is set, of a count above zero."""

    def build(_context: Any, builder: Any, _signature: Any, given: Any) -> Any:
        return builder.xor(builder.ctlz(given[0], ir.Constant(ir.IntType(1), 1)), ir.Constant(ir.IntType(64), 63))

    return types.int64(types.int64), build


@inner
def above_nb(fast: Floats, slow: Floats, first: int) -> int:
    """Give the word with bit k set where `fast[first + k] > slow[first + k]`, of 64 bars that are all there."""
    word: int = _above(fast, slow, first)
    return word


@inner
def level_nb(count: int) -> int:
    """Give the exponent of the largest power of two that is at most a count, which is above zero."""
    level: int = _level(count)
    return level


@inner
def lowest_nb(word: int) -> int:
    """Give the place of the lowest bit that is set, of a word that has one."""
    place: int = _lowest(word)
    return place
