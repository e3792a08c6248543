"""The border that every indicator shares: user's columns in, checked arrays for the kernels, the user's kind out.

`take` turns arrays, lists and pandas Series into read-only float64 arrays of one length and remembers the index;
`Columns.line` and `Columns.lines` give results back as arrays, or as Series where a Series came in. `whole` and
`positive` check parameters. pandas is looked up among the loaded modules and never imported: who has a Series has it.
"""

from __future__ import annotations

import math
import operator
import sys
from dataclasses import dataclass
from typing import Any, Final, NoReturn, Protocol, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench._kernels import frozen
from workbench.errors import DataError, StrategyError

__all__ = ["Columns", "Floats", "Line", "empty", "fast_below_slow", "positive", "take", "whole"]

Floats: TypeAlias = NDArray[np.float64]

# A float64 (or bool) array, or a Series where a Series came in: the kind follows the input, which no annotation says
# without two overloads for each indicator.
Line: TypeAlias = Any

_LONGEST: Final = 2**31 - 1  # more bars than any series has, and far from where a sum of two lengths overflows


class _Fields(Protocol):
    """What a NamedTuple class is to `Columns.lines`."""

    _fields: tuple[str, ...]

    def __call__(self, *values: Any) -> Any: ...


F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Columns:
    """The checked input of one call of an indicator, and how to give its output back.

    Parameters
    ----------
    function : str
        Name of the indicator, for messages and for the names of Series.
    arrays : dict of float64 arrays, shape (n,), read-only
        By parameter name.
    index : pandas.Index or None
        The index of the Series among the inputs; None when there was none.
    """

    function: str
    arrays: dict[str, Floats]
    index: Any

    def __getitem__(self, parameter: str) -> Floats:
        return self.arrays[parameter]

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def line(self, values: NDArray[Any], *parameters: float) -> Line:
        """Give one output: the array itself, or a Series named after the indicator and its parameters (`rsi_14`)."""
        return self._dress(values, self.function, parameters)

    def lines(self, kind: type[F], values: tuple[Floats, ...], *parameters: float) -> F:
        """Give several outputs as the NamedTuple `kind`; Series are named like `macd_signal_12_26_9`."""
        fields: _Fields = kind  # type: ignore[assignment]
        names = [self.function if field == self.function else f"{self.function}_{field}" for field in fields._fields]
        dressed = [self._dress(line, name, parameters) for line, name in zip(values, names, strict=True)]
        return kind(*dressed)

    def _dress(self, values: NDArray[Any], name: str, parameters: tuple[float, ...]) -> Line:
        if self.index is None:
            return values
        label = "_".join([name, *(f"{parameter:g}" for parameter in parameters)])
        return sys.modules["pandas"].Series(values, index=self.index, name=label, copy=False)


def empty(count: int, columns: Columns) -> tuple[Floats, ...]:
    """Give `count` new arrays as long as the input.

    They are made here and not inside kernels because numpy asks for large pages and numba does not: first touching
    the memory of a long series otherwise takes longer than computing it.
    """
    return tuple(np.empty(len(columns)) for _ in range(count))


def take(function: str, **columns: ArrayLike) -> Columns:
    """Check the columns of a call and make them ready for kernels.

    Parameters
    ----------
    function : str
        Name of the indicator.
    **columns : array_like or pandas.Series, shape (n,)
        By parameter name. Numbers; NaN and None are missing values.

    Returns
    -------
    Columns

    Raises
    ------
    DataError
        A column is not one-dimensional or not numeric, or columns differ in length or in index.
    """
    arrays = {name: _numbers(function, name, values) for name, values in columns.items()}
    first, *others = arrays
    for name in others:
        if len(arrays[name]) != len(arrays[first]):
            raise DataError(
                f"{function}: {first} has {len(arrays[first])} values and {name} has {len(arrays[name])}; "
                "give columns of the same bars",
                function=function, parameter=name, value=len(arrays[name]),
            )  # fmt: skip
    return Columns(function, arrays, _common_index(function, columns))


