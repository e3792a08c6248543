"""Which code is the author's: the methods of a strategy and the functions they call, but no library's.

Only in this code are variables looked at, and only calls made from it count as the strategy's own: pandas may read the
clock as it likes.
"""

from __future__ import annotations

import builtins
import os
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any, Final

__all__ = ["Authored", "authored_by"]

_BASES: Final = frozenset(("SignalStrategy", "OrderStrategy", "Parameterised"))
_MOST: Final = 300  # functions; a strategy that calls more is looked at in part


@dataclass(frozen=True)
class Authored:
    """The author's code.

    Attributes
    ----------
    functions : tuple of functions
        Methods, and functions reached from them by name.
    classes : tuple of classes
        Of a strategy, the most derived first; without the base classes of the package.
    """

    functions: tuple[FunctionType, ...]
    classes: tuple[type, ...]

    def codes(self) -> frozenset[int]:
        """Give the identities of the code of all functions."""
        return frozenset(id(one.__code__) for one in self.functions)

    def all_codes(self) -> frozenset[int]:
        """Give the identities of the code of all functions and of what is defined inside them."""
        return frozenset(id(part) for one in self.functions for part in _nested(one.__code__))

    def globals(self) -> dict[tuple[int, str], tuple[dict[str, Any], str]]:
        """Give the module variables that the code names: the module's dict and the name of each."""
        found = {}
        for one in self.functions:
            for part in _nested(one.__code__):
                for name in part.co_names:
                    if not hasattr(builtins, name):
                        found[id(one.__globals__), name] = (one.__globals__, name)
        return found


def authored_by(subject: Any) -> Authored:
    """Give the author's code of a strategy, or of a function."""
    classes: tuple[type, ...] = ()
    if isinstance(subject, FunctionType):
        start: list[Any] = [subject]
    else:
        kind = subject if isinstance(subject, type) else type(subject)
        classes = tuple(one for one in kind.__mro__[:-1] if not _is_base(one))
        start = [member for one in classes for member in vars(one).values()]
    homes = {one.__module__ for one in classes} | {getattr(subject, "__module__", "")}
    found: dict[int, FunctionType] = {}
    waiting = list(start)
    first = len(waiting)
    while waiting and len(found) < _MOST:
        direct = first > 0
        first -= 1
        function = _function_of(waiting.pop(0))
        if function is None or id(function) in found or not (direct or _is_own(function, homes)):
            continue
        found[id(function)] = function
        waiting += _reached(function)
    return Authored(tuple(found.values()), classes)


def _is_base(one: type) -> bool:
    return one.__name__ in _BASES and one.__module__.startswith("workbench.strategy.")


def _function_of(value: Any) -> FunctionType | None:
    if isinstance(value, property):
        value = value.fget
    value = getattr(value, "__func__", value) if isinstance(value, (staticmethod, classmethod, MethodType)) else value
    inner = getattr(value, "__wrapped__", None)  # functools.wraps, lru_cache
    if isinstance(inner, FunctionType) and not isinstance(value, FunctionType):
        value = inner
    return value if isinstance(value, FunctionType) else None


def _reached(function: FunctionType) -> Iterator[Any]:
    """Give what a function names in its module, closes over, or wraps."""
    for part in _nested(function.__code__):
        for name in part.co_names:
            value = function.__globals__.get(name)
            yield value
            if isinstance(value, type) and not value.__module__.startswith("workbench."):
                yield from vars(value).values()
            elif type(value).__module__ == function.__module__:
                yield from vars(type(value)).values()
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            pass
    yield getattr(function, "__wrapped__", None)


def _is_own(function: FunctionType, homes: set[str]) -> bool:
    """Tell a function of the author's from one of a library."""
    if function.__module__ in homes:
        return True
    if (function.__module__ or "").partition(".")[0] in _library_names():
        return False
    return not any(function.__code__.co_filename.startswith(folder) for folder in _library_folders())


@cache
def _library_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    folders = [Path(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return tuple({f"{path}{os.sep}" for folder in folders for path in (folder, folder.resolve())})


@cache
def _library_names() -> frozenset[str]:
    return frozenset((*sys.stdlib_module_names, "workbench")) - {"__main__"}


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)
