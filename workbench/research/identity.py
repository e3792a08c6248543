"""The identity of a computation: a hash of all that determines its result, and of nothing else.

Two things that have one identity give the same numbers, so that the ledger may answer for a run, and a trial that is
repeated counts once among the distinct ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError

__all__ = ["digest", "identities", "short_identity"]

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # splitmix64's


def digest(*facts: Any) -> str:
    """Hash (32 hex digits) plain data: text, numbers, arrays, mappings and sequences of these.

    Raises
    ------
    DataError
        There is something else among it, of which nobody can say whether it is the same next time.
    """
    hasher = hashlib.blake2b(digest_size=16)
    _feed(hasher, facts)
    return hasher.hexdigest()


def _feed(hasher: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value)
        if array.dtype.hasobject:
            raise DataError(f"an array of {array.dtype} has no identity")
        hasher.update(f"a{array.dtype.str}{array.shape}".encode())
        hasher.update(array.view(np.uint8).ravel().data if array.size else b"")
    elif value is None or isinstance(value, bool | int | float | str | bytes | complex | np.generic):
        word = f"{type(value).__name__}{value!r}".encode("utf-8", "replace")
        hasher.update(f"v{len(word)}:".encode() + word)
    elif isinstance(value, Mapping):
        hasher.update(f"m{len(value)}".encode())
        for key in sorted(value, key=lambda key: (type(key).__name__, repr(key))):
            _feed(hasher, key)
            _feed(hasher, value[key])
    elif isinstance(value, list | tuple):
        hasher.update(f"s{len(value)}".encode())
        for one in value:
            _feed(hasher, one)
    elif isinstance(value, set | frozenset):
        hasher.update(f"f{len(value)}".encode())
        for text in sorted(map(digest, value)):
            hasher.update(text.encode())
    else:
        raise DataError(f"a {type(value).__name__} has no identity: nobody can say whether it is the same next time")


def short_identity(identity: str) -> int:
    """Give an identity as the 64 bits that the ledger of trials keeps."""
    return int(identity[:16], 16)


def identities(
    context: str, parameters: Mapping[str, Any], shared: Mapping[str, Any] | None = None
) -> NDArray[np.uint64]:
    """Hash many combinations of parameters at once.

    Parameters
    ----------
    context : str
        All else that determines the results: `digest(code hash, data fingerprints, costs, rules …)`.
    parameters : mapping of str to array_like, length k each
        Numbers, text, bool or None.
    shared : mapping, optional
        Further parameters, whose one value is that of every combination: the same as a column of it.

    Returns
    -------
    uint64 array, shape (k,)
        The same for the same combination in whatever order the names stand; 5 and 5.0 are the same.

    Notes
    -----
    The finaliser of splitmix64 (Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators, 2014) over the bits
    of one column after the other. Among a million of them two are the same by chance once in 37 million times.
    """
    columns = {name: _bits(values) for name, values in parameters.items()}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise DataError(f"the columns of parameters are {sorted(lengths)} long: give one value a combination")
    state = np.full(lengths.pop() if lengths else 1, short_identity(digest(context)), np.uint64)
    columns |= {name: _bits([value]) for name, value in (shared or {}).items()}
    for name in sorted(columns):
        salt = np.uint64(short_identity(digest(name)))
        state = _mixed(state ^ _mixed(columns[name] ^ salt))
    return state


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        values = values + _STEP
        values = (values ^ (values >> np.uint64(30))) * _MIX[0]
        values = (values ^ (values >> np.uint64(27))) * _MIX[1]
    mixed: NDArray[np.uint64] = values ^ (values >> np.uint64(31))
    return mixed


def _bits(values: Any) -> NDArray[np.uint64]:
    if isinstance(values, range):
        values = np.arange(values.start, values.stop, values.step)
    array = values if isinstance(values, np.ndarray) else np.asarray(list(values), dtype=object)
    if array.dtype.kind in "iufb":
        numbers = array.astype(np.float64) + 0.0  # no negative zero
        return np.ascontiguousarray(numbers).view(np.uint64)
    known: dict[Any, int] = {}
    found = np.empty(len(array), np.uint64)
    for place, value in enumerate(array.tolist()):
        key = (value is None or isinstance(value, str), value)
        if key not in known:
            known[key] = _bits_of(value)
        found[place] = known[key]
    return found


def _bits_of(value: Any) -> int:
    if isinstance(value, int | float | np.number):
        return int(np.asarray(float(value) + 0.0).view(np.uint64))
    return short_identity(digest(value))