def _common_index(function: str, columns: dict[str, Any]) -> Any:
    indexes = {name: values.index for name, values in columns.items() if _is_series(values)}
    if not indexes:
        return None
    first, *others = indexes
    for name in others:
        if not indexes[name].equals(indexes[first]):
            raise DataError(
                f"{function}: the Series {first} and {name} have different indexes; "
                f"align them first: {first}, {name} = {first}.align({name}, join='inner')",
                function=function, parameter=name,
            )  # fmt: skip
    return indexes[first]


def _is_series(values: object) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(values, getattr(pandas, "Series", ()))


def _numbers(function: str, parameter: str, values: Any) -> Floats:
    """Give a read-only float64 array of what a user passed as a column."""
    raw = _raw(function, parameter, values)
    if raw.ndim != 1:
        found = f"is the single value {values!r}" if raw.ndim == 0 else f"has shape {raw.shape}"
        _refuse(function, parameter, f"{found}; give one column of numbers, one for each bar", values)
    plain = raw.dtype.kind == "O" and not any(isinstance(item, (str, bytes, bool)) for item in raw)
    if raw.dtype.kind in "fiu" or plain:
        try:
            return frozen(raw)
        except (TypeError, ValueError):
            pass  # objects that are no numbers
    example = f", such as {raw[0]!r}" if len(raw) else ""
    found = f"holds values of type {raw.dtype}{example}"
    _refuse(function, parameter, f"{found}; give numbers, for example {parameter}.astype(float)", values)


def _raw(function: str, parameter: str, values: Any) -> NDArray[Any]:
    if _is_series(values):
        if isinstance(values.dtype, np.dtype):
            return cast(NDArray[Any], values.to_numpy())
        if values.dtype.kind in "fiu":  # nullable and Arrow numbers, which have a missing value of their own
            return cast(NDArray[Any], values.to_numpy(np.float64, na_value=np.nan))
        found = f"holds values of type {values.dtype}"
        _refuse(function, parameter, f"{found}; give numbers, for example {parameter}.astype(float)", values)
    if hasattr(values, "close") and hasattr(values, "high"):
        _refuse(function, parameter, f"is a {type(values).__name__}; give one of its columns, as bars.close", values)
    if isinstance(values, np.ma.MaskedArray):
        return np.ma.filled(values.astype(np.float64), np.nan)
    try:
        return np.asarray(values)
    except ValueError:
        _refuse(function, parameter, "has rows of different lengths; give one column of numbers", values)


def _refuse(function: str, parameter: str, complaint: str, value: object) -> NoReturn:
    raise DataError(f"{function}: {parameter} {complaint}", function=function, parameter=parameter, value=value)


def whole(function: str, parameter: str, value: Any) -> int:
    """Check a number of bars.

    Raises
    ------
    StrategyError
        The value is not a whole number of at least 1.
    """
    try:
        number = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        number = None
    if number is None or not 1 <= number <= _LONGEST:
        hint = f" (write {int(value)})" if isinstance(value, float) and value.is_integer() and value >= 1 else ""
        raise StrategyError(
            f"{function}: {parameter} is {value!r}; give a whole number of bars from 1 to {_LONGEST}{hint}",
            function=function, parameter=parameter, value=value,
        )  # fmt: skip
    return number


def positive(function: str, parameter: str, value: Any) -> float:
    """Check a factor.

    Raises
    ------
    StrategyError
        The value is not a finite number above 0.
    """
    numeric = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not numeric or not math.isfinite(value) or value <= 0:
        raise StrategyError(
            f"{function}: {parameter} is {value!r}; give a finite number above 0",
            function=function, parameter=parameter, value=value,
        )  # fmt: skip
    return float(value)


def fast_below_slow(fast: int, slow: int, *_others: Any) -> str | None:
    """Say what is wrong between two lengths of which the first is to be the smaller; nothing where it is."""
    return None if fast < slow else f"fast is {fast} and slow is {slow}; give a fast length below the slow one"
