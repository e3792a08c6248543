"""What code a result rests on, as a hash: the strategy with all that it reaches for, and workbench itself.

The code hash of a strategy covers its file, or the lines of its class. What decides whether a recorded result still
holds must cover more: a helper in another cell, a constant, a file beside it. Where something is reached of which
nobody can say whether it is the same next time, there is no hash, and nothing is answered from the ledger.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import functools
import hashlib
import inspect
import re
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final

import numpy as np

from workbench.errors import DataError
from workbench.market.bars import Bars
from workbench.research.identity import digest

__all__ = ["class_digest", "code_digest", "engine_digest", "value_digest"]

_ROOMS: Final = ("indicators", "market", "risk", "trading", "strategy", "backtest")
_PLAIN: Final = (bool, int, float, complex, str, bytes, np.generic, np.ndarray)
_BY_REPR: Final = (dt.date, dt.time, dt.timedelta, dt.tzinfo, decimal.Decimal, enum.Enum, re.Pattern, range, slice)
_NOT_CODE: Final = frozenset(
    ("__dict__", "__weakref__", "__doc__", "__module__", "__firstlineno__", "__static_attributes__", "__annotations__",
     "__annotate__", "__annotate_func__", "__abstractmethods__", "_abc_impl", "__parameters__", "__orig_bases__")
)  # fmt: skip


@functools.cache
def engine_digest() -> str:
    """Hash (16 hex digits) the code of workbench that results rest on; a change without a release counts too."""
    root, hasher = Path(__file__).parents[1], hashlib.blake2b(digest_size=8)
    for path in sorted(path for room in _ROOMS for path in (root / room).rglob("*.py")):
        hasher.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return hasher.hexdigest()


def code_digest(strategy: Any) -> str:
    """Hash a strategy with its parameters and all code and values that it reaches.

    Parameters
    ----------
    strategy : object
        A strategy, `Signals`, or a mapping of symbols to these.

    Raises
    ------
    DataError
        It reaches something of which nobody can say whether it is the same next time.
    """
    walk = _Walk()
    if hasattr(type(strategy), "declared"):
        return digest("strategy", _class_said(walk, strategy), walk.essence(dict(vars(strategy))))
    return digest("signals", walk.essence(strategy))


def class_digest(strategy: Any) -> str:
    """Hash the class of a strategy with all code and values that it reaches, whatever its parameters; as above."""
    return digest("class", _class_said(_Walk(), strategy))


def value_digest(value: Any) -> str:
    """Hash a value with all code and values that it reaches: functions, dataclasses, plain data; raises as above."""
    return digest("value", _Walk().essence(value))


def _class_said(walk: _Walk, strategy: Any) -> Any:
    """Say what the class of a strategy is: the text of a rule file, else its code."""
    cls = type(strategy)
    home = inspect.getmodule(cls)
    rules = not str(getattr(home, "__file__", "") or "x.py").endswith(".py")
    return strategy.code_hash if rules else walk.essence(cls)


class _Walk:
    """One walk through classes, functions and values, each visited once."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []

    def essence(self, value: Any) -> Any:
        """Turn a value into plain data that says what it is and does."""
        if value is None or isinstance(value, _PLAIN):
            return value
        if isinstance(value, _BY_REPR):
            return (type(value).__name__, repr(value))
        if id(value) in self._seen:
            return ("again", self._seen[id(value)])
        self._seen[id(value)] = len(self._seen)
        self._kept.append(value)  # an id stays that of one object only as long as the object lives
        return self._inside(value)

    def _inside(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            items = sorted(value.items(), key=lambda item: repr(item[0]))
            return ("mapping", [(self.essence(key), self.essence(one)) for key, one in items])
        if isinstance(value, list | tuple):
            return ("sequence", [self.essence(one) for one in value])
        if isinstance(value, set | frozenset):
            return ("set", [self.essence(one) for one in sorted(value, key=repr)])
        if isinstance(value, CodeType):
            return self._code(value)
        if isinstance(value, ModuleType):
            return ("module", value.__name__, str(getattr(value, "__version__", "")), _own_text(value))
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, BuiltinFunctionType | np.ufunc):
            return ("builtin", str(getattr(value, "__module__", "")), value.__name__)
        if isinstance(value, MethodType):
            return ("method", self.essence(value.__self__), self.essence(value.__func__))
        return self._object(value)

    def _object(self, value: Any) -> Any:
        for name in ("py_func", "__func__", "func", "fget"):  # numba, static and class methods, partial, property
            inner = getattr(value, name, None)
            if inner is not None and isinstance(inner, Callable) and not isinstance(value, FunctionType):  # type: ignore[arg-type]
                rest = [getattr(value, one, None) for one in ("fset", "fdel", "args", "keywords")]
                return (type(value).__name__, self.essence(inner), self.essence(rest))
        if isinstance(value, FunctionType):
            return self._function(value)
        if isinstance(value, Bars):
            return ("bars", value.fingerprint)
        if is_dataclass(value):
            named = [(one.name, self.essence(getattr(value, one.name))) for one in fields(value)]
            return (self.essence(type(value)), named)
        kind = type(value)
        raise DataError(f"a {kind.__module__}.{kind.__qualname__} has no identity, so nothing can rest on it")

    def _class(self, cls: type) -> Any:
        name = (cls.__module__, cls.__qualname__)
        module = sys.modules.get(cls.__module__)
        library = cls.__module__.startswith("workbench.strategy.library")
        if module is not None and not library and _installed(module):
            return ("class", *name)
        own = sorted((key, one) for key, one in vars(cls).items() if key not in _NOT_CODE)
        bases = [self.essence(base) for base in cls.__bases__]
        return ("class", cls.__qualname__, bases, [(key, self.essence(one)) for key, one in own])

    def _function(self, function: FunctionType) -> Any:
        module = sys.modules.get(function.__module__ or "")
        if module is not None and _installed(module) and not function.__module__.startswith("workbench.strategy.lib"):
            return ("function", function.__module__, function.__qualname__)
        names = _names_in(function.__code__)
        reached = [(name, self.essence(function.__globals__[name])) for name in names if name in function.__globals__]
        cells = [cell.cell_contents for cell in function.__closure__ or () if _filled(cell)]
        return (
            "function", self._code(function.__code__), self.essence(function.__defaults__),
            self.essence(function.__kwdefaults__), self.essence(cells), reached,
        )  # fmt: skip

    def _code(self, code: CodeType) -> Any:
        return (code.co_code, code.co_names, code.co_varnames, code.co_freevars, self.essence(list(code.co_consts)))


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _names_in(code: CodeType) -> list[str]:
    names = set(code.co_names)
    for one in code.co_consts:
        if isinstance(one, CodeType):
            names.update(_names_in(one))
    return sorted(names)


@functools.cache
def _places() -> tuple[str, ...]:
    return tuple({sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")})


def _installed(module: ModuleType) -> bool:
    """Tell whether a module belongs to Python, to a package that is installed, or to workbench: a version says it."""
    top = module.__name__.split(".")[0]
    file = getattr(module, "__file__", None)
    if top == "workbench" or top in sys.stdlib_module_names - {"__main__"}:
        return True
    return file is not None and str(file).startswith(_places())


def _own_text(module: ModuleType) -> str:
    """Hash the text of a module that is the user's own; a version says what any other is."""
    file = getattr(module, "__file__", None)
    if file is None or _installed(module):
        return ""
    try:
        return digest(Path(file).read_bytes())
    except OSError as error:
        raise DataError(f"{file}: cannot be read, so nothing can rest on it: {error}") from error
