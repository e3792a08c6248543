"""Bytes of functions and objects that are to be used in another process of the same user.

cloudpickle takes what ordinary pickle does not: what a notebook or `__main__` defines. What comes from a strategy file
travels as the text of that file, and is loaded there as it was here: its class has the same name and hash. Bytes like
these run code when they are read; they are only ever exchanged between the user's own processes.
"""

from __future__ import annotations

import io
import pickle
import sys
from pathlib import Path
from typing import Any, Final

import cloudpickle

from workbench.errors import RunError

__all__ = ["dumps", "loads"]

_FILES: Final = "workbench_user_"  # how the modules of strategy files are named


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """cloudpickle, except for what the file of a strategy or of rules defines."""

    def reducer_override(self, obj: Any) -> Any:
        name = getattr(obj, "__module__", None) if callable(obj) and hasattr(obj, "__qualname__") else None
        module = sys.modules.get(name) if isinstance(name, str) else None
        source = getattr(module, "__workbench_source__", None)
        if module is None or (source is None and not str(name).startswith(_FILES)):
            return super().reducer_override(obj)
        path = str(module.__file__)
        text = Path(path).read_text(encoding="utf-8") if source is None else source
        return _from_file, (path, text, source is None, name, obj.__qualname__)


def _from_file(path: str, source: str, as_module: bool, module: str, name: str) -> Any:
    from workbench.strategy.loader import classes_of

    if module not in sys.modules:
        classes_of(Path(path), source, as_module=as_module)
    found: Any = sys.modules[module]
    for part in name.split("."):
        found = getattr(found, part)
    return found


def dumps(value: Any) -> bytes:
    """Give the bytes of a value; arrays come back as they were, writable ones writable.

    Raises
    ------
    RunError
        Something in it cannot leave this process.
    """
    stream = io.BytesIO()
    try:
        _Pickler(stream, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    except Exception as error:
        raise RunError(
            f"what is to be computed cannot be sent to another process ({type(error).__name__}: {error}); run it on "
            "threads (leave `executor` out), or keep open files, locks and connections out of it"
        ) from error
    return stream.getvalue()


def loads(content: bytes) -> Any:
    """Give the value of bytes that another process of the same user made with `dumps`."""
    return pickle.loads(content)
