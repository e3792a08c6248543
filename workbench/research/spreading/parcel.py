"""`Parcel`: what every piece of a job needs, sent to each worker once; and `run_piece`, which workers run.

In this process a parcel holds the thing itself. When something pickles it, only a token and the name of a spool file go
along, and the worker reads that file the first time; a worker that cannot reach the file says so and gets the content
with its next piece. A cluster scatters the content instead. So nothing large travels with every piece.
"""

from __future__ import annotations

import os
import platform
import tempfile
import threading
import time
import traceback
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from workbench import __version__
from workbench.errors import WorkbenchError
from workbench.research.spreading.pickling import dumps, loads

__all__ = ["Done", "Failure", "Missing", "Parcel", "Task", "differences", "forget", "run_piece", "versions_here"]

Task = Callable[[Any, int, int], Any]

_KEPT: Final = 2  # jobs whose content a worker keeps: one that runs, one that was interrupted by it

_opened: OrderedDict[str, tuple[Task, Any]] = OrderedDict()
_opening = threading.Lock()


@dataclass(frozen=True, slots=True)
class Done:
    """A piece is done: its result, and how long it took."""

    out: Any
    seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """A task raised, or could not be begun; `error` is None where it cannot travel."""

    error: BaseException | None
    message: str
    trace: str


@dataclass(frozen=True, slots=True)
class Missing:
    """The worker cannot reach the content."""


@cache
def versions_here() -> dict[str, str]:
    """Give the versions that must agree for results to be the same everywhere."""
    found = {"python": ".".join(platform.python_version_tuple()[:2]), "workbench": __version__}
    for name in ("numpy", "numba"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def differences(versions: Mapping[str, str]) -> str:
    """Say what this process has in other versions than the one that sent these; empty where they agree."""
    here = versions_here()
    return ", ".join(f"{name} {here[name]} in place of {own}" for name, own in versions.items() if here[name] != own)


class Parcel:
    """A task and what it shares between its pieces.

    Parameters
    ----------
    task : callable
    shared : object
    """

    def __init__(self, task: Task, shared: Any) -> None:
        self.token = uuid.uuid4().hex
        self.versions = versions_here()
        self.content: bytes | None = None
        self._inside: tuple[Task, Any] | None = (task, shared)
        self._spool: str | None = None
        self._packing = threading.Lock()

    def pack(self) -> bytes:
        """Give the content as bytes; made once."""
        with self._packing:
            if self.content is None:
                self.content = dumps(self._inside)
            return self.content

    def spool(self) -> str:
        """Write the content to a file that only this user can read, once, and give its path."""
        content = self.pack()
        with self._packing:
            if self._spool is None:
                handle, self._spool = tempfile.mkstemp(prefix="workbench-spread-")
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
            return self._spool

    def full(self) -> FullParcel:
        """Give the same with its content inside."""
        return FullParcel(self.token, self.versions, self.pack())

    def open(self, content: bytes | None = None) -> tuple[Task, Any]:
        """Give task and shared; see `_open`."""
        return self._inside or _open(self.token, self._spool, content)

    def close(self) -> None:
        """Remove the spool file."""
        with self._packing:
            if self._spool is not None:
                try:
                    os.unlink(self._spool)
                except FileNotFoundError:
                    pass
                self._spool = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _parcel_of, (self.token, self.versions, self.spool())


def _parcel_of(token: str, versions: dict[str, str], spool: str | None) -> Parcel:
    parcel = object.__new__(Parcel)
    parcel.token, parcel.versions, parcel.content = token, versions, None
    parcel._inside, parcel._spool, parcel._packing = None, spool, threading.Lock()
    return parcel


@dataclass(frozen=True, slots=True)
class FullParcel:
    """A parcel that has its content with it, or is told it by who runs it."""

    token: str
    versions: dict[str, str]
    content: bytes | None = None

    def open(self, content: bytes | None = None) -> tuple[Task, Any]:
        """Give task and shared."""
        return _open(self.token, None, content or self.content)


def _open(token: str, spool: str | None, content: bytes | None) -> tuple[Task, Any]:
    """Read the content of a parcel in a worker, the first time that it is asked for."""
    with _opening:
        if token not in _opened:
            if content is None:
                if spool is None:
                    raise FileNotFoundError
                with open(spool, "rb") as file:
                    content = file.read()
            _opened[token] = loads(content)
            while len(_opened) > _KEPT:
                _opened.popitem(last=False)
        _opened.move_to_end(token)
        return _opened[token]


def forget(token: str) -> None:
    """Free what this process keeps of a job."""
    with _opening:
        _opened.pop(token, None)


def run_piece(
    parcel: Parcel | FullParcel, start: int, stop: int, content: bytes | None = None
) -> Done | Failure | Missing:
    """Run one piece of a job; what the task raises comes back as a value, so that it survives every way back."""
    try:
        wrong = differences(parcel.versions)
        if wrong:
            return Failure(None, f"a worker on {platform.node()} has {wrong}", "")
        task, shared = parcel.open(content)
    except FileNotFoundError:
        return Missing()
    except Exception as error:
        return Failure(None, f"the worker cannot read what it is to compute: {type(error).__name__}: {error}", "")
    began = time.perf_counter()
    try:
        out = task(shared, start, stop)
    except Exception as error:
        return Failure(_fit_to_travel(error, parcel), f"{type(error).__name__}: {error}", traceback.format_exc())
    return Done(out, time.perf_counter() - began)


def _fit_to_travel(error: Exception, parcel: Parcel | FullParcel) -> Exception | None:
    if isinstance(parcel, Parcel) and parcel._inside is not None:
        return error
    try:
        again = loads(dumps(error))
    except (Exception, WorkbenchError):
        return None
    return again if type(again) is type(error) else None
