"""What a strategy could remember between calls, looked at before and after, and put back as it was.

Module variables that its code names, class attributes, attributes of the object, default arguments, closures and
attributes of functions: whatever of these is plain data (numbers, text, containers, arrays, frames, and objects of the
author's own classes). A digest says whether one has changed; a copy restores it.
"""

from __future__ import annotations

import copy
import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any, Final

import numpy as np

from workbench.research.check.authored import Authored

__all__ = ["Keeper"]

_DEEPEST: Final = 6
_LARGEST: Final = 50_000_000  # bytes of an array that is still read whole
_ABSENT: Final = object()
_PLAIN: Final = (bool, int, float, complex, str, bytes, type(None), np.generic)
_HOLDERS: Final = (list, dict, set, tuple, bytearray)


@dataclass(frozen=True)
class _Place:
    """Somewhere that a value can be kept."""

    label: str
    get: Callable[[], Any]
    put: Callable[[Any], None]


class Keeper:
    """The memory of one strategy.

    Parameters
    ----------
    authored : Authored
    subject : object
        The strategy itself.
    """

    def __init__(self, authored: Authored, subject: Any) -> None:
        self._places = [place for place in _places(authored, subject) if _is_data(place.get())]
        self._originals = [place.get() for place in self._places]
        self._copies = [_copied(value) for value in self._originals]
        self._digests = [digest(value) for value in self._originals]

    def changed(self) -> tuple[str, ...]:
        """Give the labels of what is no longer as it was."""
        now = self.digests()
        labels = (place.label for place, is_, was in zip(self._places, now, self._digests, strict=True) if is_ != was)
        return tuple(dict.fromkeys(labels))

    def digests(self) -> list[bytes]:
        """Give what everything hashes to now."""
        return [digest(place.get()) for place in self._places]

    def restore(self) -> None:
        """Put everything back as it was, into the very objects that were there."""
        for place, original, kept, was in zip(self._places, self._originals, self._copies, self._digests, strict=True):
            if digest(place.get()) == was:
                continue
            place.put(_refilled(original, _copied(kept)))


def _places(authored: Authored, subject: Any) -> Iterator[_Place]:
    for module, name in authored.globals().values():
        yield _Place(f"module variable {name}", _getter(module, name), _setter(module, name))
    for cls in authored.classes:
        for name in vars(cls):
            if not name.startswith("__"):
                yield _Place(f"{cls.__name__}.{name}", _class_getter(cls, name), _class_setter(cls, name))
    own = getattr(subject, "__dict__", None)
    if authored.classes and isinstance(own, dict):
        for name in own:
            yield _Place(f"self.{name}", _getter(own, name), _setter(own, name))
    for function in authored.functions:
        yield from _in_function(function)


def _in_function(function: FunctionType) -> Iterator[_Place]:
    name = function.__qualname__.rpartition("<locals>.")[2]
    for field in ("__defaults__", "__kwdefaults__"):
        if getattr(function, field):
            yield _Place(
                f"a default argument of {name}", _attribute(function, field), _attribute_setter(function, field)
            )
    for label, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        yield _Place(
            f"{label} outside {name}", _attribute(cell, "cell_contents"), _attribute_setter(cell, "cell_contents")
        )
    for label in vars(function):
        if not label.startswith("__"):
            yield _Place(f"{name}.{label}", _getter(vars(function), label), _setter(vars(function), label))


def _getter(home: dict[str, Any], name: str) -> Callable[[], Any]:
    return lambda: home.get(name, _ABSENT)


def _setter(home: dict[str, Any], name: str) -> Callable[[Any], None]:
    def put(value: Any) -> None:
        if value is _ABSENT:
            home.pop(name, None)
        else:
            home[name] = value

    return put


def _class_getter(cls: type, name: str) -> Callable[[], Any]:
    return lambda: vars(cls).get(name, _ABSENT)


def _class_setter(cls: type, name: str) -> Callable[[Any], None]:
    return lambda value: setattr(cls, name, value)


def _attribute(owner: Any, name: str) -> Callable[[], Any]:
    def get() -> Any:
        try:
            return getattr(owner, name)
        except ValueError:  # a cell that is still empty
            return _ABSENT

    return get


def _attribute_setter(owner: Any, name: str) -> Callable[[Any], None]:
    return lambda value: setattr(owner, name, value)


def _is_data(value: Any) -> bool:
    """Tell data from code; what is not there yet is data that may come."""
    if value is _ABSENT or isinstance(value, (*_PLAIN, *_HOLDERS, np.ndarray)) or _is_pandas(value):
        return True
    return not isinstance(value, (type, ModuleType)) and not callable(value) and _is_authors(value)


def _is_pandas(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, (pandas.Series, pandas.DataFrame, pandas.Index))


def _is_authors(value: Any) -> bool:
    home = type(value).__module__
    return home == "collections" or (hasattr(value, "__dict__") and home.partition(".")[0] not in _libraries())


def _libraries() -> frozenset[str]:
    return frozenset((*sys.stdlib_module_names, "workbench", "numpy", "pandas", "numba")) - {"__main__"}


def _copied(value: Any) -> Any:
    if value is _ABSENT:
        return value
    try:
        return copy.deepcopy(value)
    except Exception:  # what cannot be copied is at least watched
        return value


def _refilled(original: Any, kept: Any) -> Any:
    """Give an object its content back, so that others who hold it see it too; the copy where that cannot be."""
    if type(original) is not type(kept):
        return kept
    if isinstance(original, (dict, set)):
        original.clear()
        original.update(kept)
    elif isinstance(original, list):
        original[:] = kept
    elif isinstance(original, np.ndarray) and original.flags.writeable and original.shape == kept.shape:
        np.copyto(original, kept)
    elif _is_authors(original) and hasattr(original, "__dict__"):
        vars(original).clear()
        vars(original).update(vars(kept))
    else:
        return kept
    return original


def digest(value: Any) -> bytes:
    """Hash plain data: equal content, equal digest."""
    seen = hashlib.blake2b(digest_size=16)
    _feed(seen, value, 0)
    return seen.digest()


def _feed(seen: Any, value: Any, depth: int) -> None:
    seen.update(type(value).__name__.encode())
    if value is _ABSENT or depth > _DEEPEST:
        return
    if isinstance(value, np.ndarray):
        seen.update(repr((value.shape, value.dtype)).encode())
        if value.dtype.kind != "O" and value.nbytes <= _LARGEST:
            seen.update(np.ascontiguousarray(value).tobytes())
    elif _is_pandas(value):
        _feed(seen, value.to_numpy(), depth + 1)
        _feed(seen, [str(name) for name in getattr(value, "columns", ())], depth + 1)
    elif isinstance(value, _PLAIN):
        seen.update(repr(value).encode())
    elif isinstance(value, (Mapping, set, frozenset)):
        pairs = value.items() if isinstance(value, Mapping) else ((one, None) for one in value)
        for part in sorted(digest_pair(key, member, depth) for key, member in pairs):
            seen.update(part)
    elif isinstance(value, (list, tuple)) or type(value).__module__ == "collections":
        for member in value:
            _feed(seen, member, depth + 1)
    elif hasattr(value, "__dict__") and _is_authors(value):
        _feed(seen, vars(value), depth + 1)


def digest_pair(key: Any, member: Any, depth: int) -> bytes:
    """Hash one item of a mapping."""
    seen = hashlib.blake2b(digest_size=16)
    _feed(seen, key, depth + 1)
    _feed(seen, member, depth + 1)
    return seen.digest()
